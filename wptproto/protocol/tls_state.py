"""TlsState: what a connection's two sides said of themselves and agreed on by TLS."""

from __future__ import annotations

from typing import NamedTuple

from wptproto.protocol.client_hello import ClientHello

__all__ = ["TlsState"]


class TlsState(NamedTuple):
    """
    TLS on one connection, as it was when somebody asked.

    Attributes:
        version: ``TLSv1.3`` or an earlier one; None while the handshake goes on, or if it has failed.
        cipher: The cipher suite, by OpenSSL's name; None as above.
        server_name: The host that the client has asked for by SNI, in lower case; None if it named none.
        alpn_offered: What the client offered by ALPN, best first; None if it did not speak of that.
        alpn_chosen: Which of those was chosen; None if none was.
        client_certificate: What the client has shown, in DER, verified; None if nothing.
        hello: All that the client has offered; None before it has, or if it cannot be read.
    """

    version: str | None
    cipher: str | None
    server_name: str | None
    alpn_offered: tuple[str, ...] | None
    alpn_chosen: str | None
    client_certificate: bytes | None
    hello: ClientHello | None
