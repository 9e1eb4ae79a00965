"""A response's head as HTTP/1.1 octets, as asked, and what its client makes of them."""

from __future__ import annotations

from typing import NamedTuple

from wptproto.protocol import h1_octets
from wptproto.semantics.message import RequestHead, ResponseHead

__all__ = ["H1Response", "examined"]


class H1Response(NamedTuple):
    """
    A response's head, and what follows from it.

    Attributes:
        status: Its status code.
        octets: All of it.
        sound: Every client reads it as just this, and its fields frame the content as we are going to.
        frames_itself: It has a Transfer-Encoding for which the script makes the chunks, not we.
        length: How much content it promises; None where that is open.
        closes: No other response follows: it says so (RFC 9112 §9.6), or what follows is another protocol
            (RFC 9110 §15.2.2), or, with any other 1xx, the response proper, which has not begun.
        keeps_alive: HTTP/1.0 takes it for one that another may follow. What that knows of persistence is
            Connection: keep-alive from both sides, and Content-Length: it takes chunks for content (RFC 9112
            §6.1, Appendix C.2.2).
    """

    status: int
    octets: bytes
    sound: bool
    frames_itself: bool
    length: int | None
    closes: bool
    keeps_alive: bool

    def lets_persist(self, request: RequestHead) -> bool:
        """Whether another exchange may follow, as far as the fields tell (RFC 9112 §9.3)."""
        tunnel = request.method == "CONNECT" and 200 <= self.status < 300  # RFC 9110 §9.3.6
        return not (self.closes or tunnel) and (request.version == "HTTP/1.1" or self.keeps_alive)


def examined(head: ResponseHead) -> H1Response:
    """Return what follows from a head, and from nothing else."""
    fields = head.fields
    sound = h1_octets.status_line_is_sound(head.status, head.reason) and h1_octets.field_section_is_sound(
        fields
    )
    coded = b"transfer-encoding" in fields
    length = None
    if head.chunked or not coded:
        try:
            sound = sound and h1_octets.is_chunked(fields) is head.chunked
            length = h1_octets.content_length(fields)
        except ValueError:
            sound = False
    options = fields.tokens(b"connection")
    return H1Response(
        status=head.status,
        octets=h1_octets.head(head),
        sound=sound,
        frames_itself=coded and not head.chunked,
        length=length,
        closes=head.status < 200 or b"close" in options,
        keeps_alive=b"keep-alive" in options and not coded,
    )
