"""The four forms of a request target, and what stands in Host (RFC 9112 §3.2, RFC 9110 §7.2)."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

from wptproto.errors import RemoteProtocolError

__all__ = ["Authority", "Target", "parse_authority", "parse_target"]

# RFC 3986 §3.2.2: reg-name = *( unreserved / pct-encoded / sub-delims ). IPv4 addresses are reg-names, too.
_AUTHORITY = re.compile(
    rb"(?P<host>\[[0-9A-Fa-f:.]+\]|\[v[0-9A-Fa-f]+\.[-A-Za-z0-9._~!$&'()*+,;=:]+\]"
    rb"|(?:[-A-Za-z0-9._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)"
    rb"(?::(?P<port>[0-9]{0,5}))?"
)
# RFC 9112 §3.2.1: origin-form = absolute-path [ "?" query ]. What RFC 3986 wants encoded in it is let through
# if it can be seen, for browsers send it; but a fragment has no place in a target.
_ORIGIN = re.compile(rb"/[!\"$-~]*")
_ABSOLUTE = re.compile(
    rb"(?P<scheme>[A-Za-z][-+.A-Za-z0-9]*)://(?P<authority>[^/?#]*)(?P<rest>(?:[/?][!\"$-~]*)?)"
)


class Authority(NamedTuple):
    """
    Host and port of an authority.

    Attributes:
        host: As received; an IPv6 address in its brackets.
        port: 0 to 65535, or None where none was given.
    """

    host: bytes
    port: int | None

    def __bytes__(self) -> bytes:
        """Return ``host:port``, or the host alone."""
        return self.host if self.port is None else b"%s:%d" % (self.host, self.port)


class Target(NamedTuple):
    """
    What a request is for.

    Attributes:
        octets: As received.
        path: From the first ``/``, with the query; ``*`` in asterisk-form, empty in authority-form.
        authority: Where absolute-form or authority-form name one.
        scheme: Where absolute-form names one, in lower case; else empty.
    """

    octets: bytes
    path: bytes
    authority: Authority | None = None
    scheme: bytes = b""


def parse_authority(octets: bytes) -> Authority:
    """
    Take apart the value of Host or :authority.

    Raises:
        RemoteProtocolError: It is no ``uri-host [ ":" port ]``; userinfo is none either (RFC 9110 §4.2.4).
    """
    match = _AUTHORITY.fullmatch(octets)
    port = int(match["port"]) if match is not None and match["port"] else None
    if match is None or (port is not None and port > 65535) or not _is_host(match["host"]):
        raise RemoteProtocolError(f"not a host and port: {octets!r}")
    return Authority(match["host"], port)


def _is_host(host: bytes) -> bool:
    """Whether what has the letters of an IPv6 address is one, too (RFC 3986 §3.2.2)."""
    if host.startswith(b"[") and not host.startswith(b"[v"):
        try:
            IPv6Address(host[1:-1].decode("ascii"))
        except AddressValueError:
            return False
    return True


def parse_target(method: str, octets: bytes) -> Target:
    """
    Tell which of the four forms an HTTP/1.1 request target has.

    Raises:
        RemoteProtocolError: It has none, or one that the method does not allow.
    """
    if method == "CONNECT":
        authority = parse_authority(octets)
        if authority.port is None or not authority.host:
            raise RemoteProtocolError(f"CONNECT wants host:port as its target, not {octets!r}")
        return Target(octets, b"", authority)
    if _ORIGIN.fullmatch(octets):
        return Target(octets, octets)
    if octets == b"*" and method == "OPTIONS":
        return Target(octets, b"*")
    match = _ABSOLUTE.fullmatch(octets)
    if match is None:
        raise RemoteProtocolError(f"the request target is neither a path nor an absolute URI: {octets!r}")
    authority, rest = parse_authority(match["authority"]), match["rest"]
    # RFC 9110 §4.2.1: "A recipient that processes such a URI reference [with an empty host
    # identifier] MUST reject it as invalid."
    scheme = match["scheme"].lower()
    if not authority.host and scheme in (b"http", b"https"):
        raise RemoteProtocolError(f"the request target names no host: {octets!r}")
    return Target(octets, rest if rest.startswith(b"/") else b"/" + rest, authority, scheme)
