"""Connections that are driven by hand, each with a plain socket at the other end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from tests.wire.helpers import NoKeeper
from wptproto.protocol.h2_frame_types import build
from wptproto.protocol.h2_frames import PREFACE
from wptproto.wire import H1Wire, H2Wire
from wptproto.wire.line import Line
from wptproto.wire.options import H2Options
from wptproto.wire.policies import Policy

SETTINGS_OCTETS = build(4)

Go = Callable[..., Future[Any]]
MakeH1 = Callable[..., tuple[H1Wire, socket.socket]]
MakeH2 = Callable[..., tuple[H2Wire, socket.socket]]


@pytest.fixture
def go() -> Iterator[Go]:
    """A function that runs a client on a thread of its own."""
    with ThreadPoolExecutor(8) as threads:
        yield threads.submit


@pytest.fixture
def line() -> Iterator[tuple[Line, socket.socket]]:
    """A line in the clear, and its client."""
    ours, theirs = socket.socketpair()
    found = Line(ours, None, NoKeeper())
    with theirs:
        yield found, theirs
        found.stop("the test is over")


@pytest.fixture
def make_h1() -> Iterator[MakeH1]:
    """A function that makes an HTTP/1.1 connection."""
    with ExitStack() as stack:

        def made(*, timeout_s: float = 5.0, policy: Policy = "allowed") -> tuple[H1Wire, socket.socket]:
            ours, theirs = socket.socketpair()
            stack.enter_context(theirs)
            wire = H1Wire(Line(ours, None, NoKeeper()), timeout_s, policy)
            stack.callback(wire.reset)
            return wire, theirs

        yield made


@pytest.fixture
def make_h2() -> Iterator[MakeH2]:
    """A function that makes an HTTP/2 connection, whose client has sent preface and SETTINGS."""
    with ExitStack() as stack:

        def made(
            *, timeout_s: float = 5.0, policy: Policy = "allowed", **options: Any
        ) -> tuple[H2Wire, socket.socket]:
            ours, theirs = socket.socketpair()
            stack.enter_context(theirs)
            theirs.settimeout(5)
            wire = H2Wire(Line(ours, None, NoKeeper()), timeout_s, policy, H2Options(**options))
            stack.callback(wire.reset)
            if wire.options.preface:
                theirs.sendall(PREFACE + SETTINGS_OCTETS)
            wire.begin()
            return wire, theirs

        yield made
