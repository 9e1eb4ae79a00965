"""
Events: what a trace is made of, one after the other, as frozen values.

Each has the connection it is of and the time. What was on the wire is read from the octets by dissectors of
the trace's own, so it is there as it was, also where it was wrong, and whoever sent it.
"""

from __future__ import annotations

from typing import NamedTuple

from wptproto.h2_codes import PADDED
from wptproto.semantics.fields import FieldLine

__all__ = [
    "Origin",
    "ChunkSeen",
    "ConnectionClosed",
    "ConnectionOpened",
    "ContentSeen",
    "DynamicTableChanged",
    "EndOfInput",
    "ExchangeBegun",
    "ExchangeEnded",
    "FaultHappened",
    "FrameSeen",
    "H1HeadSeen",
    "H1TrailersSeen",
    "HandlerBegun",
    "HandlerEnded",
    "OctetsSeen",
    "PlaintextSeen",
    "PrefaceSeen",
    "ProtocolChosen",
    "TlsAgreed",
    "TlsFailed",
    "TraceEvent",
    "Unreadable",
    "Violated",
    "WindowChanged",
]


class Origin(NamedTuple):
    """
    Where and when.

    Attributes:
        connection: The number of the connection, from 1 on.
        at_s: Seconds since 1970.
    """

    connection: int
    at_s: float


class ConnectionOpened(NamedTuple):
    """A connection was accepted."""

    origin: Origin
    client: tuple[str, int]
    server: tuple[str, int]
    is_tls: bool


class OctetsSeen(NamedTuple):
    """Octets of the transport: TLS records, where there is TLS. *sent* is by the server."""

    origin: Origin
    sent: bool
    octets: bytes


class PlaintextSeen(NamedTuple):
    """Octets of the protocol, as they came or went."""

    origin: Origin
    sent: bool
    octets: bytes


class EndOfInput(NamedTuple):
    """The client sends no more: FIN, or close_notify."""

    origin: Origin


class TlsAgreed(NamedTuple):
    """The handshake is through."""

    origin: Origin
    version: str
    cipher: str
    server_name: str | None
    alpn_offered: tuple[str, ...] | None
    alpn_protocol: str | None


class TlsFailed(NamedTuple):
    """There is no TLS to be spoken with the client."""

    origin: Origin
    reason: str


class ProtocolChosen(NamedTuple):
    """From here on the connection speaks that: ``HTTP/1.1`` or ``HTTP/2``."""

    origin: Origin
    protocol: str


class PrefaceSeen(NamedTuple):
    """What a client says before its first frame (RFC 9113 §3.4) has come, whole and right."""

    origin: Origin


class FrameSeen(NamedTuple):
    """
    A frame of HTTP/2 (RFC 9113 §4.1).

    Attributes:
        name: Of its type, as ``HEADERS``; ``0x42`` where that has none.
        kind: The type.
        flags: The octet.
        flag_names: Those that the type has, as ``END_STREAM``; others as ``0x40``.
        stream_id: With the reserved bit left out.
        payload: As it was, whole.
        details: What it says, by name, in the order of the wire: of SETTINGS ``HEADER_TABLE_SIZE`` and so on;
            of GOAWAY ``last_stream_id``, ``error_code`` (a name), ``debug``; ``pad_length``; ``exclusive``,
            ``dependency``, ``weight``; ``increment``; ``promised_stream_id``; ``data_octets``; of PING
            ``opaque_data``; ``origin``, ``value``; ``prioritized_stream_id``, ``priority``.
        fields: Of a field block, once it is whole: the fields of the frame that ends it; None in others.
        error: What is wrong with it, in a sentence, with the section; None if nothing is.
    """

    origin: Origin
    sent: bool
    name: str
    kind: int
    flags: int
    flag_names: tuple[str, ...]
    stream_id: int
    payload: bytes
    details: tuple[tuple[str, int | str | bytes | bool], ...]
    fields: tuple[FieldLine, ...] | None
    error: str | None

    @property
    def content(self) -> bytes:
        """Of DATA: the payload without padding."""
        if not self.flags & PADDED:
            return self.payload
        return self.payload[1 : max(1, len(self.payload) - sum(self.payload[:1]))]


class Unreadable(NamedTuple):
    """Octets that cannot be read as the protocol: behind them, this direction is told as octets alone."""

    origin: Origin
    sent: bool
    octets: bytes
    reason: str


class WindowChanged(NamedTuple):
    """A window changed: what the server may send (*sends*), or the client; stream 0 is the connection's."""

    origin: Origin
    stream_id: int
    sends: bool
    before: int
    after: int


class DynamicTableChanged(NamedTuple):
    """HPACK's table (RFC 7541 §2.3.2) of one direction: *change* is ``insert``, ``evict`` or ``resize``."""

    origin: Origin
    sent: bool
    change: str
    line: FieldLine | None
    octets: int
    entries: int


class H1HeadSeen(NamedTuple):
    """The head of an HTTP/1.1 message: its first line without CRLF, and its field lines as they are."""

    origin: Origin
    sent: bool
    exchange: int
    line: bytes
    fields: tuple[FieldLine, ...]


class ChunkSeen(NamedTuple):
    """The line before a chunk (RFC 9112 §7.1): its size, and what else it says."""

    origin: Origin
    sent: bool
    exchange: int
    size: int
    extensions: bytes


class ContentSeen(NamedTuple):
    """Octets of content of an HTTP/1.1 message, as they came or went."""

    origin: Origin
    sent: bool
    exchange: int
    octets: bytes


class H1TrailersSeen(NamedTuple):
    """The end of chunked content, with the fields behind it."""

    origin: Origin
    sent: bool
    exchange: int
    fields: tuple[FieldLine, ...]


class ExchangeBegun(NamedTuple):
    """The server took a request: its stream, or the how manieth it is."""

    origin: Origin
    exchange: int
    method: str
    target: str


class ExchangeEnded(NamedTuple):
    """An exchange is over; *outcome* is empty if its response is whole."""

    origin: Origin
    exchange: int
    outcome: str


class HandlerBegun(NamedTuple):
    """A handler was called."""

    origin: Origin
    exchange: int


class HandlerEnded(NamedTuple):
    """A handler is through, after so many seconds; *error* is what it raised, in a line."""

    origin: Origin
    exchange: int
    took_s: float
    error: str | None


class FaultHappened(NamedTuple):
    """Something went wrong on purpose."""

    origin: Origin
    exchange: int | None
    fault: str


class Violated(NamedTuple):
    """The client broke the protocol, or was too late; *exchange* is None for the connection."""

    origin: Origin
    exchange: int | None
    reason: str


class ConnectionClosed(NamedTuple):
    """A connection is gone; *how* is in words."""

    origin: Origin
    how: str


TraceEvent = (
    ConnectionOpened
    | OctetsSeen
    | PlaintextSeen
    | EndOfInput
    | TlsAgreed
    | TlsFailed
    | ProtocolChosen
    | PrefaceSeen
    | FrameSeen
    | Unreadable
    | WindowChanged
    | DynamicTableChanged
    | H1HeadSeen
    | ChunkSeen
    | ContentSeen
    | H1TrailersSeen
    | ExchangeBegun
    | ExchangeEnded
    | HandlerBegun
    | HandlerEnded
    | FaultHappened
    | Violated
    | ConnectionClosed
)
