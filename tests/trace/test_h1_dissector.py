"""The HTTP/1.1 dissector: octets of both sides in, events out."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wptproto.trace.events import (
    ChunkSeen,
    ContentSeen,
    H1HeadSeen,
    H1TrailersSeen,
    Origin,
    TraceEvent,
    Unreadable,
)
from wptproto.trace.h1_dissector import H1Dissector

ORIGIN = Origin(1, 0.0)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = (
    b"\r\nPOST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;a=b\r\nhello\r\n0\r\nX-Sum:  7 \r\n\r\n"
    b"PUT /l HTTP/1.1\nhost:x\nContent-Length: 3\nfolded: a\n b\nodd\n\nabc" + GET
)


def joined(events: list[TraceEvent]) -> list[TraceEvent]:
    """Have content that was told in pieces in one."""
    found: list[TraceEvent] = []
    for event in events:
        last = found[-1] if found else None
        if isinstance(event, ContentSeen) and isinstance(last, ContentSeen) and last[:3] == event[:3]:
            found[-1] = last._replace(octets=last.octets + event.octets)
        else:
            found.append(event)
    return found


def test_requests() -> None:
    """Requests are told line by line, whatever frames their content, and counted."""
    assert H1Dissector().feed(False, POST, ORIGIN) == [
        H1HeadSeen(
            ORIGIN, False, 1, b"POST /p HTTP/1.1", ((b"Host", b"x"), (b"Transfer-Encoding", b"chunked"))
        ),
        ChunkSeen(ORIGIN, False, 1, 5, b";a=b"),
        ContentSeen(ORIGIN, False, 1, b"hello"),
        ChunkSeen(ORIGIN, False, 1, 0, b""),
        H1TrailersSeen(ORIGIN, False, 1, ((b"X-Sum", b"7"),)),
        H1HeadSeen(
            ORIGIN,
            False,
            2,
            b"PUT /l HTTP/1.1",
            ((b"host", b"x"), (b"Content-Length", b"3"), (b"folded", b"a b"), (b"odd", b"")),
        ),
        ContentSeen(ORIGIN, False, 2, b"abc"),
        H1HeadSeen(ORIGIN, False, 3, b"GET / HTTP/1.1", ((b"Host", b"x"),)),
    ]


@given(st.lists(st.integers(0, len(POST)), max_size=20))
def test_cut_anywhere(cuts: list[int]) -> None:
    """However octets are cut, the events are the same."""
    dissector, places = H1Dissector(), sorted(cuts)
    pieces = [POST[a:b] for a, b in zip([0, *places], [*places, len(POST)], strict=True)]
    events = [event for piece in pieces for event in dissector.feed(False, piece, ORIGIN)]
    assert joined(events) == H1Dissector().feed(False, POST, ORIGIN)


@pytest.mark.parametrize(
    ("request_line", "head", "content"),
    [
        (b"HEAD / HTTP/1.1", b"HTTP/1.1 200 OK\r\nContent-Length: 5", b""),
        (b"GET / HTTP/1.1", b"HTTP/1.1 204 No Content\r\nContent-Length: 5", b""),
        (b"GET / HTTP/1.1", b"HTTP/1.1 304\r\nContent-Length: 5", b""),
        (b"GET / HTTP/1.1", b"HTTP/1.1 200 OK\r\nContent-Length: 5", b"hello"),
        (b"GET / HTTP/1.1", b"HTTP/1.1 200 OK\r\nContent-Length: 0", b""),
        (b"GET / HTTP/1.1", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"2\r\nhi\r\n0\r\n\r\n"),
    ],
)
def test_responses(request_line: bytes, head: bytes, content: bytes) -> None:
    """A response ends where its request and its fields say, and the next one begins there."""
    dissector = H1Dissector()
    dissector.feed(False, request_line + b"\r\nHost: x\r\n\r\n" + GET, ORIGIN)
    early = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    last = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    events = dissector.feed(True, early + head + b"\r\n\r\n" + content + last, ORIGIN)
    heads = [(event.exchange, event.line) for event in events if isinstance(event, H1HeadSeen)]
    first_line = head.partition(b"\r\n")[0]
    assert heads == [(1, b"HTTP/1.1 103 Early Hints"), (1, first_line), (2, b"HTTP/1.1 404 Not Found")]
    assert not any(isinstance(event, Unreadable) for event in events)
    assert dissector.end(True, ORIGIN) == []


def test_content_until_the_end() -> None:
    """Without a length, content is all that comes, and its end is no mistake."""
    dissector = H1Dissector()
    events = dissector.feed(True, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nall", ORIGIN)
    events += dissector.feed(True, b"HTTP/1.1 200 OK\r\n\r\n", ORIGIN)
    assert b"".join(event.octets for event in events if isinstance(event, ContentSeen)).startswith(b"allHTTP")
    assert dissector.end(True, ORIGIN) == []


@pytest.mark.parametrize(
    ("sent", "octets", "reason"),
    [
        (False, b"what is it\r\n", "not a request line (§3)"),
        (True, b"what is it\r\n", "not a status line (§4)"),
        (
            True,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "not the size of a chunk (§7.1)",
        ),
        (
            True,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
            "a chunk is longer than its size (§7.1)",
        ),
        (False, b"x" * 2_000_000, "a section of more than 1048576 octets"),
    ],
)
def test_unreadable(sent: bool, octets: bytes, reason: str) -> None:
    """What cannot be read is told with the reason, and nothing behind it."""
    dissector = H1Dissector()
    found = dissector.feed(sent, octets, ORIGIN)[-1]
    assert isinstance(found, Unreadable)
    assert found.reason == reason
    assert octets.endswith(found.octets)
    assert found.octets
    assert dissector.feed(sent, GET, ORIGIN) == []
    assert dissector.end(sent, ORIGIN) == []


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"GET / HT", "the connection ended within a head"),
        (b"GET / HTTP/1.1\r\n", "the connection ended within a head"),
        (
            b"PUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc",
            "the connection ended within content of a length, of which 2 octets are missing",
        ),
        (
            b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            "the connection ended within a chunk, of which 2 octets are missing",
        ),
        (
            b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: ",
            "the connection ended within trailers",
        ),
    ],
)
def test_an_early_end(octets: bytes, reason: str) -> None:
    """A message that is cut short is told."""
    dissector = H1Dissector()
    dissector.feed(False, octets, ORIGIN)
    (found,) = dissector.end(False, ORIGIN)
    assert isinstance(found, Unreadable)
    assert found.reason == reason


def test_a_switch() -> None:
    """Behind 101 there is another protocol, in both directions, whoever was faster."""
    dissector = H1Dissector()
    ask = b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    dissector.feed(False, ask + b"PRI * HTTP/2.0\r\n\r\n", ORIGIN)
    assert dissector.switch is None
    dissector.feed(True, b"HTTP/1.1 100 Continue\r\n\r\n", ORIGIN)
    events = dissector.feed(True, b"HTTP/1.1 101 Switching\r\nUpgrade: H2C\r\n\r\nframes", ORIGIN)
    assert len(events) == 1
    assert dissector.switch is not None
    assert dissector.switch.protocol == b"h2c"
    assert dissector.switch.request.get(b"http2-settings") == b"AAMAAABk"
    assert (dissector.rest(False), dissector.rest(True)) == (b"PRI * HTTP/2.0\r\n\r\n", b"frames")
    assert dissector.rest(True) == b""


def test_a_switch_that_is_not_made() -> None:
    """Where the response says that all stays as it is, what waited is read as what it is."""
    dissector = H1Dissector()
    ask = b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n"
    assert len(dissector.feed(False, ask + GET, ORIGIN)) == 1
    events = dissector.feed(True, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ORIGIN)
    assert [event.exchange for event in events if isinstance(event, H1HeadSeen)] == [1, 2]


def test_a_switch_refused_early() -> None:
    """A request whose response came before its own end holds nothing up."""
    dissector = H1Dissector()
    dissector.feed(False, b"PUT / HTTP/1.1\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\na", ORIGIN)
    dissector.feed(True, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ORIGIN)
    events = dissector.feed(False, b"b" + GET, ORIGIN)
    assert [type(event) for event in events] == [ContentSeen, H1HeadSeen]


def test_a_tunnel() -> None:
    """Behind a 2xx to CONNECT nothing is read."""
    dissector = H1Dissector()
    dissector.feed(False, b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", ORIGIN)
    dissector.feed(True, b"HTTP/1.1 200 OK\r\n\r\nanything", ORIGIN)
    assert dissector.switch is not None
    assert dissector.switch.protocol == b""
    assert dissector.feed(False, b"anything", ORIGIN) == []


@given(
    st.lists(st.tuples(st.binary(max_size=50), st.booleans()), min_size=1, max_size=4),
    st.integers(1, 30),
)
def test_what_h11_says(messages: list[tuple[bytes, bool]], step: int) -> None:
    """Requests that the h11 library writes are read as it meant them."""
    dissector, client = H1Dissector(), h11.Connection(h11.CLIENT)
    octets, expected = b"", []
    for content, chunked in messages:
        framing = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(content)))
        client = h11.Connection(h11.CLIENT)
        request = h11.Request(method="PUT", target="/", headers=[("Host", "x"), framing])
        for event in (request, h11.Data(data=content), h11.EndOfMessage()):
            octets += client.send(event) or b""
        expected.append(content)
    events = []
    for at in range(0, len(octets), step):
        events += dissector.feed(False, octets[at : at + step], ORIGIN)
    contents = [b"" for _ in messages]
    for found in events:
        if isinstance(found, ContentSeen):
            contents[found.exchange - 1] += found.octets
    assert contents == expected
    assert dissector.end(False, ORIGIN) == []


_LINES = (
    b"GET / HTTP/1.1|HTTP/1.1 200 OK|HTTP/1.1 101 x|Content-Length: 3|Transfer-Encoding: chunked"
    b"|Upgrade: h2c||5|hello|0"
)
_WORDS = st.sampled_from([line + b"\r\n" for line in _LINES.split(b"|")])


@given(st.lists(st.tuples(st.booleans(), _WORDS | st.binary(max_size=9)), max_size=30))
def test_any_octets(pieces: list[tuple[bool, bytes]]) -> None:
    """Whatever octets there are, they are told; none of them is an error of the reader."""
    dissector = H1Dissector()
    for sent, octets in pieces:
        dissector.feed(sent, octets, ORIGIN)
    for sent in (True, False):
        dissector.end(sent, ORIGIN)
