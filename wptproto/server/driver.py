"""
Driver: one connection's asyncio Protocol, and the one owner of its Connection.

Everything here runs on the loop's thread. Octets come in from the transport, go through TLS
if there is any, and become events; events start exchanges, whose handlers run elsewhere and send
commands back over their bridges; commands become octets. ``_transmit`` follows each touch,
with nothing awaited in between, so octets leave in the order they were made.

Content waits in its command until the connection's window and the transport's buffer have room,
one piece of each exchange in turn. So nothing piles up here that a client does not read.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol, assert_never, cast

from wptproto.errors import ExchangeClosed, LocalProtocolError
from wptproto.exchange.bridge import (
    Abort,
    AskRoom,
    Finish,
    Promised,
    Push,
    Question,
    SendContent,
    SendFrame,
    SendHead,
    SendInformational,
    SendTrailers,
    SendVerbatim,
)
from wptproto.exchange.exchange import Exchange, Surroundings
from wptproto.protocol.connection import Awaits, Closing, Connection
from wptproto.protocol.events import (
    ContentFailed,
    ContentReceived,
    Event,
    ExchangeId,
    ExchangeReset,
    PeerFinished,
    ProtocolViolated,
    RequestEnded,
    RequestReceived,
    UpgradeReceived,
    WindowOpened,
)
from wptproto.protocol.h2 import H2Connection
from wptproto.protocol.negotiate import choose_by_alpn, choose_by_octets
from wptproto.protocol.rules import Rules
from wptproto.server.bridge import LoopBridge
from wptproto.server.outlet import Outlet
from wptproto.server.patience import Patience
from wptproto.server.tls import TlsError, TlsLayer, TlsTerms

__all__ = ["Driver", "Host"]

log = logging.getLogger("wptproto.server")
access_log = logging.getLogger("wptproto.access")

PIECE_OCTETS = 64 * 1024
MAX_UNREAD_OCTETS = 1024 * 1024
"""What may wait for a peer to read it. Content stops long before; answers to control frames do not."""

HANDLERS_A_TURN = 100
"""How many handlers are called before the first of them can have said how much their responses are."""

BUDGET_OCTETS = 8 * 1024 * 1024
"""What the responses of one connection together may have on their way before their handlers wait."""


class Host(Protocol):
    """What a driver needs of the server it belongs to."""

    loop_thread: int
    rules: Rules

    def attach(self, driver: Driver) -> None:
        """Take note of a new connection."""

    def detach(self, driver: Driver) -> None:
        """Take note that a connection is gone."""

    def start_exchange(self, exchange: Exchange, bridge: LoopBridge) -> None:
        """Run the exchange's handler, on another thread; the bridge is the exchange's."""

    def post(self, driver: Driver, bridge: LoopBridge) -> None:
        """From any thread: have the driver serve the bridge, soon, on the loop's."""

    def surroundings(self, scheme: str, client: tuple[str, int], server: tuple[str, int]) -> Surroundings:
        """Return what an exchange of such a connection knows beyond its message."""


class _Progress(Enum):
    NOTHING_LEFT = auto()
    MORE = auto()
    STALLED = auto()  # until the peer opens its window


@dataclass(slots=True, eq=False)
class _Running:
    """An exchange in progress."""

    exchange: Exchange
    bridge: LoopBridge
    started: float
    status: int = 0  # of the head that was sent
    content_octets: int = 0  # that were sent
    sent: int = 0  # of the first command in the bridge
    queued: bool = False
    stalled: bool = False
    held_octets: int = 0  # of content that waits in the bridge, as far as the driver knows


class Driver(asyncio.Protocol):
    """Drives one connection from accept to close."""

    def __init__(self, host: Host, terms: TlsTerms | None) -> None:
        """
        Args:
            host: The server.
            terms: For TLS; None for cleartext.
        """
        self._host = host
        self._tls = TlsLayer(terms) if terms is not None else None
        self._outlet: Outlet  # from connection_made on
        self._connection: Connection | None = None
        self._opening = bytearray()
        self._patience = Patience(host.rules.limits)
        self._received = 0  # octets
        self._begun = 0  # exchanges
        self._running: dict[ExchangeId, _Running] = {}
        self._ready: deque[_Running] = deque()
        self._waiting: deque[_Running] = deque()  # whose handlers have not been called yet
        self._held_octets = 0
        self._calling = False  # more handlers in another turn
        self._untransmitted = 0
        self._can_write = True
        self._eof = False
        self._peer = ("", 0)
        self._surroundings: Surroundings | None = None

    # --- from the transport --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._outlet = Outlet(cast("asyncio.Transport", transport), self._tls)
        self._peer = _address(transport.get_extra_info("peername"))
        here = _address(transport.get_extra_info("sockname"))
        self._surroundings = self._host.surroundings("https" if self._tls else "http", self._peer, here)
        self._host.attach(self)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._outlet.closing or (self._eof and self._tls is not None):
            return  # the outlet lingers, or the peer has said that nothing follows
        if self._tls is not None:
            try:
                plaintext = self._tls.receive_data(data)
            except TlsError as error:
                self._fail_tls(error)
                return
            if self._tls.established and self._connection is None:
                self._connection = choose_by_alpn(self._tls.alpn_protocol, self._host.rules)
        else:
            plaintext = data
        if plaintext:
            self._receive(plaintext)
        self._after_receiving()

    def _after_receiving(self) -> None:
        """See to what comes after octets were taken: the rest of them, in another turn, or their end."""
        if self._connection is not None and self._connection.has_backlog:
            asyncio.get_running_loop().call_soon(self._receive_backlog)
        elif self._tls is not None and self._tls.peer_closed and not self._eof:
            self._receive_eof()
        self._transmit()

    def _receive_backlog(self) -> None:
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
        for running in list(self._running.values()):
            self._drop(running, ExchangeClosed("the client closed the connection"))
        self._ready.clear()
        self._waiting.clear()
        self._host.detach(self)

    def pause_writing(self) -> None:
        self._can_write = False

    def resume_writing(self) -> None:
        self._can_write = True
        self._go_on()
        self._transmit()

    def _receive(self, octets: bytes) -> None:
        if self._connection is None:
            self._opening += octets
            octets = bytes(self._opening)
            self._connection = choose_by_octets(octets, self._host.rules)
            if self._connection is None:
                return
            self._opening.clear()
        self._connection.tick(time.monotonic())
        self._handle(self._connection.receive_data(octets))

    def _receive_eof(self) -> None:
        self._eof = True
        if self._connection is not None:
            self._handle(self._connection.receive_eof())
        else:
            self._close(Closing.GRACEFUL)

    def _fail_tls(self, error: TlsError) -> None:
        log.warning("%s:%d: %s", *self._peer, error)
        self._outlet.send_in_the_clear(error.answer)
        self._close(Closing.GRACEFUL)

    # --- from the host -------------------------------------------------------------------------

    def serve(self, bridge: LoopBridge) -> None:
        """Carry out what a handler asked for, as far as it can be now."""
        running = self._running.get(bridge.exchange_id)
        if running is None or running.bridge is not bridge or self._connection is None:
            return
        self._weigh(running)
        consumed = bridge.take_acknowledged()
        if consumed:
            self._connection.acknowledge(bridge.exchange_id, consumed)
        if not running.stalled:
            self._enqueue(running)
        self._go_on()

    def transmit(self) -> None:
        """Write what has been queued, and see to what the connection wants next."""
        self._transmit()

    def look(self, now_s: float) -> None:
        """See whether the peer keeps the connection waiting for longer than the limits allow."""
        connection = self._connection
        if self._outlet.closing:
            return
        awaits = connection.awaits if connection is not None else Awaits.HANDSHAKE
        if self._running and awaits is not Awaits.CONTENT:
            awaits = Awaits.NOTHING
        progress = self._received if awaits is Awaits.CONTENT else self._begun
        reason = self._patience.exhausted(awaits, progress, now_s)
        if reason is None:
            return
        log.info("%s:%d: %s", *self._peer, reason)
        if connection is None:
            self._close(Closing.GRACEFUL)
        else:
            self._handle(connection.expire(reason))
            self._transmit()

    def cut_off(self) -> None:
        """Close at once; nothing that is queued is sent."""
        self._outlet.abort()

    def stop(self, reason: str) -> list[str]:
        """
        Say goodbye and close, now.

        Returns:
            The exchanges that were still in progress, for the log.
        """
        left = [
            f"{running.exchange.head.method} {running.exchange.request.request_path}"
            for running in self._running.values()
        ]
        for running in list(self._running.values()):
            self._drop(running, ExchangeClosed(reason))
        if self._connection is not None and not self._outlet.closing:
            self._connection.close(reason)
            self._outlet.send(self._connection.data_to_send())
        self._outlet.stop()
        return left

    # --- events --------------------------------------------------------------------------------

    def _handle(self, events: list[Event]) -> None:
        self._take(events)
        self._go_on()

    def _take(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case RequestReceived():
                    self._waiting.append(self._run(event))
                case ContentReceived(exchange_id, data, last):
                    if (running := self._running.get(exchange_id)) is not None:
                        running.exchange.content.feed(data, last=last)
                case RequestEnded(exchange_id, trailers):
                    if (running := self._running.get(exchange_id)) is not None:
                        running.exchange.content.end(trailers)
                case ContentFailed(exchange_id, error):
                    log.warning("%s:%d: %s", *self._peer, error.reason)
                    if (running := self._running.get(exchange_id)) is not None:
                        running.exchange.content.fail(error)
                case ExchangeReset(exchange_id, reason):
                    if (running := self._running.get(exchange_id)) is not None:
                        log.debug("%s:%d: %s", *self._peer, reason)
                        self._drop(running, ExchangeClosed(reason))
                case WindowOpened(exchange_id):
                    self._unstall(exchange_id)
                case UpgradeReceived():
                    self._upgrade(event)
                case ProtocolViolated(error):
                    log.warning("%s:%d: protocol error: %s", *self._peer, error.reason)
                case PeerFinished(reason):
                    log.debug("%s:%d: %s", *self._peer, reason)
                case _:
                    assert_never(event)

    def _call_handlers(self) -> None:
        """
        Have requests handled in the order they came, unless responses wait that are too much already.

        This is after all events, for what came together with a request's head may say that it is broken, or
        was reset. And nothing but this bounds the memory for a client that does not read, for each handler
        may return all of its response at once.
        """
        if self._calling:
            return
        for _ in range(HANDLERS_A_TURN):
            if not self._waiting or self._held_octets > self._host.rules.limits.queued_octets:
                return
            running = self._waiting.popleft()
            if not running.bridge.closed:
                self._host.start_exchange(running.exchange, running.bridge)
        self._calling = True
        asyncio.get_running_loop().call_soon(self._call_more_handlers)

    def _call_more_handlers(self) -> None:
        self._calling = False
        self._call_handlers()

    def _weigh(self, running: _Running) -> None:
        """Bring up to date how much content of one exchange waits here."""
        held = running.bridge.held_octets
        self._held_octets += held - running.held_octets
        running.held_octets = held

    def _run(self, received: RequestReceived) -> _Running:
        """Keep an exchange, from now until it is through."""
        assert self._surroundings is not None
        self._begun += 1
        bridge = LoopBridge(
            received.exchange_id, self._wake, self._serve_now, self._share, self._host.loop_thread
        )
        exchange = Exchange(received, bridge, self._surroundings)
        running = _Running(exchange, bridge, time.monotonic())
        self._running[received.exchange_id] = running
        return running

    def _serve_now(self, bridge: LoopBridge) -> None:
        self.serve(bridge)
        self._transmit()

    def _wake(self, bridge: LoopBridge) -> None:
        self._host.post(self, bridge)

    def _share(self) -> int:
        """Return how much one exchange may have on its way, now that there are so many of them."""
        return BUDGET_OCTETS // max(1, len(self._running))

    def _upgrade(self, event: UpgradeReceived) -> None:
        assert self._connection is not None
        self._outlet.send(self._connection.data_to_send())
        self._connection, events = H2Connection.from_upgrade(event, self._host.rules)
        self._handle(events)

    def _drop(self, running: _Running, error: ExchangeClosed) -> None:
        """Let the handler know that nobody waits for it any more."""
        self._running.pop(running.bridge.exchange_id, None)
        running.bridge.close()
        self._weigh(running)
        running.exchange.content.fail(error)
        self._log_access(running, str(error))

    # --- commands ------------------------------------------------------------------------------

    def _enqueue(self, running: _Running) -> None:
        if not running.queued and running.bridge.commands:
            running.queued = True
            self._ready.append(running)

    def _unstall(self, exchange_id: ExchangeId | None) -> None:
        if exchange_id is None:
            opened = list(self._running.values())
        else:
            found = self._running.get(exchange_id)
            opened = [found] if found is not None else []
        for running in opened:
            if running.stalled:
                running.stalled = False
                self._enqueue(running)

    def _go_on(self) -> None:
        """Do what can be done now, after anything has happened."""
        self._pump()
        self._call_handlers()

    def _pump(self) -> None:
        """Carry out commands, one piece of each exchange in turn, while the transport has room."""
        while self._ready and self._can_write:
            running = self._ready.popleft()
            running.queued = False
            if running.bridge.closed:
                continue
            try:
                progress = self._advance(running)
            except ExchangeClosed as error:
                self._drop(running, error)
                continue
            except LocalProtocolError as error:
                log.error(
                    "%s %s: the response was cut off: %s",
                    running.exchange.head.method,
                    running.exchange.request.request_path,
                    error.reason,
                )
                self._abort(running, error.reason)
                continue
            except Exception as error:
                log.exception("a response failed by a fault of the server, and was cut off")
                self._abort(running, f"{type(error).__name__}: {error}")
                continue
            if progress is _Progress.MORE:
                self._enqueue(running)
            elif progress is _Progress.STALLED:
                running.stalled = True
            self._weigh(running)
            if self._untransmitted >= PIECE_OCTETS:
                self._transmit()

    def _advance(self, running: _Running) -> _Progress:
        """Carry out the commands of one exchange, up to one piece of content."""
        connection = self._connection
        assert connection is not None
        commands = running.bridge.commands
        exchange_id = running.bridge.exchange_id
        while commands:
            command = commands[0]
            match command:
                case SendContent(data, end):
                    progress = self._send_content(running, data, end)
                    if progress is not None:
                        return progress
                case SendVerbatim(octets):
                    piece = octets[running.sent : running.sent + PIECE_OCTETS]
                    connection.send_verbatim(exchange_id, piece)
                    if not self._sent(running, len(piece), len(octets)):
                        return _Progress.MORE
                case SendHead(head, end):
                    connection.send_head(exchange_id, head, end=end)
                    running.status = head.status
                case SendInformational(head):
                    connection.send_informational(exchange_id, head)
                case SendTrailers(trailers):
                    connection.send_trailers(exchange_id, trailers)
                case SendFrame(frame):
                    connection.send_frame(exchange_id, frame)
                case Push() | AskRoom():
                    self._answer(connection, exchange_id, command)
                case Finish(close):
                    self._finish(running, close)
                    return _Progress.NOTHING_LEFT
                case Abort(reason):
                    self._abort(running, reason)
                    return _Progress.NOTHING_LEFT
                case _:
                    assert_never(command)
            commands.popleft()
        return _Progress.NOTHING_LEFT

    def _answer(self, connection: Connection, exchange_id: ExchangeId, question: Question) -> None:
        """Answer a question; what is wrong with it is its own asker's to handle."""
        try:
            match question:
                case Push(lines, promised_id, promise):
                    received = connection.push(exchange_id, lines, promised_id)
                    promise.set_result(Promised(received, self._run(received).bridge))
                case AskRoom(room):
                    room.set_result(connection.room(exchange_id))
                case _:
                    assert_never(question)
        except LocalProtocolError as error:
            question.answer.set_exception(error)

    def _send_content(self, running: _Running, data: bytes, end: bool) -> _Progress | None:
        """Send the next piece of *data*; None when it is all sent."""
        assert self._connection is not None
        piece = data if len(data) <= PIECE_OCTETS else memoryview(data)[running.sent :][:PIECE_OCTETS]
        if running.sent and piece is data:
            piece = data[running.sent :]
        last = running.sent + len(piece) == len(data)
        taken = self._connection.send_content(running.bridge.exchange_id, piece, end=end and last)
        running.content_octets += taken
        if self._sent(running, taken, len(data)):
            return None
        return _Progress.MORE if taken == len(piece) else _Progress.STALLED

    def _sent(self, running: _Running, taken: int, size: int) -> bool:
        """Count octets of the first command; whether it has been sent whole."""
        running.sent += taken
        self._untransmitted += taken
        running.bridge.took(taken)
        if running.sent < size:
            return False
        running.sent = 0
        return True

    def _finish(self, running: _Running, close: bool) -> None:
        assert self._connection is not None
        self._running.pop(running.bridge.exchange_id, None)
        running.bridge.close()
        events = self._connection.finish(running.bridge.exchange_id, close=close)
        self._log_access(running)
        self._take(events)

    def _abort(self, running: _Running, reason: str) -> None:
        assert self._connection is not None
        self._connection.abort(running.bridge.exchange_id)
        self._drop(running, ExchangeClosed(reason))

    # --- to the transport ----------------------------------------------------------------------

    def _transmit(self) -> None:
        connection = self._connection
        if connection is None:
            self._outlet.send(b"")  # the handshake, if any
            return
        if self._outlet.closing:
            return
        self._untransmitted = 0
        self._outlet.send(connection.data_to_send())
        if connection.closing is not Closing.NO:
            self._close(connection.closing)
        else:
            # A peer that does not read what it provokes (answers to PING and the like) is not read from.
            unread = self._outlet.unread_octets > MAX_UNREAD_OCTETS
            self._outlet.pause_reading(connection.reading_paused or unread)

    def _close(self, closing: Closing) -> None:
        if self._outlet.closing:
            return
        for running in list(self._running.values()):
            self._drop(running, ExchangeClosed("the connection closes"))
        if closing is Closing.RESET:
            self._outlet.reset()
        else:
            self._outlet.finish(peer_finished=self._eof)

    def _log_access(self, running: _Running, outcome: str = "") -> None:
        if not access_log.isEnabledFor(logging.INFO):
            return
        head = running.exchange.head
        writer = running.exchange.response.writer
        access_log.info(
            "%s %s %s %s: %s, %d octets, %.1f ms%s",
            self._peer[0],
            "HTTP/2" if head.version == "HTTP/2.0" else head.version,
            head.method,
            head.target.decode("latin-1"),
            running.status or writer.status or "-",
            running.content_octets or writer.content_octets,
            (time.monotonic() - running.started) * 1000,
            outcome and f", {outcome}",
        )


def _address(name: object) -> tuple[str, int]:
    """Return address and port of a socket's name, empty where it is gone already."""
    if isinstance(name, tuple) and len(name) >= 2:
        return str(name[0]), int(name[1])
    return "", 0
