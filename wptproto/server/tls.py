"""TlsLayer: TLS without sockets, between a transport and a connection."""

from __future__ import annotations

import ssl

from wptproto.errors import CertificateError, WptprotoError
from wptproto.protocol.client_hello import (
    INTERNAL_ERROR,
    NO_APPLICATION_PROTOCOL,
    ClientHello,
    ClientHelloReader,
)
from wptproto.protocol.tls_state import TlsState
from wptproto.server.tls_terms import TlsTerms

__all__ = ["TlsError", "TlsLayer"]

_PIECE_OCTETS = 256 * 1024
_REFUSALS = ("CERTIFICATE_EXPIRED", "CERTIFICATE_REVOKED", "UNSUPPORTED_CERTIFICATE")
"""What alerts are about our certificate, and not about who has signed it (RFC 8446 §6.2)."""


class TlsError(WptprotoError):
    """
    The peer and we cannot speak TLS.

    Attributes:
        answer: Octets to send in the clear before closing, for a peer that does.
        plaintext: What it had said until then, and came together with what ended it.
    """

    def __init__(self, reason: str, answer: bytes = b"") -> None:
        super().__init__(reason)
        self.answer = answer
        self.plaintext = b""


class TlsLayer:
    """
    One side of one TLS connection: octets in, octets out.

    The library gets to work when the client's first message is there, for by that its context is chosen.

    Attributes:
        established: The handshake is through.
        peer_closed: The peer sent close_notify (RFC 8446 §6.1).
    """

    def __init__(self, terms: TlsTerms) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = self._wrapped(terms.context)
        self._terms = terms
        self._reader: ClientHelloReader | None = ClientHelloReader()
        self._hello: ClientHello | None = None
        self.established = False
        self.peer_closed = False

    @property
    def alpn_protocol(self) -> str | None:
        """What ALPN chose, None where the client did not ask; a port of h2 alone is known to speak that."""
        chosen = self._object.selected_alpn_protocol()
        return "h2" if chosen is None and self._terms.protocols == ("h2",) else chosen

    @property
    def terms(self) -> str:
        """The version and the cipher that were agreed on, in words."""
        cipher = self._object.cipher()
        return f"{self._object.version()} with {cipher[0]}" if cipher else "TLS in its handshake"

    @property
    def state(self) -> TlsState:
        """What was said and agreed on so far, as values that stay."""
        cipher, hello = self._object.cipher(), self._hello
        offered = None if hello is None or hello.protocols is None else _as_text(hello.protocols)
        return TlsState(
            version=self._object.version() if cipher else None,
            cipher=cipher[0] if cipher else None,
            server_name=None if hello is None else hello.server_name,
            alpn_offered=offered,
            alpn_chosen=self._object.selected_alpn_protocol(),
            client_certificate=self._object.getpeercert(binary_form=True) if self.established else None,
            hello=hello,
        )

    def receive_data(self, octets: bytes) -> bytes:
        """
        Take octets from the transport.

        Returns:
            Octets for the connection; none while the handshake goes on.

        Raises:
            TlsError: The peer broke the protocol, does not like our certificate, or offers nothing we speak.
        """
        self._incoming.write(octets)
        if self._reader is not None and not self._has_said_hello(self._reader, octets):
            return b""
        pieces: list[bytes] = []
        try:
            if not self.established:
                self._object.do_handshake()
                self.established = True
            # To read on where nothing is left would say so by an exception, which costs as much as the read.
            while self._incoming.pending or self._object.pending():
                piece = self._object.read(_PIECE_OCTETS)
                if not piece:
                    self.peer_closed = True
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.peer_closed = True
        except ssl.SSLError as error:
            explained = _explained(error)
            explained.plaintext = b"".join(pieces)
            raise explained from error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _wrapped(self, context: ssl.SSLContext) -> ssl.SSLObject:
        return context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def _has_said_hello(self, reader: ClientHelloReader, octets: bytes) -> bool:
        """Return whether the client's first message is there; if so, go by it."""
        try:
            hello = reader.feed(octets)
        except ValueError:
            self._reader = None  # the library says better what is wrong with it
            return True
        if hello is None:
            return False
        self._reader, self._hello = None, hello
        self._choose_context(hello)
        self._look_for_protocol(hello)
        return True

    def _choose_context(self, hello: ClientHello) -> None:
        if hello.server_name is None:
            return
        try:
            context = self._terms.named(hello.server_name)
        except CertificateError as error:
            raise TlsError(
                f"there is no certificate for {hello.server_name}: {error}", INTERNAL_ERROR
            ) from error
        if context is not None:
            self._object = self._wrapped(context)

    def _look_for_protocol(self, hello: ClientHello) -> None:
        """Refuse a client with which there is no protocol to speak, as soon as it has said so."""
        protocols = self._terms.protocols
        if hello.protocols is None or not protocols:
            return
        offered = _as_text(hello.protocols)
        if set(offered).isdisjoint(protocols):
            theirs, ours = ", ".join(offered), " and ".join(protocols)
            raise TlsError(
                f"by ALPN the client offers {theirs}, and this port {ours} alone", NO_APPLICATION_PROTOCOL
            )

    def send_data(self, octets: bytes) -> None:
        """Queue octets of the connection."""
        view = memoryview(octets)
        while view:
            view = view[self._object.write(view) :]

    def close(self) -> None:
        """Queue close_notify, so that the peer knows that nothing was cut off."""
        try:
            self._object.unwrap()
        except ssl.SSLError:
            pass  # it waits for the peer's own, or the handshake was not through; both are as may be

    def data_to_send(self) -> bytes:
        """Return the octets queued for the transport since the last call."""
        return self._outgoing.read()


def _as_text(protocols: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(name.decode("ascii", "backslashreplace") for name in protocols)


def _explained(error: ssl.SSLError) -> TlsError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsError(f"the client's certificate is refused: {error.verify_message}")
    reason = error.reason or str(error)
    if reason == "HTTP_REQUEST":
        content = b"This port speaks TLS: use https://\n"
        answer = (
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
            b"Connection: close\r\n\r\n%s" % (len(content), content)
        )
        return TlsError("the client speaks plain HTTP to a TLS port", answer)
    if reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return TlsError("the client shows no certificate, and this port requires one")
    if "UNKNOWN_CA" in reason or "CERTIFICATE_UNKNOWN" in reason or "BAD_CERTIFICATE" in reason:
        return TlsError(f"the client does not trust the certificate ({reason}); see: wptproto certs")
    if any(word in reason for word in _REFUSALS):
        return TlsError(f"the client refuses the certificate ({reason})")
    return TlsError(f"TLS failed: {reason}")
