"""Conversations: what a client says on one connection, whole; hostile ones leave in the middle."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.conformance.probe import GET, get, post
from tests.helpers.h2 import OPENING
from wptproto.semantics.fields import FieldLine

__all__ = ["CONVERSATIONS"]

VAST_LINE = b"GET /vast HTTP/1.1"
CHUNKS = b"5;a=b\r\nhello\r\n0\r\nA: 1\r\n\r\n"


def block(method: bytes, path: bytes, *lines: FieldLine) -> bytes:
    """Return a request's field block, which knows of nothing before it."""
    pseudo = [(b":method", method), (b":scheme", b"http"), (b":authority", b"h"), (b":path", path)]
    return Encoder().encode([*pseudo, *lines])


def head(stream_id: int, method: bytes, path: bytes, *flags: str) -> Frame:
    return HeadersFrame(stream_id, block(method, path), flags=["END_HEADERS", *flags])


def octets(*frames: Frame) -> bytes:
    return b"".join(frame.serialize() for frame in frames)


def upload(stream_id: int) -> bytes:
    """Return a request with content and trailers."""
    trailers = Encoder().encode([(b"a", b"1")])
    return octets(
        head(stream_id, b"POST", b"/echo"),
        DataFrame(stream_id, b"he", pad_length=3, flags=["PADDED"]),
        DataFrame(stream_id, b"llo"),
        HeadersFrame(stream_id, trailers, flags=["END_HEADERS", "END_STREAM"]),
    )


def download(stream_id: int) -> bytes:
    """Return a request for more than is read, and a change of mind."""
    return octets(
        head(stream_id, b"GET", b"/vast", "END_STREAM"),
        WindowUpdateFrame(stream_id, 1000),
        WindowUpdateFrame(0, 1000),
        RstStreamFrame(stream_id, 8),
    )


def in_pieces(stream_id: int) -> bytes:
    """Return a request whose field block is in two frames, with others before and behind it."""
    fields = block(b"GET", b"/pieces", (b"cookie", b"a=b"))
    return octets(
        PingFrame(0, b"12345678"),
        HeadersFrame(stream_id, fields[:5], flags=["END_STREAM"]),
        ContinuationFrame(stream_id, fields[5:], flags=["END_HEADERS"]),
        PriorityFrame(stream_id, depends_on=0, stream_weight=3),
    )


UPGRADE = get(
    b"Connection: Upgrade, HTTP2-Settings",
    b"Upgrade: h2c",
    b"HTTP2-Settings: " + urlsafe_b64encode(SettingsFrame(0, {3: 100}).serialize()[9:]).rstrip(b"="),
)

CONVERSATIONS: dict[str, bytes] = {
    "h1-pipelined": GET + post(b"Content-Length: 5", content=b"hello") + GET,
    "h1-upload": post(b"Transfer-Encoding: chunked", b"Expect: 100-continue", content=CHUNKS),
    "h1-download": get(line=VAST_LINE),
    "h1-upgrade": UPGRADE + OPENING + upload(3) + in_pieces(5),
    "h2-uploads": OPENING + upload(1) + upload(3) + octets(GoAwayFrame(0)),
    "h2-downloads": OPENING + download(1) + download(3),
    "h2-pieces": OPENING + octets(SettingsFrame(0, {4: 0})) + in_pieces(1) + in_pieces(3),
}
