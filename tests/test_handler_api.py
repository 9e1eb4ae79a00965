"""The handler API, end to end: each test runs over HTTP/1.1 and HTTP/2, in the clear and over TLS."""

from __future__ import annotations

import asyncio
import io
import re
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.helpers.peers import Answer, H1Peer, H2Peer, Kind, open_socket
from tests.helpers.waiting import assert_soon
from wptproto import HTTPException, Request, Response, Server
from wptproto.errors import RemoteProtocolError

INTERNAL_ERROR = 2  # RFC 9113 §7


def is_h2(kind: Kind) -> bool:
    return kind in ("h2", "h2c")


def assert_cut_off(answer: Answer, kind: Kind) -> None:
    """The client can tell that the message is not whole."""
    assert not answer.complete
    if is_h2(kind):
        assert answer.reset == INTERNAL_ERROR


# --- filling in ----------------------------------------------------------------------------------


def test_filled_in(serve: Serve) -> None:
    """A handler fills in the response, and it gets Server, Date and Content-Length."""

    def handler(request: Request, response: Response) -> None:
        response.headers.set("Content-Type", "text/plain")
        response.content = "Some example content"

    answer = serve(handler).request()
    assert (answer.status, answer.text) == (200, "Some example content")
    assert answer.complete
    assert answer.get("content-type") == "text/plain"
    assert answer.get("content-length") == "20"
    assert (answer.get("server") or "").startswith("wptproto/")
    assert (answer.get("date") or "").endswith(" GMT")


def test_step_by_step(serve: Serve) -> None:
    """A handler writes step by step, and without required headers nothing is implicit."""
    go_on = threading.Event()

    def handler(request: Request, response: Response) -> None:
        response.add_required_headers = False
        response.writer.write_status(200)
        response.writer.write_header("Content-Type", "text/plain")
        response.writer.write_header("Content-Length", len("Some example content"))
        response.writer.end_headers()
        response.writer.write("Some ")
        go_on.wait(10)
        response.writer.write("example content")

    peer = serve(handler)
    peer.send_request()
    assert peer.read_some() == b"Some "
    go_on.set()
    answer = peer.read_answer()
    assert answer.text == "Some example content"
    assert [name.lower() for name, _ in answer.fields] == [b"content-type", b"content-length"]
    assert answer.complete
    assert peer.is_open()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (404, (404, b"Not Found")),
        ((404, "Gone Fishing"), (404, b"Gone Fishing")),
        ((299, b""), (299, b"")),
        (599, (599, b"")),
    ],
)
def test_status(serve: Serve, kind: Kind, status: Any, expected: tuple[int, bytes]) -> None:
    """A status is a code, or a code and a message; the usual message is filled in; HTTP/2 has none."""

    def handler(request: Request, response: Response) -> None:
        response.status = status

    answer = serve(handler).request()
    assert answer.status == expected[0]
    assert answer.reason == (b"" if is_h2(kind) else expected[1])


def test_headers_keep_order_case_and_repetition(serve: Serve, kind: Kind) -> None:
    """Field order, case and repetition are kept; HTTP/2 puts names into lower case (RFC 9113 §8.2.1)."""
    given = [("X-B", "1"), ("x-A", "2"), ("X-b", "3"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]

    def handler(request: Request, response: Response) -> None:
        response.headers = given
        response.headers.append("X-Int", 5)
        response.headers.append(b"X-Octets", b"\xff\xfe")

    answer = serve(handler).request()
    expected = [(name.encode(), value.encode()) for name, value in given]
    expected += [(b"X-Int", b"5"), (b"X-Octets", b"\xff\xfe")]
    if is_h2(kind):
        expected = [(name.lower(), value) for name, value in expected]
    assert answer.fields[: len(expected)] == expected


def generated() -> Iterator[Any]:
    yield "a"
    yield b"b"
    yield lambda: "c"
    yield lambda: None
    yield ""
    yield "d"


def a_file(path: Path) -> Any:
    path.write_bytes(b"f" * 100_000)
    return path.open("rb")


# What makes each kind of content, what arrives of it, and whether its length can be known.
CONTENTS: dict[str, tuple[Callable[[Path], Any], bytes, bool]] = {
    "text": (lambda path: "é", "é".encode(), True),
    "octets": (lambda path: b"\x00\xff", b"\x00\xff", True),
    "nothing": (lambda path: "", b"", True),
    "none": (lambda path: None, b"", True),
    "list": (lambda path: ["a", b"b", None, ""], b"ab", True),
    "list with functions": (lambda path: ["a", lambda: "b", lambda: b"c"], b"abc", False),
    "generator": (lambda path: generated(), b"abcd", False),
    "function": (lambda path: lambda: "called", b"called", False),
    "file": (a_file, b"f" * 100_000, True),
    "text file": (lambda path: io.StringIO("é" * 10), "é".encode() * 10, False),
    "octets in memory": (lambda path: io.BytesIO(b"m" * 1000), b"m" * 1000, True),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_content(serve: Serve, kind: Kind, tmp_path: Path, name: str) -> None:
    """Content is text, octets, a file, a function, or an iterable; a known length gets Content-Length."""
    make, expected, known = CONTENTS[name]
    content = make(tmp_path / "file")

    def handler(request: Request, response: Response) -> None:
        response.content = content

    peer = serve(handler)
    answer = peer.request()
    assert answer.content == expected
    assert answer.complete
    assert answer.get("content-length") == (str(len(expected)) if known else None)
    if not is_h2(kind):
        assert answer.get("transfer-encoding") == (None if known else "chunked")
    assert peer.is_open()
    assert_soon(lambda: bool(getattr(content, "closed", True)))  # the client may be quicker


def test_encoding(serve: Serve) -> None:
    """Text is encoded by response.encoding."""

    def handler(request: Request, response: Response) -> None:
        response.encoding = "utf-16-be"
        response.content = "é"

    assert serve(handler).request().content == b"\x00\xe9"


# --- returning -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returned", "status", "field", "content"),
    [
        ("text", 200, None, b"text"),
        (b"octets", 200, None, b"octets"),
        (bytearray(b"array"), 200, None, b"array"),
        (([("X", "1")], "two"), 200, "1", b"two"),
        (({"X": "1"}, "mapping"), 200, "1", b"mapping"),
        ((201, [("X", "1")], "three"), 201, "1", b"three"),
        (((202, "Fine"), [("X", "1")], ["a", "b"]), 202, "1", b"ab"),
        ((204, [], None), 204, None, b""),
    ],
)
def test_returned(serve: Serve, returned: Any, status: int, field: str | None, content: bytes) -> None:
    """A handler may return content, headers and content, or status, headers and content."""
    answer = serve(lambda request, response: returned).request()
    assert (answer.status, answer.get("x"), answer.content, answer.complete) == (status, field, content, True)


@pytest.mark.parametrize("returned", [5, {"a": "b"}, ("a", "b", "c", "d"), ("alone",)])
def test_returned_nonsense(serve: Serve, returned: Any) -> None:
    """What is none of these is a 500 that says what it was."""
    answer = serve(lambda request, response: returned).request()
    assert answer.status == 500
    assert "TypeError" in answer.text


def test_generator_handler(serve: Serve) -> None:
    """A handler may be a generator of content; what it sets before its first item still counts."""
    go_on = threading.Event()

    def handler(request: Request, response: Response) -> Iterator[str]:
        response.status = 203
        response.headers.set("X", "set")
        yield "first"
        go_on.wait(10)
        yield "second"

    peer = serve(handler)
    peer.send_request()
    assert peer.read_some() == b"first"
    go_on.set()
    answer = peer.read_answer()
    assert (answer.status, answer.get("x"), answer.text, answer.complete) == (203, "set", "firstsecond", True)


def test_empty_generator(serve: Serve) -> None:
    """A generator without items is a response without content."""

    def handler(request: Request, response: Response) -> Iterator[str]:
        yield from ()

    answer = serve(handler).request()
    assert (answer.status, answer.content, answer.complete) == (200, b"", True)


def test_async_handler(serve: Serve) -> None:
    """An async handler runs on the loop, reads content by awaiting it, and may return."""

    async def handler(request: Request, response: Response) -> tuple[int, list[tuple[str, str]], str]:
        first = await request.raw_input.read_async(3)
        rest = await request.raw_input.read_async()
        return 201, [("X", threading.current_thread().name)], f"{first!r}{rest!r}"

    answer = serve(handler).request(method="POST", content=b"abcdef")
    assert (answer.status, answer.get("x"), answer.text) == (201, "wptproto-loop", "b'abc'b'def'")


def test_async_writer_is_awaited_for_back_pressure(serve: Serve) -> None:
    """An async handler's writes can be awaited, and answer whether the peer is there."""
    answers: list[object] = []

    async def handler(request: Request, response: Response) -> None:
        response.writer.write_status(200)
        response.writer.end_headers()
        for _ in range(100):
            answers.append(await response.writer.write(b"x" * 100_000))

    answer = serve(handler).request()
    assert len(answer.content) == 10_000_000
    assert answer.complete
    assert answers == [True] * 100


def test_async_generator(serve: Serve) -> None:
    """An async generator is a handler, too."""

    async def handler(request: Request, response: Response) -> AsyncIterator[Any]:
        yield "a"
        yield lambda: b"b"
        yield None
        yield "c"

    answer = serve(handler).request()
    assert (answer.status, answer.text, answer.complete) == (200, "abc", True)


def test_async_content_of_a_plain_handler(serve: Serve) -> None:
    """A plain handler may leave an async iterable as content."""

    async def items() -> AsyncIterator[str]:
        yield "a"
        yield "b"

    def handler(request: Request, response: Response) -> None:
        response.content = items()

    answer = serve(handler).request()
    assert (answer.text, answer.complete) == ("ab", True)


def test_async_handler_with_a_file(serve: Serve, tmp_path: Path) -> None:
    """An async handler may leave a file as content; it is sent as the client takes it."""
    path = tmp_path / "file"
    path.write_bytes(b"f" * 3_000_000)

    async def handler(request: Request, response: Response) -> None:
        response.content = path.open("rb")

    answer = serve(handler).request()
    assert (len(answer.content), answer.complete) == (3_000_000, True)


def test_async_handler_and_pipes(serve: Serve) -> None:
    """What an async handler returns goes through pipes as any other content does; the loop never waits."""

    async def handler(request: Request, response: Response) -> object:
        await asyncio.sleep(0)
        return "{{GET[a]}} content" if request.path == "/text" else _items()

    async def _items() -> AsyncIterator[str]:
        yield "item"

    peer = serve(handler)
    assert peer.request("/text?a=b&pipe=sub|slice(0,5)").text == "b con"
    assert peer.request("/text?pipe=trickle(5:d0.01:2)").text == "{{GET[a]}} content"
    assert peer.request("/text?pipe=trickle(5:d0.01:2)", method="HEAD").text == ""
    assert peer.request("/items").text == "item"
    answer = peer.request("/items?pipe=gzip")
    assert answer.status == 500
    assert "async iterable" in answer.text


def test_async_handler_with_content_that_fails(serve: Serve) -> None:
    """A generator that an async handler returns runs on a thread, and cuts off the response if it fails."""

    def items() -> Iterator[str]:
        yield "first"
        yield "second"
        raise ValueError("no third")

    async def handler(request: Request, response: Response) -> object:
        return items()

    answer = serve(handler).request()
    assert answer.content.startswith(b"first")
    assert not answer.complete


def test_async_handler_must_not_block(serve: Serve) -> None:
    """An async handler that would block its loop for content is told so instead."""

    async def handler(request: Request, response: Response) -> bytes:
        return request.body

    peer = serve(handler)
    peer.send_request(method="POST", end=False, headers=[("content-length", "5")])
    answer = peer.read_answer()
    assert answer.status == 500
    assert "read_async" in answer.text


# --- step by step --------------------------------------------------------------------------------


def test_writer_default_status_and_length(serve: Serve) -> None:
    """Content before any head completes it: status 200, required headers, the length of the content."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write_content("TEST")

    answer = serve(handler).request()
    assert (answer.status, answer.text, answer.get("content-length")) == (200, "TEST", "4")
    assert answer.get("server") is not None
    assert answer.get("date") is not None


def test_writer_header_first(serve: Serve) -> None:
    """A header before a status writes status 200."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write_header("X", "é")
        response.writer.write_content("TEST")

    answer = serve(handler).request()
    assert (answer.status, answer.get("x"), answer.complete) == (200, "é", True)


def test_writer_of_unknown_length(serve: Serve, kind: Kind) -> None:
    """Unknown length over HTTP/1.1 is chunked when headers are implicit, and the connection stays."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write_status(200, "Fine")
        response.writer.end_headers()
        response.writer.write("a")
        response.writer.write_content("b")
        response.writer.write_content_file(io.BytesIO(b"c" * 100_000))
        response.writer.flush()

    peer = serve(handler)
    answer = peer.request()
    assert answer.content == b"ab" + b"c" * 100_000
    assert answer.complete
    if not is_h2(kind):
        assert answer.get("transfer-encoding") == "chunked"
        assert answer.reason == b"Fine"
    assert peer.is_open()
    assert peer.request().complete


def test_unknown_length_without_required_headers_closes(serve: Serve, kind: Kind) -> None:
    """Unknown length closes the HTTP/1.1 connection when headers are explicit; HTTP/2 ends the stream."""

    def handler(request: Request, response: Response) -> None:
        response.add_required_headers = False
        response.writer.write_status(200)
        response.writer.end_headers()
        response.writer.write("content")

    peer = serve(handler)
    answer = peer.request()
    assert (answer.fields, answer.text, answer.complete) == ([], "content", True)
    assert peer.is_open() is is_h2(kind)


def test_explicit_flush(serve: Serve) -> None:
    """With explicit_flush only flush() sends."""
    may_flush, may_end = threading.Event(), threading.Event()

    def handler(request: Request, response: Response) -> None:
        response.explicit_flush = True
        response.writer.write_status(200)
        response.writer.end_headers()
        response.writer.write("a")
        response.writer.write("b")
        may_flush.wait(10)
        response.writer.flush()
        response.writer.write("c")
        may_end.wait(10)

    peer = serve(handler)
    peer.send_request()
    peer.sock.settimeout(0.05)
    with pytest.raises(TimeoutError):
        peer.read_answer()
    peer.sock.settimeout(10)
    may_flush.set()
    got = b""
    while len(got) < 2:
        piece = peer.read_some()
        assert piece, got
        got += piece
    assert got == b"ab"
    may_end.set()
    assert peer.read_answer().text == "abc"


def test_interim_responses(serve: Serve) -> None:
    """A 1xx status is an interim response, and the final one follows."""

    def handler(request: Request, response: Response) -> None:
        for number in range(2):
            response.writer.write_status(103)
            response.writer.write_header("Link", f"</{number}>; rel=preload")
            response.writer.end_headers()
        response.writer.write_status(200)
        response.writer.write_content("final")

    answer = serve(handler).request()
    assert [(code, [value for _, value in fields]) for code, fields in answer.informational] == [
        (103, [b"</0>; rel=preload"]),
        (103, [b"</1>; rel=preload"]),
    ]
    assert (answer.status, answer.text, answer.complete) == (200, "final", True)


@pytest.mark.parametrize("step_by_step", [True, False])
def test_trailers(serve: Serve, step_by_step: bool) -> None:
    """Trailers end the content (RFC 9110 §6.5)."""

    def handler(request: Request, response: Response) -> None:
        response.explicit_flush = not step_by_step
        response.writer.write_status(200)
        response.writer.end_headers()
        response.writer.write("content")
        response.writer.write_trailers([("X-Sum", 7), ("X-Sum", "8")])

    peer = serve(handler)
    answer = peer.request()
    assert (answer.text, answer.complete) == ("content", True)
    assert [(name.lower(), value) for name, value in answer.trailers] == [(b"x-sum", b"7"), (b"x-sum", b"8")]
    assert peer.is_open()


def test_writes_tell_whether_the_peer_is_there(serve: Serve) -> None:
    """Writes answer True while the peer is there, and False when it left; they do not raise."""
    answers: list[object] = []
    gone, through = threading.Event(), threading.Event()

    def handler(request: Request, response: Response) -> None:
        answers.append(response.writer.write_status(200))
        answers.append(response.writer.end_headers())
        answers.append(response.writer.write("x"))
        gone.wait(10)
        deadline = time.monotonic() + 10
        while response.writer.write("y" * 10_000) and time.monotonic() < deadline:
            pass
        answers.append(response.writer.write("z"))
        answers.append(response.writer.flush())
        through.set()

    peer = serve(handler)
    peer.send_request()
    assert peer.read_some() == b"x"
    peer.sock.close()
    gone.set()
    assert through.wait(15)
    assert answers == [True, True, True, False, False]


def test_generator_ends_when_the_peer_left(serve: Serve) -> None:
    """An endless generator is closed when nobody takes what it makes."""
    closed = threading.Event()

    def handler(request: Request, response: Response) -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 10_000
        finally:
            closed.set()

    peer = serve(handler)
    peer.send_request()
    peer.read_some()
    peer.sock.close()
    assert closed.wait(15)


def test_pause(serve: Serve) -> None:
    """A pause takes its time, but no longer than the peer is there."""
    answers: list[object] = []
    over = threading.Event()

    def handler(request: Request, response: Response) -> None:
        answers.append(response.writer.pause(0.01))
        response.writer.end_headers()
        response.writer.write("x")
        answers.append(response.writer.pause(600))
        over.set()

    peer = serve(handler)
    peer.send_request()
    assert peer.read_some() == b"x"
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.sock.close()  # with a reset: one that only sends no more may still read
    assert over.wait(15)
    assert answers == [True, False]


def test_status_headers_then_content(serve: Serve) -> None:
    """After write_status_headers() a script may write content by itself; no length is made up for it."""

    def handler(request: Request, response: Response) -> None:
        response.headers.set("X", "1")
        response.write_status_headers()
        for number in range(3):
            response.writer.write_content(f"{number}\n")

    peer = serve(handler)
    answer = peer.request()
    assert (answer.text, answer.get("x"), answer.get("content-length")) == ("0\n1\n2\n", "1", None)
    assert answer.complete
    assert peer.is_open()


def test_error_after_an_interim_response(serve: Serve) -> None:
    """After an interim response an error can still be said, over both protocols."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write_status(103)
        response.writer.end_headers()
        raise ZeroDivisionError

    answer = serve(handler).request()
    assert [status for status, _ in answer.informational] == [103]
    assert (answer.status, answer.complete) == (500, True)


# --- framing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("body_wanted", [False, True])
def test_head(serve: Serve, kind: Kind, body_wanted: bool) -> None:
    """HEAD gets the head that GET would; content only where the script insists."""

    def handler(request: Request, response: Response) -> str:
        response.send_body_for_head_request = body_wanted
        return "content"

    peer = serve(handler)
    if is_h2(kind) and body_wanted:
        with pytest.raises(Exception, match="Expected 0 bytes, received 7"):
            peer.request(method="HEAD")
        return
    answer = peer.request(method="HEAD")
    assert (answer.status, answer.get("content-length")) == (200, "7")
    if body_wanted:
        # The client takes the message for complete; what comes behind it makes the connection unusable.
        assert answer.complete
        assert isinstance(peer, H1Peer)
        assert peer.h11.trailing_data[0] + peer.sock.recv(100) == b"content"
    else:
        assert (answer.content, answer.complete) == (b"", True)
        assert peer.request(method="HEAD").complete


def test_head_step_by_step(serve: Serve) -> None:
    """What a handler writes as content in answer to HEAD is not sent."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write_status(200)
        response.writer.write_header("Content-Length", 7)
        response.writer.end_headers()
        response.writer.write("content")
        response.writer.write_trailers([("X", "y")])

    peer = serve(handler)
    answer = peer.request(method="HEAD")
    assert (answer.content, answer.trailers, answer.complete) == (b"", [], True)
    assert peer.request(method="HEAD").complete


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304), ("GET", 204)])
def test_no_length_is_made_up(serve: Serve, method: str, status: int) -> None:
    """Where there is no content to count, no Content-Length says 0 (RFC 9110 §8.6)."""
    answer = serve(lambda request, response: (status, [], None)).request(method=method)
    assert (answer.status, answer.get("content-length"), answer.complete) == (status, None, True)


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_content(serve: Serve, status: int) -> None:
    """204 and 304 send no content (RFC 9110 §15.3.5, §15.4.5)."""
    peer = serve(lambda request, response: (status, [], "content"))
    answer = peer.request()
    assert (answer.status, answer.content, answer.complete) == (status, b"", True)
    assert status != 204 or answer.get("content-length") is None
    assert peer.request().complete


def test_close_connection(serve: Serve, kind: Kind) -> None:
    """close_connection closes the HTTP/1.1 connection; over HTTP/2 it ends the stream alone."""

    def handler(request: Request, response: Response) -> str:
        response.close_connection = True
        return "last"

    peer = serve(handler)
    answer = peer.request()
    assert (answer.text, answer.complete) == ("last", True)
    if is_h2(kind):
        assert answer.get("connection") is None
        assert peer.request().complete
    else:
        assert answer.get("connection") == "close"
        assert peer.sock.recv(1) == b""


def test_connection_specific_fields_are_left_out_of_http2(serve: Serve, kind: Kind) -> None:
    """Connection-specific fields do not reach HTTP/2 (RFC 9113 §8.2.2)."""
    fields = [
        ("Keep-Alive", "1"),
        ("Upgrade", "x"),
        ("Proxy-Connection", "y"),
        ("Connection", "Keep-Alive"),
        ("Z", "1"),
    ]
    answer = serve(lambda request, response: (fields, "content")).request()
    names = [name for name, _ in answer.fields]
    assert names[: 1 if is_h2(kind) else 5] == ([b"z"] if is_h2(kind) else [n.encode() for n, _ in fields])


def test_promised_length_not_kept(serve: Serve, kind: Kind) -> None:
    """What is left unsent of a promised Content-Length resets the stream, as HTTP/1.1 closes."""

    def handler(request: Request, response: Response) -> None:
        response.headers.set("Content-Length", 100)
        response.content = "short"

    answer = serve(handler).request()
    assert answer.content == b"short"
    assert_cut_off(answer, kind)


def test_more_than_promised(serve: Serve, kind: Kind) -> None:
    """
    Clients take no more content than promised, and the HTTP/1.1 connection does not survive it.

    Over HTTP/2 they get just that; a script that wants them to see more has the verbs for it.
    """

    def handler(request: Request, response: Response) -> None:
        if request.path == "/more":
            writer: Any = response.writer
            writer.write_headers([("content-length", 5)], 200)
            writer.write_data("exceeding", last=True)
        else:
            response.headers.set("Content-Length", 5)
            response.content = "exceeding"

    peer = serve(handler)
    if isinstance(peer, H1Peer):
        answer = peer.request()
        assert answer.content == b"excee"
        rest = peer.h11.trailing_data[0]
        while data := peer.sock.recv(100):
            rest += data
        assert rest == b"ding"
    else:
        answer = peer.request()
        assert (answer.content, answer.get("content-length"), answer.complete) == (b"excee", "5", True)
        with pytest.raises(Exception, match="Expected 5 bytes, received 9"):
            peer.request("/more")


def test_pipes_of_a_function(serve: Serve) -> None:
    """What a function returns goes through the pipes that the request asks for."""
    answer = serve(lambda request, response: "content").request("/?pipe=slice(3)|status(202)")
    assert (answer.status, answer.text, answer.get("content-length")) == (202, "tent", "4")


# --- errors --------------------------------------------------------------------------------------


def test_handler_raises_before_anything_was_sent(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A handler that raises before anything was sent answers 500 with its own traceback, and logs it."""

    def handler(request: Request, response: Response) -> None:
        response.headers.set("X", "not to be seen")
        raise ZeroDivisionError("on purpose")

    peer = serve(handler)
    answer = peer.request()
    assert answer.status == 500
    assert answer.get("content-type") == "application/json"
    assert answer.get("x") is None
    assert "ZeroDivisionError: on purpose" in answer.text
    assert "in handler" in answer.text
    assert "dispatcher.py" not in answer.text
    assert "ZeroDivisionError: on purpose" in caplog.text
    assert peer.request().status == 500


def test_async_handler_raises(serve: Serve) -> None:
    """An async handler that raises answers 500 likewise."""

    async def handler(request: Request, response: Response) -> None:
        raise ZeroDivisionError("on purpose")

    answer = serve(handler).request()
    assert (answer.status, "ZeroDivisionError: on purpose" in answer.text) == (500, True)


def test_async_handler_is_cancelled(serve: Serve) -> None:
    """A cancellation that is the handler's own, not the server's, is an error like others."""

    async def handler(request: Request, response: Response) -> None:
        task = asyncio.ensure_future(asyncio.sleep(100))
        task.cancel()
        await task

    answer = serve(handler).request()
    assert (answer.status, "CancelledError" in answer.text) == (500, True)


def test_async_generator_raises_first(serve: Serve) -> None:
    """What an async generator does before its first item still counts: a status, or an error."""

    async def chooses(request: Request, response: Response) -> AsyncIterator[str]:
        response.status = 404
        yield "content"

    async def fails(request: Request, response: Response) -> AsyncIterator[str]:
        if request.method:
            raise ZeroDivisionError
        yield "never"

    async def empty(request: Request, response: Response) -> AsyncIterator[str]:
        for _ in ():
            yield "never"

    assert serve(chooses).request().status == 404
    assert serve(fails).request().status == 500
    assert serve(empty).request().content == b""


def test_async_generator_ends_when_the_peer_left(serve: Serve) -> None:
    """An endless async generator is closed when nobody takes what it makes."""
    closed = threading.Event()

    async def handler(request: Request, response: Response) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 10_000
        finally:
            closed.set()

    peer = serve(handler)
    peer.send_request()
    peer.read_some()
    peer.sock.close()
    assert closed.wait(15)


def test_sync_handler_with_a_loop_of_its_own(serve: Serve) -> None:
    """A plain handler may run a loop on its thread, and wait there while the client is slow."""

    def handler(request: Request, response: Response) -> None:
        async def main() -> None:
            response.writer.write_status(200)
            response.writer.end_headers()
            for _ in range(30):
                response.writer.write(b"x" * 100_000)

        asyncio.run(main())

    assert len(serve(handler).request().content) == 3_000_000


def test_content_that_is_lost_is_said(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A head that was never ended, and content beside the writer, are in the log."""

    def unended(request: Request, response: Response) -> None:
        response.writer.write_status(200)

    def twice(request: Request, response: Response) -> str:
        response.writer.write_content("written")
        return "returned"

    assert not serve(unended).request().complete
    assert serve(twice).request().text == "written"
    assert_soon(lambda: "never ended its headers" in caplog.text)
    assert_soon(lambda: "content it returned or set is dropped" in caplog.text)


def test_handler_exits(serve: Serve) -> None:
    """A script that calls sys.exit() ends itself, not the server."""

    def handler(request: Request, response: Response) -> None:
        raise SystemExit(3)

    peer = serve(handler)
    assert peer.request().status == 500
    assert peer.request().status == 500


def test_handler_chooses_an_error(serve: Serve) -> None:
    """HTTPException answers its status with its message as JSON."""

    def handler(request: Request, response: Response) -> None:
        raise HTTPException(418, "short and stout")

    answer = serve(handler).request()
    assert (answer.status, answer.text) == (418, '{"error": {"code": 418, "message": "short and stout"}}')


def test_set_error(serve: Serve) -> None:
    """set_error makes the response an error in JSON."""
    answer = serve(lambda request, response: response.set_error(400, "because")).request()
    assert (answer.status, answer.text) == (400, '{"error": {"code": 400, "message": "because"}}')


def test_handler_fails_midway(serve: Serve, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    """A handler that raises after something was sent has its message cut off visibly, and logged."""

    def handler(request: Request, response: Response) -> Iterator[str]:
        yield "beginning"
        raise ZeroDivisionError("midway")

    answer = serve(handler).request()
    assert answer.content == b"beginning"
    assert_cut_off(answer, kind)
    assert_soon(lambda: "ZeroDivisionError: midway" in caplog.text)


def test_close_delimited_response_fails_midway(serve: Serve, kind: Kind) -> None:
    """Where the connection's end is the content's, a cut must still not look like it."""

    def handler(request: Request, response: Response) -> None:
        response.add_required_headers = False
        response.writer.write_status(200)
        response.writer.end_headers()
        response.writer.write("beginning")
        raise ZeroDivisionError("midway")

    answer = serve(handler).request()
    assert_cut_off(answer, kind)


def test_error_while_writing_the_response(serve: Serve) -> None:
    """Content that cannot be sent is the handler's error, and answers 500."""
    answer = serve(lambda request, response: ["fine", 5]).request()
    assert (answer.status, "data is str or bytes, not int" in answer.text) == (500, True)


def test_verbs_out_of_order(serve: Serve) -> None:
    """A status after the head was written is an error of the script, said in the log."""
    errors: list[str] = []

    def handler(request: Request, response: Response) -> None:
        response.writer.write_status(200)
        verbs: list[Callable[[], object]] = [
            lambda: response.writer.write_status(200),
            lambda: response.writer.write_trailers([]),
            response.writer.end_headers,
            response.writer.end_headers,
            lambda: response.writer.write_header("x", "y"),
        ]
        for verb in verbs:
            try:
                verb()
            except Exception as error:
                errors.append(str(error))

    assert serve(handler).request().complete
    assert errors == [
        "the status was written already",
        "trailers before the end of the headers",
        "the headers were ended already; write_trailers() comes after content",
        "the headers were ended already; write_trailers() comes after content",
    ]


# --- the request ---------------------------------------------------------------------------------


def test_request(serve: Serve, kind: Kind) -> None:
    """A handler reads method, URL, version, address, and fields without case, repeated ones in order."""
    seen: dict[str, Any] = {}

    def handler(request: Request, response: Response) -> str:
        seen.update(
            method=request.method,
            url=request.url,
            path=request.url_parts.path,
            query=request.url_parts.query,
            target=request.request_path,
            version=request.protocol_version,
            address=request.client_address[0],
            host=request.headers["Host"],
            repeated=request.headers.get_list("x-a"),
            joined=request.headers[b"X-A"],
            missing=request.headers.get("x-b"),
            raw=request.raw_headers.items(),
            get=request.GET.get_list(b"q"),
            body=request.body,
        )
        return "ok"

    answer = serve(handler).request("/a%20b?q=1&q=%ff+", method="PATCH", headers=[("X-A", "1"), ("x-a", "2")])
    assert answer.text == "ok"
    scheme = "https" if kind in ("h1s", "h2") else "http"
    assert re.sub(":[0-9]+/", ":PORT/", seen["url"]) == f"{scheme}://localhost:PORT/a%20b?q=1&q=%ff+"
    assert (seen["path"], seen["query"], seen["target"]) == ("/a%20b", "q=1&q=%ff+", "/a%20b?q=1&q=%ff+")
    assert (seen["method"], seen["version"]) == ("PATCH", "HTTP/2.0" if is_h2(kind) else "HTTP/1.1")
    assert (seen["address"], seen["host"]) == ("127.0.0.1", b"localhost")
    assert (seen["repeated"], seen["joined"], seen["missing"]) == ([b"1", b"2"], b"1, 2", None)
    assert not any(name.startswith(":") for name, _ in seen["raw"])
    assert seen["get"] == [b"1", b"\xff "]
    assert seen["body"] == b""


def test_content_is_readable_while_the_client_still_sends(serve: Serve) -> None:
    """The handler is called when the head is there, and reads content as it comes."""
    pieces: list[bytes] = []
    read = threading.Semaphore(0)

    def handler(request: Request, response: Response) -> str:
        while piece := request.raw_input.read1():
            pieces.append(piece)
            read.release()
        request.raw_input.seek(2)
        return request.raw_input.read().decode()

    peer = serve(handler)
    peer.send_request(method="POST", end=False, headers=[("content-length", "6")])
    for number, piece in enumerate((b"ab", b"cd", b"ef"), 1):
        peer.send_content(piece, end=number == 3)
        assert read.acquire(timeout=10)
    assert peer.read_answer().text == "cdef"
    assert pieces == [b"ab", b"cd", b"ef"]


def test_continue(serve: Serve, kind: Kind) -> None:
    """Reading the content sends 100 (Continue) when the client waits for it."""

    def handler(request: Request, response: Response) -> bytes:
        return request.body

    peer = serve(handler)
    peer.send_request(method="POST", end=False, headers=[("content-length", "2"), ("expect", "100-continue")])
    peer.sock.settimeout(10)
    if isinstance(peer, H1Peer):
        assert peer.sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    else:
        assert isinstance(peer, H2Peer)
        peer.wait_for_informational()
    peer.send_content(b"ok", end=True)
    answer = peer.read_answer()
    assert answer.text == "ok"
    assert is_h2(kind) is (answer.informational == [(100, [])])


def test_no_continue_without_reading(serve: Serve, kind: Kind) -> None:
    """A final answer without reading sends no 100, and ends an HTTP/1.1 connection nobody can tell apart."""
    peer = serve(lambda request, response: (417, [], "no"))
    peer.send_request(method="POST", end=False, headers=[("content-length", "2"), ("expect", "100-continue")])
    answer = peer.read_answer()
    assert (answer.status, answer.informational, answer.text) == (417, [], "no")
    assert is_h2(kind) or answer.get("connection") == "close"


def test_early_answer_while_the_upload_goes_on(serve: Serve) -> None:
    """
    A handler may answer early; the rest of the upload is taken, or, over HTTP/2, asked not to be sent
    (RFC 9113 §8.1), and the connection goes on.
    """
    peer = serve(lambda request, response: "early")
    size = 1_000_000
    peer.send_request(method="POST", end=False, headers=[("content-length", str(size))])
    peer.send_content(b"x" * (size // 2), end=False)
    assert peer.read_answer().text == "early"
    peer.send_content(b"x" * (size // 2), end=True)
    assert peer.request().text == "early"


def test_reads_and_writes_in_turn(serve: Serve) -> None:
    """A handler answers each piece before the next one is sent."""

    def handler(request: Request, response: Response) -> Iterator[bytes]:
        while piece := request.raw_input.read1():
            yield piece.upper()

    peer = serve(handler)
    peer.send_request(method="POST", end=False)
    for letter in b"abc":
        peer.send_content(bytes([letter]), end=False)
        assert peer.read_some() == bytes([letter]).upper()
    peer.send_content(b"d", end=True)
    assert peer.read_answer().content == b"ABCD"


def test_upload_cut_short(serve: Serve, kind: Kind) -> None:
    """A client that leaves in the midst of its content is no error of the server's."""
    raised: list[str] = []
    started, through = threading.Event(), threading.Event()

    def handler(request: Request, response: Response) -> bytes:
        started.set()
        try:
            return request.body
        except Exception as error:
            raised.append(type(error).__name__)
            raise
        finally:
            through.set()

    peer = serve(handler)
    peer.send_request(method="POST", end=False, headers=[("content-length", "10")])
    peer.send_content(b"12345", end=False)
    assert started.wait(10)
    peer.sock.close()
    assert through.wait(10)
    assert raised[0] in ("ExchangeClosed", "RemoteProtocolError")


def test_a_broken_request_is_not_answered_as_a_sound_one(certs_dir: Path) -> None:
    """
    A handler that does not look at the content answers with the client's error all the same, if what is wrong
    came before its answer; one that met the error itself answers what it will.
    """

    def handler(request: Request, response: Response) -> str:
        if request.request_path == "/looks":
            with suppress(RemoteProtocolError):
                return request.body.decode()
        return "fine"

    with Server(routes=[("POST", "/*", handler)], certs_dir=certs_dir, https_port=None) as server:
        for path, status in (("/", b"400"), ("/looks", b"200")):
            with open_socket(server, "h1") as sock:
                head = f"POST {path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                sock.sendall(head.encode() + b"2\r\nok\r\nx\r\n")
                assert sock.recv(1000).startswith(b"HTTP/1.1 " + status)
