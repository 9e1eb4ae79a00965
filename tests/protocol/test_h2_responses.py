"""Responses over HTTP/2: calls in, frames out."""

from __future__ import annotations

from collections.abc import Callable

import h2.events
import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hyperframe.frame import (
    DataFrame,
    HeadersFrame,
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
    respond,
    response_head,
)
from tests.helpers.over import assert_over
from wptproto.errors import ExchangeClosed, LocalProtocolError
from wptproto.protocol.events import (
    ContentReceived,
    ExchangeId,
    ExchangeReset,
    RequestEnded,
    RequestReceived,
    WindowOpened,
)
from wptproto.protocol.h2 import H2Connection
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import ResponseHead

THREE = ExchangeId(3)


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


HELLO = response_head(200, (b"content-length", b"5"))


def test_at_one_go() -> None:
    """A usual response goes at one go, and is what it is step by step."""
    client, other = Client(), Client()
    for each in (client, other):
        each.open()
        each.request(1)
    assert client.connection.respond(ONE, HELLO, b"hello") == []
    respond_with(other, HELLO, b"hello")
    assert client.connection.data_to_send() == other.connection.data_to_send()
    assert client.connection.respond(ONE, HELLO, b"hello") is None  # it is over
    client.connection.finish(ONE)


def respond_with(client: Client, head: ResponseHead, content: bytes) -> None:
    client.connection.send_head(ONE, head)
    client.connection.send_content(ONE, content, end=True)
    client.connection.finish(ONE)


@pytest.mark.parametrize(
    ("method", "head", "content", "window", "ended"),
    [
        (b"GET", HELLO, b"", 100, True),
        (b"GET", HELLO, b"hell", 100, True),
        (b"GET", HELLO, b"hello!", 100, True),
        (b"HEAD", HELLO, b"hello", 100, True),
        (b"GET", response_head(204), b"hello", 100, True),
        (b"GET", response_head(100), b"hello", 100, True),
        (b"GET", response_head(1000), b"hello", 100, True),
        (b"GET", HELLO, b"hello", 4, True),
        (b"POST", HELLO, b"hello", 100, False),
    ],
)
def test_not_at_one_go(method: bytes, head: ResponseHead, content: bytes, window: int, ended: bool) -> None:
    """What is unusual about a response, or has no room, has it sent step by step, as if nothing had been."""
    client = Client(initial_window=window)
    client.open()
    client.request(1, [(b":method", method), *REQUEST[1:]], end=ended)
    before = client.connection.window_state(ONE)
    assert client.connection.respond(ONE, head, content) is None
    assert client.connection.data_to_send() == b""
    assert client.connection.window_state(ONE) == before
    client.connection.send_head(ONE, HELLO)
    assert client.connection.respond(ONE, HELLO, b"hello") is None
