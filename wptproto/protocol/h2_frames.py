"""Any HTTP/2 frame, well formed or not, by hand: its payload is octets, or fields yet to be compressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wptproto.errors import LocalProtocolError
from wptproto.h2_codes import DATA, END_STREAM, HEADERS
from wptproto.semantics.fields import FieldLine

if TYPE_CHECKING:
    from hpack import Encoder

__all__ = ["HEADER_OCTETS", "MAX_PAYLOAD_OCTETS", "MAX_WINDOW_OCTETS", "PREFACE", "RawFrame"]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client sends before its first frame (RFC 9113 §3.4)."""

HEADER_OCTETS = 9
"""What stands before a frame's payload (RFC 9113 §4.1)."""

MAX_PAYLOAD_OCTETS = 2**24 - 1
"""What a frame can say of its length (RFC 9113 §4.1)."""

MAX_WINDOW_OCTETS = 2**31 - 1
"""What a window can be (RFC 9113 §6.9.1)."""


class RawFrame(NamedTuple):
    """
    One frame, as it shall be; nothing of it is checked.

    Attributes:
        kind: The frame's type (RFC 9113 §6).
        flags: Its flags.
        stream_id: Its stream, None for that of the exchange which sends it.
        payload: Octets; or field lines, which become a field block fragment (RFC 9113 §4.3) by the
            connection's own compression at the moment they are sent, so that later ones can refer to them.
    """

    kind: int
    flags: int = 0
    stream_id: int | None = None
    payload: bytes | tuple[FieldLine, ...] = b""

    def ends_stream(self, own: int) -> bool:
        """Whether a peer takes it for the last of stream *own*."""
        mine = self.stream_id is None or self.stream_id == own
        return mine and self.kind in (DATA, HEADERS) and bool(self.flags & END_STREAM)

    def serialize(self, own: int, encoder: Encoder) -> bytes:
        """
        Return the frame as octets (RFC 9113 §4.1).

        Args:
            own: The stream of the exchange that sends it.
            encoder: The connection's.

        Raises:
            LocalProtocolError: It is longer than any frame can say it is.
        """
        payload = self.payload if isinstance(self.payload, bytes) else encoder.encode(self.payload)
        if len(payload) > MAX_PAYLOAD_OCTETS:
            raise LocalProtocolError(f"a frame of {len(payload)} octets; {MAX_PAYLOAD_OCTETS} are the most")
        stream_id = own if self.stream_id is None else self.stream_id
        return b"%b%c%c%b%b" % (
            len(payload).to_bytes(3, "big"),
            self.kind & 0xFF,
            self.flags & 0xFF,
            stream_id.to_bytes(4, "big"),
            payload,
        )
