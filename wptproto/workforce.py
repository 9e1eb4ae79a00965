"""
Workforce: several processes serve the ports of one server, and their parent sees to them.

The parent has the ports and the certificates, keeps the stash, and never serves. It forks the workers, each
of which is the server with a share of its ports; so they begin in milliseconds, from the same state, and the
successor of one that dies does, too. A fork is safe as long as there is one thread, so the parent has no
other: coroutines on its main thread do all it does.

What they have of each other:
- the listening sockets, which the parent keeps open: a connection not yet accepted waits for a successor;
- a socket from each worker to the stash, and one by which it says that it has begun, or answered a signal;
- a pipe that only the parent could write to: its end is the parent's, and then the workers end, too.

Signals are for the parent, which passes them on. A Ctrl-C in a terminal goes to all of them, so workers take
no notice of it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import selectors
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn

from wptproto.errors import ConfigError
from wptproto.handlers.stash import Stash
from wptproto.server.server import Server
from wptproto.server.shared_stash import SharedStore, StashKeeper
from wptproto.signals import (
    DUMP_SIGNAL,
    STACKS_SIGNAL,
    Output,
    dumping,
    heard,
    until_stopped,
    wanted_stop_signals,
)

__all__ = ["Workforce"]

log = logging.getLogger("wptproto.workforce")

STOP_S = 3.0
"""How long workers may take to stop; a blocked loop takes one second, and so do some thousand connections."""

ANSWER_S = 5.0
"""How long a worker may take to answer a signal, before the next is asked; a blocked loop takes a second."""

PAUSES_S = (0.05, 5.0)
"""The first pause before a successor, and the longest: while they keep dying, each is twice the last."""

STEADY_S = 10.0
"""Who has lived so long has not died of how it began."""


@dataclass(eq=False)
class Worker:
    """
    A worker, as its parent sees it.

    Attributes:
        number: From 1 on; that of the one whose successor it is.
        pid: Its process.
        stash: The parent's end of its way to the stash.
        said: From which comes an octet when it has begun, and for each signal that it has answered.
        begun: It serves.
        answered: Set when it has said something, or never will again.
        ended: Set when it has ended.
        status: Its exit status then; negative is the signal that killed it.
    """

    number: int
    pid: int
    stash: socket.socket
    said: socket.socket
    begun: bool = False
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 0

    def __str__(self) -> str:
        return f"worker {self.number} (process {self.pid})"

    def take_word(self) -> None:
        """Take what it has said."""
        if self.said.recv(100):
            self.begun = True
        else:
            asyncio.get_running_loop().remove_reader(self.said)
        self.answered.set()


class Workforce:
    """The workers of a server that is not running, and does not listen yet. It runs once."""

    def __init__(self, server: Server, count: int, output: Output | None = None) -> None:
        """
        Args:
            server: Whom they serve for.
            count: How many there are to be.
            output: Where the answers to signals go, if that is not stderr itself.
        """
        self._server = server
        server.record_nothing()  # each worker would have records of its own, and nobody could look at them
        self._count = count
        self._output = output
        self._keeper = StashKeeper()
        self._workers: dict[int, Worker] = {}
        self._stopping = asyncio.Event()
        self._asked: asyncio.Queue[int] = asyncio.Queue()
        self._stop_signals = wanted_stop_signals()
        asked = (DUMP_SIGNAL, STACKS_SIGNAL) if sys.stderr is not None else ()
        self._asking = [number for number in asked if number is not None]
        self._signals = [*self._stop_signals, *self._asking, signal.SIGCHLD]
        self._life, self._alive = os.pipe()

    def run(self, ready: Callable[[], None], *, until_eof: int | None = None) -> None:
        """
        Have the workers serve, until a signal of STOP_SIGNALS; in the end they have ended.

        It is for the main thread, and while there is no other.

        Args:
            ready: Called when all have begun.
            until_eof: A descriptor of a file; its end is a reason to stop, too.

        Raises:
            ConfigError: The server cannot listen, or a worker did not begin.
        """
        if threading.active_count() > 1:
            raise ConfigError("workers can only be forked while no other thread runs")
        try:
            self._server.listen(processes=self._count)
            with heard(self._signals) as awake, asyncio.Runner(loop_factory=_loop) as runner:
                runner.run(self._run(awake, ready, until_eof))
        finally:
            self._server.stop()
            os.close(self._life)
            os.close(self._alive)

    # --- the parent ----------------------------------------------------------------------------

    async def _run(self, awake: socket.socket, ready: Callable[[], None], until_eof: int | None) -> None:
        loop = asyncio.get_running_loop()
        if until_eof is not None:
            loop.add_reader(until_eof, self._read_to_end, until_eof)
        hearing = [loop.create_task(self._hear(awake)), loop.create_task(self._pass_on())]
        stopping = loop.create_task(self._stopping.wait())
        begun = loop.create_future()
        keeping = [loop.create_task(self._keep(number, begun)) for number in range(1, self._count + 1)]
        try:
            await asyncio.wait((stopping, begun), return_when=asyncio.FIRST_COMPLETED)
            if begun.done():
                await begun
                ready()
                await stopping
        finally:
            self._stopping.set()
            await self._stop()
            for task in (*keeping, *hearing):
                task.cancel()

    async def _hear(self, awake: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for number in await loop.sock_recv(awake, 1000):
                if number == signal.SIGCHLD:
                    self._reap()
                elif number in self._asking:
                    self._asked.put_nowait(number)
                else:
                    self._stopping.set()

    def _reap(self) -> None:
        for worker in list(self._workers.values()):
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                del self._workers[worker.number]
                worker.status = os.waitstatus_to_exitcode(status)
                worker.ended.set()

    def _read_to_end(self, descriptor: int) -> None:
        try:
            if os.read(descriptor, 65536):
                return
        except OSError:
            pass  # it was closed from the beginning
        asyncio.get_running_loop().remove_reader(descriptor)
        self._stopping.set()

    async def _keep(self, number: int, begun: asyncio.Future[None]) -> None:
        """Have a worker of this number, and another one when it ends, once all have begun."""
        loop = asyncio.get_running_loop()
        pause_s, longest_s = PAUSES_S
        while not self._stopping.is_set():
            since_s = loop.time()
            try:
                worker = self._fork(number)
            except OSError as error:
                ending = f"worker {number} cannot be had: {error.strerror}"
            else:
                log.debug("%s begins", worker)
                ending = await self._see_through(worker, begun)
            if self._stopping.is_set():
                return
            if not begun.done():
                begun.set_exception(ConfigError(ending))
            if begun.exception() is not None:
                return
            if loop.time() - since_s > STEADY_S:
                pause_s = PAUSES_S[0]
            log.warning("%s; a successor begins in %g s", ending, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)

    async def _see_through(self, worker: Worker, begun: asyncio.Future[None]) -> str:
        """Be there for a worker until it ends; return in words how it did."""
        loop = asyncio.get_running_loop()
        serving = loop.create_task(self._keeper.serve(worker.stash))
        loop.add_reader(worker.said, worker.take_word)
        try:
            await worker.answered.wait()
            everybody = len(self._workers) == self._count
            if everybody and all(one.begun for one in self._workers.values()) and not begun.done():
                begun.set_result(None)
            await worker.ended.wait()
            return f"{worker} {_in_words(worker.status)}"
        finally:
            serving.cancel()
            loop.remove_reader(worker.said)
            worker.said.close()

    async def _pass_on(self) -> None:
        """Have workers answer signals, one after the other."""
        while True:
            number = await self._asked.get()
            for _, worker in sorted(self._workers.items()):
                if worker.ended.is_set() or not worker.begun:
                    continue
                worker.answered.clear()
                self._say(f"{worker} of {self._count}:\n")
                os.kill(worker.pid, number)
                try:
                    async with asyncio.timeout(ANSWER_S):
                        await worker.answered.wait()
                except TimeoutError:
                    self._say(f"{worker} does not answer\n")

    def _say(self, text: str) -> None:
        output = self._output or sys.stderr
        with suppress(OSError):  # nobody reads it
            output.write(text)
            output.flush()

    async def _stop(self) -> None:
        """End all that there are."""
        workers = list(self._workers.values())
        for worker in workers:
            os.kill(worker.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                for worker in workers:
                    await worker.ended.wait()
        for worker in workers:
            if not worker.ended.is_set():
                log.warning("%s did not end within %g s, and is killed", worker, STOP_S)
                os.kill(worker.pid, signal.SIGKILL)
                await worker.ended.wait()
            elif worker.status:
                log.warning("%s %s", worker, _in_words(worker.status))

    # --- a worker ------------------------------------------------------------------------------

    def _fork(self, number: int) -> Worker:
        with ExitStack() as theirs, ExitStack() as ours:
            stash, to_stash = socket.socketpair()
            ours.enter_context(stash)
            theirs.enter_context(to_stash)
            said, saying = socket.socketpair()
            ours.enter_context(said)
            theirs.enter_context(saying)
            with _held(self._signals) as before:
                pid = os.fork()
                if pid == 0:
                    self._work(number, to_stash, saying, before)
            ours.pop_all()
        stash.setblocking(False)
        said.setblocking(False)
        worker = self._workers[number] = Worker(number, pid, stash, said)
        return worker

    def _work(
        self, number: int, to_stash: socket.socket, saying: socket.socket, mask: Iterable[int]
    ) -> NoReturn:
        """Be a worker, from the fork to the end of the process; signals are held back until it takes them."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for heard_by_parent in self._signals:
                signal.signal(heard_by_parent, signal.SIG_DFL)
            for told_by_parent in self._stop_signals:
                signal.signal(told_by_parent, _take_no_notice)
            os.close(self._alive)
            self._server.stash = Stash(SharedStore(self._keeper, to_stash), "/")
            self._server.inherit(number - 1)
            with (
                until_stopped(by=[signal.SIGTERM], until_eof=self._life) as wait,
                dumping(self._server, self._output, lambda: _tell(saying)),
                self._server,
            ):
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                _tell(saying)
                wait()
                log.warning("worker %d (process %d) ends, for its parent is gone", number, os.getpid())
            status = 0
        except BaseException:  # noqa: BLE001 -- nothing is to get back to where the parent forked
            traceback.print_exc()
        finally:
            for stream in filter(None, (sys.stdout, sys.stderr)):
                with suppress(OSError):
                    stream.flush()
            os._exit(status)


def _loop() -> asyncio.AbstractEventLoop:
    # By poll, which takes any file for stdin; and children have no part in it, as they would in epoll.
    return asyncio.SelectorEventLoop(selectors.PollSelector())


@contextmanager
def _held(numbers: list[int]) -> Iterator[Iterable[int]]:
    """Hold back signals within the block; yields those that were held back before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _take_no_notice(_number: int, _frame: FrameType | None) -> None:
    """Programs that a worker starts do not inherit this, as they would that a signal is ignored."""


def _tell(saying: socket.socket) -> None:
    with suppress(OSError):  # the parent is gone
        saying.send(b"!")


def _in_words(status: int) -> str:
    if status >= 0:
        return f"has ended with exit status {status}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-status).name}"
    return f"was killed by signal {-status}"
