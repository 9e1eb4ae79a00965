"""TlsTerms: on what terms a port speaks TLS: versions, ciphers, protocols, certificates of both sides."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from wptproto.errors import CertificateError, ConfigError

__all__ = [
    "CLIENT_CERTIFICATES",
    "TLS_VERSIONS",
    "TlsSettings",
    "TlsTerms",
    "checked_protocols",
    "make_context",
]

TLS_VERSIONS = ("TLSv1.2", "TLSv1.3")
"""What is spoken unless something else is asked for."""

CLIENT_CERTIFICATES = ("none", "asked", "required", "refused")

_VERSIONS = {
    "TLSv1": (ssl.TLSVersion.TLSv1, ssl.HAS_TLSv1),
    "TLSv1.1": (ssl.TLSVersion.TLSv1_1, ssl.HAS_TLSv1_1),
    "TLSv1.2": (ssl.TLSVersion.TLSv1_2, ssl.HAS_TLSv1_2),
    "TLSv1.3": (ssl.TLSVersion.TLSv1_3, ssl.HAS_TLSv1_3),
}

# Those of TLS 1.2 that HTTP/2 allows: ephemeral keys, and authenticated encryption (RFC 9113 §9.2.2, appendix
# A). What is not offered is never chosen, so there is nothing of which to complain by INADEQUATE_SECURITY.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
_OLD_CIPHERS = "ECDHE+AES:AES"
"""For those who ask for versions that have none of these."""

_ANYTHING = ":@SECLEVEL=0"
"""What has OpenSSL load weak keys and signatures, and speak versions before TLS 1.2."""


class TlsSettings(NamedTuple):
    """
    What is the same for all TLS ports of a server, checked.

    Attributes:
        versions: The oldest version and the latest.
        client_certificates: One of CLIENT_CERTIFICATES.
        client_ca: PEM file of the authorities whose certificates clients may show; None is nobody.
    """

    versions: tuple[str, str] = (TLS_VERSIONS[0], TLS_VERSIONS[-1])
    client_certificates: str = "none"
    client_ca: Path | None = None

    @classmethod
    def checked(
        cls, versions: Sequence[str], client_certificates: str, client_ca: str | Path | None
    ) -> TlsSettings:
        """
        Return settings as they were asked for.

        Raises:
            ConfigError: There is no such version or mode, or OpenSSL does not have it.
        """
        if client_certificates not in CLIENT_CERTIFICATES:
            raise ConfigError(
                f"client_certificates: {client_certificates!r} is none of {', '.join(CLIENT_CERTIFICATES)}"
            )
        if client_ca is not None and client_certificates not in ("asked", "required"):
            raise ConfigError(
                "client_ca: an authority is of use where certificates are asked or required alone"
            )
        return cls(_range(versions), client_certificates, None if client_ca is None else Path(client_ca))


class TlsTerms(NamedTuple):
    """
    How a port speaks TLS.

    Attributes:
        context: A server's.
        protocols: What it offers by ALPN, best first; empty if it does not speak of that.
        named: Returns the context for who asks for a host by SNI, if it is another.
    """

    context: ssl.SSLContext
    protocols: tuple[str, ...]
    named: Callable[[str], ssl.SSLContext | None] = lambda _: None


def checked_protocols(protocols: Sequence[str] | None) -> tuple[str, ...]:
    """
    Return what is to be offered by ALPN; nothing if that is not to be spoken of.

    Raises:
        ConfigError: One of them cannot be a protocol's name (RFC 7301 §3.1).
    """
    found = (protocols,) if isinstance(protocols, str) else tuple(protocols or ())
    for name in found:
        if not name.isascii() or not 1 <= len(name) <= 255:
            raise ConfigError(f"alpn: a protocol's name has 1 to 255 characters of ASCII, unlike {name!r}")
    return found


def make_context(
    certificate: Path,
    key: Path | None,
    protocols: Sequence[str],
    settings: TlsSettings,
    *,
    weak: bool = False,
) -> ssl.SSLContext:
    """
    Return a server's context: TLS as HTTP/2 wants it, unless the settings are against that.

    Requests for any authority are answered, whether or not the certificate is for it, for that is for clients
    to mind: nobody is "misdirected" (RFC 9110 §7.4, §15.5.20) to a server that is a test's whole network.

    Args:
        certificate: PEM file; what is sent behind the certificate follows it.
        key: PEM file of its key; None if that is in the same file.
        protocols: What is offered by ALPN, best first.
        settings: Versions, and certificates of clients.
        weak: Whether what OpenSSL finds too weak is loaded all the same.

    Raises:
        CertificateError: The files cannot be read, or do not fit each other.

    RFC 9113 §9.2.1, §9.2.2.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    first, last = settings.versions
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # who asks for an old version knows that it is old
        context.minimum_version, context.maximum_version = _VERSIONS[first][0], _VERSIONS[last][0]
    is_old = first in ("TLSv1", "TLSv1.1")
    ciphers = f"{_CIPHERS}:{_OLD_CIPHERS}" if is_old else _CIPHERS
    context.set_ciphers(ciphers + _ANYTHING if weak or is_old else ciphers)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if protocols:
        context.set_alpn_protocols(list(protocols))
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(f"cannot use {certificate} with {key or certificate}: {error}") from error
    _ask_for_certificates(context, settings)
    return context


def _ask_for_certificates(context: ssl.SSLContext, settings: TlsSettings) -> None:
    if settings.client_certificates == "none":
        return
    required = settings.client_certificates == "required"
    context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    if settings.client_ca is None:
        return  # it trusts nobody
    try:
        context.load_verify_locations(settings.client_ca)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(
            f"cannot use {settings.client_ca} as authority for clients: {error}"
        ) from error


def _range(versions: Sequence[str]) -> tuple[str, str]:
    """Return the oldest and the latest of some versions, between which OpenSSL leaves none out."""
    wanted = [versions] if isinstance(versions, str) else list(versions)
    for version in wanted:
        if version not in _VERSIONS:
            raise ConfigError(f"tls_versions: {version!r} is none of {', '.join(_VERSIONS)}")
        if not _VERSIONS[version][1]:
            raise ConfigError(
                f"tls_versions: {version} is not in {ssl.OPENSSL_VERSION}, with which Python was built"
            )
    listed = [version for version in _VERSIONS if version in wanted]
    if not listed:
        raise ConfigError("tls_versions: there is none; switch off TLS by https_port=None")
    every = list(_VERSIONS)
    between = every[every.index(listed[0]) : every.index(listed[-1]) + 1]
    if listed != between:
        missing = next(version for version in between if version not in listed)
        raise ConfigError(
            f"tls_versions: OpenSSL speaks all versions between two, so {missing} cannot be left out"
        )
    return listed[0], listed[-1]
