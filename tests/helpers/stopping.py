"""Stopping a server, and whether that had to wait for anybody."""

from __future__ import annotations

import time

import pytest

from wptproto import Server
from wptproto.server import engine

__all__ = ["AT_ONCE_S", "assert_stops_at_once"]

AT_ONCE_S = 10.0
"""Longer than a slow machine needs for what waits for nobody."""


def assert_stops_at_once(server: Server) -> None:
    """
    Stop, and see that nobody was waited for.

    A stop gives up on a loop that does not get on, which it takes for blocked. Here it has more patience, so
    that a slow machine is not taken for such a loop, and one that is blocked takes too long.
    """
    begun = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "STOP_S", 2 * AT_ONCE_S)
        server.stop()
    assert time.monotonic() - begun < AT_ONCE_S
