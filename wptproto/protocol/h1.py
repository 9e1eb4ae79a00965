"""
H1Connection: HTTP/1.1, over h11.

Reading is h11's as far as the head goes: a new ``h11.Connection`` for each, given just the
octets of that head, after what h11 forgives has been refused here (``_take_head``, ``_parse_head``).
A connection is persistent because we keep what follows and begin again with it, once the response
is out.

Writing is ours, octets as asked, for h11 would mend them. The question that remains is whether
the connection survives a response. Two ways answer it, and each exchange goes one of them:

- its head came whole through ``send_head``: it is looked at once, and content is counted;
- it came in pieces through ``send_verbatim``: then an Audit reads along as the client does.

What we do not know: what a client does with a message that is unsound. So we close after it.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from enum import Enum, auto

import h11

from wptproto.errors import ExchangeClosed, LocalProtocolError, RemoteProtocolError
from wptproto.protocol import h1_octets
from wptproto.protocol.connection import Closing, Connection, reason_octets
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
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import (
    RequestHead,
    ResponseHead,
    Version,
    asks_to_persist,
    never_has_content,
    reason_phrase,
)
from wptproto.semantics.target import parse_authority, parse_target

__all__ = ["H1Connection"]

MAX_HEAD_OCTETS = 256 * 1024
"""Request line and fields; beyond it 414 or 431 (RFC 9110 §15.5.15, RFC 6585 §5)."""

MAX_UNCONSUMED_OCTETS = 256 * 1024
"""Content that no handler has taken, or requests sent ahead; beyond it the socket waits."""

_HEAD_END = re.compile(rb"(?<!\r)\n|\r\n\r\n")
# RFC 9110 §5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous". VT and FF are
# here because h11 finds them, and NUL, only after time to the square of the blanks before them.
_STRAY = re.compile(rb"[\0\v\f]|\r(?!\n)")
_TCHAR = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_TLS_HANDSHAKE = 0x16


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

    def __init__(self, *, cleartext: bool = True) -> None:
        """
        Args:
            cleartext: Whether ``Upgrade: h2c`` may be answered.
        """
        self._cleartext = cleartext
        self._buffer = bytearray()
        self._scanned = 0
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
            return []
        self._buffer += data
        return self._read()

    def receive_eof(self) -> list[Event]:
        self._eof = True
        return self._read()

    @property
    def reading_paused(self) -> bool:
        held_back = len(self._buffer) if self._reading is _Reading.AHEAD else 0
        return self._unconsumed > MAX_UNCONSUMED_OCTETS or held_back > MAX_UNCONSUMED_OCTETS

    def _read(self) -> list[Event]:
        events: list[Event] = []
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
        self._outgoing += [
            h1_octets.status_line(error.status_hint, reason_phrase(error.status_hint)),
            b"Content-Type: text/plain; charset=utf-8\r\n",
            b"Content-Length: %d\r\n" % len(content),
            b"Connection: close\r\n\r\n",
            content,
        ]
        self.closing = Closing.GRACEFUL

    def _read_head(self, events: list[Event]) -> bool:
        # RFC 9112 §2.2: "a server that is expecting to receive and parse a request-line SHOULD
        # ignore at least one empty line (CRLF) received prior to the request-line."
        while self._buffer.startswith(b"\r\n"):
            del self._buffer[:2]
        octets = self._take_head()
        if octets is None:
            if self._eof:
                if self._buffer.rstrip(b"\r\n"):
                    raise RemoteProtocolError("the client closed inside the head of a request")
                self._reading = _Reading.NOTHING
                self.closing = Closing.GRACEFUL
                events.append(PeerFinished("the client sent its last request"))
            return False
        self._take_request(_parse_head(octets), octets, events)
        return True

    def _take_head(self) -> bytes | None:
        """
        Take a whole head off the buffer, None where more must be received first.

        LF alone is refused wherever it stands: RFC 9112 §2.2 only allows to take it for a line's
        end, and those who do disagree with those who do not about where a message ends.
        """
        buffer = self._buffer
        if buffer and buffer[0] not in _TCHAR and buffer[0] != 0x0D:
            hint = (
                "; this looks like TLS, and the port speaks plain HTTP" if buffer[0] == _TLS_HANDSHAKE else ""
            )
            raise RemoteProtocolError(f"no request begins with {bytes(buffer[:1])!r}{hint}")
        match = _HEAD_END.search(buffer, max(0, self._scanned - 3))
        self._scanned = len(buffer)
        end = match.end() if match is not None else len(buffer)
        if end > MAX_HEAD_OCTETS:
            if b"\r\n" not in buffer[:MAX_HEAD_OCTETS]:
                raise RemoteProtocolError(
                    f"the request line exceeds {MAX_HEAD_OCTETS} octets", status_hint=414
                )
            raise RemoteProtocolError(f"the head exceeds {MAX_HEAD_OCTETS} octets", status_hint=431)
        if match is None:
            return None
        if match.group() == b"\n":
            line = bytes(buffer[buffer.rfind(b"\n", 0, end - 1) + 1 : end])
            raise RemoteProtocolError(f"a line of the head ends with LF alone: {line!r}")
        octets = bytes(buffer[:end])
        del buffer[:end]
        self._scanned = 0
        return octets

    def _take_request(self, request: h11.Request, octets: bytes, events: list[Event]) -> None:
        if request.method == b"PRI":
            raise RemoteProtocolError("the HTTP/2 connection preface is broken (RFC 9113 §3.4)")
        version = _version(request.http_version)
        method = request.method.decode("ascii")
        fields = h1_octets.field_lines(octets)  # as received; h11 has put theirs in order
        target = parse_target(method, bytes(request.target))
        host = fields.get(b"host")
        if host is None and version == "HTTP/1.1":
            raise RemoteProtocolError("no Host (RFC 9112 §3.2)")  # h11 misses it in 1.1, but not in 1.2
        named = parse_authority(host) if host is not None else None
        # RFC 9112 §3.2.2: an absolute target outweighs Host.
        authority = bytes(target.authority or named or b"")
        head = RequestHead(method, target.octets, target.path, authority, version, fields, octets)
        self._content = reader = _content_reader(head)
        if reader.done and self._take_upgrade(head, events):
            return
        self._last_id += 1
        exchange_id = ExchangeId(self._last_id)
        expects_continue = (
            not reader.done and version == "HTTP/1.1" and b"100-continue" in fields.tokens(b"expect")
        )
        self._response = _Response(exchange_id, head, asks_to_persist(head), expects_continue)
        events.append(RequestReceived(exchange_id, head, not reader.done, expects_continue))
        self._reading = _Reading.CONTENT
        self._unconsumed = 0

    def _take_upgrade(self, head: RequestHead, events: list[Event]) -> bool:
        settings = _h2c_settings(head) if self._cleartext else None
        if settings is None:
            return False
        # RFC 7540 §3.2: the 101, and the first HTTP/2 frame behind it.
        self._outgoing += [
            h1_octets.status_line(101, reason_phrase(101)),
            b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        ]
        events.append(UpgradeReceived(head, settings, bytes(self._buffer)))
        self._buffer.clear()
        self._reading = _Reading.NOTHING
        return True

    def _read_content(self, events: list[Event]) -> bool:
        reader = self._content
        assert reader is not None
        response = self._response
        data = reader.read(self._buffer) if not reader.done else b""
        if data and response is not None:
            response.expects_continue = False  # it does not wait any more
            self._unconsumed += len(data)
            events.append(ContentReceived(response.exchange_id, data))
        if not reader.done:
            if data:
                return True
            if self._eof:
                raise RemoteProtocolError(f"the client closed before it sent {reader.missing()}")
            return False
        if response is not None:
            self._reading = _Reading.AHEAD
            events.append(RequestEnded(response.exchange_id, reader.trailers))
            return False
        self._begin_next()
        return True

    def _begin_next(self) -> None:
        self._content = None
        self._unconsumed = 0
        self._scanned = 0
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
        self._queue(response, _head_octets(head))
        response.sound &= _is_sound(head) and 100 <= head.status < 200 and head.status != 101

    def send_head(self, exchange_id: ExchangeId, head: ResponseHead, *, end: bool = False) -> None:
        response = self._responding(exchange_id)
        if response.head_sent:
            raise LocalProtocolError("a final head was sent already", exchange_id=exchange_id)
        response.head_sent = True
        if not head.chunked and b"transfer-encoding" in head.fields:
            # The script frames its content itself; only reading along tells where it ends.
            response.audit = Audit(response.request.method)
        else:
            try:
                response.remaining = _promised_length(head)
            except ValueError:
                response.sound = False
        self._queue(response, _head_octets(head))
        response.sound &= _is_sound(head)
        response.persistent &= _lets_persist(response.request, head)
        if never_has_content(response.request.method, head.status):
            response.remaining = 0
        elif head.chunked:
            response.chunked = True
            if end:
                self._queue(response, h1_octets.LAST_CHUNK)
        response.ended = end

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
        self._response = None
        self._unconsumed = 0
        if close or not response.persistent or not _is_complete(response):
            self._stop(Closing.GRACEFUL)
            return []
        if response.expects_continue and self._reading is _Reading.CONTENT:
            # Whether the client still sends its content now is the client's guess (RFC 9110 §10.1.1),
            # so what comes next is either that or a request, and nobody can tell.
            self._stop(Closing.GRACEFUL)
            return []
        if self._reading is _Reading.AHEAD:
            self._begin_next()
        return self._read()

    def abort(self, exchange_id: ExchangeId) -> None:
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


def _parse_head(octets: bytes) -> h11.Request:
    match = _STRAY.search(octets)
    if match is not None:
        raise RemoteProtocolError(f"{match.group()!r} in the head of a request")
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_OCTETS)
    parser.receive_data(octets)
    try:
        request = parser.next_event()
    except h11.RemoteProtocolError as error:
        hint = error.error_status_hint
        # RFC 9112 §6.3: "If a Transfer-Encoding header field is present in a request and the chunked
        # transfer coding is not the final encoding, [...] the server MUST respond with the 400"
        if hint == 501 and h1_octets.field_lines(octets).tokens(b"transfer-encoding")[-1:] != [b"chunked"]:
            hint = 400
        raise RemoteProtocolError(str(error), status_hint=hint) from error
    assert isinstance(request, h11.Request)
    return request


def _version(octets: bytes) -> Version:
    if octets == b"1.0":
        return "HTTP/1.0"
    if octets.startswith(b"1."):
        return "HTTP/1.1"  # RFC 9110 §2.5: a higher minor version is compatible with ours
    raise RemoteProtocolError(
        f"HTTP/{octets.decode('ascii')} is not spoken on this connection", status_hint=505
    )


def _content_reader(head: RequestHead) -> ContentReader:
    """Choose by RFC 9112 §6.3; h11 has seen to it that each framing field makes sense by itself."""
    fields = head.fields
    if b"transfer-encoding" in fields:
        if b"content-length" in fields:
            raise RemoteProtocolError("both Transfer-Encoding and Content-Length (RFC 9112 §6.3)")
        if head.version == "HTTP/1.0":
            raise RemoteProtocolError("Transfer-Encoding in an HTTP/1.0 request (RFC 9112 §6.1)")
        return ChunkedReader()
    values = fields.tokens(b"content-length")
    return LengthReader(int(values[0]) if values else 0)


def _h2c_settings(head: RequestHead) -> bytes | None:
    """Return HTTP2-Settings where a request asks for h2c as RFC 7540 §3.2.1 wants it, else None."""
    options = head.fields.tokens(b"connection")
    settings = head.fields.get_list(b"http2-settings")
    if (
        b"h2c" not in head.fields.tokens(b"upgrade")
        or b"upgrade" not in options
        or b"http2-settings" not in options
        or len(settings) != 1
        or head.version != "HTTP/1.1"
    ):
        return None
    padded = settings[0] + b"=" * (-len(settings[0]) % 4)
    try:
        payload = base64.b64decode(padded, altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    return padded if len(payload) % 6 == 0 else None


def _head_octets(head: ResponseHead) -> bytes:
    lines = [h1_octets.field_line(name, value) for name, value in head.fields]
    return b"".join([h1_octets.status_line(head.status, head.reason), *lines, b"\r\n"])


def _is_sound(head: ResponseHead) -> bool:
    return h1_octets.status_line_is_sound(head.status, head.reason) and h1_octets.field_section_is_sound(
        head.fields
    )


def _promised_length(head: ResponseHead) -> int | None:
    """
    Return how much content a head promises, None where that is open.

    Raises:
        ValueError: Its fields do not frame the content as we are going to.
    """
    if h1_octets.is_chunked(head.fields) is not head.chunked:
        raise ValueError("Transfer-Encoding is what ResponseHead.chunked says")
    return h1_octets.content_length(head.fields)


def _lets_persist(request: RequestHead, head: ResponseHead) -> bool:
    """Whether another exchange may follow a response, as far as its fields tell (RFC 9112 §9.3)."""
    if h1_octets.ends_connection(request.method, head.status, head.fields):
        return False
    # What HTTP/1.0 knows of persistence is Connection: keep-alive from both sides, and Content-Length:
    # it takes chunks for content (RFC 9112 §6.1, Appendix C.2.2).
    return request.version == "HTTP/1.1" or (
        b"keep-alive" in head.fields.tokens(b"connection") and b"transfer-encoding" not in head.fields
    )


def _is_complete(response: _Response) -> bool:
    """Whether a client knows from the message alone that it has all of it, and finds it sound."""
    if response.audit is not None:
        return response.sound and response.audit.sound
    return response.sound and response.head_sent and (response.chunked or response.remaining == 0)
