"""Clients that are late, over both protocols: what is awaited of them, and what becomes of it."""

from __future__ import annotations

import pytest
from h2.errors import ErrorCodes
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    WindowUpdateFrame,
)

from tests.helpers.h2 import (
    ONE,
    OPENING,
    POST,
    frames_of,
    headers,
    is_open,
    kinds,
    open_connection,
    response_head,
)
from wptproto.protocol.connection import Awaits, Closing
from wptproto.protocol.events import (
    ContentFailed,
    ContentReceived,
    ExchangeId,
    ExchangeReset,
    ProtocolViolated,
    RequestEnded,
    RequestReceived,
)
from wptproto.protocol.h1 import H1Connection
from wptproto.protocol.h2 import H2Connection
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import ResponseHead

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
PUT = b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"
EXPECTING = PUT.replace(b"Content", b"Expect: 100-continue\r\nContent")
CONTINUE = ResponseHead(100, Fields())


def answer(connection: H1Connection) -> None:
    connection.send_head(ONE, ResponseHead(200, Fields([(b"Content-Length", b"0")])), end=True)
    connection.finish(ONE)


# --- HTTP/1.1 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "awaits", "told"),
    [(b"", Awaits.REQUEST, b""), (GET[:-1], Awaits.HEAD, b"HTTP/1.1 408 ")],
)
def test_between_requests_and_in_a_head(octets: bytes, awaits: Awaits, told: bytes) -> None:
    """A client that is late with a head is told 408; one that has no request more goes without a word."""
    connection = H1Connection()
    connection.receive_data(octets)
    assert connection.awaits is awaits
    connection.expire("too late")
    assert connection.data_to_send().startswith(told)
    assert connection.closing is Closing.GRACEFUL


@pytest.mark.parametrize(
    ("octets", "owes"), [(GET, False), (PUT, True), (PUT + b"12", True), (PUT + b"12345", False)]
)
def test_content(octets: bytes, owes: bool) -> None:
    """Who has promised content owes it until all of it has come."""
    connection = H1Connection()
    connection.receive_data(octets)
    assert connection.awaits is Awaits.NOTHING
    assert connection.owes_content(ONE) is owes
    assert not connection.owes_content(ExchangeId(2))
    assert kinds(connection.expire_content(ONE, "too late")) == ([ContentFailed] if owes else [])
    assert connection.closing is Closing.NO  # its handler answers


def test_expected_content() -> None:
    """Who waits for 100 (Continue) owes nothing, until it has come."""
    connection = H1Connection()
    connection.receive_data(EXPECTING)
    assert not connection.owes_content(ONE)
    connection.send_informational(ONE, CONTINUE)
    assert connection.owes_content(ONE)


def test_content_behind_its_response() -> None:
    """Content that nobody waits for any more is still awaited, for the next request stands behind it."""
    connection = H1Connection()
    connection.receive_data(PUT)
    answer(connection)
    assert connection.awaits is Awaits.CONTENT
    assert kinds(connection.expire("too late")) == [ProtocolViolated]
    assert connection.closing is Closing.GRACEFUL


def test_each_request_is_a_step() -> None:
    """Time begins anew with each request."""
    connection = H1Connection()
    connection.receive_data(GET)
    before = connection.steps
    answer(connection)
    connection.receive_data(GET + GET[:5])
    assert connection.steps == before + 1


# --- HTTP/2 --------------------------------------------------------------------------------------

PING = PingFrame(0).serialize()
BEGUN = HeadersFrame(1, headers(1).data, flags=["END_STREAM"]).serialize()


@pytest.mark.parametrize(
    ("octets", "awaits"),
    [
        (b"", Awaits.HANDSHAKE),
        (OPENING[:20], Awaits.HANDSHAKE),
        (OPENING[:-1], Awaits.HANDSHAKE),
        (OPENING, Awaits.REQUEST),
        (OPENING + PING, Awaits.REQUEST),
        (OPENING + PING[:1], Awaits.FRAME),
        (OPENING + PING[:-1], Awaits.FRAME),
        (OPENING + headers(1).serialize()[:-1], Awaits.FRAME),
        (OPENING + BEGUN, Awaits.HEAD),
        (OPENING + headers(1, POST, end=False).serialize(), Awaits.REQUEST),
        (
            OPENING + headers(1, POST, end=False).serialize() + DataFrame(1, b"1").serialize()[:-1],
            Awaits.CONTENT,
        ),
        (OPENING + PING * 200, Awaits.NOTHING),  # there is more to take than one turn does
    ],
)
def test_of_a_connection(octets: bytes, awaits: Awaits) -> None:
    """Until SETTINGS the handshake is awaited, then the rest of what has begun, and requests else."""
    connection = H2Connection()
    connection.receive_data(octets)
    assert connection.awaits is awaits


@pytest.mark.parametrize("octets", [b"", OPENING[:20], OPENING + PING[:-1], OPENING + BEGUN])
def test_a_connection_ends(octets: bytes) -> None:
    """Who is late with what all streams wait for gets GOAWAY, ENHANCE_YOUR_CALM and the reason."""
    connection = H2Connection()
    connection.receive_data(octets)
    assert kinds(connection.expire("too late")) == [ProtocolViolated]
    *_, goaway = frames_of(connection.data_to_send())
    assert isinstance(goaway, GoAwayFrame)
    assert (goaway.error_code, goaway.additional_data) == (ErrorCodes.ENHANCE_YOUR_CALM, b"too late")
    assert connection.closing is Closing.GRACEFUL


def test_an_idle_connection_ends() -> None:
    """Who asks for nothing more has done nothing wrong: GOAWAY, NO_ERROR and the reason."""
    connection = open_connection()
    assert connection.expire("too late") == []
    (goaway,) = frames_of(connection.data_to_send())
    assert isinstance(goaway, GoAwayFrame)
    assert (goaway.error_code, goaway.additional_data) == (ErrorCodes.NO_ERROR, b"too late")


def test_a_frame_is_a_step_and_its_continuation_is_none() -> None:
    """A field block has as much time as a frame, however many frames it comes in."""
    connection = open_connection()
    connection.receive_data(BEGUN)
    begun = connection.steps
    connection.receive_data(ContinuationFrame(1, b"").serialize())
    assert connection.steps == begun
    connection.receive_data(ContinuationFrame(1, b"", flags=["END_HEADERS"]).serialize() + PING[:3])
    connection.receive_data(PING[3:] + PING[:3])
    assert connection.steps == begun + 1


def test_pings_are_no_requests() -> None:
    """A client that only sends PING is as idle as one that is silent; one that asks is not."""
    connection = open_connection()
    before = connection.steps
    connection.receive_data(PING)
    assert connection.steps == before
    connection.receive_data(headers(1).serialize())
    assert connection.steps > before


def test_content_of_a_stream() -> None:
    """Its client owes content until all has come, but not while its handler has some to consume."""
    connection = open_connection()
    connection.receive_data(headers(1, POST, end=False).serialize())
    assert connection.owes_content(ONE)
    connection.receive_data(DataFrame(1, b"123").serialize())
    assert not connection.owes_content(ONE)
    connection.acknowledge(ONE, 3)
    assert connection.owes_content(ONE)
    connection.receive_data(DataFrame(1, b"", flags=["END_STREAM"]).serialize())
    assert not connection.owes_content(ONE)
    assert connection.expire_content(ONE, "too late") == []
    assert not connection.owes_content(ExchangeId(3))


def test_expected_content_of_a_stream() -> None:
    """Who waits for 100 (Continue) owes nothing, until it has come, or the client does not wait."""
    connection = open_connection()
    for stream in (1, 3):
        lines = (*POST, (b"expect", b"100-continue"))
        connection.receive_data(headers(stream, lines, end=False).serialize())
        assert not connection.owes_content(ExchangeId(stream))
    connection.send_informational(ONE, ResponseHead(103, Fields()))
    assert not connection.owes_content(ONE)
    connection.send_informational(ONE, CONTINUE)
    assert connection.owes_content(ONE)
    connection.receive_data(DataFrame(3, b"123").serialize())
    connection.acknowledge(ExchangeId(3), 3)
    assert connection.owes_content(ExchangeId(3))


def test_content_that_is_too_late() -> None:
    """Its handler answers 408, what comes meanwhile is dropped, and behind the response there is a reset."""
    connection = open_connection()
    connection.receive_data(headers(1, POST, end=False).serialize())
    (failed,) = connection.expire_content(ONE, "too late")
    assert isinstance(failed, ContentFailed)
    assert (failed.error.status_hint, failed.error.reason) == (408, "too late")
    assert connection.receive_data(DataFrame(1, b"123").serialize()) == []
    assert not connection.owes_content(ONE)
    connection.send_head(ONE, response_head(408), end=True)
    connection.finish(ONE)
    head, reset = frames_of(connection.data_to_send())
    assert isinstance(head, HeadersFrame)
    assert isinstance(reset, RstStreamFrame)
    assert reset.error_code == ErrorCodes.NO_ERROR
    assert is_open(connection)
    assert connection.receive_data(DataFrame(1, b"123").serialize()) == []


@pytest.mark.parametrize("last", [DataFrame(1, b"1", flags=["END_STREAM"]), headers(1, [(b"a", b"b")])])
def test_content_that_ends_too_late(last: DataFrame | HeadersFrame) -> None:
    """What it ends with is not taken for a request that is whole."""
    connection = open_connection()
    connection.receive_data(headers(1, POST, end=False).serialize())
    connection.expire_content(ONE, "too late")
    events = connection.receive_data(last.serialize())
    assert not {ContentReceived, RequestEnded, RequestReceived} & set(kinds(events))
    connection.send_head(ONE, response_head(408), end=True)
    connection.finish(ONE)
    (head,) = frames_of(connection.data_to_send())
    assert "END_STREAM" in head.flags
    assert is_open(connection)


def test_a_response_that_is_not_taken() -> None:
    """Its stream is reset with ENHANCE_YOUR_CALM, and others go on."""
    connection = open_connection()
    connection.receive_data(headers(1).serialize() + WindowUpdateFrame(0, 2**20).serialize())
    connection.send_head(ONE, response_head())
    assert connection.send_content(ONE, bytes(100_000)) == 65535
    connection.data_to_send()
    connection.abort(ONE, too_slow=True)
    (reset,) = frames_of(connection.data_to_send())
    assert isinstance(reset, RstStreamFrame)
    assert reset.error_code == ErrorCodes.ENHANCE_YOUR_CALM
    assert is_open(connection)


def test_what_waits_for_its_rest_when_the_connection_ends() -> None:
    """The exchanges in progress end with it."""
    connection = open_connection()
    connection.receive_data(headers(1, POST, end=False).serialize() + PING[:3])
    assert kinds(connection.expire("too late")) == [ExchangeReset, ProtocolViolated]
