"""Habits: which handlers have shown that they block, so that they run where nobody waits for them."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Hashable

from wptproto.exchange.signal import waiting

__all__ = ["BLOCKS_S", "LONG_S", "Habits", "Kind", "waits_of_this_thread"]

BLOCKS_S = 0.005
"""How long a handler may keep everyone else waiting, once."""

LONG_S = 0.001
"""How long it may again and again: then to change threads matters no more, and many can wait side by side."""

FORGIVEN_S = 10.0
"""After so long a mistake is the first one again."""

_RUNS = 10
_MORE_RUNS = 4
_MAX_RUNS = 1000
"""After so many the next mistake costs less for each of them than changing threads did."""

_MAX_HABITS = 1024

Kind = tuple[int, str]
"""What runs alike: a handler, by its identity, and a path, for one handler may run many scripts."""


class _Habit:
    """
    How often somebody who has blocked has to be quick elsewhere, without a break, to be trusted again.

    That is many more times whenever it blocks again, if it does so soon: a script that was slow only because
    it had to be compiled is soon back, and one that sleeps now and then hardly ever.

    Attributes:
        missing: How often it still has to be quick.
        wanted: How often from the start.
    """

    __slots__ = ("_blocked_s", "missing", "wanted")

    def __init__(self) -> None:
        self.missing = 0
        self.wanted = _RUNS
        self._blocked_s = 0.0

    def has_blocked(self) -> None:
        now_s = time.monotonic()
        if now_s - self._blocked_s > FORGIVEN_S:
            self.wanted = _RUNS
        self._blocked_s = now_s
        self.missing = self.wanted
        self.wanted = min(self.wanted * _MORE_RUNS, _MAX_RUNS)


class Habits:
    """
    What is known of the handlers of one server.

    Whoever has not blocked is trusted, and nothing is kept of it. A handler that has blocked on one path is
    no longer trusted on those that nothing is known of, either: the client chooses them, and could have it
    block on a new one each time.

    A habit is a guess and costs but time where it is wrong. So it needs no lock where it is counted, and no
    handler is kept alive for it; the oldest are forgotten when there are too many.
    """

    def __init__(self) -> None:
        self._habits: dict[Hashable, _Habit] = {}
        self._suspects: set[Kind] = set()  # who took long, and may have waited

    def trust(self, kind: Kind) -> bool:
        """Whether it need not change threads."""
        return not self._habits or self._missing(kind) <= 0

    def has_blocked(self, kind: Kind) -> None:
        """Take note that it kept others waiting for LONG_S, or would have; on one thread at a time."""
        for key in (kind[0], kind):
            habit = self._habits.get(key)
            if habit is None:
                if len(self._habits) >= _MAX_HABITS:
                    del self._habits[next(iter(self._habits))]
                habit = self._habits[key] = _Habit()
            habit.has_blocked()

    def waits_before(self, kind: Kind) -> int | None:
        """Return how often this thread has waited, before a job of a kind for which that matters."""
        return waits_of_this_thread() if self._suspects and kind in self._suspects else None

    def was_trusted(self, kind: Kind, took_s: float, waits: int | None) -> None:
        """
        Take note of how it went, if it took LONG_S, or if it was one for which that matters.

        Args:
            kind: What has run, and kept its thread.
            took_s: For how long.
            waits: As :meth:`waits_before` gave it.
        """
        if waits is None:
            if len(self._suspects) >= _MAX_HABITS:
                self._suspects.clear()
            self._suspects.add(kind)
            return
        self._suspects.discard(kind)
        if took_s >= LONG_S and waits_of_this_thread() != waits:
            self.has_blocked(kind)

    def watch(self, kind: Kind, job: Callable[[], None]) -> None:
        """Run a job of that kind where it may block, and see whether it does."""
        waits: list[None] = []
        waiting.hook = lambda: waits.append(None)
        begun_s, waited = time.monotonic(), waits_of_this_thread()
        try:
            job()
        finally:
            waiting.hook = None
        habit = self._known(kind)
        if habit is not None:
            was_quick = time.monotonic() - begun_s < LONG_S or waits_of_this_thread() == waited
            was_quick = was_quick and not waits
            habit.missing = habit.missing - 1 if was_quick else habit.wanted

    def _missing(self, kind: Kind) -> int:
        habit = self._known(kind)
        return habit.missing if habit is not None else 0

    def _known(self, kind: Kind) -> _Habit | None:
        return self._habits.get(kind) or self._habits.get(kind[0])


if sys.platform == "linux":
    import resource

    def waits_of_this_thread() -> int:
        """
        Return how often this thread has given up the processor by itself.

        Who took long and has not waited was computing, which it can do as well where it is, or was kept from
        it by others that this machine has to do.
        """
        return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw

else:
    _count = itertools.count()

    def waits_of_this_thread() -> int:
        """Return another number each time: the system does not tell how often this thread has waited."""
        return next(_count)
