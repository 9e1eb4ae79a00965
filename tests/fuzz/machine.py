"""
A connection under anything that its two sides can do, in any order.

Two connections get the same octets, the one as they come and the other cut into pieces, and the same
calls; whatever comes of it comes of both. The first has the fast core, the second the plain one. What a
client sends, and what has to hold for what a server sends, differs by protocol, and stands in subclasses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.fuzz.witness import Witness
from tests.helpers.cutting import Trace, cut
from wptproto.errors import ExchangeClosed, LocalProtocolError
from wptproto.protocol.connection import Awaits, Closing, Connection
from wptproto.protocol.events import Event, ExchangeId
from wptproto.protocol.h2_frames import RawFrame
from wptproto.protocol.rules import Core
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import ResponseHead

__all__ = ["ConnectionMachine"]

T = TypeVar("T")

MAY_BE_REFUSED = (LocalProtocolError, ExchangeClosed)


def mostly(often: Sequence[T], seldom: Sequence[T], times: int = 20) -> st.SearchStrategy[T]:
    """Return some of the first, and one of the second for so many of them; the ends are drawn more often."""
    half = list(often) * -(-times * len(seldom) // (2 * len(often)))
    return st.sampled_from([*half, *seldom, *half])


statuses = mostly([200, 404], [204, 304, 999, 100, 103, 101, 42], 5)
GOOD_LINES: list[FieldLine] = [
    (b"Content-Length", b"3"),
    (b"Set-Cookie", b"a=b"),
    (b"Connection", b"keep-alive"),
]
BAD_LINES: list[FieldLine] = [
    (b"Content-Length", b"0"),
    (b"Content-Length", b"+1"),
    (b"Transfer-Encoding", b"chunked"),
    (b"Connection", b"close"),
    (b"X", b"\xff y "),
    (b"A b", b"\0"),
]
lines = st.lists(mostly(GOOD_LINES, BAD_LINES, 5), max_size=3)
which = mostly([0], [1, 2, 3], 3)
cuts = st.lists(st.integers(1, 200), max_size=6)


class ConnectionMachine(RuleBasedStateMachine):
    """
    Two connections of one kind.

    Attributes:
        whole: The one that gets octets as they come; it is fast.
        pieces: The one that gets them cut; it is plain.
        witness: Of the first one's events.
        sent: What came out since it was looked at last.
        may_write_by_hand: Whether frames, and octets in their place, are sent past all rules.
    """

    def __init__(self) -> None:
        super().__init__()
        self.whole, self.pieces = self.open(Core.FAST), self.open(Core.PLAIN)
        self.witness = Witness()
        self.sent = bytearray()
        self.may_write_by_hand = False
        self._kept = b""
        self._is_eof = False
        self._now_s = 0.0

    # --- for protocols to say ------------------------------------------------------------------

    def open(self, core: Core) -> Connection:
        """Return a new connection with such a core."""
        raise NotImplementedError

    def look_at_sent(self) -> None:
        """See that ``sent`` makes sense to a client, as far as it goes."""

    def look_at_response(self, exchange_id: ExchangeId) -> None:
        """See that ``sent`` makes sense to a client, now that a response has ended."""

    @property
    def is_open(self) -> bool:
        """Whether the client can still say something."""
        return self.whole.closing is Closing.NO and not self._is_eof

    # --- what both sides get -------------------------------------------------------------------

    def both(
        self, call: Callable[[Connection], T], *refusals: type[Exception], at_end: ExchangeId | None = None
    ) -> T | None:
        """
        Do something with both connections, and see that the same comes of it.

        Args:
            call: What to do; returns events, or something else that can be compared.
            refusals: Exceptions that may come of it; then None is returned.
            at_end: The exchange that it ends, if it is not refused.
        """
        results: list[object] = []
        found: T | None = None
        refused = False
        for connection in (self.pieces, self.whole):
            try:
                found = call(connection)
                results.append(_comparable(found))
            except refusals as error:
                found, refused = None, True
                results.append((type(error), str(error)))
        assert results[0] == results[1]
        if at_end is not None and not refused:
            self.witness.finished(at_end)
        if isinstance(found, list):
            self.witness.take(found, self.whole)
        self._compare()
        return found

    def receive(self, octets: bytes, points: list[int], kept: int = 0) -> None:
        """Let the client send octets, the last of them only with the next ones."""
        if self.whole.reading_paused:
            return
        octets = self._kept + octets
        octets, self._kept = octets[: len(octets) - kept], octets[len(octets) - kept :]
        whole = _drained(self.whole, octets)
        pieces = [event for piece in cut(octets, points) for event in _drained(self.pieces, piece)]
        assert _comparable(whole) == _comparable(pieces)
        self.witness.take(whole, self.whole)
        self._compare()

    def _compare(self) -> None:
        sent = self.whole.data_to_send()
        assert self.pieces.data_to_send() == sent
        self.sent += sent
        assert self.pieces.closing is self.whole.closing
        assert self.pieces.reading_paused is self.whole.reading_paused
        assert self.pieces.awaits is self.whole.awaits
        if not self.may_write_by_hand:
            self.look_at_sent()

    def exchange(self, number: int) -> ExchangeId:
        """Return one of the last exchanges, or one that there never was."""
        known = self.witness.exchanges
        return known[number] if number < len(known) else ExchangeId(999)

    @initialize(by_hand=st.booleans())
    def begin(self, by_hand: bool) -> None:
        """Say whether what is sent is anybody's to understand."""
        self.may_write_by_hand = by_hand

    # --- the client's side ---------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.0, 0.01, 1.0, 1000.0]))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self._now_s += seconds
        self.both(lambda connection: connection.tick(self._now_s))

    # --- the server's side ---------------------------------------------------------------------

    @precondition(lambda self: self.witness.methods)
    @rule(number=which, chunked=st.booleans())
    def respond(self, number: int, chunked: bool) -> None:
        """A whole response, as it should be."""
        exchange_id = self.exchange(number)
        line = (b"Transfer-Encoding", b"chunked") if chunked else (b"Content-Length", b"3")
        head = ResponseHead(200, Fields([line]), b"OK", chunked)
        self.both(lambda connection: connection.send_head(exchange_id, head), *MAY_BE_REFUSED)
        self.both(lambda connection: connection.send_content(exchange_id, b"abc", end=True), *MAY_BE_REFUSED)
        self._finish(exchange_id, close=False)

    @precondition(lambda self: self.witness.methods)
    @rule(number=which, status=statuses, lines=lines, end=st.booleans(), chunked=st.booleans())
    def send_head(self, number: int, status: int, lines: list[FieldLine], end: bool, chunked: bool) -> None:
        """A final head, or what is none, or is sent too late."""
        head = ResponseHead(status, Fields(lines), b"Why", chunked)
        self.both(
            lambda connection: connection.send_head(self.exchange(number), head, end=end), *MAY_BE_REFUSED
        )

    @precondition(lambda self: self.witness.methods)
    @rule(number=which, status=statuses, lines=lines)
    def send_informational(self, number: int, status: int, lines: list[FieldLine]) -> None:
        """An interim head, or what is none."""
        head = ResponseHead(status, Fields(lines))
        self.both(
            lambda connection: connection.send_informational(self.exchange(number), head), *MAY_BE_REFUSED
        )

    @precondition(lambda self: self.witness.methods)
    @rule(number=which, size=st.sampled_from([0, 1, 2, 3, 3, 4, 100, 70_000]), end=st.booleans())
    def send_content(self, number: int, size: int, end: bool) -> None:
        """Content, as far as the window allows."""
        taken = self.both(
            lambda connection: connection.send_content(self.exchange(number), b"x" * size, end=end),
            *MAY_BE_REFUSED,
        )
        assert taken is None or 0 <= taken <= size

    @precondition(lambda self: self.witness.methods)
    @rule(number=which, lines=lines)
    def send_trailers(self, number: int, lines: list[FieldLine]) -> None:
        """Trailers, or what cannot be some."""
        self.both(
            lambda connection: connection.send_trailers(self.exchange(number), Fields(lines)), *MAY_BE_REFUSED
        )

    @precondition(lambda self: self.witness.methods)
    @rule(number=which)
    def ask_room(self, number: int) -> None:
        """How much fits into a frame."""
        room = self.both(lambda connection: connection.room(self.exchange(number)), *MAY_BE_REFUSED)
        assert room is None or room >= 0

    @precondition(lambda self: self.witness.methods and self.may_write_by_hand)
    @rule(number=which, kind=st.integers(0, 10), flags=st.integers(0, 255), payload=st.binary(max_size=9))
    def send_frame(self, number: int, kind: int, flags: int, payload: bytes) -> None:
        """A frame by hand."""
        exchange_id = self.exchange(number)
        frame = RawFrame(kind, flags, None, payload)
        self.both(lambda connection: connection.send_frame(exchange_id, frame), *MAY_BE_REFUSED)

    @precondition(lambda self: self.witness.methods)
    @rule(number=which, close=mostly([False], [True]))
    def finish(self, number: int, close: bool) -> None:
        """The end of a response, whether there was one or not."""
        self._finish(self.exchange(number), close=close)

    def _finish(self, exchange_id: ExchangeId, *, close: bool) -> None:
        is_new = not self.witness.is_over(exchange_id)
        self.both(lambda connection: connection.finish(exchange_id, close=close), at_end=exchange_id)
        if is_new:
            self.look_at_response(exchange_id)

    @precondition(lambda self: self.witness.methods)
    @rule(
        number=which,
        status=statuses,
        lines=lines,
        content=st.binary(max_size=9),
        close=mostly([False], [True]),
    )
    def respond_at_one_go(
        self, number: int, status: int, lines: list[FieldLine], content: bytes, close: bool
    ) -> None:
        """A whole response: at one go, where that can be, it is what it is step by step."""
        exchange_id = self.exchange(number)
        counted = [*lines, (b"Content-Length", b"%d" % len(content))]
        head = ResponseHead(status, Fields(counted), b"")

        def answer(connection: Connection) -> list[Event]:
            if connection is self.whole:
                following = connection.respond(exchange_id, head, content, close=close)
                if following is not None:
                    return following
            connection.send_head(exchange_id, head)
            connection.send_content(exchange_id, content, end=True)
            return connection.finish(exchange_id, close=close)

        is_new = not self.witness.is_over(exchange_id)
        if self.both(answer, *MAY_BE_REFUSED, at_end=exchange_id) is not None and is_new:
            self.look_at_response(exchange_id)

    @precondition(lambda self: self.witness.methods)
    @rule(number=which)
    def abort(self, number: int) -> None:
        """A response that breaks off."""
        exchange_id = self.exchange(number)
        self.both(lambda connection: connection.abort(exchange_id), at_end=exchange_id)

    @precondition(lambda self: self.witness.methods)
    @rule(number=which, consumed=st.sampled_from([0, 1, 5, 40_000]))
    def acknowledge(self, number: int, consumed: int) -> None:
        """Content that a handler has consumed."""
        self.both(lambda connection: connection.acknowledge(self.exchange(number), consumed))

    # --- either side ---------------------------------------------------------------------------

    @precondition(lambda self: self.is_open)
    @rule(how=mostly([""], ["eof", "close", "expire"]))
    def end(self, how: str) -> None:
        """Now and then one side has enough: the client closes its, or the server closes, or finds it late."""
        match how:
            case "eof":
                self.receive(b"", [])
                self._is_eof = True
                self.both(lambda connection: connection.receive_eof())
            case "close":
                self.both(lambda connection: connection.close("enough"))
            case "expire":
                if self.whole.awaits is not Awaits.NOTHING:
                    self.both(lambda connection: connection.expire("too late"))

    @precondition(lambda self: self.is_open and self.witness.methods)
    @rule(number=which, expires=mostly([False], [True]))
    def wait_for_content(self, number: int, expires: bool) -> None:
        """Content that a client owes is late now and then."""
        exchange_id = self.exchange(number)
        owes = self.both(lambda connection: connection.owes_content(exchange_id))
        if expires:
            events = self.both(lambda connection: connection.expire_content(exchange_id, "too late"))
            assert owes or not events

    # --- what always holds ---------------------------------------------------------------------

    @invariant()
    def what_closes_is_done(self) -> None:
        """A connection that closes has no backlog, and makes nothing of further octets."""
        if self.whole.closing is not Closing.NO:
            assert not self.whole.has_backlog
            assert self.whole.receive_data(b"") == self.pieces.receive_data(b"") == []


def _drained(connection: Connection, octets: bytes) -> list[Event]:
    """Return what comes of octets, in as many turns as it takes."""
    events = connection.receive_data(octets)
    while connection.has_backlog:
        events += connection.receive_data(b"")
    return events


def _comparable(result: object) -> object:
    """Return events as plain values, of which content that belongs together is one; else the result."""
    if not isinstance(result, list):
        return result
    trace = Trace()
    trace.add(result)
    return trace.events
