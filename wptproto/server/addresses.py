"""Addresses: where the two ends of a connection are."""

from __future__ import annotations

import socket

__all__ = ["Address", "address_of", "client_of", "here_of"]

Address = tuple[str, int]
"""Of an interface, and the port; empty and 0 where it cannot be told any more."""


def address_of(name: object) -> Address:
    """Return what a socket's name says, in any family of addresses."""
    if isinstance(name, tuple) and len(name) >= 2:
        return str(name[0]), int(name[1])
    return "", 0


def client_of(sock: socket.socket) -> Address:
    """Return where the other end of a connection is."""
    try:
        return address_of(sock.getpeername())
    except OSError:  # it is gone already
        return address_of(None)


def here_of(sock: socket.socket) -> Address:
    """Return where this end is."""
    return address_of(sock.getsockname())
