"""The blocks of a pcapng file (draft-ietf-opsawg-pcapng §3, §4), little-endian, as octets."""

from __future__ import annotations

import struct

__all__ = ["interface", "packet", "secrets", "section_header"]

LINKTYPE_RAW = 101
"""Packets begin with their IP header, of either version."""

_SECTION_HEADER, _INTERFACE, _PACKET, _SECRETS = 0x0A0D0D0A, 1, 6, 10
_TLS_KEY_LOG = 0x544C534B
"""Secrets of the type "TLSK": lines as of SSLKEYLOGFILE."""

_COMMENT, _PACKET_FLAGS, _APPLICATION, _INTERFACE_NAME, _RESOLUTION = 1, 2, 4, 2, 9
_INBOUND, _OUTBOUND = 1, 2
_MAX_OPTION_OCTETS = 0xFFFF


def section_header(application: str) -> bytes:
    """Return the first block of a file: its octet order, version 1.0, a length that nobody knows yet."""
    return _block(
        _SECTION_HEADER,
        struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _options((_APPLICATION, application.encode())),
    )


def interface(name: str) -> bytes:
    """Return the block of the one interface, whose packets are of raw IP, their times in nanoseconds."""
    return _block(
        _INTERFACE,
        struct.pack("<HHI", LINKTYPE_RAW, 0, 0)
        + _options((_INTERFACE_NAME, name.encode()), (_RESOLUTION, b"\x09")),
    )


def packet(octets: bytes, at_s: float, *, sent: bool, comments: tuple[str, ...] = ()) -> bytes:
    """
    Return the block of one packet.

    Args:
        octets: From the IP header on.
        at_s: Seconds since 1970.
        sent: Whether it went out.
        comments: What is to stand beside it.
    """
    time_ns = round(at_s * 1e6) * 1000  # a float has no more of it
    head = struct.pack("<IIIII", 0, time_ns >> 32, time_ns & 0xFFFFFFFF, len(octets), len(octets))
    said = [(_COMMENT, comment.encode()[:_MAX_OPTION_OCTETS]) for comment in comments]
    flags = struct.pack("<I", _OUTBOUND if sent else _INBOUND)
    return _block(_PACKET, head + _padded(octets) + _options(*said, (_PACKET_FLAGS, flags)))


def secrets(lines: bytes) -> bytes:
    """Return the block that has TLS decrypted which follows: *lines* as of SSLKEYLOGFILE."""
    return _block(_SECRETS, struct.pack("<II", _TLS_KEY_LOG, len(lines)) + _padded(lines))


def _options(*options: tuple[int, bytes]) -> bytes:
    found = [struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options]
    return b"".join(found) + b"\0\0\0\0"  # opt_endofopt


def _block(kind: int, content: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(content))
    return struct.pack("<I", kind) + length + content + length


def _padded(octets: bytes) -> bytes:
    return octets + b"\0" * (-len(octets) % 4)
