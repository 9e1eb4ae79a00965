"""Requests over HTTP/2: frames in, events out; what is malformed fails its stream."""

from __future__ import annotations

import h2.events
import pytest
from h2.errors import ErrorCodes
from hpack import Encoder
from hyperframe.frame import (
    DataFrame,
    Frame,
    RstStreamFrame,
    WindowUpdateFrame,
)

from tests.helpers.h2 import (
    MAX_FRAME_OCTETS,
    ONE,
    POST,
    REQUEST,
    Client,
    begin,
    content_of,
    frames_of,
    headers,
    is_open,
    kinds,
    kinds_of,
    open_connection,
    respond,
    response_head,
)
from wptproto.errors import ExchangeClosed
from wptproto.limits import Limits
from wptproto.protocol.connection import Closing
from wptproto.protocol.events import (
    ContentFailed,
    ContentReceived,
    Event,
    ExchangeId,
    ExchangeReset,
    ProtocolViolated,
    RequestEnded,
    RequestReceived,
)
from wptproto.protocol.h2 import H2Connection
from wptproto.protocol.rules import Rules
from wptproto.semantics.fields import FieldLine, Fields

LIMITS = Limits()
THREE = ExchangeId(3)
CONNECTION_WINDOW_OCTETS = LIMITS.h2_connection_window_octets


def test_a_request() -> None:
    """An exchange is a stream, and has its number; its head is told when it is there."""
    client = Client()
    client.open()
    received, ended = client.request(1, [*REQUEST, (b"a", b"1")])
    assert isinstance(received, RequestReceived)
    assert received.exchange_id == ONE
    assert (received.has_content, received.expects_continue) == (False, False)
    assert received.head.fields.get(b"a") == b"1"
    assert ended == RequestEnded(ONE, Fields())
    assert kinds(client.request(3, end=False)) == [RequestReceived]


def test_content() -> None:
    """Content comes as it arrives, without padding, and then the end."""
    client, _ = begin(POST, end=False)
    assert client.content(1, b"he", padding=10) == [ContentReceived(ONE, b"he")]
    assert client.content(1, b"") == []
    assert client.content(1, b"llo", end=True) == [
        ContentReceived(ONE, b"llo", last=True),
        RequestEnded(ONE, Fields()),
    ]


def test_trailers() -> None:
    """Trailers come with the end."""
    client, _ = begin(POST, end=False)
    client.content(1, b"hello")
    assert client.request(1, [(b"a", b"1"), (b"a", b"2")]) == [
        RequestEnded(ONE, Fields([(b"a", b"1"), (b"a", b"2")]))
    ]


def test_cookies_are_joined() -> None:
    """
    Cookie fields "MUST be concatenated into a single octet string using the two-octet delimiter"
    "; " (RFC 9113 §8.2.3).
    """
    client = Client()
    client.open()
    received, _ = client.request(1, [*REQUEST, (b"cookie", b"a=1"), (b"x", b""), (b"cookie", b"b=2")])
    assert isinstance(received, RequestReceived)
    assert received.head.fields.get_list(b"cookie") == [b"a=1; b=2"]


@pytest.mark.parametrize(
    ("value", "end", "expects"),
    [(b"100-continue", False, True), (b"100-Continue", True, False), (b"x", False, False)],
)
def test_expects_continue(value: bytes, end: bool, expects: bool) -> None:
    """A client that has content to send may wait for 100 (RFC 9110 §10.1.1)."""
    client = Client()
    client.open()
    received = client.request(1, [*POST, (b"expect", value)], end=end)[0]
    assert isinstance(received, RequestReceived)
    assert received.expects_continue is expects


def test_many_at_once() -> None:
    """Streams are independent of each other (RFC 9113 §5)."""
    client = Client()
    client.open()
    for stream_id in (1, 3, 5):
        client.request(stream_id)
    for stream_id in (5, 1, 3):
        respond(client, ExchangeId(stream_id), b"%d" % stream_id)
    received = client.take(h2.events.DataReceived)
    assert [(event.stream_id, event.data) for event in received] == [(5, b"5"), (1, b"1"), (3, b"3")]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(REQUEST[:3], id="no-path"),
        pytest.param([*REQUEST, REQUEST[0]], id="method-twice"),
        pytest.param([(b":status", b"200"), *REQUEST], id="status"),
        pytest.param([*REQUEST[:3], (b":path", b"a")], id="path"),
        pytest.param([*REQUEST[:2], (b":authority", b"user@h"), REQUEST[3]], id="authority"),
        pytest.param([*REQUEST, (b"A", b"1")], id="upper-case"),
        pytest.param([*REQUEST, (b"connection", b"close")], id="connection"),
        pytest.param([(b":method", b"CONNECT")], id="connect"),
        pytest.param([*REQUEST, (b"content-length", b"5")], id="length-of-no-content"),
        pytest.param([*REQUEST, (b"content-length", b"+0")], id="length-of-another-form"),
        pytest.param([*REQUEST, (b"content-length", b"0"), (b"content-length", b"1")], id="two-lengths"),
    ],
)
def test_a_malformed_request(lines: list[FieldLine]) -> None:
    """
    "Malformed requests or responses that are detected MUST be treated as a stream error of type
    PROTOCOL_ERROR", and a server "MAY send an HTTP response prior to" the reset (RFC 9113 §8.1.1).
    """
    client = Client()
    client.open()
    client.request(1, [*REQUEST, (b"a", b"1")])
    (violation,) = client.request(3, lines)
    assert isinstance(violation, ProtocolViolated)
    assert violation.error.exchange_id == THREE
    client.pull()
    (answer,) = [event for event in client.events if isinstance(event, h2.events.ResponseReceived)]
    (content,) = [event for event in client.events if isinstance(event, h2.events.DataReceived)]
    (reset,) = [event for event in client.events if isinstance(event, h2.events.StreamReset)]
    assert answer.stream_id == content.stream_id == reset.stream_id == 3
    assert (b":status", b"400") in answer.headers
    assert content.data == violation.error.reason.encode() + b"\n"
    assert reset.error_code == ErrorCodes.PROTOCOL_ERROR
    # It is the stream's error: all others go on, and so does the compression state.
    assert kinds(client.request(5, [*REQUEST, (b"a", b"1")])) == [RequestReceived, RequestEnded]
    client.events.clear()
    respond(client)
    assert content_of(client) == b"ok"


def test_a_request_that_looks_like_an_informational_response() -> None:
    """A request with :status is malformed (RFC 9113 §8.3), whatever its value."""
    connection = open_connection()
    (violation,) = connection.receive_data(headers(1, [(b":status", b"100"), *REQUEST]).serialize())
    assert isinstance(violation, ProtocolViolated)
    assert violation.error.exchange_id == ONE
    assert is_open(connection)


def test_a_malformed_request_for_a_head() -> None:
    """To HEAD, also the answer to a malformed request has no content."""
    client = Client()
    client.open()
    client.request(1, [(b":method", b"HEAD"), *REQUEST[1:3], (b":path", b"a")])
    client.pull()
    assert kinds_of(client.events) == [h2.events.ResponseReceived, h2.events.StreamReset]


def test_a_malformed_request_with_content_on_its_way() -> None:
    """What the client sends on for a stream that was reset is dropped, and counts for the connection."""
    client = Client()
    client.open()
    malformed = headers(1, REQUEST[:3], end=False)
    client.connection.receive_data(malformed.serialize())
    client.connection.data_to_send()
    for _ in range(CONNECTION_WINDOW_OCTETS // MAX_FRAME_OCTETS):
        assert client.connection.receive_data(DataFrame(1, bytes(MAX_FRAME_OCTETS)).serialize()) == []
    frames = frames_of(client.connection.data_to_send())
    returned = sum(frame.window_increment for frame in frames if isinstance(frame, WindowUpdateFrame))
    assert returned >= CONNECTION_WINDOW_OCTETS // 2
    assert is_open(client.connection)


def test_a_malformed_request_and_a_closed_window() -> None:
    """Of the answer to a malformed request, what the window lets through is sent."""
    client = Client(initial_window=3)
    client.open()
    client.request(1, REQUEST[:3])
    client.pull()
    assert [event.data for event in client.events if isinstance(event, h2.events.DataReceived)] == [b"a r"]
    assert kinds_of(client.events)[-1] is h2.events.StreamReset


@pytest.mark.parametrize(
    ("length", "pieces"), [(b"5", [b"hell"]), (b"5", [b"helloo"]), (b"5", [b"hell", b"oo"]), (b"0", [b"x"])]
)
def test_content_of_another_length(length: bytes, pieces: list[bytes]) -> None:
    """
    A request is malformed if content-length "does not equal the sum of the DATA frame payload lengths
    that form the content" (RFC 9113 §8.1.1); it is reset, and nothing else is.
    """
    client = Client()
    client.open()
    client.request(1, [*POST, (b"content-length", length)], end=False)
    client.request(3)
    events: list[Event] = []
    for piece in pieces[:-1]:
        events += client.content(1, piece)
    events += client.content(1, pieces[-1], end=True)
    *_, reset, violation = events
    assert isinstance(reset, ExchangeReset)
    assert isinstance(violation, ProtocolViolated)
    assert reset.exchange_id == violation.error.exchange_id == ONE
    (seen,) = client.take(h2.events.StreamReset)
    assert (seen.stream_id, seen.error_code) == (1, ErrorCodes.PROTOCOL_ERROR)
    with pytest.raises(ExchangeClosed):
        client.connection.send_head(ONE, response_head(200))
    respond(client, THREE)
    assert content_of(client) == b"ok"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\0\0\3\2\0\0\0\0\1abc", ErrorCodes.FRAME_SIZE_ERROR),
        (b"\0\0\4\x08\0\0\0\0\1\0\0\0\0", ErrorCodes.PROTOCOL_ERROR),
        (headers(1, [(b"a", b"1")], end=False), ErrorCodes.PROTOCOL_ERROR),
    ],
    ids=["PRIORITY", "WINDOW_UPDATE", "HEADERS"],
)
def test_a_frame_that_fails_its_stream(frame: Frame | bytes, code: ErrorCodes) -> None:
    """A frame that is wrong may be an error of its stream alone (RFC 9113 §6.3, §6.9, §8.1)."""
    client, _ = begin(POST, end=False)
    client.request(3)
    reset, violation = client.raw(frame)
    assert isinstance(reset, ExchangeReset)
    assert isinstance(violation, ProtocolViolated)
    assert reset.exchange_id == violation.error.exchange_id == ONE
    (seen,) = client.take(h2.events.StreamReset)
    assert (seen.stream_id, seen.error_code) == (1, code)
    respond(client, THREE)
    assert content_of(client) == b"ok"


def test_content_of_another_length_counts_for_the_window() -> None:
    """Flow control counts content also where it is not wanted (RFC 9113 §5.2.2)."""
    client = Client()
    client.open()
    for stream_id in range(1, 200, 2):
        client.request(stream_id, [*POST, (b"content-length", b"1")], end=False)
        client.content(stream_id, bytes(MAX_FRAME_OCTETS - 1))
        client.take(h2.events.StreamReset)
    assert client.h2.outbound_flow_control_window > CONNECTION_WINDOW_OCTETS // 4


def test_content_of_another_length_that_nobody_reads() -> None:
    """Where the response is out already, there is no exchange to reset."""
    client, _ = begin([*POST, (b"content-length", b"5")], end=False)
    respond(client)
    assert kinds(client.content(1, b"helloo")) == [ProtocolViolated]
    assert is_open(client.connection)


@pytest.mark.parametrize(
    ("sent", "trailers"),
    [(b"hell", (b"a", b"1")), (b"hello", (b":path", b"/")), (b"hello", (b"A", b"1"))],
    ids=["content-missing", "pseudo-field", "upper-case"],
)
def test_malformed_trailers(sent: bytes, trailers: FieldLine) -> None:
    """A request that is malformed at its end is reset, with all that came of it."""
    client, _ = begin([*POST, (b"content-length", b"5")], end=False)
    client.content(1, sent)
    assert kinds(client.request(1, [trailers])) == [ExchangeReset, ProtocolViolated]
    (seen,) = client.take(h2.events.StreamReset)
    assert seen.error_code == ErrorCodes.PROTOCOL_ERROR
    assert kinds(client.request(3)) == [RequestReceived, RequestEnded]


def test_malformed_trailers_that_nobody_reads() -> None:
    """Where both sides have ended the stream, there is nothing to reset."""
    client, _ = begin(POST, end=False)
    respond(client)
    client.take(h2.events.DataReceived)
    assert kinds(client.request(1, [(b"A", b"1")])) == [ProtocolViolated]
    assert client.take(h2.events.StreamReset) == []


def test_one_stream_too_many() -> None:
    """
    A HEADERS frame beyond the limit is "a stream error of type PROTOCOL_ERROR or REFUSED_STREAM"
    (RFC 9113 §5.1.2): others go on, and when one has ended there is room again.
    """
    connection = open_connection(Limits(h2_concurrent_streams=3))
    encoder = Encoder()
    for number in range(3):
        events = connection.receive_data(headers(2 * number + 1, encoder=encoder).serialize())
        assert kinds(events) == [RequestReceived, RequestEnded]
    connection.data_to_send()
    surplus = 7
    events = connection.receive_data(headers(surplus, [*REQUEST, (b"a", b"1")], encoder=encoder).serialize())
    assert kinds(events) == [ProtocolViolated]
    (reset,) = frames_of(connection.data_to_send())
    assert isinstance(reset, RstStreamFrame)
    assert (reset.stream_id, reset.error_code) == (surplus, ErrorCodes.REFUSED_STREAM)
    connection.abort(ONE)
    events = connection.receive_data(
        headers(surplus + 2, [*REQUEST, (b"a", b"1")], encoder=encoder).serialize()
    )
    assert kinds(events) == [RequestReceived, RequestEnded]


def test_a_stream_that_ends_makes_room() -> None:
    """A stream counts until both sides have ended it (RFC 9113 §5.1.2)."""
    client = Client(H2Connection(Rules(Limits(h2_concurrent_streams=1))))
    client.open()
    client.request(1, POST, end=False)
    respond(client)
    (violation,) = client.raw(headers(3))
    assert isinstance(violation, ProtocolViolated)
    assert violation.error.reason == "past the limit h2_concurrent_streams: more than 1"
    client.content(1, b"", end=True)
    assert kinds(client.raw(headers(5))) == [RequestReceived, RequestEnded]


def test_too_much_content_promised() -> None:
    """More content than the limit is 413 (RFC 9110 §15.5.14), whole, as soon as it is announced."""
    client = Client(H2Connection(Rules(Limits(content_octets=5))))
    client.open()
    assert kinds(client.request(1, [*POST, (b"content-length", b"5")], end=False)) == [RequestReceived]
    (violation,) = client.request(3, [*POST, (b"content-length", b"6")], end=False)
    assert isinstance(violation, ProtocolViolated)
    assert violation.error.reason == "past the limit content_octets: more than 5"
    client.pull()
    answer, *_, reset = (event for event in client.events if getattr(event, "stream_id", None) == 3)
    assert isinstance(answer, h2.events.ResponseReceived)
    assert (b":status", b"413") in answer.headers
    assert isinstance(reset, h2.events.StreamReset)
    assert reset.error_code == ErrorCodes.NO_ERROR


@pytest.mark.parametrize("end", [True, False])
def test_too_much_content(end: bool) -> None:
    """
    Nor is more received where no length was announced: the handler is told, what follows is dropped, and the
    window is not opened for it. Others go on.
    """
    client = Client(H2Connection(Rules(Limits(content_octets=5))))
    client.open()
    client.request(1, POST, end=False)
    assert kinds(client.content(1, b"hello")) == [ContentReceived]
    (failed,) = client.content(1, b"x", end=end)
    assert isinstance(failed, ContentFailed)
    assert (failed.error.status_hint, failed.error.reason) == (
        413,
        "past the limit content_octets: more than 5",
    )
    if not end:
        assert client.content(1, bytes(16000)) == []
        client.take(h2.events.WindowUpdated)
        assert client.content(1, bytes(16000), end=True) == []
        assert client.take(h2.events.WindowUpdated) == []
    respond(client)
    client.pull()
    assert client.take(h2.events.StreamEnded)
    assert kinds(client.request(3)) == [RequestReceived, RequestEnded]


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("end", [True, False])
def test_too_many_fields(method: bytes, end: bool) -> None:
    """A request with more fields than the limit is answered 431, whole and with Date, and others go on."""
    client = Client(H2Connection(Rules(Limits(field_lines=5), date=lambda: b"now")))
    client.open()
    lines = [(b":method", method), *REQUEST[1:], (b"a", b"1"), (b"a", b"1")]
    (violation,) = client.request(1, lines, end=end)
    assert isinstance(violation, ProtocolViolated)
    assert violation.error.reason == "past the limit field_lines: more than 5"
    client.pull()
    answer, *content = (event for event in client.events if getattr(event, "stream_id", None))
    assert isinstance(answer, h2.events.ResponseReceived)
    assert {b":status": b"431", b"date": b"now"}.items() <= dict(answer.headers).items()
    assert [type(event) for event in content if not isinstance(event, h2.events.DataReceived)] == [
        h2.events.StreamEnded,
        *([] if end else [h2.events.StreamReset]),
    ]
    assert kinds(client.request(3, [*REQUEST, (b"a", b"1")])) == [RequestReceived, RequestEnded]


def test_the_last_stream_there_can_be() -> None:
    """Behind it the client is told to open no other; the connection closes when all have ended."""
    client = Client()
    client.open()
    client.request(1)
    highest = ExchangeId(2**31 - 1)
    assert kinds(client.request(highest)) == [RequestReceived, RequestEnded]
    (goodbye,) = client.take(h2.events.ConnectionTerminated)
    assert (goodbye.error_code, goodbye.last_stream_id) == (ErrorCodes.NO_ERROR, highest)
    connection = client.connection
    for exchange_id in (highest, ONE):
        assert is_open(connection)
        connection.send_head(exchange_id, response_head(204), end=True)
        connection.finish(exchange_id)
    assert connection.closing is Closing.GRACEFUL
