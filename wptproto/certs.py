"""
Development certificates: an authority made on first use, and server certificates signed by it.

Four rules, from which the rest follows:

- **Trusting the authority gives little away.** ``ca.pem`` may sign for ``localhost``, ``test`` and what is
  below them (RFC 6761 §6.2, §6.3: nobody can own those), for ``127.0.0.0/8`` and ``::1``, and for TLS servers
  only. Its extensions say so (RFC 5280 §4.2.1.10): whoever steals its key cannot pass for a bank.
- **A name beyond those gets an authority of its own**, ``ca-<digest>.pem``, which may sign for the same, the
  further names and what is below them. So what was trusted once is never remade for a new name, nor does it
  come to permit everything bit by bit; the price is one more authority to trust.
- **Each set of names has its own files**, in whatever order it is asked for: ``server.pem`` for
  :data:`DEFAULT_NAMES`, ``server-<digest>.pem`` for any other. Two users of a directory do not disturb each
  other.
- **A certificate stays when it is, octet for octet, what would be written today** with its serial number and
  dates, and has time left. Else it is made anew: an old one, a corrupt one, one of another authority or of a
  release with other rules. Its key stays if it can be read, so that trust in an authority survives a broken
  ``ca.pem``, and a server may load its two files while another process renews the certificate.

The directory belongs to this module: a file of one of those names that does not fit is replaced.

A doubt: RFC 5280 §6.1 lets a client take a trust anchor for a mere name and key, and so overlook its
constraints; OpenSSL, Go and the browsers of today heed them, an old client may not.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wptproto.default_names import DEFAULT_NAMES
from wptproto.errors import CertificateError
from wptproto.host_names import Host, beyond_reserved, parsed, tag
from wptproto.private_files import exclusive, keep_private, write_file

if TYPE_CHECKING:
    from wptproto.issuing import Issuer

__all__ = ["DEFAULT_NAMES", "Certificates", "check_pair", "default_directory", "ensure", "instructions"]


class Certificates(NamedTuple):
    """
    Where the files are that :func:`ensure` made; all PEM.

    Attributes:
        ca: Certificate of the authority, for clients to trust.
        certificate: The server's certificate, and after it the authority's.
        key: The server's private key, unencrypted, for its owner's eyes only.
    """

    ca: Path
    certificate: Path
    key: Path


def default_directory() -> Path:
    """
    Tell where certificates belong when nobody names a directory; nothing is made.

    Returns:
        ``certs/`` of the checkout that this module runs from, else ``wptproto`` in the user's directory for
        data: ``$XDG_DATA_HOME`` or ``~/.local/share``, ``~/Library/Application Support`` on macOS,
        ``%LOCALAPPDATA%`` on Windows.

    Raises:
        CertificateError: The user has no home directory.
    """
    checkout = Path(__file__).resolve().parent.parent
    if _is_checkout(checkout):
        return checkout / "certs"
    try:
        return _data_directory(sys.platform) / "wptproto"
    except RuntimeError as error:
        raise CertificateError("there is no home directory for certificates; name a directory") from error


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
    folder = (default_directory() if directory is None else directory).absolute()
    hosts = parsed(names)
    foreign = beyond_reserved(hosts)
    server_stem = "server" if hosts == parsed(DEFAULT_NAMES) else f"server-{tag(hosts)}"
    files = Certificates(
        ca=folder / (f"ca-{tag(foreign)}.pem" if foreign else "ca.pem"),
        certificate=folder / f"{server_stem}.pem",
        key=folder / f"{server_stem}-key.pem",
    )
    authority_key = files.ca.with_stem(f"{files.ca.stem}-key")
    for key_path in (authority_key, files.key):
        keep_private(key_path, ours=True)
    voucher = _Voucher(files, authority_key, hosts)
    if not voucher.holds(moment):
        from wptproto.issuing import Issuer

        issuer = Issuer((files.ca, authority_key), (files.certificate, files.key), hosts, foreign)
        _keep(folder, issuer, voucher, moment)
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
    from wptproto.pem import read_pair

    read_pair(certificate, key)
    keep_private(key, ours=False)


def instructions(certificates: Certificates) -> str:
    """
    Tell where the files are and how clients come to trust the authority.

    Returns:
        Lines for a terminal, ending in a newline; paths are quoted for a POSIX shell, or as Python literals.

    Raises:
        CertificateError: The authority's certificate cannot be read.
    """
    import shlex

    from wptproto.pem import read_certificates

    # Certificate stores tell authorities apart by a nickname; the common name has the tag that makes it one.
    authority = read_certificates(certificates.ca)[0]
    nickname = shlex.quote(authority.subject.rfc4514_string().removeprefix("CN="))
    ca = shlex.quote(str(certificates.ca))
    return f"""\
authority:           {ca}
server certificate:  {shlex.quote(str(certificates.certificate))}
server key:          {shlex.quote(str(certificates.key))}

A client has to be told once to trust the authority, which can sign for no names but those it was made for.

curl
    curl --cacert {ca} https://HOST:PORT/
Python
    ssl.create_default_context(cafile={str(certificates.ca)!r})
    or for a whole process, instead of the authorities it trusts otherwise:
    SSL_CERT_FILE={ca} python ...
Firefox
    Settings, Privacy & Security, View Certificates, Authorities, Import; trust it to identify websites
Chromium on Linux (certutil is in libnss3-tools or nss-tools)
    certutil -d sql:$HOME/.pki/nssdb -A -t "C,," -n {nickname} -i {ca}
    and to remove it:
    certutil -d sql:$HOME/.pki/nssdb -D -n {nickname}
Safari and Chrome on macOS
    security add-trusted-cert -p ssl -k ~/Library/Keychains/login.keychain-db {ca}
    and to remove it:
    security delete-certificate -t -c {nickname}
Edge and Chrome on Windows
    certutil -user -addstore Root {ca}
    and to remove it:
    certutil -user -delstore Root {nickname}
"""


def _keep(folder: Path, issuer: Issuer, voucher: _Voucher, now: datetime) -> None:
    """Make what is not there or does not fit, and remember that all does now."""
    digest = voucher.digest()
    period = issuer.find(now)
    if period is None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with exclusive(folder / ".lock"):
                # It looks again first: another process may have made them while this one waited.
                period = issuer.keep(now)
                digest = voucher.digest()
        except OSError as error:
            raise CertificateError(
                f"cannot write certificates in {folder}: {error.strerror or error};"
                " name a directory that you may write in"
            ) from error
    voucher.write(digest, *period)


class _Voucher:
    """
    A file that says of four others that they were found to fit, by which rules and until when.

    To look whether they fit takes cryptography, which takes as long to import as all the rest of a server; a
    digest takes no time. It is that of all that was looked at, and of the rules, so nothing else is vouched
    for than what was found. Whoever could write a false voucher could as well write a false key.
    """

    def __init__(self, files: Certificates, authority_key: Path, hosts: list[Host]) -> None:
        self._path = files.certificate.with_name(f".{files.certificate.stem}.fits")
        rules = (Path(__file__).with_name(name) for name in ("issuing.py", "host_names.py"))
        self._files = (*rules, files.ca, authority_key, files.certificate, files.key)
        self._hosts = hosts

    def digest(self) -> str:
        """Return a digest of the files as they are; nothing if one cannot be read."""
        found = sha256("\n".join(map(str, self._hosts)).encode())
        try:
            for path in self._files:
                found.update(sha256(path.read_bytes()).digest())
        except OSError:
            return ""
        return found.hexdigest()

    def holds(self, now: datetime) -> bool:
        """Whether the files are as they were when they were vouched for, and do for the present."""
        try:
            digest, first, last = self._path.read_text("ascii").split()
            return digest == self.digest() and float(first) <= now.timestamp() <= float(last)
        except (OSError, ValueError):
            return False

    def write(self, digest: str, first: datetime, last: datetime) -> None:
        """Vouch for the files that had a digest when they were looked at, if that can be."""
        if not digest:
            return
        with suppress(OSError):
            write_file(self._path, f"{digest} {first.timestamp()} {last.timestamp()}\n".encode(), mode=0o644)


def _is_checkout(directory: Path) -> bool:
    try:
        lines = (directory / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    return 'name = "wptproto"' in lines and (directory / "certs").is_dir()


def _data_directory(platform: str) -> Path:
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    # XDG Base Directory Specification: "If an implementation encounters a relative path in any of these
    # variables it should consider the path invalid and ignore it."
    data = os.environ.get("XDG_DATA_HOME", "")
    return Path(data) if os.path.isabs(data) else Path.home() / ".local" / "share"
