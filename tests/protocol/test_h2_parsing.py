"""Frames: every type, as strangers make it, and as it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from hyperframe import frame as stranger
from hypothesis import given
from hypothesis import strategies as st

from wptproto.h2_codes import FrameKind
from wptproto.protocol.h2_frame_types import KINDS
from wptproto.protocol.h2_parsing import FrameReader, parse
from wptproto.wire import (
    ALTSVC,
    CONTINUATION,
    DATA,
    GOAWAY,
    HEADERS,
    ORIGIN,
    PING,
    PRIORITY,
    PRIORITY_UPDATE,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    ErrorCode,
    Frame,
    MalformedFrame,
    PriorityFields,
    build,
)

PRIORITY_OF_3: dict[str, Any] = {"depends_on": 3, "stream_weight": 9, "exclusive": True}

STRANGERS: list[tuple[stranger.Frame, type[Frame], dict[str, object]]] = [
    (stranger.DataFrame(1, b"abc", flags=["END_STREAM"]), DATA, {"content": b"abc", "end_stream": True}),
    (stranger.DataFrame(1, b"a", flags=["PADDED"], pad_length=2), DATA, {"content": b"a", "padding": 2}),
    (
        stranger.HeadersFrame(1, b"xy", flags=["PADDED", "PRIORITY"], pad_length=1, **PRIORITY_OF_3),
        HEADERS,
        {"fragment": b"xy", "padding": 1, "priority": PriorityFields(3, 10, True), "end_headers": False},
    ),
    (
        stranger.PriorityFrame(5, **PRIORITY_OF_3),
        PRIORITY,
        {"stream_id": 5, "priority": PriorityFields(3, 10, True)},
    ),
    (stranger.RstStreamFrame(1, 8), RST_STREAM, {"code": ErrorCode.CANCEL}),
    (
        stranger.SettingsFrame(0, {3: 100, 4: 5}),
        SETTINGS,
        {"settings": ((3, 100), (4, 5)), "ack": False},
    ),
    (stranger.SettingsFrame(0, flags=["ACK"]), SETTINGS, {"settings": (), "ack": True}),
    (
        stranger.PushPromiseFrame(1, 2, b"xy", flags=["END_HEADERS"]),
        PUSH_PROMISE,
        {"promised_stream_id": 2, "fragment": b"xy", "end_headers": True, "padding": None},
    ),
    (stranger.PingFrame(0, b"12345678", flags=["ACK"]), PING, {"payload": b"12345678", "ack": True}),
    (
        stranger.GoAwayFrame(0, 7, 11, b"why"),
        GOAWAY,
        {"last_stream_id": 7, "code": ErrorCode.ENHANCE_YOUR_CALM, "debug": b"why"},
    ),
    (stranger.WindowUpdateFrame(3, 99), WINDOW_UPDATE, {"stream_id": 3, "increment": 99}),
    (stranger.ContinuationFrame(3, b"z"), CONTINUATION, {"fragment": b"z", "fields": None}),
    (stranger.AltSvcFrame(0, b"https://a", b"h2"), ALTSVC, {"origin": b"https://a", "value": b"h2"}),
]


@pytest.mark.parametrize(("made", "kind", "expected"), STRANGERS, ids=lambda value: type(value).__name__)
def test_as_strangers_make_them(made: stranger.Frame, kind: type[Frame], expected: dict[str, object]) -> None:
    """Each frame of the hyperframe library is read as what it was made of."""
    frame = parse(made.serialize())
    assert type(frame) is kind
    assert {name: getattr(frame, name) for name in expected} == expected
    assert str(frame).startswith(KINDS[kind].name)


def test_origin_and_priority_update() -> None:
    """ORIGIN has origins (RFC 8336 §2.1), PRIORITY_UPDATE a stream and a value (RFC 9218 §7.1)."""
    origin = parse(build(FrameKind.ORIGIN, payload=b"\0\1a\0\2bc"))
    assert isinstance(origin, ORIGIN)
    assert origin.origins == (b"a", b"bc")
    update = parse(build(FrameKind.PRIORITY_UPDATE, payload=b"\0\0\0\5u=1"))
    assert isinstance(update, PRIORITY_UPDATE)
    assert (update.prioritized_stream_id, update.value) == (5, b"u=1")
    assert str(update) == "PRIORITY_UPDATE: stream 5 u=1"


@pytest.mark.parametrize(
    ("kind", "flags", "payload", "section"),
    [
        ("DATA", 0x8, b"", "RFC 9113 §6.1"),
        ("DATA", 0x8, b"\2a", "RFC 9113 §6.1"),
        ("HEADERS", 0x8, b"\1", "RFC 9113 §6.2"),
        ("HEADERS", 0x20, b"1234", "RFC 9113 §6.2"),
        ("PRIORITY", 0, b"1234", "RFC 9113 §6.3"),
        ("RST_STREAM", 0, b"123", "RFC 9113 §6.4"),
        ("SETTINGS", 0, b"12345", "RFC 9113 §6.5"),
        ("PUSH_PROMISE", 0, b"123", "RFC 9113 §6.6"),
        ("PING", 0, b"1234567", "RFC 9113 §6.7"),
        ("GOAWAY", 0, b"1234567", "RFC 9113 §6.8"),
        ("WINDOW_UPDATE", 0, b"12345", "RFC 9113 §6.9"),
        ("ALTSVC", 0, b"\0\2a", "RFC 7838 §4"),
        ("ORIGIN", 0, b"\0\2a", "RFC 8336 §2.1"),
        ("PRIORITY_UPDATE", 0, b"123", "RFC 9218 §7.1"),
    ],
)
def test_malformed(kind: str, flags: int, payload: bytes, section: str) -> None:
    """What cannot be what its type says is a frame all the same, with the section that says so."""
    frame = parse(build(FrameKind[kind], flags, 1, payload))
    assert isinstance(frame, MalformedFrame)
    assert (frame.name, frame.payload, frame.section) == (kind, payload, section)
    assert "malformed" in str(frame)


def test_unknown() -> None:
    """A type that nobody knows is a plain frame, and says its numbers; so do its flags."""
    frame = parse(build(0xFA, 0x81, 3, b"a" * 50, reserved=True))
    assert type(frame) is Frame
    assert frame.reserved
    assert str(frame).startswith("0xfa on stream 3, 0x01, 0x80, with the reserved bit: b'aaa")
    assert str(parse(build(3, 0, 1, b"\0\0\0\x63"))) == "RST_STREAM on stream 1: 0x63"
    assert str(parse(build(4, 0, 0, b"\0\x63\0\0\0\1"))) == "SETTINGS: 0x63 1"


def test_a_length_that_cannot_be() -> None:
    """A header has 24 bits for the length, whatever it says there."""
    assert build(0, payload=b"abc", length=1)[:3] == b"\0\0\1"
    with pytest.raises(ValueError, match="0 to 16777215"):
        build(0, length=2**24)


def test_settings_by_number() -> None:
    """Of a setting that is repeated, the last one counts."""
    frame = parse(build(4, payload=b"\0\4\0\0\0\1\0\4\0\0\0\2"))
    assert isinstance(frame, SETTINGS)
    assert (frame.get(4), frame.get(5)) == (2, None)
    assert str(frame) == "SETTINGS: INITIAL_WINDOW_SIZE 1, INITIAL_WINDOW_SIZE 2"


def test_priority_fields() -> None:
    """They are five octets, of which the weight is one less than it counts."""
    assert bytes(PriorityFields(3, 256, True)) == b"\x80\0\0\3\xff"
    assert str(parse(build(2, 0, 1, b"\0\0\0\0\x0f"))) == "PRIORITY on stream 1: depends on 0 with weight 16"


@given(cuts=st.lists(st.integers(1, 12), max_size=20))
def test_cut_anywhere(cuts: list[int]) -> None:
    """The same octets in other pieces are the same frames; what is no whole frame is left."""
    octets = b"".join(made.serialize() for made, _, _ in STRANGERS) + b"\0\0\1"
    reader, found, place = FrameReader(), list[Frame](), 0
    for size in [*cuts, len(octets)]:
        found += reader.feed(octets[place : place + size])
        place += size
    assert [type(frame) for frame in found] == [kind for _, kind, _ in STRANGERS]
    assert reader.rest == b"\0\0\1"
