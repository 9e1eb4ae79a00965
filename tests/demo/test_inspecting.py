"""What a request was, as JSON: /get, /post, /anything and their like."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import cast

import pytest

from tests.demo.conftest import Told
from tests.helpers.peers import Kind, Peer, RequestField
from wptproto import HTTPException, Response, Server
from wptproto.demo import report
from wptproto.exchange.response import ResponseHeaders

FORM = [("content-type", "application/x-www-form-urlencoded")]
MULTIPART = [("content-type", "multipart/form-data; boundary=b")]


def part(disposition: str, content: bytes, *lines: str) -> bytes:
    head = "\r\n".join(["--b", f"Content-Disposition: form-data; {disposition}", *lines])
    return head.encode() + b"\r\n\r\n" + content + b"\r\n"


def url_of(site: Server, kind: Kind, path: str) -> str:
    """Return the URL that a peer's request is for, which names no port in its Host."""
    return f"{'https' if kind in ('h1s', 'h2') else 'http'}://localhost{path}"


def test_get(peer: Peer, kind: Kind, site: Server, told: Told) -> None:
    """/get tells query, fields, origin and URL, the same over all protocols."""
    answer = peer.request("/get?a=1&b=2&b=%203&c", headers=[("X-Test", "1"), ("user-agent", "test")])
    assert told(answer) == {
        "args": {"a": "1", "b": ["2", " 3"], "c": ""},
        "headers": {"Host": "localhost", "User-Agent": "test", "X-Test": "1"},
        "origin": "127.0.0.1",
        "url": url_of(site, kind, "/get?a=1&b=2&b=%203&c"),
    }
    assert answer.content.endswith(b"}\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_sent(peer: Peer, kind: Kind, site: Server, told: Told, method: str) -> None:
    """/post, /put, /patch and /delete tell the same and what was sent."""
    path = f"/{method.lower()}"
    answer = peer.request(path + "?a=1", method=method, headers=FORM, content=b"b=2&c=3&c=4&d=%C3%A9")
    assert told(answer) == {
        "args": {"a": "1"},
        "data": "",
        "files": {},
        "form": {"b": "2", "c": ["3", "4"], "d": "\u00e9"},
        "headers": {
            "Content-Length": "20",
            "Content-Type": "application/x-www-form-urlencoded",
            "Host": "localhost",
        },
        "json": None,
        "origin": "127.0.0.1",
        "url": url_of(site, kind, path + "?a=1"),
    }


@pytest.mark.parametrize("method", ["GET", "POST", "PROPFIND", "TRACE"])
def test_anything(peer: Peer, told: Told, method: str) -> None:
    """/anything takes any method, and tells which it was."""
    answer = told(peer.request("/anything/at/all?x", method=method))
    assert answer["method"] == method
    assert answer["url"].endswith("://localhost/anything/at/all?x")
    assert sorted(answer) == sorted(report.ALL)


def test_head(peer: Peer) -> None:
    """/head is for HEAD, and has the length that there would be."""
    answer = peer.request("/head", method="HEAD")
    assert (answer.status, answer.content, answer.complete) == (200, b"", True)
    assert int(answer.get("content-length") or 0) > 0


def test_headers(peer: Peer, told: Told) -> None:
    """/headers has names in Title-Case; lines of one name are one value, joined as its kind is."""
    lines: list[RequestField] = [
        ("x-two-lines", "1"),
        ("X-Other", "\u00e9".encode("latin-1")),
        ("X-TWO-LINES", "2"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
    ]
    assert told(peer.request("/headers", headers=lines)) == {
        "headers": {"Host": "localhost", "X-Two-Lines": "1, 2", "X-Other": "\u00e9", "Cookie": "a=1; b=2"}
    }


def test_ip(peer: Peer, told: Told) -> None:
    """/ip is the client's address."""
    assert told(peer.request("/ip")) == {"origin": "127.0.0.1"}


def test_forwarded(peer: Peer, told: Told) -> None:
    """What a proxy says of origin and scheme is believed."""
    fields = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "gopher")]
    assert told(peer.request("/ip", headers=fields)) == {"origin": "192.0.2.1"}
    answer = told(peer.request("/get", headers=fields))
    assert (answer["origin"], answer["url"]) == ("192.0.2.1", "gopher://localhost/get")


@pytest.mark.parametrize("name", ["curl/8.0", None])
def test_user_agent(peer: Peer, told: Told, name: str | None) -> None:
    """/user-agent is what the client calls itself, or null."""
    fields = [] if name is None else [("User-Agent", name)]
    assert told(peer.request("/user-agent", headers=fields)) == {"user-agent": name}


def test_host_with_a_port(site: Server, plain: Peer, told: Told) -> None:
    """The URL has the host that the client named, as it named it."""
    answer = told(plain.request("/get", headers=[("Host", "a.test:81")]))
    assert answer["url"] == "http://a.test:81/get"


def test_no_host(site: Server, plain: Peer, told: Told) -> None:
    """Where it named none, the URL has the address of this server."""
    plain.sock.sendall(b"GET /get HTTP/1.0\r\n\r\n")
    found = b"".join(iter(lambda: plain.sock.recv(65536), b""))
    assert f'"url": "http://127.0.0.1:{site.http_port}/get"'.encode() in found


def test_files(peer: Peer, told: Told) -> None:
    """A multipart form is told part by part: files that are text as text, others as data: URLs."""
    content = b"".join(
        [
            part('name="a"', b"1"),
            part('name="f"; filename="t.txt"', b"text", "Content-Type: text/plain"),
            part('name="f"; filename="b.png"', b"\xff\x00", "Content-Type: image/png"),
            part('name="g"; filename="b"', b"\xff"),
            part('name="a"', b"2"),
            b"--b--\r\n",
        ]
    )
    answer = told(peer.request("/post", method="POST", headers=MULTIPART, content=content))
    assert answer["form"] == {"a": ["1", "2"]}
    assert answer["files"] == {
        "f": ["text", "data:image/png;base64,/wA="],
        "g": "data:application/octet-stream;base64,/w==",
    }
    assert (answer["data"], answer["json"]) == ("", None)


@pytest.mark.parametrize(
    ("content", "data", "value"),
    [
        (b'{"a": [1, null]}', '{"a": [1, null]}', {"a": [1, None]}),
        (b'"\\ud800"', '"\\ud800"', "\ud800"),
        (b"text", "text", None),
        (b"", "", None),
        ("\u043e\u0436".encode(), "\u043e\u0436", None),
        (b"\x01\x02\x81", "data:application/octet-stream;base64,AQKB", None),
        (b"[NaN]", "[NaN]", None),
        (b"9" * 5000, "9" * 5000, None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_data(plain: Peer, told: Told, content: bytes, data: str, value: object) -> None:
    """Content that is no form is data: text or a data: URL; and json what it says, if it says something."""
    answer = told(plain.request("/post", method="POST", content=content))
    assert (answer["data"], answer["json"], answer["form"]) == (data, value, {})


def test_form_of_any_method(plain: Peer, told: Told) -> None:
    """Whatever the method, content is told of by what it is."""
    assert told(plain.request("/anything", headers=FORM, content=b"a=1"))["form"] == {"a": "1"}


def test_nested_too_deeply(plain: Peer, complaint: Told) -> None:
    """JSON that is nested too deeply to be read is 400."""
    answer = plain.request("/post", method="POST", content=b"[" * 100_000 + b"]" * 100_000)
    assert answer.status == 400
    assert complaint(answer) == "the content is JSON that is nested too deeply to be told of"


def test_nested_too_deeply_to_be_told() -> None:
    """So it is where it could just be read, but not be written."""
    response = cast("Response", SimpleNamespace(headers=ResponseHeaders()))
    value: list[object] = []
    for _ in range(100_000):  # Python's own limit, or that of what it is written in
        value = [value]
    with pytest.raises(HTTPException, match="400 the content is JSON that is nested too deeply"):
        report.as_json(response, value)


def test_malformed_form(plain: Peer, complaint: Told) -> None:
    """A form that is malformed is 400."""
    answer = plain.request("/post", method="POST", headers=MULTIPART, content=b"--b\r\n")
    assert answer.status == 400
    assert "cut short" in complaint(answer)


def test_too_much(plain: Peer, complaint: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than can be told of is 413, and says how much can be."""
    monkeypatch.setattr(report, "MOST_CONTENT_OCTETS", 10)
    assert plain.request("/post", method="POST", content=b"0123456789").status == 200
    answer = plain.request("/post", method="POST", content=b"01234567890")
    assert (answer.status, complaint(answer)) == (413, "content of more than 10 octets is not told of")


def test_names_that_are_no_text(plain: Peer, told: Told) -> None:
    """Octets of a query that are no UTF-8 are told as what stands for them."""
    assert told(plain.request("/get?%ff=1"))["args"] == {"\ufffd": "1"}


def test_names_are_in_order(plain: Peer) -> None:
    """JSON has its names in the order of the alphabet, whatever they are."""
    answer = plain.request("/post", method="POST", content=b'{"b": 1, "a": 2}')
    assert list(json.loads(answer.content)["json"]) == ["a", "b"]
