"""Heads of messages, and what of a message follows from them."""

from __future__ import annotations

import pytest

from wptproto.semantics.fields import Fields
from wptproto.semantics.message import (
    RequestHead,
    ResponseHead,
    Version,
    asks_to_persist,
    never_has_content,
    reason_phrase,
)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (200, b"OK"),
        (203, b"Non-Authoritative Information"),
        (404, b"Not Found"),
        (101, b"Switching Protocols"),
        (505, b"HTTP Version Not Supported"),
        (308, b""),
        (299, b""),
        (0, b""),
    ],
)
def test_reason_phrase(status: int, reason: bytes) -> None:
    """Most codes have a phrase; it may be empty (RFC 9112 §4)."""
    assert reason_phrase(status) == reason


@pytest.mark.parametrize(
    ("method", "status", "answer"),
    [
        ("GET", 200, False),
        ("HEAD", 200, True),
        ("HEAD", 404, True),
        ("head", 200, False),
        ("GET", 100, True),
        ("GET", 199, True),
        ("GET", 99, False),
        ("GET", 204, True),
        ("GET", 205, False),
        ("POST", 304, True),
        ("CONNECT", 200, True),
        ("CONNECT", 299, True),
        ("CONNECT", 300, False),
        ("CONNECT", 407, False),
    ],
)
def test_never_has_content(method: str, status: int, answer: bool) -> None:
    """
    HEAD, 1xx, 204 and 304 are "always terminated by the first empty line after the header fields"; and
    "any 2xx (Successful) response to a CONNECT request implies that the connection will become a tunnel"
    (RFC 9112 §6.3).
    """
    assert never_has_content(method, status) is answer


@pytest.mark.parametrize(
    ("version", "connection", "answer"),
    [
        ("HTTP/1.1", [], True),
        ("HTTP/1.1", [b"keep-alive"], True),
        ("HTTP/1.1", [b"close"], False),
        ("HTTP/1.1", [b"Upgrade, CLOSE"], False),
        ("HTTP/1.1", [b"keep-alive", b"close"], False),
        ("HTTP/1.1", [b"closed"], True),
        ("HTTP/1.0", [], False),
        ("HTTP/1.0", [b"Keep-Alive"], True),
        ("HTTP/1.0", [b"keep-alive, close"], False),
    ],
)
def test_asks_to_persist(version: Version, connection: list[bytes], answer: bool) -> None:
    """Close outweighs all, HTTP/1.1 persists, HTTP/1.0 only with keep-alive (RFC 9112 §9.3)."""
    fields = Fields((b"Connection", value) for value in connection)
    assert asks_to_persist(RequestHead("GET", b"/", b"/", b"", version, fields)) is answer


def test_heads_are_frozen() -> None:
    """A head is a value: nobody changes it on its way."""
    head = ResponseHead(200, Fields())
    with pytest.raises(AttributeError):
        head.status = 404  # type: ignore[misc]
    assert head == ResponseHead(200, Fields(), b"", chunked=False)
