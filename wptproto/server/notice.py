"""Notice: a line in the log for something that happens many times, when it happens often."""

from __future__ import annotations

import logging
import time

__all__ = ["Notice"]

log = logging.getLogger("wptproto.server")

INTERVAL_S = 5.0
"""A log that a flood of clients could fill would be one more thing for them to attack."""


class Notice:
    """One kind of line, which is logged at the first time, and then once in an interval."""

    def __init__(self) -> None:
        self._next_s = 0.0
        self._unsaid = 0

    def say(self, text: str) -> None:
        """Log a line, or count it for the next."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            self._unsaid += 1
            return
        log.warning("%s%s", text, f" ({self._unsaid} times more before)" if self._unsaid else "")
        self._next_s, self._unsaid = now_s + INTERVAL_S, 0
