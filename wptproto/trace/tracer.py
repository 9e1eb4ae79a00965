"""
Tracer: makes events of what happens on one connection, in their order.

Most is told on the loop's thread, and of handlers on theirs. One lock for all connections of a trace puts
that in order, and the time is taken within.
"""

from __future__ import annotations

import binascii
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable
from threading import RLock
from typing import TYPE_CHECKING

from wptproto.exchange.exchange import Exchange
from wptproto.protocol.events import ContentFailed, Event, ExchangeId, ProtocolViolated
from wptproto.protocol.tls_state import TlsState
from wptproto.server.observer import Accepted, Observer
from wptproto.trace.events import (
    ConnectionClosed,
    ConnectionOpened,
    EndOfInput,
    ExchangeBegun,
    ExchangeEnded,
    FaultHappened,
    HandlerBegun,
    HandlerEnded,
    OctetsSeen,
    Origin,
    PlaintextSeen,
    ProtocolChosen,
    TlsAgreed,
    TlsFailed,
    TraceEvent,
    Violated,
)
from wptproto.trace.h1_dissector import H1Dissector, Switch
from wptproto.trace.h2_dissector import H2Dissector

if TYPE_CHECKING:
    from wptproto.faults import Fault

__all__ = ["Tracer"]


class Tracer(Observer):
    """Traces one connection."""

    def __init__(self, accepted: Accepted, sink: Callable[[TraceEvent], None], lock: RLock) -> None:
        """
        Args:
            accepted: The connection.
            sink: Is given each event, one at a time.
            lock: Held meanwhile; that of all connections whose events the sink is given.
        """
        self._number = accepted.number
        self._sink = sink
        self._lock = lock
        self._dissector: H1Dissector | H2Dissector | None = None
        self._undecided: list[PlaintextSeen] = []
        self._handlers: dict[int, float] = {}  # when they began
        client, server, is_tls = accepted.client, accepted.here, accepted.is_tls
        self._tell(lambda origin: [ConnectionOpened(origin, client, server, is_tls)])

    # --- octets --------------------------------------------------------------------------------

    def octets_received(self, octets: bytes) -> None:
        self._tell(lambda origin: [OctetsSeen(origin, False, bytes(octets))])

    def octets_sent(self, octets: bytes) -> None:
        self._tell(lambda origin: [OctetsSeen(origin, True, bytes(octets))])

    def plaintext_received(self, octets: bytes) -> None:
        self._tell(lambda origin: self._read(PlaintextSeen(origin, False, bytes(octets))))

    def plaintext_sent(self, octets: bytes) -> None:
        self._tell(lambda origin: self._read(PlaintextSeen(origin, True, bytes(octets))))

    # --- the connection ------------------------------------------------------------------------

    def tls_agreed(self, tls: TlsState) -> None:
        self._tell(
            lambda origin: [
                TlsAgreed(
                    origin,
                    tls.version or "",
                    tls.cipher or "",
                    tls.server_name,
                    tls.alpn_offered,
                    tls.alpn_chosen,
                )
            ]
        )

    def tls_failed(self, tls: TlsState, reason: str) -> None:
        self._tell(lambda origin: [TlsFailed(origin, reason)])

    def protocol_chosen(self, protocol: str) -> None:
        self._tell(lambda origin: self._choose(protocol, origin))

    def event(self, event: Event) -> None:
        if isinstance(event, ProtocolViolated):
            exchange_id, error = event.error.exchange_id, event.error
        elif isinstance(event, ContentFailed):
            exchange_id, error = event.exchange_id, event.error
        else:
            return
        self._tell(lambda origin: [Violated(origin, exchange_id, str(error))])

    def violated(self, exchange_id: ExchangeId | None, reason: str) -> None:
        self._tell(lambda origin: [Violated(origin, exchange_id, reason)])

    def late(self, reason: str) -> None:
        self.violated(None, reason)

    def misbehaved(self, exchange_id: ExchangeId | None, fault: Fault) -> None:
        self._tell(lambda origin: [FaultHappened(origin, exchange_id, str(fault))])

    def eof_received(self) -> None:
        self._tell(lambda origin: [EndOfInput(origin), *self._end(False, origin)])

    def closed(self, error: Exception | None) -> None:
        how = "closed" if error is None else f"broken off: {error}"
        self._tell(
            lambda origin: [
                *self._end(False, origin),
                *self._end(True, origin),
                ConnectionClosed(origin, how),
            ]
        )

    # --- exchanges -----------------------------------------------------------------------------

    def exchange_begun(self, exchange_id: ExchangeId, exchange: Exchange) -> None:
        head = exchange.head
        target = head.target.decode("ascii", "backslashreplace")
        self._tell(lambda origin: [ExchangeBegun(origin, exchange_id, head.method, target)])

    def exchange_ended(self, exchange_id: ExchangeId, outcome: str) -> None:
        self._tell(lambda origin: [ExchangeEnded(origin, exchange_id, outcome)])

    def handler_begun(self, exchange: Exchange) -> None:
        number = exchange.id
        self._handlers[number] = time.monotonic()
        self._tell(lambda origin: [HandlerBegun(origin, number)])

    def handler_ended(self, exchange: Exchange, error: BaseException | None) -> None:
        number = exchange.id
        began_s = self._handlers.pop(number, None)
        if began_s is None:
            return  # no handler was called
        took_s = time.monotonic() - began_s
        raised = None if error is None else _in_a_line(error)
        self._tell(lambda origin: [HandlerEnded(origin, number, took_s, raised)])

    # --- within --------------------------------------------------------------------------------

    def _tell(self, make: Callable[[Origin], Iterable[TraceEvent]]) -> None:
        with self._lock:
            for event in make(Origin(self._number, time.time())):
                self._sink(event)

    def _read(self, seen: PlaintextSeen) -> Iterable[TraceEvent]:
        yield seen
        if self._dissector is None:
            self._undecided.append(seen)
            return
        yield from self._dissector.feed(seen.sent, seen.octets, seen.origin)
        if isinstance(self._dissector, H1Dissector) and self._dissector.switch is not None:
            yield from self._go_over(self._dissector, self._dissector.switch, seen.origin)

    def _choose(self, protocol: str, origin: Origin) -> Iterable[TraceEvent]:
        yield ProtocolChosen(origin, protocol)
        if self._dissector is not None:
            return  # it has gone over by what it read
        self._dissector = H2Dissector() if protocol == "HTTP/2" else H1Dissector()
        undecided, self._undecided = self._undecided, []
        for seen in undecided:
            yield from self._dissector.feed(seen.sent, seen.octets, origin)

    def _go_over(self, h1: H1Dissector, switch: Switch, origin: Origin) -> Iterable[TraceEvent]:
        """Read as HTTP/2 what follows, where that was agreed on (RFC 7540 §3.2)."""
        if switch.protocol != b"h2c":
            return
        self._dissector = h2 = H2Dissector()
        yield from h2.upgraded(_settings(switch.request.get(b"http2-settings") or b""), origin)
        for sent in (False, True):
            yield from h2.feed(sent, h1.rest(sent), origin)

    def _end(self, sent: bool, origin: Origin) -> Iterable[TraceEvent]:
        return [] if self._dissector is None else self._dissector.end(sent, origin)


def _settings(value: bytes) -> bytes:
    """Return what HTTP2-Settings says, or nothing, if that cannot be told (RFC 7540 §3.2.1)."""
    try:
        return urlsafe_b64decode(value + b"=" * (-len(value) % 4))
    except (binascii.Error, ValueError):
        return b""


def _in_a_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
