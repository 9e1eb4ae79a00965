"""Changes: something has changed, on whatever thread; wake who waits for it, in a thread or in any loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from wptproto.exchange.signal import waiting

__all__ = ["Changes"]

T = TypeVar("T")


class Changes:
    """
    Who waits says what for: a function that returns None until it is there.

    Whoever changes something calls :meth:`notify` behind that; where nobody waits, it costs next to nothing.
    Who waits is entered before that function is called, so one of the two sees the other.

    Attributes:
        wakes: Who waits; where that is nobody, there is no need to notify.
    """

    def __init__(self) -> None:
        self.wakes: tuple[Callable[[], object], ...] = ()
        self._lock = threading.Lock()

    def notify(self) -> None:
        """Let everyone who waits look again."""
        for wake in self.wakes:
            wake()

    def wait_for(self, find: Callable[[], T | None], timeout_s: float) -> T | None:
        """
        Block this thread until there is something to find.

        Args:
            find: Returns it, or None; must not raise where the wait is to go on.
            timeout_s: For how long at the most.

        Returns:
            What was found; None where the time is over.
        """
        found = find()
        if found is not None or timeout_s <= 0:
            return found
        waiting.is_next()
        deadline_s = time.monotonic() + timeout_s
        event = threading.Event()
        with self._waking(event.set):
            while (found := find()) is None:
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return None
                event.wait(left_s)
                event.clear()
        return found

    async def wait_for_async(self, find: Callable[[], T | None], timeout_s: float) -> T | None:
        """Do as :meth:`wait_for` does, from a coroutine of any asyncio loop."""
        found = find()
        if found is not None or timeout_s <= 0:
            return found
        loop = asyncio.get_running_loop()
        event = asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # that loop is gone, and nobody waits there
                loop.call_soon_threadsafe(event.set)

        with self._waking(wake), suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while (found := find()) is None:
                    await event.wait()
                    event.clear()
        return found

    @contextmanager
    def _waking(self, wake: Callable[[], object]) -> Iterator[None]:
        with self._lock:
            self.wakes = (*self.wakes, wake)
        try:
            yield
        finally:
            with self._lock:
                self.wakes = tuple(one for one in self.wakes if one is not wake)
