"""Stalls: how many faults hold something up at the moment; a test can wait for them."""

from __future__ import annotations

import threading
from typing import NewType

__all__ = ["Epoch", "Stalls"]

Epoch = NewType("Epoch", int)
"""What lies between one release and the next."""


class Stalls:
    """
    Counts the stalls of one server, on its loop's thread, for whoever waits or releases on another.

    What stalls at a release is counted no more from then on, though the loop comes to it later: who waits
    for a stall behind a release waits for another.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._stopped = False
        self._epoch = Epoch(0)
        self._count = 0
        self._waiters: list[_Waiter] = []

    def begin(self) -> Epoch:
        """Take note that something stalls; returns when, for its end."""
        with self._changed:
            self._count += 1
            for waiter in self._waiters:
                waiter.most = max(waiter.most, self._count)
            self._changed.notify_all()
            return self._epoch

    def end(self, epoch: Epoch) -> None:
        """Take note that what began to stall then goes on."""
        with self._changed:
            if epoch == self._epoch:
                self._count -= 1

    def release(self) -> Epoch:
        """Count none of those that stall now; returns the epoch that begins, none of which is to go on."""
        with self._changed:
            self._epoch = Epoch(self._epoch + 1)
            self._count = 0
            return self._epoch

    def stop(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def wait(self, count: int, timeout_s: float) -> int:
        """
        Wait until so many stall, the time is over, or the server stops.

        Returns:
            How many stalled at a time, at the most, since it was called.
        """
        with self._changed:
            waiter = _Waiter(self._count)
            self._waiters.append(waiter)
            try:
                self._changed.wait_for(lambda: waiter.most >= count or self._stopped, timeout_s)
            finally:
                self._waiters.remove(waiter)
            return waiter.most


class _Waiter:
    """Somebody who waits for stalls, and may come too late to see one that ends by itself."""

    def __init__(self, most: int) -> None:
        self.most = most
