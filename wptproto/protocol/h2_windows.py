"""
Windows: how much content an HTTP/2 client may send (RFC 9113 §5.2).

The connection's window is opened as octets arrive, so that no slow handler holds up the other streams;
a stream's as its handler consumes them. What can pile up in memory is therefore the sum of the streams'
windows. A window is opened when half of it is used up, and not for every octet.
"""

from __future__ import annotations

from h2.errors import ErrorCodes

from wptproto.limits import Limits
from wptproto.protocol.events import ExchangeId
from wptproto.protocol.h2_frames import MAX_WINDOW_OCTETS
from wptproto.protocol.h2_library import INITIAL_WINDOW_OCTETS, Library
from wptproto.protocol.h2_streams import Stream, Streams

__all__ = ["Windows"]


class Windows:
    """The windows of one connection for what it receives."""

    def __init__(self, library: Library, streams: Streams, limits: Limits) -> None:
        """
        Args:
            library: Has sent its preface; it is told of a larger window for the connection at once.
            streams: Whose handlers consume.
            limits: Their sizes; those of streams are announced in SETTINGS.
        """
        self._library = library
        self._streams = streams
        self._stream_octets = min(limits.h2_stream_window_octets, MAX_WINDOW_OCTETS)
        self._octets = min(max(limits.h2_connection_window_octets, INITIAL_WINDOW_OCTETS), MAX_WINDOW_OCTETS)
        self._unacknowledged = 0
        if self._octets > INITIAL_WINDOW_OCTETS:
            library.increment_flow_control_window(self._octets - INITIAL_WINDOW_OCTETS)

    def received(self, size: int) -> None:
        """Let the connection take as many octets again."""
        self._unacknowledged += size
        if self._unacknowledged >= self._octets // 2:
            self._library.increment_flow_control_window(self._unacknowledged)
            self._unacknowledged = 0

    def consumed(self, exchange_id: ExchangeId, stream: Stream, size: int) -> None:
        """Let a stream take as many octets again; or end it, where nobody wants them."""
        stream.unacknowledged += size
        if stream.unacknowledged < self._stream_octets // 2 or stream.request_ended:
            return
        if stream.responded:
            # RFC 9113 §8.1: "a server MAY request that the client abort transmission of a request without
            # error by sending a RST_STREAM with an error code of NO_ERROR". What fits the window may come.
            self._streams.reset(exchange_id, ErrorCodes.NO_ERROR)
        else:
            self._library.increment_flow_control_window(stream.unacknowledged, exchange_id)
            stream.unacknowledged = 0
