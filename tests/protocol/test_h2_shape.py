"""Frames whose form is an error of their stream."""

from __future__ import annotations

import pytest
from h2.errors import ErrorCodes

from wptproto.protocol.h2_shape import shape_error, stream_of


def frame(kind: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, 0, 0x80, 0, 0, 7]) + payload


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (frame(2, bytes(4)), ErrorCodes.FRAME_SIZE_ERROR),
        (frame(2, bytes(6)), ErrorCodes.FRAME_SIZE_ERROR),
        (frame(8, bytes(4)), ErrorCodes.PROTOCOL_ERROR),
    ],
)
def test_misshapen(octets: bytes, code: ErrorCodes) -> None:
    """PRIORITY has five octets, and WINDOW_UPDATE an increment (RFC 9113 §6.3, §6.9)."""
    error = shape_error(octets)
    assert error is not None
    assert error.error_code == code


@pytest.mark.parametrize(
    "octets", [frame(2, bytes(5)), frame(8, b"\0\0\0\1"), frame(8, bytes(5)), frame(0, b"")]
)
def test_sound_or_worse(octets: bytes) -> None:
    """Of others nothing is said: they are sound, or an error of the connection."""
    assert shape_error(octets) is None


def test_stream_of() -> None:
    """The reserved bit is no part of a stream's identifier (RFC 9113 §4.1)."""
    assert stream_of(frame(0, b"")) == 7
