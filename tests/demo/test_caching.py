"""Conditions, validators, and whatever fields a response shall have."""

from __future__ import annotations

import json

import pytest

from tests.demo.conftest import Told
from tests.helpers.peers import Peer

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def test_cache(peer: Peer, told: Told) -> None:
    """/cache is as /get, with two validators, and not modified for whoever has one."""
    answer = peer.request("/cache?a=1")
    assert told(answer)["args"] == {"a": "1"}
    tag, date = answer.get("etag") or "", answer.get("last-modified") or ""
    for field in (("if-none-match", tag), ("if-modified-since", date)):
        again = peer.request("/cache", headers=[field])
        assert (again.status, again.content) == (304, b"")
        assert again.get("etag") == (tag if field[1] == tag else None)


@pytest.mark.parametrize("field", [("if-none-match", "no tag"), ("if-modified-since", DATE)])
def test_cache_believes_anything(plain: Peer, field: tuple[str, str]) -> None:
    """Any condition will do."""
    answer = plain.request("/cache", headers=[field])
    assert (answer.status, answer.get("etag")) == (304, None)


@pytest.mark.parametrize(("wanted", "age"), [("60", 60), ("0", 0), ("9999999999", 1_000_000_000)])
def test_cache_for(peer: Peer, told: Told, wanted: str, age: int) -> None:
    """/cache/{n} says for how long."""
    answer = peer.request(f"/cache/{wanted}")
    assert sorted(told(answer)) == ["args", "headers", "origin", "url"]
    assert answer.get("cache-control") == f"public, max-age={age}"


@pytest.mark.parametrize(
    ("field", "status"),
    [
        (None, 200),
        (("if-none-match", '"abc"'), 304),
        (("if-none-match", 'W/"abc"'), 304),
        (("if-none-match", '"x", "abc"'), 304),
        (("if-none-match", "*"), 304),
        (("if-none-match", "abc"), 304),
        (("if-none-match", "x, abc"), 304),
        (("if-none-match", '"x"'), 200),
        (("if-match", '"abc"'), 200),
        (("if-match", "abc"), 200),
        (("if-match", "*"), 200),
        (("if-match", '"x"'), 412),
        (("if-match", 'W/"abc"'), 412),
        (("if-modified-since", DATE), 200),
        (("if-unmodified-since", DATE), 200),
    ],
)
def test_etag(peer: Peer, field: tuple[str, str] | None, status: int) -> None:
    """/etag/{etag} keeps to the conditions on its tag, also where they have no quotes, and to no others."""
    answer = peer.request("/etag/abc", headers=[] if field is None else [field])
    assert (answer.status, answer.get("etag")) == (status, '"abc"')
    if status == 412:
        assert "the ETag is" in answer.text


def test_response_headers(peer: Peer, told: Told) -> None:
    """/response-headers has the fields that the query says, and says so."""
    answer = peer.request("/response-headers?animal=dog&X-Blank=%20a%20b%20")
    assert (answer.get("animal"), answer.get("x-blank")) == ("dog", "a b")
    found = told(answer)
    assert found == {
        "Content-Length": answer.get("content-length"),
        "Content-Type": "application/json",
        "X-Blank": "a b",
        "animal": "dog",
    }
    assert found["Content-Length"] == str(len(answer.content))


def test_response_headers_twice(peer: Peer, told: Told) -> None:
    """A field that is there twice is sent twice; a form does not count."""
    answer = peer.request("/response-headers?animal=dog&Animal=cat", method="POST", content=b"animal=cow")
    assert answer.get_all("animal") == ["dog", "cat"]
    assert told(answer)["animal"] == ["dog", "cat"]


def test_response_headers_of_another_type(peer: Peer) -> None:
    """The type can be any, and is one."""
    answer = peer.request("/response-headers?content-type=text/plain&content-type=text/css")
    assert answer.get_all("content-type") == ["text/css"]
    assert json.loads(answer.content)["Content-Type"] == "text/css"


def test_length_of_a_length(plain: Peer, told: Told) -> None:
    """However long it is, the length that JSON has in it is its own."""
    for count in range(900, 960):
        answer = plain.request(f"/response-headers?a={'x' * count}")
        assert told(answer)["Content-Length"] == str(len(answer.content))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/cache/x", "n is a number from 0 on, of which 1000000000 is the most that counts, not 'x'"),
        ("/etag/a%22b", "an ETag is any characters but blanks, commas, quotes and controls"),
        (
            "/response-headers?a%20b=1",
            "the name of a field is letters, digits and !#$%&'*+-.^_`|~, not 'a b'",
        ),
        (
            "/response-headers?a=b%0d%0ac:d",
            "the value of a has no control characters, and this has: 'b\\r\\nc:d'",
        ),
        (
            "/response-headers?Content-Length=1",
            "Content-Length is the server's to say, as is where a message ends",
        ),
        (
            "/response-headers?transfer-encoding=x",
            "transfer-encoding is the server's to say, as is where a message ends",
        ),
    ],
)
def test_what_makes_no_sense(plain: Peer, complaint: Told, path: str, expected: str) -> None:
    """Who asks for what there is not is told what there is, by a 400."""
    answer = plain.request(path)
    assert (answer.status, complaint(answer)) == (400, expected)
