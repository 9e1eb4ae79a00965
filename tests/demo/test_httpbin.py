"""The paths known from httpbin, all of them: each answers over every protocol as HTTP wants it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import pytest

from tests.conformance.rfc9110_answers import RULES, Asked, Seen
from tests.demo.conftest import Told
from tests.helpers.peers import Kind, Peer
from wptproto.demo import httpbin
from wptproto.demo.family import Answer

ANSWERS = [answer for family in httpbin.FAMILIES for answer in family.answers]
UNUSUAL = {
    "/status/418": 418,
    "/redirect/3": 302,
    "/relative-redirect/3": 302,
    "/absolute-redirect/3": 302,
    "/redirect-to?url=/get&status_code=307": 307,
    "/cookies/set?flavour=vanilla": 302,
    "/cookies/set/flavour/vanilla": 302,
    "/cookies/delete?flavour": 302,
    "/basic-auth/user/passwd": 401,
    "/hidden-basic-auth/user/passwd": 404,
    "/bearer": 401,
    "/digest-auth/auth/user/passwd": 401,
    "/digest-auth/auth/user/passwd/SHA-256": 401,
    "/digest-auth/auth/user/passwd/SHA-256/2": 401,
    "/brotli": 501,
    "/zstd": 501,
    "/links/10": 302,
    "/image/gif": 406,
}


@pytest.fixture(autouse=True)
def nothing_beside(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    """No optional module is there, and no time passes."""
    for name in ("brotli", "compression.zstd"):
        monkeypatch.setitem(sys.modules, name, None)


def methods_of(answer: Answer) -> Iterator[str]:
    given = (answer.methods,) if isinstance(answer.methods, str) else answer.methods
    for method in given:
        yield from ("GET", "HEAD", "PROPFIND") if method == "*" else (method,)
        if method == "GET":
            yield "HEAD"


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.pattern)
def test_each_answers(answer: Answer, peer: Peer, kind: Kind) -> None:
    """Each path answers, to each method that it is for, and to OPTIONS, and keeps the rules for answers."""
    path = answer.link or answer.pattern
    for method in (*methods_of(answer), "OPTIONS"):
        plain = peer.request(path)
        found = peer.request(path, method=method)
        assert found.status == (204 if method == "OPTIONS" else UNUSUAL.get(path, 200)), method
        seen = Seen(Asked(path, method), kind, found, plain)
        # What is by chance differs from what it was, and so may its length; a POST's is not that of a GET.
        changes = {"length-of-get", "head-fields"} if method == "HEAD" and plain.status == 405 else set()
        assert {rule.id for rule in RULES if not rule.holds(seen)} <= changes, found


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.pattern)
def test_each_says_what_it_does(answer: Answer) -> None:
    """The docstring of each handler is for people who read the index: short, and in whole sentences."""
    said = inspect.getdoc(answer.handler) or ""
    assert said.endswith(".")
    assert len(said) < 250


def test_no_two_are_for_one_path() -> None:
    """No path is there twice."""
    patterns = [answer.pattern for answer in ANSWERS]
    assert len(set(patterns)) == len(patterns)


def test_pages_may_read_it(peer: Peer) -> None:
    """Pages of every origin may read an answer."""
    answer = peer.request("/get")
    assert answer.get("access-control-allow-origin") == "*"
    assert answer.get("access-control-allow-credentials") == "true"
    assert answer.get("vary") is None


def test_pages_of_an_origin_may_read_it(peer: Peer) -> None:
    """A page that says where it comes from is told that it may, and caches that it depends."""
    answer = peer.request("/get", headers=[("origin", "http://a.test")])
    assert answer.get("access-control-allow-origin") == "http://a.test"
    assert answer.get("vary") == "Origin"


def test_pages_may_read_errors(peer: Peer) -> None:
    """An error can be read, too."""
    answer = peer.request("/range/none", headers=[("origin", "http://a.test")])
    assert (answer.status, answer.get("access-control-allow-origin")) == (400, "http://a.test")


def test_pages_read_what_was_asked_for(peer: Peer) -> None:
    """Who says who may read it is believed."""
    answer = peer.request("/response-headers?Access-Control-Allow-Origin=http://b.test")
    assert answer.get_all("access-control-allow-origin") == ["http://b.test"]
    assert answer.get("access-control-allow-credentials") is None


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/get", "GET, HEAD, OPTIONS"),
        ("/post", "OPTIONS, POST"),
        ("/status/500", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, TRACE"),
    ],
)
def test_pages_may_ask_before(peer: Peer, path: str, allowed: str) -> None:
    """A page that asks before it sends is told what it may send; whoever it is learns what the path takes."""
    answer = peer.request(path, method="OPTIONS", headers=[("origin", "http://a.test")])
    assert (answer.status, answer.get("allow")) == (204, allowed)
    assert answer.get("access-control-allow-origin") == "http://a.test"
    assert answer.get("access-control-allow-credentials") == "true"
    assert answer.get("access-control-allow-methods") == "GET, POST, PUT, DELETE, PATCH, OPTIONS"
    assert answer.get("access-control-max-age") == "3600"
    assert answer.get("access-control-allow-headers") is None


def test_pages_may_send_fields(peer: Peer) -> None:
    """Whatever fields a page wants to send, it may."""
    fields = [("origin", "http://a.test"), ("access-control-request-headers", "x-test")]
    answer = peer.request("/post", method="OPTIONS", headers=fields)
    assert answer.get("access-control-allow-headers") == "x-test"


def test_other_methods(peer: Peer, complaint: Told) -> None:
    """A path that is not for a method says for which it is."""
    answer = peer.request("/get", method="POST", content=b"")
    assert (answer.status, answer.get("allow")) == (405, "GET, HEAD, OPTIONS")
    assert complaint(answer) == "/get is for GET, HEAD, OPTIONS, and not for POST"
