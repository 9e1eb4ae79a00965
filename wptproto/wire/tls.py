"""WireTls: the server's side of TLS on a connection that a test drives: records as it wants them."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from wptproto.protocol.tls_state import TlsState
from wptproto.server.tls import TlsError, TlsLayer
from wptproto.server.tls_terms import TlsTerms

__all__ = ["WireTls", "cut"]


class WireTls:
    """
    One connection's TLS.

    Attributes:
        failure: Why it has ended, if not by close_notify: another alert, or octets that are none of TLS.
    """

    def __init__(self, terms: TlsTerms) -> None:
        """
        Args:
            terms: Whoever offers other protocols by ALPN than these is for the test to refuse.
        """
        self._layer = TlsLayer(terms._replace(protocols=()))
        self.failure: str | None = None

    @property
    def state(self) -> TlsState:
        """What was said and agreed on so far."""
        return self._layer.state

    @property
    def established(self) -> bool:
        """Whether the handshake is through."""
        return self._layer.established

    @property
    def peer_closed(self) -> bool:
        """Whether the client sent close_notify."""
        return self._layer.peer_closed

    def receive(self, octets: bytes) -> bytes:
        """Take what came, and return what it says; nothing while the handshake goes on."""
        try:
            return self._layer.receive_data(octets)
        except TlsError as error:
            cause = error.__cause__
            self.failure = (cause.reason if isinstance(cause, ssl.SSLError) else None) or str(error)
            return error.plaintext

    def seal(self, octets: bytes, records: Sequence[int] = ()) -> bytes:
        """Return octets in TLS records of so many octets each, and the rest in as few as possible."""
        for piece in cut(octets, records):
            self._layer.send_data(piece)
        return self.pending()

    def close(self) -> bytes:
        """Return close_notify (RFC 8446 §6.1)."""
        self._layer.close()
        return self.pending()

    def pending(self) -> bytes:
        """Return what TLS has to send of itself."""
        return self._layer.data_to_send()


def cut(octets: bytes, sizes: Sequence[int]) -> list[bytes]:
    """Return octets in pieces of so many each, as far as they go, and the rest in one more."""
    pieces: list[bytes] = []
    place = 0
    for size in sizes:
        pieces.append(octets[place : place + size])
        place += size
    pieces.append(octets[place:])
    return [piece for piece in pieces if piece]
