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
    MAX_FRAME_OCTETS,
    ONE,
    OPENING,
    POST,
    REQUEST,
    Client,
    begin,
    content_of,
    frames_of,
    headers,
    is_open,
    kinds,
    open_connection,
    respond,
    response_head,
)
from tests.helpers.over import assert_over
from wptproto.errors import ExchangeClosed, LocalProtocolError
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
from wptproto.protocol.h2 import FRAMES_A_TURN, H2Connection
from wptproto.protocol.h2_frames import PREFACE
from wptproto.semantics.fields import Fields

THREE = ExchangeId(3)


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


def test_nothing_waits_for_who_is_gone() -> None:
    """A connection that closes has no backlog."""
    connection = open_connection()
    connection.receive_data(PingFrame(0).serialize() * (FRAMES_A_TURN + 1))
    assert connection.has_backlog
    connection.close()
    assert not connection.has_backlog
    assert connection.receive_data(b"") == []


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
    assert client.raw(RstStreamFrame(1, 4711)) == [ExchangeReset(ONE, "the client reset the stream: 0x1267")]


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
