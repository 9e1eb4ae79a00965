"""
ExchangeRecord: one request and its response, as a test wants to look at them.

It is written on the loop's thread while the exchange goes on, and may be read on any. It keeps what the
connection had anyway (heads, pieces of content), and makes of that what somebody asks for when he does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wptproto.exchange.request import RequestHeaders
from wptproto.protocol.h2_frames import RawFrame
from wptproto.protocol.tls_state import TlsState
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import RequestHead, ResponseHead, never_has_content
from wptproto.server.records import ConnectionRecord, ResponseRecord

if TYPE_CHECKING:
    from wptproto.faults import Fault
    from wptproto.semantics.cookies import Cookies
    from wptproto.semantics.forms import MultiDict

__all__ = ["ExchangeRecord"]

_NO_FIELDS = Fields()


class ExchangeRecord:
    """
    One request and its response. It grows until the exchange has ended, and stays as it is then.

    Attributes:
        order: The how manieth of the server this is, in the order in which heads came, from 1 on.
        number: The stream of HTTP/2; over HTTP/1.1 the how manieth request of its connection.
        connection: Its connection.
        head: The request's, as received; None if it could not be decoded.
        began_s: When it came, in seconds since the connection was accepted, as all times here.
        content_octets: How many octets of content came.
        trailers: Behind them.
        content_sizes: Of each chunk, or of the content of each DATA frame, in octets, the first 1,024 of
            them; none for what came by Content-Length over HTTP/1.1. Chunks are known when all have come.
        request_ended_s: When the request was whole; None as long as it is not.
        violation: By what the client broke the protocol here, in words; None if it did not.
        octets: Of a request that could not be decoded, what had come last, as far as that was kept.
        ended_s: When the exchange had ended.
        outcome: How that was: ``complete``, or what is missing and why, in words; None while it goes on.
        error: What its handler raised, and nobody expected.
        faults: Which have happened to it.
    """

    content_octets = 0
    trailers = _NO_FIELDS
    content_sizes: tuple[int, ...] | list[int] = ()
    request_ended_s: float | None = None
    violation: str | None = None
    octets = b""
    ended_s: float | None = None
    outcome: str | None = None
    error: BaseException | None = None
    faults: tuple[Fault, ...] = ()

    # What the recorder writes, and nobody else.
    content_pieces: list[bytes] | tuple[()] = ()
    sent_head: ResponseHead | None = None
    sent_pieces: list[bytes] | tuple[()] = ()
    sent_octets = 0
    sent_trailers: Fields | None = None
    sent_informational: tuple[ResponseHead, ...] = ()
    sent_verbatim: list[bytes] | tuple[()] = ()
    verbatim_octets = 0
    sent_frames: tuple[RawFrame, ...] = ()
    response_began_s: float | None = None
    has_end = False  # its head said so
    kept_octets = 0
    is_kept = True
    is_handled = False
    is_settled = False  # no more of its request will come
    is_awaited = True  # if it seems to end, it is worth waiting for that

    def __init__(
        self, order: int, connection: ConnectionRecord, number: int, head: RequestHead | None, began_s: float
    ) -> None:
        self.order = order
        self.connection = connection
        self.number = number
        self.head = head
        self.began_s = began_s

    # --- what it is ----------------------------------------------------------------------------

    @property
    def protocol(self) -> str | None:
        """``HTTP/1.1`` or ``HTTP/2``."""
        return self.connection.protocol

    @property
    def tls(self) -> TlsState | None:
        """What was agreed on by TLS; None in the clear."""
        return self.connection.tls

    @property
    def is_decoded(self) -> bool:
        """Whether there was a head that could be read."""
        return self.head is not None

    @property
    def is_promised(self) -> bool:
        """Whether it was the server that made the request, by a promise (RFC 9113 §8.4)."""
        return self.connection.protocol == "HTTP/2" and self.number % 2 == 0

    @property
    def is_complete(self) -> bool:
        """Whether its response was sent to its end."""
        return self.outcome == "complete"

    @property
    def began_at(self) -> float:
        """When its head came, in seconds since 1970."""
        return self.connection.opened_at + self.began_s

    @property
    def duration_s(self) -> float | None:
        """How long it took; None while it goes on."""
        return None if self.ended_s is None else self.ended_s - self.began_s

    def __repr__(self) -> str:
        return f"<ExchangeRecord {self.line}>"

    @property
    def line(self) -> str:
        """All of it in a line: where, what was asked, what was answered, and how it ended."""
        where = f"{self.connection.number}.{self.number}"
        if self.head is None:
            return f"{where}: no request that could be decoded: {self.violation}"
        asked = f"{where}: {self.method} {self.target} over {self.protocol}"
        if self.content_octets:
            asked += f", with {self.content_octets} octets"
        if self.request_ended_s is None:
            asked += ", whose request is not whole"
        if not self.status:
            return f"{asked}: {self.outcome or 'not answered yet'}"
        failed = f", and its handler raised {type(self.error).__name__}" if self.error is not None else ""
        octets = self.response.content_octets
        return f"{asked}: {self.status}, {octets} octets, {self.outcome or 'not ended yet'}{failed}"

    def __str__(self) -> str:
        """Return all that is known of it, in lines: ``>`` is what came, ``<`` what was sent."""
        from wptproto.server.telling import message_lines, octet_lines, traceback_lines

        lines = [f"exchange {self.connection.number}.{self.number} on {self.connection}"]
        head, response = self.head, self.response
        if head is None:
            lines += octet_lines(">", self.octets, len(self.octets))
        else:
            begin = f"{head.method} {self.target} {head.version}"
            lines += message_lines(">", begin, head.fields, self.content, self.content_octets, self.trailers)
        for interim in response.informational:
            begin = f"{interim.status} {interim.reason.decode('latin-1')}"
            lines += message_lines("<", begin, interim.fields)
        if response.status:
            begin = f"{response.status} {response.reason.decode('latin-1')}"
            content, octets = response.content, response.content_octets
            lines += message_lines("<", begin, response.fields, content, octets, response.trailers)
        else:
            lines += octet_lines("<", response.verbatim, response.verbatim_octets)
        lines += [f"< frame {frame!r}" for frame in response.frames]
        lines += [f"fault: {fault}" for fault in self.faults]
        if self.violation is not None:
            lines.append(f"violation: {self.violation}")
        took = "" if self.duration_s is None else f", after {self.duration_s * 1000:.1f} ms"
        lines.append(f"{self.outcome or 'not ended yet'}{took}")
        if self.error is not None:
            lines += traceback_lines(self.error)
        return "\n".join(lines)

    # --- the request ---------------------------------------------------------------------------

    @property
    def method(self) -> str:
        """The method token; empty where the request could not be decoded."""
        return self.head.method if self.head is not None else ""

    @property
    def target(self) -> str:
        """The request target as received, over HTTP/2 ``:path``; one character to one octet."""
        return self.head.target.decode("latin-1") if self.head is not None else ""

    @property
    def path(self) -> str:
        """The path, to the query, not decoded."""
        return self.head.path.partition(b"?")[0].decode("latin-1") if self.head is not None else ""

    @property
    def query(self) -> str:
        """What follows the first ``?``, not decoded."""
        return self.head.path.partition(b"?")[2].decode("latin-1") if self.head is not None else ""

    @property
    def params(self) -> MultiDict[bytes]:
        """The names and values of the query, decoded, as octets."""
        from wptproto.semantics.forms import parse_urlencoded

        return parse_urlencoded(self.query.encode("latin-1"))

    @property
    def fields(self) -> Fields:
        """The request's fields in order, with case and repetition as received."""
        return self.head.fields if self.head is not None else _NO_FIELDS

    @property
    def headers(self) -> RequestHeaders:
        """The request's fields, found without case."""
        return RequestHeaders(self.fields)

    @property
    def cookies(self) -> Cookies:
        """The cookies by name."""
        from wptproto.semantics.cookies import parse_cookies

        return parse_cookies(b"; ".join(self.fields.get_list(b"cookie")))

    @property
    def content(self) -> bytes:
        """The request's content without framing: as many of its first octets as are kept."""
        return b"".join(self.content_pieces)

    @property
    def text(self) -> str:
        """The content as text, by UTF-8; what is none stands escaped."""
        return self.content.decode("utf-8", "backslashreplace")

    def json(self) -> Any:
        """Return the value that the request's content is, as JSON; ValueError where it is none."""
        import json

        return json.loads(self.content)

    # --- the response --------------------------------------------------------------------------

    @property
    def response(self) -> ResponseRecord:
        """The response, as far as it was sent until now."""
        head, content, octets, trailers = (
            self.sent_head,
            b"".join(self.sent_pieces),
            self.sent_octets,
            self.sent_trailers,
        )
        informational = self.sent_informational
        if head is None and self.sent_verbatim and self.protocol == "HTTP/1.1":
            from wptproto.server.telling import read_verbatim

            interim, head, content, trailers = read_verbatim(self.method, b"".join(self.sent_verbatim))
            informational += interim
            octets = len(content)
        return ResponseRecord(
            status=head.status if head is not None else 0,
            reason=head.reason if head is not None else b"",
            fields=head.fields if head is not None else _NO_FIELDS,
            content=content,
            content_octets=octets,
            trailers=_NO_FIELDS if trailers is None else trailers,
            informational=informational,
            verbatim=b"".join(self.sent_verbatim),
            verbatim_octets=self.verbatim_octets,
            frames=self.sent_frames,
            began_s=self.response_began_s,
        )

    @property
    def status(self) -> int:
        """The status code of the response; 0 where no head was sent."""
        return self.sent_head.status if self.sent_head is not None else self.response.status

    def may_be_whole(self) -> bool | None:
        """Whether a client may take the response for whole by now; None where it cannot be told."""
        head = self.sent_head
        if head is None:
            return None if self.sent_verbatim or self.sent_frames else False
        if self.has_end or self.sent_trailers is not None or never_has_content(self.method, head.status):
            return True
        length = head.fields.get(b"content-length")
        if length is not None and not head.chunked:
            return length.isdigit() and self.sent_octets >= int(length[:18])
        return None
