"""
Relay: a loop whose thread runs handlers, and which another thread carries on when one of them blocks.

A handler may block, so it needs a thread that nobody else waits for; but most never do, and to change
threads twice costs more than they do. So a job runs on the loop's own thread, under the eyes of another: if
it is not through within a few times BLOCKS_S, the other one takes the loop over and carries it on from where
it was. The first is then one of the threads for jobs that block, and never comes back to the loop. A job
that knows it will wait says so (``waiting.is_next()``), and hands the loop over before. Jobs of a kind that
has blocked, or waited for LONG_S twice in a row, run elsewhere from the start, until they have shown that
they do not any more: see ``habits.py``.

Its rules:

- A job is called by the loop itself, never by what the loop calls: so while one runs, nothing of ours is half
  done on that thread, and what another thread finds is in order.
- A job sees no running loop. It is no coroutine, may run a loop of its own, and whoever asks by the running
  loop whether this is the loop's thread is told no: a job may have lost the loop at any moment.
- Whether a job still has the loop is ``_running``, which changes hands under the lock only. Who takes the job
  away there sees to the loop from then on; the job's thread looks there when it is through.
- There is a watch before a job runs: to start a thread may take long, and a watch that took the job away
  meanwhile would find nobody in it.
- The watch looks every BLOCKS_S while there are jobs. When there were none for a while, it waits to be
  called, which the next job does: that says that it runs before it looks whether anybody watches, and the
  watch says that it does not before it looks whether anything runs. One of them sees the other.

What it does not know for sure: whether a job waits, computes, or is not given the processor. Code
that keeps the interpreter's lock for itself blocks every thread, the watch too, as it does on any thread.

What this relies on in asyncio, from Python 3.11 to 3.14: ``run_forever`` is ``_run_once`` again and again,
between setting ``_thread_id``, the running loop and the hooks for generators, and taking them back; callbacks
wait in a deque, and ``_run_once`` takes each off before it runs it, so that another thread finds what is
left; and an exit (``SystemExit``) in a callback ends ``_run_once`` at once.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import threading
import time
from asyncio.events import _set_running_loop
from collections import deque
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from wptproto.exchange.signal import waiting
from wptproto.server.habits import BLOCKS_S, LONG_S, Habits, Kind

__all__ = ["Job", "Relay"]

_LATE_S = 1.5 * BLOCKS_S
_IDLE_LOOKS = 10
"""How many looks in a row find no job before the watch waits to be called."""


class Pool(Protocol):
    """Where there are threads that may block."""

    def submit(self, job: Callable[[], None], /) -> None:
        """Run a job on one of them; it must not raise."""

    def take_in(self, thread: threading.Thread, /) -> None:
        """Count a thread among them."""

    def serve(self) -> None:
        """Work there, on a thread that was taken in, for as long as it is needed."""


@dataclass(slots=True, eq=False)
class Job:
    """
    Something to do that may block.

    Attributes:
        run: Does it; it must not raise.
        kind: Which jobs are like it.
        pool: Where it runs if those block; a thread that it blocks is taken in there.
    """

    run: Callable[[], None]
    kind: Kind
    pool: Pool


class _Relieved(SystemExit):
    """Another thread carries the loop on, for this one was in a job that blocks."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.pool = pool


class Relay:
    """
    The threads that carry a loop, one after the other.

    Attributes:
        is_started: There was a first one.
        thread: The identifier of the one whose turn it is; 0 before and behind them all.
    """

    def __init__(self, loop: asyncio.SelectorEventLoop, name: str, after_jobs: Callable[[], None]) -> None:
        """
        Args:
            loop: What they carry, and close at its end.
            name: Of the threads.
            after_jobs: Called on the loop's thread behind jobs, to see to what they said.
        """
        self._loop: Any = loop  # whose private members it needs
        self._name = name
        self._after_jobs = after_jobs
        self._habits = Habits()
        self._jobs: deque[Job] = deque()
        self._called = False  # _run_jobs was, and has not begun
        self._lock = threading.Lock()
        self._running: Job | None = None  # and has the loop
        self._handed_over = False  # a job has let go of the loop, and nobody has it yet
        self.is_started = False
        self.thread = 0
        self._process = os.getpid()
        self._carrier: threading.Thread | None = None
        self._watcher: threading.Thread | None = None
        self._is_watched = False
        self._alarm: SimpleQueue[None] = SimpleQueue()
        self._ended = threading.Event()

    def start(self) -> None:
        """Run the loop, on a thread of its own."""
        self._begin(self._carry)
        self.is_started = True

    def join(self, timeout_s: float) -> bool:
        """Wait until the loop has been stopped, and its threads have left; whether they have."""
        if not self._ended.wait(timeout_s):
            return False
        for thread in (self._carrier, self._watcher):
            if thread is not None:
                thread.join()
        return True

    @property
    def has_jobs(self) -> bool:
        """Whether jobs wait."""
        return bool(self._jobs)

    def is_in_job(self) -> bool:
        """Whether a job has the loop, behind which somebody will see to what was said."""
        return self._running is not None

    def submit(self, job: Job) -> None:
        """Have a job done soon, on the loop's thread if its kind may be trusted; from there only."""
        if self._habits.trust(job.kind):
            self._jobs.append(job)
            self._call_jobs()
        else:
            self._run_elsewhere(job)

    def _call_jobs(self) -> None:
        if not self._called:
            self._called = True
            # What one of them sets in its context is not for those behind it.
            self._loop.call_soon(self._run_jobs, context=Context())

    def _run_elsewhere(self, job: Job) -> None:
        job.pool.submit(functools.partial(self._habits.watch, job.kind, job.run))

    def _begin(self, run: Callable[[], None]) -> threading.Thread:
        # A daemon: a handler that sleeps must not keep the interpreter from its end.
        thread = threading.Thread(target=run, name=self._name, daemon=True)
        thread.start()
        return thread

    # --- on the thread that carries the loop -----------------------------------------------------

    def _carry(self) -> None:
        """Run the loop on this thread until it is stopped, or until another carries it on."""
        loop = self._loop
        self._take_on()
        relief: Pool | None = None
        try:
            while not loop._stopping:
                loop._run_once()
        except _Relieved as relieved:
            relief = relieved.pool
        finally:
            self._leave_loop()
            if relief is None:
                self._end()
        if relief is not None:
            relief.serve()

    def _carry_on(self) -> None:
        """Carry the loop, which a job has lost, and see to what that one left."""
        self._take_on()
        self._call_jobs()
        self._carry()

    def _take_on(self) -> None:
        self._carrier = threading.current_thread()
        self.thread = self._loop._thread_id = threading.get_ident()
        self._enter_loop()

    def _enter_loop(self) -> None:
        _set_running_loop(self._loop)
        sys.set_asyncgen_hooks(self._loop._asyncgen_firstiter_hook, self._loop._asyncgen_finalizer_hook)

    def _leave_loop(self) -> None:
        _set_running_loop(None)
        sys.set_asyncgen_hooks(None, None)

    def _end(self) -> None:
        self._loop._stopping, self._loop._thread_id, self.thread = False, None, 0
        self._loop.close()
        self._ended.set()
        self._alarm.put(None)

    def _run_jobs(self) -> None:
        """Run what waits, for so long as one may block; then let others have their turn."""
        self._called = False
        now_s = time.monotonic()
        until_s = now_s + BLOCKS_S
        self._leave_loop()
        waiting.hook = self._hand_over
        try:
            while self._jobs and now_s < until_s:
                now_s = self._run_job(self._jobs.popleft(), now_s)
        finally:
            waiting.hook = None
            self._enter_loop()  # or, relieved, soon leave it for ever
        if self._jobs:
            self._call_jobs()
        self._after_jobs()

    def _run_job(self, job: Job, begun_s: float) -> float:
        """Run a job here or have it run elsewhere; returns what time it is then."""
        if not (self._habits.trust(job.kind) and (self._watcher is not None or self._start_watch())):
            self._run_elsewhere(job)
            return time.monotonic()
        waits = self._habits.waits_before(job.kind)
        self._running = job
        # Only now, for a watch that stops looking looks once more for what runs.
        if not self._is_watched:
            self._is_watched = True
            self._alarm.put(None)
        try:
            job.run()
        finally:
            if os.getpid() != self._process:
                raise _Relieved(job.pool)  # a fork that the job let go; the loop is the parent's
            with self._lock:
                if self._running is not job:
                    raise _Relieved(job.pool)
                self._running = None
        ended_s = time.monotonic()
        if ended_s - begun_s >= LONG_S or waits is not None:
            with self._lock:
                self._habits.was_trusted(job.kind, ended_s - begun_s, waits)
        return ended_s

    def _hand_over(self) -> None:
        """Let go of the loop, inside a job that is about to wait."""
        waiting.hook = None
        # In this order: behind a job that was taken away here, the next one runs on another thread.
        job = self._running
        if job is not None and self.thread == threading.get_ident() and self._take(job):
            self._handed_over = True
            self._alarm.put(None)

    def _take(self, job: Job) -> bool:
        """Part the loop from a job that still has it; whether this is done now."""
        with self._lock:
            if self._running is not job:
                return False
            assert self._carrier is not None
            job.pool.take_in(self._carrier)
            self._habits.has_blocked(job.kind)
            self._running = None
        return True

    # --- on the thread that watches --------------------------------------------------------------

    def _start_watch(self) -> bool:
        """Have somebody look at the jobs, of which none may run yet; whether there is anybody."""
        self._is_watched = True
        try:
            self._watcher = self._begin(self._watch)
        except RuntimeError:  # the system has no more threads, for now
            return False
        return True

    def _watch(self) -> None:
        """Watch jobs until one blocks; then carry the loop on."""
        if self._until_blocked():
            self._watcher, self._is_watched = None, False
            self._carry_on()

    def _until_blocked(self) -> bool:
        """Return whether a job has lost the loop, because it blocks; else the loop has ended."""
        seen: Job | None = None
        idle_looks = 0
        in_doubt = False
        while not self._ended.is_set():
            begun_s = time.monotonic()
            is_called = self._is_called_within(BLOCKS_S)
            # Who comes late to look was kept from it by the job, which computes, or by all else that this
            # machine has to do, as the job may have been, too. So he looks once more.
            in_doubt = not in_doubt and time.monotonic() - begun_s >= _LATE_S
            blocks = None if is_called or in_doubt else seen
            if self._handed_over or (blocks is not None and self._take(blocks)):
                self._handed_over = False
                return True
            seen = self._running
            idle_looks = idle_looks + 1 if seen is None else 0
            if idle_looks > _IDLE_LOOKS:
                idle_looks = 0
                self._is_watched = False
                if self._running is None and not self._ended.is_set():
                    self._alarm.get()
                self._is_watched = True
                seen = self._running
        return False

    def _is_called_within(self, seconds: float) -> bool:
        try:
            self._alarm.get(timeout=seconds)
        except Empty:
            return False
        return True
