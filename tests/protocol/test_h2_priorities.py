"""PRIORITY_UPDATE frames (RFC 9218 §7.1)."""

from __future__ import annotations

import pytest
from h2.errors import ErrorCodes
from hyperframe.frame import ExtensionFrame, SettingsFrame

from tests.helpers.h2 import (
    ONE,
    OPENING,
    POST,
    REQUEST,
    begin,
    frames_of,
    headers,
    is_open,
    open_connection,
    priority_update,
    respond,
)
from wptproto.limits import Limits
from wptproto.protocol.events import (
    Event,
    ExchangeId,
    PriorityUpdated,
    ProtocolViolated,
    RequestEnded,
    RequestReceived,
)
from wptproto.protocol.h2 import H2Connection
from wptproto.protocol.rules import Rules
from wptproto.semantics.priority import Priority

NO_RFC7540_PRIORITIES = 9


def begun(stream_id: int) -> bytes:
    return headers(stream_id, REQUEST).serialize()


def updates(events: list[Event]) -> list[tuple[int, Priority]]:
    return [(event.exchange_id, event.priority) for event in events if isinstance(event, PriorityUpdated)]


def test_a_stream_that_has_begun() -> None:
    """Each frame says all of it anew; what it leaves out is as if it had never been said (RFC 9218 §7)."""
    connection = open_connection()
    connection.receive_data(headers(1, POST, end=False).serialize())
    said = [b"u=1, i", b"u=5", b"i", b"", b"u=9"]
    octets = b"".join(priority_update(1, value).serialize() for value in said)
    assert updates(connection.receive_data(octets)) == [
        (1, Priority(1, incremental=True)),
        (1, Priority(5)),
        (1, Priority(3, incremental=True)),
        (1, Priority()),
        (1, Priority()),
    ]
    assert connection.data_to_send() == b""


def test_a_stream_that_has_not_begun() -> None:
    """The last of them counts once the stream has, and only then; those that never will are forgotten."""
    connection = open_connection()
    early = [(3, b"u=1"), (5, b"u=2"), (7, b"u=3"), (5, b"u=6")]
    octets = b"".join(priority_update(stream_id, value).serialize() for stream_id, value in early)
    assert connection.receive_data(octets) == []
    assert updates(connection.receive_data(begun(1))) == []
    events = connection.receive_data(begun(5))
    assert [type(event) for event in events] == [RequestReceived, PriorityUpdated, RequestEnded]
    assert updates(events) == [(5, Priority(6))]
    assert updates(connection.receive_data(priority_update(3, b"u=0").serialize())) == []
    assert updates(connection.receive_data(begun(7))) == [(7, Priority(3))]
    assert updates(connection.receive_data(begun(9))) == []


def test_a_stream_that_is_over() -> None:
    """Of a stream that has closed it is discarded."""
    client, exchange_id = begin()
    respond(client, exchange_id)
    assert client.connection.receive_data(priority_update(1).serialize()) == []
    assert is_open(client.connection)


def test_a_stream_of_ours() -> None:
    """A pushed response has a priority as any other."""
    client, exchange_id = begin(POST, end=False)
    client.connection.push(exchange_id, list(REQUEST))
    assert updates(client.connection.receive_data(priority_update(2).serialize())) == [(2, Priority(1))]
    *_, violation = client.connection.receive_data(priority_update(4).serialize())
    assert isinstance(violation, ProtocolViolated)
    assert "cannot know of" in violation.error.reason


def test_what_does_not_parse() -> None:
    """It changes nothing."""
    connection = open_connection()
    octets = priority_update(1, b"u=1").serialize() + priority_update(1, b"u=2, (").serialize() + begun(1)
    assert updates(connection.receive_data(octets)) == [(1, Priority(1))]
    assert connection.receive_data(priority_update(1, b"u=\xff").serialize()) == []


@pytest.mark.parametrize(
    ("frame", "code", "why"),
    [
        (priority_update(1, stream_id=1), ErrorCodes.PROTOCOL_ERROR, "on stream 1"),
        (priority_update(0), ErrorCodes.PROTOCOL_ERROR, "for stream 0"),
        (priority_update(2), ErrorCodes.PROTOCOL_ERROR, "for stream 2"),
        (ExtensionFrame(0x10, 0), ErrorCodes.FRAME_SIZE_ERROR, "of 0 octets"),
    ],
)
def test_what_ends_the_connection(frame: ExtensionFrame, code: ErrorCodes, why: str) -> None:
    """It has to stand on no stream, and be about one that the client may know of."""
    connection = open_connection()
    connection.receive_data(begun(1))
    *_, violation = connection.receive_data(frame.serialize())
    assert isinstance(violation, ProtocolViolated)
    assert violation.error.error_code == code
    assert why in violation.error.reason


def test_more_streams_than_there_may_be() -> None:
    """
    Those that have not begun and those that are active "MUST NOT exceed the value of the
    SETTINGS_MAX_CONCURRENT_STREAMS parameter" (RFC 9218 §7.1); those that we have opened do not count.
    """
    connection = open_connection(Limits(h2_concurrent_streams=3))
    connection.receive_data(headers(1, POST, end=False).serialize())
    connection.push(ONE, list(REQUEST))
    connection.push(ONE, list(REQUEST))
    for stream_id in (3, 5, 3, 5):
        assert connection.receive_data(priority_update(stream_id).serialize()) == []
    *_, violation = connection.receive_data(priority_update(7).serialize())
    assert isinstance(violation, ProtocolViolated)
    assert "past the limit h2_concurrent_streams: more than 3" in violation.error.reason


def test_clients_are_told() -> None:
    """SETTINGS say that priorities of RFC 7540 are ignored, for then clients send these (RFC 9218 §2.1)."""
    for rules in (Rules(Limits()), Rules(Limits(h2_stream_window_octets=1000))):
        settings, *_ = frames_of(H2Connection(rules).data_to_send())
        assert isinstance(settings, SettingsFrame)
        assert settings.settings[NO_RFC7540_PRIORITIES] == 1


@pytest.mark.parametrize("value", [0, 1, 2])
def test_what_clients_say(value: int) -> None:
    """ "The value of SETTINGS_NO_RFC7540_PRIORITIES MUST be 0 or 1." (RFC 9218 §2.1)"""
    connection = H2Connection()
    connection.receive_data(OPENING)
    events = connection.receive_data(SettingsFrame(0, {NO_RFC7540_PRIORITIES: value}).serialize())
    assert [type(event) for event in events] == ([ProtocolViolated] if value == 2 else [])


def test_inside_a_block() -> None:
    """No frame may stand inside a field block, this one neither (RFC 9113 §4.3)."""
    connection = open_connection()
    block = headers(1, REQUEST)
    block.flags.discard("END_HEADERS")
    (violation,) = connection.receive_data(block.serialize() + priority_update(1).serialize())
    assert isinstance(violation, ProtocolViolated)
    assert connection.receive_data(begun(ExchangeId(3))) == []
