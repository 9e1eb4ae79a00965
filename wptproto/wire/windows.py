"""
Windows: how much content each side may send, as both know it (RFC 9113 §5.2, §6.9).

They are counted and enforced on nobody: a window of ours that a test overruns is below 0, as is one that a
change of SETTINGS_INITIAL_WINDOW_SIZE takes octets from (§6.9.2).
"""

from __future__ import annotations

from wptproto.protocol.connection import WindowState

__all__ = ["INITIAL_WINDOW_OCTETS", "Windows", "state"]

INITIAL_WINDOW_OCTETS = 65_535


class Windows:
    """
    The windows for one direction of one connection.

    Attributes:
        connection: What may be sent on all streams together.
        initial: What a stream begins with.
    """

    def __init__(self) -> None:
        self.connection = INITIAL_WINDOW_OCTETS
        self.initial = INITIAL_WINDOW_OCTETS
        self._changes: dict[int, int] = {}  # by stream, what it has more than it began with

    def of(self, stream_id: int) -> int:
        """Return a stream's; 0 is the connection's."""
        return self.initial + self._changes.get(stream_id, 0) if stream_id else self.connection

    def take(self, stream_id: int, octets: int) -> None:
        """Take note that so many octets were sent."""
        self.connection -= octets
        self._changes[stream_id] = self._changes.get(stream_id, 0) - octets

    def open(self, stream_id: int, octets: int) -> None:
        """Take note of a WINDOW_UPDATE; of the connection for stream 0."""
        if stream_id:
            self._changes[stream_id] = self._changes.get(stream_id, 0) + octets
        else:
            self.connection += octets

    def highest_after(self, initial: int) -> int:
        """Return the largest of all streams' windows, if they began with *initial*."""
        return initial + max(self._changes.values(), default=0)


def state(to_send: Windows, to_receive: Windows, stream_id: int) -> WindowState:
    """Return what may be sent on a stream, both ways; on all of them together for stream 0."""
    return WindowState(to_send.of(stream_id), to_receive.of(stream_id))
