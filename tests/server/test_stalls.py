"""Stalls: what is held up on purpose goes on later, whole, and nobody is late by it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from tests.helpers.peers import H2Peer, Kind, connect
from tests.helpers.waiting import assert_soon
from wptproto import Request, Response, Server
from wptproto.errors import WaitError
from wptproto.server.stalls import Stalls

CONTENT = b"x" * 1000


@pytest.mark.parametrize("early", [False, True])
def test_a_request_stalls_and_its_response_waits(certs_dir: Path, kind: Kind, early: bool) -> None:
    """A stall in an upload holds up the response, too, whether or not its handler reads; then it goes out."""

    def handler(request: Request, response: Response) -> str:
        if not early:
            request.raw_input.read()
        return "ok"

    with Server(certs_dir=certs_dir) as server, connect(server, kind) as peer:
        expected = server.expect("POST", "/").respond(handler=handler)
        expected.fault("stall", at="request_head").fault("stall", at="request_content", octet=1)
        peer.send_request("/", method="POST", headers=[("content-length", "20")], end=False)
        peer.send_content(b"x" * 10, end=False)
        server.wait_for_stall()
        assert_soon(lambda: server.exchanges[0].content_octets == 10)
        server.release()
        server.wait_for_stall()
        peer.send_content(b"x" * 10, end=True)
        server.release()
        assert peer.read_answer().content == b"ok"


def test_a_stall_that_ends_before_who_waits_for_it_looks() -> None:
    """However short it is, who waits for it knows of it."""
    stalls = Stalls()
    with ThreadPoolExecutor(1) as elsewhere:
        waiting = elsewhere.submit(stalls.wait, 1, 10.0)
        assert_soon(lambda: len(stalls._waiters) == 1)
        stalls.end(stalls.begin())
        assert waiting.result() == 1
    assert stalls.wait(1, 0.0) == 0


@pytest.mark.parametrize("multiplexed", ["h2", "h2c"])
def test_what_stalls_at_its_head_has_no_content_yet(certs_dir: Path, multiplexed: Kind) -> None:
    """A fault in the content waits for the stall at the head, whatever came in the meantime."""
    with Server(certs_dir=certs_dir) as server, connect(server, multiplexed) as peer:
        expected = server.expect("POST", "/").respond(200, content="ok")
        expected.fault("stall", at="request_head").fault("close", at="request_content", octet=1)
        server.expect("GET", "/other").respond(200, content="other")
        peer.send_request("/", method="POST", headers=[("content-length", "10")], end=False)
        peer.send_content(b"x" * 10, end=True)
        peer.send_request("/other")
        assert peer.read_answer().content == b"other"
        server.release()
        assert isinstance(peer, H2Peer)
        assert not peer.read_answer(1).complete
        assert [fault.effect.word() for fault in server.exchanges[0].faults] == ["stall", "close"]


def test_who_waits_behind_a_release_waits_for_another_stall(certs_dir: Path, kind: Kind) -> None:
    """What was let go is counted no more, whether or not the loop has come to it."""
    with Server(certs_dir=certs_dir) as server, connect(server, kind) as peer:
        server.expect("GET", "/").respond(200, content="ok").fault("stall", at="response_head")
        peer.send_request("/")
        server.wait_for_stall()
        server.release()
        with pytest.raises(WaitError, match="0 of 1 stalls"):
            server.wait_for_stall(timeout=0.0)
        assert peer.read_answer().content == b"ok"


def test_an_expectation_reads_what_is_to_go_wrong(certs_dir: Path, kind: Kind) -> None:
    """With a fault during its content, a request is not answered before that is whole."""
    with Server(certs_dir=certs_dir) as server, connect(server, kind) as peer:
        server.expect("POST", "/").respond(200, content="ok").fault(
            "stall", 0.01, at="request_content", octet=5
        )
        peer.send_request("/", method="POST", headers=[("content-length", "10")], end=False)
        assert_soon(lambda: len(server.exchanges) == 1)
        peer.send_content(b"x" * 10, end=True)
        assert peer.read_answer().content == b"ok"
        assert [fault.effect.word() for fault in server.exchanges[0].faults] == ["stall"]


@pytest.mark.parametrize("at", ["request_head", "request_content"])
def test_an_expectation_that_does_not_read(certs_dir: Path, kind: Kind, at: str) -> None:
    """What is never read is not waited for."""
    with Server(certs_dir=certs_dir) as server, connect(server, kind) as peer:
        server.expect("POST", "/").respond(200, content="ok").fault("do_not_read", at=at)
        peer.send_request("/", method="POST", headers=[("content-length", "1000")], end=False)
        peer.send_content(b"x" * 10, end=False)
        assert peer.read_answer().content == b"ok"
        assert [fault.effect.word() for fault in server.exchanges[0].faults] == ["do_not_read"]


def test_a_later_fault_of_a_request_that_stalled(certs_dir: Path, kind: Kind) -> None:
    """What is to happen at an octet that came during a stall happens behind it."""
    with Server(certs_dir=certs_dir) as server, connect(server, kind) as peer:
        expected = server.expect("POST", "/").respond(200, content="ok")
        expected.fault("stall", at="request_content", octet=1).fault("close", at="request_content", octet=15)
        peer.send_request("/", method="POST", headers=[("content-length", "30")], end=False)
        peer.send_content(b"x" * 10, end=False)
        server.wait_for_stall()
        peer.send_content(b"x" * 10, end=False)
        assert_soon(lambda: server.exchanges[0].content_octets == 20)
        server.release()
        assert peer.sock.recv(1000)[:5] != b"HTTP/"
        assert [fault.effect.word() for fault in server.exchanges[0].faults] == ["stall", "close"]


@pytest.mark.parametrize("multiplexed", ["h2", "h2c"])
@pytest.mark.parametrize("at", ["request_head", "request_content", "response_head", "response_content"])
def test_who_is_gone_is_held_up_no_more(certs_dir: Path, multiplexed: Kind, at: str) -> None:
    """With the stream, its stall is over, and what was to go wrong behind that; others go on."""
    with Server(certs_dir=certs_dir) as server, connect(server, multiplexed) as peer:
        server.expect("POST", "/").respond(200, content=CONTENT).fault("stall", at=at).fault("close", at=at)
        server.expect("GET", "/other").respond(200, content="other")
        assert isinstance(peer, H2Peer)
        peer.send_request("/", method="POST", headers=[("content-length", "10")], end=False)
        peer.send_content(b"x" * 10, end=True)
        server.wait_for_stall()
        peer.h2.reset_stream(1, 0x8)
        assert peer.request("/other").content == b"other"
        with pytest.raises(WaitError, match="0 of 1 stalls"):
            server.wait_for_stall(timeout=0.0)
        server.release()
        server.expect("GET", "/more").respond(200, content="more")
        assert peer.request("/more").content == b"more"


def look(server: Server, in_s: float) -> None:
    """Have the server see who is late, as if it were so many seconds later."""
    engine = server._engine
    assert engine is not None
    seen: Future[None] = Future()

    def look() -> None:
        for driver in list(engine._drivers):
            driver.look(engine.loop.time() + in_s, crowded=False)
        seen.set_result(None)

    engine.loop.call_soon_threadsafe(look)
    seen.result(10)


def looks_late(server: Server) -> None:
    """Look twice, with longer between than any limit allows."""
    for in_s in (0, 1000, 2000):
        look(server, in_s)


def can_send_no_more(server: Server) -> bool:
    """Whether nobody reads from the one client, or its windows are closed."""
    (connection,) = server.state().connections
    windows = connection.exchanges[0].windows
    return connection.reading_paused or (windows is not None and windows.to_receive == 0)


@pytest.fixture
def elsewhere() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize(
    "at", ["request_head", "request_content", "response_head", "response_content", "end"]
)
def test_nobody_is_late_while_something_stalls(
    certs_dir: Path, kind: Kind, at: str, elsewhere: Executor
) -> None:
    """The limits do not count what a fault holds up."""
    with Server(certs_dir=certs_dir) as server, connect(server, kind) as peer:
        server.expect("POST", "/").respond(200, content=CONTENT).fault("stall", at=at)
        asking = elsewhere.submit(peer.request, "/", method="POST", content=b"y" * 10)
        server.wait_for_stall()
        server.wait()  # for all of the request, which it owes
        looks_late(server)
        server.release()
        answer = asking.result()
        assert (answer.content, answer.complete) == (CONTENT, True)
        assert [fault.effect.word() for fault in server.exchanges[0].faults] == ["stall"]
        server.expect("GET", "/next").respond(200, content="next")
        assert peer.request("/next").content == b"next"


def test_an_upload_is_not_late_while_it_stalls(certs_dir: Path, kind: Kind, elsewhere: Executor) -> None:
    """Nor do they count content that is left unread, or for which no window was opened."""
    content = b"x" * 400_000  # more than a window, and than a system keeps
    with Server(certs_dir=certs_dir) as server, connect(server, kind) as peer:
        expected = server.expect("POST", "/").respond(200, content="ok")
        expected.fault("stall", at="request_content", octet=1)
        asking = elsewhere.submit(peer.request, "/", method="POST", content=content)
        server.wait_for_stall()
        assert_soon(lambda: can_send_no_more(server))
        looks_late(server)
        server.release()
        assert asking.result().content == b"ok"


def test_nobody_is_late_with_what_is_sent_slowly(certs_dir: Path, kind: Kind, elsewhere: Executor) -> None:
    """A client owes nothing for octets that a fault keeps from it."""
    with Server(certs_dir=certs_dir) as server, connect(server, kind) as peer:
        server.expect("GET", "/").respond(200, content=CONTENT).fault("slow", 1500, at="response_head")
        asking = elsewhere.submit(peer.request, "/")
        server.wait()
        turns = 0
        while not asking.done():
            turns += 1
            look(server, 1000 * turns)
        assert turns > 2
        answer = asking.result()
        assert (answer.content, answer.complete) == (CONTENT, True)


def test_two_stalls_of_a_connection(certs_dir: Path) -> None:
    """Where two hold up a connection, it goes on behind the longer one."""
    with Server(certs_dir=certs_dir) as server, connect(server, "h2c") as peer:
        for path, seconds in (("/1", 0.05), ("/2", 0.2)):
            server.expect("GET", path).respond(200, content=CONTENT).fault("stall", seconds, at="end")
        server.expect("GET", "/3").respond(200, content=CONTENT)
        sock, together = peer.sock, _Together(peer.sock)
        peer.sock = cast("socket.socket", together)
        peer.send_request("/1")
        peer.send_request("/2")
        peer.sock = sock
        begun = time.monotonic()
        sock.sendall(together.octets)
        assert_soon(lambda: sum(len(one.faults) for one in server.exchanges) == 2)
        peer.send_request("/3")
        assert peer.read_answer().complete
        assert time.monotonic() - begun > 0.2


class _Together:
    """A socket that keeps what is to be sent."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.octets = b""

    def sendall(self, octets: bytes) -> None:
        self.octets += octets

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)
