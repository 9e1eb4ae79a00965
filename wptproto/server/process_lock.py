"""Process lock: what threads of several processes do one after another. The processes are forks of one."""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
import time
import weakref
from contextlib import suppress
from types import TracebackType
from typing import TextIO

__all__ = ["ProcessLock", "WholeWrites"]

_LOOK_S = 0.002
PATIENCE_S = 1.0
"""How long a write waits for others; whoever was stopped amid one does not silence them all."""


class ProcessLock:
    """
    A lock as threading.Lock is one, which keeps out other processes, too.

    It is the system's, on a file that nobody else sees, and so a process that dies gives it back.
    """

    def __init__(self) -> None:
        self._threads = threading.Lock()  # for the system does not tell threads of a process apart
        self._file, path = tempfile.mkstemp(prefix="wptproto-")
        os.unlink(path)
        weakref.finalize(self, os.close, self._file)

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Have the lock, and return True; return False where it was not to be had in time, in seconds."""
        deadline_s = time.monotonic() + timeout
        if not self._threads.acquire(blocking, timeout):
            return False
        try:
            if blocking and timeout < 0:
                fcntl.lockf(self._file, fcntl.LOCK_EX)
                return True
            while not (had := self._try_file()) and blocking and time.monotonic() < deadline_s:
                time.sleep(_LOOK_S)
        except BaseException:
            self._threads.release()
            raise
        if not had:
            self._threads.release()
        return had

    def _try_file(self) -> bool:
        with suppress(BlockingIOError, PermissionError):  # POSIX allows either
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def release(self) -> None:
        """
        Give it back; any thread of the process may.

        Raises:
            RuntimeError: This process does not have it.
        """
        fcntl.lockf(self._file, fcntl.LOCK_UN)
        self._threads.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.release()


class WholeWrites:
    """A stream of text that several processes write to, each write as a whole."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = ProcessLock()

    def write(self, text: str) -> int:
        had = self._lock.acquire(timeout=PATIENCE_S)
        try:
            written = self._stream.write(text)
            self._stream.flush()
        finally:
            if had:
                self._lock.release()
        return written

    def flush(self) -> None:
        """Do nothing: each write is flushed."""
