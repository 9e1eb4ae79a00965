"""PEM files, read by cryptography, with errors that say what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from wptproto.errors import CertificateError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

__all__ = ["read_certificates", "read_key", "read_pair"]


def read_pair(certificate_path: Path, key_path: Path) -> tuple[list[x509.Certificate], PrivateKeyTypes]:
    """
    Return the certificates of one file, and the private key of another that belongs to the first.

    Raises:
        CertificateError: One of them cannot be read, or they do not fit each other.
    """
    certificates = read_certificates(certificate_path)
    key = read_key(key_path)
    try:
        fits = certificates[0].public_key() == key.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(
            f"certificate {certificate_path} has a key of an unknown kind: {error}"
        ) from error
    if not fits:
        raise CertificateError(
            f"key {key_path} does not fit certificate {certificate_path}: it belongs to another one"
        )
    return certificates, key


def read_certificates(path: Path) -> list[x509.Certificate]:
    """
    Return the certificates of a file, one or more.

    Raises:
        CertificateError: It cannot be read, or is no PEM.
    """
    octets = _read(path, "certificate")
    try:
        return x509.load_pem_x509_certificates(octets)
    except ValueError as error:
        raise CertificateError(
            f"certificate {path} is none in PEM, or is damaged ('-----BEGIN CERTIFICATE-----' begins one)"
        ) from error


def read_key(path: Path) -> PrivateKeyTypes:
    """
    Return the private key of a file.

    Raises:
        CertificateError: It cannot be read, is no PEM, or is encrypted.
    """
    octets = _read(path, "key")
    try:
        return load_pem_private_key(octets, password=None)
    except TypeError as error:
        raise CertificateError(
            f"key {path} is encrypted; store it without a passphrase, by 'openssl pkey -in ... -out ...'"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(
            f"key {path} is no private key in PEM, or is damaged ('-----BEGIN PRIVATE KEY-----' begins one)"
        ) from error


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{what} {path} cannot be read: {error.strerror or error}") from error
