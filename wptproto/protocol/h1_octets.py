"""
HTTP/1.1 octets as asked, and what may be said of them.

The makers check nothing. A library's would put names into lower case, move fields and mend framing,
and a test wants to see what it wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import ResponseHead

__all__ = [
    "LAST_CHUNK",
    "chunk",
    "content_length",
    "ends_connection",
    "field_line",
    "field_lines",
    "field_section_is_sound",
    "head",
    "is_chunked",
    "last_chunk",
    "status_line",
    "status_line_is_sound",
    "trailers_are_sound",
]

LAST_CHUNK = b"0\r\n\r\n"

# RFC 9110 §5.6.2: token = 1*tchar. §5.5: field-value = *field-content, which has no CTL but HTAB
# and neither begins nor ends with white space.
_SOUND_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_SOUND_VALUE = re.compile(rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
_SOUND_REASON = re.compile(rb"[\t -~\x80-\xff]*")
_LENGTH = re.compile(rb"[0-9]{1,19}")


def status_line(status: int, reason: bytes) -> bytes:
    """Return ``HTTP/1.1 200 OK`` and CRLF; our own version whatever the client's (RFC 9110 §6.2)."""
    return b"HTTP/1.1 %d %s\r\n" % (status, reason)


def field_line(name: bytes, value: bytes) -> bytes:
    """Return ``name: value`` and CRLF."""
    return b"%s: %s\r\n" % (name, value)


def head(response: ResponseHead) -> bytes:
    """Return status line and field lines, with the empty line behind them (RFC 9112 §2.1)."""
    lines = [field_line(name, value) for name, value in response.fields]
    return b"".join([status_line(response.status, response.reason), *lines, b"\r\n"])


def chunk(data: bytes | memoryview) -> bytes:
    """Return *data* as one chunk; none for no octets, since an empty one is the last (RFC 9112 §7.1)."""
    return b"%x\r\n%s\r\n" % (len(data), data) if len(data) else b""


def last_chunk(trailers: Fields) -> bytes:
    """Return the chunk that ends the content, with its trailer section (RFC 9112 §7.1.2)."""
    return b"0\r\n%s\r\n" % b"".join(field_line(name, value) for name, value in trailers)


def status_line_is_sound(status: int, reason: bytes) -> bool:
    """Whether every client reads such a line as one, and as that status (RFC 9112 §4)."""
    return 100 <= status <= 999 and _SOUND_REASON.fullmatch(reason) is not None


def field_section_is_sound(lines: Iterable[FieldLine]) -> bool:
    """Whether every client reads such field lines as just these (RFC 9112 §5)."""
    return all(_SOUND_NAME.fullmatch(name) and _SOUND_VALUE.fullmatch(value) for name, value in lines)


def trailers_are_sound(trailers: Fields) -> bool:
    """Whether every client reads such a trailer section as just this, and no end of content in it."""
    # RFC 9110 §6.5.1: "Many fields cannot be processed outside the header section [...] such as those
    # that describe message framing"
    framed = b"transfer-encoding" in trailers or b"content-length" in trailers
    return not framed and field_section_is_sound(trailers)


def ends_connection(method: str, status: int, fields: Fields) -> bool:
    """
    Whether such a response is the last on its connection, however it is framed.

    It says so (RFC 9112 §9.6), or what follows is another protocol (RFC 9110 §15.2.2) or a tunnel
    (§9.3.6), or, with any other 1xx, the response proper, which has not begun.
    """
    tunnel = method == "CONNECT" and 200 <= status < 300
    return status < 200 or tunnel or b"close" in fields.tokens(b"connection")


def content_length(fields: Fields) -> int | None:
    """
    Return the length that a message's fields promise, None where they promise none.

    Raises:
        ValueError: There is a Content-Length, but not one number (RFC 9112 §6.3, rule 5).
    """
    values = fields.get_list(b"content-length")
    if not values:
        return None
    if len(values) > 1 or _LENGTH.fullmatch(values[0]) is None:
        raise ValueError(f"not one length: {values!r}")
    return int(values[0])


def is_chunked(fields: Fields) -> bool:
    """
    Return whether a message's fields say that its content comes in chunks.

    Raises:
        ValueError: They name another coding, or two framings at once (RFC 9112 §6.1, §6.3).
    """
    codings = fields.get_list(b"transfer-encoding")
    if not codings:
        return False
    if len(codings) > 1 or codings[0].lower() != b"chunked" or b"content-length" in fields:
        raise ValueError(f"not framed by chunks, and by nothing else: {codings!r}")
    return True


def field_lines(head: bytes) -> Fields:
    """
    Take apart the field lines of a head that is known to be one, and to have none that is folded.

    Their values are as received, but for the white space around them.
    """
    lines = head.split(b"\r\n")[1:-2]
    return Fields((name, value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines))
