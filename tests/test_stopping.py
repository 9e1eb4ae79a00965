"""Stopping while much is going on: it waits for nobody, leaves nothing behind, and says what it cut off."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.helpers.peers import H2Peer, Kind, connect
from tests.helpers.waiting import assert_soon
from wptproto import Request, Response, Server
from wptproto.server import engine
from wptproto.server.driver import Driver

AT_ONCE_S = 20.0
"""Far below what handlers and clients here would take, and far above what a stop takes on a slow machine."""


@pytest.fixture(autouse=True)
def _no_loop_is_taken_for_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "STOP_S", 15)


class Handlers:
    """Handlers that are in the way of a stop, and are let go after it."""

    def __init__(self) -> None:
        self.wake = threading.Event()
        self.begun: list[str] = []

    def asleep(self, request: Request, response: Response) -> str:
        self.begun.append(request.url_parts.path)
        self.wake.wait(60)
        return "awake"

    async def asleep_async(self, request: Request, response: Response) -> None:
        self.begun.append(request.url_parts.path)
        await asyncio.sleep(60)

    def upload(self, request: Request, response: Response) -> bytes:
        self.begun.append(request.url_parts.path)
        return request.body

    def piece(self, request: Request, response: Response) -> bytes:
        return b"x" * 65536

    def large(self, request: Request, response: Response) -> bytes:
        self.begun.append(request.url_parts.path)
        return b"x" * 30_000_000


@contextmanager
def serving(certs_dir: Path) -> Iterator[tuple[Server, Handlers]]:
    """A server, which the block stops."""
    handlers = Handlers()
    names = ("asleep", "asleep_async", "upload", "large", "piece")
    routes = [("*", f"/{name}", getattr(handlers, name)) for name in names]
    server = Server(routes=routes, certs_dir=certs_dir).start()
    try:
        yield server, handlers
        assert server.http_port is None
    finally:
        server.stop()
        handlers.wake.set()


def stop(server: Server, caplog: pytest.LogCaptureFixture) -> str:
    """Stop the server, see that its loop is gone, and return what it said."""
    caplog.clear()
    caplog.set_level(logging.INFO, "wptproto.server")
    begun = server._engine
    assert begun is not None
    before = time.monotonic()
    server.stop()
    assert time.monotonic() - before < AT_ONCE_S
    assert begun.loop.is_closed()
    assert not begun._drivers
    return "\n".join(record.getMessage() for record in caplog.records if record.name == "wptproto.server")


def connections(server: Server) -> int:
    return len(server.state().connections)


def unsent(server: Server) -> int:
    return sum(connection.unsent_octets for connection in server.state().connections)


def stays_unsent(server: Server) -> bool:
    """Whether there are octets which the client's system has no room for, as it has said by now."""
    before = unsent(server)
    if before:
        time.sleep(0.3)  # an acknowledgement is put off by 0.2 s at most
    return before > 0 and unsent(server) == before


# --- exchanges -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/asleep", "/asleep_async"])
def test_many_handlers_asleep(certs_dir: Path, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of handlers asleep are cut off; some of them are named, and the others counted."""
    with serving(certs_dir) as (server, handlers), connect(server, "h2c") as peer:
        for _ in range(300):
            peer.send_request(path)
        assert_soon(lambda: len(handlers.begun) == 300)
        said = stop(server, caplog)
        assert said.startswith(f"stopped, and cut off GET {path} (its handler runs); GET ")
        assert said.endswith("; and 290 more")
        assert isinstance(peer, H2Peer)
        peer.read_answer()
        assert peer.goaway is not None


def test_uploads_half_done(certs_dir: Path, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    """An upload that is half done is cut off, whether its handler waits for the rest or not."""
    with serving(certs_dir) as (server, handlers), connect(server, kind) as peer:
        peer.send_request("/upload", method="POST", end=False)
        peer.send_content(b"half", end=False)
        assert_soon(lambda: handlers.begun == ["/upload"])
        assert stop(server, caplog) == "stopped, and cut off POST /upload (its request is not whole)"
        assert not peer.read_answer().complete


def test_clients_stuck(certs_dir: Path, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    """A client that does not read its response is cut off."""
    with serving(certs_dir) as (server, _), connect(server, kind) as peer:
        if isinstance(peer, H2Peer):
            peer.auto_acknowledge = False
        peer.send_request("/large")
        assert_soon(
            lambda: [e.sent_octets > 0 for c in server.state().connections for e in c.exchanges] == [True]
        )
        assert stop(server, caplog) == "stopped, and cut off GET /large (its response is not sent)"
        assert not peer.read_answer().complete


# --- connections -----------------------------------------------------------------------------------


def test_a_great_many(
    certs_dir: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop that has much to close is waited for, and is not taken for one that is blocked."""
    real = Driver.stop

    def slowly(driver: Driver, reason: str) -> list[str]:
        time.sleep(0.05)
        return real(driver, reason)

    monkeypatch.setattr(Driver, "stop", slowly)
    monkeypatch.setattr(engine, "STOP_S", 0.5)
    with serving(certs_dir) as (server, _), ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.http_port or 0), timeout=20))
        assert_soon(lambda: connections(server) == 20)
        assert "blocks the loop" not in stop(server, caplog)


def test_octets_that_nobody_reads(certs_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A response of which all is out, but for what the client's system does not take, is cut off as well."""
    with serving(certs_dir) as (server, _), socket.socket() as sock:
        sock.connect(("127.0.0.1", server.http_port or 0))
        for asked in range(1, 1000):
            sock.sendall(b"GET /piece HTTP/1.1\r\nHost: h\r\n\r\n")
            assert_soon(lambda: [(c.begun, c.exchanges) for c in server.state().connections] == [(asked, ())])  # noqa: B023 -- it is asked at once
            if stays_unsent(server):
                break
        said = stop(server, caplog)
        assert re.fullmatch("stopped, and cut off [0-9]+ octets that 127.0.0.1:[0-9]+ has not read", said)


@pytest.mark.parametrize(
    ("port", "octets", "expected"),
    [
        ("https", b"\x16\x03\x01\x02\x00", "the handshake"),
        ("http", b"PRI * HT", "the handshake"),
        ("http", b"GET / HTTP/1.1\r\nHo", "the rest of a request's head"),
    ],
)
def test_half_of_something(
    certs_dir: Path, port: str, octets: bytes, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that has sent half a handshake, or half a head, is cut off."""
    with serving(certs_dir) as (server, _):
        number = server.https_port if port == "https" else server.http_port
        with socket.create_connection(("127.0.0.1", number or 0), timeout=20) as sock:
            sock.sendall(octets)
            assert_soon(lambda: [c.received_octets for c in server.state().connections] == [len(octets)])
            said = stop(server, caplog)
            assert said == f"stopped, and cut off {expected} of 127.0.0.1:{sock.getsockname()[1]}"
            assert sock.recv(100) == b""


def test_nothing_to_say(certs_dir: Path, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    """Of connections that are idle, or have said nothing at all, there is nothing to say."""
    with serving(certs_dir) as (server, handlers), connect(server, kind) as peer:
        handlers.wake.set()
        assert peer.request("/asleep").text == "awake"
        with socket.create_connection(("127.0.0.1", server.http_port or 0)):
            assert_soon(lambda: connections(server) == 2)
            assert stop(server, caplog) == ""


def test_all_of_it(certs_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """All of this at the same time, and it leaves no descriptor behind."""
    with ExitStack() as stack, serving(certs_dir) as (server, handlers):
        before = descriptors()
        for kind in ("h1", "h1s", "h2", "h2c"):
            for path in ("/asleep", "/asleep_async", "/upload", "/large"):
                peer = stack.enter_context(connect(server, kind))
                if isinstance(peer, H2Peer):
                    peer.auto_acknowledge = False
                peer.send_request(path, method="POST", end=path != "/upload")
        for port, half in ((server.http_port, b"GET"), (server.https_port, b"\x16")):
            for octets in (b"", half):
                sock = stack.enter_context(socket.create_connection(("127.0.0.1", port or 0), timeout=20))
                sock.sendall(octets)
        assert_soon(lambda: len(handlers.begun) == 16)
        assert_soon(lambda: sum(c.received_octets > 0 for c in server.state().connections) == 18)
        assert_soon(lambda: connections(server) == 20)
        assert re.fullmatch(r"stopped, and cut off .*POST /.*; and 8 more", stop(server, caplog))
        stack.close()
        assert len(descriptors()) <= len(before)


def descriptors() -> list[str]:
    """What this process has open; where there is no /proc, nobody can tell."""
    return os.listdir("/proc/self/fd") if Path("/proc/self/fd").exists() else []


# --- coroutines that do not want to ----------------------------------------------------------------


LEFT: list[object] = []


async def refusing(request: Request, response: Response) -> None:
    LEFT.append(request)
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)


async def leaving_a_generator(request: Request, response: Response) -> None:
    async def items() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(60)

    left = items()
    LEFT.append(left)
    await anext(left)


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (refusing, "a task of an async handler goes on when cancelled"),
        (leaving_a_generator, "does not end when closed"),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_coroutine_that_does_not_end(
    certs_dir: Path,
    handler: Callable[[Request, Response], object],
    said: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What an async handler left, and does not end when told to, is left behind, and the log says so."""
    monkeypatch.setattr(engine, "TASK_S", 0.05)
    server = Server(routes=[("*", "/*", handler)], certs_dir=certs_dir, https_port=None).start()
    with connect(server, "h1") as peer:
        peer.send_request()
        assert_soon(lambda: bool(LEFT))
        assert said in stop(server, caplog)
    LEFT.clear()
    gc.collect()
