"""Many at once, and large: handlers asleep, handlers that wait for each other, gibibytes in small memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.helpers.peers import H1Peer, H2Peer, Kind, Peer, connect, open_socket
from wptproto import Request, Response, Server

SLEEPERS = 1000


def sleeper(barrier: threading.Barrier) -> object:
    def handler(request: Request, response: Response) -> str:
        barrier.wait(60)  # nobody goes on before all are there
        return "woken"

    return handler


def test_a_thousand_handlers_asleep_on_one_http2_connection(certs_dir: Path) -> None:
    """1,000 handlers are asleep at once on one HTTP/2 connection."""
    handler = sleeper(threading.Barrier(SLEEPERS))
    with (
        Server(routes=[("*", "/*", handler)], certs_dir=certs_dir) as server,  # type: ignore[list-item]
        H2Peer(open_socket(server, "h2"), scheme="https") as peer,
    ):
        peer.sock.settimeout(60)
        for _ in range(SLEEPERS):
            peer.send_request()
        assert all(peer.read_answer(stream).text == "woken" for stream in list(peer.answers))


def test_a_thousand_handlers_asleep_on_as_many_connections(certs_dir: Path) -> None:
    """1,000 handlers are asleep at once on 1,000 HTTP/1.1 connections."""
    handler = sleeper(threading.Barrier(SLEEPERS))
    with (
        Server(routes=[("*", "/*", handler)], certs_dir=certs_dir) as server,  # type: ignore[list-item]
        ExitStack() as stack,
    ):
        peers = [stack.enter_context(H1Peer(open_socket(server, "h1"))) for _ in range(SLEEPERS)]
        for peer in peers:
            peer.sock.settimeout(60)
            peer.send_request()
        assert all(peer.read_answer().text == "woken" for peer in peers)


def test_handlers_wait_for_each_other(certs_dir: Path, kind: Kind) -> None:
    """A handler may wait for what another request brings."""
    box: dict[str, str] = {}
    filled = threading.Condition()

    def take(request: Request, response: Response) -> str:
        with filled:
            assert filled.wait_for(lambda: "x" in box, timeout=20)
            return box["x"]

    def put(request: Request, response: Response) -> None:
        with filled:
            box["x"] = request.body.decode()
            filled.notify_all()

    routes = [("GET", "/", take), ("PUT", "/", put)]
    with Server(routes=routes, certs_dir=certs_dir) as server, ExitStack() as stack:
        waiting = [stack.enter_context(connect(server, kind)) for _ in range(60)]
        for peer in waiting:
            peer.send_request()
        with connect(server, kind) as peer:
            assert peer.request(method="PUT", content=b"brought").status == 200
        assert all(peer.read_answer().text == "brought" for peer in waiting)


def test_nobody_waits_for_sleepers(certs_dir: Path, kind: Kind) -> None:
    """While a hundred handlers sleep, quick ones answer, and so does one that was quick until it slept."""
    let_go = threading.Event()
    asleep = threading.Semaphore(0)
    quick_runs = 50

    def sleep(request: Request, response: Response) -> str:
        asleep.release()
        assert let_go.wait(60)
        return "woken"

    def quick(request: Request, response: Response) -> str:
        return "quick"

    def now_and_then(request: Request, response: Response) -> str:
        return sleep(request, response) if request.url_parts.query else "quick"

    routes = [("*", "/sleep/*", sleep), ("*", "/quick", quick), ("*", "/", now_and_then)]
    with Server(routes=routes, certs_dir=certs_dir) as server, ExitStack() as stack:

        def peers(count: int) -> list[Peer]:
            return [stack.enter_context(connect(server, kind)) for _ in range(count)]

        quick_peers, sleepers = peers(5), peers(100)
        try:
            assert all(quick_peers[0].request("/").text == "quick" for _ in range(quick_runs))
            for number, peer in enumerate(sleepers):
                peer.send_request("/?sleep=1" if number % 2 else f"/sleep/{number}")
                assert all(
                    peer.request(path).text == "quick" for peer in quick_peers for path in ("/quick", "/")
                )
            for _ in sleepers:
                assert asleep.acquire(timeout=60)  # all of them, and none has been let go
            assert all(peer.request("/quick").text == "quick" for peer in quick_peers)
        finally:
            let_go.set()
        assert all(peer.read_answer().text == "woken" for peer in sleepers)


SIZE = int(os.environ.get("WPTPROTO_LARGE_MIB", "1024")) * 1024 * 1024
PIECE = b"\0" * 65536
SERVER_SCRIPT = """
import resource, sys
import wptproto

def upload(request, response):
    count = 0
    while piece := request.raw_input.read(65536):
        count += len(piece)
    return str(count)

def download(request, response):
    for _ in range(int(request.GET.first(b"size")) // 65536):
        yield b"\\0" * 65536

def memory(request, response):
    return open("/proc/self/status").read().partition("VmRSS:")[2].split()[0]

routes = [("*", "/upload", upload), ("*", "/download", download), ("*", "/memory", memory)]
with wptproto.Server(routes=routes, certs_dir=sys.argv[1]) as server:
    print(server.http_port, server.https_port, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def outside(certs_dir: Path) -> Iterator[Server]:
    """A server in a process of its own, whose memory is nobody else's; known here by its ports."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER_SCRIPT, str(certs_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
        # Not traced line by line: it is measured for its memory, and moves gibibytes.
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        known = Server(certs_dir=certs_dir)
        http_port, https_port = map(int, process.stdout.readline().split())
        known.http_ports, known.https_ports = (http_port,), (https_port,)
        yield known
        process.stdin.close()


def resident_kib(server: Server) -> int:
    with connect(server, "h1") as peer:
        return int(peer.request("/memory").text)


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read from /proc, which Linux has"
)
def test_a_gibibyte_each_way(outside: Server, kind: Kind) -> None:
    """1 GiB each way passes in memory that does not grow with it; others are served meanwhile."""
    before = resident_kib(outside)
    with connect(outside, kind) as peer:
        peer.send_request("/upload", method="POST", end=False, headers=[("content-length", str(SIZE))])
        for _ in range(SIZE // len(PIECE) - 1):
            peer.send_content(PIECE, end=False)
        with connect(outside, kind) as other:
            assert other.request("/memory").status == 200
        peer.send_content(PIECE, end=True)
        assert peer.read_answer().text == str(SIZE)
        assert resident_kib(outside) - before < 60_000

        peer.send_request(f"/download?size={SIZE}")
        answer = None
        count = 0
        while piece := peer.read_some():
            count += len(piece)
            answer = peer.answer if isinstance(peer, H1Peer) else peer.answers[peer.last]  # type: ignore[attr-defined]
            answer.pieces.clear()
        assert count == SIZE
        assert answer is not None
        assert answer.complete
        assert resident_kib(outside) - before < 60_000
