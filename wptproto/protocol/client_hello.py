"""
What a TLS client offers by ALPN, read from its first octets (RFC 8446 §4.1.2, RFC 7301 §3.1).

A library tells which protocol was chosen, and not that none could be. But "in the event that the
server supports no protocols that the client advertises, then the server SHALL respond with a fatal
"no_application_protocol" alert" (RFC 7301 §3.2). All this is in the clear, before any key.
"""

from __future__ import annotations

__all__ = ["NO_APPLICATION_PROTOCOL", "ClientHello", "ClientHelloReader"]
from typing import NamedTuple

NO_APPLICATION_PROTOCOL = bytes.fromhex("15 0303 0002 02 78")
"""The record of that alert: fatal is 2, and its number 120 (RFC 8446 §5.1, §6)."""

_HANDSHAKE, _CLIENT_HELLO, _ALPN = 22, b"\1", 16
_RECORD_HEADER_OCTETS = 5


class ClientHello(NamedTuple):
    """
    Attributes:
        protocols: What the client offers by ALPN, best first; None where it does not speak of that.
    """

    protocols: tuple[bytes, ...] | None


class _Reader:
    """Takes vectors from octets; ValueError where they end too soon."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._position = 0

    def take(self, count: int) -> bytes:
        found = self._octets[self._position : self._position + count]
        if len(found) < count:
            raise ValueError("a ClientHello ends too soon")
        self._position += count
        return found

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> bytes:
        """Take a vector whose length stands before it in so many octets (RFC 8446 §3.4)."""
        return self.take(self.number(size))

    def __bool__(self) -> bool:
        return self._position < len(self._octets)


class ClientHelloReader:
    """Reads what a client says first; each octet is looked at once, however many records it comes in."""

    def __init__(self) -> None:
        self._records = bytearray()
        self._message = bytearray()

    def feed(self, octets: bytes) -> ClientHello | None:
        """
        Take octets, cut anywhere; none behind those that made an answer.

        Returns:
            None while there is more to come.

        Raises:
            ValueError: It is no ClientHello, or a malformed one.
        """
        self._records += octets
        while not self._is_whole() and self._take_record():
            if self._message[:1] not in (b"", _CLIENT_HELLO):
                raise ValueError("the first message is no ClientHello")
        return _parse(bytes(self._message)) if self._is_whole() else None

    def _is_whole(self) -> bool:
        size = 4 + int.from_bytes(self._message[1:4])
        return len(self._message) >= size

    def _take_record(self) -> bool:
        """Move what a record holds to the message, which may be in several; whether there was one."""
        records = self._records
        if records and records[0] != _HANDSHAKE:
            raise ValueError("a record of no handshake")
        end = _RECORD_HEADER_OCTETS + int.from_bytes(records[3:_RECORD_HEADER_OCTETS])
        if len(records) < max(_RECORD_HEADER_OCTETS, end):
            return False
        self._message += records[_RECORD_HEADER_OCTETS:end]
        del records[:end]
        return True


def _parse(message: bytes) -> ClientHello:
    hello = _Reader(_Reader(message[1:]).vector(3))
    hello.take(2 + 32)  # version, random
    hello.vector(1)  # session id
    hello.vector(2)  # cipher suites
    hello.vector(1)  # compression methods
    extensions = _Reader(hello.vector(2) if hello else b"")
    while extensions:
        kind, data = extensions.number(2), extensions.vector(2)
        if kind == _ALPN:
            names = _Reader(_Reader(data).vector(2))
            protocols = []
            while names:
                protocols.append(names.vector(1))
            return ClientHello(tuple(protocols))
    return ClientHello(None)
