"""HTTP/1.1 for tests of the machine: requests as octets, responses as h11 reads them, and a driver's part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import h11

from wptproto.protocol.events import Event, ExchangeId, RequestReceived
from wptproto.protocol.h1 import H1Connection
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import RequestHead, ResponseHead

__all__ = ["Message", "begin", "head_of", "read_messages", "read_one", "request", "respond", "response_head"]


def request(
    line: bytes = b"GET / HTTP/1.1", *lines: bytes, host: bytes | None = b"localhost", content: bytes = b""
) -> bytes:
    """Return a request's octets; *lines* are its field lines behind Host, without CRLF."""
    hosts = [b"Host: " + host] if host is not None else []
    return b"\r\n".join([line, *hosts, *lines, b"", content])


def response_head(
    status: int = 200, *lines: FieldLine, reason: bytes = b"OK", chunked: bool = False
) -> ResponseHead:
    """Return a head as a writer would hand it over."""
    return ResponseHead(status, Fields(lines), reason, chunked)


def head_of(events: Iterable[Event]) -> RequestHead:
    """Return the head of the one request among *events*."""
    (head,) = [event.head for event in events if isinstance(event, RequestReceived)]
    return head


def begin(octets: bytes = request()) -> tuple[H1Connection, ExchangeId]:
    """Return a connection that has received *octets*, and the exchange that they began."""
    connection = H1Connection()
    (exchange_id,) = [
        event.exchange_id for event in connection.receive_data(octets) if isinstance(event, RequestReceived)
    ]
    return connection, exchange_id


def respond(connection: H1Connection, exchange_id: ExchangeId, content: bytes = b"ok") -> list[Event]:
    """Send a sound response, and return what the finish of it brings to light."""
    length = (b"Content-Length", b"%d" % len(content))
    connection.send_head(exchange_id, response_head(200, length))
    connection.send_content(exchange_id, content, end=True)
    return connection.finish(exchange_id)


@dataclass
class Message:
    """One response, as h11 has read it."""

    status: int
    reason: bytes
    fields: list[FieldLine]
    content: bytes = b""
    trailers: list[FieldLine] = field(default_factory=list)
    interim: list[tuple[int, list[FieldLine]]] = field(default_factory=list)


def read_messages(octets: bytes, *methods: str, eof: bool = False) -> list[Message]:
    """
    Read responses to requests of these methods, as an h11 client that would go on with another.

    Raises:
        AssertionError, h11.RemoteProtocolError: They are not one whole response each, or not just these.
    """
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=1024 * 1024)
    client.receive_data(octets)
    messages = []
    for method in methods:
        client.send(h11.Request(method=method, target="/", headers=[("Host", "localhost")]))
        client.send(h11.EndOfMessage())
        messages.append(_read_message(client))
        if not eof:
            assert (client.our_state, client.their_state) == (h11.DONE, h11.DONE)
            client.start_next_cycle()
    assert client.trailing_data[0] == b""
    return messages


def read_one(octets: bytes, method: str, *, eof: bool) -> tuple[Message | None, int]:
    """
    Read the first response in *octets*, with the interim ones before it.

    Returns:
        It, and how many octets it is; None and 0 where more must come first.

    Raises:
        h11.RemoteProtocolError: It is none.
    """
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=1024 * 1024)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "localhost")]))
    client.send(h11.EndOfMessage())
    if octets:
        client.receive_data(octets)
    if eof:
        client.receive_data(b"")
    try:
        message = _read_message(client, ends=False)
    except _Incomplete:
        return None, 0
    return message, len(octets) - len(client.trailing_data[0])


class _Incomplete(AssertionError):
    """The response breaks off."""


def _read_message(client: h11.Connection, *, ends: bool = True) -> Message:
    message: Message | None = None
    interim: list[tuple[int, list[FieldLine]]] = []
    while True:
        event = client.next_event()
        match event:
            case h11.InformationalResponse():
                interim.append((event.status_code, list(event.headers.raw_items())))
            case h11.Response():
                lines = list(event.headers.raw_items())
                message = Message(event.status_code, bytes(event.reason), lines, interim=interim)
            case h11.Data() if message is not None:
                message.content += event.data
            case h11.EndOfMessage() if message is not None:
                message.trailers = list(event.headers.raw_items())
                return message
            case h11.NEED_DATA if ends and client.trailing_data == (b"", False):
                client.receive_data(b"")
            case _:
                raise _Incomplete(f"the response breaks off: {event!r}")
