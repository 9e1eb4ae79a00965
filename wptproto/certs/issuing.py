"""
Authorities and the certificates they sign: how one that is there is judged, and how one is made.

Whoever needs none made does without this module, and without cryptography, which takes longer to import than
all the rest of a server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
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

from wptproto.certs.host_names import Host
from wptproto.certs.pem import read_certificates, read_key
from wptproto.certs.terms import (
    Terms,
    authority_terms,
    client_authority_terms,
    client_terms,
    server_terms,
)
from wptproto.errors import CertificateError
from wptproto.private_files import write_file

__all__ = ["Issuer", "Period", "client_issuer", "server_issuer"]

_BACKDATED = timedelta(days=1)  # for clients whose clocks are behind
_AUTHORITY_LIFETIME = timedelta(days=3650)
_AUTHORITY_MARGIN = timedelta(days=400)  # more than a server certificate lasts, so that none outlives it
_LEAF_LIFETIME = timedelta(days=397)  # browsers take no more than 398
_LEAF_MARGIN = timedelta(days=30)

_Key = ec.EllipticCurvePrivateKey
Period = tuple[datetime, datetime]  # the first moment and the last


class Issuer:
    """
    Who has a certificate and its authority in their files, and knows whether they fit.

    What fits stays untouched, octet for octet; the rest is made.
    """

    def __init__(
        self,
        authority: tuple[Path, Path],
        leaf: tuple[Path, Path],
        authority_terms: Callable[[ec.EllipticCurvePublicKey], Terms],
        leaf_terms: Callable[[ec.EllipticCurvePublicKey, ec.EllipticCurvePublicKey], Terms],
    ) -> None:
        """
        Args:
            authority: Where its certificate is to be, and its key.
            leaf: The same for the server's or the client's.
            authority_terms: What the authority's has to say, by its public key.
            leaf_terms: What the other one has to say, by the authority's public key and its own.
        """
        self._authority = _Role(
            certificate_path=authority[0],
            key_path=authority[1],
            lifetime=_AUTHORITY_LIFETIME,
            margin=_AUTHORITY_MARGIN,
            issuer=None,
            terms=authority_terms,
        )
        self._leaf_files = leaf
        self._leaf_terms = leaf_terms

    def find(self, now: datetime) -> Period | None:
        """Return for how long the files that are there will do; None if one has to be made anew."""
        authority = self._authority.find(now)
        if authority is None:
            return None
        role = self._leaf(authority)
        leaf = role.find(now)
        return None if leaf is None else self._period(authority, role, leaf)

    def keep(self, now: datetime) -> Period:
        """Make what is missing or does not fit; the caller holds the directory's lock."""
        authority = self._authority.keep(now)
        role = self._leaf(authority)
        return self._period(authority, role, role.keep(now))

    def _leaf(self, issuer: _Signed) -> _Role:
        certificate_path, key_path = self._leaf_files
        return _Role(
            certificate_path=certificate_path,
            key_path=key_path,
            lifetime=_LEAF_LIFETIME,
            margin=_LEAF_MARGIN,
            issuer=issuer,
            terms=partial(self._leaf_terms, issuer.key.public_key()),
        )

    def _period(self, authority: _Signed, role: _Role, leaf: _Signed) -> Period:
        first, second = self._authority.period(authority.certificate), role.period(leaf.certificate)
        return max(first[0], second[0]), min(first[1], second[1])


def server_issuer(
    authority: tuple[Path, Path], server: tuple[Path, Path], hosts: list[Host], foreign: list[Host]
) -> Issuer:
    """
    Return the issuer for a server.

    Args:
        authority: Where its certificate is to be, and its key.
        server: The same for the server's.
        hosts: What the server's certificate is for, in order.
        foreign: What the authority may sign for beyond what nobody can own, in order.
    """
    return Issuer(authority, server, partial(authority_terms, foreign), partial(server_terms, hosts))


def client_issuer(authority: tuple[Path, Path], client: tuple[Path, Path], name: str) -> Issuer:
    """Return the issuer for a client of that name; files as for a server."""
    return Issuer(authority, client, client_authority_terms, partial(client_terms, name))


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
    terms: Callable[[ec.EllipticCurvePublicKey], Terms]

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
