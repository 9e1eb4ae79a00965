"""Cut anywhere: the same octets in other pieces must come to the same events, and the same answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from hypothesis import strategies as st

from wptproto.errors import RemoteProtocolError
from wptproto.protocol.connection import Closing, Connection
from wptproto.protocol.events import ContentReceived, Event, UpgradeReceived
from wptproto.protocol.h2 import H2Connection
from wptproto.protocol.negotiate import choose_by_octets

__all__ = ["Opening", "Trace", "cut", "cuts", "octet_by_octet", "play"]


@dataclass
class Trace:
    """What came of some octets: events as plain values, octets to send, and the state at the end."""

    events: list[tuple[object, ...]] = field(default_factory=list)
    octets: bytes = b""
    closing: Closing = Closing.NO

    def add(self, events: Iterable[Event]) -> None:
        """Note events; content that belongs together is one, however it came."""
        for event in events:
            last = self.events[-1] if self.events else ()
            if isinstance(event, ContentReceived) and last[:2] == (ContentReceived, event.exchange_id):
                data = last[2]
                assert isinstance(data, bytes)
                self.events[-1] = (*last[:2], data + event.data, event.last)
            else:
                self.events.append(_plain(event))


def _plain(event: Event) -> tuple[object, ...]:
    values = [value for name, value in zip(event._fields, event, strict=True) if name != "trailing_data"]
    return (type(event), *(_plain_error(value) for value in values))


def _plain_error(value: object) -> object:
    if isinstance(value, RemoteProtocolError):
        return value.reason, value.exchange_id, value.status_hint, value.error_code
    return value


class Opening:
    """A port in the clear, as a driver serves it: the first octets choose, and an upgrade changes."""

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self._octets = b""

    def receive(self, data: bytes, trace: Trace) -> list[Event]:
        """Take octets; note in *trace* what the connection that an upgrade ends had to send."""
        if self.connection is None:
            self._octets += data
            data = self._octets
            self.connection = choose_by_octets(data)
            if self.connection is None:
                return []
        events = self.connection.receive_data(data)
        if events and isinstance(events[-1], UpgradeReceived):
            trace.octets += self.connection.data_to_send()
            self.connection, upgraded = H2Connection.from_upgrade(events[-1])
            events += upgraded
        return events


def play(
    pieces: Iterable[bytes],
    *,
    opening: Opening,
    answer: Callable[[Connection, Event], list[Event]] | None = None,
    eof: bool = False,
) -> Trace:
    """
    Feed octets piece by piece, and note what comes of it.

    Args:
        pieces: The octets.
        opening: Where they go.
        answer: Called with each event; returns those that answering brings to light.
        eof: Whether the peer closes at the end.
    """
    trace = Trace()

    def handle(events: list[Event]) -> None:
        trace.add(events)
        for event in events:
            if answer is not None and opening.connection is not None:
                handle(answer(opening.connection, event))

    for piece in pieces:
        handle(opening.receive(piece, trace))
        if opening.connection is not None:
            trace.octets += opening.connection.data_to_send()
    if opening.connection is not None:
        if eof:
            handle(opening.connection.receive_eof())
        trace.octets += opening.connection.data_to_send()
        trace.closing = opening.connection.closing
    return trace


def octet_by_octet(octets: bytes) -> list[bytes]:
    """Cut at every point."""
    return [octets[at : at + 1] for at in range(len(octets))]


def cut(octets: bytes, points: Iterable[int]) -> Iterator[bytes]:
    """Cut at these points, in any order; no piece is empty."""
    ends = sorted({min(point, len(octets)) for point in points} | {len(octets)})
    start = 0
    for end in ends:
        if start < end:
            yield octets[start:end]
        start = end


def cuts(octets: bytes) -> st.SearchStrategy[list[bytes]]:
    """Return any way to cut these octets."""
    points = st.lists(st.integers(1, max(1, len(octets) - 1)), max_size=12)
    return points.map(lambda at: list(cut(octets, at)))
