"""
A bystander: well-behaved clients that go on asking while another one misbehaves.

Its answers are what a hostile client could take away from others, so each has to be right, and in time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.helpers.peers import Kind, connect
from tests.helpers.waiting import assert_soon
from wptproto import Server

__all__ = ["PATH", "PATIENCE_S", "assert_idle", "connections", "undisturbed"]

PATH = "/bystander"
"""What it asks for; its server answers this with the text ``here``."""

PATIENCE_S = 10.0
"""
How late an answer may be: this tells one that waits its turn from one that waits for the flood to end.

Flood, server and bystander share one interpreter here, with others beside it, so it cannot tell more.
"""

KINDS: tuple[Kind, ...] = ("h1", "h2")


@contextmanager
def undisturbed(server: Server) -> Iterator[None]:
    """Ask the server all the time that the block runs; fail where an answer is wrong, late or missing."""
    done = threading.Event()
    slowest_s: list[float] = []
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            with ExitStack() as stack:
                peers = [stack.enter_context(connect(server, kind)) for kind in KINDS]
                while not done.is_set():
                    for peer in peers:
                        begun = time.monotonic()
                        answer = peer.request(PATH)
                        assert (answer.status, answer.text) == (200, "here")
                        slowest_s.append(time.monotonic() - begun)
                    done.wait(0.005)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        assert_soon(lambda: bool(slowest_s or failures))  # it is under way
        yield
        before = len(slowest_s)
        assert_soon(lambda: len(slowest_s) > before + len(KINDS) or bool(failures))  # and still is
    finally:
        done.set()
        thread.join()
    if failures:
        raise failures[0]
    assert max(slowest_s) < PATIENCE_S


def connections(server: Server) -> int:
    """Return how many connections the server has."""
    assert server._engine is not None
    return len(server._engine._drivers)


def assert_idle() -> None:
    """See that the processor comes to rest: no loop goes on that has nothing to do."""

    def rests() -> bool:
        begun = time.process_time()
        time.sleep(0.1)
        return time.process_time() - begun < 0.03

    assert_soon(rests)
