"""Exchanges: those of one connection that are in progress, and when their handlers are called."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

from wptproto.errors import ExchangeClosed
from wptproto.exchange.exchange import Exchange, Surroundings
from wptproto.limits import Limits
from wptproto.protocol.connection import WindowState
from wptproto.protocol.events import ExchangeId, RequestReceived
from wptproto.server.bridge import LoopBridge
from wptproto.server.notice import Notice
from wptproto.server.observer import Observer
from wptproto.server.running import Running
from wptproto.server.state import Doing, ExchangeState, HandlerState

__all__ = ["Exchanges"]

HANDLERS_A_TURN = 100
"""How many handlers are called before the first of them can have said how much their responses are."""

BEHIND_S = 0.001
"""How long to wait before more of them are called, where those wait to run that were called before."""

BUDGET_OCTETS = 8 * 1024 * 1024
"""What the responses of one connection together may have on their way before their handlers wait."""


class Exchanges:
    """
    The exchanges of one connection, each from its request's head to its response's end.

    Attributes:
        running: Those in progress.
        begun: How many there have been.
        held_octets: Of content that waits in them for the connection to take it.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        make_bridge: Callable[[ExchangeId], LoopBridge],
        start: Callable[[Running], None],
        is_behind: Callable[[], bool],
        limits: Limits,
        observer: Observer | None = None,
    ) -> None:
        """
        Args:
            surroundings: What each of them knows beyond its message.
            make_bridge: Makes the way of its handler's commands.
            start: Has its handler called.
            is_behind: Whether handlers that were called wait to run, and will soon.
            limits: How many octets may wait before no more handlers are called.
            observer: Is told of them, if anybody is.
        """
        self._observer = observer
        self._surroundings = surroundings
        self._make_bridge = make_bridge
        self._start = start
        self._is_behind = is_behind
        self._limits = limits
        self._notice = Notice()
        self._waiting: deque[Running] = deque()  # whose handlers have not been called yet
        self._calling = False  # more handlers in another turn
        self.running: dict[ExchangeId, Running] = {}
        self.begun = 0
        self.held_octets = 0

    # --- from its head to its end --------------------------------------------------------------

    def begin(self, received: RequestReceived) -> Running:
        """Keep an exchange, from now until it is through."""
        self.begun += 1
        bridge = self._make_bridge(received.exchange_id)
        exchange = Exchange(received, bridge, self._surroundings)
        running = Running(exchange, bridge, self._surroundings.client_address[0])
        self.running[received.exchange_id] = running
        if self._observer is not None:
            exchange.observer = self._observer
            self._observer.exchange_begun(received.exchange_id, exchange)
        return running

    def finish(self, running: Running) -> None:
        """Forget an exchange whose response is out."""
        self._forget(running, "")
        running.log()

    def drop(self, running: Running, error: ExchangeClosed) -> None:
        """Forget an exchange, and let its handler know that nobody waits for it any more."""
        self._forget(running, str(error))
        running.exchange.content.fail(error)
        if running.plan is not None:
            running.plan.dropped()
        running.log(str(error))

    def drop_all(self, error: ExchangeClosed) -> None:
        """Forget them all."""
        for running in list(self.running.values()):
            self.drop(running, error)
        self._waiting.clear()

    def _forget(self, running: Running, outcome: str) -> None:
        if self._observer is not None:
            self._observer.exchange_ended(running.bridge.exchange_id, outcome)
        self.running.pop(running.bridge.exchange_id, None)
        running.bridge.close()
        self.weigh(running)

    def states(
        self,
        now_s: float,
        handlers: Mapping[Exchange, HandlerState],
        windows_of: Callable[[ExchangeId], WindowState | None],
        *,
        can_write: bool,
    ) -> tuple[ExchangeState, ...]:
        """
        Return how far each is.

        Args:
            now_s: The time, as ``time.monotonic`` has it.
            handlers: Those that are at work.
            windows_of: Returns those of an exchange.
            can_write: Whether octets can be written.
        """
        put_off = set(self._waiting)
        found = []
        for running in self.running.values():
            handler = handlers.get(running.exchange)
            if running.bridge.commands:
                sending = Doing.SENDING if can_write else Doing.UNREAD
                doing = Doing.WINDOW if running.stalled else sending
            elif running in put_off:
                doing = Doing.PUT_OFF
            else:
                doing = Doing.BEGINNING if handler is None else Doing.HANDLED
            found.append(running.state(now_s, doing, handler, windows_of(running.bridge.exchange_id)))
        return tuple(found)

    # --- how much they hold --------------------------------------------------------------------

    def weigh(self, running: Running) -> None:
        """Bring up to date how much content of one exchange waits here."""
        held = running.bridge.held_octets
        self.held_octets += held - running.held_octets
        running.held_octets = held

    def share(self) -> int:
        """Return how many octets one exchange may have on its way, now that there are so many of them."""
        return BUDGET_OCTETS // max(1, len(self.running))

    # --- their handlers ------------------------------------------------------------------------

    def await_handler(self, running: Running) -> None:
        """Have an exchange handled when its turn comes."""
        self._waiting.append(running)

    def call_handlers(self) -> None:
        """
        Have requests handled in the order they came, unless responses wait that are too much already.

        This is after all events, for what came together with a request's head may say that it is broken, or
        was reset. And nothing but this bounds the memory for a client that does not read, for each handler
        may return all of its response at once.
        """
        if self._calling:
            return
        for _ in range(HANDLERS_A_TURN):
            if not self._waiting:
                return
            if self.held_octets > self._limits.queued_octets:
                who, past = self._surroundings.client_address[0], self._limits.past("queued_octets")
                self._notice.say(f"{who}: {past}; {len(self._waiting)} requests wait")
                return
            running = self._waiting.popleft()
            if not running.bridge.closed:
                self._start(running)
        self._calling = True
        asyncio.get_running_loop().call_soon(self._call_more_handlers)

    def _call_more_handlers(self) -> None:
        if self._is_behind():  # what those say that were called is not known yet
            asyncio.get_running_loop().call_later(BEHIND_S, self._call_more_handlers)
            return
        self._calling = False
        self.call_handlers()
