"""Statuses and redirects."""

from __future__ import annotations

import random

import pytest

from tests.demo.conftest import Told
from tests.helpers.peers import Kind, Peer


@pytest.mark.parametrize("code", [200, 404, 503, 999])
def test_status(peer: Peer, code: int) -> None:
    """Any status can be asked for, and comes without content."""
    answer = peer.request(f"/status/{code}")
    assert (answer.status, answer.content, answer.complete) == (code, b"", True)
    assert answer.get("content-length") == "0"


@pytest.mark.parametrize("code", [204, 304])
def test_status_without_content(peer: Peer, code: int) -> None:
    """A status that has no content has none here, and no length."""
    answer = peer.request(f"/status/{code}")
    assert (answer.status, answer.content, answer.complete) == (code, b"", True)
    assert answer.get("content-length") is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_status_of_any_method(plain: Peer, method: str) -> None:
    """It does not depend on the method."""
    assert plain.request("/status/418", method=method).status == 418


@pytest.mark.parametrize(
    ("code", "field", "value"),
    [
        *((code, "location", "/redirect/1") for code in (301, 302, 303, 305, 307, 308)),
        (401, "www-authenticate", 'Basic realm="Fake Realm"'),
        (407, "proxy-authenticate", 'Basic realm="Fake Realm"'),
        (418, "x-more-info", "http://tools.ietf.org/html/rfc2324"),
    ],
)
def test_status_with_a_field(plain: Peer, code: int, field: str, value: str) -> None:
    """Some statuses come with what a client looks for then."""
    assert plain.request(f"/status/{code}").get(field) == value


def test_teapot(peer: Peer) -> None:
    """A teapot says so."""
    assert "teapot" in peer.request("/status/418").text


@pytest.mark.parametrize(
    "path", ["/status/200:0,500:1", "/status/500", "/status/200%3A0%2C500", "/status/500:7"]
)
def test_status_by_weight(peer: Peer, path: str) -> None:
    """What has no weight never comes."""
    assert {peer.request(path).status for _ in range(3)} == {500}


def test_status_by_chance(plain: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several, each comes as often as its weight says; 1, where it says none."""
    asked: list[object] = []

    def choose(choices: list[object], weights: list[float]) -> list[object]:
        asked.append(weights)
        return choices[1:2]

    monkeypatch.setattr(random, "choices", choose)
    assert plain.request("/status/200:3,500,503:0.5").status == 500
    assert asked == [[3, 1, 0.5]]


def test_redirect(peer: Peer) -> None:
    """Redirects lead one by one to /get."""
    path, seen = "/redirect/3", []
    while (answer := peer.request(path)).status == 302:
        path = answer.get("location") or ""
        assert answer.text == f"It is at {path}\n"
        seen.append(path)
    assert seen == ["/relative-redirect/2", "/relative-redirect/1", "/get"]
    assert answer.status == 200


def test_absolute_redirect(peer: Peer, kind: Kind) -> None:
    """They can have whole URLs, with the host as the client named it."""
    base = f"{'https' if kind in ('h1s', 'h2') else 'http'}://localhost"
    for path, location in (
        ("/redirect/5?absolute=true", "/absolute-redirect/4"),
        ("/redirect/1?absolute=True", "/get"),
        ("/absolute-redirect/5", "/absolute-redirect/4"),
        ("/absolute-redirect/1", "/get"),
    ):
        answer = peer.request(path)
        assert (answer.status, answer.get("location")) == (302, base + location)


def test_no_redirect(plain: Peer) -> None:
    """Of no redirects, none is made."""
    assert plain.request("/redirect/0").text == "There you are.\n"


@pytest.mark.parametrize("method", ["GET", "POST", "PROPFIND"])
def test_redirect_to(peer: Peer, method: str) -> None:
    """A redirect goes where the query says, with the status that it says."""
    answer = peer.request("/redirect-to?url=http%3A%2F%2Fa.test%2F%3Fb%3Dc", method=method)
    assert (answer.status, answer.get("location"), answer.content) == (302, "http://a.test/?b=c", b"")
    answer = peer.request("/redirect-to?url=/post&status_code=307", method=method)
    assert (answer.status, answer.get("location")) == (307, "/post")


def test_redirect_to_by_form(peer: Peer) -> None:
    """A form can say it, too."""
    fields = [("content-type", "application/x-www-form-urlencoded")]
    answer = peer.request(
        "/redirect-to", method="POST", headers=fields, content=b"url=%2Fput&status_code=308"
    )
    assert (answer.status, answer.get("location")) == (308, "/put")


def test_redirect_to_by_file(plain: Peer) -> None:
    """Even a file of a form."""
    fields = [("content-type", "multipart/form-data; boundary=b")]
    content = b'--b\r\nContent-Disposition: form-data; name="url"; filename="f"\r\n\r\n/get\r\n--b--\r\n'
    answer = plain.request("/redirect-to", method="POST", headers=fields, content=content)
    assert answer.get("location") == "/get"


def test_redirect_to_what_is_no_url(plain: Peer) -> None:
    """What cannot be in a URL is encoded, so that nothing else comes of it; all else is as it was."""
    answer = plain.request("/redirect-to?url=/%C3%A9%20%0D%0AX:%20y%25%22")
    assert answer.get("location") == '/%C3%A9%20%0D%0AX:%20y%"'
    assert answer.get("x") is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        *(
            (f"/status/{text}", f"status is a number from 200 to 999, not '{shown}'")
            for text, shown in (
                ("abc", "abc"),
                ("199", "199"),
                ("1000", "1000"),
                ("+200", "+200"),
                ("200.5", "200.5"),
                ("%C2%B2", "\u00b2"),
                ("9" * 5000, "9" * 5000),
                ("200,", ""),
            )
        ),
        ("/status/200:x", "a status's weight is a number from 0 to 1000000, not 'x'"),
        ("/status/200:0,300:0", "of several statuses one has a weight of more than 0"),
        ("/redirect/-1", "n is a number from 0 to 1000, not '-1'"),
        ("/redirect/1001", "n is a number from 0 to 1000, not '1001'"),
        ("/relative-redirect/0", "n is a number from 1 to 1000, not '0'"),
        ("/absolute-redirect/x", "n is a number from 1 to 1000, not 'x'"),
        ("/redirect-to", "url is where to redirect to, and there is none in the query or a form"),
        ("/redirect-to?url=/&status_code=200", "status_code is a number from 300 to 399, not '200'"),
    ],
    ids=lambda value: value[:30],
)
def test_what_makes_no_sense(plain: Peer, complaint: Told, path: str, expected: str) -> None:
    """Who asks for what there is not is told what there is, by a 400."""
    answer = plain.request(path)
    assert (answer.status, complaint(answer)) == (400, expected)
