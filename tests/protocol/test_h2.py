"""H2Connection: octets in, events out; calls in, frames out."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable

import h2.events
import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hpack import Encoder
from hyperframe.frame import (
    AltSvcFrame,
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.helpers.h1 import request
from tests.helpers.h2 import (
    OPENING,
    REQUEST,
    Client,
    begin,
    frames_of,
    headers,
    open_connection,
    response_head,
)
from wptproto.errors import ExchangeClosed, LocalProtocolError
from wptproto.limits import Limits
from wptproto.protocol.connection import MAX_REASON_OCTETS, Closing
from wptproto.protocol.events import (
    ContentReceived,
    Event,
    ExchangeId,
    ExchangeReset,
    PeerFinished,
    ProtocolViolated,
    RequestEnded,
    RequestReceived,
    UpgradeReceived,
    WindowOpened,
)
from wptproto.protocol.h1 import H1Connection
from wptproto.protocol.h2 import FRAMES_A_TURN, PREFACE, H2Connection
from wptproto.protocol.rules import Rules
from wptproto.semantics.fields import FieldLine, Fields

LIMITS = Limits()
STREAM_WINDOW_OCTETS = LIMITS.h2_stream_window_octets
CONNECTION_WINDOW_OCTETS = LIMITS.h2_connection_window_octets
ONE, THREE = ExchangeId(1), ExchangeId(3)
MAX_FRAME_OCTETS = 16384
POST: tuple[FieldLine, ...] = ((b":method", b"POST"), *REQUEST[1:])


def kinds(events: list[Event]) -> list[type]:
    return [type(event) for event in events]


def is_open(connection: H2Connection) -> bool:
    return connection.closing is Closing.NO


def respond(client: Client, exchange_id: ExchangeId = ONE, content: bytes = b"ok") -> None:
    """Send a response of some content, and finish."""
    connection = client.connection
    connection.send_head(exchange_id, response_head(200, (b"content-length", b"%d" % len(content))))
    assert connection.send_content(exchange_id, content, end=True) == len(content)
    assert connection.finish(exchange_id) == []


def content_of(client: Client) -> bytes:
    return b"".join(event.data for event in client.take(h2.events.DataReceived))


# --- the opening -----------------------------------------------------------------------------------


def test_the_servers_preface() -> None:
    """ "The server connection preface consists of a potentially empty SETTINGS frame" (RFC 9113 §3.4)."""
    settings, window = frames_of(H2Connection().data_to_send())
    assert isinstance(settings, SettingsFrame)
    assert settings.settings[SettingCodes.MAX_CONCURRENT_STREAMS] == LIMITS.h2_concurrent_streams
    assert settings.settings[SettingCodes.INITIAL_WINDOW_SIZE] == STREAM_WINDOW_OCTETS
    assert settings.settings[SettingCodes.MAX_HEADER_LIST_SIZE] == LIMITS.field_section_octets
    assert isinstance(window, WindowUpdateFrame)
    assert (window.stream_id, window.window_increment) == (0, CONNECTION_WINDOW_OCTETS - 65535)


def test_settings_are_acknowledged_at_once() -> None:
    """The recipient "MUST immediately emit a SETTINGS frame with the ACK flag set" (RFC 9113 §6.5.3)."""
    connection = H2Connection()
    connection.data_to_send()
    assert connection.receive_data(OPENING) == []
    (ack,) = frames_of(connection.data_to_send())
    assert isinstance(ack, SettingsFrame)
    assert "ACK" in ack.flags


@pytest.mark.parametrize("at", [0, 3, len(PREFACE) - 1])
@pytest.mark.parametrize("flushed", [True, False])
def test_a_broken_preface(at: int, flushed: bool) -> None:
    """
    "Clients and servers MUST treat an invalid connection preface as a connection error of type
    PROTOCOL_ERROR" (RFC 9113 §3.4); our own preface stays whole before that.
    """
    connection = H2Connection()
    before = connection.data_to_send() if flushed else b""
    (violation,) = connection.receive_data(PREFACE[:at] + b"\xff" + OPENING[at + 1 :])
    assert isinstance(violation, ProtocolViolated)
    _, _, goaway = frames_of(before + connection.data_to_send())
    assert isinstance(goaway, GoAwayFrame)
    assert goaway.error_code == ErrorCodes.PROTOCOL_ERROR
    assert goaway.additional_data == b"Invalid HTTP/2 preamble."
    assert connection.closing is Closing.GRACEFUL


@pytest.mark.parametrize("first", [headers(1), PingFrame(0), SettingsFrame(0, flags=["ACK"]), b"GET / HTTP"])
def test_the_preface_ends_with_settings(first: Frame | bytes) -> None:
    """ "This sequence MUST be followed by a SETTINGS frame" (RFC 9113 §3.4), which no ACK is."""
    client = Client()
    connection = client.connection
    octets = first if isinstance(first, bytes) else first.serialize()
    assert kinds(connection.receive_data(PREFACE + octets)) == [ProtocolViolated]
    assert client.goaway().error_code == ErrorCodes.PROTOCOL_ERROR


# --- requests --------------------------------------------------------------------------------------


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


def test_a_malformed_request_for_a_head() -> None:
    """To HEAD, also the answer to a malformed request has no content."""
    client = Client()
    client.open()
    client.request(1, [(b":method", b"HEAD"), *REQUEST[1:3], (b":path", b"a")])
    client.pull()
    assert kinds_of(client.events) == [h2.events.ResponseReceived, h2.events.StreamReset]


def kinds_of(events: list[h2.events.Event]) -> list[type]:
    """Return the kinds of what concerns a stream."""
    return [type(event) for event in events if getattr(event, "stream_id", None)]


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
    assert (
        connection.receive_data(headers(surplus, [*REQUEST, (b"a", b"1")], encoder=encoder).serialize()) == []
    )
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
    assert client.raw(headers(3)) == []
    client.content(1, b"", end=True)
    assert kinds(client.raw(headers(5))) == [RequestReceived, RequestEnded]


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


# --- turns -----------------------------------------------------------------------------------------


def test_no_more_than_a_turn() -> None:
    """One call takes so many frames; the rest waits for the next, and reading is paused meanwhile."""
    connection = open_connection()
    encoder = Encoder()
    octets = b"".join(
        headers(2 * number + 1, encoder=encoder).serialize() for number in range(FRAMES_A_TURN + 1)
    )
    events = connection.receive_data(octets)
    assert kinds(events) == [RequestReceived, RequestEnded] * FRAMES_A_TURN
    assert connection.has_backlog
    assert connection.reading_paused
    assert kinds(connection.receive_data(b"")) == [RequestReceived, RequestEnded]
    assert not connection.has_backlog
    assert not connection.reading_paused


def test_no_turn_after_the_end() -> None:
    """Where the connection has failed, no backlog is left."""
    connection = open_connection()
    connection.receive_data(PingFrame(0).serialize() * FRAMES_A_TURN + DataFrame(1).serialize())
    assert connection.has_backlog
    assert kinds(connection.receive_data(b"")) == [ProtocolViolated]
    assert not connection.has_backlog


# --- frames that ask for nothing, or for an answer -------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        PriorityFrame(1, depends_on=3, stream_weight=10),
        PriorityFrame(7, exclusive=True),
        ExtensionFrame(0x42, 1, flag_byte=0xFF),
        ExtensionFrame(0xFF, 0),
        ExtensionFrame(0xFF, 0x7FFFFFFF),
        AltSvcFrame(0, b"origin", b"clear"),
        WindowUpdateFrame(1, 1),
        PingFrame(0, b"12345678", flags=["ACK"]),
        SettingsFrame(0, flags=["ACK"]),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_frames_that_change_nothing(frame: Frame) -> None:
    """
    "Implementations MUST ignore and discard frames of unknown types" (RFC 9113 §4.1); priorities are
    deprecated (§5.3), and what only a server may tell is not for us.
    """
    client, _ = begin()
    events = client.connection.receive_data(frame.serialize())
    assert events in ([], [WindowOpened(ONE)])
    assert client.connection.data_to_send() == b""
    respond(client)
    assert content_of(client) == b"ok"


def test_priority_of_a_request() -> None:
    """Priority in HEADERS changes nothing either."""
    connection = open_connection()
    frame = headers(1)
    frame.flags.add("PRIORITY")
    frame.stream_weight = 200
    assert kinds(connection.receive_data(frame.serialize())) == [RequestReceived, RequestEnded]


def test_ping() -> None:
    """ "Receivers of a PING frame [...] MUST send a PING frame with the ACK flag set in response" (§6.7)."""
    connection = open_connection()
    assert connection.receive_data(PingFrame(0, b"12345678").serialize()) == []
    (pong,) = frames_of(connection.data_to_send())
    assert isinstance(pong, PingFrame)
    assert (pong.opaque_data, "ACK" in pong.flags) == (b"12345678", True)


def test_field_sections_in_pieces() -> None:
    """A field section may go on in CONTINUATION frames (RFC 9113 §6.10)."""
    connection = open_connection()
    whole = headers(1)
    first = HeadersFrame(1, whole.data[:1], flags=["END_STREAM"])
    rest = ContinuationFrame(1, whole.data[1:], flags=["END_HEADERS"])
    assert connection.receive_data(first.serialize()) == []
    assert kinds(connection.receive_data(rest.serialize())) == [RequestReceived, RequestEnded]


# --- violations ------------------------------------------------------------------------------------


def oversized(kind: int) -> bytes:
    """Return the header of a frame that is too long, and none of the frame."""
    return struct.pack(">HBBBL", (MAX_FRAME_OCTETS + 1) >> 8, (MAX_FRAME_OCTETS + 1) & 0xFF, kind, 0, 1)


def with_length(frame: Frame, body: bytes) -> bytes:
    """Return a frame with another payload than its kind has."""
    octets = frame.serialize()
    return struct.pack(">I", len(body))[1:] + octets[3:9] + body


def on_stream(frame: Frame, stream_id: int) -> bytes:
    """Return a frame on a stream where its kind has no place."""
    octets = frame.serialize()
    return octets[:5] + struct.pack(">L", stream_id) + octets[9:]


PROTOCOL, FLOW, SIZE = ErrorCodes.PROTOCOL_ERROR, ErrorCodes.FLOW_CONTROL_ERROR, ErrorCodes.FRAME_SIZE_ERROR
COMPRESSION, CLOSED, CALM = (
    ErrorCodes.COMPRESSION_ERROR,
    ErrorCodes.STREAM_CLOSED,
    ErrorCodes.ENHANCE_YOUR_CALM,
)


FIELDS = HeadersFrame(5, b"").serialize()  # the beginning of a field section
BOMB = Encoder().encode([*REQUEST, (b"a", b"x" * 1000)]) + b"\xbe" * 10000
ACK = SettingsFrame(0, flags=["ACK"])
PADDED = DataFrame(3, flags=["PADDED"])
VIOLATIONS: list[tuple[str, Frame | bytes, ErrorCodes, str]] = [
    ("DATA-too-long", oversized(0), SIZE, "16385 octets"),
    ("HEADERS-too-long", oversized(1), SIZE, "16385 octets"),
    ("unknown-too-long", oversized(0x42), SIZE, "16385 octets"),
    ("DATA-idle", DataFrame(5, b"x"), PROTOCOL, "stream 5"),
    ("WINDOW_UPDATE-idle", WindowUpdateFrame(5, 1), PROTOCOL, "stream 5"),
    ("RST_STREAM-idle", RstStreamFrame(5), PROTOCOL, "stream 5, which is idle"),
    ("RST_STREAM-of-ours", RstStreamFrame(4), PROTOCOL, "stream 4, which is idle"),
    ("CONTINUATION-idle", ContinuationFrame(5), PROTOCOL, "stream 5"),
    ("CONTINUATION-of-nothing", ContinuationFrame(3), PROTOCOL, "CONTINUATION"),
    ("CONTINUATION-of-another", FIELDS + ContinuationFrame(3).serialize(), PROTOCOL, "header block"),
    ("PING-inside-a-field-section", FIELDS + PingFrame(0).serialize(), PROTOCOL, "header block"),
    ("HEADERS-even", headers(4), PROTOCOL, "Invalid stream ID"),
    ("HEADERS-behind-the-end", headers(1), CLOSED, "stream 1"),
    ("HEADERS-informational", headers(5, [(b":status", b"100"), *REQUEST]), PROTOCOL, "Cannot set"),
    ("PUSH_PROMISE", PushPromiseFrame(3, 2, flags=["END_HEADERS"]), PROTOCOL, "pushed"),
    ("hpack-integer", with_length(headers(5), b"\xff" * 8), COMPRESSION, "Error decoding"),
    ("hpack-index", with_length(headers(5), b"\xfe"), COMPRESSION, "Invalid table index"),
    ("hpack-cut-off", with_length(headers(5), b"\x00\x01"), COMPRESSION, "Error decoding"),
    ("hpack-table-size", with_length(headers(5), b"\x3f\xff\xff\x7f"), COMPRESSION, "table size"),
    ("hpack-bomb", HeadersFrame(5, BOMB, flags=["END_HEADERS"]), CALM, "Oversized"),
    ("SETTINGS-push", SettingsFrame(0, {SettingCodes.ENABLE_PUSH: 2}), PROTOCOL, "invalid value 2"),
    ("SETTINGS-window", SettingsFrame(0, {SettingCodes.INITIAL_WINDOW_SIZE: 2**31}), FLOW, "invalid value"),
    ("SETTINGS-frame-size", SettingsFrame(0, {SettingCodes.MAX_FRAME_SIZE: 1}), PROTOCOL, "invalid value 1"),
    ("SETTINGS-cut", with_length(SettingsFrame(0), b"\0" * 5), SIZE, "Invalid SETTINGS body"),
    ("SETTINGS-ack-full", with_length(ACK, b"\0" * 6), SIZE, "a payload of 6 octets"),
    ("PING-cut", with_length(PingFrame(0), b"1234567"), SIZE, "8 byte"),
    ("PING-on-a-stream", on_stream(PingFrame(0), 1), PROTOCOL, "must be zero"),
    ("RST_STREAM-cut", with_length(RstStreamFrame(3), b"123"), SIZE, "4 byte"),
    ("GOAWAY-cut", with_length(GoAwayFrame(0), b"123"), SIZE, "GOAWAY"),
    ("PRIORITY-cut", with_length(PriorityFrame(7), b"123"), SIZE, "Priority"),
    ("PRIORITY-cut-in-a-block", FIELDS + with_length(PriorityFrame(3), b"123"), SIZE, "Priority"),
    ("WINDOW_UPDATE-0-of-an-idle-stream", with_length(WindowUpdateFrame(7, 1), bytes(4)), PROTOCOL, "WINDOW"),
    ("WINDOW_UPDATE-of-0", with_length(WindowUpdateFrame(0, 1), bytes(4)), PROTOCOL, "between 1"),
    ("WINDOW_UPDATE-too-much", WindowUpdateFrame(0, 2**31 - 1), FLOW, "window"),
    ("DATA-padding", with_length(PADDED, b"\x05123"), PROTOCOL, "padding"),
    ("DATA-padding-cut", with_length(PADDED, b""), SIZE, "Padding"),
    ("DATA-on-no-stream", on_stream(DataFrame(1, b"x"), 0), PROTOCOL, "non-zero"),
]


@pytest.mark.parametrize(
    ("octets", "code", "reason"), [pytest.param(*values, id=name) for name, *values in VIOLATIONS]
)
def test_a_violation(octets: Frame | bytes, code: ErrorCodes, reason: str) -> None:
    """
    A connection error sends GOAWAY with its code and, in the debug data, its reason (RFC 9113 §5.4.1);
    all exchanges end, and nothing that follows is looked at.
    """
    connection = open_connection()
    connection.receive_data(headers(1).serialize() + headers(3, POST, end=False).serialize())
    respond_to_one(connection)
    *resets, violation = connection.receive_data(octets if isinstance(octets, bytes) else octets.serialize())
    assert [type(event) for event in resets] == [ExchangeReset]
    assert isinstance(violation, ProtocolViolated)
    assert (violation.error.error_code, violation.error.exchange_id) == (code, None)
    assert reason in violation.error.reason
    assert "0x" not in violation.error.reason  # an address in our memory
    *_, goaway = frames_of(connection.data_to_send())
    assert isinstance(goaway, GoAwayFrame)
    assert goaway.error_code == code
    assert goaway.additional_data == violation.error.reason.encode()[:MAX_REASON_OCTETS]
    assert connection.closing is Closing.GRACEFUL
    assert connection.receive_data(headers(7).serialize()) == connection.receive_eof() == []
    connection.close()
    assert connection.data_to_send() == b""
    with pytest.raises(ExchangeClosed):
        connection.send_head(THREE, response_head(200))


def respond_to_one(connection: H2Connection) -> None:
    connection.send_head(ONE, response_head(200), end=True)
    connection.finish(ONE)
    connection.data_to_send()


def test_sound_frames_before_a_violation_count() -> None:
    """What was received soundly, though together with a violation, is not swallowed; what follows is."""
    connection = open_connection()
    encoder = Encoder()
    sound = headers(1, encoder=encoder).serialize() + headers(3, POST, end=False, encoder=encoder).serialize()
    content = DataFrame(3, b"hello").serialize() + PingFrame(0, b"12345678").serialize()
    events = connection.receive_data(sound + content + headers(2).serialize() + headers(5).serialize())
    assert kinds(events) == [
        *(RequestReceived, RequestEnded, RequestReceived, ContentReceived),
        *(ExchangeReset, ExchangeReset, ProtocolViolated),
    ]
    assert [type(frame) for frame in frames_of(connection.data_to_send())] == [PingFrame, GoAwayFrame]


def test_the_last_stream_is_named() -> None:
    """GOAWAY names the last stream that may have been acted upon (RFC 9113 §6.8)."""
    client, _ = begin(POST, end=False)
    client.connection.receive_data(headers(7).serialize() + headers(2).serialize())
    assert client.goaway().last_stream_id == 7


def test_what_is_told_of_a_violation_has_a_limit() -> None:
    """A reason may quote what the client sent, but not at any length: a frame has a limit."""
    connection = open_connection()
    connection.close("\xff" * 16000)
    (goaway,) = frames_of(connection.data_to_send())
    assert isinstance(goaway, GoAwayFrame)
    assert len(goaway.additional_data) == MAX_REASON_OCTETS


@pytest.mark.parametrize("frame", [DataFrame(1, b"x"), headers(1)], ids=["DATA", "HEADERS"])
def test_frames_on_a_half_closed_stream(frame: Frame) -> None:
    """
    On a half-closed (remote) stream, a further frame is "a stream error of type STREAM_CLOSED"
    (RFC 9113 §5.1).
    """
    client, _ = begin()
    (reset,) = client.connection.receive_data(frame.serialize())
    assert reset == ExchangeReset(ONE, "we reset the stream: STREAM_CLOSED")
    client.pull()
    assert [event.error_code for event in client.take(h2.events.StreamReset)] == [CLOSED]
    assert is_open(client.connection)


# --- content of a request: windows -----------------------------------------------------------------


def upload(client: Client, octets: int, stream_id: int = 1) -> list[Event]:
    """Send so many octets of content."""
    events: list[Event] = []
    while octets:
        size = min(octets, MAX_FRAME_OCTETS)
        events += client.content(stream_id, bytes(size))
        octets -= size
    return events


def test_the_connections_window_opens_at_receipt() -> None:
    """No slow handler holds up other streams: the connection's window opens as content arrives."""
    client = Client()
    client.open()
    for stream_id in range(1, 1 + 2 * (CONNECTION_WINDOW_OCTETS // STREAM_WINDOW_OCTETS) * 2, 2):
        client.request(stream_id, POST, end=False)
        upload(client, STREAM_WINDOW_OCTETS, stream_id)
        assert client.h2.local_flow_control_window(stream_id) == 0
    assert client.h2.outbound_flow_control_window >= CONNECTION_WINDOW_OCTETS // 2


def test_the_streams_window_opens_as_content_is_consumed() -> None:
    """What nobody consumes stays within the stream's window (RFC 9113 §5.2.1)."""
    client, _ = begin(POST, end=False)
    assert client.h2.local_flow_control_window(1) == STREAM_WINDOW_OCTETS
    upload(client, STREAM_WINDOW_OCTETS)
    half = STREAM_WINDOW_OCTETS // 2
    client.connection.acknowledge(ONE, half - 1)
    assert client.connection.data_to_send() == b""
    client.connection.acknowledge(THREE, half)
    assert client.connection.data_to_send() == b""
    client.connection.acknowledge(ONE, 1)
    client.pull()
    assert client.h2.local_flow_control_window(1) == half
    client.connection.acknowledge(ONE, half)
    client.pull()
    assert client.h2.local_flow_control_window(1) == STREAM_WINDOW_OCTETS


def test_reading_never_pauses() -> None:
    """What can pile up is bounded by the windows, and pausing would hold up the other streams."""
    client, _ = begin(POST, end=False)
    upload(client, STREAM_WINDOW_OCTETS)
    assert not client.connection.reading_paused


def test_a_window_that_is_overrun() -> None:
    """More than the window grants is a FLOW_CONTROL_ERROR (RFC 9113 §6.9)."""
    client, _ = begin(POST, end=False)
    upload(client, STREAM_WINDOW_OCTETS)
    assert kinds(client.connection.receive_data(DataFrame(1, b"x").serialize())) == [
        *(ExchangeReset, ProtocolViolated)
    ]
    assert client.goaway().error_code == ErrorCodes.FLOW_CONTROL_ERROR


def test_padding_is_nobodys_to_consume() -> None:
    """ "The entire DATA frame payload is included in flow control" (RFC 9113 §6.1), so padding comes back."""
    client, _ = begin(POST, end=False)
    for _ in range(2000):
        client.content(1, b"x", padding=255)
        client.connection.acknowledge(ONE, 1)
    client.pull()
    assert client.h2.local_flow_control_window(1) > STREAM_WINDOW_OCTETS // 2


def test_no_window_for_a_request_that_ended() -> None:
    """Behind END_STREAM the stream's window is of no use any more."""
    client, _ = begin(POST, end=False)
    upload(client, STREAM_WINDOW_OCTETS - MAX_FRAME_OCTETS)
    client.content(1, bytes(MAX_FRAME_OCTETS), end=True)
    client.connection.acknowledge(ONE, STREAM_WINDOW_OCTETS)
    assert client.connection.data_to_send() == b""


def test_padding_at_the_end() -> None:
    """Nor for padding in the frame that ended it."""
    client, _ = begin(POST, end=False)
    upload(client, STREAM_WINDOW_OCTETS // 2 - 1)
    client.connection.acknowledge(ONE, STREAM_WINDOW_OCTETS // 2 - 1)
    assert kinds(client.content(1, b"x", end=True, padding=200)) == [ContentReceived, RequestEnded]
    assert client.connection.data_to_send() == b""


def test_an_early_response_and_a_short_upload() -> None:
    """Behind an early response, what is left of an upload may come, and is dropped."""
    client, _ = begin(POST, end=False)
    upload(client, STREAM_WINDOW_OCTETS // 4)
    respond(client)
    assert upload(client, STREAM_WINDOW_OCTETS // 8) == []
    assert client.content(1, b"x", end=True) == []
    assert is_open(client.connection)
    assert client.take(h2.events.StreamReset) == []


@pytest.mark.parametrize("after", [0, STREAM_WINDOW_OCTETS // 2])
def test_an_early_response_ends_a_long_upload(after: int) -> None:
    """
    "a server MAY request that the client abort transmission of a request without error by sending a
    RST_STREAM with an error code of NO_ERROR" (RFC 9113 §8.1): behind the response, and what is on its way
    is dropped.
    """
    client, _ = begin(POST, end=False)
    upload(client, STREAM_WINDOW_OCTETS // 2 - after)
    respond(client)
    assert (
        client.connection.receive_data(DataFrame(1, bytes(MAX_FRAME_OCTETS)).serialize() * (after // 2**14))
        == []
    )
    client.pull()
    assert kinds_of(client.events)[-3:] == [
        h2.events.DataReceived,
        h2.events.StreamEnded,
        h2.events.StreamReset,
    ]
    (reset,) = client.take(h2.events.StreamReset)
    assert reset.error_code == ErrorCodes.NO_ERROR
    assert client.raw(DataFrame(1, b"x"), headers(1, [(b"a", b"1")])) == []
    assert client.connection.data_to_send() == b""
    assert kinds(client.raw(headers(3))) == [RequestReceived, RequestEnded]


def test_an_early_response_and_trailers() -> None:
    """The end that nobody waits for may also be trailers, or a reset."""
    client = Client()
    client.open()
    for stream_id in (1, 3):
        client.request(stream_id, POST, end=False)
        respond(client, ExchangeId(stream_id))
    assert client.request(1, [(b"a", b"1")]) == []
    assert client.raw(RstStreamFrame(3)) == []
    assert is_open(client.connection)


# --- responses -------------------------------------------------------------------------------------


def test_a_response() -> None:
    """HEADERS, DATA, and the end with the last of it."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200, (b"X-B", b"1"), (b"a", b""), (b"x-b", b"\0")))
    client.connection.send_content(ONE, b"he")
    client.connection.send_content(ONE, memoryview(b"llo"), end=True)
    client.connection.finish(ONE)
    head, *content = frames_of(client.connection.data_to_send())
    assert isinstance(head, HeadersFrame)
    assert client.h2.decoder.decode(head.data, raw=True) == [
        *((b":status", b"200"), (b"x-b", b"1"), (b"a", b""), (b"x-b", b"\0"))
    ]
    assert [
        (type(frame), frame.data, set(frame.flags)) for frame in content if isinstance(frame, DataFrame)
    ] == [
        (DataFrame, b"he", set()),
        (DataFrame, b"llo", {"END_STREAM"}),
    ]


@pytest.mark.parametrize(
    "lines", [[], [(b"Content-Length", b"0")], [(b"Content-Length", b"no number")]], ids=["none", "0", "odd"]
)
def test_no_content(lines: list[FieldLine]) -> None:
    """Without content, HEADERS is the end."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200, *lines), end=True)
    client.connection.finish(ONE)
    (head,) = frames_of(client.connection.data_to_send())
    assert "END_STREAM" in head.flags


@pytest.mark.parametrize("end", [False, True])
def test_finish_ends_the_stream(end: bool) -> None:
    """An end that has not been sent is sent, once, by an empty DATA frame."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200))
    client.connection.send_content(ONE, b"ok")
    if end:
        client.connection.send_content(ONE, b"", end=True)
    client.connection.finish(ONE)
    assert client.connection.finish(ONE) == []
    _, _, last = frames_of(client.connection.data_to_send())
    assert isinstance(last, DataFrame)
    assert (last.data, set(last.flags)) == (b"", {"END_STREAM"})


def test_response_trailers() -> None:
    """Trailers are HEADERS with END_STREAM (RFC 9113 §8.1), and go as they are."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200))
    client.connection.send_content(ONE, b"ok")
    client.connection.send_trailers(ONE, Fields([(b"A", b"1"), (b"Connection", b"x"), (b"a", b"\n")]))
    client.connection.finish(ONE)
    client.pull()
    (trailers,) = [event for event in client.events if isinstance(event, h2.events.TrailersReceived)]
    assert trailers.headers == [(b"a", b"1"), (b"a", b"\n")]
    assert trailers.stream_ended is not None


@pytest.mark.parametrize("lines", [[], [(b"Connection", b"close")]])
def test_no_trailers(lines: list[FieldLine]) -> None:
    """Trailers of which nothing is left are the end alone."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200))
    client.connection.send_trailers(ONE, Fields(lines))
    client.connection.finish(ONE)
    _, last = frames_of(client.connection.data_to_send())
    assert isinstance(last, DataFrame)
    assert "END_STREAM" in last.flags


def test_trailers_that_h2_cannot_send() -> None:
    """What h2 refuses is ours to tell, and the stream can still be reset."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200))
    with pytest.raises(LocalProtocolError) as caught:
        client.connection.send_trailers(ONE, Fields([(b":status", b"100")]))
    assert caught.value.exchange_id == ONE
    client.connection.abort(ONE)
    assert len(client.take(h2.events.StreamReset)) == 1


def test_informational() -> None:
    """Interim responses precede the final one (RFC 9113 §8.1)."""
    client, _ = begin()
    client.connection.send_informational(ONE, response_head(100))
    client.connection.send_informational(ONE, response_head(103, (b"Link", b"x")))
    respond(client)
    client.pull()
    interim = [
        event.headers for event in client.events if isinstance(event, h2.events.InformationalResponseReceived)
    ]
    assert interim == [[(b":status", b"100")], [(b":status", b"103"), (b"link", b"x")]]


@pytest.mark.parametrize("status", [101, 99, 200, 1000])
def test_no_informational(status: int) -> None:
    """ "HTTP/2 removes support for the 101 (Switching Protocols) informational status code" (§8.6)."""
    client, _ = begin()
    with pytest.raises(LocalProtocolError):
        client.connection.send_informational(ONE, response_head(status))


@pytest.mark.parametrize("status", [-1, 0, 99, 100, 199, 1000])
def test_no_final_response(status: int) -> None:
    """:status carries three digits (RFC 9113 §8.3.2), and 1xx is not final."""
    client, _ = begin()
    with pytest.raises(LocalProtocolError):
        client.connection.send_head(ONE, response_head(status))
    assert client.connection.data_to_send() == b""


LENGTH_5 = (b"Content-Length", b"5")


@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize("sent", [b"", b"hell"])
def test_content_that_is_missing(sent: bytes, end: bool) -> None:
    """A promised length that was not reached resets the stream, whoever said that it was the end."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200, LENGTH_5), end=end and not sent)
    if sent:
        client.connection.send_content(ONE, sent, end=end)
    client.connection.finish(ONE)
    client.pull()
    (reset,) = [event for event in client.events if isinstance(event, h2.events.StreamReset)]
    assert reset.error_code == ErrorCodes.INTERNAL_ERROR
    assert client.take(h2.events.StreamEnded) == []


def test_the_end_of_content_that_is_missing() -> None:
    """An end without content does not make it whole either."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200, LENGTH_5))
    client.connection.send_content(ONE, b"", end=True)
    client.connection.finish(ONE)
    assert len(client.take(h2.events.StreamReset)) == 1


@pytest.mark.parametrize(
    ("method", "status", "content"),
    [(b"GET", 200, b"hello"), (b"HEAD", 200, b""), (b"GET", 304, b""), (b"GET", 204, b"")],
)
def test_content_that_is_not_missing(method: bytes, status: int, content: bytes) -> None:
    """To HEAD and in a 304, a length promises nothing (RFC 9110 §8.6)."""
    client, _ = begin([(b":method", method), *REQUEST[1:]])
    client.connection.send_head(ONE, response_head(status, LENGTH_5))
    client.connection.send_content(ONE, content)
    client.connection.finish(ONE)
    *_, last = frames_of(client.connection.data_to_send())
    assert isinstance(last, DataFrame)
    assert "END_STREAM" in last.flags


def test_no_response_at_all() -> None:
    """Finishing what was not begun resets the stream."""
    client, _ = begin()
    client.connection.finish(ONE)
    assert [event.error_code for event in client.take(h2.events.StreamReset)] == [ErrorCodes.INTERNAL_ERROR]


def test_a_tunnel() -> None:
    """Behind a 2xx to CONNECT, DATA frames carry what the tunnel does (RFC 9113 §8.5)."""
    client, _ = begin([(b":method", b"CONNECT"), (b":authority", b"h:443")], end=False)
    client.connection.send_head(ONE, response_head(200))
    assert client.content(1, b"ping") == [ContentReceived(ONE, b"ping")]
    assert client.connection.send_content(ONE, b"pong") == 4
    assert content_of(client) == b"pong"


# --- content of a response: windows ----------------------------------------------------------------


def test_content_as_far_as_the_window_allows() -> None:
    """What the window does not grant is not taken; a WINDOW_UPDATE tells that there is room again."""
    client, _ = begin(initial_window=5)
    client.connection.send_head(ONE, response_head(200))
    assert client.connection.send_content(ONE, b"hello, world", end=True) == 5
    assert client.connection.send_content(ONE, b", world", end=True) == 0
    client.pull()
    client.h2.increment_flow_control_window(7, 1)
    assert client.flush() == [WindowOpened(ONE)]
    assert client.connection.send_content(ONE, b", world", end=True) == 7
    client.pull()
    assert len([event for event in client.events if isinstance(event, h2.events.StreamEnded)]) == 1
    assert content_of(client) == b"hello, world"


def test_the_connections_window() -> None:
    """The window of the connection is shared by all streams (RFC 9113 §5.2.1)."""
    client = Client(initial_window=2**20)
    client.open()
    for stream_id in (1, 3):
        client.request(stream_id)
        client.connection.send_head(ExchangeId(stream_id), response_head(200))
    assert client.connection.send_content(ONE, bytes(2**17)) == 65535
    assert client.connection.send_content(THREE, b"x") == 0
    client.pull()
    client.h2.increment_flow_control_window(10)
    assert client.flush() == [WindowOpened(None)]
    assert client.connection.send_content(THREE, b"x" * 20) == 10


def test_settings_change_windows() -> None:
    """
    A change of SETTINGS_INITIAL_WINDOW_SIZE changes the windows of all streams, and "can cause the
    available space in a flow-control window to become negative" (RFC 9113 §6.9.2).
    """
    client, _ = begin(initial_window=5)
    connection = client.connection
    connection.send_head(ONE, response_head(200))
    assert connection.send_content(ONE, b"hello, world") == 5
    client.pull()
    client.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 2})
    assert client.flush() == [WindowOpened(None)]
    assert connection.send_content(ONE, b", world") == 0
    assert connection.send_content(ONE, b"") == 0
    client.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 9})
    client.flush()
    assert connection.send_content(ONE, b", world") == 4


def test_other_settings_open_no_window() -> None:
    """Other settings are nobody's business here."""
    client, _ = begin()
    client.h2.update_settings({SettingCodes.HEADER_TABLE_SIZE: 0})
    assert client.flush() == []


def test_frames_of_the_size_the_client_takes() -> None:
    """No frame exceeds SETTINGS_MAX_FRAME_SIZE (RFC 9113 §4.2), be it HEADERS or DATA."""
    client = Client(initial_window=2**20)
    client.open()
    client.request(1)
    client.connection.send_head(ONE, response_head(200, (b"a", b"x" * 40000)))
    assert client.connection.send_content(ONE, bytes(40000)) == 40000
    sizes = [frame.body_len for frame in frames_of(client.connection.data_to_send())]
    assert len(sizes) >= 5
    assert max(sizes) == MAX_FRAME_OCTETS


def test_a_window_past_its_limit() -> None:
    """A sender that lets a stream's window exceed 2^31-1 has the stream reset (RFC 9113 §6.9.1)."""
    client, _ = begin()
    (reset,) = client.connection.receive_data(WindowUpdateFrame(1, 2**31 - 1).serialize())
    assert reset == ExchangeReset(ONE, "we reset the stream: FLOW_CONTROL_ERROR")
    with pytest.raises(ExchangeClosed):
        client.connection.send_head(ONE, response_head(200))


# --- ends, in all their kinds ----------------------------------------------------------------------


def test_the_client_resets() -> None:
    """RST_STREAM ends an exchange; writing to it raises ExchangeClosed, all the rest is ignored."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200))
    assert client.raw(RstStreamFrame(1, ErrorCodes.CANCEL)) == [
        ExchangeReset(ONE, "the client reset the stream: CANCEL")
    ]
    assert_over(client.connection, ONE)
    assert client.raw(RstStreamFrame(1, ErrorCodes.CANCEL)) == []


def test_a_reset_with_a_code_that_is_none() -> None:
    """ "Unknown or unsupported error codes MUST NOT trigger any special behavior" (RFC 9113 §7)."""
    client, _ = begin()
    assert client.raw(RstStreamFrame(1, 4711)) == [ExchangeReset(ONE, "the client reset the stream: 4711")]


def assert_over(connection: H2Connection, exchange_id: ExchangeId) -> None:
    connection.data_to_send()
    for write in (
        lambda: connection.send_informational(exchange_id, response_head(103)),
        lambda: connection.send_head(exchange_id, response_head(200)),
        lambda: connection.send_content(exchange_id, b"x"),
        lambda: connection.send_trailers(exchange_id, Fields()),
        lambda: connection.send_verbatim(exchange_id, b"x"),
    ):
        with pytest.raises(ExchangeClosed):
            write()
    connection.acknowledge(exchange_id, 1)
    connection.abort(exchange_id)
    assert connection.finish(exchange_id) == []
    assert connection.data_to_send() == b""


def test_we_reset() -> None:
    """A response that is cut off is reset, and over."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200))
    client.connection.abort(ONE)
    assert [event.error_code for event in client.take(h2.events.StreamReset)] == [ErrorCodes.INTERNAL_ERROR]
    assert_over(client.connection, ONE)


@pytest.mark.parametrize("end", [True, False], ids=["request-ended", "request-goes-on"])
def test_cutting_off_what_has_ended(end: bool) -> None:
    """A response that has ended can be cut off only while the request goes on; its stream is closed then."""
    client, _ = begin(POST, end=end)
    client.connection.send_head(ONE, response_head(200), end=True)
    with pytest.raises(LocalProtocolError):
        client.connection.send_content(ONE, b"x")
    client.connection.abort(ONE)
    assert len(client.take(h2.events.StreamReset)) == (not end)
    assert_over(client.connection, ONE)


def test_a_finished_exchange_is_over() -> None:
    """So is one that was finished, whether the request has ended or not."""
    client = Client()
    client.open()
    client.request(1)
    client.request(3, POST, end=False)
    for exchange_id in (ONE, THREE):
        respond(client, exchange_id)
        client.pull()
    assert_over(client.connection, ONE)
    with pytest.raises(ExchangeClosed):
        client.connection.send_content(THREE, b"x")


def test_the_clients_goaway_lets_open_streams_go_on() -> None:
    """
    GOAWAY lets an endpoint "gracefully stop accepting new streams while still finishing processing of
    previously established streams" (RFC 9113 §6.8); behind the last of them the connection closes.
    """
    client = Client()
    client.open()
    client.request(1)
    client.request(3, POST, end=False)
    client.connection.send_head(ONE, response_head(200))
    goaway = GoAwayFrame(0, 0, ErrorCodes.NO_ERROR, b"bye").serialize()
    (finished,) = client.connection.receive_data(goaway)
    assert finished == PeerFinished("GOAWAY NO_ERROR: b'bye'")
    assert is_open(client.connection)
    assert client.content(3, b"hello", end=True) == [
        ContentReceived(THREE, b"hello", last=True),
        RequestEnded(THREE, Fields()),
    ]
    client.connection.send_content(ONE, b"ok", end=True)
    client.connection.finish(ONE)
    respond(client, THREE)
    assert content_of(client) == b"okok"
    assert client.connection.closing is Closing.GRACEFUL


@pytest.mark.parametrize(
    "end",
    [
        lambda connection: connection.receive_data(RstStreamFrame(1).serialize()),
        lambda connection: connection.abort(ONE),
    ],
    ids=["reset", "cut-off"],
)
def test_the_clients_goaway_and_a_reset(end: Callable[[H2Connection], object]) -> None:
    """So it does when the last of them is reset, or cut off."""
    client, _ = begin()
    client.connection.receive_data(GoAwayFrame(0, 0, 4711).serialize())
    assert is_open(client.connection)
    end(client.connection)
    assert not is_open(client.connection)


def test_the_clients_goaway_between_requests() -> None:
    """Where there is no stream, the connection closes at once; and what follows does not count."""
    connection = open_connection()
    octets = GoAwayFrame(0, 0, ErrorCodes.NO_ERROR).serialize()
    assert connection.receive_data(octets + headers(1).serialize() + b"\xff" * 100) == [
        PeerFinished("GOAWAY NO_ERROR")
    ]
    assert connection.closing is Closing.GRACEFUL
    assert connection.data_to_send() == b""


def test_close() -> None:
    """We say goodbye with GOAWAY, once, and with it all exchanges are over."""
    client, _ = begin()
    client.connection.close("the server stops")
    goaway = client.goaway()
    assert (goaway.error_code, goaway.additional_data) == (ErrorCodes.NO_ERROR, b"the server stops")
    assert client.connection.closing is Closing.GRACEFUL
    client.connection.close()
    assert client.connection.receive_data(headers(3).serialize()) == []
    assert_over(client.connection, ONE)


# --- the end of the client's octets ----------------------------------------------------------------


def test_eof_before_anything() -> None:
    """A client that says nothing and leaves has finished."""
    connection = H2Connection()
    assert kinds(connection.receive_eof()) == [WindowOpened, PeerFinished]
    assert connection.closing is Closing.GRACEFUL


@pytest.mark.parametrize("octets", [PREFACE[:5], PREFACE + b"\0\0", OPENING + headers(1).serialize()[:-1]])
def test_eof_inside_something(octets: bytes) -> None:
    """Inside the preface or a frame, the end is an end of all."""
    connection = H2Connection()
    connection.receive_data(octets)
    assert connection.receive_eof() == []
    assert connection.closing is Closing.GRACEFUL


def test_eof_inside_a_frame_of_many() -> None:
    """All exchanges end then."""
    client, _ = begin()
    client.connection.receive_data(b"\0")
    assert client.connection.receive_eof() == [ExchangeReset(ONE, "the client closed inside a frame")]
    assert_over(client.connection, ONE)


def test_eof_behind_a_request() -> None:
    """Half-close is not cancelling: a complete request is answered, then the connection closes."""
    client = Client()
    client.open()
    client.request(1)
    client.request(3, POST, end=False)
    assert client.connection.receive_eof() == [
        ExchangeReset(THREE, "the client closed before its request ended"),
        WindowOpened(None),
        PeerFinished("the client closed"),
    ]
    assert is_open(client.connection)
    assert_over(client.connection, THREE)
    respond(client)
    assert content_of(client) == b"ok"
    assert client.connection.closing is Closing.GRACEFUL


def test_eof_behind_an_early_response() -> None:
    """Where the response is out already, nothing is left to wait for."""
    client, _ = begin(POST, end=False)
    respond(client)
    assert kinds(client.connection.receive_eof()) == [WindowOpened, PeerFinished]
    assert client.connection.closing is Closing.GRACEFUL


def test_eof_with_the_window_shut() -> None:
    """A window that is shut then stays so, and who waits for it must learn that."""
    client, _ = begin(initial_window=2)
    client.connection.send_head(ONE, response_head(200))
    assert client.connection.send_content(ONE, b"hello") == 2
    client.connection.receive_eof()
    with pytest.raises(ExchangeClosed):
        client.connection.send_content(ONE, b"llo")
    assert len(client.take(h2.events.StreamReset)) == 1
    assert client.connection.closing is Closing.GRACEFUL


# --- calls out of order ----------------------------------------------------------------------------


def test_a_second_head() -> None:
    """A final head is sent once, and no interim one behind it."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200))
    client.connection.data_to_send()
    with pytest.raises(LocalProtocolError):
        client.connection.send_head(ONE, response_head(200))
    with pytest.raises(LocalProtocolError):
        client.connection.send_informational(ONE, response_head(103))
    assert client.connection.data_to_send() == b""


def test_content_before_the_head() -> None:
    """Neither content nor trailers come before the head."""
    client, _ = begin()
    with pytest.raises(LocalProtocolError):
        client.connection.send_content(ONE, b"x")
    with pytest.raises(LocalProtocolError):
        client.connection.send_trailers(ONE, Fields())


@pytest.mark.parametrize(
    "end",
    [
        lambda connection: connection.send_content(ONE, b"", end=True),
        lambda connection: connection.send_content(ONE, b"x", end=True),
        lambda connection: connection.send_trailers(ONE, Fields([(b"a", b"1")])),
    ],
)
def test_content_behind_its_end(end: Callable[[H2Connection], object]) -> None:
    """Neither content nor trailers come behind the end of content."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200))
    end(client.connection)
    client.connection.data_to_send()
    with pytest.raises(LocalProtocolError):
        client.connection.send_content(ONE, b"x")
    with pytest.raises(LocalProtocolError):
        client.connection.send_trailers(ONE, Fields())
    assert client.connection.data_to_send() == b""


# --- frames by hand --------------------------------------------------------------------------------


def test_frames_by_hand() -> None:
    """Frames go out as they are, in their place between others, and finish adds nothing."""
    client, _ = begin()
    client.connection.send_informational(ONE, response_head(103))
    client.connection.send_verbatim(ONE, headers(1, [(b":status", b"200")], end=False).serialize())
    client.connection.send_verbatim(ONE, DataFrame(1, b"ok", flags=["END_STREAM"]).serialize())
    client.connection.finish(ONE)
    frames = frames_of(client.connection.data_to_send())
    assert [type(frame).__name__ for frame in frames] == ["HeadersFrame", "HeadersFrame", "DataFrame"]
    assert_over(client.connection, ONE)


def test_frames_by_hand_behind_a_head() -> None:
    """So also where the head was not by hand."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200, LENGTH_5))
    client.connection.send_verbatim(ONE, b"anything")
    client.connection.finish(ONE)
    assert client.connection.data_to_send().endswith(b"anything")
    assert is_open(client.connection)


def test_frames_by_hand_behind_the_end() -> None:
    """Behind the end, they are for the client to wonder at."""
    client, _ = begin()
    client.connection.send_head(ONE, response_head(200), end=True)
    client.connection.send_verbatim(ONE, b"anything")
    client.connection.finish(ONE)
    assert client.connection.data_to_send().endswith(b"anything")
    assert_over(client.connection, ONE)


def test_other_streams_go_on_behind_frames_by_hand() -> None:
    """Frames by hand are one exchange's; what the client still sends for it is dropped."""
    client, _ = begin(POST, end=False)
    client.connection.send_verbatim(ONE, b"")
    client.connection.finish(ONE)
    assert client.connection.receive_data(DataFrame(1, b"x").serialize()) == []
    client.connection.data_to_send()
    assert kinds(client.request(3)) == [RequestReceived, RequestEnded]
    respond(client, THREE)
    assert content_of(client) == b"ok"


# --- from HTTP/1.1 ---------------------------------------------------------------------------------


def upgraded(settings: dict[int, int], trailing_data: bytes = b"") -> tuple[H2Connection, list[Event]]:
    """Upgrade a connection by a request with such settings."""
    payload = base64.urlsafe_b64encode(SettingsFrame(0, settings).serialize_body()).rstrip(b"=")
    octets = request(
        b"HEAD /a HTTP/1.1",
        b"Connection: Upgrade, HTTP2-Settings",
        b"Upgrade: h2c",
        b"HTTP2-Settings: " + payload,
    )
    (upgrade,) = H1Connection().receive_data(octets + trailing_data)
    assert isinstance(upgrade, UpgradeReceived)
    return H2Connection.from_upgrade(upgrade)


def test_from_upgrade() -> None:
    """
    "The HTTP/1.1 request that is sent prior to upgrade is assigned a stream identifier of 1", and
    HTTP2-Settings is the client's first SETTINGS (RFC 7540 §3.2, §3.2.1).
    """
    connection, events = upgraded({SettingCodes.INITIAL_WINDOW_SIZE: 3})
    received, ended = events
    assert isinstance(received, RequestReceived)
    assert (received.exchange_id, received.has_content) == (ONE, False)
    assert (received.head.method, received.head.path, received.head.version) == ("HEAD", b"/a", "HTTP/2.0")
    assert (received.head.authority, received.head.octets) == (b"localhost", b"")
    assert ended == RequestEnded(ONE, Fields())
    settings, _ = frames_of(connection.data_to_send())
    assert isinstance(settings, SettingsFrame)
    assert "ACK" not in settings.flags
    connection.send_head(ONE, response_head(200))
    assert connection.send_content(ONE, b"hello") == 3


def test_from_upgrade_with_frames_behind_the_request() -> None:
    """What the client sent ahead, preface and frames, is not lost."""
    connection, events = upgraded({}, OPENING + headers(3).serialize())
    assert kinds(events) == [RequestReceived, RequestEnded, RequestReceived, RequestEnded]
    for exchange_id in (ONE, THREE):
        connection.send_head(exchange_id, response_head(200), end=True)
        connection.finish(exchange_id)
    assert is_open(connection)


def test_from_upgrade_without_a_preface() -> None:
    """The client's preface follows the 101 (RFC 7540 §3.2), and no other request does."""
    connection, events = upgraded({}, b"GET / HTTP/1.1\r\n\r\n")
    assert kinds(events) == [RequestReceived, RequestEnded, ExchangeReset, ProtocolViolated]
    assert not is_open(connection)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({SettingCodes.INITIAL_WINDOW_SIZE: 2**31}, ErrorCodes.FLOW_CONTROL_ERROR),
        ({SettingCodes.ENABLE_PUSH: 2}, ErrorCodes.PROTOCOL_ERROR),
    ],
)
def test_from_upgrade_with_wrong_settings(settings: dict[int, int], code: ErrorCodes) -> None:
    """Settings that no SETTINGS frame may have are a violation there, too."""
    connection, (violation,) = upgraded(settings)
    assert isinstance(violation, ProtocolViolated)
    assert violation.error.error_code == code
    first, *_, goaway = frames_of(connection.data_to_send())
    assert isinstance(first, SettingsFrame)
    assert isinstance(goaway, GoAwayFrame)
    assert goaway.error_code == code
    assert connection.closing is Closing.GRACEFUL
