"""Interim responses, trailers and priorities as handlers have them, over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.helpers.h2 import priority_update
from tests.helpers.peers import Answer, H2Peer, Kind, connect
from tests.helpers.waiting import assert_soon
from wptproto import Priority, Request, Response, Server


def is_h2(kind: Kind) -> bool:
    return kind in ("h2", "h2c")


def trailers_of(answer: Answer) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in answer.trailers]


def ask_1_0(server: Server, path: str = "/") -> bytes:
    """Return what a client of HTTP/1.0 gets."""
    with socket.create_connection(("127.0.0.1", server.http_port or 0), timeout=20) as sock:
        sock.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        return sock.makefile("rb").read()


# --- interim responses ---------------------------------------------------------------------------


def test_informational(serve: Serve) -> None:
    """Interim responses come before one that is returned, each with its own fields."""

    def handler(request: Request, response: Response) -> tuple[list[tuple[str, str]], str]:
        assert response.writer.write_informational(102)
        response.writer.write_informational(103, [("Link", "</a>"), ("Link", "</b>")])
        response.writer.write_informational(199, {"X": 1})
        return [("Content-Type", "text/plain")], "final"

    peer = serve(handler)
    answer = peer.request()
    assert [
        (code, [(name.lower(), value) for name, value in fields]) for code, fields in answer.informational
    ] == [
        (102, []),
        (103, [(b"link", b"</a>"), (b"link", b"</b>")]),
        (199, [(b"x", b"1")]),
    ]
    assert (answer.status, answer.text, answer.complete) == (200, "final", True)
    assert answer.get_all("link") == []
    assert peer.is_open()


def test_informational_leaves_at_once(serve: Serve) -> None:
    """A client has it while the handler goes on."""
    seen: list[bool] = []

    def handler(request: Request, response: Response) -> Iterator[str]:
        response.writer.write_informational(103)
        seen.append(request.body == b"go on")
        yield "final"

    peer = serve(handler)
    peer.send_request(method="POST", headers=[("content-length", "5")], end=False)
    peer.wait_for_informational()
    peer.send_content(b"go on", end=True)
    assert peer.read_answer().text == "final"
    assert seen == [True]


def test_informational_waits_for_a_flush(serve: Serve, kind: Kind) -> None:
    """With explicit_flush it leaves with what follows."""

    async def handler(request: Request, response: Response) -> str:
        response.explicit_flush = True
        response.writer.write_informational(103)
        await request.raw_input.read_async()
        response.writer.flush()
        return "final"

    answer = serve(handler).request()
    assert ([code for code, _ in answer.informational], answer.text) == ([103], "final")


def test_informational_by_each_way(serve: Serve) -> None:
    """Those of the step-by-step verbs may stand between; the final response may be step by step, too."""

    def handler(request: Request, response: Response) -> None:
        writer = response.writer
        writer.write_informational(103, [("a", "1")])
        writer.write_status(103)
        writer.write_header("a", 2)
        writer.end_headers()
        writer.write_informational(103, {"a": 3})
        writer.write_status(201)
        writer.write_content("final")

    answer = serve(handler).request()
    assert [fields for _, fields in answer.informational] == [
        [(b"a", b"1")],
        [(b"a", b"2")],
        [(b"a", b"3")],
    ]
    assert (answer.status, answer.text) == (201, "final")


@pytest.mark.parametrize("code", [99, 101, 200])
def test_what_is_not_informational(serve: Serve, code: int) -> None:
    """Another status is an error that says so, and no error comes of an interim response before."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write_informational(103)
        response.writer.write_informational(code)

    answer = serve(handler).request()
    assert answer.status == 500
    assert [status for status, _ in answer.informational] == [103]
    assert f"no interim response has status {code}: it is one of 100 to 199, and not 101" in answer.text


def test_informational_too_late(serve: Serve, kind: Kind) -> None:
    """Behind the beginning of the final response there is none."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write_status(200)
        response.writer.write_informational(103)

    answer = serve(handler).request()
    assert answer.status == (500 if is_h2(kind) else 0)  # HTTP/1.1 has sent the status line, and breaks off
    assert answer.informational == []


def test_continue_is_said_once(serve: Serve, kind: Kind) -> None:
    """Who has said 100 (Continue) by hand does not say it again by reading."""

    def handler(request: Request, response: Response) -> bytes:
        response.writer.write_informational(100)
        return request.body

    peer = serve(handler)
    fields = [("expect", "100-continue"), ("content-length", "3")]
    peer.send_request(method="POST", headers=fields, end=False)
    peer.wait_for_informational()
    peer.send_content(b"abc", end=True)
    answer = peer.read_answer()
    assert answer.text == "abc"
    assert [code for code, _ in answer.informational] == [100]
    assert peer.is_open()


def test_no_informational_over_http_1_0() -> None:
    """ "a server MUST NOT send a 1xx response to an HTTP/1.0 client" (RFC 9110 §15.2)"""

    def handler(request: Request, response: Response) -> str:
        assert response.writer.write_informational(103)
        return "final"

    with Server(routes=[("GET", "/", handler)]) as server:
        octets = ask_1_0(server)
    assert octets.startswith(b"HTTP/1.1 200 OK\r\n")
    assert octets.endswith(b"\r\n\r\nfinal")


# --- trailers of responses -----------------------------------------------------------------------


def filled_in(request: Request, response: Response) -> None:
    response.content = "content"
    response.trailers.set("X-Sum", 7)
    response.trailers.append("X-Sum", "8")


def returned(request: Request, response: Response) -> list[str]:
    response.trailers = [("X-Sum", 7), ("X-Sum", b"8")]
    return ["con", "tent"]


def generated(request: Request, response: Response) -> Iterator[str]:
    yield "con"
    yield "tent"
    response.trailers.update([("X-Sum", 7), ("X-Sum", "8")])


async def generated_async(request: Request, response: Response) -> AsyncIterator[str]:
    yield "content"
    response.trailers.append("X-Sum", 7)
    response.trailers.append("X-Sum", 8)


async def on_the_loop(request: Request, response: Response) -> str:
    filled_in(request, response)
    return "content"


def by_the_writer(request: Request, response: Response) -> None:
    filled_in(request, response)
    response.writer.write_content("con")
    response.writer.write("tent")


def by_response_write(request: Request, response: Response) -> None:
    filled_in(request, response)
    response.write()


def explicitly_flushed(request: Request, response: Response) -> None:
    filled_in(request, response)
    response.explicit_flush = True


@pytest.mark.parametrize(
    "handler",
    [
        filled_in,
        returned,
        generated,
        generated_async,
        on_the_loop,
        by_the_writer,
        by_response_write,
        explicitly_flushed,
    ],
)
def test_trailers(serve: Serve, kind: Kind, handler: Any) -> None:
    """However content is given, trailers follow it, and nobody promises how long it is."""
    peer = serve(handler)
    for _ in range(2):
        answer = peer.request()
        assert (answer.status, answer.text, answer.complete) == (200, "content", True)
        assert trailers_of(answer) == [(b"x-sum", b"7"), (b"x-sum", b"8")]
        assert answer.get("content-length") is None
        assert answer.get("transfer-encoding") == (None if is_h2(kind) else "chunked")
    assert peer.is_open()


def test_trailers_without_content(serve: Serve) -> None:
    """Content may be none at all."""

    def handler(request: Request, response: Response) -> None:
        response.trailers = {"X": "y"}

    peer = serve(handler)
    answer = peer.request()
    assert (answer.status, answer.text, answer.complete) == (200, "", True)
    assert trailers_of(answer) == [(b"x", b"y")]
    assert peer.is_open()


def test_trailers_of_a_file(serve: Serve, tmp_path: Path) -> None:
    """A file's length is known, and not said."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)

    def handler(request: Request, response: Response) -> None:
        response.content = path.open("rb")
        response.trailers.set("X", "y")

    answer = serve(handler).request()
    assert (len(answer.content), trailers_of(answer)) == (100_000, [(b"x", b"y")])


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
@pytest.mark.parametrize("insists", [False, True])
def test_no_trailers_without_content(serve: Serve, method: str, status: int, insists: bool) -> None:
    """Where there is no content, there are no trailers."""

    def handler(request: Request, response: Response) -> None:
        response.status = status
        response.send_body_for_head_request = insists
        response.trailers.set("X", "y")

    peer = serve(handler)
    answer = peer.request(method=method)
    assert (answer.status, answer.content, answer.trailers, answer.complete) == (status, b"", [], True)
    assert answer.get("content-length") is None
    assert peer.is_open() or insists


def test_trailers_by_hand_come_first(serve: Serve) -> None:
    """What the writer was told ends the response, and what was filled in is dropped."""

    def handler(request: Request, response: Response) -> None:
        response.trailers.set("X", "dropped")
        response.writer.write_content("content")
        response.writer.write_trailers([("X", "y")])

    assert trailers_of(serve(handler).request()) == [(b"x", b"y")]


def test_trailers_twice(serve: Serve, kind: Kind) -> None:
    """There is one trailer section."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write_status(200)
        response.writer.end_headers()
        for number in range(2):
            response.writer.write_trailers([("X", number)])

    answer = serve(handler).request()
    assert trailers_of(answer) == [(b"x", b"0")]
    assert answer.complete


def test_trailers_behind_own_length(serve: Serve, kind: Kind) -> None:
    """HTTP/1.1 has no trailers behind a Content-Length, and says so; HTTP/2 has."""

    def handler(request: Request, response: Response) -> str:
        response.headers.set("Content-Length", 7)
        response.trailers.set("X", "y")
        return "content"

    peer = serve(handler)
    answer = peer.request()
    if is_h2(kind):
        assert (answer.get("content-length"), answer.text) == ("7", "content")
        assert trailers_of(answer) == [(b"x", b"y")]
    else:
        assert answer.status == 500
        assert "so the response must have no Content-Length of its own" in answer.text
    assert peer.is_open()


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("field", ["Transfer-Encoding", "Content-Length"])
def test_trailers_of_content_that_frames_itself(
    serve: Serve, kind: Kind, caplog: pytest.LogCaptureFixture, field: str, late: bool
) -> None:
    """Content that its script frames has no place for other trailers; an error says so, or the log does."""

    def handler(request: Request, response: Response) -> Iterator[str]:
        response.headers.set(field, "chunked" if field == "Transfer-Encoding" else "7")
        if not late:
            response.trailers.set("X", "y")
        yield "7\r\ncontent\r\n0\r\n\r\n" if field == "Transfer-Encoding" else "content"
        response.trailers.set("X", "y")

    answer = serve(handler).request()
    assert answer.trailers == []
    assert answer.status == (200 if late else 500)
    why = "trailers go behind content" if is_h2(kind) else f"no {field} of its own"
    assert_soon(lambda: why in caplog.text)


def test_no_trailers_without_chunks() -> None:
    """Over HTTP/1.0, and where nobody adds the framing, an error says why."""

    def bare(request: Request, response: Response) -> str:
        response.add_required_headers = False
        response.trailers.set("X", "y")
        return "content"

    with Server(routes=[("GET", "/", filled_in), ("GET", "/bare", bare)]) as server:
        octets = ask_1_0(server)
        assert octets.startswith(b"HTTP/1.1 500 ")
        assert b"(RFC 9112 \\u00a77.1.2), and the client speaks HTTP/1.0" in octets
        with connect(server, "h1") as peer:
            answer = peer.request("/bare")
        assert answer.status == 500
        assert "they come with add_required_headers" in answer.text


def test_trailers_through_pipes(serve: Serve) -> None:
    """Pipes leave room for trailers."""

    def handler(request: Request, response: Response) -> str:
        response.trailers.set("X", "y")
        return "content"

    peer = serve(handler)
    for pipe, content in (("slice(1,3)", b"on"), ("trickle(1:d0.001:r2)", b"content"), ("gzip", None)):
        answer = peer.request(f"/?pipe={pipe}")
        assert (answer.status, answer.get("content-length")) == (200, None)
        assert content in (None, answer.content)
        assert trailers_of(answer) == [(b"x", b"y")]


def test_an_error_has_no_trailers(serve: Serve) -> None:
    """What was filled in before is no part of an error, whoever chose it."""

    def handler(request: Request, response: Response) -> None:
        response.trailers.set("X", "y")
        if request.path == "/raises":
            raise RuntimeError("a test")
        response.set_error(404)

    peer = serve(handler)
    for path, status in (("/", 404), ("/raises", 500)):
        answer = peer.request(path)
        assert (answer.status, answer.trailers, answer.complete) == (status, [], True)


def test_a_head_that_never_ends(serve: Serve) -> None:
    """Trailers do not make a response of half a head."""

    def handler(request: Request, response: Response) -> None:
        response.trailers.set("X", "y")
        response.writer.write_status(200)

    answer = serve(handler).request()
    assert not answer.complete
    assert answer.trailers == []


# --- trailers of requests ------------------------------------------------------------------------


def send_upload(peer: Any) -> Answer:
    peer.send_request(method="POST", end=False)
    peer.send_content(b"x" * 200_000, end=False)
    peer.send_trailers([("X-Sum", "7"), ("x-sum", "8"), ("Y", "\u00fc".encode("latin-1"))])
    answer: Answer = peer.read_answer()
    return answer


def test_trailers_of_a_request(serve: Serve) -> None:
    """They are fields, found without case, behind all of the content, of which reading is not disturbed."""

    def handler(request: Request, response: Response) -> str:
        assert request.raw_input.read(3) == b"xxx"
        trailers = request.trailers
        assert request.raw_input.tell() == 3
        assert trailers is request.trailers
        assert trailers.get_list("x-sum") == [b"7", b"8"]
        assert ("Y" in trailers, "Z" in trailers) == (True, False)
        return f"{trailers['X-SUM'].decode()} {trailers['y']!r} {len(request.body)}"

    assert send_upload(serve(handler)).text == "7, 8 b'\\xfc' 200000"


def test_trailers_of_a_request_on_the_loop(serve: Serve) -> None:
    """An async handler awaits the end of the content first; it is told so, if it does not."""

    began = threading.Event()

    async def handler(request: Request, response: Response) -> str:
        with pytest.raises(RuntimeError, match=r"await instead .*request\.raw_input\.read_async\(\)"):
            _ = request.trailers
        began.set()
        await request.raw_input.read_async()
        return request.trailers["X-Sum"].decode()

    peer = serve(handler)
    peer.send_request(method="POST", end=False)
    assert began.wait(20)
    peer.send_content(b"x", end=False)
    peer.send_trailers([("X-Sum", "7")])
    assert peer.read_answer().text == "7"


def test_no_trailers_of_a_request(serve: Serve) -> None:
    """A request without any has none."""

    def handler(request: Request, response: Response) -> str:
        return str(dict(request.trailers))

    peer = serve(handler)
    assert peer.request().text == "{}"
    assert peer.request(method="POST", content=b"x").text == "{}"


# --- priorities ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "priority"),
    [
        ([], Priority()),
        (["u=1, i"], Priority(1, incremental=True)),
        (["u=1", "u=6", "i"], Priority(6, incremental=True)),
        (["u=9, i=3, other"], Priority()),
        (["u=1, ("], Priority()),
    ],
)
def test_priority(serve: Serve, values: list[str], priority: Priority) -> None:
    """Priority is a field of the request; its lines are one dictionary (RFC 9218 §5)."""
    seen: list[Priority] = []

    def handler(request: Request, response: Response) -> None:
        seen.append(request.priority)
        assert request.priority is request.priority

    assert serve(handler).request(headers=[("Priority", value) for value in values]).status == 200
    assert seen == [priority]


Open = Callable[[Any], H2Peer]


@pytest.fixture(params=["h2", "h2c"])
def serve_h2(request: pytest.FixtureRequest, certs_dir: Path) -> Iterator[Open]:
    with ExitStack() as stack:

        def open_for(handler: Any) -> H2Peer:
            server = stack.enter_context(Server(routes=[("*", "/*", handler)], certs_dir=certs_dir))
            peer = stack.enter_context(connect(server, request.param))
            assert isinstance(peer, H2Peer)
            return peer

        yield open_for


def test_priority_is_updated(serve_h2: Open) -> None:
    """A PRIORITY_UPDATE frame counts for more than the field, also before the request (RFC 9218 §7)."""
    seen: list[Priority] = []

    def handler(request: Request, response: Response) -> None:
        seen.append(request.priority)
        while request.raw_input.read1():
            seen.append(request.priority)

    peer = serve_h2(handler)
    peer.sock.sendall(priority_update(1, b"u=2").serialize())
    peer.send_request(method="POST", headers=[("priority", "u=6, i")], end=False)
    assert_soon(lambda: len(seen) == 1)
    peer.sock.sendall(priority_update(1, b"i").serialize())
    peer.send_content(b"x", end=True)
    assert peer.read_answer().status == 200
    assert seen == [Priority(2), Priority(3, incremental=True)]


def test_priority_of_what_is_over(serve_h2: Open, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody minds a frame for a response that is out."""
    caplog.set_level(logging.WARNING)
    peer = serve_h2(lambda request, response: "content")
    assert peer.request().text == "content"
    peer.sock.sendall(priority_update(1).serialize())
    assert peer.request().text == "content"
    assert caplog.text == ""


# --- server push, of which the rest stands in test_push.py ---------------------------------------


def test_where_there_is_no_push(serve: Serve, kind: Kind) -> None:
    """Over HTTP/1.1 nothing can be promised; a handler can ask before, or else has an error that says so."""

    def handler(request: Request, response: Response) -> str:
        return str(response.can_push) if request.path == "/ask" else str(response.push("/x", answer="x"))

    peer = serve(handler)
    assert peer.request("/ask").text == str(is_h2(kind))
    answer = peer.request()
    assert answer.status == (200 if is_h2(kind) else 500)
    assert is_h2(kind) or "HTTP/1.1 has no server push; response.can_push tells" in answer.text
