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
    return said_by(context, "localhost")


def said_by(context: ssl.SSLContext, host: str) -> bytes:
    """Return what a client says first to a host."""
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=host)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("protocols", [(), ("h2",), ("h2", "http/1.1"), ("a" * 255, "b")])
def test_what_is_offered(protocols: tuple[str, ...]) -> None:
    """The names of the ALPN extension, in order (RFC 7301 §3.1); without one, nothing is said of them."""
    expected = tuple(protocol.encode() for protocol in protocols) or None
    found = read_client_hello(hello(*protocols))
    assert found is not None
    assert found.protocols == expected


def test_whatever_comes_is_read_when_it_is_whole() -> None:
    """As long as octets are missing there is no answer; what follows them does not matter."""
    octets = hello("h2")
    assert [read_client_hello(octets[:end]) for end in range(len(octets))] == [None] * len(octets)
    expected = ClientHello("localhost", (b"h2",), octets[5:])
    for following in (b"\x14\x03\x03\x00\x01\x01", b"\x17\x03\x03", octets):
        assert read_client_hello(octets + following) == expected


def test_a_message_in_several_records() -> None:
    """A message may be cut into records as one likes (RFC 8446 §5.1)."""
    octets = hello("h2", "http/1.1")
    message = octets[5:]
    records = b"".join(
        b"\x16\x03\x01" + len(message[at : at + 7]).to_bytes(2) + message[at : at + 7]
        for at in range(0, len(message), 7)
    )
    assert read_client_hello(records) == ClientHello("localhost", (b"h2", b"http/1.1"), message)


def test_octet_by_octet() -> None:
    """It does not matter in what pieces the octets come, and each is looked at once."""
    octets, reader = hello("h2"), ClientHelloReader()
    answers = [reader.feed(octets[at : at + 1]) for at in range(len(octets))]
    assert answers == [None] * (len(octets) - 1) + [ClientHello("localhost", (b"h2",), octets[5:])]
    assert not reader._records
    waiting = ClientHelloReader()
    for _ in range(100):
        assert waiting.feed(b"\x16\x03\x01\x00\x01\x01") is None
    assert not waiting._records


def test_without_extensions() -> None:
    """A client of TLS 1.2 may have no extensions at all (RFC 5246 §7.4.1.2)."""
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00"
    message = b"\x01" + len(body).to_bytes(3) + body
    found = read_client_hello(b"\x16\x03\x01" + len(message).to_bytes(2) + message)
    assert found == ClientHello(None, None, message)
    assert (found.versions, found.cipher_suites, found.signature_schemes) == ((0x0303,), (0x1301,), ())


def test_what_else_is_offered() -> None:
    """A name, versions, cipher suites and signatures, as the library's client is told to offer them."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    found = read_client_hello(said_by(context, "WWW.localhost"))
    assert found is not None
    assert (found.server_name, found.versions) == ("www.localhost", (0x0304, 0x0303))
    assert {0x1301, 0xC02B} <= set(found.cipher_suites)
    assert 0x0403 in found.signature_schemes
    assert {0, 13, 43} <= set(found.extensions)


def test_no_name() -> None:
    """An address is not asked for by SNI (RFC 6066 §3), and a name of another kind than a host's is none."""
    found = read_client_hello(said_by(ssl.create_default_context(), "127.0.0.1"))
    assert found is not None
    assert found.server_name is None
    octets = hello()
    other = octets.replace(b"\0\0\x09local", b"\1\0\x09local")
    found = read_client_hello(other)
    assert found is not None
    assert found.server_name is None


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes.fromhex("15 0303 0002 02 78"),
        bytes.fromhex("16 0301 0004 02000000"),  # a ServerHello
        bytes.fromhex("16 0301 0000"),  # nothing, which is forbidden (RFC 8446 §5.1)
        bytes.fromhex("16 0301 0004 01020001"),  # 131,073 octets
        bytes.fromhex(
            "16 0301 002f 0100002b 0303" + "00" * 32 + "00 0000 0100 0002 0000"
        ),  # half an extension
        bytes.fromhex("16 0301 0031 0100002d 0303" + "00" * 32 + "00 0000 0100 0004 00100001"),  # and its end
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
