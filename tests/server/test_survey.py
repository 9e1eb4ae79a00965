"""Survey: what a server does, asked for by any thread; and the words for it."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.peers import H2Peer, Kind, Peer, connect
from tests.helpers.waiting import assert_soon
from wptproto import Request, Response, Server
from wptproto.limits import Limits
from wptproto.server import survey
from wptproto.server.state import ConnectionState, Doing, ExchangeState, ServerState, Stack

KEY = "0e8b2c5e-93a6-4f0e-a8a3-1f6d6f3c9b11"


class Handlers:
    """Handlers that wait until the test lets them go."""

    def __init__(self) -> None:
        self.wake = threading.Event()
        self.found: list[Any] = []

    def asleep(self, request: Request, response: Response) -> str:
        self.wake.wait(20)
        return "awake"

    def reading(self, request: Request, response: Response) -> bytes:
        return request.body

    def large(self, request: Request, response: Response) -> bytes:
        return b"x" * 30_000_000

    async def awaiting(self, request: Request, response: Response) -> str:
        await self.inner()
        return "awake"

    async def inner(self) -> None:
        while not self.wake.is_set():  # noqa: ASYNC110  (by another thread)
            await asyncio.sleep(0.001)

    async def blocking(self, request: Request, response: Response) -> str:
        self.wake.wait(20)
        return "awake"

    async def looking(self, request: Request, response: Response) -> str:
        self.found.append(request.server.state())
        return str(request.server.dump())

    async def elsewhere(self, request: Request, response: Response) -> str:
        await asyncio.to_thread(self.wake.wait, 20)
        return "awake"


class Watched:
    """A server and what it does."""

    def __init__(self, server: Server, handlers: Handlers) -> None:
        self.server = server
        self.handlers = handlers

    def connection(self) -> ConnectionState:
        (found,) = self.server.state().connections
        return found

    def exchange(self, doing: Doing) -> ExchangeState:
        """The only exchange, as soon as it does that."""
        found: list[ExchangeState] = []

        def is_found() -> bool:
            found[:] = self.exchanges()
            return [exchange.doing for exchange in found] == [doing]

        assert_soon(is_found)
        return found[0]

    def handled(self, by: str, *, at: str) -> ExchangeState:
        """The only exchange, as soon as its handler, which has that name, is at that line of its own."""
        found: list[ExchangeState] = []

        def is_found() -> bool:
            found[:] = self.exchanges()
            stacks = [exchange.handler.stack for exchange in found if exchange.handler is not None]
            return [(stack[0].name, stack[0].line) for stack in stacks] == [(by, at)]

        assert_soon(is_found)
        assert [exchange.doing for exchange in found] == [Doing.HANDLED]
        return found[0]

    def exchanges(self) -> list[ExchangeState]:
        return [exchange for found in self.server.state().connections for exchange in found.exchanges]


@contextmanager
def watched(certs_dir: Path, **settings: Any) -> Iterator[Watched]:
    handlers = Handlers()
    names = ("asleep", "reading", "large", "awaiting", "blocking", "looking", "elsewhere")
    routes = [("*", f"/{name}", getattr(handlers, name)) for name in names]
    with Server(routes=routes, certs_dir=certs_dir, **settings) as server:
        try:
            yield Watched(server, handlers)
        finally:
            handlers.wake.set()


def answer(peer: Peer) -> str:
    return peer.read_answer().text


# --- connections and exchanges ---------------------------------------------------------------------


def test_a_handler_asleep(certs_dir: Path, kind: Kind) -> None:
    """A handler that runs is found by the thread it is on, and by the line of its own that it is at."""
    with watched(certs_dir) as it, connect(it.server, kind) as peer:
        peer.send_request("/asleep?x=1")
        exchange = it.handled("asleep", at="self.wake.wait(20)")
        assert (exchange.number, exchange.method, exchange.path) == (1, "GET", "/asleep?x=1")
        assert (exchange.request_ended, exchange.status, exchange.queued_octets) == (True, 0, 0)
        assert exchange.age_s >= 0
        assert exchange.handler is not None
        assert exchange.handler.thread == "wptproto-handler"
        assert exchange.handler.stack[0].filename == __file__
        assert (exchange.windows is None) is (kind in ("h1", "h1s"))
        text = it.server.dump()
        assert re.search(r"1: GET /asleep\?x=1, \d+\.\d", text)
        assert "handler, on thread wptproto-handler\n" in text
        assert "self.wake.wait(20)\n" in text
        it.handlers.wake.set()
        assert answer(peer) == "awake"


def test_a_coroutine(certs_dir: Path, kind: Kind) -> None:
    """An async handler is found on the loop, down to what it awaits."""
    with watched(certs_dir) as it, connect(it.server, kind) as peer:
        peer.send_request("/awaiting")
        handler = it.handled("awaiting", at="await self.inner()").handler
        assert handler is not None
        assert handler.thread is None
        assert [frame.name for frame in handler.stack][:2] == ["awaiting", "inner"]
        assert "handler, a coroutine on the loop\n" in it.server.dump()
        it.handlers.wake.set()
        assert answer(peer) == "awake"


def test_content(certs_dir: Path, kind: Kind) -> None:
    """How much of a request's content has come is known, and how much of that was read."""
    with watched(certs_dir) as it, connect(it.server, kind) as peer:
        peer.send_request("/asleep", method="POST", end=False)
        peer.send_content(b"abc", end=False)
        assert_soon(lambda: [e.content_octets for e in it.exchanges()] == [3])
        exchange = it.exchange(Doing.HANDLED)
        assert (exchange.request_ended, exchange.unread_octets) == (False, 3)
        assert "request not whole, 3 octets of content, 3 of them unread;" in it.server.dump()
        peer.send_content(b"", end=True)
        it.handlers.wake.set()
        assert answer(peer) == "awake"
        peer.send_request("/reading", method="POST", end=False)
        peer.send_content(b"abcd", end=False)
        assert_soon(lambda: [e.content_octets for e in it.exchanges()] == [4])
        assert_soon(lambda: it.exchange(Doing.HANDLED).unread_octets == 0)


def test_what_a_client_does_not_read(certs_dir: Path, kind: Kind) -> None:
    """A response waits for its client's window, or for its system; this is told apart."""
    with watched(certs_dir) as it, connect(it.server, kind) as peer:
        peer.send_request("/large")
        exchange = it.exchange(Doing.WINDOW if isinstance(peer, H2Peer) else Doing.UNREAD)
        assert exchange.status == 200
        assert exchange.sent_octets > 0
        assert exchange.sent_octets + exchange.queued_octets == 30_000_000
        assert exchange.handler is None
        if isinstance(peer, H2Peer):
            assert exchange.windows is not None
            assert exchange.windows.to_send == 0
            assert it.connection().windows == exchange.windows or it.connection().windows is not None
            assert "; windows: 0 to send, " in it.server.dump()
        else:
            assert it.connection().unsent_octets > 0
            assert it.connection().windows is None


def test_before_the_handler(certs_dir: Path) -> None:
    """A request whose handler has not begun says so."""
    with watched(certs_dir, latency_s=20) as it, connect(it.server, "h1") as peer:
        peer.send_request("/asleep")
        assert it.exchange(Doing.BEGINNING).handler is None
        assert it.server.state().handlers == ()


def test_put_off(certs_dir: Path) -> None:
    """A request that waits until its client has read other responses says so."""
    limits = Limits(queued_octets=1000)
    with watched(certs_dir, limits=limits) as it, connect(it.server, "h2c") as peer:
        peer.send_request("/large")
        it.exchange(Doing.WINDOW)
        peer.send_request("/large")
        assert_soon(lambda: [e.doing for e in it.exchanges()] == [Doing.WINDOW, Doing.PUT_OFF])


def test_connections(certs_dir: Path, kind: Kind) -> None:
    """A connection is known by its client and port, its protocol and terms, and what it has carried."""
    with watched(certs_dir) as it, connect(it.server, kind) as peer:
        assert peer.request("/reading").status == 200
        assert_soon(lambda: it.exchanges() == [])
        found = it.connection()
        assert found.client == peer.sock.getsockname()[:2]
        assert found.port in it.server.http_ports + it.server.https_ports
        assert found.protocol == ("HTTP/2" if kind in ("h2", "h2c") else "HTTP/1.1")
        assert (found.begun, found.unsent_octets, found.closing) == (1, 0, False)
        assert found.received_octets > 0
        assert found.awaits == "a request"
        assert (found.tls or "").startswith("TLSv1.3 with TLS_") is (kind in ("h1s", "h2"))
        text = it.server.dump()
        assert f"listens: http {it.server.http_port}, https {it.server.https_port}\nconnections: 1\n" in text
        over = f" over {found.tls}" if found.tls else ""
        assert re.search(re.escape(f" to port {found.port}, {found.protocol}{over}, ") + r"\d+\.\d", text)
        assert "    1 request, " in text


def test_a_handshake(certs_dir: Path) -> None:
    """A connection on which nothing is agreed on yet is one all the same."""
    with watched(certs_dir) as it:
        with socket.create_connection(("127.0.0.1", it.server.https_port or 0)) as sock:
            sock.sendall(b"\x16\x03")
            assert_soon(lambda: [c.received_octets for c in it.server.state().connections] == [2])
            assert (it.connection().protocol, it.connection().tls) == (None, "TLS in its handshake")
            assert "no protocol yet over TLS in its handshake" in it.server.dump()
        assert_soon(lambda: it.server.state().connections == ())


# --- handlers and threads --------------------------------------------------------------------------


def test_a_handler_whose_client_has_left(certs_dir: Path) -> None:
    """A handler whose client has left is not forgotten while it is at work."""
    with watched(certs_dir) as it:
        with connect(it.server, "h1") as peer:
            peer.send_request("/asleep")
            it.handled("asleep", at="self.wake.wait(20)")
            # It has to reset the connection, for a client that half-closes may still read.
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert_soon(lambda: it.server.state().connections == ())
        (handler,) = it.server.state().handlers
        assert (handler.request, handler.stack[0].name) == ("GET /asleep", "asleep")
        assert (
            "exchanges, which may be over: 1\n  GET /asleep, on thread wptproto-handler" in it.server.dump()
        )
        it.handlers.wake.set()
        assert_soon(lambda: it.server.state().handlers == ())
        assert_soon(lambda: it.server.state().threads.free == 1)
        assert "other threads: 1 free, 0 at work; 0 requests without one\n" in it.server.dump()


def test_other_threads(certs_dir: Path) -> None:
    """What an async handler gave to another thread is found there."""
    with watched(certs_dir) as it, connect(it.server, "h1") as peer:
        peer.send_request("/elsewhere")
        others: list[tuple[str, Stack]] = []

        def is_there() -> bool:
            others[:] = it.server.state().threads.others
            return [stack[-1].name for _, stack in others] == ["wait"]

        assert_soon(is_there)
        assert [name for name, _ in others] == ["wptproto-handler"]
        assert "0 free, 1 at work; 0 requests without one\n  wptproto-handler\n" in it.server.dump()
        it.handlers.wake.set()
        assert answer(peer) == "awake"


def test_asked_by_an_async_handler(certs_dir: Path) -> None:
    """An async handler may ask as well, and finds itself."""
    with watched(certs_dir) as it, connect(it.server, "h2c") as peer:
        text = peer.request("/looking").text
        assert "GET /looking" in text
        assert "request.server.dump()" in text
        (state,) = it.handlers.found
        assert state.connections[0].exchanges[0].handler.stack[0].name == "looking"


def test_a_blocked_loop(certs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an async handler blocks the loop, it is shown where, and where the other handlers are."""
    with watched(certs_dir) as it, connect(it.server, "h2c") as peer:
        peer.send_request("/asleep")
        it.handled("asleep", at="self.wake.wait(20)")
        monkeypatch.setattr(survey, "ANSWER_S", 0.05)
        peer.send_request("/blocking")
        states: list[ServerState] = []

        def is_blocked() -> bool:  # and not only slow
            states[:] = [it.server.state()]
            loop = states[0].loop
            return loop is not None and loop[0].name == "blocking"

        assert_soon(is_blocked)
        (state,) = states
        assert state.connections == ()
        places = [(handler.request, handler.stack[0].name) for handler in state.handlers]
        assert places == [("GET /blocking", "blocking"), ("GET /asleep", "asleep")]
        assert "its loop does not answer, so nothing is known of connections; it is at\n" in it.server.dump()
        it.handlers.wake.set()
        assert answer(peer) == "awake"


def test_a_fault_of_ours(certs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in looking is told to who asked, and the server goes on."""
    with watched(certs_dir) as it, connect(it.server, "h1") as peer:

        def fail() -> None:
            raise KeyError

        with monkeypatch.context() as patched:
            patched.setattr(survey, "thread_stacks", fail)
            with pytest.raises(KeyError):
                it.server.state()
        assert peer.request("/reading").status == 200


# --- not running -----------------------------------------------------------------------------------


def test_not_running(certs_dir: Path) -> None:
    """A server that does not run does nothing; its stash is counted all the same."""
    server = Server(certs_dir=certs_dir, https_port=None)
    nothing = ServerState(ports={"http": (), "https": (), "h2": ()})
    assert server.state() == nothing
    server.stash.put(KEY, "value")
    assert server.dump() == (
        "listens: no\nconnections: 0\n"
        "other threads: 0 free, 0 at work; 0 requests without one\nstash: 1 value\n"
    )
    server.stash.take(KEY)
    server.listen()
    assert server.dump().startswith(f"listens: http {server.http_port}\nconnections: 0\n")
    engine = server.start()._engine
    assert engine is not None
    server.stop()
    assert engine.state() == ServerState()
    assert server.state() == nothing
