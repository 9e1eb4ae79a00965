"""Frames whose form is wrong, and only their stream has to suffer for it; with h2 it would be all of them."""

from __future__ import annotations

from h2.errors import ErrorCodes
from hyperframe.frame import PriorityFrame, WindowUpdateFrame

from wptproto.errors import RemoteProtocolError

__all__ = ["FRAME_HEADER_OCTETS", "shape_error", "stream_of"]

FRAME_HEADER_OCTETS = 9
"""What stands before each frame's payload (RFC 9113 §4.1)."""


def stream_of(octets: bytes) -> int:
    """Return the stream of a frame, by its header; the reserved bit is ignored (RFC 9113 §4.1)."""
    return int.from_bytes(octets[5:9], "big") & 0x7FFFFFFF


def shape_error(octets: bytes) -> RemoteProtocolError | None:
    """
    Return what is wrong with a frame's form, if it is an error of its stream.

    Args:
        octets: A whole frame, on a stream that is not idle.
    """
    kind, payload = octets[3], octets[FRAME_HEADER_OCTETS:]
    if kind == PriorityFrame.type and len(payload) != 5:
        # RFC 9113 §6.3: "A PRIORITY frame with a length other than 5 octets MUST be treated as a stream error
        # (Section 5.4.2) of type FRAME_SIZE_ERROR."
        return RemoteProtocolError(
            f"PRIORITY of {len(payload)} octets, which has 5", error_code=ErrorCodes.FRAME_SIZE_ERROR
        )
    if kind == WindowUpdateFrame.type and payload == bytes(4):
        # RFC 9113 §6.9: "A receiver MUST treat the receipt of a WINDOW_UPDATE frame with a flow-control
        # window increment of 0 as a stream error (Section 5.4.2) of type PROTOCOL_ERROR"
        return RemoteProtocolError("WINDOW_UPDATE by 0 octets")
    return None
