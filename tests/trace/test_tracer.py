"""The tracer of one connection, told by hand what a server would tell it."""

from __future__ import annotations

from threading import RLock
from types import SimpleNamespace
from typing import Any

from wptproto.errors import RemoteProtocolError
from wptproto.protocol.events import ContentFailed, ExchangeId, PeerFinished, ProtocolViolated
from wptproto.server.observer import Accepted
from wptproto.trace.events import (
    ConnectionClosed,
    ContentSeen,
    FrameSeen,
    H1HeadSeen,
    PlaintextSeen,
    ProtocolChosen,
    TraceEvent,
    Unreadable,
    Violated,
    WindowChanged,
)
from wptproto.trace.tracer import Tracer

ACCEPTED = Accepted(7, ("127.0.0.1", 1), ("127.0.0.1", 2), False)
SETTINGS = b"\0\0\0\x04\0\0\0\0\0"


def tracer() -> tuple[Tracer, list[TraceEvent]]:
    """A tracer, and the events to come."""
    events: list[TraceEvent] = []
    made = Tracer(ACCEPTED, events.append, RLock())
    events.clear()
    return made, events


def exchange() -> Any:
    return SimpleNamespace(id=ExchangeId(1))


def test_what_clients_do_wrong() -> None:
    """A broken protocol, content that will not come, and being late are told alike; all else is not."""
    trace, events = tracer()
    trace.event(ProtocolViolated(RemoteProtocolError("no such", exchange_id=3)))
    trace.event(ContentFailed(ExchangeId(5), RemoteProtocolError("cut")))
    trace.event(PeerFinished("GOAWAY"))
    trace.late("too late")
    found = [event for event in events if isinstance(event, Violated)]
    assert len(found) == len(events)
    assert [event[1:] for event in found] == [(3, "no such"), (5, "cut"), (None, "too late")]
    assert found[0].origin.connection == 7


def test_a_handler_that_was_not_called() -> None:
    """What never began has no end; nor has it two."""
    trace, events = tracer()
    trace.handler_ended(exchange(), None)
    assert events == []
    trace.handler_begun(exchange())
    trace.handler_ended(exchange(), None)
    trace.handler_ended(exchange(), None)
    assert len(events) == 2


def test_octets_before_the_protocol_is_clear() -> None:
    """What comes before it is clear what is spoken is read when it is."""
    trace, events = tracer()
    trace.plaintext_received(b"GET / HTTP/1.1\r\n")
    assert [type(event) for event in events] == [PlaintextSeen]
    trace.protocol_chosen("HTTP/1.1")
    trace.plaintext_received(b"\r\n")
    assert [type(event) for event in events[1:]] == [ProtocolChosen, PlaintextSeen, H1HeadSeen]


def test_a_connection_on_which_nothing_is_spoken() -> None:
    """It can end before anybody knows what it was for; an error is told in words."""
    trace, events = tracer()
    trace.closed(ConnectionResetError("reset by peer"))
    (found,) = events
    assert isinstance(found, ConnectionClosed)
    assert found.how == "broken off: reset by peer"


def test_the_end_cuts_off() -> None:
    """What is not whole when the connection ends is unreadable."""
    trace, events = tracer()
    trace.protocol_chosen("HTTP/2")
    trace.plaintext_sent(SETTINGS + b"\0\0")
    trace.closed(None)
    assert [type(event) for event in events[-2:]] == [Unreadable, ConnectionClosed]


def upgrade(to: bytes, settings: bytes) -> list[TraceEvent]:
    trace, events = tracer()
    trace.protocol_chosen("HTTP/1.1")
    ask = b"GET / HTTP/1.1\r\nUpgrade: %s\r\nHTTP2-Settings: %s\r\n\r\n" % (to, settings)
    trace.plaintext_received(ask)
    trace.plaintext_sent(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: %s\r\n\r\n" % to)
    trace.plaintext_sent(SETTINGS)
    return events


def test_settings_that_are_none() -> None:
    """HTTP2-Settings that cannot be read changes nothing, and frames are read as they are."""
    for settings in (b"a", b"\xff\xff"):
        events = upgrade(b"h2c", settings)
        assert isinstance(events[-1], FrameSeen)
        assert not [event for event in events if isinstance(event, WindowChanged)]


def test_another_protocol() -> None:
    """Of what is neither HTTP/1.1 nor HTTP/2, there are octets alone."""
    events = upgrade(b"websocket", b"")
    assert isinstance(events[-1], PlaintextSeen)
    assert not [event for event in events if isinstance(event, FrameSeen | ContentSeen | Unreadable)]
