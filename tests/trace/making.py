"""Events as a tracer makes them: what an exporter's test feeds to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from wptproto.trace.events import ConnectionClosed, ConnectionOpened, OctetsSeen, Origin, TraceEvent

__all__ = ["BEGAN_S", "Wire"]

BEGAN_S = 1_700_000_000.0


class Wire:
    """One connection, whose events go to a sink, a millisecond between them."""

    def __init__(
        self,
        sink: Callable[[TraceEvent], object],
        *,
        number: int = 1,
        client: tuple[str, int] = ("127.0.0.1", 50_000),
        server: tuple[str, int] = ("127.0.0.1", 8_000),
        is_tls: bool = False,
    ) -> None:
        self._sink = sink
        self._number = number
        self._times: Iterator[int] = itertools.count()
        self(ConnectionOpened, client, server, is_tls)

    def __call__(self, kind: Callable[..., TraceEvent], *what: object) -> None:
        """Have something happen."""
        self._sink(kind(Origin(self._number, BEGAN_S + next(self._times) / 1000), *what))

    def received(self, octets: bytes) -> None:
        """Have the client send octets."""
        self(OctetsSeen, False, octets)

    def sent(self, octets: bytes) -> None:
        """Have the server send octets."""
        self(OctetsSeen, True, octets)

    def closed(self, how: str = "closed") -> None:
        """Have the connection end."""
        self(ConnectionClosed, how)
