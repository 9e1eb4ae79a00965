"""Calls: when handlers are called, and on which thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from wptproto.exchange.exchange import Exchange
from wptproto.handlers.dispatcher import Dispatcher, is_async, is_ours
from wptproto.handlers.router import Handler
from wptproto.server.bridge import LoopBridge
from wptproto.server.latency import Latency
from wptproto.server.relay import Job, Relay
from wptproto.server.roster import Roster
from wptproto.server.workers import Executor, WorkerPool

__all__ = ["Calls"]


class Calls:
    """
    Has the handlers of one server called: on the loop's thread, or, if they block, on others.

    Attributes:
        roster: Those that are at work.
        pools: The threads.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        relay: Relay,
        dispatcher: Dispatcher,
        latency: Latency | None,
        threads: int,
        after_look: Callable[[], None],
    ) -> None:
        """
        Args:
            loop: Whose default executor runs on the same threads from now on.
            relay: Carries the loop, and runs on its thread what does not block.
            dispatcher: Runs the handlers.
            latency: How long they are put off.
            threads: How many of each pool there may be.
            after_look: Called on the loop's thread whenever a pool has looked for jobs that wait.
        """
        self._loop = loop
        self._relay = relay
        self._dispatcher = dispatcher
        self._latency = latency
        self.roster = Roster()
        # A handler that was written for a test may wait for another's request, so those that wait for nobody,
        # which are ours, are not to stand behind it.
        self._workers, self._own_workers = self.pools = (
            WorkerPool("wptproto", loop.call_later, after_look, threads),
            WorkerPool("wptproto", loop.call_later, after_look, threads),
        )
        loop.set_default_executor(Executor(self._workers))

    @property
    def are_many(self) -> bool:
        """Whether what handlers say will be looked for in a moment anyway."""
        return self._relay.is_in_job() or self._workers.is_looking() or self._own_workers.is_looking()

    @property
    def are_behind(self) -> bool:
        """Whether handlers wait for the loop's thread, or for one that a pool will start soon."""
        return self._relay.has_jobs or self._workers.is_looking() or self._own_workers.is_looking()

    @property
    def are_too_many(self) -> bool:
        """Whether handlers wait for a thread, and there is to be no other."""
        return self._workers.is_exhausted or self._own_workers.is_exhausted

    def stop(self) -> None:
        """Let free threads leave at once, and the others when their handlers return."""
        for pool in self.pools:
            pool.stop()

    def find(self, exchange: Exchange) -> Handler | None:
        """Return what an exchange is for; on the loop's thread."""
        return self._dispatcher.find(exchange)

    def start(self, exchange: Exchange, handler: Handler | None, bridge: LoopBridge) -> None:
        """Have an exchange handled; on the loop's thread."""
        if self._latency is None:
            self._answer(exchange, handler)
        else:
            self._continue(self._answer_later(exchange, handler, bridge, self._latency()))

    async def _answer_later(
        self, exchange: Exchange, handler: Handler | None, bridge: LoopBridge, delay_s: float
    ) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await bridge.gone()
        if bridge.closed:
            exchange.release()
        else:
            self._answer(exchange, handler)

    def _answer(self, exchange: Exchange, handler: Handler | None) -> None:
        if is_async(handler):
            rest = self._dispatcher.run(exchange, handler)
            if rest is not None:
                self._continue(rest, exchange)
        else:
            workers = self._own_workers if is_ours(handler) else self._workers
            kind = (id(handler), exchange.request.path)
            self._relay.submit(Job(lambda: self._work(exchange, handler), kind, workers))

    def _work(self, exchange: Exchange, handler: Handler | None) -> None:
        """Run a handler, on a thread that may block."""
        thread = threading.get_ident()
        self.roster.threads[thread] = exchange
        try:
            rest = self._dispatcher.run(exchange, handler)
        finally:
            del self.roster.threads[thread]
        if rest is not None:
            try:
                self._loop.call_soon_threadsafe(self._continue, rest, exchange)
            except RuntimeError:
                rest.close()  # the server has stopped

    def _continue(self, rest: Coroutine[Any, Any, None], exchange: Exchange | None = None) -> None:
        task = self._loop.create_task(rest)
        self.roster.tasks[task] = exchange
        task.add_done_callback(self.roster.tasks.pop)
