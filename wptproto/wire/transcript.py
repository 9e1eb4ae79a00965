"""Transcript: what went both ways on a connection, for whoever asks why something did not come."""

from __future__ import annotations

import time
from collections.abc import Iterable

from wptproto.protocol.h2_frame_types import Frame
from wptproto.protocol.violations import Violation

__all__ = ["Transcript"]

MOST_SHOWN = 40
_SHOWN_OCTETS = 120


class Transcript:
    """What came and what was sent, in order."""

    def __init__(self) -> None:
        self._since_s = time.monotonic()
        self._lines: list[tuple[float, str, Frame | bytes | str]] = []

    def came(self, what: Frame | bytes | str, violations: Iterable[Violation] = ()) -> None:
        """Take note of what came, and of what it breaks."""
        self._add("<", what)
        for violation in violations:
            self._add("!", str(violation))

    def sent(self, what: Frame | bytes | str) -> None:
        """Take note of what was sent."""
        self._add(">", what)

    def _add(self, sign: str, what: Frame | bytes | str) -> None:
        self._lines.append((time.monotonic() - self._since_s, sign, what))

    def __str__(self) -> str:
        """All of it in words, the last of it where it is long: a line each."""
        lines = [f"  {at_s:8.3f} s {sign} {_said(what)}" for at_s, sign, what in self._lines[-MOST_SHOWN:]]
        left_out = len(self._lines) - len(lines)
        head = [f"  ({left_out} lines before that)"] if left_out else []
        return "\n".join([*head, *lines]) or "  (nothing)"


def _said(what: Frame | bytes | str) -> str:
    if isinstance(what, bytes):
        rest = f"... ({len(what)} octets)" if len(what) > _SHOWN_OCTETS else ""
        return f"{what[:_SHOWN_OCTETS]!r}{rest}"
    return str(what)
