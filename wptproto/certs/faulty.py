"""How the certificates of the catalogue are made: as one that is right, but for what their name says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wptproto.certs.host_names import COMMON_NAME_LIMIT, Host
from wptproto.certs.pem import read_certificates, read_key
from wptproto.certs.terms import Terms, authority_terms, intermediate_terms, named, server_terms
from wptproto.private_files import write_file

__all__ = ["make_entry"]

_DAY = timedelta(days=1)
_LIFETIME = 397 * _DAY  # browsers take no more than 398
_KEPT = 300 * _DAY
_MANY = 500

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_Period = tuple[datetime, datetime]

_ECDSA_WITH_SHA256 = bytes.fromhex("300a 06082a8648ce3d040302")  # RFC 5758 §3.2, as an AlgorithmIdentifier
_ECDSA_WITH_SHA1 = bytes.fromhex("3009 06072a8648ce3d0401")


def make_entry(
    name: str,
    host: str,
    hosts: list[Host],
    authority: tuple[Path, Path],
    path: Path,
    revoked: Path | None,
    now: datetime,
) -> _Period:
    """
    Write the certificate of an entry, and what its authority has revoked, if that is asked for.

    Args:
        name: The entry.
        host: The name by which clients ask for it.
        hosts: All that it is for, in order.
        authority: The authority's certificate and its key.
        path: Where the certificate is to be, with its key.
        revoked: Where the list of revoked certificates is to be.
        now: The present time.

    Returns:
        From when until when it does.
    """
    key = read_key(authority[1])
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    root = _Signer(read_certificates(authority[0])[0], key)
    made = _MAKERS[name](_Plan(host, hosts, root, now))
    if revoked is not None:
        write_file(revoked, _revocations(root, made.chain[0], now), mode=0o644)
    octets = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    octets += b"".join(certificate.public_bytes(Encoding.PEM) for certificate in made.chain)
    write_file(path, octets, mode=0o600)
    return now - _DAY, now + _KEPT


class _Signer(NamedTuple):
    """An authority's certificate, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class _Made(NamedTuple):
    """A server's key, its certificate and what is sent behind that."""

    key: _Key
    chain: list[x509.Certificate]


@dataclass(frozen=True, slots=True)
class _Plan:
    """A certificate that is right, and from which each of them differs."""

    host: str
    hosts: list[Host]
    root: _Signer
    now: datetime

    def made(
        self,
        *,
        key: _Key | None = None,
        hosts: list[Host] | None = None,
        start: timedelta = -_DAY,
        end: timedelta = _LIFETIME - _DAY,
        signer: _Signer | None = None,
        behind: Iterable[x509.Certificate] | None = None,
        change: Callable[[Terms], Terms] = lambda terms: terms,
    ) -> _Made:
        """
        Return the certificate, different in what is given.

        Args:
            key: The server's; a new one on P-256 if not given.
            hosts: What it is for.
            start: When it begins to be valid, from now.
            end: When it ends.
            signer: Who signs it; the root if not given.
            behind: What is sent behind it; the root's certificate if not given.
            change: What becomes of its subject and extensions.
        """
        key = ec.generate_private_key(ec.SECP256R1()) if key is None else key
        signer = self.root if signer is None else signer
        hosts = self.hosts if hosts is None else hosts
        terms = change(server_terms(hosts, signer.key.public_key(), key.public_key()))
        leaf = self.builder(key, terms, signer.certificate.subject, start, end).sign(signer.key, SHA256())
        return _Made(key, [leaf, *([self.root.certificate] if behind is None else behind)])

    def builder(
        self, key: _Key, terms: Terms, issuer: x509.Name, start: timedelta = -_DAY, end: timedelta = _LIFETIME
    ) -> x509.CertificateBuilder:
        """Return a certificate that has yet to be signed."""
        subject, extensions = terms
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + start)
            .not_valid_after(self.now + end)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder

    def intermediate(self) -> _Signer:
        """Return a new authority below the root."""
        key = ec.generate_private_key(ec.SECP256R1())
        terms = intermediate_terms(self.root.key.public_key(), key.public_key())
        builder = self.builder(key, terms, self.root.certificate.subject)
        return _Signer(builder.sign(self.root.key, SHA256()), key)

    def stranger(self) -> _Signer:
        """Return a new authority beside the root, which permits the same."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject, extensions = authority_terms([], key.public_key())
        del extensions[-1]  # its constraints, for nobody has to be protected from whose key is thrown away
        subject = named(NameOID.COMMON_NAME, "wptproto authority that nobody knows")
        return _Signer(self.builder(key, (subject, extensions), subject).sign(key, SHA256()), key)


def _three(plan: _Plan, *, reverse: bool = False, complete: bool = True) -> _Made:
    signer = plan.intermediate()
    behind = [signer.certificate, plan.root.certificate] if complete else []
    return plan.made(signer=signer, behind=reversed(behind) if reverse else behind)


def _many_names(plan: _Plan) -> _Made:
    more: list[Host] = [f"name-{number}.many-names.localhost" for number in range(1, _MANY + 1)]
    return plan.made(hosts=[*plan.hosts, *more])


def _no_common_name(plan: _Plan) -> _Made:
    def change(terms: Terms) -> Terms:
        # RFC 5280 §4.1.2.6: "If subject naming information is present only in the subjectAltName extension
        # ..., then the subject name MUST be an empty sequence and the subjectAltName extension MUST be
        # critical."
        return x509.Name([]), [(kind, critical or _is_names(kind)) for kind, critical in terms[1]]

    return plan.made(change=change)


def _no_name(plan: _Plan, common_name: str | None = None) -> _Made:
    attribute = NameOID.ORGANIZATION_NAME if common_name is None else NameOID.COMMON_NAME
    subject = named(attribute, (common_name or "wptproto")[:COMMON_NAME_LIMIT])

    def change(terms: Terms) -> Terms:
        return subject, [line for line in terms[1] if not _is_names(line[0])]

    return plan.made(change=change)


def _wrong_usage(plan: _Plan) -> _Made:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])

    def change(terms: Terms) -> Terms:
        replaced = (
            (usage if isinstance(kind, x509.ExtendedKeyUsage) else kind, critical)
            for kind, critical in terms[1]
        )
        return terms[0], list(replaced)

    return plan.made(change=change)


def _self_signed(plan: _Plan) -> _Made:
    key = ec.generate_private_key(ec.SECP256R1())
    terms = server_terms(plan.hosts, key.public_key(), key.public_key())
    return _Made(key, [plan.builder(key, terms, terms[0]).sign(key, SHA256())])


def _untrusted_root(plan: _Plan) -> _Made:
    signer = plan.stranger()
    return plan.made(signer=signer, behind=[signer.certificate])


def _weak_signature(plan: _Plan) -> _Made:
    """
    Have what was signed over SHA-256 signed over SHA-1, for which cryptography has no more than the key.

    RFC 5280 §4.1: a Certificate is what is to be signed, an algorithm, which stands in that, too, and the
    signature.
    """
    key, (leaf, *behind) = plan.made()
    content = _content(leaf.tbs_certificate_bytes).replace(_ECDSA_WITH_SHA256, _ECDSA_WITH_SHA1, 1)
    signed = _der(0x30, content)
    signature = plan.root.key.sign(signed, ec.ECDSA(SHA1()))  # noqa: S303 -- that is what is wrong with it
    weak = _der(0x30, signed + _ECDSA_WITH_SHA1 + _der(0x03, b"\0" + signature))
    return _Made(key, [x509.load_der_x509_certificate(weak), *behind])


def _content(der: bytes) -> bytes:
    """Return what is in a value of DER, without its tag and its length (X.690 §8.1.3)."""
    return der[2 + (der[1] & 0x7F if der[1] & 0x80 else 0) :]


def _der(tag: int, content: bytes) -> bytes:
    """Return a value in DER."""
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    length = bytes([size]) if size < 0x80 else bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + length + content


def _revocations(root: _Signer, certificate: x509.Certificate, now: datetime) -> bytes:
    """Return the root's list, on which one certificate is (RFC 5280 §5.1)."""
    entry = x509.RevokedCertificateBuilder(certificate.serial_number, now - _DAY)
    reason = x509.CRLReason(x509.ReasonFlags.key_compromise)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.certificate.subject)
        .last_update(now - _DAY)
        .next_update(now + _LIFETIME)
        .add_revoked_certificate(entry.add_extension(reason, critical=False).build())
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()), critical=False
        )
    )
    return builder.sign(root.key, SHA256()).public_bytes(Encoding.PEM)


def _is_names(extension: x509.ExtensionType) -> bool:
    return isinstance(extension, x509.SubjectAlternativeName)


_MAKERS: Mapping[str, Callable[[_Plan], _Made]] = {
    "valid": lambda plan: plan.made(),
    "ecdsa": lambda plan: plan.made(key=ec.generate_private_key(ec.SECP384R1())),
    "rsa": lambda plan: plan.made(key=rsa.generate_private_key(65537, 2048)),
    "intermediate": _three,
    "many-names": _many_names,
    "no-common-name": _no_common_name,
    "reversed-chain": lambda plan: _three(plan, reverse=True),
    "expired": lambda plan: plan.made(start=-91 * _DAY, end=-_DAY),
    "not-yet-valid": lambda plan: plan.made(start=365 * _DAY, end=365 * _DAY + _LIFETIME),
    "wrong-host": lambda plan: plan.made(hosts=["elsewhere.test"]),
    "no-name": _no_name,
    "common-name-only": lambda plan: _no_name(plan, plan.host),
    "self-signed": _self_signed,
    "untrusted-root": _untrusted_root,
    "incomplete-chain": lambda plan: _three(plan, complete=False),
    "wrong-usage": _wrong_usage,
    "weak-key": lambda plan: plan.made(key=rsa.generate_private_key(65537, 1024)),  # noqa: S505
    "weak-signature": _weak_signature,
    "revoked": lambda plan: plan.made(),
}
