"""
HTTP/1.1 octets as asked, and what may be said of them.

The makers check nothing. h11's writers are not used: they put names into lower case,
move fields and mend framing, and a test wants to see what it wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from wptproto.semantics.fields import FieldLine, Fields

__all__ = [
    "LAST_CHUNK",
    "chunk",
    "content_length",
    "field_line",
    "field_section_is_sound",
    "last_chunk",
    "status_line",
    "status_line_is_sound",
]

LAST_CHUNK = b"0\r\n\r\n"

# RFC 9110 §5.6.2: token = 1*tchar. §5.5: field-value = *field-content, which has no CTL but HTAB
# and neither begins nor ends with white space.
_SOUND_NAME = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
_SOUND_VALUE = rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?"
_SOUND_LINE = re.compile(_SOUND_NAME + rb": " + _SOUND_VALUE)
_SOUND_REASON = re.compile(rb"[\t -~\x80-\xff]*")
_LENGTH = re.compile(rb"[0-9]{1,19}")


def status_line(status: int, reason: bytes) -> bytes:
    """Return ``HTTP/1.1 200 OK`` and CRLF; our own version whatever the client's (RFC 9110 §6.2)."""
    return b"HTTP/1.1 %d %s\r\n" % (status, reason)


def field_line(name: bytes, value: bytes) -> bytes:
    """Return ``name: value`` and CRLF."""
    return b"%s: %s\r\n" % (name, value)


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
    return all(_SOUND_LINE.fullmatch(b"%s: %s" % line) for line in lines)


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
        raise ValueError(b", ".join(values).decode("latin-1"))
    return int(values[0])
