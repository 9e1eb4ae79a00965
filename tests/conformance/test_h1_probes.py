"""Every probe, over sockets, in the clear and over TLS, whole and octet by octet, with either core."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest

from tests.conformance import rfc9112_2, rfc9112_3, rfc9112_5, rfc9112_6, rfc9112_7, rfc9112_9
from tests.conformance.probe import Probe, get
from tests.helpers.h1 import Message, read_one
from tests.helpers.peers import open_socket
from wptproto import Request, Response, Server
from wptproto.protocol.rules import Core

TABLES = (rfc9112_2, rfc9112_3, rfc9112_5, rfc9112_6, rfc9112_7, rfc9112_9)
PROBES = [probe for table in TABLES for probe in table.PROBES]
AFTER = get(line=b"GET /after HTTP/1.1")
FEW_OCTETS = 2000


class Reader:
    """Reads responses one by one, and knows when the connection has ended."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._octets = b""
        self._ended = False

    def next(self, method: str) -> Message | None:
        """Return the next final response; None at the end of the connection."""
        while True:
            if self._octets:
                message, used = read_one(self._octets, method, eof=self._ended)
                if message is not None:
                    self._octets = self._octets[used:]
                    return message
                assert not self._ended, "a response breaks off"
            elif self._ended:
                return None
            self._receive()

    def _receive(self) -> None:
        try:
            piece = self._sock.recv(65536)
        except ConnectionError:  # its reset overtook the end
            piece = b""
        self._octets += piece
        self._ended = not piece


smuggled: list[str] = []


def handler(request: Request, response: Response) -> bytes | str:
    match request.path:
        case "/smuggled":
            smuggled.append(request.url)
            return "smuggled"
        case "/url":
            return request.url
        case "/echo":
            return request.body
        case path:
            return path


@pytest.fixture(scope="module", params=list(Core))
def server(request: pytest.FixtureRequest, certs_dir: Path) -> Iterator[Server]:
    routes = [(methods, path, handler) for methods, path in (
        ("GET", "/get"), ("GET", "/after"), ("GET", "/smuggled"), ("GET", "/url"), ("POST", "/echo"), ("POST", "/deaf"),
    )]  # fmt: skip
    with Server(routes=routes, certs_dir=certs_dir, core=request.param) as server:
        yield server


def method_of(probe: Probe) -> str:
    """Return the method of a probe's first request, as far as it matters for reading the response."""
    return "HEAD" if probe.sends.startswith(b"HEAD") else "GET"


def send(sock: socket.socket, octets: bytes, *, piecemeal: bool) -> None:
    """Send octets; that the server has heard enough of them is no error of the client's."""
    step = 1 if piecemeal else max(1, len(octets))
    with suppress(ConnectionError, ssl.SSLError):
        for start in range(0, len(octets), step):
            sock.sendall(octets[start : start + step])


@pytest.mark.parametrize("kind", ["h1", "h1s"])
@pytest.mark.parametrize(
    ("probe", "piecemeal"),
    [pytest.param(probe, False, id=probe.id) for probe in PROBES]
    + [
        pytest.param(probe, True, id=f"{probe.id}-octet-by-octet")
        for probe in PROBES
        if len(probe.sends) <= FEW_OCTETS
    ],
)
def test_probe(probe: Probe, piecemeal: bool, kind: Literal["h1", "h1s"], server: Server) -> None:
    """The server reacts as the row allows, and makes no request of what is none."""
    smuggled.clear()
    with open_socket(server, kind) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = Reader(sock)
        send(sock, probe.sends, piecemeal=piecemeal)
        if probe.half_closes:
            socket.socket.shutdown(sock, socket.SHUT_WR)
        for number in range(probe.answers):
            message = reader.next(method_of(probe) if number == 0 else "GET")
            assert message is not None, "the connection closes instead"
            if number == 0:
                assert message.status in probe.statuses
                assert probe.says in message.content
            if message.status >= 400 and method_of(probe) != "HEAD":
                assert len(message.content) > 10, "an error is explained"
        if probe.stays:
            send(sock, AFTER, piecemeal=False)
            message = reader.next("GET")
            assert message is not None, "the connection closes"
            assert (message.status, message.content) == (200, b"/after")
        else:
            assert reader.next("GET") is None
    assert smuggled == []


def test_the_tables() -> None:
    """Every row has a name of its own, and there are enough of them."""
    assert len({probe.id for probe in PROBES}) == len(PROBES) >= 250
