"""Which protocol a connection speaks: by ALPN (RFC 7301), or by the first octets (RFC 9113 §3.3)."""

from __future__ import annotations

from wptproto.protocol.connection import Connection
from wptproto.protocol.h1 import H1Connection
from wptproto.protocol.h2 import H2Connection
from wptproto.protocol.h2_reader import PREFACE
from wptproto.protocol.rules import DEFAULT_RULES, Rules

__all__ = ["ALPN_PROTOCOLS", "choose_by_alpn", "choose_by_octets"]

ALPN_PROTOCOLS = ("h2", "http/1.1")
"""What a TLS port can offer, best first."""


def choose_by_alpn(protocol: str | None, rules: Rules = DEFAULT_RULES) -> Connection:
    """Return the machine for what TLS negotiated; a client without ALPN speaks HTTP/1.1."""
    return H2Connection(rules) if protocol == "h2" else H1Connection(rules, cleartext=False)


def choose_by_octets(octets: bytes, rules: Rules = DEFAULT_RULES) -> Connection | None:
    """
    Return the machine for what a client sends first in the clear.

    Args:
        octets: All that was received so far.
        rules: What the machine goes by.

    Returns:
        None while it is as much the start of the HTTP/2 preface as of a request with method ``PRI``.
    """
    if octets.startswith(PREFACE):
        return H2Connection(rules)
    if PREFACE.startswith(octets):
        return None
    return H1Connection(rules)
