"""
Archive: the records of a server, kept as far as there is room for them, and found for whoever asks.

They are written on the loop's thread, and by those that ran handlers, and read on any.

**When a record is complete.** A test that has its whole response looks at once for what was recorded, while
the loop is perhaps still at work behind the last octet. Most of that is settled by order: what an observer is
told of octets comes before they are written, and that a handler has failed, before its response has ended.
What is left is a response whose last octet its handler sent itself, before it returned. Who reads lets the
loop come round once, where anything goes on, and then waits, for a moment, for those whose response is whole.
"""

from __future__ import annotations

import threading
from asyncio import AbstractEventLoop, _get_running_loop
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from wptproto.exchange.changes import Changes
from wptproto.exchange.signal import waiting
from wptproto.protocol.events import ExchangeId
from wptproto.semantics.message import RequestHead
from wptproto.server.exchange_record import ExchangeRecord
from wptproto.server.records import ConnectionRecord, Recording, Violation

__all__ = ["Archive"]

SETTLE_S = 1.0
"""How long who reads waits for the end of an exchange whose response is whole, once."""

DOUBT_S = 0.05
"""The same, where it cannot be told whether it is."""


class Archive:
    """
    The records of one server.

    Attributes:
        limits: How much is kept.
        changes: Who waits for something to happen.
        stop: Ends recording, for connections to come.
        exchange_count: How many exchanges there have been.
        open: Of each connection that is there, the exchanges of which there may be more to tell.
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
        self.open: dict[ConnectionRecord, dict[ExchangeId, ExchangeRecord]] = {}
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
            for exchanges in list(self.open.values())
            for record in list(exchanges.values())
            if record.outcome is None
        ]

    # --- for who records ------------------------------------------------------

    def connect(self, connection: ConnectionRecord, open_: dict[ExchangeId, ExchangeRecord]) -> None:
        """Keep a new connection, of which there is more to tell; *open_* are such exchanges of it."""
        self._connections.append(connection)
        self.open[connection] = open_

    def begin(
        self, connection: ConnectionRecord, number: int, head: RequestHead | None, began_s: float
    ) -> ExchangeRecord:
        """Keep a new exchange, and let the oldest go if there are too many."""
        self.exchange_count += 1
        connection.exchange_count += 1
        record = ExchangeRecord(self.exchange_count, connection, number, head, began_s)
        exchanges = self._exchanges
        exchanges.append(record)
        if len(exchanges) > self.limits.exchanges:
            self._drop_oldest()
        if self.changes.wakes:
            self.changes.notify()
        return record

    def keep(self, record: ExchangeRecord, pieces: list[bytes], had: int, octets: bytes | memoryview) -> None:
        """Keep octets behind the *had* ones of one content, as far as there is room for them."""
        limits, count = self.limits, len(octets)
        room = limits.content_octets - had
        if room < count or type(octets) is not bytes:
            octets = bytes(octets[: max(0, room)])
            count = len(octets)
        if not count or not record.is_kept:
            return
        pieces.append(octets)
        record.kept_octets += count
        self._kept_octets += count
        while self._kept_octets > limits.total_octets and len(self._exchanges) > 1:
            self._drop_oldest()

    def find(self, connection: ConnectionRecord, number: int) -> ExchangeRecord | None:
        """Return an exchange that has ended, if it is kept."""
        for record in reversed(self.exchanges()):
            if record.connection is connection and record.number == number:
                return record
        return None

    def violated(self, connection: ConnectionRecord, violation: Violation) -> None:
        """Keep a violation."""
        connection.violations += (violation,)
        self._violations.append(violation)
        self.changes.notify()

    def disconnect(self, connection: ConnectionRecord) -> None:
        """Take note that a connection is gone."""
        self.open.pop(connection, None)
        self.changes.notify()

    def _drop_oldest(self) -> None:
        with suppress(IndexError):  # somebody was clearing
            oldest = self._exchanges.popleft()
            oldest.is_kept = False
            self._kept_octets -= oldest.kept_octets


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
