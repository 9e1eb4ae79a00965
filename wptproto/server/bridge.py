"""LoopBridge: one exchange's commands on their way from a handler's thread to the loop."""

from __future__ import annotations

import asyncio
from asyncio import _get_running_loop
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import InvalidStateError
from contextlib import suppress
from typing import cast

from wptproto.errors import ExchangeClosed, LocalProtocolError
from wptproto.exchange.bridge import (
    Abort,
    AskPush,
    AskRoom,
    Bridge,
    Command,
    Finish,
    Push,
    Question,
    SendContent,
    SendVerbatim,
    Sent,
)
from wptproto.exchange.signal import Signal, waiting
from wptproto.protocol.events import ExchangeId

__all__ = ["HIGH_WATER_OCTETS", "LoopBridge"]

HIGH_WATER_OCTETS = 256 * 1024
"""How much of one response may be on its way before its handler has to wait."""


class LoopBridge(Bridge):
    """
    The queue between one handler and the driver of its connection.

    The handler's thread only ever appends and counts up what it offered; the loop's only ever
    takes and counts up what it took. So neither needs a lock.
    """

    def __init__(
        self,
        exchange_id: ExchangeId,
        wake: Callable[[LoopBridge], None],
        serve: Callable[[LoopBridge], None],
        share: Callable[[], int],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """
        Args:
            exchange_id: Whose commands these are.
            wake: Called on the handler's thread when there is something to take.
            serve: Called on the loop's thread to take what is there, now.
            share: Tells how many octets of the connection's budget are this exchange's.
            loop: Whose thread must never wait.
        """
        self.exchange_id = exchange_id
        self.commands: deque[Command] = deque()
        self._acknowledged: deque[int] = deque()
        self._wake = wake
        self._serve = serve
        self._share = share
        self._loop = loop
        self._offered = 0
        self._taken = 0
        self._signal = Signal()

    # --- the handler's side --------------------------------------------------------------------

    def send(self, commands: Sequence[Command]) -> Sent:
        if commands and not self.closed:
            for command in commands:
                self._offered += _size(command)
            self.commands.extend(commands)
            self._wake(self)
        if _get_running_loop() is self._loop:
            return Sent(self)
        if commands and not isinstance(commands[-1], Finish | Abort):
            waiting.is_next()  # not for room: what was said shall leave now
            self._signal.wait_for(self._has_room)
        return cast("Sent", not self.closed)

    def ask(self, question: Question) -> None:
        if _get_running_loop() is self._loop:
            self._ask_on_loop(question)
            return
        self.send([question])
        if self.closed:
            _refuse(question)  # unless it was answered before
        question.answer.exception()  # waits; what it says is for the asker

    def _ask_on_loop(self, question: Question) -> None:
        self.commands.append(question)
        self._serve(self)
        if self.closed:
            _refuse(question)
        elif not question.answer.done():
            self.commands.remove(question)
            raise LocalProtocolError("what was written before has not left yet; await those writes first")

    def pause(self, seconds: float) -> None:
        self._signal.wait_for(lambda: self.closed, seconds)

    async def drained(self) -> None:
        await self._signal.wait_for_async(self._has_room)

    async def gone(self) -> None:
        """Wait until nobody waits for the response; on the loop's thread only."""
        await self._signal.wait_for_async(lambda: self.closed)

    def acknowledge(self, consumed: int) -> None:
        if not self.closed:
            self._acknowledged.append(consumed)
            self._wake(self)

    def _has_room(self) -> bool:
        return self.closed or self._offered - self._taken <= min(HIGH_WATER_OCTETS, self._share())

    # --- the loop's side -----------------------------------------------------------------------

    @property
    def held_octets(self) -> int:
        """How much content waits here for the connection to take it."""
        return 0 if self.closed else self._offered - self._taken

    def took(self, octets: int) -> None:
        """Count octets that the connection took, and let the handler go on if it waits for that."""
        self._taken += octets
        if self._has_room():
            self._signal.notify()

    def take_acknowledged(self) -> int:
        """Return how many octets of the request the handler consumed since the last call."""
        total = 0
        while self._acknowledged:
            total += self._acknowledged.popleft()
        return total

    def close(self) -> None:
        """Let every write answer that the peer is gone, and drop what was still to be sent."""
        self.closed = True
        left = list(self.commands)
        self.commands.clear()
        for command in left:
            if isinstance(command, Push | AskPush | AskRoom):
                _refuse(command)
        self._signal.notify()


def _refuse(question: Question) -> None:
    """Answer that nobody is there to answer."""
    with suppress(InvalidStateError):
        question.answer.set_exception(ExchangeClosed("the exchange is closed"))


def _size(command: Command) -> int:
    match command:
        case SendContent(data=octets) | SendVerbatim(octets=octets):
            return len(octets)
        case _:
            return 0
