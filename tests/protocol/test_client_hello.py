"""What a TLS client offers, read from its first octets."""

from __future__ import annotations

import ssl

import pytest

from wptproto.protocol.client_hello import ClientHello, ClientHelloReader


def read_client_hello(octets: bytes) -> ClientHello | None:
    """Return what is read of octets that come at once."""
    return ClientHelloReader().feed(octets)


def hello(*protocols: str) -> bytes:
    """Return what the library's client says first."""
    context = ssl.create_default_context()
    if protocols:
        context.set_alpn_protocols(list(protocols))
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("protocols", [(), ("h2",), ("h2", "http/1.1"), ("a" * 255, "b")])
def test_what_is_offered(protocols: tuple[str, ...]) -> None:
    """The names of the ALPN extension, in order (RFC 7301 §3.1); without one, nothing is said of them."""
    expected = tuple(protocol.encode() for protocol in protocols) or None
    assert read_client_hello(hello(*protocols)) == ClientHello(expected)


def test_whatever_comes_is_read_when_it_is_whole() -> None:
    """As long as octets are missing there is no answer; what follows them does not matter."""
    octets = hello("h2")
    assert [read_client_hello(octets[:end]) for end in range(len(octets))] == [None] * len(octets)
    for following in (b"\x14\x03\x03\x00\x01\x01", b"\x17\x03\x03", octets):
        assert read_client_hello(octets + following) == ClientHello((b"h2",))


def test_a_message_in_several_records() -> None:
    """A message may be cut into records as one likes (RFC 8446 §5.1)."""
    octets = hello("h2", "http/1.1")
    message = octets[5:]
    records = b"".join(
        b"\x16\x03\x01" + len(message[at : at + 7]).to_bytes(2) + message[at : at + 7]
        for at in range(0, len(message), 7)
    )
    assert read_client_hello(records) == ClientHello((b"h2", b"http/1.1"))


def test_octet_by_octet() -> None:
    """It does not matter in what pieces the octets come, and each is looked at once."""
    octets, reader = hello("h2"), ClientHelloReader()
    answers = [reader.feed(octets[at : at + 1]) for at in range(len(octets))]
    assert answers == [None] * (len(octets) - 1) + [ClientHello((b"h2",))]
    assert not reader._records
    waiting = ClientHelloReader()
    for _ in range(100):
        assert waiting.feed(b"\x16\x03\x01\x00\x01\x01") is None
    assert not waiting._records


def test_without_extensions() -> None:
    """A client of TLS 1.2 may have no extensions at all (RFC 5246 §7.4.1.2)."""
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00"
    message = b"\x01" + len(body).to_bytes(3) + body
    assert read_client_hello(b"\x16\x03\x01" + len(message).to_bytes(2) + message) == ClientHello(None)


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes.fromhex("15 0303 0002 02 78"),
        bytes.fromhex("16 0301 0004 02000000"),  # a ServerHello
        bytes.fromhex("16 0301 0006 01000002 0303"),  # no random
        bytes.fromhex(
            "16 0301 002a 01000026 0303" + "00" * 32 + "ff 0000 00"
        ),  # a session id that is not there
    ],
)
def test_what_is_none(octets: bytes) -> None:
    """What is no ClientHello, or one whose lengths do not fit, is an error."""
    with pytest.raises(ValueError, match=r"ClientHello|handshake"):
        read_client_hello(octets)
