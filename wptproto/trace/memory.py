"""Memory: the last events of a trace, as many as there is room for."""

from __future__ import annotations

from collections import deque

from wptproto.trace.events import TraceEvent

__all__ = ["KEPT_EVENTS", "KEPT_OCTETS", "Memory"]

KEPT_EVENTS = 10_000
"""How many events are kept."""

KEPT_OCTETS = 64 * 1024 * 1024
"""How many octets of the wire they may have."""


class Memory:
    """Keeps the last events."""

    def __init__(self) -> None:
        self._events: deque[tuple[TraceEvent, int]] = deque()
        self._octets = 0

    def __call__(self, event: TraceEvent) -> None:
        octets = sum(len(value) for value in event if type(value) is bytes)
        self._events.append((event, octets))
        self._octets += octets
        while len(self._events) > KEPT_EVENTS or self._octets > KEPT_OCTETS:
            self._octets -= self._events.popleft()[1]

    @property
    def events(self) -> list[TraceEvent]:
        """What there is, in order."""
        return [event for event, _ in self._events]
