"""HTTP/1.1 under anything that its two sides can do, in any order."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.fuzz.machine import MAY_BE_REFUSED, ConnectionMachine, cuts, mostly, which
from tests.helpers.h1 import read_one
from tests.helpers.mutating import mutated
from wptproto.limits import Limits
from wptproto.protocol.connection import Closing, Connection
from wptproto.protocol.events import ExchangeId
from wptproto.protocol.h1 import H1Connection
from wptproto.protocol.rules import Core, Leniency, Rules

LIMITS = Limits(
    request_line_octets=100,
    field_section_octets=300,
    field_lines=8,
    chunk_line_octets=30,
    content_octets=5000,
)
MOST_OCTETS = 1000  # of one delivery

request_lines = st.builds(
    b"%b %b HTTP/1.%b\r\n".__mod__,
    st.tuples(
        st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"BREW", b"GET"]),
        mostly([b"/", b"/a?b", b"http://h/"], [b"*", b"h:80", b"/" + b"a" * 90]),
        mostly([b"1"], [b"0", b"0", b"2"]),
    ),
)
hosts = mostly([b"Host: h\r\n"], [b"", b"Host: a\r\nHost: b\r\n", b"Host: h x\r\n"])
GOOD_LINES = [b"Connection: keep-alive\r\n", b"Accept: */*\r\n", b"Expect: 100-continue\r\n"]
BAD_LINES = [
    b"Connection: close\r\n",
    b"Expect: miracles\r\n",
    b"A: 1\n",
    b"B : 1\r\n",
    b" folded\r\n",
    b"C: " + b"c" * 120 + b"\r\n",
]
field_lines = st.lists(mostly(GOOD_LINES, BAD_LINES), max_size=2)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
GOOD_CONTENTS = [
    (b"", b""),
    (b"Content-Length: 5\r\n", b"hello"),
    (b"Content-Length: 500\r\n", b"x" * 500),
    (CHUNKED, b"3;a\r\nabc\r\n0\r\nT: 1\r\n\r\n"),
    (CHUNKED, b"0\r\n\r\n"),
]
BAD_CONTENTS = [
    (b"Content-Length: 99999\r\n", b""),
    (b"Content-Length: +5\r\n", b"hello"),
    (b"Content-Length: 5, 5\r\n", b"hello"),
    (CHUNKED, b"3\r\nabcd\r\n0\r\n\r\n"),
    (CHUNKED, b"3\nabc\r\n0;\r\n\n"),
    (b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    (CHUNKED + b"Content-Length: 3\r\n", b"0\r\n\r\n"),
]
contents = mostly(GOOD_CONTENTS, BAD_CONTENTS)
requests = st.builds(
    lambda line, host, lines, content: b"".join([line, host, *lines, content[0], b"\r\n", content[1]]),
    request_lines,
    hosts,
    field_lines,
    contents,
)
by_hand = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"2\r\nok\r\n",
        b"0\r\n\r\n",
        b"HTTP/1.1 103 Early\r\n\r\n",
        b"HTTP/1.1 204 \r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"\r\n",
        b"nonsense",
    ]
)


class H1Machine(ConnectionMachine):
    """HTTP/1.1, strict."""

    goes_by = Rules(LIMITS)

    def open(self, core: Core) -> Connection:
        return H1Connection(self.goes_by._replace(core=core), cleartext=False)

    def look_at_response(self, exchange_id: ExchangeId) -> None:
        """Behind a connection that goes on, another client has read one whole response."""
        if self.whole.closing is Closing.NO:
            message, size = read_one(bytes(self.sent), self.witness.methods[exchange_id], eof=False)
            assert message is not None
            del self.sent[:size]

    @initialize(octets=requests, points=cuts)
    def first(self, octets: bytes, points: list[int]) -> None:
        """The client sends its first request."""
        self.receive(octets, points)

    @precondition(lambda self: self.is_open)
    @rule(octets=requests, points=cuts, kept=st.integers(0, 9))
    def request(self, octets: bytes, points: list[int], kept: int) -> None:
        """The client sends a request, and perhaps not yet the last octets."""
        self.receive(octets, points, kept)

    @precondition(lambda self: self.is_open)
    @rule(octets=st.lists(requests, min_size=2, max_size=4).map(b"".join), points=cuts)
    def pipeline(self, octets: bytes, points: list[int]) -> None:
        """The client sends several requests ahead."""
        self.receive(octets, points)

    @precondition(lambda self: self.is_open and self.witness.methods)
    @rule(octets=mostly([b""], [b"\r\n", b"\n", b"\0"], 3) | requests.flatmap(mutated), points=cuts)
    def nearly(self, octets: bytes, points: list[int]) -> None:
        """The client sends octets of another kind."""
        self.receive(octets, points)

    @precondition(lambda self: self.witness.methods)
    @rule(number=which, octets=by_hand | by_hand.flatmap(mutated))
    def send_verbatim(self, number: int, octets: bytes) -> None:
        """Octets past all rules, which may be a response, or a part of one."""
        self.both(lambda connection: connection.send_verbatim(self.exchange(number), octets), *MAY_BE_REFUSED)

    def teardown(self) -> None:
        """What is held for a client stays below what it may ask for."""
        for connection in (self.whole, self.pieces):
            assert isinstance(connection, H1Connection)
            if not connection.awaits.value.startswith("nothing"):
                most = LIMITS.request_line_octets + LIMITS.field_section_octets
                assert len(connection._buffer) <= most + MOST_OCTETS


class LenientH1Machine(H1Machine):
    """HTTP/1.1, forgiving all that can be forgiven."""

    goes_by = Rules(LIMITS, frozenset(Leniency))


TestH1 = H1Machine.TestCase
TestLenientH1 = LenientH1Machine.TestCase
