"""Frames by hand: as octets, and on a connection."""

from __future__ import annotations

import h2.events
import pytest
from h2.errors import ErrorCodes
from hpack import Decoder, Encoder
from hyperframe.frame import ContinuationFrame, DataFrame, HeadersFrame, RstStreamFrame

from tests.helpers.h2 import REQUEST, Client, begin, content_of, frames_of, respond, response_head
from wptproto.errors import ExchangeClosed, LocalProtocolError
from wptproto.h2_codes import CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS
from wptproto.protocol.connection import Closing
from wptproto.protocol.events import ExchangeId, ExchangeReset, ProtocolViolated
from wptproto.protocol.h1 import H1Connection
from wptproto.protocol.h2_frames import MAX_PAYLOAD_OCTETS, RawFrame
from wptproto.semantics.fields import FieldLine, Fields

PUSHED = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"localhost"), (b":path", b"/p")]


def test_serialize() -> None:
    """A frame is its length, type, flags, stream and payload (RFC 9113 §4.1), whatever they say."""
    octets = RawFrame(0xFA, 0xF1, 0x80000007, b"abc").serialize(1, Encoder())
    assert octets == b"\0\0\x03\xfa\xf1\x80\0\0\x07abc"


def test_field_block_fragments() -> None:
    """Field lines are compressed when they are sent, by the connection's own encoder."""
    encoder, decoder = Encoder(), Decoder()
    lines = ((b":status", b"200"), (b"x-long-name", b"x-long-value"))
    first, second = (RawFrame(HEADERS, 0, None, lines).serialize(1, encoder) for _ in range(2))
    assert len(second) < len(first)
    for octets in (first, second):
        assert tuple((bytes(n), bytes(v)) for n, v in decoder.decode(octets[9:], raw=True)) == lines


def test_no_frame_is_that_long() -> None:
    """A payload that the length cannot say is an error (RFC 9113 §4.1)."""
    with pytest.raises(LocalProtocolError, match="16777215 are the most"):
        RawFrame(DATA, payload=bytes(MAX_PAYLOAD_OCTETS + 1)).serialize(1, Encoder())


@pytest.mark.parametrize(
    ("frame", "ends"),
    [
        (RawFrame(DATA, END_STREAM), True),
        (RawFrame(HEADERS, END_STREAM | END_HEADERS, 1), True),
        (RawFrame(HEADERS, END_HEADERS), False),
        (RawFrame(DATA, END_STREAM, 3), False),
        (RawFrame(CONTINUATION, END_STREAM), False),
    ],
)
def test_ends_stream(frame: RawFrame, ends: bool) -> None:
    """END_STREAM ends a stream on HEADERS and DATA alone, and only its own."""
    assert frame.ends_stream(1) is ends


# --- on a connection -----------------------------------------------------------------------------


def _status(status: bytes, *lines: FieldLine) -> tuple[FieldLine, ...]:
    return ((b":status", status), *lines)


def test_an_end_by_frames() -> None:
    """What frames have ended is over, and the next stream goes on."""
    client, one = begin()
    connection = client.connection
    connection.send_frame(one, RawFrame(HEADERS, END_HEADERS, None, _status(b"204")))
    connection.send_frame(one, RawFrame(DATA, END_STREAM, None, b"x"))
    connection.finish(one)
    head, data = frames_of(connection.data_to_send())
    assert isinstance(head, HeadersFrame)
    assert isinstance(data, DataFrame)
    assert (data.data, set(data.flags)) == (b"x", {"END_STREAM"})
    client.request(3)
    connection.send_head(ExchangeId(3), response_head(), end=True)
    assert [type(frame) for frame in frames_of(connection.data_to_send())] == [HeadersFrame]


def test_an_end_is_added() -> None:
    """A stream whose frames have not ended it is ended when its handler is through."""
    client, one = begin()
    connection = client.connection
    connection.send_frame(one, RawFrame(HEADERS, 0, None, _status(b"204")))
    connection.send_frame(one, RawFrame(CONTINUATION, END_HEADERS, None, ((b"a", b"b"),)))
    connection.finish(one)
    client.pull()
    (response,) = [event for event in client.events if isinstance(event, h2.events.ResponseReceived)]
    assert response.headers == [(b":status", b"204"), (b"a", b"b")]
    assert any(isinstance(event, h2.events.StreamEnded) for event in client.events)


def test_frames_before_a_tracked_head() -> None:
    """An interim response by hand may come before a head that is not."""
    client, one = begin()
    connection = client.connection
    connection.send_frame(one, RawFrame(HEADERS, END_HEADERS, None, _status(b"103", (b"link", b"l"))))
    connection.send_head(one, response_head(200))
    connection.send_content(one, b"x", end=True)
    connection.finish(one)
    client.pull()
    kinds = [type(event).__name__ for event in client.events if getattr(event, "stream_id", 0)]
    assert kinds == ["InformationalResponseReceived", "ResponseReceived", "DataReceived", "StreamEnded"]


def test_content_behind_a_head_by_hand() -> None:
    """Content may follow a head that was a frame by hand."""
    client, one = begin()
    connection = client.connection
    connection.send_frame(one, RawFrame(HEADERS, END_HEADERS, None, _status(b"200")))
    assert connection.send_content(one, b"abc") == 3
    connection.finish(one)
    client.pull()
    assert b"".join(e.data for e in client.events if isinstance(e, h2.events.DataReceived)) == b"abc"
    assert any(isinstance(event, h2.events.StreamEnded) for event in client.events)


def test_an_end_by_frames_and_another() -> None:
    """Frames may end a stream that is ended once more, and the connection is none the worse."""
    client, one = begin()
    connection = client.connection
    connection.send_frame(one, RawFrame(DATA, END_STREAM))
    connection.send_head(one, response_head(), end=True)
    connection.finish(one)
    kinds = [type(frame).__name__ for frame in frames_of(connection.data_to_send())]
    assert kinds == ["DataFrame", "HeadersFrame"]
    assert connection.closing is Closing.NO


@pytest.mark.parametrize("content", [b"", b"abc"])
def test_a_promised_head_by_hand(content: bytes) -> None:
    """A promised response, too, may begin with frames by hand, go on otherwise, and be ended."""
    client, one = begin()
    connection = client.connection
    promised = connection.push(one, PUSHED).exchange_id
    connection.send_frame(promised, RawFrame(HEADERS, END_HEADERS, None, _status(b"200")))
    assert connection.send_content(promised, content) == len(content)
    connection.finish(promised)
    client.pull()
    assert b"".join(e.data for e in client.events if isinstance(e, h2.events.DataReceived)) == content
    assert any(isinstance(event, h2.events.StreamEnded) for event in client.events)


def test_a_head_by_hand_and_another() -> None:
    """Behind the end of a response whose head was a frame by hand, there is no other head."""
    client, one = begin()
    connection = client.connection
    connection.send_frame(one, RawFrame(HEADERS, END_HEADERS, None, _status(b"200")))
    connection.send_trailers(one, Fields([(b"a", b"b")]))
    with pytest.raises(LocalProtocolError, match="sent already"):
        connection.send_head(one, response_head())
    with pytest.raises(LocalProtocolError, match="103 after"):
        connection.send_informational(one, response_head(103))
    with pytest.raises(LocalProtocolError, match="content after its end"):
        connection.send_content(one, b"x")
    connection.finish(one)
    client.pull()
    assert any(isinstance(event, h2.events.StreamEnded) for event in client.events)


def test_frames_in_their_order() -> None:
    """Frames by hand stand where they were sent, among those that are not."""
    client, one = begin()
    connection = client.connection
    connection.send_head(one, response_head())
    connection.send_frame(one, RawFrame(CONTINUATION, 0, None, b"?"))
    connection.send_content(one, b"x", end=True)
    kinds = [type(frame) for frame in frames_of(connection.data_to_send())]
    assert kinds == [HeadersFrame, ContinuationFrame, DataFrame]


def test_room() -> None:
    """There is room for what the window grants, and no more than the client takes in one frame."""
    client, one = begin(initial_window=1000)
    connection = client.connection
    connection.send_head(one, response_head())
    assert connection.room(one) == 1000
    connection.send_content(one, bytes(990))
    assert connection.room(one) == 10
    client.pull()
    client.h2.increment_flow_control_window(100_000, 1)
    client.flush()
    assert connection.room(one) == 16384
    connection.send_content(one, b"", end=True)
    client.request(3)  # now the library forgets the first
    assert connection.room(one) == 0


def test_closed() -> None:
    """No frame, push or question is for a stream that is over."""
    client, one = begin()
    client.connection.abort(one)
    for call in (
        lambda: client.connection.send_frame(one, RawFrame(DATA)),
        lambda: client.connection.push(one, PUSHED),
        lambda: client.connection.room(one),
    ):
        with pytest.raises(ExchangeClosed):
            call()


def test_http_1_1_has_none() -> None:
    """HTTP/1.1 has neither frames nor server push, and says so."""
    connection = H1Connection()
    one = ExchangeId(1)
    for call in (
        lambda: connection.send_frame(one, RawFrame(DATA)),
        lambda: connection.push(one, PUSHED),
        lambda: connection.room(one),
    ):
        with pytest.raises(LocalProtocolError, match=r"has no (frames|server push)"):
            call()


# --- push ----------------------------------------------------------------------------------------


def test_push() -> None:
    """A promised request is answered as any other, on a stream of its own."""
    client, one = begin()
    connection = client.connection
    promised = connection.push(one, PUSHED)
    assert promised.exchange_id == 2
    assert (promised.head.method, promised.head.path, promised.has_content) == ("GET", b"/p", False)
    connection.send_head(promised.exchange_id, response_head(200, (b"a", b"b")))
    connection.send_content(promised.exchange_id, b"pushed", end=True)
    connection.finish(promised.exchange_id)
    connection.send_head(one, response_head(), end=True)
    connection.finish(one)
    client.pull()
    (pushed,) = [event for event in client.events if isinstance(event, h2.events.PushedStreamReceived)]
    assert (pushed.parent_stream_id, pushed.pushed_stream_id, pushed.headers) == (1, 2, PUSHED)
    data = [event for event in client.events if isinstance(event, h2.events.DataReceived)]
    assert [(event.stream_id, event.data) for event in data] == [(2, b"pushed")]
    ended = [event.stream_id for event in client.events if isinstance(event, h2.events.StreamEnded)]
    assert ended == [2, 1]


def test_no_informational_response_to_a_promised_request() -> None:
    """An error says so, and the promised response can still be sent."""
    client, one = begin()
    promised = client.connection.push(one, PUSHED).exchange_id
    with pytest.raises(LocalProtocolError, match="103 before a promised response"):
        client.connection.send_informational(promised, response_head(103))
    respond(client, promised)
    client.pull()
    assert content_of(client) == b"ok"


def test_push_on_a_chosen_stream() -> None:
    """The stream of a promise can be chosen; one that was used cannot (RFC 9113 §5.1.1)."""
    client, one = begin()
    assert client.connection.push(one, PUSHED, 8).exchange_id == 8
    with pytest.raises(LocalProtocolError, match="no push"):
        client.connection.push(one, PUSHED, 8)


def test_push_of_what_is_no_request() -> None:
    """A promise has to be a request."""
    client, one = begin()
    with pytest.raises(LocalProtocolError, match="promised: a request without"):
        client.connection.push(one, [(b":method", b"GET")])
    assert client.connection.data_to_send() == b""


def test_push_behind_the_end() -> None:
    """A response that has ended makes no promises (RFC 9113 §6.6), and can still be aborted."""
    client, one = begin(end=False)
    connection = client.connection
    connection.send_head(one, response_head(), end=True)
    with pytest.raises(LocalProtocolError, match="no push: the response has ended"):
        connection.push(one, PUSHED)
    connection.abort(one)
    assert [type(frame) for frame in frames_of(connection.data_to_send())] == [HeadersFrame, RstStreamFrame]


def test_push_to_who_wants_none() -> None:
    """A client that has switched pushes off gets none (RFC 9113 §6.5.2, SETTINGS_ENABLE_PUSH)."""
    client = Client()
    client.h2.local_settings.enable_push = 0
    client.h2.local_settings.acknowledge()
    client.open()
    client.request(1)
    with pytest.raises(LocalProtocolError, match="push"):
        client.connection.push(ExchangeId(1), PUSHED)


def test_the_client_refuses_a_push() -> None:
    """A client may reset what was promised (RFC 9113 §8.4); to reset what was not is an error."""
    client, one = begin()
    connection = client.connection
    promised = connection.push(one, PUSHED)
    client.pull()
    events = client.raw(RstStreamFrame(2, error_code=ErrorCodes.CANCEL))
    assert events == [ExchangeReset(promised.exchange_id, "the client reset the stream: CANCEL")]
    (violation,) = client.raw(RstStreamFrame(4, error_code=ErrorCodes.CANCEL))[-1:]
    assert isinstance(violation, ProtocolViolated)
    assert "stream 4, which is idle" in violation.error.reason


def test_requests_beside_a_push() -> None:
    """A stream that was promised takes nothing from the next request."""
    client, one = begin()
    client.connection.push(one, PUSHED)
    client.pull()
    client.request(3, REQUEST)
    client.connection.send_head(ExchangeId(3), response_head(), end=True)
    assert [type(frame) for frame in frames_of(client.connection.data_to_send())] == [HeadersFrame]
