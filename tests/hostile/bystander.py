"""
A bystander: well-behaved clients that go on asking while another one misbehaves.

Its answers are what a hostile client could take away from others, so each has to be right, and in time.

In time is by the server's own clock: how long the processor has worked for it between two answers, of which
one is asked for right behind the other. On a machine with nothing else to do that is how late an answer is;
and it is the same where the machine has much else to do, so that it makes no server look bad.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise

from tests.helpers.peers import KINDS, Kind, Peer, Reachable, connect
from tests.helpers.waiting import assert_soon

__all__ = ["PATIENCE_S", "ask_once", "undisturbed"]

PATIENCE_S = 2.0
"""How late an answer may be, in seconds of the server's processor time."""

ASKING: tuple[Kind, ...] = ("h1", "h2")
PAUSE_S = 0.02


def ask(peer: Peer) -> float:
    """Ask once; return how much processor time the server has had, which is its answer."""
    answer = peer.request("/bystander")
    assert answer.status == 200
    return float(answer.text)


def ask_once(server: Reachable) -> None:
    """See that a server answers on each protocol."""
    for kind in KINDS:
        with connect(server, kind) as peer:
            ask(peer)


@contextmanager
def undisturbed(server: Reachable) -> Iterator[None]:
    """Ask the server all the time that the block runs; fail where an answer is wrong, late or missing."""
    done = threading.Event()
    spent_s: list[float] = []
    failures: list[BaseException] = []

    def ask_on() -> None:
        try:
            with ExitStack() as stack:
                peers = [stack.enter_context(connect(server, kind)) for kind in ASKING]
                while not done.is_set():
                    spent_s.extend(ask(peer) for peer in peers)
                    done.wait(PAUSE_S)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=ask_on)
    thread.start()
    try:
        assert_soon(lambda: bool(spent_s or failures))  # it is under way
        yield
        before = len(spent_s)
        assert_soon(lambda: len(spent_s) > before + len(ASKING) or bool(failures))  # and still is
    finally:
        done.set()
        thread.join()
    if failures:
        raise failures[0]
    latest_s = max(after - before for before, after in pairwise(spent_s))
    assert latest_s < PATIENCE_S
