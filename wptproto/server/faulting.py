"""
Faulting: what goes wrong on one connection, because somebody asked for it.

A fault waits in the plan of its exchange, or of the connection, until its moment has come. Those of one
moment happen in the order in which they were asked for; behind one that stalls, the rest of them wait, and
so does what the moment held up. What is exact: nothing of a response goes out behind its fault's octet, and
all before it has been given to the system. What is not: how much of a request had been read when its octet
came, for that comes in pieces as the system has them.

Only a connection on which something is to go wrong has one of these.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, assert_never

from wptproto.errors import ExchangeClosed
from wptproto.exchange.bridge import (
    Command,
    Finish,
    Misbehave,
    SendContent,
    SendFrame,
    SendHead,
    SendTrailers,
    SendVerbatim,
)
from wptproto.faults import (
    Close,
    Cut,
    DoNotRead,
    Fault,
    Garbage,
    GoAway,
    HalfClose,
    Moment,
    NoCloseNotify,
    Reset,
    ResetStream,
    Slow,
    Stall,
    Truncate,
)
from wptproto.protocol.connection import Connection
from wptproto.protocol.events import ContentReceived, ExchangeId, RequestEnded
from wptproto.server.exchanges import Exchanges
from wptproto.server.observer import Observer
from wptproto.server.outlet import Outlet
from wptproto.server.running import Running
from wptproto.server.stalls import Epoch, Stalls

__all__ = ["FaultPlan", "Faulting"]

log = logging.getLogger("wptproto.server")

TICK_S = 0.02
"""How often a slow response sends."""

Received = ContentReceived | RequestEnded
GoOn = Callable[[], None]


class Owner(Protocol):
    """What the faults of a connection need of its owner."""

    @property
    def connection(self) -> Connection | None:
        """The protocol; None while that is open."""

    def transmit(self) -> None:
        """Write what has been queued."""

    def go_on(self) -> None:
        """Do what can be done now."""

    def take(self, running: Running, event: Received) -> None:
        """Take what came of a request."""

    def resume(self, running: Running) -> None:
        """Go on with a response that was held."""


class Faulting:
    """
    The faults of one connection.

    Attributes:
        owner: Of the connection.
        last_id: Of the streams that are served, after a GOAWAY; None before.
    """

    def __init__(
        self, owner: Owner, outlet: Outlet, exchanges: Exchanges, stalls: Stalls, observer: Observer | None
    ) -> None:
        self.owner = owner
        self._outlet = outlet
        self._exchanges = exchanges
        self._stalls = stalls
        self._observer = observer
        self._own: list[Fault] = []  # whose moment has not come
        self._idle: deque[tuple[Running, list[Fault]]] = deque()
        self._stalling: list[_Stalled] = []
        self._begun = False
        self.last_id: ExchangeId | None = None

    # --- of the connection ---------------------------------------------------------------------

    def expect(self, faults: Iterable[Fault]) -> None:
        """Take on faults: of the connection, and, if they need an exchange, of its first."""
        self._own += faults

    def accepted(self, go_on: GoOn) -> bool:
        """Let happen what is to when a connection was accepted; returns as :meth:`happen`."""
        return self._own_moment(Moment.ACCEPTED, go_on)

    def hello(self, go_on: GoOn) -> bool:
        """Let happen what is to when the first octets of TLS have come; returns as :meth:`happen`."""
        return self._own_moment(Moment.TLS_HELLO, go_on)

    def _own_moment(self, moment: Moment, go_on: GoOn) -> bool:
        due = [fault for fault in self._own if fault.at is moment]
        if not due:
            return True
        self._own = [fault for fault in self._own if fault.at is not moment]
        return self.happen(due, None, go_on)

    def look_idle(self) -> None:
        """See whether nothing is going on, and something is to happen then."""
        if self._idle and not self._exchanges.running and not self._outlet.closing:
            running, due = self._idle.popleft()
            asyncio.get_running_loop().call_soon(self._happen_idle, running, due)

    def _happen_idle(self, running: Running, due: list[Fault]) -> None:
        if self._exchanges.running:
            self._idle.appendleft((running, due))  # the client was quicker
        elif self.happen(due, running, self.owner.transmit):
            self.owner.transmit()

    def ignores(self, exchange_id: ExchangeId) -> bool:
        """Whether a request is on a stream that GOAWAY has said nobody looks at (RFC 9113 §6.8)."""
        # It speaks of the client's streams; those that were promised, which are even, go on.
        return self.last_id is not None and exchange_id > self.last_id and exchange_id % 2 == 1

    def _last_of_the_client(self, exchange_id: ExchangeId) -> ExchangeId:
        """Return the stream of an exchange; of a promised one, the client's last that is in progress."""
        if exchange_id % 2:
            return exchange_id
        return max((other for other in self._exchanges.running if other % 2), default=ExchangeId(0))

    def release(self, epoch: Epoch | None = None) -> None:
        """End the stalls that began before an epoch; None is all."""
        for stalled in list(self._stalling):
            if epoch is None or stalled.epoch < epoch:
                self._end(stalled)

    # --- of an exchange ------------------------------------------------------------------------

    def plan(self, running: Running, faults: Iterable[Fault]) -> FaultPlan:
        """Have faults happen to an exchange; the first of a connection has those that wait for one, too."""
        plan = running.plan
        if not isinstance(plan, FaultPlan):
            own, self._own = (self._own, []) if not self._begun else ([], self._own)
            plan = running.plan = FaultPlan(self, running, own)
            self._begun = True
        plan.add(faults)
        return plan

    def begin(self, running: Running, faults: Iterable[Fault], start: GoOn) -> None:
        """Begin with an exchange to which faults are to happen: have its handler called when that may be."""
        plan = self.plan(running, faults)

        def call() -> None:
            plan.go_on_with_request()  # of which some came with its head, or since
            if not running.bridge.closed:
                start()

        if plan.head_received(call):
            call()

    def misbehave(self, running: Running, command: Misbehave) -> bool:
        """Do what a handler wants to go wrong, now or later; returns whether its response goes on now."""
        plan = self.plan(running, () if command.is_now else (command.fault,))
        return plan.happen_now(command.fault) if command.is_now else True

    def wants_first(self) -> bool:
        """Whether something is to happen to the exchange that comes first."""
        return bool(self._own) and not self._begun

    def ended(self, running: Running, faults: list[Fault]) -> None:
        """Let happen what is to when a response is whole; what is to happen later, waits."""
        idle = [fault for fault in faults if fault.at is Moment.IDLE]
        if idle:
            self._idle.append((running, idle))
        self.happen([fault for fault in faults if fault.at is Moment.END], running, self.owner.go_on)

    # --- what happens --------------------------------------------------------------------------

    def happen(self, due: Iterable[Fault], running: Running | None, go_on: GoOn) -> bool:
        """
        Let faults happen, one after the other.

        Args:
            due: Whose moment is now.
            running: The exchange that they are of, if any.
            go_on: What to do behind a stall, if then there still is something to go on with.

        Returns:
            Whether to go on now: nothing stalls, and neither the exchange nor the connection has ended.
        """
        left = deque(due)
        while left:
            fault = left.popleft()
            exchange_id = running.bridge.exchange_id if running is not None else None
            log.info("%s: %s", running if running is not None else "a connection", fault)
            if self._observer is not None:
                self._observer.misbehaved(exchange_id, fault)
            if isinstance(fault.effect, Stall):
                self._stall(fault, fault.effect, running, partial(self._happen_later, left, running, go_on))
                return False
            self._carry_out(fault, running)
            if self._is_over(fault, running):
                return False
        return True

    def _happen_later(self, left: deque[Fault], running: Running | None, go_on: GoOn) -> None:
        if self.happen(left, running, go_on):
            go_on()
        self.owner.transmit()

    def _is_over(self, fault: Fault, running: Running | None) -> bool:
        ended = fault.at in (Moment.END, Moment.IDLE)  # and so is its exchange
        return self._outlet.closing or (running is not None and running.bridge.closed and not ended)

    def _stall(self, fault: Fault, stall: Stall, running: Running | None, resume: GoOn) -> None:
        held = None if fault.at in (Moment.END, Moment.IDLE) else running
        if held is not None:
            held.held += 1
        else:
            self.owner.transmit()
            self._outlet.hold(True)
        stalled = _Stalled(held, resume, self._stalls.begin())  # at last: who waits for that goes on now
        self._stalling.append(stalled)
        if stall.seconds is not None:
            stalled.timer = asyncio.get_running_loop().call_later(stall.seconds, self._end, stalled)

    def _end(self, stalled: _Stalled) -> None:
        """End a stall, and go on with what it held up, if there still is anybody who waits for it."""
        if stalled not in self._stalling:
            return  # what went on behind another has ended this one
        self._stalling.remove(stalled)
        if stalled.timer is not None:
            stalled.timer.cancel()
        self._stalls.end(stalled.epoch)
        if stalled.running is None:
            self._outlet.hold(False)
        else:
            stalled.running.held -= 1
            if stalled.running.bridge.closed:
                return
        if not self._outlet.closing:
            stalled.resume()

    def dropped(self, running: Running) -> None:
        """Take note that an exchange is over before its end; nothing of it stalls any more."""
        for stalled in [one for one in self._stalling if one.running is running]:
            self._end(stalled)

    def closed(self) -> None:
        """Take note that the connection is gone; nothing stalls there any more."""
        self.release()

    def _carry_out(self, fault: Fault, running: Running | None) -> None:
        outlet, effect = self._outlet, fault.effect
        if outlet.closing:
            return
        self.owner.transmit()
        if outlet.closing:
            return
        match effect:
            case Close():
                self._exchanges.drop_all(ExchangeClosed("a fault closed the connection"))
                outlet.finish(peer_finished=False)
            case HalfClose():
                outlet.half_close()
            case Reset():
                self._exchanges.drop_all(ExchangeClosed("a fault reset the connection"))
                outlet.reset_when_taken()
            case Garbage(octets):
                assert isinstance(octets, bytes)
                if self.owner.connection is not None:
                    outlet.send(octets)
                else:
                    outlet.send_raw(octets)
            case DoNotRead():
                outlet.hold_reading()
            case NoCloseNotify():
                outlet.says_close_notify = False
            case Cut(sizes, records, gap_s):
                outlet.shape(sizes=tuple(sizes), records=tuple(records), gap_s=gap_s)
            case Slow(octets_per_s):
                self._slow_down(fault, octets_per_s, running)
            case Truncate() | ResetStream() | GoAway():
                assert running is not None
                self._end_stream(effect, running)
            case Stall():
                pass  # is seen to before
            case _:
                raise AssertionError(f"there is no effect {effect!r}")

    def _slow_down(self, fault: Fault, octets_per_s: float, running: Running | None) -> None:
        if fault.at is Moment.RESPONSE_CONTENT and running is not None:
            self.plan(running, ()).octets_per_s = octets_per_s
        elif fault.at in (Moment.REQUEST_HEAD, Moment.REQUEST_CONTENT):
            self._outlet.read_octets_per_s = octets_per_s
        else:
            self._outlet.shape(octets_per_s=octets_per_s)

    def _end_stream(self, effect: Truncate | ResetStream | GoAway, running: Running) -> None:
        connection, exchange_id = self.owner.connection, running.bridge.exchange_id
        assert connection is not None
        match effect:
            case Truncate():
                connection.truncate(exchange_id)
                self._exchanges.drop(running, ExchangeClosed("a fault truncated the response"))
            case ResetStream(code):
                assert isinstance(code, int)
                connection.reset(exchange_id, code)
                if not running.bridge.closed:
                    self._exchanges.drop(running, ExchangeClosed("a fault reset the stream"))
            case GoAway(code, last, debug):
                assert isinstance(code, int)
                assert isinstance(debug, bytes)
                self.last_id = self._last_of_the_client(exchange_id) if last is None else ExchangeId(last)
                connection.go_away(self.last_id, code, debug)
                for other in list(self._exchanges.running.values()):
                    if self.ignores(other.bridge.exchange_id):
                        self._exchanges.drop(other, ExchangeClosed("a fault's GOAWAY left the stream out"))
            case _:
                assert_never(effect)
        self.owner.transmit()


@dataclass(slots=True, eq=False)
class _Stalled:
    """
    What a stall holds up.

    Attributes:
        running: The exchange; None is the connection.
        resume: How it goes on.
        epoch: When it began.
        timer: When it ends by itself.
    """

    running: Running | None
    resume: GoOn
    epoch: Epoch
    timer: asyncio.TimerHandle | None = None


class FaultPlan:
    """
    What is to go wrong with one exchange, and has not yet.

    Attributes:
        octets_per_s: How fast its content is sent; None is as fast as it goes.
    """

    def __init__(self, faulting: Faulting, running: Running, faults: Iterable[Fault]) -> None:
        self._faulting = faulting
        self._running = running
        self._faults = list(faults)
        self._held: deque[Received] = deque()  # of the request, while a stall holds it
        self._stalls_request = False
        self._head_begun = bool(running.status or running.sent_octets)
        self.octets_per_s: float | None = None

    def add(self, faults: Iterable[Fault]) -> None:
        """Have more go wrong."""
        self._faults += faults

    # --- its request ---------------------------------------------------------------------------

    def head_received(self, call: GoOn) -> bool:
        """Let happen what is to before the handler is called; returns whether to call it now."""
        due = self._due(lambda fault: fault.at is Moment.REQUEST_HEAD)
        goes_on = self._faulting.happen(due, self._running, call)
        self._stalls_request = not goes_on and not self._running.bridge.closed
        return goes_on

    def received(self, event: Received) -> bool:
        """Take what came of the request; returns whether it is to be taken now, and not later."""
        if self._stalls_request:
            self._held.append(event)
            return False
        if isinstance(event, ContentReceived):
            self.look_at_request()
        return not self._running.bridge.closed

    def look_at_request(self) -> None:
        """Let happen what is to at the octets of the request that have come."""
        count = self._running.received_octets
        if not count:
            return
        due = self._due(lambda fault: fault.at is Moment.REQUEST_CONTENT and fault.octet <= count)
        if due and not self._faulting.happen(due, self._running, self._take_held):
            self._stalls_request = not self._running.bridge.closed

    def go_on_with_request(self) -> None:
        """Take what came of the request while a stall held it, and let happen what is to at its octets."""
        self._stalls_request = False
        while self._held and not self._running.bridge.closed:
            self._faulting.owner.take(self._running, self._held.popleft())
        self.look_at_request()

    def _take_held(self) -> None:
        self.go_on_with_request()
        self._let_go()

    # --- its response --------------------------------------------------------------------------

    def allows(self, command: Command) -> bool:
        """Let happen what is to before a command is carried out; returns whether to do that now."""
        running = self._running
        if running.held:
            return False
        if isinstance(command, SendHead | SendVerbatim | SendFrame):
            if not self._head_begun:
                if not self._happen(lambda fault: fault.at is Moment.RESPONSE_HEAD):
                    return False
                self._head_begun = True
            if not isinstance(command, SendVerbatim) or command.content is None:
                return True
        if not isinstance(command, SendContent | SendVerbatim | SendTrailers | Finish):
            return True
        count = running.content_octets
        return self._happen(lambda fault: fault.at is Moment.RESPONSE_CONTENT and fault.octet <= count)

    def room(self) -> int | None:
        """Return how many octets of content may be sent before something happens; None is any number."""
        count = self._running.content_octets
        ahead = [fault.octet - count for fault in self._faults if fault.at is Moment.RESPONSE_CONTENT]
        if self.octets_per_s is not None:
            ahead.append(int(self.octets_per_s * TICK_S) or 1)
        return min((octets for octets in ahead if octets > 0), default=None)

    def sent(self, octets: int) -> None:
        """Take note that content was sent; if it is to be slow, the rest waits."""
        if self.octets_per_s is not None and octets:
            running = self._running
            running.held += 1
            asyncio.get_running_loop().call_later(octets / self.octets_per_s, self._rested)

    def ended(self) -> None:
        """Take note that the response is whole; a test should know of what never came about."""
        last = (Moment.END, Moment.IDLE)
        for fault in self._faults:
            if fault.at not in last:
                size = f"the response had {self._running.content_octets} octets of content"
                log.warning("%s: this fault did not happen: %s (%s)", self._running, fault, size)
        self._faulting.ended(self._running, [fault for fault in self._faults if fault.at in last])
        self._faults = []

    def dropped(self) -> None:
        """Take note that the exchange is over before its end."""
        self._faulting.dropped(self._running)

    def happen_now(self, fault: Fault) -> bool:
        """Let a fault happen, whatever moment it names; returns whether to go on now."""
        return self._faulting.happen([fault], self._running, self._let_go)

    def _happen(self, is_due: Callable[[Fault], bool]) -> bool:
        return self._faulting.happen(self._due(is_due), self._running, self._let_go)

    def _rested(self) -> None:
        self._running.held -= 1
        self._let_go()

    def _let_go(self) -> None:
        """Let the response go on, if nothing else holds it up."""
        if not self._running.bridge.closed:
            self._faulting.owner.resume(self._running)

    def _due(self, is_due: Callable[[Fault], bool]) -> list[Fault]:
        """Return the faults whose moment has come; they are not to come any more."""
        due = [fault for fault in self._faults if is_due(fault)]
        if due:
            self._faults = [fault for fault in self._faults if fault not in due]
        return due
