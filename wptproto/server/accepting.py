"""Accepting: how a connection comes to a test that drives it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from wptproto.errors import ConfigError, ExchangeClosed, WireError
from wptproto.server.by_hand import ByHand
from wptproto.server.observer import Observer
from wptproto.server.tls_terms import TlsTerms
from wptproto.wire.h1 import H1Wire
from wptproto.wire.h2 import H2Wire
from wptproto.wire.line import Line
from wptproto.wire.options import H2Keywords, H2Options
from wptproto.wire.policies import POLICIES, Policy

__all__ = ["OVER_TLS", "Acceptance", "Door", "checked_options"]

PROTOCOLS = ("h1", "h1s", "h2", "h2c")
OVER_TLS = {"h1s": "http/1.1", "h2": "h2"}
"""What each protocol that comes over TLS is called by ALPN (RFC 7301 §6, RFC 9113 §3.1)."""


def checked_options(protocol: str, violations: str, keywords: H2Keywords) -> H2Options:
    """
    Return the options of HTTP/2 that ``accept`` was given.

    Raises:
        ConfigError: One of its arguments makes no sense.
    """
    if protocol not in PROTOCOLS:
        raise ConfigError(f"accept: {protocol!r} is none of {', '.join(PROTOCOLS)}")
    if violations not in POLICIES:
        raise ConfigError(f"violations: {violations!r} is none of {', '.join(POLICIES)}")
    for name in keywords:
        if name not in H2Options._fields:
            known = ", ".join(H2Options._fields)
            raise ConfigError(f"accept has no option {name!r}; those of HTTP/2 are {known}")
        if not protocol.startswith("h2"):
            raise ConfigError(f"accept: {name} is an option of HTTP/2, and {protocol} is HTTP/1.1")
    return H2Options(**keywords).checked()


class ObserveByHand(Protocol):
    """How to ask who observes a connection."""

    def __call__(self, sock: socket.socket, /, *, is_tls: bool) -> Observer | None: ...


class Door(NamedTuple):
    """
    Where connections come from.

    Attributes:
        by_hand: Has those that tests are to drive.
        ports: To which they may come.
        answered: Returns how many came to these ports that handlers answer.
        make_terms: Returns on what terms to speak TLS, offering these protocols by ALPN.
        observe: Returns who observes a connection, if anybody does.
    """

    by_hand: ByHand
    ports: tuple[int, ...]
    answered: Callable[[], int]
    make_terms: Callable[[Sequence[str]], TlsTerms]
    observe: ObserveByHand


class Acceptance:
    """One connection's way to a test: awaited, TLS agreed on, and over HTTP/2 its preface received."""

    def __init__(
        self,
        door: Door,
        protocol: str,
        timeout_s: float,
        alpn: Sequence[str] | None,
        policy: Policy,
        options: H2Options,
    ) -> None:
        """
        Args:
            door: Where it comes from.
            protocol: One of PROTOCOLS.
            timeout_s: How long to wait for it, and for whatever is awaited on it.
            alpn: What is offered by ALPN; None is the protocol alone.
            policy: What comes of violations.
            options: Of HTTP/2.
        """
        self._door = door
        self._protocol = protocol
        self._timeout_s = timeout_s
        self._alpn = alpn
        self._policy = policy
        self._options = options
        self._line: Line | None = None
        self._cancelled = False

    def run(self) -> H1Wire | H2Wire:
        """
        Wait for the connection.

        Raises:
            WireError: It does not come, or does not speak the protocol.
            ExchangeClosed: The server stops, or the wait was cancelled.
            CertificateError: There is no usable certificate.
        """
        deadline_s = time.monotonic() + self._timeout_s
        terms = self._terms()
        sock = self._door.by_hand.take(self._door.ports, deadline_s, lambda: self._cancelled)
        if sock is None:
            raise WireError(self._why_none())
        observer = self._door.observe(sock, is_tls=terms is not None)
        line = self._line = Line(sock, terms, self._door.by_hand, observer)
        self._door.by_hand.keep(line)
        try:
            line.handshake(deadline_s)
            wire = self._opened(line)
            if self._cancelled:
                raise ExchangeClosed("the wait was cancelled")
            return wire
        except BaseException:
            line.close()
            raise

    def cancel(self) -> None:
        """End the wait; from any thread."""
        self._cancelled = True
        self._door.by_hand.wake()
        if self._line is not None:
            self._line.interrupt()

    def discard(self) -> None:
        """Close what came all the same, when the wait was cancelled."""
        if self._line is not None:
            self._line.close()

    def _opened(self, line: Line) -> H1Wire | H2Wire:
        is_h2 = self._protocol in ("h2", "h2c")
        line.observer.protocol_chosen("HTTP/2" if is_h2 else "HTTP/1.1")
        if not is_h2:
            return H1Wire(line, self._timeout_s, self._policy)
        wire = H2Wire(line, self._timeout_s, self._policy, self._options)
        wire.begin()
        return wire

    def _terms(self) -> TlsTerms | None:
        if self._protocol not in OVER_TLS:
            return None
        return self._door.make_terms((OVER_TLS[self._protocol],) if self._alpn is None else self._alpn)

    def _why_none(self) -> str:
        answered, ports = self._door.answered(), " or ".join(str(port) for port in self._door.ports)
        why = f"no connection came to port {ports} in {self._timeout_s:g} s"
        if not answered or self._door.by_hand.parks:
            return why
        return (
            f"{why}; {answered} had come before, and handlers answered them: "
            f"Server(by_hand=True) keeps every connection for accept(), however early it comes"
        )
