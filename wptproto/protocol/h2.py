"""
H2Connection: HTTP/2, over h2.

h2 keeps the state of streams, windows and compression. What it does not do, or does too eagerly,
stands here:

- Frames are given to it one by one, so that a violation never swallows the events of the sound
  frames received with it, wherever the octets were cut.
- Content is acknowledged in two parts: the connection's window as octets arrive, so that no
  slow handler holds up the other streams; the stream's window as its handler consumes them. What
  can pile up in memory is therefore the sum of the stream windows.
- After GOAWAY from the peer the streams that are open go on (RFC 9113 §6.8); h2 would stop.
- The reason of a violation goes into the debug data of our GOAWAY.
- A message's fields go out as a script wrote them, but for what HTTP/2 has no place for
  (RFC 9113 §8.2.2). h2's own checks and clean-ups of outbound fields are off.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from h2.connection import ConnectionState
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from h2.stream import StreamInputs

from wptproto.errors import ExchangeClosed, LocalProtocolError, RemoteProtocolError
from wptproto.protocol import h1_octets
from wptproto.protocol.connection import Closing, Connection
from wptproto.protocol.events import (
    ContentReceived,
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
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import RequestHead, ResponseHead, never_has_content
from wptproto.semantics.target import parse_authority

__all__ = ["PREFACE", "H2Connection"]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client sends first (RFC 9113 §3.4)."""

MAX_CONCURRENT_STREAMS = 1024
STREAM_WINDOW_OCTETS = 128 * 1024
CONNECTION_WINDOW_OCTETS = 1024 * 1024
MAX_FIELD_SECTION_OCTETS = 256 * 1024

_FRAME_HEADER_OCTETS = 9
_GOAWAY_OCTETS = _FRAME_HEADER_OCTETS + 8  # of the one h2 writes by itself, without debug data

# RFC 9113 §8.2.2: "Connection, ... Proxy-Connection, Keep-Alive, Transfer-Encoding, and Upgrade"
_CONNECTION_SPECIFIC = frozenset(
    (b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade")
)


class _H2(h2.connection.H2Connection):
    def clear_outbound_data_buffer(self) -> None:
        """Keep what is queued when GOAWAY arrives: it belongs to streams that go on (RFC 9113 §6.8)."""


@dataclass(slots=True)
class _Stream:
    """What we know of an exchange beside h2."""

    method: str
    request_ended: bool = False
    head_sent: bool = False
    ended: bool = False
    remaining: int | None = None  # octets promised by Content-Length and not yet sent
    unacknowledged: int = 0
    responded: bool = False  # finished here, while the client still sends: drop what comes
    verbatim: bool = False

    @property
    def is_short(self) -> bool:
        """Whether content is missing that Content-Length promised; END_STREAM would call it whole."""
        return self.remaining is not None and self.remaining > 0


class H2Connection(Connection):
    """One HTTP/2 connection, up to MAX_CONCURRENT_STREAMS exchanges at a time."""

    def __init__(self, *, upgrade_settings: bytes | None = None) -> None:
        """
        Args:
            upgrade_settings: HTTP2-Settings, base64url, where an HTTP/1.1 connection is continued.
        """
        self._h2 = _H2(
            h2.config.H2Configuration(
                client_side=False,
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self._h2.local_settings = h2.settings.Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: MAX_CONCURRENT_STREAMS,
                SettingCodes.MAX_HEADER_LIST_SIZE: MAX_FIELD_SECTION_OCTETS,
                SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW_OCTETS,
            },
        )
        self._h2.decoder.max_header_list_size = MAX_FIELD_SECTION_OCTETS
        if upgrade_settings is None:
            self._h2.initiate_connection()
        else:
            self._h2.initiate_upgrade_connection(upgrade_settings)
        self._h2.increment_flow_control_window(CONNECTION_WINDOW_OCTETS - 65535)
        self._streams: dict[ExchangeId, _Stream] = {}
        self._buffer = bytearray()
        self._preface_pending = len(PREFACE)
        self._unacknowledged = 0
        self._outgoing: list[bytes] = []
        self._peer_finished = False
        self._eof = False

    @classmethod
    def from_upgrade(cls, upgrade: UpgradeReceived) -> tuple[H2Connection, list[Event]]:
        """
        Continue a connection whose HTTP/1.1 side answered 101.

        Returns:
            The connection, and the events of the upgraded request, which is stream 1 (RFC 7540 §3.2).
        """
        connection = cls(upgrade_settings=upgrade.settings)
        head = replace(upgrade.head, version="HTTP/2.0", octets=b"")  # as it is answered
        exchange_id = ExchangeId(1)
        connection._streams[exchange_id] = _Stream(head.method, request_ended=True)
        events: list[Event] = [
            RequestReceived(exchange_id, head, has_content=False),
            RequestEnded(exchange_id, Fields()),
        ]
        if upgrade.trailing_data:
            events += connection.receive_data(upgrade.trailing_data)
        return connection, events

    # --- receiving ---------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> list[Event]:
        if self.closing is not Closing.NO:
            return []
        self._buffer += data
        events: list[Event] = []
        try:
            while (octets := self._take_frame()) is not None:
                for event in self._h2.receive_data(octets):
                    self._translate(event, events)
                if self.closing is not Closing.NO:
                    break
        except h2.exceptions.ProtocolError as error:
            self._violated(error, events)
        return events

    def _take_frame(self) -> bytes | None:
        """Take the preface or one frame off the buffer; None where its rest must be received first."""
        if self._preface_pending:
            octets = bytes(self._buffer[: self._preface_pending])
            self._preface_pending -= len(octets)
        elif len(self._buffer) < _FRAME_HEADER_OCTETS:
            return None
        else:
            length = int.from_bytes(self._buffer[:3], "big")
            if length > self._h2.max_inbound_frame_size:
                length = 0  # the header alone lets h2 refuse it, before its payload fills the memory
            if len(self._buffer) < _FRAME_HEADER_OCTETS + length:
                return None
            octets = bytes(self._buffer[: _FRAME_HEADER_OCTETS + length])
        if not octets:
            return None
        del self._buffer[: len(octets)]
        return octets

    def _violated(self, error: h2.exceptions.ProtocolError, events: list[Event]) -> None:
        reason = str(error) or type(error).__name__
        self._flush(drop=_GOAWAY_OCTETS)
        self._h2.close_connection(error.error_code, reason.encode("utf-8", "backslashreplace"))
        self._end_all(reason, events)
        events.append(ProtocolViolated(RemoteProtocolError(reason, error_code=int(error.error_code))))

    def _end_all(self, reason: str, events: list[Event]) -> None:
        self.closing = Closing.GRACEFUL
        self._buffer.clear()
        events += [ExchangeReset(exchange_id, reason) for exchange_id in self._open()]
        self._streams.clear()

    def _open(self) -> list[ExchangeId]:
        return [exchange_id for exchange_id, stream in self._streams.items() if not stream.responded]

    def receive_eof(self) -> list[Event]:
        events: list[Event] = []
        if self.closing is not Closing.NO:
            return events
        self._eof = True
        if self._buffer or 0 < self._preface_pending < len(PREFACE):
            self._end_all("the client closed inside a frame", events)
            return events
        # Requests cut short will never be whole; complete ones are still answered.
        for exchange_id, stream in list(self._streams.items()):
            if not stream.request_ended:
                del self._streams[exchange_id]
                if not stream.responded:
                    events.append(ExchangeReset(exchange_id, "the client closed before its request ended"))
        events.append(WindowOpened(None))  # it never will, and who waits for it must learn that
        self._finish_peer("the client closed", events)
        return events

    def _finish_peer(self, reason: str, events: list[Event]) -> None:
        self._peer_finished = True
        events.append(PeerFinished(reason))
        if not self._streams:
            self.closing = Closing.GRACEFUL

    def _translate(self, event: h2.events.Event, events: list[Event]) -> None:
        match event:
            case h2.events.DataReceived():
                self._take_content(event, events)
            case h2.events.RequestReceived():
                self._take_request(event, events)
            case h2.events.StreamEnded():
                self._take_end(ExchangeId(event.stream_id), Fields(), events)
            case h2.events.TrailersReceived():
                self._take_end(ExchangeId(event.stream_id), Fields(event.headers), events)
            case h2.events.WindowUpdated():
                events.append(WindowOpened(ExchangeId(event.stream_id) if event.stream_id else None))
            case h2.events.RemoteSettingsChanged():
                if SettingCodes.INITIAL_WINDOW_SIZE in event.changed_settings:
                    events.append(WindowOpened(None))
            case h2.events.StreamReset():
                self._take_reset(event, events)
            case h2.events.ConnectionTerminated():
                self._take_goaway(event, events)
            case _:
                pass  # h2 has answered PING and SETTINGS; the others ask for nothing

    def _take_request(self, event: h2.events.RequestReceived, events: list[Event]) -> None:
        exchange_id = ExchangeId(event.stream_id)
        self._streams[exchange_id] = stream = _Stream(_method(event.headers))
        ended = event.stream_ended is not None
        try:
            head = _request_head(event.headers)
        except RemoteProtocolError as error:
            error.exchange_id = exchange_id
            stream.request_ended = ended
            self._refuse(exchange_id, error)
            events.append(ProtocolViolated(error))
            return
        expects_continue = not ended and b"100-continue" in head.fields.tokens(b"expect")
        events.append(RequestReceived(exchange_id, head, not ended, expects_continue))

    def _refuse(self, exchange_id: ExchangeId, error: RemoteProtocolError) -> None:
        """Answer a malformed request that no handler will see (RFC 9113 §8.1.1)."""
        content = f"{error.reason}\n".encode("utf-8", "backslashreplace")
        fields = Fields(
            ((b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(content)))
        )
        self.send_head(exchange_id, ResponseHead(error.status_hint, fields))
        if self.send_content(exchange_id, content, end=True) == len(content):
            self.finish(exchange_id)
        else:
            self.abort(exchange_id)

    def _take_content(self, event: h2.events.DataReceived, events: list[Event]) -> None:
        exchange_id = ExchangeId(event.stream_id)
        size = event.flow_controlled_length
        self._unacknowledged += size
        if self._unacknowledged >= CONNECTION_WINDOW_OCTETS // 2:
            self._h2.increment_flow_control_window(self._unacknowledged)
            self._unacknowledged = 0
        stream = self._streams.get(exchange_id)
        if stream is None:
            return
        wanted = 0 if stream.responded else len(event.data)
        if event.stream_ended is None:
            self._open_window(exchange_id, stream, size - wanted)  # padding is nobody's to consume
        if wanted:
            events.append(ContentReceived(exchange_id, event.data))

    def _take_end(self, exchange_id: ExchangeId, trailers: Fields, events: list[Event]) -> None:
        stream = self._streams.get(exchange_id)
        if stream is None or stream.request_ended:
            return  # StreamEnded follows TrailersReceived
        stream.request_ended = True
        if stream.responded:
            self._forget(exchange_id)
        else:
            events.append(RequestEnded(exchange_id, trailers))

    def _take_reset(self, event: h2.events.StreamReset, events: list[Event]) -> None:
        exchange_id = ExchangeId(event.stream_id)
        stream = self._streams.pop(exchange_id, None)
        if stream is not None and not stream.responded:
            who = "the client" if event.remote_reset else "we"
            reason = f"{who} reset the stream: {_code_name(event.error_code)}"
            events.append(ExchangeReset(exchange_id, reason))
        self._close_when_done()

    def _take_goaway(self, event: h2.events.ConnectionTerminated, events: list[Event]) -> None:
        # RFC 9113 §6.8: GOAWAY "allows an endpoint to gracefully stop accepting new streams while
        # still finishing processing of previously established streams." h2 takes it for the end.
        self._h2.state_machine.state = ConnectionState.SERVER_OPEN
        debug = f": {event.additional_data!r}" if event.additional_data else ""
        self._finish_peer(f"GOAWAY {_code_name(event.error_code)}{debug}", events)

    # --- sending -----------------------------------------------------------------------------

    def send_informational(self, exchange_id: ExchangeId, head: ResponseHead) -> None:
        stream = self._stream(exchange_id)
        if stream.head_sent:
            raise LocalProtocolError(f"{head.status} after the final response began", exchange_id=exchange_id)
        if not 100 <= head.status < 200 or head.status == 101:
            # RFC 9113 §8.6: "HTTP/2 removes support for the 101 (Switching Protocols)"
            raise LocalProtocolError(
                f"HTTP/2 has no informational response with status {head.status}", exchange_id=exchange_id
            )
        self._h2.send_headers(exchange_id, _field_section(head))

    def send_head(self, exchange_id: ExchangeId, head: ResponseHead, *, end: bool = False) -> None:
        stream = self._stream(exchange_id)
        if stream.head_sent:
            raise LocalProtocolError("a final head was sent already", exchange_id=exchange_id)
        if not 200 <= head.status <= 999:
            raise LocalProtocolError(
                f"HTTP/2 has no final response with status {head.status}", exchange_id=exchange_id
            )
        if not never_has_content(stream.method, head.status):
            try:
                stream.remaining = h1_octets.content_length(head.fields)
            except ValueError:
                pass  # it promises nothing that could be kept
        stream.ended = end and not stream.remaining
        stream.head_sent = True
        self._h2.send_headers(exchange_id, _field_section(head), end_stream=stream.ended)

    def send_content(self, exchange_id: ExchangeId, data: bytes | memoryview, *, end: bool = False) -> int:
        stream = self._continuing(exchange_id)
        size = len(data)
        taken = 0
        while taken < size:
            room = min(self._h2.local_flow_control_window(exchange_id), self._h2.max_outbound_frame_size)
            if room <= 0:
                break
            piece = data[taken : taken + room]
            taken += len(piece)
            if stream.remaining is not None:
                stream.remaining -= len(piece)
            stream.ended = end and taken == size and not stream.is_short
            self._h2.send_data(exchange_id, piece, end_stream=stream.ended)
        if end and not size and not stream.is_short:
            self._h2.end_stream(exchange_id)
            stream.ended = True
        if taken < size and self._eof:
            self.abort(exchange_id)
            raise ExchangeClosed("the client closed with its window shut")
        return taken

    def send_trailers(self, exchange_id: ExchangeId, trailers: Fields) -> None:
        stream = self._continuing(exchange_id)
        self._h2.send_headers(exchange_id, _lowered(trailers), end_stream=True)
        stream.ended = True

    def send_verbatim(self, exchange_id: ExchangeId, octets: bytes) -> None:
        stream = self._stream(exchange_id)
        self._flush()
        self._outgoing.append(octets)
        stream.verbatim = True

    def finish(self, exchange_id: ExchangeId, *, close: bool = False) -> list[Event]:
        stream = self._streams.get(exchange_id)
        if stream is None:
            return []
        if stream.verbatim and not stream.ended:
            self._retire(exchange_id)
            return []
        if not stream.head_sent or stream.is_short:
            self.abort(exchange_id)
            return []
        if not stream.ended:
            self._h2.end_stream(exchange_id)
            stream.ended = True
        if stream.request_ended:
            self._forget(exchange_id)
        else:
            stream.responded = True
            self._open_window(exchange_id, stream, 0)
        return []

    def abort(self, exchange_id: ExchangeId) -> None:
        if exchange_id in self._streams:
            self._h2.reset_stream(exchange_id, ErrorCodes.INTERNAL_ERROR)
            self._forget(exchange_id)

    def acknowledge(self, exchange_id: ExchangeId, consumed: int) -> None:
        stream = self._streams.get(exchange_id)
        if stream is not None:
            self._open_window(exchange_id, stream, consumed)

    def close(self, reason: str = "") -> None:
        if self.closing is Closing.NO:
            self._h2.close_connection(ErrorCodes.NO_ERROR, reason.encode())
            self.closing = Closing.GRACEFUL

    def data_to_send(self) -> bytes:
        self._flush()
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def _flush(self, *, drop: int = 0) -> None:
        """Move what h2 has queued behind what stands there; *drop* octets at its end are not wanted."""
        octets = self._h2.data_to_send()
        self._outgoing.append(octets[: len(octets) - drop])

    def _open_window(self, exchange_id: ExchangeId, stream: _Stream, size: int) -> None:
        stream.unacknowledged += size
        half_spent = stream.unacknowledged >= STREAM_WINDOW_OCTETS // 2
        if (half_spent or (stream.responded and stream.unacknowledged)) and not stream.request_ended:
            self._h2.increment_flow_control_window(stream.unacknowledged, exchange_id)
            stream.unacknowledged = 0

    def _retire(self, exchange_id: ExchangeId) -> None:
        """End a stream for h2 alone: the peer has seen raw frames, and h2 has not."""
        self._flush()
        self._h2.streams[exchange_id].state_machine.process_input(StreamInputs.SEND_RST_STREAM)
        self._forget(exchange_id)

    def _forget(self, exchange_id: ExchangeId) -> None:
        del self._streams[exchange_id]
        self._close_when_done()

    def _close_when_done(self) -> None:
        if self._peer_finished and not self._streams:
            self.closing = Closing.GRACEFUL

    def _stream(self, exchange_id: ExchangeId) -> _Stream:
        stream = self._streams.get(exchange_id)
        if stream is None or stream.responded:
            raise ExchangeClosed(f"stream {exchange_id} is over")
        return stream

    def _continuing(self, exchange_id: ExchangeId) -> _Stream:
        stream = self._stream(exchange_id)
        if not stream.head_sent:
            raise LocalProtocolError("content before the head", exchange_id=exchange_id)
        if stream.ended:
            raise LocalProtocolError("content after its end", exchange_id=exchange_id)
        return stream


def _method(lines: list[FieldLine]) -> str:
    return next(value for name, value in lines if name == b":method").decode("latin-1")


def _request_head(lines: list[FieldLine]) -> RequestHead:
    """RFC 9113 §8.3.1: the pseudo-fields are the request line, and :authority is Host."""
    pseudo: dict[bytes, bytes] = {}
    fields: list[FieldLine] = []
    for name, value in lines:
        if name.startswith(b":"):
            pseudo[bytes(name)] = bytes(value)
        else:
            fields.append((bytes(name), bytes(value)))
    method = pseudo[b":method"].decode("latin-1")
    path = pseudo.get(b":path", b"")
    if method != "CONNECT" and not path.startswith(b"/") and not (method == "OPTIONS" and path == b"*"):
        raise RemoteProtocolError(f":path is neither a path nor, for OPTIONS, an asterisk: {path!r}")
    authority = pseudo.get(b":authority")
    if authority is not None:
        fields = [(b"host", authority), *((name, value) for name, value in fields if name != b"host")]
    else:
        authority = next((value for name, value in fields if name == b"host"), b"")
    parse_authority(authority)
    return RequestHead(
        method=method,
        target=path or authority,
        path=path,
        authority=authority,
        version="HTTP/2.0",
        fields=Fields(fields),
    )


def _lowered(fields: Fields) -> list[FieldLine]:
    return [(name.lower(), value) for name, value in fields if name.lower() not in _CONNECTION_SPECIFIC]


def _field_section(head: ResponseHead) -> list[FieldLine]:
    return [(b":status", b"%d" % head.status), *_lowered(head.fields)]


def _code_name(code: int | ErrorCodes | None) -> str:
    return code.name if isinstance(code, ErrorCodes) else f"{code}"
