"""HTTP/2 clients at the ends of what the protocol can count: nothing is kept for it, and nothing breaks."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import pytest
from hyperframe.frame import DataFrame, GoAwayFrame, SettingsFrame

from tests.helpers.h2 import OPENING, frames_of, headers
from tests.helpers.peers import Kind, open_socket
from tests.hostile.bystander import undisturbed
from tests.hostile.target import Target
from tests.hostile.wire import read_all

IDENTIFIERS = range(0x100, 0x10000)
SETTINGS_OF_A_FRAME = 2730
LAST_STREAM = 2**31 - 1
ACK = SettingsFrame(0, flags=["ACK"]).serialize()


def settings(identifiers: Iterable[int]) -> bytes:
    """Return a frame with those settings; hyperframe writes only the last octet of an identifier."""
    content = b"".join(struct.pack(">HI", identifier, 1) for identifier in identifiers)
    return struct.pack(">HBBBI", len(content) >> 8, len(content) & 0xFF, SettingsFrame.type, 0, 0) + content


def test_settings_of_all_identifiers(target: Target) -> None:
    """Settings that are not known are ignored (RFC 9113 §6.5.2), and so not held, however many there are."""
    frames = [
        settings(IDENTIFIERS[start : start + SETTINGS_OF_A_FRAME])
        for start in range(0, len(IDENTIFIERS), SETTINGS_OF_A_FRAME)
    ]
    with target.nothing_left() as before, undisturbed(target), open_socket(target, "h2c") as sock:
        sock.sendall(OPENING + b"".join(frames))
        heard = b""
        while heard.count(ACK) < len(frames) + 1:
            piece = sock.recv(65536)
            assert piece, "the connection was closed"
            heard += piece
        assert target.at_rest().items - before.items < 1000


@pytest.mark.parametrize("kind", ["h2", "h2c"])
def test_streams_run_out(kind: Kind, target: Target) -> None:
    """
    Who has used the last stream there can be is answered and told that it was the last (RFC 9113 §5.1.1);
    the connection ends, whatever follows.
    """
    with target.nothing_left(), undisturbed(target), open_socket(target, kind) as sock:
        sock.sendall(OPENING + headers(LAST_STREAM).serialize())
        frames = frames_of(read_all(sock))
        assert b"ok" in [frame.data for frame in frames if isinstance(frame, DataFrame)]
        (goaway,) = [frame for frame in frames if isinstance(frame, GoAwayFrame)]
        assert goaway.last_stream_id == LAST_STREAM
    with target.nothing_left(), open_socket(target, kind) as sock:
        sock.sendall(OPENING + headers(LAST_STREAM).serialize() + headers(LAST_STREAM - 2).serialize())
        read_all(sock)
