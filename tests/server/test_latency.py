"""Latency: requests wait before they are handled, and no longer than somebody waits for them."""

from __future__ import annotations

import asyncio
import gc
import math
import socket
import struct
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.peers import H2Peer, Kind, connect, open_socket
from tests.helpers.stopping import assert_stops_at_once
from tests.helpers.waiting import assert_soon
from wptproto import ConfigError, Request, Response, Server
from wptproto.exchange.exchange import Exchange

LONG_S = 1000.0


def hello(request: Request, response: Response) -> str:
    return "hello"


async def hello_async(request: Request, response: Response) -> str:
    await asyncio.sleep(0)
    return "hello"


def test_each_request_waits(certs_dir: Path, kind: Kind) -> None:
    """A request waits so long, whatever answers it, be it nobody."""
    routes = [("*", "/hello", hello), ("*", "/async", hello_async)]
    with Server(routes=routes, latency_s=0.1, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        for path, status in (("/hello", 200), ("/async", 200), ("/none", 404)):
            begun = time.monotonic()
            assert peer.request(path).status == status
            assert 0.09 < time.monotonic() - begun < 5


def test_no_thread_is_held(certs_dir: Path) -> None:
    """Requests wait side by side, and none of them on a thread; content comes in meanwhile."""
    count = 50
    latency = [0.3] * count + [LONG_S] * count  # the last first
    with (
        Server(routes=[("*", "/", hello)], latency_s=latency.pop, certs_dir=certs_dir) as server,
        H2Peer(open_socket(server, "h2c"), scheme="http") as peer,
    ):
        before = threading.active_count()
        for _ in range(count):
            peer.send_request()
        assert_soon(lambda: waiting(server) == count)
        assert threading.active_count() <= before + 1  # who watches handlers
        begun = time.monotonic()
        for _ in range(count):
            peer.send_request()
        answers = [peer.read_answer(stream).status for stream in list(peer.answers)[count:]]
        assert answers == [200] * count
        assert time.monotonic() - begun < 10  # one after the other they would take 15


def test_asked_for_each_request(certs_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A function says it for each request; where it fails, the log says so and nobody waits."""
    answers: list[Any] = [0.1, 0, -1, "1", math.nan]

    def latency() -> float:
        found: float = answers.pop(0)
        return found

    with (
        Server(routes=[("*", "/", hello)], latency_s=latency, certs_dir=certs_dir) as server,
        connect(server, "h1") as peer,
    ):
        begun = time.monotonic()
        assert peer.request().status == 200
        assert time.monotonic() - begun > 0.09
        assert [peer.request().status for _ in range(5)] == [200] * 5
    for said in ("0 or more, so it does not wait: -1", "wait: '1'", "wait: nan", "could not be told"):
        assert said in caplog.text
    assert "IndexError" in caplog.text


@pytest.mark.parametrize("seconds", [-0.1, math.inf, math.nan, "1"])
def test_no_seconds(seconds: Any) -> None:
    """What is no time to wait is refused at once."""
    with pytest.raises(ConfigError, match="latency_s: seconds, 0 or more, are wanted, not "):
        Server(latency_s=seconds)


def waiting(server: Server) -> int:
    """Return how many requests wait, where no handler is async."""
    assert server._engine is not None
    return len(server._engine._calls.roster.tasks)


def released(monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[Exchange]]:
    """Return where each exchange that is let go will be noted."""
    found: list[weakref.ref[Exchange]] = []
    original = Exchange.release

    def release(exchange: Exchange) -> None:
        found.append(weakref.ref(exchange))
        original(exchange)

    monkeypatch.setattr(Exchange, "release", release)
    return found


def test_the_client_goes(certs_dir: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the client goes, the wait is over at once, and its handler is not called."""
    done = released(monkeypatch)
    called: list[Request] = []
    routes = [("*", "/", lambda request, response: called.append(request))]
    with Server(routes=routes, latency_s=LONG_S, certs_dir=certs_dir) as server:
        with connect(server, kind) as peer:
            peer.send_request(method="POST", end=False)
            peer.send_content(b"x" * 10_000, end=False)
            assert_soon(lambda: waiting(server) == 1)
            # Reset the connection: who only half-closes it may still read (RFC 9112 §9.6).
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert_soon(lambda: len(done) == 1)
        assert_soon(lambda: not waiting(server))
        gc.collect()
        assert_soon(lambda: done[0]() is None)
    assert not called


def test_the_server_stops(certs_dir: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the server stops, the wait is over at once, and so is the request."""
    done = released(monkeypatch)
    with (
        Server(routes=[("*", "/", hello)], latency_s=LONG_S, certs_dir=certs_dir) as server,
        connect(server, kind) as peer,
    ):
        peer.send_request()
        assert_soon(lambda: waiting(server) == 1)
        assert_stops_at_once(server)
        assert not peer.read_answer().complete
    assert len(done) == 1
