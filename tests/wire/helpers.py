"""What tests of the wire share: frames and field blocks of a client, made by strangers."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from hpack import Encoder

from wptproto.h2_codes import END_HEADERS, END_STREAM, FrameKind
from wptproto.protocol.h2_frame_types import Frame, build
from wptproto.protocol.h2_parsing import FrameReader
from wptproto.wire.line import Line

__all__ = ["GET", "Sender", "NoKeeper", "frames_from"]

GET = ((":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"))


class NoKeeper:
    """Keeps nothing: what lingers is closed."""

    def forget(self, line: Line, /) -> None:
        pass

    def linger(self, sock: socket.socket, /) -> None:
        sock.close()


class Sender:
    """Makes a client's frames, whose field blocks the hpack library compresses."""

    def __init__(self) -> None:
        self.encoder = Encoder()

    def headers(
        self,
        stream_id: int = 1,
        fields: Iterable[tuple[str, str]] = GET,
        *,
        flags: int = END_HEADERS | END_STREAM,
    ) -> bytes:
        return build(FrameKind.HEADERS, flags, stream_id, self.encoder.encode(list(fields)))


def frames_from(sock: socket.socket, count: int) -> list[Frame]:
    """Return the next frames that come to a client."""
    reader, found = FrameReader(), list[Frame]()
    while len(found) < count:
        octets = sock.recv(1)
        assert octets, f"the connection ended behind {found}"
        found += reader.feed(octets)
    return found
