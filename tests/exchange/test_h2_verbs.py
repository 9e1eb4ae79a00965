"""H2ResponseWriter: the verbs that HTTP/2 alone has."""

from __future__ import annotations

import io
from collections.abc import Callable

import h2.events
import pytest
from hyperframe.frame import ContinuationFrame, DataFrame, HeadersFrame

from tests.exchange.test_h2_writer import Wire
from tests.helpers.h2 import frames_of
from wptproto import ExchangeClosed, H2ResponseWriter, LocalProtocolError

PROMISE = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/pushed")]


@pytest.fixture
def wire() -> Wire:
    return Wire()


def writer_of(wire: Wire) -> H2ResponseWriter:
    assert isinstance(wire.writer, H2ResponseWriter)
    return wire.writer


def sent(wire: Wire) -> list[tuple[type, int, set[str]]]:
    """Return what was sent since the last look: each frame's class, stream and flags."""
    frames = frames_of(wire.connection.data_to_send())
    return [(type(frame), frame.stream_id, set(frame.flags)) for frame in frames]


def kinds(wire: Wire) -> list[str]:
    return [type(event).__name__ for event in wire.events()]


def test_just_these_fields(wire: Wire) -> None:
    """A head holds what it was given, and nothing else; the end is added when the handler is through."""
    writer = writer_of(wire)
    writer.write_headers([("server", "mine"), (b"X-Test", 1)], 202, "dropped")
    writer.write_data_frame("TEST", False)
    wire.exchange.finish()
    head, data, _, ended = wire.events()
    assert isinstance(head, h2.events.ResponseReceived)
    assert head.headers == [(b":status", b"202"), (b"server", b"mine"), (b"x-test", b"1")]
    assert isinstance(data, h2.events.DataReceived)
    assert data.data == b"TEST"
    assert isinstance(ended, h2.events.StreamEnded)


def test_the_last(wire: Wire) -> None:
    """What is called the last carries END_STREAM; nothing can follow, and the handler's end adds nothing."""
    writer = writer_of(wire)
    writer.write_headers([], 200)
    writer.write_data("a")
    writer.write_data("b", last=True)
    assert writer.ended
    assert sent(wire) == [
        (HeadersFrame, 1, {"END_HEADERS"}),
        (DataFrame, 1, set()),
        (DataFrame, 1, {"END_STREAM"}),
    ]
    more: list[Callable[[], object]] = [
        lambda: writer.write_data("c"),
        lambda: writer.write_content("c"),
        writer.end_stream,
    ]
    for write in more:
        with pytest.raises(LocalProtocolError, match="ended already"):
            write()
    wire.exchange.finish()
    assert sent(wire) == []


def test_a_head_that_is_the_last(wire: Wire) -> None:
    """A response may be a head alone."""
    writer_of(wire).write_headers([], 200, last=True)
    assert sent(wire) == [(HeadersFrame, 1, {"END_HEADERS", "END_STREAM"})]


def test_end_stream(wire: Wire) -> None:
    """end_stream ends what has a head."""
    writer = writer_of(wire)
    with pytest.raises(LocalProtocolError, match="before the headers"):
        writer.end_stream()
    writer.write_headers([], 200)
    writer.end_stream()
    assert sent(wire)[-1] == (DataFrame, 1, {"END_STREAM"})


def test_interim_heads(wire: Wire) -> None:
    """A 1xx head may come before another; a second final one is an error."""
    writer = writer_of(wire)
    writer.write_headers([("link", "a")], 103)
    assert not writer.committed
    writer.write_headers([], 200)
    with pytest.raises(LocalProtocolError, match="written already"):
        writer.write_headers([], 200)
    assert kinds(wire) == ["InformationalResponseReceived", "ResponseReceived"]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_no_content(method: str, status: int) -> None:
    """Where HTTP has no content the head ends the stream, and content goes nowhere."""
    wire = Wire(method)
    writer = writer_of(wire)
    writer.write_headers([("content-length", 3)] if status != 204 else [], status)
    writer.write_data("abc", last=True)
    wire.exchange.finish()
    assert sent(wire) == [(HeadersFrame, 1, {"END_HEADERS", "END_STREAM"})]


def test_files(wire: Wire) -> None:
    """A file is sent from its beginning, in pieces, of which the last may end the stream."""
    writer = writer_of(wire)
    writer.file_chunk_size = 4
    writer.write_headers([], 200)
    file = io.BytesIO(b"0123456789")
    file.read(5)
    writer.write_data(file, last=True)
    writer_frames = frames_of(wire.connection.data_to_send())[1:]
    assert [(frame.data, set(frame.flags)) for frame in writer_frames if isinstance(frame, DataFrame)] == [
        (b"0123", set()),
        (b"4567", set()),
        (b"89", {"END_STREAM"}),
    ]


def test_content_behind_the_shared_verbs(wire: Wire) -> None:
    """A head by the verbs of both protocols may be followed by content of these."""
    wire.response.status = 201
    wire.response.write_status_headers()
    writer_of(wire).write_data("a", last=True)
    wire.exchange.finish()
    assert kinds(wire) == ["ResponseReceived", "DataReceived", "StreamEnded"]


def test_payload_size(wire: Wire) -> None:
    """The payload's size is what window and settings leave; a stranger's stream is none to ask about."""
    writer = writer_of(wire)
    assert writer.get_max_payload_size() == 16384
    writer.write_headers([], 200)
    writer.write_data(bytes(60000))
    assert writer.get_max_payload_size() == 65535 - 60000
    with pytest.raises(LocalProtocolError, match="neither this request's"):
        writer.get_max_payload_size(7)


def test_frames(wire: Wire) -> None:
    """HEADERS and CONTINUATION by hand are one field block, which leaves together."""
    writer = writer_of(wire)
    writer.write_raw_header_frame([(":status", "204")])
    assert sent(wire) == []
    writer.write_raw_continuation_frame([("server", "TEST-H2")], end_headers=True)
    wire.exchange.finish()
    assert sent(wire) == [
        (HeadersFrame, 1, set()),
        (ContinuationFrame, 1, {"END_HEADERS"}),
        (DataFrame, 1, {"END_STREAM"}),
    ]


def test_a_fragment_alone(wire: Wire) -> None:
    """A field block without its end leaves by flush(), too."""
    writer = writer_of(wire)
    writer.write_raw_header_frame([(":status", "204")], end_stream=True)
    writer.flush()
    assert sent(wire) == [(HeadersFrame, 1, {"END_STREAM"})]
    wire.exchange.finish()
    assert sent(wire) == []


def test_any_stream_and_class(wire: Wire) -> None:
    """A frame by hand may be of any type that has fields, and on any stream."""
    writer = writer_of(wire)
    writer.write_raw_header_frame([("a", "b")], 9, end_headers=True, frame_cls=ContinuationFrame)
    writer.write_raw_data_frame("x", 11, end_stream=True)
    assert sent(wire) == [(ContinuationFrame, 9, {"END_HEADERS"}), (DataFrame, 11, {"END_STREAM"})]
    assert not writer.ended


def test_data_frames(wire: Wire) -> None:
    """DATA by hand does not ask for a window."""
    writer = writer_of(wire)
    wire.response.write_status_headers()
    writer.write_raw_data_frame(bytes(70000), end_stream=True)
    wire.exchange.finish()
    assert sent(wire)[1:] == [(DataFrame, 1, {"END_STREAM"})]


def test_interim_frames_before_a_response(wire: Wire) -> None:
    """Behind an interim head by hand the response may be filled in as ever, or be an error."""
    writer = writer_of(wire)
    writer.write_raw_header_frame([(":status", "103"), ("link", "x")], end_headers=True)
    assert not writer.content_written
    assert not writer.committed
    wire.response.content = "content"
    wire.response.write()
    wire.exchange.finish()
    assert kinds(wire) == [
        "InformationalResponseReceived",
        "ResponseReceived",
        "DataReceived",
        "DataReceived",
        "StreamEnded",
    ]


# --- push ----------------------------------------------------------------------------------------


def test_push(wire: Wire) -> None:
    """A push is a promise and its response."""
    writer = writer_of(wire)
    assert writer.write_push(PROMISE, None, 203, [("a", "b")], "pushed") == 2
    wire.response.content = "own"
    wire.response.write()
    wire.exchange.finish()
    events = wire.client.receive_data(wire.connection.data_to_send())
    (promise,) = [event for event in events if isinstance(event, h2.events.PushedStreamReceived)]
    assert promise.headers is not None
    assert (promise.pushed_stream_id, promise.headers[3]) == (2, (b":path", b"/pushed"))
    heads = {
        event.stream_id: event.headers[0][1]
        for event in events
        if isinstance(event, h2.events.ResponseReceived) and event.headers is not None
    }
    assert heads == {2: b"203", 1: b"200"}
    content = {e.stream_id: e.data for e in events if isinstance(e, h2.events.DataReceived) if e.data}
    assert content == {2: b"pushed", 1: b"own"}
    assert {e.stream_id for e in events if isinstance(e, h2.events.StreamEnded)} == {1, 2}


def test_push_step_by_step(wire: Wire) -> None:
    """A promise may be answered later, by its stream's number; its end is added."""
    writer = writer_of(wire)
    stream_id = writer.write_push(PROMISE, 6)
    assert stream_id == 6
    writer.write_headers([("a", "b")], 200, stream_id=stream_id)
    writer.write_data("x", stream_id=stream_id)
    writer.write_headers([], 200, last=True)
    wire.exchange.finish()
    assert [stream for _, stream, _ in sent(wire)] == [1, 6, 6, 1, 6]


def test_push_without_content(wire: Wire) -> None:
    """A pushed response may be a head alone, or ended by itself."""
    writer = writer_of(wire)
    writer.write_push(PROMISE, None, 204, [])
    second = writer.write_push(PROMISE)
    writer.write_headers([], 200, stream_id=second)
    writer.end_stream(second)
    wire.response.write()
    wire.exchange.finish()
    ended = [stream for _, stream, flags in sent(wire) if "END_STREAM" in flags]
    assert ended == [2, 4, 1]


@pytest.mark.parametrize("end", ["finish", "abort", "restart"])
def test_a_promise_that_is_not_kept(wire: Wire, end: str) -> None:
    """A promise nobody answered is reset when its handler is through, however that ends."""
    writer = writer_of(wire)
    writer.write_push(PROMISE)
    if end == "finish":
        wire.response.write()
        wire.exchange.finish()
    elif end == "abort":
        wire.exchange.abort("a test")
    else:
        wire.exchange.restart()
    resets = [event for event in wire.events() if isinstance(event, h2.events.StreamReset)]
    assert 2 in [event.stream_id for event in resets]


def test_pushes_that_cannot_be(wire: Wire) -> None:
    """A push needs a status for its head, a promise that is a request, and a client that wants it."""
    writer = writer_of(wire)
    with pytest.raises(LocalProtocolError, match="needs a status"):
        writer.write_push(PROMISE, response_headers=[])
    with pytest.raises(LocalProtocolError, match="promised: a request without"):
        writer.write_push([(":method", "GET")])
    wire.exchange.abort("a test")
    with pytest.raises(ExchangeClosed):
        writer.write_push(PROMISE)
