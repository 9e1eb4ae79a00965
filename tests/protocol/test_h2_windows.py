"""Content of requests, and how much of it the windows let come."""

from __future__ import annotations

import h2.events
import pytest
from h2.errors import ErrorCodes
from hyperframe.frame import (
    DataFrame,
    RstStreamFrame,
    SettingsFrame,
)

from tests.helpers.h2 import (
    MAX_FRAME_OCTETS,
    ONE,
    POST,
    Client,
    begin,
    frames_of,
    headers,
    is_open,
    kinds,
    kinds_of,
    open_connection,
    respond,
)
from wptproto.limits import Limits
from wptproto.protocol.events import (
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

LIMITS = Limits()
THREE = ExchangeId(3)
STREAM_WINDOW_OCTETS = LIMITS.h2_stream_window_octets
CONNECTION_WINDOW_OCTETS = LIMITS.h2_connection_window_octets


def upload(client: Client, octets: int, stream_id: int = 1) -> list[Event]:
    """Send so many octets of content."""
    events: list[Event] = []
    while octets:
        size = min(octets, MAX_FRAME_OCTETS)
        events += client.content(stream_id, bytes(size))
        octets -= size
    return events


def test_the_smallest_window_of_a_connection() -> None:
    """It has 65,535 octets at least (RFC 9113 §6.9.2), and then there is nothing to tell of it."""
    limits = Limits(h2_connection_window_octets=1)
    (settings,) = frames_of(H2Connection(Rules(limits)).data_to_send())
    assert isinstance(settings, SettingsFrame)


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


def data(stream_id: int, octets: int) -> bytes:
    """Return frames with so many octets of content."""
    sizes = [MAX_FRAME_OCTETS] * (octets // MAX_FRAME_OCTETS) + [octets % MAX_FRAME_OCTETS]
    return b"".join(DataFrame(stream_id, bytes(size)).serialize() for size in sizes)


@pytest.mark.parametrize(
    ("acknowledged", "before", "after", "fits"),
    [
        (False, 65535, 0, True),
        (False, 65536, 0, False),
        (True, 400, 600, True),
        (True, 400, 601, False),
        (True, 65535, 0, True),
        (True, 65535, 1, False),
    ],
)
def test_a_smaller_window(acknowledged: bool, before: int, after: int, fits: bool) -> None:
    """It counts when the client has acknowledged it, for the streams that are open, too (RFC 9113 §6.9.2)."""
    connection = open_connection(Limits(h2_stream_window_octets=1000))
    events = connection.receive_data(headers(1, POST, end=False).serialize() + data(1, before))
    if acknowledged:
        events += connection.receive_data(SettingsFrame(0, flags=["ACK"]).serialize())
    events += connection.receive_data(data(1, after) if after else b"")
    assert is_open(connection) is fits
    assert (ProtocolViolated in kinds(events)) is not fits


def test_a_smaller_window_opens_again() -> None:
    """A window that has become negative is open when its handler has consumed what was too much."""
    connection = open_connection(Limits(h2_stream_window_octets=1000))
    connection.receive_data(headers(1, POST, end=False).serialize() + data(1, 5000))
    connection.receive_data(SettingsFrame(0, flags=["ACK"]).serialize())
    connection.acknowledge(ONE, 5000)
    connection.receive_data(data(1, 1000))
    assert is_open(connection)
    connection.receive_data(data(1, 1))
    assert not is_open(connection)


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
    assert set(kinds(upload(client, STREAM_WINDOW_OCTETS // 8))) == {ContentReceived}
    assert kinds(client.content(1, b"x", end=True)) == [ContentReceived, RequestEnded]
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
    rest = DataFrame(1, bytes(MAX_FRAME_OCTETS)).serialize() * (after // 2**14)
    assert set(kinds(client.connection.receive_data(rest))) <= {ContentReceived, ExchangeReset}
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
    assert kinds(client.request(1, [(b"a", b"1")])) == [RequestEnded]
    assert kinds(client.raw(RstStreamFrame(3))) == [ExchangeReset]
    assert is_open(client.connection)
