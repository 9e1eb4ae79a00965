"""Misdeeds: the faults that wait for connections to come, whichever these are."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wptproto.faults import Fault

__all__ = ["Misdeeds"]


class Misdeeds:
    """What is to go wrong with the next connections of a server; any thread may add to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[list[tuple[Fault, bool]]] = []  # of a connection each; whether it needs TLS
        self._always: list[tuple[Fault, bool]] = []

    def add(self, faults: list[tuple[Fault, bool]], times: int | None) -> None:
        """
        Have something go wrong with connections.

        Args:
            faults: In their order, each with whether it has a meaning over TLS alone.
            times: With how many connections, one after the other; None is with each from now on.
        """
        with self._lock:
            if times is None:
                self._always += faults
            else:
                self._waiting += [list(faults) for _ in range(times)]

    def clear(self) -> None:
        """Forget what has not gone wrong yet."""
        with self._lock:
            self._waiting.clear()
            self._always.clear()

    def take(self, *, is_tls: bool) -> list[Fault]:
        """Return what is to go wrong with a new connection; what needs TLS waits for one that has it."""
        if not self._waiting and not self._always:
            return []
        with self._lock:
            found = [fault for fault, needs_tls in self._always if is_tls or not needs_tls]
            for place, faults in enumerate(self._waiting):
                if is_tls or not any(needs_tls for _, needs_tls in faults):
                    found += [fault for fault, _ in self._waiting.pop(place)]
                    break
            return found
