"""
FrameReader: HTTP/2 octets in, whole frames out, wherever they were cut.

A frame's header says enough to refuse it before its payload is there. What h2 would let pass stands here,
and what it would wait for in vain.
"""

from __future__ import annotations

from h2.exceptions import FrameTooLargeError, ProtocolError
from hyperframe.frame import (
    ContinuationFrame,
    HeadersFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from wptproto.protocol.h2_frames import DATA, PREFACE
from wptproto.protocol.h2_library import Library
from wptproto.protocol.h2_shape import FRAME_HEADER_OCTETS, stream_of

__all__ = ["FrameReader"]

_ACK = 0x1
_PADDED_WITH_PRIORITY = 0x28
_PRIORITY_OCTETS = 5


class FrameReader:
    """
    The octets of one client that have not been taken for a frame yet.

    Attributes:
        taken: How many frames were, those aside that only go on with a field block.
        settings_pending: The client's preface is not complete, of which SETTINGS is a part.
    """

    def __init__(self, library: Library) -> None:
        """
        Args:
            library: Takes the preface, and knows the size of a frame and the streams there were.
        """
        self._library = library
        self._buffer = bytearray()
        self._preface_pending = len(PREFACE)
        self.settings_pending = True
        self.taken = 0

    @property
    def is_inside(self) -> bool:
        """Whether something has begun, the preface or a frame, whose rest is missing."""
        return bool(self._buffer) or 0 < self._preface_pending < len(PREFACE)

    @property
    def is_inside_content(self) -> bool:
        """Whether that is a DATA frame."""
        return len(self._buffer) >= FRAME_HEADER_OCTETS and self._buffer[3] == DATA

    def feed(self, data: bytes) -> None:
        """
        Take octets as they come, and the preface off them, so that a wrong octet shows at once.

        Raises:
            ProtocolError: The preface is wrong.
        """
        self._buffer += data
        size = min(self._preface_pending, len(self._buffer))
        if size:
            self._library.receive_data(bytes(self._buffer[:size]))
            del self._buffer[:size]
            self._preface_pending -= size

    def clear(self) -> None:
        """Forget octets that nobody will look at."""
        self._buffer.clear()

    def take(self) -> bytes | None:
        """
        Take one frame; None where its rest must be received first.

        Raises:
            ProtocolError: Its header is wrong, for the connection.
        """
        if self._preface_pending:
            return None
        size = self._frame_octets()
        if size > len(self._buffer):
            return None
        if self._buffer[3] == WindowUpdateFrame.type and size > FRAME_HEADER_OCTETS:
            # RFC 9113 §6.9: a reserved bit, and then the increment, of which hyperframe takes it for a part.
            self._buffer[FRAME_HEADER_OCTETS] &= 0x7F
        octets = bytes(self._buffer[:size])
        del self._buffer[:size]
        self.taken += octets[3] != ContinuationFrame.type
        _see_padding(octets)
        return octets

    def _frame_octets(self) -> int:
        """Look at the frame header in front, and return how long that frame is."""
        if len(self._buffer) < FRAME_HEADER_OCTETS:
            return FRAME_HEADER_OCTETS
        kind, stream_id = self._buffer[3], stream_of(self._buffer)
        if self.settings_pending and (kind != SettingsFrame.type or self._buffer[4] & _ACK):
            # RFC 9113 §3.4: "This sequence MUST be followed by a SETTINGS frame"
            raise ProtocolError("the preface is not followed by SETTINGS")
        if kind == RstStreamFrame.type and stream_id > self._highest_stream_id(stream_id):
            # RFC 9113 §6.4: "RST_STREAM frames MUST NOT be sent for a stream in the "idle" state."
            raise ProtocolError(f"RST_STREAM for stream {stream_id}, which is idle")
        length = int.from_bytes(self._buffer[:3], "big")
        if kind == SettingsFrame.type and self._buffer[4] & _ACK and length:
            # RFC 9113 §6.5: it is "a connection error (Section 5.4.1) of type FRAME_SIZE_ERROR."
            raise FrameTooLargeError(f"SETTINGS with ACK and a payload of {length} octets")
        if length > self._library.max_inbound_frame_size:
            raise FrameTooLargeError(
                f"a frame of {length} octets, where {self._library.max_inbound_frame_size} are the most"
            )
        self.settings_pending = False
        return FRAME_HEADER_OCTETS + length

    def _highest_stream_id(self, like: int) -> int:
        """Return the highest stream in use of those that the same side opens (RFC 9113 §5.1.1)."""
        library = self._library
        return library.highest_inbound_stream_id if like % 2 else library.highest_outbound_stream_id


def _see_padding(octets: bytes) -> None:
    """See that the padding of HEADERS leaves room for what stands before the field block."""
    if octets[3] != HeadersFrame.type or octets[4] & _PADDED_WITH_PRIORITY != _PADDED_WITH_PRIORITY:
        return
    left = len(octets) - FRAME_HEADER_OCTETS - 1 - _PRIORITY_OCTETS
    if 0 <= left < octets[FRAME_HEADER_OCTETS]:
        # RFC 9113 §6.2: "Padding that exceeds the size remaining for the field block fragment MUST be treated
        # as a PROTOCOL_ERROR."
        padding = octets[FRAME_HEADER_OCTETS]
        raise ProtocolError(f"HEADERS with {padding} octets of padding, where {left} is left")
