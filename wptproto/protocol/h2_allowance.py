"""
Allowance: what costs an HTTP/2 client nothing, counted for one connection, so that it cannot cost us much.

A request has to be answered, and what it may ask for is bounded elsewhere. But RST_STREAM, PING or
SETTINGS are few octets to send, and work to receive. Each kind has its rate; AT_ONCE_S seconds' worth of
it may come at once, for nobody shall count who opens a thousand streams and resets them. What was spent
comes back as time goes by, which is an argument here: :meth:`Allowance.tick`.
"""

from __future__ import annotations

import h2.exceptions
from hyperframe.frame import (
    ContinuationFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from wptproto.h2_codes import DATA, END_STREAM, HEADERS, PADDED, PRIORITY_UPDATE
from wptproto.limits import Limits

__all__ = ["AT_ONCE_S", "Allowance"]

AT_ONCE_S = 10
"""How many seconds' worth of one kind may come at once."""

OCTETS_PER_UPDATE = 512
"""Content sent that explains one WINDOW_UPDATE: clients open the stream's window and the connection's."""

_RESETS = "h2_resets_per_s"
_EMPTY = "h2_empty_frames_per_s"
_UPDATES = "h2_window_updates_per_s"
_OTHERS = "h2_other_frames_per_s"
_NAMES = {
    RstStreamFrame.type: _RESETS,
    SettingsFrame.type: "h2_settings_per_s",
    PingFrame.type: "h2_pings_per_s",
    PriorityFrame.type: "h2_priorities_per_s",
    PRIORITY_UPDATE: "h2_priorities_per_s",
    ContinuationFrame.type: "h2_continuations_per_s",
}


class Allowance:
    """What is left of each kind, for one connection."""

    def __init__(self, limits: Limits) -> None:
        """
        Args:
            limits: Those whose names end in ``_per_s`` are read here.
        """
        self._limits = limits
        self._spent: dict[str, float] = {}
        self._now_s = 0.0
        self._unexplained_octets = 0

    def tick(self, now_s: float) -> None:
        """Give back what the time since the last call is worth; *now_s* is seconds from any origin."""
        elapsed_s, self._now_s = now_s - self._now_s, now_s
        for name, spent in list(self._spent.items()):
            left = spent - elapsed_s * getattr(self._limits, name)
            if left > 0:
                self._spent[name] = left
            else:
                del self._spent[name]

    def sent(self, octets: int) -> None:
        """Take note of content that went out: a client has WINDOW_UPDATE frames to send for it."""
        self._unexplained_octets += octets

    def take_frame(self, octets: bytes) -> None:
        """
        Count one frame that came.

        Raises:
            h2.exceptions.DenialOfServiceError: It is one too many; says which limit it is past.
        """
        kind = octets[3]
        if kind == WindowUpdateFrame.type:
            self.take_window_update()
        elif kind != HEADERS and (kind != DATA or _is_idle(octets)):
            self._spend(_EMPTY if kind == DATA else _NAMES.get(kind, _OTHERS))

    def take_window_update(self) -> None:
        """
        Count a WINDOW_UPDATE frame that came.

        Raises:
            h2.exceptions.DenialOfServiceError: It is one too many.
        """
        if self._unexplained_octets >= OCTETS_PER_UPDATE:
            self._unexplained_octets -= OCTETS_PER_UPDATE
        else:
            self._spend(_UPDATES)

    def take_provoked(self, count: int) -> None:
        """
        Count RST_STREAM frames that the client made us send, which cost it no more than its own.

        Raises:
            h2.exceptions.DenialOfServiceError: It is one too many.
        """
        self._spend(_RESETS, count)

    def _spend(self, name: str, count: int = 1) -> None:
        rate = getattr(self._limits, name)
        spent = self._spent.get(name, 0.0) + count
        if spent > rate * AT_ONCE_S:
            raise h2.exceptions.DenialOfServiceError(
                f"past the limit {name}: more than {rate} in a second, and {rate * AT_ONCE_S} at once"
            )
        self._spent[name] = spent


def _is_idle(octets: bytes) -> bool:
    """Whether a DATA frame brings nothing: no content, perhaps padding, and no end."""
    flags, length = octets[4], len(octets) - 9
    return not flags & END_STREAM and (not length or (flags & PADDED != 0 and octets[9] == length - 1))
