"""Ports that a test names itself."""

from __future__ import annotations

import random

from wptproto import ConfigError
from wptproto.server.listener import DEFAULT_HOSTS, listen

__all__ = ["quiet_port"]

QUIET = range(10_000, 30_000)
"""Below those that systems give to whoever wants any port."""


def quiet_port() -> int:
    """Return a free port, which nobody has meanwhile who wants any port."""
    while True:
        port = random.SystemRandom().choice(QUIET)  # tests at the same time choose others
        try:
            socks = listen(DEFAULT_HOSTS, port)
        except ConfigError:
            continue
        for sock in socks:
            sock.close()
        return port
