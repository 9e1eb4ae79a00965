"""Records: what has happened, as a test looks at it."""

from __future__ import annotations

import asyncio
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.peers import H2Peer, Kind, connect, open_socket
from tests.helpers.waiting import assert_soon
from wptproto import ConfigError, Request, Response, Server, WaitError
from wptproto.server import archive
from wptproto.server.records import Recording, recording_of

Make = Callable[..., Server]


@pytest.fixture
def make(certs_dir: Path) -> Iterator[Make]:
    """A function that starts a server, which is stopped in the end."""
    servers: list[Server] = []

    def started(handler: Callable[[Request, Response], Any] | None = None, **settings: Any) -> Server:
        routes = [("*", "/*", handler)] if handler is not None else []
        server = Server(routes=routes, certs_dir=certs_dir, **settings).start()
        servers.append(server)
        return server

    yield started
    for server in servers:
        server.stop()


def echo(request: Request, response: Response) -> bytes:
    response.headers.set("X-Seen", "1")
    return request.body


PROTOCOLS = {"h1": "HTTP/1.1", "h1s": "HTTP/1.1", "h2": "HTTP/2", "h2c": "HTTP/2"}


def test_an_exchange(make: Make, kind: Kind) -> None:
    """Whoever has a whole response finds request, response and connection recorded, over each protocol."""
    server = make(echo)
    headers = [("A", "1"), ("b", "2"), ("A", "3"), ("cookie", "c=d")]
    with connect(server, kind) as peer:
        assert peer.request("/x/y?q=1&q=2", method="POST", headers=headers, content=b'{"a": 1}').status == 200
        (record,) = server.exchanges
    assert (record.order, record.method, record.path, record.query) == (1, "POST", "/x/y", "q=1&q=2")
    assert (record.target, record.status, record.is_complete) == ("/x/y?q=1&q=2", 200, True)
    given = [(name, value) for name, value in record.fields if name.lower() in (b"a", b"b")]
    names = [b"a", b"b", b"a"] if PROTOCOLS[kind] == "HTTP/2" else [b"A", b"b", b"A"]
    assert given == list(zip(names, [b"1", b"2", b"3"], strict=True))
    assert record.headers["a"] == b"1, 3"
    assert record.cookies[b"c"].value == b"d"
    assert record.params.get(b"q") == b"1"
    assert (record.content, record.content_octets, record.text) == (b'{"a": 1}', 8, '{"a": 1}')
    assert record.json() == {"a": 1}
    assert record.protocol == PROTOCOLS[kind]
    assert record.number == 1
    assert (record.tls is not None) == (kind in ("h1s", "h2"))
    if record.tls is not None:
        assert record.tls.version == "TLSv1.3"
        assert (record.tls.cipher or "").startswith("TLS_")
        alpn = "h2" if kind == "h2" else "http/1.1"
        assert (record.tls.alpn_offered, record.tls.alpn_chosen) == ((alpn,), alpn)
        assert record.tls.server_name == "localhost"
    response = record.response
    assert (response.status, response.content, response.content_octets) == (200, b'{"a": 1}', 8)
    assert response.headers["x-seen"] == b"1"
    assert response.json() == {"a": 1}
    assert response.text == '{"a": 1}'
    assert record.request_ended_s is not None
    assert response.began_s is not None
    assert record.ended_s is not None
    assert 0 <= record.began_s <= record.request_ended_s <= response.began_s <= record.ended_s
    assert record.duration_s == record.ended_s - record.began_s
    assert abs(record.began_at - (record.connection.opened_at + record.began_s)) < 1e-6
    assert record.error is None
    assert record.violation is None
    assert repr(record).startswith(f"<ExchangeRecord 1.1: POST /x/y?q=1&q=2 over {PROTOCOLS[kind]}, with 8")
    text = str(record)
    assert "> POST /x/y?q=1&q=2" in text
    assert '> {"a": 1}' in text
    assert "< X-Seen: 1" in text
    assert "complete, after" in text


def test_connections(make: Make, kind: Kind) -> None:
    """Connections are recorded from the first to the last, and say how they ended."""
    server = make(echo)
    with connect(server, kind) as peer:
        peer.request("/")
        (record,) = server.connections
        assert record.closed_s is None
        assert record.ending is None
    assert_soon(lambda: record.closed_s is not None)
    assert (record.number, record.exchange_count) == (1, 1)
    assert record.ending == "the client closed it"
    assert record.client[0] == "127.0.0.1"
    assert record.port in (server.http_port, server.https_port)
    assert PROTOCOLS[kind] in repr(record)


def test_it_outlives_the_server(make: Make, kind: Kind) -> None:
    """What was recorded is there behind the stop; clear() forgets it."""
    server = make(echo)
    with connect(server, kind) as peer:
        peer.request("/")
    server.stop()
    assert [record.path for record in server.exchanges] == ["/"]
    assert server.exchange_count == 1
    server.clear()
    assert (server.exchanges, server.connections, server.violations) == ([], [], [])


def test_content_is_bounded(make: Make, kind: Kind) -> None:
    """Of long content the beginning is kept, and its true length."""
    server = make(echo, record=1000)
    with connect(server, kind) as peer:
        peer.request("/", method="POST", content=bytes(200_000))
        (record,) = server.exchanges
    assert (len(record.content), record.content_octets) == (1000, 200_000)
    assert (len(record.response.content), record.response.content_octets) == (1000, 200_000)


def test_exchanges_are_bounded(make: Make) -> None:
    """There are so many records; older ones go, and are counted."""
    server = make(echo, record=Recording(exchanges=3))
    with connect(server, "h1") as peer:
        for number in range(5):
            peer.request(f"/{number}")
        assert [record.path for record in server.exchanges] == ["/2", "/3", "/4"]
        assert server.exchange_count == 5
        assert [server.take_request().path for _ in range(3)] == ["/2", "/3", "/4"]


def test_all_content_is_bounded(make: Make) -> None:
    """So is the content of all records together; the newest is kept in any case."""
    server = make(echo, record=Recording(total_octets=250))
    with connect(server, "h1") as peer:
        for number in range(3):
            peer.request(f"/{number}", method="POST", content=bytes(100))
        assert [record.path for record in server.exchanges] == ["/2"]
        peer.request("/3", method="POST", content=bytes(1000))
        assert [record.path for record in server.exchanges] == ["/3"]


def test_sizes_of_chunks_and_frames(make: Make, kind: Kind) -> None:
    """How content was cut is recorded: into chunks, or into DATA frames."""
    server = make(echo)
    with connect(server, kind) as peer:
        peer.send_request("/", method="POST", end=False)
        peer.send_content(b"abc", end=False)
        peer.send_content(b"defgh", end=True)
        assert peer.read_answer().content == b"abcdefgh"
        (record,) = server.exchanges
    assert list(record.content_sizes)[:2] == [3, 5]


def test_trailers_and_interim_responses(make: Make, kind: Kind) -> None:
    """What comes before and behind the response is recorded."""

    def handler(request: Request, response: Response) -> None:
        response.explicit_flush = True
        writer = response.writer
        writer.write_status(103)
        writer.write_header("Link", "</a>")
        writer.end_headers()
        writer.write_status(200)
        writer.end_headers()
        writer.write_content("text")
        writer.write_trailers([("T", "1")])

    server = make(handler)
    with connect(server, kind) as peer:
        peer.request("/")
        (record,) = server.exchanges
    (interim,) = record.response.informational
    assert (interim.status, list(interim.fields)) == (103, [(b"Link", b"</a>")])
    assert list(record.response.trailers) == [(b"T", b"1")]
    assert "< 103" in str(record)
    assert "< T: 1" in str(record)


def test_a_response_by_hand(make: Make, kind: Kind) -> None:
    """A head that was written in pieces is recorded as what a client makes of it."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write_status(202)
        response.writer.write_header("X", "y")
        response.writer.end_headers()
        response.writer.write("content")

    server = make(handler)
    with connect(server, kind) as peer:
        assert peer.request("/").content == b"content"
        (record,) = server.exchanges
    assert record.status == 202
    assert record.response.headers["x"] == b"y"
    assert (record.response.content, record.is_complete) == (b"content", True)


def test_octets_that_are_no_response(make: Make) -> None:
    """Octets of which no client makes anything are kept as they are."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")

    server = make(handler)
    with connect(server, "h1") as peer:
        peer.request("/")
        (record,) = server.exchanges
    assert record.status == 200
    assert record.response.content == b""
    assert record.response.verbatim.endswith(b"zz\r\n")
    assert record.response.verbatim_octets == len(record.response.verbatim)


def test_frames_by_hand(make: Make) -> None:
    """Frames that a handler sent one by one are recorded one by one."""

    def handler(request: Request, response: Response) -> None:
        writer: Any = response.writer
        writer.write_raw_header_frame([(b":status", b"200")], end_stream=False, end_headers=True)
        writer.write_raw_data_frame(b"abc", end_stream=True)

    server = make(handler)
    with connect(server, "h2c") as peer:
        assert peer.request("/").content == b"abc"
        (record,) = server.exchanges
    assert len(record.response.frames) == 2
    assert "< frame" in str(record)


def test_an_error_is_there_with_its_answer(make: Make, kind: Kind) -> None:
    """Whoever has the 500 finds the error recorded that made it."""

    def handler(request: Request, response: Response) -> None:
        response.writer.pause(0.01)  # so that it has a thread of its own
        raise RuntimeError("on purpose")

    server = make(handler)
    with connect(server, kind) as peer:
        for _ in range(10):
            assert peer.request("/").status == 500
            record = server.exchanges[-1]
            assert isinstance(record.error, RuntimeError)
    assert "raised RuntimeError" in repr(record)
    assert "on purpose" in str(record)


def test_an_error_in_midst(make: Make, kind: Kind) -> None:
    """A response that a handler breaks off says why it ended."""

    def handler(request: Request, response: Response) -> None:
        response.writer.write_status(200)
        response.writer.end_headers()
        response.writer.write_content("some")
        raise RuntimeError("on purpose")

    server = make(handler)
    with connect(server, kind) as peer:
        peer.request("/")
        assert_soon(lambda: server.exchanges[0].outcome is not None)
        (record,) = server.exchanges
    assert record.outcome == "RuntimeError: on purpose"
    assert isinstance(record.error, RuntimeError)
    assert not record.is_complete


def test_a_response_that_is_whole_before_its_handler_is(
    make: Make, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that sends all of it and returns then: who has it finds the exchange ended."""
    monkeypatch.setattr(archive, "SETTLE_S", 20)

    def handler(request: Request, response: Response) -> None:
        response.explicit_flush = True
        response.headers.set("Content-Length", 4)
        response.writer.write_status(200)
        response.writer.write_header("Content-Length", 4)
        response.writer.end_headers()
        response.writer.write_content("text")
        response.writer.flush()
        response.writer.pause(0.05)

    server = make(handler)
    with connect(server, kind) as peer:
        peer.send_request("/")
        while not peer.read_some():
            pass
        (record,) = server.exchanges
    assert record.outcome == "complete"


def test_an_exchange_that_goes_on(make: Make, kind: Kind) -> None:
    """It is recorded as far as it is, and nobody waits for its end for long, nor twice."""
    go_on = threading.Event()

    def handler(request: Request, response: Response) -> Iterator[str]:
        yield "some"
        go_on.wait(10)
        yield "more"

    server = make(handler)
    with connect(server, kind) as peer:
        peer.send_request("/")
        peer.read_some()
        (record,) = server.exchanges
        (again,) = server.exchanges
        assert record is again
        assert record.outcome is None
        assert record.duration_s is None
        assert record.response.content == b"some"
        assert "not ended yet" in repr(record)
        go_on.set()
        peer.read_answer()
        assert server.exchanges[0].response.content == b"somemore"


def test_content_behind_the_response(make: Make, kind: Kind) -> None:
    """A handler that does not look at content answers early; what comes then is recorded nevertheless."""
    server = make(lambda request, response: "early")
    with connect(server, kind) as peer:
        peer.send_request("/", method="POST", headers=[("Content-Length", "6")], end=False)
        assert peer.read_answer().content == b"early"
        peer.send_content(b"abc", end=False)
        peer.send_content(b"def", end=True)
        record = server.take_request()
    assert record.content == b"abcdef"
    assert record.request_ended_s is not None


def test_the_client_leaves(make: Make, kind: Kind) -> None:
    """An exchange that its client gave up says so, and that is no violation."""
    began = threading.Event()

    def handler(request: Request, response: Response) -> None:
        began.set()
        response.writer.pause(0.01)
        _ = request.body

    server = make(handler)
    with connect(server, kind) as peer:
        peer.send_request("/", method="POST", end=False)
        assert began.wait(10)
    assert_soon(lambda: server.exchanges[0].outcome is not None)
    (record,) = server.exchanges
    assert not record.is_complete or record.status == 400  # which HTTP/1.1 tells who has half-closed
    assert record.request_ended_s is None
    assert "not whole" in repr(record)
    assert server.violations == []
    assert server.take_request() is record


def test_a_reset(make: Make) -> None:
    """A stream that its client reset says by which code."""
    server = make(lambda request, response: response.writer.pause(10))
    with connect(server, "h2c") as peer:
        assert isinstance(peer, H2Peer)
        peer.send_request("/")
        server.wait()
        peer.h2.reset_stream(1, 8)
        peer.sock.sendall(peer.h2.data_to_send())
        assert_soon(lambda: server.exchanges[0].outcome is not None)
    assert "CANCEL" in (server.exchanges[0].outcome or "")


def test_a_request_that_cannot_be_decoded(make: Make) -> None:
    """It is recorded, too, with the reason and its octets, and is a violation."""
    server = make(echo)
    with open_socket(server, "h1") as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        client.sendall(b"Host : a\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 400")
        assert_soon(lambda: bool(server.exchanges))
        (record,) = server.exchanges
    assert not record.is_decoded
    assert (record.method, record.target, record.path, record.query) == ("", "", "", "")
    assert list(record.fields) == []
    assert record.octets == b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"
    assert record.violation
    assert record.outcome == f"refused: {record.violation}"
    (violation,) = server.violations
    assert (violation.connection, violation.reason) == (1, record.violation)
    assert server.connections[0].violations == (violation,)
    assert "no request that could be decoded" in repr(record)
    assert "Host : a" in str(record)
    assert str(violation).startswith("connection 1: ")
    with pytest.raises(WaitError, match="could be decoded"):
        server.take_request(timeout=0)


def test_a_malformed_request_of_http_2(make: Make) -> None:
    """Over HTTP/2 it has a stream, and the connection goes on."""
    server = make(echo)
    with connect(server, "h2c") as peer:
        assert isinstance(peer, H2Peer)
        peer.h2.config.validate_outbound_headers = False
        assert peer.request("/", headers=[("te", "gzip")]).reset is not None
        assert peer.request("/").status == 200
        first, second = server.exchanges
    assert (first.number, first.is_decoded) == (1, False)
    assert (second.number, second.is_complete) == (3, True)
    assert server.violations[0].exchange == 1


def test_broken_framing(make: Make) -> None:
    """Content that breaks its framing is a violation of its exchange."""
    server = make(echo)
    with open_socket(server, "h1") as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 400")
        (record,) = server.exchanges
    assert record.violation
    assert server.violations[0].exchange == 1
    assert "violation:" in str(record)


def test_a_handshake_that_fails(make: Make) -> None:
    """A connection on which there is no speaking TLS says why."""
    server = make(echo)
    with socket.create_connection(("127.0.0.1", server.https_port or 0)) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 400")
    assert_soon(lambda: server.connections[0].ending is not None)
    (record,) = server.connections
    assert record.tls_failure == "the client speaks plain HTTP to a TLS port"
    assert record.ending == f"there was no TLS: {record.tls_failure}"
    assert "no TLS" in str(record)


def test_an_upgrade(make: Make) -> None:
    """A request that came by Upgrade is stream 1 of HTTP/2."""
    server = make(echo)
    with open_socket(server, "h1") as client:
        client.sendall(
            b"GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
        )
        assert_soon(lambda: bool(server.exchanges))
        record = server.take_request()
    assert (record.path, record.number, record.protocol) == ("/up", 1, "HTTP/2")


def test_a_promise(make: Make) -> None:
    """What the server promised is recorded as that, and is no request to take."""

    def handler(request: Request, response: Response) -> str:
        if request.path == "/":
            writer: Any = response.writer
            promised = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/pushed")]
            writer.write_push(promised, None, 200, [], "pushed")
        return "main"

    server = make(handler)
    with connect(server, "h2c") as peer:
        peer.request("/")
        assert_soon(lambda: len(server.exchanges) == 2)
        first, second = server.exchanges
    assert not first.is_promised
    assert second.is_promised
    assert second.path == "/pushed"
    server.take_request()
    with pytest.raises(WaitError):
        server.take_request(timeout=0)


def test_an_async_handler_looks(make: Make, kind: Kind) -> None:
    """On the loop's own thread nothing is waited for, and what would wait is refused."""

    async def handler(request: Request, response: Response) -> str:
        server: Server = request.server
        with pytest.raises(RuntimeError, match="await take_request_async"):
            server.take_request()
        record = await server.take_request_async()
        (same,) = await server.wait_async(whole=False)
        assert record is same
        return f"{len(server.exchanges)} {record.path}"

    server = make(handler)
    with connect(server, kind) as peer:
        assert peer.request("/x").text == "1 /x"


def test_nothing_is_recorded(make: Make) -> None:
    """Where nothing is recorded, to ask for it is an error that says so."""
    server = make(echo, record=False)
    for ask in (
        lambda: server.exchanges,
        lambda: server.connections,
        lambda: server.violations,
        lambda: server.exchange_count,
        server.take_request,
        server.wait,
    ):
        with pytest.raises(ConfigError, match="records nothing"):
            ask()
    server.check()
    server.clear()


def test_recording_can_end(make: Make) -> None:
    """record_nothing() drops what there is, and connections to come are not recorded."""
    server = make(echo)
    server.record_nothing()
    server.record_nothing()
    with pytest.raises(ConfigError):
        _ = server.exchanges


@pytest.mark.parametrize("record", [-1, "yes", None, Recording(exchanges=0)])
def test_what_record_may_be(record: Any) -> None:
    """It is True, False, a number of octets, or a Recording."""
    with pytest.raises(ConfigError, match="record"):
        recording_of(record)


def test_what_record_is() -> None:
    """A number is of octets of each content."""
    assert recording_of(True) == Recording()
    assert recording_of(False) is None
    assert recording_of(0) == Recording(content_octets=0)
    assert recording_of(Recording(5)) == Recording(exchanges=5)


# --- waits ------------------------------------------------------------------------------------


def test_take_request(make: Make, kind: Kind) -> None:
    """Each request is taken once, in order; where there is none, a time-out says what came."""
    server = make(echo)
    with connect(server, kind) as peer:
        peer.request("/a")
        peer.request("/b")
        assert [server.take_request().path for _ in range(2)] == ["/a", "/b"]
        with pytest.raises(WaitError, match=r"no further request \(within 0.01 s\)(.|\n)*1.1: GET /a"):
            server.take_request(timeout=0.01)


def test_nothing_came(make: Make) -> None:
    """A time-out also says that nothing came; and one connection without a request."""
    server = make(echo)
    with pytest.raises(WaitError, match="no connection either"):
        server.wait(timeout=0)
    with open_socket(server, "h1"):
        assert_soon(lambda: bool(server.connections))
        with pytest.raises(WaitError, match=r"connections without a request, 1:\n  connection 1 of"):
            server.wait(timeout=0)


def test_wait(make: Make, kind: Kind) -> None:
    """Requests are waited for by number, path, method or any function."""
    server = make(echo)
    found: list[list[str]] = []

    def wait() -> None:
        found.append([record.path for record in server.wait(2, method="GET", path="/a/*")])
        found.append([record.path for record in server.wait(lambda record: record.is_complete, count=3)])

    thread = threading.Thread(target=wait)
    thread.start()
    with connect(server, kind) as peer:
        for path in ("/a/1", "/b", "/a/2"):
            peer.request(path)
    thread.join(10)
    assert found == [["/a/1", "/a/2"], ["/a/1", "/b", "/a/2"]]
    with pytest.raises(WaitError, match="waited for 3 requests GET /a/\\*, and 2 came"):
        server.wait(3, method="GET", path="/a/*", timeout=0)
    with pytest.raises(WaitError, match=r"waited for 1 request for which .*lambda.* holds, and none came"):
        server.wait(lambda record: False, timeout=0)


def test_wait_for_a_head(make: Make, kind: Kind) -> None:
    """A request counts when it is whole, or, if that is wanted, when its head has come."""
    server = make(echo)
    with connect(server, kind) as peer:
        peer.send_request("/", method="POST", end=False)
        (record,) = server.wait(whole=False)
        with pytest.raises(WaitError):
            server.wait(timeout=0)
        peer.send_content(b"x", end=True)
        assert server.wait() == [record]


@pytest.mark.parametrize(("what", "path"), [(0, None), ("1", None), (True, None), (1, "/{")])
def test_what_can_be_waited_for(make: Make, what: Any, path: str | None) -> None:
    """A number from 1 on, and a path as routes have."""
    with pytest.raises(ConfigError, match="wait: "):
        make(echo).wait(what, path=path)


def test_a_stop_ends_waits(make: Make) -> None:
    """Nobody waits longer than the server runs."""
    server = make(echo)
    errors: list[WaitError] = []

    def wait() -> None:
        with pytest.raises(WaitError) as raised:
            server.take_request(timeout=60)
        errors.append(raised.value)

    thread = threading.Thread(target=wait)
    thread.start()
    server.stop()
    thread.join(10)
    assert "the server does not run" in str(errors[0])
    with pytest.raises(WaitError, match="does not run"):
        server.wait(timeout=60)


def test_waits_in_another_loop(make: Make, kind: Kind) -> None:
    """A test with a loop of its own awaits what its client's requests bring; if it blocks, it is told."""
    server = make(echo)

    async def test() -> None:
        def ask() -> None:
            with connect(server, kind) as peer:
                peer.request("/x")

        asking = asyncio.create_task(asyncio.to_thread(ask))
        assert (await server.take_request_async(timeout=10)).path == "/x"
        assert len(await server.wait_async(path="/x", timeout=10)) == 1
        await asking
        with pytest.raises(WaitError):
            await server.take_request_async(timeout=0.01)
        with pytest.raises(WaitError, match="stands still in a wait that is not awaited"):
            server.wait(5, timeout=0.01)

    asyncio.run(test())


def test_a_handler_waits_for_another_request(make: Make, kind: Kind) -> None:
    """A plain handler may wait, too: the loop goes on meanwhile."""

    def handler(request: Request, response: Response) -> str:
        if request.path == "/first":
            server: Server = request.server
            return server.wait(path="/second", timeout=10)[0].path
        return "second"

    server = make(handler)
    with connect(server, kind) as one, connect(server, kind) as other:
        one.send_request("/first")
        other.request("/second")
        assert one.read_answer().text == "/second"


def test_a_client_certificate_is_recorded(certs_dir: Path) -> None:
    """Who the client is, as it has shown by TLS, is there; and what it offered, where TLS failed."""
    with Server(certs_dir=certs_dir, client_certificates="required", http_port=None) as server:
        server.enqueue(204)
        context = server.client_context()
        context.load_cert_chain(*server.client_certificate("alice"))
        with urllib.request.urlopen(server.https_url(), context=context, timeout=10) as answer:
            assert answer.status == 204
        with pytest.raises(OSError, match=r"(?i)certificate required|eof|reset"):
            urllib.request.urlopen(server.https_url(), context=server.client_context(), timeout=10)
        (exchange,) = server.exchanges
        assert exchange.tls is not None
        assert exchange.tls.client_certificate is not None
        assert b"alice" in exchange.tls.client_certificate
        assert_soon(lambda: server.connections[1].tls_failure is not None)
        failed = server.connections[1].tls
        assert failed is not None
        assert (failed.server_name, failed.client_certificate) == ("localhost", None)
