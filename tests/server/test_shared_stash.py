"""The shared stash: what several processes put and take. Threads stand for them here, one socket each."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import UUID, uuid4

import pytest

from wptproto import StashError
from wptproto.handlers.stash import Stash
from wptproto.server.shared_stash import SharedStore, StashKeeper

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no such locks")

KEY = UUID("12345678-1234-1234-1234-123456789abc")


class Kept:
    """A keeper that serves, on a thread."""

    def __init__(self, closing: ExitStack) -> None:
        self.keeper = StashKeeper()
        self._closing = closing
        self._serving: list[asyncio.Task[None]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        closing.callback(self.end)

    def socket(self) -> socket.socket:
        """Return a way to the values."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._closing.enter_context(theirs)

        async def serve() -> None:
            # A loop holds its tasks by weak references alone.
            self._serving.append(asyncio.create_task(self.keeper.serve(ours)))

        asyncio.run_coroutine_threadsafe(serve(), self._loop).result(10)
        return theirs

    def stash(self) -> Stash:
        return Stash(SharedStore(self.keeper, self.socket()), "/a")

    def end(self) -> None:
        async def cancel() -> None:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(cancel(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()


@pytest.fixture
def kept() -> Iterator[Kept]:
    with ExitStack() as closing:
        yield Kept(closing)


def test_put_and_take(kept: Kept) -> None:
    """What one puts the other takes, once; a copy of it, whatever it is."""
    one, other = kept.stash(), kept.stash()
    for value in ({"a": [1, b"2"]}, "", 0, False, b"x" * 1_000_000, uuid4()):
        one.put(KEY, value)
        found = other.take(KEY)
        assert found == value
        assert type(found) is type(value)
        assert one.take(KEY) is None


def test_keys(kept: Kept) -> None:
    """The same key below another path is another value; a path may be any octets."""
    one, other = kept.stash(), kept.stash()
    for path in ("/a", "/b", b"", b"\xff\x00P"):
        one.put(KEY, path, path)
    assert [other.take(KEY, path) for path in (b"\xff\x00P", "", "/b")] == [b"\xff\x00P", b"", "/b"]
    assert other.take(KEY) == "/a"


def test_put_twice(kept: Kept) -> None:
    """What is there already stays, whoever has put it."""
    one, other = kept.stash(), kept.stash()
    one.put(KEY, 1)
    with pytest.raises(StashError, match="there is a value already"):
        other.put(KEY, 2)
    assert one.take(KEY) == 1
    other.put(KEY, 2)
    other.remove(KEY)
    assert one.take(KEY) is None


def test_count(kept: Kept) -> None:
    """Everybody sees how many values there are."""
    one, other = kept.stash(), kept.stash()
    for expected in (1, 2, 3):
        one.put(uuid4(), "value")
        assert (one.count, other.count, kept.keeper.count) == (expected,) * 3
    one.put(KEY, "value")
    one.take(KEY)
    assert other.count == 3


def test_one_lock(kept: Kept) -> None:
    """There is one lock for all, and the store goes on while it is held."""
    one, other = kept.stash(), kept.stash()
    with one.lock:
        assert not other.lock.acquire(blocking=False)
        other.put(KEY, 1)
        assert one.take(KEY) == 1


def test_what_cannot_be_pickled(kept: Kept) -> None:
    """It is an error that says so, and why; nothing is put."""
    stash = kept.stash()
    with pytest.raises(StashError, match=r"only what can be pickled, and not this lock: cannot pickle"):
        stash.put(KEY, threading.Lock())
    assert stash.take(KEY) is None


def test_many_threads(kept: Kept) -> None:
    """Each of many threads of a process gets what it has put, and no other's."""
    stash = kept.stash()
    wrong: list[object] = []

    def work() -> None:
        for _ in range(50):
            key = uuid4()
            stash.put(key, key)
            if (found := stash.take(key)) != key:
                wrong.append(found)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not wrong
    assert stash.count == 0


def test_a_process_that_dies_amid_a_message(kept: Kept) -> None:
    """Others go on."""
    half = kept.socket()
    half.sendall(b"\0\0\0\0\0\0\0\x20half")
    half.close()
    stash = kept.stash()
    stash.put(KEY, 1)
    assert stash.take(KEY) == 1


def test_a_keeper_that_is_gone(kept: Kept) -> None:
    """Whoever asks is told."""
    stash = kept.stash()
    stash.put(KEY, 1)
    kept.end()
    for act in (lambda: stash.take(KEY), lambda: stash.put(KEY, 1)):
        with pytest.raises(StashError, match="the process that keeps the stash is gone"):
            act()
