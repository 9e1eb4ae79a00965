"""
H1Connection: HTTP/1.1.

Reading takes three steps: a head off what was received (h1_head), how its content is framed
(h1_framing), that content (h1_content). A connection is persistent because we keep what follows and
begin again with it, once the response is out.

Writing is of octets as asked. The question that remains is whether the connection survives a response.
Two ways answer it, and each exchange goes one of them:

- its head came whole through ``send_head``: it is looked at once, and content is counted;
- it came in pieces through ``send_verbatim``: then an Audit reads along as the client does.

What we do not know: what a client does with a message that is unsound. So we close after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from wptproto.errors import ExchangeClosed, LocalProtocolError, RemoteProtocolError
from wptproto.protocol import h1_octets
from wptproto.protocol.connection import Awaits, Closing, Connection, reason_octets
from wptproto.protocol.events import (
    ContentFailed,
    ContentReceived,
    Event,
    ExchangeId,
    PeerFinished,
    ProtocolViolated,
    RequestEnded,
    RequestReceived,
    UpgradeReceived,
)
from wptproto.protocol.h1_audit import Audit
from wptproto.protocol.h1_content import ChunkedReader, ContentReader, LengthReader
from wptproto.protocol.h1_known import examiner, request_reader
from wptproto.protocol.h1_request import H1Request
from wptproto.protocol.rules import DEFAULT_RULES, Rules
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import (
    RequestHead,
    ResponseHead,
    never_has_content,
    reason_phrase,
)

__all__ = ["H1Connection"]

STEPS_A_TURN = 3000
"""How many lines and pieces of chunks one call takes, before others have their turn."""

MAX_UNCONSUMED_OCTETS = 256 * 1024
"""Content that no handler has taken, or requests sent ahead; beyond it the socket waits."""


class _Reading(Enum):
    """What the next received octet is."""

    HEAD = auto()
    CONTENT = auto()
    AHEAD = auto()  # of the next request, kept until this response is finished
    NOTHING = auto()  # to be dropped: the connection is closing


@dataclass(slots=True)
class _Response:
    """The exchange in progress, and how its response stands."""

    exchange_id: ExchangeId
    request: RequestHead
    persistent: bool  # the request allows another one behind it
    expects_continue: bool
    sound: bool = True
    head_sent: bool = False
    ended: bool = False
    chunked: bool = False
    remaining: int | None = None  # octets promised and not yet sent; None: content ends with the connection
    audit: Audit | None = field(default=None)


class H1Connection(Connection):
    """One HTTP/1.1 connection, one exchange at a time; pipelined requests wait (RFC 9112 §9.3.2)."""

    protocol = "HTTP/1.1"

    def __init__(self, rules: Rules = DEFAULT_RULES, *, cleartext: bool = True) -> None:
        """
        Args:
            rules: What is refused of a request.
            cleartext: Whether ``Upgrade: h2c`` may be answered.
        """
        self._rules = rules
        self._cleartext = cleartext
        self._requests = request_reader(rules)
        self._examine = examiner(rules)
        self._buffer = bytearray()
        self._reading = _Reading.HEAD
        self._eof = False
        self._content: ContentReader | None = None
        self._unconsumed = 0
        self._last_id = 0
        self._response: _Response | None = None
        self._outgoing: list[bytes] = []

    # --- receiving ---------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> list[Event]:
        if self._reading is _Reading.NOTHING:
            self.has_backlog = False
            return []
        if self._reading is _Reading.HEAD and not self._buffer:
            request = self._requests.look_up(data)
            if request is not None:
                return self._take_known(request)
        self._buffer += data
        return self._read()

    def receive_eof(self) -> list[Event]:
        self._eof = True
        return self._read()

    @property
    def reading_paused(self) -> bool:
        if self.has_backlog or self._unconsumed > MAX_UNCONSUMED_OCTETS:
            return True
        return self._reading is _Reading.AHEAD and len(self._buffer) > MAX_UNCONSUMED_OCTETS

    @property
    def awaits(self) -> Awaits:
        if self._reading is _Reading.HEAD:
            return Awaits.HEAD if self._buffer else Awaits.REQUEST
        rest_is_dropped = self._reading is _Reading.CONTENT and self._response is None
        return Awaits.CONTENT if rest_is_dropped else Awaits.NOTHING

    @property
    def steps(self) -> int:
        return self._last_id

    def owes_content(self, exchange_id: ExchangeId) -> bool:
        response = self._response
        if self._reading is not _Reading.CONTENT or response is None or response.exchange_id != exchange_id:
            return False
        # Who waits for 100 (Continue), or whose content waits for its handler, is not late.
        return not (response.expects_continue or self.reading_paused)

    def expire(self, reason: str) -> list[Event]:
        events: list[Event] = []
        if self.awaits is Awaits.REQUEST:
            self.close(reason)
        else:
            self._fail(RemoteProtocolError(reason, status_hint=408), events)
        return events

    def expire_content(self, exchange_id: ExchangeId, reason: str) -> list[Event]:
        return self.expire(reason) if self.owes_content(exchange_id) else []

    def _read(self) -> list[Event]:
        events: list[Event] = []
        self.has_backlog = False
        while self._reading in (_Reading.HEAD, _Reading.CONTENT):
            try:
                if self._reading is _Reading.HEAD:
                    more = self._read_head(events)
                else:
                    more = self._read_content(events)
            except RemoteProtocolError as error:
                self._fail(error, events)
                break
            if not more:
                break
        return events

    def _fail(self, error: RemoteProtocolError, events: list[Event]) -> None:
        """Nothing behind a violation can be told apart any more, so reading ends with it."""
        self._reading = _Reading.NOTHING
        self._buffer.clear()
        response = self._response
        if response is not None:
            # A handler is at it: it meets the error where it reads, and answers.
            response.persistent = False
            error.exchange_id = response.exchange_id
            events.append(ContentFailed(response.exchange_id, error))
        elif self._content is not None:
            # The response is out already, and it was the rest of an upload that failed.
            self.closing = Closing.GRACEFUL
            events.append(ProtocolViolated(error))
        else:
            self._refuse(error)
            events.append(ProtocolViolated(error))

    def _refuse(self, error: RemoteProtocolError) -> None:
        """Answer what no handler will see (RFC 9112 §2.2, §3.2)."""
        content = reason_octets(error.reason) + b"\n"
        date = self._rules.date
        self._outgoing += [
            h1_octets.status_line(error.status_hint, reason_phrase(error.status_hint)),
            h1_octets.field_line(b"Date", date()) if date is not None else b"",
            b"Content-Type: text/plain; charset=utf-8\r\n",
            b"Content-Length: %d\r\n" % len(content),
            b"Connection: close\r\n\r\n",
            content,
        ]
        self.closing = Closing.GRACEFUL

    def _take_known(self, request: H1Request) -> list[Event]:
        events: list[Event] = []
        self._take_request(request, events)
        if self._reading is _Reading.CONTENT:
            self._read_content(events)
        return events

    def _read_head(self, events: list[Event]) -> bool:
        request = self._requests.read(self._buffer)
        if request is None:
            if self._eof:
                if self._buffer.rstrip(b"\r\n"):
                    raise RemoteProtocolError("the client closed inside the head of a request")
                self._reading = _Reading.NOTHING
                self.closing = Closing.GRACEFUL
                events.append(PeerFinished("the client sent its last request"))
            return False
        self._take_request(request, events)
        return True

    def _take_request(self, request: H1Request, events: list[Event]) -> None:
        if request.length == 0 and self._take_upgrade(request, events):
            return
        self._last_id += 1
        exchange_id = ExchangeId(self._last_id)
        head, length, expects_continue, persistent, _ = request
        self._response = _Response(exchange_id, head, persistent, expects_continue)
        events.append(RequestReceived(exchange_id, head, length != 0, expects_continue, not persistent))
        self._content = ChunkedReader(self._rules, STEPS_A_TURN) if length is None else LengthReader(length)
        self._reading = _Reading.CONTENT
        self._unconsumed = 0

    def _take_upgrade(self, request: H1Request, events: list[Event]) -> bool:
        if request.h2c_settings is None or not self._cleartext:
            return False
        # RFC 7540 §3.2: the 101, and the first HTTP/2 frame behind it.
        self._outgoing += [
            h1_octets.status_line(101, reason_phrase(101)),
            b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        ]
        events.append(UpgradeReceived(request.head, request.h2c_settings, bytes(self._buffer)))
        self._buffer.clear()
        self._reading = _Reading.NOTHING
        return True

    def _read_content(self, events: list[Event]) -> bool:
        reader = self._content
        assert reader is not None
        response = self._response
        data = reader.read(self._buffer) if not reader.done else b""
        if data:
            if response is not None:
                response.expects_continue = False  # it does not wait any more
                self._unconsumed += len(data)
            events.append(ContentReceived(ExchangeId(self._last_id), data))
        if not reader.done:
            if reader.has_backlog:
                self.has_backlog = True
                return False
            if data:
                return True
            if self._eof:
                raise RemoteProtocolError(f"the client closed before it sent {reader.missing()}")
            return False
        ended = RequestEnded(ExchangeId(self._last_id), reader.trailers, tuple(reader.chunk_sizes))
        events.append(ended)
        if response is not None:
            self._reading = _Reading.AHEAD
            return False
        self._begin_next()
        return True

    def _begin_next(self) -> None:
        self._content = None
        self._unconsumed = 0
        self._reading = _Reading.HEAD

    # --- sending -----------------------------------------------------------------------------

    def send_informational(self, exchange_id: ExchangeId, head: ResponseHead) -> None:
        response = self._responding(exchange_id)
        if response.head_sent:
            raise LocalProtocolError(f"{head.status} after the final response began", exchange_id=exchange_id)
        if response.request.version == "HTTP/1.0":
            return  # RFC 9110 §15.2: "a server MUST NOT send a 1xx response to an HTTP/1.0 client"
        if head.status == 100:
            response.expects_continue = False
        made = self._examine(head)
        self._queue(response, made.octets)
        response.sound &= made.sound and 100 <= head.status < 200 and head.status != 101

    def send_head(self, exchange_id: ExchangeId, head: ResponseHead, *, end: bool = False) -> None:
        response = self._responding(exchange_id)
        if response.head_sent:
            raise LocalProtocolError("a final head was sent already", exchange_id=exchange_id)
        response.head_sent = True
        made = self._examine(head)
        if made.frames_itself:
            # The script does; only reading along tells where the content ends.
            response.audit = Audit(response.request.method)
        response.remaining = made.length
        self._queue(response, made.octets)
        response.sound &= made.sound
        response.persistent &= made.lets_persist(response.request)
        if never_has_content(response.request.method, head.status):
            response.remaining = 0
        elif head.chunked:
            response.chunked = True
            if end:
                self._queue(response, h1_octets.LAST_CHUNK)
        response.ended = end

    def respond(
        self, exchange_id: ExchangeId, head: ResponseHead, data: bytes, *, close: bool = False
    ) -> list[Event] | None:
        response = self._response
        if response is None or response.exchange_id != exchange_id or response.head_sent:
            return None
        made, request = self._examine(head), response.request
        sound = made.sound and response.sound and made.length == len(data)
        if not sound or never_has_content(request.method, head.status):
            return None
        self._outgoing += (made.octets, data)
        return self._end(
            response, persistent=not close and response.persistent and made.lets_persist(request)
        )

    def send_content(self, exchange_id: ExchangeId, data: bytes | memoryview, *, end: bool = False) -> int:
        response = self._continuing(exchange_id)
        size = len(data)
        if response.chunked:
            self._queue(response, h1_octets.chunk(data))
            if end:
                self._queue(response, h1_octets.LAST_CHUNK)
        else:
            if response.remaining is not None:
                response.remaining -= size  # below zero: more than promised, so what follows is no message
            self._queue(response, bytes(data))
        response.ended = end
        return size

    def send_trailers(self, exchange_id: ExchangeId, trailers: Fields) -> None:
        response = self._continuing(exchange_id)
        if not response.chunked:
            raise LocalProtocolError(
                "trailers need chunked content (RFC 9112 §7.1.2)", exchange_id=exchange_id
            )
        self._queue(response, h1_octets.last_chunk(trailers))
        response.sound &= h1_octets.trailers_are_sound(trailers)
        response.ended = True

    def send_verbatim(self, exchange_id: ExchangeId, octets: bytes) -> None:
        response = self._responding(exchange_id)
        if response.audit is None:
            response.audit = Audit(response.request.method)
            response.sound &= not response.head_sent  # its beginning was not read along
            # Whether HTTP/1.0 goes on hangs on what the head says, and that is not looked at here.
            response.persistent &= response.request.version == "HTTP/1.1"
        response.head_sent = True
        self._queue(response, octets)

    def finish(self, exchange_id: ExchangeId, *, close: bool = False) -> list[Event]:
        response = self._response
        if response is None or response.exchange_id != exchange_id:
            return []
        if response.chunked and not response.ended:
            self._queue(response, h1_octets.LAST_CHUNK)
        return self._end(response, persistent=not close and response.persistent and _is_complete(response))

    def _end(self, response: _Response, *, persistent: bool) -> list[Event]:
        """Go on behind a response."""
        self._response = None
        self._unconsumed = 0
        if not persistent:
            self._stop(Closing.GRACEFUL)
            return []
        if response.expects_continue and self._reading is _Reading.CONTENT:
            # Whether the client still sends its content now is the client's guess (RFC 9110 §10.1.1),
            # so what comes next is either that or a request, and nobody can tell.
            self._stop(Closing.GRACEFUL)
            return []
        if self._reading is _Reading.AHEAD:
            self._begin_next()
        return self._read() if self._buffer or self._eof else []

    def abort(self, exchange_id: ExchangeId, *, too_slow: bool = False) -> None:
        response = self._response
        if response is None or response.exchange_id != exchange_id:
            return
        self._response = None
        ends_with_connection = (
            response.head_sent
            and response.audit is None
            and not response.chunked
            and response.remaining is None
        )
        self._stop(Closing.RESET if ends_with_connection or response.audit is not None else Closing.GRACEFUL)

    def truncate(self, exchange_id: ExchangeId) -> None:
        if self._response is not None and self._response.exchange_id == exchange_id:
            self._response = None
            self._stop(Closing.GRACEFUL)

    def acknowledge(self, exchange_id: ExchangeId, consumed: int) -> None:
        if self._response is not None and self._response.exchange_id == exchange_id:
            self._unconsumed -= consumed

    def close(self, reason: str = "") -> None:
        """HTTP/1.1 has no word for it; the connection ends."""
        self._stop(Closing.GRACEFUL)

    def data_to_send(self) -> bytes:
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def _stop(self, closing: Closing) -> None:
        self._reading = _Reading.NOTHING
        self._buffer.clear()
        self.closing = closing

    def _queue(self, response: _Response, octets: bytes) -> None:
        self._outgoing.append(octets)
        if response.audit is not None:
            response.audit.feed(octets)

    def _responding(self, exchange_id: ExchangeId) -> _Response:
        if self._response is None or self._response.exchange_id != exchange_id:
            raise ExchangeClosed(f"exchange {exchange_id} is over")
        return self._response

    def _continuing(self, exchange_id: ExchangeId) -> _Response:
        response = self._responding(exchange_id)
        if not response.head_sent:
            raise LocalProtocolError("content before the head", exchange_id=exchange_id)
        if response.ended:
            raise LocalProtocolError("content after its end", exchange_id=exchange_id)
        return response


def _is_complete(response: _Response) -> bool:
    """Whether a client knows from the message alone that it has all of it, and finds it sound."""
    if response.audit is not None:
        return response.sound and response.audit.sound
    return response.sound and response.head_sent and (response.chunked or response.remaining == 0)
