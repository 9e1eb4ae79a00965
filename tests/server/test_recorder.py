"""Recorder: what it makes of what an observer is told, without a connection."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.helpers.inline import InlineBridge
from wptproto.errors import RemoteProtocolError
from wptproto.exchange.bridge import SendHead
from wptproto.exchange.exchange import Exchange, Surroundings
from wptproto.faults import fault
from wptproto.protocol.events import (
    ContentFailed,
    ContentReceived,
    ExchangeId,
    ExchangeReset,
    PeerFinished,
    ProtocolViolated,
    RequestEnded,
    RequestReceived,
)
from wptproto.protocol.h1 import H1Connection
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import RequestHead, ResponseHead
from wptproto.server import recorder as recorder_module
from wptproto.server.archive import Archive
from wptproto.server.observer import Accepted, Observer, Observers
from wptproto.server.recorder import archive_of

ONE = ExchangeId(1)
HEAD = RequestHead("POST", b"/x", b"/x", b"a", "HTTP/1.1", Fields([(b"Host", b"a")]))
OK = ResponseHead(200, Fields([(b"Content-Length", b"2")]), b"OK")


def connected(protocol: str = "HTTP/1.1", record: Any = True) -> tuple[Archive, Observer]:
    """Return an archive, and who observes a connection for it."""
    observers = Observers()
    archive = archive_of(record, observers)
    assert archive is not None
    observer = observers.of(Accepted(1, ("127.0.0.1", 4711), ("127.0.0.1", 80), False))
    assert observer is not None
    observer.protocol_chosen(protocol)
    return archive, observer


def begun(observer: Observer, exchange_id: ExchangeId = ONE) -> Exchange:
    """Let a request's head come."""
    received = RequestReceived(exchange_id, HEAD, has_content=True)
    exchange = Exchange(
        received,
        InlineBridge(H1Connection(), received),
        Surroundings("http", ("127.0.0.1", 1), ("127.0.0.1", 80)),
    )
    observer.event(received)
    observer.exchange_begun(exchange_id, exchange)
    return exchange


def test_what_nobody_knows_of() -> None:
    """Of an exchange that is over, or never was, nothing is recorded any more."""
    archive, observer = connected()
    exchange = begun(observer)
    observer.event(RequestEnded(ONE, Fields([(b"T", b"1")])))
    observer.exchange_ended(ONE, "")
    (record,) = archive.exchanges()
    before = str(record)
    assert "> T: 1" in before
    observer.event(RequestEnded(ONE, Fields()))
    observer.event(ContentReceived(ONE, b"x"))
    observer.event(ExchangeReset(ONE, "gone"))
    observer.event(ContentFailed(ONE, RemoteProtocolError("late", status_hint=408)))
    observer.event(PeerFinished("it left"))
    observer.command(ONE, SendHead(OK))
    observer.content_sent(ONE, b"x", verbatim=False)
    observer.handler_begun(exchange)
    observer.handler_ended(exchange, ValueError())
    observer.exchange_ended(ONE, "again")
    assert str(record) == before
    assert archive.violations() == []


def test_faults() -> None:
    """A fault is its exchange's, or its connection's."""
    archive, observer = connected()
    begun(observer)
    observer.misbehaved(ONE, fault("close"))
    observer.misbehaved(None, fault("reset"))
    observer.misbehaved(ExchangeId(3), fault("stall"))
    (record,) = archive.exchanges()
    assert [one.effect.word() for one in record.faults] == ["close"]
    assert [one.effect.word() for one in record.connection.faults] == ["reset", "stall"]
    assert "fault: close()" in str(record)


@pytest.mark.parametrize(
    ("error", "late", "eof", "ending"),
    [
        (None, "", False, "closed by the server"),
        (None, "", True, "the client closed it"),
        (None, "too slow", False, "too slow"),
        (OSError("reset"), "too slow", True, "broken off: reset"),
    ],
)
def test_how_a_connection_ends(error: Exception | None, late: str, eof: bool, ending: str) -> None:
    """It says what is known of it."""
    archive, observer = connected()
    if late:
        observer.late(late)
    if eof:
        observer.eof_received()
    observer.closed(error)
    assert archive.connections()[0].ending == ending


def test_a_connection_that_a_violation_ended() -> None:
    """So does one that the client's mistake has ended."""
    archive, observer = connected()
    observer.plaintext_received(b"nonsense")
    observer.event(ProtocolViolated(RemoteProtocolError("no request line")))
    observer.closed(None)
    assert archive.connections()[0].ending == "closed for what the client did: no request line"


def test_a_violation_of_an_exchange() -> None:
    """It is its exchange's, and ends its request."""
    archive, observer = connected("HTTP/2")
    begun(observer)
    observer.event(ProtocolViolated(RemoteProtocolError("too much", exchange_id=1)))
    assert archive.exchanges()[0].violation == "too much"
    assert list(archive.whole) == archive.exchanges()
    observer.event(ProtocolViolated(RemoteProtocolError("all of it")))
    assert len(archive.exchanges()) == 1  # over HTTP/2 that was no request
    assert [violation.exchange for violation in archive.violations()] == [1, None]


def test_who_is_late_or_leaves_violates_nothing() -> None:
    """A time-out, or an end in midst of a request, is recorded as that."""
    archive, observer = connected()
    observer.plaintext_received(b"GET")
    observer.event(ProtocolViolated(RemoteProtocolError("too slow", status_hint=408)))
    observer.eof_received()
    observer.event(ProtocolViolated(RemoteProtocolError("the client closed inside the head")))
    assert archive.violations() == []
    assert [record.violation for record in archive.exchanges()] == [
        "too slow",
        "the client closed inside the head",
    ]


def test_many_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so many frames the sizes are kept, and no more."""
    monkeypatch.setattr(recorder_module, "MAX_SIZES", 2)
    archive, observer = connected("HTTP/2")
    begun(observer)
    for _ in range(3):
        observer.event(ContentReceived(ONE, b"abc"))
    (record,) = archive.exchanges()
    assert (record.content_sizes, record.content_octets) == ([3, 3], 9)


def test_octets_that_came_last_are_bounded() -> None:
    """Of what came since the last head the beginning is kept."""
    archive, observer = connected()
    for _ in range(3):
        observer.plaintext_received(bytes(40_000))
    observer.event(ProtocolViolated(RemoteProtocolError("no request line")))
    assert len(archive.exchanges()[0].octets) == 65_536


def test_content_that_is_no_text() -> None:
    """It is shown as octets, and no more of it than a reader needs."""
    archive, observer = connected()
    begun(observer)
    observer.event(ContentReceived(ONE, b"\xff" * 2000))
    assert "976 more octets" in str(archive.exchanges()[0])


def test_interim_responses_by_hand() -> None:
    """What was sent verbatim is read as a client would."""
    archive, observer = connected()
    begun(observer)
    octets = b"HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    observer.content_sent(ONE, octets + b"1\r\nx\r\n0\r\nT: 1\r\n\r\n", verbatim=True)
    response = archive.exchanges()[0].response
    assert [interim.status for interim in response.informational] == [103]
    assert (response.content, list(response.trailers)) == (b"x", [(b"T", b"1")])


def test_whether_a_response_may_be_whole() -> None:
    """By its length, its end, or its trailers a client knows; of others it cannot be told."""
    archive, observer = connected()
    begun(observer)
    (record,) = archive.exchanges()
    assert record.may_be_whole() is False
    observer.command(ONE, SendHead(OK))
    assert record.may_be_whole() is False
    observer.content_sent(ONE, b"ok", verbatim=False)
    assert record.may_be_whole() is True
    record.sent_head = ResponseHead(200, Fields())
    assert record.may_be_whole() is None
    record.has_end = True
    assert record.may_be_whole() is True


def test_a_loop_that_has_ended_is_not_waited_for() -> None:
    """Who reads behind the end of the loop finds what there is."""
    archive, observer = connected()
    begun(observer)
    loop = asyncio.new_event_loop()
    loop.close()
    archive.settle(loop)
    assert archive.exchanges()[0].outcome is None
