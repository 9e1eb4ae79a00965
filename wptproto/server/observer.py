"""
Observer: what happens on one connection, told as it happens to whoever wants to know.

Nothing here is kept, and nothing is made for it: where nobody observes, a connection has no observer, and to
ask for that is all it costs. Who observes a server is asked for an observer as each connection begins, and
so sees whole connections: what one says cannot be read from its midst (RFC 7541 §2.2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from wptproto.exchange.bridge import Command
from wptproto.exchange.exchange import Exchange
from wptproto.protocol.events import Event, ExchangeId, RequestReceived
from wptproto.protocol.tls_state import TlsState

if TYPE_CHECKING:
    from wptproto.faults import Fault

__all__ = ["Accepted", "Observer", "Observers"]


class Accepted(NamedTuple):
    """
    A connection that has been accepted.

    Attributes:
        number: The how manieth of its server, from 1 on.
        client: Its client's address and port.
        here: The address and port that it came to.
        is_tls: It speaks TLS.
        by_hand: A test drives it: its threads tell what happens, and there are octets, but no exchanges.
    """

    number: int
    client: tuple[str, int]
    here: tuple[str, int]
    is_tls: bool
    by_hand: bool = False


class Observer:
    """
    Is told what happens on one connection, on the loop's thread if nothing else is said; here, ignores it.

    What it is given belongs to the connection, and may change when it returns.
    """

    # --- octets --------------------------------------------------------------------------------

    def octets_received(self, octets: bytes) -> None:
        """Octets came from the transport: TLS records, where there is TLS."""

    def octets_sent(self, octets: bytes) -> None:
        """Octets were given to the transport: TLS records, where there is TLS."""

    def plaintext_received(self, octets: bytes) -> None:
        """Octets came for the protocol: what the records held, where there is TLS."""

    def plaintext_sent(self, octets: bytes) -> None:
        """Octets of the protocol are to be sent."""

    # --- the connection ------------------------------------------------------------------------

    def tls_agreed(self, tls: TlsState) -> None:
        """The handshake is through."""

    def tls_failed(self, tls: TlsState, reason: str) -> None:
        """There is no speaking TLS with this peer."""

    def protocol_chosen(self, protocol: str) -> None:
        """It is clear what is spoken from here on: ``HTTP/1.1`` or ``HTTP/2``."""

    def event(self, event: Event) -> None:
        """The peer did something, as the protocol understands it."""

    def violated(self, exchange_id: ExchangeId | None, reason: str) -> None:
        """The peer broke a rule, as it is seen where a test drives; elsewhere that is an event."""

    def late(self, reason: str) -> None:
        """The peer has kept the connection waiting for longer than the limits allow."""

    def misbehaved(self, exchange_id: ExchangeId | None, fault: Fault) -> None:
        """A fault that was asked for has happened; to one exchange, or, with None, to the connection."""

    def eof_received(self) -> None:
        """The peer will send no more: FIN, or over TLS close_notify."""

    def closed(self, error: Exception | None) -> None:
        """The connection is gone; *error* is the system's, where it was not closed but broken off."""

    # --- exchanges -----------------------------------------------------------------------------

    def ignored(self, request: RequestReceived, reason: str) -> None:
        """A request came that nobody looks at, as the client had been told."""

    def exchange_begun(self, exchange_id: ExchangeId, exchange: Exchange) -> None:
        """The head of a request is there, or one was promised."""

    def command(self, exchange_id: ExchangeId, command: Command) -> None:
        """Something that its handler said has been carried out, content and verbatim octets excepted."""

    def content_sent(self, exchange_id: ExchangeId, octets: bytes | memoryview, *, verbatim: bool) -> None:
        """Content of a response has been sent, or octets as they are in the place of a message."""

    def exchange_ended(self, exchange_id: ExchangeId, outcome: str) -> None:
        """The response is whole, or, if *outcome* is not empty, it says in words why it will not be."""

    def handler_begun(self, exchange: Exchange) -> None:
        """A handler is called; on the thread that runs it."""

    def handler_ended(self, exchange: Exchange, error: BaseException | None) -> None:
        """A handler has returned, or raised what nobody expected; on the thread that ran it."""


Observe = Callable[[Accepted], Observer | None]


class Observers:
    """Who observes the connections of one server, those included that they do not share in yet."""

    def __init__(self) -> None:
        self._found: list[Observe] = []

    def add(self, observe: Observe) -> Callable[[], None]:
        """
        Have connections observed that are accepted from now on. Any thread may ask for it.

        Args:
            observe: Called with each of them on the loop's thread; returns who observes it, if anybody.

        Returns:
            A function that ends this for connections to come.
        """
        self._found = [*self._found, observe]
        return lambda: self._remove(observe)

    def _remove(self, observe: Observe) -> None:
        self._found = [one for one in self._found if one is not observe]

    def of(self, accepted: Accepted) -> Observer | None:
        """Return the observer of a new connection; None where nobody wants to know."""
        found = [observer for observe in self._found if (observer := observe(accepted)) is not None]
        return None if not found else found[0] if len(found) == 1 else _Several(found)


class _Several(Observer):
    """Passes on to several observers what one is told."""

    def __init__(self, observers: list[Observer]) -> None:
        self._observers = observers

    def octets_received(self, octets: bytes) -> None:
        for observer in self._observers:
            observer.octets_received(octets)

    def octets_sent(self, octets: bytes) -> None:
        for observer in self._observers:
            observer.octets_sent(octets)

    def plaintext_received(self, octets: bytes) -> None:
        for observer in self._observers:
            observer.plaintext_received(octets)

    def plaintext_sent(self, octets: bytes) -> None:
        for observer in self._observers:
            observer.plaintext_sent(octets)

    def tls_agreed(self, tls: TlsState) -> None:
        for observer in self._observers:
            observer.tls_agreed(tls)

    def tls_failed(self, tls: TlsState, reason: str) -> None:
        for observer in self._observers:
            observer.tls_failed(tls, reason)

    def protocol_chosen(self, protocol: str) -> None:
        for observer in self._observers:
            observer.protocol_chosen(protocol)

    def event(self, event: Event) -> None:
        for observer in self._observers:
            observer.event(event)

    def violated(self, exchange_id: ExchangeId | None, reason: str) -> None:
        for observer in self._observers:
            observer.violated(exchange_id, reason)

    def late(self, reason: str) -> None:
        for observer in self._observers:
            observer.late(reason)

    def misbehaved(self, exchange_id: ExchangeId | None, fault: Fault) -> None:
        for observer in self._observers:
            observer.misbehaved(exchange_id, fault)

    def eof_received(self) -> None:
        for observer in self._observers:
            observer.eof_received()

    def closed(self, error: Exception | None) -> None:
        for observer in self._observers:
            observer.closed(error)

    def ignored(self, request: RequestReceived, reason: str) -> None:
        for observer in self._observers:
            observer.ignored(request, reason)

    def exchange_begun(self, exchange_id: ExchangeId, exchange: Exchange) -> None:
        for observer in self._observers:
            observer.exchange_begun(exchange_id, exchange)

    def command(self, exchange_id: ExchangeId, command: Command) -> None:
        for observer in self._observers:
            observer.command(exchange_id, command)

    def content_sent(self, exchange_id: ExchangeId, octets: bytes | memoryview, *, verbatim: bool) -> None:
        for observer in self._observers:
            observer.content_sent(exchange_id, octets, verbatim=verbatim)

    def exchange_ended(self, exchange_id: ExchangeId, outcome: str) -> None:
        for observer in self._observers:
            observer.exchange_ended(exchange_id, outcome)

    def handler_begun(self, exchange: Exchange) -> None:
        for observer in self._observers:
            observer.handler_begun(exchange)

    def handler_ended(self, exchange: Exchange, error: BaseException | None) -> None:
        for observer in self._observers:
            observer.handler_ended(exchange, error)
