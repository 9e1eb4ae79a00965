"""
Recorder: writes the records of one connection, as its observer.

**What it costs.** An ordinary request should not be slower for being recorded. So what is the same for all of
them is done without a call more than there must be.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from wptproto.exchange.bridge import Command, SendFrame, SendHead, SendInformational, SendTrailers
from wptproto.exchange.exchange import Exchange
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
from wptproto.protocol.tls_state import TlsState
from wptproto.server.archive import Archive
from wptproto.server.exchange_record import ExchangeRecord
from wptproto.server.observer import Accepted, Observer, Observers
from wptproto.server.records import ConnectionRecord, Recording, Violation, recording_of

if TYPE_CHECKING:
    from wptproto.faults import Fault

__all__ = ["ConnectionRecorder", "archive_of"]

MAX_SIZES = 1024
"""How many chunks or frames of one content have their sizes kept."""

RECENT_OCTETS = 64 * 1024
"""How much is kept of what came since the last head, for a violation to show."""


def archive_of(record: bool | int | Recording, observers: Observers) -> Archive | None:
    """
    Return where connections to come are recorded, None if nothing is.

    Raises:
        ConfigError: *record* makes no sense.
    """
    limits = recording_of(record)
    if limits is None:
        return None
    archive = Archive(limits)

    def observe(accepted: Accepted) -> Observer | None:
        if accepted.by_hand:
            return None  # the test that drives it has its transcript, and there are no exchanges
        client, port = accepted.client, accepted.here[1]
        opened_at = time.time()
        connection = ConnectionRecord(
            accepted.number, client, port, is_tls=accepted.is_tls, opened_at=opened_at
        )
        return ConnectionRecorder(archive, connection)

    archive.stop = observers.add(observe)
    return archive


class ConnectionRecorder(Observer):
    """
    Writes the records of one connection.

    Attributes:
        open: The exchanges of which there may be more to tell: their request or response has not ended, or
            their handler has not returned.
    """

    def __init__(self, archive: Archive, connection: ConnectionRecord) -> None:
        self._archive = archive
        self._connection = connection
        self._changes = archive.changes
        self._is_h2 = False
        self._opened_s = time.monotonic()
        self._recent = b""
        self._is_fresh = True  # what comes next is no more of what was
        self._eof = False
        self._late = ""
        self.open: dict[ExchangeId, ExchangeRecord] = {}
        archive.connect(connection, self.open)

    def _now_s(self) -> float:
        return time.monotonic() - self._opened_s

    # --- the connection ------------------------------------------------------------------------

    def tls_agreed(self, tls: TlsState) -> None:
        self._connection.tls = tls

    def tls_failed(self, tls: TlsState, reason: str) -> None:
        self._connection.tls = tls  # what was offered
        self._connection.tls_failure = reason
        self._archive.changes.notify()

    def protocol_chosen(self, protocol: str) -> None:
        self._connection.protocol = protocol
        self._is_h2 = protocol == "HTTP/2"

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
        record = None
        if exchange_id is not None:  # at the end, or on the idle connection, it is an exchange's that is over
            record = self.open.get(exchange_id) or self._archive.find(self._connection, exchange_id)
        if record is None:
            self._connection.faults += (fault,)
        else:
            record.faults += (fault,)

    def closed(self, error: Exception | None) -> None:
        connection = self._connection
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
        connection.closed_s = self._now_s()  # at last, for by that others know that it is closed
        for record in list(self.open.values()):
            self._settle_request(record)
        self._archive.disconnect(self._connection)

    # --- requests ------------------------------------------------------------------------------

    def event(self, event: Event) -> None:
        kind = type(event)
        if kind is RequestReceived:
            self._is_fresh = True
        elif isinstance(event, RequestEnded):
            self._take_end(event)
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

    def _take_end(self, event: RequestEnded) -> None:
        record = self.open.get(event.exchange_id)
        if record is None or record.is_settled:
            return
        record.request_ended_s = time.monotonic() - self._opened_s
        if event.trailers:
            record.trailers = event.trailers
        if event.chunk_sizes:
            record.content_sizes = event.chunk_sizes[:MAX_SIZES]
        record.is_settled = True
        self._archive.whole.append(record)
        if record.outcome is not None:
            self._let_go(record)
        if self._changes.wakes:
            self._changes.notify()

    def _take_content(self, event: ContentReceived) -> None:
        record = self.open.get(event.exchange_id)
        if record is None:
            return
        if not record.content_octets and not record.content_pieces:
            record.content_pieces = []
        assert isinstance(record.content_pieces, list)
        self._archive.keep(record, record.content_pieces, record.content_octets, event.data)
        record.content_octets += len(event.data)
        if self._is_h2:
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
        record = self.open.get(ExchangeId(exchange_id)) if exchange_id is not None else None
        if record is not None:
            record.violation = reason
            self._settle_request(record)
        elif self._is_of_a_head(exchange_id):
            number = exchange_id if exchange_id is not None else self._connection.exchange_count + 1
            record = self._archive.begin(self._connection, number, None, self._now_s())
            record.violation = reason
            record.octets = self._recent[:RECENT_OCTETS]
            record.ended_s = record.began_s
            record.outcome = f"refused: {reason}"
        if not self._eof and event.error.status_hint != 408:
            self._violated(exchange_id, reason)
        self._archive.changes.notify()

    def _is_of_a_head(self, exchange_id: int | None) -> bool:
        """Whether it was a request that could not be decoded; over HTTP/2 such a one has a stream."""
        return exchange_id is not None or not self._is_h2

    def _violated(self, exchange_id: int | None, reason: str) -> None:
        number, octets = self._connection.number, self._recent[:RECENT_OCTETS]
        self._archive.violated(
            self._connection, Violation(number, exchange_id, reason, octets, self._now_s())
        )

    def _settle_request(self, record: ExchangeRecord) -> None:
        """Offer a request to whoever takes the next: no more of it will come."""
        if record.is_settled:
            return
        record.is_settled = True
        self._archive.whole.append(record)
        self._let_go(record)
        self._archive.changes.notify()

    # --- exchanges -----------------------------------------------------------------------------

    def ignored(self, request: RequestReceived, reason: str) -> None:
        record = self._archive.begin(self._connection, request.exchange_id, request.head, self._now_s())
        record.ended_s = record.began_s
        record.outcome = f"ignored: {reason}"
        record.is_settled = True  # and nobody is given it who waits for requests to answer

    def exchange_begun(self, exchange_id: ExchangeId, exchange: Exchange) -> None:
        began_s = time.monotonic() - self._opened_s
        record = self._archive.begin(self._connection, exchange_id, exchange.head, began_s)
        self.open[exchange_id] = record
        if self._is_h2 and record.is_promised:
            record.request_ended_s = began_s
            record.is_settled = True

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
            self._archive.keep(record, record.sent_verbatim, record.verbatim_octets, octets)
            record.verbatim_octets += len(octets)
            return
        pieces = record.sent_pieces
        if not isinstance(pieces, list):
            pieces = record.sent_pieces = []
        self._archive.keep(record, pieces, record.sent_octets, octets)
        record.sent_octets += len(octets)

    def exchange_ended(self, exchange_id: ExchangeId, outcome: str) -> None:
        record = self.open.get(exchange_id)
        if record is None:
            return
        record.ended_s = time.monotonic() - self._opened_s
        record.outcome = outcome or "complete"
        if outcome and not record.is_settled:
            self._settle_request(record)
        elif record.is_settled and not record.is_handled:
            self.open.pop(exchange_id, None)
        if self._changes.wakes:
            self._changes.notify()

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
        if record.outcome is not None:
            self._let_go(record)
        if self._changes.wakes:
            self._changes.notify()

    def _let_go(self, record: ExchangeRecord) -> None:
        if record.outcome is not None and not record.is_handled and record.is_settled:
            self.open.pop(ExchangeId(record.number), None)
