"""Certificates: what they say, who takes them, when they are made anew, and that nothing tears."""

from __future__ import annotations

import ast
import os
import shlex
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wptproto import certs, private_files
from wptproto.certs import issuing, keeping, voucher, where
from wptproto.errors import CertificateError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

Extension = TypeVar("Extension", bound=x509.ExtensionType)

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
PERMITTED_SUBTREE_VIOLATION = 47  # X509_V_ERR_PERMITTED_VIOLATION of OpenSSL
INVALID_PURPOSE = 26  # X509_V_ERR_INVALID_PURPOSE
FILES = {"ca.pem", "ca-key.pem", "server.pem", "server-key.pem"}
POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


# Helpers


def chain_of(path: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(path.read_bytes())


def leaf_of(files: certs.Certificates) -> x509.Certificate:
    return chain_of(files.certificate)[0]


def authority_of(files: certs.Certificates) -> x509.Certificate:
    return chain_of(files.ca)[0]


def authority_key_path(files: certs.Certificates) -> Path:
    return files.ca.with_stem(f"{files.ca.stem}-key")


def extension(certificate: x509.Certificate, kind: type[Extension]) -> x509.Extension[Extension]:
    return certificate.extensions.get_extension_for_class(kind)


def names_of(certificate: x509.Certificate) -> set[str]:
    return {str(name.value) for name in extension(certificate, x509.SubjectAlternativeName).value}


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if not path.name.startswith(".")}


def trusting(ca: Path) -> ssl.SSLContext:
    """A client that trusts one authority, as pedantic as clients get (the default from Python 3.13 on)."""
    context = ssl.create_default_context(cafile=ca)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def serving(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def handshake(client_context: ssl.SSLContext, server_context: ssl.SSLContext, host: str) -> None:
    """Return when both sides are content; raise what the discontented one raises."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=host)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    unfinished = [client, server]
    while unfinished:
        side = unfinished.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            unfinished.append(side)


def visit(files: certs.Certificates, host: str) -> None:
    handshake(trusting(files.ca), serving(files.certificate, files.key), host)


def check_whole(files: certs.Certificates) -> None:
    """The keys fit, the authority signed both certificates, and a server can use them."""
    certs.check_pair(files.certificate, files.key)
    certs.check_pair(files.ca, authority_key_path(files))
    leaf, authority = chain_of(files.certificate)
    assert authority == authority_of(files)
    leaf.verify_directly_issued_by(authority)
    authority.verify_directly_issued_by(authority)
    serving(files.certificate, files.key)


def pem_of(key: CertificateIssuerPrivateKeyTypes, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    return key.private_bytes(Encoding.PEM, form, NoEncryption())


def self_signed(key: CertificateIssuerPrivateKeyTypes, signed_with: SHA256 | None = None) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + DAY)
    return builder.sign(key, signed_with).public_bytes(Encoding.PEM)


def general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def forge(
    files: certs.Certificates, directory: Path, name: x509.GeneralName, purpose: x509.ObjectIdentifier
) -> tuple[Path, Path]:
    """What a thief of the authority's key could sign."""
    authority = authority_of(files)
    authority_key = load_pem_private_key(authority_key_path(files).read_bytes(), None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    today = datetime.now(UTC)
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "thief")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - DAY)
        .not_valid_after(today + DAY)
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, SHA256())
    )
    certificate_path, key_path = directory / "forged.pem", directory / "forged-key.pem"
    certificate_path.write_bytes(leaf.public_bytes(Encoding.PEM))
    key_path.write_bytes(pem_of(key))
    return certificate_path, key_path


# What they say


class TestAuthority:
    def test_it_may_sign_certificates_and_nothing_else(self, tmp_path: Path) -> None:
        """The authority signs certificates and revocations, for servers only, and one authority below it."""
        authority = authority_of(certs.ensure(tmp_path))
        constraints = extension(authority, x509.BasicConstraints)
        assert constraints.critical
        assert constraints.value == x509.BasicConstraints(ca=True, path_length=1)
        usage = extension(authority, x509.KeyUsage)
        assert usage.critical
        assert usage.value.key_cert_sign
        assert usage.value.crl_sign
        assert not usage.value.digital_signature
        purposes = extension(authority, x509.ExtendedKeyUsage).value
        assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]

    def test_its_constraints_are_critical(self, tmp_path: Path) -> None:
        """RFC 5280 §4.2.1.10: "Conforming CAs MUST mark this extension as critical"."""
        constraints = extension(authority_of(certs.ensure(tmp_path)), x509.NameConstraints)
        assert constraints.critical
        assert constraints.value.excluded_subtrees is None
        assert [str(name.value) for name in constraints.value.permitted_subtrees or ()] == [
            "localhost",
            "test",
            "127.0.0.0/8",
            "::1/128",
        ]

    def test_its_key_is_p256(self, tmp_path: Path) -> None:
        """The authority's key is on the curve P-256, which every client knows."""
        key = authority_of(certs.ensure(tmp_path)).public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert key.curve.name == "secp256r1"

    def test_its_name_tells_it_from_others(self, tmp_path: Path) -> None:
        """Two authorities in one trust store have two names, each saying what it is."""
        names = {authority_of(certs.ensure(tmp_path / folder)).subject.rfc4514_string() for folder in "ab"}
        assert len(names) == 2
        assert all(name.startswith("CN=wptproto development CA ") for name in names)

    def test_it_lasts_ten_years(self, tmp_path: Path) -> None:
        """The authority is valid since yesterday, for ten years."""
        authority = authority_of(certs.ensure(tmp_path, now=NOW))
        assert authority.not_valid_before_utc == NOW - DAY
        assert authority.not_valid_after_utc - authority.not_valid_before_utc == 3650 * DAY


class TestServer:
    def test_it_has_the_names_asked_for(self, tmp_path: Path) -> None:
        """Host names become A-labels in lower case, addresses their octets, and each stands there once."""
        names = ["Élève.TEST", "*.élève.test", "dev_1.test.", "DEV_1.test", "127.0.0.1", "0:0::1", "::1"]
        leaf = leaf_of(certs.ensure(tmp_path, names))
        alternatives = extension(leaf, x509.SubjectAlternativeName).value
        assert set(alternatives) == {
            x509.DNSName("xn--lve-6lad.test"),
            x509.DNSName("*.xn--lve-6lad.test"),
            x509.DNSName("dev_1.test"),
            x509.IPAddress(ip_address("127.0.0.1")),
            x509.IPAddress(ip_address("::1")),
        }
        assert len(alternatives) == 5

    def test_it_is_for_a_server(self, tmp_path: Path) -> None:
        """The server's certificate is no authority, signs handshakes, and authenticates servers."""
        leaf = leaf_of(certs.ensure(tmp_path))
        assert extension(leaf, x509.BasicConstraints).value == x509.BasicConstraints(
            ca=False, path_length=None
        )
        usage = extension(leaf, x509.KeyUsage)
        assert usage.critical
        assert usage.value.digital_signature
        assert not usage.value.key_cert_sign
        assert list(extension(leaf, x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]

    def test_identifiers_link_it_to_its_authority(self, tmp_path: Path) -> None:
        """RFC 5280 §4.2.1.2: its authority key identifier is its issuer's subject key identifier."""
        files = certs.ensure(tmp_path)
        leaf, authority = chain_of(files.certificate)
        issuer = extension(leaf, x509.AuthorityKeyIdentifier).value.key_identifier
        assert issuer == extension(authority, x509.SubjectKeyIdentifier).value.digest
        assert extension(leaf, x509.SubjectKeyIdentifier).value.digest != issuer

    def test_it_suits_browsers(self, tmp_path: Path) -> None:
        """The server's certificate is valid since yesterday, for clocks that are behind, and for 397 days."""
        leaf = leaf_of(certs.ensure(tmp_path, now=NOW))
        assert leaf.not_valid_before_utc == NOW - DAY
        assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == 397 * DAY

    @pytest.mark.parametrize(
        ("names", "subject"),
        [
            (certs.DEFAULT_NAMES, "CN=localhost"),
            (["*.a.test", "a.test", "127.0.0.1"], "CN=a.test"),
            ([f"{'a' * 59}.test"], f"CN={'a' * 59}.test"),
            ([f"{'a' * 60}.test"], "O=wptproto"),
            (["127.0.0.1"], "O=wptproto"),
        ],
    )
    def test_the_common_name_is_a_host_name_that_fits(
        self, tmp_path: Path, names: list[str], subject: str
    ) -> None:
        """The shortest host name is the common name if it has 64 characters or less; an address never is."""
        assert leaf_of(certs.ensure(tmp_path, names)).subject.rfc4514_string() == subject

    @pytest.mark.parametrize(
        "name",
        [
            "",
            " ",
            ".",
            "a b",
            "a..b",
            ".a",
            "-a.test",
            "a-.test",
            f"{'a' * 64}.test",
            f"{'é' * 60}.test",
            ".".join(["a" * 49] * 5 + ["test"]),
            "*",
            "a.*.test",
            "a*.test",
            "127.0.0.256",
            "127.1",
            "[::1]",
            "127.0.0.0/8",
            "localhost:443",
            "https://localhost",
            "a\n.test",
            "localhost\n",
            "a\0.test",
        ],
    )
    def test_what_is_no_name_is_refused(self, tmp_path: Path, name: str) -> None:
        """A name that no certificate can carry is an error that quotes it, and nothing is made."""
        with pytest.raises(CertificateError) as caught:
            certs.ensure(tmp_path / "new", ["localhost", name])
        assert repr(name) in str(caught.value)
        assert not (tmp_path / "new").exists()

    def test_the_longest_names_fit(self, tmp_path: Path) -> None:
        """RFC 1034 §3.1: a label has up to 63 octets; what remains of 255 on the wire is 253 characters."""
        name = ".".join(["a" * 63] * 3 + ["b" * 56, "test"])
        assert len(name) == 253
        assert names_of(leaf_of(certs.ensure(tmp_path, [name]))) == {name}

    def test_no_names_are_refused(self, tmp_path: Path) -> None:
        """A certificate for nobody is an error."""
        with pytest.raises(CertificateError, match="needs a name"):
            certs.ensure(tmp_path, [])

    def test_a_lone_string_is_one_name(self, tmp_path: Path) -> None:
        """A string in the place of a sequence is one name, not its letters."""
        assert names_of(leaf_of(certs.ensure(tmp_path, "a.test"))) == {"a.test"}

    def test_addresses_have_no_zone(self, tmp_path: Path) -> None:
        """A link-local address is the same with and without the zone that only one machine knows."""
        assert certs.ensure(tmp_path, ["fe80::1%eth0"]) == certs.ensure(tmp_path, ["fe80::1"])


# Whom clients take them for


class TestTrust:
    @pytest.mark.parametrize("host", [name for name in certs.DEFAULT_NAMES if "*" not in name])
    def test_a_client_takes_the_default_names(self, tmp_path: Path, host: str) -> None:
        """A client that trusts the authority accepts the server under each of its names."""
        visit(certs.ensure(tmp_path), host)

    @pytest.mark.parametrize(
        ("names", "host"),
        [
            (["*.dev.test"], "a.dev.test"),
            (["127.8.8.8"], "127.8.8.8"),
            (["dev.example"], "dev.example"),
            (["*.dev.example", "localhost"], "a.dev.example"),
            (["*.dev.example", "localhost"], "localhost"),
            (["192.0.2.7"], "192.0.2.7"),
            (["2001:db8::7", "127.0.0.1"], "2001:db8::7"),
            (["2001:db8::7", "127.0.0.1"], "127.0.0.1"),
            ([f"{'a' * 60}.test"], f"{'a' * 60}.test"),
        ],
    )
    def test_a_client_takes_other_names(self, tmp_path: Path, names: list[str], host: str) -> None:
        """The authority that goes with other names permits them, and localhost beside them."""
        visit(certs.ensure(tmp_path, names), host)

    def test_a_client_refuses_other_hosts(self, tmp_path: Path) -> None:
        """A permitted name that the certificate does not have is refused all the same."""
        files = certs.ensure(tmp_path, ["a.test"])
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            visit(files, "b.test")

    def test_a_client_without_the_authority_refuses(self, tmp_path: Path) -> None:
        """The authority of another directory, though of the same make, vouches for nothing here."""
        here, there = certs.ensure(tmp_path / "here"), certs.ensure(tmp_path / "there")
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(trusting(there.ca), serving(here.certificate, here.key), "localhost")

    @pytest.mark.parametrize("host", ["localhost", "deep.below.localhost", "any.test", "127.0.0.9", "::1"])
    def test_forged_names_within_the_constraints_pass(self, tmp_path: Path, host: str) -> None:
        """What is refused below is refused for its name alone."""
        files = certs.ensure(tmp_path)
        forged = forge(files, tmp_path, general_name(host), ExtendedKeyUsageOID.SERVER_AUTH)
        handshake(trusting(files.ca), serving(*forged), host)

    @pytest.mark.parametrize("names", [certs.DEFAULT_NAMES, ["dev.example", "192.0.2.7"]])
    @pytest.mark.parametrize(
        "host",
        ["example.com", "www.example", "localhost.example", "nottest", "192.0.2.1", "128.0.0.1", "::2"],
    )
    def test_a_stolen_key_is_worth_little(self, tmp_path: Path, names: list[str], host: str) -> None:
        """RFC 5280 §4.2.1.10: a name outside the permitted subtrees is refused, whoever signed it."""
        files = certs.ensure(tmp_path, names)
        forged = forge(files, tmp_path, general_name(host), ExtendedKeyUsageOID.SERVER_AUTH)
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            handshake(trusting(files.ca), serving(*forged), host)
        assert caught.value.verify_code == PERMITTED_SUBTREE_VIOLATION

    def test_it_vouches_for_servers_only(self, tmp_path: Path) -> None:
        """A server that trusted the authority would not take its certificates for clients'."""
        files = certs.ensure(tmp_path)
        forged = forge(files, tmp_path, x509.DNSName("localhost"), ExtendedKeyUsageOID.CLIENT_AUTH)
        client, server = trusting(files.ca), serving(files.certificate, files.key)
        client.load_cert_chain(*forged)
        server.verify_mode = ssl.CERT_REQUIRED
        server.load_verify_locations(files.ca)
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            handshake(client, server, "localhost")
        assert caught.value.verify_code == INVALID_PURPOSE


# Which files


class TestFiles:
    def test_names_and_modes(self, tmp_path: Path) -> None:
        """Four files are made along with their directory, and what the caller is told is where they are."""
        directory = tmp_path / "deep" / "certs"
        files = certs.ensure(directory)
        assert files == certs.Certificates(
            directory / "ca.pem", directory / "server.pem", directory / "server-key.pem"
        )
        assert contents(directory).keys() == FILES
        check_whole(files)

    @POSIX_ONLY
    def test_keys_are_private_from_the_beginning(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever the umask, a key has mode 0600 before its first octet, and the directory has 0700."""
        created: dict[str, int] = {}
        real_open = os.open

        def spy(path: str, flags: int, mode: int = 0o777) -> int:
            descriptor = real_open(path, flags, mode)
            assert flags & os.O_EXCL
            created[Path(path).name] = stat.S_IMODE(os.fstat(descriptor).st_mode)
            return descriptor

        monkeypatch.setattr(os, "open", spy)
        umask = os.umask(0)
        try:
            certs.ensure(tmp_path / "certs")
        finally:
            os.umask(umask)
        assert created == {
            "ca-key.pem.new": 0o600,
            "ca.pem.new": 0o644,
            "server-key.pem.new": 0o600,
            "server.pem.new": 0o644,
            ".server.fits.new": 0o644,
        }
        for name in ("ca-key.pem", "server-key.pem"):
            assert stat.S_IMODE((tmp_path / "certs" / name).stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "certs").stat().st_mode) == 0o700

    @POSIX_ONLY
    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620, 0o601])
    def test_keys_of_ours_become_private(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
    ) -> None:
        """A key that was opened to others is taken from them, and stays; the log says so once."""
        before = certs.ensure(tmp_path), contents(tmp_path)
        assert not caplog.records
        for name in ("ca-key.pem", "server-key.pem"):
            (tmp_path / name).chmod(mode)
        assert (certs.ensure(tmp_path), contents(tmp_path)) == before
        for name, record in zip(("ca-key.pem", "server-key.pem"), caplog.records, strict=True):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
            assert f"{name} was open to others than its owner (mode {mode:03o})" in record.getMessage()
            assert "delete it for another" in record.getMessage()
        certs.ensure(tmp_path)
        assert len(caplog.records) == 2

    @POSIX_ONLY
    def test_a_key_of_ours_that_belongs_to_another(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where we may not mend it, the log says how to."""
        files = certs.ensure(tmp_path)
        files.key.chmod(0o644)

        def refuse(path: Path, mode: int) -> None:
            raise PermissionError(1, "Operation not permitted", path, mode)

        monkeypatch.setattr(Path, "chmod", refuse)
        certs.ensure(tmp_path)
        assert f"by: chmod 600 {files.key}" in caplog.text

    @POSIX_ONLY
    def test_somebody_s_own_key(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """A key that we did not make stays as it is; a warning says that others can read it."""
        files = certs.ensure(tmp_path)
        certs.check_pair(files.certificate, files.key)
        assert not caplog.records
        files.key.chmod(0o644)
        certs.check_pair(files.certificate, files.key)
        assert f"by: chmod 600 {files.key}" in caplog.text
        assert stat.S_IMODE(files.key.stat().st_mode) == 0o644

    def test_keys_stay_in_their_files(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """Nothing is printed, and certificates and instructions hold no private key."""
        files = certs.ensure(tmp_path)
        assert capfd.readouterr() == ("", "")
        for text in (files.ca.read_text(), files.certificate.read_text(), certs.instructions(files)):
            assert "PRIVATE" not in text

    def test_a_relative_directory_becomes_absolute(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The paths stay good when the working directory changes."""
        monkeypatch.chdir(tmp_path)
        assert certs.ensure(Path("certs")).ca == tmp_path / "certs" / "ca.pem"

    def test_the_default_directory_is_the_default(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who names no directory gets the default one."""
        monkeypatch.setattr(keeping, "default_directory", lambda: tmp_path / "default")
        assert certs.ensure().ca == tmp_path / "default" / "ca.pem"

    def test_a_directory_that_cannot_be_written_in(self, tmp_path: Path) -> None:
        """The error says what could not be done, where, why, and how to mend it."""
        (tmp_path / "file").touch()
        with pytest.raises(CertificateError) as caught:
            certs.ensure(tmp_path / "file" / "certs")
        assert str(caught.value) == (
            f"cannot write certificates in {tmp_path / 'file' / 'certs'}: Not a directory;"
            " name a directory that you may write in"
        )

    def test_an_error_without_text(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An error of the system that has no text of its own is shown as it is."""

        def replace(source: Path, target: Path) -> None:
            raise OSError("disk on fire")

        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(CertificateError, match="disk on fire"):
            certs.ensure(tmp_path)
        assert contents(tmp_path) == {}

    def test_sets_of_names_have_their_own_files(self, tmp_path: Path) -> None:
        """Another set of names leaves the files of the first alone, and shares its authority."""
        first = certs.ensure(tmp_path)
        before = contents(tmp_path)
        second = certs.ensure(tmp_path, ["a.test"])
        assert second.ca == first.ca
        assert {second.certificate, second.key}.isdisjoint({first.certificate, first.key})
        assert contents(tmp_path).items() > before.items()
        check_whole(first)
        check_whole(second)

    def test_order_and_repetition_do_not_matter(self, tmp_path: Path) -> None:
        """The same set of names finds the same certificate."""
        first = certs.ensure(tmp_path, ["a.test", "b.test", "::1", "élève.test"])
        before = contents(tmp_path)
        assert certs.ensure(tmp_path, ["::1", "xn--lve-6lad.test", "B.test", "a.test", "b.test"]) == first
        assert certs.ensure(tmp_path, tuple(reversed(certs.DEFAULT_NAMES))).key == tmp_path / "server-key.pem"
        assert contents(tmp_path).items() > before.items()

    def test_a_name_of_somebody_else_has_its_own_authority(self, tmp_path: Path) -> None:
        """A name outside the constraints leaves the trusted authority as it is; another permits it."""
        before = certs.ensure(tmp_path)
        authority = authority_of(before)
        files = certs.ensure(tmp_path, ["localhost", "*.dev.example", "dev.example", "192.0.2.7", "::2"])
        assert files.ca != before.ca
        assert authority_of(before) == authority
        constraints = extension(authority_of(files), x509.NameConstraints).value
        assert [str(name.value) for name in constraints.permitted_subtrees or ()] == [
            "localhost",
            "test",
            "127.0.0.0/8",
            "::1/128",
            "::2/128",
            "192.0.2.7/32",
            "dev.example",
        ]

    def test_an_authority_serves_all_sets_with_its_names(self, tmp_path: Path) -> None:
        """What else is asked for, and wildcards, make no difference to which authority it is."""
        files = certs.ensure(tmp_path, ["dev.example"])
        other = certs.ensure(tmp_path, ["*.dev.example", "localhost", "a.test"])
        assert other.ca == files.ca
        assert other.certificate != files.certificate
        check_whole(files)
        check_whole(other)
        assert certs.ensure(tmp_path, ["prod.example"]).ca not in {files.ca, tmp_path / "ca.pem"}


# When they are made anew


class TestRenewal:
    def test_what_fits_is_not_touched(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A second call changes no octet, and needs no right to write."""
        files = certs.ensure(tmp_path)
        before = contents(tmp_path)
        monkeypatch.setattr(keeping, "exclusive", None)
        assert certs.ensure(tmp_path) == files
        assert contents(tmp_path) == before

    def test_what_was_found_to_fit_is_not_looked_at_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While the files are as they were, and for as long as they do, nobody looks what is in them."""
        certs.ensure(tmp_path, now=NOW)

        def look(*_: object) -> NoReturn:
            raise AssertionError("somebody looks")

        with monkeypatch.context() as patch:
            patch.setattr(issuing, "read_key", look)
            certs.ensure(tmp_path, now=NOW + 300 * DAY)
            for later in (NOW + 367 * DAY, NOW - 2 * DAY):
                with pytest.raises(AssertionError, match="somebody looks"):
                    certs.ensure(tmp_path, now=later)

    @pytest.mark.parametrize("voucher", ["", "\xff", "0 0 0", "{} nan 1", "{} 0 0", "{}"])
    def test_a_voucher_that_says_nothing(self, tmp_path: Path, voucher: str) -> None:
        """A voucher that is broken, for other files or for another time is written anew."""
        certs.ensure(tmp_path)
        path = tmp_path / ".server.fits"
        good = path.read_text()
        path.write_text(voucher.format(good.split()[0]), encoding="latin-1")
        before = contents(tmp_path)
        certs.ensure(tmp_path)
        assert path.read_text() == good
        assert contents(tmp_path) == before

    @POSIX_ONLY
    def test_a_directory_without_the_right_to_write(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where no voucher can be written, what fits is looked at each time, and does."""
        files = certs.ensure(tmp_path)
        (tmp_path / ".server.fits").unlink()

        def refuse(*_: object, **__: object) -> NoReturn:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(voucher, "write_file", refuse)
        assert certs.ensure(tmp_path) == files
        assert not (tmp_path / ".server.fits").exists()

    def test_a_server_certificate_near_its_end(self, tmp_path: Path) -> None:
        """With 30 days left it stays; with less it is renewed, for the same key and by the same authority."""
        files = certs.ensure(tmp_path, now=NOW)
        before = contents(tmp_path)
        end = leaf_of(files).not_valid_after_utc
        certs.ensure(tmp_path, now=end - 30 * DAY)
        assert contents(tmp_path) == before
        late = end - 30 * DAY + SECOND
        certs.ensure(tmp_path, now=late)
        assert {name for name, octets in contents(tmp_path).items() if octets != before[name]} == {
            "server.pem"
        }
        assert leaf_of(files).not_valid_before_utc == late - DAY
        check_whole(files)

    def test_an_authority_near_its_end(self, tmp_path: Path) -> None:
        """With 400 days left it stays; with less it is renewed, for the same key, and signs anew."""
        files = certs.ensure(tmp_path, now=NOW)
        keys = {name: octets for name, octets in contents(tmp_path).items() if "key" in name}
        authority = authority_of(files)
        late = authority.not_valid_after_utc - 400 * DAY
        certs.ensure(tmp_path, now=late)
        assert authority_of(files) == authority
        assert leaf_of(files).not_valid_after_utc <= authority.not_valid_after_utc
        certs.ensure(tmp_path, now=late + SECOND)
        assert authority_of(files) != authority
        assert authority_of(files).subject == authority.subject
        assert contents(tmp_path).items() > keys.items()
        check_whole(files)

    def test_certificates_of_the_future(self, tmp_path: Path) -> None:
        """After a clock was put right, what is not yet valid is made anew."""
        files = certs.ensure(tmp_path, now=NOW)
        certs.ensure(tmp_path, now=NOW - 2 * DAY)
        assert leaf_of(files).not_valid_before_utc == NOW - 3 * DAY
        assert authority_of(files).not_valid_before_utc == NOW - 3 * DAY

    @pytest.mark.parametrize("name", sorted(FILES))
    @pytest.mark.parametrize("damage", ["missing", "empty", "cut", "noise", "swapped"])
    def test_damage_is_mended(self, tmp_path: Path, name: str, damage: str) -> None:
        """Whatever happened to any one file, the next call makes all four fit."""
        files = certs.ensure(tmp_path)
        other = certs.ensure(tmp_path / "other")
        path = tmp_path / name
        octets = path.read_bytes()
        if damage == "missing":
            path.unlink()
        elif damage == "empty":
            path.write_bytes(b"")
        elif damage == "cut":
            path.write_bytes(octets[: len(octets) // 3])
        elif damage == "noise":
            path.write_bytes(b"\xff\x00" + octets[:100] + b"\xff" + octets[102:])
        else:
            path.write_bytes((other.ca.parent / name).read_bytes())
        certs.ensure(tmp_path)
        check_whole(files)
        visit(files, "localhost")

    @pytest.mark.parametrize("name", ["ca.pem", "server.pem"])
    def test_trust_outlives_a_broken_certificate(self, tmp_path: Path, name: str) -> None:
        """While the authority's key is there, clients that trusted it go on to trust what it signs."""
        files = certs.ensure(tmp_path)
        client = trusting(files.ca)
        (tmp_path / name).write_text("broken")
        certs.ensure(tmp_path)
        handshake(client, serving(files.certificate, files.key), "localhost")

    @pytest.mark.parametrize("name", ["ca.pem", "server.pem"])
    def test_a_false_signature(self, tmp_path: Path, name: str) -> None:
        """A certificate that says all it should, but whose signature is false, is made anew."""
        files = certs.ensure(tmp_path)
        first, *others = chain_of(tmp_path / name)
        der = bytearray(first.public_bytes(Encoding.DER))
        der[-1] ^= 1
        false = x509.load_der_x509_certificate(bytes(der))
        (tmp_path / name).write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in [false, *others]))
        certs.ensure(tmp_path)
        assert chain_of(tmp_path / name)[0] != false
        check_whole(files)

    def test_an_authority_that_permits_too_much(self, tmp_path: Path) -> None:
        """An authority without the constraints, though its key fits, is made anew."""
        files = certs.ensure(tmp_path)
        key = load_pem_private_key(authority_key_path(files).read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        files.ca.write_bytes(self_signed(key, SHA256()))
        certs.ensure(tmp_path)
        assert extension(authority_of(files), x509.NameConstraints).critical
        check_whole(files)

    def test_a_certificate_for_other_names(self, tmp_path: Path) -> None:
        """A file that has not the names asked for is made anew, for its key."""
        default, other = certs.ensure(tmp_path), certs.ensure(tmp_path, ["a.test"])
        other.certificate.write_bytes(default.certificate.read_bytes())
        other.key.write_bytes(default.key.read_bytes())
        certs.ensure(tmp_path, ["a.test"])
        assert names_of(leaf_of(other)) == {"a.test"}
        check_whole(other)

    def test_a_chain_without_its_authority(self, tmp_path: Path) -> None:
        """The authority's certificate follows the server's, or the file is made anew."""
        files = certs.ensure(tmp_path)
        files.certificate.write_bytes(leaf_of(files).public_bytes(Encoding.PEM))
        certs.ensure(tmp_path)
        check_whole(files)

    @pytest.mark.parametrize(
        "key", [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())]
    )
    def test_a_key_of_another_kind(
        self, tmp_path: Path, key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
    ) -> None:
        """A key that is not on P-256 is not ours, and is replaced."""
        files = certs.ensure(tmp_path)
        files.key.write_bytes(pem_of(key))
        certs.ensure(tmp_path)
        assert isinstance(leaf_of(files).public_key(), ec.EllipticCurvePublicKey)
        assert files.key.read_bytes() != pem_of(key)
        check_whole(files)


# That nothing tears


class TestAtOnce:
    def test_threads(self, tmp_path: Path) -> None:
        """However many threads begin at once, with the same names or others, all get files that fit."""
        sets = [certs.DEFAULT_NAMES, ("a.test",), ("dev.example",), ("::1",)] * 4
        with ThreadPoolExecutor(len(sets)) as pool:
            made = list(pool.map(lambda names: certs.ensure(tmp_path / "new", names), sets))
        assert len(set(made)) == 4
        for files in made:
            check_whole(files)

    def test_processes(self, tmp_path: Path) -> None:
        """However many processes begin at once, each can use what it is told about, at once and later."""
        program = (
            "import ssl, sys; from pathlib import Path; from wptproto import certs\n"
            "print('ready', flush=True)\n"
            "sys.stdin.readline()\n"
            "files = certs.ensure(Path(sys.argv[1]))\n"
            "ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)\n"
            "print(files.ca.read_text() + files.certificate.read_text())\n"
        )
        package = Path(certs.__file__).parent.parent.parent
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(tmp_path / "new")],
                cwd=package,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        outputs = {process.communicate()[0] for process in processes}
        assert [process.returncode for process in processes] == [0] * 4
        files = certs.ensure(tmp_path / "new")
        assert outputs == {f"{files.ca.read_text()}{files.certificate.read_text()}\n"}

    def test_who_waited_takes_what_the_first_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process that had to wait for the lock looks again, and makes nothing twice."""
        exclusive = private_files.exclusive
        made: dict[str, bytes] = {}

        @contextmanager
        def overtaken(path: Path) -> Iterator[None]:
            monkeypatch.setattr(keeping, "exclusive", exclusive)
            certs.ensure(tmp_path)
            made.update(contents(tmp_path))
            with exclusive(path):
                yield

        monkeypatch.setattr(keeping, "exclusive", overtaken)
        certs.ensure(tmp_path)
        assert made.keys() == FILES
        assert contents(tmp_path) == made

    @pytest.mark.parametrize("survivors", range(5))
    @pytest.mark.parametrize(
        "damaged", [(), ("ca-key.pem",), ("server-key.pem",), ("ca-key.pem", "server-key.pem")]
    )
    def test_an_end_at_any_point(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survivors: int, damaged: tuple[str, ...]
    ) -> None:
        """Stopped after any of its writes, it leaves no key beside a certificate that it does not fit."""
        files = certs.Certificates(tmp_path / "ca.pem", tmp_path / "server.pem", tmp_path / "server-key.pem")
        if damaged:
            certs.ensure(tmp_path)
        for name in damaged:
            (tmp_path / name).write_text("broken")
        replace, writes = os.replace, 0

        def failing(source: Path, target: Path) -> None:
            nonlocal writes
            if writes == survivors:
                raise OSError(28, "No space left on device")
            writes += 1
            replace(source, target)

        with monkeypatch.context() as patch, suppress(CertificateError):
            patch.setattr(os, "replace", failing)
            certs.ensure(tmp_path)
        for certificate, key in ((files.certificate, files.key), (files.ca, authority_key_path(files))):
            if certificate.exists() and key.read_text() != "broken":
                certs.check_pair(certificate, key)
        assert contents(tmp_path).keys() <= FILES
        check_whole(certs.ensure(tmp_path))

    def test_what_a_killed_process_leaves(self, tmp_path: Path) -> None:
        """Its lock holds nobody up, and its half-written key is gone after the next writing."""
        (tmp_path / ".lock").touch()
        (tmp_path / "server-key.pem.new").write_text("half a ke")
        certs.ensure(tmp_path)
        assert contents(tmp_path).keys() == FILES


# Where, when nobody says


class TestDefaultDirectory:
    @pytest.fixture
    def package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The package installed in an empty place, of a user whose home is empty."""
        package = tmp_path / "site" / "wptproto"
        package.mkdir(parents=True)
        monkeypatch.setattr(where, "__file__", str(package / "certs" / "where.py"))
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
        monkeypatch.delenv("XDG_DATA_HOME", raising=False)
        monkeypatch.delenv("LOCALAPPDATA", raising=False)
        return package

    def test_a_checkout_has_its_own(self, package: Path) -> None:
        """In a checkout it is the folder certs, which is there and ignored by git."""
        (package.parent / "pyproject.toml").write_text('[project]\nname = "wptproto"\n')
        (package.parent / "certs").mkdir()
        assert certs.default_directory() == package.parent / "certs"

    @pytest.mark.parametrize(
        "project",
        [None, '[project]\nname = "other"\n', "[tool.other]\n", "no TOML", "[project]\nname = '\udcff'"],
    )
    def test_what_is_no_checkout(self, package: Path, tmp_path: Path, project: str | None) -> None:
        """A folder certs beside the package is another project's, unless pyproject.toml says otherwise."""
        (package.parent / "certs").mkdir()
        if project is not None:
            (package.parent / "pyproject.toml").write_bytes(project.encode("utf-8", "surrogateescape"))
        assert certs.default_directory() == tmp_path / "home" / ".local" / "share" / "wptproto"

    def test_a_checkout_without_the_folder(self, package: Path, tmp_path: Path) -> None:
        """An unpacked source without the folder certs is not written into."""
        (package.parent / "pyproject.toml").write_text('[project]\nname = "wptproto"\n')
        assert certs.default_directory() == tmp_path / "home" / ".local" / "share" / "wptproto"

    @pytest.mark.parametrize(
        ("platform", "variables", "directory"),
        [
            ("linux", {}, "home/.local/share/wptproto"),
            ("linux", {"XDG_DATA_HOME": "{}/data"}, "data/wptproto"),
            ("linux", {"XDG_DATA_HOME": "relative"}, "home/.local/share/wptproto"),
            ("linux", {"XDG_DATA_HOME": ""}, "home/.local/share/wptproto"),
            ("darwin", {}, "home/Library/Application Support/wptproto"),
            ("win32", {"LOCALAPPDATA": "{}/local"}, "local/wptproto"),
            ("win32", {}, "home/AppData/Local/wptproto"),
        ],
    )
    def test_each_system_has_a_place_for_data(
        self,
        package: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        platform: str,
        variables: dict[str, str],
        directory: str,
    ) -> None:
        """Outside a checkout it is the user's directory for data, as the system or the user has it."""
        monkeypatch.setattr(sys, "platform", platform)
        for name, value in variables.items():
            monkeypatch.setenv(name, value.format(tmp_path))
        assert certs.default_directory() == tmp_path / directory
        assert not (tmp_path / "home").exists()

    def test_a_user_without_a_home(self, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where there is no home, as in some containers, the error says what to do."""

        def home() -> Path:
            raise RuntimeError("Could not determine home directory.")

        monkeypatch.setattr(Path, "home", home)
        with pytest.raises(CertificateError, match="name a directory"):
            certs.default_directory()


# Files of the user's own


class TestCheckPair:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        return tmp_path / "certificate.pem"

    @pytest.fixture
    def key(self, tmp_path: Path) -> Path:
        return tmp_path / "key.pem"

    def test_any_kind_of_key(self, certificate: Path, key: Path) -> None:
        """Elliptic curves, Ed25519 and RSA are all one to it, in whichever PEM form."""
        for private, hash_ in (
            (ec.generate_private_key(ec.SECP384R1()), SHA256()),
            (ed25519.Ed25519PrivateKey.generate(), None),
            (rsa.generate_private_key(65537, 1024), SHA256()),
        ):
            certificate.write_bytes(self_signed(private, hash_))
            key.write_bytes(pem_of(private))
            certs.check_pair(certificate, key)
            if not isinstance(private, ed25519.Ed25519PrivateKey):
                key.write_bytes(pem_of(private, PrivateFormat.TraditionalOpenSSL))
                certs.check_pair(certificate, key)

    def test_one_file_for_both(self, certificate: Path) -> None:
        """Certificate and key may share a file, as ssl's load_cert_chain has it."""
        private = ec.generate_private_key(ec.SECP256R1())
        for octets in (
            pem_of(private) + self_signed(private, SHA256()),
            self_signed(private, SHA256()) + pem_of(private),
        ):
            certificate.write_bytes(octets)
            certs.check_pair(certificate, certificate)

    def test_a_key_of_another_certificate(self, tmp_path: Path) -> None:
        """A key that does not fit is told so, with both paths."""
        here, there = certs.ensure(tmp_path / "here"), certs.ensure(tmp_path / "there")
        with pytest.raises(CertificateError) as caught:
            certs.check_pair(here.certificate, there.key)
        assert str(caught.value) == (
            f"key {there.key} does not fit certificate {here.certificate}: it belongs to another one"
        )

    def test_a_key_of_another_kind_than_the_certificate(self, tmp_path: Path, key: Path) -> None:
        """A key of another kind does not fit, either."""
        key.write_bytes(pem_of(ed25519.Ed25519PrivateKey.generate()))
        with pytest.raises(CertificateError, match="does not fit"):
            certs.check_pair(certs.ensure(tmp_path).certificate, key)

    def test_an_encrypted_key(self, tmp_path: Path, key: Path) -> None:
        """An encrypted key is an error that says how to get rid of the passphrase."""
        private = ec.generate_private_key(ec.SECP256R1())
        key.write_bytes(
            private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
        )
        with pytest.raises(CertificateError, match="is encrypted; store it without a passphrase"):
            certs.check_pair(certs.ensure(tmp_path).certificate, key)

    @pytest.mark.parametrize(
        "text", ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    )
    def test_what_is_no_certificate(self, tmp_path: Path, certificate: Path, text: str) -> None:
        """A file without a certificate is named as such."""
        certificate.write_text(text)
        with pytest.raises(CertificateError, match=r"certificate \S+certificate\.pem is none in PEM"):
            certs.check_pair(certificate, certs.ensure(tmp_path).key)

    def test_what_is_no_key(self, tmp_path: Path) -> None:
        """A file without a key, such as the certificate itself, is named as such."""
        files = certs.ensure(tmp_path)
        with pytest.raises(CertificateError, match=r"key \S+server\.pem is no private key in PEM"):
            certs.check_pair(files.certificate, files.certificate)

    def test_files_that_cannot_be_read(self, tmp_path: Path) -> None:
        """A missing file and a directory are named, with the system's reason."""
        files = certs.ensure(tmp_path)
        with pytest.raises(CertificateError, match=r"certificate \S+missing cannot be read: No such file"):
            certs.check_pair(tmp_path / "missing", files.key)
        with pytest.raises(CertificateError, match=f"key {tmp_path} cannot be read: "):
            certs.check_pair(files.certificate, tmp_path)

    def test_a_kind_of_key_that_nobody_knows(self, tmp_path: Path, certificate: Path) -> None:
        """A certificate whose key is on an unknown curve is an error, not a crash."""
        files = certs.ensure(tmp_path)
        p256, unknown = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d03017f")
        der = leaf_of(files).public_bytes(Encoding.DER).replace(p256, unknown)
        certificate.write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
        with pytest.raises(CertificateError, match="has a key of an unknown kind"):
            certs.check_pair(certificate, files.key)


class TestInstructions:
    def test_a_shell_can_read_them(self, tmp_path: Path) -> None:
        """Every path with blanks is one word to the shell, and one string to Python."""
        files = certs.ensure(tmp_path / "my 'own' certs")
        lines = [line.strip() for line in certs.instructions(files).splitlines()]

        def command(start: str) -> list[str]:
            return shlex.split(next(line for line in lines if line.startswith(start)))

        nickname = authority_of(files).subject.rfc4514_string().removeprefix("CN=")
        ca = str(files.ca)
        assert command("authority:")[-1] == ca
        assert command("server certificate:")[-1] == str(files.certificate)
        assert command("server key:")[-1] == str(files.key)
        assert command("curl ")[:3] == ["curl", "--cacert", ca]
        assert f"SSL_CERT_FILE={ca}" in command("SSL_CERT_FILE")
        assert command("certutil -d sql:$HOME/.pki/nssdb -A")[3:] == [
            *["-A", "-t", "C,,", "-n", nickname, "-i", ca]
        ]
        assert command("certutil -d sql:$HOME/.pki/nssdb -D")[-1] == nickname
        assert command("security add-trusted-cert")[-1] == ca
        assert command("security delete-certificate")[-1] == nickname
        python = ast.parse(next(line for line in lines if line.startswith("ssl."))).body[0]
        assert isinstance(python, ast.Expr)
        assert isinstance(python.value, ast.Call)
        assert ast.literal_eval(python.value.keywords[0].value) == ca

    def test_without_an_authority(self, tmp_path: Path) -> None:
        """Where the authority's certificate is missing, there is nothing to instruct about."""
        files = certs.ensure(tmp_path)
        files.ca.unlink()
        with pytest.raises(CertificateError, match="cannot be read"):
            certs.instructions(files)
