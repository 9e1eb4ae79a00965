"""
Reading the content of an HTTP/1.1 request: by its length, or chunk by chunk.

h11 could, but it is lenient where request smuggling begins: it takes CR and NUL in
chunk extensions, blanks behind a size, and LF alone for the end of a trailer section.
A server that clients are measured against takes what RFC 9112 §7.1 says and no more.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from wptproto.errors import RemoteProtocolError
from wptproto.semantics.fields import Fields

__all__ = ["ContentReader", "LengthReader", "ChunkedReader"]

MAX_LINE_OCTETS = 16 * 1024
MAX_TRAILER_OCTETS = 64 * 1024

# RFC 9112 §7.1: chunk = chunk-size [ chunk-ext ] CRLF. Extensions are not told apart, but an
# octet that no extension can hold is an error. Sixteen digits are more than any file.
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t -~\x80-\xff]*)?")
_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")


class ContentReader(ABC):
    """
    Takes the octets of one message's content out of what was received.

    Attributes:
        done: The content is complete.
        trailers: The trailer section, once done.
    """

    done: bool = False
    trailers: Fields = Fields()

    @abstractmethod
    def read(self, buffer: bytearray) -> bytes:
        """
        Take from the front of *buffer* what belongs to this content.

        Returns:
            Content octets, without framing; none where more must be received first.

        Raises:
            RemoteProtocolError: The framing is broken. Content before that is returned first, so one
                has to read on until there is none.
        """

    @abstractmethod
    def missing(self) -> str:
        """Say what should have come, for a peer that closed in the midst of it."""


class LengthReader(ContentReader):
    """Content of a known length (RFC 9112 §6.2)."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._remaining = length
        self.done = length == 0

    def read(self, buffer: bytearray) -> bytes:
        data = bytes(buffer[: self._remaining])
        del buffer[: len(data)]
        self._remaining -= len(data)
        self.done = self._remaining == 0
        return data

    def missing(self) -> str:
        return f"{self._remaining} of the {self._length} octets that Content-Length promised"


class ChunkedReader(ContentReader):
    """Content in chunks (RFC 9112 §7.1)."""

    def __init__(self) -> None:
        self._remaining = 0  # of the current chunk, with the CRLF behind it
        self._in_trailers = False
        self._trailer_lines: list[tuple[bytes, bytes]] = []
        self._trailer_octets = 0

    def read(self, buffer: bytearray) -> bytes:
        pieces: list[bytes] = []
        try:
            while not self.done:
                piece = self._read_chunk(buffer) if self._remaining else self._read_line(buffer)
                if piece is None:
                    break
                pieces.append(piece)
        except RemoteProtocolError:
            # It stands at the front of the buffer, for the next to read.
            if not any(pieces):
                raise
        return b"".join(pieces)

    def _read_chunk(self, buffer: bytearray) -> bytes | None:
        """Return chunk data, None where neither data nor the whole CRLF behind it is there."""
        if self._remaining > 2:
            piece = bytes(buffer[: self._remaining - 2])
            if not piece:
                return None
            del buffer[: len(piece)]
            self._remaining -= len(piece)
            return piece
        if not b"\r\n".startswith(buffer[:2]):
            raise RemoteProtocolError("a chunk is longer than its size, or no CRLF follows it")
        if len(buffer) < 2:
            return None
        del buffer[:2]
        self._remaining = 0
        return b""

    def _read_line(self, buffer: bytearray) -> bytes | None:
        """Take a line of the framing, in which there is no content; None where it is not there."""
        end = buffer.find(b"\n")
        if end > MAX_LINE_OCTETS or (end < 0 and len(buffer) > MAX_LINE_OCTETS):
            raise RemoteProtocolError(f"a line of the chunked framing exceeds {MAX_LINE_OCTETS} octets")
        if end < 0:
            return None
        line = bytes(buffer[: end + 1])
        if not line.endswith(b"\r\n"):
            raise RemoteProtocolError(f"a line of the chunked framing ends with LF alone: {line!r}")
        if self._in_trailers:
            self._take_trailer(line[:-2])
        else:
            self._take_size(line[:-2])
        del buffer[: end + 1]
        return b""

    def _take_size(self, line: bytes) -> None:
        match = _CHUNK_LINE.fullmatch(line)
        if match is None:
            raise RemoteProtocolError(f"not a chunk size: {line!r}")
        size = int(match[1], 16)
        if size:
            self._remaining = size + 2
        else:
            self._in_trailers = True

    def _take_trailer(self, line: bytes) -> None:
        if not line:
            self.trailers = Fields(self._trailer_lines)
            self.done = True
            return
        self._trailer_octets += len(line)
        if self._trailer_octets > MAX_TRAILER_OCTETS:
            raise RemoteProtocolError(
                f"the trailer section exceeds {MAX_TRAILER_OCTETS} octets", status_hint=431
            )
        name, colon, value = line.partition(b":")
        if not colon or _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
            raise RemoteProtocolError(f"not a field line in the trailer section: {line!r}")
        self._trailer_lines.append((name, value.strip(b" \t")))

    def missing(self) -> str:
        return "the rest of the chunked content"
