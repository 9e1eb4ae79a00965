"""Clients that vanish, at any octet of what they had to say: nothing of them is left."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import ExitStack, suppress
from socket import socket
from typing import Literal

import pytest

from tests.helpers.peers import Kind, open_socket
from tests.hostile.bystander import ask_once, undisturbed
from tests.hostile.conversations import CONVERSATIONS
from tests.hostile.target import Target, Victim
from tests.hostile.wire import leave_by_reset, raw_socket

Way = Literal["FIN", "RST"]
TLS_STEP = 7  # not each octet, for this takes its time, and TLS hands octets on as sockets do
PATIENCE_S, LONGER_S = 1.0, 3.0  # the server's, and where well-behaved clients might need it
HEAD_OCTETS = 120  # where things begin, and each octet counts

ways = pytest.mark.parametrize("way", ["FIN", "RST"])


def leave(sock: socket, way: Way) -> None:
    if way == "RST":
        leave_by_reset(sock)
    sock.close()


@ways
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_in_the_clear(name: str, way: Way, target: Target) -> None:
    """Whether a client leaves at once, or when all that it had said has been seen to."""
    said = CONVERSATIONS[name]
    with target.nothing_left() as before, undisturbed(target), ExitStack() as stack:
        for length in range(len(said) + 1):
            sock = raw_socket(target, "h1")
            sock.sendall(said[:length])
            leave(sock, way)
        there = []
        for length in range(len(said) + 1):
            there.append(stack.enter_context(raw_socket(target, "h1")))
            there[-1].sendall(said[:length])
        target.at_rest(lambda held: held.descriptors > before.descriptors)
        for sock in there:
            leave(sock, way)


@ways
@pytest.mark.parametrize("name", [name for name in CONVERSATIONS if name != "h1-upgrade"])
def test_over_tls(name: str, way: Way, target: Target) -> None:
    """Over TLS, too; without a word of goodbye."""
    said = CONVERSATIONS[name]
    kind: Kind = "h2" if name.startswith("h2") else "h1s"
    with target.nothing_left(), undisturbed(target):
        for length in range(0, len(said) + 1, TLS_STEP):
            sock = open_socket(target, kind)
            sock.sendall(said[:length])
            leave(sock, way)


@ways
@pytest.mark.parametrize("name", ["h1-download", "h2-downloads"])
def test_in_the_middle_of_a_response(name: str, way: Way, target: Target) -> None:
    """Also who has read any number of octets of a response."""
    said = CONVERSATIONS[name][:-13]  # without the change of mind
    with target.nothing_left(), undisturbed(target):
        for length in (*range(1, HEAD_OCTETS), 10_000, 50_000):
            with raw_socket(target, "h1") as sock:
                sock.sendall(CONVERSATIONS[name] if name == "h1-download" else said)
                left = length
                while left:
                    piece = sock.recv(left)
                    assert piece
                    left -= len(piece)
                leave(sock, way)


class Handshake:
    """A client's side of TLS over a socket, which sends no more octets than it is told."""

    def __init__(self, target: Target, octets: int) -> None:
        context = target.client_context()
        context.set_alpn_protocols(["h2"])
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")
        self._left = octets
        self.sock = raw_socket(target, "h2")

    def go_as_far(self, say: bytes) -> bool:
        """Shake hands and say that; whether it was all sent."""
        return self._carry_out(self._tls.do_handshake) and self._carry_out(lambda: self._tls.write(say))

    def _carry_out(self, step: Callable[[], object]) -> bool:
        while True:
            wants_more = False
            try:
                step()
            except ssl.SSLWantReadError:
                wants_more = True
            octets = self._outgoing.read()
            with suppress(ConnectionError):
                self.sock.sendall(octets[: self._left])
            self._left -= len(octets)
            if self._left < 0:
                return False
            if not wants_more:
                return True
            piece = self.sock.recv(65536)
            assert piece
            self._incoming.write(piece)


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_silently(name: str, victim: Victim) -> None:
    """
    Where nothing tells that a client is gone, it is taken for slow, wherever it was. The limits are
    ``handshake_s``, ``head_s``, ``content_gap_s``, ``unread_s`` and ``idle_s``.
    """
    said = CONVERSATIONS[name]
    limits = dict.fromkeys(("head_s", "content_gap_s", "unread_s"), PATIENCE_S)
    limits |= dict.fromkeys(("handshake_s", "idle_s"), LONGER_S)
    with victim.serving(limits) as target:
        ask_once(target)
        with ExitStack() as stack, target.nothing_left():
            for length in range(len(said) + 1):
                stack.enter_context(raw_socket(target, "h1")).sendall(said[:length])


@ways
def test_in_a_handshake(way: Way, target: Target) -> None:
    """A handshake of TLS can be left at any octet, too."""
    said = CONVERSATIONS["h2-uploads"]
    with target.nothing_left(), undisturbed(target):
        length = 0
        while True:
            handshake = Handshake(target, length)
            through = handshake.go_as_far(said)
            leave(handshake.sock, way)
            if through:
                break
            length += 1 if length < HEAD_OCTETS else TLS_STEP
