"""The windows of an HTTP/2 connection, as a third party counts them (RFC 9113 §5.2, §6.9)."""

from __future__ import annotations

from typing import NamedTuple

from wptproto.protocol.h2_frames import MAX_WINDOW_OCTETS

__all__ = ["Change", "Windows"]

INITIAL_OCTETS = 65535


class Change(NamedTuple):
    """A window is another than before."""

    stream_id: int
    sends: bool
    before: int
    after: int


class Windows:
    """
    The windows of both sides; *sends* is for those with which the server sends.

    Streams have theirs from their HEADERS on until they are closed.
    """

    def __init__(self) -> None:
        self._initial = {True: INITIAL_OCTETS, False: INITIAL_OCTETS}
        self._windows = {True: {0: INITIAL_OCTETS}, False: {0: INITIAL_OCTETS}}

    def open(self, stream_id: int) -> None:
        """Take note that a stream is open, if it is not yet."""
        for sends, windows in self._windows.items():
            windows.setdefault(stream_id, self._initial[sends])

    def end(self, stream_id: int, *, sends: bool) -> None:
        """Take note that one side has ended a stream, and so needs its window no more; 0 is none."""
        if stream_id:
            self._windows[sends].pop(stream_id, None)

    def close(self, stream_id: int) -> None:
        """Take note that a stream is closed."""
        self.end(stream_id, sends=True)
        self.end(stream_id, sends=False)

    def spend(self, stream_id: int, octets: int, *, sends: bool) -> tuple[list[Change], str | None]:
        """
        Count a DATA frame, padding and all.

        Returns:
            What changes, and what is wrong with the frame, if anything is.
        """
        changes = self._change([0, stream_id], -octets, sends=sends) if octets else []
        short = [change for change in changes if change.after < 0]
        if not short:
            return changes, None
        whose = f"stream {stream_id}" if short[-1].stream_id else "the connection"
        return changes, f"{-short[-1].after} octets more than the window of {whose} (§6.9.1)"

    def add(self, stream_id: int, octets: int, *, sends: bool) -> tuple[list[Change], str | None]:
        """Count a WINDOW_UPDATE; as :meth:`spend`."""
        changes = self._change([stream_id], octets, sends=sends)
        return changes, _beyond(changes)

    def begin_with(self, octets: int, *, sends: bool) -> tuple[list[Change], str | None]:
        """Have streams begin with that window, and change those of open ones by the difference (§6.9.2)."""
        difference = octets - self._initial[sends]
        self._initial[sends] = octets
        streams = [stream_id for stream_id in self._windows[sends] if stream_id]
        changes = self._change(streams, difference, sends=sends) if difference else []
        return changes, _beyond(changes)

    def _change(self, stream_ids: list[int], octets: int, *, sends: bool) -> list[Change]:
        windows = self._windows[sends]
        changes = []
        for stream_id in stream_ids:
            before = windows.get(stream_id)
            if before is not None:
                windows[stream_id] = before + octets
                changes.append(Change(stream_id, sends, before, before + octets))
        return changes


def _beyond(changes: list[Change]) -> str | None:
    beyond = [change for change in changes if change.after > MAX_WINDOW_OCTETS]
    return f"the window of stream {beyond[0].stream_id} is beyond 2^31-1 (§6.9.1)" if beyond else None
