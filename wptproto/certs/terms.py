"""What certificates say: subject and extensions of authorities, of servers and of clients."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wptproto.certs.host_names import COMMON_NAME_LIMIT, LOOPBACK, RESERVED_DOMAINS, Host

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPublicKeyTypes,
        CertificatePublicKeyTypes,
    )

__all__ = [
    "Terms",
    "authority_terms",
    "client_authority_terms",
    "client_terms",
    "intermediate_terms",
    "named",
    "server_terms",
]

Terms = tuple[x509.Name, list[tuple[x509.ExtensionType, bool]]]
"""A subject; extensions, and whether each is critical."""

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


def authority_terms(foreign: list[Host], key: CertificatePublicKeyTypes) -> Terms:
    """Return those of the authority for servers; *foreign* is what it may sign for beyond the reserved."""
    permitted: list[x509.GeneralName] = [
        *(x509.DNSName(domain) for domain in RESERVED_DOMAINS),
        *(x509.IPAddress(network) for network in LOOPBACK),
        *(
            x509.DNSName(host) if isinstance(host, str) else x509.IPAddress(ip_network(host))
            for host in foreign
        ),
    ]
    # Name constraints leave mail addresses open, and whose code it is. The purpose closes them.
    subject, extensions = _authority_terms("wptproto development CA", 1, ExtendedKeyUsageOID.SERVER_AUTH, key)
    constraints = x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)
    return subject, [*extensions, (constraints, True)]


def intermediate_terms(issuer: CertificateIssuerPublicKeyTypes, key: CertificatePublicKeyTypes) -> Terms:
    """Return those of an authority for servers below another, whose constraints it has, too."""
    subject, extensions = _authority_terms(
        "wptproto intermediate CA", 0, ExtendedKeyUsageOID.SERVER_AUTH, key
    )
    return subject, [*extensions, (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False)]


def client_authority_terms(key: CertificatePublicKeyTypes) -> Terms:
    """Return those of the authority for clients, who have any name that one likes to give them."""
    return _authority_terms("wptproto client CA", 0, ExtendedKeyUsageOID.CLIENT_AUTH, key)


def server_terms(
    hosts: list[Host], issuer: CertificateIssuerPublicKeyTypes, key: CertificatePublicKeyTypes
) -> Terms:
    """Return those of a server, which goes by some hosts, in order."""
    # A common name is a host name or missing: where the alternative names have addresses only, OpenSSL takes
    # the common name for a host name, even one such as "127.0.0.1", and finds that it is not permitted.
    common_name = next((host for host in hosts if isinstance(host, str)), None)
    if common_name is not None and len(common_name) <= COMMON_NAME_LIMIT:
        subject = named(NameOID.COMMON_NAME, common_name)
    else:
        # Something, for an empty subject makes the alternative names critical (RFC 5280 §4.2.1.6).
        subject = named(NameOID.ORGANIZATION_NAME, "wptproto")
    names = [x509.DNSName(host) if isinstance(host, str) else x509.IPAddress(host) for host in hosts]
    return subject, [
        (x509.SubjectAlternativeName(names), False),
        *_leaf_extensions(ExtendedKeyUsageOID.SERVER_AUTH, issuer, key),
    ]


def client_terms(name: str, issuer: CertificateIssuerPublicKeyTypes, key: CertificatePublicKeyTypes) -> Terms:
    """Return those of a client, which is known by its common name."""
    subject = named(NameOID.COMMON_NAME, name)
    return subject, _leaf_extensions(ExtendedKeyUsageOID.CLIENT_AUTH, issuer, key)


def named(attribute: x509.ObjectIdentifier, value: str) -> x509.Name:
    """Return a name of one attribute."""
    return x509.Name([x509.NameAttribute(attribute, value)])


def _authority_terms(
    name: str, path_length: int, purpose: x509.ObjectIdentifier, key: CertificatePublicKeyTypes
) -> Terms:
    key_identifier = x509.SubjectKeyIdentifier.from_public_key(key)
    return named(NameOID.COMMON_NAME, f"{name} {key_identifier.digest.hex()[:8]}"), [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (x509.KeyUsage(**_NO_USE | {"key_cert_sign": True, "crl_sign": True}), True),
        (x509.ExtendedKeyUsage([purpose]), False),
        (key_identifier, False),
    ]


def _leaf_extensions(
    purpose: x509.ObjectIdentifier, issuer: CertificateIssuerPublicKeyTypes, key: CertificatePublicKeyTypes
) -> list[tuple[x509.ExtensionType, bool]]:
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.KeyUsage(**_NO_USE | {"digital_signature": True}), True),
        (x509.ExtendedKeyUsage([purpose]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False),
    ]
