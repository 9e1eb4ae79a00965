"""
Messages: puts the events of a trace together to exchanges, of either protocol, as they were on the wire.

What a dissector could not read is not there but as a remark; so is what went wrong, on purpose or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wptproto.semantics.fields import FieldLine, Fields
from wptproto.trace.events import (
    ConnectionClosed,
    ConnectionOpened,
    ContentSeen,
    ExchangeEnded,
    FaultHappened,
    FrameSeen,
    H1HeadSeen,
    H1TrailersSeen,
    HandlerEnded,
    ProtocolChosen,
    TraceEvent,
    Unreadable,
    Violated,
)

__all__ = ["Message", "SeenConnection", "SeenExchange"]

CONTENT_OCTETS = 1024 * 1024
"""How much is kept of one content."""

_DIGITS = re.compile(rb"[0-9]{1,18}")


class Message:
    """
    A request or a response.

    Attributes:
        line: The first line of HTTP/1.1; None over HTTP/2.
        fields: With the pseudo-fields of HTTP/2.
        content: Its beginning, as it was on the wire, but for chunks and padding.
        content_octets: How long all of it is.
        trailers: Behind it.
        has_trailers: Whether the end of chunks was seen, also if nothing stood there.
        began_s: When its head was seen, in seconds since 1970.
        ended_s: When the last of it was.
    """

    def __init__(self, line: bytes | None, fields: tuple[FieldLine, ...], at_s: float) -> None:
        self.line = line
        self.fields = Fields(fields)
        self.content = bytearray()
        self.content_octets = 0
        self.trailers: tuple[FieldLine, ...] = ()
        self.has_trailers = False
        self.began_s = self.ended_s = at_s

    def add(self, octets: bytes, at_s: float) -> None:
        """Take content, of which as much is kept as there is room for."""
        self.content += octets[: max(0, CONTENT_OCTETS - len(self.content))]
        self.content_octets += len(octets)
        self.ended_s = at_s

    @property
    def lacks_content(self) -> bool:
        """Whether it says that there is more content than was seen (RFC 9112 §6.3)."""
        if b"chunked" in self.fields.tokens(b"transfer-encoding"):
            return not self.has_trailers
        length = self.fields.get(b"content-length") or b""
        return _DIGITS.fullmatch(length) is not None and int(length) > self.content_octets


class SeenExchange:
    """
    A request and what was answered.

    Attributes:
        number: Its stream, or the how manieth it is.
        request: None if it could not be read, or is not there.
        response: The final one; None if there was none.
        informational: Those before it.
        remarks: What is to be said of it, such as faults.
        outcome: Why it was cut off; empty if it was not.
    """

    def __init__(self, connection: SeenConnection, number: int, at_s: float) -> None:
        self.connection = connection
        self.number = number
        self.began_s = at_s
        self.request: Message | None = None
        self.response: Message | None = None
        self.informational: list[Message] = []
        self.remarks: list[str] = []
        self.outcome = ""

    def message(self, sent: bool) -> Message | None:
        """Return what the server sent, or the client."""
        return self.response if sent else self.request

    def begin(self, sent: bool, message: Message) -> None:
        """Take a head."""
        if not sent:
            self.request = message
        elif _is_interim(message):
            self.informational.append(message)
        else:
            self.response = message


class SeenConnection:
    """
    A connection, and the exchanges on it.

    Attributes:
        number, client, server, is_tls: As of its beginning.
        exchanges: In their order.
    """

    def __init__(self, opened: ConnectionOpened) -> None:
        self.number = opened.origin.connection
        self.client = opened.client
        self.server = opened.server
        self.is_tls = opened.is_tls
        self.exchanges: dict[int, SeenExchange] = {}
        self._is_h2 = False
        self._blocks: dict[bool, int] = {}  # by direction, of which stream a field block is

    def take(self, event: TraceEvent) -> None:
        """Take what happens on it."""
        at_s = event.origin.at_s
        match event:
            case H1HeadSeen():
                exchange = self._exchange(event.exchange, at_s)
                exchange.begin(event.sent, Message(event.line, event.fields, at_s))
            case ContentSeen():
                self._add(event.exchange, event.sent, event.octets, at_s)
            case H1TrailersSeen():
                self._end(event.exchange, event.sent, event.fields, at_s)
            case FrameSeen():
                self._take_frame(event)
            case Unreadable():
                self._take_unreadable(event)
            case ProtocolChosen():
                self._is_h2 = event.protocol == "HTTP/2"
            case _:
                self._remark(event)

    def _take_unreadable(self, event: Unreadable) -> None:
        """Say it of the exchange that it is of, which may be one that nobody can read."""
        who = "the server" if event.sent else "the client"
        latest = max(self.exchanges, default=0)
        found = self.exchanges.get(latest)
        request = None if found is None else found.request
        is_new = found is None or (
            not event.sent and found.response is not None and (request is None or not request.lacks_content)
        )
        if is_new and self._is_h2:
            return  # it is of no exchange
        exchange = self._exchange(latest + 1 if is_new else latest, event.origin.at_s)
        exchange.remarks.append(f"what {who} sent cannot be read: {event.reason}")

    def _take_frame(self, frame: FrameSeen) -> None:
        sent, at_s, stream_id = frame.sent, frame.origin.at_s, frame.stream_id
        details = dict(frame.details)
        if frame.name in ("HEADERS", "PUSH_PROMISE"):
            promised = details.get("promised_stream_id")
            self._blocks[sent] = promised if isinstance(promised, int) else stream_id
        if frame.fields is not None:
            # A promise is the request of an exchange that the server begins (RFC 9113 §8.4).
            of_stream = self._blocks.get(sent, stream_id)
            by_client = sent and of_stream == stream_id
            if self._exchange(of_stream, at_s).message(by_client) is None:
                message = Message(None, frame.fields, at_s)
                self._exchange(of_stream, at_s).begin(by_client, message)
            else:
                self._end(of_stream, by_client, frame.fields, at_s)
        elif frame.name == "DATA":
            self._add(stream_id, sent, frame.content, at_s)
        elif frame.name == "RST_STREAM" and stream_id in self.exchanges:
            who, code = "server" if sent else "client", str(details.get("error_code"))
            self.exchanges[stream_id].outcome = f"reset by the {who}: {code}"

    def _remark(self, event: TraceEvent) -> None:
        said = _said(event)
        if isinstance(event, ConnectionClosed):
            for one in self.exchanges.values():
                if one.response is None and not one.outcome:
                    one.outcome = f"the connection was {event.how} before a response"
        elif isinstance(event, ExchangeEnded) and event.outcome:
            found = self.exchanges.get(event.exchange)
            if found is not None:
                found.outcome = found.outcome or event.outcome
        elif said:
            number = event.exchange if isinstance(event, FaultHappened | Violated | HandlerEnded) else None
            for one in self._those(number):
                one.remarks.append(said)

    def _those(self, number: int | None) -> Iterator[SeenExchange]:
        """Return an exchange; or, for what is of the connection, the latest one."""
        number = max(self.exchanges, default=0) if number is None else number
        if number in self.exchanges:
            yield self.exchanges[number]

    def _exchange(self, number: int, at_s: float) -> SeenExchange:
        if number not in self.exchanges:
            self.exchanges[number] = SeenExchange(self, number, at_s)
        return self.exchanges[number]

    def _add(self, number: int, sent: bool, octets: bytes, at_s: float) -> None:
        found = self._exchange(number, at_s).message(sent)
        if found is not None:
            found.add(octets, at_s)

    def _end(self, number: int, sent: bool, trailers: tuple[FieldLine, ...], at_s: float) -> None:
        found = self._exchange(number, at_s).message(sent)
        if found is not None:
            found.trailers, found.has_trailers, found.ended_s = trailers, True, at_s


def _is_interim(message: Message) -> bool:
    """Whether another response follows (RFC 9110 §15.2); behind 101 it is another protocol's."""
    if message.line is None:
        return (message.fields.get(b":status") or b"").startswith(b"1")
    status = message.line.split(b" ", 2)[1:2]
    return bool(status) and status[0].startswith(b"1") and status[0] != b"101"


def _said(event: TraceEvent) -> str:
    if isinstance(event, FaultHappened):
        return f"on purpose: {event.fault}"
    if isinstance(event, Violated):
        return f"the client's violation: {event.reason}"
    if isinstance(event, HandlerEnded) and event.error is not None:
        return f"the handler raised {event.error}"
    return ""
