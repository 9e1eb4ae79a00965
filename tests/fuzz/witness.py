"""Witness: sees to it that a connection's events come in an order that makes sense."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from typing import assert_never

from wptproto.protocol.connection import Closing, Connection
from wptproto.protocol.events import (
    ContentFailed,
    ContentReceived,
    Event,
    ExchangeId,
    ExchangeReset,
    PeerFinished,
    PriorityUpdated,
    ProtocolViolated,
    RequestEnded,
    RequestReceived,
    UpgradeReceived,
    WindowOpened,
)

__all__ = ["Witness"]


class _State(Enum):
    RECEIVING = auto()
    RECEIVED = auto()  # all of the request, or all there will be
    ANSWERED = auto()  # while the request goes on
    OVER = auto()


class Witness:
    """
    What a connection has said of its exchanges.

    Attributes:
        methods: Of each request, in order.
    """

    def __init__(self) -> None:
        self.methods: dict[ExchangeId, str] = {}
        self._states: dict[ExchangeId, _State] = {}
        self._is_violated = False

    @property
    def exchanges(self) -> list[ExchangeId]:
        """Those there were, the last one first."""
        return list(reversed(self.methods))

    def is_over(self, exchange_id: ExchangeId) -> bool:
        """Whether an exchange has ended, or never was."""
        return self._states.get(exchange_id, _State.OVER) in (_State.ANSWERED, _State.OVER)

    def finished(self, exchange_id: ExchangeId) -> None:
        """Take note that we have finished or aborted it; its content is nobody's any more."""
        state = self._states.get(exchange_id)
        if state is not None:
            goes_on = state in (_State.RECEIVING, _State.ANSWERED)
            self._states[exchange_id] = _State.ANSWERED if goes_on else _State.OVER

    def take(self, events: Iterable[Event], connection: Connection) -> None:
        """
        Look at events as they come out.

        Raises:
            AssertionError: One is out of place.
        """
        for event in events:
            assert not self._is_violated, "nothing follows an error of the connection"
            self._take(event)
        if self._is_violated:
            assert connection.closing is not Closing.NO

    def _is_going_on(self, exchange_id: ExchangeId) -> bool:
        return self._states[exchange_id] in (_State.RECEIVING, _State.ANSWERED)

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived(exchange_id, head, has_content):
                assert exchange_id not in self._states, "ids name one exchange each"
                self.methods[exchange_id] = head.method
                self._states[exchange_id] = _State.RECEIVING
                assert has_content in (True, False)
            case ContentReceived(exchange_id, data, last):
                assert self._is_going_on(exchange_id), "content between head and end"
                assert data or last, "a piece of content is not empty"
            case RequestEnded(exchange_id) | ContentFailed(exchange_id):
                assert self._is_going_on(exchange_id), "a request ends once"
                answered = self._states[exchange_id] is _State.ANSWERED
                self._states[exchange_id] = _State.OVER if answered else _State.RECEIVED
            case ExchangeReset(exchange_id):
                assert self._states[exchange_id] is not _State.OVER, "what is over is not reset"
                self._states[exchange_id] = _State.OVER
            case PriorityUpdated(exchange_id):
                assert self._states[exchange_id] is not _State.OVER, "what is over has no priority"
            case ProtocolViolated(error):
                self._is_violated = error.exchange_id is None
            case WindowOpened() | PeerFinished() | UpgradeReceived():
                pass
            case _:
                assert_never(event)
