"""HTTP/2 clients that do not read what they ask for: what waits is bounded, and nobody else waits."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from h2.settings import SettingCodes
from hpack import Encoder
from hyperframe.frame import GoAwayFrame, PingFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame

from tests.helpers.h2 import OPENING, REQUEST, headers
from tests.helpers.peers import Kind, open_socket
from tests.helpers.waiting import assert_soon
from tests.hostile.bystander import PATH, assert_idle, connections, undisturbed
from wptproto import Request, Response, Server
from wptproto.limits import Limits
from wptproto.protocol.h2_frames import DATA, END_STREAM, HEADERS
from wptproto.server.driver import MAX_UNREAD_OCTETS, Driver

REQUESTS = 1000
LARGE_OCTETS = 64 * 1024
PIECE_OCTETS = 4 * 1024
QUEUED_OCTETS = 2 * 1024 * 1024
ALL = 2**31 - 1  # what a window can hold


class Maker:
    """
    The handlers, and how much they made.

    Attributes:
        octets: Of content, of all responses.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.octets = 0

    def handle(self, request: Request, response: Response) -> str | bytes | Iterator[bytes]:
        if request.path == PATH:
            return "here"
        return self._pieces() if request.path == "/pieces" else self._make(LARGE_OCTETS)

    def _pieces(self) -> Iterator[bytes]:
        for _ in range(LARGE_OCTETS // PIECE_OCTETS):
            yield self._make(PIECE_OCTETS)

    def _make(self, size: int) -> bytes:
        with self._lock:
            self.octets += size
        return bytes(size)


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def server(maker: Maker, certs_dir: Path, tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "file").write_bytes(bytes(LARGE_OCTETS))
    routes = [("GET", path, maker.handle) for path in (PATH, "/pieces", "/whole")]
    limits = Limits(queued_octets=QUEUED_OCTETS)
    with Server(routes=routes, certs_dir=certs_dir, doc_root=tmp_path, limits=limits) as server:
        yield server


def window(octets: int) -> bytes:
    return SettingsFrame(0, {SettingCodes.INITIAL_WINDOW_SIZE: octets}).serialize()


def requests(path: str) -> bytes:
    """Return as many requests as there are REQUESTS."""
    encoder = Encoder()
    lines = [*REQUEST[:3], (b":path", path.encode())]
    return b"".join(headers(stream, lines, encoder=encoder).serialize() for stream in streams())


def streams() -> range:
    return range(1, 2 * REQUESTS, 2)


def driver_of(server: Server, sock: socket.socket) -> Driver:
    """Return the one that serves a client's socket."""
    assert server._engine is not None
    drivers, port = server._engine._drivers, sock.getsockname()[1]
    assert_soon(lambda: any(driver._peer[1] == port for driver in set(drivers)))
    return next(driver for driver in set(drivers) if driver._peer[1] == port)


def held(driver: Driver) -> int:
    """Return how many octets of content wait for a client."""
    return sum(running.bridge.held_octets for running in driver._exchanges.running.values())


def read_responses(sock: socket.socket) -> tuple[int, int]:
    """Read until all requests were answered; return how many responses ended, and their content's octets."""
    buffer = bytearray()
    ended = content = 0
    while ended < REQUESTS:
        piece = sock.recv(256 * 1024)
        assert piece, "the connection was closed"
        buffer += piece
        while len(buffer) >= 9 + (size := int.from_bytes(buffer[:3], "big")):
            kind, flags = buffer[3], buffer[4]
            assert kind not in (RstStreamFrame.type, GoAwayFrame.type)
            content += size if kind == DATA else 0
            ended += kind in (DATA, HEADERS) and flags & END_STREAM
            del buffer[: 9 + size]
    return ended, content


@pytest.mark.parametrize("kind", ["h2", "h2c"])
@pytest.mark.parametrize("path", ["/whole", "/pieces", "/file"])
def test_windows_that_open_late(path: str, kind: Kind, server: Server, maker: Maker) -> None:
    """
    A thousand large responses that nobody reads are not made before there is room; when their windows
    open, all of them come.
    """
    with undisturbed(server), open_socket(server, kind) as sock:
        sock.sendall(OPENING + window(0) + requests(path))
        driver = driver_of(server, sock)
        assert_soon(lambda: len(driver._exchanges.running) == REQUESTS)
        assert_idle()
        assert_soon(lambda: held(driver) == driver._exchanges.held_octets)
        assert held(driver) < REQUESTS * LARGE_OCTETS // 2
        assert maker.octets < REQUESTS * LARGE_OCTETS // 2
        sock.sendall(window(ALL) + WindowUpdateFrame(0, ALL - 65535).serialize())
        assert read_responses(sock) == (REQUESTS, REQUESTS * LARGE_OCTETS)
        assert driver._exchanges.held_octets == 0
    assert_soon(lambda: connections(server) == 0)


@pytest.mark.parametrize("kind", ["h2", "h2c"])
def test_windows_that_never_open(kind: Kind, server: Server) -> None:
    """A client that leaves its responses alone, and then goes away, leaves nothing here."""
    with undisturbed(server), open_socket(server, kind) as sock:
        sock.sendall(OPENING + window(0) + requests("/whole"))
        driver = driver_of(server, sock)
        assert_soon(lambda: driver._exchanges.held_octets > QUEUED_OCTETS)
        sock.sendall(b"".join(RstStreamFrame(stream).serialize() for stream in range(1, REQUESTS, 2)))
        assert_soon(lambda: len(driver._exchanges.running) == REQUESTS // 2)
        assert_idle()
        assert_soon(lambda: held(driver) == driver._exchanges.held_octets)
        assert held(driver) < REQUESTS * LARGE_OCTETS // 2
    assert_soon(lambda: connections(server) == 0)
    assert driver._exchanges.held_octets == 0
    assert_idle()


@pytest.mark.parametrize("kind", ["h2", "h2c"])
def test_windows_that_dribble_and_change(kind: Kind, server: Server) -> None:
    """Windows may open octet by octet, and change in the middle of it all, below nothing and back."""
    with undisturbed(server), open_socket(server, kind) as sock:
        sock.sendall(OPENING + window(0) + requests("/whole"))
        driver = driver_of(server, sock)
        assert_soon(lambda: len(driver._exchanges.running) == REQUESTS)
        for _ in range(3):
            sock.sendall(b"".join(WindowUpdateFrame(stream, 1).serialize() for stream in streams()))
        for octets in (*range(1, 40), 0, 5):
            sock.sendall(window(octets))
        sock.sendall(window(ALL - 100) + WindowUpdateFrame(0, ALL - 65535).serialize())
        assert read_responses(sock) == (REQUESTS, REQUESTS * LARGE_OCTETS)


@pytest.mark.parametrize("kind", ["h2", "h2c"])
@pytest.mark.parametrize("path", ["/whole", "/pieces", "/file"])
def test_a_socket_that_is_not_read(path: str, kind: Kind, server: Server, maker: Maker) -> None:
    """Where all windows are open, but the socket is not read, no more is sent than can wait there."""
    with undisturbed(server), open_socket(server, kind) as sock:
        sock.sendall(OPENING + window(ALL) + WindowUpdateFrame(0, ALL - 65535).serialize() + requests(path))
        driver = driver_of(server, sock)
        assert_soon(lambda: driver._outlet.unread_octets > 0)
        assert_idle()
        assert driver._outlet.unread_octets <= MAX_UNREAD_OCTETS
        assert_soon(lambda: held(driver) == driver._exchanges.held_octets)
        assert held(driver) < REQUESTS * LARGE_OCTETS // 2
        assert read_responses(sock) == (REQUESTS, REQUESTS * LARGE_OCTETS)
    assert_soon(lambda: connections(server) == 0)


def test_answers_that_are_not_read(certs_dir: Path) -> None:
    """Who does not read the answers to what it sends is not read from, limits or not."""
    routes = [("GET", PATH, lambda request, response: "here")]
    with (
        Server(routes=routes, certs_dir=certs_dir, limits=Limits.none()) as server,
        undisturbed(server),
        open_socket(server, "h2c") as sock,
    ):
        sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            sock.sendall(OPENING + PingFrame(0).serialize() * 1_000_000)
        driver = driver_of(server, sock)
        assert_idle()
        assert driver._outlet.reading_paused
        assert driver._outlet.unread_octets < 2 * MAX_UNREAD_OCTETS
