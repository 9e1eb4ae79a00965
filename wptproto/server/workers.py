"""WorkerPool: threads on demand for handlers that may block. Mailbox: what they tell the loop, in batches."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

__all__ = ["Mailbox", "WorkerPool"]

log = logging.getLogger("wptproto.server")

T = TypeVar("T")

MAX_WORKERS = 4096
IDLE_S = 10.0


class Mailbox(Generic[T]):
    """
    Takes messages from any thread to one callable on the loop's.

    Waking a loop costs a system call and a switch of threads, so it is woken once for all that
    comes until it looks.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, deliver: Callable[[list[T]], None]) -> None:
        self._loop = loop
        self._deliver = deliver
        self._messages: deque[T] = deque()
        self._woken = False

    def post(self, message: T) -> None:
        """Put a message in; dropped where the loop has ended. Messages of one thread stay in order."""
        self._messages.append(message)
        if not self._woken:
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self._drain)
            except RuntimeError:
                self._messages.clear()  # the server has stopped

    def _drain(self) -> None:
        # The flag falls first: a message that comes from here on wakes the loop again.
        self._woken = False
        messages = self._messages
        self._deliver([messages.popleft() for _ in range(len(messages))])


class WorkerPool:
    """
    Threads for handlers.

    One is added whenever none is free: handlers wait for each other, and in a pool full of those
    who wait, the one they wait for would never run. A thread that is free for IDLE_S leaves.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._free = 0  # threads that wait and have not been promised a job
        self._threads = 0
        self._stopped = False

    def submit(self, job: Callable[[], None]) -> None:
        """Run *job* on a thread, at once; it must not raise."""
        with self._lock:
            if self._free:
                self._free -= 1
                start = False
            else:
                start = self._threads < MAX_WORKERS
                if start:
                    self._threads += 1
                else:
                    log.warning("all %d handler threads are busy; a request waits", MAX_WORKERS)
        self._jobs.put(job)
        if start:
            # Daemons: a handler that sleeps must not keep the interpreter from its end.
            threading.Thread(target=self._work, name=f"{self._name}-handler", daemon=True).start()

    def stop(self) -> None:
        """Let free threads leave at once, and the others when their handlers return."""
        with self._lock:
            self._stopped = True
            waiting = self._free
        for _ in range(waiting):
            self._jobs.put(None)

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=IDLE_S)
            except Empty:
                with self._lock:
                    if not self._free:
                        continue  # promised a job in this very moment
                    self._free -= 1
                    self._threads -= 1
                return
            if job is None:
                return
            job()
            job = None
            with self._lock:
                if self._stopped:
                    return
                self._free += 1
