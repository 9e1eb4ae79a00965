"""
H2Connection: HTTP/2, over h2.

h2 keeps the state of streams, windows and compression. What it does not do, or does too eagerly,
stands here, and what it thinks of fields in ``h2_fields``:

- Frames are given to it one by one, so that a violation never swallows the events of the sound
  frames received with it, wherever the octets were cut.
- A malformed request is an error of its stream (RFC 9113 §8.1.1): its client gets a 400 with the
  reason, and then the reset. To h2 it would be one of the connection.
- Content is acknowledged in two parts: the connection's window as octets arrive, so that no
  slow handler holds up the other streams; the stream's window as its handler consumes them. What
  can pile up in memory is therefore the sum of the stream windows.
- After GOAWAY from the peer the streams that are open go on (RFC 9113 §6.8); h2 would stop.
- The reason of a violation goes into the debug data of our GOAWAY.
- A message's fields go out as a script wrote them, but for what HTTP/2 has no place for
  (RFC 9113 §8.2.2). h2's own checks and clean-ups of fields are off.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import h2.events
import h2.exceptions
from h2.connection import ConnectionState
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from h2.stream import StreamInputs
from hyperframe.frame import RstStreamFrame, SettingsFrame

from wptproto.errors import ExchangeClosed, LocalProtocolError, RemoteProtocolError
from wptproto.protocol.connection import Closing, Connection, reason_octets
from wptproto.protocol.events import (
    ContentReceived,
    Event,
    ExchangeId,
    ExchangeReset,
    PeerFinished,
    ProtocolViolated,
    RequestEnded,
    RequestReceived,
    UpgradeReceived,
    WindowOpened,
)
from wptproto.protocol.h1_octets import content_length
from wptproto.protocol.h2_allowance import Allowance
from wptproto.protocol.h2_fields import lowered, request_head, response_section, trailer_section
from wptproto.protocol.h2_frames import RawFrame
from wptproto.protocol.h2_library import (
    MAX_WINDOW_OCTETS,
    Library,
    TrailersWithoutEnd,
    code_name,
    error_code,
    reason,
)
from wptproto.protocol.h2_shape import FRAME_HEADER_OCTETS, shape_error, stream_of
from wptproto.protocol.rules import DEFAULT_RULES, Rules
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import ResponseHead, never_has_content

__all__ = ["PREFACE", "H2Connection"]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client sends first (RFC 9113 §3.4)."""

FRAMES_A_TURN = 100
"""How many frames one call takes, before others have their turn."""

_ACK = 0x1


@dataclass(slots=True)
class _Stream:
    """What we know of an exchange beside h2."""

    method: str
    missing: int | None = None  # octets promised by the request's Content-Length and not yet received
    request_ended: bool = False
    head_sent: bool = False
    ended: bool = False
    remaining: int | None = None  # octets promised by Content-Length and not yet sent
    delivered: int = 0  # content octets the handler has not acknowledged
    unacknowledged: int = 0  # octets that the client may send again, and has not been told yet
    responded: bool = False  # finished here, while the client still sends: drop what comes
    verbatim: bool = False  # octets went out that only the peer has taken apart
    framed: bool = False  # frames went out that h2 does not know of
    ended_by_frame: bool = False  # by one of those

    @property
    def is_short(self) -> bool:
        """Whether content is missing that Content-Length promised; END_STREAM would call it whole."""
        return self.remaining is not None and self.remaining > 0


class H2Connection(Connection):
    """One HTTP/2 connection, with many exchanges at a time."""

    def __init__(self, rules: Rules = DEFAULT_RULES, *, upgrade_settings: bytes | None = None) -> None:
        """
        Args:
            rules: What it goes by: how much its client may ask for.
            upgrade_settings: HTTP2-Settings, base64url, where an HTTP/1.1 connection is continued.
        """
        self._rules, limits = rules, rules.limits
        self._limits = limits
        self._allowance = Allowance(limits)
        self._stream_window_octets = min(limits.h2_stream_window_octets, MAX_WINDOW_OCTETS)
        self._window_octets = min(max(limits.h2_connection_window_octets, 65535), MAX_WINDOW_OCTETS)
        self._h2 = Library(limits)
        if upgrade_settings is None:
            self._h2.initiate_connection()
        else:
            self._h2.initiate_upgrade_connection(upgrade_settings)
        # Counted here, for one stream too many is an error of that stream alone (RFC 9113 §5.1.2).
        del self._h2.local_settings[SettingCodes.MAX_CONCURRENT_STREAMS]
        if self._window_octets > 65535:
            self._h2.increment_flow_control_window(self._window_octets - 65535)
        self._streams: dict[ExchangeId, _Stream] = {}
        self._buffer = bytearray()
        self._preface_pending = len(PREFACE)
        self._settings_pending = True
        self._unacknowledged = 0
        self._outgoing: list[bytes] = []
        self._peer_finished = False
        self._eof = False

    @classmethod
    def from_upgrade(
        cls, upgrade: UpgradeReceived, rules: Rules = DEFAULT_RULES
    ) -> tuple[H2Connection, list[Event]]:
        """
        Continue a connection whose HTTP/1.1 side answered 101.

        Returns:
            The connection, and the events of the upgraded request, which is stream 1 (RFC 7540 §3.2).
        """
        events: list[Event]
        try:
            connection = cls(rules, upgrade_settings=upgrade.settings)
        except h2.exceptions.ProtocolError as error:
            # HTTP2-Settings is as good as a SETTINGS frame (RFC 7540 §3.2.1), and as bad.
            connection, events = cls(rules), []
            connection._violated(error, events)
            return connection, events
        head = replace(upgrade.head, version="HTTP/2.0", octets=b"")  # as it is answered
        exchange_id = ExchangeId(1)
        connection._streams[exchange_id] = _Stream(head.method, request_ended=True)
        events = [
            RequestReceived(exchange_id, head, has_content=False),
            RequestEnded(exchange_id, Fields()),
        ]
        if upgrade.trailing_data:
            events += connection.receive_data(upgrade.trailing_data)
        return connection, events

    # --- receiving ---------------------------------------------------------------------------

    def tick(self, now_s: float) -> None:
        self._allowance.tick(now_s)

    @property
    def reading_paused(self) -> bool:
        return self.has_backlog

    def receive_data(self, data: bytes) -> list[Event]:
        if self.closing is not Closing.NO:
            return []
        self._buffer += data
        events: list[Event] = []
        try:
            self._take_preface()
            for _ in range(FRAMES_A_TURN):
                octets = self._take_frame()
                if octets is None:
                    self.has_backlog = False
                    break
                self._receive_frame(octets, events)
            else:
                self.has_backlog = True
        except h2.exceptions.ProtocolError as error:
            self._violated(error, events)
        return events

    def _take_preface(self) -> None:
        """Take what is there of the client's preface off the buffer, so that a wrong octet shows at once."""
        size = min(self._preface_pending, len(self._buffer))
        if size:
            self._h2.receive_data(bytes(self._buffer[:size]))
            del self._buffer[:size]
            self._preface_pending -= size

    def _take_frame(self) -> bytes | None:
        """Take one frame off the buffer; None where its rest must be received first."""
        if self.closing is not Closing.NO or self._preface_pending:
            return None
        size = self._frame_octets()
        if size > len(self._buffer):
            return None
        octets = bytes(self._buffer[:size])
        del self._buffer[:size]
        return octets

    def _frame_octets(self) -> int:
        """
        Look at the frame header in front, and return how long that frame is.

        Raises:
            h2.exceptions.ProtocolError: It is one that h2 would let pass, or would wait for the whole of.
        """
        if len(self._buffer) < FRAME_HEADER_OCTETS:
            return FRAME_HEADER_OCTETS
        kind, stream_id = self._buffer[3], stream_of(self._buffer)
        if self._settings_pending and (kind != SettingsFrame.type or self._buffer[4] & _ACK):
            # RFC 9113 §3.4: "This sequence MUST be followed by a SETTINGS frame"
            raise h2.exceptions.ProtocolError("the preface is not followed by SETTINGS")
        if kind == RstStreamFrame.type and stream_id > self._highest_stream_id(stream_id):
            # RFC 9113 §6.4: "RST_STREAM frames MUST NOT be sent for a stream in the "idle" state."
            raise h2.exceptions.ProtocolError(f"RST_STREAM for stream {stream_id}, which is idle")
        length = int.from_bytes(self._buffer[:3], "big")
        if kind == SettingsFrame.type and self._buffer[4] & _ACK and length:
            # RFC 9113 §6.5: it is "a connection error (Section 5.4.1) of type FRAME_SIZE_ERROR."
            raise h2.exceptions.FrameTooLargeError(f"SETTINGS with ACK and a payload of {length} octets")
        if length > self._h2.max_inbound_frame_size:
            raise h2.exceptions.FrameTooLargeError(
                f"a frame of {length} octets, where {self._h2.max_inbound_frame_size} are the most"
            )
        self._settings_pending = False
        return FRAME_HEADER_OCTETS + length

    def _highest_stream_id(self, like: int) -> int:
        """Return the highest stream in use of those that the same side opens (RFC 9113 §5.1.1)."""
        return self._h2.highest_inbound_stream_id if like % 2 else self._h2.highest_outbound_stream_id

    def _receive_frame(self, octets: bytes, events: list[Event]) -> None:
        self._allowance.take_frame(octets)
        before = self._h2.provoked
        exchange_id = ExchangeId(stream_of(octets))
        # On a stream that is not open, or inside a field block, it is an error of the connection.
        in_place = exchange_id in self._streams and not self._h2.is_inside_block
        if in_place and (error := shape_error(octets)) is not None:
            self._fail(exchange_id, error, events)
        else:
            for event in self._h2.receive_data(octets):
                self._translate(event, events)
        if self._h2.provoked != before:
            self._allowance.take_provoked(self._h2.provoked - before)

    def _violated(self, error: h2.exceptions.ProtocolError, events: list[Event]) -> None:
        words, code = reason(error), error_code(error)
        self._h2.close_connection(code, reason_octets(words))
        self._end_all(words, events)
        events.append(ProtocolViolated(RemoteProtocolError(words, error_code=int(code))))

    def _end_all(self, reason: str, events: list[Event]) -> None:
        self.closing = Closing.GRACEFUL
        self.has_backlog = False
        self._buffer.clear()
        events += [ExchangeReset(exchange_id, reason) for exchange_id in self._open()]
        self._streams.clear()

    def _open(self) -> list[ExchangeId]:
        return [exchange_id for exchange_id, stream in self._streams.items() if not stream.responded]

    def receive_eof(self) -> list[Event]:
        events: list[Event] = []
        if self.closing is not Closing.NO:
            return events
        self._eof = True
        if self._buffer or 0 < self._preface_pending < len(PREFACE):
            self._end_all("the client closed inside a frame", events)
            return events
        # Requests cut short will never be whole; complete ones are still answered.
        for exchange_id, stream in list(self._streams.items()):
            if not stream.request_ended:
                del self._streams[exchange_id]
                if not stream.responded:
                    events.append(ExchangeReset(exchange_id, "the client closed before its request ended"))
        events.append(WindowOpened(None))  # it never will, and who waits for it must learn that
        self._finish_peer("the client closed", events)
        return events

    def _finish_peer(self, reason: str, events: list[Event]) -> None:
        self._peer_finished = True
        events.append(PeerFinished(reason))
        if not self._streams:
            self.closing = Closing.GRACEFUL

    def _translate(self, event: h2.events.Event, events: list[Event]) -> None:
        match event:
            case h2.events.DataReceived():
                self._take_content(event, events)
            case h2.events.RequestReceived():
                self._take_request(event, events)
            case h2.events.StreamEnded():
                self._take_end(ExchangeId(event.stream_id), Fields(), events)
            case TrailersWithoutEnd(stream_id):
                error = RemoteProtocolError("the trailers do not end the request")
                self._fail(ExchangeId(stream_id), error, events)
            case h2.events.TrailersReceived():
                self._take_trailers(event, events)
            case h2.events.WindowUpdated():
                events.append(WindowOpened(ExchangeId(event.stream_id) if event.stream_id else None))
            case h2.events.RemoteSettingsChanged():
                if SettingCodes.INITIAL_WINDOW_SIZE in event.changed_settings:
                    events.append(WindowOpened(None))
            case h2.events.StreamReset():
                self._take_reset(event, events)
            case h2.events.ConnectionTerminated():
                self._take_goaway(event, events)
            case _:
                pass  # h2 has answered PING and SETTINGS; the others ask for nothing

    def _take_request(self, event: h2.events.RequestReceived, events: list[Event]) -> None:
        exchange_id = ExchangeId(event.stream_id)
        if len(self._streams) >= self._limits.h2_concurrent_streams:
            self._h2.reset_stream(exchange_id, ErrorCodes.REFUSED_STREAM)
            return
        ended = event.stream_ended is not None
        method = next((value for name, value in event.headers if name == b":method"), b"")
        self._streams[exchange_id] = stream = _Stream(method.decode("latin-1"))
        try:
            if len(event.headers) > self._limits.field_lines:
                raise RemoteProtocolError(
                    f"past the limit field_lines: more than {self._limits.field_lines}",
                    status_hint=431,
                    error_code=ErrorCodes.NO_ERROR,
                )
            head = request_head(event.headers)
            stream.missing = _promised(head.fields)
            if ended:
                _expect_none(stream.missing)
        except RemoteProtocolError as error:
            stream.request_ended = ended
            self._refuse(exchange_id, error, events)
            return
        expects_continue = not ended and b"100-continue" in head.fields.tokens(b"expect")
        events.append(RequestReceived(exchange_id, head, not ended, expects_continue))

    def _refuse(self, exchange_id: ExchangeId, error: RemoteProtocolError, events: list[Event]) -> None:
        """
        Answer a request that no handler will see: whole where it was sound, but too much.

        RFC 9113 §8.1.1: "For malformed requests, a server MAY send an HTTP response prior to closing or
        resetting the stream."
        """
        content = reason_octets(error.reason) + b"\n"
        lines = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(content))]
        if self._rules.date is not None:
            lines.append((b"date", self._rules.date()))
        stream = self._streams[exchange_id]
        is_whole = error.error_code == ErrorCodes.NO_ERROR
        head = ResponseHead(error.status_hint, Fields(lines))
        self.send_head(exchange_id, head, end=is_whole and stream.method == "HEAD")
        if stream.method != "HEAD":
            self.send_content(exchange_id, content, end=is_whole)
        stream.responded = True
        self._fail(exchange_id, error, events)

    def _fail(self, exchange_id: ExchangeId, error: RemoteProtocolError, events: list[Event]) -> None:
        """End one exchange: a malformed request is a stream error, of type PROTOCOL_ERROR (§8.1.1)."""
        error.exchange_id = exchange_id
        if not self._streams[exchange_id].responded:
            events.append(ExchangeReset(exchange_id, error.reason))
        events.append(ProtocolViolated(error))
        self._reset(exchange_id, ErrorCodes(error.error_code))

    def _take_content(self, event: h2.events.DataReceived, events: list[Event]) -> None:
        exchange_id = ExchangeId(event.stream_id)
        size = event.flow_controlled_length
        self._open_connection_window(size)
        stream = self._streams[exchange_id]
        if stream.missing is not None:
            stream.missing -= len(event.data)
            try:
                _expect_none(stream.missing if event.stream_ended is not None else min(0, stream.missing))
            except RemoteProtocolError as error:
                stream.request_ended = event.stream_ended is not None
                self._fail(exchange_id, error, events)
                return
        wanted = 0 if stream.responded else len(event.data)
        stream.delivered += wanted
        if event.stream_ended is None:
            self._open_window(exchange_id, stream, size - wanted)  # padding is nobody's to consume
        last = event.stream_ended is not None
        if wanted or (last and not stream.responded):
            events.append(ContentReceived(exchange_id, event.data, last))

    def _take_trailers(self, event: h2.events.TrailersReceived, events: list[Event]) -> None:
        exchange_id = ExchangeId(event.stream_id)
        stream = self._streams[exchange_id]
        try:
            trailers = trailer_section(event.headers)
            _expect_none(stream.missing)
        except RemoteProtocolError as error:
            stream.request_ended = True
            self._fail(exchange_id, error, events)
        else:
            self._take_end(exchange_id, trailers, events)

    def _take_end(self, exchange_id: ExchangeId, trailers: Fields, events: list[Event]) -> None:
        stream = self._streams.get(exchange_id)
        if stream is None or stream.request_ended:
            return  # StreamEnded follows TrailersReceived
        stream.request_ended = True
        if stream.responded:
            self._forget(exchange_id)
        else:
            events.append(RequestEnded(exchange_id, trailers))

    def _take_reset(self, event: h2.events.StreamReset, events: list[Event]) -> None:
        exchange_id = ExchangeId(event.stream_id)
        stream = self._streams.pop(exchange_id, None)
        if stream is not None and not stream.responded:
            who = "the client" if event.remote_reset else "we"
            reason = f"{who} reset the stream: {code_name(event.error_code)}"
            events.append(ExchangeReset(exchange_id, reason))
        self._close_when_done()

    def _take_goaway(self, event: h2.events.ConnectionTerminated, events: list[Event]) -> None:
        # RFC 9113 §6.8: GOAWAY "allows an endpoint to gracefully stop accepting new streams while
        # still finishing processing of previously established streams." h2 takes it for the end.
        self._h2.state_machine.state = ConnectionState.SERVER_OPEN
        debug = f": {event.additional_data!r}" if event.additional_data else ""
        self._finish_peer(f"GOAWAY {code_name(event.error_code)}{debug}", events)

    # --- sending -----------------------------------------------------------------------------

    def send_informational(self, exchange_id: ExchangeId, head: ResponseHead) -> None:
        stream = self._stream(exchange_id)
        if stream.head_sent:
            raise LocalProtocolError(f"{head.status} after the final response began", exchange_id=exchange_id)
        if not 100 <= head.status < 200 or head.status == 101:
            # RFC 9113 §8.6: "HTTP/2 removes support for the 101 (Switching Protocols)"
            raise LocalProtocolError(
                f"HTTP/2 has no informational response with status {head.status}", exchange_id=exchange_id
            )
        self._send_headers(exchange_id, response_section(head))

    def send_head(self, exchange_id: ExchangeId, head: ResponseHead, *, end: bool = False) -> None:
        stream = self._stream(exchange_id)
        if stream.head_sent:
            raise LocalProtocolError("a final head was sent already", exchange_id=exchange_id)
        if not 200 <= head.status <= 999:
            raise LocalProtocolError(
                f"HTTP/2 has no final response with status {head.status}", exchange_id=exchange_id
            )
        if not never_has_content(stream.method, head.status):
            try:
                stream.remaining = content_length(head.fields)
            except ValueError:
                pass  # it promises nothing that could be kept
        stream.ended = end and not stream.remaining
        stream.head_sent = True
        self._send_headers(exchange_id, response_section(head), end=stream.ended)

    def send_content(self, exchange_id: ExchangeId, data: bytes | memoryview, *, end: bool = False) -> int:
        stream = self._continuing(exchange_id)
        size = len(data)
        taken = 0
        while taken < size:
            room = min(self._h2.local_flow_control_window(exchange_id), self._h2.max_outbound_frame_size)
            if room <= 0:
                break
            piece = data[taken : taken + room]
            taken += len(piece)
            self._allowance.sent(len(piece))
            if stream.remaining is not None:
                stream.remaining -= len(piece)
            stream.ended = end and taken == size and not stream.is_short
            self._h2.send_data(exchange_id, piece, end_stream=stream.ended)
        if end and not size and not stream.is_short:
            self._h2.end_stream(exchange_id)
            stream.ended = True
        if taken < size and self._eof:
            self.abort(exchange_id)
            raise ExchangeClosed("the client closed with its window shut")
        return taken

    def send_trailers(self, exchange_id: ExchangeId, trailers: Fields) -> None:
        stream = self._continuing(exchange_id)
        lines = lowered(trailers)
        if lines:
            self._send_headers(exchange_id, lines, end=True)
        else:
            self._h2.end_stream(exchange_id)  # HEADERS cannot be empty, to h2
        stream.ended = True

    def _send_headers(self, exchange_id: ExchangeId, lines: list[FieldLine], *, end: bool = False) -> None:
        try:
            self._h2.send_headers(exchange_id, lines, end_stream=end)
        except h2.exceptions.ProtocolError as error:
            raise LocalProtocolError(str(error), exchange_id=exchange_id) from error

    def send_verbatim(self, exchange_id: ExchangeId, octets: bytes) -> None:
        stream = self._stream(exchange_id)
        self._flush()
        self._outgoing.append(octets)
        stream.verbatim = True

    def send_frame(self, exchange_id: ExchangeId, frame: RawFrame) -> None:
        stream = self._stream(exchange_id)
        self._flush()
        self._outgoing.append(frame.serialize(exchange_id, self._h2.encoder))
        stream.framed = True
        stream.ended_by_frame = stream.ended_by_frame or frame.ends_stream(exchange_id)

    def push(
        self, exchange_id: ExchangeId, lines: list[FieldLine], promised_id: int | None = None
    ) -> RequestReceived:
        self._stream(exchange_id)
        try:
            head = request_head(lines)
            if promised_id is None:
                promised_id = self._h2.get_next_available_stream_id()
            self._h2.push_stream(exchange_id, promised_id, lines)
        except RemoteProtocolError as error:
            raise LocalProtocolError(f"promised: {error.reason}", exchange_id=exchange_id) from error
        except h2.exceptions.ProtocolError as error:
            raise LocalProtocolError(f"no push: {reason(error)}", exchange_id=exchange_id) from error
        promised = ExchangeId(promised_id)
        self._streams[promised] = _Stream(head.method, request_ended=True)
        return RequestReceived(promised, head, has_content=False)

    def room(self, exchange_id: ExchangeId) -> int:
        self._stream(exchange_id)
        return max(0, min(self._h2.local_flow_control_window(exchange_id), self._h2.max_outbound_frame_size))

    def finish(self, exchange_id: ExchangeId, *, close: bool = False) -> list[Event]:
        stream = self._streams.get(exchange_id)
        if stream is None:
            return []
        if stream.ended_by_frame or (stream.verbatim and not stream.ended):
            self._retire(exchange_id)
            return []
        if (not stream.head_sent and not stream.framed) or stream.is_short:
            self.abort(exchange_id)
            return []
        if not stream.ended:
            self._h2.end_stream(exchange_id)
            stream.ended = True
        if stream.request_ended:
            self._forget(exchange_id)
        else:
            stream.responded = True
            self._open_window(exchange_id, stream, stream.delivered)  # nobody will acknowledge it now
        return []

    def abort(self, exchange_id: ExchangeId) -> None:
        if exchange_id in self._streams:
            self._reset(exchange_id, ErrorCodes.INTERNAL_ERROR)

    def _reset(self, exchange_id: ExchangeId, error_code: ErrorCodes) -> None:
        stream = self._streams[exchange_id]
        if not (stream.ended and stream.request_ended):
            self._h2.reset_stream(exchange_id, error_code)
        self._forget(exchange_id)

    def acknowledge(self, exchange_id: ExchangeId, consumed: int) -> None:
        stream = self._streams.get(exchange_id)
        if stream is not None and not stream.responded:
            stream.delivered -= consumed
            self._open_window(exchange_id, stream, consumed)

    def close(self, reason: str = "") -> None:
        if self.closing is Closing.NO:
            self._h2.close_connection(ErrorCodes.NO_ERROR, reason_octets(reason))
            self._streams.clear()
            self.closing = Closing.GRACEFUL

    def data_to_send(self) -> bytes:
        self._flush()
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def _flush(self) -> None:
        """Move what h2 has queued behind what stands there."""
        self._outgoing.append(self._h2.data_to_send())

    def _open_connection_window(self, size: int) -> None:
        self._unacknowledged += size
        if self._unacknowledged >= self._window_octets // 2:
            self._h2.increment_flow_control_window(self._unacknowledged)
            self._unacknowledged = 0

    def _open_window(self, exchange_id: ExchangeId, stream: _Stream, size: int) -> None:
        stream.unacknowledged += size
        if stream.unacknowledged < self._stream_window_octets // 2 or stream.request_ended:
            return
        if stream.responded:
            # RFC 9113 §8.1: "a server MAY request that the client abort transmission of a request without
            # error by sending a RST_STREAM with an error code of NO_ERROR". What fits the window may come.
            self._reset(exchange_id, ErrorCodes.NO_ERROR)
        else:
            self._h2.increment_flow_control_window(stream.unacknowledged, exchange_id)
            stream.unacknowledged = 0

    def _retire(self, exchange_id: ExchangeId) -> None:
        """End a stream for h2 alone: the peer has seen raw frames, and h2 has not."""
        self._flush()
        self._h2.streams[exchange_id].state_machine.process_input(StreamInputs.SEND_RST_STREAM)
        self._forget(exchange_id)

    def _forget(self, exchange_id: ExchangeId) -> None:
        del self._streams[exchange_id]
        self._close_when_done()

    def _close_when_done(self) -> None:
        if self._peer_finished and not self._streams:
            self.closing = Closing.GRACEFUL

    def _stream(self, exchange_id: ExchangeId) -> _Stream:
        stream = self._streams.get(exchange_id)
        if stream is None or stream.responded:
            raise ExchangeClosed(f"stream {exchange_id} is over")
        return stream

    def _continuing(self, exchange_id: ExchangeId) -> _Stream:
        stream = self._stream(exchange_id)
        if not stream.head_sent and not stream.framed:
            raise LocalProtocolError("content before the head", exchange_id=exchange_id)
        if stream.ended:
            raise LocalProtocolError("content after its end", exchange_id=exchange_id)
        return stream


def _promised(fields: Fields) -> int | None:
    """
    Return the length that a request's fields promise.

    Raises:
        RemoteProtocolError: They promise none that could be kept.
    """
    try:
        return content_length(fields)
    except ValueError as error:
        raise RemoteProtocolError(f"Content-Length is {error}") from error


def _expect_none(missing: int | None) -> None:
    """
    See that a request has the content that it promised.

    RFC 9113 §8.1.1: a request is malformed if its Content-Length "does not equal the sum of the DATA frame
    payload lengths that form the content".

    Raises:
        RemoteProtocolError: It has not.
    """
    if missing:
        where = "before" if missing > 0 else "past"
        raise RemoteProtocolError(f"the request is {abs(missing)} octets {where} its Content-Length")
