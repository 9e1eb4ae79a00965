"""
Patience: how long a connection's peer may keep it waiting.

There is no timer for each connection, for setting one at each request would cost more than the request's
parsing. The engine looks at all connections now and then, and each remembers what it was found waiting for.
So a limit is kept to within one look.
"""

from __future__ import annotations

from wptproto.limits import Limits
from wptproto.protocol.connection import Awaits

__all__ = ["Patience", "look_interval_s"]

_LONGEST_INTERVAL_S = 1.0
_LOOKS_PER_LIMIT = 4


def look_interval_s(limits: Limits) -> float:
    """Return how often to look, so that each limit is kept well enough."""
    shortest = min(limits.handshake_s, limits.idle_s, limits.head_s, limits.content_gap_s)
    return min(_LONGEST_INTERVAL_S, shortest / _LOOKS_PER_LIMIT)


class Patience:
    """One connection's."""

    def __init__(self, limits: Limits) -> None:
        self._limits_s = {
            Awaits.HANDSHAKE: limits.handshake_s,
            Awaits.REQUEST: limits.idle_s,
            Awaits.HEAD: limits.head_s,
            Awaits.CONTENT: limits.content_gap_s,
        }
        self._seen: tuple[Awaits, int] | None = None
        self._since_s = 0.0

    def exhausted(self, awaits: Awaits, progress: int, now_s: float) -> str | None:
        """
        Return why a peer is not waited for any longer; None if it is.

        Args:
            awaits: What it is to send.
            progress: A number that is another one whenever it has got on.
            now_s: The time, from any origin.
        """
        if self._seen != (awaits, progress):
            self._seen, self._since_s = (awaits, progress), now_s
        limit_s = self._limits_s.get(awaits)
        if limit_s is None or now_s - self._since_s <= limit_s:
            return None
        return f"{awaits.value} did not come within {limit_s:g} s"
