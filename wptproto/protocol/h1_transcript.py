"""
Transcript: a response that a script wrote as HTTP/1.1 octets, read into the message it is.

A script that writes its own status line means an HTTP/1.1 client to read it. Over HTTP/2 this is that
client: what it has read can be said again in frames. It is as lenient as clients are (LF alone ends a
line, a reason phrase may be missing, what is no field line is passed over), for scripts were written
with those in mind. Only where clients would be at odds about what the message is, or would say that
it is cut short, is it an error: such a thing cannot be said in HTTP/2.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from wptproto.errors import LocalProtocolError
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import ResponseHead, never_has_content

__all__ = ["Part", "Transcript"]

Part = ResponseHead | bytes | Fields
"""A head (1xx, then one that is final), a piece of content without its framing, or the trailers."""

MAX_LINES_OCTETS = 1024 * 1024

_STATUS_LINE = re.compile(rb"HTTP/[0-9]+(?:\.[0-9]+)?[ \t]+([0-9]{3})(?:[ \t]+(.*))?", re.IGNORECASE)
_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?", re.DOTALL)
_LENGTH = re.compile(rb"[0-9]{1,19}")


class _Reading(Enum):
    STATUS_LINE = auto()
    FIELDS = auto()
    CONTENT = auto()  # so many octets
    CHUNK_SIZE = auto()
    CHUNK = auto()
    CHUNK_END = auto()
    TRAILERS = auto()
    TO_THE_END = auto()
    NOTHING = auto()


_OF_LINES = (
    _Reading.STATUS_LINE,
    _Reading.FIELDS,
    _Reading.CHUNK_SIZE,
    _Reading.CHUNK_END,
    _Reading.TRAILERS,
)


class Transcript:
    """Reads one response, with the interim ones before it (RFC 9112)."""

    def __init__(self, method: str) -> None:
        """
        Args:
            method: The request's, which decides whether content follows a head.
        """
        self._method = method
        self._buffer = bytearray()
        self._reading = _Reading.STATUS_LINE
        self._status = 0
        self._reason = b""
        self._lines: list[FieldLine] = []
        self._lines_octets = 0
        self._left = 0  # octets of the content, or of the chunk
        self._parts: list[Part] = []

    def feed(self, octets: bytes) -> list[Part]:
        """
        Take octets, cut anywhere.

        Returns:
            What they amount to, in order. Octets behind the end of the message are dropped.

        Raises:
            LocalProtocolError: No two clients would make the same of them, or none anything.
        """
        self._read_all(octets)
        return self._take_parts()

    def finish(self) -> list[Part]:
        """
        Take note that the script has written all it will.

        Returns:
            What its end makes of the last octets: a head needs no empty line behind it, as long as
            its last line is not in doubt.

        Raises:
            LocalProtocolError: The message is cut short.
        """
        if self._reading is _Reading.STATUS_LINE and self._buffer:
            self._read_all(b"\n")
        if self._reading is _Reading.FIELDS and not self._buffer.endswith(b"\r"):
            self._read_all(b"\n\n" if self._buffer else b"\n")
        match self._reading:
            case _Reading.FIELDS:
                raise LocalProtocolError("a head written by hand breaks off inside the end of a line")
            case _Reading.STATUS_LINE:
                raise LocalProtocolError("there is no final response in what was written by hand")
            case _Reading.CONTENT:
                raise LocalProtocolError(f"{self._left} octets are missing of what Content-Length promised")
            case _Reading.CHUNK_SIZE | _Reading.CHUNK | _Reading.CHUNK_END | _Reading.TRAILERS:
                raise LocalProtocolError("the chunks that were written by hand have no end")
            case _:
                return self._take_parts()

    def parts_until_error(self) -> list[Part]:
        """Return what was read before that of which nothing can be made."""
        return self._take_parts()

    def _take_parts(self) -> list[Part]:
        parts, self._parts = self._parts, []
        return parts

    # --- within --------------------------------------------------------------------------------

    def _read_all(self, octets: bytes) -> None:
        self._buffer += octets
        while self._read():
            pass

    def _read(self) -> bool:
        """Read on by one line or one piece; whether there was one."""
        if self._reading in _OF_LINES:
            line = self._take_line()
            if line is None:
                return False
            self._read_line(line)
            return True
        if not self._buffer:
            return False
        if self._reading is _Reading.NOTHING:
            self._buffer.clear()
            return False
        counted = self._reading is not _Reading.TO_THE_END
        piece = bytes(self._buffer[: self._left] if counted else self._buffer)
        del self._buffer[: len(piece)]
        self._parts.append(piece)
        if counted:
            self._left -= len(piece)
            if not self._left:
                in_chunk = self._reading is _Reading.CHUNK
                self._reading = _Reading.CHUNK_END if in_chunk else _Reading.NOTHING
        return True

    def _take_line(self) -> bytes | None:
        end = self._buffer.find(b"\n")
        self._check_size(len(self._buffer) if end < 0 else end)
        if end < 0:
            return None
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        return line

    def _check_size(self, octets: int) -> None:
        if self._lines_octets + octets > MAX_LINES_OCTETS:
            raise LocalProtocolError(f"the fields written by hand exceed {MAX_LINES_OCTETS} octets")

    def _read_line(self, line: bytes) -> None:
        match self._reading:
            case _Reading.STATUS_LINE:
                self._read_status_line(line)
            case _Reading.CHUNK_SIZE:
                self._read_chunk_size(line)
            case _Reading.CHUNK_END:
                if line:
                    raise LocalProtocolError(f"a chunk written by hand is longer than its size: {line!r}")
                self._reading = _Reading.CHUNK_SIZE
            case _:
                self._read_field_line(line)

    def _read_status_line(self, line: bytes) -> None:
        if not line:
            return  # clients pass over empty lines before a message (RFC 9112 §2.2)
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise LocalProtocolError(f"what was written by hand begins with no status line: {line[:80]!r}")
        self._status, self._reason = int(match[1]), match[2] or b""
        if self._status < 100 or self._status == 101:
            # RFC 9113 §8.6: "HTTP/2 removes support for the 101 (Switching Protocols)"
            raise LocalProtocolError(f"HTTP/2 has no response with status {self._status}")
        self._reading = _Reading.FIELDS

    def _read_field_line(self, line: bytes) -> None:
        if not line:
            self._end_fields()
            return
        self._lines_octets += len(line)
        if line[:1] in (b" ", b"\t") and self._lines:
            name, value = self._lines[-1]
            self._lines[-1] = (name, value + b" " + line.strip(b" \t"))  # RFC 9112 §5.2
            return
        name, _, value = line.partition(b":")  # the first: whatever was meant, clients take that one
        name = name.rstrip(b" \t")
        if b"\0" in line or b"\r" in line:
            raise LocalProtocolError(f"NUL or CR in a field that was written by hand: {line!r}")
        if _NAME.fullmatch(name) is not None and b":" in line:
            self._lines.append((name, value.strip(b" \t")))

    def _end_fields(self) -> None:
        fields, self._lines, self._lines_octets = Fields(self._lines), [], 0
        if self._reading is _Reading.TRAILERS:
            self._parts.append(fields)
            self._reading = _Reading.NOTHING
            return
        if self._status < 200:
            self._parts.append(ResponseHead(self._status, fields, self._reason))
            self._reading = _Reading.STATUS_LINE
            return
        self._reading, fields = self._framing(fields)
        self._parts.append(ResponseHead(self._status, fields, self._reason))

    def _framing(self, fields: Fields) -> tuple[_Reading, Fields]:
        """Choose how the content is framed (RFC 9112 §6.3), and leave out fields of that alone."""
        # Clients make nothing of a length that is no number; they are at odds about which of several counts.
        lengths = {value for value in fields.tokens(b"content-length") if _LENGTH.fullmatch(value)}
        codings = fields.tokens(b"transfer-encoding")
        if codings and codings != [b"chunked"] and codings != [b"identity"]:
            raise LocalProtocolError(f"HTTP/2 has no such transfer coding: {codings!r}")
        chunked = codings == [b"chunked"]
        if len(lengths) > 1 and not chunked:
            raise LocalProtocolError(f"not one Content-Length, but {sorted(lengths)!r}")
        framing = {b"transfer-encoding"} | ({b"content-length"} if chunked or not lengths else set())
        kept: list[FieldLine] = []
        for name, value in fields:
            if name.lower() not in framing:
                kept.append((name, min(lengths) if name.lower() == b"content-length" else value))
                framing |= {b"content-length"} & {name.lower()}  # once is enough
        fields = Fields(kept)
        if never_has_content(self._method, self._status):
            return _Reading.NOTHING, fields
        if chunked:
            return _Reading.CHUNK_SIZE, fields
        if not lengths:
            return _Reading.TO_THE_END, fields
        self._left = int(min(lengths))
        return (_Reading.CONTENT if self._left else _Reading.NOTHING), fields

    def _read_chunk_size(self, line: bytes) -> None:
        match = _CHUNK_SIZE.fullmatch(line)
        if match is None:
            raise LocalProtocolError(f"not a chunk size, in what was written by hand: {line[:80]!r}")
        self._left = int(match[1], 16)
        self._reading = _Reading.CHUNK if self._left else _Reading.TRAILERS
