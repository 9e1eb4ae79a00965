"""Cookies: told, set and deleted."""

from __future__ import annotations

import pytest

from tests.demo.conftest import Told
from tests.helpers.peers import Answer, Kind, Peer


def cookies_of(answer: Answer) -> list[tuple[str, str]]:
    """Return the cookies of a response, as a client sends them back."""
    return [("cookie", value.partition(";")[0]) for value in answer.get_all("set-cookie")]


def test_cookies(peer: Peer, told: Told) -> None:
    """/cookies tells those that came; of two of a name, the last."""
    answer = peer.request("/cookies", headers=[("cookie", "a=1; b=\u00e9; a=2")])
    assert told(answer) == {"cookies": {"a": "2", "b": "\u00e9"}}
    assert told(peer.request("/cookies")) == {"cookies": {}}


def test_set_cookies(peer: Peer, kind: Kind) -> None:
    """/cookies/set sets those that the query says, over TLS for TLS alone, and redirects to them."""
    answer = peer.request("/cookies/set?a=1&b=2&a=3")
    assert (answer.status, answer.get("location")) == (302, "/cookies")
    secure = "; Secure" if kind in ("h1s", "h2") else ""
    assert answer.get_all("set-cookie") == [f"a=1; Path=/{secure}", f"b=2; Path=/{secure}"]


def test_set_cookie(peer: Peer, told: Told) -> None:
    """/cookies/set/{name}/{value} sets one."""
    answer = peer.request("/cookies/set/a/b%2Fc")
    assert (answer.status, answer.get("location")) == (302, "/cookies")
    assert told(peer.request("/cookies", headers=cookies_of(answer))) == {"cookies": {"a": "b/c"}}


def test_delete_cookies(peer: Peer) -> None:
    """/cookies/delete makes those that the query names empty, and old."""
    answer = peer.request("/cookies/delete?a&b=")
    assert (answer.status, answer.get("location")) == (302, "/cookies")
    first, second = answer.get_all("set-cookie")
    assert first.startswith("a=; ")
    assert second.startswith("b=; ")
    assert "Max-Age=0" in first


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("a%20b", '"a b"'),
        ("a%3Bb", '"a\\073b"'),
        ("%22a%22", '"\\042a\\042"'),
        ("a%5Cb", '"a\\134b"'),
        ("%C3%A9", '"\\303\\251"'),
        ("a%0D%0Ab", '"a\\015\\012b"'),
        ("", ""),
        ("a=b", "a=b"),
    ],
)
def test_awkward_values(peer: Peer, told: Told, value: str, sent: str) -> None:
    """Any value can be set, and is told when it comes back."""
    answer = peer.request(f"/cookies/set?a={value}")
    assert answer.get_all("set-cookie")[0].startswith(f"a={sent}; Path=/")
    back = told(peer.request("/cookies", headers=[("cookie", f"a={sent}")]))
    assert back["cookies"] == told(peer.request(f"/get?a={value}"))["args"]


@pytest.mark.parametrize(("sent", "value"), [('"', '"'), ('"a\\b"', "ab"), ('"a\\"b"', 'a"b'), ('"a', '"a')])
def test_quotes_of_others(plain: Peer, told: Told, sent: str, value: str) -> None:
    """Quotes around a value are none of it, and a backslash within takes the meaning from what follows."""
    assert told(plain.request("/cookies", headers=[("cookie", f"a={sent}")])) == {"cookies": {"a": value}}


@pytest.mark.parametrize("path", ["/cookies/set?a%20b=1", "/cookies/set/a%3B/1", "/cookies/delete?a%0D"])
def test_awkward_names(plain: Peer, complaint: Told, path: str) -> None:
    """A name that no cookie can have is 400."""
    answer = plain.request(path)
    assert answer.status == 400
    assert complaint(answer).startswith("the name of a cookie is letters, digits and ")
