"""
Recorder: writes the records of a server, and finds them for whoever asks.

It writes on the loop's thread, where each connection has an observer of its own; the errors of handlers come
from the threads that ran these. It reads on any.

**When a record is complete.** A test that has its whole response looks at once for what was recorded, while
the loop is perhaps still at work behind the last octet. Most of that is settled by order: what an observer is
told of octets comes before they are written, and that a handler has failed, before the end of its response is.
What is left is a response whose last octet its handler sent itself, before it returned. So who reads lets the
loop come round once, where anything goes on, and then waits, for a moment, for those whose response is whole.
"""

from __future__ import annotations

import threading
import time
from asyncio import AbstractEventLoop, _get_running_loop
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from wptproto.exchange.bridge import Command, SendFrame, SendHead, SendInformational, SendTrailers
from wptproto.exchange.changes import Changes
from wptproto.exchange.exchange import Exchange
from wptproto.exchange.signal import waiting
from wptproto.protocol.events import (
    ContentFailed,
    ContentReceived,
    Event,
    ExchangeId,
    ExchangeReset,
    ProtocolViolated,
    RequestEnded,
    RequestReceived,
)
from wptproto.semantics.message import RequestHead
from wptproto.server.observer import Accepted, Observer, Observers
from wptproto.server.records import (
    ConnectionRecord,
    ExchangeRecord,
    Recording,
    TlsRecord,
    Violation,
    recording_of,
)
from wptproto.server.tls import TlsLayer

if TYPE_CHECKING:
    from wptproto.faults import Fault

__all__ = ["Recorder", "recorder_of"]

SETTLE_S = 1.0
"""How long who reads waits for the end of an exchange whose response is whole, once."""

DOUBT_S = 0.05
"""The same, where it cannot be told whether it is."""

MAX_SIZES = 1024
"""How many chunks or frames of one content have their sizes kept."""

RECENT_OCTETS = 64 * 1024
"""How much is kept of what came since the last head, for a violation to show."""


def recorder_of(record: bool | int | Recording, observers: Observers) -> Recorder | None:
    """
    Return what records connections to come, None if nothing does.

    Raises:
        ConfigError: *record* makes no sense.
    """
    limits = recording_of(record)
    if limits is None:
        return None
    recorder = Recorder(limits)
    recorder.stop = observers.add(recorder.observe)
    return recorder


class Recorder:
    """
    The records of one server.

    Attributes:
        limits: How much is kept.
        changes: Who waits for something to happen.
        stop: Ends recording, for connections to come.
        exchange_count: How many exchanges there have been.
        whole: The exchanges whose request has ended, in that order, until somebody takes them.
    """

    def __init__(self, limits: Recording) -> None:
        self.limits = limits
        self.changes = Changes()
        self.stop: Callable[[], None] = lambda: None
        self.exchange_count = 0
        self.whole: deque[ExchangeRecord] = deque(maxlen=limits.exchanges)
        self._exchanges: deque[ExchangeRecord] = deque()
        self._connections: deque[ConnectionRecord] = deque(maxlen=limits.exchanges)
        self._violations: deque[Violation] = deque(maxlen=limits.exchanges)
        self._live: dict[_ConnectionRecorder, None] = {}
        self._kept_octets = 0

    # --- for whoever asks, on any thread -------------------------------------------------------

    def exchanges(self) -> list[ExchangeRecord]:
        """Return those that are kept, in the order in which their heads came."""
        return list(self._exchanges.copy())  # a copy is made at one go, while others append

    def connections(self) -> list[ConnectionRecord]:
        """Return those that are kept, in the order in which they were accepted."""
        return list(self._connections.copy())

    def violations(self) -> list[Violation]:
        """Return those that are kept, in the order in which they were found."""
        return list(self._violations.copy())

    def clear(self) -> None:
        """Forget what has been recorded; what goes on is not recorded to its end."""
        for record in self.exchanges():
            record.is_kept = False
        self._exchanges.clear()
        self._connections.clear()
        self._violations.clear()
        self.whole.clear()
        self._kept_octets = 0

    def settle(self, loop: AbstractEventLoop | None) -> None:
        """
        Wait until those exchanges have ended whose response a client may have as a whole.

        Args:
            loop: The server's; None where it does not run. On its own thread nothing is waited for.
        """
        if loop is None or _get_running_loop() is loop or not self._unsettled():
            return
        _come_round(loop)
        for record in self._unsettled():
            if (whole := record.may_be_whole()) is not False and record.is_awaited:
                wait_s = SETTLE_S if whole else DOUBT_S
                record.is_awaited = self.changes.wait_for(_ended(record), wait_s) is not None

    def _unsettled(self) -> list[ExchangeRecord]:
        return [
            record
            for connection in list(self._live)
            for record in list(connection.open.values())
            if record.outcome is None
        ]

    # --- for the observers of connections ------------------------------------------------------

    def observe(self, accepted: Accepted) -> Observer:
        """Return who observes a new connection."""
        record = ConnectionRecord(
            accepted.number, accepted.client, accepted.here[1], is_tls=accepted.is_tls, opened_at=time.time()
        )
        self._connections.append(record)
        found = _ConnectionRecorder(self, record)
        self._live[found] = None
        return found

    def begin(
        self, connection: ConnectionRecord, number: int, head: RequestHead | None, began_s: float
    ) -> ExchangeRecord:
        """Keep a new exchange, and let the oldest go if there are too many."""
        self.exchange_count += 1
        record = ExchangeRecord(self.exchange_count, connection, number, head, began_s)
        connection.exchange_count += 1
        exchanges = self._exchanges
        exchanges.append(record)
        if len(exchanges) > self.limits.exchanges:
            self._drop_oldest()
        return record

    def keep(self, record: ExchangeRecord, pieces: list[bytes], had: int, octets: bytes | memoryview) -> None:
        """Keep octets behind the *had* ones of one content, as far as there is room for them."""
        room = self.limits.content_octets - had
        if room <= 0 or not record.is_kept:
            return
        piece = octets if len(octets) <= room else octets[:room]
        pieces.append(piece if type(piece) is bytes else bytes(piece))
        record.kept_octets += len(piece)
        self._kept_octets += len(piece)
        while self._kept_octets > self.limits.total_octets and len(self._exchanges) > 1:
            self._drop_oldest()

    def violated(self, connection: ConnectionRecord, violation: Violation) -> None:
        """Keep a violation."""
        connection.violations += (violation,)
        self._violations.append(violation)
        self.changes.notify()

    def forget(self, connection: _ConnectionRecorder) -> None:
        """Take note that a connection is gone."""
        self._live.pop(connection, None)
        self.changes.notify()

    def _drop_oldest(self) -> None:
        with suppress(IndexError):  # somebody was clearing
            oldest = self._exchanges.popleft()
            oldest.is_kept = False
            self._kept_octets -= oldest.kept_octets


class _ConnectionRecorder(Observer):
    """
    Writes the records of one connection.

    Attributes:
        open: The exchanges of which there may be more to tell: their request or response has not ended, or
            their handler has not returned.
    """

    def __init__(self, recorder: Recorder, connection: ConnectionRecord) -> None:
        self._recorder = recorder
        self._connection = connection
        self._opened_s = time.monotonic()
        self._recent = b""
        self._is_fresh = True  # what comes next is no more of what was
        self._eof = False
        self._late = ""
        self.open: dict[ExchangeId, ExchangeRecord] = {}

    def _now_s(self) -> float:
        return time.monotonic() - self._opened_s

    # --- the connection ------------------------------------------------------------------------

    def tls_agreed(self, tls: TlsLayer) -> None:
        self._connection.tls = _tls_record(tls)

    def tls_failed(self, tls: TlsLayer, reason: str) -> None:
        self._connection.tls_failure = reason
        self._recorder.changes.notify()

    def protocol_chosen(self, protocol: str) -> None:
        self._connection.protocol = protocol

    def plaintext_received(self, octets: bytes) -> None:
        if self._is_fresh:
            self._recent = octets
            self._is_fresh = False
        elif len(self._recent) < RECENT_OCTETS:
            self._recent += octets

    def late(self, reason: str) -> None:
        self._late = reason

    def eof_received(self) -> None:
        self._eof = True

    def misbehaved(self, exchange_id: ExchangeId | None, fault: Fault) -> None:
        record = self.open.get(exchange_id) if exchange_id is not None else None
        if record is None:
            self._connection.faults += (fault,)
        else:
            record.faults += (fault,)

    def closed(self, error: Exception | None) -> None:
        connection = self._connection
        connection.closed_s = self._now_s()
        if connection.tls_failure is not None:
            connection.ending = f"there was no TLS: {connection.tls_failure}"
        elif error is not None:
            connection.ending = f"broken off: {error}"
        elif self._late:
            connection.ending = self._late
        elif connection.violations:
            connection.ending = f"closed for what the client did: {connection.violations[-1].reason}"
        else:
            connection.ending = "the client closed it" if self._eof else "closed by the server"
        for record in list(self.open.values()):
            self._settle_request(record)
        self._recorder.forget(self)

    # --- requests ------------------------------------------------------------------------------

    def event(self, event: Event) -> None:
        kind = type(event)
        if kind is RequestReceived:
            self._is_fresh = True
        elif isinstance(event, RequestEnded):
            record = self.open.get(event.exchange_id)
            if record is not None:
                record.request_ended_s = time.monotonic() - self._opened_s
                if event.trailers:
                    record.trailers = event.trailers
                if event.chunk_sizes:
                    record.content_sizes = event.chunk_sizes[:MAX_SIZES]
                self._settle_request(record)
        elif isinstance(event, ContentReceived):
            self._take_content(event)
        elif isinstance(event, ContentFailed):
            self._take_failure(event.exchange_id, event.error.reason, event.error.status_hint)
        elif isinstance(event, ProtocolViolated):
            self._take_violation(event)
        elif isinstance(event, ExchangeReset):
            record = self.open.get(event.exchange_id)
            if record is not None:
                self._settle_request(record)

    def _take_content(self, event: ContentReceived) -> None:
        record = self.open.get(event.exchange_id)
        if record is None:
            return
        if not record.content_octets and not record.content_pieces:
            record.content_pieces = []
        assert isinstance(record.content_pieces, list)
        self._recorder.keep(record, record.content_pieces, record.content_octets, event.data)
        record.content_octets += len(event.data)
        if self._connection.protocol == "HTTP/2":
            if isinstance(record.content_sizes, tuple):
                record.content_sizes = []
            if len(record.content_sizes) < MAX_SIZES:
                record.content_sizes.append(len(event.data))

    def _take_failure(self, exchange_id: ExchangeId, reason: str, status_hint: int) -> None:
        """Take note that a request will never be whole; who only leaves, or is slow, violates nothing."""
        record = self.open.get(exchange_id)
        if record is not None:
            record.violation = reason
            self._settle_request(record)
        if not self._eof and status_hint != 408:
            self._violated(exchange_id, reason)

    def _take_violation(self, event: ProtocolViolated) -> None:
        exchange_id, reason = event.error.exchange_id, event.error.reason
        if self._late and event.error.status_hint == 408 and not self._recent:
            return  # nothing was begun
        record = self.open.get(ExchangeId(exchange_id)) if exchange_id is not None else None
        if record is not None:
            record.violation = reason
        elif self._is_of_a_head(exchange_id):
            number = exchange_id if exchange_id is not None else self._connection.exchange_count + 1
            record = self._recorder.begin(self._connection, number, None, self._now_s())
            record.violation = reason
            record.octets = self._recent[:RECENT_OCTETS]
            record.ended_s = record.began_s
            record.outcome = f"refused: {reason}"
        if not self._eof and event.error.status_hint != 408:
            self._violated(exchange_id, reason)
        self._recorder.changes.notify()

    def _is_of_a_head(self, exchange_id: int | None) -> bool:
        """Whether it was a request that could not be decoded; over HTTP/2 such a one has a stream."""
        return exchange_id is not None or self._connection.protocol != "HTTP/2"

    def _violated(self, exchange_id: int | None, reason: str) -> None:
        number, octets = self._connection.number, self._recent[:RECENT_OCTETS]
        self._recorder.violated(
            self._connection, Violation(number, exchange_id, reason, octets, self._now_s())
        )

    def _settle_request(self, record: ExchangeRecord) -> None:
        """Offer a request to whoever takes the next: no more of it will come."""
        if record.is_settled:
            return
        record.is_settled = True
        if not record.is_promised:
            self._recorder.whole.append(record)
        self._let_go(record)
        self._recorder.changes.notify()

    # --- exchanges -----------------------------------------------------------------------------

    def exchange_begun(self, exchange_id: ExchangeId, exchange: Exchange) -> None:
        began_s = time.monotonic() - self._opened_s
        record = self._recorder.begin(self._connection, exchange_id, exchange.head, began_s)
        self.open[exchange_id] = record
        if record.is_promised:
            record.request_ended_s = began_s
            record.is_settled = True
        self._recorder.changes.notify()

    def command(self, exchange_id: ExchangeId, command: Command) -> None:
        record = self.open.get(exchange_id)
        if record is None:
            return
        if record.response_began_s is None:
            record.response_began_s = time.monotonic() - self._opened_s
        if type(command) is SendHead:
            record.sent_head = command.head
            record.has_end = command.end
        elif isinstance(command, SendInformational):
            record.sent_informational += (command.head,)
        elif isinstance(command, SendTrailers):
            record.sent_trailers = command.trailers
        elif isinstance(command, SendFrame) and len(record.sent_frames) < MAX_SIZES:
            record.sent_frames += (command.frame,)

    def content_sent(self, exchange_id: ExchangeId, octets: bytes | memoryview, *, verbatim: bool) -> None:
        record = self.open.get(exchange_id)
        if record is None:
            return
        if verbatim:
            if record.response_began_s is None:
                record.response_began_s = self._now_s()
            if not isinstance(record.sent_verbatim, list):
                record.sent_verbatim = []
            self._recorder.keep(record, record.sent_verbatim, record.verbatim_octets, octets)
            record.verbatim_octets += len(octets)
            return
        if not isinstance(record.sent_pieces, list):
            record.sent_pieces = []
        self._recorder.keep(record, record.sent_pieces, record.sent_octets, octets)
        record.sent_octets += len(octets)

    def exchange_ended(self, exchange_id: ExchangeId, outcome: str) -> None:
        record = self.open.get(exchange_id)
        if record is None:
            return
        record.ended_s = time.monotonic() - self._opened_s
        record.outcome = outcome or "complete"
        if outcome or self._connection.protocol == "HTTP/2":
            self._settle_request(record)
        self._let_go(record)
        self._recorder.changes.notify()

    def handler_begun(self, exchange: Exchange) -> None:
        record = self.open.get(exchange.id)
        if record is not None:
            record.is_handled = True

    def handler_ended(self, exchange: Exchange, error: BaseException | None) -> None:
        record = self.open.get(exchange.id)
        if record is None:
            return
        record.is_handled = False
        if error is not None:
            record.error = error
        self._let_go(record)
        self._recorder.changes.notify()

    def _let_go(self, record: ExchangeRecord) -> None:
        if record.outcome is not None and not record.is_handled and record.is_settled:
            self.open.pop(ExchangeId(record.number), None)


def _ended(record: ExchangeRecord) -> Callable[[], bool | None]:
    return lambda: True if record.outcome is not None else None


def _come_round(loop: AbstractEventLoop) -> None:
    """Let a loop finish what it is doing, on another thread than its own; a second at the most."""
    passed = threading.Event()
    waiting.is_next()
    try:
        loop.call_soon_threadsafe(passed.set)
    except RuntimeError:
        return  # it has stopped
    passed.wait(SETTLE_S)


def _tls_record(tls: TlsLayer) -> TlsRecord:
    version, _, cipher = tls.terms.partition(" with ")
    return TlsRecord(version, cipher, alpn_protocol=tls.alpn_protocol)
