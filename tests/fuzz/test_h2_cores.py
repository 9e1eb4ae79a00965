"""The fast core under anything that both sides can do, in any order: it never differs from the plain one."""

from __future__ import annotations

from typing import Any

from hpack import Encoder
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from tests.fuzz.machine import cuts, mostly
from tests.fuzz.test_h2 import H2Machine, sections
from tests.helpers.cutting import Trace, cut
from wptproto.protocol.connection import Connection
from wptproto.protocol.events import Event
from wptproto.protocol.h2 import H2Connection
from wptproto.semantics.fields import FieldLine

PRIORITY = 0x20
BLOCKS = [
    b"\x82\x86\x84\x01\x01h",  # GET http / with :authority h, which is put into no table
    b"\x82\x86\x04\x02/b\x01\x01h",
    b"\x83\x86\x84\x01\x01h",  # POST
    b"\x83\x86\x84\x01\x01h\x0f\x0d\x015",  # with Content-Length: 5
    b"\x82\x86\x84\xbe",  # what went into the table last
    b"\x82\x86\x84\xbf\xbe",
    b"\x82\x86\x84\x41\x01h",  # with :authority h, which is put into the table
    b"\x20\x82\x86\x84\x01\x01h",  # the table has no size
    b"\x3f\xe1\x1f\x82\x86\x84\x01\x01h",  # and has 4096 octets again
    b"\x82\x86\x84",  # no :authority
    b"\x88",
    b"\xff",
    b"",
]
PATHS = [
    *(b"\x04\x01/", b"\x04\x02/b", b"\x14\x03/cd", b"\x05\x82\x60\xff", b"\x15\x01*", b"\x04\x02/ "),
    *(b"\x04\x82\xff\xff", b"\x04\x00", b"\x04\x01x", b"\x04\x7f\x00", b"\x04\x05/", b"\x44\x02/e"),
]
blocks = mostly(BLOCKS[:7], BLOCKS[7:], 20) | st.builds(
    lambda method, path: method + b"\x86" + path + b"\x01\x01h",
    st.sampled_from([b"\x82", b"\x83", b"\x02\x07OPTIONS", b""]),
    mostly(PATHS[:6], PATHS[6:], 10),
)


class CoresMachine(H2Machine):
    """The first connection is fast, and the second plain; both get the same pieces."""

    def __init__(self) -> None:
        super().__init__()
        self._encoder = Encoder()

    def receive(self, octets: bytes, points: list[int], kept: int = 0) -> None:
        """Let the client send octets, piece by piece, and see each time that the same comes of them."""
        if self.whole.reading_paused:
            return
        for piece in cut(octets, points):
            data = piece
            while True:
                found = [_plainly(connection.receive_data(data)) for connection in (self.whole, self.pieces)]
                events, plain = (trace.events for _, trace in found)
                assert events == plain
                self.witness.take(found[0][0], self.whole)
                assert self.whole.has_backlog is self.pieces.has_backlog
                self._compare()
                data = b""
                if not self.whole.has_backlog:
                    break

    @precondition(lambda self: self.is_open)
    @rule(
        count=st.integers(1, 4),
        block=blocks,
        ended=mostly([True], [False], 4),
        flags=mostly([0], [PRIORITY, PRIORITY, 8, 2, 64], 4),
        points=cuts,
    )
    def requests(self, count: int, block: bytes, ended: bool, flags: int, points: list[int]) -> None:
        """Requests that are as plain as they can be, and some that look so."""
        octets = bytearray()
        for _ in range(count):
            stream_id = self.stream("new")
            payload = block
            if flags == PRIORITY:
                payload = (stream_id - 2 * (len(points) % 2)).to_bytes(4, "big") + b"\xff" + block
            octets += len(payload).to_bytes(3, "big") + bytes([1, 4 | flags | ended])
            octets += stream_id.to_bytes(4, "big") + payload
        self.send(bytes(octets), points=points)

    @precondition(lambda self: self.is_open)
    @rule(section=sections, ended=st.booleans(), points=cuts)
    def request_by_table(self, section: tuple[FieldLine, ...], ended: bool, points: list[int]) -> None:
        """A request of a client that remembers what it sent."""
        block = self._encoder.encode(section)
        octets = len(block).to_bytes(3, "big") + bytes([1, 4 | ended])
        self.send(octets + self.stream("new").to_bytes(4, "big") + block, points=points)

    @precondition(lambda self: self.is_open)
    @rule(size=st.sampled_from([0, 1, 5, 5, 16384]), flags=mostly([0, 1], [2, 8, 9], 5), points=cuts)
    def content(self, size: int, flags: int, points: list[int]) -> None:
        """Content of the last request."""
        octets = size.to_bytes(3, "big") + bytes([0, flags]) + self.stream("last").to_bytes(4, "big")
        self.send(octets + b"\1" * size, points=points)

    @precondition(lambda self: self.is_open)
    @rule(increment=st.integers(0, 2**32 - 1), flags=st.integers(0, 255), own=st.booleans())
    def increment(self, increment: int, flags: int, own: bool) -> None:
        """A window is opened, by more than it can be now and then, and with a bit that is reserved."""
        stream_id = self.stream("last") if own else 0
        self.send(b"\0\0\4\x08%c" % flags + stream_id.to_bytes(4, "big") + increment.to_bytes(4, "big"))

    @invariant()
    def all_is_as_h2_would_have_it(self) -> None:
        """h2's state is the same, too: streams and how they closed, windows, tables."""
        assert _inside(self.whole) == _inside(self.pieces)


def _plainly(events: list[Event]) -> tuple[list[Event], Trace]:
    trace = Trace()
    trace.add(events)
    return events, trace


def _inside(connection: Connection) -> dict[str, Any]:
    """Return what h2 remembers."""
    assert isinstance(connection, H2Connection)
    library = connection._h2
    found: dict[str, Any] = {
        name: getattr(library, name)
        for name in (
            "highest_inbound_stream_id",
            "highest_outbound_stream_id",
            "outbound_flow_control_window",
            "inbound_flow_control_window",
            "max_outbound_frame_size",
            "provoked",
        )
    }
    machine = library.state_machine
    found |= {"state": machine.state, "steps": connection.steps, "spent": connection._allowance._spent}
    for name, coder in (("decoder", library.decoder), ("encoder", library.encoder)):
        table = coder.header_table
        found[name] = (list(table.dynamic_entries), table.maxsize, table.resized)
    found["streams"] = [
        (
            stream_id,
            stream.state_machine.state,
            bool(stream.state_machine.headers_sent),
            bool(stream.state_machine.trailers_sent),
            bool(stream.state_machine.trailers_received),
            stream.closed_by,
            stream.max_outbound_frame_size,
            stream.inbound_flow_control_window,
            stream._inbound_window_manager.max_window_size,
            stream.outbound_flow_control_window,
        )
        for stream_id, stream in library.streams.items()
    ]
    found["closed"] = dict(library._closed_streams)
    found["ours"] = dict(connection._streams)
    return found


TestCores = CoresMachine.TestCase
