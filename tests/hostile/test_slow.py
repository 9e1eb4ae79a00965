"""Clients that take their time: they are waited for as long as the limits say, and no longer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

import pytest
from hyperframe.frame import HeadersFrame

from tests.conformance.probe import post
from tests.helpers.h2 import OPENING, POST, headers
from tests.helpers.peers import Kind, connect, open_socket
from tests.helpers.waiting import assert_soon
from tests.hostile.bystander import ask_once, undisturbed
from tests.hostile.target import Target, Victim
from tests.hostile.victim import THOUGHT_S
from tests.hostile.wire import raw_socket, read_all

CLIENTS = 50
SHORT_S, LONG_S, LONGER_S = 0.2, 1.5, 4.0
"""Limits: one that well-behaved clients never meet, and two that those of a slow machine might."""

STREAMS = 200
RESET_OCTETS = b"\0\0\4\3"  # how the frame begins

h1_kinds = pytest.mark.parametrize("kind", ["h1", "h1s"])


@contextmanager
def serving(victim: Victim, limits: Mapping[str, float]) -> Iterator[Target]:
    """Have a server with those limits, on which nothing is left behind the block."""
    with victim.serving(limits) as target:
        ask_once(target)
        with target.nothing_left():
            yield target


@h1_kinds
def test_slow_heads(kind: Kind, victim: Victim) -> None:
    """Who sends a head in ever smaller pieces is told after a while: 408. The limit is ``head_s``."""
    with (
        serving(victim, {"head_s": SHORT_S}) as target,
        undisturbed(target),
        ExitStack() as stack,
    ):
        slow = [stack.enter_context(open_socket(target, kind)) for _ in range(CLIENTS)]
        for sock in slow:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n")

        def is_told() -> bool:
            with suppress(OSError):
                slow[0].sendall(b"A")  # an octet now and then makes no difference
            return target.logged("the rest of a request's head did not come within 0.2 s")

        assert_soon(is_told)
        for sock in slow:
            assert b"HTTP/1.1 408 " in read_all(sock)


@h1_kinds
def test_slow_content(kind: Kind, victim: Victim) -> None:
    """
    So is who promises content and sends none; its handler's thread is given back. The limit is
    ``content_gap_s``.
    """
    with (
        serving(victim, {"content_gap_s": SHORT_S}) as target,
        undisturbed(target),
        ExitStack() as stack,
    ):
        slow = [stack.enter_context(open_socket(target, kind)) for _ in range(CLIENTS)]
        for sock in slow:
            sock.sendall(post(b"Content-Length: 5", content=b"he"))
        for sock in slow:
            assert b"HTTP/1.1 408 " in read_all(sock)


def test_slow_handlers(kind: Kind, victim: Victim) -> None:
    """A client that waits for us is not late, not even with content that it holds back for 100 (Continue)."""
    assert THOUGHT_S > 1.5 * LONG_S
    limits = {"head_s": SHORT_S, "content_gap_s": LONG_S, "unread_s": SHORT_S}
    with serving(victim, limits) as target, connect(target, kind) as peer:
        expecting = [("expect", "100-continue"), ("content-length", "2")]
        peer.send_request("/think", method="POST", headers=expecting, end=False)
        peer.wait_for_informational()
        peer.send_content(b"ok", end=True)
        answer = peer.read_answer()
        assert (answer.status, answer.text) == (200, "ok")


@pytest.mark.parametrize("kind", ["h1", "h1s", "h2"])
def test_handshakes_half_open(kind: Kind, victim: Victim) -> None:
    """Who connects and says nothing, or the beginning of something, is not waited for: ``handshake_s``."""
    beginning = b"PRI" if kind == "h1" else b"\x16\x03\x01\x02"
    with serving(victim, {"handshake_s": LONGER_S}) as target, ExitStack() as stack:
        silent = [stack.enter_context(raw_socket(target, kind)) for _ in range(2 * CLIENTS)]
        for sock in silent[::2]:
            sock.sendall(beginning)
        ask_once(target)
        assert {read_all(sock) for sock in silent} == {b""}


def test_connections_that_say_nothing_more(kind: Kind, victim: Victim) -> None:
    """Who has been answered, and stays, is not waited for either: ``idle_s``."""
    with serving(victim, {"idle_s": LONGER_S}) as target, ExitStack() as stack:
        peers = []
        for _ in range(CLIENTS):
            peers.append(stack.enter_context(connect(target, kind)))
            assert peers[-1].request("/").text == "ok"
        ask_once(target)
        for peer in peers:
            read_all(peer.sock)


HALVES = {
    "preface": OPENING[:20],
    "frame": OPENING + headers(1).serialize()[:-1],
    "block": OPENING + HeadersFrame(1, headers(1).data[:2], flags=["END_STREAM"]).serialize(),
}


@pytest.mark.parametrize("kind", ["h2", "h2c"])
@pytest.mark.parametrize("half", HALVES)
def test_slow_frames(half: str, kind: Kind, victim: Victim) -> None:
    """
    Over HTTP/2, who sends half of the preface, of a frame, or of a field block is not waited for. The limits
    are ``handshake_s`` and ``head_s``.
    """
    limits = {"head_s": SHORT_S, "handshake_s": LONGER_S}
    with serving(victim, limits) as target, ExitStack() as stack:
        slow = [stack.enter_context(open_socket(target, kind)) for _ in range(CLIENTS)]
        for sock in slow:
            sock.sendall(HALVES[half])
        ask_once(target)
        for sock in slow:
            read_all(sock)
        assert target.logged("past the limit handshake_s" if half == "preface" else "past the limit head_s")


@pytest.mark.parametrize("kind", ["h2", "h2c"])
def test_slow_content_of_many_streams(kind: Kind, victim: Victim) -> None:
    """All streams that owe content end, and give back their handlers' threads: ``content_gap_s``."""
    with (
        serving(victim, {"content_gap_s": SHORT_S}) as target,
        undisturbed(target),
        open_socket(target, kind) as sock,
    ):
        before = target.held()
        sock.sendall(OPENING)
        for stream_id in range(1, 2 * STREAMS, 2):
            sock.sendall(headers(stream_id, POST, end=False).serialize())
        reset = b""
        while reset.count(RESET_OCTETS) < STREAMS:
            piece = sock.recv(65536)
            assert piece, "the connection was closed"
            reset += piece
        assert b"content_gap_s" in reset
        target.at_rest(lambda held: held.objects["Exchange"] <= before.objects["Exchange"] + 2)


def test_slow_readers(kind: Kind, victim: Victim) -> None:
    """Who asks for much and reads none of it is not written for without end: ``unread_s``."""
    with (
        serving(victim, {"unread_s": LONG_S}) as target,
        undisturbed(target),
        ExitStack() as stack,
    ):
        before = target.held()
        for _ in range(CLIENTS):
            stack.enter_context(connect(target, kind)).send_request("/vast")
        assert_soon(lambda: target.logged("past the limit unread_s"))
        target.at_rest(lambda held: held.objects["Exchange"] <= before.objects["Exchange"] + 2)
