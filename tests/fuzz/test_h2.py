"""HTTP/2 under anything that its two sides can do, in any order."""

from __future__ import annotations

from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
)
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.fuzz.machine import MAY_BE_REFUSED, ConnectionMachine, cuts, mostly, which
from tests.fuzz.reader import Reader
from tests.helpers.h2 import OPENING, REQUEST
from tests.helpers.mutating import Mutation, mutate, mutations
from wptproto.limits import Limits
from wptproto.protocol.connection import Connection
from wptproto.protocol.h2 import H2Connection
from wptproto.protocol.rules import Core, Rules
from wptproto.semantics.fields import FieldLine

LIMITS = Limits(
    field_section_octets=1000, field_lines=8, h2_concurrent_streams=4, h2_stream_window_octets=70_000
)

new_streams = mostly(["new"], ["last", "older", "promised", "skipped"])
old_streams = mostly(["last", "last", "older"], ["new", "promised", "skipped", "none"])
POST = ((b":method", b"POST"), *REQUEST[1:])
GOOD_SECTIONS: list[tuple[FieldLine, ...]] = [
    POST,
    REQUEST,
    (*POST, (b"content-length", b"5")),
    (*POST, (b"expect", b"100-continue")),
    ((b":method", b"HEAD"), *REQUEST[1:]),
    ((b":method", b"CONNECT"), (b":authority", b"h:1")),
]
BAD_SECTIONS: list[tuple[FieldLine, ...]] = [
    (*REQUEST, (b"Upper", b"1")),
    REQUEST[1:],
    (*REQUEST, *[(b"a", b"b")] * 9),
    (*REQUEST, (b"a", b"b" * 1100)),
    (*POST, (b"content-length", b"+5")),
]
sections = mostly(GOOD_SECTIONS, BAD_SECTIONS, 10)
flags = st.sampled_from([[], ["END_STREAM"]])
GOOD_SETTINGS: list[dict[int, int]] = [
    {4: 0},
    {4: 5},
    {4: 65535},
    {1: 0, 4: 1},
    {1: 100},
    {5: 20_000},
    {99: 9},
]
BAD_SETTINGS: list[dict[int, int]] = [{2: 0}, {3: 0}, {6: 1}, {2: 2}, {4: 2**31}, {4: 2**31 - 1}, {5: 100}]
settings = mostly(GOOD_SETTINGS, BAD_SETTINGS)
increments = mostly([1, 5, 1000, 65535], [0, 2**31 - 1])


class H2Machine(ConnectionMachine):
    """HTTP/2."""

    def __init__(self) -> None:
        super().__init__()
        self._reader = Reader()
        self._last_id = -1
        self._acknowledged = 0

    def open(self, core: Core) -> Connection:
        return H2Connection(Rules(LIMITS, core=core))

    def look_at_sent(self) -> None:
        self._reader.read(self.sent)

    def send(self, *frames: Frame | bytes, points: list[int] | None = None) -> None:
        octets = b"".join(frame if isinstance(frame, bytes) else frame.serialize() for frame in frames)
        self.receive(octets, points or [])

    def stream(self, which: str) -> int:
        """Return the number of a stream, which may be none that there is."""
        match which:
            case "new":
                self._last_id += 2
                return self._last_id
            case "skipped":
                self._last_id += 6
                return self._last_id
            case "last":
                return max(1, self._last_id)
            case "older":
                return max(1, self._last_id - 2)
            case "promised":
                return 2
        return 0

    # --- the client ----------------------------------------------------------------------------

    @initialize(section=sections, points=cuts)
    def preface(self, section: tuple[FieldLine, ...], points: list[int]) -> None:
        """What a client begins with, and its first request."""
        block = Encoder().encode(section)
        self.send(OPENING, HeadersFrame(self.stream("new"), block, flags=["END_HEADERS"]), points=points)

    @precondition(lambda self: self.is_open)
    @rule(which=old_streams, flags=flags)
    def trailers(self, which: str, flags: list[str]) -> None:
        """Trailers, wanted or not."""
        block = Encoder().encode([(b"trailer", b"1")])
        self.send(HeadersFrame(self.stream(which) or 1, block, flags=["END_HEADERS", *flags]))

    @precondition(lambda self: self.is_open)
    @rule(which=new_streams, section=sections, flags=flags, points=cuts, parts=st.integers(1, 3))
    def headers(
        self, which: str, section: tuple[FieldLine, ...], flags: list[str], points: list[int], parts: int
    ) -> None:
        """A request, or trailers, in one frame or several."""
        stream_id = self.stream(which) or 1
        block = Encoder().encode(section)
        size = -(-len(block) // parts)
        pieces = [block[at : at + size] for at in range(0, len(block), size)]
        frames: list[Frame] = [HeadersFrame(stream_id, pieces[0], flags=flags)]
        frames += [ContinuationFrame(stream_id, piece) for piece in pieces[1:]]
        frames[-1].flags.add("END_HEADERS")
        self.send(*frames, points=points)

    @precondition(lambda self: self.is_open)
    @rule(
        which=old_streams,
        size=st.sampled_from([0, 1, 5, 16384]),
        flags=flags,
        padding=st.sampled_from([None, 0, 255, None]),
    )
    def data(self, which: str, size: int, flags: list[str], padding: int | None) -> None:
        """Content, wanted or not."""
        frame = DataFrame(self.stream(which) or 1, b"x" * min(size, 16128), flags=flags)
        if padding is not None:
            frame.flags.add("PADDED")
            frame.pad_length = padding
        self.send(frame)

    @precondition(lambda self: self.is_open)
    @rule(which=old_streams, code=st.sampled_from([0, 8, 99]))
    def reset(self, which: str, code: int) -> None:
        """A stream that the client does not want any more."""
        self.send(RstStreamFrame(self.stream(which) or 1, code))

    @precondition(lambda self: self.is_open)
    @rule(which=old_streams, increment=increments)
    def window(self, which: str, increment: int) -> None:
        """More content may come."""
        stream_id = self.stream(which)
        self.send(b"\0\0\4\x08\0" + stream_id.to_bytes(4, "big") + increment.to_bytes(4, "big"))

    @precondition(lambda self: self.is_open)
    @rule(values=settings, ack=st.booleans())
    def change_settings(self, values: dict[int, int], ack: bool) -> None:
        """Settings, or that ours were seen."""
        self.send(SettingsFrame(0, flags=["ACK"]) if ack else SettingsFrame(0, values))

    @precondition(lambda self: self.is_open)
    @rule(which=old_streams, kind=mostly([0, 1, 2, 3], [4], 40), last=st.integers(0, 3))
    def others(self, which: str, kind: int, last: int) -> None:
        """Frames that ask for little."""
        stream_id = self.stream(which)
        frames: list[Frame | bytes] = [
            PingFrame(0, b"12345678"),
            PingFrame(0, b"12345678", flags=["ACK"]),
            PriorityFrame(stream_id or 1, depends_on=2 * last),
            ExtensionFrame(0x20, stream_id, flag_byte=255, body=b"x"),
            GoAwayFrame(0, last_stream_id=last, error_code=last, additional_data=b"bye"),
        ]
        self.send(frames[kind])

    @precondition(lambda self: self.is_open)
    @rule(which=new_streams, section=sections, changes=mutations, points=cuts)
    def nearly(
        self, which: str, section: tuple[FieldLine, ...], changes: list[Mutation], points: list[int]
    ) -> None:
        """Frames that something has happened to."""
        stream_id = self.stream(which) or 1
        frames: list[Frame] = [
            HeadersFrame(stream_id, Encoder().encode(section), flags=["END_HEADERS"]),
            DataFrame(stream_id, b"hello"),
            SettingsFrame(0, {4: 0}),
        ]
        self.send(mutate(b"".join(frame.serialize() for frame in frames), changes), points=points)

    # --- the server ----------------------------------------------------------------------------

    @precondition(lambda self: self.witness.methods and self.may_write_by_hand)
    @rule(number=which, octets=st.binary(max_size=20))
    def send_verbatim(self, number: int, octets: bytes) -> None:
        """Octets past all rules."""
        self.both(lambda connection: connection.send_verbatim(self.exchange(number), octets), *MAY_BE_REFUSED)

    @precondition(lambda self: self.witness.methods)
    @rule(number=which, section=sections, promised=mostly([None], [0, 1, 2, 5, 6]))
    def push(self, number: int, section: tuple[FieldLine, ...], promised: int | None) -> None:
        """A promise of what was not asked for."""
        exchange_id = self.exchange(number)
        event = self.both(
            lambda connection: connection.push(exchange_id, list(section), promised), *MAY_BE_REFUSED
        )
        if event is not None:
            self.witness.take([event], self.whole)


TestH2 = H2Machine.TestCase
