"""Scripts that answer frame by frame, over HTTP/2; over HTTP/1.1 they say that they need it."""

from __future__ import annotations

import logging
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.peers import Kind, Peer, connect
from tests.helpers.waiting import assert_soon
from wptproto import Server

OVER_HTTP_1 = ("h1", "h1s")

Script = Callable[[str], Peer]


@pytest.fixture
def server(tmp_path: Path, certs_dir: Path) -> Iterator[Server]:
    with Server(tmp_path, certs_dir=certs_dir) as server:
        yield server


@pytest.fixture
def script(tmp_path: Path, server: Server, kind: Kind) -> Iterator[Script]:
    """A function that makes ``/s.py`` of some source, and connects to its server."""
    with connect(server, kind) as peer:

        def write(source: str) -> Peer:
            (tmp_path / "s.py").write_text(textwrap.dedent(source))
            return peer

        yield write


def test_headers_alone(script: Script, kind: Kind) -> None:
    """What handle_headers fills in is the response, without any main."""
    peer = script(
        """
        def handle_headers(frame, request, response):
            response.status = 203
            response.headers.update([("test", "passed")])
            response.content = repr((frame.stream_id == request.h2_stream_id, frame.stream_ended))
            response.headers.update((b"f-" + n.strip(b":"), v) for n, v in frame.headers)
        """
    )
    answer = peer.request("/s.py?a=b", headers=[("x", "y")])
    if kind in OVER_HTTP_1:
        assert answer.status == 505
        assert "needs HTTP/2, and this request came over HTTP/1.1" in answer.text
        return
    assert (answer.status, answer.get("test"), answer.text) == (203, "passed", "(True, True)")
    sent = {name: value for name, value in answer.fields if name.startswith(b"f-")}
    assert sent == {
        b"f-method": b"GET",
        b"f-scheme": b"https" if kind == "h2" else b"http",
        b"f-authority": b"localhost",
        b"f-path": b"/s.py?a=b",
        b"f-x": b"y",
    }


def test_data_alone(script: Script, kind: Kind) -> None:
    """handle_data may fill in the response piece by piece."""
    peer = script(
        """
        def handle_data(frame, request, response):
            response.content.append(frame.data.swapcase())
        """
    )
    if kind in OVER_HTTP_1:
        assert peer.request("/s.py", method="POST", content=b"x").status == 505
        return
    peer.send_request("/s.py", method="POST", end=False)
    peer.send_content(b"hello ", end=False)
    peer.send_content(b"WORLD", end=True)
    answer = peer.read_answer()
    assert (answer.status, answer.text) == (200, "HELLO world")


def test_all_three(script: Script, kind: Kind) -> None:
    """Head, each piece of content, and the end are answered when they come; main reads all once more."""
    peer = script(
        """
        def handle_headers(frame, request, response):
            assert request.frames == []
            response.status = 200
            response.write_status_headers()

        def handle_data(frame, request, response):
            assert len(request.frames) > 0
            response.writer.write_data(frame.data[::-1])

        def main(request, response):
            kinds = [type(frame).__name__ for frame in request.frames]
            assert kinds[0] == "HeadersFrame" and set(kinds[1:]) == {"DataFrame"}
            assert request.frames[-1].stream_ended
            assert sum(frame.flow_controlled_length for frame in request.frames[1:]) == 6
            response.writer.write_data(b"|" + request.body, last=True)
        """
    )
    if kind in OVER_HTTP_1:
        answer = peer.request("/s.py", method="POST", content=b"abcdef")
        assert answer.status == 505
        assert "request.frames needs HTTP/2" in answer.text
        return
    peer.send_request("/s.py", method="POST", end=False)
    peer.send_content(b"abc", end=False)
    assert peer.read_some() == b"cba"
    peer.send_content(b"def", end=True)
    answer = peer.read_answer()
    assert answer.content == b"cbafed|abcdef"
    assert answer.complete


def test_main_alone_over_http_1(script: Script, kind: Kind) -> None:
    """Over HTTP/1.1 main answers by itself, as far as it needs no frames."""
    peer = script(
        """
        def handle_headers(frame, request, response):
            response.headers.set("by", "handle_headers")

        def main(request, response):
            return "main"
        """
    )
    answer = peer.request("/s.py")
    assert answer.text == "main"
    assert answer.get("by") == (None if kind in OVER_HTTP_1 else "handle_headers")


@pytest.mark.parametrize(
    "call",
    [
        "write_data(b'')",
        "write_headers([], 200)",
        "write_push([])",
        "write_raw_header_frame([])",
        "get_max_payload_size()",
    ],
)
def test_verbs_that_need_http_2(script: Script, kind: Kind, call: str) -> None:
    """Over HTTP/1.1 a verb of HTTP/2 says so; it is no attribute."""
    peer = script(
        f"""
        def main(request, response):
            if {call.partition("(")[0]!r} in request.request_path:
                assert not hasattr(response.writer, "write_nothing")
                response.writer.{call}
            return str(hasattr(response.writer, "write_data"))
        """
    )
    if kind in OVER_HTTP_1:
        assert peer.request("/s.py").text == "False"
        answer = peer.request(f"/s.py?{call.partition('(')[0]}")
        assert answer.status == 505
        assert f"response.writer.{call.partition('(')[0]}() needs HTTP/2" in answer.text
    else:
        assert peer.request("/s.py").text == "True"


def test_an_early_end(script: Script, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    """A response that has ended before its request has is whole; writing behind it is an error in the log."""
    peer = script(
        """
        def handle_headers(frame, request, response):
            response.status = 403
            response.write_status_headers()
            response.writer.end_stream()

        def handle_data(frame, request, response):
            response.writer.write_data(frame.data)
        """
    )
    if kind in OVER_HTTP_1:
        return
    peer.send_request("/s.py", method="POST", end=False)
    with caplog.at_level(logging.ERROR, "wptproto"):
        peer.send_content(b"abc", end=True)
        answer = peer.read_answer()
        assert (answer.status, answer.complete, answer.reset) == (403, True, None)
        assert peer.request("/s.py").status == 403
        assert_soon(lambda: "failed behind the end of its response" in caplog.text)


@pytest.mark.parametrize("function", ["handle_headers", "handle_data"])
def test_a_broken_function(script: Script, kind: Kind, function: str) -> None:
    """A function that raises answers 500 with its traceback."""
    peer = script(
        f"""
        def {function}(frame, request, response):
            raise KeyError("what is wrong")

        def main(request, response):
            return "main"
        """
    )
    answer = peer.request("/s.py", method="POST", content=b"x")
    if kind in OVER_HTTP_1:
        assert answer.text == "main"
    else:
        assert answer.status == 500
        assert "what is wrong" in answer.text
        assert f"in {function}" in answer.text


@pytest.mark.parametrize("source", ["handle_data = 1", "async def handle_data(f, a, b): pass"])
def test_not_a_function(script: Script, source: str) -> None:
    """What cannot be called frame by frame is a 500 that says what it has to be."""
    answer = script(source).request("/s.py")
    assert answer.status == 500
    assert "handle_data(frame, request, response) has to be a plain function" in answer.text


def test_content_that_was_read_otherwise(script: Script, kind: Kind) -> None:
    """What a handler has read by itself is a frame all the same, and no frame is lost by it."""
    peer = script(
        """
        def main(request, response):
            request.raw_input.read(3)
            return [frame.data for frame in request.frames[1:]] + [b"|", request.body]
        """
    )
    if kind in OVER_HTTP_1:
        assert peer.request("/s.py", method="POST", content=b"abcdef").status == 505
        return
    assert peer.request("/s.py", method="POST", content=b"abcdef").text == "abcdef|abcdef"


def test_a_client_that_leaves(
    script: Script, server: Server, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that goes in the midst of its request ends the script, and is no error."""
    peer = script(
        """
        def handle_headers(frame, request, response):
            response.write_status_headers()

        def handle_data(frame, request, response):
            response.writer.write_data(frame.data)
        """
    )
    if kind in OVER_HTTP_1:
        return
    with caplog.at_level(logging.ERROR, "wptproto"):
        peer.send_request("/s.py", method="POST", end=False)
        peer.send_content(b"abc", end=False)
        assert peer.read_some() == b"abc"
        peer.sock.close()
        assert_soon(lambda: not server.state().connections and not server.state().handlers)
    assert not [name for name, _, _ in caplog.record_tuples if name.startswith("wptproto")]
