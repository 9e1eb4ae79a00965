"""TlsLayer between two buffers: what it knows of a connection, and what it does before the hello is whole."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from wptproto import certs
from wptproto.server.tls import TlsError, TlsLayer
from wptproto.server.tls_terms import TlsSettings, TlsTerms, make_context

DEFAULT = TlsSettings()


class Client:
    """The library's client, whose octets go to a layer as they are told to."""

    def __init__(self, context: ssl.SSLContext, name: str | None = "localhost") -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context.check_hostname = name is not None
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)

    def step(self) -> bytes:
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()


def shake_hands(client: Client, layer: TlsLayer) -> None:
    for _ in range(3):
        layer.receive_data(client.step())
        client.incoming.write(layer.data_to_send())


def terms(certs_dir: Path, *protocols: str, settings: TlsSettings = DEFAULT) -> TlsTerms:
    files = certs.ensure(certs_dir)
    return TlsTerms(make_context(files.certificate, files.key, protocols, settings), protocols)


def trusting(certs_dir: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certs.ensure(certs_dir).ca)


def test_state(certs_dir: Path) -> None:
    """Version, cipher, name and protocols, as soon as they are known."""
    layer = TlsLayer(terms(certs_dir, "h2", "http/1.1"))
    assert not any(layer.state)
    context = trusting(certs_dir)
    context.set_alpn_protocols(["http/1.1", "spdy/3"])
    shake_hands(Client(context), layer)
    state = layer.state
    assert (state.version, state.server_name) == ("TLSv1.3", "localhost")
    assert (state.alpn_offered, state.alpn_chosen) == (("http/1.1", "spdy/3"), "http/1.1")
    assert state.cipher is not None
    assert state.cipher.startswith("TLS_")
    assert state.client_certificate is None
    assert state.hello is not None
    assert 0x0304 in state.hello.versions


def test_state_of_a_client_that_says_little(certs_dir: Path) -> None:
    """A client without SNI and ALPN has named nothing; a port of h2 alone does not say that it was chosen."""
    layer = TlsLayer(terms(certs_dir, "h2"))
    context = trusting(certs_dir)
    shake_hands(Client(context, None), layer)
    state = layer.state
    assert (state.server_name, state.alpn_offered, state.alpn_chosen) == (None, None, None)
    assert layer.alpn_protocol == "h2"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_state_with_a_client_certificate(certs_dir: Path, version: ssl.TLSVersion) -> None:
    """What the client has shown is there, in DER."""
    made = certs.ensure_client(certs_dir)
    layer = TlsLayer(terms(certs_dir, settings=TlsSettings(client_certificates="asked", client_ca=made.ca)))
    context = trusting(certs_dir)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(made.certificate, made.key)
    shake_hands(Client(context), layer)
    shown = layer.state.client_certificate
    assert shown is not None
    pem = "".join(ssl.DER_cert_to_PEM_cert(shown).split())
    assert pem in "".join(made.certificate.read_text().split())


def test_state_of_a_handshake_that_failed(certs_dir: Path) -> None:
    """What the client has offered is known, though nothing came of it."""
    layer = TlsLayer(terms(certs_dir, "http/1.1"))
    context = trusting(certs_dir)
    context.set_alpn_protocols(["h2"])
    with pytest.raises(TlsError, match=r"by ALPN the client offers h2, and this port http/1\.1 alone"):
        layer.receive_data(Client(context).step())
    assert (layer.state.version, layer.state.alpn_offered) == (None, ("h2",))
    assert layer.terms == "TLS in its handshake"


def test_nothing_is_said_before_the_hello_is_whole(certs_dir: Path) -> None:
    """The context is chosen by the hello, which may come octet by octet; then the library goes on."""
    layer = TlsLayer(terms(certs_dir, "h2"))
    client = Client(trusting(certs_dir))
    octets = client.step()
    for at in range(len(octets)):
        assert layer.data_to_send() == b""
        layer.receive_data(octets[at : at + 1])
    assert layer.data_to_send()
    layer.close()


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\x16\x03\x01\x00\x06\x01\x03\x00\x01\x03\x03", "TLS failed: "),
        (b"\x16\x03\x01\x00\x00" * 40, "TLS failed: "),
        (b"GET / HTTP/1.1\r\n", "plain HTTP"),
        (b"\x15\x03\x03\x00\x02\x02\x78", "TLS failed: "),
    ],
)
def test_what_is_no_hello(certs_dir: Path, octets: bytes, reason: str) -> None:
    """What is no hello, or one that is too large, is for the library to refuse at once."""
    layer = TlsLayer(terms(certs_dir))
    with pytest.raises(TlsError, match=reason):
        layer.receive_data(octets)
    assert layer.state.hello is None


def test_a_context_by_name(certs_dir: Path) -> None:
    """Who asks for a host gets its context, with all that is different about it."""
    base, asked = terms(certs_dir, "h2"), []
    old = terms(certs_dir, "h2", settings=TlsSettings(versions=("TLSv1.2", "TLSv1.2"))).context

    def named(host: str) -> ssl.SSLContext | None:
        asked.append(host)
        return old if host == "localhost" else None

    for host, version in (("localhost", "TLSv1.2"), ("www.localhost", "TLSv1.3")):
        layer = TlsLayer(base._replace(named=named))
        shake_hands(Client(trusting(certs_dir), host), layer)
        assert layer.state.version == version
    assert asked == ["localhost", "www.localhost"]
