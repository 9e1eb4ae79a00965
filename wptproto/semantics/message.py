"""The heads of requests and responses: frozen values, the same over both protocols (RFC 9110 §6)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from wptproto.semantics.fields import Fields

__all__ = ["RequestHead", "ResponseHead", "Version", "asks_to_persist", "never_has_content", "reason_phrase"]

Version = Literal["HTTP/1.0", "HTTP/1.1", "HTTP/2.0"]

_REASONS = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}


def reason_phrase(status: int) -> bytes:
    """Return the usual reason phrase of a status code, empty for an unknown one (RFC 9110 §15)."""
    return _REASONS.get(status, b"")


def never_has_content(method: str, status: int) -> bool:
    """
    Whether a response ends with its head, whatever its fields say.

    RFC 9112 §6.3: HEAD, 1xx, 204, 304, and a 2xx to CONNECT, which opens a tunnel.
    """
    return (
        method == "HEAD"
        or status in (204, 304)
        or 100 <= status < 200
        or (method == "CONNECT" and 200 <= status < 300)
    )


@dataclass(frozen=True, slots=True)
class RequestHead:
    """
    A request without its content.

    Attributes:
        method: The method token, case as received.
        target: The request target as received; over HTTP/2 ``:path``.
        path: The target from its first ``/`` on, with the query; ``*``, or empty for CONNECT.
        authority: From an absolute target, Host or ``:authority``; empty where the client named none.
        version: The protocol that carried it.
        fields: All fields in order; over HTTP/2 ``host`` stands first if ``:authority`` was given.
        octets: Request line and fields as received over HTTP/1.1; empty over HTTP/2.
    """

    method: str
    target: bytes
    path: bytes
    authority: bytes
    version: Version
    fields: Fields
    octets: bytes = b""


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """
    A response without its content, as a script wants it on the wire.

    Attributes:
        status: Status code; nothing is checked here.
        fields: Field lines in order, names in the case they were given.
        reason: Reason phrase; HTTP/2 has none.
        chunked: The connection is to frame the content in chunks. It is False when a
            script wrote Transfer-Encoding by itself: then it frames its content itself, too.
    """

    status: int
    fields: Fields
    reason: bytes = b""
    chunked: bool = False


def asks_to_persist(head: RequestHead) -> bool:
    """Whether a client allows another request on its HTTP/1.1 connection (RFC 9112 §9.3)."""
    options = head.fields.tokens(b"connection")
    return b"close" not in options and (head.version != "HTTP/1.0" or b"keep-alive" in options)
