"""
Priorities: PRIORITY_UPDATE frames, in which a client says how urgent responses are (RFC 9218 §7.1).

A frame may come before the request that it is about. What it says is kept until that begins; what is kept is
bounded by the streams that the client may open.
"""

from __future__ import annotations

from h2.exceptions import FrameDataMissingError, ProtocolError
from hyperframe.frame import ExtensionFrame

from wptproto.limits import Limits
from wptproto.protocol.events import Event, ExchangeId, PriorityUpdated
from wptproto.protocol.h2_library import Library
from wptproto.protocol.h2_streams import Streams
from wptproto.semantics.priority import Priority, parse_priority

__all__ = ["Priorities"]

_ID_OCTETS = 4


class Priorities:
    """What one client has said of how urgent its responses are."""

    def __init__(self, library: Library, streams: Streams, limits: Limits) -> None:
        """
        Args:
            library: Knows which streams there have been.
            streams: Those that there are.
            limits: How many there may be.
        """
        self._library = library
        self._streams = streams
        self._limits = limits
        self._early: dict[ExchangeId, Priority] = {}  # of streams that have not begun

    def take(self, frame: ExtensionFrame, events: list[Event]) -> None:
        """
        Take a PRIORITY_UPDATE frame.

        Args:
            frame: Any of that type.
            events: Where to add what comes of it.

        Raises:
            h2.exceptions.ProtocolError: It is an error of the connection.
        """
        if frame.stream_id:
            # RFC 9218 §7.1: the stream of its header "MUST be zero (0x0)."
            raise ProtocolError(f"PRIORITY_UPDATE on stream {frame.stream_id}, instead of on none")
        if len(frame.body) < _ID_OCTETS:
            raise FrameDataMissingError(f"PRIORITY_UPDATE of {len(frame.body)} octets, and no stream in it")
        exchange_id = ExchangeId(int.from_bytes(frame.body[:_ID_OCTETS], "big") & 0x7FFFFFFF)
        if not exchange_id or self._is_idle_push(exchange_id):
            raise ProtocolError(f"PRIORITY_UPDATE for stream {exchange_id}, which the client cannot know of")
        is_early = exchange_id % 2 == 1 and exchange_id > self._library.highest_inbound_stream_id
        if is_early:
            self._see_room_for(exchange_id)
        priority = parse_priority(frame.body[_ID_OCTETS:])
        if priority is None:
            return  # RFC 9218 §7: that MAY be an error; but none that other requests shall suffer for
        if is_early:
            self._early[exchange_id] = priority
        elif exchange_id in self._streams:
            events.append(PriorityUpdated(exchange_id, priority))

    def begin(self, exchange_id: ExchangeId, events: list[Event]) -> None:
        """Tell what was said of a request before it came, and forget those that will never come now."""
        if self._early:
            priority = self._early.get(exchange_id)
            self._early = {early: kept for early, kept in self._early.items() if early > exchange_id}
            if priority is not None:
                events.append(PriorityUpdated(exchange_id, priority))

    def _is_idle_push(self, exchange_id: ExchangeId) -> bool:
        return exchange_id % 2 == 0 and exchange_id > self._library.highest_outbound_stream_id

    def _see_room_for(self, exchange_id: ExchangeId) -> None:
        """
        See that a client says nothing of more streams than it may open.

        RFC 9218 §7.1: their number "plus the number of active streams [...] MUST NOT exceed the value of the
        SETTINGS_MAX_CONCURRENT_STREAMS parameter."
        """
        most = self._limits.h2_concurrent_streams - len(self._early.keys() | {exchange_id})
        if len(self._streams) > most and sum(active % 2 for active in self._streams) > most:
            raise ProtocolError(f"PRIORITY_UPDATE for a stream {self._limits.past('h2_concurrent_streams')}")
