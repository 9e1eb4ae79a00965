"""HTTP/2 as it stands on the wire: what a server has sent, frame by frame, and what was sent to it."""

from __future__ import annotations

import socket
import ssl
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from hpack import Decoder

from wptproto.protocol.h2_frames import PREFACE
from wptproto.semantics.fields import FieldLine

__all__ = [
    "ACK",
    "CONTINUATION",
    "DATA",
    "END_HEADERS",
    "END_STREAM",
    "GOAWAY",
    "HEADERS",
    "PING",
    "RST_STREAM",
    "SETTINGS",
    "WINDOW_UPDATE",
    "Conversation",
    "Wire",
]

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
_TABLE_OCTETS = 1  # SETTINGS_HEADER_TABLE_SIZE
_HEADER_OCTETS = 9


class Wire(NamedTuple):
    """One frame (RFC 9113 §4.1); its stream with the reserved bit."""

    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def settings(self) -> list[tuple[int, int]]:
        """A SETTINGS frame's, in order (RFC 9113 §6.5.1)."""
        pairs = (self.payload[start : start + 6] for start in range(0, len(self.payload), 6))
        return [(int.from_bytes(pair[:2], "big"), int.from_bytes(pair[2:], "big")) for pair in pairs]

    @property
    def number(self) -> int:
        """The first 31 bits: an increment, an error code, a GOAWAY's last stream."""
        return int.from_bytes(self.payload[:4], "big") & 0x7FFFFFFF

    @property
    def error_code(self) -> int:
        """Of RST_STREAM or GOAWAY (RFC 9113 §7)."""
        return int.from_bytes(self.payload[-4:] if self.kind == RST_STREAM else self.payload[4:8], "big")


class Conversation:
    """
    One connection's, from the client's side.

    Attributes:
        server: What it has sent.
        sections: What its field blocks say, each with its HEADERS frame, in order.
        content: By stream.
        closed: Whether the connection has ended.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sent = bytearray()
        self._received = bytearray()
        self._decoder = Decoder()
        self._block = b""
        self.server: list[Wire] = []
        self.sections: list[tuple[Wire, list[FieldLine]]] = []
        self.content: dict[int, bytes] = defaultdict(bytes)
        self.closed = False

    def send(self, octets: bytes, *, piecemeal: bool = False) -> None:
        """Send octets; that the server has heard enough of them is no error of the client's."""
        self._sent += octets
        step = 1 if piecemeal else max(1, len(octets))
        with suppress(ConnectionError, ssl.SSLError):
            for start in range(0, len(octets), step):
                self._sock.sendall(octets[start : start + step])

    def read_until(self, is_done: Callable[[], bool]) -> None:
        """Read until something is so; it has to be before the connection ends."""
        while not is_done():
            assert not self.closed, f"the connection closes: {self.goaway}"
            self._read()

    def read_to_the_end(self) -> None:
        """Read until the connection ends."""
        while not self.closed:
            self._read()

    @property
    def client(self) -> list[Wire]:
        """The frames that were sent to the server, whatever they are."""
        return list(_frames(self._sent[len(PREFACE) :]))

    @property
    def goaway(self) -> Wire | None:
        """The server's GOAWAY, the last of them."""
        return next((frame for frame in reversed(self.server) if frame.kind == GOAWAY), None)

    @property
    def is_sound(self) -> bool:
        """Whether the server found no error of the connection."""
        return self.goaway is None or self.goaway.error_code == 0

    @property
    def resets(self) -> dict[int, int]:
        """Error codes, by stream."""
        return {frame.stream: frame.error_code for frame in self.server if frame.kind == RST_STREAM}

    @property
    def statuses(self) -> dict[int, int]:
        """Those of final responses, by stream."""
        found: dict[int, int] = {}
        for frame, lines in self.sections:
            status = int(dict(lines).get(b":status", b"0"))
            if status >= 200:
                found[frame.stream] = status
        return found

    @property
    def ended(self) -> set[int]:
        """Streams whose response is complete."""
        ends = (frame for frame in self.server if frame.kind in (DATA, HEADERS))
        return {frame.stream for frame in ends if frame.flags & END_STREAM}

    def is_answered(self, ping: bytes) -> bool:
        """Whether there was an answer to a PING of these octets."""
        return any(frame.kind == PING and frame.payload == ping for frame in self.server)

    def _read(self) -> None:
        try:
            piece = self._sock.recv(65536)
        except (ConnectionError, ssl.SSLError):
            piece = b""
        self.closed = not piece
        self._received += piece
        for frame in _frames(self._received):
            del self._received[: _HEADER_OCTETS + len(frame.payload)]
            self.server.append(frame)
            self._take(frame)

    def _take(self, frame: Wire) -> None:
        if frame.kind == SETTINGS and frame.flags & ACK:
            acknowledged = sum(other.kind == SETTINGS and other.flags & ACK for other in self.server)
            settings = [other for other in self.client if other.kind == SETTINGS and not other.flags & ACK]
            for code, value in settings[acknowledged - 1].settings:
                if code == _TABLE_OCTETS:
                    self._decoder.max_allowed_table_size = value
        elif frame.kind == DATA:
            self.content[frame.stream] += frame.payload
        elif frame.kind in (HEADERS, CONTINUATION):
            self._block += frame.payload
            first = next(other for other in reversed(self.server) if other.kind == HEADERS)
            if frame.flags & END_HEADERS:
                lines = [
                    (bytes(name), bytes(value)) for name, value in self._decoder.decode(self._block, raw=True)
                ]
                self.sections.append((first, lines))
                self._block = b""


def _frames(octets: bytes | bytearray) -> Iterator[Wire]:
    """Take octets apart, as far as there are whole frames."""
    rest = bytes(octets)
    while len(rest) >= _HEADER_OCTETS + (size := int.from_bytes(rest[:3], "big")):
        end = _HEADER_OCTETS + size
        yield Wire(rest[3], rest[4], int.from_bytes(rest[5:9], "big"), rest[9:end])
        rest = rest[end:]
