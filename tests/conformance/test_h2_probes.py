"""Every probe of HTTP/2, over sockets, in the clear and over TLS, whole and octet by octet, with either core."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.conformance import rfc7541, rfc9113_3, rfc9113_5, rfc9113_6, rfc9113_8
from tests.conformance.h2_probe import GET, H2Probe, begun, frame
from tests.conformance.h2_wire import PING, Conversation
from tests.conformance.rfc9113_sent import RULES
from tests.helpers.peers import open_socket
from wptproto import Request, Response, Server
from wptproto.protocol.rules import Core

TABLES = (rfc7541, rfc9113_3, rfc9113_5, rfc9113_6, rfc9113_8)
PROBES = [probe for table in TABLES for probe in table.PROBES]
FEW_OCTETS = 2000
LAST = 0x7FFFFFFD  # the stream on which it is seen that the connection goes on
MARK_OCTETS = b"the mark"
MARK = frame(PING, 0, 0, MARK_OCTETS)


slow = threading.Event()


def handler(request: Request, response: Response) -> bytes | str:
    match request.path:
        case "/echo":
            return request.body
        case "/x":
            return b",".join(request.headers.get_list("x", []))
        case "/slow":
            slow.wait(60)
            return "slow"
        case path:
            return path


@pytest.fixture(scope="module", params=list(Core))
def server(request: pytest.FixtureRequest, certs_dir: Path) -> Iterator[Server]:
    routes = [
        ("GET", "/get", handler),
        ("POST", "/echo", handler),
        (["GET", "POST"], "/slow", handler),
        ("GET", "/x", handler),
    ]
    with Server(routes=routes, certs_dir=certs_dir, core=request.param) as server:
        yield server


@pytest.mark.parametrize(
    ("probe", "kind", "piecemeal"),
    [
        pytest.param(probe, kind, piecemeal, id=f"{probe.id}-{kind}" + "-octet-by-octet" * piecemeal)
        for probe in PROBES
        for kind in probe.kinds
        for piecemeal in (False, True)
        if not piecemeal or len(probe.sends) <= FEW_OCTETS
    ],
)
def test_probe(probe: H2Probe, kind: Literal["h2", "h2c"], piecemeal: bool, server: Server) -> None:
    """The server reacts as the row allows, and to nothing else; and what it sends keeps all rules."""
    slow.clear()
    with open_socket(server, kind) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        conversation = Conversation(sock)
        conversation.send(probe.opening)
        conversation.send(probe.sends, piecemeal=piecemeal)
        if probe.then:
            conversation.read_until(lambda: probe.stream in conversation.ended | conversation.resets.keys())
            conversation.send(probe.then)
        if probe.goaway:
            conversation.read_to_the_end()
        else:
            see_that_it_goes_on(conversation, probe)
    assert_reaction(conversation, probe)
    assert [rule.id for rule in RULES if not rule.holds(conversation)] == []


def see_that_it_goes_on(conversation: Conversation, probe: H2Probe) -> None:
    """Wait for what shall come on the probe's stream, and for the answer to another request."""
    last = {probe.stream} if probe.statuses and not probe.resets else set()
    if probe.ends:
        slow.set()
        conversation.read_until(lambda: last <= conversation.ended)
        conversation.read_to_the_end()
        return
    conversation.send(MARK)
    conversation.read_until(lambda: conversation.is_answered(MARK_OCTETS))
    slow.set()  # all frames were taken while it was half closed
    conversation.send(begun(LAST, GET))
    conversation.read_until(
        lambda: (
            {LAST, *last} <= conversation.ended and (not probe.resets or probe.stream in conversation.resets)
        )
    )
    assert conversation.goaway is None
    assert (conversation.statuses[LAST], conversation.content[LAST]) == (200, b"/get")


def assert_reaction(conversation: Conversation, probe: H2Probe) -> None:
    """See that it is one that the row allows, and that no other stream suffers."""
    if probe.goaway:
        assert conversation.goaway is not None, "the connection closes without a word"
        assert conversation.goaway.error_code in probe.goaway
        assert conversation.goaway.payload[8:], "no reason is told"
        return
    resets = set(conversation.resets) - set(probe.stray_resets)
    assert resets <= ({probe.stream} if probe.resets else set())
    if probe.resets:
        assert conversation.resets[probe.stream] in probe.resets
    if probe.statuses:
        assert conversation.statuses[probe.stream] in probe.statuses
        assert probe.says in conversation.content[probe.stream]


def test_the_tables() -> None:
    """Every row has a name of its own, and there are enough of them."""
    assert len({probe.id for probe in PROBES}) == len(PROBES) >= 150
