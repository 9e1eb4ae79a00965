"""
Responses: the sending half of an HTTP/2 connection, verbs in, frames out.

A message's fields go out as a script wrote them, but for what HTTP/2 has no place for (RFC 9113 §8.2.2).
What each verb takes and raises stands at :class:`~wptproto.protocol.connection.Connection`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import h2.exceptions
from h2.errors import ErrorCodes

from wptproto.errors import ExchangeClosed, LocalProtocolError, RemoteProtocolError
from wptproto.h2_codes import DATA, END_STREAM, GOAWAY, RST_STREAM
from wptproto.protocol.events import ExchangeId, RequestReceived
from wptproto.protocol.h2_allowance import Allowance
from wptproto.protocol.h2_fields import ResponseSection, lowered, request_head
from wptproto.protocol.h2_frames import RawFrame
from wptproto.protocol.h2_library import Library, reason
from wptproto.protocol.h2_streams import Stream, Streams
from wptproto.protocol.h2_windows import Windows
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import ResponseHead, never_has_content

__all__ = ["Responses"]


class Responses:
    """
    What is sent on the streams of one connection.

    Attributes:
        windows_are_final: The client will open none again, for it has closed its side.
    """

    def __init__(
        self,
        library: Library,
        streams: Streams,
        windows: Windows,
        allowance: Allowance,
        section_of: Callable[[ResponseHead], ResponseSection],
    ) -> None:
        """
        Args:
            library: Makes the frames, and keeps the client's windows.
            streams: Those that can be answered.
            windows: Our own, for what a client still sends behind its response.
            allowance: Is told of what went out.
            section_of: Says what a head becomes, as :func:`~wptproto.protocol.h2_fields.response_section`.
        """
        self._library = library
        self._streams = streams
        self._windows = windows
        self._allowance = allowance
        self._section_of = section_of
        self.windows_are_final = False

    def send_informational(self, exchange_id: ExchangeId, head: ResponseHead) -> None:
        stream = self._streams.answering(exchange_id)
        if stream.head_sent or stream.ended:
            raise LocalProtocolError(f"{head.status} after the final response began", exchange_id=exchange_id)
        if not 100 <= head.status < 200 or head.status == 101:
            # RFC 9113 §8.6: "HTTP/2 removes support for the 101 (Switching Protocols)"
            raise LocalProtocolError(
                f"HTTP/2 has no informational response with status {head.status}", exchange_id=exchange_id
            )
        if self._streams.is_promised(exchange_id):
            # h2 knows of none there, and would close the stream.
            raise LocalProtocolError(f"{head.status} before a promised response", exchange_id=exchange_id)
        if head.status == 100:
            stream.expects_continue = False
        self._send_headers(exchange_id, self._section_of(head).lines)

    def send_head(self, exchange_id: ExchangeId, head: ResponseHead, *, end: bool = False) -> None:
        stream = self._streams.answering(exchange_id)
        if stream.head_sent or stream.ended:  # by hand, in the latter case
            raise LocalProtocolError("a final head was sent already", exchange_id=exchange_id)
        if not 200 <= head.status <= 999:
            raise LocalProtocolError(
                f"HTTP/2 has no final response with status {head.status}", exchange_id=exchange_id
            )
        section = self._section_of(head)
        if not never_has_content(stream.method, head.status):
            stream.remaining = section.promised
        stream.ended = end and not stream.remaining
        stream.head_sent = True
        self._send_head(exchange_id, section, end=stream.ended)

    def respond(self, exchange_id: ExchangeId, head: ResponseHead, data: bytes) -> bool:
        """Send a whole response, if there is nothing unusual about it, and its window has room."""
        stream, section, size = self._streams.get(exchange_id), self._section_of(head), len(data)
        if (
            stream is None
            or not stream.is_unanswered
            or not size
            or section.promised not in (None, size)
            or not 200 <= head.status <= 999
            or never_has_content(stream.method, head.status)
            or self._library.local_flow_control_window(exchange_id) < size
        ):
            return False
        self._send_head(exchange_id, section, end=False)
        self._allowance.sent(size)
        self._library.send_content(exchange_id, data, end=True)
        del self._streams[exchange_id]
        return True

    def send_content(self, exchange_id: ExchangeId, data: bytes | memoryview, *, end: bool = False) -> int:
        stream = self._continuing(exchange_id)
        size = len(data)
        taken = min(size, max(0, self._library.local_flow_control_window(exchange_id)))
        self._allowance.sent(taken)
        if stream.remaining is not None:
            stream.remaining -= taken
        stream.ended = end and taken == size and not stream.is_short
        if taken:
            self._library.send_content(exchange_id, data[:taken], end=stream.ended)
        elif stream.ended:
            self._library.end_stream(exchange_id)
        if taken < size and self.windows_are_final:
            self.abort(exchange_id)
            raise ExchangeClosed("the client closed with its window shut")
        return taken

    def send_trailers(self, exchange_id: ExchangeId, trailers: Fields) -> None:
        stream = self._continuing(exchange_id)
        lines = lowered(trailers)
        if lines:
            self._send_headers(exchange_id, lines, end=True)
        else:
            self._library.end_stream(exchange_id)  # HEADERS cannot be empty, to h2
        stream.ended = True

    def send_verbatim(self, exchange_id: ExchangeId, octets: bytes) -> None:
        stream = self._streams.answering(exchange_id)
        self._library.send_octets(octets)
        stream.verbatim = True

    def send_frame(self, exchange_id: ExchangeId, frame: RawFrame) -> None:
        stream = self._streams.answering(exchange_id)
        self._library.send_octets(frame.serialize(exchange_id, self._library.encoder))
        self._streams.begin_by_hand(exchange_id)
        stream.framed = True
        stream.ended_by_frame = stream.ended_by_frame or frame.ends_stream(exchange_id)

    def push(
        self, exchange_id: ExchangeId, lines: list[FieldLine], promised_id: int | None = None
    ) -> RequestReceived:
        if (why := self.reason_not_to_push(exchange_id)) is not None:
            raise LocalProtocolError(f"no push: {why}", exchange_id=exchange_id)
        try:
            head = request_head(lines)
            if promised_id is None:
                promised_id = self._library.get_next_available_stream_id()
            self._library.push_stream(exchange_id, promised_id, lines)
        except RemoteProtocolError as error:
            raise LocalProtocolError(f"promised: {error.reason}", exchange_id=exchange_id) from error
        except h2.exceptions.ProtocolError as error:
            raise LocalProtocolError(f"no push: {reason(error)}", exchange_id=exchange_id) from error
        promised = ExchangeId(promised_id)
        self._streams[promised] = Stream(head.method, request_ended=True)
        return RequestReceived(promised, head, has_content=False)

    def reason_not_to_push(self, exchange_id: ExchangeId) -> str | None:
        """Return what is in the way of a promise on a stream; None where nothing is (RFC 9113 §8.4)."""
        if self._streams.answering(exchange_id).ended:
            # RFC 9113 §6.6: on a stream that is "open" or "half-closed (remote)". h2 would close it for that.
            return "the response has ended"
        if exchange_id % 2 == 0:
            return "the request was promised itself, and a promise has to stand on a stream of the client's"
        if self._streams.are_last:
            # RFC 9113 §6.8: "Receivers of a GOAWAY frame MUST NOT open additional streams on the connection".
            return "the connection takes no further streams"
        settings = self._library.remote_settings
        if not settings.enable_push:
            return "the client wants none (SETTINGS_ENABLE_PUSH)"
        # RFC 9113 §5.1.2: "Endpoints MUST NOT exceed the limit set by their peer." A promise whose response
        # has not begun does not count there, but that would have to wait.
        pushed = sum(1 for stream_id in self._streams if stream_id % 2 == 0)
        if pushed >= settings.max_concurrent_streams:
            most = settings.max_concurrent_streams
            return f"the client takes {most} at a time (SETTINGS_MAX_CONCURRENT_STREAMS)"
        return None

    def room(self, exchange_id: ExchangeId) -> int:
        if self._streams.answering(exchange_id).ended:
            return 0  # and h2 may have forgotten it
        window = self._library.local_flow_control_window(exchange_id)
        return max(0, min(window, self._library.max_outbound_frame_size))

    def finish(self, exchange_id: ExchangeId) -> None:
        stream = self._streams.get(exchange_id)
        if stream is None:
            return
        if stream.ended_by_frame or (stream.verbatim and not stream.ended):
            self._streams.retire(exchange_id)
            return
        if (not stream.head_sent and not stream.framed) or stream.is_short:
            self.abort(exchange_id)
            return
        if not stream.ended:
            self._library.end_stream(exchange_id)
            stream.ended = True
        if stream.request_ended:
            del self._streams[exchange_id]
        elif stream.failed:
            self._streams.reset(exchange_id, ErrorCodes.NO_ERROR)
        else:
            stream.responded = True
            self._windows.consumed(exchange_id, stream, stream.delivered)  # nobody will acknowledge it now

    def abort(self, exchange_id: ExchangeId, *, too_slow: bool = False) -> None:
        if exchange_id in self._streams:
            code = ErrorCodes.ENHANCE_YOUR_CALM if too_slow else ErrorCodes.INTERNAL_ERROR
            self._streams.reset(exchange_id, code)

    def reset(self, exchange_id: ExchangeId, error_code: int) -> None:
        self._send_by_hand(exchange_id, RawFrame(RST_STREAM, payload=error_code.to_bytes(4, "big")))

    def go_away(self, last_id: ExchangeId, error_code: int, debug: bytes) -> None:
        payload = last_id.to_bytes(4, "big") + error_code.to_bytes(4, "big") + debug
        self._library.send_octets(RawFrame(GOAWAY, payload=payload).serialize(0, self._library.encoder))

    def truncate(self, exchange_id: ExchangeId) -> None:
        stream = self._streams.get(exchange_id)
        if stream is None:
            return
        if stream.ended:
            self._streams.retire(exchange_id)  # there was nothing to leave out
        else:
            self._send_by_hand(exchange_id, RawFrame(DATA, END_STREAM))

    def _send_by_hand(self, exchange_id: ExchangeId, last: RawFrame) -> None:
        """Send a frame that ends a stream, though h2 would not, or has forgotten it."""
        self._library.send_octets(last.serialize(exchange_id, self._library.encoder))
        if exchange_id in self._streams:
            self._streams.retire(exchange_id)

    def _send_head(self, exchange_id: ExchangeId, section: ResponseSection, *, end: bool) -> None:
        try:
            self._library.send_head(exchange_id, section.lines, end=end)
        except h2.exceptions.ProtocolError as error:
            raise LocalProtocolError(str(error), exchange_id=exchange_id) from error

    def _send_headers(
        self, exchange_id: ExchangeId, lines: Sequence[FieldLine], *, end: bool = False
    ) -> None:
        try:
            self._library.send_headers(exchange_id, lines, end_stream=end)
        except h2.exceptions.ProtocolError as error:
            raise LocalProtocolError(str(error), exchange_id=exchange_id) from error

    def _continuing(self, exchange_id: ExchangeId) -> Stream:
        """Return a stream whose response has begun and not ended."""
        stream = self._streams.answering(exchange_id)
        if not stream.head_sent and not stream.framed:
            raise LocalProtocolError("content before the head", exchange_id=exchange_id)
        if stream.ended:
            raise LocalProtocolError("content after its end", exchange_id=exchange_id)
        return stream
