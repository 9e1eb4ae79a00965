"""Process locks: what threads and processes do one after another."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.helpers.waiting import assert_soon
from wptproto.server.process_lock import ProcessLock, WholeWrites

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),  # that forking is risky
]


@contextmanager
def another_process(act: Callable[[], object]) -> Iterator[int]:
    """Run a process that does something, and then waits to be killed; the block is entered in between."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            act()
            os.write(writer, b"!")
            signal.pause()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    try:
        os.close(writer)
        assert os.read(reader, 1) == b"!"
        yield pid
    finally:
        os.close(reader)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_between_threads() -> None:
    """One thread has it at a time; another waits, for as long as it is told."""
    lock = ProcessLock()
    with lock:
        assert not lock.acquire(blocking=False)
        assert not lock.acquire(timeout=0.01)
        waiting = threading.Thread(target=lock.acquire)
        waiting.start()
    waiting.join(10)
    assert not waiting.is_alive()
    lock.release()  # any thread may
    with pytest.raises(RuntimeError):
        lock.release()


def test_between_processes() -> None:
    """What another process has nobody else has, until that gives it back, by its end at the latest."""
    lock = ProcessLock()
    with ExitStack() as stack:
        stack.enter_context(another_process(lock.acquire))
        assert not lock.acquire(blocking=False)
        assert not lock.acquire(timeout=0.01)
        waiting = threading.Thread(target=lock.acquire)
        waiting.start()
        stack.close()  # it is killed
        waiting.join(10)
        assert not waiting.is_alive()
    lock.release()

    def for_a_moment() -> None:
        with lock:
            pass

    with another_process(for_a_moment):
        assert lock.acquire(blocking=False)
        lock.release()
        assert lock.acquire(timeout=10)
        lock.release()


def test_an_error_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system fails, nobody has it."""
    lock = ProcessLock()

    def refuse(*_: object) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr("fcntl.lockf", refuse)
    with pytest.raises(OSError, match="no locks available"):
        lock.acquire()
    monkeypatch.undo()
    with lock:
        pass


def open_files() -> set[str]:
    """Return the names of all files that are open, also of those that have none any more."""
    found: set[str] = set()
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # it was closed meanwhile, as that of the listing is
            found.add(os.readlink(f"/proc/self/fd/{descriptor}"))
    return found


def test_no_descriptor_is_left() -> None:
    """Its file is gone with it."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system does not tell")
    locks = [ProcessLock() for _ in range(10)]
    files = {os.readlink(f"/proc/self/fd/{lock._file}") for lock in locks}
    assert len(files & open_files()) == 10
    locks.clear()
    assert_soon(lambda: not files & open_files())


def test_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write waits until another process is through with its own, but not for ever."""
    monkeypatch.setattr("wptproto.server.process_lock.PATIENCE_S", 0.01)
    stream = io.StringIO()
    output = WholeWrites(stream)
    with another_process(output._lock.acquire):
        assert output.write("late") == 4
    assert output.write(" and soon") == 9
    output.flush()
    assert stream.getvalue() == "late and soon"
    assert output._lock.acquire(blocking=False)
