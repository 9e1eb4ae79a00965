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

Two doubts. RFC 5280 §6.1 lets a client take a trust anchor for a mere name and key, and so overlook its
constraints; OpenSSL, Go and the browsers of today heed them, an old client may not. And host names become
A-labels by IDNA 2003, the only one in the standard library, which makes ß into ss: who means ß gives the
A-label.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
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
from wptproto.pem import exclusive, keep_private, read_certificates, read_key, read_pair, write_file

__all__ = ["DEFAULT_NAMES", "Certificates", "check_pair", "default_directory", "ensure", "instructions"]

# OpenSSL and the browsers take no wildcard right below a top-level domain. `*.localhost` serves the clients
# that do, and the subdomains that tests of several origins use stand beside it one by one.
DEFAULT_NAMES: tuple[str, ...] = (
    "localhost",
    "www.localhost",
    "www1.localhost",
    "www2.localhost",
    "élève.localhost",
    "天気の良い日.localhost",
    "*.localhost",
    "127.0.0.1",
    "::1",
)

_RESERVED_DOMAINS = ("localhost", "test")
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

_BACKDATED = timedelta(days=1)  # for clients whose clocks are behind
_AUTHORITY_LIFETIME = timedelta(days=3650)
_AUTHORITY_MARGIN = timedelta(days=400)  # more than a server certificate lasts, so that none outlives it
_SERVER_LIFETIME = timedelta(days=397)  # browsers take no more than 398
_SERVER_MARGIN = timedelta(days=30)

# RFC 5280 §4.2.1.6: names are in the "preferred name syntax" of RFC 1034 §3.5, here with digits in front
# (RFC 1123 §2.1) and with the underscores that hosts of private networks do have. What ends in a number was
# meant as an IPv4 address and is no good one.
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}$)(?:\*\.)?(?:{_LABEL}\.)*(?![0-9]+$){_LABEL}")
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

_Host = str | IPv4Address | IPv6Address  # a host name in A-labels and lower case, or an address
_Key = ec.EllipticCurvePrivateKey
_Terms = tuple[x509.Name, list[tuple[x509.ExtensionType, bool]]]  # subject; extensions, whether critical


@dataclass(frozen=True, slots=True)
class Certificates:
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
    hosts = _hosts(names)
    foreign = _ordered(_subtree(host) for host in hosts if not _is_reserved(host))
    server_stem = "server" if hosts == _hosts(DEFAULT_NAMES) else f"server-{_digest(hosts)}"
    files = Certificates(
        ca=folder / (f"ca-{_digest(foreign)}.pem" if foreign else "ca.pem"),
        certificate=folder / f"{server_stem}.pem",
        key=folder / f"{server_stem}-key.pem",
    )
    authority = _Role(
        certificate_path=files.ca,
        key_path=files.ca.with_stem(f"{files.ca.stem}-key"),
        lifetime=_AUTHORITY_LIFETIME,
        margin=_AUTHORITY_MARGIN,
        issuer=None,
        terms=partial(_authority_terms, foreign),
    )

    def server(issuer: _Signed) -> _Role:
        return _Role(
            certificate_path=files.certificate,
            key_path=files.key,
            lifetime=_SERVER_LIFETIME,
            margin=_SERVER_MARGIN,
            issuer=issuer,
            terms=partial(_server_terms, hosts, issuer.key.public_key()),
        )

    for key_path in (authority.key_path, files.key):
        keep_private(key_path, ours=True)
    present = authority.find(moment)
    if present is None or server(present).find(moment) is None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with exclusive(folder / ".lock"):
                # Both look again first: another process may have made them while this one waited.
                server(authority.keep(moment)).keep(moment)
        except OSError as error:
            raise CertificateError(
                f"cannot write certificates in {folder}: {error.strerror or error};"
                " name a directory that you may write in"
            ) from error
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


# What certificates say


def _hosts(names: Sequence[str]) -> list[_Host]:
    """Return what *names* mean, in the one order that a set of them has."""
    if isinstance(names, str):  # a sequence of strings too, its letters; one name was meant
        names = [names]
    if not names:
        raise CertificateError("a server certificate needs a name; give one such as 'localhost'")
    return _ordered(_host(name) for name in names)


def _host(name: str) -> _Host:
    try:
        # By way of its octets, for certificates know no zone (`fe80::1%eth0`).
        return ip_address(ip_address(name).packed)
    except ValueError:
        pass  # a host name, then
    try:
        host = name.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        host = ""
    if not _HOST_NAME.fullmatch(host):
        raise CertificateError(
            f"{name!r} is neither a host name nor an IP address; a name such as 'www.example.test' has labels"
            " of 1 to 63 letters, digits and hyphens, 253 characters in all, and '*' only as its first label"
        )
    return host


def _ordered(hosts: Iterable[_Host]) -> list[_Host]:
    # The shortest first, for it says best what a certificate is for: `a.test` before `*.a.test`.
    return sorted(set(hosts), key=lambda host: (len(str(host)), str(host)))


def _digest(hosts: list[_Host]) -> str:
    return hashlib.sha256("\n".join(map(str, hosts)).encode()).hexdigest()[:8]


def _is_reserved(host: _Host) -> bool:
    if isinstance(host, str):
        return host.rpartition(".")[2] in _RESERVED_DOMAINS
    return any(host in network for network in _LOOPBACK)


def _subtree(host: _Host) -> _Host:
    # RFC 5280 §4.2.1.10: "Any DNS name that can be constructed by simply adding zero or more labels to
    # the left-hand side of the name satisfies the name constraint."
    return host.removeprefix("*.") if isinstance(host, str) else host


def _authority_terms(foreign: list[_Host], key: ec.EllipticCurvePublicKey) -> _Terms:
    key_identifier = x509.SubjectKeyIdentifier.from_public_key(key)
    permitted: list[x509.GeneralName] = [
        *(x509.DNSName(domain) for domain in _RESERVED_DOMAINS),
        *(x509.IPAddress(network) for network in _LOOPBACK),
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
    hosts: list[_Host], issuer: ec.EllipticCurvePublicKey, key: ec.EllipticCurvePublicKey
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


# Finding and making them


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
        lasts = start <= now <= start + self.lifetime - self.margin
        return _Signed(certificate, key) if fits and follows and lasts else None

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


# Files


def _is_checkout(directory: Path) -> bool:
    try:
        project = tomllib.loads((directory / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return project.get("project", {}).get("name") == "wptproto" and (directory / "certs").is_dir()


def _data_directory(platform: str) -> Path:
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    # XDG Base Directory Specification: "If an implementation encounters a relative path in any of these
    # variables it should consider the path invalid and ignore it."
    data = os.environ.get("XDG_DATA_HOME", "")
    return Path(data) if os.path.isabs(data) else Path.home() / ".local" / "share"


def _own_key(path: Path) -> _Key | None:
    """Return a key that this module could have written, or None."""
    try:
        key = read_key(path)
    except CertificateError:
        return None
    return key if isinstance(key, _Key) and isinstance(key.curve, ec.SECP256R1) else None
