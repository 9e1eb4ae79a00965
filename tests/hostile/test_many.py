"""Clients that are many, or ask for much, and read little of it: what waits for them is bounded."""

from __future__ import annotations

import resource
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.conformance.probe import get
from tests.helpers.peers import Kind, connect, open_socket
from tests.helpers.waiting import assert_soon
from tests.hostile.bystander import ask_once, undisturbed
from tests.hostile.target import Target, Victim
from tests.hostile.victim import VAST_OCTETS
from tests.hostile.wire import raw_socket

IDLE = 2000
CONNECTIONS, THREADS, GAP_S, CROWDED_GAP_S = 40, 4, 10.0, 1.0
"""Limits."""

OTHER_DESCRIPTORS = 100
VAST_GET = get(line=b"GET /vast HTTP/1.1")
MB = 1024 * 1024

h1_kinds = pytest.mark.parametrize("kind", ["h1", "h1s"])


def test_idle_connections(target: Target) -> None:
    """Thousands of connections that do nothing are in nobody's way, and need no threads."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(IDLE, soft - OTHER_DESCRIPTORS)
    with target.nothing_left() as before, undisturbed(target), ExitStack() as stack:
        idle = [stack.enter_context(raw_socket(target, "h1")) for _ in range(count)]
        for sock in idle:
            sock.sendall(b"\r\n")
        held = target.at_rest(lambda held: held.descriptors >= before.descriptors + count)
        assert held.threads < before.threads + 10  # some are a bystander's
        assert held.octets - before.octets < count * 100


def test_too_many_connections(kind: Kind, victim: Victim) -> None:
    """Those that are idle give way to new ones, so that who comes then is served: ``connections``."""
    with victim.serving({"connections": CONNECTIONS}) as target:
        ask_once(target)
        with target.nothing_left() as before, ExitStack() as stack:
            for _ in range(3 * CONNECTIONS):
                with suppress(ConnectionError):  # it may have to give way before it has come in
                    stack.enter_context(open_socket(target, kind))
            ask_once(target)
            assert target.at_rest().descriptors <= before.descriptors + CONNECTIONS
            assert target.logged("past the limit connections")


def test_threads_run_out(kind: Kind, victim: Victim, tmp_path: Path) -> None:
    """
    Where all threads run handlers that wait for their clients, files are served, and all else as soon as
    those clients are late, which is sooner then: ``threads``, ``crowded_gap_s``.
    """
    (tmp_path / "file").write_text("here")
    limits = {"threads": THREADS, "content_gap_s": GAP_S, "crowded_gap_s": CROWDED_GAP_S}
    with victim.serving(limits, tmp_path) as target:
        ask_once(target)
        with target.nothing_left(), ExitStack() as stack:
            for _ in range(2 * THREADS):
                slow = stack.enter_context(connect(target, kind))
                slow.send_request("/echo", method="POST", headers=[("content-length", "5")], end=False)
            with connect(target, kind) as peer:
                assert peer.request("/file").text == "here"
            assert_soon(lambda: target.logged("past the limit threads"))
            assert_soon(lambda: target.logged("past the limit crowded_gap_s"))
            ask_once(target)


@h1_kinds
def test_pipelined_floods(kind: Kind, target: Target) -> None:
    """Requests without end, whose answers nobody reads, are left in the socket."""
    with target.nothing_left() as before, undisturbed(target), open_socket(target, kind) as sock:
        sock.settimeout(0.3)
        flood = VAST_GET * 1000
        sent = 0
        with suppress(TimeoutError):
            while sent < 100 * MB:
                sent += sock.send(flood[sent % len(VAST_GET) :])
        assert sent < 100 * MB, "the server has read it all"
        held = target.at_rest()
        assert held.objects["Exchange"] - before.objects["Exchange"] < 10  # some are a bystander's
        assert held.octets - before.octets < VAST_OCTETS + 4 * MB


@h1_kinds
def test_answers_that_nobody_reads(kind: Kind, target: Target) -> None:
    """Large responses wait as what their handlers returned, and are not copied for each who does not read."""
    with target.nothing_left() as before, undisturbed(target), ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(open_socket(target, kind)).sendall(VAST_GET)
        held = target.at_rest(lambda held: held.objects["Exchange"] >= before.objects["Exchange"] + 50)
        assert held.octets - before.octets < VAST_OCTETS + 50 * MB
