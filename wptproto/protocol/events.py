"""The one vocabulary both connections speak: what a peer did, as past participles."""

from __future__ import annotations

from typing import NamedTuple, NewType

from wptproto.errors import RemoteProtocolError
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import RequestHead
from wptproto.semantics.priority import Priority

__all__ = [
    "ExchangeId",
    "Event",
    "RequestReceived",
    "ContentReceived",
    "RequestEnded",
    "ContentFailed",
    "ExchangeReset",
    "WindowOpened",
    "PriorityUpdated",
    "UpgradeReceived",
    "ProtocolViolated",
    "PeerFinished",
]

ExchangeId = NewType("ExchangeId", int)
"""HTTP/1.1: 1, 2, 3 in the order of requests. HTTP/2: the stream's identifier."""


class RequestReceived(NamedTuple):
    """
    The head of a request is there; its content may still be on the way.

    Attributes:
        exchange_id: Names the exchange from here on.
        head: The request without its content.
        has_content: Whether ContentReceived may follow; RequestEnded follows in any case.
        expects_continue: The client waits for 100 (Continue) before it sends content (RFC 9110 §10.1.1).
        closes: The connection will close behind this exchange, whatever the response is. HTTP/2 never does.
    """

    exchange_id: ExchangeId
    head: RequestHead
    has_content: bool
    expects_continue: bool = False
    closes: bool = False


class ContentReceived(NamedTuple):
    """
    Content octets arrived; acknowledge them when the handler has consumed them.

    They may come behind the end of the response, and are nobody's then: there is nothing to acknowledge.

    Attributes:
        exchange_id: Whose they are.
        data: The octets; over HTTP/2 those of one DATA frame.
        last: That frame had END_STREAM, so that it may be empty. HTTP/1.1 never says so here.
    """

    exchange_id: ExchangeId
    data: bytes
    last: bool = False


class RequestEnded(NamedTuple):
    """
    The request is complete; perhaps long after its response is.

    Attributes:
        exchange_id: Whose it is.
        trailers: Its trailer section.
        chunk_sizes: Of the first chunks of its content, in octets; none where it did not come in chunks.
    """

    exchange_id: ExchangeId
    trailers: Fields
    chunk_sizes: tuple[int, ...] = ()


class ContentFailed(NamedTuple):
    """The request will never be complete: its framing is broken, or the peer left in its midst."""

    exchange_id: ExchangeId
    error: RemoteProtocolError


class ExchangeReset(NamedTuple):
    """
    The exchange ended before its time: RST_STREAM from the peer, or from us for the peer's error.

    If its response has ended before, it is the rest of the request that will not come.
    """

    exchange_id: ExchangeId
    reason: str


class WindowOpened(NamedTuple):
    """Content can be sent again: of one exchange, or, with None, of any (RFC 9113 §6.9)."""

    exchange_id: ExchangeId | None


class PriorityUpdated(NamedTuple):
    """The peer has said, or said anew, how urgent a response is to it (RFC 9218 §7)."""

    exchange_id: ExchangeId
    priority: Priority


class UpgradeReceived(NamedTuple):
    """
    The peer asked for HTTP/2 in the clear by Upgrade, and was answered 101 (RFC 7540 §3.2).

    Attributes:
        head: The HTTP/1.1 request; its response goes on stream 1.
        settings: The value of HTTP2-Settings, base64url.
        trailing_data: Octets received behind the request.
    """

    head: RequestHead
    settings: bytes
    trailing_data: bytes


class ProtocolViolated(NamedTuple):
    """
    The peer broke the protocol, and has been told.

    Attributes:
        error: Without an exchange_id it is the whole connection's, which closes; with one, nothing
            but that exchange ends, of which there was no RequestReceived if its head was the error.
    """

    error: RemoteProtocolError


class PeerFinished(NamedTuple):
    """The peer will send no further request: GOAWAY, or the end of its octets between requests."""

    reason: str


Event = (
    RequestReceived
    | ContentReceived
    | RequestEnded
    | ContentFailed
    | ExchangeReset
    | WindowOpened
    | PriorityUpdated
    | UpgradeReceived
    | ProtocolViolated
    | PeerFinished
)
