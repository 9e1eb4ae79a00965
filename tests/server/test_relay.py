"""A loop that runs jobs on its own thread, and that another carries on when one of them blocks."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import TypeVar

import pytest

from tests.helpers.waiting import assert_soon
from wptproto.exchange.signal import waiting
from wptproto.server import relay
from wptproto.server.habits import LONG_S, Kind
from wptproto.server.relay import Job, Relay

T = TypeVar("T")

PATIENCE_S = 10


def kind(path: str) -> Kind:
    """Of a handler of its own."""
    return hash(path), path


class FakePool:
    """Threads that may block; none does here."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []
        self.taken_in: list[threading.Thread] = []
        self.served = threading.Semaphore(0)

    def submit(self, job: Callable[[], None], /) -> None:
        self.jobs.append(job)

    def take_in(self, thread: threading.Thread, /) -> None:
        self.taken_in.append(thread)

    def serve(self) -> None:
        assert threading.current_thread() in self.taken_in
        self.served.release()


class Carried:
    """A loop carried by a relay, from its start to its end."""

    def __init__(self) -> None:
        self.loop = asyncio.SelectorEventLoop()
        self.pool = FakePool()
        self.sent = threading.Semaphore(0)  # after_jobs was called so many times
        self.relay = Relay(self.loop, "relay-test", self._after_jobs)
        self.relay.start()
        self.thread = self.ask(threading.current_thread)

    def _after_jobs(self) -> None:
        assert asyncio.get_running_loop() is self.loop
        self.sent.release()

    def job(self, run: Callable[[], None], path: str) -> Job:
        return Job(run, kind(path), self.pool)

    def submit(self, run: Callable[[], None], path: str) -> None:
        self.loop.call_soon_threadsafe(self.relay.submit, self.job(run, path))

    def trusts(self, path: str) -> bool:
        return self.relay._habits.trust(kind(path))

    def ask(self, question: Callable[[], T]) -> T:
        """Return what a function returns on the loop's thread."""
        answer: list[T] = []
        there = threading.Event()

        def call() -> None:
            answer.append(question())
            there.set()

        self.loop.call_soon_threadsafe(call)
        assert there.wait(PATIENCE_S)
        return answer[0]

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        assert self.relay.join(PATIENCE_S)


@pytest.fixture
def carried() -> Iterator[Carried]:
    made = Carried()
    yield made
    if not made.loop.is_closed():
        made.stop()
    for thread in threading.enumerate():
        if thread.name == "relay-test":
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """No job blocks, however slow the machine is."""
    monkeypatch.setattr(relay, "BLOCKS_S", 3600)
    monkeypatch.setattr(relay, "LONG_S", 3600)


def test_quick(carried: Carried, never: None) -> None:
    """A quick job runs on the loop's thread, and what it said is seen to behind it."""
    threads: list[int] = []
    carried.submit(lambda: threads.append(threading.get_ident()), "/")
    assert carried.sent.acquire(timeout=PATIENCE_S)
    assert threads == [carried.ask(threading.get_ident)] == [carried.thread.ident]
    assert carried.trusts("/")
    assert not carried.relay.is_in_job()


def test_no_coroutine(carried: Carried, never: None) -> None:
    """A job sees no running loop, and may run one of its own."""
    seen: list[object] = []

    async def own() -> None:
        seen.append(asyncio.get_running_loop())

    carried.submit(lambda: asyncio.run(own()), "/")
    assert carried.sent.acquire(timeout=PATIENCE_S)
    assert len(seen) == 1
    assert seen[0] is not carried.loop
    assert carried.ask(asyncio.get_running_loop) is carried.loop


def test_blocked(carried: Carried) -> None:
    """When a job blocks, another thread carries the loop on, with all that waits there."""
    let_go, behind = threading.Event(), threading.Event()

    def block() -> None:
        assert carried.relay.is_in_job()
        assert let_go.wait(PATIENCE_S)

    def both() -> None:
        carried.relay.submit(carried.job(block, "/"))
        carried.relay.submit(carried.job(behind.set, "/behind"))

    carried.loop.call_soon_threadsafe(both)
    assert behind.wait(PATIENCE_S)  # the job behind it
    assert carried.ask(threading.get_ident) != carried.thread.ident  # and callbacks
    assert not carried.trusts("/")
    assert carried.thread.is_alive()
    assert carried.pool.taken_in[0] is carried.thread  # and then who took over from it, if that was too slow
    let_go.set()
    assert carried.pool.served.acquire(timeout=PATIENCE_S)


def test_hand_over(carried: Carried, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that says it will wait is not waited for at all, and says it once."""
    monkeypatch.setattr(relay, "BLOCKS_S", 3600)
    answered = threading.Event()

    def job() -> None:
        waiting.is_next()
        waiting.is_next()
        carried.loop.call_soon_threadsafe(answered.set)
        assert answered.wait(PATIENCE_S)  # by the loop

    carried.submit(job, "/")
    assert answered.wait(PATIENCE_S)
    assert not carried.trusts("/")


def test_blocked_and_handed_over(carried: Carried) -> None:
    """A job that has lost the loop has nothing to hand over, least of all what runs there by now."""
    said, let_go = threading.Event(), threading.Event()

    def late() -> None:
        assert_waits(let_go)
        waiting.is_next()
        said.set()

    def quick() -> None:
        let_go.set()
        assert_waits(said)

    carried.submit(late, "/late")
    assert carried.ask(lambda: "taken over") == "taken over"
    carried.submit(quick, "/quick")
    carried.thread.join(PATIENCE_S)
    assert carried.ask(lambda: "still there") == "still there"
    assert not carried.trusts("/late")
    assert said.is_set()


def test_debugged(carried: Carried) -> None:
    """A loop that looks who calls it finds nothing wrong."""
    carried.loop.set_debug(True)
    faults: list[object] = []
    carried.loop.set_exception_handler(lambda _, context: faults.append(context))
    for number in range(3):
        carried.submit(waiting.is_next, f"/{number}")
        assert carried.sent.acquire(timeout=PATIENCE_S)
        assert carried.ask(asyncio.get_running_loop) is carried.loop
    assert not faults


def test_nothing_of_the_loop(carried: Carried, never: None) -> None:
    """A job begins with an empty context, and its generators are no business of the loop's."""
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    seen: list[object] = []

    def job() -> None:
        seen.append(variable.get())
        seen.append(tuple(sys.get_asyncgen_hooks()))
        variable.set("set")

    for number in range(2):
        carried.submit(job, f"/{number}")
        assert carried.sent.acquire(timeout=PATIENCE_S)
    assert seen == ["unset", (None, None)] * 2
    assert carried.ask(sys.get_asyncgen_hooks).firstiter is not None


def test_a_fault(carried: Carried, never: None) -> None:
    """A job that raises, though it must not, does not end the loop."""
    faults: list[str] = []
    carried.loop.set_exception_handler(lambda _, context: faults.append(repr(context["exception"])))

    def job() -> None:
        raise ValueError("no")

    carried.submit(job, "/")
    for _ in range(2):  # the first may have come before the job
        carried.ask(lambda: None)
    assert faults == ["ValueError('no')"]
    assert not carried.relay.is_in_job()
    carried.submit(lambda: None, "/")
    assert carried.sent.acquire(timeout=PATIENCE_S)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork(carried: Carried, never: None) -> None:
    """A process that a job forks, and lets come back from there, does not go on with the parent's loop."""
    parent = os.getpid()
    reading, writing = os.pipe()
    children: list[int] = []

    class Told(FakePool):
        def serve(self) -> None:
            if os.getpid() != parent:
                os.write(writing, b"served elsewhere")
                os._exit(0)

    def fork() -> None:
        children.append(os.fork())

    carried.loop.call_soon_threadsafe(carried.relay.submit, Job(fork, kind("/"), Told()))
    assert carried.sent.acquire(timeout=PATIENCE_S)
    (child,) = children
    assert os.waitpid(child, 0) == (child, 0)
    assert os.read(reading, 100) == b"served elsewhere"
    os.close(reading)
    os.close(writing)


def test_long(carried: Carried, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that was through in time, but not soon, twice in a row, runs elsewhere from then on."""
    monkeypatch.setattr(relay, "BLOCKS_S", 3600)
    ran_on: list[threading.Thread] = []

    def job() -> None:
        ran_on.append(threading.current_thread())
        time.sleep(LONG_S)

    for _ in range(2):
        assert carried.trusts("/")
        carried.submit(job, "/")
        assert carried.sent.acquire(timeout=PATIENCE_S)
    assert ran_on == [carried.thread] * 2
    assert not carried.trusts("/")


def test_jobs_of_a_blocker(carried: Carried) -> None:
    """What waits behind a job that blocked, and is of its kind, runs elsewhere."""
    let_go = threading.Event()

    def both() -> None:
        for _ in range(2):
            carried.relay.submit(carried.job(lambda: assert_waits(let_go), "/"))

    carried.loop.call_soon_threadsafe(both)
    assert carried.sent.acquire(timeout=PATIENCE_S)
    carried.ask(lambda: None)
    assert len(carried.pool.jobs) == 1
    carried.submit(lambda: None, "/")
    carried.ask(lambda: None)
    assert len(carried.pool.jobs) == 2
    let_go.set()


def assert_waits(event: threading.Event) -> None:
    assert event.wait(PATIENCE_S)


def test_many_times(carried: Carried) -> None:
    """However often the loop changes threads, two are left when it is quiet: one carries, one watches."""
    done = threading.Semaphore(0)

    def job() -> None:
        waiting.is_next()
        done.release()

    for number in range(50):
        carried.submit(job, f"/{number}")
    for _ in range(50):
        assert done.acquire(timeout=PATIENCE_S)
    until_s = time.monotonic() + PATIENCE_S
    while sum(thread.name == "relay-test" for thread in threading.enumerate()) > 2:
        assert time.monotonic() < until_s
        carried.ask(lambda: None)


def test_timers_and_tasks(carried: Carried) -> None:
    """Timers and tasks go on on the next thread."""
    done = threading.Event()

    async def task() -> None:
        for number in range(3):
            carried.relay.submit(carried.job(waiting.is_next, f"/{number}"))
            await asyncio.sleep(0.001)
        async for _ in generator():
            pass
        done.set()

    async def generator() -> AsyncIterator[None]:
        await asyncio.sleep(0)
        yield

    carried.loop.call_soon_threadsafe(lambda: carried.loop.create_task(task()))
    assert done.wait(PATIENCE_S)


def test_stopped_while_blocked(carried: Carried) -> None:
    """A loop that was taken from a job is stopped as any other, whatever the job does."""
    begun, let_go = threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        assert_waits(let_go)

    carried.submit(block, "/")
    assert begun.wait(PATIENCE_S)
    carried.stop()
    assert carried.thread.is_alive()
    let_go.set()


def test_watch_sleeps(carried: Carried, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no jobs nobody looks for them; and the next one is looked at again."""
    monkeypatch.setattr(relay, "BLOCKS_S", 0.0001)
    begun, let_go = threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        assert_waits(let_go)

    for number in range(1000):
        carried.submit(lambda: None, f"/{number}")
        assert carried.sent.acquire(timeout=PATIENCE_S)
        assert_soon(lambda: not carried.relay._is_watched)
        if carried.relay._watcher is not None:
            break  # else it has taken the job for one that blocks, and carries the loop by now
    carried.submit(block, "/late")
    assert begun.wait(PATIENCE_S)
    assert carried.ask(lambda: "taken over") == "taken over"
    assert not carried.trusts("/late")
    let_go.set()
    assert not carried.pool.jobs


def test_slow_start(carried: Carried, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes to start a watch, no job is taken away before it has begun."""
    monkeypatch.setattr(relay, "BLOCKS_S", 0.05)
    begin = carried.relay._begin

    def begin_slowly(run: Callable[[], None]) -> threading.Thread:
        thread = begin(run)
        time.sleep(0.15)
        return thread

    monkeypatch.setattr(carried.relay, "_begin", begin_slowly)
    ran_on: list[threading.Thread] = []
    carried.submit(lambda: ran_on.append(threading.current_thread()), "/")
    assert carried.sent.acquire(timeout=PATIENCE_S)
    assert ran_on == [carried.thread] == [carried.ask(threading.current_thread)]
    assert not carried.pool.taken_in
    assert not carried.pool.jobs


def test_no_more_threads(carried: Carried, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can watch, jobs run elsewhere."""

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    carried.ask(lambda: None)
    monkeypatch.setattr(threading, "Thread", refuse)
    carried.submit(lambda: None, "/")
    assert carried.sent.acquire(timeout=PATIENCE_S)
    assert len(carried.pool.jobs) == 1
