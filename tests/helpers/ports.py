"""Ports for tests that need the same one twice, or cannot be told which it is."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

__all__ = ["quiet_port"]

_QUIET = range(10_000, 30_000)
"""Below what systems give to those who ask for any: 49152 and more (RFC 6335 §6), Linux 32768 and more."""


def quiet_port() -> int:
    """Return a port that is free, and that nobody gets by chance when it is given back."""
    while True:
        port = random.SystemRandom().choice(_QUIET)  # tests at the same time choose others
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
