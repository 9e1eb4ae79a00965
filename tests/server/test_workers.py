"""WorkerPool and Mailbox."""

from __future__ import annotations

import asyncio
import math
import re
import threading
import time
from collections.abc import Callable

import pytest

from tests.helpers.waiting import assert_soon
from wptproto.server import workers
from wptproto.server.stacks import thread_stacks
from wptproto.server.workers import Executor, Mailbox, WorkerPool


def call_later(delay_s: float, function: Callable[[], None]) -> None:
    timer = threading.Timer(delay_s, function)
    timer.daemon = True
    timer.start()


def waiting_for(what: threading.Barrier | threading.Event) -> Callable[[], None]:
    def job() -> None:
        what.wait(20)

    return job


def test_a_thread_for_each_that_waits() -> None:
    """Handlers that wait for each other all run, however many they are."""
    pool = WorkerPool("test", call_later)
    barrier = threading.Barrier(201)
    for _ in range(200):
        pool.submit(waiting_for(barrier))
    barrier.wait(20)
    pool.stop()


def test_threads_are_used_again() -> None:
    """A thread that is free takes the next job."""
    pool = WorkerPool("test", call_later)
    used: set[int] = set()
    for _ in range(50):
        done = threading.Event()

        def job(done: threading.Event = done) -> None:
            used.add(threading.get_ident())
            done.set()

        pool.submit(job)
        assert done.wait(10)
        while not pool._free:
            time.sleep(0)
    pool.stop()
    assert len(used) == 1


def test_threads_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that was free for a while leaves, and a new one comes when it is needed."""
    monkeypatch.setattr(workers, "IDLE_S", 0.01)
    pool = WorkerPool("test", call_later)
    for _ in range(3):
        done = threading.Event()
        pool.submit(done.set)
        assert done.wait(10)
        deadline = time.monotonic() + 10
        while pool._threads and time.monotonic() < deadline:
            time.sleep(0.001)
        assert pool._threads == 0
    pool.stop()


def test_the_limit(caplog: pytest.LogCaptureFixture) -> None:
    """At the limit a job waits for a thread, the log says so, and nobody looks until one is through."""
    pool = WorkerPool("test", call_later, limit=1)
    go_on, done = threading.Event(), threading.Event()
    pool.submit(waiting_for(go_on))
    pool.submit(done.set)
    assert_soon(lambda: "past the limit threads: 1 run handlers, and 1 requests wait" in caplog.text)
    assert not done.is_set()
    assert_soon(lambda: not pool.is_looking())  # the second job may have come in the middle of a look
    go_on.set()
    assert done.wait(10)
    pool.stop()


def test_the_system_gives_no_thread(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where no thread can be had, the job waits until one can."""
    real, failures = threading.Thread.start, [None] * 3

    def start(self: threading.Thread) -> None:
        if failures and self.name.endswith("-handler"):
            failures.pop()
            raise RuntimeError("can't start new thread")
        real(self)

    monkeypatch.setattr(threading.Thread, "start", start)
    pool = WorkerPool("test", call_later)
    done = [threading.Event() for _ in range(3)]
    for event in done:
        pool.submit(event.set)
    assert all(event.wait(10) for event in done)
    assert not failures
    assert re.search("no more threads: 0 run handlers, and [123] requests wait", caplog.text)
    pool.stop()


def test_taken_in() -> None:
    """A thread from elsewhere stays where none is free, and leaves where there are enough."""
    calls: list[str] = []
    pool = WorkerPool("test", call_later, limit=1)

    def serve() -> None:
        pool.take_in(threading.current_thread())
        pool.serve()
        calls.append("left")

    staying, leaving = threading.Thread(target=serve), threading.Thread(target=serve)
    staying.start()
    assert_soon(lambda: pool.state(thread_stacks(), ()).free == 1)
    leaving.start()
    leaving.join(10)
    assert calls == ["left"]
    ran_on: list[threading.Thread] = []
    done = threading.Event()

    def job() -> None:
        ran_on.append(threading.current_thread())
        done.set()

    pool.submit(job)
    assert done.wait(10)
    assert ran_on == [staying]
    assert staying.name == "test-handler"
    pool.stop()
    staying.join(10)
    assert calls == ["left", "left"]
    assert not pool._members


def test_executor() -> None:
    """The executor answers with what a function returns or raises, and runs none that was cancelled."""
    pool = WorkerPool("test", call_later)
    executor = Executor(pool)
    assert executor.submit(max, 1, 2).result(10) == 2
    with pytest.raises(ValueError, match="math domain"):
        executor.submit(math.sqrt, -1).result(10)
    pool.stop()
    executor.shutdown()


def test_stop() -> None:
    """Free threads leave at once when the pool stops, and busy ones when they are through."""
    before = threading.active_count()
    pool = WorkerPool("test", call_later)
    go_on, done = threading.Event(), threading.Event()
    pool.submit(waiting_for(go_on))
    pool.submit(done.set)
    assert done.wait(10)
    pool.stop()
    go_on.set()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.001)
    assert threading.active_count() <= before


def test_mailbox_delivers_in_batches_and_in_order() -> None:
    """What comes before the loop looks is delivered at once, in order; what comes later, later."""
    batches: list[list[int]] = []

    async def main() -> None:
        mailbox: Mailbox[int] = Mailbox(asyncio.get_running_loop(), batches.append, lambda: False)
        for number in range(3):
            mailbox.post(number)
        await asyncio.sleep(0)
        mailbox.post(3)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert batches == [[0, 1, 2], [3]]


def test_mailbox_that_is_drained_anyway() -> None:
    """The loop is not woken for what somebody will come for in a moment."""
    batches: list[list[int]] = []

    async def main() -> None:
        mailbox: Mailbox[int] = Mailbox(asyncio.get_running_loop(), batches.append, lambda: True)
        mailbox.post(1)
        mailbox.post(2)
        await asyncio.sleep(0)
        assert batches == []
        mailbox.drain()
        mailbox.drain()

    asyncio.run(main())
    assert batches == [[1, 2]]


def test_mailbox_of_a_loop_that_ended() -> None:
    """What comes after the end is dropped."""
    loop = asyncio.new_event_loop()
    mailbox: Mailbox[int] = Mailbox(loop, lambda messages: None, lambda: False)
    loop.close()
    mailbox.post(1)
    assert not mailbox._messages
