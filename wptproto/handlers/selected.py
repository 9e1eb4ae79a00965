"""
What conditions and Range make of a response with a file (RFC 9110 §13, §14).

The validator that a file has is its ETag alone, though its date counts in conditions. With a Last-Modified
of ours, clients would keep the file by rule of thumb without asking again (RFC 9111 §4.2.2), and a test would
not see what has changed; ``document.lastModified``, which without it is the time of loading, would be
another. With a Cache-Control against the first, a test would see a field that nobody gave the file. Who wants
one, or both, writes it in the file's ``.headers``.

The ETag is strong: octets that differ have different ones. A small file is read at once, and its ETag is a
digest of what is sent. Of a larger one it is that of everything by which the system tells that it changed;
that would miss one thing, that it is written over in place, to the same length, within one tick of the
system's clock, some milliseconds.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BufferedReader, BytesIO
from typing import IO, Self

from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.parts import Parts
from wptproto.semantics.conditions import range_applies, status_by_conditions
from wptproto.semantics.ranges import (
    ByteRange,
    UnsatisfiableRange,
    content_range,
    is_in_another_unit,
    parse_range,
    unsatisfied_range,
)

__all__ = ["READ_AT_ONCE_OCTETS", "Selected", "entity_tag_of", "send_as_asked"]

READ_AT_ONCE_OCTETS = 64 * 1024
"""A file of no more than these is small."""

_MOST_RANGES = 200
"""In one response; "a set of many small ranges" is of no use to anyone, and ignored (RFC 9110 §14.2)."""


class Selected:
    """
    The representation that a response is about: a file, as it was when it was opened.

    Attributes:
        content: Its octets, if there are few; else the file.
        length: How many there are.
        entity_tag: The validator, strong, with its quotes.
    """

    def __init__(self, content: bytes | IO[bytes], status: os.stat_result, entity_tag: bytes) -> None:
        """
        Args:
            content: The octets; or the file, open, which whoever sends it closes.
            status: What the system says of the file.
            entity_tag: The validator.
        """
        self.content = content
        self.length = len(content) if isinstance(content, bytes) else status.st_size
        self.entity_tag = entity_tag
        self._modified_s = status.st_mtime_ns // 1_000_000_000

    @classmethod
    def of_file(cls, file: IO[bytes]) -> Self:
        """Return a file that is open, of which nothing is read before it is sent."""
        status = os.fstat(file.fileno())
        version = (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
        return cls(file, status, entity_tag_of(repr(version).encode("ascii")))

    @property
    def modified(self) -> datetime:
        """When it last changed, to the second."""
        return datetime.fromtimestamp(self._modified_s, UTC)

    def parts(self, pieces: Sequence[ByteRange | bytes]) -> BufferedReader:
        """Return a file made of parts of it."""
        file = BytesIO(self.content) if isinstance(self.content, bytes) else self.content
        return BufferedReader(Parts(file, pieces))  # which fills each read, though parts may be small


def entity_tag_of(octets: bytes) -> bytes:
    """Return a validator that other octets do not have, with its quotes."""
    return b'"%b"' % hashlib.blake2b(octets, digest_size=12).hexdigest().encode("ascii")


def send_as_asked(selected: Selected, request: Request, response: Response, *, piped: bool) -> bool:
    """
    Fill in a response with a file, as Range and the conditions ask for.

    Args:
        selected: The file.
        request: What is asked.
        response: With the fields that the file has.
        piped: Whether pipes follow. What comes out of them is not the file, and has no validator.

    Returns:
        Whether it is the file, or parts of it, and not an error.
    """
    response.content = selected.content
    fields = request.head.fields
    wanted = fields.get(b"range") if request.method == "GET" else None
    # Who wrote a validator by hand wants the file as it is, whatever the client has.
    if not piped and "ETag" not in response.headers and "Last-Modified" not in response.headers:
        response.headers.set("ETag", selected.entity_tag)
        status = status_by_conditions(request.method, fields, selected.entity_tag, selected.modified)
        if status == 412:
            response.close_content()
            response.set_error(412, "the file is another version than the one that is meant")
            return False
        if status == 304:
            response.close_content()
            response.status, response.content = 304, b""
            return True
        if not range_applies(fields, selected.entity_tag):
            wanted = None
    if wanted is None or is_in_another_unit(wanted):
        return True
    try:
        ranges = parse_range(wanted, selected.length)
    except UnsatisfiableRange as error:
        response.close_content()
        response.set_error(416, error)
        response.headers.set("Content-Range", unsatisfied_range(selected.length))
        return False
    if len(ranges) <= _MOST_RANGES:
        _send_ranges(selected, ranges, response)
    return True


def _send_ranges(selected: Selected, ranges: list[ByteRange], response: Response) -> None:
    """Make a response 206, with one part as it is, or several in a multipart (RFC 9110 §15.3.7)."""
    response.status = 206
    if len(ranges) == 1:
        response.headers.set("Content-Range", content_range(ranges[0], selected.length))
        response.content = selected.parts(ranges)
        return
    kind = response.headers["Content-Type"][-1]
    from uuid import uuid4

    boundary = str(uuid4())
    response.headers.set("Content-Type", f"multipart/byteranges; boundary={boundary}")
    delimiter = b"\r\n--" + boundary.encode("ascii")
    pieces: list[ByteRange | bytes] = []
    for wanted in ranges:
        place = content_range(wanted, selected.length)
        pieces += [
            b"%b\r\nContent-Type: %b\r\nContent-Range: %b\r\n\r\n" % (delimiter, kind, place),
            wanted,
        ]
    response.content = selected.parts([*pieces, delimiter + b"--"])
