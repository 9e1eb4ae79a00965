"""
h2 as we need it: quieter, and with the last word about errors left to us.

These are the places that lean on how h2 works within; its versions are pinned for their sake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from h2.connection import AllowedStreamIDs
from h2.errors import ErrorCodes
from h2.frame_buffer import FrameBuffer
from h2.settings import ChangedSetting, SettingCodes, Settings
from h2.stream import H2Stream, StreamClosedBy, StreamInputs, StreamState
from hpack import HPACKError
from hpack.struct import Header
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from wptproto.h2_codes import Setting
from wptproto.limits import Limits
from wptproto.protocol.h2_compression import FieldDecoder, FieldEncoder, table_octets
from wptproto.protocol.h2_frames import MAX_WINDOW_OCTETS
from wptproto.semantics.fields import FieldLine

__all__ = [
    "INITIAL_WINDOW_OCTETS",
    "Library",
    "LibraryStream",
    "TrailersWithoutEnd",
    "error_code",
    "reason",
]

"""What a window can hold at most (RFC 9113 §6.9.1)."""

INITIAL_WINDOW_OCTETS = 65535
"""What every window begins with (RFC 9113 §6.9.2)."""

_MAX_SETTING = 2**32 - 1
_SETTINGS = frozenset(SettingCodes)
_RECEIVING = (StreamState.OPEN, StreamState.HALF_CLOSED_LOCAL)
_ADDRESS = re.compile(r":?(?: from)? <memory at 0x[0-9a-fA-F]+>")  # where hpack means to quote octets


class _FrameBuffer(FrameBuffer):
    """Frames, with those that make one field block joined."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(server=True)
        self._limits = limits
        self._block: list[HeadersFrame | ContinuationFrame] = []
        self._block_octets = 0

    @property
    def is_inside_block(self) -> bool:
        """Whether the last frame was a field block fragment that is not the last of its block."""
        return bool(self._block)

    def __next__(self) -> Frame:
        """Let no frame spell out its content: h2 makes a ``repr`` of each, for a log that nobody keeps."""
        frame = super().__next__()
        frame._body_repr = str  # type: ignore[method-assign]
        return frame

    def _update_header_buffer(self, f: Frame | None) -> Frame | None:
        """Join field block fragments (RFC 9113 §4.3), whatever their number, up to the limit of octets."""
        if self._block:
            if not isinstance(f, ContinuationFrame) or f.stream_id != self._block[0].stream_id:
                raise h2.exceptions.ProtocolError("Invalid frame during header block.")
        elif not isinstance(f, HeadersFrame) or "END_HEADERS" in f.flags:
            return f
        self._block.append(f)
        self._block_octets += len(f.data)
        if self._block_octets > self._limits.field_section_octets:
            raise h2.exceptions.DenialOfServiceError(self._limits.past("field_section_octets"))
        if "END_HEADERS" not in f.flags:
            return None
        first = self._block[0]
        first.flags.add("END_HEADERS")
        first.data = b"".join(fragment.data for fragment in self._block)
        self._block, self._block_octets = [], 0
        return first


@dataclass
class TrailersWithoutEnd(h2.events.Event):
    """
    A request is malformed, for its trailers do not end it (RFC 9113 §8.1).

    Attributes:
        stream_id: Its stream.
    """

    stream_id: int


class LibraryStream(H2Stream):
    """A stream that leaves what fields say to us: what is wrong with them is no error of the connection."""

    def receive_headers(
        self, headers: Iterable[Header], end_stream: bool, header_encoding: bool | str | None
    ) -> tuple[list[Frame], list[h2.events.Event]]:
        """Take :status for a field like others: a request that has it is no informational response."""
        events = self.state_machine.process_input(StreamInputs.RECV_HEADERS)
        head = cast("h2.events.RequestReceived | h2.events.TrailersReceived", events[0])
        if end_stream:
            events += self.state_machine.process_input(StreamInputs.RECV_END_STREAM)
            head.stream_ended = cast("h2.events.StreamEnded", events[-1])
        flags = self._build_hdr_validation_flags(events)
        head.headers = self._process_received_headers(headers, flags, header_encoding)
        return [], events

    def _track_content_length(self, length: int, end_stream: bool) -> None:
        """Leave Content-Length to us."""


class Library(h2.connection.H2Connection):
    """
    A server's side of h2 that takes and gives fields as they are, and lets a GOAWAY be ours to write.

    Attributes:
        provoked: How many RST_STREAM frames went out, and how many frames came for streams they had ended.
    """

    def __init__(self, limits: Limits) -> None:
        """
        Args:
            limits: What is announced to the client, as far as there is a setting for it.
        """
        super().__init__(
            h2.config.H2Configuration(
                client_side=False,
                header_encoding=None,
                validate_inbound_headers=False,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.provoked = 0
        self._limits = limits
        self._frames = self.incoming_buffer = _FrameBuffer(limits)
        self.decoder = FieldDecoder(limits)
        self.encoder = FieldEncoder(limits)
        self.local_settings = Settings(
            client=False,
            initial_values={
                # The priorities of RFC 7540 are ignored, and to who says so clients send PRIORITY_UPDATE
                # (RFC 9218 §2.1.1). h2 takes any number for a setting, whatever its types say.
                cast("SettingCodes", Setting.NO_RFC7540_PRIORITIES.value): 1,
                SettingCodes.HEADER_TABLE_SIZE: table_octets(limits),
                SettingCodes.MAX_CONCURRENT_STREAMS: min(limits.h2_concurrent_streams, _MAX_SETTING),
                SettingCodes.INITIAL_WINDOW_SIZE: min(limits.h2_stream_window_octets, MAX_WINDOW_OCTETS),
                SettingCodes.MAX_HEADER_LIST_SIZE: min(limits.field_section_octets, _MAX_SETTING),
            },
        )

    def initiate_connection(self) -> None:
        """
        Send SETTINGS, of which a smaller window for streams counts when the client has acknowledged it.

        RFC 9113 §6.9.2: "Prior to receiving a SETTINGS frame that sets a value for
        SETTINGS_INITIAL_WINDOW_SIZE, an endpoint can only use the default initial window size".
        """
        super().initiate_connection()
        announced = self.local_settings.initial_window_size
        if announced < INITIAL_WINDOW_OCTETS:
            values = {cast("SettingCodes", code): value for code, value in self.local_settings.items()}
            values[SettingCodes.INITIAL_WINDOW_SIZE] = INITIAL_WINDOW_OCTETS
            self.local_settings = Settings(client=False, initial_values=values)
            self.local_settings.initial_window_size = announced

    @property
    def is_inside_block(self) -> bool:
        """Whether more of a field block has to come next (RFC 9113 §4.3)."""
        return self._frames.is_inside_block

    def _local_settings_acked(self) -> dict[SettingCodes | int, ChangedSetting]:
        """From here on the client knows how large its table may be."""
        self.decoder.max_allowed_table_size = table_octets(self._limits)
        return super()._local_settings_acked()

    def _begin_new_stream(self, stream_id: int, allowed_ids: AllowedStreamIDs) -> H2Stream:
        stream = super()._begin_new_stream(stream_id, allowed_ids)
        stream.__class__ = LibraryStream
        return stream

    def _prepare_for_sending(self, frames: list[Frame]) -> None:
        self.provoked += sum(isinstance(frame, RstStreamFrame) for frame in frames)
        super()._prepare_for_sending(frames)

    def _receive_frame(self, frame: Frame) -> list[h2.events.Event]:
        """
        Discard what a client sent before it saw that we had reset the stream.

        RFC 9113 §5.1: "An endpoint MUST minimally process and then discard any frames it receives in this
        state."
        """
        if self._stream_closed_by(frame.stream_id) is StreamClosedBy.SEND_RST_STREAM:
            self.provoked += 1
            if isinstance(frame, HeadersFrame):
                h2.connection._decode_headers(self.decoder, frame.data)
                return []
            if isinstance(frame, DataFrame):
                self._take_back(frame.flow_controlled_length)
                return []
        if isinstance(frame, SettingsFrame):
            # RFC 9113 §6.5.2: "An endpoint that receives a SETTINGS frame with any unknown or unsupported
            # identifier MUST ignore that setting." h2 would remember each, in a hundred times its octets.
            if frame.settings.get(Setting.NO_RFC7540_PRIORITIES, 0) not in (0, 1):
                # RFC 9218 §2.1: "Any value other than 0 or 1 MUST be treated as a connection error [...] of
                # type PROTOCOL_ERROR."
                raise h2.exceptions.ProtocolError("SETTINGS_NO_RFC7540_PRIORITIES is neither 0 nor 1")
            frame.settings = {code: value for code, value in frame.settings.items() if code in _SETTINGS}
        if isinstance(frame, HeadersFrame) and "END_STREAM" not in frame.flags:
            stream = self.streams.get(frame.stream_id)
            if stream is not None and stream.state_machine.state in _RECEIVING:
                h2.connection._decode_headers(self.decoder, frame.data)
                return [TrailersWithoutEnd(frame.stream_id)]
        return super()._receive_frame(frame)

    def _take_back(self, octets: int) -> None:
        """Let content that nobody wants pass through the connection's window."""
        window = self._inbound_flow_control_window_manager
        window.window_consumed(octets)
        increment = window.process_bytes(octets)
        if increment:
            self._prepare_for_sending([WindowUpdateFrame(0, increment)])

    def send_head(self, stream_id: int, lines: tuple[FieldLine, ...], *, end: bool) -> None:
        """
        Send the head of a final response.

        Args:
            stream_id: A stream to which none was sent.
            lines: Its field section, of which :status comes first.
            end: Whether the response has no content.
        """
        self.send_headers(stream_id, lines, end_stream=end)

    def send_content(self, stream_id: int, data: bytes | memoryview, *, end: bool) -> None:
        """
        Send content in as many frames as it takes.

        Args:
            stream_id: A stream whose head was sent.
            data: No more than its window and the connection's have room for, and not nothing.
            end: Whether the last frame ends the stream.
        """
        size = self.max_outbound_frame_size
        for at in range(0, len(data), size):
            self.send_data(stream_id, data[at : at + size], end_stream=end and at + size >= len(data))

    def send_octets(self, octets: bytes) -> None:
        """Put octets behind what is queued, whatever they are."""
        self._data_to_send += octets

    def send_goaway(self, reason: bytes) -> None:
        """Tell the client to open no other stream; those that are open go on (RFC 9113 §6.8)."""
        last = self.highest_inbound_stream_id
        self._prepare_for_sending([GoAwayFrame(0, last, ErrorCodes.NO_ERROR, reason)])

    def clear_outbound_data_buffer(self) -> None:
        """Keep what is queued when GOAWAY arrives: it belongs to streams that go on (RFC 9113 §6.8)."""

    def _terminate_connection(self, error_code: ErrorCodes) -> None:
        """Leave it to us, who tell the reason, and for whom not every error is the connection's."""


def reason(error: h2.exceptions.ProtocolError) -> str:
    """Put an exception of h2's in words; hyperframe, below it, often has the better ones."""
    if isinstance(error, h2.exceptions.NoSuchStreamError):
        return f"a frame for stream {error.stream_id}, which is not open"
    cause = error.__cause__
    words = f"{error} ({cause})" if isinstance(cause, HyperframeError) else str(error)
    return _ADDRESS.sub("", words)


def error_code(error: h2.exceptions.ProtocolError) -> ErrorCodes:
    """Return the code that RFC 9113 has for an exception of h2's."""
    # RFC 9113 §4.3: "A receiver MUST terminate the connection with a connection error of type
    # COMPRESSION_ERROR if it does not decompress a field block."
    if isinstance(error.__cause__, HPACKError) and error.error_code == ErrorCodes.PROTOCOL_ERROR:
        return ErrorCodes.COMPRESSION_ERROR
    return error.error_code
