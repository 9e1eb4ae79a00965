"""Engine: one run of a server."""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
import os
import socket
import threading
from asyncio import _get_running_loop
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from wptproto.errors import ConfigError
from wptproto.exchange.exchange import Exchange, Surroundings
from wptproto.exchange.signal import waiting
from wptproto.handlers.dispatcher import Dispatcher
from wptproto.handlers.router import Handler
from wptproto.protocol.rules import Rules
from wptproto.server.addresses import client_of, here_of
from wptproto.server.bridge import LoopBridge
from wptproto.server.by_hand import ByHand, Handover
from wptproto.server.calls import Calls
from wptproto.server.crowd import Crowd
from wptproto.server.driver import Driver
from wptproto.server.latency import Latency
from wptproto.server.listener import BACKLOG, listen, shares
from wptproto.server.misdeeds import Misdeeds
from wptproto.server.observer import Accepted, Observer, Observers
from wptproto.server.patience import look_interval_s
from wptproto.server.relay import Relay
from wptproto.server.stacks import thread_place
from wptproto.server.stalls import Epoch, Stalls
from wptproto.server.state import ServerState
from wptproto.server.survey import Survey
from wptproto.server.tls_terms import TlsTerms
from wptproto.server.workers import Mailbox

if TYPE_CHECKING:
    from wptproto.faults import Fault

__all__ = ["Engine"]

log = logging.getLogger("wptproto.server")

Surround = Callable[[str, tuple[str, int], tuple[str, int]], Surroundings]

_Share = list[tuple[socket.socket, TlsTerms | None]]

STOP_S = 1.0
"""How long a stop waits for the loop, which one async handler can block, to get on with it."""

MOST_NAMED = 10
"""How many exchanges that a stop cuts off are named in the log."""

TASK_S = 0.2
"""How long tasks of async handlers may take to clean up, when the server stops."""


class Engine:
    """
    The loop of a server, its thread, its connections and its workers, from listening to the stop.

    It runs once.

    Attributes:
        by_hand: Takes connections that handlers shall not answer; None where nobody has asked for one.
        answered: How many connections handlers answer, or may, by port.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        surroundings: Surround,
        latency: Latency | None,
        rules: Rules,
        observers: Observers,
        misdeeds: Misdeeds,
    ) -> None:
        """
        Args:
            dispatcher: Runs the handlers.
            latency: How long they are put off.
            surroundings: Tells what an exchange of a connection knows beyond its message.
            rules: What its connections go by.
            observers: Who is told what happens on them.
            misdeeds: What is to go wrong with them.
        """
        self._observers = observers
        self._misdeeds = misdeeds
        self.stalls = Stalls()
        self._numbers = itertools.count(1)  # of connections
        self.rules = rules
        self.surroundings = surroundings
        loop = asyncio.SelectorEventLoop()
        self.loop: asyncio.AbstractEventLoop = loop
        self._listening: list[_Share] = []  # one for each process that is to serve
        self._before_fork: Engine | None = None
        self.by_hand: ByHand | None = None
        self.answered: dict[int, int] = {}
        self._drivers = Crowd(rules.limits.connections)
        self.loop.set_exception_handler(self._drivers.take_exception)
        self._look_interval_s = look_interval_s(rules.limits)
        self._looking: asyncio.TimerHandle | None = None
        self._relay = Relay(loop, "wptproto-loop", self._drain)
        # While handlers are many, what they say is delivered when a pool looks, once for all of them.
        self._calls = Calls(self.loop, self._relay, dispatcher, latency, rules.limits.threads, self._drain)
        self._mailbox: Mailbox[tuple[Driver, LoopBridge]] = Mailbox(
            self.loop, self._deliver, lambda: self._calls.are_many
        )
        self._survey = Survey(
            self.loop, lambda: self._relay.thread, self._drivers, self._calls.roster, self._calls.pools
        )
        self._gone = asyncio.Event()  # every connection is, after the stop
        self._opening: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._stop_steps = 0  # more with each connection that was told to stop, or is gone
        self._servers: list[asyncio.Server] = []
        self._ready: Future[None] = Future()
        self._process = os.getpid()
        self._life = threading.Lock()
        self._stopped = False

    # --- on the caller's thread ----------------------------------------------------------------

    def listen(self, hosts: tuple[str, ...], port: int, terms: TlsTerms | None, processes: int) -> int:
        """Begin to listen, for so many processes; connections wait until the loop runs. Returns the port."""
        sockets = listen(hosts, port)
        found: int = sockets[0].getsockname()[1]
        self._listening = self._listening or [[] for _ in range(processes)]
        self._listening[0] += [(sock, terms) for sock in sockets]
        for share, others in zip(self._listening[1:], shares(sockets, processes)[1:], strict=True):
            share += [(sock, terms) for sock in others]
        return found

    def inherit(self, parents: Engine, number: int) -> None:
        """In a forked child, take over one share of what the parent listens on; the parent keeps it, too."""
        self._before_fork = parents  # kept, for closing its loop would take from the parent's, too
        self._listening = [parents._listening.pop(number)]
        parents._close_sockets()

    @property
    def started(self) -> bool:
        return self._relay.is_started

    def start(self) -> None:
        """
        Serve; return when connections are accepted.

        Raises:
            ConfigError: It was stopped before.
        """
        with self._life:
            if self._stopped:
                raise ConfigError("the server was stopped while it started")
            self.loop.call_soon(self._open_soon)
            self._relay.start()
        self._ready.result()

    def state(self) -> ServerState:
        """Return what it does at this moment, without ports and stash; in a second at the latest."""
        return self._survey.take()

    def release(self) -> None:
        """Have all that stalls go on; what begins to stall from here on stays."""
        epoch = self.stalls.release()
        with suppress(RuntimeError):  # it has stopped
            self.loop.call_soon_threadsafe(self._release, epoch)

    def stop(self) -> None:
        """Give back what it holds, started or not, once or again."""
        if self.by_hand is not None:
            self.by_hand.stop()
        if self._process != os.getpid():
            # A fork: the loop's selector is the system's, and shared with the parent, who goes on with it.
            self._close_sockets()
            return
        with self._life:
            self._stopped = True
            if not self.started:
                self._close_sockets()
                self.loop.close()
                return
        self.stalls.stop()
        with suppress(RuntimeError):  # it has stopped
            self.loop.call_soon_threadsafe(self._stop)
        if _get_running_loop() is self.loop:
            return  # in an async handler
        waiting.is_next()
        has_ended, seen = False, -1
        while not has_ended and seen != self._stop_steps:
            seen = self._stop_steps  # thousands of connections take their time
            has_ended = self._relay.join(STOP_S)
        if not has_ended:
            what = "a handler" if self._relay.is_in_job() else "an async handler"
            place = thread_place(self._relay.thread)
            log.warning("%s blocks the loop, which ends when that lets go: %s", what, place)
            self._shut_sockets()

    def _shut_sockets(self) -> None:
        """Have ports free and clients gone, though the loop, to which they belong, does not see to it."""
        if self._before_fork is None:  # else they are the parent's, too
            for sock, _ in self._doors():
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for driver in tuple(self._drivers):
            driver.shut()

    def _close_sockets(self) -> None:
        for sock, _ in self._doors():
            sock.close()

    def _doors(self) -> Iterator[tuple[socket.socket, TlsTerms | None]]:
        return itertools.chain.from_iterable(self._listening)

    # --- on the loop's thread ------------------------------------------------------------------

    def _open_soon(self) -> None:
        self._opening = self.loop.create_task(self._open())

    async def _open(self) -> None:
        try:
            for sock, terms in self._doors():
                accept = functools.partial(self._accept, terms, sock.getsockname()[1])
                self._servers.append(await self.loop.create_server(accept, sock=sock, backlog=BACKLOG))
        except Exception as error:  # noqa: BLE001 -- whoever starts the server is told
            self._ready.set_exception(error)
        else:
            self._ready.set_result(None)

    def _accept(self, terms: TlsTerms | None, port: int) -> asyncio.Protocol:
        """Return who has a new connection."""
        if self.by_hand is None:
            return self._answer(terms, port)
        return Handover(self.by_hand, functools.partial(self._answer, terms, port))

    def _answer(self, terms: TlsTerms | None, port: int) -> Driver:
        """Return who has a new connection that handlers answer."""
        self.answered[port] = self.answered.get(port, 0) + 1
        return Driver(self, terms)

    def _stop(self) -> None:
        if self._stopping is None:
            self._stopping = self.loop.create_task(self._wind_up())

    def _stop_accepting(self) -> None:
        # An asyncio.Server that is closed forgets the connections it has accepted and not opened
        # yet, sockets and all; so it only hears of no more of them now, and is closed afterwards.
        for sock, _ in self._doors():
            self.loop.remove_reader(sock)

    async def _wind_up(self) -> None:
        """Close everything, let tasks and transports have their last word, then end the loop."""
        if self._opening is not None:
            await self._opening  # for whoever stops a server that is only just starting
        self._stop_accepting()
        cut_off: list[str] = []
        for driver in list(self._drivers):
            self._stop_steps += 1
            with _Guarded(driver):
                cut_off += driver.stop("the server stops")
        if cut_off:
            more = f"; and {len(cut_off) - MOST_NAMED} more" if len(cut_off) > MOST_NAMED else ""
            log.info("stopped, and cut off %s%s", "; ".join(cut_off[:MOST_NAMED]), more)
        self._calls.stop()
        await self._settle()  # connections that were accepted in the last moment become ours, and end
        for server in self._servers:
            server.close()
        self._close_sockets()
        await self._end_tasks()
        while self._drivers:
            self._gone.clear()
            await self._gone.wait()
        await self._settle()
        self.loop.stop()

    async def _end_tasks(self) -> None:
        """End what async handlers left running; say so where it does not want to."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=TASK_S)
        for task in left:
            log.warning("stopped, though a task of an async handler goes on when cancelled: %r", task)
        try:
            async with asyncio.timeout(TASK_S):
                await self.loop.shutdown_asyncgens()
        except TimeoutError:
            log.warning("stopped, though a generator of an async handler does not end when closed")

    async def _settle(self) -> None:
        """Let callbacks run, and those they ask for, a few deep: asyncio opens and closes in such steps."""
        for _ in range(5):
            await asyncio.sleep(0)

    def _release(self, epoch: Epoch) -> None:
        for driver in list(self._drivers):
            with _Guarded(driver):
                driver.release(epoch)

    def _drain(self) -> None:
        self._mailbox.drain()

    def _deliver(self, messages: list[tuple[Driver, LoopBridge]]) -> None:
        touched: dict[Driver, None] = {}
        for driver, bridge in messages:
            touched[driver] = None
            with _Guarded(driver):
                driver.serve(bridge)
        for driver in touched:
            with _Guarded(driver):
                driver.transmit()

    def _look_soon(self) -> None:
        if self._looking is None:
            self._looking = self.loop.call_later(self._look_interval_s, self._look)

    def _look(self) -> None:
        """See which connections are kept waiting; again and again, as long as there are any."""
        self._looking = None
        now_s = self.loop.time()
        for driver in list(self._drivers):
            with _Guarded(driver):
                driver.look(now_s, crowded=self._calls.are_too_many)
        if self._drivers:
            self._look_soon()

    # --- for drivers ---------------------------------------------------------------------------

    def attach(self, driver: Driver) -> None:
        if not self._drivers:
            self._look_soon()
        self._drivers.let_in(driver)
        if self._stopping is not None:
            driver.stop("the server stops")

    def detach(self, driver: Driver) -> None:
        self._drivers.discard(driver)
        if self._stopping is not None:
            self._stop_steps += 1
            if not self._drivers:
                self._gone.set()

    def post(self, driver: Driver, bridge: LoopBridge) -> None:
        self._mailbox.post((driver, bridge))

    def observe(self, client: tuple[str, int], here: tuple[str, int], *, is_tls: bool) -> Observer | None:
        return self._observers.of(Accepted(next(self._numbers), client, here, is_tls))

    def observe_by_hand(self, sock: socket.socket, *, is_tls: bool) -> Observer | None:
        """Return who observes a connection that a test drives, if anybody does; from any thread."""
        client, here = client_of(sock), here_of(sock)
        return self._observers.of(Accepted(next(self._numbers), client, here, is_tls, by_hand=True))

    def take_faults(self, *, is_tls: bool) -> list[Fault]:
        return self._misdeeds.take(is_tls=is_tls)

    def find_handler(self, exchange: Exchange) -> Handler | None:
        return self._calls.find(exchange)

    def start_exchange(self, exchange: Exchange, handler: Handler | None, bridge: LoopBridge) -> None:
        self._calls.start(exchange, handler, bridge)

    def is_behind(self) -> bool:
        return self._calls.are_behind


class _Guarded:
    """Keeps a fault of ours to the one connection that met it."""

    __slots__ = ("_driver",)

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        log.error("a connection failed by a fault of the server, and was cut off", exc_info=error)
        self._driver.cut_off()
        return True
