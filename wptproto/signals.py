"""Signals: what they do to a command that serves."""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from wptproto.server.server import Server

__all__ = ["STOP_SIGNALS", "dumping", "until_stopped"]

STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""What ends a command. SIGHUP, of a terminal that closes, is left alone where it is ignored: by ``nohup``."""

DUMP_SIGNAL = getattr(signal, "SIGUSR1", None)
STACKS_SIGNAL = getattr(signal, "SIGUSR2", None)


@contextmanager
def until_stopped(*, until_eof: bool = False) -> Iterator[Callable[[], None]]:
    """
    End the block, wherever it is, at the first signal of STOP_SIGNALS.

    The next ones are ignored, and in the end for good: the process ends now, and nothing shall disturb that.
    Before its end they are taken and dropped, for Python complains of a signal that comes just when it is
    told to ignore it.

    Args:
        until_eof: Whether the end of stdin ends the waiting, too.

    Yields:
        A function that waits for signals. Python calls their handlers on the main thread alone, and does not
        wake it from a sleep for a signal that came the moment before; so this sleeps until there is an octet,
        which each signal leaves behind.
    """
    stopping = [
        number
        for number in STOP_SIGNALS
        if number in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) is not signal.SIG_IGN
    ]

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in stopping:
            signal.signal(number, _drop)
        raise KeyboardInterrupt

    awake, wake = socket.socketpair()
    wake.setblocking(False)
    before = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    ended = threading.Event()

    def wait() -> None:
        if until_eof:
            threading.Thread(target=_read_to_end, args=(ended, wake), daemon=True).start()
        while not ended.is_set():
            sleep(awake)

    try:
        for number in stopping:
            signal.signal(number, stop)
        yield wait
    except KeyboardInterrupt:
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


def _read_to_end(ended: threading.Event, wake: socket.socket) -> None:
    """Wait until nobody can write to stdin any more."""
    with suppress(OSError):  # it was closed from the beginning
        while sys.stdin is not None and os.read(sys.stdin.fileno(), 65536):
            pass
    ended.set()
    with suppress(OSError):  # the process ends for another reason
        wake.send(b"\0")


@contextmanager
def dumping(server: Server) -> Iterator[None]:
    """
    Within the block, have SIGUSR1 print what the server does, on stderr, and SIGUSR2 where all threads are.

    The one asks the server; the other asks nobody, so it works also where nothing else does. A crash of the
    interpreter prints the same. Signals that the system does not have are left alone, and so are all
    where there is no stderr.
    """

    def dump(_number: int, _frame: FrameType | None) -> None:
        with suppress(OSError):  # nobody reads it
            sys.stderr.write(server.dump())
            sys.stderr.flush()

    if sys.stderr is None:
        yield
        return
    enabled = faulthandler.is_enabled()
    before = signal.signal(DUMP_SIGNAL, dump) if DUMP_SIGNAL is not None else None
    with suppress(OSError):  # a stderr that is Python's alone is none of the system's
        if STACKS_SIGNAL is not None:
            faulthandler.register(STACKS_SIGNAL)
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
