"""Careless: a server that gets the order of things wrong."""

from __future__ import annotations

from wptproto.errors import ExchangeClosed, LocalProtocolError
from wptproto.protocol.connection import Connection
from wptproto.protocol.events import (
    ContentFailed,
    Event,
    ExchangeId,
    ExchangeReset,
    RequestEnded,
    RequestReceived,
)
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import ResponseHead

__all__ = ["Careless"]


class Careless:
    """
    A server that answers in some way, and now and then in the wrong order.

    What it must never meet is an exception beside the two that a connection promises.
    """

    def __init__(self, habit: int) -> None:
        self._habit = habit
        self._begun: list[ExchangeId] = []

    def __call__(self, connection: Connection, event: Event) -> list[Event]:
        if isinstance(event, RequestReceived):
            self._begun.append(event.exchange_id)
        if not isinstance(event, RequestReceived | RequestEnded | ContentFailed | ExchangeReset):
            return []
        if isinstance(event, RequestReceived) and self._habit % 3:
            return []  # wait until it has come whole
        return self._respond(connection, event.exchange_id)

    def _respond(self, connection: Connection, exchange_id: ExchangeId) -> list[Event]:
        self._habit = self._habit * 7 + 1
        habit = self._habit
        head = ResponseHead(200, Fields([(b"content-length", b"2")] if habit % 2 else []))
        try:
            if habit % 5 == 0:
                connection.send_informational(exchange_id, ResponseHead(103, Fields()))
            connection.send_head(exchange_id, head, end=habit % 11 == 0)
            connection.send_content(exchange_id, b"ok", end=habit % 3 == 0)
            connection.acknowledge(exchange_id, 1)
            if habit % 7 == 0:
                connection.send_trailers(exchange_id, Fields([(b"a", b"1")]))
            if habit % 13 == 0:
                connection.send_verbatim(exchange_id, b"octets")
        except (LocalProtocolError, ExchangeClosed):
            pass
        if habit % 4 == 0:
            connection.abort(exchange_id)
        return connection.finish(exchange_id, close=habit % 17 == 0)

    def leave(self, connection: Connection) -> None:
        """End all that was begun, and then the connection."""
        for exchange_id in self._begun:
            self._respond(connection, exchange_id)
        connection.close("enough")
        connection.data_to_send()
