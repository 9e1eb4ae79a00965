"""Sockets as those who mean harm use them."""

from __future__ import annotations

import socket
import ssl
import struct
from contextlib import suppress

from tests.helpers.peers import Kind, Reachable

__all__ = ["heard_now", "leave_by_reset", "raw_socket", "read_all"]

TIMEOUT_S = 20.0


def raw_socket(server: Reachable, kind: Kind, *, narrow: bool = False) -> socket.socket:
    """
    Return a connected socket that has not said anything, not even of TLS.

    Args:
        server: To which.
        kind: To which of its ports.
        narrow: Have the systems of both sides keep little for it, so that it is soon full.
    """
    port = server.https_port if kind in ("h1s", "h2") else server.http_port
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(TIMEOUT_S)
    if narrow:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
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
