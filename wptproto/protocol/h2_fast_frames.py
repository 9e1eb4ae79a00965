"""
FastFrames: plain frames that came, taken from the octets they came in, without h2's frames and events.

A frame is plain if nothing about it is unusual: no padding, no CONTINUATION, a number of a stream that can be
right, a window that is not overrun. What comes of it is then known beforehand, and is what would have come of
it by way of h2: its state changes in :mod:`~wptproto.protocol.h2_fast`, and events are made by those who
always make them. Any other frame is left where it is.
"""

from __future__ import annotations

from wptproto.h2_codes import DATA, END_HEADERS, END_STREAM, HAS_PRIORITY, HEADERS, WINDOW_UPDATE
from wptproto.limits import Limits
from wptproto.protocol.events import Event, ExchangeId, WindowOpened
from wptproto.protocol.h2_allowance import Allowance
from wptproto.protocol.h2_fast import FRAME_HEADER, FastLibrary
from wptproto.protocol.h2_reader import FrameReader
from wptproto.protocol.h2_requests import LAST_STREAM_ID, Requests
from wptproto.protocol.h2_shape import FRAME_HEADER_OCTETS
from wptproto.protocol.h2_streams import Streams

__all__ = ["FastFrames"]


_PLAIN = END_STREAM | END_HEADERS | HAS_PRIORITY
_RESERVED = 0x80000000  # the bit before the number of a stream, or an increment


class FastFrames:
    """Takes plain frames of one client."""

    def __init__(
        self,
        library: FastLibrary,
        reader: FrameReader,
        streams: Streams,
        requests: Requests,
        allowance: Allowance,
        limits: Limits,
    ) -> None:
        """
        Args:
            library: Whose state it changes.
            reader: Has the octets.
            streams: Those there are.
            requests: Makes events of what a frame brings.
            allowance: Counts WINDOW_UPDATE frames.
            limits: Of streams, and of requests.
        """
        self._library = library
        self._reader = reader
        self._streams = streams
        self._requests = requests
        self._allowance = allowance
        self._limits = limits

    def take(self, events: list[Event]) -> bool:
        """
        Take the next frame, if it is there and plain.

        Args:
            events: Where to add what comes of it.

        Returns:
            Whether it was taken; if not, nothing has changed.

        Raises:
            h2.exceptions.ProtocolError: It is an error of the connection.
        """
        reader, library = self._reader, self._library
        octets, place = reader.octets, reader.place
        start = place + FRAME_HEADER_OCTETS
        if len(octets) < start or reader.settings_pending:
            return False
        high, low, kind, flags, stream_id = FRAME_HEADER.unpack_from(octets, place)
        size = high << 8 | low
        end = start + size
        if (
            end > len(octets)
            or size > library.max_inbound_frame_size
            or not library.is_plainly_open
            or library.is_inside_block
        ):
            return False
        if kind == HEADERS:
            return self._take_request(stream_id, flags, start, end, events)
        if kind == DATA:
            return self._take_data(stream_id, flags, start, end, events)
        return kind == WINDOW_UPDATE and size == 4 and self._take_window_update(stream_id, start, end, events)

    def _take_request(self, stream_id: int, flags: int, start: int, end: int, events: list[Event]) -> bool:
        library, octets = self._library, self._reader.octets
        if (
            flags & ~_PLAIN
            or not flags & END_HEADERS
            or not stream_id % 2
            or not library.highest_inbound_stream_id < stream_id < LAST_STREAM_ID
            or len(self._streams) >= self._limits.h2_concurrent_streams
        ):
            return False
        if flags & HAS_PRIORITY:
            depends_on, start = int.from_bytes(octets[start : start + 4], "big"), start + 5
            if start > end or depends_on & ~_RESERVED == stream_id:
                return False
        self._reader.take_to(end)
        library.let_go_of_closed()
        opening = library.fast_decoder.opening(octets[start:end])
        ended = flags & END_STREAM != 0
        library.open_stream(stream_id, ended=ended)
        self._requests.begin(ExchangeId(stream_id), opening, events, ended=ended)
        if ended:
            self._requests.take_end(ExchangeId(stream_id), events)
        return True

    def _take_data(self, stream_id: int, flags: int, start: int, end: int, events: list[Event]) -> bool:
        size, ended = end - start, flags == END_STREAM
        if flags & ~END_STREAM or not (size or ended):
            return False
        octets = self._reader.octets
        if not self._library.take_data(stream_id, size, ended=ended):
            return False
        self._reader.take_to(end)
        exchange_id = ExchangeId(stream_id)
        self._requests.take_content(exchange_id, octets[start:end], size, events, last=ended)
        if ended:
            self._requests.take_end(exchange_id, events)
        return True

    def _take_window_update(self, stream_id: int, start: int, end: int, events: list[Event]) -> bool:
        increment = int.from_bytes(self._reader.octets[start:end], "big") & ~_RESERVED
        both = self._library.opened_by(stream_id, increment) if increment else None
        if both is None:
            return False
        self._reader.take_to(end)
        self._allowance.take_window_update()
        both.outbound_flow_control_window += increment
        events.append(WindowOpened(ExchangeId(stream_id) if stream_id else None))
        return True
