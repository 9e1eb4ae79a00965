"""H2Wire: what a test hears and says on an HTTP/2 connection, frame by frame."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

import pytest

from tests.helpers.waiting import assert_soon
from tests.wire.conftest import Go, MakeH2
from tests.wire.helpers import GET, Sender, frames_from
from wptproto import ConfigError, ExchangeClosed, WireError
from wptproto.h2_codes import FrameKind as K
from wptproto.protocol.h2_field_blocks import FieldBlockDecoder
from wptproto.protocol.h2_frames import PREFACE
from wptproto.wire import (
    CONTINUATION,
    DATA,
    GOAWAY,
    HEADERS,
    PING,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Ending,
    ErrorCode,
    Indexed,
    Literal,
    MalformedFrame,
    PriorityFields,
    Setting,
    TableSize,
    build,
)

OPEN, ENDED = 0x4, 0x5


# --- hearing -----------------------------------------------------------------------------------


def test_it_does_what_a_server_has_to(make_h2: MakeH2) -> None:
    """It announces its settings, acknowledges the client's, answers PING, and gives back windows."""
    wire, client = make_h2(settings={"INITIAL_WINDOW_SIZE": 100, Setting.ENABLE_PUSH: 0, 0x99: 1})
    client.sendall(
        build(K.PING, payload=b"12345678") + Sender().headers(flags=OPEN) + build(K.DATA, 0, 1, b"abc")
    )
    wire.read_content(wire.expect_headers().stream_id, 3)
    found = frames_from(client, 5)
    assert [str(frame) for frame in found] == [
        "SETTINGS: INITIAL_WINDOW_SIZE 100, ENABLE_PUSH 0, 0x99 1",
        "SETTINGS, ACK",
        "PING, ACK: b'12345678'",
        "WINDOW_UPDATE: 3 more octets",
        "WINDOW_UPDATE on stream 1: 3 more octets",
    ]
    assert wire.violations == []


def test_it_does_none_of_that(make_h2: MakeH2) -> None:
    """Each of these can be left to the test."""
    wire, client = make_h2(settings=None, acknowledge_settings=False, answer_pings=False, windows="withheld")
    client.sendall(
        build(K.PING, payload=b"12345678") + Sender().headers(flags=OPEN) + build(K.DATA, 0, 1, b"abc")
    )
    assert wire.read_content(wire.expect_headers().stream_id, 3) == b"abc"
    wire.send_settings([("MAX_FRAME_SIZE", 2**14)], ack=True)
    assert [str(frame) for frame in frames_from(client, 1)] == ["SETTINGS, ACK: MAX_FRAME_SIZE 16384"]


def test_a_preface_that_is_left_to_the_test(make_h2: MakeH2) -> None:
    """The preface can be awaited later; another one is a violation, and shown."""
    wire, client = make_h2(preface=False)
    client.sendall(PREFACE[:10])
    with pytest.raises(WireError, match=r"preface of HTTP/2 was awaited, and did not come in 0.01 s"):
        wire.expect_preface(within=0.01)
    client.sendall(PREFACE[10:] + build(K.SETTINGS))
    wire.expect_preface()
    assert isinstance(wire.receive_frame(), SETTINGS)
    other, client = make_h2(preface=False)
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(WireError, match=r"b'GET / HTTP/1.1\\r\\n\\r\\n' came"):
        other.expect_preface()
    assert [violation.section for violation in other.violations] == ["RFC 9113 §3.4"]


def test_what_is_passed_over_is_there_later(make_h2: MakeH2) -> None:
    """What keeps house may come before what is awaited, and is found by those who await it."""
    wire, client = make_h2()
    sender = Sender()
    client.sendall(
        build(K.WINDOW_UPDATE, payload=b"\0\0\0\7")
        + build(0xFA)
        + sender.headers()
        + build(K.SETTINGS, 1)
        + build(K.PING, payload=bytes(8))
    )
    assert wire.expect_headers().stream_id == 1
    assert wire.expect(WINDOW_UPDATE, increment=7).stream_id == 0
    assert wire.expect("SETTINGS", ack=True).flags == 1
    assert wire.expect(0xFA).kind == 0xFA
    assert wire.expect(K.PING, strict=True).payload == bytes(8)
    assert [frame.name for frame in wire.received] == [
        "SETTINGS", "WINDOW_UPDATE", "0xfa", "HEADERS", "SETTINGS", "PING"
    ]  # fmt: skip
    with pytest.raises(WireError, match=r"SETTINGS with ack False was awaited, and did not come in 0\.01 s"):
        wire.expect(SETTINGS, fresh=True, ack=False, within=0.01)


def test_other_streams_wait(make_h2: MakeH2) -> None:
    """Who awaits one stream passes over the frames of others, and CONTINUATION is found among them."""
    wire, client = make_h2()
    sender = Sender()
    first, block = sender.headers(1, flags=OPEN), sender.encoder.encode(list(GET))
    client.sendall(first + build(K.HEADERS, 1, 3, block[:1]) + build(K.CONTINUATION, 0, 3, block[1:2]))
    client.sendall(build(K.CONTINUATION, 4, 3, block[2:]) + build(K.DATA, 1, 1, b"abc"))
    section = wire.expect_headers(3, path="/", end_stream=True)
    assert [type(frame) for frame in section.frames] == [HEADERS, CONTINUATION, CONTINUATION]
    assert (
        section.representations == (Indexed(2), Indexed(6), Indexed(63), Indexed(4))
        or len(section.lines) == 4
    )
    assert wire.expect_headers(1).priority is None
    assert wire.read_content(1) == b"abc"


def test_something_else_came(make_h2: MakeH2) -> None:
    """What cannot be left for later is a failure, with all that came."""
    wire, client = make_h2()
    client.sendall(Sender().headers() + build(K.GOAWAY, payload=b"\0\0\0\0\0\0\0\1why"))
    with pytest.raises(WireError) as raised:
        wire.expect(GOAWAY, code=ErrorCode.CANCEL, within=1)
    text = str(raised.value)
    assert text.startswith(
        "GOAWAY with code CANCEL was awaited, and HEADERS on stream 1, END_STREAM, END_HEADERS"
    )
    assert "< SETTINGS\n" in text
    assert "< HEADERS on stream 1" in text
    wire.expect_headers()
    with pytest.raises(
        WireError, match="PROTOCOL_ERROR, last stream 0, b'why' came, but code is PROTOCOL_ERROR, and not"
    ):
        wire.expect(GOAWAY, code="CANCEL")
    assert wire.expect(GOAWAY, code="PROTOCOL_ERROR", debug=b"why").last_stream_id == 0


def test_another_request_came(make_h2: MakeH2) -> None:
    """A request that is another is explained field by field."""
    wire, client = make_h2()
    client.sendall(Sender().headers(fields=[*GET, ("accept", "text/plain"), ("x-own", "1")]))
    with pytest.raises(WireError) as raised:
        wire.expect_headers(method="POST", fields={"Accept": "text/html", "X-Own": None, "b": 7})
    head = str(raised.value).split(". What")[0]
    assert head.startswith("HEADERS with method 'POST' was awaited, and HEADERS on stream 1")
    assert head.endswith(
        "method is 'GET', and not 'POST'; 'Accept' is b'text/plain', and not b'text/html'; "
        "'X-Own' is there: b'1'; 'b' is not there, and not b'7'"
    )


@pytest.mark.parametrize(
    ("kind", "attributes", "error"),
    [
        ("GOWAY", {}, "'GOWAY' is no type of frame; those are DATA, HEADERS"),
        ("SETTINGS", {"increment": 1}, "SettingsFrame has no 'increment'"),
    ],
)
def test_what_cannot_be_awaited(make_h2: MakeH2, kind: str, attributes: dict[str, Any], error: str) -> None:
    """Types and attributes that there are not are errors of use."""
    wire, _ = make_h2()
    with pytest.raises(ConfigError, match=error):
        wire.expect(kind, **attributes)


def test_malformed_frames(make_h2: MakeH2) -> None:
    """A malformed frame is none of its class, and can be awaited by its name."""
    wire, client = make_h2()
    client.sendall(build(K.RST_STREAM, 0, 1, b"123"))
    with pytest.raises(WireError, match="but it is malformed"):
        wire.expect(RST_STREAM)
    with pytest.raises(WireError, match="but it is malformed: RST_STREAM has 4 octets"):
        wire.expect("RST_STREAM", code=1)
    assert isinstance(wire.expect("RST_STREAM", stream_id=1), MalformedFrame)


def test_content(make_h2: MakeH2) -> None:
    """Content is read to its end, to its trailers, or as far as it is wanted."""
    wire, client = make_h2()
    sender = Sender()
    client.sendall(
        sender.headers(1, flags=OPEN) + build(K.DATA, 8, 1, b"\1abc\0") + build(K.DATA, 1, 1, b"def")
    )
    request = wire.expect_request(method="GET", path="/")
    assert (request.stream_id, request.content, request.trailers) == (1, b"abcdef", None)
    client.sendall(
        sender.headers(3, flags=OPEN) + build(K.DATA, 0, 3, b"ab") + sender.headers(3, [("a", "b")])
    )
    request = wire.expect_request()
    assert request.trailers is not None
    assert (request.content, request.trailers.lines, request.trailers.method) == (
        b"ab",
        ((b"a", b"b"),),
        None,
    )
    client.sendall(
        sender.headers(5) + sender.headers(7, flags=OPEN) + build(K.RST_STREAM, 0, 7, b"\0\0\0\x08")
    )
    assert wire.expect_request().content == b""
    assert wire.expect_headers(scheme="http", authority="a").stream_id == 7
    with pytest.raises(
        WireError, match="content to its end on stream 7, of which 0 had come, was awaited, and RST_S"
    ):
        wire.read_content(7)


def test_settings_are_acknowledged(make_h2: MakeH2) -> None:
    """Who changes settings can wait until the client goes by them."""
    wire, client = make_h2()
    wire.send_settings()
    client.sendall(build(K.SETTINGS, 1))
    with pytest.raises(
        WireError, match=r"acknowledgement of 1 SETTINGS was awaited, and did not come in 0\.02 s"
    ):
        wire.expect_acknowledged(within=0.02)
    client.sendall(build(K.SETTINGS, 1))
    wire.expect_acknowledged()


def test_nothing_goes_before_settings(make_h2: MakeH2) -> None:
    """Where SETTINGS are withheld, so is what is answered by itself, until they are sent (RFC 9113 §3.4)."""
    wire, client = make_h2(settings=None)
    client.sendall(build(K.PING, payload=bytes(8)))
    wire.expect(PING)
    wire.send_settings()
    assert [str(frame).split(":")[0] for frame in frames_from(client, 3)] == [
        "SETTINGS",
        "SETTINGS, ACK",
        "PING, ACK",
    ]


def test_a_client_that_never_ceases(make_h2: MakeH2, go: Go) -> None:
    """The time is over also where frames that are passed over come one behind the other."""
    wire, client = make_h2()
    client.sendall(build(K.PING, 1, payload=bytes(8)))
    assert wire.expect(PING, within=0).ack  # what is there when the time is over counts

    def send() -> None:
        with suppress(OSError):
            while True:
                client.sendall(build(K.PING, 1, payload=bytes(8)) * 100)

    sending = go(send)
    with pytest.raises(WireError, match=r"GOAWAY was awaited, and did not come in 0\.05 s"):
        wire.expect(GOAWAY, within=0.05)
    wire.reset()
    sending.result()


# --- windows -----------------------------------------------------------------------------------


def test_windows_are_dripped(make_h2: MakeH2) -> None:
    """A stream gets so many octets each time that it has none, also where it has fewer than none."""
    wire, client = make_h2(settings={"INITIAL_WINDOW_SIZE": 3}, windows=2)
    client.sendall(build(K.SETTINGS, 1) + Sender().headers(flags=OPEN) + build(K.DATA, 0, 1, b"abc"))
    wire.read_content(wire.expect_headers().stream_id, 3)
    assert wire.windows(1).to_receive == 2
    wire.send_settings({"INITIAL_WINDOW_SIZE": 0})
    assert wire.windows(1).to_receive == 2
    client.sendall(build(K.SETTINGS, 1))
    wire.expect_acknowledged()
    assert wire.windows(1).to_receive == 1  # it was -1, and got 2
    updates = [frame for frame in frames_from(client, 6) if isinstance(frame, WINDOW_UPDATE)]
    assert [(frame.stream_id, frame.increment) for frame in updates] == [(0, 3), (1, 2), (1, 2)]


def test_windows_are_withheld_and_opened(make_h2: MakeH2) -> None:
    """A test may change its mind; to open them gives back what was withheld."""
    wire, client = make_h2()
    wire.withhold_windows()
    client.sendall(Sender().headers(flags=OPEN) + build(K.DATA, 0, 1, b"abc"))
    wire.read_content(wire.expect_headers().stream_id, 3)
    assert (wire.windows(1), wire.windows()) == ((65535, 65532), (65535, 65532))
    wire.open_windows()
    assert wire.windows(1).to_receive == wire.windows().to_receive == 65535
    wire.drip_windows(5)
    client.sendall(build(K.DATA, 0, 1, b"abc"))
    wire.read_content(1, 3)
    assert (wire.windows(1).to_receive, wire.windows().to_receive) == (65532, 65535)
    with pytest.raises(ConfigError, match="0 is neither open, nor withheld"):
        wire.drip_windows(0)


def test_content_minds_the_clients_windows(make_h2: MakeH2) -> None:
    """Content is cut as windows and frame size ask for, and waits for WINDOW_UPDATE."""
    wire, client = make_h2()
    client.sendall(build(K.SETTINGS, payload=b"\0\4\0\0\0\3") + Sender().headers())
    wire.expect_headers()
    with pytest.raises(WireError, match=r"a window for 2 octets was awaited, and did not come in 0\.01 s"):
        wire.send_content(1, b"abcde", within=0.01)
    client.sendall(build(K.WINDOW_UPDATE, 0, 1, b"\0\0\0\2"))
    wire.send_content(1, b"de", end_stream=True)
    wire.send_content(1, b"")
    data = [frame for frame in frames_from(client, 6) if isinstance(frame, DATA)]
    assert [(frame.content, frame.end_stream) for frame in data] == [
        (b"abc", False),
        (b"de", True),
        (b"", True),
    ]


# --- speaking ----------------------------------------------------------------------------------


def said(client: socket.socket, count: int) -> list[str]:
    """Return what has come to a client, behind our SETTINGS and their acknowledgement."""
    return [str(frame) for frame in frames_from(client, count + 2)[2:]]


def test_each_frame(make_h2: MakeH2) -> None:
    """Each verb sends the frame that it says, and nothing else."""
    wire, client = make_h2()
    wire.send_data(1, b"abc", end_stream=True, padding=2)
    wire.send_ping(b"short")
    wire.send_ping(ack=True)
    wire.send_goaway(3, "ENHANCE_YOUR_CALM", b"why")
    wire.send_reset(1)
    wire.send_reset(1, 0x99)
    wire.send_window_update(1, 5)
    wire.send_push_promise(1, 2, GET, padding=0)
    wire.send_frame(GOAWAY, payload=b"short")
    wire.send_frame("PING", 0x80, 5, reserved=True)
    wire.send_frame(0xFA, 1, 3, b"x")
    wire.send_octets(build(K.PING, payload=bytes(8)))
    found = said(client, 12)
    assert [line.split(":")[0] for line in found] == [
        "DATA on stream 1, END_STREAM, PADDED", "PING", "PING, ACK", "GOAWAY", "RST_STREAM on stream 1",
        "RST_STREAM on stream 1", "WINDOW_UPDATE on stream 1",
        "PUSH_PROMISE on stream 1, END_HEADERS, PADDED", "GOAWAY",
        "PING on stream 5, 0x80, with the reserved bit", "0xfa on stream 3, 0x01", "PING",
    ]  # fmt: skip
    promise = "> PUSH_PROMISE on stream 1, END_HEADERS, PADDED: :method: GET, :scheme: http, :authority: a,"
    assert promise in wire.transcript


def test_a_lie_about_the_length(make_h2: MakeH2) -> None:
    """A frame may say of its length what it wants, and the transcript says so."""
    wire, client = make_h2()
    wire.send_frame(K.DATA, 0, 1, b"abc", length=500)
    assert frames_from(client, 2)
    assert client.recv(100) == b"\0\1\xf4\0\0\0\0\0\1abc"
    assert "which says that it has 500 octets" in wire.transcript


@pytest.mark.parametrize(
    ("verb", "error"),
    [
        (lambda wire: wire.send_reset(1, "CANCELLED"), "'CANCELLED' is no error code; those are NO_ERROR"),
        (
            lambda wire: wire.send_settings({"WINDOW": 1}),
            "'WINDOW' is no setting; those are HEADER_TABLE_SIZE",
        ),
        (lambda wire: wire.send_frame(int, 1), "is no type of frame"),
    ],
)
def test_names_that_there_are_not(make_h2: MakeH2, verb: object, error: str) -> None:
    """A name that is none is an error of use, which has those there are."""
    assert callable(verb)
    with pytest.raises(ConfigError, match=error):
        verb(make_h2()[0])


def test_headers_are_split_where_it_is_asked(make_h2: MakeH2) -> None:
    """A field block is in HEADERS and CONTINUATION of the sizes asked for, and in one frame else."""
    wire, client = make_h2()
    long = {"x": "y" * 20000}
    wire.send_headers(1, long, status=200, fragments=[1, 0, 5], priority=PriorityFields(3), padding=1)
    wire.send_headers(3, long, status=200, end_stream=True)
    wire.send_headers(5, status=200, end_headers=False)
    wire.send_continuation(5, [("a", "b")], end_headers=False)
    wire.send_continuation(5, b"\x82")
    wire.send_trailers(1, {"sum": 1})
    frames = frames_from(client, 10)[2:]
    flags = [(frame.name, [*frame.flag_names]) for frame in frames]
    assert flags == [
        ("HEADERS", ["PADDED", "PRIORITY"]), ("CONTINUATION", []), ("CONTINUATION", ["END_HEADERS"]),
        ("HEADERS", ["END_STREAM", "END_HEADERS"]), ("HEADERS", []), ("CONTINUATION", []),
        ("CONTINUATION", ["END_HEADERS"]), ("HEADERS", ["END_STREAM", "END_HEADERS"]),
    ]  # fmt: skip
    assert len(frames[1].payload) == 5
    assert len(frames[3].payload) > 3


def test_hpack_by_hand(make_h2: MakeH2) -> None:
    """Each field line is compressed as it is asked for, in tables that go on from block to block."""
    wire, client = make_h2()
    wire.send_headers(1, [TableSize(100), Indexed(8), Literal("a", "b", "never", huffman=False)])
    wire.send_headers(3, [(":status", 200), Literal("c", "d")])
    wire.send_headers(5, [Indexed(62)], end_stream=True)
    wire.send_headers(7, b"\xff\xff\xff")
    assert "> HEADERS on stream 5, END_STREAM, END_HEADERS: Indexed(entry=62)\n" in wire.transcript
    assert wire.transcript.endswith("END_HEADERS: b'\\xff\\xff\\xff'")
    decoder = FieldBlockDecoder()
    blocks = [frame for frame in frames_from(client, 6) if isinstance(frame, HEADERS)]
    found = [decoder.decode(frame.fragment) for frame in blocks[:3]]
    assert found[0].representations == (TableSize(100), Indexed(8), Literal(b"a", b"b", "never", False, 0))
    assert found[2].fields == ((b"c", b"d"),)
    assert blocks[3].fragment == b"\xff\xff\xff"


def test_a_whole_response(make_h2: MakeH2) -> None:
    """A response is a head and content, or a head that ends the stream."""
    wire, client = make_h2()
    wire.respond(1, 200, {"content-type": "text/plain"}, b"hello")
    wire.respond(3, 204)
    found = said(client, 3)
    assert found[0].startswith("HEADERS on stream 1, END_HEADERS")
    assert found[1] == "DATA on stream 1, END_STREAM: 5 octets b'hello'"
    assert found[2].startswith("HEADERS on stream 3, END_STREAM, END_HEADERS")


# --- the end -----------------------------------------------------------------------------------


def test_the_end(make_h2: MakeH2) -> None:
    """A client may say GOAWAY before it ends the connection, and end uploads, but make no request."""
    wire, client = make_h2()
    sender = Sender()
    client.sendall(
        sender.headers(flags=OPEN) + build(K.DATA, 0, 1, b"abc") + build(K.GOAWAY, payload=bytes(8))
    )
    wire.expect_headers()
    client.shutdown(socket.SHUT_WR)
    assert wire.expect_closed() is Ending.FIN
    with pytest.raises(WireError, match=r"GOAWAY with code CANCEL was awaited, and DATA on"):
        wire.expect(GOAWAY, code="CANCEL")
    wire.read_content(1, 3)
    wire.expect(GOAWAY)
    with pytest.raises(WireError, match=r"PING was awaited, and the client ended its side \(fin\)"):
        wire.expect(PING)


def test_no_end(make_h2: MakeH2) -> None:
    """A client that goes on, or does nothing, does not end the connection."""
    wire, client = make_h2()
    with pytest.raises(
        WireError, match=r"the end of the connection was awaited, and did not come in 0\.01 s"
    ):
        wire.expect_closed(within=0.01)
    client.sendall(Sender().headers())
    with pytest.raises(WireError, match="the end of the connection was awaited, and HEADERS on stream 1"):
        wire.expect_closed()


def test_nothing(make_h2: MakeH2) -> None:
    """Nothing is what keeps house, and no end."""
    wire, client = make_h2()
    wire.expect_nothing(for_s=0.01)
    client.sendall(build(K.RST_STREAM, 0, 1, bytes(4)))
    with pytest.raises(WireError, match="nothing was awaited, and RST_STREAM on stream 1: NO_ERROR came"):
        wire.expect_nothing()
    wire.expect(RST_STREAM)
    client.close()
    with pytest.raises(WireError, match=r"nothing was awaited, and the client ended its side"):
        wire.expect_nothing()


def test_an_answer_to_nobody(make_h2: MakeH2) -> None:
    """What a client sent before it left counts, though nobody takes the answers."""
    wire, client = make_h2()
    client.sendall(build(K.PING, payload=bytes(8)) + build(K.PING, payload=bytes(8)))
    client.close()
    assert [wire.expect(PING).payload for _ in range(2)] == [bytes(8)] * 2
    assert wire.expect_closed() in (Ending.FIN, Ending.RESET)
    with pytest.raises(WireError, match="cannot be sent"):
        wire.send_data(1, bytes(10))


def test_an_interruption(make_h2: MakeH2, go: Go) -> None:
    """Another thread may end a wait; what had come is kept."""
    wire, client = make_h2()
    waiting = go(wire.expect, GOAWAY)
    client.sendall(build(K.PING, payload=bytes(8)))
    assert_soon(lambda: len(wire.received) == 2)
    wire.interrupt()
    with pytest.raises(ExchangeClosed):
        waiting.result(5)
    assert wire.expect(PING).payload == bytes(8)


# --- violations --------------------------------------------------------------------------------


def test_violations_are_recorded(make_h2: MakeH2) -> None:
    """What is wrong does not end the connection; leaving the block says all of it."""
    wire, client = make_h2(policy="checked")
    client.sendall(build(K.PING, 0, 1, bytes(8)) + Sender().headers(2))
    with pytest.raises(WireError) as raised, wire:  # noqa: PT012 -- at the end of all that
        assert wire.expect_headers().stream_id == 2
        assert [violation.section for violation in wire.violations] == ["RFC 9113 §6.7", "RFC 9113 §5.1.1"]
    assert "  RFC 9113 §6.7: PING on a stream, and it is of the connection (on stream 1)\n" in str(
        raised.value
    )
    assert "! RFC 9113 §5.1.1: a client's streams are odd, and 2 is not (on stream 2)" in str(raised.value)
    with pytest.raises(ZeroDivisionError), wire:
        raise ZeroDivisionError  # is what went wrong first


def test_violations_that_are_allowed(make_h2: MakeH2) -> None:
    """Where they are allowed, leaving the block says nothing, unless it is asked."""
    wire, client = make_h2(policy="allowed")
    with wire:
        client.sendall(build(K.PING, 0, 1, bytes(8)))
        wire.expect(PING)
    with pytest.raises(WireError, match="the client broke"):
        wire.check()


def test_violations_that_are_fatal(make_h2: MakeH2) -> None:
    """Where they are fatal, the first one ends the connection with GOAWAY, and the test."""
    wire, client = make_h2(policy="fatal")
    client.sendall(build(K.SETTINGS, payload=b"\0\4\xff\xff\xff\xff"))
    with pytest.raises(WireError, match="INITIAL_WINDOW_SIZE is 0 to 2147483647, and not 4294967295"):
        wire.expect(PING)
    goaway = frames_from(client, 3)[-1]
    assert isinstance(goaway, GOAWAY)
    assert (goaway.code, goaway.debug[:16]) == (
        ErrorCode.FLOW_CONTROL_ERROR,
        "RFC 9113 §6.5.2:"[:15].encode(),
    )
    assert client.recv(1) == b""


def test_a_long_conversation_is_shown_at_its_end(make_h2: MakeH2) -> None:
    """A failure shows the last forty lines, and how many there were before."""
    wire, client = make_h2()
    client.sendall(build(K.PING, payload=bytes(8)) * 50)
    for _ in range(50):
        wire.expect(PING)
    assert wire.transcript.startswith("  (64 lines before that)\n") or "lines before that" in wire.transcript
    assert len(wire.transcript.splitlines()) == 41
