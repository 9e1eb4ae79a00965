"""What a watch looks at: connections are here what it asks of them, and no more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from wptproto.limits import Limits
from wptproto.protocol.connection import Awaits
from wptproto.server.watch import Late, Watch

LIMITS = Limits(idle_s=10, head_s=1)


def stub(**attributes: object) -> Any:
    return SimpleNamespace(**attributes)


class Peer:
    """A connection, and who watches it; a look is one second after the last."""

    def __init__(self) -> None:
        self.connection = stub(awaits=Awaits.REQUEST, steps=0, has_backlog=False)
        self.outlet = stub(closing=False, reading_paused=False, unread_octets=0, untaken_octets=0)
        self.exchanges = stub(running={})
        self.received = 0
        self._watch = Watch(LIMITS, self.outlet, self.exchanges)
        self._now_s = 0.0

    def looks(self, count: int) -> list[Late]:
        """Return who is found late."""
        found: list[Late] = []
        for _ in range(count):
            found += self._watch.look(self.connection, self.received, self._now_s, crowded=False)
            self._now_s += 1
        return found


def test_idle() -> None:
    """Of an idle connection nothing is asked any more, until it has been idle for too long."""
    peer = Peer()
    assert not peer.looks(1)
    connection, peer.connection = peer.connection, None  # anything that is asked of it is an error
    assert not peer.looks(9)
    peer.connection = connection
    assert [late.awaits for late in peer.looks(2)] == [Awaits.REQUEST]


def test_octets_end_the_idleness() -> None:
    """When octets have come, it is looked at again."""
    peer = Peer()
    assert not peer.looks(2)
    peer.received, peer.connection.awaits = 1, Awaits.HEAD
    assert [late.awaits for late in peer.looks(3)] == [Awaits.HEAD]


def test_what_has_come_and_was_not_read() -> None:
    """Nobody is idle of whom there is more to read: what follows may follow without octets."""
    peer = Peer()
    peer.connection.has_backlog = True
    assert not peer.looks(2)
    peer.connection.has_backlog, peer.connection.awaits = False, Awaits.HEAD
    assert [late.awaits for late in peer.looks(3)] == [Awaits.HEAD]
