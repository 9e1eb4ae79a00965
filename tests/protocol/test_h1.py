"""H1Connection: octets in, events out; calls in, octets out."""

from __future__ import annotations

from collections.abc import Callable

import h11
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.helpers.h1 import Message, begin, head_of, read_messages, request, respond, response_head
from tests.helpers.over import assert_over
from wptproto.errors import LocalProtocolError
from wptproto.limits import Limits
from wptproto.protocol.connection import MAX_REASON_OCTETS, Closing
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
from wptproto.protocol.h1 import MAX_UNCONSUMED_OCTETS, STEPS_A_TURN, H1Connection
from wptproto.protocol.rules import Leniency, Rules
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import ResponseHead, Version, never_has_content

GET = request()
URI = request(b"GET http://h HTTP/1.1")
POST = request(b"POST / HTTP/1.1", b"Content-Length: 5")
CHUNKED = request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked")
LENGTH_0 = (b"Content-Length", b"0")
LENGTH_2 = (b"Content-Length", b"2")
CHUNKED_LINE = (b"Transfer-Encoding", b"chunked")
ONE, TWO = ExchangeId(1), ExchangeId(2)


def kinds(events: list[Event]) -> list[type]:
    return [type(event) for event in events]


def is_open(connection: H1Connection) -> bool:
    return connection.closing is Closing.NO


# --- heads ---------------------------------------------------------------------------------------


def test_a_request() -> None:
    """The head of a request is all there is of it, as received."""
    octets = request(b"PATCH /a?b HTTP/1.1", b"X-Odd:\t a ", b"x-odd:b", host=b"h:80")
    head = head_of(H1Connection().receive_data(octets))
    assert (head.method, head.target, head.path, head.version) == ("PATCH", b"/a?b", b"/a?b", "HTTP/1.1")
    assert list(head.fields) == [(b"Host", b"h:80"), (b"X-Odd", b"a"), (b"x-odd", b"b")]
    assert head.authority == b"h:80"
    assert head.octets == octets


@pytest.mark.parametrize(
    "line",
    [
        (b"CONTENT-LENGTH", b"0"),
        (b"Transfer-Encoding", b"Chunked"),
    ],
)
def test_framing_fields_are_kept_as_received(line: FieldLine) -> None:
    """What the client wrote is what a test wants to see."""
    octets = request(b"POST / HTTP/1.1", b": ".join(line))
    assert line in list(head_of(H1Connection().receive_data(octets)).fields)


def test_a_repeated_length_is_kept_repeated() -> None:
    """Two equal lengths, where they are forgiven, are one length, but remain two field lines."""
    octets = request(b"POST / HTTP/1.1", b"Content-Length: 2", b"content-length: 2", content=b"ok")
    connection = H1Connection(Rules(lenient=frozenset([Leniency.REPEATED_LENGTH])))
    events = connection.receive_data(octets)
    assert head_of(events).fields.get_list(b"content-length") == [b"2", b"2"]
    assert events[1:] == [ContentReceived(ONE, b"ok"), RequestEnded(ONE, Fields())]


# Each refused request has a neighbour that differs in just what matters, and is accepted.
REFUSED: list[tuple[str, int, bytes, bytes]] = [
    # name, status, refused, accepted
    ("length-and-chunks", 400, CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n"), CHUNKED),
    ("another-version", 505, request(b"GET / HTTP/2.0"), request(b"GET / HTTP/1.1")),
    ("a-version-to-come", 505, request(b"GET / HTTP/3.0"), request(b"GET / HTTP/1.2")),
    ("a-version-of-old", 505, request(b"GET / HTTP/0.9"), request(b"GET / HTTP/1.0")),
    ("no-version", 400, request(b"GET /"), GET),
    ("version-in-lower-case", 400, request(b"GET / http/1.1"), GET),
    ("version-of-two-digits", 400, request(b"GET / HTTP/1.10"), GET),
    ("method-no-token", 400, request(b"G(T / HTTP/1.1"), request(b"G!T / HTTP/1.1")),
    ("method-beyond-ascii", 400, request(b"G\xc9T / HTTP/1.1"), request(b"get / HTTP/1.1")),
    ("two-blanks", 400, request(b"GET  / HTTP/1.1"), GET),
    ("tab-for-blank", 400, request(b"GET\t/ HTTP/1.1"), GET),
    ("blank-before", 400, b" " + GET, GET),
    ("blank-in-target", 400, request(b"GET /a b HTTP/1.1"), request(b"GET /a%20b HTTP/1.1")),
    ("target-beyond-ascii", 400, request(b"GET /\xe9 HTTP/1.1"), request(b"GET /%E9 HTTP/1.1")),
    ("fragment", 400, request(b"GET /a#b HTTP/1.1"), request(b"GET /a%23b HTTP/1.1")),
    ("authority-form-for-GET", 400, request(b"GET h:80 HTTP/1.1"), request(b"GET http://h:80 HTTP/1.1")),
    ("asterisk-for-GET", 400, request(b"GET * HTTP/1.1"), request(b"OPTIONS * HTTP/1.1")),
    ("path-for-CONNECT", 400, request(b"CONNECT / HTTP/1.1"), request(b"CONNECT h:80 HTTP/1.1")),
    ("LF-first", 400, b"\n" + GET, b"\r\n\r\n" + GET),
    ("CR-first", 400, b"\r" + GET, b"\r\n" + GET),
    ("LF-ends-request-line", 400, GET.replace(b"\r\n", b"\n", 1), GET),
    ("LF-ends-field-line", 400, request(b"GET / HTTP/1.1", b"A: 1\n"), request(b"GET / HTTP/1.1", b"A: 1")),
    ("LF-ends-head", 400, GET[:-2] + b"\n", GET),
    ("CR-in-field", 400, request(b"GET / HTTP/1.1", b"A: 1\r2"), request(b"GET / HTTP/1.1", b"A: 1\t2")),
    ("CR-twice", 400, request(b"GET / HTTP/1.1", b"A: 1\r"), request(b"GET / HTTP/1.1", b"A: 1 ")),
    ("NUL-in-field", 400, request(b"GET / HTTP/1.1", b"A: \0"), request(b"GET / HTTP/1.1", b"A: \xff")),
    ("folded", 400, request(b"GET / HTTP/1.1", b"A: 1\r\n 2"), request(b"GET / HTTP/1.1", b"A: 1 2")),
    ("name-no-token", 400, request(b"GET / HTTP/1.1", b"A(: 1"), request(b"GET / HTTP/1.1", b"A!: 1")),
    ("no-name", 400, request(b"GET / HTTP/1.1", b": 1"), request(b"GET / HTTP/1.1", b"A:")),
    ("no-colon", 400, request(b"GET / HTTP/1.1", b"A"), request(b"GET / HTTP/1.1", b"A:")),
    ("blank-behind-name", 400, request(b"GET / HTTP/1.1", b"A : 1"), request(b"GET / HTTP/1.1", b"A:  1")),
    ("first-line-folded", 400, GET.replace(b"Host", b" Host"), GET),
    ("no-host", 400, request(host=None), request(b"GET / HTTP/1.0", host=None)),
    ("no-host-in-a-higher-version", 400, request(b"GET / HTTP/1.2", host=None), request(b"GET / HTTP/1.2")),
    ("two-hosts", 400, request(b"GET / HTTP/1.1", b"Host: localhost"), request(host=b"")),
    ("two-hosts-in-1.0", 400, request(b"GET / HTTP/1.0", b"Host: b"), request(b"GET / HTTP/1.0")),
    ("host-with-user", 400, request(host=b"user@h"), request(host=b"h")),
    ("host-with-port-by-name", 400, request(host=b"h:http"), request(host=b"h:80")),
    ("host-with-signed-port", 400, request(host=b"h:+80"), request(host=b"h:")),
    ("host-with-bracket-open", 400, request(host=b"[::1"), request(host=b"[::1]")),
    ("host-with-query", 400, request(host=b"h?x"), request(host=b"h")),
    ("host-with-backslash", 400, request(host=b"h\\x"), request(host=b"h.x")),
    ("host-of-fragments", 400, request(host=b"###"), request(host=b"%23")),
    ("host-wrong-beside-a-uri", 400, URI.replace(b"localhost", b"h:x"), URI),
    ("length-with-sign", 400, POST.replace(b"5", b"+5"), POST),
    ("length-negative", 400, POST.replace(b"5", b"-5"), POST),
    ("length-with-underscore", 400, POST.replace(b"5", b"0_5"), POST.replace(b"5", b"05")),
    ("length-with-blank", 400, POST.replace(b"5", b"1 5"), POST.replace(b"5", b" \t5 ")),
    ("length-behind-NBSP", 400, POST.replace(b"5", b"\xa05"), POST),
    ("length-behind-VT", 400, POST.replace(b"5", b"\x0b5"), POST),
    ("length-in-other-digits", 400, POST.replace(b"5", b"\xd9\xa5"), POST),
    ("length-superscript", 400, POST.replace(b"5", b"\xb2"), POST),
    ("length-beyond-int", 413, POST.replace(b"5", b"9" * 5000), POST.replace(b"5", b"9" * 9)),
    ("length-empty", 400, POST.replace(b"5", b""), POST),
    ("lengths-differ", 400, POST.replace(b"5", b"5, 6"), POST),
    ("lengths-agree", 400, POST.replace(b"5", b"5, 5"), POST),
    ("chunks-in-1.0", 400, CHUNKED.replace(b"1.1", b"1.0"), CHUNKED),
    ("chunks-not-last", 400, CHUNKED.replace(b"chunked", b"chunked, gzip"), CHUNKED),
    ("chunks-not-at-all", 400, CHUNKED.replace(b"chunked", b"identity"), CHUNKED),
    ("chunks-misspelt", 400, CHUNKED.replace(b"chunked", b"xchunked"), CHUNKED.replace(b"c", b"C")),
    ("no-coding", 400, CHUNKED.replace(b"chunked", b""), CHUNKED),
    ("another-coding", 501, CHUNKED.replace(b"chunked", b"gzip, chunked"), CHUNKED),
    ("expectation", 417, request(b"GET / HTTP/1.1", b"Expect: x"), request(b"GET / HTTP/1.1", b"Expect:")),
    ("tls", 400, b"\x16\x03\x01\x02\x00\x01", GET),
    ("wrong-preface", 400, b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", GET),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "octets"), [pytest.param(status, refused, id=name) for name, status, refused, _ in REFUSED]
)
def test_refused(status: int, octets: bytes) -> None:
    """What is no request is answered, then read no further and closed gently (RFC 9112 §9.6)."""
    connection = H1Connection()
    (violation,) = connection.receive_data(octets)
    assert isinstance(violation, ProtocolViolated)
    assert violation.error.status_hint == status
    (answer,) = read_messages(connection.data_to_send(), "GET", eof=True)
    assert answer.status == status
    assert answer.content == violation.error.reason.encode()[:MAX_REASON_OCTETS] + b"\n"
    assert (b"Connection", b"close") in answer.fields
    assert connection.closing is Closing.GRACEFUL
    assert connection.receive_data(GET) == connection.receive_eof() == []


@pytest.mark.parametrize(
    "octets", [pytest.param(accepted, id=name) for name, _, _, accepted in REFUSED if accepted is not GET]
)
def test_accepted(octets: bytes) -> None:
    """The neighbour of what is refused is a request."""
    connection = H1Connection()
    assert isinstance(connection.receive_data(octets)[0], RequestReceived)
    assert connection.data_to_send() == b""
    assert is_open(connection)


def test_tls_on_the_plain_port() -> None:
    """A client that begins with a TLS handshake is told what it met."""
    (violation,) = H1Connection().receive_data(b"\x16")
    assert isinstance(violation, ProtocolViolated)
    assert "TLS" in violation.error.reason


def test_empty_lines_before_the_request_line() -> None:
    """
    "a server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line
    (CRLF) received prior to the request-line" (RFC 9112 §2.2).
    """
    connection, exchange_id = begin(b"\r\n\r\n" + GET + b"\r\n" + GET)
    assert head_of(respond(connection, exchange_id)).octets == GET


@pytest.mark.parametrize(
    ("target", "host", "authority", "path"),
    [
        (b"/", b"a:80", b"a:80", b"/"),
        (b"/", b"a:", b"a", b"/"),
        (b"/", b"", b"", b"/"),
        (b"http://b:8000?q", b"a", b"b:8000", b"/?q"),
        (b"http://b/p", b"", b"b", b"/p"),
    ],
)
def test_the_authority(target: bytes, host: bytes, authority: bytes, path: bytes) -> None:
    """
    With an absolute target, "the origin server MUST ignore the received Host header field (if any) and
    instead use the host information of the request-target" (RFC 9112 §3.2.2).
    """
    head = head_of(H1Connection().receive_data(request(b"GET %s HTTP/1.1" % target, host=host)))
    assert (head.target, head.authority, head.path) == (target, authority, path)


def test_no_authority() -> None:
    """HTTP/1.0 has no need of Host."""
    assert head_of(H1Connection().receive_data(b"GET / HTTP/1.0\r\n\r\n")).authority == b""


def test_connect() -> None:
    """The target of CONNECT is the authority alone (RFC 9112 §3.2.3)."""
    head = head_of(H1Connection().receive_data(request(b"CONNECT h:443 HTTP/1.1")))
    assert (head.method, head.target, head.path, head.authority) == ("CONNECT", b"h:443", b"", b"h:443")


def test_what_is_told_of_a_violation_has_a_limit() -> None:
    """The reason may quote what the client sent, but not at any length."""
    connection = H1Connection()
    connection.receive_data(request(b"GET " + b"\\" * 50_000 + b" HTTP/1.1"))
    (answer,) = read_messages(connection.data_to_send(), "GET", eof=True)
    assert len(answer.content) == MAX_REASON_OCTETS + 1


# --- content -------------------------------------------------------------------------------------


def test_content_of_a_length() -> None:
    """The head is told when it is there, content as it arrives, and then the end."""
    connection = H1Connection()
    assert kinds(connection.receive_data(POST)) == [RequestReceived]
    assert connection.receive_data(b"he") == [ContentReceived(ONE, b"he")]
    assert connection.receive_data(b"llo") == [ContentReceived(ONE, b"llo"), RequestEnded(ONE, Fields())]


def test_content_in_chunks() -> None:
    """Chunks are taken apart, and trailers come with the end."""
    connection = H1Connection()
    head, *events = connection.receive_data(CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\nA: 1\r\n\r\n")
    assert isinstance(head, RequestReceived)
    assert head.has_content
    assert events == [ContentReceived(ONE, b"hello"), RequestEnded(ONE, Fields([(b"A", b"1")]), (2, 3))]


@pytest.mark.parametrize(
    "octets", [GET, POST.replace(b"5", b"0"), request(b"POST / HTTP/1.1"), request(b"GET / HTTP/1.0")]
)
def test_no_content(octets: bytes) -> None:
    """Without framing fields a request has no content (RFC 9112 §6.3)."""
    head, end = H1Connection().receive_data(octets)
    assert isinstance(head, RequestReceived)
    assert not head.has_content
    assert end == RequestEnded(ONE, Fields())


def test_broken_content_is_the_clients_error() -> None:
    """A handler that reads broken content meets an error of the client's, and can still answer."""
    connection, exchange_id = begin(CHUNKED)
    content, failed = connection.receive_data(b"2\r\nhe\r\nx\r\n")
    assert content == ContentReceived(exchange_id, b"he")
    assert isinstance(failed, ContentFailed)
    assert (failed.error.status_hint, failed.error.exchange_id) == (400, exchange_id)
    assert is_open(connection)
    assert connection.receive_data(b"5\r\n") == []
    assert respond(connection, exchange_id) == []
    assert read_messages(connection.data_to_send(), "POST", eof=True)[0].content == b"ok"
    assert connection.closing is Closing.GRACEFUL


def test_broken_content_that_nobody_reads() -> None:
    """Where the response is out already, broken content just closes."""
    connection, exchange_id = begin(CHUNKED)
    respond(connection, exchange_id)
    assert is_open(connection)
    (violation,) = connection.receive_data(b"x\r\n")
    assert isinstance(violation, ProtocolViolated)
    assert connection.closing is Closing.GRACEFUL
    assert len(read_messages(connection.data_to_send(), "POST")) == 1


def test_reading_pauses_while_nobody_takes_the_content() -> None:
    """Content that no handler has consumed stays in the socket beyond a limit."""
    connection, exchange_id = begin(POST.replace(b"5", b"999999999"))
    connection.receive_data(bytes(MAX_UNCONSUMED_OCTETS))
    assert not connection.reading_paused
    connection.receive_data(b"x")
    assert connection.reading_paused
    connection.acknowledge(TWO, 1000)
    assert connection.reading_paused
    connection.acknowledge(exchange_id, 1)
    assert not connection.reading_paused


def test_reading_pauses_while_requests_pile_up() -> None:
    """So do requests that a client sends ahead."""
    connection, exchange_id = begin(GET)
    connection.receive_data(bytes(MAX_UNCONSUMED_OCTETS))
    assert not connection.reading_paused
    connection.receive_data(b"x")
    assert connection.reading_paused
    respond(connection, exchange_id)
    assert not connection.reading_paused


def test_content_to_be_dropped_does_not_pause() -> None:
    """Once the response is out, the rest of the upload is read and dropped."""
    connection, exchange_id = begin(POST.replace(b"5", b"999999999"))
    connection.receive_data(bytes(MAX_UNCONSUMED_OCTETS + 1))
    assert connection.reading_paused
    respond(connection, exchange_id)
    assert not connection.reading_paused
    (dropped,) = connection.receive_data(bytes(MAX_UNCONSUMED_OCTETS + 1))
    assert dropped == ContentReceived(exchange_id, bytes(MAX_UNCONSUMED_OCTETS + 1))
    assert not connection.reading_paused


# --- one exchange after the other ------------------------------------------------------------------


def test_pipelined_requests_wait() -> None:
    """
    "A server MAY process a sequence of pipelined requests in parallel [...] but it MUST send the
    corresponding responses in the same order" (RFC 9112 §9.3.2): one at a time.
    """
    second, third = (
        request(b"POST /2 HTTP/1.1", b"Content-Length: 2", content=b"hi"),
        request(b"GET /3 HTTP/1.1"),
    )
    connection, exchange_id = begin(GET + second + third)
    assert connection.receive_data(b"GET /4") == []
    head, *content = respond(connection, exchange_id)
    assert isinstance(head, RequestReceived)
    assert head.exchange_id == TWO
    assert head.head.path == b"/2"
    assert content == [ContentReceived(TWO, b"hi"), RequestEnded(TWO, Fields())]
    assert head_of(respond(connection, TWO)).path == b"/3"
    assert respond(connection, ExchangeId(3)) == []
    assert head_of(connection.receive_data(b" HTTP/1.0\r\n\r\n")).path == b"/4"
    assert len(read_messages(connection.data_to_send(), "GET", "POST", "GET")) == 3


def test_a_pipelined_violation_waits_for_its_turn() -> None:
    """What is wrong with the next request is told behind this response."""
    connection, exchange_id = begin(GET + b"\n")
    assert kinds(respond(connection, exchange_id)) == [ProtocolViolated]
    octets = connection.data_to_send()
    assert octets.startswith(b"HTTP/1.1 200")
    assert octets.count(b"HTTP/1.1 400 Bad Request") == 1


def test_an_early_response_drains_the_upload() -> None:
    """A response may come before the request is complete; the connection is kept for the next."""
    connection, exchange_id = begin(CHUNKED)
    connection.receive_data(b"5\r\nhe")
    assert respond(connection, exchange_id) == []
    assert is_open(connection)
    assert connection.receive_data(b"llo\r\n5\r\nhello\r\n") == [ContentReceived(exchange_id, b"llohello")]
    end, *events = connection.receive_data(b"0\r\n\r\n" + GET)
    assert end == RequestEnded(exchange_id, Fields(), (5, 5))
    assert head_of(events).octets == GET
    assert respond(connection, TWO) == []
    assert len(read_messages(connection.data_to_send(), "POST", "GET")) == 2


@pytest.mark.parametrize(
    ("version", "request_option", "response_option", "stays"),
    [
        (b"1.1", None, None, True),
        (b"1.1", None, b"keep-alive", True),
        (b"1.1", b"keep-alive", None, True),
        (b"1.1", b"close", None, False),
        (b"1.1", b"x, Close", None, False),
        (b"1.1", None, b"close", False),
        (b"1.1", None, b"CLOSE , x", False),
        (b"1.0", None, None, False),
        (b"1.0", None, b"keep-alive", False),
        (b"1.0", b"keep-alive", b"Keep-Alive", True),
        (b"1.0", b"keep-alive", None, False),
        (b"1.0", b"keep-alive", b"close", False),
        (b"1.0", b"keep-alive, close", b"keep-alive", False),
        (b"1.2", None, None, True),
    ],
)
def test_persistence(
    version: bytes, request_option: bytes | None, response_option: bytes | None, stays: bool
) -> None:
    """
    "Close" from either side ends it; HTTP/1.1 goes on else, HTTP/1.0 only where both sides say
    "keep-alive" (RFC 9112 §9.3).
    """
    asked = [b"Connection: " + request_option] if request_option is not None else []
    connection, exchange_id = begin(request(b"GET / HTTP/" + version, *asked))
    answered = [(b"Connection", response_option)] if response_option is not None else []
    connection.send_head(exchange_id, response_head(200, LENGTH_0, *answered))
    connection.receive_data(GET)
    events = connection.finish(exchange_id)
    assert is_open(connection) is stays
    assert kinds(events) == ([RequestReceived, RequestEnded] if stays else [])


def test_finish_may_close() -> None:
    """A script may close the connection behind a response that says nothing of it."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, response_head(200, LENGTH_0))
    assert connection.finish(exchange_id, close=True) == []
    assert connection.closing is Closing.GRACEFUL


def test_nothing_is_answered_behind_close() -> None:
    """
    "A server that sends a "close" connection option MUST [...] close the connection [...]. The server
    MUST NOT process any further requests received on that connection." (RFC 9112 §9.6)
    """
    connection, exchange_id = begin(request(b"GET / HTTP/1.1", b"Connection: close") + GET)
    assert respond(connection, exchange_id) == []
    assert connection.receive_data(GET) == []
    assert len(read_messages(connection.data_to_send(), "GET")) == 1


# --- the end of the client's octets ----------------------------------------------------------------


def test_eof_between_requests() -> None:
    """The end of what a client sends, between requests, is the end of the connection."""
    connection = H1Connection()
    assert kinds(connection.receive_eof()) == [PeerFinished]
    assert connection.closing is Closing.GRACEFUL


def test_eof_behind_empty_lines() -> None:
    """CR and LF behind the last request are no request."""
    connection = H1Connection()
    connection.receive_data(b"\r\n\r")
    assert kinds(connection.receive_eof()) == [PeerFinished]


def test_eof_behind_a_request() -> None:
    """Half-close is not cancelling: a complete request is answered, then the connection closes."""
    connection, exchange_id = begin()
    assert connection.receive_eof() == []
    assert is_open(connection)
    assert kinds(respond(connection, exchange_id)) == [PeerFinished]
    assert connection.closing is Closing.GRACEFUL
    assert len(read_messages(connection.data_to_send(), "GET")) == 1


def test_eof_behind_pipelined_requests() -> None:
    """All of them are answered."""
    connection, exchange_id = begin(GET + GET)
    connection.receive_eof()
    assert kinds(respond(connection, exchange_id)) == [RequestReceived, RequestEnded]
    assert kinds(respond(connection, TWO)) == [PeerFinished]


def test_eof_inside_a_head() -> None:
    """Inside a request, the end is an error."""
    connection = H1Connection()
    connection.receive_data(GET[:-1])
    assert kinds(connection.receive_eof()) == [ProtocolViolated]
    assert connection.data_to_send().startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("octets", "missing"),
    [
        (POST + b"he", "3 of the 5 octets"),
        (CHUNKED + b"5\r\nhello\r\n0\r\n", "the rest of the chunked content"),
    ],
)
def test_eof_inside_content(octets: bytes, missing: str) -> None:
    """
    "If the sender closes the connection [...] before the indicated number of octets are received, the
    recipient MUST consider the message to be incomplete" (RFC 9112 §6.3).
    """
    connection, exchange_id = begin(octets)
    (failed,) = connection.receive_eof()
    assert isinstance(failed, ContentFailed)
    assert missing in failed.error.reason
    assert respond(connection, exchange_id) == []
    assert connection.closing is Closing.GRACEFUL


def test_eof_inside_content_that_nobody_reads() -> None:
    """Where the response is out already, there is nobody to tell."""
    connection, exchange_id = begin(POST)
    respond(connection, exchange_id)
    assert kinds(connection.receive_eof()) == [ProtocolViolated]
    assert connection.closing is Closing.GRACEFUL


# --- 100 (Continue) --------------------------------------------------------------------------------

EXPECT = b"Expect: 100-continue"


@pytest.mark.parametrize(
    ("octets", "expects"),
    [
        (request(b"PUT / HTTP/1.1", b"Content-Length: 5", EXPECT), True),
        (request(b"PUT / HTTP/1.1", b"Transfer-Encoding: chunked", b"expect: 100-Continue"), True),
        (request(b"PUT / HTTP/1.1", b"Content-Length: 5"), False),
        (request(b"PUT / HTTP/1.1", b"Content-Length: 0", EXPECT), False),
        (request(b"GET / HTTP/1.1", EXPECT), False),
        (request(b"PUT / HTTP/1.0", b"Content-Length: 5", EXPECT), False),
    ],
)
def test_expects_continue(octets: bytes, expects: bool) -> None:
    """
    "A server that receives a 100-continue expectation in an HTTP/1.0 request MUST ignore that
    expectation"; and one without content waits for nothing (RFC 9110 §10.1.1).
    """
    received = H1Connection().receive_data(octets)[0]
    assert isinstance(received, RequestReceived)
    assert received.expects_continue is expects


def continuing() -> tuple[H1Connection, ExchangeId]:
    return begin(request(b"PUT / HTTP/1.1", b"Content-Length: 5", EXPECT))


def test_continue_then_content() -> None:
    """After 100 the content comes, and then the next request."""
    connection, exchange_id = continuing()
    connection.send_informational(exchange_id, response_head(100, reason=b"Continue"))
    connection.receive_data(b"hello")
    respond(connection, exchange_id)
    assert is_open(connection)
    (answer,) = read_messages(connection.data_to_send(), "PUT")
    assert answer.interim == [(100, [])]


def test_continue_and_an_early_response() -> None:
    """After 100 the content comes for certain, so it can be drained behind an early response."""
    connection, exchange_id = continuing()
    connection.send_informational(exchange_id, response_head(100))
    respond(connection, exchange_id)
    assert is_open(connection)
    assert head_of(connection.receive_data(b"hello" + GET)).octets == GET


def test_no_continue() -> None:
    """
    Without 100, what follows is the content or the next request, and nobody can tell which; so the
    connection closes (RFC 9110 §10.1.1).
    """
    connection, exchange_id = continuing()
    connection.send_informational(exchange_id, response_head(103))
    respond(connection, exchange_id)
    assert connection.closing is Closing.GRACEFUL


def test_no_continue_for_a_client_that_did_not_wait() -> None:
    """A client that sends its content unasked is drained like others."""
    connection, exchange_id = continuing()
    connection.receive_data(b"h")
    respond(connection, exchange_id)
    assert is_open(connection)
    assert head_of(connection.receive_data(b"ello" + GET)).octets == GET


def test_no_continue_and_the_whole_content() -> None:
    """If all of it has come, there is no doubt about what follows."""
    connection, exchange_id = continuing()
    connection.receive_data(b"hello")
    respond(connection, exchange_id)
    assert is_open(connection)


# --- Upgrade ---------------------------------------------------------------------------------------

UPGRADE = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__")


@pytest.mark.parametrize(
    ("lines", "settings"),
    [
        (UPGRADE, b"AAMAAABkAAQAAP__"),
        ((UPGRADE[0].lower(), b"upgrade: x/1, H2C", UPGRADE[2].upper()), b"AAMAAABKAAQAAP__"),
        ((*UPGRADE[:2], b"HTTP2-Settings: "), b""),
        ((*UPGRADE[:2], b"HTTP2-Settings: AAMAAABkAAQAAP__AAYAAAAB"), b"AAMAAABkAAQAAP__AAYAAAAB"),
    ],
)
def test_upgrade(lines: tuple[bytes, ...], settings: bytes) -> None:
    """
    "A server that supports HTTP/2 accepts the upgrade with a 101 (Switching Protocols) response", and
    what follows is HTTP/2 (RFC 7540 §3.2).
    """
    connection = H1Connection()
    octets = request(b"GET /a HTTP/1.1", *lines)
    (upgrade,) = connection.receive_data(octets + b"PRI * HTTP/2.0\r\n")
    assert isinstance(upgrade, UpgradeReceived)
    assert (upgrade.settings, upgrade.trailing_data) == (settings, b"PRI * HTTP/2.0\r\n")
    assert (upgrade.head.path, upgrade.head.octets) == (b"/a", octets)
    assert connection.data_to_send() == (
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    )
    assert connection.receive_data(b"\r\nSM") == connection.receive_eof() == []
    assert is_open(connection)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(UPGRADE[1:], id="connection-names-nothing"),
        pytest.param((b"Connection: HTTP2-Settings", *UPGRADE[1:]), id="connection-does-not-name-upgrade"),
        pytest.param((b"Connection: Upgrade", *UPGRADE[1:]), id="connection-does-not-name-settings"),
        pytest.param((UPGRADE[0], b"Upgrade: h2", UPGRADE[2]), id="h2-is-for-tls"),
        pytest.param((UPGRADE[0], b"Upgrade: websocket", UPGRADE[2]), id="another-protocol"),
        pytest.param(UPGRADE[:2], id="no-settings"),
        pytest.param((*UPGRADE, UPGRADE[2]), id="settings-twice"),
        pytest.param((*UPGRADE[:2], b"HTTP2-Settings: AAMAAABkAAQA"), id="settings-cut-off"),
        pytest.param((*UPGRADE[:2], b"HTTP2-Settings: A"), id="settings-of-one-letter"),
        pytest.param((*UPGRADE[:2], b"HTTP2-Settings: AAMAAABk$AQAAP__"), id="settings-not-base64url"),
        pytest.param((*UPGRADE, b"Content-Length: 2"), id="content-to-come"),
    ],
)
def test_no_upgrade(lines: tuple[bytes, ...]) -> None:
    """
    "A server MAY ignore a received Upgrade header field" (RFC 9110 §7.8), and has to "if this header
    field is not present or if more than one is present" (RFC 7540 §3.2.1).
    """
    assert isinstance(H1Connection().receive_data(request(b"GET / HTTP/1.1", *lines))[0], RequestReceived)


def test_no_upgrade_from_http_1_0() -> None:
    """
    "A server that receives an Upgrade header field in an HTTP/1.0 request MUST ignore that Upgrade field"
    (RFC 9110 §7.8).
    """
    octets = request(b"GET / HTTP/1.0", *UPGRADE)
    assert isinstance(H1Connection().receive_data(octets)[0], RequestReceived)


def test_no_upgrade_over_tls() -> None:
    """Over TLS, HTTP/2 is agreed on by ALPN alone (RFC 9113 §3.2)."""
    octets = request(b"GET / HTTP/1.1", *UPGRADE)
    assert isinstance(H1Connection(cleartext=False).receive_data(octets)[0], RequestReceived)


# --- responses -------------------------------------------------------------------------------------


def test_a_response_goes_out_as_it_is() -> None:
    """Names in the case they were given, in their order, with repetition; and our own version."""
    connection, exchange_id = begin(request(b"GET / HTTP/1.0"))
    lines = [(b"x-B", b"1"), (b"A", b""), (b"X-b", b"2")]
    connection.send_head(exchange_id, response_head(299, *lines, reason=b"Fine, \xff"))
    assert connection.send_content(exchange_id, b"ok") == 2
    assert connection.data_to_send() == b"HTTP/1.1 299 Fine, \xff\r\nx-B: 1\r\nA: \r\nX-b: 2\r\n\r\nok"
    assert connection.data_to_send() == b""


def test_content_in_pieces() -> None:
    """Content may come in pieces, of any kind, and the end with the last of it or behind it."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, response_head(200, (b"Content-Length", b"5")))
    assert connection.send_content(exchange_id, b"he") == 2
    assert connection.send_content(exchange_id, b"") == 0
    assert connection.send_content(exchange_id, memoryview(b"llo"), end=True) == 3
    connection.finish(exchange_id)
    assert read_messages(connection.data_to_send(), "GET")[0].content == b"hello"
    assert is_open(connection)


@pytest.mark.parametrize("end", [False, True])
def test_chunks(end: bool) -> None:
    """Content is framed in chunks where the head says so, and finish ends it if nothing else has."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, response_head(200, CHUNKED_LINE, chunked=True))
    connection.send_content(exchange_id, b"he")
    connection.send_content(exchange_id, b"")
    connection.send_content(exchange_id, memoryview(b"llo"), end=end)
    connection.finish(exchange_id)
    octets = connection.data_to_send()
    assert octets.endswith(b"\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")
    assert read_messages(octets, "GET")[0].content == b"hello"
    assert is_open(connection)


def test_no_chunks() -> None:
    """A head that is to be framed in chunks and is the end has the last chunk behind it."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, response_head(200, CHUNKED_LINE, chunked=True), end=True)
    connection.finish(exchange_id)
    assert read_messages(connection.data_to_send(), "GET")[0].content == b""
    assert is_open(connection)


def test_trailers() -> None:
    """Trailers stand behind the last chunk (RFC 9112 §7.1.2)."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, response_head(200, CHUNKED_LINE, chunked=True))
    connection.send_content(exchange_id, b"ok")
    connection.send_trailers(exchange_id, Fields([(b"A", b"1"), (b"a", b"2")]))
    connection.finish(exchange_id)
    (answer,) = read_messages(connection.data_to_send(), "GET")
    assert (answer.content, answer.trailers) == (b"ok", [(b"A", b"1"), (b"a", b"2")])
    assert is_open(connection)


def test_content_that_ends_with_the_connection() -> None:
    """Without framing fields content goes on until the connection closes (RFC 9112 §6.3)."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, response_head(200))
    connection.send_content(exchange_id, b"ok", end=True)
    connection.finish(exchange_id)
    assert connection.closing is Closing.GRACEFUL
    assert read_messages(connection.data_to_send(), "GET", eof=True)[0].content == b"ok"


@pytest.mark.parametrize(
    ("method", "status", "lines", "sent", "stays"),
    [
        ("GET", 200, [LENGTH_2], b"ok", True),
        ("GET", 200, [LENGTH_2], b"o", False),
        ("GET", 200, [LENGTH_2], b"", False),
        ("GET", 200, [LENGTH_2], b"oki", False),
        ("GET", 200, [LENGTH_0], b"", True),
        ("GET", 200, [(b"Content-Length", b"x")], b"", False),
        ("GET", 200, [LENGTH_2, LENGTH_2], b"ok", False),
        ("GET", 200, [(b"Content-Length", b"+2")], b"ok", False),
        ("GET", 200, [(b"Content-Length", b"2, 2")], b"ok", False),
        ("HEAD", 200, [LENGTH_2], b"", True),
        ("HEAD", 200, [], b"", True),
        ("HEAD", 200, [LENGTH_2], b"ok", False),
        ("HEAD", 200, [(b"Content-Length", b"x")], b"", False),
        ("GET", 204, [], b"", True),
        ("GET", 204, [], b"ok", False),
        ("GET", 304, [LENGTH_2], b"", True),
        ("CONNECT", 200, [], b"", False),
        ("CONNECT", 405, [LENGTH_0], b"", False),
        ("GET", 101, [], b"", False),
        ("GET", 103, [], b"", False),
    ],
)
def test_counting(method: str, status: int, lines: list[FieldLine], sent: bytes, stays: bool) -> None:
    """
    Where a client would wait for content that does not come, take it for the next response, or go
    on in another protocol, the connection closes.
    """
    target = b"h:80" if method == "CONNECT" else b"/"
    connection, exchange_id = begin(request(b"%s %s HTTP/1.1" % (method.encode(), target)))
    connection.send_head(exchange_id, response_head(status, *lines))
    connection.send_content(exchange_id, sent)
    connection.finish(exchange_id)
    assert is_open(connection) is stays
    octets = connection.data_to_send()
    assert octets.endswith(b"\r\n\r\n" + sent)
    if stays:
        assert read_messages(octets, method)[0].status == status


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(response_head(1000, LENGTH_0), id="status"),
        pytest.param(response_head(200, LENGTH_0, reason=b"a\nb"), id="reason"),
        pytest.param(response_head(200, LENGTH_0, (b"a b", b"")), id="name"),
        pytest.param(response_head(200, LENGTH_0, (b"a: b", b"")), id="colon-in-name"),
        pytest.param(response_head(200, LENGTH_0, (b"a", b"b\r\nc: d")), id="injected-line"),
        pytest.param(response_head(200, LENGTH_0, (b"a", b" b")), id="blank-before-value"),
        pytest.param(response_head(200, LENGTH_0, chunked=True), id="chunks-unsaid"),
        pytest.param(response_head(200, LENGTH_0, CHUNKED_LINE, chunked=True), id="length-and-chunks"),
        pytest.param(response_head(200, CHUNKED_LINE, CHUNKED_LINE, chunked=True), id="chunks-twice"),
        pytest.param(response_head(200, (b"Transfer-Encoding", b"gzip"), chunked=True), id="gzip"),
        pytest.param(response_head(204, (b"Transfer-Encoding", b"gzip"), chunked=True), id="gzip-of-nothing"),
    ],
)
def test_an_unsound_head_closes(head: ResponseHead) -> None:
    """A head goes out as it is, also where it is wrong; then the connection cannot go on."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, head, end=True)
    connection.finish(exchange_id)
    assert b"HTTP/1.1 %d" % head.status in connection.data_to_send()
    assert connection.closing is Closing.GRACEFUL


@pytest.mark.parametrize("line", [(b"a", b"b\nc"), (b"Content-Length", b"2")])
def test_unsound_trailers_close(line: FieldLine) -> None:
    """So do trailers."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, response_head(200, CHUNKED_LINE, chunked=True))
    connection.send_trailers(exchange_id, Fields([line]))
    connection.finish(exchange_id)
    assert connection.closing is Closing.GRACEFUL


@pytest.mark.parametrize(
    ("head", "stays"),
    [
        (response_head(100), True),
        (response_head(103, (b"Link", b"x")), True),
        (response_head(103, (b"a b", b"x")), False),
        (response_head(101), False),
        (response_head(200), False),
        (response_head(99), False),
    ],
)
def test_informational(head: ResponseHead, stays: bool) -> None:
    """Interim responses precede the final one (RFC 9110 §15.2); one that is none closes behind it."""
    connection, exchange_id = begin()
    connection.send_informational(exchange_id, head)
    connection.send_informational(exchange_id, head)
    respond(connection, exchange_id)
    assert is_open(connection) is stays
    if stays:
        (answer,) = read_messages(connection.data_to_send(), "GET")
        assert answer.interim == [(head.status, list(head.fields))] * 2


def test_no_informational_to_http_1_0() -> None:
    """
    "Since HTTP/1.0 did not define any 1xx status codes, a server MUST NOT send a 1xx response to an
    HTTP/1.0 client" (RFC 9110 §15.2).
    """
    connection, exchange_id = begin(request(b"GET / HTTP/1.0"))
    connection.send_informational(exchange_id, response_head(103))
    assert connection.data_to_send() == b""


def test_no_informational_alone() -> None:
    """An interim response is no answer, so without another the connection closes."""
    connection, exchange_id = begin()
    connection.send_informational(exchange_id, response_head(103))
    connection.finish(exchange_id)
    assert connection.closing is Closing.GRACEFUL


@pytest.mark.parametrize("chunked", [True, False], ids=["framed-here", "framed-by-the-script"])
def test_no_chunks_for_http_1_0(chunked: bool) -> None:
    """
    "A server MUST NOT send a response containing Transfer-Encoding unless the corresponding request
    indicates HTTP/1.1 (or later minor revisions)" (RFC 9112 §6.1); if a script does, it ends there.
    """
    connection, exchange_id = begin(request(b"GET / HTTP/1.0", b"Connection: keep-alive"))
    keep_alive = (b"Connection", b"keep-alive")
    connection.send_head(exchange_id, response_head(200, CHUNKED_LINE, keep_alive, chunked=chunked))
    connection.send_content(exchange_id, b"" if chunked else b"0\r\n\r\n", end=True)
    connection.finish(exchange_id)
    assert connection.data_to_send().endswith(b"\r\n\r\n0\r\n\r\n")
    assert connection.closing is Closing.GRACEFUL


# --- octets by hand --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "stays"), [(b"2\r\nok\r\n0\r\n\r\n", True), (b"2\r\nok\r\n", False), (b"ok", False)]
)
def test_a_script_may_frame_its_content(content: bytes, stays: bool) -> None:
    """Where a script writes Transfer-Encoding itself, its content is read along."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, response_head(200, CHUNKED_LINE))
    connection.send_content(exchange_id, content)
    connection.finish(exchange_id)
    assert connection.data_to_send().endswith(b"\r\n\r\n" + content)
    assert is_open(connection) is stays


OK_2 = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_sound_octets() -> None:
    """Octets by hand that are one whole response let the connection go on."""
    connection, exchange_id = begin(GET + GET)
    connection.send_informational(exchange_id, response_head(103))
    for at in range(len(OK_2)):
        connection.send_verbatim(exchange_id, OK_2[at : at + 1])
    assert kinds(connection.finish(exchange_id)) == [RequestReceived, RequestEnded]
    assert read_messages(connection.data_to_send(), "GET")[0].content == b"ok"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"hello",
        OK_2[:-1],
        OK_2 + b"!",
        OK_2.replace(b"\r\n", b"\n"),
        OK_2.replace(b"Length: 2", b"Length: 2\r\nTransfer-Encoding: chunked"),
        OK_2.replace(b"Content-Length", b"Content-Longth"),
        OK_2.replace(b"1.1", b"9.9"),
        OK_2.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    ],
)
def test_unsound_octets(octets: bytes) -> None:
    """Anything else goes out, too, and closes."""
    connection, exchange_id = begin(GET + GET)
    connection.send_verbatim(exchange_id, octets)
    assert connection.finish(exchange_id) == []
    assert connection.data_to_send() == octets
    assert connection.closing is Closing.GRACEFUL


def test_octets_behind_a_head() -> None:
    """What is written by hand behind a head that was not is not known to be sound."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, response_head(200, LENGTH_2))
    connection.send_verbatim(exchange_id, b"ok")
    connection.finish(exchange_id)
    assert connection.closing is Closing.GRACEFUL


def test_octets_behind_a_head_that_is_read_along() -> None:
    """Unless all of it was read along."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, response_head(200, CHUNKED_LINE))
    connection.send_verbatim(exchange_id, b"0\r\n\r\n")
    connection.finish(exchange_id)
    assert is_open(connection)


def test_content_behind_octets() -> None:
    """Content behind octets by hand is more of them."""
    connection, exchange_id = begin()
    connection.send_verbatim(exchange_id, OK_2[:-2])
    connection.send_content(exchange_id, b"ok", end=True)
    connection.finish(exchange_id)
    assert connection.data_to_send() == OK_2
    assert is_open(connection)


def test_octets_to_http_1_0() -> None:
    """Whether HTTP/1.0 goes on behind octets by hand is not looked into."""
    connection, exchange_id = begin(request(b"GET / HTTP/1.0", b"Connection: keep-alive"))
    connection.send_verbatim(exchange_id, OK_2)
    connection.finish(exchange_id)
    assert connection.closing is Closing.GRACEFUL


# --- cutting off -----------------------------------------------------------------------------------


def send_close_delimited(connection: H1Connection, exchange_id: ExchangeId) -> None:
    connection.send_head(exchange_id, response_head(200))
    connection.send_content(exchange_id, b"o")


def send_length(connection: H1Connection, exchange_id: ExchangeId) -> None:
    connection.send_head(exchange_id, response_head(200, LENGTH_2))
    connection.send_content(exchange_id, b"o")


def send_chunk(connection: H1Connection, exchange_id: ExchangeId) -> None:
    connection.send_head(exchange_id, response_head(200, CHUNKED_LINE, chunked=True))
    connection.send_content(exchange_id, b"o")


def send_octets(connection: H1Connection, exchange_id: ExchangeId) -> None:
    connection.send_verbatim(exchange_id, b"HTTP/1.1 200 OK\r\n\r\no")


def send_nothing(connection: H1Connection, exchange_id: ExchangeId) -> None:
    pass


@pytest.mark.parametrize(
    ("send", "closing"),
    [
        (send_close_delimited, Closing.RESET),
        (send_octets, Closing.RESET),
        (send_length, Closing.GRACEFUL),
        (send_chunk, Closing.GRACEFUL),
        (send_nothing, Closing.GRACEFUL),
    ],
)
def test_abort(send: Callable[[H1Connection, ExchangeId], None], closing: Closing) -> None:
    """
    The client sees that the response is incomplete: by what its framing misses, or, where the end of
    the connection would make it whole, by a reset.
    """
    connection, exchange_id = begin(GET + GET)
    send(connection, exchange_id)
    sent = connection.data_to_send()
    connection.abort(exchange_id)
    assert connection.closing is closing
    assert connection.data_to_send() == b""
    assert connection.receive_data(GET) == []
    if closing is Closing.GRACEFUL:
        with pytest.raises((h11.RemoteProtocolError, AssertionError)):
            read_messages(sent, "GET", eof=True)


def test_close() -> None:
    """Goodbye has no words in HTTP/1.1."""
    connection, _ = begin()
    connection.close("the server stops")
    assert connection.closing is Closing.GRACEFUL
    assert connection.data_to_send() == b""
    assert connection.receive_data(GET) == []


# --- calls out of order ----------------------------------------------------------------------------


def test_a_second_head() -> None:
    """A final head is sent once, and no interim one behind it."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, response_head(200))
    connection.data_to_send()
    with pytest.raises(LocalProtocolError):
        connection.send_head(exchange_id, response_head(200))
    with pytest.raises(LocalProtocolError):
        connection.send_informational(exchange_id, response_head(103))
    assert connection.data_to_send() == b""


def test_content_before_the_head() -> None:
    """Neither content nor trailers come before the head."""
    connection, exchange_id = begin()
    with pytest.raises(LocalProtocolError) as caught:
        connection.send_content(exchange_id, b"x")
    assert caught.value.exchange_id == exchange_id
    with pytest.raises(LocalProtocolError):
        connection.send_trailers(exchange_id, Fields())


@pytest.mark.parametrize("by_trailers", [False, True])
def test_content_behind_its_end(by_trailers: bool) -> None:
    """Neither content nor trailers come behind the end of content."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, response_head(200, CHUNKED_LINE, chunked=True))
    if by_trailers:
        connection.send_trailers(exchange_id, Fields())
    else:
        connection.send_content(exchange_id, b"", end=True)
    connection.data_to_send()
    with pytest.raises(LocalProtocolError):
        connection.send_content(exchange_id, b"x")
    with pytest.raises(LocalProtocolError):
        connection.send_trailers(exchange_id, Fields())
    assert connection.data_to_send() == b""


def test_trailers_need_chunks() -> None:
    """Only chunked content has a trailer section (RFC 9112 §6.5)."""
    connection, exchange_id = begin()
    connection.send_head(exchange_id, response_head(200, LENGTH_0))
    with pytest.raises(LocalProtocolError):
        connection.send_trailers(exchange_id, Fields())


@pytest.mark.parametrize("over", ["finished", "aborted", "unknown"])
def test_an_exchange_that_is_over(over: str) -> None:
    """Writing to an exchange that is over raises ExchangeClosed; all the rest is ignored."""
    connection, exchange_id = begin()
    if over == "finished":
        respond(connection, exchange_id)
    elif over == "aborted":
        connection.abort(exchange_id)
    else:
        exchange_id = TWO
    assert_over(connection, exchange_id)


# --- kept open implies sound -----------------------------------------------------------------------

sound_lines = st.sampled_from([(b"A", b""), (b"X-!#$%&'*+-.^_`|~9", b"a \t\xff b"), (b"a", b"1")])
odd_lines = st.sampled_from(
    [
        *((name, b"1") for name in (b"a b", b"a:", b"", b"\xe9", b"A: b", b"A\r\nB")),
        *((b"A", value) for value in (b" a", b"a\t", b"a\r\nb: c", b"\0", b"\x01", b"a\n", b"\x7f")),
        *((b"Content-Length", value) for value in (b"0", b"2", b"02", b"5", b"+2", b"2, 2", b"", b"9" * 25)),
        *((b"transfer-ENCODING", value) for value in (b"chunked", b"gzip", b"gzip, chunked", b"")),
        *((b"Connection", value) for value in (b"close", b"x,CLOSE", b"upgrade")),
    ]
)
# As often right as not: what frames the content, whether it is framed by us, and what is sent.
framings = st.sampled_from(
    [
        ([LENGTH_2], False, b"ok"),
        ([LENGTH_0], False, b""),
        ([CHUNKED_LINE], True, b"ok"),
        ([CHUNKED_LINE], False, b"0\r\n\r\n"),
        ([(b"transfer-encoding", b"Chunked")], False, b"2\r\nok\r\n0\r\n\r\n"),
        ([], False, b""),
        ([], True, b"ok"),
        ([LENGTH_2], True, b"ok"),
        ([LENGTH_2, CHUNKED_LINE], True, b"ok"),
        ([CHUNKED_LINE], False, b"ok"),
    ]
)
mostly_none: st.SearchStrategy[list[FieldLine]] = st.lists(sound_lines | sound_lines | odd_lines, max_size=1)


@settings(max_examples=1000)
@given(
    method=st.sampled_from(["GET", "GET", "HEAD", "CONNECT"]),
    version=st.sampled_from(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0"]),
    interim=st.sampled_from([None, None, None, 103, 199, 101, 200]),
    status=st.sampled_from([200, 200, 200, 404, 204, 304, 205, 999, 100, 101, 99]),
    reason=st.sampled_from([b"OK", b"OK", b"", b"\xff\t", b"a\nb"]),
    framing=framings,
    others=mostly_none,
    more=st.sampled_from([b"", b"", b"", b"", b"!"]),
    trailers=st.none() | mostly_none,
)
def test_kept_open_implies_sound(
    method: str,
    version: Version,
    interim: int | None,
    status: int,
    reason: bytes,
    framing: tuple[list[FieldLine], bool, bytes],
    others: list[FieldLine],
    more: bytes,
    trailers: list[FieldLine] | None,
) -> None:
    """What h11, a stranger to it, reads from a connection that stays open is what was meant."""
    lines, chunked, content = framing
    if never_has_content(method, status):
        content = b""
    target = "h:80" if method == "CONNECT" else "/"
    octets = f"{method} {target} {version}\r\nHost: h\r\nConnection: keep-alive\r\n\r\n".encode()
    connection, exchange_id = begin(octets)
    if interim is not None:
        connection.send_informational(exchange_id, response_head(interim))
    keep_alive = [(b"Connection", b"keep-alive")]
    head = response_head(status, *lines, *others, *keep_alive, reason=reason, chunked=chunked)
    connection.send_head(exchange_id, head)
    connection.send_content(exchange_id, content)
    connection.send_content(exchange_id, more)
    if trailers is not None:
        try:
            connection.send_trailers(exchange_id, Fields(trailers))
        except LocalProtocolError:
            trailers = None
    connection.finish(exchange_id)
    event(connection.closing.name)
    if not is_open(connection):
        return
    (answer,) = read_messages(connection.data_to_send(), method)
    by_script = not chunked and b"transfer-encoding" in head.fields
    assert answer == Message(
        status,
        reason,
        [_as_h11_shows(line) for line in head.fields],
        (b"ok" if b"ok" in content else b"") if by_script else content + more,
        trailers or [],
        [(interim, [])] if interim is not None and version == "HTTP/1.1" else [],
    )


def _as_h11_shows(line: FieldLine) -> FieldLine:
    name, value = line
    return (name, value.lower()) if name.lower() == b"transfer-encoding" else line


def test_a_refusal_has_the_date() -> None:
    """
    "An origin server with a clock MUST generate a Date header field in all [...] 4xx (Client Error)
    responses" (RFC 9110 §6.6.1).
    """
    connection = H1Connection(Rules(date=lambda: b"now"))
    connection.receive_data(b"?")
    assert (b"Date", b"now") in read_messages(connection.data_to_send(), "GET", eof=True)[0].fields


def test_a_limit_on_content() -> None:
    """Too large a length is 413 before a handler sees the request."""
    connection = H1Connection(Rules(limits=Limits(content_octets=4)))
    (violation,) = connection.receive_data(POST)
    assert isinstance(violation, ProtocolViolated)
    assert violation.error.status_hint == 413


@pytest.mark.parametrize(
    ("leniency", "octets"),
    [
        (Leniency.LENGTH_AND_CHUNKED, CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n")),
        (Leniency.CHUNKED_1_0, CHUNKED.replace(b"1.1\r\n", b"1.0\r\nConnection: keep-alive\r\n")),
    ],
)
def test_faulty_framing_that_is_forgiven(leniency: Leniency, octets: bytes) -> None:
    """It is read, but "the server MUST close the connection after responding" (RFC 9112 §6.1)."""
    connection = H1Connection(Rules(lenient=frozenset([leniency])))
    events = connection.receive_data(octets + b"2\r\nhi\r\n0\r\n\r\n" + GET)
    assert events[1:] == [ContentReceived(ONE, b"hi"), RequestEnded(ONE, Fields(), (2,))]
    assert respond(connection, ONE) == []
    assert connection.closing is Closing.GRACEFUL


def test_an_expectation_that_is_forgiven() -> None:
    """It is ignored."""
    connection = H1Connection(Rules(lenient=frozenset([Leniency.EXPECT])))
    head, *_ = connection.receive_data(request(b"GET / HTTP/1.1", b"Expect: x"))
    assert isinstance(head, RequestReceived)
    assert not head.expects_continue


# --- turns -----------------------------------------------------------------------------------------

MANY = STEPS_A_TURN // 2
"""Chunks that take more than one turn: each is a line, a piece, and the CRLF behind it."""


def test_no_more_than_a_turn() -> None:
    """One call takes so many chunks; the rest waits for the next, and reading is paused meanwhile."""
    connection = H1Connection()
    events = connection.receive_data(CHUNKED + b"1\r\nx\r\n" * MANY + b"0\r\n\r\n" + GET)
    turns = 1
    while connection.has_backlog:
        assert connection.reading_paused
        events += connection.receive_data(b"")
        turns += 1
    assert turns == 2
    contents = [event.data for event in events if isinstance(event, ContentReceived)]
    assert b"".join(contents) == b"x" * MANY
    assert kinds(events) == [RequestReceived, ContentReceived, ContentReceived, RequestEnded]
    assert not connection.reading_paused
    connection.send_head(ONE, ResponseHead(204, Fields()), end=True)
    assert kinds(connection.finish(ONE)) == [RequestReceived, RequestEnded]


@pytest.mark.parametrize("missing", [False, True])
def test_the_end_comes_behind_all_turns(missing: bool) -> None:
    """A client that is gone has sent what it has sent, and no more is missing than that."""
    connection = H1Connection()
    octets = CHUNKED + b"1\r\nx\r\n" * MANY + (b"" if missing else b"0\r\n\r\n")
    events = connection.receive_data(octets)
    assert connection.has_backlog
    events += connection.receive_eof()
    while connection.has_backlog:
        events += connection.receive_data(b"")
    assert sum(len(event.data) for event in events if isinstance(event, ContentReceived)) == MANY
    assert kinds(events)[-1] is (ContentFailed if missing else RequestEnded)


def test_no_turn_after_the_end() -> None:
    """Where the connection closes, nothing is left for another turn."""
    connection = H1Connection()
    connection.receive_data(CHUNKED + b"1\r\nx\r\n" * MANY)
    assert connection.has_backlog
    connection.close("the server stops")
    assert connection.receive_data(b"") == []
    assert not connection.has_backlog
