"""Which machine a connection gets."""

from __future__ import annotations

import pytest

from tests.helpers.h1 import head_of, request
from wptproto.protocol.connection import Connection
from wptproto.protocol.events import UpgradeReceived
from wptproto.protocol.h1 import H1Connection
from wptproto.protocol.h2 import H2Connection
from wptproto.protocol.h2_frames import PREFACE
from wptproto.protocol.negotiate import ALPN_PROTOCOLS, choose_by_alpn, choose_by_octets


@pytest.mark.parametrize(
    ("protocol", "machine"), [("h2", H2Connection), ("http/1.1", H1Connection), (None, H1Connection)]
)
def test_by_alpn(protocol: str | None, machine: type[Connection]) -> None:
    """ "h2" is HTTP/2 over TLS (RFC 9113 §3.2); a client without ALPN speaks HTTP/1.1."""
    assert type(choose_by_alpn(protocol)) is machine


def test_by_alpn_of_another() -> None:
    """What a protocol is that is not known here, its octets tell."""
    assert choose_by_alpn("h2-16") is None


def test_what_is_offered() -> None:
    """Both are offered, and the better one is preferred."""
    assert ALPN_PROTOCOLS == ("h2", "http/1.1")


def test_no_upgrade_over_tls() -> None:
    """ "h2c" is for cleartext (RFC 7540 §3.2), so over TLS the request is one like others."""
    octets = request(
        b"GET / HTTP/1.1",
        b"Connection: Upgrade, HTTP2-Settings",
        b"Upgrade: h2c",
        b"HTTP2-Settings: AAMAAABkAAQAAP__",
    )
    in_the_clear = choose_by_octets(octets)
    assert in_the_clear is not None
    for over_tls in (choose_by_alpn("http/1.1"), choose_by_octets(octets, cleartext=False)):
        assert over_tls is not None
        assert head_of(over_tls.receive_data(octets)).method == "GET"
    assert isinstance(in_the_clear.receive_data(octets)[0], UpgradeReceived)


@pytest.mark.parametrize("length", range(len(PREFACE)))
def test_part_of_the_preface(length: int) -> None:
    """While it may still be the one or the other, nothing is chosen."""
    assert choose_by_octets(PREFACE[:length]) is None


@pytest.mark.parametrize("octets", [PREFACE, PREFACE + b"\0\0\0\4"])
def test_the_preface(octets: bytes) -> None:
    """A client with prior knowledge begins with the preface (RFC 9113 §3.3)."""
    assert type(choose_by_octets(octets)) is H2Connection


@pytest.mark.parametrize(
    "octets",
    [
        b"G",
        b"PO",
        b"PRI /",
        b"PRI * HTTP/1.1",
        b"\r",
        b"\x16\x03\x01",
        *(PREFACE[:at] + b"\xff" for at in range(len(PREFACE))),
    ],
)
def test_anything_else(octets: bytes) -> None:
    """With the first octet that is not the preface's it is HTTP/1.1, or for that to refuse."""
    assert type(choose_by_octets(octets)) is H1Connection
