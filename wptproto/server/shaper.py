"""Shaper: octets on their way out, in pieces of a certain size, at a certain rate, or not now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Shaper"]

TICK_S = 0.02
"""How often something leaves, where there is a rate."""


class Shaper:
    """Gives a connection's octets to its transport as a test wants them to leave."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        """
        Args:
            write: Takes one piece, which is to leave by itself.
        """
        self._write = write
        self._queue = bytearray()
        self._sizes: tuple[int, ...] = ()
        self._used = 0  # of the sizes
        self._gap_s = 0.0
        self._octets_per_s: float | None = None
        self._held = False
        self._timer: asyncio.TimerHandle | None = None
        self._then: list[Callable[[], None]] = []

    @property
    def pending_octets(self) -> int:
        """How many have not left yet."""
        return len(self._queue)

    def cut(self, sizes: tuple[int, ...], gap_s: float) -> None:
        """Let pieces of these sizes leave, the last of them again and again, so many seconds apart."""
        self._sizes, self._used, self._gap_s = sizes, 0, gap_s

    def slow_down(self, octets_per_s: float) -> None:
        """Let no more than so many leave in a second."""
        self._octets_per_s = octets_per_s

    def hold(self, held: bool) -> None:
        """Let nothing leave, or go on."""
        self._held = held
        self._go_on()

    def put(self, octets: bytes) -> None:
        """Let octets leave behind all others."""
        self._queue += octets
        self._go_on()

    def then(self, action: Callable[[], None]) -> None:
        """Do something when all has left that is here now."""
        self._then.append(action)
        self._go_on()

    def drop(self) -> None:
        """Forget what has not left, and what was to be done then."""
        self._queue.clear()
        self._then.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go_on(self) -> None:
        while self._queue and not self._held and self._timer is None:
            size = self._next_size()
            piece = bytes(self._queue[:size])
            del self._queue[:size]
            wait_s = self._gap_s if self._sizes else 0.0
            if self._octets_per_s is not None:
                wait_s = max(wait_s, len(piece) / self._octets_per_s)
            if wait_s:
                self._timer = asyncio.get_running_loop().call_later(wait_s, self._wake)
            self._write(piece)
        if not self._queue and not self._held:
            then, self._then = self._then, []
            for action in then:
                action()

    def _wake(self) -> None:
        self._timer = None
        self._go_on()

    def _next_size(self) -> int:
        if self._sizes:
            size = self._sizes[min(self._used, len(self._sizes) - 1)]
            self._used += 1
            return size
        if self._octets_per_s is not None:
            return int(self._octets_per_s * TICK_S) or 1
        return len(self._queue)
