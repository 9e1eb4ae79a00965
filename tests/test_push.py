"""Server push and questions about windows, from handlers of a running server."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame

from tests.helpers.peers import Answer, H2Peer, Kind, connect
from tests.helpers.waiting import assert_soon
from wptproto import ExchangeClosed, H2ResponseWriter, LocalProtocolError, Request, Response, Server

Serve = Callable[[Any], H2Peer]


def promise(path: str) -> list[tuple[str, str]]:
    return [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", path)]


@pytest.fixture(params=["h2", "h2c"])
def serve(request: pytest.FixtureRequest, certs_dir: Path) -> Iterator[Serve]:
    """A function that starts a server on which a handler answers everything, and connects by HTTP/2."""
    kind: Kind = request.param
    server = Server(certs_dir=certs_dir)
    with server, connect(server, kind) as peer:
        assert isinstance(peer, H2Peer)

        def open_for(handler: Any) -> H2Peer:
            server.router.register("*", "/*", handler)
            return peer

        yield open_for


def writer_of(response: Response) -> H2ResponseWriter:
    assert isinstance(response.writer, H2ResponseWriter)
    return response.writer


def push_three(response: Response) -> str:
    writer = writer_of(response)
    return ",".join(
        str(writer.write_push(promise(f"/{number}"), None, 200, [("a", "b")], b"x" * 100_000))
        for number in range(3)
    )


def plain(request: Request, response: Response) -> str:
    return push_three(response)


async def on_the_loop(request: Request, response: Response) -> str:
    return push_three(response)


@pytest.mark.parametrize("handler", [plain, on_the_loop])
def test_pushes(serve: Serve, handler: Any) -> None:
    """Pushed responses come on streams of their own, whole, beside the one that was asked for."""
    peer = serve(handler)
    for _ in range(2):
        answer = peer.request()
        assert answer.status == 200
        for stream in map(int, answer.text.split(",")):
            pushed = peer.read_answer(stream)
            assert (pushed.status, pushed.get("a"), len(pushed.content)) == (200, "b", 100_000)
            assert pushed.complete


@pytest.mark.parametrize("is_async", [False, True])
def test_payload_size(serve: Serve, is_async: bool) -> None:
    """A handler can ask for the room in a frame, on a thread and on the loop."""

    def handler(request: Request, response: Response) -> str:
        return str(writer_of(response).get_max_payload_size())

    async def handler_on_loop(request: Request, response: Response) -> str:
        return handler(request, response)

    assert serve(handler_on_loop if is_async else handler).request().text == "16384"


def test_pushes_are_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A pushed response has a line in the access log, like one that was asked for."""
    caplog.set_level(logging.INFO, "wptproto.access")
    peer = serve(plain)
    for stream in map(int, peer.request().text.split(",")):
        peer.read_answer(stream)
    assert_soon(lambda: len(caplog.records) == 4)
    lines = sorted(record.getMessage().partition(" HTTP/2 ")[2] for record in caplog.records)
    assert [line.partition(" octets")[0] for line in lines] == [
        "GET /0: 200, 100000",
        "GET /1: 200, 100000",
        "GET /2: 200, 100000",
        "GET /: 200, 5",
    ]


def test_a_question_on_the_loop_behind_what_cannot_leave(serve: Serve) -> None:
    """On the loop nobody can wait for an answer; what to do is said."""
    said: list[str] = []

    async def handler(request: Request, response: Response) -> None:
        writer = writer_of(response)
        response.write_status_headers()
        writer.write_data(b"x" * 200_000)
        try:
            writer.get_max_payload_size()
        except LocalProtocolError as error:
            said.append(error.reason)

    answer = serve(handler).request()
    assert len(answer.content) == 200_000
    assert said == ["what was written before has not left yet; await those writes first"]


def test_a_question_behind_what_cannot_leave(serve: Serve) -> None:
    """On a thread it waits until the client has taken what went before, or has gone."""
    said: list[object] = []

    def handler(request: Request, response: Response) -> None:
        writer = writer_of(response)
        response.write_status_headers()
        writer.write_data(b"x" * 200_000)
        said.append(writer.get_max_payload_size() > 0)

    answer = serve(handler).request()
    assert len(answer.content) == 200_000
    assert said == [True]


# --- in the ordinary API -------------------------------------------------------------------------


def routed(handler: Any) -> Any:
    """Return a handler that answers ``/`` by another one, and everything else by what it was asked for."""

    def answer(request: Request, response: Response) -> Any:
        if request.path == "/":
            return handler(request, response)
        response.headers.set("X-Style", request.headers.get("x-style", b""))
        response.trailers.set("X-Sum", 1)
        return f"{request.method} {request.url} {request.body!r} {response.can_push}"

    return answer


def pushed_by(peer: H2Peer) -> tuple[Answer, list[Answer]]:
    """Return an answer, and those whose numbers are its content."""
    answer = peer.request()
    assert answer.status == 200, answer.text
    return answer, [peer.read_answer(int(number)) for number in answer.text.split()]


def push_a_style(request: Request, response: Response) -> str:
    assert response.can_push
    return str(response.push("/style.css?a=b", {"X-Style": "plain"}))


def test_the_server_answers(serve: Serve) -> None:
    """What is promised is answered by the server's routes, as if the client had asked the same server."""
    peer = serve(routed(push_a_style))
    for _ in range(2):
        _, (pushed,) = pushed_by(peer)
        assert pushed.status == 200
        method, url, body, can_push = pushed.text.split()
        assert url.startswith(f"{peer.scheme}://localhost:")
        assert url.endswith("/style.css?a=b")
        assert (method, body, can_push) == ("GET", "b''", "False")
        assert (pushed.get("x-style"), pushed.trailers) == ("plain", [(b"x-sum", b"1")])
        assert pushed.complete


def later(request: Request, response: Response) -> str:
    time.sleep(0.02)  # so that it changes threads
    return "plain"


async def on_loop(request: Request, response: Response) -> str:
    response.writer.write_informational(103)  # which goes nowhere
    return "async"


async def generated(request: Request, response: Response) -> AsyncIterator[str]:
    yield "gen"
    yield "erated"


ANSWERS: list[tuple[Any, int, bytes]] = [
    (later, 200, b"plain"),
    (on_loop, 200, b"async"),
    (generated, 200, b"generated"),
    ("text", 200, b"text"),
    (b"", 200, b""),
    (([("X", "y")], "text"), 200, b"text"),
    ((203, {"X": "y"}, b"x" * 100_000), 203, b"x" * 100_000),
    ((204, [], ""), 204, b""),
    (["a", "b"], 200, b"ab"),
]


@pytest.mark.parametrize("is_async", [False, True])
def test_answers(serve: Serve, is_async: bool) -> None:
    """A handler, or what one may return, answers in the place of the routes."""

    def handler(request: Request, response: Response) -> str:
        return " ".join(str(response.push("/pushed", answer=answer)) for answer, _, _ in ANSWERS)

    async def handler_on_loop(request: Request, response: Response) -> str:
        return handler(request, response)

    _, pushed = pushed_by(serve(handler_on_loop if is_async else handler))
    assert [(answer.status, answer.content) for answer in pushed] == [answer[1:] for answer in ANSWERS]
    assert all(answer.complete and not answer.informational for answer in pushed)


def test_a_promise_precedes_what_names_it(serve: Serve) -> None:
    """A push may come between pieces of content, and of HEAD there is a head."""

    def handler(request: Request, response: Response) -> Iterator[str]:
        yield f"{response.push('/a', method='HEAD', answer='dropped')} "
        yield str(response.push("/b", answer="b"))

    _, pushed = pushed_by(serve(handler))
    assert [(answer.status, answer.text, answer.get("content-length")) for answer in pushed] == [
        (200, "", "7"),
        (200, "b", "1"),
    ]


def test_pushed_errors(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A promised request for what is not there, or whose handler fails, has its error."""

    def fails(request: Request, response: Response) -> None:
        raise RuntimeError("a test")

    def handler(request: Request, response: Response) -> str:
        return f"{response.push('/x', answer=fails)} {response.push('/x', answer=recursive)}"

    def recursive(request: Request, response: Response) -> None:
        response.push("/y")

    _, (first, second) = pushed_by(serve(handler))
    assert (first.status, second.status) == (500, 500)
    assert "a test" in first.text
    assert "no push: this request was promised itself" in second.text


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"path": "style.css"}, ":path is neither a path nor"),
        ({"path": "/", "method": "POST"}, "no push of POST: a promised request is GET or HEAD"),
        ({"path": "/", "headers": {"Connection": "close"}}, "has no place in HTTP/2"),
        ({"path": "/", "headers": "text"}, "no push: headers are names and values, or a mapping of these"),
        ({"path": "/", "headers": 5}, "no push: headers are names and values, or a mapping of these"),
    ],
)
def test_promises_that_are_no_requests(serve: Serve, arguments: Any, why: str) -> None:
    """An error says what is wrong; nothing was promised."""

    def handler(request: Request, response: Response) -> str:
        try:
            response.push(**arguments)
        except LocalProtocolError as error:
            return error.reason
        return "promised"

    assert why in serve(handler).request().text


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({SettingCodes.ENABLE_PUSH: 0}, "no push: the client wants none (SETTINGS_ENABLE_PUSH)"),
        (
            {SettingCodes.MAX_CONCURRENT_STREAMS: 2},
            "no push: the client takes 2 at a time (SETTINGS_MAX_CONCURRENT_STREAMS)",
        ),
    ],
)
def test_clients_that_want_no_more(serve: Serve, settings: dict[Any, int], why: str) -> None:
    """What a client allows, it says in its SETTINGS (RFC 9113 §6.5.2)."""

    def handler(request: Request, response: Response) -> str:
        if request.path != "/":
            return request.body.decode()
        try:
            while True:
                assert response.can_push is True
                response.push("/x", answer=waits)
        except AssertionError:
            assert response.can_push is False
        with pytest.raises(LocalProtocolError) as caught:
            response.push("/x")
        return caught.value.reason

    def waits(request: Request, response: Response) -> None:
        response.writer.pause(20)  # until the client leaves

    peer = serve(handler)
    peer.h2.update_settings(settings)
    peer._flush()
    assert peer.request().text == why


def test_no_push_when_the_response_has_ended(serve: Serve) -> None:
    """Behind its end nothing can be promised on a stream (RFC 9113 §6.6)."""
    said: list[object] = []

    def handler(request: Request, response: Response) -> None:
        writer = writer_of(response)
        writer.write_headers([], 200)
        writer.write_data("content", last=True)
        can_push = response.can_push
        with pytest.raises(LocalProtocolError, match="has been ended already"):
            response.push("/x")
        said.append(can_push)

    assert serve(handler).request().text == "content"
    assert_soon(lambda: said == [False])


def test_no_push_behind_what_cannot_leave(serve: Serve) -> None:
    """On the loop nobody can wait for that, so there is none now."""
    said: list[object] = []

    async def handler(request: Request, response: Response) -> None:
        response.write_status_headers()
        response.writer.write(b"x" * 200_000)
        said.append(response.can_push)

    assert len(serve(handler).request().content) == 200_000
    assert said == [False]


def test_a_client_that_has_gone(serve: Serve) -> None:
    """To a client that is gone nothing is promised, and can_push does not fail for that."""
    said: list[object] = []
    began = threading.Event()

    def handler(request: Request, response: Response) -> None:
        began.set()
        response.writer.pause(20)
        said.append(response.can_push)
        try:
            response.push("/x")
        except ExchangeClosed:
            said.append("closed")

    peer = serve(handler)
    peer.send_request()
    assert began.wait(20)
    peer.h2.reset_stream(1)
    peer._flush()
    assert_soon(lambda: said == [False, "closed"])


def test_a_promise_that_the_client_refuses(serve: Serve) -> None:
    """Who resets a promised stream has the rest of the connection as ever."""
    gone: list[bool] = []

    def slow(request: Request, response: Response) -> None:
        response.writer.pause(20)
        gone.append(not response.writer.flush())

    peer = serve(lambda request, response: str(response.push("/x", answer=slow)))
    number = int(peer.request().text)
    peer.h2.reset_stream(number)
    peer._flush()
    assert_soon(lambda: gone == [True])
    peer.send_request()
    assert peer.read_answer().text == str(number + 2)


def test_no_push_after_goodbye(serve: Serve) -> None:
    """ "Receivers of a GOAWAY frame MUST NOT open additional streams on the connection" (RFC 9113 §6.8)."""
    said: list[object] = []

    def handler(request: Request, response: Response) -> None:
        _ = request.body
        said.append(response.can_push)

    peer = serve(handler)
    peer.send_request(method="POST", end=False)
    peer.sock.sendall(GoAwayFrame(0).serialize())
    peer.send_content(b"x", end=True)
    assert peer.read_answer().status == 200
    assert said == [False]


def test_handled_pushes_are_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A promised exchange has its line in the access log, as any other."""
    caplog.set_level(logging.INFO, "wptproto.access")
    pushed_by(serve(routed(push_a_style)))
    assert_soon(lambda: len(caplog.records) == 2)
    assert any("GET /style.css?a=b: 200" in record.getMessage() for record in caplog.records)
