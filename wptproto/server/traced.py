"""Traced: how one has what happens on a server's connections written down."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any

from wptproto.server.base import BaseServer

if TYPE_CHECKING:
    from wptproto.trace.events import TraceEvent
    from wptproto.trace.output import TextOutput
    from wptproto.trace.tracing import Trace

__all__ = ["Traced"]


class Traced(BaseServer):
    """A server whose connections can be traced."""

    _traces: tuple[Trace, ...] = ()

    def stop(self) -> None:
        super().stop()
        for one in self._traces:
            one.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        traces, self._traces = self._traces, ()
        for one in traces:
            one.close()
        if traces:
            self._credentials.key_log.close()  # if it was they alone who read it

    def trace(
        self,
        to: str | PathLike[str] | TextOutput | Callable[[TraceEvent], object] | None = None,
        format: str | None = None,  # noqa: A002 -- it is what everybody calls it
        **options: Any,
    ) -> Trace:
        """
        Trace the connections that are accepted from now on: octets, TLS, frames, handlers, faults.

        A trace outlives :meth:`stop`, and goes on behind the next start. It ends when it is closed, by itself
        or by a with statement, its own or the server's.

        Args:
            to: A path, whose suffix says in which format: ``.log`` or ``.txt`` is to be read, ``.jsonl`` JSON
                Lines, ``.har``, ``.qlog`` or ``.sqlog``, ``.pcapng``; a text file; a function, which is given
                each event; None is to keep the last events, see :class:`~wptproto.trace.tracing.Trace`.
            format: ``log``, ``jsonl``, ``har``, ``qlog`` or ``pcapng``, where the suffix does not say.
            options: Of the format, such as ``verbosity=2`` of ``log``.

        Raises:
            ConfigError: There is no such format, or the file cannot be written.
        """
        from wptproto.trace.tracing import trace

        begun = trace(self.observers, to, format, read_keys=self._credentials.key_log.reader, **options)
        self._traces = (*(one for one in self._traces if not one.is_closed), begun)
        return begun
