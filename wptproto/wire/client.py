"""
H2Client: what is known of the client at the other end of an HTTP/2 connection; octets in, frames out.

It reads along both ways: what the client sends, and what the test sends it, for whether a frame is right
depends on both. It forbids nothing. What a client breaks is a
:class:`~wptproto.protocol.violations.Violation`, and the next frame is read as if nothing had been.

What it cannot know: which of our frames a client had read when it sent one of its own. So what is
sent on a stream that the test has reset, or behind its GOAWAY, is never called wrong, and settings of ours
count from the client's acknowledgement on. A value that widens what is allowed counts at once.

RFC 9113 §3.4, §5.1, §6.5.3, §6.9.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from wptproto.h2_codes import ErrorCode, FrameKind, Setting
from wptproto.protocol.connection import WindowState
from wptproto.protocol.h2_field_blocks import DecodingError, FieldBlockDecoder, FieldBlockEncoder
from wptproto.protocol.h2_frame_rules import broken_by_frame
from wptproto.protocol.h2_frame_types import (
    BlockFrame,
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from wptproto.protocol.h2_frames import MAX_WINDOW_OCTETS, PREFACE
from wptproto.protocol.h2_parsing import FrameReader, parse
from wptproto.protocol.violations import Violation
from wptproto.wire.field_rules import broken_by_request, broken_by_trailers, promised_length
from wptproto.wire.windows import Windows, state

__all__ = ["H2Client"]

MAX_FRAME_OCTETS = 2**14


@dataclass(slots=True)
class _Stream:
    """One stream that the client has opened."""

    has_head: bool = False
    ended: bool = False  # by the client
    reset: bool = False  # by the client
    ended_here: bool = False
    reset_here: bool = False
    content_octets: int = 0
    promised_octets: int | None = None

    @property
    def is_over(self) -> bool:
        return self.reset or self.reset_here or (self.ended and self.ended_here)


class H2Client:
    """
    A client, as far as its frames and ours tell.

    Attributes:
        settings: What it has announced, by number.
        unacknowledged: Settings of ours that it has not acknowledged yet, the oldest first.
        has_been_told: We have sent SETTINGS, which has to be the first frame (RFC 9113 §3.4).
        to_send: The windows for what we send.
        to_receive: The windows for what it sends.
        decoder: Reads its field blocks.
        encoder: Makes ours.
        preface: What came in the place of the connection preface, as far as it has come.
    """

    def __init__(self) -> None:
        self.settings: dict[int, int] = {}
        self.unacknowledged: deque[dict[int, int]] = deque()
        self.has_been_told = False
        self.to_send = Windows()
        self.to_receive = Windows()
        self.decoder = FieldBlockDecoder()
        self.encoder = FieldBlockEncoder()
        self.preface = b""
        self._reader = FrameReader()
        self._streams: dict[int, _Stream] = {}
        self._own_settings: dict[int, int] = {}  # acknowledged ones
        self._has_begun = False  # by a frame
        self._block: list[BlockFrame] = []  # the frames of a field block that goes on
        self._can_decode = True
        self._found: list[Violation] = []

    # --- octets in -----------------------------------------------------------------------------

    @property
    def has_prefaced(self) -> bool:
        """Whether all of the connection preface has come, and it is one (RFC 9113 §3.4)."""
        return self.preface == PREFACE

    @property
    def rest(self) -> bytes:
        """What has come of a frame that is not whole."""
        return self._reader.rest

    def receive(self, octets: bytes) -> Iterator[tuple[Frame, list[Violation]]]:
        """
        Take octets, cut anywhere, and yield each frame that is whole now, with what it breaks.

        Nothing is a frame before the preface has come; where something else has, nothing ever is.
        """
        missing = len(PREFACE) - len(self.preface)
        if missing:
            self.preface += octets[:missing]
            octets = octets[missing:]
        if not self.has_prefaced:
            return
        for frame in self._reader.feed(octets):
            taken = self._take(frame)
            found, self._found = self._found, []
            yield taken, found

    def windows(self, stream_id: int) -> WindowState:
        """Return what may be sent on a stream, both ways; on all together for stream 0."""
        return state(self.to_send, self.to_receive, stream_id)

    @property
    def streams(self) -> list[int]:
        """The streams that it has opened, in order."""
        return list(self._streams)

    def open_streams(self) -> list[int]:
        """Return the streams on which the client has more to send."""
        return [number for number, stream in self._streams.items() if not (stream.ended or stream.is_over)]

    # --- what we send --------------------------------------------------------------------------

    def sent(self, octets: bytes) -> Frame:
        """Take note of a frame that was sent, as octets of which the length is true; return it."""
        frame = parse(octets)
        stream = self._streams.get(frame.stream_id)
        match frame:
            case DataFrame():
                self.to_send.take(frame.stream_id, len(frame.payload))
            case SettingsFrame(ack=False):
                self._announce(dict(frame.settings))
            case WindowUpdateFrame(increment=increment):
                self.to_receive.open(frame.stream_id, increment)
            case RstStreamFrame() if stream is not None:
                stream.reset_here = True
        if frame.end_stream and stream is not None:
            stream.ended_here = True
        return frame

    def _announce(self, settings: dict[int, int]) -> None:
        self.has_been_told = True
        self.unacknowledged.append(settings)
        allowed = settings.get(Setting.HEADER_TABLE_SIZE)
        if allowed is not None:
            self.decoder.allowed_octets = max(self.decoder.allowed_octets, allowed)

    # --- what comes ----------------------------------------------------------------------------

    def _take(self, frame: Frame) -> Frame:
        most = self._allowed(Setting.MAX_FRAME_SIZE, MAX_FRAME_OCTETS)
        self._found += broken_by_frame(frame, most, by_client=True)
        if not self._has_begun:
            self._has_begun = True
            if frame.kind != FrameKind.SETTINGS or frame.flags:
                self._break(
                    frame, f"the first frame is {frame.name}, and has to be SETTINGS", "RFC 9113 §3.4"
                )
        self._check_block(frame)
        match frame:
            case BlockFrame():
                return self._take_block(frame)
            case DataFrame():
                self._take_data(frame)
            case SettingsFrame():
                self._take_settings(frame)
            case WindowUpdateFrame():
                self._take_window_update(frame)
            case RstStreamFrame():
                stream = self._known(frame, "RFC 9113 §6.4")
                if stream is not None:
                    stream.reset = True
        return frame

    def _break(
        self, frame: Frame, reason: str, section: str, code: ErrorCode = ErrorCode.PROTOCOL_ERROR
    ) -> None:
        self._found.append(Violation(reason, section, frame.stream_id, frame, code))

    def _allowed(self, setting: Setting, default: int) -> int:
        """Return the largest value of a setting of ours by which the client may go."""
        now = self._own_settings.get(setting, default)
        return max([now, *(pending[setting] for pending in self.unacknowledged if setting in pending)])

    def _known(self, frame: Frame, section: str) -> _Stream | None:
        """Return the stream of a frame that cannot open one."""
        stream = self._streams.get(frame.stream_id)
        # Even numbers are those that we promise.
        if stream is None and frame.stream_id % 2 and frame.stream_id > max(self._streams, default=0):
            self._break(frame, f"{frame.name} on a stream that is idle", section)
        return stream

    # --- field blocks --------------------------------------------------------------------------

    def _check_block(self, frame: Frame) -> None:
        """See that nothing comes between the frames of a field block (RFC 9113 §4.3)."""
        if not self._block:
            if frame.kind == FrameKind.CONTINUATION and frame.stream_id:
                self._break(
                    frame, "CONTINUATION, and there is no field block to go on with", "RFC 9113 §6.10"
                )
            return
        first = self._block[0]
        if frame.kind != FrameKind.CONTINUATION or frame.stream_id != first.stream_id:
            reason = f"{frame.name} amidst the field block of stream {first.stream_id}"
            self._break(frame, reason, "RFC 9113 §6.10")

    def _take_block(self, frame: BlockFrame) -> Frame:
        if isinstance(frame, ContinuationFrame):
            if not self._block or frame.stream_id != self._block[0].stream_id:
                return frame
        else:
            self._block.clear()
            if isinstance(frame, HeadersFrame):
                self._open(frame)
        self._block.append(frame)
        if not frame.end_headers:
            return frame
        block, self._block = self._block, []
        last = self._decode(block)
        stream = self._streams.get(block[0].stream_id)
        if stream is not None and block[0].end_stream:
            self._end(stream, last)
        return last

    def _decode(self, block: list[BlockFrame]) -> Frame:
        first, last = block[0], block[-1]
        if not self._can_decode:
            return last
        try:
            decoded = self.decoder.decode(b"".join(frame.fragment for frame in block))
        except DecodingError as error:
            self._can_decode = False  # the tables are out of step from here on
            self._break(last, error.reason, error.section, ErrorCode.COMPRESSION_ERROR)
            return last
        found = replace(last, fields=decoded.fields, representations=decoded.representations)
        for reason, section in decoded.faults:
            self._break(found, reason, section, ErrorCode.COMPRESSION_ERROR)
        if isinstance(first, HeadersFrame):
            self._take_fields(first, found)
        return found

    def _open(self, frame: HeadersFrame) -> None:
        """See what HEADERS do to their stream (RFC 9113 §5.1, §5.1.1)."""
        number = frame.stream_id
        stream = self._streams.get(number)
        if stream is not None:
            if stream.ended or stream.reset:
                reason = "HEADERS on a stream that the client has ended"
                self._break(frame, reason, "RFC 9113 §5.1", ErrorCode.STREAM_CLOSED)
            elif not frame.end_stream:
                self._break(frame, "trailers that do not end the stream", "RFC 9113 §8.1")
            return
        if number == 0:
            return
        if number % 2 == 0:
            self._break(frame, f"a client's streams are odd, and {number} is not", "RFC 9113 §5.1.1")
        elif number < (highest := max(self._streams, default=0)):
            self._break(frame, f"a new stream {number} behind stream {highest}", "RFC 9113 §5.1.1")
        active = sum(not other.is_over for other in self._streams.values())
        most = self._allowed(Setting.MAX_CONCURRENT_STREAMS, 2**32)
        if active >= most:
            reason = f"one stream more than the {most} that may be there at a time"
            self._break(frame, reason, "RFC 9113 §5.1.2", ErrorCode.REFUSED_STREAM)
        self._streams[number] = _Stream()

    def _take_fields(self, first: HeadersFrame, last: BlockFrame) -> None:
        """See what the fields of a request break, once they are there."""
        stream, lines = self._streams.get(first.stream_id), last.fields or ()
        if stream is None or stream.ended or stream.reset:
            return  # which has been told of
        is_head, stream.has_head = not stream.has_head, True
        connect = bool(self._allowed(Setting.ENABLE_CONNECT_PROTOCOL, 0))
        rules = broken_by_request(lines, extended_connect=connect) if is_head else broken_by_trailers(lines)
        for reason, section in rules:
            self._break(last, reason, section)
        if is_head:
            stream.promised_octets = promised_length(lines)

    # --- content -------------------------------------------------------------------------------

    def _take_data(self, frame: DataFrame) -> None:
        if not frame.stream_id:
            return
        stream = self._known(frame, "RFC 9113 §5.1")
        if stream is not None and (stream.ended or stream.reset):
            reason = "DATA on a stream that the client has ended"
            self._break(frame, reason, "RFC 9113 §5.1", ErrorCode.STREAM_CLOSED)
        self._take_window(frame)
        if stream is None:
            return
        stream.content_octets += len(frame.content)
        if frame.end_stream:
            self._end(stream, frame)

    def _take_window(self, frame: DataFrame) -> None:
        size = len(frame.payload)
        self.to_receive.take(frame.stream_id, size)
        room = self.windows(frame.stream_id).to_receive, self.windows(0).to_receive
        if size and min(room) < 0:
            whose = "its stream's window" if room[0] < 0 else "the connection's window"
            reason = f"DATA of {size} octets, {-min(room)} more than {whose} had"
            self._break(frame, reason, "RFC 9113 §6.9.1", ErrorCode.FLOW_CONTROL_ERROR)

    def _end(self, stream: _Stream, frame: Frame) -> None:
        promised = stream.promised_octets
        if promised is not None and promised != stream.content_octets and not stream.ended:
            reason = f"{stream.content_octets} octets of content, where content-length is {promised}"
            self._break(frame, reason, "RFC 9113 §8.1.1")
        stream.ended = True

    # --- settings and windows ------------------------------------------------------------------

    def _take_settings(self, frame: SettingsFrame) -> None:
        if frame.ack:
            if not self.unacknowledged:
                self._break(frame, "SETTINGS acknowledged that were not sent", "RFC 9113 §6.5.3")
                return
            self._acknowledged(self.unacknowledged.popleft())
            return
        for setting, value in frame.settings:
            self.settings[setting] = value
            if setting == Setting.HEADER_TABLE_SIZE:
                self.encoder.allowed_octets = value
            elif setting == Setting.INITIAL_WINDOW_SIZE:
                if self.to_send.highest_after(value) > MAX_WINDOW_OCTETS >= value:
                    reason = f"INITIAL_WINDOW_SIZE {value} takes a window beyond {MAX_WINDOW_OCTETS}"
                    self._break(frame, reason, "RFC 9113 §6.9.2", ErrorCode.FLOW_CONTROL_ERROR)
                self.to_send.initial = value

    def _acknowledged(self, settings: dict[int, int]) -> None:
        self._own_settings.update(settings)
        if Setting.INITIAL_WINDOW_SIZE in settings:
            self.to_receive.initial = settings[Setting.INITIAL_WINDOW_SIZE]
        if Setting.HEADER_TABLE_SIZE in settings:
            self.decoder.allowed_octets = self._allowed(Setting.HEADER_TABLE_SIZE, 4096)

    def _take_window_update(self, frame: WindowUpdateFrame) -> None:
        if frame.stream_id:
            self._known(frame, "RFC 9113 §5.1")
        self.to_send.open(frame.stream_id, frame.increment)
        if self.to_send.of(frame.stream_id) > MAX_WINDOW_OCTETS:
            reason = (
                f"a window of {self.to_send.of(frame.stream_id)} octets, and {MAX_WINDOW_OCTETS} are the most"
            )
            self._break(frame, reason, "RFC 9113 §6.9.1", ErrorCode.FLOW_CONTROL_ERROR)
