"""Responses that a script writes by hand in HTTP/1.1: over each protocol the same message."""

from __future__ import annotations

import logging

import pytest

from tests.conftest import Serve
from tests.helpers.peers import Kind
from wptproto import Request, Response

OVER_HTTP_1 = ("h1", "h1s")


def test_a_whole_response(serve: Serve) -> None:
    """A response written as octets is that response over HTTP/2, too."""

    def handler(request: Request, response: Response) -> None:
        response.close_connection = True
        response.writer.write("HTTP/1.1 203 Mine\r\nX-Own: a\r\nX-Own: b\r\nContent-Length: 5\r\n\r\n")
        response.writer.write(b"\xffhell")

    answer = serve(handler).request()
    assert (answer.status, answer.content, answer.complete) == (203, b"\xffhell", True)
    assert answer.get_all("x-own") == ["a", "b"]
    assert answer.get("date") is None


def test_lines_end_as_they_may(serve: Serve) -> None:
    """LF alone, and content to the end of the connection, are read as clients read them."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write_raw_content(b"HTTP/1.1 202 Giraffe\nX-TEST: PASS\n\nContent")

    answer = serve(handler).request()
    assert (answer.status, answer.get("x-test"), answer.content) == (202, "PASS", b"Content")


def test_a_head_in_two_ways(serve: Serve) -> None:
    """A head may begin with the writer's verbs and go on by hand, or the other way round."""

    def handler(request: Request, response: Response) -> None:
        writer = response.writer
        response.add_required_headers = False
        response.close_connection = True
        if request.path == "/verbs-first":
            writer.write_status(201)
            writer.write_header("A", "1")
            writer.write("B: 2\r\n")
        else:
            writer.write("HTTP/1.1 201 Created\r\nA: 1\r\n")
            writer.write_header("B", "2")
        writer.end_headers()
        writer.write_content("content")

    for path in ("/verbs-first", "/by-hand-first"):
        answer = serve(handler).request(path)
        assert (answer.status, answer.content) == (201, b"content")
        assert [(name.lower(), value) for name, value in answer.fields][:2] == [(b"a", b"1"), (b"b", b"2")]


@pytest.mark.parametrize("way", ["verbs", "octets", "filled in"])
def test_own_chunks(serve: Serve, way: str) -> None:
    """A script that says Transfer-Encoding frames its content by itself; over HTTP/2 that is taken off."""
    chunks = b"2\r\nab\r\n3;ext=1\r\ncde\r\n0\r\nX-Trailer: t\r\n\r\n"

    def handler(request: Request, response: Response) -> None:
        if way == "filled in":
            response.headers.set("Transfer-Encoding", "chunked")
            response.content = chunks
        elif way == "verbs":
            response.writer.write_status(200)
            response.writer.write_header("Transfer-Encoding", "chunked")
            response.writer.end_headers()
            for octet in chunks:
                response.writer.write(bytes([octet]))
        else:
            response.writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)

    answer = serve(handler).request()
    assert (answer.status, answer.content, answer.complete) == (200, b"abcde", True)
    assert [(name.lower(), value) for name, value in answer.trailers] == [(b"x-trailer", b"t")]


@pytest.mark.parametrize(
    ("field", "read"),
    [
        (("Content:Type", "text/plain"), [("content", "Type: text/plain")]),
        (("X", "a\r\nY: b"), [("x", "a"), ("y", "b")]),
        (("X", " a\t"), [("x", "a")]),
        (("Content-Length", "auto"), []),
    ],
)
def test_fields_that_are_others(
    serve: Serve, kind: Kind, field: tuple[str, str], read: list[tuple[str, str]]
) -> None:
    """What HTTP/1.1 clients read otherwise than it was given is over HTTP/2 what they read."""

    def handler(request: Request, response: Response) -> object:
        response.add_required_headers = False
        response.close_connection = True
        return [field], "content"

    if kind in OVER_HTTP_1:
        return
    answer = serve(handler).request()
    assert [(name.decode(), value.decode()) for name, value in answer.fields] == read
    assert (answer.content, answer.complete) == (b"content", True)


def test_interim_responses(serve: Serve) -> None:
    """1xx responses before the final one are so over both protocols, by hand or by verbs."""

    def handler(request: Request, response: Response) -> None:
        writer = response.writer
        writer.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n")
        writer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    answer = serve(handler).request()
    assert [(status, len(fields)) for status, fields in answer.informational] == [(103, 1), (102, 0)]
    assert (answer.status, answer.content) == (200, b"ok")


def test_verbs_of_an_interim_response_behind_octets(serve: Serve) -> None:
    """The verbs go on after octets by hand, also from an interim head to the final one."""

    def handler(request: Request, response: Response) -> None:
        writer = response.writer
        writer.write_status(103)
        writer.write("A: 1\r\n")
        writer.write_header("B", "2")
        writer.end_headers()
        writer.write_status(200)
        writer.write_header("Content-Length", "2")
        writer.end_headers()
        writer.write_content("ok")

    answer = serve(handler).request()
    ((status, fields),) = answer.informational
    assert (status, [value for _, value in fields]) == (103, [b"1", b"2"])
    assert (answer.status, answer.content) == (200, b"ok")


def test_head_has_no_content(serve: Serve) -> None:
    """What is written behind a head is no content where the request was HEAD."""

    def handler(request: Request, response: Response) -> None:
        response.close_connection = True
        response.writer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")

    answer = serve(handler).request(method="HEAD")
    assert (answer.status, answer.get("content-length"), answer.content) == (200, "2", b"")
    assert answer.complete


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"INVALID HTTP\r\n\r\n", "no status line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nshort", "3 octets are missing"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "have no end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not a chunk size"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "status 101"),
    ],
)
def test_broken_on_purpose(
    serve: Serve, kind: Kind, octets: bytes, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be said in HTTP/2 resets the stream, the log says why, and the connection goes on."""
    answered: list[object] = []

    def handler(request: Request, response: Response) -> object:
        if request.path == "/sound":
            return "sound"
        answered.append(response.writer.write(octets))
        answered.append(response.writer.write("more"))
        return None

    peer = serve(handler)
    if kind in OVER_HTTP_1:
        if b"INVALID" not in octets and b"101" not in octets and b"zz" not in octets:
            assert not peer.request().complete
        return
    with caplog.at_level(logging.ERROR, "wptproto"):
        answer = peer.request()
    assert (answer.complete, answer.reset) == (False, 2)
    assert [record.name for record in caplog.records] == ["wptproto.exchange"]
    assert why in caplog.text
    assert peer.request("/sound").text == "sound"
