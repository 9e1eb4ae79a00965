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
from wptproto.protocol.tls_state import TlsState
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import ResponseHead

if TYPE_CHECKING:
    from wptproto.faults import Fault

__all__ = [
    "ConnectionRecord",
    "Recording",
    "ResponseRecord",
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
        tls: What was offered and agreed on by that; None in the clear, and before the handshake has ended.
        tls_failure: Why there was no speaking TLS with the client, in words; None if there was.
        protocol: ``HTTP/1.1`` or ``HTTP/2``; None as long as that is open.
        opened_at: When it was accepted, in seconds since 1970.
        closed_s: When it was gone, in seconds since then; None while it is there.
        ending: How it ended, in words; None while it is there.
        exchange_count: How many exchanges there have been.
        violations: By which the client broke the protocol.
        faults: Which have happened to it, and to no exchange.
    """

    tls: TlsState | None = None
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
        client, port = self.client
        spoken = self.protocol or "nothing was said yet"
        if self.tls is not None:
            spoken += f" over {self.tls.version} with {self.tls.cipher}"
        elif self.is_tls:
            spoken = "in the TLS handshake" if self.tls_failure is None else f"no TLS: {self.tls_failure}"
        ended = "" if self.ending is None else f", {self.ending}"
        return f"connection {self.number} of {client}:{port} to port {self.port} ({spoken}{ended})"


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
