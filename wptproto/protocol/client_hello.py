"""
What a TLS client offers, read from its first octets (RFC 8446 §4.1.2): a name, protocols, versions, ciphers.

A library tells which protocol was chosen, and not that none could be. But "in the event that the
server supports no protocols that the client advertises, then the server SHALL respond with a fatal
"no_application_protocol" alert" (RFC 7301 §3.2). And it tells little of what else there was to choose from.
All this is in the clear, before any key.
"""

from __future__ import annotations

from struct import Struct, unpack
from typing import NamedTuple

__all__ = ["INTERNAL_ERROR", "NO_APPLICATION_PROTOCOL", "ClientHello", "ClientHelloReader"]

NO_APPLICATION_PROTOCOL = bytes.fromhex("15 0303 0002 02 78")
"""The record of that alert: fatal is 2, and its number 120 (RFC 8446 §5.1, §6)."""

INTERNAL_ERROR = bytes.fromhex("15 0303 0002 02 50")
"""The record of that alert, whose number is 80."""

_HANDSHAKE, _CLIENT_HELLO = 22, b"\1"
_SERVER_NAME, _SIGNATURE_ALGORITHMS, _ALPN, _SUPPORTED_VERSIONS = 0, 13, 16, 43
_RECORD_HEADER_OCTETS = 5
_LARGEST_OCTETS = 128 * 1024  # about what OpenSSL takes
_EXTENSION = Struct(">HH")
_RANDOM_ENDS = 4 + 2 + 32  # type and length, version, random


class ClientHello(NamedTuple):
    """
    What is asked for at each handshake is read at once, all else when it is asked for.

    Attributes:
        server_name: The host that it asks for by SNI, in lower case (RFC 6066 §3); None where it names none.
        protocols: What the client offers by ALPN, best first; None where it does not speak of that.
        octets: The whole message.
    """

    server_name: str | None
    protocols: tuple[bytes, ...] | None
    octets: bytes

    @property
    def versions(self) -> tuple[int, ...]:
        """Which versions it speaks, best first; 0x0304 is TLS 1.3 (RFC 8446 §4.2.1)."""
        listed = self.extensions.get(_SUPPORTED_VERSIONS)
        return _numbers(self.octets[4:6]) if listed is None else _numbers(listed[1:])

    @property
    def cipher_suites(self) -> tuple[int, ...]:
        """Which cipher suites it speaks, best first, by their numbers at IANA."""
        start = _cipher_suites_start(self.octets)
        return _numbers(self.octets[start + 2 : _end(self.octets, start, 2)])

    @property
    def signature_schemes(self) -> tuple[int, ...]:
        """Which signatures it can verify, best first, by their numbers at IANA (RFC 8446 §4.2.3)."""
        return _numbers(self.extensions.get(_SIGNATURE_ALGORITHMS, b"")[2:])

    @property
    def extensions(self) -> dict[int, bytes]:
        """The content of each extension by its number at IANA, in order."""
        return {kind: self.octets[start:end] for kind, start, end in _extensions(self.octets)}


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
            ValueError: It is no ClientHello, or a malformed one, or larger than any.
        """
        self._records += octets
        while not self._is_whole() and self._take_record():
            if self._message[:1] != _CLIENT_HELLO:
                raise ValueError("the first message is no ClientHello")
        return _parse(bytes(self._message)) if self._is_whole() else None

    def _is_whole(self) -> bool:
        size = 4 + int.from_bytes(self._message[1:4])
        if size > _LARGEST_OCTETS:
            raise ValueError("a ClientHello that is too large")
        return len(self._message) >= size

    def _take_record(self) -> bool:
        """Move what a record holds to the message, which may be in several; whether there was one."""
        records = self._records
        if records and records[0] != _HANDSHAKE:
            raise ValueError("a record of no handshake")
        end = _RECORD_HEADER_OCTETS + int.from_bytes(records[3:_RECORD_HEADER_OCTETS])
        if len(records) < max(_RECORD_HEADER_OCTETS, end):
            return False
        if end == _RECORD_HEADER_OCTETS:
            raise ValueError("a record of the handshake that is empty")  # RFC 8446 §5.1: "MUST NOT send"
        self._message += records[_RECORD_HEADER_OCTETS:end]
        del records[:end]
        return True


def _parse(message: bytes) -> ClientHello:
    message = message[: 4 + int.from_bytes(message[1:4])]
    server_name: str | None = None
    protocols: tuple[bytes, ...] | None = None
    for kind, start, end in _extensions(message):
        if kind == _SERVER_NAME:
            server_name = _host_name(message[start:end])
        elif kind == _ALPN:
            protocols = _names(message[start:end])
    return ClientHello(server_name, protocols, message)


def _end(octets: bytes, at: int, size: int) -> int:
    """Return where a vector ends whose length stands before it in so many octets (RFC 8446 §3.4)."""
    start = at + size
    end = start + int.from_bytes(octets[at:start])
    if end > len(octets) or start > len(octets):
        raise ValueError("a ClientHello ends too soon")
    return end


def _cipher_suites_start(message: bytes) -> int:
    """Return where the length of the cipher suites stands: behind the session id."""
    return _end(message, _RANDOM_ENDS, 1)


def _extensions(message: bytes) -> list[tuple[int, int, int]]:
    """Return of each extension its number, and where its content begins and ends; TLS 1.2 may have none."""
    found: list[tuple[int, int, int]] = []
    at = _end(message, _end(message, _cipher_suites_start(message), 2), 1)  # behind the compression methods
    if at == len(message):
        return found
    end = _end(message, at, 2)
    at += 2
    while at < end:
        if at + 4 > end:
            raise ValueError("a ClientHello ends too soon")
        kind, size = _EXTENSION.unpack_from(message, at)
        at += 4 + size
        found.append((kind, at - size, at))
    if at > end:
        raise ValueError("a ClientHello ends too soon")
    return found


def _host_name(data: bytes) -> str | None:
    """Return the name in an extension of SNI, which holds one, of type 0 (RFC 6066 §3)."""
    if data[2:3] != b"\0":
        return None
    return data[5 : _end(data, 3, 2)].decode("ascii", "backslashreplace").lower()


def _names(data: bytes) -> tuple[bytes, ...]:
    """Return the names in an extension of ALPN (RFC 7301 §3.1)."""
    found: list[bytes] = []
    at, end = 2, _end(data, 0, 2)
    while at < end:
        start, at = at + 1, _end(data, at, 1)
        found.append(data[start:at])
    return tuple(found)


def _numbers(octets: bytes) -> tuple[int, ...]:
    """Return the numbers of two octets that follow each other."""
    count = len(octets) // 2
    return unpack(f">{count}H", octets[: 2 * count])
