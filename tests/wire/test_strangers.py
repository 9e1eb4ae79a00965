"""The wire by hand with strangers' clients, as somebody writes it who tests one of them."""

from __future__ import annotations

import http.client
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import curl, nghttp  # noqa: F401 -- fixtures
from tests.wire.conftest import Go
from wptproto import Server
from wptproto.protocol.h2_field_blocks import BlockItem
from wptproto.wire import GOAWAY, RST_STREAM, Ending, ErrorCode, Indexed, Literal, TableSize


@pytest.fixture
def server(certs_dir: Path) -> Iterator[Server]:
    with Server(by_hand=True, certs_dir=certs_dir) as server:
        yield server


def fetch(
    server: Server, method: str = "GET", path: str = "/", content: bytes | None = None
) -> httpx.Response:
    """Ask by httpx, over HTTP/2."""
    with httpx.Client(
        http1=False, http2=True, verify=server.client_context(), trust_env=False, timeout=20
    ) as client:
        return client.request(method, server.https_url(path), content=content)


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=20)


# --- httpx -------------------------------------------------------------------------------------


def test_an_upload_against_a_closed_window(server: Server, go: Go) -> None:
    """httpx sends as much as the window has, waits, and goes on octet by octet as it opens."""
    upload = go(fetch, server, "POST", "/upload", b"x" * 65_545)
    with server.accept(protocol="h2", windows="withheld") as conn:
        stream = conn.expect_headers(method="POST", path="/upload").stream_id
        assert len(conn.read_content(stream, 65_535)) == 65_535
        conn.expect_nothing(for_s=0.05)  # it waits
        assert conn.windows(stream).to_receive == 0
        conn.send_window_update(0, 1000)
        conn.expect_nothing(for_s=0.05)  # still: the stream's own is closed
        conn.drip_windows(1)
        assert conn.read_content(stream) == b"x" * 10
        conn.respond(stream, 200, {"x-sum": 65_545})
        assert upload.result().headers["x-sum"] == "65545"


def test_goaway_in_mid_flight(server: Server, go: Go, curl: str) -> None:  # noqa: F811
    """A GOAWAY lets the request in flight be answered; curl makes the next one on another connection."""
    both = go(
        run, curl, "-sk", "-w", "%{http_code} ", server.https_url("/first"), server.https_url("/second")
    )
    with server.accept(protocol="h2") as conn:
        stream = conn.expect_headers(path="/first").stream_id
        conn.send_headers(stream, status=200)
        conn.send_goaway(stream, ErrorCode.NO_ERROR)
        conn.send_data(stream, b"the rest ", end_stream=True)
        with server.accept(protocol="h2") as other:
            other.respond(other.expect_headers(path="/second").stream_id, 204)
            assert both.result().stdout == "the rest 200 204 "


def test_goaway_that_refuses(server: Server, go: Go) -> None:
    """A request that GOAWAY says was not acted upon is an error for httpx, and the connection ends."""
    fetching = go(fetch, server)
    with server.accept(protocol="h2") as conn:
        conn.expect_headers()
        conn.send_goaway(0, "ENHANCE_YOUR_CALM", b"later")
        with pytest.raises(httpx.HTTPError):
            fetching.result()
        assert conn.expect_closed() is Ending.FIN


def test_content_that_ends_in_a_reset(server: Server, go: Go) -> None:
    """A stream that is reset in the midst of its content is an error for httpx."""
    fetching = go(fetch, server)
    with server.accept(protocol="h2") as conn:
        stream = conn.expect_headers().stream_id
        conn.send_headers(stream, {"content-length": 10}, status=200)
        conn.send_data(stream, b"part")
        conn.send_reset(stream, "INTERNAL_ERROR")
        with pytest.raises(httpx.RemoteProtocolError):
            fetching.result()


# --- curl, nghttp ------------------------------------------------------------------------------


def test_a_frame_that_lies(server: Server, go: Go, curl: str) -> None:  # noqa: F811
    """A frame that says that it is longer than it may be ends the connection for curl, before it is there."""
    asking = go(run, curl, "-sk", server.https_url())
    with server.accept(protocol="h2") as conn:
        stream = conn.expect_headers().stream_id
        conn.send_frame("DATA", 0, stream, b"abc", length=2**24 - 1)
        assert conn.expect(GOAWAY, code=ErrorCode.FRAME_SIZE_ERROR).last_stream_id == 0
        conn.expect_closed()
        assert asking.result().returncode != 0


def test_a_window_that_is_below_0(server: Server, go: Go, curl: str, tmp_path: Path) -> None:  # noqa: F811
    """Settings that take from a window what was used already: curl waits until it is above 0 again."""
    file = tmp_path / "file"
    file.write_bytes(b"x" * 70_000)
    upload = go(run, curl, "-sk", "-T", str(file), server.https_url("/upload"))
    with server.accept(protocol="h2", windows="withheld") as conn:
        stream = conn.expect_headers(method="PUT").stream_id
        conn.read_content(stream, 65_535)
        conn.send_settings({"INITIAL_WINDOW_SIZE": 1000})
        conn.send_window_update(0, 100_000)
        conn.send_window_update(stream, 1000)
        conn.expect_acknowledged()
        assert conn.windows(stream).to_receive == 2000 - 65_535
        conn.expect_nothing(for_s=0.05)
        conn.open_windows()
        assert len(conn.read_content(stream)) == 4465
        conn.respond(stream, 200, (), b"thanks")
        assert upload.result().stdout == "thanks"


@pytest.mark.parametrize("kind", ["h2", "h2c"])
def test_own_hpack(server: Server, go: Go, curl: str, kind: str) -> None:  # noqa: F811
    """curl reads each representation, and a table that was emptied and filled again."""
    options = ["--http2-prior-knowledge", server.http_url()] if kind == "h2c" else ["-k", server.https_url()]
    asking = go(run, curl, "-si", *options)
    with server.accept("h2c" if kind == "h2c" else "h2") as conn:
        stream = conn.expect_headers().stream_id
        block: list[BlockItem] = [
            TableSize(0),
            TableSize(4096),
            Indexed(8),
            Literal("x-never", "1", "never", huffman=False),
            Literal("x-own", "2"),
            Indexed(62),
            ("x-own", "2"),
        ]
        conn.send_headers(stream, block, end_stream=True, fragments=[1, 2, 3])
        answer = asking.result().stdout
        assert answer.split("\n")[1:5] == ["x-never: 1", "x-own: 2", "x-own: 2", "x-own: 2"]


def test_a_table_that_is_not_allowed(server: Server, go: Go, curl: str) -> None:  # noqa: F811
    """A table larger than its settings allow is a compression error for curl, which says GOAWAY."""
    asking = go(run, curl, "-s", "--http2-prior-knowledge", server.http_url())
    with server.accept("h2c") as conn:
        conn.send_headers(
            conn.expect_headers().stream_id, [TableSize(1_000_000), Indexed(8)], end_stream=True
        )
        assert asking.result().returncode != 0
        assert conn.expect_closed() in (Ending.FIN, Ending.RESET)


def test_settings_that_are_withheld(server: Server, go: Go, nghttp: str) -> None:  # noqa: F811
    """nghttp keeps the rules when its server has yet to say anything, and answers what it is sent."""
    asking = go(run, nghttp, "-n", "--timeout=5", server.http_url("/x"))
    with server.accept("h2c", settings=None) as conn:
        head = conn.expect_headers(method="GET", path="/x", fields={"accept": "*/*"})
        assert b"user-agent" in head.fields
        conn.send_settings({"MAX_CONCURRENT_STREAMS": 1})
        conn.send_ping(b"are you?")
        assert conn.expect("PING", ack=True).payload == b"are you?"
        conn.send_push_promise(head.stream_id, 2, head.lines)
        conn.respond(2, 200, (), b"pushed")
        conn.respond(head.stream_id, 200, (), b"asked for")
        assert asking.result().returncode == 0


def test_a_response_that_is_malformed(server: Server, go: Go, nghttp: str) -> None:  # noqa: F811
    """nghttp resets a stream whose response has an upper case name, and keeps the connection."""
    asking = go(run, nghttp, "-n", "--timeout=5", server.https_url())
    with server.accept("h2") as conn:
        stream = conn.expect_headers().stream_id
        conn.send_headers(stream, [("X-UPPER", "1")], status=200, end_stream=True)
        conn.expect(RST_STREAM, stream_id=stream, code="PROTOCOL_ERROR")
        asking.result()


# --- http.client -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["h1", "h1s"])
def test_octet_by_octet(server: Server, go: Go, kind: str) -> None:
    """http.client reads a response of which each octet is a segment, and each record one octet."""

    def get() -> tuple[int, bytes]:
        if kind == "h1":
            client = http.client.HTTPConnection("localhost", server.http_port or 0, timeout=20)
        else:
            context = server.client_context()
            client = http.client.HTTPSConnection(
                "localhost", server.https_port or 0, timeout=20, context=context
            )
        try:
            client.request("POST", "/x", body=iter([b"ab", b"c"]), headers={"Accept": "*/*"})
            answer = client.getresponse()
            return answer.status, answer.read()
        finally:
            client.close()

    asking = go(get)
    octets = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    with server.accept("h1" if kind == "h1" else "h1s") as conn:
        request = conn.expect_request(method="POST", target="/x", fields={"accept": "*/*"})
        assert (request.content, request.chunks) == (b"abc", [2, 1])
        if kind == "h1":
            conn.send(octets, segments=[1] * len(octets))
        else:
            conn.send(octets, records=[1] * len(octets), segments=[1, 2, 3])
        assert asking.result() == (200, b"ok")
        conn.expect_closed()


def test_content_that_is_cut_off(server: Server, go: Go) -> None:
    """http.client says how much is missing of content that ends too soon."""

    def get() -> bytes:
        client = http.client.HTTPConnection("localhost", server.http_port or 0, timeout=20)
        try:
            client.request("GET", "/")
            return client.getresponse().read()
        finally:
            client.close()

    asking = go(get)
    with server.accept("h1") as conn:
        conn.expect_request()
        conn.send_response(200, {"Content-Length": 10}, b"half")
        conn.half_close()
        with pytest.raises(http.client.IncompleteRead) as raised:
            asking.result()
        assert raised.value.partial == b"half"
        conn.expect_closed()


def test_100_continue(server: Server, go: Go, curl: str) -> None:  # noqa: F811
    """curl waits for 100 before it sends content, gets it, and then a reset in the place of an answer."""
    asking = go(run, curl, "-sS", "-H", "Expect: 100-continue", "-d", "content", server.http_url())
    with server.accept("h1") as conn:
        head = conn.expect_head(method="POST")
        assert head.expects_continue
        assert conn.read_content(head).content == b"content"
        conn.reset()
    assert asking.result().returncode == 56
