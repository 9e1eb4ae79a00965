"""Signals: what they do to a command that serves."""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn, Protocol

from wptproto.server.server import Server

__all__ = [
    "DUMP_SIGNAL",
    "STACKS_SIGNAL",
    "STOP_SIGNALS",
    "Output",
    "dumping",
    "heard",
    "until_stopped",
    "wanted_stop_signals",
]

STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""What ends a command. SIGHUP, of a terminal that closes, is left alone where it is ignored: by ``nohup``."""

DUMP_SIGNAL = getattr(signal, "SIGUSR1", None)
STACKS_SIGNAL = getattr(signal, "SIGUSR2", None)


class Output(Protocol):
    """What can be written to, such as stderr."""

    def write(self, text: str, /) -> int: ...

    def flush(self) -> None: ...


def wanted_stop_signals() -> list[int]:
    """Return those of STOP_SIGNALS that are to end a command, from how they were before."""
    return [
        number
        for number in STOP_SIGNALS
        if number in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) is not signal.SIG_IGN
    ]


@contextmanager
def until_stopped(
    *, until_eof: int | None = None, by: Iterable[int] | None = None
) -> Iterator[Callable[[], None]]:
    """
    End the block, wherever it is, at the first signal of STOP_SIGNALS.

    The next ones are ignored, and in the end for good: the process ends now, and nothing shall disturb that.
    Before its end they are taken and dropped, for Python complains of a signal that comes just when it is
    told to ignore it.

    Args:
        until_eof: A descriptor of a file; its end ends the waiting, too.
        by: Other signals than STOP_SIGNALS.

    Yields:
        A function that waits for signals. Python calls their handlers on the main thread alone, and does not
        wake it from a sleep for a signal that came the moment before; so this sleeps until there is an octet,
        which each signal leaves behind.
    """
    stopping = wanted_stop_signals() if by is None else list(by)

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in stopping:
            signal.signal(number, _drop)
        raise KeyboardInterrupt

    awake, wake = socket.socketpair()
    wake.setblocking(False)
    before = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    ended = threading.Event()

    def wait() -> None:
        if until_eof is not None:
            threading.Thread(target=_read_to_end, args=(until_eof, ended, wake), daemon=True).start()
        while not ended.is_set():
            sleep(awake)

    try:
        for number in stopping:
            signal.signal(number, stop)
        with suppress(KeyboardInterrupt):
            yield wait
        for number in stopping:
            signal.signal(number, signal.SIG_IGN)
    finally:
        signal.set_wakeup_fd(before)
        wake.close()
        awake.close()


def sleep(awake: socket.socket) -> None:
    """Sleep until there is something to be awake for."""
    awake.recv(4096)


def _drop(_number: int, _frame: FrameType | None) -> None:
    pass


@contextmanager
def heard(numbers: Iterable[int]) -> Iterator[socket.socket]:
    """
    Within the block, have signals do nothing but leave their numbers behind, in the order of their coming.

    Yields:
        From which to read them, as octets. It does not block.
    """
    awake, wake = socket.socketpair()
    awake.setblocking(False)
    wake.setblocking(False)
    wakened_before = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, _drop) for number in numbers}
    try:
        yield awake
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakened_before)
        wake.close()
        awake.close()


def _read_to_end(descriptor: int, ended: threading.Event, wake: socket.socket) -> None:
    """Wait until nobody can write to it any more."""
    with suppress(OSError):  # it was closed from the beginning
        while os.read(descriptor, 65536):
            pass
    ended.set()
    with suppress(OSError):  # the process ends for another reason
        wake.send(b"\0")


@contextmanager
def dumping(
    server: Server, output: Output | None = None, then: Callable[[], None] | None = None
) -> Iterator[None]:
    """
    Within the block, have SIGUSR1 print what the server does, on stderr, and SIGUSR2 where all threads are.

    The one asks the server; the other asks nobody, so it works also where nothing else does. A crash of the
    interpreter prints the same. Signals that the system does not have are left alone, and so are all
    where there is no stderr.

    Args:
        server: Who is asked.
        output: Where its answer goes, if that is not stderr itself.
        then: Called behind each of the two, if the interpreter still does anything.
    """

    def dump(_number: int, _frame: FrameType | None) -> None:
        with suppress(OSError):  # nobody reads it
            (output or sys.stderr).write(server.dump())
            (output or sys.stderr).flush()
        if then is not None:
            then()

    if sys.stderr is None:
        yield
        return
    enabled = faulthandler.is_enabled()
    before = signal.signal(DUMP_SIGNAL, dump) if DUMP_SIGNAL is not None else None
    with suppress(OSError):  # a stderr that is Python's alone is none of the system's
        if STACKS_SIGNAL is not None:
            if then is not None:
                signal.signal(STACKS_SIGNAL, lambda *_: then())
            faulthandler.register(STACKS_SIGNAL, chain=then is not None)
        if not enabled:
            faulthandler.enable()
    try:
        yield
    finally:
        if DUMP_SIGNAL is not None:
            signal.signal(DUMP_SIGNAL, before)
        if STACKS_SIGNAL is not None:
            faulthandler.unregister(STACKS_SIGNAL)
        if not enabled:
            faulthandler.disable()
