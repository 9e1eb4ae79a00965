"""
Patience: how long a connection's peer may keep it waiting.

There is no timer for each connection, for setting one at each request would cost more than the request's
parsing. The engine looks at all connections now and then, and each remembers what it was found waiting for.
So a limit is kept to within one look.

A peer that gets on is waited for, and an octet now and then is not getting on: where octets are counted,
there is a least number of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from wptproto.limits import Limits
from wptproto.protocol.connection import Awaits

__all__ = ["Patience", "look_interval_s"]

_LONGEST_INTERVAL_S = 1.0
_LOOKS_PER_LIMIT = 4
_NAMES = {
    Awaits.HANDSHAKE: "handshake_s",
    Awaits.REQUEST: "idle_s",
    Awaits.HEAD: "head_s",
    Awaits.FRAME: "head_s",
    Awaits.CONTENT: "content_gap_s",
    Awaits.ROOM: "unread_s",
}
_IN_OCTETS = (Awaits.CONTENT, Awaits.ROOM)


def look_interval_s(limits: Limits) -> float:
    """Return how often to look, so that each limit is kept well enough."""
    shortest: float = min(getattr(limits, name) for name in _NAMES.values())
    return min(_LONGEST_INTERVAL_S, shortest / _LOOKS_PER_LIMIT, limits.crowded_gap_s)


class Patience:
    """That of one connection, or of one of its exchanges."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._marks: dict[Awaits, tuple[int, float]] = {}  # progress when it last was enough, and then

    def exhausted(
        self, awaited: Mapping[Awaits, int], now_s: float, *, crowded: bool = False
    ) -> tuple[Awaits, str] | None:
        """
        Return what is not waited for any longer, and why; None if all is.

        Args:
            awaited: All that the peer is to do now, each with how far it has got: octets of content, or of
                what it takes; else a number that is another one whenever it has come through.
            now_s: The time, from any origin.
            crowded: Others wait for what this one keeps from them.
        """
        marks, self._marks = self._marks, {}
        for awaits, progress in awaited.items():
            if awaits is Awaits.NOTHING:
                continue
            name = "crowded_gap_s" if crowded else _NAMES[awaits]
            least = self._limits.progress_octets if awaits in _IN_OCTETS else 1
            before, since_s = marks.get(awaits, (progress, now_s))
            if progress - before >= least:
                before, since_s = progress, now_s
            limit_s: float = getattr(self._limits, name)
            if now_s - since_s > limit_s:
                return awaits, f"past the limit {name}: {awaits.value} did not come within {limit_s:g} s"
            self._marks[awaits] = before, since_s
        return None

    def ends_s(self, awaits: Awaits) -> float:
        """Return until when it is waited for what was awaited at the last look; by the limit of all times."""
        limit_s: float = getattr(self._limits, _NAMES[awaits])
        return self._marks[awaits][1] + limit_s
