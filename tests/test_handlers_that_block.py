"""Plain handlers may do whatever blocks, and never learn which thread they run on."""

from __future__ import annotations

import asyncio
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from tests.helpers.peers import Kind, connect
from tests.helpers.waiting import assert_soon
from wptproto import Request, Response, Server
from wptproto.server import engine, relay, survey

NEVER_S = 3600.0


def own_loop(request: Request, response: Response) -> str:
    async def inner() -> str:
        await asyncio.sleep(0.001)
        return f"{asyncio.get_running_loop().time() > 0}"

    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()
    return asyncio.run(inner())


def own_loop_that_reads(request: Request, response: Response) -> bytes:
    async def inner() -> bytes:
        return request.body

    return asyncio.run(inner())


def exits(request: Request, response: Response) -> None:
    raise SystemExit(3)


def interrupts(request: Request, response: Response) -> None:
    raise KeyboardInterrupt


def hello(request: Request, response: Response) -> str:
    return "hello"


def test_a_loop_of_its_own(certs_dir: Path, kind: Kind) -> None:
    """A handler sees no running loop and may run its own, in which it may read what has yet to come."""
    routes = [("GET", "/", own_loop), ("POST", "/", own_loop_that_reads)]
    with Server(routes=routes, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        assert [peer.request("/").text for _ in range(3)] == ["True"] * 3
        for _ in range(3):
            peer.send_request("/", method="POST", end=False)
            peer.send_content(b"in ", end=False)
            peer.send_content(b"time", end=True)
            assert peer.read_answer().text == "in time"


def test_a_call_back(certs_dir: Path, kind: Kind) -> None:
    """A handler may ask the server it runs on."""

    def ask(request: Request, response: Response) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.http_port}/hello") as answer:
            return bytes(answer.read())

    routes = [("*", "/", ask), ("*", "/hello", hello)]
    with Server(routes=routes, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        assert [peer.request("/").text for _ in range(15)] == ["hello"] * 15


def test_exits(certs_dir: Path, kind: Kind) -> None:
    """What would end a program ends the handler."""
    routes = [("*", "/exits", exits), ("*", "/interrupts", interrupts), ("*", "/hello", hello)]
    with Server(routes=routes, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        for _ in range(3):
            assert [peer.request(path).status for path in ("/exits", "/interrupts", "/hello")] == [
                500,
                500,
                200,
            ]


def test_stop(certs_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A handler that stops the server comes back when it has stopped, whatever thread it is on."""
    monkeypatch.setattr(relay, "BLOCKS_S", NEVER_S)
    monkeypatch.setattr(engine, "STOP_S", 15)
    ports: list[int | None] = []
    done = threading.Event()

    def stop(request: Request, response: Response) -> None:
        server.stop()
        ports.append(server.http_port)
        done.set()

    server = Server(routes=[("*", "/", stop)], certs_dir=certs_dir).start()
    with connect(server, "h1") as peer:
        with suppress(OSError):
            peer.send_request("/")
        assert done.wait(60)
    assert ports == [None]
    assert "blocks the loop" not in caplog.text


def test_state(certs_dir: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that asks what the server does finds itself there, at its line."""
    monkeypatch.setattr(relay, "BLOCKS_S", NEVER_S)
    monkeypatch.setattr(survey, "ANSWER_S", 15)

    def look(request: Request, response: Response) -> str:
        return str(request.server.dump())

    with Server(routes=[("*", "/", look)], certs_dir=certs_dir) as server, connect(server, kind) as peer:
        for _ in range(2):
            text = peer.request("/").text
            assert "connections: 1" in text
            assert "GET /, " in text
            assert "return str(request.server.dump())" in text


def test_held_interpreter(
    certs_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a plain handler is in the way of a stop, for nobody can take the loop from it, that is said."""
    monkeypatch.setattr(relay, "BLOCKS_S", NEVER_S)  # as when it does not let go of the interpreter
    begun, let_go = threading.Event(), threading.Event()

    def hold(request: Request, response: Response) -> None:
        begun.set()
        assert let_go.wait(20)

    server = Server(routes=[("*", "/", hold)], certs_dir=certs_dir).start()
    with connect(server, "h1") as peer:
        peer.send_request("/")
        assert begun.wait(10)
        server.stop()
        let_go.set()
    assert "a handler blocks the loop" in caplog.text
    assert "in hold" in caplog.text


def test_one_sleeps_and_then_does_not(certs_dir: Path, kind: Kind) -> None:
    """A handler that blocked runs on other threads, and in the end on the loop's again."""
    names: list[str] = []

    def sleep(request: Request, response: Response) -> str:
        thread = threading.current_thread()
        names.append(thread.name)
        if request.url_parts.query:
            assert_soon(lambda: thread.name == "wptproto-handler")  # it has lost the loop
        return "awake"

    with Server(routes=[("*", "/", sleep)], certs_dir=certs_dir) as server, connect(server, kind) as peer:
        assert peer.request("/?sleep=1").text == "awake"
        assert peer.request("/").text == "awake"
        assert names == ["wptproto-loop", "wptproto-handler"]
        assert_soon(lambda: peer.request("/").text == "awake" and names[-1] == "wptproto-loop")
