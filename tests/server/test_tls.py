"""TLS as HTTP/2 wants it (RFC 9113 §9.2): by real handshakes, and by what is said before there is any key."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.helpers.peers import H2Peer
from wptproto import Server

# RFC 5246 §7.2, RFC 8446 §6: what alerts mean.
HANDSHAKE_FAILURE, PROTOCOL_VERSION = 40, 70
# By RFC 8422 and RFC 9113 appendix A: this one is as HTTP/2 wants it, and those are not.
ECDSA_AES128_GCM = b"\xc0\x2b"
PROHIBITED = {
    "RSA_AES128_CBC": b"\x00\x2f",
    "RSA_AES128_GCM": b"\x00\x9c",
    "RSA_RC4": b"\x00\x05",
    "RSA_3DES": b"\x00\x0a",
    "NULL": b"\x00\x02",
    "ECDH_anon_AES128": b"\xc0\x18",
    "ECDHE_ECDSA_RC4": b"\xc0\x07",
    "ECDHE_ECDSA_3DES": b"\xc0\x08",
    "ECDHE_ECDSA_AES128_CBC": b"\xc0\x09",
    "ECDHE_ECDSA_AES256_CBC_SHA384": b"\xc0\x24",
    "DHE_RSA_AES128_CBC": b"\x00\x33",
    "PSK_AES128": b"\x00\x8c",
}
GOOD = re.compile(r"ECDHE-(ECDSA|RSA)-(AES(128|256)-GCM-SHA(256|384)|CHACHA20-POLY1305)")


@pytest.fixture(scope="module")
def rsa_pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate with an RSA key, for which most ciphers are."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    folder = tmp_path_factory.mktemp("rsa")
    (folder / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(octets)
    (folder / "key.pem").chmod(0o600)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture(scope="module", params=["generated", "rsa"])
def server(request: pytest.FixtureRequest, certs_dir: Path, rsa_pair: tuple[Path, Path]) -> Iterator[Server]:
    certificate, key = rsa_pair if request.param == "rsa" else (None, None)
    with Server(
        routes=[("GET", "/", lambda request, response: request.url)],
        certs_dir=certs_dir,
        certificate=certificate,
        key=key,
        h2_port=0,
    ) as server:
        yield server


def connected(server: Server, context: ssl.SSLContext, name: str | None = "localhost") -> ssl.SSLSocket:
    sock = socket.create_connection(("127.0.0.1", server.https_port or 0), timeout=20)
    context.set_alpn_protocols(["h2", "http/1.1"])
    try:
        return context.wrap_socket(sock, server_hostname=name)
    except BaseException:
        sock.close()
        raise


def test_versions(server: Server) -> None:
    """TLS 1.2 and 1.3 are spoken, and with either h2 is chosen (RFC 9113 §9.2)."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = server.client_context()
        context.minimum_version = context.maximum_version = version
        with connected(server, context) as sock:
            assert (sock.version(), sock.selected_alpn_protocol()) == (version.name.replace("_", "."), "h2")
            assert sock.compression() is None


def test_ciphers(server: Server) -> None:
    """Of all ciphers for TLS 1.2, those are taken that HTTP/2 does not prohibit, and no others."""
    every = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    every.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    names = [cipher["name"] for cipher in every.get_ciphers() if not cipher["name"].startswith("TLS_")]
    taken = set()
    for name in names:
        context = server.client_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(f"{name}:@SECLEVEL=0")
        try:
            with connected(server, context) as sock:
                taken.add((sock.cipher() or ("", "", 0))[0])
        except (ssl.SSLError, ConnectionError):
            pass
    assert len(names) > 50
    kind = "RSA" if "rsa" in str(server.ca) else "ECDSA"
    assert taken == {name for name in names if GOOD.fullmatch(name) and kind in name}
    if kind == "RSA":
        assert "ECDHE-RSA-AES128-GCM-SHA256" in taken  # the one that RFC 9113 §9.2.2 wants of everyone


def test_curve(server: Server) -> None:
    """P-256 is spoken (RFC 9113 §9.2.2)."""
    context = server.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ecdh_curve("prime256v1")
    with connected(server, context) as sock:
        assert sock.selected_alpn_protocol() == "h2"


def client_hello(version: bytes, ciphers: bytes, *, compression: bytes = b"\0") -> bytes:
    """Return a ClientHello that offers h2, P-256, and signatures by ECDSA and RSA (RFC 5246 §7.4.1.2)."""

    def vector(octets: bytes, size: int) -> bytes:
        return len(octets).to_bytes(size) + octets

    extensions = b"".join(
        number + vector(octets, 2)
        for number, octets in (
            (b"\x00\x0a", vector(b"\x00\x17", 2)),
            (b"\x00\x0b", vector(b"\0", 1)),
            (b"\x00\x0d", vector(b"\x04\x03\x04\x01\x08\x04", 2)),
            (b"\x00\x10", vector(vector(b"h2", 1), 2)),
        )
    )
    body = version + bytes(32) + b"\0" + vector(ciphers, 2) + vector(compression, 1) + vector(extensions, 2)
    message = b"\x01" + vector(body, 3)
    return b"\x16\x03\x01" + vector(message, 2)


def first_record(port: int | None, octets: bytes) -> tuple[int, bytes]:
    """Return type and octets of what is answered first."""
    with socket.create_connection(("127.0.0.1", port or 0), timeout=20) as sock, sock.makefile("rb") as file:
        sock.sendall(octets)
        head = file.read(5)
        return head[0], file.read(int.from_bytes(head[3:]))


@pytest.mark.parametrize(
    ("version", "alert"),
    [(b"\x03\x00", HANDSHAKE_FAILURE), (b"\x03\x01", PROTOCOL_VERSION), (b"\x03\x02", PROTOCOL_VERSION)],
)
def test_old_versions(server: Server, version: bytes, alert: int) -> None:
    """SSL 3.0, TLS 1.0 and TLS 1.1 are refused by an alert; SSL has none that says why."""
    for port in (server.https_port, server.h2_port):
        assert first_record(port, client_hello(version, ECDSA_AES128_GCM)) == (
            21,
            bytes((2, alert)),
        )


@pytest.mark.parametrize("name", PROHIBITED)
def test_prohibited_ciphers(server: Server, name: str) -> None:
    """Who offers h2 and no cipher that it allows gets no h2, for there is no TLS (RFC 9113 §9.2.2)."""
    for port in (server.https_port, server.h2_port):
        assert first_record(port, client_hello(b"\x03\x03", PROHIBITED[name])) == (
            21,
            bytes((2, HANDSHAKE_FAILURE)),
        )


def test_no_compression(server: Server) -> None:
    """Of compression methods, none is chosen, and who offers nothing else is refused (RFC 9113 §9.2.1)."""
    offered = ECDSA_AES128_GCM + b"\xc0\x2f"
    kind, octets = first_record(server.https_port, client_hello(b"\x03\x03", offered, compression=b"\x01\0"))
    # A ServerHello is: type, length of 3, version of 2, random of 32, session id, cipher of 2, compression.
    after_session = 4 + 2 + 32 + 1 + octets[38]
    assert (kind, octets[0], octets[after_session + 2]) == (22, 2, 0)
    kind, octets = first_record(server.https_port, client_hello(b"\x03\x03", offered, compression=b"\x01"))
    assert (kind, octets[0]) == (21, 2)


@pytest.mark.parametrize("name", ["localhost", "www1.localhost", "elsewhere.example", None])
def test_any_name(server: Server, name: str | None) -> None:
    """Whatever SNI asks for, there is one certificate; whatever authority a request names, it is answered."""
    context = server.client_context()
    context.check_hostname = False
    with H2Peer(connected(server, context, name), scheme="https") as peer:
        for authority in ("localhost", "elsewhere.example"):
            answer = peer.request("/", headers=[("host", authority)])
            assert (answer.status, answer.text.partition(":")[0]) == (200, "https")
            assert authority in answer.text
