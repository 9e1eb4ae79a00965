"""H1Wire: requests over HTTP/1.1 as they come, and octets as a test wants them."""

from __future__ import annotations

import socket

import pytest

from tests.wire.conftest import MakeH1
from wptproto import WireError
from wptproto.wire import Ending

HEAD = b"POST /a?b HTTP/1.1\r\nHost: a\r\nX-Own: 1\r\nx-own: 2\r\n"


def test_a_request(make_h1: MakeH1) -> None:
    """A request is there as it came: order, case, repetition, and its octets."""
    wire, client = make_h1()
    client.sendall(HEAD + b"Content-Length: 3\r\n\r\nabcGET")
    request = wire.expect_request(method="POST", target="/a?b", version="HTTP/1.1", fields={"X-OWN": 2})
    assert (request.method, request.target, request.content, request.chunks) == ("POST", "/a?b", b"abc", [])
    assert list(request.fields)[1:3] == [(b"X-Own", b"1"), (b"x-own", b"2")]
    assert request.octets == HEAD + b"Content-Length: 3\r\n\r\nabc"
    assert wire.receive() == b"GET"
    assert wire.received == request.octets + b"GET"
    assert wire.violations == []


def test_chunks(make_h1: MakeH1) -> None:
    """Chunks are put together, their sizes and trailers known."""
    wire, client = make_h1()
    client.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0A\r\n0123456789\r\n")
    head = wire.expect_head()
    with pytest.raises(WireError, match="the rest of the chunked content of a request's content was awaited"):
        wire.read_content(head, within=0.01)
    client.sendall(b"1\r\nc\r\n0\r\nSum: 1\r\n\r\n")
    request = wire.read_content(head)
    assert (request.content, request.chunks) == (b"c", [1])
    assert list(request.trailers) == [(b"Sum", b"1")]


def test_100_continue(make_h1: MakeH1) -> None:
    """A client that waits for 100 gets it, unless the test wants otherwise."""
    wire, client = make_h1(timeout_s=0.05)
    client.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    head = wire.expect_head()
    assert head.expects_continue
    with pytest.raises(WireError, match="1 of the 1 octets that Content-Length promised"):
        wire.read_content(head, answer_expect=False)
    client.sendall(b"a")
    assert wire.read_content(head, answer_expect=False, within=5).content == b"a"
    client.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    head = wire.expect_head(within=5)
    with pytest.raises(WireError):
        wire.read_content(head)
    assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_another_request(make_h1: MakeH1) -> None:
    """A request that is another is explained field by field; one that does not come, by what came."""
    wire, client = make_h1()
    client.sendall(HEAD + b"\r\nGET / HT")
    with pytest.raises(WireError) as raised:
        wire.expect_head(method="GET", fields={"accept": "a"})
    assert str(raised.value).startswith(
        "the head of a request with method 'GET' was awaited, and another came, for method is 'POST', and "
        "not 'GET'; 'accept' is not there, and not b'a'. What went both ways:\n"
    )
    with pytest.raises(
        WireError, match=r"a request in place of b'GET / HT' was awaited, and did not come in 0\.01"
    ):
        wire.expect_head(within=0.01)


def test_octets(make_h1: MakeH1) -> None:
    """Octets can be taken one by one, up to some of them, or as those that are awaited."""
    wire, client = make_h1(timeout_s=0.05)
    client.sendall(b"abc\r\ndefghi")
    assert wire.receive_until(b"\r\n") == b"abc\r\n"
    assert wire.receive(2) == b"de"
    wire.expect_octets(b"fg")
    with pytest.raises(WireError, match="b'hx' was awaited, and b'hi' came"):
        wire.expect_octets(b"hx")
    with pytest.raises(WireError, match="b'hij' in place of b'hi' was awaited, and did not come"):
        wire.expect_octets(b"hij")
    with pytest.raises(WireError, match="3 octets in place of b'hi'"):
        wire.receive(3)
    with pytest.raises(WireError, match=r"b'\\n' behind b'hi'"):
        wire.receive_until(b"\n")
    client.close()
    wire.receive()
    with pytest.raises(
        WireError, match=r"octets in place of nothing was awaited, and the client ended its side \(fin"
    ):
        wire.receive()


def test_responses_just_as_given(make_h1: MakeH1) -> None:
    """What is sent is what was given, and nothing is added."""
    wire, client = make_h1()
    wire.send_response(200, [("X-Own", 1), (b"x-own", b"2")], b"content", segments=[1])
    wire.send_head(299, reason="", version="HTTP/9.9")
    wire.send_head(404, {"A": "b"}, reason="Gone fishing")
    wire.send_chunk(b"abc", extensions=b";x")
    wire.send_chunk(b"abc", size=255)
    wire.send_last_chunk({"Sum": 1})
    wire.send(b"\0\xff")
    wire.half_close()
    octets = b"".join(iter(lambda: client.recv(1000), b""))
    assert octets == (
        b"HTTP/1.1 200 OK\r\nX-Own: 1\r\nx-own: 2\r\n\r\ncontent"
        b"HTTP/9.9 299 \r\n\r\nHTTP/1.1 404 Gone fishing\r\nA: b\r\n\r\n"
        b"3;x\r\nabc\r\nff\r\nabc\r\n0\r\nSum: 1\r\n\r\n\0\xff"
    )
    assert wire.transcript.endswith("> (half-closed)")


def test_what_is_long_is_shown_in_short(make_h1: MakeH1) -> None:
    """The transcript has the beginning of what is long, and how long it is."""
    wire, client = make_h1()
    wire.expect_nothing(for_s=0.01)
    wire.send(b"a" * 200)
    client.sendall(b"b" * 300)
    assert wire.transcript.endswith(f"> {b'a' * 120!r}... (200 octets)")
    with pytest.raises(WireError, match=r"in place of b'b{200}'\.\.\."):
        wire.receive(301, within=0.01)


BROKEN = [
    (b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", ["RFC 9112 §2.2"]),
    (b"GET / HTTP/1.1\nHost: a\n\n", ["RFC 9112 §2.2"]),
    (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", ["RFC 9112 §3"]),
    (b"GET\r\nHost: a\r\n\r\n", ["RFC 9112 §3"]),
    (b"PRI * HTTP/2.0\r\n\r\n", ["RFC 9113 §3.4"]),
    (b"GET / HTTP/1.1\r\n\r\n", ["RFC 9112 §3.2"]),
    (b"GET / HTTP/1.0\r\n\r\n", []),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", ["RFC 9112 §3.2"]),
    (b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", ["RFC 9112 §3.2"]),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\nA : b\r\n c\r\n\r\n",
        ["RFC 9112 §5", "RFC 9112 §5.1", "RFC 9112 §5.2"],
    ),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", ["RFC 9112 §6"]),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n", ["RFC 9112 §6"]),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ["RFC 9112 §6.3"],
    ),
    (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n", ["RFC 9110 §10.1.1"]),
]


@pytest.mark.parametrize(("octets", "expected"), BROKEN)
def test_what_a_request_breaks(make_h1: MakeH1, octets: bytes, expected: list[str]) -> None:
    """A request that is malformed is there with its octets, and what it breaks is recorded."""
    wire, client = make_h1()
    client.sendall(octets + b"GET")
    request = wire.expect_request()
    assert request.octets == octets
    assert [violation.section for violation in wire.violations] == expected
    assert {violation.stream_id for violation in wire.violations} <= {1}
    assert wire.receive() == b"GET"


def test_chunks_that_are_none(make_h1: MakeH1) -> None:
    """Broken framing is a violation, and what cannot be read is left."""
    wire, client = make_h1()
    client.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n")
    with pytest.raises(WireError, match="the content of a request was awaited, and not a chunk size"):
        wire.expect_request()
    assert [violation.section for violation in wire.violations] == ["RFC 9112 §7.1"]
    assert wire.receive() == b"xyz\r\n"


def test_fatal(make_h1: MakeH1) -> None:
    """Where violations are fatal, the client gets 400 with the reason, and the end."""
    wire, client = make_h1(policy="fatal")
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(WireError, match=r"RFC 9112 §3\.2: no Host"):
        wire.expect_request()
    answer = b"".join(iter(lambda: client.recv(1000), b""))
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\nContent-Length: ")
    assert answer.endswith("RFC 9112 §3.2: no Host (in request 1)\n".encode())


def test_the_end(make_h1: MakeH1) -> None:
    """A client that sends more does not end the connection, unless that may be dropped."""
    wire, client = make_h1()
    client.sendall(b"GET / HTTP/1.1\r\n")
    with pytest.raises(
        WireError, match=r"the end of the connection was awaited, and b'GET / HTTP/1\.1\\r\\n' came"
    ):
        wire.expect_closed()
    with pytest.raises(WireError, match="nothing was awaited, and b'GET"):
        wire.expect_nothing()
    client.sendall(b"more")
    client.shutdown(socket.SHUT_WR)
    assert wire.expect_closed(drop=True) is Ending.FIN
    assert wire.tls is None
    assert wire.client_address == ("", 0)
