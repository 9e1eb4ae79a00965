"""
Reading the content of an HTTP/1.1 message: by its length, or chunk by chunk.

Where servers are lenient here, request smuggling begins: CR and NUL in chunk extensions, blanks
behind a size, LF alone for the end of a trailer section. A server that clients are measured
against takes what RFC 9112 §7.1 says and no more.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from wptproto.errors import RemoteProtocolError
from wptproto.protocol.h1_head import parse_field_lines
from wptproto.protocol.rules import DEFAULT_RULES, Leniency, Rules, too_large
from wptproto.semantics.fields import Fields

__all__ = ["ContentReader", "LengthReader", "ChunkedReader"]

# RFC 9112 §7.1: chunk = chunk-size [ chunk-ext ] CRLF. Sixteen digits are more than any file.
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(.*)", re.DOTALL)
# §7.1.1: chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ), which is a token or a
# quoted string (RFC 9110 §5.6.4).
_TOKEN = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]++"
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*+"'
_EXTENSIONS = re.compile(rb"(?:[ \t]*+;[ \t]*+%s(?:[ \t]*+=[ \t]*+(?:%s|%s))?)*" % (_TOKEN, _TOKEN, _QUOTED))

MAX_SIZES = 1024
"""How many chunks of one content have their sizes kept."""


class ContentReader(ABC):
    """
    Takes the octets of one message's content out of what was received.

    Attributes:
        done: The content is complete.
        trailers: The trailer section, once done.
        chunk_sizes: Of the first chunks, in octets.
        has_backlog: The last read has left something that the next one can take.
    """

    done: bool = False
    has_backlog: bool = False
    trailers: Fields = Fields()
    chunk_sizes: tuple[int, ...] | list[int] = ()

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

    def __init__(self, rules: Rules = DEFAULT_RULES, steps_a_read: int | None = None) -> None:
        """
        Args:
            rules: What is refused.
            steps_a_read: How many lines and pieces of chunks one read takes; None is all that are there.
        """
        self._steps_a_read = steps_a_read
        self._limits = rules.limits
        self._lenient = rules.lenient
        self._remaining = 0  # of the current chunk, with the CRLF behind it
        self._size = 0  # of all chunks until now
        self.chunk_sizes: list[int] = []
        self._trailer_section: bytearray | None = None  # once the last chunk has come

    def read(self, buffer: bytearray) -> bytes:
        pieces: list[bytes] = []
        self.has_backlog = False
        try:
            while not self.done:
                if len(pieces) == self._steps_a_read:
                    self.has_backlog = True
                    break
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
        if Leniency.BARE_LF in self._lenient and buffer.startswith(b"\n"):
            buffer[:0] = b"\r"
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
        in_trailers = self._trailer_section is not None
        self._check_line_length(len(buffer) if end < 0 else end + 1)
        if end < 0:
            return None
        line = bytes(buffer[: end + 1])
        if not line.endswith(b"\r\n"):
            if Leniency.BARE_LF not in self._lenient:
                raise RemoteProtocolError(f"a line of the chunked framing ends with LF alone: {line[:200]!r}")
            line = line[:-1] + b"\r\n"
        if in_trailers:
            self._take_trailer(line)
        else:
            self._take_size(line[:-2])
        del buffer[: end + 1]
        return b""

    def _check_line_length(self, octets: int) -> None:
        if self._trailer_section is None:
            if octets > self._limits.chunk_line_octets:
                raise RemoteProtocolError(self._limits.past("chunk_line_octets"))
        elif len(self._trailer_section) + octets > self._limits.field_section_octets:
            raise RemoteProtocolError(self._limits.past("field_section_octets"), status_hint=431)

    def _take_size(self, line: bytes) -> None:
        match = _SIZE.fullmatch(line)
        forgiving = Leniency.CHUNK_EXTENSIONS in self._lenient
        if match is None or not (forgiving or _EXTENSIONS.fullmatch(match[2])):
            raise RemoteProtocolError(f"not a chunk size and its extensions: {line[:200]!r}")
        size = int(match[1], 16)
        self._size += size
        if self._size > self._limits.content_octets:
            raise too_large(self._limits)
        if size:
            self._remaining = size + 2
            if len(self.chunk_sizes) < MAX_SIZES:
                self.chunk_sizes.append(size)
        else:
            self._trailer_section = bytearray()

    def _take_trailer(self, line: bytes) -> None:
        assert self._trailer_section is not None
        if line == b"\r\n":
            self.trailers = parse_field_lines(bytes(self._trailer_section), self._limits, self._lenient)
            self.done = True
            return
        self._trailer_section += line

    def missing(self) -> str:
        return "the rest of the chunked content"
