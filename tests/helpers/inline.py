"""InlineBridge: a bridge without a loop; it carries commands out where they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from wptproto.errors import ExchangeClosed, LocalProtocolError
from wptproto.exchange.bridge import (
    Abort,
    AskPush,
    AskRoom,
    Bridge,
    Command,
    Finish,
    Misbehave,
    Promised,
    Push,
    Question,
    SendContent,
    SendFrame,
    SendHead,
    SendInformational,
    SendTrailers,
    SendVerbatim,
    Sent,
)
from wptproto.exchange.exchange import Exchange, Surroundings
from wptproto.protocol.connection import Connection
from wptproto.protocol.events import ContentReceived, RequestEnded, RequestReceived

__all__ = ["InlineBridge", "as_is", "begin"]


class InlineBridge(Bridge):
    """
    Attributes:
        crossings: The commands of each call, by name.
        aborted: Why the exchange was aborted, if it was.
        promised: The bridge of what was pushed last.
    """

    def __init__(self, connection: Connection, received: RequestReceived) -> None:
        self.connection = connection
        self.exchange_id = received.exchange_id
        self.crossings: list[list[str]] = []
        self.acknowledged = 0
        self.aborted: str | None = None
        self.promised: InlineBridge | None = None

    def send(self, commands: Sequence[Command]) -> Sent:
        if not self.closed and commands:
            self.crossings.append([type(command).__name__ for command in commands])
            for command in commands:
                self._carry_out(command)
        return cast("Sent", not self.closed)

    def ask(self, question: Question) -> None:
        if self.closed:
            question.answer.set_exception(ExchangeClosed("closed"))
            return
        try:
            self.send([question])
        except LocalProtocolError as error:
            question.answer.set_exception(error)

    def _carry_out(self, command: Command) -> None:
        match command:
            case SendInformational(head):
                self.connection.send_informational(self.exchange_id, head)
            case SendHead(head, end):
                self.connection.send_head(self.exchange_id, head, end=end)
            case SendContent(data, end):
                self.connection.send_content(self.exchange_id, data, end=end)
            case SendTrailers(trailers):
                self.connection.send_trailers(self.exchange_id, trailers)
            case SendVerbatim(octets):
                self.connection.send_verbatim(self.exchange_id, octets)
            case SendFrame(frame):
                self.connection.send_frame(self.exchange_id, frame)
            case Misbehave():
                raise AssertionError("nothing goes wrong here")
            case Push(lines, promised_id, promise):
                received = self.connection.push(self.exchange_id, lines, promised_id)
                self.promised = InlineBridge(self.connection, received)
                promise.set_result(Promised(received, self.promised))
            case AskPush(answer):
                answer.set_result(self.connection.can_push(self.exchange_id))
            case AskRoom(room):
                room.set_result(self.connection.room(self.exchange_id))
            case Finish(close):
                self.connection.finish(self.exchange_id, close=close)
                self.closed = True
            case Abort(reason):
                self.connection.abort(self.exchange_id)
                self.aborted = reason
                self.closed = True

    def acknowledge(self, consumed: int) -> None:
        self.acknowledged += consumed

    def pause(self, seconds: float) -> None:
        return None  # no time passes

    async def drained(self) -> None:
        return None


def begin(connection: Connection, octets: bytes) -> tuple[Exchange, InlineBridge]:
    """Let a connection receive a request, and return its exchange, its content fed as far as it came."""
    events = connection.receive_data(octets)
    received = next(event for event in events if isinstance(event, RequestReceived))
    connection.data_to_send()
    bridge = InlineBridge(connection, received)
    exchange = Exchange(received, bridge, Surroundings("http", ("127.0.0.1", 1), ("127.0.0.1", 2)))
    for event in events:
        if isinstance(event, ContentReceived):
            exchange.content.feed(event.data, last=event.last)
        elif isinstance(event, RequestEnded):
            exchange.content.end(event.trailers)
    return exchange, bridge


def as_is(answer: object) -> object:
    """Return what a write answered on a thread: a plain bool, which its type, for coroutines' sake, hides."""
    return answer
