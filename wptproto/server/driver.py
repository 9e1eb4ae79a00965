"""
Driver: one connection's asyncio Protocol, and the one owner of its Connection.

Everything here runs on the loop's thread. Octets come in from the transport, go through TLS
if there is any, and become events; events start exchanges, whose handlers run later or elsewhere and send
commands back over their bridges; commands become octets. ``_transmit`` follows each touch,
with nothing awaited in between, so octets leave in the order they were made.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, assert_never, cast

from wptproto.errors import ExchangeClosed
from wptproto.exchange.bridge import Misbehave
from wptproto.exchange.exchange import Exchange
from wptproto.protocol.connection import Awaits, Closing, Connection
from wptproto.protocol.events import (
    ContentFailed,
    ContentReceived,
    Event,
    ExchangeId,
    ExchangeReset,
    PeerFinished,
    PriorityUpdated,
    ProtocolViolated,
    RequestEnded,
    RequestReceived,
    UpgradeReceived,
    WindowOpened,
)
from wptproto.protocol.negotiate import choose_by_alpn, choose_by_octets, upgraded
from wptproto.server.addresses import address_of
from wptproto.server.bridge import LoopBridge
from wptproto.server.exchanges import Exchanges
from wptproto.server.host import Host
from wptproto.server.observer import Observer
from wptproto.server.outlet import Outlet
from wptproto.server.running import Running
from wptproto.server.sender import PIECE_OCTETS, Sender
from wptproto.server.state import ConnectionState, HandlerState
from wptproto.server.tls import TlsError, TlsLayer
from wptproto.server.tls_terms import TlsTerms
from wptproto.server.watch import Late, Watch

if TYPE_CHECKING:
    from wptproto.server.faulting import Faulting
    from wptproto.server.stalls import Epoch

__all__ = ["Driver"]

log = logging.getLogger("wptproto.server")

MAX_UNREAD_OCTETS = 1024 * 1024
"""What may wait for a peer to read it. Content stops long before; answers to control frames do not."""

_IDLE = (Awaits.HANDSHAKE, Awaits.REQUEST)


class Driver(asyncio.Protocol):
    """Drives one connection from accept to close."""

    def __init__(self, host: Host[Driver], terms: TlsTerms | None) -> None:
        """
        Args:
            host: The server.
            terms: For TLS; None for cleartext.
        """
        self._host = host
        self._tls = TlsLayer(terms) if terms is not None else None
        self._outlet: Outlet  # from connection_made on, as is what needs it
        self._connection: Connection | None = None
        self._opening = bytearray()
        self._since_s = time.monotonic()
        self._received = 0  # octets
        self._active_s = time.monotonic()
        self._can_write = True
        self._eof = False
        self._peer = ("", 0)
        self._here = ("", 0)
        self._observer: Observer | None = None
        self._faulting: Faulting | None = None  # once something is to go wrong
        self._greeted = False  # the first octets have come
        self._has_turn = False  # the loop is to go on with its backlog
        self._exchanges: Exchanges
        self._sender: Sender
        self._watch: Watch

    # --- from the transport --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._peer = address_of(transport.get_extra_info("peername"))
        self._here = address_of(transport.get_extra_info("sockname"))
        observer = self._observer = self._host.observe(self._peer, self._here, is_tls=self._tls is not None)
        self._outlet = Outlet(cast("asyncio.Transport", transport), self._tls, observer)
        surroundings = self._host.surroundings("https" if self._tls else "http", self._peer, self._here)
        limits, is_behind = self._host.rules.limits, self._host.is_behind
        self._exchanges = Exchanges(surroundings, self._make_bridge, self._start, is_behind, limits, observer)
        self._sender = Sender(self._exchanges, self._misbehave, observer)
        self._watch = Watch(limits, self._outlet, self._exchanges)
        self._host.attach(self)
        faults = self._host.take_faults(is_tls=self._tls is not None)
        if faults:
            faulting = self._misbehaving()
            faulting.expect(faults)
            faulting.accepted(self._go_on)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._observer is not None:
            self._observer.octets_received(data)
        if self._outlet.closing:
            self._outlet.drop(len(data))
            return
        if self._faulting is None or self._begins(self._faulting, data):
            self._take_octets(data)

    def _begins(self, faulting: Faulting, data: bytes) -> bool:
        """See to what is to happen before octets are taken; whether they are to be taken now."""
        self._outlet.rest(len(data))
        if self._tls is None or self._greeted:
            return True
        self._greeted = True
        return faulting.hello(functools.partial(self._take_octets, data))

    def _take_octets(self, data: bytes) -> None:
        if self._eof and self._tls is not None:
            return  # the peer has said that nothing follows
        if self._tls is not None:
            was_established = self._tls.established
            try:
                plaintext = self._tls.receive_data(data)
            except TlsError as error:
                self._fail_tls(self._tls, error)
                return
            if self._tls.established and not was_established:
                if self._observer is not None:
                    self._observer.tls_agreed(self._tls.state)
                if (connection := choose_by_alpn(self._tls.alpn_protocol, self._host.rules)) is not None:
                    self._choose(connection)
        else:
            plaintext = data
        if plaintext:
            self._receive(plaintext)
        self._after_receiving()

    def _after_receiving(self) -> None:
        """See to what comes after octets were taken: their end, unless some are left for another turn."""
        has_backlog = self._connection is not None and self._connection.has_backlog
        if self._tls is not None and self._tls.peer_closed and not self._eof and not has_backlog:
            self._receive_eof()
        self._transmit()

    def _receive_backlog(self) -> None:
        self._has_turn = False
        if not self._outlet.closing:
            self._receive(b"")
            self._after_receiving()

    def eof_received(self) -> bool:
        if not self._eof:
            self._receive_eof()
        self._transmit()
        self._outlet.peer_finished()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._outlet.closed()
        self._exchanges.drop_all(ExchangeClosed("the client closed the connection"))
        if self._faulting is not None:
            self._faulting.closed()
        if self._observer is not None:
            self._observer.closed(exc)
        self._host.detach(self)

    def pause_writing(self) -> None:
        self._can_write = False

    def resume_writing(self) -> None:
        self._can_write = True
        self._go_on()
        self._transmit()

    def _receive(self, octets: bytes) -> None:
        if self._observer is not None and octets:
            self._observer.plaintext_received(octets)
        connection = self._connection
        if connection is None:
            self._opening += octets
            octets = bytes(self._opening)
            connection = choose_by_octets(octets, self._host.rules, cleartext=self._tls is None)
            if connection is None:
                return
            self._choose(connection)
            self._opening.clear()
        connection.tick(time.monotonic())
        self._handle(connection.receive_data(octets))

    def _choose(self, connection: Connection) -> None:
        """Speak a protocol from here on."""
        self._connection = connection
        if self._observer is not None:
            self._observer.protocol_chosen(connection.protocol)

    def _receive_eof(self) -> None:
        self._eof = True
        if self._observer is not None:
            self._observer.eof_received()
        if self._connection is not None:
            self._handle(self._connection.receive_eof())
        else:
            self._close(Closing.GRACEFUL)

    def _fail_tls(self, tls: TlsLayer, error: TlsError) -> None:
        if self._observer is not None:
            self._observer.tls_failed(tls.state, str(error))
        log.warning("%s:%d: %s", *self._peer, error)
        self._outlet.send_in_the_clear(error.answer)
        self._close(Closing.GRACEFUL)

    # --- from the host -------------------------------------------------------------------------

    def serve(self, bridge: LoopBridge) -> None:
        """Carry out what a handler asked for, as far as it can be now."""
        running = self._exchanges.running.get(bridge.exchange_id)
        if running is None or running.bridge is not bridge or self._connection is None:
            return
        self._exchanges.weigh(running)
        consumed = bridge.take_acknowledged()
        if consumed:
            self._connection.acknowledge(bridge.exchange_id, consumed)
        self._sender.enqueue(running)
        self._go_on()

    def transmit(self) -> None:
        """Write what has been queued, and see to what the connection wants next."""
        self._transmit()

    def look(self, now_s: float, *, crowded: bool) -> None:
        """
        See whether the peer keeps the connection waiting for longer than the limits allow.

        Args:
            now_s: The time, from any origin.
            crowded: Requests, of whomever, wait for a thread.
        """
        for late in self._watch.look(self._connection, self._received, now_s, crowded=crowded):
            self._expire(late)
            self._transmit()
        self._outlet.look(now_s)

    def _expire(self, late: Late) -> None:
        connection, running, reason = self._connection, late.running, late.reason
        if self._observer is not None:
            self._observer.late(reason)
        if late.awaits is Awaits.ROOM:
            log.warning("%s:%d: %s%s", *self._peer, f"{running}: " if running is not None else "", reason)
            if running is None or connection is None:
                self._exchanges.drop_all(ExchangeClosed(reason))
                self._outlet.break_off()
            else:
                self._sender.cut_off(connection, running, reason, too_slow=True)
        elif connection is None:
            log.warning("%s:%d: %s", *self._peer, reason)
            self._close(Closing.GRACEFUL)
        elif running is None:
            if late.awaits is Awaits.REQUEST:
                log.info("%s:%d: %s", *self._peer, reason)
            self._handle(connection.expire(reason))
        else:
            self._handle(connection.expire_content(running.bridge.exchange_id, reason))

    @property
    def has_served(self) -> bool:
        """Whether there has been a request."""
        return self._exchanges.begun > 0

    @property
    def idle_since_s(self) -> float | None:
        """When octets last went one way or the other; None while there is a request to take or to answer."""
        awaits = Awaits.HANDSHAKE if self._connection is None else self._connection.awaits
        if self._outlet.closing or self._exchanges.running or awaits not in _IDLE:
            return None
        return self._active_s

    def state(self, now_s: float, handlers: Mapping[Exchange, HandlerState]) -> ConnectionState:
        """
        Return what the connection is doing.

        Args:
            now_s: The time, as ``time.monotonic`` has it.
            handlers: Those of the server that are at work.
        """
        connection = self._connection
        windows_of = connection.window_state if connection is not None else lambda _: None
        return ConnectionState(
            client=self._peer,
            port=self._here[1],
            protocol=connection.protocol if connection is not None else None,
            tls=self._tls.terms if self._tls is not None else None,
            age_s=now_s - self._since_s,
            awaits=(connection.awaits if connection is not None else Awaits.HANDSHAKE).value,
            closing=self._outlet.closing,
            begun=self._exchanges.begun,
            received_octets=self._received,
            unsent_octets=self._outlet.unread_octets,
            reading_paused=self._outlet.reading_paused,
            windows=connection.window_state() if connection is not None else None,
            exchanges=self._exchanges.states(now_s, handlers, windows_of, can_write=self._can_write),
        )

    def shut(self) -> None:
        """End the connection for its peer, from any thread, where the loop's own does not come to it."""
        self._outlet.shut()

    def cut_off(self) -> None:
        """Close at once; nothing that is queued is sent."""
        self._outlet.abort()

    def stop(self, reason: str) -> list[str]:
        """
        Say goodbye and close, now.

        Returns:
            What was cut off by that, for the log.
        """
        left = self._unfinished()
        self._exchanges.drop_all(ExchangeClosed(reason))
        if self._connection is not None and not self._outlet.closing:
            self._connection.close(reason)
            self._outlet.send(self._connection.data_to_send())
        self._outlet.stop(whole=not left)
        return left

    def _unfinished(self) -> list[str]:
        """Return what has begun and is not through, in words."""
        peer = f"{self._peer[0]}:{self._peer[1]}"
        left = [f"{running} ({running.missing})" for running in self._exchanges.running.values()]
        if not left and self._outlet.unread_octets:
            left.append(f"{self._outlet.unread_octets} octets that {peer} has not read")
        awaits = self._connection.awaits if self._connection is not None else Awaits.HANDSHAKE
        begun = (Awaits.HANDSHAKE, Awaits.HEAD, Awaits.FRAME, Awaits.CONTENT)
        if not left and self._received and awaits in begun:
            left.append(f"{awaits.value} of {peer}")
        return left

    # --- events --------------------------------------------------------------------------------

    def _handle(self, events: list[Event]) -> None:
        self._take(events)
        self._go_on()

    def _go_on(self) -> None:
        """Do what can be done now, after anything has happened."""
        sender = self._sender
        while self._can_write and sender.has_work and self._connection is not None:
            events = sender.carry_out(self._connection)
            if not self._outlet.closing:
                self._take(events)
            if sender.unwritten_octets >= PIECE_OCTETS:
                self._transmit()
        self._exchanges.call_handlers()

    def _take(self, events: list[Event]) -> None:
        exchanges = self._exchanges.running
        for event in events:
            if self._observer is not None:
                self._observer.event(event)
            match event:
                case RequestReceived(exchange_id):
                    if self._faulting is not None and self._faulting.ignores(exchange_id):
                        self._ignore(event)
                        continue
                    self._exchanges.await_handler(self._exchanges.begin(event))
                case ContentReceived(exchange_id, data):
                    if (running := exchanges.get(exchange_id)) is not None:
                        running.received_octets += len(data)
                        if running.plan is None or running.plan.received(event):
                            self.take(running, event)
                    elif self._faulting is not None and self._connection is not None:
                        self._connection.acknowledge(exchange_id, len(data))  # of a stream that is ignored
                case RequestEnded(exchange_id):
                    if (running := exchanges.get(exchange_id)) is not None:
                        if running.plan is None:  # as in take(), for each request comes by here
                            running.exchange.content.end(event.trailers)
                        elif running.plan.received(event):
                            self.take(running, event)
                case ContentFailed(exchange_id, error):
                    log.warning("%s:%d: %s", *self._peer, error.reason)
                    if (running := exchanges.get(exchange_id)) is not None:
                        running.exchange.content.fail(error)
                case ExchangeReset(exchange_id, reason):
                    if (running := exchanges.get(exchange_id)) is not None:
                        log.debug("%s:%d: %s", *self._peer, reason)
                        self._exchanges.drop(running, ExchangeClosed(reason))
                case PriorityUpdated(exchange_id, priority):
                    if (running := exchanges.get(exchange_id)) is not None:
                        running.exchange.request.prioritize(priority)
                case WindowOpened(exchange_id):
                    self._sender.unstall(exchange_id)
                case UpgradeReceived():
                    self._upgrade(event)
                case ProtocolViolated(error):
                    log.warning("%s:%d: protocol error: %s", *self._peer, error.reason)
                case PeerFinished(reason):
                    log.debug("%s:%d: %s", *self._peer, reason)
                case _:
                    assert_never(event)

    # --- what goes wrong because somebody asked for it ------------------------------------------

    @property
    def connection(self) -> Connection | None:
        """The protocol; None while that is open."""
        return self._connection

    def take(self, running: Running, event: ContentReceived | RequestEnded) -> None:
        """Take what came of a request."""
        if isinstance(event, ContentReceived):
            running.exchange.content.feed(event.data, last=event.last)
        else:
            running.exchange.content.end(event.trailers)

    def go_on(self) -> None:
        """Do what can be done now."""
        self._go_on()
        self._transmit()

    def resume(self, running: Running) -> None:
        """Go on with a response that was held."""
        self._sender.enqueue(running)
        self.go_on()

    def release(self, epoch: Epoch) -> None:
        """Go on with all that began to stall before."""
        if self._faulting is not None:
            self._faulting.release(epoch)

    def _ignore(self, request: RequestReceived) -> None:
        reason = "a fault's GOAWAY had left its stream out"
        log.info("%s:%d: a request on stream %d is ignored: %s", *self._peer, request.exchange_id, reason)
        if self._observer is not None:
            self._observer.ignored(request, reason)

    def _misbehaving(self) -> Faulting:
        if self._faulting is None:
            from wptproto.server.faulting import Faulting  # on few connections anything goes wrong

            outlet, exchanges = self._outlet, self._exchanges
            self._faulting = Faulting(self, outlet, exchanges, self._host.stalls, self._observer)
        return self._faulting

    def _misbehave(self, running: Running, command: Misbehave) -> bool:
        """Do what a handler wants to go wrong, now or later; returns whether its response goes on now."""
        return self._misbehaving().misbehave(running, command)

    def _start(self, running: Running) -> None:
        """Have a request handled, unless something is to go wrong before."""
        exchange = running.exchange
        handler = self._host.find_handler(exchange)
        planned = getattr(handler, "plan", None)
        if planned is None and self._faulting is None:
            self._host.start_exchange(exchange, handler, running.bridge)
            return
        faults = planned(exchange.request) if planned is not None else ()
        start = functools.partial(self._host.start_exchange, exchange, handler, running.bridge)
        if faults or (self._faulting is not None and self._faulting.wants_first()):
            self._misbehaving().begin(running, faults, start)
        else:
            start()

    # --- for handlers --------------------------------------------------------------------------

    def _make_bridge(self, exchange_id: ExchangeId) -> LoopBridge:
        share, loop = self._exchanges.share, self._host.loop
        return LoopBridge(exchange_id, self._wake, self._serve_now, share, loop)

    def _serve_now(self, bridge: LoopBridge) -> None:
        self.serve(bridge)
        self._transmit()

    def _wake(self, bridge: LoopBridge) -> None:
        self._host.post(self, bridge)

    def _upgrade(self, event: UpgradeReceived) -> None:
        assert self._connection is not None
        self._outlet.send(self._connection.data_to_send())
        connection, events = upgraded(event, self._host.rules)
        self._choose(connection)
        self._take(events)

    # --- to the transport ----------------------------------------------------------------------

    def _transmit(self) -> None:
        self._active_s = time.monotonic()
        connection = self._connection
        if connection is None:
            self._outlet.send(b"")  # the handshake, if any
            return
        if self._outlet.closing:
            return
        self._sender.unwritten_octets = 0
        self._outlet.send(connection.data_to_send())
        if connection.closing is not Closing.NO:
            self._close(connection.closing)
        else:
            # A peer that does not read what it provokes (answers to PING and the like) is not read from.
            unread = self._outlet.unread_octets > MAX_UNREAD_OCTETS
            self._outlet.pause_reading(connection.reading_paused or unread)
            if connection.has_backlog and not self._has_turn:
                self._has_turn = True
                asyncio.get_running_loop().call_soon(self._receive_backlog)
        if self._faulting is not None:
            self._faulting.look_idle()

    def _close(self, closing: Closing) -> None:
        if self._outlet.closing:
            return
        self._exchanges.drop_all(ExchangeClosed("the connection closes"))
        if closing is Closing.RESET:
            self._outlet.reset()
        else:
            self._outlet.finish(peer_finished=self._eof)
