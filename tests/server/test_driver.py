"""Driver: what becomes of connections whose clients do as clients do, and as they should not."""

from __future__ import annotations

import contextlib
import gc
import logging
import socket
import ssl
import struct
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from h2.settings import SettingCodes

from tests.helpers.peers import H1Peer, H2Peer, Kind, connect, open_socket
from tests.helpers.waiting import assert_soon
from wptproto import LocalProtocolError, Request, Response, Server
from wptproto.protocol.h1 import H1Connection
from wptproto.protocol.h2 import H2Connection
from wptproto.server.driver import Driver
from wptproto.server.state import Doing


def handler(request: Request, response: Response) -> str:
    return f"{len(request.body)}"


@pytest.fixture
def server(certs_dir: Path) -> Iterator[Server]:
    with Server(routes=[("*", "/*", handler)], certs_dir=certs_dir) as server:
        yield server


def drivers(server: Server) -> set[Driver]:
    assert server._engine is not None
    return server._engine._drivers


def read_all(sock: socket.socket) -> bytes:
    octets = b""
    with contextlib.suppress(ConnectionResetError, ssl.SSLError):
        while data := sock.recv(65536):
            octets += data
    return octets


# --- refusing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "status", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400", b"Host"),
        (b"INVALID CONNECTION PREFACE\r\n\r\n", b"400", b"not a version of HTTP"),
        (b"PRI * HTTP/2.0\r\n\r\nNO", b"400", b"preface"),
        (b"\x16\x03\x01\x00\x05", b"400", b"TLS"),
        (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", b"505", b"HTTP/3.0"),
    ],
)
def test_refused_in_the_clear(
    server: Server, octets: bytes, status: bytes, reason: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A protocol error is told to the client with its reason, logged, and the connection ends."""
    with open_socket(server, "h1") as sock:
        sock.sendall(octets)
        answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert reason in answer
    assert "protocol error" in caplog.text


def test_refusal_survives_what_was_not_read(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends on gets its 400 all the same: refuse, then linger (RFC 9112 §9.6)."""
    monkeypatch.setattr("wptproto.server.outlet.LINGER_S", 20)
    with open_socket(server, "h1") as sock:
        sock.sendall(b"BAD\r\n\r\n" + b"x" * 3_000_000)
        assert read_all(sock).startswith(b"HTTP/1.1 400")


def test_lingering_ends(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that never closes is closed after a moment."""
    monkeypatch.setattr("wptproto.server.outlet.LINGER_S", 0.05)
    with open_socket(server, "h1") as sock:
        sock.sendall(b"BAD\r\n\r\n")
        assert_soon(lambda: not drivers(server))


def test_plain_http_on_the_tls_port(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """A client that speaks plain HTTP to the TLS port is told so, in plain HTTP."""
    with socket.create_connection(("127.0.0.1", server.https_port or 0), timeout=10) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"https://" in answer
    assert "plain HTTP to a TLS port" in caplog.text


def test_client_that_does_not_trust(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """A client that does not trust the certificate is in the log, with the way to mend it."""
    context = ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", server.https_port or 0), timeout=10) as sock,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(sock, server_hostname="localhost")
    assert_soon(lambda: "does not trust the certificate" in caplog.text)
    assert "wptproto certs" in caplog.text


def test_http2_error_has_its_reason(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """An HTTP/2 protocol error is told by GOAWAY with its reason in the debug data, and logged."""
    with H2Peer(open_socket(server, "h2c"), scheme="http") as peer:
        peer.sock.sendall(b"\x00\x00\x01\x00\x00\x00\x00\x00\x01x")  # DATA on an idle stream
        while peer._receive():
            pass
        assert peer.goaway is not None
        assert peer.goaway.additional_data
        assert peer.goaway.additional_data.decode() in caplog.text


def test_http2_by_alpn_without_its_preface(server: Server) -> None:
    """A client that negotiated h2 and speaks HTTP/1.1 gets GOAWAY, not silence."""
    with open_socket(server, "h2") as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"\x07\x00\x00\x00\x00\x00" in read_all(sock)


def test_no_alpn_is_http_1(server: Server) -> None:
    """A TLS client without ALPN speaks HTTP/1.1."""
    context = server.client_context()
    with (
        socket.create_connection(("127.0.0.1", server.https_port or 0), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as sock,
    ):
        assert sock.selected_alpn_protocol() is None
        assert H1Peer(sock).request().text == "0"


# --- leaving -------------------------------------------------------------------------------------


def test_half_close_is_not_cancelling(server: Server, kind: Kind) -> None:
    """After a complete request, FIN or not, the answer comes; then the connection ends."""
    with connect(server, kind) as peer:
        peer.send_request()
        if kind in ("h1", "h2c"):
            peer.sock.shutdown(socket.SHUT_WR)
        assert peer.read_answer().text == "0"
    assert_soon(lambda: not drivers(server))


def test_half_close_inside_a_request(server: Server) -> None:
    """Inside a request, FIN is the client's error: 400."""
    with open_socket(server, "h1") as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nxx")
        sock.shutdown(socket.SHUT_WR)
        answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"3 of the 5 octets" in answer


def test_broken_framing_while_a_handler_reads(server: Server) -> None:
    """The client's error is 400, not 500, also when it shows while a handler reads the content."""
    with open_socket(server, "h1") as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
        answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"not a chunk size" in answer


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_may_vanish_at_any_octet(
    server: Server, kind: Kind, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Wherever a client leaves, nothing of it stays, and no traceback is logged."""
    caplog.set_level(logging.INFO)
    sample = {
        "h1": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "h1s": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    }
    octets = sample.get(kind, b"") or _h2_octets()
    for end in range(0, len(octets), 3):
        sock = open_socket(server, kind)
        sock.sendall(octets[:end])
        if how == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    assert_soon(lambda: not drivers(server))
    assert "Traceback" not in caplog.text


def _h2_octets() -> bytes:
    import h2.connection

    client = h2.connection.H2Connection()
    client.initiate_connection()
    client.send_headers(1, [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/")])
    client.send_data(1, b"hello", end_stream=True)
    octets: bytes = client.data_to_send()
    return octets


def test_memory_is_given_back(certs_dir: Path, kind: Kind) -> None:
    """When connections are gone, so is all that belonged to them."""

    def count() -> int:
        gc.collect()
        return sum(isinstance(thing, Request | Driver) for thing in gc.get_objects())

    with Server(routes=[("*", "/*", handler)], certs_dir=certs_dir) as server:
        before = count()
        for _ in range(20):
            with connect(server, kind) as peer:
                peer.request(method="POST", content=b"x")
        assert_soon(lambda: not drivers(server))
        assert_soon(lambda: count() <= before + 2)


def test_a_reset_stream_needs_no_handler(certs_dir: Path) -> None:
    """What the client has reset before its handler could begin is not begun."""
    begun = threading.Semaphore(0)

    def counted(request: Request, response: Response) -> None:
        begun.release()

    with (
        Server(routes=[("*", "/*", counted)], certs_dir=certs_dir) as server,
        H2Peer(open_socket(server, "h2c"), scheme="http") as peer,
    ):
        octets = b""
        for _ in range(500):
            stream = peer.h2.get_next_available_stream_id()
            pseudo = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")]
            peer.h2.send_headers(stream, pseudo, end_stream=True)
            peer.h2.reset_stream(stream)
        octets = peer.h2.data_to_send()
        peer.sock.sendall(octets)
        assert peer.request().complete
        assert_soon(lambda: not drivers(server) or not next(iter(drivers(server)))._exchanges.running)
    count = 0
    while begun.acquire(blocking=False):
        count += 1
    assert 1 <= count < 400


def test_a_client_that_leaves_in_mid_upload_is_no_error(
    certs_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that vanishes while a handler answers and reads in turn leaves no traceback in the log."""
    answered, through = threading.Event(), threading.Event()

    def both(request: Request, response: Response) -> Iterator[bytes]:
        try:
            while piece := request.raw_input.read1():
                yield piece
                answered.set()
        finally:
            through.set()

    with Server(routes=[("*", "/*", both)], certs_dir=certs_dir, https_port=None) as server:
        sock = open_socket(server, "h1")
        sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nx")
        assert answered.wait(10)
        sock.shutdown(socket.SHUT_WR)
        assert through.wait(10)
        read_all(sock)
        sock.close()
    assert "Traceback" not in caplog.text


def test_content_is_let_go(certs_dir: Path, kind: Kind) -> None:
    """What a response held is free when it has been sent, and does not wait for the garbage collector."""

    left: list[weakref.ref[Thing]] = []

    class Thing:
        """Something the content alone keeps; octets themselves cannot be watched."""

    def handler(request: Request, response: Response) -> None:
        thing = Thing()
        left.append(weakref.ref(thing))
        response.content = [lambda thing=thing: "content"]

    with Server(routes=[("*", "/*", handler)], certs_dir=certs_dir) as server, connect(server, kind) as peer:
        gc.disable()
        try:
            assert peer.request().text == "content"
            assert_soon(lambda: left[0]() is None)
        finally:
            gc.enable()


# --- slow clients --------------------------------------------------------------------------------


def is_stalled(server: Server) -> bool:
    """Whether the one response waits for its client to read."""
    exchanges = [one for found in server.state().connections for one in found.exchanges]
    return [one.doing for one in exchanges] in ([Doing.UNREAD], [Doing.WINDOW])


def test_a_client_that_does_not_read_holds_up_no_other(certs_dir: Path, kind: Kind) -> None:
    """A response that nobody takes waits; another connection is served meanwhile."""
    made = 0

    def big(request: Request, response: Response) -> Iterator[bytes]:
        nonlocal made
        for _ in range(400):
            made += 1
            yield b"x" * 100_000

    with (
        Server(routes=[("*", "/big", big), ("*", "/small", handler)], certs_dir=certs_dir) as server,
        connect(server, kind) as slow,
        connect(server, kind) as quick,
    ):
        slow.send_request("/big")
        assert quick.request("/small").text == "0"
        assert_soon(lambda: is_stalled(server))
        last = -1
        while made != last:  # until it does not go on any more
            last = made
            time.sleep(0.2)
        assert made < 200
        assert quick.request("/small").text == "0"
        assert len(slow.read_answer().content) == 40_000_000


def test_streams_do_not_disturb_each_other(certs_dir: Path) -> None:
    """An upload that nobody reads and a download that nobody takes leave the other streams alone."""
    reading, go_on = threading.Event(), threading.Event()

    def slow(request: Request, response: Response) -> str:
        reading.set()
        go_on.wait(20)
        return str(len(request.body))

    def big(request: Request, response: Response) -> bytes:
        return b"x" * 1_000_000

    routes = [("*", "/slow", slow), ("*", "/big", big), ("*", "/small", handler)]
    with (
        Server(routes=routes, certs_dir=certs_dir) as server,
        H2Peer(open_socket(server, "h2"), scheme="https") as peer,
    ):
        uploads = []
        for _ in range(
            12
        ):  # together more than the connection's window, if it were not for each stream's own
            peer.send_request("/slow", method="POST", end=False)
            while peer.h2.local_flow_control_window(peer.last) < 65_536:
                assert peer._receive()
            peer.send_content(b"u" * 100_000, end=False)
            uploads.append(peer.last)
        assert reading.wait(10)
        peer.auto_acknowledge = False
        peer.send_request("/big")
        download = peer.last
        while sum(map(len, peer.answers[download].pieces)) < 65_535:
            assert peer._receive()
        peer.h2.increment_flow_control_window(1_000_000)  # the connection's alone
        peer._flush()
        assert peer.request("/small", method="POST", content=b"123").text == "3"
        go_on.set()
        for upload in uploads:
            peer.last = upload
            peer.send_content(b"", end=True)
        assert [peer.read_answer(upload).text for upload in uploads] == ["100000"] * 12
        peer.h2.increment_flow_control_window(1_000_000, download)
        peer._flush()
        assert len(peer.read_answer(download).content) == 1_000_000


def test_reset_stream_lets_its_handler_go(certs_dir: Path) -> None:
    """A handler whose stream the client reset finds its peer gone; the connection goes on."""
    begun, through = threading.Event(), threading.Event()

    def endless(request: Request, response: Response) -> Iterator[bytes]:
        try:
            while True:
                begun.set()
                yield b"x" * 1000
        finally:
            through.set()

    routes = [("*", "/endless", endless), ("*", "/small", handler)]
    with (
        Server(routes=routes, certs_dir=certs_dir) as server,
        H2Peer(open_socket(server, "h2c"), scheme="http") as peer,
    ):
        peer.send_request("/endless")
        assert begun.wait(10)
        peer.h2.reset_stream(peer.last)
        peer._flush()
        assert through.wait(10)
        assert peer.request("/small").text == "0"


def test_pipelined_requests(server: Server) -> None:
    """Pipelined requests are answered in order, over one connection."""
    with open_socket(server, "h1") as sock:
        one = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
        sock.sendall(b"".join(one % (n, b"x" * n) for n in range(9)) + b"GET / HTTP/1.0\r\n\r\n")
        octets = read_all(sock)
    bodies = [part.partition(b"\r\n\r\n")[2][:1] for part in octets.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert bodies == [b"%d" % n for n in range(9)] + [b"0"]


def test_upgrade_to_h2c(server: Server) -> None:
    """Upgrade: h2c is answered 101, and then by HTTP/2 on stream 1 (RFC 7540 §3.2)."""
    import h2.config
    import h2.connection
    import h2.events

    client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
    settings = client.initiate_upgrade_connection()
    assert settings is not None
    with open_socket(server, "h1") as sock:
        sock.sendall(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
            b"HTTP2-Settings: " + settings + b"\r\n\r\n"
        )
        octets = b""
        while b"\r\n\r\n" not in octets:
            piece = sock.recv(1000)
            assert piece
            octets += piece
        head, _, octets = octets.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        events = client.receive_data(octets)
        sock.sendall(client.data_to_send())
        while not any(isinstance(event, h2.events.StreamEnded) for event in events):
            piece = sock.recv(1000)
            assert piece
            events += client.receive_data(piece)
    data = [event.data for event in events if isinstance(event, h2.events.DataReceived)]
    assert data == [b"0"]


def test_a_fault_of_ours_is_kept_to_its_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Should the server fail at one connection, that one is cut off, and the others are served."""

    def fail(self: Driver, bridge: object) -> None:
        raise AssertionError("a fault")

    with connect(server, "h1") as one, connect(server, "h1") as other:
        assert one.request().text == "0"
        with monkeypatch.context() as patch:
            patch.setattr(Driver, "serve", fail)
            assert not one.request().complete
        assert other.request().text == "0"
    assert "by a fault of the server" in caplog.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LocalProtocolError("not allowed"), "cut off: not allowed"),
        (KeyError("fault"), "by a fault of the server"),
    ],
)
@pytest.mark.parametrize("sends", ["send_head", "respond"])
def test_a_fault_is_kept_to_its_exchange(
    server: Server,
    kind: Kind,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    said: str,
    sends: str,
) -> None:
    """What cannot be sent cuts off its own exchange, visibly, and says why in the log."""

    def fail(*arguments: object, **more: object) -> None:
        raise error

    with connect(server, kind) as peer:
        with monkeypatch.context() as patch:
            for connection in (H1Connection, H2Connection):
                patch.setattr(connection, "respond", lambda *_, **__: None)  # not at one go
                patch.setattr(connection, sends, fail)
            assert not peer.request().complete
        assert said in caplog.text
        if isinstance(peer, H2Peer):
            assert peer.request().text == "0"


@pytest.mark.parametrize("half_close", [False, True])
def test_a_large_last_response_arrives_however_slowly_it_is_read(
    certs_dir: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch, half_close: bool
) -> None:
    """A connection that closes behind a response waits until the client has taken it."""
    monkeypatch.setattr("wptproto.server.outlet.LINGER_S", 0.01)

    def big(request: Request, response: Response) -> bytes:
        response.close_connection = True
        return b"x" * 5_000_000

    with Server(routes=[("*", "/*", big)], certs_dir=certs_dir) as server, connect(server, kind) as peer:
        peer.send_request()
        assert peer.read_some()
        time.sleep(0.1)
        if half_close and isinstance(peer, H1Peer):  # over HTTP/2 its windows would never open again
            peer.sock.shutdown(socket.SHUT_WR)
            time.sleep(0.1)
        assert len(peer.read_answer().content) == 5_000_000


def test_last_response_to_an_upload_that_nobody_read(
    certs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that still sends gets the response all the same, and then the end."""
    monkeypatch.setattr("wptproto.server.outlet.LINGER_S", 20)

    def refuse(request: Request, response: Response) -> str:
        response.close_connection = True
        full.wait(10)
        return "refused"

    full = threading.Event()
    with (
        Server(routes=[("*", "/*", refuse)], certs_dir=certs_dir, https_port=None) as server,
        open_socket(server, "h1") as sock,
    ):
        sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 300_000)
        assert_soon(lambda: any(driver._outlet.reading_paused for driver in drivers(server)))
        full.set()
        sock.sendall(b"x" * 3_000_000)
        assert read_all(sock).endswith(b"refused")


def test_access_log(server: Server, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    """Each exchange is one line: who, by which protocol, what, and what came of it."""
    caplog.set_level(logging.INFO, "wptproto.access")
    with connect(server, kind) as peer:
        peer.request("/path?query", method="POST", content=b"xyz")
    version = "HTTP/2" if kind in ("h2", "h2c") else "HTTP/1.1"
    assert_soon(lambda: f"127.0.0.1 {version} POST /path?query: 200, 1 octets, " in caplog.text)


def test_small_writes_leave_at_once(server: Server) -> None:
    """Connections have TCP_NODELAY: a write does not wait until the one before it is acknowledged."""
    with connect(server, "h1") as peer:
        peer.request("/")
        assert server._engine is not None
        (driver,) = server._engine._drivers
        sock = driver._outlet._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_thousand_responses_end_together(certs_dir: Path) -> None:
    """However many responses wait for the connection's window, all of them end when it opens."""
    with (
        Server(routes=[("GET", "/*", lambda request, response: "text")], certs_dir=certs_dir) as server,
        H2Peer(open_socket(server, "h2c"), scheme="http") as peer,
    ):
        peer.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        for _ in range(1000):
            peer.send_request("/")
        while not all(answer.status for answer in peer.answers.values()):
            assert peer._receive()
        peer.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 65535})
        peer._flush()
        assert {peer.read_answer(stream).text for stream in peer.answers} == {"text"}
