"""What clients send first on a port in the clear: sound, broken and broken off, of both protocols."""

from __future__ import annotations

import base64

from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.helpers.h1 import request
from tests.helpers.h2 import OPENING, REQUEST, headers

__all__ = ["SAMPLES"]

POST = request(b"POST /a?b HTTP/1.1", b"Content-Length: 5", content=b"hello")
CHUNKED = request(
    b"PUT / HTTP/1.1",
    b"Transfer-Encoding: chunked",
    content=b"2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nA: 1\r\nB:\r\n\r\n",
)
SETTINGS = SettingsFrame(0, {4: 100_000}).serialize_body()
UPGRADE = request(
    b"GET / HTTP/1.1",
    b"Connection: Upgrade, HTTP2-Settings",
    b"Upgrade: h2c",
    b"HTTP2-Settings: " + base64.urlsafe_b64encode(SETTINGS).rstrip(b"="),
)
H1: dict[str, bytes] = {
    "one": request(),
    "pipelined": b"\r\n" + request() + POST + CHUNKED + b"\r\n\r\n" + request(b"OPTIONS * HTTP/1.1"),
    "expecting": request(b"PUT / HTTP/1.1", b"Content-Length: 2", b"Expect: 100-continue", content=b"ok"),
    "old": request(b"GET / HTTP/1.0", b"Connection: keep-alive") + request(b"GET / HTTP/1.0") + request(),
    "closing": request(b"GET / HTTP/1.1", b"Connection: close") + POST,
    "cut-off-in-a-head": POST + POST[:30],
    "cut-off-in-content": POST + POST[:-2],
    "line-feed": POST + b"GET / HTTP/1.1\r\nA: 1\nHost: h\r\n\r\n" + POST,
    "wrong-head": request(b"GET / HTTP/1.1", b"A : 1"),
    "wrong-chunk": CHUNKED[:-20] + b"x\r\n\r\n",
    "wrong-end-of-chunk": CHUNKED.replace(b"he\r\n", b"hex\n"),
    "wrong-trailer": CHUNKED.replace(b"B:", b"B"),
    "tls": bytes.fromhex("16030100c8010000c4"),
    "nearly-http-2": b"PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n",
    "blanks": b"\r\n" * 5 + b"\r",
}


def frames(*parts: Frame | bytes) -> bytes:
    return b"".join(part if isinstance(part, bytes) else part.serialize() for part in parts)


encoder = Encoder()
SECTION = encoder.encode([*REQUEST, (b"a", b"1" * 50)])
POST_2 = headers(
    3, [(b":method", b"POST"), *REQUEST[1:], (b"content-length", b"10")], end=False, encoder=encoder
)
DATA = (
    DataFrame(3, b"hello"),
    PingFrame(0, b"12345678"),
    DataFrame(3, b"hello", pad_length=7, flags=["PADDED", "END_STREAM"]),
)
MALFORMED = headers(5, [*REQUEST, (b"Upper", b"1")], encoder=encoder)
H2: dict[str, bytes] = {
    "one": frames(OPENING, HeadersFrame(1, SECTION, flags=["END_HEADERS", "END_STREAM"])),
    "many": frames(
        OPENING,
        HeadersFrame(1, SECTION[:20], flags=["END_STREAM"]),
        ContinuationFrame(1, SECTION[20:40]),
        ContinuationFrame(1, SECTION[40:], flags=["END_HEADERS"]),
        POST_2,
        ExtensionFrame(0x42, 0, body=b"what"),
        *DATA,
        PriorityFrame(7),
        MALFORMED,
        WindowUpdateFrame(0, 100),
        WindowUpdateFrame(1, 100),
        SettingsFrame(0, {4: 5}),
    ),
    "reset": frames(OPENING, headers(1), RstStreamFrame(1, 8), PingFrame(0)),
    "goodbye": frames(OPENING, headers(1), GoAwayFrame(0, 0, 0, b"bye"), PingFrame(0)),
    "goodbye-at-once": frames(OPENING, GoAwayFrame(0), headers(2), b"\xff" * 20),
    "content-too-long": frames(OPENING, headers(1, [*REQUEST, (b"content-length", b"1")], end=False))
    + frames(DataFrame(1, b"hello"), PingFrame(0)),
    "violation": frames(OPENING, headers(1), DataFrame(5, b"x"), headers(3)),
    "oversized": frames(OPENING, headers(1), b"\x00\x40\x01\x00\x00\x00\x00\x00\x01", bytes(16385)),
    "no-settings": OPENING[:24] + frames(PingFrame(0), SettingsFrame(0)),
    "cut-off": frames(OPENING, headers(1))[:-3],
    "cut-off-behind-a-head": frames(OPENING, headers(1, end=False)),
    "upgraded": UPGRADE + frames(OPENING, headers(3), PingFrame(0)),
    "upgraded-wrongly": UPGRADE + OPENING[:20] + b"\xff" * 20,
    "upgraded-to-nothing": UPGRADE.replace(b"HTTP2-Settings: ", b"HTTP2-Settings: AAIAAAAC"),
}
SAMPLES = {f"h1-{name}": octets for name, octets in H1.items()} | {
    f"h2-{n}": octets for n, octets in H2.items()
}
