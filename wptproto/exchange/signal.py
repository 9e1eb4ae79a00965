"""Signal: something changed; wake who waits for it, a thread or a coroutine."""

from __future__ import annotations

import asyncio
import threading
from asyncio import _get_running_loop
from collections.abc import Callable

__all__ = ["Signal", "waiting"]


class _Waiting(threading.local):
    """
    What a thread has to do before it waits.

    Attributes:
        hook: That, if anything; called once.
    """

    hook: Callable[[], None] | None = None

    def is_next(self) -> None:
        """Do it, for this thread is about to wait."""
        if self.hook is not None:
            self.hook()


waiting = _Waiting()


class Signal:
    """
    A condition variable without a lock of its owner's: who makes it is the loop that notifies.

    Its owner (one loop, on whatever thread it is) changes what it pleases and then calls :meth:`notify`.
    Who waits says what for. The flag goes up before the predicate is looked at, and the
    owner looks at the flag after its change: one of the two sees the other.
    """

    __slots__ = ("_condition", "_futures", "_loop")

    def __init__(self) -> None:
        self._loop = _get_running_loop()
        self._condition: threading.Condition | None = None
        self._futures: list[asyncio.Future[None]] = []

    def notify(self) -> None:
        """Let everyone who waits look again. On the loop's thread only."""
        condition = self._condition
        if condition is not None:
            with condition:
                condition.notify_all()
        if self._futures:
            futures, self._futures = self._futures, []
            for future in futures:
                if not future.done():
                    future.set_result(None)

    def wait_for(self, predicate: Callable[[], bool], timeout_s: float | None = None) -> None:
        """
        Block this thread until *predicate* holds, or, if there is a time-out, until that is over.

        Raises:
            RuntimeError: On a loop's thread, which would then never see it hold.
        """
        if predicate():
            return
        self.refuse_on_loop()
        waiting.is_next()
        if self._condition is None:
            self._condition = threading.Condition()
        with self._condition:
            self._condition.wait_for(predicate, timeout_s)

    def refuse_on_loop(self) -> None:
        """
        Raise where waiting would be for ever: on the loop's own thread.

        Raises:
            RuntimeError: Says what an async handler does instead.
        """
        if self._loop is None or _get_running_loop() is not self._loop:
            return
        raise RuntimeError(
            "an async handler must not block its loop: await instead (for content: "
            "request.raw_input.read_async()), or make the handler a plain def"
        )

    async def wait_for_async(self, predicate: Callable[[], bool]) -> None:
        """Suspend this coroutine until *predicate* holds. On the loop's thread only."""
        while not predicate():
            future = asyncio.get_running_loop().create_future()
            self._futures.append(future)
            await future
