"""What a client breaks: octets in, violations out, each with its section."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.helpers import GET, Sender
from wptproto.h2_codes import FrameKind as K
from wptproto.protocol.h2_frames import PREFACE
from wptproto.wire import ErrorCode, Frame, Setting, Violation, build
from wptproto.wire.client import H2Client

SETTINGS = build(K.SETTINGS)
ACK = build(K.SETTINGS, 1)
OPEN, ENDED = 0x4, 0x5  # HEADERS with END_HEADERS, and with END_STREAM


def begun() -> H2Client:
    """A client that has sent its preface and SETTINGS."""
    client = H2Client()
    assert broken(client, PREFACE, SETTINGS) == []
    return client


def broken(client: H2Client, *octets: bytes) -> list[Violation]:
    return [found for _, violations in client.receive(b"".join(octets)) for found in violations]


def sections(client: H2Client, *octets: bytes) -> list[str]:
    return [violation.section.removeprefix("RFC 9113 ") for violation in broken(client, *octets)]


def request(fields: Iterable[tuple[str, str]], *, stream_id: int = 1, flags: int = ENDED) -> bytes:
    return Sender().headers(stream_id, fields, flags=flags)


def setting(number: int, value: int) -> bytes:
    return build(K.SETTINGS, payload=number.to_bytes(2, "big") + value.to_bytes(4, "big"))


def get() -> bytes:
    return request(GET)


def opened(stream_id: int = 1, **more: str) -> bytes:
    return request(
        [*GET, *((name.replace("_", "-"), value) for name, value in more.items())],
        flags=OPEN,
        stream_id=stream_id,
    )


FRAMES = [
    # one frame by itself
    ("longer than we allow", [build(0xFA, payload=bytes(16385))], "§4.2", ErrorCode.FRAME_SIZE_ERROR),
    ("a flag that is not defined", [build(K.PING, 0x2, payload=bytes(8))], "§4.1", 1),
    ("the reserved bit", [build(K.PING, payload=bytes(8), reserved=True)], "§4.1", 1),
    ("DATA on stream 0", [build(K.DATA, payload=b"a")], "§6.1", 1),
    ("HEADERS on stream 0", [request(GET, stream_id=0)], "§6.2", 1),
    ("PRIORITY on stream 0", [build(K.PRIORITY, payload=b"\0\0\0\3\0")], "§6.3", 1),
    ("RST_STREAM on stream 0", [build(K.RST_STREAM, payload=bytes(4))], "§6.4", 1),
    ("SETTINGS on a stream", [build(K.SETTINGS, 0, 1)], "§6.5", 1),
    ("PING on a stream", [build(K.PING, 0, 1, bytes(8))], "§6.7", 1),
    ("GOAWAY on a stream", [build(K.GOAWAY, 0, 1, bytes(8))], "§6.8", 1),
    ("CONTINUATION on stream 0", [build(K.CONTINUATION, 4)], "§6.10", 1),
    ("PRIORITY_UPDATE on a stream", [build(K.PRIORITY_UPDATE, 0, 1, b"\0\0\0\1")], "RFC 9218 §7.1", 1),
    ("PRIORITY_UPDATE of stream 0", [build(K.PRIORITY_UPDATE, payload=bytes(4))], "RFC 9218 §7.1", 1),
    ("PUSH_PROMISE", [build(K.PUSH_PROMISE, 4, 1, b"\0\0\0\2\x82")], "§8.4", 1),
    ("PING of 7 octets", [build(K.PING, payload=bytes(7))], "§6.7", ErrorCode.FRAME_SIZE_ERROR),
    ("too much padding", [opened(), build(K.DATA, 8, 1, b"\5a")], "§6.1", 1),
    ("padding that is not zeros", [opened(), build(K.DATA, 8, 1, b"\1a\1")], "§6.1", 1),
    ("padding of HEADERS", [build(K.HEADERS, 0xD, 1, b"\1\x82\x86\x84\x41\1a\1")], "§6.2", 1),
    ("a window of 0 more", [build(K.WINDOW_UPDATE, payload=bytes(4))], "§6.9", 1),
    ("a stream of its own", [build(K.PRIORITY, 0, 3, b"\0\0\0\3\0")], "RFC 7540 §5.3.1", 1),
    ("ACK with a payload", [build(K.SETTINGS, 1, 0, b"\0\3\0\0\0\1")], "§6.5 §6.5.3", 6),
    ("ENABLE_PUSH 2", [setting(2, 2)], "§6.5.2", 1),
    ("INITIAL_WINDOW_SIZE", [setting(4, 2**31)], "§6.5.2", ErrorCode.FLOW_CONTROL_ERROR),
    ("MAX_FRAME_SIZE", [setting(5, 16383)], "§6.5.2", 1),
    ("ENABLE_CONNECT_PROTOCOL", [setting(8, 2)], "RFC 8441 §3", 1),
    ("NO_RFC7540_PRIORITIES", [setting(9, 2)], "RFC 9218 §2.1", 1),
    # frames and their streams
    ("an even stream", [request(GET, stream_id=2)], "§5.1.1", 1),
    ("a lower stream", [request(GET, stream_id=5), request(GET, stream_id=3)], "§5.1.1", 1),
    ("HEADERS behind the end", [get(), get()], "§5.1", ErrorCode.STREAM_CLOSED),
    ("DATA behind the end", [get(), build(K.DATA, 0, 1, b"a")], "§5.1", ErrorCode.STREAM_CLOSED),
    ("DATA behind a reset", [opened(), build(K.RST_STREAM, 0, 1, bytes(4)), build(K.DATA, 0, 1)], "§5.1", 5),
    ("DATA on an idle stream", [build(K.DATA, 0, 1, b"a")], "§5.1", 1),
    ("RST_STREAM of an idle stream", [build(K.RST_STREAM, 0, 1, bytes(4))], "§6.4", 1),
    ("WINDOW_UPDATE of an idle stream", [build(K.WINDOW_UPDATE, 0, 1, b"\0\0\0\1")], "§5.1", 1),
    ("trailers without an end", [opened(), request([("a", "b")], flags=OPEN)], "§8.1", 1),
    ("ACK of nothing", [ACK], "§6.5.3", 1),
    ("a window that overflows", [build(K.WINDOW_UPDATE, payload=b"\x7f\xff\xff\xff")], "§6.9.1", 3),
    (
        "a setting by which one overflows",
        [opened(), build(K.WINDOW_UPDATE, 0, 1, b"\0\0\0\1"), setting(4, 2**31 - 1)],
        "§6.9.2",
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    ("content that is too short", [opened(content_length="2"), build(K.DATA, 1, 1, b"a")], "§8.1.1", 1),
    ("content where there is none", [request([*GET, ("content-length", "2")])], "§8.1.1", 1),
    # field blocks
    ("CONTINUATION of nothing", [build(K.CONTINUATION, 4, 1)], "§6.10", 1),
    (
        "a frame amidst a field block",
        [request(GET, flags=1), build(K.PING, payload=bytes(8)), build(K.CONTINUATION, 4, 1)],
        "§6.10",
        1,
    ),
    (
        "CONTINUATION of another stream",
        [request(GET, flags=1), build(K.CONTINUATION, 4, 3), build(K.CONTINUATION, 4, 1)],
        "§6.10",
        1,
    ),
    (
        "an index that there is not",
        [build(K.HEADERS, ENDED, 1, b"\xbe"), build(K.HEADERS, ENDED, 3, b"\xbe")],
        "RFC 7541 §2.3.3, §5",
        ErrorCode.COMPRESSION_ERROR,
    ),
    (
        "a change of the table behind a field",
        [build(K.HEADERS, ENDED, 1, b"\x82\x86\x84\x41\1a\x20")],
        "RFC 7541 §4.2",
        ErrorCode.COMPRESSION_ERROR,
    ),
]


@pytest.mark.parametrize(
    ("frames", "expected", "code"), [row[1:] for row in FRAMES], ids=[row[0] for row in FRAMES]
)
def test_frames(frames: list[bytes], expected: str, code: int) -> None:
    """Each frame that is wrong breaks its section, with the error code for it, and the next is read."""
    client = begun()
    found = broken(client, *frames)
    assert " ".join(one.section.removeprefix("RFC 9113 ") for one in found) == expected
    assert found[0].code == code
    assert [frame.name for frame, _ in client.receive(build(K.PING, payload=bytes(8)))] == ["PING"]


METHOD, SCHEME, AUTHORITY, PATH = GET
CONNECT = (":method", "CONNECT")

FIELDS = [
    ("in upper case", [*GET, ("Accept", "a")], "§8.2.1"),
    ("no name", [*GET, ("a b", "a")], "§8.2.1"),
    ("an octet that no value has", [*GET, ("a", "b\nc")], "§8.2.1"),
    ("white space around", [*GET, ("a", " b")], "§8.2.1"),
    ("connection", [*GET, ("connection", "close")], "§8.2.2"),
    ("te", [*GET, ("te", "gzip")], "§8.2.2"),
    ("te, as it may be", [*GET, ("te", "trailers")], ""),
    ("twice", [*GET, METHOD], "§8.3"),
    ("behind a field", [METHOD, SCHEME, AUTHORITY, ("a", "b"), PATH], "§8.3"),
    ("of a response", [*GET, (":status", "200")], "§8.3"),
    ("of nothing", [*GET, (":protocol", "websocket")], "§8.3"),
    ("without a method", [SCHEME, AUTHORITY, PATH], "§8.3.1"),
    ("without scheme and path", [METHOD, AUTHORITY], "§8.3.1 §8.3.1"),
    ("a path that is none", [METHOD, SCHEME, AUTHORITY, (":path", "")], "§8.3.1"),
    ("an asterisk", [METHOD, SCHEME, AUTHORITY, (":path", "*")], "§8.3.1"),
    ("an asterisk of OPTIONS", [(":method", "OPTIONS"), SCHEME, AUTHORITY, (":path", "*")], ""),
    ("userinfo", [METHOD, SCHEME, (":authority", "u@a"), PATH], "§8.3.1"),
    ("another host", [*GET, ("host", "b")], "§8.3.1"),
    ("the same host", [*GET, ("host", "A")], ""),
    ("CONNECT", [CONNECT, AUTHORITY], ""),
    ("CONNECT with a path", [CONNECT, AUTHORITY, PATH], "§8.5"),
    ("CONNECT without authority", [CONNECT], "§8.5"),
    ("no length", [*GET, ("content-length", "+1")], "RFC 9110 §8.6"),
    ("two lengths", [*GET, ("content-length", "1"), ("content-length", "2")], "RFC 9110 §8.6"),
]


@pytest.mark.parametrize(("fields", "expected"), [row[1:] for row in FIELDS], ids=[row[0] for row in FIELDS])
def test_fields(fields: list[tuple[str, str]], expected: str) -> None:
    """Each field section that is malformed breaks its section."""
    assert " ".join(sections(begun(), request(fields))) == expected


def test_trailers() -> None:
    """Trailers have no pseudo-header fields, and their fields are as any."""
    ended = request([("A", "b"), (":path", "/")])
    assert sections(begun(), opened(), ended) == ["§8.2.1", "§8.1"]


def test_extended_connect() -> None:
    """Where our settings allow it, CONNECT has a protocol, and then scheme and path (RFC 8441 §4)."""
    client = begun()
    client.sent(setting(Setting.ENABLE_CONNECT_PROTOCOL, 1))
    fields = [CONNECT, (":protocol", "websocket"), SCHEME, PATH, AUTHORITY]
    assert sections(client, ACK, request(fields)) == []


def test_the_first_frame() -> None:
    """The first frame is SETTINGS, and no acknowledgement (RFC 9113 §3.4)."""
    assert sections(H2Client(), PREFACE, build(K.PING, payload=bytes(8))) == ["§3.4"]
    assert sections(H2Client(), PREFACE, ACK) == ["§3.4", "§6.5.3"]


def test_another_preface() -> None:
    """Behind what is no preface nothing is a frame."""
    client = H2Client()
    assert list(client.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + SETTINGS)) == []
    assert not client.has_prefaced
    assert client.preface.startswith(b"GET / HTTP")


def test_a_window_that_is_overrun() -> None:
    """Content beyond a stream's window, or the connection's, is told of; padding counts (RFC 9113 §6.9.1)."""
    client = begun()
    client.sent(setting(Setting.INITIAL_WINDOW_SIZE, 10))
    assert sections(client, opened(), build(K.DATA, 0, 1, bytes(11))) == []  # it has not acknowledged
    assert sections(client, ACK, build(K.DATA, 0, 1, b"a")) == ["§6.9.1"]
    assert client.windows(1) == (65535, -2)
    client.sent(build(K.WINDOW_UPDATE, 0, 1, b"\0\1\0\0"))
    assert sections(client, build(K.DATA, 0x8, 1, bytes(3))) == []
    assert client.windows(1).to_receive == 65536 - 2 - 3
    many = b"".join(build(K.DATA, 0, 1, bytes(16384)) for _ in range(4))
    client.sent(build(K.WINDOW_UPDATE, 0, 1, b"\0\1\0\0"))
    found = broken(client, many)
    assert [(one.section, "the connection's" in one.reason) for one in found] == [("RFC 9113 §6.9.1", True)]


def test_streams_at_a_time() -> None:
    """More streams than our acknowledged settings allow are told of; those that are over do not count."""
    client = begun()
    client.sent(setting(Setting.MAX_CONCURRENT_STREAMS, 1))
    assert sections(client, ACK, opened()) == []
    assert sections(client, opened(3)) == ["§5.1.2"]
    client.sent(build(K.RST_STREAM, 0, 1, bytes(4)))
    client.sent(build(K.DATA, 1, 3))
    assert sections(client, build(K.DATA, 1, 3), opened(5)) == []


def test_what_crosses_a_reset() -> None:
    """What a client had sent before it knew of our reset is not wrong."""
    client = begun()
    assert sections(client, opened()) == []
    client.sent(build(K.RST_STREAM, 0, 1, bytes(4)))
    assert sections(client, build(K.DATA, 1, 1, b"a")) == []


def test_settings_count_from_their_acknowledgement() -> None:
    """A smaller table has to be said to be one, once the client has acknowledged it (RFC 7541 §4.2)."""
    client, sender = begun(), Sender()
    client.sent(setting(Setting.HEADER_TABLE_SIZE, 100))
    assert sections(client, sender.headers(1)) == []
    sender.encoder.header_table_size = 100
    assert sections(client, ACK, sender.headers(3)) == []
    client.sent(setting(Setting.HEADER_TABLE_SIZE, 8192))
    sender.encoder.header_table_size = 8192
    assert sections(client, sender.headers(5)) == []
    stubborn = begun()
    stubborn.sent(setting(Setting.HEADER_TABLE_SIZE, 0))
    assert sections(stubborn, ACK, Sender().headers(1)) == ["RFC 7541 §4.2"]


def test_longer_frames() -> None:
    """Frames may be as long as any settings of ours that are on their way, or have come."""
    client = begun()
    client.sent(setting(Setting.MAX_FRAME_SIZE, 20000))
    assert sections(client, build(0xFA, payload=bytes(20000)), ACK, build(0xFA, payload=bytes(20000))) == []
    assert sections(client, build(0xFA, payload=bytes(20001))) == ["§4.2"]


def test_the_clients_settings() -> None:
    """What it announces is known, and what follows from it."""
    client = begun()
    broken(client, setting(Setting.INITIAL_WINDOW_SIZE, 7), setting(Setting.HEADER_TABLE_SIZE, 9))
    assert (client.settings[4], client.windows(1).to_send, client.encoder.allowed_octets) == (7, 7, 9)
    client.sent(build(K.DATA, 0, 1, bytes(10)))
    assert client.windows(1).to_send == -3
    assert client.streams == []


@given(cuts=st.lists(st.integers(1, 30), max_size=30))
def test_cut_anywhere(cuts: list[int]) -> None:
    """The same octets in other pieces break the same."""
    octets = PREFACE + SETTINGS + b"".join(frame for row in FRAMES for frame in row[1])
    whole, parts = H2Client(), H2Client()
    found: list[tuple[Frame, list[Violation]]] = []
    place = 0
    for size in [*cuts, len(octets)]:
        found += parts.receive(octets[place : place + size])
        place += size
    assert found == list(whole.receive(octets))
    assert parts.rest == b""
