"""WorkerPool: threads on demand for handlers that may block. Mailbox: what they tell the loop, in batches."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Container, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Generic, ParamSpec, TypeVar

from wptproto.limits import DEFAULT_LIMITS
from wptproto.server.notice import Notice
from wptproto.server.stacks import own_part
from wptproto.server.state import Stack, ThreadsState

__all__ = ["Executor", "Mailbox", "WorkerPool"]

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")

IDLE_S = 10.0
PATIENCE_S = 0.0005
SCARCE_S = 0.05
"""How long to leave a system alone that gives no more threads."""


class Mailbox(Generic[T]):
    """
    Takes messages from any thread to one callable on the loop's.

    Waking a loop costs a system call and a switch of threads, so it is woken once for all that
    comes until it looks.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        deliver: Callable[[list[T]], None],
        is_expected: Callable[[], bool],
    ) -> None:
        """
        Args:
            loop: Whose thread the messages go to.
            deliver: Called there with one message or more, in order.
            is_expected: Whether somebody will call :meth:`drain` in a moment anyway, after it has
                become false. Then the loop is not woken.
        """
        self._loop = loop
        self._deliver = deliver
        self._is_expected = is_expected
        self._messages: deque[T] = deque()
        self._woken = False

    def post(self, message: T) -> None:
        """Put a message in; dropped where the loop has ended. Messages of one thread stay in order."""
        self._messages.append(message)
        if not self._woken and not self._is_expected():
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self.drain)
            except RuntimeError:
                self._messages.clear()  # the server has stopped

    def drain(self) -> None:
        """Deliver what has come, on the loop's thread."""
        # The flag falls first: a message that comes from here on wakes the loop again.
        self._woken = False
        messages = self._messages
        if messages:
            self._deliver([messages.popleft() for _ in range(len(messages))])


class Executor(ThreadPoolExecutor):
    """
    A loop's default executor that runs on a pool's threads.

    asyncio's own waits for its threads at the interpreter's end, and ``asyncio.to_thread`` in an
    async handler would keep a server from stopping.
    """

    def __init__(self, pool: WorkerPool) -> None:
        super().__init__(max_workers=1)  # which is never started
        self._pool = pool

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run a function on a thread of the pool."""
        future: Future[R] = Future()

        def job() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001 -- whoever asked for it is told
                    future.set_exception(error)

        self._pool.submit(job)
        return future


class WorkerPool:
    """
    Threads for handlers.

    However many handlers block, the next one runs: they wait for each other, and in a pool full of
    those who wait, the one they wait for would never run. But most handlers are through sooner than a
    thread is made. So the first that finds no thread gets one at once, and for the others the pool
    looks again after PATIENCE_S, and again, until none is waiting. A thread that was free for
    IDLE_S leaves.

    Each job is either promised to a thread, which then cannot leave, or counted as waiting. At the limit
    nobody looks: whoever is through takes what waits.
    """

    def __init__(
        self,
        name: str,
        call_later: Callable[[float, Callable[[], None]], object],
        after_look: Callable[[], None] = lambda: None,
        limit: int = DEFAULT_LIMITS.threads,
    ) -> None:
        """
        Args:
            name: Of the threads.
            call_later: Calls a function after so many seconds; the loop's.
            after_look: Called on the loop's thread whenever the pool has looked for jobs that wait.
            limit: How many threads there may be.
        """
        self._after_look = after_look
        self._limit = limit
        self._notice = Notice()
        self._name = name
        self._call_later = call_later
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0  # jobs that are promised to no thread
        self._free = 0  # threads that are promised no job
        self._threads = 0
        self._members: set[threading.Thread] = set()
        self._looking = False
        self._retrying = False
        self._stopped = False

    def is_looking(self) -> bool:
        """Whether the pool will look again within PATIENCE_S: more handlers came than threads are free."""
        return self._looking

    @property
    def is_exhausted(self) -> bool:
        """Whether jobs wait, and nobody looks for a thread for them: there are as many as there can be."""
        return self._waiting > 0 and not self._looking

    def submit(self, job: Callable[[], None]) -> None:
        """Run *job* on a thread, soon, whatever the others do; it must not raise."""
        with self._lock:
            if self._free:
                self._free -= 1
                look = False
            else:
                self._waiting += 1
                look = not self._looking
                self._looking = True
        self._jobs.put(job)
        if look:
            self._call_later(PATIENCE_S, self._look)
            self._start(1)

    def take_in(self, thread: threading.Thread) -> None:
        """Count a thread among the pool's, even past the limit: it is in a job that no pool gave it."""
        with self._lock:
            self._threads += 1
        self._members.add(thread)
        thread.name = f"{self._name}-handler"

    def serve(self) -> None:
        """Work, on a thread that was taken in, and is through with that job; unless there are enough."""
        with self._lock:
            is_spare = self._free > 0 or self._threads > self._limit
            self._threads -= is_spare
        try:
            if not is_spare and self._wants_more():
                self._work()
        finally:
            self._members.discard(threading.current_thread())

    def state(self, stacks: Mapping[int, Stack], at_work: Container[int]) -> ThreadsState:
        """
        Return what the threads do.

        Args:
            stacks: Where all threads are, by their identifiers.
            at_work: Those that run a handler.
        """
        free, others = 0, []
        for thread in self._members.copy():
            stack = stacks.get(thread.ident or 0, ())
            if stack and stack[-1].name == WorkerPool._work.__name__:
                free += 1  # it has called nothing, so it waits for a job
            elif stack and thread.ident not in at_work:
                others.append((thread.name, own_part(stack)))
        return ThreadsState(free=free, others=tuple(others), waiting=self._waiting)

    def stop(self) -> None:
        """Let free threads leave at once, and the others when their handlers return."""
        with self._lock:
            self._stopped = True
            leaving = self._free
        for _ in range(leaving):
            self._jobs.put(None)

    def _look(self) -> None:
        """Start a thread for each job that still has none."""
        with self._lock:
            found = self._waiting
            self._looking = False
        self._after_look()
        if not found:
            return
        refused = self._start(found)
        with self._lock:
            waiting, threads = self._waiting, self._threads
            is_full = waiting > 0 and threads >= self._limit
            again = not (is_full or refused or self._looking)
            self._looking = self._looking or again
        if is_full:
            self._notice.say(f"past the limit threads: {threads} run handlers, and {waiting} requests wait")
        elif refused:
            self._notice.say(f"no more threads: {threads} run handlers, and {waiting} requests wait")
            self._retry_later()
        elif again:
            self._call_later(PATIENCE_S, self._look)

    def _retry_later(self) -> None:
        if not self._retrying:
            self._retrying = True
            self._call_later(SCARCE_S, self._retry)

    def _retry(self) -> None:
        self._retrying = False
        self._look()

    def _start(self, wanted: int) -> bool:
        """Start up to so many threads; whether the system would not give them."""
        with self._lock:
            count = max(0, min(wanted, self._waiting, self._limit - self._threads))
            self._threads += count
            self._waiting -= count
        started = 0
        try:
            for _ in range(count):
                # Daemons: a handler that sleeps must not keep the interpreter from its end.
                thread = threading.Thread(target=self._run, name=f"{self._name}-handler", daemon=True)
                thread.start()
                started += 1
        except RuntimeError:
            with self._lock:
                self._threads -= count - started
                self._waiting += count - started
        return started < count

    def _run(self) -> None:
        """Work, as a thread of the pool."""
        self._members.add(threading.current_thread())
        try:
            self._work()
        finally:
            self._members.discard(threading.current_thread())

    def _work(self) -> None:
        while True:
            try:
                # CPython (3.11, at least) may wait for ever where its time is over as somebody else takes a
                # job: then the thread stays, counted as free, until there is another job or the end.
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
            if not self._wants_more():
                return

    def _wants_more(self) -> bool:
        """Promise a thread that is through with a job another one, or count it as free; whether it stays."""
        with self._lock:
            if self._stopped:
                return False
            if self._waiting:
                self._waiting -= 1
            else:
                self._free += 1
        return True
