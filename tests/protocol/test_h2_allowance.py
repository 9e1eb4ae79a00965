"""What costs a client nothing, counted for each connection and second."""

from __future__ import annotations

import pytest
from h2.errors import ErrorCodes
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.helpers.h2 import REQUEST, frames_of, headers, open_connection, priority_update, response_head
from wptproto.limits import Limits
from wptproto.protocol.connection import Closing
from wptproto.protocol.events import ExchangeId, ProtocolViolated
from wptproto.protocol.h2 import H2Connection
from wptproto.protocol.h2_allowance import AT_ONCE_S, OCTETS_PER_UPDATE

ONE = ExchangeId(1)
POST = [(b":method", b"POST"), *REQUEST[1:]]

# What a flood is made of, and which limit it meets. Stream 1 is open for content.
FLOODS: list[tuple[str, Frame]] = [
    (
        "h2_resets_per_s",
        DataFrame(3, b"x"),
    ),  # of a stream that the client reset: each is answered
    ("h2_resets_per_s", DataFrame(5, b"x")),  # of a stream that we reset
    ("h2_resets_per_s", RstStreamFrame(3)),
    ("h2_settings_per_s", SettingsFrame(0)),
    ("h2_settings_per_s", SettingsFrame(0, flags=["ACK"])),
    ("h2_pings_per_s", PingFrame(0)),
    ("h2_pings_per_s", PingFrame(0, flags=["ACK"])),
    ("h2_priorities_per_s", PriorityFrame(7)),
    ("h2_priorities_per_s", priority_update()),
    ("h2_window_updates_per_s", WindowUpdateFrame(0, 1)),
    ("h2_window_updates_per_s", WindowUpdateFrame(1, 1)),
    ("h2_empty_frames_per_s", DataFrame(1)),
    ("h2_empty_frames_per_s", DataFrame(1, pad_length=3, flags=["PADDED"])),
    ("h2_other_frames_per_s", ExtensionFrame(0x42, 0)),
    ("h2_other_frames_per_s", GoAwayFrame(0)),
]


NAMES = {name for name, _ in FLOODS}


def opened(limits: Limits) -> H2Connection:
    """Return a connection with a request that goes on, and two that were reset, one by each side."""
    connection = open_connection(limits)
    for stream_id in (1, 3, 5):
        connection.receive_data(headers(stream_id, POST, end=False).serialize())
    connection.receive_data(RstStreamFrame(3).serialize())
    connection.abort(ExchangeId(5))
    connection.tick(100.0)  # what this took is given back
    connection.data_to_send()
    return connection


def is_calm(connection: H2Connection) -> bool:
    return connection.closing is Closing.NO


@pytest.mark.parametrize(("name", "frame"), FLOODS, ids=lambda value: getattr(value, "name", value))
def test_a_flood(name: str, frame: Frame) -> None:
    """Past its limit, a frame that costs nothing ends the connection, with the limit's name."""
    connection = opened(Limits(**{name: 2}))
    octets = frame.serialize()
    for _ in range(2 * AT_ONCE_S):
        assert not any(isinstance(event, ProtocolViolated) for event in connection.receive_data(octets))
    assert is_calm(connection)
    connection.data_to_send()
    *_, violation = connection.receive_data(octets)
    assert isinstance(violation, ProtocolViolated)
    assert violation.error.reason == f"past the limit {name}: more than 2 in a second, and 20 at once"
    *_, goaway = frames_of(connection.data_to_send())
    assert isinstance(goaway, GoAwayFrame)
    assert goaway.error_code == ErrorCodes.ENHANCE_YOUR_CALM
    assert name.encode() in goaway.additional_data
    assert connection.closing is Closing.GRACEFUL


@pytest.mark.parametrize(("name", "frame"), FLOODS, ids=lambda value: getattr(value, "name", value))
def test_time_gives_back(name: str, frame: Frame) -> None:
    """What keeps within its rate goes on for ever, and a pause gives all of it back."""
    connection = opened(Limits(**{name: 2}))
    now_s = 100.0
    for _ in range(100):
        now_s += 0.5
        connection.tick(now_s)
        connection.receive_data(frame.serialize())
    connection.tick(now_s + AT_ONCE_S)
    for _ in range(2 * AT_ONCE_S):
        connection.receive_data(frame.serialize())
    assert is_calm(connection)


def test_the_preface_is_not_counted() -> None:
    """The preface is no frame, and its SETTINGS are all that is counted of a plain request."""
    connection = open_connection(Limits(**{**dict.fromkeys(NAMES, 0), "h2_settings_per_s": 1}))
    connection.receive_data(headers(1).serialize())
    assert is_calm(connection)


def test_rapid_reset() -> None:
    """Requests that are reset as they are made are counted."""
    connection = open_connection(Limits(h2_resets_per_s=1))
    encoder = Encoder()
    for number in range(AT_ONCE_S + 1):
        assert is_calm(connection)
        stream_id = 2 * number + 1
        connection.receive_data(headers(stream_id, encoder=encoder).serialize())
        connection.receive_data(RstStreamFrame(stream_id).serialize())
    assert not is_calm(connection)


@pytest.mark.parametrize("lines", [REQUEST[:3], [*REQUEST, (b"content-length", b"1")]])
def test_provoked_resets(lines: list[tuple[bytes, bytes]]) -> None:
    """So are requests that are malformed, so that it is us who resets them."""
    connection = open_connection(Limits(h2_resets_per_s=1))
    encoder = Encoder()
    for number in range(AT_ONCE_S + 1):
        assert is_calm(connection)
        connection.receive_data(headers(2 * number + 1, lines, encoder=encoder).serialize())
    assert not is_calm(connection)


def test_our_own_resets() -> None:
    """Handlers that cut their responses off are not the client's doing."""
    connection = open_connection(Limits(h2_resets_per_s=1))
    encoder = Encoder()
    for number in range(10 * AT_ONCE_S):
        connection.receive_data(headers(2 * number + 1, encoder=encoder).serialize())
        connection.abort(ExchangeId(2 * number + 1))
    assert is_calm(connection)


def test_field_block_fragments() -> None:
    """CONTINUATION frames are counted, and the octets of a field block have their limit, too."""
    connection = open_connection(Limits(h2_continuations_per_s=1))
    connection.receive_data(HeadersFrame(1, b"").serialize())
    connection.receive_data(ContinuationFrame(1).serialize() * AT_ONCE_S)
    assert is_calm(connection)
    (violation,) = connection.receive_data(ContinuationFrame(1).serialize())
    assert isinstance(violation, ProtocolViolated)
    assert "h2_continuations_per_s" in violation.error.reason


def test_field_block_octets() -> None:
    """A field block that does not end is given up where its limit is."""
    connection = open_connection(Limits(field_section_octets=1000))
    connection.receive_data(HeadersFrame(1, bytes(600)).serialize())
    (violation,) = connection.receive_data(ContinuationFrame(1, bytes(401)).serialize())
    assert isinstance(violation, ProtocolViolated)
    assert violation.error.reason == "past the limit field_section_octets: more than 1000"
    assert violation.error.error_code == ErrorCodes.ENHANCE_YOUR_CALM


def test_many_fragments() -> None:
    """A field block may come in as many frames as it has octets."""
    connection = open_connection()
    block = Encoder().encode([*REQUEST, *((b"a%d" % number, b"") for number in range(30))])
    frames: list[Frame] = [HeadersFrame(1, b"", flags=["END_STREAM"])]
    frames += [ContinuationFrame(1, bytes([octet])) for octet in block]
    frames[-1].flags.add("END_HEADERS")
    events = []
    for frame in frames:
        events += connection.receive_data(frame.serialize())
    assert [type(event).__name__ for event in events] == ["RequestReceived", "RequestEnded"]


def test_content_explains_window_updates() -> None:
    """A client that opens its windows again for each piece of content it was sent is not counted."""
    connection = opened(Limits(h2_window_updates_per_s=0))
    connection.send_head(ONE, response_head(200))
    for _ in range(50):
        assert connection.send_content(ONE, bytes(2 * OCTETS_PER_UPDATE)) == 2 * OCTETS_PER_UPDATE
        connection.receive_data(WindowUpdateFrame(0, 2 * OCTETS_PER_UPDATE).serialize())
        connection.receive_data(WindowUpdateFrame(1, 2 * OCTETS_PER_UPDATE).serialize())
    assert is_calm(connection)
    connection.receive_data(WindowUpdateFrame(0, 1).serialize())
    assert not is_calm(connection)


def test_content_is_not_counted() -> None:
    """Neither small DATA frames, nor empty ones that end the request, cost anything of it."""
    connection = opened(Limits(h2_empty_frames_per_s=0))
    connection.receive_data(DataFrame(1, b"x").serialize() * 100)
    connection.receive_data(DataFrame(1, flags=["END_STREAM"]).serialize())
    assert is_calm(connection)


@pytest.mark.parametrize(("name", "frame"), FLOODS, ids=lambda value: getattr(value, "name", value))
def test_no_limits(name: str, frame: Frame) -> None:
    """A test that wants no limits has none."""
    connection = opened(Limits.none())
    for _ in range(200):
        connection.receive_data(frame.serialize() * 100)
    assert is_calm(connection)
