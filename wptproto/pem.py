"""PEM files: read with errors that say what is wrong, and written so that nobody ever finds half of one."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from wptproto.errors import CertificateError

if sys.platform == "win32":  # pragma: no cover
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

__all__ = ["exclusive", "keep_private", "read_certificates", "read_key", "read_pair", "write_file"]

log = logging.getLogger("wptproto.certs")


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


def keep_private(path: Path, *, ours: bool) -> None:
    """
    Log a warning of a private key that others than its owner may read, or write; POSIX alone knows.

    Args:
        path: The key's file.
        ours: Whether to take that from them, too, as far as we may.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return  # whoever reads it says so
    if os.name != "posix" or not mode & 0o077:
        return
    advice = f"make it its owner's alone, by: chmod 600 {path}"
    if ours:
        with suppress(OSError):
            path.chmod(0o600)
            advice = (
                "it is its owner's alone now, but who has read it still can use it; delete it for another"
            )
    log.warning("the key %s was open to others than its owner (mode %03o); %s", path, mode, advice)


def write_file(path: Path, octets: bytes, *, mode: int) -> None:
    """Put a file in the place of *path*, whole and from its beginning with *mode*, or change nothing."""
    new = path.with_name(f"{path.name}.new")
    # The lock is ours, so this one is left over from a process that was killed.
    new.unlink(missing_ok=True)
    try:
        # "x" is O_CREAT with O_EXCL: no link that someone laid there is followed.
        with open(new, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(octets)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Let one holder at a time through, among threads and processes; a dead holder holds nothing."""
    with open(path, "ab") as file:
        if sys.platform == "win32":  # pragma: no cover
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            yield  # closing the file lets go
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                # Closing does not let go while a process forked in the meantime holds the file too.
                fcntl.flock(file, fcntl.LOCK_UN)
