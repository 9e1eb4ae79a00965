"""
ByHand: connections that no handler answers, because a test is to drive them.

A connection is taken out of asyncio the moment that it is made: before anything of it was read, so nothing is
lost. Its socket is duplicated, and the transport, which has the other one, lets go of it.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from asyncio.trsock import TransportSocket
from collections import deque
from collections.abc import Callable, Collection
from typing import Protocol

from wptproto.errors import ExchangeClosed

__all__ = ["ByHand", "Handover", "Stoppable"]

STOPPED = "the server stops"

LINGER_S = 1.0
"""How long a socket stays open at least that was closed by a test, while its client reads what is left."""


class Stoppable(Protocol):
    """What is told when the server stops."""

    def stop(self, why: str) -> None:
        """End every wait, and close; from any thread."""


class _Claim:
    """Somebody who waits for a connection."""

    def __init__(self, ports: Collection[int]) -> None:
        self.ports = ports
        self.sock: socket.socket | None = None


class ByHand:
    """
    Who waits for connections to drive, which connections wait for that, and which are driven.

    Attributes:
        parks: Whether every connection waits until somebody takes it.
    """

    def __init__(self, *, parks: bool) -> None:
        """
        Args:
            parks: Whether every connection waits until somebody takes it; else only those that somebody
                waits for already are taken.
        """
        self.parks = parks
        self._changed = threading.Condition()
        self._parked: deque[tuple[float, socket.socket]] = deque()  # by port
        self._claims: list[_Claim] = []
        self._driven: set[Stoppable] = set()
        self._lingering: deque[tuple[float, socket.socket]] = deque()
        self._stopped = False

    def offer(self, port: int, sock: TransportSocket) -> bool:
        """
        Take over a new connection, if it is wanted.

        Args:
            port: The one that it came to.
            sock: Stays the caller's; what is taken is a duplicate.
        """
        with self._changed:
            if self._stopped:
                return False
            claim = next(
                (claim for claim in self._claims if claim.sock is None and port in claim.ports), None
            )
            if claim is not None:
                claim.sock = sock.dup()
                self._changed.notify_all()
            elif self.parks:
                self._parked.append((port, sock.dup()))
            return claim is not None or self.parks

    def take(
        self, ports: Collection[int], deadline_s: float, cancelled: Callable[[], bool]
    ) -> socket.socket | None:
        """
        Wait for a connection to one of the ports; those that wait already come first, in their order.

        Args:
            ports: Where it may come to.
            deadline_s: Until when, as ``time.monotonic`` has it.
            cancelled: Whether nobody wants it any more; asked at first, and when :meth:`wake` was called.

        Returns:
            Its socket, the caller's from now on; None where none has come.

        Raises:
            ExchangeClosed: The server stops, or the wait was cancelled.
        """
        with self._changed:
            self._check()
            if cancelled():
                raise ExchangeClosed("the wait was cancelled")
            parked = next((entry for entry in self._parked if entry[0] in ports), None)
            if parked is not None:
                self._parked.remove(parked)
                return parked[1]
            claim = _Claim(ports)
            self._claims.append(claim)
            try:
                while claim.sock is None and (left_s := deadline_s - time.monotonic()) > 0:
                    self._changed.wait(left_s)
                    self._check(claim.sock)
                    if cancelled() and claim.sock is None:
                        raise ExchangeClosed("the wait was cancelled")
            finally:
                self._claims.remove(claim)
            return claim.sock

    def wake(self) -> None:
        """Have everybody who waits look whether that was cancelled."""
        with self._changed:
            self._changed.notify_all()

    def keep(self, driven: Stoppable) -> None:
        """Stop it with the server; at once, if that has stopped."""
        with self._changed:
            if not self._stopped:
                self._driven.add(driven)
                return
        driven.stop(STOPPED)

    def forget(self, driven: Stoppable) -> None:
        """Take note that it is over."""
        with self._changed:
            self._driven.discard(driven)

    def linger(self, sock: socket.socket) -> None:
        """Close a socket of which the client was told so: not now, for it may have to read, but later."""
        now_s = time.monotonic()
        with self._changed:
            self._lingering.append((now_s + LINGER_S, sock))
            while self._lingering and (self._stopped or self._lingering[0][0] <= now_s):
                self._lingering.popleft()[1].close()

    def stop(self) -> None:
        """Close all of them, and end every wait."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            driven = list(self._driven)
            for waiting in (self._parked, self._lingering):
                while waiting:
                    waiting.popleft()[1].close()
        for one in driven:
            one.stop(STOPPED)

    def _check(self, sock: socket.socket | None = None) -> None:
        if self._stopped:
            if sock is not None:
                sock.close()
            raise ExchangeClosed(STOPPED)


class Handover(asyncio.Protocol):
    """A new connection before it is known whether a test drives it, or handlers answer it."""

    def __init__(self, by_hand: ByHand, otherwise: Callable[[], asyncio.Protocol]) -> None:
        """
        Args:
            by_hand: May take it.
            otherwise: Makes who has it if not.
        """
        self._by_hand = by_hand
        self._otherwise = otherwise

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        address = transport.get_extra_info("sockname")
        port = int(address[1]) if isinstance(address, tuple) else 0
        if self._by_hand.offer(port, transport.get_extra_info("socket")):
            transport.abort()  # which closes its socket, and tells the client nothing: ours is open
            return
        protocol = self._otherwise()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
