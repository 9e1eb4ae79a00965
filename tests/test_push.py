"""Server push and questions about windows, from handlers of a running server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.peers import H2Peer, Kind, connect
from tests.helpers.waiting import assert_soon
from wptproto import H2ResponseWriter, LocalProtocolError, Request, Response, Server

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
