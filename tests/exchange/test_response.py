"""Response and ResponseHeaders, as values."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.helpers.inline import begin
from wptproto import Response, ResponseHeaders
from wptproto.protocol.h1 import H1Connection


@pytest.fixture
def response() -> Response:
    exchange, _ = begin(H1Connection(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    return exchange.response


# --- headers -------------------------------------------------------------------------------------


def test_set_replaces_all_of_a_name() -> None:
    """set() makes one line of all of a name, in the place of the first."""
    headers = ResponseHeaders([("A", 1), ("B", 2), ("a", 3)])
    headers.set("a", "new")
    assert headers.items() == [(b"a", b"new"), (b"B", b"2")]
    headers["C"] = b"\xff"
    assert list(headers) == [(b"a", b"new"), (b"B", b"2"), (b"C", b"\xff")]


def test_append_keeps_what_is_there() -> None:
    """append() adds a line; one of a name that is there stands behind it, and is written as it is."""
    headers = ResponseHeaders()
    headers.append("A", "1")
    headers.append("B", "2")
    headers.append("a", "3")
    headers.update([("C", "4"), ("A", "5")])
    assert headers.items() == [(b"A", b"1"), (b"A", b"3"), (b"A", b"5"), (b"B", b"2"), (b"C", b"4")]
    assert len(headers) == 5


def test_a_list_of_fields_is_left_as_it_is() -> None:
    """What headers are made of keeps its order, case and repetition."""
    given = [(b"A", b"1"), (b"B", b"2"), (b"a", b"3")]
    assert ResponseHeaders(given).items() == given


def test_get() -> None:
    """get() and [] answer a list of values, without case; get() has a default."""
    headers = ResponseHeaders([("A", 1), ("a", "é")])
    assert headers.get(b"A") == headers["a"] == [b"1", b"\xe9"]
    assert headers.get("b") == []
    assert headers.get("b", None) is None
    with pytest.raises(KeyError):
        headers["b"]
    assert "A" in headers
    assert b"b" not in headers
    assert None not in headers


def test_del() -> None:
    """del takes all lines of a name away."""
    headers = ResponseHeaders([("A", 1), ("B", 2), ("a", 3)])
    del headers["A"]
    assert headers.items() == [(b"B", b"2")]
    with pytest.raises(KeyError):
        del headers["A"]
    assert "B" in repr(headers)


def test_text_beyond_one_octet() -> None:
    """Text is one character to one octet, and UTF-8 where that is not enough; others are errors."""
    headers = ResponseHeaders([("A", "天")])
    assert headers["A"] == ["天".encode()]
    with pytest.raises(TypeError, match="str, bytes or int, not NoneType"):
        headers.set("A", None)  # type: ignore[arg-type]


def test_headers_can_be_set_to_pairs(response: Response) -> None:
    """response.headers can be set to a list of pairs."""
    response.headers = [("A", "1"), (b"B", 2)]
    assert response.headers.items() == [(b"A", b"1"), (b"B", b"2")]
    other = ResponseHeaders([("C", "3")])
    response.headers = other
    assert response.headers is other


# --- status --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [(404, (404, None)), ((404, "x"), (404, "x")), ([200, b"y"], (200, b"y")), ((201, 5), (201, "5"))],
)
def test_status(response: Response, given: Any, expected: tuple[int, Any]) -> None:
    """A status is an int, or a code and a message."""
    response.status = given
    assert response.status == expected


@pytest.mark.parametrize("given", [(200,), (1, 2, 3), "200", None])
def test_status_nonsense(response: Response, given: Any) -> None:
    """What is neither is a ValueError that says what it was."""
    with pytest.raises(ValueError, match="a status is"):
        response.status = given


# --- cookies -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, b"n=v; Path=/"),
        ({"path": None}, b"n=v"),
        ({"domain": "a.test", "max_age": 5}, b"n=v; Domain=a.test; Max-Age=5; Path=/"),
        ({"max_age": 0}, b"n=v; Max-Age=0; Path=/"),
        ({"max_age": timedelta(minutes=2)}, b"n=v; Max-Age=120; Path=/"),
        ({"max_age": 1.5, "secure": 1, "httponly": ""}, b"n=v; Max-Age=1; Path=/; Secure"),
        ({"secure": True, "httponly": True}, b"n=v; HttpOnly; Path=/; Secure"),
        ({"samesite": "Lax", "comment": "c"}, b"n=v; Comment=c; Path=/; SameSite=Lax"),
        (
            {"expires": datetime(1994, 11, 6, 8, 49, 37)},
            b"n=v; expires=06 nov 1994 08:49:37 GMT; Path=/",
        ),
        (
            {"expires": datetime(1994, 11, 6, 9, 49, 37, tzinfo=timezone(timedelta(hours=1)))},
            b"n=v; expires=06 nov 1994 08:49:37 GMT; Path=/",
        ),
    ],
)
def test_set_cookie(response: Response, arguments: dict[str, Any], expected: bytes) -> None:
    """set_cookie appends a Set-Cookie field with the attributes that were given."""
    response.set_cookie("n", b"v", **arguments)
    assert response.headers["Set-Cookie"] == [expected]


def expiry(cookie: bytes) -> datetime:
    match = re.search(rb"expires=([^;]+)", cookie)
    assert match is not None
    return datetime.strptime(match[1].decode(), "%d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)


def test_cookie_that_expires_in_a_while(response: Response) -> None:
    """A timedelta as expires counts from now."""
    response.set_cookie("n", "v", expires=timedelta(hours=1))
    left = expiry(response.headers["Set-Cookie"][0]) - datetime.now(UTC)
    assert timedelta(minutes=59) < left < timedelta(minutes=61)


def test_unset_cookie(response: Response) -> None:
    """unset_cookie takes a cookie out of those to be sent, and no other."""
    response.set_cookie("n", "1")
    response.set_cookie("nn", "2")
    response.headers.append("X", "n=3")
    response.unset_cookie(b"n")
    response.unset_cookie("absent")
    assert response.headers.items() == [(b"Set-Cookie", b"nn=2; Path=/"), (b"X", b"n=3")]


def test_delete_cookie(response: Response) -> None:
    """delete_cookie sets it empty, and expired in the past."""
    response.delete_cookie("n", path="/p", domain="a.test")
    (cookie,) = response.headers["Set-Cookie"]
    assert cookie.startswith(b"n=; Domain=a.test; expires=")
    assert cookie.endswith(b"; Max-Age=0; Path=/p")
    assert expiry(cookie) < datetime.now(UTC)


# --- content -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "pieces", "length"),
    [
        ("é", ["é".encode()], 2),
        (b"", [], 0),
        (None, [], 0),
        ([], [], 0),
        (("a", b"", None, "b"), [b"a", b"b"], 2),
        (["a", lambda: "b", lambda: None], [b"a", b"b"], None),
        (lambda: "a", [b"a"], None),
        (lambda: None, [], None),
    ],
)
def test_iter_content(response: Response, content: Any, pieces: list[bytes], length: int | None) -> None:
    """iter_content yields octets, and calls the functions among the items."""
    response.content = content
    assert response.content_length() == length
    assert list(response.iter_content()) == pieces


@pytest.mark.parametrize("read_file", [True, False])
def test_iter_content_of_a_file(response: Response, read_file: bool) -> None:
    """A file comes in pieces, or whole where that is wanted, from where it stands; it is closed after."""
    file = io.BytesIO(b"-" + b"x" * 70_000)
    file.read(1)
    response.content = file
    assert response.content_length() == 70_000
    pieces = list(response.iter_content(read_file))
    assert b"".join(pieces) == b"x" * 70_000
    assert len(pieces) == (1 if read_file else 3)
    assert file.closed


def test_a_file_of_unknown_length(response: Response) -> None:
    """What only reads has no length that can be known."""

    class Pipe:
        def read(self, size: int) -> bytes:
            return b""

        def close(self) -> None:
            pass

    response.content = Pipe()
    assert response.content_length() is None
    assert list(response.iter_content()) == []


def test_set_error(response: Response) -> None:
    """set_error replaces status, fields and content."""
    response.headers.set("X", "1")
    response.set_error(418, ValueError("teapot"))
    assert response.status == (418, None)
    assert json.loads(response.content) == {"error": {"code": 418, "message": "teapot"}}
    assert response.headers.items() == [
        (b"Content-Type", b"application/json"),
        (b"Content-Length", b"%d" % len(response.content)),
    ]
