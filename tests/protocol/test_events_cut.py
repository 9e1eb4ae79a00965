"""
Cut anywhere: the same octets in any pieces come to the same events and the same octets out.

And whatever the octets, nothing but events comes of them.
"""

from __future__ import annotations

import base64

import pytest
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
    WindowUpdateFrame,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.cutting import Opening, Trace, cuts, octet_by_octet, play
from tests.helpers.h1 import request
from tests.helpers.h2 import OPENING, REQUEST, headers
from wptproto.errors import ExchangeClosed, LocalProtocolError
from wptproto.protocol.connection import Connection
from wptproto.protocol.events import (
    ContentFailed,
    Event,
    ExchangeId,
    ExchangeReset,
    RequestEnded,
    RequestReceived,
)
from wptproto.protocol.h1 import H1Connection
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import ResponseHead

# --- samples ---------------------------------------------------------------------------------------

POST = request(b"POST /a?b HTTP/1.1", b"Content-Length: 5", content=b"hello")
CHUNKED = request(
    b"PUT / HTTP/1.1",
    b"Transfer-Encoding: chunked",
    content=b"2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nA: 1\r\nB:\r\n\r\n",
)
SETTINGS = SettingsFrame(0, {4: 100_000}).serialize_body()
UPGRADE = request(
    b"GET / HTTP/1.1",
    b"Connection: Upgrade, HTTP2-Settings",
    b"Upgrade: h2c",
    b"HTTP2-Settings: " + base64.urlsafe_b64encode(SETTINGS).rstrip(b"="),
)
H1: dict[str, bytes] = {
    "one": request(),
    "pipelined": b"\r\n" + request() + POST + CHUNKED + b"\r\n\r\n" + request(b"OPTIONS * HTTP/1.1"),
    "expecting": request(b"PUT / HTTP/1.1", b"Content-Length: 2", b"Expect: 100-continue", content=b"ok"),
    "old": request(b"GET / HTTP/1.0", b"Connection: keep-alive") + request(b"GET / HTTP/1.0") + request(),
    "closing": request(b"GET / HTTP/1.1", b"Connection: close") + POST,
    "cut-off-in-a-head": POST + POST[:30],
    "cut-off-in-content": POST + POST[:-2],
    "line-feed": POST + b"GET / HTTP/1.1\r\nA: 1\nHost: h\r\n\r\n" + POST,
    "wrong-head": request(b"GET / HTTP/1.1", b"A : 1"),
    "wrong-chunk": CHUNKED[:-20] + b"x\r\n\r\n",
    "wrong-end-of-chunk": CHUNKED.replace(b"he\r\n", b"hex\n"),
    "wrong-trailer": CHUNKED.replace(b"B:", b"B"),
    "tls": bytes.fromhex("16030100c8010000c4"),
    "nearly-http-2": b"PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n",
    "blanks": b"\r\n" * 5 + b"\r",
}


def frames(*parts: Frame | bytes) -> bytes:
    return b"".join(part if isinstance(part, bytes) else part.serialize() for part in parts)


encoder = Encoder()
SECTION = encoder.encode([*REQUEST, (b"a", b"1" * 50)])
POST_2 = headers(
    3, [(b":method", b"POST"), *REQUEST[1:], (b"content-length", b"10")], end=False, encoder=encoder
)
DATA = (
    DataFrame(3, b"hello"),
    PingFrame(0, b"12345678"),
    DataFrame(3, b"hello", pad_length=7, flags=["PADDED", "END_STREAM"]),
)
MALFORMED = headers(5, [*REQUEST, (b"Upper", b"1")], encoder=encoder)
H2: dict[str, bytes] = {
    "one": frames(OPENING, HeadersFrame(1, SECTION, flags=["END_HEADERS", "END_STREAM"])),
    "many": frames(
        OPENING,
        HeadersFrame(1, SECTION[:20], flags=["END_STREAM"]),
        ContinuationFrame(1, SECTION[20:40]),
        ContinuationFrame(1, SECTION[40:], flags=["END_HEADERS"]),
        POST_2,
        ExtensionFrame(0x42, 0, body=b"what"),
        *DATA,
        PriorityFrame(7),
        MALFORMED,
        WindowUpdateFrame(0, 100),
        WindowUpdateFrame(1, 100),
        SettingsFrame(0, {4: 5}),
    ),
    "reset": frames(OPENING, headers(1), RstStreamFrame(1, 8), PingFrame(0)),
    "goodbye": frames(OPENING, headers(1), GoAwayFrame(0, 0, 0, b"bye"), PingFrame(0)),
    "goodbye-at-once": frames(OPENING, GoAwayFrame(0), headers(2), b"\xff" * 20),
    "content-too-long": frames(OPENING, headers(1, [*REQUEST, (b"content-length", b"1")], end=False))
    + frames(DataFrame(1, b"hello"), PingFrame(0)),
    "violation": frames(OPENING, headers(1), DataFrame(5, b"x"), headers(3)),
    "oversized": frames(OPENING, headers(1), b"\x00\x40\x01\x00\x00\x00\x00\x00\x01", bytes(16385)),
    "no-settings": OPENING[:24] + frames(PingFrame(0), SettingsFrame(0)),
    "cut-off": frames(OPENING, headers(1))[:-3],
    "cut-off-behind-a-head": frames(OPENING, headers(1, end=False)),
    "upgraded": UPGRADE + frames(OPENING, headers(3), PingFrame(0)),
    "upgraded-wrongly": UPGRADE + OPENING[:20] + b"\xff" * 20,
    "upgraded-to-nothing": UPGRADE.replace(b"HTTP2-Settings: ", b"HTTP2-Settings: AAIAAAAC"),
}
SAMPLES = {f"h1-{name}": octets for name, octets in H1.items()} | {
    f"h2-{n}": octets for n, octets in H2.items()
}


def answer(connection: Connection, event: Event) -> list[Event]:
    """Answer each HTTP/1.1 request when it is complete, or will never be."""
    if isinstance(connection, H1Connection) and isinstance(event, RequestEnded | ContentFailed):
        connection.send_head(event.exchange_id, ResponseHead(200, Fields([(b"Content-Length", b"2")])))
        connection.send_content(event.exchange_id, b"ok", end=True)
        return connection.finish(event.exchange_id)
    return []


def trace(pieces: list[bytes], *, eof: bool = True) -> Trace:
    return play(pieces, opening=Opening(), answer=answer, eof=eof)


@pytest.mark.parametrize("eof", [True, False], ids=["eof", "open"])
@pytest.mark.parametrize("octets", SAMPLES.values(), ids=SAMPLES)
def test_octet_by_octet(octets: bytes, eof: bool) -> None:
    """It does not matter whether octets come at once or one by one."""
    assert trace(octet_by_octet(octets), eof=eof) == trace([octets], eof=eof)


@pytest.mark.parametrize("octets", SAMPLES.values(), ids=SAMPLES)
def test_cut_once(octets: bytes) -> None:
    """Nor where they are cut in two."""
    whole = trace([octets])
    for at in range(1, min(len(octets), 400)):
        assert trace([octets[:at], octets[at:]]) == whole


@settings(max_examples=200)
@given(st.data(), st.sampled_from(sorted(SAMPLES)))
def test_cut_anywhere(data: st.DataObject, name: str) -> None:
    """Nor where, and into how many."""
    octets = SAMPLES[name]
    assert trace(data.draw(cuts(octets))) == trace([octets])


# --- whatever the octets ---------------------------------------------------------------------------


class Careless:
    """
    A server that answers in some way, and now and then in the wrong order.

    What it must never meet is an exception beside the two that a connection promises.
    """

    def __init__(self, habit: int) -> None:
        self._habit = habit
        self._begun: list[ExchangeId] = []

    def __call__(self, connection: Connection, event: Event) -> list[Event]:
        if isinstance(event, RequestReceived):
            self._begun.append(event.exchange_id)
        if not isinstance(event, RequestReceived | RequestEnded | ContentFailed | ExchangeReset):
            return []
        if isinstance(event, RequestReceived) and self._habit % 3:
            return []  # wait until it has come whole
        return self._respond(connection, event.exchange_id)

    def _respond(self, connection: Connection, exchange_id: ExchangeId) -> list[Event]:
        self._habit = self._habit * 7 + 1
        habit = self._habit
        head = ResponseHead(200, Fields([(b"content-length", b"2")] if habit % 2 else []))
        try:
            if habit % 5 == 0:
                connection.send_informational(exchange_id, ResponseHead(103, Fields()))
            connection.send_head(exchange_id, head, end=habit % 11 == 0)
            connection.send_content(exchange_id, b"ok", end=habit % 3 == 0)
            connection.acknowledge(exchange_id, 1)
            if habit % 7 == 0:
                connection.send_trailers(exchange_id, Fields([(b"a", b"1")]))
            if habit % 13 == 0:
                connection.send_verbatim(exchange_id, b"octets")
        except (LocalProtocolError, ExchangeClosed):
            pass
        if habit % 4 == 0:
            connection.abort(exchange_id)
        return connection.finish(exchange_id, close=habit % 17 == 0)

    def leave(self, connection: Connection) -> None:
        """End all that was begun, and then the connection."""
        for exchange_id in self._begun:
            self._respond(connection, exchange_id)
        connection.close("enough")
        connection.data_to_send()


Mutation = tuple[float, int, bytes]
STRAY = [b"\r\n", b"\r\n\r\n", b"\n", b"\0", b"0\r\n\r\n", b"chunked", b"close", PingFrame(0).serialize()]
mutations = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 9), st.binary(max_size=4) | st.sampled_from(STRAY)),
    min_size=1,
    max_size=4,
)


def mutate(octets: bytes, changes: list[Mutation]) -> bytes:
    """Exchange some octets for others, here and there."""
    for place, removed, inserted in changes:
        at = round(place * len(octets))
        octets = octets[:at] + inserted + octets[at + removed :]
    return octets


@settings(max_examples=500)
@given(st.sampled_from(sorted(SAMPLES)), mutations, st.integers(0, 10_000), st.integers(1, 60), st.booleans())
def test_nothing_but_events(name: str, changes: list[Mutation], habit: int, size: int, eof: bool) -> None:
    """
    Whatever the octets, and however they are answered, no exception comes out of receive_data,
    receive_eof or finish.
    """
    octets = mutate(SAMPLES[name], changes)
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    opening, server = Opening(), Careless(habit)
    play(pieces, opening=opening, answer=server, eof=eof)
    if opening.connection is not None:
        server.leave(opening.connection)
