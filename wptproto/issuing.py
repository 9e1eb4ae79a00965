"""
The authority and the certificates it signs: what they say, how one that is there is judged, how one is made.

Whoever needs none made does without this module, and without cryptography, which takes longer to import than
all the rest of a server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wptproto.errors import CertificateError
from wptproto.host_names import LOOPBACK, RESERVED_DOMAINS, Host
from wptproto.pem import read_certificates, read_key
from wptproto.private_files import write_file

__all__ = ["Issuer"]

_BACKDATED = timedelta(days=1)  # for clients whose clocks are behind
_AUTHORITY_LIFETIME = timedelta(days=3650)
_AUTHORITY_MARGIN = timedelta(days=400)  # more than a server certificate lasts, so that none outlives it
_SERVER_LIFETIME = timedelta(days=397)  # browsers take no more than 398
_SERVER_MARGIN = timedelta(days=30)

_COMMON_NAME_LIMIT = 64  # RFC 5280 appendix A.1: ub-common-name

_NO_USE = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)

_Key = ec.EllipticCurvePrivateKey
_Terms = tuple[x509.Name, list[tuple[x509.ExtensionType, bool]]]  # subject; extensions, whether critical
Period = tuple[datetime, datetime]  # the first moment and the last


class Issuer:
    """
    Who has a server certificate and its authority in their files, and knows whether they fit.

    What fits stays untouched, octet for octet; the rest is made.
    """

    def __init__(
        self, authority: tuple[Path, Path], server: tuple[Path, Path], hosts: list[Host], foreign: list[Host]
    ) -> None:
        """
        Args:
            authority: Where its certificate is to be, and its key.
            server: The same for the server's.
            hosts: What the server's certificate is for, in order.
            foreign: What the authority may sign for beyond what nobody can own, in order.
        """
        self._authority = _Role(
            certificate_path=authority[0],
            key_path=authority[1],
            lifetime=_AUTHORITY_LIFETIME,
            margin=_AUTHORITY_MARGIN,
            issuer=None,
            terms=partial(_authority_terms, foreign),
        )
        self._server_files = server
        self._hosts = hosts

    def find(self, now: datetime) -> Period | None:
        """Return for how long the files that are there will do; None if one has to be made anew."""
        authority = self._authority.find(now)
        if authority is None:
            return None
        role = self._server(authority)
        server = role.find(now)
        return None if server is None else self._period(authority, role, server)

    def keep(self, now: datetime) -> Period:
        """Make what is missing or does not fit; the caller holds the directory's lock."""
        authority = self._authority.keep(now)
        role = self._server(authority)
        return self._period(authority, role, role.keep(now))

    def _server(self, issuer: _Signed) -> _Role:
        certificate_path, key_path = self._server_files
        return _Role(
            certificate_path=certificate_path,
            key_path=key_path,
            lifetime=_SERVER_LIFETIME,
            margin=_SERVER_MARGIN,
            issuer=issuer,
            terms=partial(_server_terms, self._hosts, issuer.key.public_key()),
        )

    def _period(self, authority: _Signed, role: _Role, server: _Signed) -> Period:
        first, second = self._authority.period(authority.certificate), role.period(server.certificate)
        return max(first[0], second[0]), min(first[1], second[1])


@dataclass(frozen=True, slots=True)
class _Signed:
    """A certificate, and the key that fits it."""

    certificate: x509.Certificate
    key: _Key


@dataclass(frozen=True, slots=True)
class _Role:
    """
    A certificate that there has to be.

    Attributes:
        certificate_path: Its file; the certificate of its issuer comes second in it.
        key_path: The file of its private key.
        lifetime: From the first moment of its validity to the last.
        margin: How much of that has to be left.
        issuer: Who signs it; None if it signs itself.
        terms: What it has to say, by its public key.
    """

    certificate_path: Path
    key_path: Path
    lifetime: timedelta
    margin: timedelta
    issuer: _Signed | None
    terms: Callable[[ec.EllipticCurvePublicKey], _Terms]

    def keep(self, now: datetime) -> _Signed:
        """Return the certificate that is there, else a new one. The caller holds the directory's lock."""
        return self.find(now) or self.make(now)

    def find(self, now: datetime) -> _Signed | None:
        """Return what the files hold, or None if that has to be made anew."""
        key = _own_key(self.key_path)
        if key is None:
            return None
        try:
            certificate, *others = read_certificates(self.certificate_path)
            start = certificate.not_valid_before_utc
            wanted = self.sign(key, certificate.serial_number, start)
            certificate.verify_directly_issued_by(self.issuer.certificate if self.issuer else certificate)
        except (CertificateError, InvalidSignature, ValueError, TypeError):
            return None
        fits = certificate.tbs_certificate_bytes == wanted.tbs_certificate_bytes
        follows = others == ([self.issuer.certificate] if self.issuer else [])
        first, last = self.period(certificate)
        return _Signed(certificate, key) if fits and follows and first <= now <= last else None

    def period(self, certificate: x509.Certificate) -> Period:
        """Return when a certificate that fits need not be made anew."""
        start = certificate.not_valid_before_utc
        return start, start + self.lifetime - self.margin

    def make(self, now: datetime) -> _Signed:
        """Write a new certificate, for the key that is there if it can be used, else with a new one."""
        key = _own_key(self.key_path)
        if key is None:
            key = ec.generate_private_key(ec.SECP256R1())
            # Whatever stops us between these steps, no certificate stands beside a key that does not fit it.
            self.certificate_path.unlink(missing_ok=True)
            octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            write_file(self.key_path, octets, mode=0o600)
        signed = _Signed(self.sign(key, x509.random_serial_number(), now - _BACKDATED), key)
        chain = [signed, self.issuer] if self.issuer else [signed]
        octets = b"".join(link.certificate.public_bytes(Encoding.PEM) for link in chain)
        write_file(self.certificate_path, octets, mode=0o644)
        return signed

    def sign(self, key: _Key, serial_number: int, start: datetime) -> x509.Certificate:
        """Return this certificate for *key*, valid from *start*, unwritten."""
        subject, extensions = self.terms(key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.issuer.certificate.subject if self.issuer else subject)
            .public_key(key.public_key())
            .serial_number(serial_number)
            .not_valid_before(start)
            .not_valid_after(start + self.lifetime)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.issuer.key if self.issuer else key, SHA256())


def _own_key(path: Path) -> _Key | None:
    """Return a key that this module could have written, or None."""
    try:
        key = read_key(path)
    except CertificateError:
        return None
    return key if isinstance(key, _Key) and isinstance(key.curve, ec.SECP256R1) else None


def _authority_terms(foreign: list[Host], key: ec.EllipticCurvePublicKey) -> _Terms:
    key_identifier = x509.SubjectKeyIdentifier.from_public_key(key)
    permitted: list[x509.GeneralName] = [
        *(x509.DNSName(domain) for domain in RESERVED_DOMAINS),
        *(x509.IPAddress(network) for network in LOOPBACK),
        *(
            x509.DNSName(host) if isinstance(host, str) else x509.IPAddress(ip_network(host))
            for host in foreign
        ),
    ]
    subject = _name(NameOID.COMMON_NAME, f"wptproto development CA {key_identifier.digest.hex()[:8]}")
    return subject, [
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (x509.KeyUsage(**_NO_USE | {"key_cert_sign": True, "crl_sign": True}), True),
        # Name constraints leave mail addresses open, and whose code it is. This closes them.
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), True),
        (key_identifier, False),
    ]


def _server_terms(
    hosts: list[Host], issuer: ec.EllipticCurvePublicKey, key: ec.EllipticCurvePublicKey
) -> _Terms:
    # A common name is a host name or missing: where the alternative names have addresses only, OpenSSL takes
    # the common name for a host name, even one such as "127.0.0.1", and finds that it is not permitted.
    common_name = next((host for host in hosts if isinstance(host, str)), None)
    if common_name is not None and len(common_name) <= _COMMON_NAME_LIMIT:
        subject = _name(NameOID.COMMON_NAME, common_name)
    else:
        # Something, for an empty subject makes the alternative names critical (RFC 5280 §4.2.1.6).
        subject = _name(NameOID.ORGANIZATION_NAME, "wptproto")
    names = [x509.DNSName(host) if isinstance(host, str) else x509.IPAddress(host) for host in hosts]
    return subject, [
        (x509.SubjectAlternativeName(names), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.KeyUsage(**_NO_USE | {"digital_signature": True}), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False),
    ]


def _name(attribute: x509.ObjectIdentifier, value: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(attribute, value)])
