"""Peers over HTTP/1.1 that mean harm, or do it: others are served meanwhile, and what is held is bounded."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal

import pytest

from tests.conformance.probe import GET, get, post
from tests.helpers.peers import connect, open_socket
from tests.helpers.waiting import assert_soon
from tests.hostile.bystander import PATIENCE_S
from wptproto import Request, Response, Server
from wptproto.limits import DEFAULT_LIMITS, Limits

H1Kind = Literal["h1", "h1s"]
IMPATIENT = Limits(handshake_s=0.2, idle_s=0.4, head_s=0.2, content_gap_s=0.2)
LARGE = bytes(16 * 1024 * 1024)
CHUNKED = b"Transfer-Encoding: chunked"


def handler(request: Request, response: Response) -> bytes | str:
    match request.path:
        case "/echo":
            return request.body
        case "/large":
            return LARGE
        case _:
            return "ok"


@contextmanager
def serving(certs_dir: Path, limits: Limits = DEFAULT_LIMITS) -> Iterator[Server]:
    with Server(routes=[("*", "/*", handler)], certs_dir=certs_dir, limits=limits) as server:
        yield server


def raw(server: Server, kind: H1Kind) -> socket.socket:
    """Return a connected socket that has not said anything, not even of TLS."""
    port = server.https_port if kind == "h1s" else server.http_port
    return socket.create_connection(("127.0.0.1", port or 0), timeout=10)


def assert_served(server: Server, kind: H1Kind) -> None:
    """A client that behaves is answered in time."""
    begun = time.monotonic()
    with connect(server, kind) as peer:
        assert peer.request("/").text == "ok"
    assert time.monotonic() - begun < PATIENCE_S


def read_all(sock: socket.socket) -> bytes:
    octets = b""
    with suppress(ConnectionError):
        while piece := sock.recv(65536):
            octets += piece
    return octets


def connections(server: Server) -> int:
    """Return how many connections a server holds."""
    engine = server._engine
    assert engine is not None
    return len(engine._drivers)


@pytest.fixture(params=["h1", "h1s"])
def kind(request: pytest.FixtureRequest) -> H1Kind:
    found: H1Kind = request.param
    return found


# --- those who are slow -----------------------------------------------------------------------------


def test_slow_heads(certs_dir: Path, kind: H1Kind) -> None:
    """Who sends a head in ever smaller pieces is told after a while: 408."""
    with serving(certs_dir, IMPATIENT) as server, ExitStack() as stack:
        slow = [stack.enter_context(open_socket(server, kind)) for _ in range(50)]
        for sock in slow:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n")
        assert_served(server, kind)
        for _ in range(10):
            time.sleep(0.05)  # an octet now and then makes no difference
            with suppress(OSError):
                slow[0].sendall(b"A")
        for sock in slow:
            assert b"HTTP/1.1 408 " in read_all(sock)
        assert_soon(lambda: connections(server) == 0)


def test_slow_content(certs_dir: Path, kind: H1Kind) -> None:
    """So is who promises content and sends none; its handler's thread is given back."""
    with serving(certs_dir, IMPATIENT) as server, ExitStack() as stack:
        slow = [stack.enter_context(open_socket(server, kind)) for _ in range(50)]
        for sock in slow:
            sock.sendall(post(b"Content-Length: 5", content=b"he"))
        assert_served(server, kind)
        for sock in slow:
            assert b"HTTP/1.1 408 " in read_all(sock)
        assert_soon(lambda: connections(server) == 0)


def test_content_piece_by_piece(certs_dir: Path, kind: H1Kind) -> None:
    """Who gets on is waited for, however slowly."""
    with serving(certs_dir, IMPATIENT) as server, open_socket(server, kind) as sock:
        sock.sendall(post(b"Content-Length: 8", b"Connection: close"))
        for _ in range(8):
            time.sleep(0.08)  # slower than all of it may take, faster than each piece may
            sock.sendall(b"x")
        assert read_all(sock).endswith(b"\r\n\r\nxxxxxxxx")


def test_handlers_take_their_time(certs_dir: Path) -> None:
    """A client that waits for us is not late: a handler may stand in a debugger."""

    def slow(request: Request, response: Response) -> bytes:
        time.sleep(1)
        return request.body

    with (
        Server(routes=[("*", "/*", slow)], certs_dir=certs_dir, limits=IMPATIENT) as server,
        open_socket(server, "h1") as sock,
    ):
        sock.sendall(post(b"Content-Length: 2", b"Expect: 100-continue", b"Connection: close"))
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"ok")
        assert read_all(sock).endswith(b"ok")


def test_handshakes_half_open(certs_dir: Path, kind: H1Kind) -> None:
    """Who connects and says nothing, or half of a handshake, is not waited for."""
    with serving(certs_dir, IMPATIENT) as server, ExitStack() as stack:
        silent = [stack.enter_context(raw(server, kind)) for _ in range(100)]
        for sock in silent[::2]:
            sock.sendall(b"\x16\x03\x01\x02" if kind == "h1s" else b"PRI")
        assert_served(server, kind)
        assert_soon(lambda: connections(server) == 0)
        assert {read_all(sock) for sock in silent} == {b""}


# --- those who are many -----------------------------------------------------------------------------


def test_idle_connections(certs_dir: Path) -> None:
    """A thousand connections that do nothing are in nobody's way, and end after a while."""
    limits = Limits(idle_s=2, handshake_s=60)
    with serving(certs_dir, limits) as server, ExitStack() as stack:
        threads = threading.active_count()
        idle = [stack.enter_context(raw(server, "h1")) for _ in range(1000)]
        for sock in idle:
            sock.sendall(b"\r\n")
        assert_soon(lambda: connections(server) == 1000)
        assert threading.active_count() <= threads + 1
        assert_served(server, "h1")
        assert_served(server, "h1s")
        assert_soon(lambda: connections(server) == 0)


def test_pipelined_floods(certs_dir: Path, kind: H1Kind) -> None:
    """Requests without end, whose answers nobody reads, are left in the socket."""
    with serving(certs_dir) as server, open_socket(server, kind) as sock:
        sock.settimeout(0.3)
        sent = 0
        flood = get(line=b"GET /large HTTP/1.1") * 1000
        with suppress(TimeoutError):
            while sent < 100_000_000:
                sent += sock.send(flood)
        assert sent < 100_000_000, "the server has read it all"
        assert_served(server, kind)
        engine = server._engine
        assert engine is not None
        (driver,) = [driver for driver in engine._drivers if driver._exchanges.running]
        connection = driver._connection
        assert len(connection._buffer) < 2 * 1024 * 1024  # type: ignore[union-attr]
        assert len(driver._exchanges.running) == 1


def test_answers_that_nobody_reads(certs_dir: Path, kind: H1Kind) -> None:
    """Large responses wait with their handler's octets, and are not copied for each who does not read."""
    with serving(certs_dir) as server, ExitStack() as stack:
        for _ in range(50):
            sock = stack.enter_context(open_socket(server, kind))
            sock.sendall(get(line=b"GET /large HTTP/1.1"))
        assert_served(server, kind)
        engine = server._engine
        assert engine is not None
        held = [driver._outlet.unread_octets for driver in engine._drivers]
        assert max(held) < 1024 * 1024


def test_empty_lines_without_end(certs_dir: Path, kind: H1Kind) -> None:
    """They begin no request, and hold nothing."""
    with serving(certs_dir, IMPATIENT) as server, open_socket(server, kind) as sock:
        with suppress(OSError):
            for _ in range(2000):
                sock.sendall(b"\r\n" * 5000)
                if not connections(server):
                    break
        assert_served(server, kind)
        assert_soon(lambda: connections(server) == 0)


# --- those who vanish -------------------------------------------------------------------------------

SAMPLES = {
    "get": GET,
    "content": post(b"Content-Length: 5", content=b"hello"),
    "chunks": post(CHUNKED, content=b"5;a=b\r\nhello\r\n0\r\nA: 1\r\n\r\n"),
    "large": get(line=b"GET /large HTTP/1.1"),
}


@pytest.mark.parametrize("resets", [False, True], ids=["FIN", "RST"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_vanishing_at_any_octet(sample: str, resets: bool, certs_dir: Path, kind: H1Kind) -> None:
    """Wherever a client leaves, nothing of it stays."""
    octets = SAMPLES[sample]
    with serving(certs_dir) as server:
        for length in range(len(octets) + 1):
            sock = open_socket(server, kind)
            sock.sendall(octets[:length])
            if resets:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()
        assert_served(server, kind)
        assert_soon(lambda: connections(server) == 0)


def test_the_processor_is_idle_afterwards(certs_dir: Path, kind: H1Kind) -> None:
    """What attacked, and is still there, costs no time of the processor."""
    with serving(certs_dir) as server, ExitStack() as stack:
        for octets in (b"", b"GET", GET[:-2], post(b"Content-Length: 5"), post(CHUNKED, content=b"5\r\nx")):
            sock = stack.enter_context(open_socket(server, kind))
            sock.sendall(octets)
            socket.socket.shutdown(stack.enter_context(open_socket(server, kind)), socket.SHUT_WR)
        assert_served(server, kind)
        before = os.times()
        time.sleep(0.5)
        after = os.times()
        assert (after.user + after.system) - (before.user + before.system) < 0.3
