"""Sockets as those who mean harm use them."""

from __future__ import annotations

import socket
import ssl
import struct
from contextlib import suppress

from tests.helpers.peers import Kind, Reachable

__all__ = ["heard_now", "leave_by_reset", "raw_socket", "read_all"]

TIMEOUT_S = 20.0


def raw_socket(server: Reachable, kind: Kind, room_octets: int | None = None) -> socket.socket:
    """Return a connected socket that has not said anything, not even of TLS; with little room, if need be."""
    port = server.https_port if kind in ("h1s", "h2") else server.http_port
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(TIMEOUT_S)
    if room_octets is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room_octets)
    sock.connect(("127.0.0.1", port or 0))
    return sock


def read_all(sock: socket.socket) -> bytes:
    """Read until the server has closed, in whatever way."""
    octets = b""
    with suppress(ConnectionError):
        while piece := sock.recv(65536):
            octets += piece
    return octets


def heard_now(sock: socket.socket) -> bytes:
    """Return what has come, which may be nothing, or nothing but what concerns TLS."""
    patience_s = sock.gettimeout()
    sock.settimeout(0)
    try:
        return sock.recv(65536)
    except (BlockingIOError, ssl.SSLWantReadError):
        return b""
    finally:
        sock.settimeout(patience_s)


def leave_by_reset(sock: socket.socket) -> None:
    """Have the connection reset when the socket is closed."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
