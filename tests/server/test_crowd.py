"""Crowd: who gives way where connections, threads or descriptors are too few."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.helpers.peers import H1Peer, H2Peer, Kind, connect, open_socket
from tests.helpers.waiting import assert_soon
from wptproto import Request, Response, Server
from wptproto.handlers.ready_made import StringHandler
from wptproto.handlers.router import Route
from wptproto.limits import Limits
from wptproto.server import notice
from wptproto.server.crowd import Crowd


class Gate:
    """A handler that blocks until it is let go."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Semaphore(0), threading.Event()

    def __call__(self, request: Request, response: Response) -> str:
        self.entered.release()
        return "through" if self.opened.wait(20) else "given up"


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


async def at_once(request: Request, response: Response) -> str:
    return "async"


def serving(certs_dir: Path, limits: Limits, gate: Gate, root: Path | None = None) -> Server:
    routes: list[Route] = [
        ("*", "/gate", gate),
        ("*", "/async", at_once),
        ("GET", "/text", StringHandler("text", "text/plain")),
    ]
    return Server(root, routes, certs_dir=certs_dir, limits=limits)


# --- connections ---------------------------------------------------------------------------------


def test_the_idlest_gives_way(
    certs_dir: Path, kind: Kind, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    """Past the limit the connection that was idle for longest is closed, and one that works is not."""
    with (
        serving(certs_dir, Limits(connections=3), gate) as server,
        connect(server, kind) as busy,
        connect(server, kind) as first,
        connect(server, kind) as second,
    ):
        busy.send_request("/gate")
        assert gate.entered.acquire(timeout=10)
        for peer in (first, second, first):
            assert peer.request("/text").text == "text"
        with connect(server, kind) as third:
            assert third.request("/text").text == "text"
            assert first.request("/text").text == "text"
            if isinstance(second, H2Peer):
                assert not second._receive() or not second._receive()
                assert second.goaway is not None
                assert second.goaway.additional_data == b"past the limit connections: 3"
            else:
                assert second.sock.recv(1) == b""
            gate.opened.set()
            assert busy.read_answer().text == "through"
    assert "past the limit connections: 3; the one that was idle for longest was closed" in caplog.text


def test_who_never_asked_goes_first(certs_dir: Path, kind: Kind, gate: Gate) -> None:
    """A connection that has been of use stays, however many come that are of none."""
    with serving(certs_dir, Limits(connections=3), gate) as server, ExitStack() as stack:
        useful = stack.enter_context(connect(server, kind))
        assert useful.request("/text").text == "text"
        silent = [stack.enter_context(open_socket(server, "h1")) for _ in range(6)]
        for sock in silent[:4]:
            assert sock.recv(1) == b""
        assert useful.request("/text").text == "text"


def test_who_was_found_idle_may_be_at_work_again(certs_dir: Path, gate: Gate) -> None:
    """Who gives way is looked for in advance, and only goes if it has done nothing since."""
    with serving(certs_dir, Limits(connections=3), gate) as server, ExitStack() as stack:
        first, second, third = (stack.enter_context(connect(server, "h1")) for _ in range(3))
        for peer in (first, second, third):
            assert peer.request("/text").text == "text"
        fourth = stack.enter_context(connect(server, "h1"))
        assert fourth.request("/text").text == "text"
        assert first.sock.recv(1) == b""
        assert second.request("/text").text == "text"
        fifth = stack.enter_context(connect(server, "h1"))
        assert fifth.request("/text").text == "text"
        assert third.sock.recv(1) == b""
        assert second.request("/text").text == "text"


def test_none_is_idle(
    certs_dir: Path, gate: Gate, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all are at work, the new connection is closed at once; later there is room again."""
    monkeypatch.setattr(notice, "INTERVAL_S", 3600)
    with serving(certs_dir, Limits(connections=1), gate) as server, connect(server, "h1") as busy:
        busy.send_request("/gate")
        assert gate.entered.acquire(timeout=10)
        for _ in range(20):
            with open_socket(server, "h1") as sock, suppress(ConnectionError):
                assert sock.recv(1) == b""
        gate.opened.set()
        assert busy.read_answer().text == "through"
        with connect(server, "h1") as peer:
            assert peer.request("/text").text == "text"
    lines = [line for line in caplog.messages if "none is idle; a new one was closed" in line]
    assert lines == ["past the limit connections: 1, and none is idle; a new one was closed"]


def test_a_flood_of_connections(certs_dir: Path, gate: Gate) -> None:
    """Connections that say nothing give way to each other, and are never more than the limit."""
    with serving(certs_dir, Limits(connections=10), gate) as server, ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(open_socket(server, "h1"))
        with connect(server, "h1") as peer:
            assert peer.request("/text").text == "text"
        assert server._engine is not None
        assert len(server._engine._drivers) <= 10


# --- descriptors ---------------------------------------------------------------------------------

FEW_DESCRIPTORS = """
import resource, sys
from wptproto import Server
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
with Server(routes=[("*", "/*", lambda request, response: "here")], https_port=None) as server:
    print(server.http_port, flush=True)
    sys.stdin.read()
"""


def test_no_more_descriptors() -> None:
    """Where no connection can be accepted, the log says so, idle ones are closed, and others served."""
    server = subprocess.Popen(
        [sys.executable, "-c", FEW_DESCRIPTORS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    port = int(server.stdout.readline())
    with ExitStack() as stack:
        for _ in range(70):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
        assert H1Peer(sock).request().text == "here"
    _, said = server.communicate(timeout=20)
    assert server.returncode == 0
    assert "no connection can be accepted: Too many open files (see ulimit -n)" in said
    assert "Traceback" not in said, said
    assert len(said.splitlines()) < 10


def test_other_faults_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What else goes wrong in a callback of the loop is logged, but not that it tries again too late."""
    loop = asyncio.new_event_loop()
    late = "Exception in callback BaseSelectorEventLoop._start_serving()"
    try:
        for message, error in (("a fault", OSError(5, "of another kind")), (late, ValueError(-1))):
            Crowd(1).take_exception(loop, {"message": message, "exception": error})
    finally:
        loop.close()
    said = [text for name, _, text in caplog.record_tuples if name == "asyncio"]
    assert [text.partition("\n")[0] for text in said] == ["a fault"]


# --- threads -------------------------------------------------------------------------------------


def test_no_more_threads(
    certs_dir: Path, kind: Kind, gate: Gate, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Past the limit a request waits for a thread; files, texts, errors and async handlers do not."""
    (tmp_path / "file.txt").write_text("of a file")
    with ExitStack() as stack:
        server = stack.enter_context(serving(certs_dir, Limits(threads=2), gate, tmp_path))
        peers = [stack.enter_context(connect(server, kind)) for _ in range(3)]
        for peer in peers:
            peer.send_request("/gate")
        assert_soon(lambda: "past the limit threads: 2 run handlers, and 1 requests wait" in caplog.text)
        with connect(server, kind) as other:
            assert other.request("/async").text == "async"
            assert other.request("/text").text == "text"
            assert other.request("/file.txt").text == "of a file"
            assert other.request("/nothing").status == 404
            assert other.request("/text", method="BREW").status == 501
        gate.opened.set()
        assert [peer.read_answer().text for peer in peers] == ["through"] * 3


def reading(request: Request, response: Response) -> str:
    return f"{len(request.body)} octets"


def test_threads_that_wait_for_clients(
    certs_dir: Path, kind: Kind, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    """Where all threads are taken, those that wait for a client who sends nothing are soon free again."""
    limits = Limits(threads=3, crowded_gap_s=0.05)
    with ExitStack() as stack:
        server = stack.enter_context(serving(certs_dir, limits, gate))
        server.router.register("POST", "/reading", reading)
        working = stack.enter_context(connect(server, kind))
        working.send_request("/gate")
        assert gate.entered.acquire(timeout=10)
        silent = [stack.enter_context(connect(server, kind)) for _ in range(4)]
        for peer in silent:
            peer.send_request("/reading", method="POST", end=False)
        assert_soon(lambda: sum(one.begun for one in server.state().connections) == 1 + len(silent))
        # Two keep the threads that they get, so that somebody waits until the last of the silent is late.
        others = [stack.enter_context(connect(server, kind)) for _ in range(2)]
        for peer in others:
            peer.send_request("/gate")
        assert {peer.read_answer().status for peer in silent} == {408}
        assert "past the limit crowded_gap_s" in caplog.text
        assert all(gate.entered.acquire(timeout=10) for _ in others)
        gate.opened.set()
        # And for the client of the first, who owes nothing, there was no limit.
        assert [peer.read_answer().text for peer in (working, *others)] == ["through"] * 3
