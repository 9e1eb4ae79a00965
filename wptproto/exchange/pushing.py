"""Pushing: responses, promised to requests that a client has not made (RFC 9113 §8.4)."""

from __future__ import annotations

from collections.abc import Callable

from wptproto.errors import ExchangeClosed, LocalProtocolError
from wptproto.exchange.bridge import AskPush, Bridge, Push
from wptproto.exchange.request import Request
from wptproto.semantics.fields import FieldLine, Lines, Value, pairs, to_octets

__all__ = ["can_push", "promise", "promised_section"]


def promised_section(request: Request, path: Value, headers: Lines, method: str) -> list[FieldLine]:
    """
    Return the field section of a request that a client could have made beside another.

    Args:
        request: That other one, whose host and scheme it has.
        path: Its path and query.
        headers: More of its fields.
        method: Its method.

    Raises:
        LocalProtocolError: There may be no promise of such a method, or these are no fields.
    """
    if method not in ("GET", "HEAD"):
        # RFC 9113 §8.4: "Promised requests MUST be safe [...] and cacheable".
        raise LocalProtocolError(f"no push of {method}: a promised request is GET or HEAD (RFC 9113 §8.4)")
    try:
        more = [(to_octets(name).lower(), to_octets(value)) for name, value in pairs(headers)]
    except (TypeError, ValueError):
        raise LocalProtocolError(
            f"no push: headers are names and values, or a mapping of these, not {headers!r}"
        ) from None
    url = request.url_parts
    return [
        (b":method", method.encode("ascii")),
        (b":scheme", url.scheme.encode("ascii")),
        (b":authority", request.head.authority or to_octets(url.netloc)),
        (b":path", to_octets(path)),
        *more,
    ]


def can_push(bridge: Bridge, stream_id: int) -> bool:
    """Whether a promise would be taken now, on the stream of that exchange."""
    if _is_promised(stream_id):
        return False
    question = AskPush()
    try:
        bridge.ask(question)
        return question.answer.result()
    except (LocalProtocolError, ExchangeClosed):
        return False


def promise(
    bridge: Bridge, stream_id: int, lines: list[FieldLine], handler: Callable[..., object] | None
) -> int:
    """
    Promise a response, and have the server give it.

    Args:
        bridge: Of the exchange whose stream the promise stands on.
        stream_id: That stream.
        lines: The request, with its pseudo-fields.
        handler: What answers it; None leaves that to the server, as with any request.

    Returns:
        The number of the response's stream.

    Raises:
        LocalProtocolError: It cannot be; says why.
        ExchangeClosed: The client is gone.
    """
    if _is_promised(stream_id):
        # RFC 9113 §6.6: "PUSH_PROMISE frames MUST only be sent on a peer-initiated stream".
        raise LocalProtocolError("no push: this request was promised itself; response.can_push tells")
    push = Push(lines, handled=True, handler=handler)
    bridge.ask(push)
    return push.answer.result().received.exchange_id


def _is_promised(stream_id: int) -> bool:
    """Whether a stream is one that the server has opened (RFC 9113 §5.1.1)."""
    return stream_id % 2 == 0
