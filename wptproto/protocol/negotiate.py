"""
Which protocol a connection speaks: by ALPN (RFC 7301), or by the first octets (RFC 9113 §3.3).

HTTP/2 is imported for the first connection that speaks it: that takes as long as all of HTTP/1.1.
"""

from __future__ import annotations

from wptproto.protocol.connection import Connection
from wptproto.protocol.events import Event, UpgradeReceived
from wptproto.protocol.h1 import H1Connection
from wptproto.protocol.h2_frames import PREFACE
from wptproto.protocol.rules import DEFAULT_RULES, Rules

__all__ = ["ALPN_PROTOCOLS", "choose_by_alpn", "choose_by_octets", "upgraded"]

ALPN_PROTOCOLS = ("h2", "http/1.1")
"""What a TLS port can offer, best first."""


def choose_by_alpn(protocol: str | None, rules: Rules = DEFAULT_RULES) -> Connection | None:
    """
    Return the machine for what TLS negotiated; a client without ALPN speaks HTTP/1.1.

    Returns:
        None for a protocol that is none of ALPN_PROTOCOLS: what it really is, its octets tell.
    """
    if protocol == "h2":
        return _h2(rules)
    return H1Connection(rules, cleartext=False) if protocol in (None, *ALPN_PROTOCOLS) else None


def choose_by_octets(
    octets: bytes, rules: Rules = DEFAULT_RULES, *, cleartext: bool = True
) -> Connection | None:
    """
    Return the machine for what a client sends first.

    Args:
        octets: All that was received so far.
        rules: What the machine goes by.
        cleartext: Whether it came without TLS.

    Returns:
        None while it is as much the start of the HTTP/2 preface as of a request with method ``PRI``.
    """
    if octets.startswith(PREFACE):
        return _h2(rules)
    if PREFACE.startswith(octets):
        return None
    return H1Connection(rules, cleartext=cleartext)


def upgraded(event: UpgradeReceived, rules: Rules) -> tuple[Connection, list[Event]]:
    """Return the machine of a connection that changes to h2c by Upgrade, and what has happened in it."""
    from wptproto.protocol.h2 import H2Connection

    return H2Connection.from_upgrade(event, rules)


def _h2(rules: Rules) -> Connection:
    from wptproto.protocol.h2 import H2Connection

    return H2Connection(rules)
