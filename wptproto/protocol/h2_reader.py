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

from wptproto.h2_codes import ACK, DATA, HAS_PRIORITY, PADDED
from wptproto.protocol.h2_frames import PREFACE
from wptproto.protocol.h2_library import Library
from wptproto.protocol.h2_shape import FRAME_HEADER_OCTETS, stream_of

__all__ = ["FrameReader"]

_PADDED_WITH_PRIORITY = PADDED | HAS_PRIORITY
_PRIORITY_OCTETS = 5


class FrameReader:
    """
    The octets of one client that have not been taken for a frame yet.

    Attributes:
        octets: What was received, and in front of it perhaps frames that were taken.
        place: Where in it the next frame begins.
        taken: How many frames were, those aside that only go on with a field block.
        settings_pending: The client's preface is not complete, of which SETTINGS is a part.
    """

    def __init__(self, library: Library) -> None:
        """
        Args:
            library: Takes the preface, and knows the size of a frame and the streams there were.
        """
        self._library = library
        self.octets = b""
        self.place = 0
        self._preface_pending = len(PREFACE)
        self.settings_pending = True
        self.taken = 0

    @property
    def is_inside(self) -> bool:
        """Whether something has begun, the preface or a frame, whose rest is missing."""
        return self.place < len(self.octets) or 0 < self._preface_pending < len(PREFACE)

    @property
    def is_inside_content(self) -> bool:
        """Whether that is a DATA frame."""
        octets, place = self.octets, self.place
        return len(octets) - place >= FRAME_HEADER_OCTETS and octets[place + 3] == DATA

    def feed(self, data: bytes) -> None:
        """
        Take octets as they come, and the preface off them, so that a wrong octet shows at once.

        Raises:
            ProtocolError: The preface is wrong.
        """
        if data:
            self.octets, self.place = self.octets[self.place :] + data, 0
        size = min(self._preface_pending, len(self.octets))
        if size:
            self._library.receive_data(self.octets[:size])
            self.octets = self.octets[size:]
            self._preface_pending -= size

    def clear(self) -> None:
        """Forget octets that nobody will look at."""
        self.octets, self.place = b"", 0

    def take(self) -> bytes | None:
        """
        Take one frame; None where its rest must be received first.

        Raises:
            ProtocolError: Its header is wrong, for the connection.
        """
        if self._preface_pending:
            return None
        end = self.place + self._frame_octets()
        if end > len(self.octets):
            self.octets, self.place = self.octets[self.place :], 0
            return None
        octets = self.octets[self.place : end]
        kind = octets[3]
        self.take_to(end, counts=kind != ContinuationFrame.type)
        if kind == WindowUpdateFrame.type and len(octets) > FRAME_HEADER_OCTETS:
            # RFC 9113 §6.9: a reserved bit, and then the increment, of which hyperframe takes it for a part.
            at = FRAME_HEADER_OCTETS
            octets = b"%b%c%b" % (octets[:at], octets[at] & 0x7F, octets[at + 1 :])
        _see_padding(octets)
        return octets

    def take_to(self, end: int, *, counts: bool = True) -> None:
        """
        Let go of the frame in front.

        Args:
            end: Where it ends.
            counts: Whether it is more than a part of a field block.
        """
        self.taken += counts
        if end == len(self.octets):
            self.clear()
        else:
            self.place = end

    def _frame_octets(self) -> int:
        """Look at the frame header in front, and return how long that frame is."""
        header = self.octets[self.place : self.place + FRAME_HEADER_OCTETS]
        if len(header) < FRAME_HEADER_OCTETS:
            return FRAME_HEADER_OCTETS
        kind, stream_id, is_ack = header[3], stream_of(header), header[4] & ACK
        if self.settings_pending and (kind != SettingsFrame.type or is_ack):
            # RFC 9113 §3.4: "This sequence MUST be followed by a SETTINGS frame"
            raise ProtocolError("the preface is not followed by SETTINGS")
        if kind == RstStreamFrame.type and stream_id > self._highest_stream_id(stream_id):
            # RFC 9113 §6.4: "RST_STREAM frames MUST NOT be sent for a stream in the "idle" state."
            raise ProtocolError(f"RST_STREAM for stream {stream_id}, which is idle")
        length = int.from_bytes(header[:3], "big")
        if kind == SettingsFrame.type and is_ack and length:
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
