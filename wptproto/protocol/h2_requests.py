"""
Requests: the receiving half of an HTTP/2 connection, from h2's events to ours.

A malformed request is an error of its stream (RFC 9113 §8.1.1): its client gets a 400 with the
reason, and then the reset. To h2 it would be one of the connection.
"""

from __future__ import annotations

import h2.events
from h2.connection import ConnectionState
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hyperframe.frame import ExtensionFrame

from wptproto.errors import RemoteProtocolError
from wptproto.h2_codes import PRIORITY_UPDATE, error_name
from wptproto.protocol.connection import reason_octets
from wptproto.protocol.events import (
    ContentFailed,
    ContentReceived,
    Event,
    ExchangeId,
    ExchangeReset,
    PeerFinished,
    ProtocolViolated,
    RequestEnded,
    RequestReceived,
    WindowOpened,
)
from wptproto.protocol.h2_fields import trailer_section
from wptproto.protocol.h2_library import Library, TrailersWithoutEnd
from wptproto.protocol.h2_opening import Opening, Refusal, read_opening
from wptproto.protocol.h2_priorities import Priorities
from wptproto.protocol.h2_responses import Responses
from wptproto.protocol.h2_streams import Stream, Streams
from wptproto.protocol.h2_windows import Windows
from wptproto.protocol.rules import Rules, too_large
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import ResponseHead

__all__ = ["LAST_STREAM_ID", "Requests"]

LAST_STREAM_ID = 2**31 - 1
NONE = Fields()


class Requests:
    """What comes on the streams of one connection."""

    def __init__(
        self, library: Library, streams: Streams, windows: Windows, responses: Responses, rules: Rules
    ) -> None:
        """
        Args:
            library: Whose events they are.
            streams: Each request is one.
            windows: Are told of content.
            responses: Answers what no handler will see.
            rules: Limits, and the Date of such an answer.
        """
        self._library = library
        self._streams = streams
        self._windows = windows
        self._responses = responses
        self._rules, self._limits = rules, rules.limits
        self._priorities = Priorities(library, streams, rules.limits)

    def take(self, event: h2.events.Event, events: list[Event]) -> None:
        """Add to *events* what one of h2's amounts to."""
        match event:
            case h2.events.DataReceived():
                size, last = event.flow_controlled_length, event.stream_ended is not None
                self.take_content(ExchangeId(event.stream_id), event.data, size, events, last=last)
            case h2.events.RequestReceived():
                self._take_request(event, events)
            case h2.events.StreamEnded():
                self.take_end(ExchangeId(event.stream_id), events)
            case TrailersWithoutEnd(stream_id):
                error = RemoteProtocolError("the trailers do not end the request")
                self.fail(ExchangeId(stream_id), error, events)
            case h2.events.TrailersReceived():
                self._take_trailers(event, events)
            case h2.events.WindowUpdated():
                events.append(WindowOpened(ExchangeId(event.stream_id) if event.stream_id else None))
            case h2.events.RemoteSettingsChanged():
                if SettingCodes.INITIAL_WINDOW_SIZE in event.changed_settings:
                    events.append(WindowOpened(None))
            case h2.events.StreamReset():
                self._take_reset(event, events)
            case h2.events.ConnectionTerminated():
                self._take_goaway(event, events)
            case h2.events.UnknownFrameReceived(frame=ExtensionFrame(type=kind) as frame):
                if kind == PRIORITY_UPDATE:
                    self._priorities.take(frame, events)
            case _:
                pass  # h2 has answered PING and SETTINGS; the others ask for nothing

    def fail(self, exchange_id: ExchangeId, error: RemoteProtocolError, events: list[Event]) -> None:
        """End one exchange: a malformed request is a stream error, of type PROTOCOL_ERROR (§8.1.1)."""
        error.exchange_id = exchange_id
        error.__traceback__ = None  # by which it would hold the whole connection
        if not self._streams[exchange_id].responded:
            events.append(ExchangeReset(exchange_id, error.reason))
        events.append(ProtocolViolated(error))
        self._streams.reset(exchange_id, error.error_code)

    def _take_request(self, event: h2.events.RequestReceived, events: list[Event]) -> None:
        exchange_id = ExchangeId(event.stream_id)
        if exchange_id == LAST_STREAM_ID:
            # RFC 9113 §5.1.1: identifiers are not used again. This connection has no further use.
            self._library.send_goaway(b"there are no further stream identifiers")
            self._streams.are_last = True
        if len(self._streams) >= self._limits.h2_concurrent_streams:
            self._library.reset_stream(exchange_id, ErrorCodes.REFUSED_STREAM)
            said, code = self._limits.past("h2_concurrent_streams"), ErrorCodes.REFUSED_STREAM
            events.append(
                ProtocolViolated(RemoteProtocolError(said, exchange_id=exchange_id, error_code=code))
            )
            return
        self.begin(
            exchange_id,
            read_opening(event.headers, self._limits),
            events,
            ended=event.stream_ended is not None,
        )

    def begin(
        self, exchange_id: ExchangeId, opening: Opening | Refusal, events: list[Event], *, ended: bool
    ) -> None:
        """
        Take a request, for which there is room.

        Args:
            exchange_id: Its stream, which h2 knows already.
            opening: What it begins with.
            events: Where to add what comes of it.
            ended: Whether it has no content.
        """
        if isinstance(opening, Refusal):
            self._streams[exchange_id] = Stream(opening.method, request_ended=ended)
            self._refuse(exchange_id, opening.error, events)
            return
        head, promised = opening.head, opening.promised
        stream = self._streams[exchange_id] = Stream(head.method, missing=promised)
        if promised:
            try:
                if ended:
                    _expect_none(promised)
                elif promised > self._limits.content_octets:
                    raise too_large(self._limits)
            except RemoteProtocolError as error:
                stream.request_ended = ended
                self._refuse(exchange_id, error, events)
                return
        stream.expects_continue = not ended and opening.expects_continue
        events.append(RequestReceived(exchange_id, head, not ended, stream.expects_continue))
        self._priorities.begin(exchange_id, events)

    def _refuse(self, exchange_id: ExchangeId, error: RemoteProtocolError, events: list[Event]) -> None:
        """
        Answer a request that no handler will see: whole where it was sound, but too much.

        RFC 9113 §8.1.1: "For malformed requests, a server MAY send an HTTP response prior to closing or
        resetting the stream."
        """
        content = reason_octets(error.reason) + b"\n"
        lines = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(content))]
        if self._rules.date is not None:
            lines.append((b"date", self._rules.date()))
        stream = self._streams[exchange_id]
        is_whole = error.error_code == ErrorCodes.NO_ERROR
        head = ResponseHead(error.status_hint, Fields(lines))
        self._responses.send_head(exchange_id, head, end=is_whole and stream.method == "HEAD")
        if stream.method != "HEAD":
            self._responses.send_content(exchange_id, content, end=is_whole)
        stream.responded = True
        self.fail(exchange_id, error, events)

    def take_content(
        self, exchange_id: ExchangeId, data: bytes, size: int, events: list[Event], *, last: bool
    ) -> None:
        """
        Take one DATA frame.

        Args:
            exchange_id: Its stream, which receives.
            data: The content.
            size: What it takes from the windows: the content, and padding.
            events: Where to add what comes of it.
            last: Whether it ends the request, which :meth:`take_end` is told next.
        """
        self._windows.received(size)
        stream = self._streams[exchange_id]
        if stream.missing is not None:
            stream.missing -= len(data)
            try:
                _expect_none(stream.missing if last else min(0, stream.missing))
            except RemoteProtocolError as error:
                stream.request_ended = last
                self.fail(exchange_id, error, events)
                return
        stream.expects_continue = False
        wanted = 0 if stream.drops_content else len(data)
        stream.delivered += wanted
        stream.received += wanted
        if stream.received > self._limits.content_octets and not stream.failed:
            # The handler meets this where it reads, and answers: the stream is sound.
            stream.failed = True
            events.append(ContentFailed(exchange_id, too_large(self._limits)))
            return
        if not last and not stream.failed:
            self._windows.consumed(exchange_id, stream, size - wanted)  # padding is nobody's to consume
        if not stream.failed and (data or last):
            events.append(ContentReceived(exchange_id, data, last))
        if exchange_id not in self._streams:
            events.append(ExchangeReset(exchange_id, "we reset the stream: nobody wants the rest of it"))

    def _take_trailers(self, event: h2.events.TrailersReceived, events: list[Event]) -> None:
        exchange_id = ExchangeId(event.stream_id)
        stream = self._streams[exchange_id]
        try:
            trailers = trailer_section(event.headers)
            _expect_none(stream.missing)
        except RemoteProtocolError as error:
            stream.request_ended = True
            self.fail(exchange_id, error, events)
        else:
            self.take_end(exchange_id, events, trailers)

    def take_end(self, exchange_id: ExchangeId, events: list[Event], trailers: Fields = NONE) -> None:
        """Take note that the client has sent all of a request."""
        stream = self._streams.get(exchange_id)
        if stream is None or stream.request_ended:
            return  # StreamEnded follows TrailersReceived
        stream.request_ended = True
        if stream.responded:
            del self._streams[exchange_id]
        if not stream.failed:
            events.append(RequestEnded(exchange_id, trailers))

    def _take_reset(self, event: h2.events.StreamReset, events: list[Event]) -> None:
        exchange_id = ExchangeId(event.stream_id)
        stream = self._streams.pop(exchange_id, None)
        if stream is not None:
            who = "the client" if event.remote_reset else "we"
            events.append(
                ExchangeReset(exchange_id, f"{who} reset the stream: {error_name(event.error_code or 0)}")
            )

    def _take_goaway(self, event: h2.events.ConnectionTerminated, events: list[Event]) -> None:
        # RFC 9113 §6.8: GOAWAY "allows an endpoint to gracefully stop accepting new streams while
        # still finishing processing of previously established streams." h2 takes it for the end.
        self._library.state_machine.state = ConnectionState.SERVER_OPEN
        self._streams.are_last = True
        debug = f": {event.additional_data!r}" if event.additional_data else ""
        events.append(PeerFinished(f"GOAWAY {error_name(event.error_code or 0)}{debug}"))


def _expect_none(missing: int | None) -> None:
    """
    See that a request has the content that it promised.

    RFC 9113 §8.1.1: a request is malformed if its Content-Length "does not equal the sum of the DATA frame
    payload lengths that form the content".

    Raises:
        RemoteProtocolError: It has not.
    """
    if missing:
        where = "before" if missing > 0 else "past"
        raise RemoteProtocolError(f"the request is {abs(missing)} octets {where} its Content-Length")
