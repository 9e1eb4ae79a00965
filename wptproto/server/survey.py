"""Survey: what a server does, asked for by any thread."""

from __future__ import annotations

import asyncio
import time
from asyncio import _get_running_loop
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future

from wptproto.exchange.signal import waiting
from wptproto.server.driver import Driver
from wptproto.server.roster import Roster
from wptproto.server.stacks import own_part, thread_stacks
from wptproto.server.state import ServerState, ThreadsState
from wptproto.server.workers import WorkerPool

__all__ = ["Survey"]

ANSWER_S = 1.0
"""How long the loop may take to answer, before it is taken for blocked."""


class Survey:
    """
    Looks at the connections of one loop, and at who works for them.

    Connections are the loop's, so it is asked to look at them itself, between two turns; that is when they
    are in order. Where it does not answer, what can be known without it is where all the threads are.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        loop_thread: Callable[[], int],
        drivers: Collection[Driver],
        roster: Roster,
        pools: Sequence[WorkerPool],
    ) -> None:
        """
        Args:
            loop: Which is asked.
            loop_thread: Tells the identifier of its thread, 0 while it does not run.
            drivers: Its connections, as they come and go.
            roster: Their handlers.
            pools: Where those that may block run.
        """
        self._loop = loop
        self._loop_thread = loop_thread
        self._drivers = drivers
        self._roster = roster
        self._pools = pools

    def take(self) -> ServerState:
        """Return what there is at this moment, without ports and stash; after ANSWER_S at the latest."""
        if self._loop_thread() == 0 or _get_running_loop() is self._loop:
            return self._look()  # nobody else could
        answer: Future[ServerState] = Future()
        try:
            self._loop.call_soon_threadsafe(self._answer, answer)
            waiting.is_next()
            return answer.result(ANSWER_S)
        except TimeoutError:
            return self._look(blocked=True)
        except RuntimeError:
            return ServerState()  # the loop has ended

    def _answer(self, answer: Future[ServerState]) -> None:
        try:
            answer.set_result(self._look())
        except Exception as error:  # noqa: BLE001 -- whoever asks is told
            answer.set_exception(error)

    def _look(self, *, blocked: bool = False) -> ServerState:
        """Look at everything, on the loop's thread; on another, at what is not the loop's own."""
        stacks, loop_thread = thread_stacks(), self._loop_thread()
        handlers = self._roster.handlers(stacks, asyncio.current_task(self._loop), loop_thread)
        now_s = time.monotonic()
        connections = () if blocked else tuple(driver.state(now_s, handlers) for driver in self._drivers)
        served = {id(state.handler) for connection in connections for state in connection.exchanges}
        return ServerState(
            loop=own_part(stacks.get(loop_thread, ())) if blocked else None,
            connections=connections,
            handlers=tuple(state for state in handlers.values() if id(state) not in served),
            threads=_sum([pool.state(stacks, self._roster.threads) for pool in self._pools]),
        )


def _sum(states: Sequence[ThreadsState]) -> ThreadsState:
    return ThreadsState(
        free=sum(state.free for state in states),
        others=tuple(other for state in states for other in state.others),
        waiting=sum(state.waiting for state in states),
    )
