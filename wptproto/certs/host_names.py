"""
The names and addresses that a certificate is for: as they are given, in certificates, and in files' names.

Host names become A-labels by IDNA 2003, the only one in the standard library, which makes ß into ss: who
means ß gives the A-label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from wptproto.errors import CertificateError

__all__ = ["COMMON_NAME_LIMIT", "LOOPBACK", "RESERVED_DOMAINS", "Host", "beyond_reserved", "parsed", "tag"]

Host = str | IPv4Address | IPv6Address
"""A host name in A-labels and lower case, or an address."""

RESERVED_DOMAINS = ("localhost", "test")
COMMON_NAME_LIMIT = 64  # RFC 5280 appendix A.1: ub-common-name
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

# RFC 5280 §4.2.1.6: names are in the "preferred name syntax" of RFC 1034 §3.5, here with digits in front
# (RFC 1123 §2.1) and with the underscores that hosts of private networks do have. What ends in a number was
# meant as an IPv4 address and is no good one.
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}$)(?:\*\.)?(?:{_LABEL}\.)*(?![0-9]+$){_LABEL}")


def parsed(names: Sequence[str]) -> list[Host]:
    """
    Return what *names* mean, in the one order that a set of them has.

    Raises:
        CertificateError: A name is none, or there are no names.
    """
    if isinstance(names, str):  # a sequence of strings too, its letters; one name was meant
        names = [names]
    if not names:
        raise CertificateError("a server certificate needs a name; give one such as 'localhost'")
    return _ordered(_host(name) for name in names)


def beyond_reserved(hosts: list[Host]) -> list[Host]:
    """Return those that somebody could own, and others have to be protected from; without wildcards."""
    return _ordered(_subtree(host) for host in hosts if not _is_reserved(host))


def tag(hosts: list[Host]) -> str:
    """Return a short word that tells this set of hosts from others."""
    return sha256("\n".join(map(str, hosts)).encode()).hexdigest()[:8]


def _host(name: str) -> Host:
    try:
        # By way of its octets, for certificates know no zone (`fe80::1%eth0`).
        return ip_address(ip_address(name).packed)
    except ValueError:
        pass  # a host name, then
    try:
        # The codec leaves ASCII as it is, and takes a while to import.
        host = (name if name.isascii() else name.encode("idna").decode("ascii")).lower().removesuffix(".")
    except UnicodeError:
        host = ""
    if not _HOST_NAME.fullmatch(host):
        raise CertificateError(
            f"{name!r} is neither a host name nor an IP address; a name such as 'www.example.test' has labels"
            " of 1 to 63 letters, digits and hyphens, 253 characters in all, and '*' only as its first label"
        )
    return host


def _ordered(hosts: Iterable[Host]) -> list[Host]:
    # The shortest first, for it says best what a certificate is for: `a.test` before `*.a.test`.
    return sorted(set(hosts), key=lambda host: (len(str(host)), str(host)))


def _is_reserved(host: Host) -> bool:
    if isinstance(host, str):
        return host.rpartition(".")[2] in RESERVED_DOMAINS
    return any(host in network for network in LOOPBACK)


def _subtree(host: Host) -> Host:
    # RFC 5280 §4.2.1.10: "Any DNS name that can be constructed by simply adding zero or more labels to
    # the left-hand side of the name satisfies the name constraint."
    return host.removeprefix("*.") if isinstance(host, str) else host
