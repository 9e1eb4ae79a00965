"""What lies in the directory of certificates, and that it fits: made when need be, by whom it may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wptproto.certs.host_names import COMMON_NAME_LIMIT, beyond_reserved, parsed, tag
from wptproto.certs.voucher import Voucher
from wptproto.certs.where import default_directory
from wptproto.default_names import DEFAULT_NAMES
from wptproto.errors import CertificateError
from wptproto.private_files import exclusive, keep_private

if TYPE_CHECKING:
    from wptproto.certs.issuing import Issuer, Period

__all__ = ["Certificates", "check_pair", "ensure", "ensure_client", "folder_of", "key_of", "made"]


class Certificates(NamedTuple):
    """
    Where the files are that :func:`ensure` made; all PEM.

    Attributes:
        ca: Certificate of the authority, for clients to trust, or for servers, if it is that for clients.
        certificate: The certificate of the server, or of the client, and after it the authority's.
        key: Its private key, unencrypted, for its owner's eyes only.
    """

    ca: Path
    certificate: Path
    key: Path


def ensure(
    directory: Path | None = None, names: Sequence[str] = DEFAULT_NAMES, *, now: datetime | None = None
) -> Certificates:
    """
    Have a server certificate for *names*, its key and its authority in *directory*, good for 30 days or more.

    What is there and fits stays untouched; the rest is made, along with the directory. A key that others may
    read is taken from them, with a warning. Several threads and processes may call this at once.

    Args:
        directory: Where the files are to be; None means :func:`default_directory`.
        names: Host names, in Unicode or A-labels, ``*.`` in front for a wildcard; IPv4 and IPv6 addresses.
            Their order and repetitions do not matter.
        now: The present time, with its zone; None asks the clock.

    Returns:
        Absolute paths. The same names yield the same paths.

    Raises:
        CertificateError: A name is none, there are no names, or the directory cannot be written in.

    RFC 5280 §4.2 (extensions), RFC 6125 §6.4.3 (wildcards), RFC 5890 §2.3.2.1 (A-labels).
    """
    moment = datetime.now(UTC) if now is None else now
    folder = folder_of(directory)
    hosts = parsed(names)
    foreign = beyond_reserved(hosts)
    server_stem = "server" if hosts == parsed(DEFAULT_NAMES) else f"server-{tag(hosts)}"
    files = _files(folder, f"ca-{tag(foreign)}" if foreign else "ca", server_stem)

    def issuer() -> Issuer:
        from wptproto.certs.issuing import server_issuer

        return server_issuer((files.ca, key_of(files.ca)), (files.certificate, files.key), hosts, foreign)

    _keep(files, hosts, issuer, moment)
    return files


def ensure_client(
    directory: Path | None = None, name: str = "client", *, now: datetime | None = None
) -> Certificates:
    """
    Have a certificate that a client can show, its key and the authority for clients in *directory*.

    As with :func:`ensure`, what is there and fits stays.

    Args:
        directory: Where the files are to be; None means :func:`default_directory`.
        name: Who the client is: the certificate's common name, 1 to 64 characters.
        now: The present time, with its zone; None asks the clock.

    Returns:
        Absolute paths. The same name yields the same paths; the authority is for servers to trust.

    Raises:
        CertificateError: The name is too short or too long, or the directory cannot be written in.
    """
    if not 1 <= len(name) <= COMMON_NAME_LIMIT or not name.isprintable():
        raise CertificateError(
            f"a client's name has 1 to {COMMON_NAME_LIMIT} characters that can be printed, not {name!r}"
        )
    moment = datetime.now(UTC) if now is None else now
    files = _files(
        folder_of(directory), "client-ca", "client" if name == "client" else f"client-{tag([name])}"
    )

    def issuer() -> Issuer:
        from wptproto.certs.issuing import client_issuer

        return client_issuer((files.ca, key_of(files.ca)), (files.certificate, files.key), name)

    _keep(files, [name], issuer, moment)
    return files


def check_pair(certificate: Path, key: Path) -> None:
    """
    Return if a server could use these two files, whoever made them and whatever kind of key it is.

    Of a key that others may read, the log has a warning.

    Args:
        certificate: PEM; the first certificate in it is the server's.
        key: PEM, unencrypted; other things may stand beside the key, even the certificate.

    Raises:
        CertificateError: One of them cannot be read or is no such thing, or the key is another one's.
    """
    from wptproto.certs.pem import read_pair

    read_pair(certificate, key)
    keep_private(key, ours=False)


def folder_of(directory: Path | None) -> Path:
    """Return where certificates are, as an absolute path; None is :func:`default_directory`."""
    return (default_directory() if directory is None else directory).absolute()


def made(folder: Path, make: Callable[[], Period]) -> Period:
    """
    Return what *make* does, which may write in the folder, and does so alone.

    Raises:
        CertificateError: The folder cannot be written in.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(folder / ".lock"):
            return make()
    except OSError as error:
        raise CertificateError(
            f"cannot write certificates in {folder}: {error.strerror or error};"
            " name a directory that you may write in"
        ) from error


def _files(folder: Path, authority_stem: str, stem: str) -> Certificates:
    return Certificates(
        ca=folder / f"{authority_stem}.pem",
        certificate=folder / f"{stem}.pem",
        key=folder / f"{stem}-key.pem",
    )


def key_of(certificate: Path) -> Path:
    """Return where the key of a certificate is that has a file of its own."""
    return certificate.with_stem(f"{certificate.stem}-key")


def _keep(
    files: Certificates, meant: Sequence[object], make_issuer: Callable[[], Issuer], now: datetime
) -> None:
    """Make what is not there or does not fit, and remember that all does now."""
    authority_key = key_of(files.ca)
    for key_path in (authority_key, files.key):
        keep_private(key_path, ours=True)
    voucher = Voucher(files.certificate, (files.ca, authority_key, files.certificate, files.key), meant)
    if voucher.holds(now):
        return
    issuer = make_issuer()
    digest = voucher.digest()
    period = issuer.find(now)
    if period is None:
        # It looks again first: another process may have made them while this one waited.
        period = made(files.certificate.parent, lambda: issuer.keep(now))
        digest = voucher.digest()
    voucher.write(digest, *period)
