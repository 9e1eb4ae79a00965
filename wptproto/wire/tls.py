"""WireTls: the server's side of TLS on a connection that a test drives: records as it wants them."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import NamedTuple

from wptproto.protocol.client_hello import ClientHelloReader

__all__ = ["TlsFacts", "WireTls", "cut"]

_PIECE_OCTETS = 256 * 1024


class TlsFacts(NamedTuple):
    """
    What was agreed on by TLS.

    Attributes:
        version: ``TLSv1.3``, ``TLSv1.2``.
        cipher: Its name.
        server_name: What the client asked for by SNI; None where it named none (RFC 6066 §3).
        alpn_offered: What the client offered, best first; None where it does not speak of ALPN (RFC 7301).
        alpn: What was chosen; None where nothing was.
    """

    version: str
    cipher: str
    server_name: str | None
    alpn_offered: tuple[str, ...] | None
    alpn: str | None


class WireTls:
    """
    One connection's TLS, on memory buffers.

    Attributes:
        established: The handshake is through.
        peer_closed: The client sent close_notify.
        failure: Why TLS has ended otherwise: octets that are none of it, or another alert.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        """
        Args:
            context: A server's, and nobody else's: it is told to listen for the client's SNI.
        """
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._server_name: str | None = None
        context.sni_callback = self._take_name
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._hello: ClientHelloReader | None = ClientHelloReader()
        self._offered: tuple[str, ...] | None = None
        self.established = False
        self.peer_closed = False
        self.failure: ssl.SSLError | None = None

    @property
    def facts(self) -> TlsFacts | None:
        """What was agreed on; None while the handshake goes on."""
        cipher = self._object.cipher() if self.established else None
        if cipher is None:
            return None
        version, chosen = self._object.version() or "", self._object.selected_alpn_protocol()
        return TlsFacts(version, cipher[0], self._server_name, self._offered, chosen)

    def receive(self, octets: bytes) -> bytes:
        """Take what came, and return what it says; nothing while the handshake goes on."""
        self._read_hello(octets)
        self._incoming.write(octets)
        pieces: list[bytes] = []
        try:
            if not self.established:
                self._object.do_handshake()
                self.established = True
            while piece := self._object.read(_PIECE_OCTETS):
                pieces.append(piece)
            self.peer_closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.failure = error
        return b"".join(pieces)

    def seal(self, octets: bytes, records: Sequence[int] = ()) -> bytes:
        """Return octets in TLS records of so many octets each, and the rest in as few as possible."""
        for piece in cut(octets, records):
            view = memoryview(piece)
            while view:
                view = view[self._object.write(view) :]
        return self.pending()

    def close(self) -> bytes:
        """Return close_notify (RFC 8446 §6.1)."""
        try:
            self._object.unwrap()
        except ssl.SSLError:
            pass  # it waits for the client's own, or the handshake was not through
        return self.pending()

    def pending(self) -> bytes:
        """Return what TLS has to send of itself."""
        return self._outgoing.read()

    def _take_name(self, _: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        self._server_name = name

    def _read_hello(self, octets: bytes) -> None:
        if self._hello is None:
            return
        try:
            hello = self._hello.feed(octets)
        except ValueError:
            self._hello = None  # the library says better what is wrong with it
            return
        if hello is not None:
            self._hello = None
            if hello.protocols is not None:
                self._offered = tuple(name.decode("ascii", "backslashreplace") for name in hello.protocols)


def cut(octets: bytes, sizes: Sequence[int]) -> list[bytes]:
    """Return octets in pieces of so many each, as far as they go, and the rest in one more."""
    pieces: list[bytes] = []
    place = 0
    for size in sizes:
        pieces.append(octets[place : place + size])
        place += size
    pieces.append(octets[place:])
    return [piece for piece in pieces if piece]
