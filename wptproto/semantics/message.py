"""The heads of requests and responses: frozen values, the same over both protocols (RFC 9110 §6)."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from wptproto.semantics.fields import Fields

__all__ = ["RequestHead", "ResponseHead", "Version", "asks_to_persist", "never_has_content", "reason_phrase"]

Version = Literal["HTTP/1.0", "HTTP/1.1", "HTTP/2.0"]

_PHRASES = """
    100 Continue / 101 Switching Protocols
    200 OK / 201 Created / 202 Accepted / 203 Non-Authoritative Information / 204 No Content
    205 Reset Content / 206 Partial Content
    300 Multiple Choices / 301 Moved Permanently / 302 Found / 303 See Other / 304 Not Modified
    305 Use Proxy / 307 Temporary Redirect
    400 Bad Request / 401 Unauthorized / 402 Payment Required / 403 Forbidden / 404 Not Found
    405 Method Not Allowed / 406 Not Acceptable / 407 Proxy Authentication Required / 408 Request Timeout
    409 Conflict / 410 Gone / 411 Length Required / 412 Precondition Failed / 413 Request Entity Too Large
    414 Request-URI Too Long / 415 Unsupported Media Type / 416 Requested Range Not Satisfiable
    417 Expectation Failed / 431 Request Header Fields Too Large
    500 Internal Server Error / 501 Not Implemented / 502 Bad Gateway / 503 Service Unavailable
    504 Gateway Timeout / 505 HTTP Version Not Supported
"""
# Pages read them as statusText. So they are those that the Web Platform Tests count on, and, but for the one
# that only the server itself sends, no others: a newer status has none, as it has none over HTTP/2.
_REASONS: dict[int, bytes] = {
    int(code): phrase.encode("ascii") for code, phrase in re.findall(r"(\d{3}) ([^/\n]*[^/\s])", _PHRASES)
}


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


class RequestHead(NamedTuple):
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
        scheme: From an absolute target, or ``:scheme``, in lower case; empty where the client named none.
    """

    method: str
    target: bytes
    path: bytes
    authority: bytes
    version: Version
    fields: Fields
    octets: bytes = b""
    scheme: bytes = b""


class ResponseHead(NamedTuple):
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
    """
    Whether a client allows another request on its HTTP/1.1 connection (RFC 9112 §9.3).

    Behind CONNECT it may already have sent octets for the tunnel, and they are no request.
    """
    options = head.fields.tokens(b"connection")
    persistent = b"close" not in options and (head.version != "HTTP/1.0" or b"keep-alive" in options)
    return persistent and head.method != "CONNECT"
