"""
FastLibrary: h2 with its state, and without most of its work.

Theory
    h2 makes an object of every frame, and events of every input of its state machines, and then takes
    both apart. Most frames are of few kinds, on streams in few states, and what h2 does with them amounts to
    little: some numbers change. Here that little is done at once, for these alone:

    ===============  ======================  =================================================
    frame            the stream is           what changes, apart from windows
    ===============  ======================  =================================================
    HEADERS came     new, odd, the highest   it is open, or half-closed (remote) by END_STREAM
    DATA came        open                    END_STREAM: half-closed (remote)
    WINDOW_UPDATE    not closed              nothing
    came
    HEADERS sent,    open, or half-closed    its head was sent
    a final one      (remote)
    DATA sent        the same                END_STREAM: half-closed (local), or closed
    ===============  ======================  =================================================

    The connection has to be open, and stays so. Anything else, and anything that is in doubt, goes h2's own
    way, *before* something was changed, so that both ways can follow each other on any stream. h2's
    objects are always as h2 would have left them: its streams, their state machines, all windows, the tables
    of compression.

    h2 walks over all streams for each new one, to find those that have closed. Here a state machine says
    so itself when its stream closes; they are let go of when h2 would have: when the next stream begins. They
    are in ``_closed_streams`` in the order in which they closed, and not in that of their numbers, which
    cannot be seen until 65,536 of them push each other out.

    Received frames are in :mod:`~wptproto.protocol.h2_fast_frames`, field blocks in
    :mod:`~wptproto.protocol.h2_fast_fields`.

What it relies on
    That h2 does just this. The versions in :data:`CHECKED` were looked at; with any other one the plain
    library is used, and a warning says so. ``tests/protocol/test_h2_fast.py`` says of each part of them that
    matters whether it is still what it was, and ``tests/fuzz/test_h2_cores.py`` that both ways are one.
"""

from __future__ import annotations

import functools
import logging
import struct
from typing import Any, Self, cast

import h2
import hpack
import hyperframe
from h2.connection import AllowedStreamIDs, ConnectionState
from h2.settings import ChangedSetting, SettingCodes
from h2.stream import H2Stream, H2StreamStateMachine, StreamClosedBy, StreamInputs, StreamState
from h2.windows import WindowManager

from wptproto.h2_codes import CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS
from wptproto.limits import Limits
from wptproto.protocol.h2_fast_fields import FastDecoder, FastEncoder
from wptproto.protocol.h2_frames import MAX_WINDOW_OCTETS
from wptproto.protocol.h2_library import Library, LibraryStream
from wptproto.semantics.fields import FieldLine

__all__ = ["CHECKED", "FRAME_HEADER", "FastLibrary", "is_checked"]

log = logging.getLogger("wptproto.protocol")

CHECKED = {"h2": ("4.4.1",), "hpack": ("4.2.0",), "hyperframe": ("6.1.0",)}
"""The versions that this was written for."""

FRAME_HEADER = struct.Struct(">HBBBL")
"""RFC 9113 §4.1: the upper 16 bits of the length and its lower 8, type, flags, stream."""

_INBOUND = 1  # what the number of a client's stream is modulo 2
_SENDING = (StreamState.OPEN, StreamState.HALF_CLOSED_REMOTE)
_OPENED = (*_SENDING, StreamState.HALF_CLOSED_LOCAL)


def is_checked() -> bool:
    """Whether the libraries are those that this was written for; the log is told, once, if they are not."""
    found = {library.__name__: library.__version__ for library in (h2, hpack, hyperframe)}
    others = [f"{name} {version}" for name, version in found.items() if version not in CHECKED[name]]
    if others:
        _warn(", ".join(others))
    return not others


@functools.cache
def _warn(others: str) -> None:
    log.warning("HTTP/2 is slower than it could be, for its fast core is not made for %s", others)


class _StateMachine(H2StreamStateMachine):
    """A stream's state, which says when it has closed."""

    closed_ids: dict[int, None]

    # What most streams never need is here once for all of them.
    headers_sent: bool | None = None
    trailers_sent: bool | None = None
    trailers_received: bool | None = None
    stream_closed_by: StreamClosedBy | None = None

    def __init__(self, stream_id: int, state: StreamState, closed_ids: dict[int, None]) -> None:
        """Be where a client's request has brought it."""
        self.state = state
        self.stream_id = stream_id
        self.client = False
        self.headers_received = True
        self.closed_ids = closed_ids

    def process_input(self, input_: StreamInputs) -> list[Any]:
        try:
            return super().process_input(input_)
        finally:
            if self.state is StreamState.CLOSED:
                self.closed_ids[self.stream_id] = None

    def end(self) -> None:
        """Take note of END_STREAM in a frame that was sent."""
        if self.state is StreamState.OPEN:
            self.state = StreamState.HALF_CLOSED_LOCAL
        else:
            self.state = StreamState.CLOSED
            self.stream_closed_by = StreamClosedBy.SEND_END_STREAM
            self.closed_ids[self.stream_id] = None


class _FastStream(LibraryStream):
    """A stream that a client has opened."""

    request_method: bytes | None = None
    _expected_content_length: int | None = None
    _actual_content_length = 0
    _authority: bytes | None = None

    def __init__(self, library: FastLibrary, state_machine: _StateMachine) -> None:
        self.state_machine = state_machine
        self.stream_id = state_machine.stream_id
        self.max_outbound_frame_size = library.max_outbound_frame_size
        self.outbound_flow_control_window = library.remote_settings.initial_window_size
        self._inbound_window_manager = WindowManager(library.local_settings.initial_window_size)
        self.config = library.config


class FastLibrary(Library):
    """
    A :class:`~wptproto.protocol.h2_library.Library` from which the same comes, sooner.

    Attributes:
        fast_decoder: Its decoder.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._closed_ids: dict[int, None] = {}
        self.decoder = self.fast_decoder = FastDecoder(limits)
        self.encoder = self._fast_encoder = FastEncoder(limits)

    @property
    def is_plainly_open(self) -> bool:
        """Whether no frame changes the connection's own state."""
        return self.state_machine.state is ConnectionState.SERVER_OPEN

    # --- streams -----------------------------------------------------------------------------

    def open_stream(self, stream_id: int, *, ended: bool) -> None:
        """Open a stream as a request's HEADERS do, whose number is odd and the highest yet."""
        state = StreamState.HALF_CLOSED_REMOTE if ended else StreamState.OPEN
        self.streams[stream_id] = _FastStream(self, _StateMachine(stream_id, state, self._closed_ids))
        self.highest_inbound_stream_id = stream_id

    def _begin_new_stream(self, stream_id: int, allowed_ids: AllowedStreamIDs) -> H2Stream:
        stream = super()._begin_new_stream(stream_id, allowed_ids)
        machine = stream.state_machine
        machine.__class__ = _StateMachine
        machine.closed_ids = self._closed_ids  # type: ignore[attr-defined]
        return stream

    def _open_streams(self, remainder: int) -> int:
        """Let go of streams that have closed, and count none of a client's: h2 knows of no limit for them."""
        if remainder != _INBOUND:
            return super()._open_streams(remainder)
        self.let_go_of_closed()
        return 0

    def let_go_of_closed(self) -> None:
        """Keep of streams that have closed how they did; as h2 does before a request."""
        for stream_id in self._closed_ids:
            stream = self.streams.pop(stream_id, None)
            if stream is not None:
                self._closed_streams[stream_id] = stream.closed_by
        self._closed_ids.clear()

    def _local_settings_acked(self) -> dict[SettingCodes | int, ChangedSetting]:
        """From here on other blocks may be too large, or their table."""
        self.fast_decoder.forget()
        return super()._local_settings_acked()

    # --- receiving ---------------------------------------------------------------------------

    def take_data(self, stream_id: int, size: int, *, ended: bool) -> bool:
        """
        Count a DATA frame that came, if it is a plain one.

        Args:
            stream_id: Its stream.
            size: Of its payload, which is content alone.
            ended: Whether it has END_STREAM.
        """
        stream = self.streams.get(stream_id)
        if stream is None or stream.state_machine.state is not StreamState.OPEN:
            return False
        window, all_windows = stream._inbound_window_manager, self._inbound_flow_control_window_manager
        if size > window.current_window_size or size > all_windows.current_window_size:
            return False
        window.current_window_size -= size
        all_windows.current_window_size -= size
        if ended:
            stream.state_machine.state = StreamState.HALF_CLOSED_REMOTE
        return True

    def opened_by(self, stream_id: int, increment: int) -> H2Stream | Self | None:
        """
        Return the stream, or the connection, if all that a WINDOW_UPDATE frame does is to open its window.

        Args:
            stream_id: Whose; 0 for the connection.
            increment: By how many octets.
        """
        both: H2Stream | Self = self
        if stream_id:
            stream = self.streams.get(stream_id)
            if stream is None or stream.state_machine.state not in _OPENED:
                return None
            both = stream
        return both if both.outbound_flow_control_window + increment <= MAX_WINDOW_OCTETS else None

    # --- sending -----------------------------------------------------------------------------

    def send_head(self, stream_id: int, lines: tuple[FieldLine, ...], *, end: bool) -> None:
        machine = self._sending(stream_id)
        if machine is None or machine.headers_sent:
            super().send_head(stream_id, lines, end=end)
            return
        machine.headers_sent = True
        block, most = self._fast_encoder.encode_lines(lines), self.max_outbound_frame_size
        kind, ended = HEADERS, END_STREAM if end else 0
        while len(block) > most:
            self._send(kind, ended, stream_id, block[:most])
            kind, ended, block = CONTINUATION, 0, block[most:]
        self._send(kind, ended | END_HEADERS, stream_id, block)
        if end:
            machine.end()

    def send_content(self, stream_id: int, data: bytes | memoryview, *, end: bool) -> None:
        machine = self._sending(stream_id)
        if machine is None:
            super().send_content(stream_id, data, end=end)
            return
        size, most = len(data), self.max_outbound_frame_size
        last = 0 if size <= most else (size - 1) // most * most
        for at in range(0, last, most):
            self._send(DATA, 0, stream_id, data[at : at + most])
        self._send(DATA, END_STREAM if end else 0, stream_id, data[last:] if last else data)
        self.streams[stream_id].outbound_flow_control_window -= size
        self.outbound_flow_control_window -= size
        if end:
            machine.end()

    def end_stream(self, stream_id: int) -> None:
        machine = self._sending(stream_id)
        if machine is None:
            super().end_stream(stream_id)
        else:
            self._send(DATA, END_STREAM, stream_id, b"")
            machine.end()

    def _sending(self, stream_id: int) -> _StateMachine | None:
        """Return the state of a stream if a response on it can begin, or go on, and nothing else changes."""
        stream = self.streams.get(stream_id)
        if stream is None or not self.is_plainly_open:
            return None
        machine = stream.state_machine
        return cast("_StateMachine", machine) if machine.state in _SENDING else None

    def _send(self, kind: int, flags: int, stream_id: int, payload: bytes | memoryview) -> None:
        size = len(payload)
        self._data_to_send += FRAME_HEADER.pack(size >> 8, size & 0xFF, kind, flags, stream_id)
        self._data_to_send += payload

    def local_flow_control_window(self, stream_id: int) -> int:
        stream = self.streams.get(stream_id)
        if stream is None:
            return super().local_flow_control_window(stream_id)
        return min(self.outbound_flow_control_window, stream.outbound_flow_control_window)
