"""The HTTP/2 dissector, told what the h2 library says to itself, and what nobody should say."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import h2.config
import h2.connection
import h2.events
import h2.settings
import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wptproto.protocol.h2_frames import PREFACE
from wptproto.trace.events import (
    DynamicTableChanged,
    FrameSeen,
    Origin,
    PrefaceSeen,
    TraceEvent,
    Unreadable,
    WindowChanged,
)
from wptproto.trace.h2_dissector import H2Dissector

ORIGIN = Origin(1, 0.0)
FIELDS = [
    (b":method", b"POST"),
    (b":scheme", b"https"),
    (b":authority", b"x"),
    (b":path", b"/"),
    (b"a", b"b"),
]


def frame(kind: int, flags: int = 0, stream_id: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream_id) + payload


SETTINGS = frame(4)


class Talk:
    """A client and a server of the h2 library, with a dissector between them."""

    def __init__(self) -> None:
        self.client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.client.config.validate_outbound_headers = False
        self.dissector = H2Dissector()
        self.events: list[TraceEvent] = []
        self.octets: list[tuple[bool, bytes]] = []
        self.client.initiate_connection()
        self.server.initiate_connection()
        self.talk()

    def talk(self) -> None:
        """Have each hear what the other says, until both are silent."""
        while True:
            said = [(False, self.client.data_to_send()), (True, self.server.data_to_send())]
            if not any(octets for _, octets in said):
                return
            for sent, octets in said:
                if octets:
                    self.octets.append((sent, octets))
                    self.events += self.dissector.feed(sent, octets, ORIGIN)
                    (self.client if sent else self.server).receive_data(octets)

    @property
    def frames(self) -> list[FrameSeen]:
        return [event for event in self.events if isinstance(event, FrameSeen)]

    def window(self, stream_id: int, *, sends: bool) -> int | None:
        """The window as the events left it."""
        found = [event.after for event in self.windows(stream_id) if event.sends == sends]
        return found[-1] if found else None

    def windows(self, stream_id: int) -> Iterator[WindowChanged]:
        for event in self.events:
            if isinstance(event, WindowChanged) and event.stream_id == stream_id:
                yield event

    def request(self, *, end: bool = False) -> int:
        stream_id = self.client.get_next_available_stream_id()
        self.client.send_headers(stream_id, FIELDS, end_stream=end)
        self.talk()
        return stream_id


def read(octets: bytes, *, sent: bool = False) -> FrameSeen:
    """The last frame of what one side says behind its first SETTINGS."""
    begin = SETTINGS if sent else PREFACE + SETTINGS
    events = H2Dissector().feed(sent, begin + octets, ORIGIN)
    return [event for event in events if isinstance(event, FrameSeen)][-1]


def test_an_exchange() -> None:
    """An ordinary exchange is told frame by frame, with fields and flags, and nothing is wrong with it."""
    talk = Talk()
    stream_id = talk.request()
    talk.client.send_data(stream_id, b"hello", end_stream=True, pad_length=3)
    talk.talk()
    talk.server.send_headers(stream_id, [(b":status", b"200"), (b"x", b"y")])
    talk.server.send_data(stream_id, b"", end_stream=True)
    talk.talk()
    assert isinstance(talk.events[0], PrefaceSeen)
    assert not any(found.error for found in talk.frames)
    assert [(found.sent, found.name, found.flag_names) for found in talk.frames] == [
        (False, "SETTINGS", ()),
        (True, "SETTINGS", ()),
        (False, "SETTINGS", ("ACK",)),
        (True, "SETTINGS", ("ACK",)),
        (False, "HEADERS", ("END_HEADERS",)),
        (False, "DATA", ("END_STREAM", "PADDED")),
        (True, "HEADERS", ("END_HEADERS",)),
        (True, "DATA", ("END_STREAM",)),
    ]
    headers, data, answer, _ = talk.frames[4:]
    assert headers.fields == tuple(FIELDS)
    assert answer.fields == ((b":status", b"200"), (b"x", b"y"))
    assert data.details == (("pad_length", 3), ("data_octets", 5))
    assert dict(talk.frames[0].details)["HEADER_TABLE_SIZE"] == 4096


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["data", "answer", "update", "connection", "settings", "theirs"]),
            st.integers(1, 9000),
        ),
        max_size=12,
    )
)
def test_windows_are_those_of_the_library(steps: list[tuple[str, int]]) -> None:
    """Whatever is said, windows are as large as both sides take them to be, and none is overrun."""
    talk = Talk()
    stream_id = talk.request()
    talk.server.send_headers(stream_id, [(b":status", b"200")])
    talk.talk()
    for what, octets in steps:
        match what:
            case "data" if octets + 4 <= talk.client.local_flow_control_window(stream_id):
                talk.client.send_data(stream_id, bytes(octets), pad_length=3)
            case "answer" if octets <= talk.server.local_flow_control_window(stream_id):
                talk.server.send_data(stream_id, bytes(octets))
            case "update":
                talk.client.increment_flow_control_window(octets, stream_id)
            case "connection":
                talk.server.increment_flow_control_window(octets)
            case "settings":
                talk.client.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: octets * 20})
            case "theirs":
                talk.server.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: octets * 20})
        talk.talk()
    assert not [found.error for found in talk.frames if found.error]
    for sends, side, other in ((True, talk.server, talk.client), (False, talk.client, talk.server)):
        streams = talk.window(stream_id, sends=sends)
        whole = talk.window(0, sends=sends)
        expected = side.local_flow_control_window(stream_id)
        known = [window for window in (streams, whole) if window is not None]
        if len(known) == 2:
            assert min(known) == expected == other.remote_flow_control_window(stream_id)
        if whole is not None:
            assert whole == side.outbound_flow_control_window
            assert whole == other._inbound_flow_control_window_manager.current_window_size
        for event in talk.windows(stream_id):
            assert event.before != event.after


@given(st.data())
def test_cut_anywhere(data: st.DataObject) -> None:
    """However the octets of a direction are cut, the events are the same."""
    talk = Talk()
    for _ in range(3):
        talk.client.send_data(talk.request(), b"x" * 100, end_stream=True)
        talk.talk()
    whole = b"".join(octets for sent, octets in talk.octets if not sent)
    expected = H2Dissector().feed(False, whole, ORIGIN)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=20)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    dissector = H2Dissector()
    assert [event for piece in pieces for event in dissector.feed(False, piece, ORIGIN)] == expected


def test_a_table_that_changes() -> None:
    """What HPACK remembers is told entry by entry, also what it forgets, and its size is the library's."""
    encoder, decoder, dissector = hpack.Encoder(), hpack.Decoder(), H2Dissector()
    events = dissector.feed(True, SETTINGS, ORIGIN)
    sizes = [4096, 4096, 100, 0, 4096]
    for number, size in enumerate(sizes):
        encoder.header_table_size = size
        block = encoder.encode([(b"name%d" % number, b"v" * 20), (b"other%d" % number, b"w" * 20)])
        decoder.decode(block)
        events += dissector.feed(True, frame(1, 0x4, 1, block), ORIGIN)
    changes = [event for event in events if isinstance(event, DynamicTableChanged)]
    assert changes[-1].octets == decoder.header_table._current_size
    assert changes[-1].entries == len(decoder.header_table.dynamic_entries) == 2
    assert [event.change for event in changes].count("resize") == 3
    inserted = [event.line for event in changes if event.change == "insert"]
    evicted = [event.line for event in changes if event.change == "evict"]
    assert len(inserted) == 8  # of 100 octets, one entry fits; of none, none
    assert evicted == inserted[: len(evicted)]
    assert not any(event.error for event in events if isinstance(event, FrameSeen))


@pytest.mark.parametrize(
    ("octets", "details"),
    [
        (frame(2, 0, 1, b"\x80\0\0\x03\x0f"), (("exclusive", True), ("dependency", 3), ("weight", 16))),
        (frame(3, 0, 1, b"\0\0\0\x08"), (("error_code", "CANCEL"),)),
        (frame(3, 0, 1, b"\0\0\0\x99"), (("error_code", "0x99"),)),
        (frame(4, 0, 0, b"\0\x04\0\0\0\x05\0\x99\0\0\0\x01"), (("INITIAL_WINDOW_SIZE", 5), ("0x99", 1))),
        (frame(6, 0, 0, b"12345678"), (("opaque_data", b"12345678"),)),
        (frame(7, 0, 0, bytes(7) + b"\x01"), (("last_stream_id", 0), ("error_code", "PROTOCOL_ERROR"))),
        (
            frame(7, 0, 0, bytes(3) + b"\x05" + bytes(4) + b"why"),
            (("last_stream_id", 5), ("error_code", "NO_ERROR"), ("debug", b"why")),
        ),
        (frame(8, 0, 0, b"\x80\0\0\x07"), (("increment", 7),)),
        (frame(0xA, 0, 0, b"\0\x01ab"), (("origin", b"a"), ("value", b"b"))),
        (frame(0xC, 0, 0, b"\0\x01a\0\x02bc"), (("origin", b"a"), ("origin", b"bc"))),
        (frame(0x10, 0, 0, b"\0\0\0\x03u=1"), (("prioritized_stream_id", 3), ("priority", b"u=1"))),
        (frame(0x42, 0x40, 9, b"any"), ()),
        (
            frame(1, 0x2C, 1, b"\x01\0\0\0\0\xff\x82\0"),
            (("pad_length", 1), ("exclusive", False), ("dependency", 0), ("weight", 256)),
        ),
    ],
)
def test_what_a_frame_says(octets: bytes, details: tuple[tuple[str, object], ...]) -> None:
    """Every field of every frame is there by its name."""
    found = read(octets)
    assert (found.details, found.error, found.payload) == (details, None, octets[9:])


def test_unknown_names() -> None:
    """What has no name is told by its number."""
    found = read(frame(0x42, 0x41, 9, b"any"))
    assert (found.name, found.flag_names, found.stream_id) == ("0x42", ("0x01", "0x40"), 9)


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        (frame(0, 0x8, 1), "no room for the length of the padding (§6.1)"),
        (frame(0, 0x8, 1, b"\x05abc"), "5 octets of padding"),
        (frame(0, 0, 0, b"x"), "DATA on stream 0 (§6.1)"),
        (frame(9, 0x4, 0, b""), "CONTINUATION on stream 0 (§6.10)"),
        (frame(1, 0x24, 1, b"\0"), "no room for the priority fields (§6.2)"),
        (frame(2, 0, 1, b""), "PRIORITY has 5 octets, and not 0 (§6.3)"),
        (frame(4, 0, 0, b"123"), "settings have 6 octets each, and these are 3"),
        (frame(4, 1, 0, bytes(6)), "SETTINGS that acknowledge"),
        (frame(4, 0, 1), "SETTINGS on a stream, and it is of the connection (§6.5)"),
        (frame(4, 0, 0, b"\0\x02\0\0\0\x02"), "ENABLE_PUSH is 0 to 1"),
        (frame(4, 0, 0, b"\0\x04\xff\0\0\0"), "INITIAL_WINDOW_SIZE"),
        (frame(4, 0, 0, b"\0\x05\0\0\0\0"), "MAX_FRAME_SIZE"),
        (frame(7, 0, 0, b"1234"), "GOAWAY has 8 octets at least, and not 4"),
        (frame(8, 0, 0, bytes(4)), "WINDOW_UPDATE of 0 octets"),
        (frame(5, 4, 1, b"\0\0\0\2\x82"), "a client cannot push (§8.4)"),
        (frame(6, 2, 0, bytes(8)), "PING with flags that it does not have: 0x2 (§4.1)"),
        (frame(8, 0, 0, b"\x7f\xff\xff\xff"), "beyond 2^31-1"),
        (frame(0xA, 0, 0, b"\0\x09a"), "the origin is longer than the payload (RFC 7838 §4)"),
        (frame(0xC, 0, 0, b"\0"), "an origin is longer"),
        (frame(0x10, 0, 0, b"\0"), "no room for the prioritized stream (RFC 9218 §7.1)"),
        (frame(9, 0x4, 1, b"\x82"), "CONTINUATION of nothing"),
        (frame(1, 0, 1, b"\x82") + frame(6, 0, 0, bytes(8)), "within the field block of stream 1"),
        (frame(0, 0, 1, bytes(16385)), "16384 are the most (§4.2)"),
        (frame(1, 0x4, 1, b"\xff\xff\xff\xff\xff"), "cannot be decoded"),
        (frame(1, 0x4, 1, b"\xff\xff") + frame(1, 0x4, 3, b"\x82"), "an earlier field block"),
        (b"".join(frame(0, 0, 1, bytes(16384)) for _ in range(4)), "octets more than the window of the conn"),
    ],
)
def test_what_is_wrong_with_a_frame(octets: bytes, error: str) -> None:
    """A frame that is wrong is told as it is, with what is wrong."""
    found = read(octets)
    assert found.error is not None
    assert error in found.error


def test_a_stream_is_overrun() -> None:
    """Who sends more than a stream's window allows is found out."""
    dissector = H2Dissector()
    dissector.feed(False, PREFACE + frame(4, 0, 0, b"\0\x04\0\0\0\x03"), ORIGIN)
    dissector.feed(False, frame(1, 0x5, 1, b"\x82"), ORIGIN)
    found = dissector.feed(True, SETTINGS + frame(0, 0, 1, b"12345"), ORIGIN)[1]
    assert isinstance(found, FrameSeen)
    assert found.error == "2 octets more than the window of stream 1 (§6.9.1)"


def test_a_block_in_pieces() -> None:
    """A field block over several frames is that of the last."""
    dissector = H2Dissector()
    block = hpack.Encoder().encode(FIELDS)
    octets = frame(1, 0, 1, block[:3]) + frame(9, 0, 1, block[3:4]) + frame(9, 0x4, 1, block[4:])
    events = dissector.feed(False, PREFACE + SETTINGS + octets, ORIGIN)
    found = [event.fields for event in events if isinstance(event, FrameSeen)]
    assert found == [None, None, None, tuple(FIELDS)]


def test_a_promise() -> None:
    """PUSH_PROMISE has the request's fields, and its stream a window to send with, and no other."""
    dissector = H2Dissector()
    block = b"\0\0\0\x02" + hpack.Encoder().encode(FIELDS)
    octets = SETTINGS + frame(5, 0xC, 1, b"\x01" + block + b"\0") + frame(0, 1, 2, b"abc")
    events = dissector.feed(True, octets, ORIGIN)
    promise = events[1]
    assert isinstance(promise, FrameSeen)
    assert promise.details == (("pad_length", 1), ("promised_stream_id", 2))
    assert promise.fields == tuple(FIELDS)
    assert [event for event in events if isinstance(event, WindowChanged)] == [
        WindowChanged(ORIGIN, 0, True, 65535, 65532),
        WindowChanged(ORIGIN, 2, True, 65535, 65532),
    ]
    assert dissector.feed(True, frame(3, 0, 2, bytes(4)) + frame(0, 0, 2), ORIGIN)


def test_no_preface() -> None:
    """What does not begin as HTTP/2 does is unreadable, once."""
    dissector = H2Dissector()
    assert dissector.feed(False, PREFACE[:10], ORIGIN) == []
    assert dissector.feed(False, b"nothing like it", ORIGIN) == [
        Unreadable(ORIGIN, False, PREFACE[:10] + b"nothing like it", "not the preface of HTTP/2 (§3.4)")
    ]
    assert dissector.feed(False, b"more", ORIGIN) == []
    assert dissector.end(False, ORIGIN) == []


def test_an_early_end() -> None:
    """What is left when the connection ends is told as it is."""
    dissector = H2Dissector()
    dissector.feed(False, PREFACE[:4], ORIGIN)
    dissector.feed(True, SETTINGS[:4], ORIGIN)
    for sent, what in ((False, "the preface"), (True, "a frame")):
        (found,) = dissector.end(sent, ORIGIN)
        assert isinstance(found, Unreadable)
        assert found.reason.endswith(what)


def test_first_comes_settings() -> None:
    """A first frame that is not SETTINGS is wrong."""
    found = H2Dissector().feed(True, frame(6, 0, 0, bytes(8)), ORIGIN)[0]
    assert isinstance(found, FrameSeen)
    assert found.error == "the first frame is PING, not SETTINGS (§3.4)"


def test_after_an_upgrade() -> None:
    """With an Upgrade, stream 1 is there, and the settings that came with it count."""
    dissector = H2Dissector()
    assert dissector.upgraded(b"\0\x04\0\0\0\x64", ORIGIN) == [WindowChanged(ORIGIN, 1, True, 65535, 100)]
    events = dissector.feed(True, SETTINGS + frame(0, 1, 1, b"abc"), ORIGIN)
    assert events[-1] == WindowChanged(ORIGIN, 1, True, 100, 97)


def test_a_section_beyond_all_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a field section that is too large, fields are not kept, nor its frames' fragments."""
    monkeypatch.setattr("wptproto.trace.h2_table.SECTION_OCTETS", 100)
    found = read(frame(1, 0x4, 1, b"\x82" * 50))
    assert found.fields is None
    assert found.error is not None
    assert "more than 100 octets" in found.error


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=60)), max_size=10), st.booleans())
def test_any_octets(pieces: list[tuple[bool, bytes]], begins_well: bool) -> None:
    """Whatever octets there are, they are told; none of them is an error of the reader."""
    dissector = H2Dissector()
    if begins_well:
        dissector.feed(False, PREFACE + SETTINGS, ORIGIN)
        dissector.feed(True, SETTINGS, ORIGIN)
    for sent, octets in pieces:
        dissector.feed(sent, octets, ORIGIN)
    for sent in (True, False):
        dissector.end(sent, ORIGIN)


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.integers(0, 17),
            st.integers(0, 255),
            st.integers(0, 5),
            st.binary(max_size=40),
        ),
        max_size=12,
    )
)
def test_any_frames(frames: list[tuple[bool, int, int, int, bytes]]) -> None:
    """Any frames in any order are told, one by one, as they are."""
    dissector = H2Dissector()
    events = dissector.feed(False, PREFACE, ORIGIN)
    for sent, kind, flags, stream_id, payload in frames:
        events += dissector.feed(sent, frame(kind, flags, stream_id, payload), ORIGIN)
    told = [event for event in events if isinstance(event, FrameSeen)]
    assert [(one.sent, one.kind, one.flags, one.stream_id, one.payload) for one in told] == frames


def test_a_block_beyond_all_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field block that is too large is not kept, and no other can be decoded behind it."""
    for module in ("h2_table", "h2_dissector"):
        monkeypatch.setattr(f"wptproto.trace.{module}.SECTION_OCTETS", 2)
    parts = frame(1, 0, 1, b"\x82\x82\x82") + frame(9, 0, 1, b"\x82") + frame(9, 0x4, 1, b"\x82")
    assert read(parts).error == "a field block of more than 2 octets, which is not read"
    assert "an earlier field block" in (read(parts + frame(1, 0x4, 3, b"\x82")).error or "")
