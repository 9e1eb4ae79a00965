"""Waiting for what another thread does: as short as it takes, as long as a slow machine may need."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["assert_soon"]


def assert_soon(holds: Callable[[], bool], *, within_s: float = 15) -> None:
    """Look again and again until it holds; fail where it never does."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)
