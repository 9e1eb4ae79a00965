"""How long a peer may keep a connection waiting, and what becomes of one that does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from tests.helpers.h2 import OPENING, POST, headers
from tests.helpers.peers import H2Peer, Kind, connect, open_socket
from tests.helpers.waiting import assert_soon
from wptproto import ExchangeClosed, Limits, Request, Response, Server
from wptproto.protocol.connection import Awaits
from wptproto.server.driver import Driver
from wptproto.server.observer import Observer
from wptproto.server.patience import Patience, look_interval_s
from wptproto.server.state import Doing, ExchangeState

LIMITS = Limits(handshake_s=1, idle_s=2, head_s=3, content_gap_s=4, unread_s=5, progress_octets=10)


@pytest.mark.parametrize(
    ("awaits", "name", "limit_s"),
    [
        (Awaits.HANDSHAKE, "handshake_s", 1),
        (Awaits.REQUEST, "idle_s", 2),
        (Awaits.HEAD, "head_s", 3),
        (Awaits.FRAME, "head_s", 3),
        (Awaits.CONTENT, "content_gap_s", 4),
        (Awaits.ROOM, "unread_s", 5),
    ],
)
def test_each_has_its_limit(awaits: Awaits, name: str, limit_s: float) -> None:
    """It begins when the connection is found waiting, and the reason says for what, and names the limit."""
    patience = Patience(LIMITS)
    assert patience.exhausted({awaits: 0}, 100) is None
    assert patience.exhausted({awaits: 0}, 100 + limit_s) is None
    said = f"past the limit {name}: {awaits.value} did not come within {limit_s} s"
    assert patience.exhausted({awaits: 0}, 100.1 + limit_s) == (awaits, said)


def test_until_when() -> None:
    """It can be said beforehand when a peer that does nothing will be late."""
    patience = Patience(LIMITS)
    for now_s in (100, 101):
        assert patience.exhausted({Awaits.REQUEST: 0}, now_s) is None
        assert patience.ends_s(Awaits.REQUEST) == 102


def test_idle_connections_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was found idle is looked at again when octets come, or after its whole time."""
    looks: list[float] = []
    real = Patience.exhausted

    def exhausted(self: Patience, awaited: Any, now_s: float, **more: Any) -> Any:
        if awaited.keys() == {Awaits.REQUEST}:
            looks.append(now_s)
        return real(self, awaited, now_s, **more)

    monkeypatch.setattr(Patience, "exhausted", exhausted)
    hello = ("GET", "/", lambda request, response: "hello")
    server = Server(routes=[hello], https_port=None, limits=Limits(idle_s=1, crowded_gap_s=0.01))
    with server, connect(server, "h1") as peer:
        assert peer.request().text == "hello"
        assert_soon(lambda: not server.state().connections)  # it was idle for too long
        # Looks are 10 ms apart. The first that finds it idle is the only one, until its time is over.
        assert sum(look_s < looks[0] + 0.9 for look_s in looks) == 1


def test_progress_begins_anew() -> None:
    """Whoever gets on is not late, and neither is whoever is waited for no more."""
    patience = Patience(LIMITS)
    for now_s in range(100):
        assert patience.exhausted({Awaits.HEAD: now_s // 3}, now_s) is None
    assert patience.exhausted({}, 100) is None
    assert patience.exhausted({Awaits.NOTHING: 0}, 1000) is None
    assert patience.exhausted({Awaits.HEAD: 0}, 1001) is None


@pytest.mark.parametrize("awaits", [Awaits.CONTENT, Awaits.ROOM])
def test_an_octet_now_and_then_is_no_progress(awaits: Awaits) -> None:
    """Where octets count, so many of them have to come within the limit."""
    patience = Patience(LIMITS)
    for now_s in range(100):
        assert patience.exhausted({awaits: 4 * now_s}, now_s) is None
    late = [patience.exhausted({awaits: 396 + now_s}, 100 + now_s) for now_s in range(10)]
    assert any(late)


def test_several_at_once() -> None:
    """Each is waited for by itself."""
    patience = Patience(LIMITS)
    assert patience.exhausted({Awaits.ROOM: 0}, 0) is None
    assert patience.exhausted({Awaits.ROOM: 0, Awaits.CONTENT: 0}, 4.5) is None
    assert patience.exhausted({Awaits.ROOM: 10, Awaits.CONTENT: 0}, 5.5) is None
    late = patience.exhausted({Awaits.ROOM: 10, Awaits.CONTENT: 0}, 9)
    assert late is not None
    assert late[0] is Awaits.CONTENT


@pytest.mark.parametrize(("limits", "interval_s"), [(Limits(), 1), (LIMITS, 0.25), (Limits.none(), 1)])
def test_how_often_to_look(limits: Limits, interval_s: float) -> None:
    """A few times for the shortest limit, and once a second at least."""
    assert look_interval_s(limits) == interval_s


# --- over sockets --------------------------------------------------------------------------------


class Handler:
    """Reads all, or sends without end, and notes how that ended."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def __call__(self, request: Request, response: Response) -> Any:
        if request.path == "/endless":
            return self.endless()
        if request.path == "/read":
            try:
                return f"{len(request.body)}"
            except Exception as error:
                self.ended.append(type(error).__name__)
                raise
        return "ok"

    def endless(self) -> Iterator[bytes]:
        try:
            while True:
                yield bytes(100_000)
        finally:
            self.ended.append("closed")


Serve = Callable[..., Server]


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
def serve(certs_dir: Path, handler: Handler) -> Iterator[Serve]:
    """A function that starts a server with some limits."""
    servers: list[Server] = []

    def start(**limits: float) -> Server:
        routes = [("*", "/*", handler)]
        servers.append(Server(routes=routes, certs_dir=certs_dir, limits=Limits().changed(limits)).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


class Clock:
    """
    What a server's looks go by in the place of the time.

    It stands still, for as long as a slow machine takes for what clients and servers do, until somebody has
    it go on.
    """

    def __init__(self) -> None:
        self.now_s = 0.0
        self.looks = 0

    def go_on(self, seconds: float) -> None:
        """Let so much time pass, once the server has looked at its one connection as it is now."""
        before = self.looks
        assert_soon(lambda: self.looks > before + 1)  # of which the first may have begun before
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock for servers that start from now on, which look at their connections all the time."""
    clock = Clock()
    real = Driver.look

    def look(driver: Driver, now_s: float, *, crowded: bool) -> None:
        real(driver, clock.now_s, crowded=crowded)
        clock.looks += 1

    monkeypatch.setattr(Driver, "look", look)
    monkeypatch.setattr("wptproto.server.engine.look_interval_s", lambda limits: 0.005)
    return clock


class Heard(Observer):
    """How much of what a client said has come."""

    octets = 0

    def plaintext_received(self, octets: bytes) -> None:
        self.octets += len(octets)


def drivers(server: Server) -> int:
    assert server._engine is not None
    return len(server._engine._drivers)


def exchanges(server: Server) -> list[ExchangeState]:
    return [exchange for connection in server.state().connections for exchange in connection.exchanges]


def dribble(sock: socket.socket, octets: bytes, *, until: Callable[[], bool]) -> None:
    """Send the same octets again and again, now and then, until something has come of it."""

    def sent() -> bool:
        with suppress(OSError):
            sock.sendall(octets)
        return until()

    assert_soon(sent)


def read_to_end(peer: H2Peer) -> None:
    while peer._receive():
        pass


def test_content_that_dribbles(
    serve: Serve, kind: Kind, handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    """An octet of content now and then holds no handler: 408, and over HTTP/2 a reset behind it."""
    server = serve(content_gap_s=0.1)
    with connect(server, kind) as peer:
        peer.send_request("/read", method="POST", headers=[("content-length", "100000")], end=False)

        def sent() -> bool:
            with suppress(OSError):
                peer.send_content(b"x", end=False)
            return bool(handler.ended)

        assert_soon(sent)
        answer = peer.read_answer()
        assert answer.status == 408
        assert "past the limit content_gap_s" in answer.text
        if isinstance(peer, H2Peer):
            while answer.reset is None:
                assert peer._receive()
            assert answer.reset == ErrorCodes.NO_ERROR
            assert peer.request("/").text == "ok"
    assert handler.ended == ["RemoteProtocolError"]
    assert "past the limit content_gap_s" in caplog.text


def test_content_that_comes(serve: Serve, kind: Kind, clock: Clock) -> None:
    """Who sends as much as counts is waited for, however long all of it takes."""
    server = serve(content_gap_s=1, progress_octets=1)

    def has_come(octets: int) -> bool:
        return [one.content_octets for one in exchanges(server)] == [octets]

    with connect(server, kind) as peer:
        peer.send_request("/read", method="POST", headers=[("content-length", "5")], end=False)
        for count in range(1, 5):
            peer.send_content(b"x", end=False)
            assert_soon(partial(has_come, count))
            clock.go_on(0.9)
        peer.send_content(b"x", end=True)
        assert peer.read_answer().text == "5"
        peer.send_request("/read", method="POST", headers=[("content-length", "5")], end=False)
        peer.send_content(b"x", end=False)
        assert_soon(lambda: has_come(1))
        for _ in range(2):
            clock.go_on(0.9)
        assert peer.read_answer().status == 408


@pytest.mark.parametrize("kind", ["h2", "h2c"])
def test_windows_that_stay_shut(
    serve: Serve, kind: Kind, handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    """A response for which no window opens, or by an octet at a time, is reset, and others go on."""
    server = serve(unread_s=0.1)
    with connect(server, kind) as peer:
        assert isinstance(peer, H2Peer)
        peer.auto_acknowledge = False
        peer.send_request("/endless")
        stuck = peer.last
        while peer.answers[stuck].reset is None:
            peer.h2.increment_flow_control_window(1, stuck)
            peer._flush()
            assert peer._receive()
        assert peer.answers[stuck].reset == ErrorCodes.ENHANCE_YOUR_CALM
        peer.h2.increment_flow_control_window(100_000)
        assert peer.request("/").text == "ok"
    assert_soon(lambda: handler.ended == ["closed"])
    assert "GET /endless: past the limit unread_s: room for a response" in caplog.text


def test_a_socket_that_nobody_reads(
    serve: Serve, kind: Kind, handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that takes nothing from its socket is cut off, and its handlers are let go."""
    server = serve(unread_s=0.1)
    with connect(server, kind) as peer:
        if isinstance(peer, H2Peer):
            peer.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 2**31 - 1})
            peer.h2.increment_flow_control_window(2**31 - 70_000)
        peer.send_request("/endless")
        assert_soon(lambda: handler.ended == ["closed"])
        assert_soon(lambda: drivers(server) == 0)
        with connect(server, kind) as other:
            assert other.request("/").text == "ok"
    assert "past the limit unread_s: room for a response did not come within 0.1 s" in caplog.text


def test_a_socket_that_is_read(serve: Serve, kind: Kind, clock: Clock) -> None:
    """A client that takes as much as counts is waited for."""
    server = serve(unread_s=1, progress_octets=1000)
    with connect(server, kind) as peer:
        # Its system takes little in advance, so that what it reads is room for about as much.
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        peer.send_request("/endless")
        for _ in range(4):
            assert_soon(lambda: [one.doing for one in exchanges(server)] in ([Doing.UNREAD], [Doing.WINDOW]))
            clock.go_on(0.9)
            read = 0
            while read < 1_000_000:
                piece = peer.read_some()
                assert piece
                read += len(piece)


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (OPENING[:20], "handshake_s"),
        (OPENING[:-3], "handshake_s"),
        (OPENING + b"\0\0\x08", "head_s"),
        (OPENING + headers(1).serialize()[:-1], "head_s"),
        (OPENING + b"\0\0\x05\x01\x01\0\0\0\x01\x82\x87\x84\x41\x00", "head_s"),
        (OPENING + headers(1, POST, end=False).serialize() + b"\0\0\x05\0\0\0\0\0\x01x", "content_gap_s"),
    ],
)
@pytest.mark.parametrize("kind", ["h2", "h2c"])
def test_what_is_half_sent(
    serve: Serve, kind: Kind, clock: Clock, octets: bytes, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A preface, a frame or a head over HTTP/2 that is never completed ends the connection with GOAWAY."""
    server = serve(handshake_s=1, head_s=1, content_gap_s=1)
    heard = Heard()
    server.observers.add(lambda accepted: heard)
    with open_socket(server, kind) as sock:
        sock.sendall(octets)
        assert_soon(lambda: heard.octets == len(octets))
        clock.go_on(1.1)
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
    if kind == "h2" or name != "handshake_s" or len(octets) > 24:
        assert f"past the limit {name}: ".encode() in answer
    assert f"past the limit {name}: " in caplog.text


def test_continuations_that_dribble(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A field block has no more time because it comes in many frames."""
    server = serve(head_s=0.1)
    with open_socket(server, "h2c") as sock:
        sock.sendall(OPENING + b"\0\0\x01\x01\x01\0\0\0\x01\x82")
        dribble(sock, b"\0\0\0\x09\0\0\0\0\x01", until=lambda: "past the limit head_s" in caplog.text)
        assert_soon(lambda: drivers(server) == 0)


def test_other_streams_do_not_hide_it(serve: Serve, handler: Handler) -> None:
    """A frame that is half sent counts also while there are requests to answer."""
    server = serve(head_s=0.1)
    with connect(server, "h2c") as peer:
        assert isinstance(peer, H2Peer)
        peer.send_request("/read", method="POST", end=False)
        peer.sock.sendall(b"\0\0\x08\x06")
        read_to_end(peer)
        assert peer.goaway is not None
        assert peer.goaway.error_code == ErrorCodes.ENHANCE_YOUR_CALM
    assert_soon(lambda: handler.ended == [ExchangeClosed.__name__])


def test_lingering_for_a_client_that_does_not_read(serve: Serve) -> None:
    """A connection that is to close does not wait for ever until its client has taken what was sent."""
    server = serve(unread_s=0.2)
    entered = threading.Event()

    @server.route("GET", "/last")
    def last(request: Request, response: Response) -> bytes:
        entered.set()
        response.close_connection = True
        return bytes(30_000_000)

    with open_socket(server, "h1") as sock:
        sock.sendall(b"GET /last HTTP/1.1\r\nHost: h\r\n\r\n")
        assert entered.wait(10)
        assert_soon(lambda: drivers(server) == 0)


def test_lingering_for_a_client_that_does_not_stop(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """What still comes is dropped, up to a limit."""
    monkeypatch.setattr("wptproto.server.outlet.LINGER_OCTETS", 100_000)
    monkeypatch.setattr("wptproto.server.outlet.LINGER_S", 60)
    server = serve()
    with open_socket(server, "h1") as sock:
        sock.sendall(b"BAD\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 400 ")
        dribble(sock, bytes(10_000), until=lambda: drivers(server) == 0)


def test_a_late_client_is_told_so(serve: Serve) -> None:
    """What it is told names the limit."""
    server = serve(head_s=0.1)
    with open_socket(server, "h1") as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n")
        octets = b""
        while piece := sock.recv(1000):
            octets += piece
    assert octets.startswith(b"HTTP/1.1 408 ")
    assert b"past the limit head_s: the rest of a request's head did not come within 0.1 s" in octets
