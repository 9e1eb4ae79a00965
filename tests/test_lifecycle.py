"""Starting and stopping: what is left behind, which is nothing, whoever stops it and whenever."""

from __future__ import annotations

import gc
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.peers import connect
from tests.helpers.ports import quiet_port
from tests.helpers.waiting import assert_soon
from wptproto import ConfigError, Request, Response, Server

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "wptproto"


def hello(request: Request, response: Response) -> str:
    return "hello"


def make(certs_dir: Path, **settings: object) -> Server:
    """A server that says hello, without TLS unless it is asked for."""
    given = {"https_port": None, "certs_dir": certs_dir, "routes": [("*", "/*", hello)]} | settings
    return Server(**given)  # type: ignore[arg-type]


def descriptors() -> set[str]:
    """What this process has open; where there is no /proc, nobody can tell."""
    return set(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else set()


def test_a_thousand_times(certs_dir: Path) -> None:
    """A server that was started and stopped a thousand times left no thread, descriptor or octet."""
    # Of threads, what measures coverage keeps more than we do.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    command = [sys.executable, "-W", "error", "-m", "tests.helpers.rounds", str(certs_dir)]
    done = subprocess.run(
        command, env=environment, cwd=PACKAGE.parent, stdout=subprocess.PIPE, timeout=300, check=True
    )
    before, after = json.loads(done.stdout)
    assert (after["threads"], after["descriptors"]) == (1, before["descriptors"])
    assert after["octets"] - before["octets"] < 240 * 100  # an object or a socket for each would be more


@pytest.fixture
def left() -> Callable[[], set[threading.Thread]]:
    """Return the threads of this test's servers, which may take a moment to leave when those have stopped."""
    others = set(threading.enumerate())  # such as one that sleeps in a handler of another test's
    return lambda: {
        thread for thread in set(threading.enumerate()) - others if thread.name.startswith("wptproto")
    }


def test_start_that_fails(certs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that cannot start gives back what it has, and can be started when the cause is gone."""
    gc.collect()
    before = descriptors()
    server = make(certs_dir)

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            server.start()
    assert server.http_port is None
    gc.collect()
    assert len(descriptors()) <= len(before)
    with server, connect(server, "h1") as peer:
        assert peer.request().text == "hello"


def test_start_that_fails_on_the_loop(certs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So does one that cannot begin to accept."""
    gc.collect()
    before = descriptors()
    server = make(certs_dir).listen()
    engine = server._engine
    assert engine is not None

    async def refuse(*_: object, **__: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(engine.loop, "create_server", refuse)
    with pytest.raises(OSError, match="no"):
        server.start()
    assert server.http_port is None
    assert engine.loop.is_closed()
    del engine
    gc.collect()
    assert len(descriptors()) <= len(before)
    with server, connect(server, "h1") as peer:
        assert peer.request().text == "hello"


def test_stop_of_a_server_that_listens(certs_dir: Path) -> None:
    """A server that listens and was never started is stopped as well; so is one that never listened."""
    before = descriptors()
    port = quiet_port()
    server = make(certs_dir, http_port=port)
    server.stop()
    assert server.listen().http_port == port
    server.stop()
    assert server.http_port is None
    assert len(descriptors()) <= len(before)
    make(certs_dir, http_port=port).listen().stop()


def test_listening_twice(certs_dir: Path) -> None:
    """A server that listens has its ports already."""
    server = make(certs_dir).listen()
    with pytest.raises(ConfigError, match="listens already"):
        server.listen()
    server.stop()


def test_stop_that_overtakes_a_start(certs_dir: Path, left: Callable[[], set[threading.Thread]]) -> None:
    """A server that one thread is only just starting can be stopped by another; neither waits for ever."""
    server = make(certs_dir)
    said: list[str] = []

    def start() -> None:
        try:
            server.start()
        except ConfigError as error:
            said.append(str(error))

    for _ in range(20):
        thread = threading.Thread(target=start)
        thread.start()
        while thread.is_alive():
            server.stop()
            thread.join(0.0001)
        server.stop()
    assert set(said) <= {"the server was stopped while it started"}
    assert_soon(lambda: not left())


def test_start_after_the_stop_overtook(certs_dir: Path) -> None:
    """A stop between listening and starting is told to who starts."""
    server = make(certs_dir).listen()
    engine = server._engine
    assert engine is not None
    server.stop()
    with pytest.raises(ConfigError, match="stopped while it started"):
        engine.start()


def test_stop_from_many_threads(certs_dir: Path, left: Callable[[], set[threading.Thread]]) -> None:
    """Many may stop a server at the same time."""
    for _ in range(10):
        server = make(certs_dir).start()
        engine = server._engine
        assert engine is not None
        threads = [threading.Thread(target=stop) for stop in [server.stop, engine.stop] * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert_soon(lambda: not left())


def test_stop_by_an_exception(certs_dir: Path) -> None:
    """An exception in the block stops the server, and goes on."""
    port = quiet_port()
    server = make(certs_dir, http_port=port).listen()
    with pytest.raises(ZeroDivisionError), server:
        raise ZeroDivisionError
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=20)


def test_restart_on_the_same_port(certs_dir: Path) -> None:
    """The same port is there again at once, also while its last connections are in TIME_WAIT."""
    port = quiet_port()
    with make(certs_dir, http_port=port), socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        # The side that closes first is the one that the port waits for.
        sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        while sock.recv(1000):
            pass
    for _ in range(3):
        with make(certs_dir, http_port=port) as server, connect(server, "h1") as peer:
            assert server.http_port == port
            assert peer.request().text == "hello"


# --- in processes of their own -------------------------------------------------------------------

FORK = """
import os, sys, urllib.request
from tests.helpers.ports import quiet_port
from wptproto import Server

def get():
    with urllib.request.urlopen(server.http_url("/"), timeout=20) as answer:
        return answer.read()

def in_child(leave):
    child = os.fork()
    if child == 0:
        try:
            leave()
        except SystemExit:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7

def stop():
    server.stop()
    assert server.http_port is None
    sys.exit()

port = quiet_port()
server = Server(routes=[("GET", "/", lambda request, response: "hello")], http_port=port, https_port=None)
server.listen()
in_child(stop)
with server:
    assert get() == b"hello"
    in_child(stop)
    assert get() == b"hello"
    in_child(sys.exit)
    assert get() == b"hello"
Server(http_port=port, https_port=None).start().stop()
"""

LEFT_RUNNING = """
import asyncio, socket, sys, threading, time
from wptproto import Server

began = threading.Barrier(3)

def sleep(request, response):
    began.wait(20)
    time.sleep(60)

async def sleep_async(request, response):
    await asyncio.to_thread(began.wait, 20)
    await asyncio.sleep(60)

server = Server(routes=[("GET", "/a", sleep), ("GET", "/b", sleep_async)], https_port=None).start()
socks = [socket.create_connection(("127.0.0.1", server.http_port)) for _ in range(3)]
socks[0].sendall(b"GET /a HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n")
socks[1].sendall(b"GET /b HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n")
began.wait(20)
for sock in socks:
    sock.close()
print("left running")
"""


def run_program(program: str) -> tuple[int, str, str]:
    """Run a program, in which every warning is an error but the one that says that forking is risky."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:This process:DeprecationWarning", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_in_a_forked_child() -> None:
    """A child gives back its share, and its parent's server goes on, started before or after."""
    assert run_program(FORK) == (0, "", "")


def test_left_running() -> None:
    """A server that nobody stops does not keep its process from ending, whatever its handlers do."""
    assert run_program(LEFT_RUNNING) == (0, "left running\n", "")
