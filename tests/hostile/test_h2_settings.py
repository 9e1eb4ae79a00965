"""HTTP/2 clients that make much of settings: what is none of ours is not kept."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from hyperframe.frame import SettingsFrame

from tests.helpers.h2 import OPENING
from tests.helpers.peers import open_socket
from tests.hostile.bystander import undisturbed
from tests.hostile.target import Target

IDENTIFIERS = range(0x100, 0x10000)
SETTINGS_OF_A_FRAME = 2730
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
