"""Idle connections: each has had one answer, and is left open."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["idle_connections"]

PATIENCE_S = 10
_GET = b"GET /text HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
_BLOCK = bytes((0x82, 0x87, 0x04, 5)) + b"/text" + bytes((0x01, 9)) + b"127.0.0.1"
_H2_GET = _PREFACE + len(_BLOCK).to_bytes(3, "big") + b"\x01\x05\0\0\0\x01" + _BLOCK


@contextmanager
def idle_connections(port: int, count: int, protocol: str, *, tls: bool = True) -> Iterator[None]:
    """Hold so many of them, of the protocol ``http/1.1`` or ``h2``, in TLS or in the clear."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    open_: list[socket.socket] = []
    try:
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
            if tls:
                sock = context.wrap_socket(sock)
            open_.append(sock)
            sock.sendall(_H2_GET if protocol == "h2" else _GET)
            _await_answer(sock, protocol)
        yield
    finally:
        for sock in open_:
            sock.close()


def _await_answer(sock: socket.socket, protocol: str) -> None:
    octets = b""
    while b"Hello, world!" not in octets:
        data = sock.recv(65536)
        if not data:
            raise ConnectionError(f"closed after {octets!r}")
        octets += data
    if protocol == "h2":
        sock.sendall(b"\0\0\0\x04\x01\0\0\0\0")  # SETTINGS, acknowledged
