"""
Crowd: all connections of a server, and who gives way where they are too many.

Nobody keeps them in the order in which they became idle, for that would cost something at each request.
They are looked through when one has to go; what was found serves for the next times, too, if it still holds.
Those that never made a request go first, so that who only opens connections is in the way of its own kind.
"""

from __future__ import annotations

import asyncio
import errno
import time
import weakref
from collections import deque
from typing import Any

from wptproto.server.driver import Driver
from wptproto.server.notice import Notice

__all__ = ["Crowd"]

LOOK_S = 10e-6
"""For how long there is no further look, for each connection looked at, which takes about a tenth of that."""

SPARE_DESCRIPTORS = 16
"""How many are given back where the system has no more."""

RELIEF_S = 0.5
"""For how long no more of them are given back; the loop tries again after a second."""

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Crowd(set[Driver]):
    """The connections of a server; those that had to give way are not counted any more."""

    def __init__(self, limit: int) -> None:
        """
        Args:
            limit: How many there may be.
        """
        super().__init__()
        self._limit = limit
        self._idle: deque[tuple[float, weakref.ref[Driver]]] = deque()  # in the order in which they go
        self._next_look_s = 0.0
        self._next_relief_s = 0.0
        self._too_many, self._exhausted = Notice(), Notice()

    def let_in(self, newcomer: Driver) -> None:
        """Take in a new connection; in the place of another, or not at all, where there are too many."""
        self.add(newcomer)
        if len(self) <= self._limit:
            return
        reason = f"past the limit connections: {self._limit}"
        idlest = self._idlest(newcomer) or newcomer
        self._close(idlest, reason)
        if idlest is newcomer:
            self._too_many.say(f"{reason}, and none is idle; a new one was closed")
        else:
            self._too_many.say(f"{reason}; the one that was idle for longest was closed")

    def discard(self, driver: object, /) -> None:
        super().discard(driver)
        if not self:
            self._idle.clear()  # what was found is of nobody who is there

    def take_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """
        Be the loop's exception handler, which hears of it when no connection can be accepted.

        It may hear of it many times in a row.
        """
        error = context.get("exception")
        if isinstance(error, ValueError) and "_start_serving" in context["message"]:
            return  # the loop tried again, and found that the server has stopped
        if not isinstance(error, OSError) or error.errno not in _EXHAUSTED or "socket" not in context:
            loop.default_exception_handler(context)
            return
        reason = f"no connection can be accepted: {error.strerror}"
        if time.monotonic() < self._next_relief_s:
            return
        self._next_relief_s = time.monotonic() + RELIEF_S
        closed = 0
        while closed < SPARE_DESCRIPTORS and (idlest := self._idlest()) is not None:
            self._close(idlest, reason)
            closed += 1
        self._exhausted.say(f"{reason} (see ulimit -n); {closed} that were idle were closed")

    def _close(self, driver: Driver, reason: str) -> None:
        driver.stop(reason)
        self.discard(driver)

    def _idlest(self, newcomer: Driver | None = None) -> Driver | None:
        """Return who is to go, not looking at a newcomer; None where none is idle, or was a moment ago."""
        driver = self._next_idle()
        if driver is None and time.monotonic() >= self._next_look_s:
            self._look(newcomer)
            driver = self._next_idle()
        return driver

    def _look(self, newcomer: Driver | None) -> None:
        others = self - {newcomer}
        idle = [(since_s, driver) for driver in others if (since_s := driver.idle_since_s) is not None]
        idle = [found for found in idle if not found[1].has_served] or idle
        idle.sort(key=lambda found: found[0])
        self._idle.extend((since_s, weakref.ref(driver)) for since_s, driver in idle)
        self._next_look_s = time.monotonic() + len(self) * LOOK_S

    def _next_idle(self) -> Driver | None:
        while self._idle:
            since_s, reference = self._idle.popleft()
            driver = reference()
            if driver is not None and driver.idle_since_s == since_s:
                return driver
        return None
