"""
Reading an HTTP/1.1 connection as a third party: the octets of both sides in, events out (RFC 9112).

It is lenient where it can be told what was meant: a line may end with LF alone, and one that is no field is a
name without a value. Where it cannot, the direction is unreadable from there on.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import never_has_content
from wptproto.trace.events import (
    ChunkSeen,
    ContentSeen,
    H1HeadSeen,
    H1TrailersSeen,
    Origin,
    TraceEvent,
    Unreadable,
)

__all__ = ["H1Dissector", "Switch"]

LINES_OCTETS = 1024 * 1024
"""Of a head, or of trailers: beyond that they are not read."""

_REQUEST_LINE = re.compile(rb"([!-~]+)[ \t]+(\S.*?)[ \t]+HTTP/[0-9](?:\.[0-9])?[ \t]*")
_STATUS_LINE = re.compile(rb"HTTP/[0-9](?:\.[0-9])?[ \t]+([0-9]{3})(?:[ \t].*)?")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(;.*)?", re.DOTALL)
_LENGTH = re.compile(rb"[0-9]{1,18}")


class Switch(NamedTuple):
    """
    From here on the connection speaks something else.

    Attributes:
        protocol: As the response's Upgrade says, in lower case; empty for a tunnel.
        request: The fields of the request that asked for it.
    """

    protocol: bytes
    request: Fields


class _Reading(Enum):
    HEAD = auto()
    LENGTH = auto()
    CHUNK_SIZE = auto()
    CHUNK = auto()
    CHUNK_END = auto()
    TRAILERS = auto()
    TO_THE_END = auto()
    UNDECIDED = auto()  # a request asks for something else to follow, and has no answer yet
    NOTHING = auto()  # that can be read here


_WITHIN = {
    _Reading.HEAD: "a head",
    _Reading.LENGTH: "content of a length",
    _Reading.CHUNK_SIZE: "the line before a chunk",
    _Reading.CHUNK: "a chunk",
    _Reading.CHUNK_END: "the end of a chunk",
    _Reading.TRAILERS: "trailers",
}
_OF_OCTETS = (_Reading.LENGTH, _Reading.CHUNK, _Reading.TO_THE_END)


class _Wrong(Exception):
    """The octets cannot be read."""


class _Asked(NamedTuple):
    """A request: what of it decides how its response is read."""

    method: bytes
    fields: Fields
    may_switch: bool


class _Side(ABC):
    """
    What one side sends.

    Attributes:
        sent: It is the server.
        reading: What comes next.
        buffer: What has not been read.
        exchange: Whose message that is, from 1 on.
    """

    def __init__(self, *, sent: bool) -> None:
        self.sent = sent
        self.reading = _Reading.HEAD
        self.buffer = bytearray()
        self.exchange = 1
        self._left = 0  # octets of the content, or of the chunk
        self._line: bytes | None = None  # the first of a head
        self._fields: list[FieldLine] = []
        self._lines_octets = 0

    def read(self, origin: Origin) -> Iterator[TraceEvent]:
        """Return what is in the buffer; what is no whole line stays there."""
        try:
            while self.buffer and self.reading not in (_Reading.NOTHING, _Reading.UNDECIDED):
                if self.reading in _OF_OCTETS:
                    exchange = self.exchange
                    yield ContentSeen(origin, self.sent, exchange, self._take_octets())
                elif (line := self._take_line()) is None:
                    return
                elif (event := self._read_line(line, origin)) is not None:
                    yield event
        except _Wrong as wrong:
            yield Unreadable(origin, self.sent, bytes(self.buffer), str(wrong))
            self.reading = _Reading.NOTHING
            self.buffer.clear()

    def end(self, origin: Origin) -> Iterator[TraceEvent]:
        """Take note that no more comes."""
        within = _WITHIN.get(self.reading)
        is_whole = self.reading is _Reading.HEAD and self._line is None and not self.buffer
        if within and not is_whole:
            missing = f", of which {self._left} octets are missing" if self._left else ""
            reason = f"the connection ended within {within}{missing}"
            yield Unreadable(origin, self.sent, bytes(self.buffer), reason)
        self.reading = _Reading.NOTHING
        self.buffer.clear()

    @abstractmethod
    def _begin(self, line: bytes) -> None:
        """Take the first line of a message; _Wrong if it is none."""

    @abstractmethod
    def _framing(self, fields: Fields) -> _Reading:
        """Return how the content that follows is framed; HEAD if there is none."""

    @abstractmethod
    def _end_message(self) -> None:
        """Go on to what follows a message."""

    # --- within --------------------------------------------------------------------------------

    def _take_octets(self) -> bytes:
        if self.reading is _Reading.TO_THE_END:
            piece = bytes(self.buffer)
            self.buffer.clear()
            return piece
        piece = bytes(self.buffer[: self._left])
        del self.buffer[: len(piece)]
        self._left -= len(piece)
        if not self._left:
            if self.reading is _Reading.CHUNK:
                self.reading = _Reading.CHUNK_END
            else:
                self._end_message()
        return piece

    def _take_line(self) -> bytes | None:
        """Return the next line, which stays in the buffer if it is wrong."""
        end = self.buffer.find(b"\n")
        octets = len(self.buffer) if end < 0 else end + 1
        if self._lines_octets + octets > LINES_OCTETS:
            raise _Wrong(f"a section of more than {LINES_OCTETS} octets")
        if end < 0:
            return None
        line = bytes(self.buffer[:end]).removesuffix(b"\r")
        if self.reading is _Reading.HEAD and self._line is None and line:
            self._begin(line)
        elif self.reading is _Reading.CHUNK_SIZE and _CHUNK_SIZE.fullmatch(line) is None:
            raise _Wrong("not the size of a chunk (§7.1)")
        elif self.reading is _Reading.CHUNK_END and line:
            raise _Wrong("a chunk is longer than its size (§7.1)")
        del self.buffer[: end + 1]
        return line

    def _read_line(self, line: bytes, origin: Origin) -> TraceEvent | None:
        match self.reading:
            case _Reading.CHUNK_SIZE:
                return self._read_size(line, origin)
            case _Reading.CHUNK_END:
                self.reading = _Reading.CHUNK_SIZE
                return None
        if self.reading is _Reading.HEAD and self._line is None:
            self._line = line or None  # empty lines before a message are passed over (§2.2)
            return None
        if line:
            self._add_field(line)
            return None
        fields, self._fields, self._lines_octets = tuple(self._fields), [], 0
        if self.reading is _Reading.TRAILERS:
            event: TraceEvent = H1TrailersSeen(origin, self.sent, self.exchange, fields)
            self._end_message()
            return event
        event = H1HeadSeen(origin, self.sent, self.exchange, self._line or b"", fields)
        self._line = None
        self.reading = self._framing(Fields(fields))
        if self.reading is _Reading.HEAD:
            self._end_message()
        return event

    def _add_field(self, line: bytes) -> None:
        self._lines_octets += len(line)
        if line[:1] in (b" ", b"\t") and self._fields:
            name, value = self._fields[-1]
            self._fields[-1] = (name, value + b" " + line.strip(b" \t"))  # §5.2
        else:
            name, _, value = line.partition(b":")
            self._fields.append((name, value.strip(b" \t")))

    def _read_size(self, line: bytes, origin: Origin) -> TraceEvent:
        match = _CHUNK_SIZE.fullmatch(line)
        assert match is not None
        self._left = int(match[1], 16)
        self.reading = _Reading.CHUNK if self._left else _Reading.TRAILERS
        return ChunkSeen(origin, self.sent, self.exchange, self._left, match[2] or b"")

    def _by_fields(self, fields: Fields, otherwise: _Reading) -> _Reading:
        """Return the framing that fields ask for (§6.3)."""
        codings = fields.tokens(b"transfer-encoding")
        if codings:
            return _Reading.CHUNK_SIZE if codings[-1] == b"chunked" else otherwise
        lengths = [value for value in fields.tokens(b"content-length") if _LENGTH.fullmatch(value)]
        if not lengths:
            return otherwise
        self._left = int(lengths[0])
        return _Reading.LENGTH if self._left else _Reading.HEAD


class _Requests(_Side):
    """What the client sends; *asked* are the requests that have no final response."""

    def __init__(self) -> None:
        super().__init__(sent=False)
        self.asked: deque[_Asked] = deque()
        self._last = _Asked(b"", Fields(), False)
        self._method = b""

    def _begin(self, line: bytes) -> None:
        match = _REQUEST_LINE.fullmatch(line)
        if match is None:
            raise _Wrong("not a request line (§3)")
        self._method = match[1]

    def _framing(self, fields: Fields) -> _Reading:
        may_switch = self._method == b"CONNECT" or b"upgrade" in fields
        self._last = _Asked(self._method, fields if may_switch else Fields(), may_switch)
        self.asked.append(self._last)
        return self._by_fields(fields, _Reading.HEAD)

    def _end_message(self) -> None:
        is_open = any(asked is self._last for asked in self.asked)
        self.reading = _Reading.UNDECIDED if self._last.may_switch and is_open else _Reading.HEAD
        self.exchange += 1


class _Responses(_Side):
    """What the server sends, as the requests make of it."""

    def __init__(self, requests: _Requests) -> None:
        super().__init__(sent=True)
        self.switch: Switch | None = None
        self._requests = requests
        self._status = 0

    def _begin(self, line: bytes) -> None:
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise _Wrong("not a status line (§4)")
        self._status = int(match[1])

    def _framing(self, fields: Fields) -> _Reading:
        asked = self._requests.asked
        if 100 <= self._status < 200 and self._status != 101:
            return _Reading.HEAD
        request = asked.popleft() if asked else _Asked(b"", Fields(), False)
        if self._status == 101 or (request.method == b"CONNECT" and 200 <= self._status < 300):
            name = fields.get(b"upgrade") if self._status == 101 else None
            self.switch = Switch((name or b"").lower(), request.fields)
            self._requests.reading = _Reading.NOTHING
            return _Reading.NOTHING
        if self._requests.reading is _Reading.UNDECIDED:
            self._requests.reading = _Reading.HEAD
        if never_has_content(request.method.decode("latin-1"), self._status):
            return _Reading.HEAD
        return self._by_fields(fields, _Reading.TO_THE_END)

    def _end_message(self) -> None:
        self.reading = _Reading.HEAD
        if self._status >= 200:
            self.exchange += 1


class H1Dissector:
    """Reads one connection, from its first octet on, until it speaks something else."""

    def __init__(self) -> None:
        self._requests = _Requests()
        self._responses = _Responses(self._requests)

    @property
    def switch(self) -> Switch | None:
        """To what the connection has gone over; None while it has not."""
        return self._responses.switch

    def feed(self, sent: bool, octets: bytes, origin: Origin) -> list[TraceEvent]:
        """
        Take octets, cut anywhere.

        Behind a request that asks for another protocol, those of the client wait for the response.

        Args:
            sent: By the server.
            octets: Without TLS.
            origin: Of the events.
        """
        side: _Side = self._responses if sent else self._requests
        if side.reading is _Reading.NOTHING:
            return []
        side.buffer += octets
        events = list(side.read(origin))
        if sent and self._requests.buffer:
            events += self._requests.read(origin)
        return events

    def rest(self, sent: bool) -> bytes:
        """Return what one side has sent behind a switch, and forget it."""
        side: _Side = self._responses if sent else self._requests
        octets = bytes(side.buffer)
        side.buffer.clear()
        return octets

    def end(self, sent: bool, origin: Origin) -> list[TraceEvent]:
        """Take note that no more comes from one side; a message without its end is unreadable."""
        side: _Side = self._responses if sent else self._requests
        return list(side.end(origin))
