"""Stalls: how many faults hold something up at the moment; a test can wait for them."""

from __future__ import annotations

import threading

__all__ = ["Stalls"]


class Stalls:
    """Counts the stalls of one server, on its loop's thread, for whoever waits on another."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._stopped = False
        self.count = 0

    def begin(self) -> None:
        """Take note that something stalls."""
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def end(self) -> None:
        """Take note that it goes on."""
        with self._changed:
            self.count -= 1

    def stop(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def wait(self, count: int, timeout_s: float) -> int:
        """Wait until so many stall, the time is over, or the server stops; returns how many do."""
        with self._changed:
            self._changed.wait_for(lambda: self.count >= count or self._stopped, timeout_s)
            return self.count
