"""
Tracing: what happens on a server's connections goes to a file, in one of several formats, to a function, or
stays in memory.
"""

from __future__ import annotations

import importlib
import io
import logging
from collections.abc import Callable
from contextlib import suppress
from os import PathLike, fspath
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, cast

from wptproto.errors import ConfigError
from wptproto.server.observer import Accepted, Observer, Observers
from wptproto.trace.events import TraceEvent
from wptproto.trace.memory import Memory
from wptproto.trace.output import TextOutput
from wptproto.trace.tracer import Tracer

__all__ = ["Sink", "Trace", "trace"]

log = logging.getLogger("wptproto.trace")


class Sink(Protocol):
    """What a trace writes to."""

    def __call__(self, event: TraceEvent, /) -> None:
        """Take one event."""

    def close(self) -> None:
        """Have all that was taken where it is to be."""


class _Format(NamedTuple):
    """
    A format: its module and class there, imported when it is asked for, the suffixes of its files, and
    whether it has what is encrypted with the keys to it.
    """

    module: str
    writer: str
    suffixes: tuple[str, ...]
    has_secrets: bool = False


_FORMATS = {
    "log": _Format("wptproto.trace.log", "LogWriter", (".log", ".txt")),
    "jsonl": _Format("wptproto.trace.json_lines", "JsonLinesWriter", (".jsonl",)),
    "har": _Format("wptproto.trace.har", "HarWriter", (".har",)),
    "qlog": _Format("wptproto.trace.qlog", "QlogWriter", (".qlog", ".sqlog")),
    "pcapng": _Format("wptproto.trace.pcapng", "PcapngWriter", (".pcapng",), has_secrets=True),
}

Target = str | PathLike[str] | TextOutput | Callable[[TraceEvent], object] | None


class Trace:
    """
    A trace that goes on until it is closed; it outlives a server's stop, and goes on behind the next start.

    What it has of connections is whole: those that are there when it begins are not in it, and of those that
    are there when it is closed, there is no more. Use it in a with statement, or call :meth:`close`; only
    that makes a file of HAR or qlog complete.
    """

    def __init__(self, observers: Observers, sink: Callable[[TraceEvent], object] | None) -> None:
        """
        Args:
            observers: Of the server.
            sink: Takes the events, and may have a method ``close``; None is to keep them.
        """
        self._memory = Memory()
        self._sink: Callable[[TraceEvent], object] | None = self._memory if sink is None else sink
        self._lock = RLock()  # for a function that closes the trace
        self._remove = observers.add(self._observe)

    @property
    def events(self) -> list[TraceEvent]:
        """The last events of a trace in memory, 10,000 and 64 MiB of octets at the most; of others, none."""
        with self._lock:
            return self._memory.events

    def text(self, *, verbosity: int = 1) -> str:
        """Return the readable log of what is in memory; *verbosity* is 1 or 2."""
        from wptproto.trace.log import LogWriter

        text = io.StringIO()
        write = LogWriter(text, verbosity=verbosity)
        for event in self.events:
            write(event)
        return text.getvalue()

    @property
    def is_closed(self) -> bool:
        """Whether it has ended."""
        return self._sink is None

    def flush(self) -> None:
        """Have what was taken in the file, as far as the format can."""
        with self._lock:
            flush = getattr(self._sink, "flush", None)
            if flush is not None:
                with suppress(OSError, ValueError):
                    flush()

    def close(self) -> None:
        """End the trace; its file is whole then. Once more does nothing."""
        self._remove()
        with self._lock:
            sink, self._sink = self._sink, None
            if sink is not None:
                self._close(sink)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # --- within --------------------------------------------------------------------------------

    def _observe(self, accepted: Accepted) -> Observer:
        return Tracer(accepted, self._take, self._lock)

    def _take(self, event: TraceEvent) -> None:
        """Pass an event on; who cannot take it is given no other, and the server goes on."""
        sink = self._sink
        if sink is None:
            return
        try:
            sink(event)
        except Exception as error:
            self._sink = None
            log.warning(
                "the trace ends here, for it cannot be written: %s", error, exc_info=_traceback(error)
            )
            self._close(sink)

    def _close(self, sink: Callable[[TraceEvent], object]) -> None:
        close = getattr(sink, "close", None)
        if close is None:
            return
        try:
            close()
        except OSError as error:
            log.warning("the trace is not whole, for it cannot be written: %s", error)


def trace(
    observers: Observers,
    to: Target = None,
    format: str | None = None,  # noqa: A002 -- it is what everybody calls it
    *,
    read_keys: Callable[[], Callable[[], bytes]],
    **options: Any,
) -> Trace:
    """
    Begin a trace.

    Args:
        observers: Of the server.
        read_keys: Returns what returns the lines that have come to its key log since it was called last.
        to: A path; a text file; a function, which is given each event; None is to keep the last ones.
        format: ``log``, ``jsonl``, ``har``, ``qlog`` or ``pcapng``; None is what the suffix of the path says,
            and ``log`` for a text file.
        options: Of the format's writer.

    Raises:
        ConfigError: There is no such format, or the file cannot be written.
    """
    is_path = isinstance(to, str | PathLike)
    is_file = not is_path and hasattr(to, "write")
    if not is_path and not is_file:
        if format is not None:
            raise ConfigError(f"trace: {format!r} is the format of a file, and there is none to write to")
        if to is not None and not callable(to):
            raise ConfigError(f"trace: {to!r} is no path, no file and no function")
        return Trace(observers, to)
    found = _by_suffix(Path(cast("str", to))) if format is None and is_path else _named(format or "log")
    if found.has_secrets:
        options = {"key_log": read_keys(), **options}
    writer = getattr(importlib.import_module(found.module), found.writer)
    return Trace(observers, writer(fspath(cast("str", to)) if is_path else to, **options))


def _named(name: str) -> _Format:
    if name not in _FORMATS:
        raise ConfigError(f"trace: there is no format {name!r}; there are {', '.join(_FORMATS)}")
    return _FORMATS[name]


def _by_suffix(path: Path) -> _Format:
    for found in _FORMATS.values():
        if path.suffix.lower() in found.suffixes:
            return found
    suffixes = ", ".join(suffix for found in _FORMATS.values() for suffix in found.suffixes)
    raise ConfigError(f"trace: {path} has none of the suffixes {suffixes}; or name a format")


def _traceback(error: Exception) -> Exception | None:
    return None if isinstance(error, OSError) else error
