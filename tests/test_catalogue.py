"""The catalogue's files: what they say, when they are made anew, and that it takes nothing to find them."""

from __future__ import annotations

import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from tests.test_imports import among, modules_after
from wptproto import certs
from wptproto.certs import catalogue, faulty
from wptproto.certs.catalogue import CATALOGUE, Identity, ensure_entry
from wptproto.errors import CertificateError, ConfigError

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def chain_of(identity: Identity) -> list[x509.Certificate]:
    octets = identity.certificate.read_bytes()
    return x509.load_pem_x509_certificates(octets[octets.index(b"-----BEGIN CERTIFICATE") :])


def names_of(certificate: x509.Certificate) -> set[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return {str(name.value) for name in found.value}


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_says_what_is_wrong(name: str) -> None:
    """There are a sentence of what is wrong and one of what a client does, and how it is made."""
    entry = CATALOGUE[name]
    for sentence in (entry.what, entry.client):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
    assert entry.client.startswith("Go on") is entry.accepted
    assert name in faulty._MAKERS


def test_nothing_is_made_that_is_not_in_it() -> None:
    """The catalogue and its makers have the same names."""
    assert faulty._MAKERS.keys() == CATALOGUE.keys()


def test_dates(tmp_path: Path) -> None:
    """One was valid, one will be, and all others are, since yesterday and for 397 days."""
    (expired, *_), (future, *_), (valid, *_) = (
        chain_of(ensure_entry(name, tmp_path, now=NOW)) for name in ("expired", "not-yet-valid", "valid")
    )
    assert expired.not_valid_after_utc < NOW < future.not_valid_before_utc
    assert (valid.not_valid_before_utc, valid.not_valid_after_utc) == (NOW - DAY, NOW + 396 * DAY)


def test_keys_and_signatures(tmp_path: Path) -> None:
    """Keys and signatures are of the kind and the size that their names say."""
    keys = {
        name: chain_of(ensure_entry(name, tmp_path))[0].public_key() for name in ("ecdsa", "rsa", "weak-key")
    }
    assert isinstance(keys["ecdsa"], ec.EllipticCurvePublicKey)
    assert isinstance(keys["rsa"], rsa.RSAPublicKey)
    assert isinstance(keys["weak-key"], rsa.RSAPublicKey)
    assert [keys[name].key_size for name in ("ecdsa", "rsa", "weak-key")] == [384, 2048, 1024]  # type: ignore[union-attr]
    weak = chain_of(ensure_entry("weak-signature", tmp_path))[0]
    assert weak.signature_algorithm_oid == SignatureAlgorithmOID.ECDSA_WITH_SHA1


def test_names(tmp_path: Path) -> None:
    """Each is for the default names and its own, but for those of which that is the fault."""
    valid = chain_of(ensure_entry("valid", tmp_path))[0]
    assert names_of(valid) == {*certs.DEFAULT_NAMES, "valid.localhost"}
    many = chain_of(ensure_entry("many-names", tmp_path))[0]
    assert len(names_of(many)) == 500 + len(certs.DEFAULT_NAMES) + 1
    assert names_of(chain_of(ensure_entry("wrong-host", tmp_path))[0]) == {"elsewhere.test"}
    for name in ("no-name", "common-name-only"):
        certificate = chain_of(ensure_entry(name, tmp_path))[0]
        with pytest.raises(x509.ExtensionNotFound):
            names_of(certificate)
    assert certificate.subject.rfc4514_string() == "CN=common-name-only.localhost"
    nameless = chain_of(ensure_entry("no-common-name", tmp_path))[0]
    assert nameless.subject == x509.Name([])
    assert nameless.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical


def test_purposes(tmp_path: Path) -> None:
    """All are for servers, and nothing else, but for one."""
    for name in CATALOGUE:
        leaf = chain_of(ensure_entry(name, tmp_path))[0]
        purposes = list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        assert purposes == [
            ExtendedKeyUsageOID.CLIENT_AUTH if name == "wrong-usage" else ExtendedKeyUsageOID.SERVER_AUTH
        ]


def test_the_list_of_what_is_revoked(tmp_path: Path) -> None:
    """The authority has signed it, and one certificate is on it; the others have none."""
    identity = ensure_entry("revoked", tmp_path)
    assert identity.revoked is not None
    listed = x509.load_pem_x509_crl(identity.revoked.read_bytes())
    leaf, authority = chain_of(identity)
    key = authority.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert listed.is_signature_valid(key)
    assert [entry.serial_number for entry in listed] == [leaf.serial_number]
    assert ensure_entry("valid", tmp_path).revoked is None


def test_other_names_have_other_files(tmp_path: Path) -> None:
    """Each set of names has its own, by the authority that may sign for it, in whatever order they come."""
    default = ensure_entry("expired", tmp_path)
    other = ensure_entry("expired", tmp_path, ["a.test", "b.test"])
    assert other == ensure_entry("expired", tmp_path, ["b.test", "a.test", "a.test"])
    assert default.certificate == tmp_path / "catalogue" / "expired.pem"
    assert other.certificate != default.certificate
    assert other.ca == default.ca
    assert names_of(chain_of(other)[0]) == {"a.test", "b.test", "expired.localhost"}
    assert ensure_entry("expired", tmp_path, ["a.example"]).ca != default.ca


def test_what_fits_stays(tmp_path: Path) -> None:
    """It is made once, for 300 days, and anew if the authority is another or the file is broken."""
    identity = ensure_entry("valid", tmp_path, now=NOW)
    first = identity.certificate.read_bytes()
    ensure_entry("valid", tmp_path, now=NOW + 299 * DAY)
    assert identity.certificate.read_bytes() == first
    ensure_entry("valid", tmp_path, now=NOW + 301 * DAY)
    second = identity.certificate.read_bytes()
    assert second != first
    (tmp_path / "ca-key.pem").unlink()
    ensure_entry("valid", tmp_path, now=NOW + 301 * DAY)
    third = identity.certificate.read_bytes()
    assert third != second
    identity.certificate.write_text("broken")
    assert len(chain_of(ensure_entry("valid", tmp_path, now=NOW + 301 * DAY))) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_keys_are_private(tmp_path: Path) -> None:
    """The file has a key in it, and is its owner's alone; the list is for everyone."""
    identity = ensure_entry("revoked", tmp_path)
    assert identity.revoked is not None
    assert stat.S_IMODE(identity.certificate.stat().st_mode) == 0o600
    assert stat.S_IMODE(identity.revoked.stat().st_mode) == 0o644
    os.chmod(identity.certificate, 0o644)
    ensure_entry("revoked", tmp_path)
    assert stat.S_IMODE(identity.certificate.stat().st_mode) == 0o600


def test_threads(tmp_path: Path) -> None:
    """Several may want one at once; it is made once, and whole for all of them."""
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: ensure_entry("valid", tmp_path).certificate.read_bytes(), range(16)))
    assert len(found) == 1


def test_what_cannot_be(tmp_path: Path) -> None:
    """An unknown name, and a directory that cannot be written in, are errors that say so."""
    with pytest.raises(ConfigError, match="no certificate 'valld'"):
        ensure_entry("valld", tmp_path)
    ensure_entry("valid", tmp_path)
    (tmp_path / "catalogue" / "expired.pem").mkdir()
    with pytest.raises(CertificateError, match="cannot write certificates in"):
        ensure_entry("expired", tmp_path)


def test_what_is_there_needs_no_cryptography(tmp_path: Path) -> None:
    """To find what was made before, nothing is imported that could make it."""
    code = (
        "from pathlib import Path\nfrom wptproto.certs.catalogue import ensure_entry\n"
        f"ensure_entry('expired', Path({str(tmp_path)!r}))"
    )
    made, found = (among(modules_after(code), "cryptography", "wptproto.certs.faulty") for _ in range(2))
    assert made
    assert not found


def test_the_listing(tmp_path: Path) -> None:
    """Each has its sentences and a command for curl, which for one knows of the list."""
    revoked = ensure_entry("revoked", tmp_path)
    text = catalogue.listing(revoked, 8443)
    for name, entry in CATALOGUE.items():
        assert f"\n\n{name}\n    {entry.what}\n    {entry.client}\n    curl " in text
        assert f" https://{name}.localhost:8443/\n" in text
    assert f"--crlfile {revoked.revoked} --cacert {revoked.ca}" in text


class TestClients:
    def test_what_it_says(self, tmp_path: Path) -> None:
        """It is for a client of that name, and its authority for clients alone."""
        files = certs.ensure_client(tmp_path, "Alice in Wonderland", now=NOW)
        leaf, authority = x509.load_pem_x509_certificates(files.certificate.read_bytes())
        assert leaf.subject.rfc4514_string() == "CN=Alice in Wonderland"
        assert authority == x509.load_pem_x509_certificate(files.ca.read_bytes())
        leaf.verify_directly_issued_by(authority)
        for certificate in (leaf, authority):
            usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
        certs.check_pair(files.certificate, files.key)

    def test_files(self, tmp_path: Path) -> None:
        """Each name has its own files, which stay; the authority is one, and not that for servers."""
        default, alice = certs.ensure_client(tmp_path), certs.ensure_client(tmp_path, "alice")
        assert default == (tmp_path / "client-ca.pem", tmp_path / "client.pem", tmp_path / "client-key.pem")
        assert alice.ca == default.ca
        assert alice.certificate != default.certificate
        before = alice.certificate.read_bytes()
        assert certs.ensure_client(tmp_path, "alice") == alice
        assert alice.certificate.read_bytes() == before
        assert not (tmp_path / "ca.pem").exists()

    @pytest.mark.parametrize("name", ["", "a" * 65, "a\nb"])
    def test_what_is_no_name(self, tmp_path: Path, name: str) -> None:
        """A common name has 1 to 64 characters (RFC 5280 appendix A.1)."""
        with pytest.raises(CertificateError, match="a client's name has 1 to 64 characters"):
            certs.ensure_client(tmp_path, name)

    def test_instructions(self, tmp_path: Path) -> None:
        """curl and Python are told where the files are."""
        files = certs.ensure_client(tmp_path)
        text = certs.client_instructions(files)
        assert f"curl --cert {files.certificate} --key {files.key} https://" in text
        assert f"context.load_cert_chain({str(files.certificate)!r}, {str(files.key)!r})" in text
