"""Watch: who is late on one connection, its peer as a whole, or with one of its exchanges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from wptproto.limits import Limits
from wptproto.protocol.connection import Awaits, Connection
from wptproto.server.exchanges import Exchanges
from wptproto.server.outlet import Outlet
from wptproto.server.patience import Patience
from wptproto.server.running import Running

__all__ = ["Late", "Watch"]


class Late(NamedTuple):
    """
    A peer that has kept something waiting for too long.

    Attributes:
        running: The exchange that waited; None for the connection.
        awaits: For what.
        reason: The limit, and what did not come within it.
    """

    running: Running | None
    awaits: Awaits
    reason: str


class Watch:
    """Looks now and then at what a connection waits for; a peer owes nothing while it is not read from."""

    def __init__(self, limits: Limits, outlet: Outlet, exchanges: Exchanges) -> None:
        self._limits = limits
        self._outlet = outlet
        self._exchanges = exchanges
        self._patience = Patience(limits)
        self._idle_octets = -1  # so many had come when the connection was found idle,
        self._idle_until_s = 0.0  # which it may be until then

    def look(
        self, connection: Connection | None, received_octets: int, now_s: float, *, crowded: bool
    ) -> Iterable[Late]:
        """
        Return who is late.

        Args:
            connection: None before it is clear which protocol the peer speaks.
            received_octets: How many have come, in all.
            now_s: The time, from any origin.
            crowded: Requests wait for a thread, which those may have who wait for this peer.
        """
        if received_octets == self._idle_octets and now_s < self._idle_until_s:
            return ()  # of thousands of connections most are idle, and then nothing happens but by octets
        return self._look_closely(connection, received_octets, now_s, crowded)

    def _look_closely(
        self, connection: Connection | None, received_octets: int, now_s: float, crowded: bool
    ) -> Iterator[Late]:
        if connection is not None and self._can_receive:
            for running in list(self._exchanges.running.values()):
                yield from self._look_at(running, connection, now_s, crowded)
        awaited = self._awaited(connection, received_octets)
        late = self._patience.exhausted(awaited, now_s)
        if late is not None:
            yield Late(None, *late)
        elif awaited.keys() == {Awaits.REQUEST} and connection is not None and not connection.has_backlog:
            self._idle_octets = received_octets
            self._idle_until_s = self._patience.ends_s(Awaits.REQUEST)

    @property
    def _can_receive(self) -> bool:
        return not (self._outlet.closing or self._outlet.reading_paused)

    def _look_at(
        self, running: Running, connection: Connection, now_s: float, crowded: bool
    ) -> Iterator[Late]:
        awaited = {Awaits.ROOM: running.sent_octets} if running.stalled else {}
        if connection.owes_content(running.bridge.exchange_id):
            awaited[Awaits.CONTENT] = running.received_octets
        if not awaited:
            running.patience = None
            return
        if running.patience is None:
            running.patience = Patience(self._limits)
        late = running.patience.exhausted(awaited, now_s, crowded=crowded)
        if late is not None:
            yield Late(running, *late)

    def _awaited(self, connection: Connection | None, received_octets: int) -> dict[Awaits, int]:
        """Return what the peer is to do for the connection as a whole, and how far it has got."""
        outlet = self._outlet
        awaited = {Awaits.ROOM: outlet.taken_octets} if outlet.untaken_octets else {}
        if not self._can_receive or outlet.unread_octets > outlet.untaken_octets:
            return awaited
        if connection is None:
            awaited[Awaits.HANDSHAKE] = 0
        elif connection.awaits is Awaits.CONTENT:
            awaited[Awaits.CONTENT] = received_octets
        elif connection.awaits is not Awaits.REQUEST or not self._exchanges.running:
            awaited[connection.awaits] = connection.steps
        return awaited
