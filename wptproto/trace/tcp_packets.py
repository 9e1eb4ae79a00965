"""
TCP as it may have been: packets around the octets that a server has seen of a connection.

A server does not see packets. What it has is octets, in order, each once; they are given headers here as of a
network that loses nothing, that acknowledges each segment at once, and whose checksums are right.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

__all__ = ["Packet", "TcpPackets"]

SEGMENT_OCTETS = 65_000
"""How much content a packet has at the most; with headers less than what IPv4 can have, and than a window."""

_FIN, _SYN, _RST, _PSH, _ACK = 1, 2, 4, 8, 16
_TCP = 6
_HOPS = 64
_STEP = 64_000_003
"""How far the numbers of octets are from those of the next connection (RFC 9293 §3.4.1)."""

_WINDOW = 0xFFFF
_SEGMENT_OPTION = struct.pack("!BBH", 2, 4, SEGMENT_OCTETS)


class Packet(NamedTuple):
    """A packet from its IP header on; *sent* is by the server."""

    sent: bool
    octets: bytes


class _End:
    """One end of a connection: where it is, and the number of the octet that it sends next."""

    def __init__(self, address: bytes, port: int, first: int) -> None:
        self.address = address
        self.port = port
        self.next = first
        self.has_ended = False


class TcpPackets:
    """
    Makes the packets of one connection.

    Attributes:
        is_over: Both ends have ended, or one was reset.
    """

    def __init__(self, number: int, client: tuple[str, int], server: tuple[str, int]) -> None:
        """
        Args:
            number: Of the connection, to tell it from others between the same ports.
            client: Its address, of IPv4 or IPv6, and its port.
            server: The same of the server.
        """
        here, there = _address(server[0]), _address(client[0])
        if here.version != there.version:
            here, there = _as_v6(here), _as_v6(there)
        self._is_v6 = here.version == 6
        first = number * _STEP % 2**32
        self._client = _End(there.packed, client[1], first)
        self._server = _End(here.packed, server[1], first)
        self._count = 0
        self.is_over = False

    def opened(self) -> Iterator[Packet]:
        """Shake hands."""
        yield self._packet(False, _SYN, options=_SEGMENT_OPTION)
        yield self._packet(True, _SYN | _ACK, options=_SEGMENT_OPTION)
        yield self._packet(False, _ACK)

    def carried(self, sent: bool, octets: bytes) -> Iterator[Packet]:
        """Carry octets, and acknowledge them."""
        if self.is_over or self._from(sent).has_ended:
            return
        for start in range(0, len(octets), SEGMENT_OCTETS):
            yield self._packet(sent, _PSH | _ACK, octets[start : start + SEGMENT_OCTETS])
            yield self._packet(not sent, _ACK)

    def ended(self, sent: bool) -> Iterator[Packet]:
        """End one direction, and acknowledge that."""
        end = self._from(sent)
        if self.is_over or end.has_ended:
            return
        yield self._packet(sent, _FIN | _ACK)
        end.has_ended = True
        yield self._packet(not sent, _ACK)
        self.is_over = self._from(not sent).has_ended

    def reset(self, sent: bool) -> Iterator[Packet]:
        """Break the connection off, from one side."""
        yield self._packet(sent, _RST | _ACK)
        self.is_over = True

    def _from(self, sent: bool) -> _End:
        return self._server if sent else self._client

    def _packet(self, sent: bool, flags: int, octets: bytes = b"", options: bytes = b"") -> Packet:
        one, other = self._from(sent), self._from(not sent)
        acknowledged = other.next if flags & _ACK else 0
        ports = struct.pack("!HH", one.port, other.port)
        middle = struct.pack("!IIBBH", one.next, acknowledged, (20 + len(options)) // 4 << 4, flags, _WINDOW)
        length = 20 + len(options) + len(octets)
        summed = one.address + other.address + struct.pack("!II", length, _TCP)  # both versions come to this
        checksum = _checksum(summed + ports + middle + b"\0\0\0\0" + options + octets)
        segment = ports + middle + struct.pack("!HH", checksum, 0) + options + octets
        one.next = (one.next + len(octets) + bool(flags & (_SYN | _FIN))) % 2**32
        return Packet(sent, self._ip(one, other, length) + segment)

    def _ip(self, one: _End, other: _End, length: int) -> bytes:
        if self._is_v6:
            return struct.pack("!IHBB", 6 << 28, length, _TCP, _HOPS) + one.address + other.address
        self._count = (self._count + 1) % 2**16
        # Version and length in words, service; whole length; its number; not to be fragmented.
        start = struct.pack("!BBHHHBB", 0x45, 0, 20 + length, self._count, 0x4000, _HOPS, _TCP)
        addresses = one.address + other.address
        return start + struct.pack("!H", _checksum(start + b"\0\0" + addresses)) + addresses


def _checksum(octets: bytes) -> int:
    """Return the ones' complement of the sum of all 16-bit words (RFC 1071), which is one modulo 65,535."""
    if len(octets) % 2:
        octets += b"\0"
    # Of the two zeros that there are it is never the one of all bits (RFC 1624 §3).
    return (0xFFFF - int.from_bytes(octets, "big") % 0xFFFF) % 0xFFFF


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return IPv4Address(0)  # a socket that has no address of IP
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return found if mapped is None else mapped


def _as_v6(address: IPv4Address | IPv6Address) -> IPv6Address:
    return address if isinstance(address, IPv6Address) else IPv6Address(f"::ffff:{address}")
