"""Violations: what a peer did that an RFC forbids."""

from __future__ import annotations

from typing import NamedTuple

from wptproto.h2_codes import ErrorCode
from wptproto.protocol.h2_frame_types import Frame

__all__ = ["Violation"]


class Violation(NamedTuple):
    """
    What a peer did wrong.

    Attributes:
        reason: What it did, in a sentence.
        section: Which section of which RFC it broke: ``RFC 9113 §6.9.1``.
        stream_id: On which stream; 0 is the connection. Over HTTP/1.1 the how manieth request.
        frame: The frame that did it; None over HTTP/1.1, or where there is none.
        code: The error code for it (RFC 9113 §7); over HTTP/1.1 it means nothing.
    """

    reason: str
    section: str
    stream_id: int = 0
    frame: Frame | None = None
    code: ErrorCode = ErrorCode.PROTOCOL_ERROR

    def __str__(self) -> str:
        whose = "in request" if self.frame is None else "on stream"
        where = f" ({whose} {self.stream_id})" if self.stream_id else ""
        return f"{self.section}: {self.reason}{where}"
