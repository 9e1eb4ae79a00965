"""TlsLayer: TLS without sockets, between a transport and a connection."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wptproto.errors import CertificateError, WptprotoError
from wptproto.protocol.client_hello import NO_APPLICATION_PROTOCOL, ClientHelloReader

__all__ = ["TlsError", "TlsLayer", "TlsTerms", "make_terms"]

_PIECE_OCTETS = 256 * 1024

# Those of TLS 1.2 that HTTP/2 allows: ephemeral keys, and authenticated encryption (RFC 9113 §9.2.2, appendix
# A). What is not offered is never chosen, so there is nothing of which to complain by INADEQUATE_SECURITY.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


class TlsError(WptprotoError):
    """
    The peer and we cannot speak TLS.

    Attributes:
        answer: Octets to send in the clear before closing, for a peer that does.
    """

    def __init__(self, reason: str, answer: bytes = b"") -> None:
        super().__init__(reason)
        self.answer = answer


class TlsTerms(NamedTuple):
    """
    How a port speaks TLS.

    Attributes:
        context: A server's.
        protocols: What it offers by ALPN, best first; empty if it does not speak of that.
    """

    context: ssl.SSLContext
    protocols: tuple[str, ...]


def make_terms(certificate: Path, key: Path, protocols: Sequence[str]) -> TlsTerms:
    """
    Return the terms of a server: TLS 1.2 and 1.3 as HTTP/2 wants them, and those protocols by ALPN.

    Whatever name a client asks for by SNI, or none, it gets the one certificate; and requests for any
    authority are answered, whether or not the certificate is for it, for that is for clients to mind: nobody
    is "misdirected" (RFC 9110 §7.4, §15.5.20) to a server that is a test's whole network.

    Raises:
        CertificateError: The files cannot be read, or do not fit each other.

    RFC 9113 §9.2.1, §9.2.2.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if protocols:
        context.set_alpn_protocols(list(protocols))
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(f"cannot use {certificate} with {key}: {error}") from error
    return TlsTerms(context, tuple(protocols))


class TlsLayer:
    """
    One side of one TLS connection: octets in, octets out.

    Attributes:
        established: The handshake is through.
        peer_closed: The peer sent close_notify (RFC 8446 §6.1).
    """

    def __init__(self, terms: TlsTerms) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = terms.context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._protocols = terms.protocols
        self._hello = ClientHelloReader() if terms.protocols else None
        self.established = False
        self.peer_closed = False

    @property
    def alpn_protocol(self) -> str | None:
        """What ALPN chose, None where the client did not ask; a port of h2 alone is known to speak that."""
        chosen = self._object.selected_alpn_protocol()
        return "h2" if chosen is None and self._protocols == ("h2",) else chosen

    @property
    def terms(self) -> str:
        """The version and the cipher that were agreed on, in words."""
        cipher = self._object.cipher()
        return f"{self._object.version()} with {cipher[0]}" if cipher else "TLS in its handshake"

    def receive_data(self, octets: bytes) -> bytes:
        """
        Take octets from the transport.

        Returns:
            Octets for the connection; none while the handshake goes on.

        Raises:
            TlsError: The peer broke the protocol, does not like our certificate, or offers nothing we speak.
        """
        if self._hello is not None:
            self._look_at_hello(self._hello, octets)
        self._incoming.write(octets)
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
            raise _explained(error) from error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _look_at_hello(self, reader: ClientHelloReader, octets: bytes) -> None:
        """Refuse a client with which there is no protocol to speak, as soon as it has said so."""
        try:
            hello = reader.feed(octets)
        except ValueError:
            self._hello = None  # the library says better what is wrong with it
            return
        if hello is None:
            return
        self._hello = None
        if hello.protocols is None:
            return
        offered = [name.decode("ascii", "backslashreplace") for name in hello.protocols]
        if not set(offered) & set(self._protocols):
            theirs, ours = ", ".join(offered), " and ".join(self._protocols)
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


def _explained(error: ssl.SSLError) -> TlsError:
    reason = error.reason or str(error)
    if reason == "HTTP_REQUEST":
        content = b"This port speaks TLS: use https://\n"
        answer = (
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
            b"Connection: close\r\n\r\n%s" % (len(content), content)
        )
        return TlsError("the client speaks plain HTTP to a TLS port", answer)
    if "UNKNOWN_CA" in reason or "CERTIFICATE_UNKNOWN" in reason or "BAD_CERTIFICATE" in reason:
        return TlsError(f"the client does not trust the certificate ({reason}); see: wptproto certs")
    return TlsError(f"TLS failed: {reason}")
