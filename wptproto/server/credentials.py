"""Credentials: which certificates a server shows, and whose it takes, on all of its ports."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wptproto.default_names import CATALOGUE_DOMAIN
from wptproto.errors import CertificateError, ConfigError
from wptproto.private_files import keep_private
from wptproto.server.key_log import KeyLog
from wptproto.server.tls_terms import TlsSettings, TlsTerms, make_context

if TYPE_CHECKING:
    from wptproto.certs import Certificates
    from wptproto.certs.catalogue import Identity

__all__ = ["ClientCertificate", "Credentials"]


class ClientCertificate(NamedTuple):
    """
    What a client shows: ``context.load_cert_chain(*certificate)``, ``curl --cert ... --key ...``.

    Attributes:
        certificate: PEM file of the certificate, and after it its authority's.
        key: PEM file of its private key, unencrypted.
    """

    certificate: Path
    key: Path


class Credentials:
    """
    The certificates of a server: files of one's own, or generated ones, made when they are asked for.

    Beside generated ones there is the catalogue (:mod:`wptproto.certs.catalogue`): one of its entries can be
    the server's own, and whoever asks by SNI for ``NAME.localhost`` gets that entry, unless the server's
    certificate was asked for in that name.

    Attributes:
        key_log: Where all of its contexts log their keys, those included that are made later.
    """

    def __init__(
        self,
        certificate: str | Path | None,
        key: str | Path | None,
        entry: str | None,
        certs_dir: str | Path | None,
        names: Sequence[str],
        settings: TlsSettings,
        keylog: Path | None = None,
    ) -> None:
        """
        Args:
            certificate: PEM file to use instead of a generated one; with *key*.
            key: PEM file of its private key.
            entry: The name in the catalogue of what to use instead.
            certs_dir: Where generated certificates are kept; None is the user's.
            names: What a generated certificate is for.
            settings: Versions, and certificates of clients.
            keylog: Where keys are logged; None is nowhere.

        Raises:
            ConfigError: A certificate has no key, or a key no certificate; or there is no such entry, or no
                place for one.
        """
        if (certificate is None) != (key is None):
            raise ConfigError("a certificate needs its key, and a key its certificate")
        if entry is not None:
            from wptproto.certs.catalogue import entry_named

            entry_named(entry)
            if certificate is not None:
                raise ConfigError(
                    f"tls: there is no place for {entry!r} of the catalogue beside a certificate of one's own"
                )
        self._own = (Path(certificate), Path(key)) if certificate is not None and key is not None else None
        self._entry = entry
        self._directory = Path(certs_dir) if certs_dir is not None else None
        self._names = tuple(names)
        self._settings = settings
        self._ca: Path | None = None
        self.key_log = KeyLog(keylog)

    @property
    def ca(self) -> Path:
        """
        The PEM file that a client has to trust; made if need be.

        Raises:
            CertificateError: It cannot be made.
        """
        if self._own is not None:
            return self._own[0]
        if self._ca is None:
            self._ca = self._generated().ca
        return self._ca

    @property
    def revoked(self) -> Path:
        """
        The PEM file of what the authority has revoked: the certificate of the catalogue's entry.

        Raises:
            CertificateError: It cannot be made.
        """
        found = self._in_catalogue("revoked").revoked
        assert found is not None, "the entry has a list"
        return found

    def client_certificate(self, name: str) -> ClientCertificate:
        """
        Return a client's certificate by our authority for clients; made if need be.

        Raises:
            CertificateError: The name cannot be a client's, or the files cannot be made.
        """
        from wptproto import certs

        made = certs.ensure_client(self._directory, name)
        return ClientCertificate(made.certificate, made.key)

    def terms(self, offered: Mapping[str, Sequence[str]]) -> dict[str, TlsTerms | None]:
        """
        Return on what terms each kind of port speaks TLS; None is in the clear.

        Args:
            offered: What the kinds of ports that speak it offer by ALPN, best first.

        Raises:
            CertificateError: There are no usable certificates.
            ConfigError: There is to be a key log, and it cannot be written.
        """
        if not offered:
            return {"http": None}
        self.key_log.check()
        settings = self._settings_with_authority()
        terms: dict[str, TlsTerms | None] = {"http": None}
        for kind, protocols in offered.items():
            terms[kind] = self._terms(tuple(protocols), settings)
        if self._own is not None:
            keep_private(self._own[1], ours=False)
        return terms

    def _terms(self, protocols: tuple[str, ...], settings: TlsSettings) -> TlsTerms:
        context = self._context(protocols, settings)
        if self._own is not None:
            return TlsTerms(context, protocols)
        return TlsTerms(context, protocols, self._by_name(protocols, settings))

    def _settings_with_authority(self) -> TlsSettings:
        settings = self._settings
        if settings.client_ca is not None or settings.client_certificates not in ("asked", "required"):
            return settings
        from wptproto import certs

        return settings._replace(client_ca=certs.ensure_client(self._directory).ca)

    def _context(self, protocols: tuple[str, ...], settings: TlsSettings) -> ssl.SSLContext:
        """Return the context for who asks for no entry of the catalogue."""
        if self._entry is not None:
            return self._entry_context(self._entry, protocols, settings)
        pair = self._own
        if pair is None:
            made = self._generated()
            self._ca = made.ca
            pair = made.certificate, made.key
        try:
            return self._logging(make_context(*pair, protocols, settings))
        except CertificateError:
            from wptproto import certs

            certs.check_pair(*pair)  # which says better what is wrong
            raise

    def _by_name(
        self, protocols: tuple[str, ...], settings: TlsSettings
    ) -> Callable[[str], ssl.SSLContext | None]:
        """Return what finds contexts for entries by SNI; each is made when first asked for, and kept."""
        contexts: dict[str, ssl.SSLContext] = {}

        def named(host: str) -> ssl.SSLContext | None:
            if (context := contexts.get(host)) is not None:
                return context
            if not host.endswith(CATALOGUE_DOMAIN) or host in self._names:
                return None
            from wptproto.certs.catalogue import CATALOGUE

            entry = host.removesuffix(CATALOGUE_DOMAIN)
            if entry not in CATALOGUE:
                return None
            return contexts.setdefault(host, self._entry_context(entry, protocols, settings))

        return named

    def _entry_context(self, name: str, protocols: tuple[str, ...], settings: TlsSettings) -> ssl.SSLContext:
        from wptproto.certs.catalogue import entry_named

        certificate = self._in_catalogue(name).certificate
        weak = entry_named(name).is_weak
        return self._logging(make_context(certificate, None, protocols, settings, weak=weak))

    def _logging(self, context: ssl.SSLContext) -> ssl.SSLContext:
        self.key_log.add(context)
        return context

    def _in_catalogue(self, name: str) -> Identity:
        from wptproto.certs.catalogue import ensure_entry

        return ensure_entry(name, self._directory, self._names)

    def _generated(self) -> Certificates:
        from wptproto import certs

        return certs.ensure(self._directory, self._names)
