"""
H2Connection: HTTP/2, over h2.

h2 keeps the state of streams, windows and compression. What it does not do, or does too eagerly,
stands in the modules beside this one, each of which knows those before it:

- ``h2_library`` is h2, with the last word about errors left to us, and ``h2_fast`` the same, sooner.
- ``h2_reader`` makes frames of octets. They are given to h2 one by one, so that a violation never
  swallows the events of the sound frames received with it, wherever the octets were cut.
- ``h2_streams`` has the exchanges, and ``h2_windows`` what their clients may send.
- ``h2_responses`` sends, and ``h2_requests`` receives; what both think of fields is in ``h2_fields``.
- ``h2_fast_frames`` takes frames before all these, if they are plain.

Here they are joined, and the connection ends: by a violation, whose reason goes into the debug data of
our GOAWAY, by the end of the client's octets, or because we say goodbye. After GOAWAY from the
client, the streams that are open go on (RFC 9113 §6.8).
"""

from __future__ import annotations

import h2.exceptions
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from wptproto.errors import RemoteProtocolError
from wptproto.protocol.connection import Awaits, Closing, Connection, WindowState, reason_octets
from wptproto.protocol.events import (
    ContentFailed,
    Event,
    ExchangeId,
    ExchangeReset,
    PeerFinished,
    ProtocolViolated,
    RequestEnded,
    RequestReceived,
    UpgradeReceived,
    WindowOpened,
)
from wptproto.protocol.h2_allowance import Allowance
from wptproto.protocol.h2_fast import FastLibrary, is_checked
from wptproto.protocol.h2_fast_fields import KnownSections
from wptproto.protocol.h2_fast_frames import FastFrames
from wptproto.protocol.h2_fields import response_section
from wptproto.protocol.h2_frames import RawFrame
from wptproto.protocol.h2_library import Library, error_code, reason
from wptproto.protocol.h2_reader import FrameReader
from wptproto.protocol.h2_requests import Requests
from wptproto.protocol.h2_responses import Responses
from wptproto.protocol.h2_shape import shape_error, stream_of
from wptproto.protocol.h2_streams import Stream, Streams
from wptproto.protocol.h2_windows import Windows
from wptproto.protocol.rules import DEFAULT_RULES, Core, Rules
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import ResponseHead

__all__ = ["H2Connection"]

FRAMES_A_TURN = 100
"""How many frames one call takes, before others have their turn."""


class H2Connection(Connection):
    """One HTTP/2 connection, with many exchanges at a time."""

    protocol = "HTTP/2"

    def __init__(self, rules: Rules = DEFAULT_RULES, *, upgrade_settings: bytes | None = None) -> None:
        """
        Args:
            rules: What it goes by: how much its client may ask for.
            upgrade_settings: HTTP2-Settings, base64url, where an HTTP/1.1 connection is continued.
        """
        limits = rules.limits
        fast = FastLibrary(limits) if rules.core is Core.FAST and is_checked() else None
        self._h2 = library = fast or Library(limits)
        if upgrade_settings is None:
            library.initiate_connection()
        else:
            library.initiate_upgrade_connection(upgrade_settings)
        # Counted by us, for one stream too many is an error of that stream alone (RFC 9113 §5.1.2).
        del library.local_settings[SettingCodes.MAX_CONCURRENT_STREAMS]
        self._allowance = Allowance(limits)
        self._reader = FrameReader(library)
        self._streams = Streams(library)
        self._windows = Windows(library, self._streams, limits)
        section_of = response_section if fast is None else KnownSections()
        self._responses = Responses(library, self._streams, self._windows, self._allowance, section_of)
        self._requests = Requests(library, self._streams, self._windows, self._responses, rules)
        self._fast = None
        if fast is not None:
            self._fast = FastFrames(
                fast, self._reader, self._streams, self._requests, self._allowance, limits
            )

    @classmethod
    def from_upgrade(
        cls, upgrade: UpgradeReceived, rules: Rules = DEFAULT_RULES
    ) -> tuple[H2Connection, list[Event]]:
        """
        Continue a connection whose HTTP/1.1 side answered 101.

        Returns:
            The connection, and the events of the upgraded request, which is stream 1 (RFC 7540 §3.2).
        """
        events: list[Event]
        try:
            connection = cls(rules, upgrade_settings=upgrade.settings)
        except h2.exceptions.ProtocolError as error:
            # HTTP2-Settings is as good as a SETTINGS frame (RFC 7540 §3.2.1), and as bad.
            connection, events = cls(rules), []
            connection._violated(error, events)
            return connection, events
        head = upgrade.head._replace(version="HTTP/2.0", octets=b"")  # as it is answered
        exchange_id = ExchangeId(1)
        connection._streams[exchange_id] = Stream(head.method, request_ended=True)
        events = [
            RequestReceived(exchange_id, head, has_content=False),
            RequestEnded(exchange_id, Fields()),
        ]
        if upgrade.trailing_data:
            events += connection.receive_data(upgrade.trailing_data)
        return connection, events

    # --- receiving ---------------------------------------------------------------------------

    def tick(self, now_s: float) -> None:
        self._allowance.tick(now_s)

    @property
    def reading_paused(self) -> bool:
        return self.has_backlog

    @property
    def awaits(self) -> Awaits:
        if self.has_backlog:
            return Awaits.NOTHING
        if self._reader.settings_pending:
            return Awaits.HANDSHAKE
        if self._reader.is_inside:
            return Awaits.CONTENT if self._reader.is_inside_content else Awaits.FRAME
        return Awaits.HEAD if self._h2.is_inside_block else Awaits.REQUEST

    @property
    def steps(self) -> int:
        # A client that has nothing to ask for does not go on by sending PING.
        idle = self.awaits is Awaits.REQUEST
        return self._h2.highest_inbound_stream_id if idle else self._reader.taken

    def owes_content(self, exchange_id: ExchangeId) -> bool:
        stream = self._streams.get(exchange_id)
        return stream is not None and stream.owes_content

    def expire(self, reason: str) -> list[Event]:
        events: list[Event] = []
        if self.awaits is Awaits.REQUEST:
            self.close(reason)
        else:
            self._violated(h2.exceptions.DenialOfServiceError(reason), events)
        return events

    def expire_content(self, exchange_id: ExchangeId, reason: str) -> list[Event]:
        if not self.owes_content(exchange_id):
            return []
        self._streams[exchange_id].failed = True
        error = RemoteProtocolError(reason, exchange_id=exchange_id, status_hint=408)
        return [ContentFailed(exchange_id, error)]

    def receive_data(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        if self.closing is not Closing.NO:
            return events
        try:
            self._reader.feed(data)
            for _ in range(FRAMES_A_TURN):
                if self._streams.are_over or not self._receive_frame(events):
                    self.has_backlog = False
                    break
            else:
                self.has_backlog = True
        except h2.exceptions.ProtocolError as error:
            self._violated(error, events)
        self._close_when_over()
        return events

    def _receive_frame(self, events: list[Event]) -> bool:
        """Take one frame, if it is there."""
        before = self._h2.provoked
        if self._fast is None or not self._fast.take(events):
            octets = self._reader.take()
            if octets is None:
                return False
            self._receive_octets(octets, events)
        if self._h2.provoked != before:
            self._allowance.take_provoked(self._h2.provoked - before)
        return True

    def _receive_octets(self, octets: bytes, events: list[Event]) -> None:
        self._allowance.take_frame(octets)
        exchange_id = ExchangeId(stream_of(octets))
        # On a stream that is not open, or inside a field block, it is an error of the connection.
        in_place = exchange_id in self._streams and not self._h2.is_inside_block
        if in_place and (error := shape_error(octets)) is not None:
            self._requests.fail(exchange_id, error, events)
        else:
            for event in self._h2.receive_data(octets):
                self._requests.take(event, events)

    def receive_eof(self) -> list[Event]:
        events: list[Event] = []
        if self.closing is not Closing.NO:
            return events
        if self._reader.is_inside:
            self._end_all("the client closed inside a frame", events)
            return events
        # Requests cut short will never be whole; complete ones are still answered.
        for exchange_id, stream in list(self._streams.items()):
            if not stream.request_ended:
                del self._streams[exchange_id]
                if not stream.responded:
                    events.append(ExchangeReset(exchange_id, "the client closed before its request ended"))
        self._responses.windows_are_final = True
        events.append(WindowOpened(None))  # it never will, and who waits for it must learn that
        self._streams.are_last = True
        events.append(PeerFinished("the client closed"))
        self._close_when_over()
        return events

    def window_state(self, exchange_id: ExchangeId | None = None) -> WindowState | None:
        both = self._h2 if exchange_id is None else self._h2.streams.get(exchange_id)
        if both is None:
            return None
        return WindowState(both.outbound_flow_control_window, both.inbound_flow_control_window)

    def acknowledge(self, exchange_id: ExchangeId, consumed: int) -> None:
        stream = self._streams.get(exchange_id)
        if stream is not None and not stream.responded:
            stream.delivered -= consumed
            self._windows.consumed(exchange_id, stream, consumed)

    # --- sending -----------------------------------------------------------------------------

    def send_informational(self, exchange_id: ExchangeId, head: ResponseHead) -> None:
        self._responses.send_informational(exchange_id, head)

    def send_head(self, exchange_id: ExchangeId, head: ResponseHead, *, end: bool = False) -> None:
        self._responses.send_head(exchange_id, head, end=end)

    def respond(
        self, exchange_id: ExchangeId, head: ResponseHead, data: bytes, *, close: bool = False
    ) -> list[Event] | None:
        if not self._responses.respond(exchange_id, head, data):
            return None
        self._close_when_over()
        return []

    def send_content(self, exchange_id: ExchangeId, data: bytes | memoryview, *, end: bool = False) -> int:
        try:
            return self._responses.send_content(exchange_id, data, end=end)
        finally:
            self._close_when_over()

    def send_trailers(self, exchange_id: ExchangeId, trailers: Fields) -> None:
        self._responses.send_trailers(exchange_id, trailers)

    def send_verbatim(self, exchange_id: ExchangeId, octets: bytes) -> None:
        self._responses.send_verbatim(exchange_id, octets)

    def send_frame(self, exchange_id: ExchangeId, frame: RawFrame) -> None:
        self._responses.send_frame(exchange_id, frame)

    def push(
        self, exchange_id: ExchangeId, lines: list[FieldLine], promised_id: int | None = None
    ) -> RequestReceived:
        return self._responses.push(exchange_id, lines, promised_id)

    def can_push(self, exchange_id: ExchangeId) -> bool:
        return self._responses.reason_not_to_push(exchange_id) is None

    def room(self, exchange_id: ExchangeId) -> int:
        return self._responses.room(exchange_id)

    def finish(self, exchange_id: ExchangeId, *, close: bool = False) -> list[Event]:
        stream = self._streams.get(exchange_id)
        self._responses.finish(exchange_id)
        self._close_when_over()
        if stream is None or stream.request_ended or exchange_id in self._streams:
            return []
        return [ExchangeReset(exchange_id, "we reset the stream: nobody wants the rest of the request")]

    def abort(self, exchange_id: ExchangeId, *, too_slow: bool = False) -> None:
        self._responses.abort(exchange_id, too_slow=too_slow)
        self._close_when_over()

    def reset(self, exchange_id: ExchangeId, error_code: int) -> None:
        self._responses.reset(exchange_id, error_code)
        self._close_when_over()

    def go_away(self, last_id: ExchangeId, error_code: int, debug: bytes) -> None:
        self._responses.go_away(last_id, error_code, debug)

    def truncate(self, exchange_id: ExchangeId) -> None:
        self._responses.truncate(exchange_id)
        self._close_when_over()

    def data_to_send(self) -> bytes:
        return self._h2.data_to_send()

    # --- the end -----------------------------------------------------------------------------

    def close(self, reason: str = "") -> None:
        if self.closing is Closing.NO:
            self._h2.close_connection(ErrorCodes.NO_ERROR, reason_octets(reason))
            self._streams.clear()
            self._stop()

    def _violated(self, error: h2.exceptions.ProtocolError, events: list[Event]) -> None:
        words, code = reason(error), error_code(error)
        self._h2.close_connection(code, reason_octets(words))
        self._end_all(words, events)
        events.append(ProtocolViolated(RemoteProtocolError(words, error_code=int(code))))

    def _end_all(self, reason: str, events: list[Event]) -> None:
        self._stop()
        events += [ExchangeReset(exchange_id, reason) for exchange_id in self._streams.unanswered()]
        self._streams.clear()

    def _close_when_over(self) -> None:
        if self._streams.are_over:
            self._stop()

    def _stop(self) -> None:
        """Let go of what nobody will look at."""
        self.closing = Closing.GRACEFUL
        self.has_backlog = False
        self._reader.clear()
