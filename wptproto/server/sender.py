"""
Sender: what handlers ask for, carried out on their connection.

Content waits in its command until the connection's window and the transport's buffer have room, one piece
of each exchange in turn. So nothing piles up here that a client does not read.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import assert_never

from wptproto.errors import ExchangeClosed, LocalProtocolError
from wptproto.exchange.bridge import (
    Abort,
    AskPush,
    AskRoom,
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
)
from wptproto.protocol.connection import Connection
from wptproto.protocol.events import Event, ExchangeId
from wptproto.semantics.fields import Fields
from wptproto.server.exchanges import Exchanges
from wptproto.server.observer import Observer
from wptproto.server.running import Plan, Running

__all__ = ["PIECE_OCTETS", "Sender"]

log = logging.getLogger("wptproto.server")

PIECE_OCTETS = 64 * 1024
"""How much content of one exchange is taken before the next has its turn, and before octets are written."""

_PARTS = 3  # of a whole response: head, content, end


class _Progress(Enum):
    NOTHING_LEFT = auto()
    MORE = auto()
    STALLED = auto()  # until the peer opens its window
    HELD = auto()  # until something that goes wrong is over


class Sender:
    """
    Carries out the commands of one connection's exchanges.

    Attributes:
        unwritten_octets: Of content that the connection took; whoever writes its octets sets this back.
    """

    def __init__(
        self,
        exchanges: Exchanges,
        misbehave: Callable[[Running, Misbehave], bool],
        observer: Observer | None = None,
    ) -> None:
        """
        Args:
            exchanges: Those of the connection.
            misbehave: Does what a handler wants to go wrong; returns whether its response goes on now.
            observer: Is told what was carried out, if anybody is.
        """
        self._exchanges = exchanges
        self._misbehave = misbehave
        self._observer = observer
        self._ready: deque[Running] = deque()
        self.unwritten_octets = 0

    @property
    def has_work(self) -> bool:
        """Whether there are commands that can be carried out."""
        return bool(self._ready)

    def enqueue(self, running: Running) -> None:
        """Let an exchange have its turn, if it has commands and does not wait for a window."""
        if not (running.queued or running.stalled or running.held) and running.bridge.commands:
            running.queued = True
            self._ready.append(running)

    def unstall(self, exchange_id: ExchangeId | None) -> None:
        """Let the exchange whose window has opened go on; all of them for None."""
        exchanges = self._exchanges.running
        if exchange_id is None:
            opened = list(exchanges.values())
        else:
            opened = [exchanges[exchange_id]] if exchange_id in exchanges else []
        for running in opened:
            if running.stalled:
                running.stalled = False
                self.enqueue(running)

    def carry_out(self, connection: Connection) -> list[Event]:
        """
        Carry out commands until a piece's worth of octets is to be written, or none is left.

        Returns:
            What the peer had sent ahead of the responses that ended.
        """
        events: list[Event] = []
        while self._ready:
            running = self._ready.popleft()
            running.queued = False
            if running.bridge.closed:
                continue
            self._take_turn(connection, running, events)
            if self.unwritten_octets >= PIECE_OCTETS:
                break
        return events

    def cut_off(
        self, connection: Connection, running: Running, reason: str, *, too_slow: bool = False
    ) -> None:
        """End a response before its time, so that the peer sees it, who was perhaps too slow to take it."""
        connection.abort(running.bridge.exchange_id, too_slow=too_slow)
        self._exchanges.drop(running, ExchangeClosed(reason))

    def _take_turn(self, connection: Connection, running: Running, events: list[Event]) -> None:
        try:
            progress = self._advance(connection, running, events)
        except ExchangeClosed as error:
            self._exchanges.drop(running, error)
        except LocalProtocolError as error:
            log.error("%s: the response was cut off: %s", running, error.reason)
            self.cut_off(connection, running, error.reason)
        except Exception as error:
            log.exception("a response failed by a fault of the server, and was cut off")
            self.cut_off(connection, running, f"{type(error).__name__}: {error}")
        else:
            running.stalled = progress is _Progress.STALLED
            if progress is _Progress.MORE:
                self.enqueue(running)
            self._exchanges.weigh(running)

    def _advance(self, connection: Connection, running: Running, events: list[Event]) -> _Progress:
        """Carry out the commands of one exchange, up to one piece of content."""
        commands = running.bridge.commands
        exchange_id = running.bridge.exchange_id
        if running.plan is None and len(commands) == _PARTS and self._respond(connection, running, events):
            return _Progress.NOTHING_LEFT
        while commands:
            command = commands[0]
            if running.plan is not None and not running.plan.allows(command):
                return _Progress.HELD
            match command:  # the usual ones first, for it asks in order
                case SendHead(head, end):
                    connection.send_head(exchange_id, head, end=end)
                    running.status = head.status
                case SendContent(data, end):
                    progress = self._send_content(connection, running, data, end)
                    if progress is not None:
                        return progress
                case Finish(close):
                    events += connection.finish(exchange_id, close=close)
                    self._exchanges.finish(running)
                    if running.plan is not None:
                        running.plan.ended()
                    return _Progress.NOTHING_LEFT
                case SendVerbatim():
                    if not self._send_verbatim(connection, running, command):
                        return _Progress.MORE
                case SendInformational(head):
                    connection.send_informational(exchange_id, head)
                case SendTrailers(trailers):
                    connection.send_trailers(exchange_id, trailers)
                case SendFrame(frame):
                    connection.send_frame(exchange_id, frame)
                case Misbehave():
                    commands.popleft()
                    if not self._misbehave(running, command):
                        return _Progress.HELD
                    continue
                case Push() | AskPush() | AskRoom():
                    self._answer(connection, exchange_id, command)
                case Abort(reason):
                    self.cut_off(connection, running, reason)
                    return _Progress.NOTHING_LEFT
                case _:
                    assert_never(command)
            commands.popleft()
            if self._observer is not None and not isinstance(command, SendContent | SendVerbatim):
                self._observer.command(exchange_id, command)
        return _Progress.NOTHING_LEFT

    def _respond(self, connection: Connection, running: Running, events: list[Event]) -> bool:
        """Send a whole response, if there is one, and it goes at one go."""
        bridge = running.bridge
        first, second, third = bridge.commands
        if not (type(first) is SendHead and type(second) is SendContent and type(third) is Finish):
            return False
        head, data = first.head, second.data
        if first.end or not second.end or len(data) > PIECE_OCTETS:
            return False
        following = connection.respond(bridge.exchange_id, head, data, close=third.close)
        if following is None:
            return False
        running.status = head.status
        running.sent_octets += len(data)
        self.unwritten_octets += len(data)
        if self._observer is not None:
            self._observer.command(bridge.exchange_id, first)
            self._observer.content_sent(bridge.exchange_id, data, verbatim=False)
        events += following
        self._exchanges.finish(running)
        return True

    def _answer(self, connection: Connection, exchange_id: ExchangeId, question: Question) -> None:
        """Answer a question; what is wrong with it is its own asker's to handle."""
        try:
            match question:
                case Push(lines, promised_id, promise):
                    received = connection.push(exchange_id, lines, promised_id)
                    running = self._exchanges.begin(received)
                    running.exchange.content.end(Fields())
                    if question.handled:
                        running.exchange.handler = question.handler
                        self._exchanges.await_handler(running)
                    promise.set_result(Promised(received, running.bridge))
                case AskPush(answer):
                    answer.set_result(connection.can_push(exchange_id))
                case AskRoom(room):
                    room.set_result(connection.room(exchange_id))
                case _:
                    assert_never(question)
        except LocalProtocolError as error:
            question.answer.set_exception(error)

    def _send_verbatim(self, connection: Connection, running: Running, command: SendVerbatim) -> bool:
        """Send the next piece of octets as they are; whether they are all sent."""
        octets, content = command
        begin = running.offset
        end = min(begin + PIECE_OCTETS, len(octets))
        first, last = content or (len(octets), len(octets))
        room = running.plan.room() if running.plan is not None else None
        if room is not None and begin < last:
            end = min(end, max(begin, first) + room)
        piece = octets[begin:end]
        connection.send_verbatim(running.bridge.exchange_id, piece)
        if self._observer is not None:
            self._observer.content_sent(running.bridge.exchange_id, piece, verbatim=True)
        sent = max(0, min(end, last) - max(begin, first))  # of content
        running.framing_octets += len(piece) - sent
        if running.plan is not None:
            running.plan.sent(sent)
        return self._sent(running, len(piece), len(octets))

    def _send_planned(
        self, connection: Connection, running: Running, plan: Plan, data: bytes, end: bool
    ) -> _Progress | None:
        """Send a piece of *data* within which nothing is to go wrong; None when all of it is sent."""
        room = min(PIECE_OCTETS, PIECE_OCTETS if (planned := plan.room()) is None else planned)
        piece = data[running.offset :][:room]
        stops = len(piece) == planned  # and something may come before the end
        last = running.offset + len(piece) == len(data)
        taken = connection.send_content(running.bridge.exchange_id, piece, end=end and last and not stops)
        if self._observer is not None and taken:
            self._observer.content_sent(running.bridge.exchange_id, piece[:taken], verbatim=False)
        plan.sent(taken)
        if not self._sent(running, taken, len(data)):
            return _Progress.MORE if taken == len(piece) else _Progress.STALLED
        if end and stops:
            running.bridge.commands[0] = SendContent(b"", end=True)
            return _Progress.MORE
        return None

    def _send_content(
        self, connection: Connection, running: Running, data: bytes, end: bool
    ) -> _Progress | None:
        """Send the next piece of *data*; None when it is all sent."""
        if running.plan is not None:
            return self._send_planned(connection, running, running.plan, data, end)
        piece = data if len(data) <= PIECE_OCTETS else memoryview(data)[running.offset :][:PIECE_OCTETS]
        if running.offset and piece is data:
            piece = data[running.offset :]
        last = running.offset + len(piece) == len(data)
        taken = connection.send_content(running.bridge.exchange_id, piece, end=end and last)
        if self._observer is not None and taken:
            self._observer.content_sent(running.bridge.exchange_id, piece[:taken], verbatim=False)
        if self._sent(running, taken, len(data)):
            return None
        return _Progress.MORE if taken == len(piece) else _Progress.STALLED

    def _sent(self, running: Running, taken: int, size: int) -> bool:
        """Count octets of the first command; whether it has been sent whole."""
        running.sent_octets += taken
        running.offset += taken
        running.bridge.took(taken)
        self.unwritten_octets += taken
        if running.offset < size:
            return False
        running.offset = 0
        return True
