"""Latency: how long a request waits before its handler is called."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

from wptproto.errors import ConfigError

__all__ = ["Latency", "latency_of"]

log = logging.getLogger("wptproto.server")

Latency = Callable[[], float]
"""Returns seconds, 0 or more; never raises."""


def latency_of(seconds: float | Callable[[], float] | None) -> Latency | None:
    """
    Return how long each request waits; None where there is no wait.

    Args:
        seconds: The same for all, or what returns those of the next request. That is called on the loop's
            thread; where it raises, or returns no seconds, the log says so and the request does not wait.

    Raises:
        ConfigError: These are no seconds.
    """
    if seconds is None:
        return None
    if not callable(seconds):
        if not _is_duration(seconds):
            raise ConfigError(f"latency_s: seconds, 0 or more, are wanted, not {seconds!r}")
        return lambda: seconds
    return lambda: _ask(seconds)


def _ask(seconds: Callable[[], float]) -> float:
    try:
        found = seconds()
    except Exception:
        log.exception("the latency of a request could not be told, so it does not wait")
        return 0.0
    if not _is_duration(found):
        log.error("the latency of a request is to be in seconds, 0 or more, so it does not wait: %r", found)
        return 0.0
    return found


def _is_duration(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < math.inf
