"""H2ResponseWriter: one stream's frames."""

from __future__ import annotations

import h2.config
import h2.connection
import h2.events
import pytest
from hyperframe.frame import DataFrame

from tests.helpers.inline import InlineBridge, begin
from wptproto import H2ResponseWriter, LocalProtocolError
from wptproto.exchange.exchange import Exchange
from wptproto.protocol.h2 import H2Connection


class Wire:
    """An exchange over HTTP/2, and what its client makes of it."""

    def __init__(self, method: str = "GET") -> None:
        self.client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        self.client.initiate_connection()
        self.client.send_headers(
            1,
            [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", "/")],
            end_stream=True,
        )
        self.connection = H2Connection()
        self.exchange: Exchange
        self.bridge: InlineBridge
        preface = self.connection.data_to_send()
        self.client.receive_data(preface)
        self.exchange, self.bridge = begin(self.connection, self.client.data_to_send())
        self.response = self.exchange.response
        self.writer = self.response.writer

    def events(self) -> list[h2.events.Event]:
        return [
            event
            for event in self.client.receive_data(self.connection.data_to_send())
            if getattr(event, "stream_id", 0)
        ]


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_nothing_leaves_before_the_head_is_complete(wire: Wire) -> None:
    """A head is one field section; then each part is flushed (RFC 9113 §8.1)."""
    wire.response.add_required_headers = False
    wire.writer.write_status(200, "dropped")
    wire.writer.write_header("X", "1")
    assert wire.events() == []
    wire.writer.end_headers()
    (head,) = wire.events()
    assert isinstance(head, h2.events.ResponseReceived)
    assert head.headers == [(b":status", b"200"), (b"x", b"1")]
    wire.writer.write("a")
    (data,) = wire.events()
    assert isinstance(data, h2.events.DataReceived)
    assert data.data == b"a"


def test_a_ready_response_is_two_frames(wire: Wire) -> None:
    """A response that was filled in ends with its last DATA frame."""
    wire.response.content = "content"
    wire.response.explicit_flush = True
    wire.response.write()
    wire.exchange.finish()
    assert wire.bridge.crossings == [["SendHead", "SendContent", "Finish"]]
    head, data, end = wire.events()
    assert isinstance(head, h2.events.ResponseReceived)
    assert isinstance(data, h2.events.DataReceived)
    assert data.stream_ended is end


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_content_is_one_frame(method: str) -> None:
    """Without content, HEADERS ends the stream."""
    wire = Wire(method)
    wire.response.content = "" if method == "GET" else "content"
    wire.response.write()
    wire.exchange.finish()
    head = wire.events()[0]
    assert isinstance(head, h2.events.ResponseReceived)
    assert (head.stream_ended is not None) is (method == "HEAD")


@pytest.mark.parametrize(("method", "status"), [("GET", b"304"), ("GET", b"204"), ("HEAD", b"200")])
def test_no_content_by_hand_is_one_frame(method: str, status: bytes) -> None:
    """Nor does the length that a GET would have had, in a head by hand, promise any (RFC 9113 §8.1.1)."""
    wire = Wire(method)
    wire.writer.write(b"HTTP/1.1 %b X\r\nContent-Length: 2\r\n\r\n" % status)
    wire.exchange.finish()
    head, end = wire.events()
    assert isinstance(head, h2.events.ResponseReceived)
    assert head.stream_ended is end


def test_no_content_held_is_one_frame(wire: Wire) -> None:
    """A head that waits for its end leaves with END_STREAM."""
    wire.response.explicit_flush = True
    wire.response.write()
    wire.exchange.finish()
    head = wire.events()[0]
    assert isinstance(head, h2.events.ResponseReceived)
    assert head.stream_ended is not None


@pytest.mark.parametrize("status", [101, 199, 1000, 99])
def test_a_status_that_http2_does_not_have(wire: Wire, status: int) -> None:
    """What HTTP/2 cannot say is an error of the script, before anything is sent."""
    wire.writer.write_status(status)
    if 100 < status < 200 and status != 101:
        wire.writer.end_headers()
        assert isinstance(wire.events()[0], h2.events.InformationalResponseReceived)
        return
    with pytest.raises(LocalProtocolError, match=str(status)):
        wire.writer.end_headers()
    assert wire.events() == []


def test_frames_by_hand(wire: Wire) -> None:
    """write_raw sends whole frames as they are, and nothing is added behind them."""
    assert isinstance(wire.writer, H2ResponseWriter)
    wire.writer.write_status(200)
    wire.writer.end_headers()
    frame = DataFrame(1, b"raw", flags=["END_STREAM"])
    wire.writer.write_raw(frame.serialize())
    wire.exchange.finish()
    _, data, end = wire.events()
    assert isinstance(data, h2.events.DataReceived)
    assert (data.data, isinstance(end, h2.events.StreamEnded)) == (b"raw", True)
    assert wire.connection.data_to_send() == b""


# --- interim responses, trailers and promises ----------------------------------------------------


def test_informational(wire: Wire) -> None:
    """An interim response is a HEADERS frame by itself, and no part of the final one."""
    wire.writer.write_informational(103, {"Link": "</a>", "Connection": "dropped"})
    (event,) = wire.events()
    assert isinstance(event, h2.events.InformationalResponseReceived)
    assert event.headers == [(b":status", b"103"), (b"link", b"</a>")]
    assert (wire.writer.content_written, wire.writer.committed) == (False, False)
    wire.response.write(ends=True)
    wire.exchange.finish()
    assert isinstance(wire.events()[0], h2.events.ResponseReceived)


@pytest.mark.parametrize("content", ["content", ""])
def test_trailers_end_the_stream(wire: Wire, content: str) -> None:
    """The last HEADERS frame is the trailers (RFC 9113 §8.1); all of it goes over once."""
    wire.response.content = content
    wire.response.trailers.set("X-Sum", 7)
    wire.response.write(ends=True)
    wire.exchange.finish()
    (crossing,) = wire.bridge.crossings
    assert crossing == ["SendHead", *(["SendContent"] if content else []), "SendTrailers", "Finish"]
    *_, trailers, end = wire.events()
    assert isinstance(trailers, h2.events.TrailersReceived)
    assert trailers.headers == [(b"x-sum", b"7")]
    assert trailers.stream_ended is end


def test_trailers_behind_octets_by_hand(wire: Wire) -> None:
    """Of a response by hand they are for that hand to write."""
    wire.response.trailers.set("X", "y")
    wire.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
    wire.exchange.finish()
    assert not any(isinstance(event, h2.events.TrailersReceived) for event in wire.events())


def test_a_promise_for_the_server(wire: Wire) -> None:
    """A promise is a request beside the client's own, with its host, and comes before what was held back."""
    wire.response.explicit_flush = True
    wire.response.content = "content"
    wire.response.write()
    assert wire.response.can_push
    assert wire.response.push("/a?b", [("X-A", 1)], "HEAD") == 2
    (promise,) = wire.client.receive_data(wire.connection.data_to_send())
    assert isinstance(promise, h2.events.PushedStreamReceived)
    assert promise.headers == [
        (b":method", b"HEAD"),
        (b":scheme", b"http"),
        (b":authority", b"a"),
        (b":path", b"/a?b"),
        (b"x-a", b"1"),
    ]
    wire.exchange.finish()
    assert not wire.response.can_push
