"""
Records: what has happened on a server's connections, as a test wants to look at it.

A record is written on the loop's thread while its exchange goes on, and may be read on any. It keeps what the
connection had anyway (heads, pieces of content), and makes of that what somebody asks for when he does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wptproto.errors import ConfigError
from wptproto.exchange.request import RequestHeaders
from wptproto.protocol.h2_frames import RawFrame
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import RequestHead, ResponseHead, never_has_content

if TYPE_CHECKING:
    from wptproto.faults import Fault
    from wptproto.semantics.cookies import Cookies
    from wptproto.semantics.forms import MultiDict

__all__ = [
    "ConnectionRecord",
    "ExchangeRecord",
    "Recording",
    "ResponseRecord",
    "TlsRecord",
    "Violation",
    "recording_of",
]

_NO_FIELDS = Fields()


class Recording(NamedTuple):
    """
    How much is kept. What is older goes when there is more, and its content with it.

    Attributes:
        exchanges: How many of them; as many connections and violations.
        content_octets: Of the content of each request, of each response, and of what was sent verbatim.
        total_octets: Of all content together.
    """

    exchanges: int = 10_000
    content_octets: int = 64 * 1024
    total_octets: int = 64 * 1024 * 1024


def recording_of(record: bool | int | Recording) -> Recording | None:
    """
    Return how much is kept, None for nothing.

    Args:
        record: True for the usual, False for nothing; or how many octets of each content.

    Raises:
        ConfigError: It is none of these.
    """
    given: Any = record  # tests are not all typed
    if isinstance(given, Recording):
        if given.exchanges < 1 or given.content_octets < 0 or given.total_octets < 0:
            raise ConfigError(f"record: {given!r} keeps less than nothing; record=False keeps nothing")
        return given
    if isinstance(given, bool):
        return Recording() if given else None
    if isinstance(given, int) and given >= 0:
        return Recording(content_octets=given)
    raise ConfigError(f"record is True, False, a number of octets or a Recording, not {given!r}")


class TlsRecord(NamedTuple):
    """
    What was agreed on in a TLS handshake.

    Attributes:
        version: ``TLSv1.2`` or ``TLSv1.3``.
        cipher: The suite, by OpenSSL's name.
        server_name: What the client asked for by SNI; None where it did not, or that is not known.
        alpn_offered: What it offered by ALPN, in its order; None where it did not, or that is not known.
        alpn_protocol: What was chosen; None where ALPN was not spoken.
        client_certificate: The client's, in DER; None where it showed none.
    """

    version: str
    cipher: str
    server_name: str | None = None
    alpn_offered: tuple[str, ...] | None = None
    alpn_protocol: str | None = None
    client_certificate: bytes | None = None


class Violation(NamedTuple):
    """
    Something by which a client broke the protocol.

    Attributes:
        connection: The number of the connection.
        exchange: The number of the exchange there that it concerns; None for the connection.
        reason: What was wrong, in a sentence.
        octets: What had come last, as far as that was kept; it may have more in it than what was wrong.
        at_s: When, in seconds since the connection was accepted.
    """

    connection: int
    exchange: int | None
    reason: str
    octets: bytes
    at_s: float

    def __str__(self) -> str:
        where = "" if self.exchange is None else f", exchange {self.exchange}"
        return f"connection {self.connection}{where}: {self.reason}"


class ConnectionRecord:
    """
    One connection.

    Attributes:
        number: The how manieth of the server's run, from 1 on.
        client: The client's address and port.
        port: The port that it connected to.
        is_tls: Whether TLS was to be spoken.
        tls: What was agreed on by that; None in the clear, and before the handshake is through.
        tls_failure: Why there was no speaking TLS with the client, in words; None if there was.
        protocol: ``HTTP/1.1`` or ``HTTP/2``; None as long as that is open.
        opened_at: When it was accepted, in seconds since 1970.
        closed_s: When it was gone, in seconds since then; None while it is there.
        ending: How it ended, in words; None while it is there.
        exchange_count: How many exchanges there have been.
        violations: By which the client broke the protocol.
        faults: Which have happened to it, and to no exchange.
    """

    tls: TlsRecord | None = None
    tls_failure: str | None = None
    protocol: str | None = None
    closed_s: float | None = None
    ending: str | None = None
    exchange_count = 0
    violations: tuple[Violation, ...] = ()
    faults: tuple[Fault, ...] = ()

    def __init__(
        self, number: int, client: tuple[str, int], port: int, *, is_tls: bool, opened_at: float
    ) -> None:
        self.number = number
        self.client = client
        self.port = port
        self.is_tls = is_tls
        self.opened_at = opened_at

    def __repr__(self) -> str:
        return f"<ConnectionRecord {self}>"

    def __str__(self) -> str:
        from wptproto.server.telling import connection_line

        return connection_line(self)


class ResponseRecord(NamedTuple):
    """
    A response, as far as it was sent.

    Attributes:
        status: Its code; 0 where no head was sent, or none that could be read.
        reason: Its phrase; HTTP/2 has none on the wire.
        fields: In order, with case and repetition as sent.
        content: Its first octets, without framing, as many as are kept.
        content_octets: How many there were.
        trailers: Behind the content.
        informational: The interim responses before it.
        verbatim: What a handler sent as octets, past all framing, as far as it is kept. Over HTTP/1.1
            status, fields and content are read from that, as a client would, where there is no other head.
        verbatim_octets: How many there were.
        frames: Those of HTTP/2 that a handler sent one by one.
        began_s: When its head was sent, or the first of its octets, in seconds since the connection was
            accepted; None before.
    """

    status: int = 0
    reason: bytes = b""
    fields: Fields = _NO_FIELDS
    content: bytes = b""
    content_octets: int = 0
    trailers: Fields = _NO_FIELDS
    informational: tuple[ResponseHead, ...] = ()
    verbatim: bytes = b""
    verbatim_octets: int = 0
    frames: tuple[RawFrame, ...] = ()
    began_s: float | None = None

    @property
    def headers(self) -> RequestHeaders:
        """The fields, found without case."""
        return RequestHeaders(self.fields)

    @property
    def text(self) -> str:
        """The content as text, by UTF-8; what is none stands escaped."""
        return self.content.decode("utf-8", "backslashreplace")

    def json(self) -> Any:
        """Return the value that the content is, as JSON; ValueError where it is none."""
        import json

        return json.loads(self.content)


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
    def tls(self) -> TlsRecord | None:
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
        from wptproto.server.telling import exchange_line

        return f"<ExchangeRecord {exchange_line(self)}>"

    def __str__(self) -> str:
        from wptproto.server.telling import exchange_text

        return exchange_text(self)

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
