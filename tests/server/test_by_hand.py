"""Connections that a test drives: how they come to it, over each protocol, and what a stop does to them."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.peers import H1Peer, H2Peer, Kind, Peer, connect, open_socket
from tests.helpers.waiting import assert_soon
from tests.wire.helpers import NoKeeper
from wptproto import ConfigError, ExchangeClosed, Request, Response, Server, WireError
from wptproto.server.by_hand import LINGER_S, ByHand
from wptproto.wire import H1Wire, H2Wire
from wptproto.wire.line import Line

Go = Callable[..., Future[Any]]


def hello(request: Request, response: Response) -> str:
    return "by a handler"


@pytest.fixture
def go() -> Iterator[Go]:
    """A function that runs something on a thread of its own."""
    with ThreadPoolExecutor(8) as threads:
        yield threads.submit


@pytest.fixture
def server(certs_dir: Path) -> Iterator[Server]:
    """A server whose connections all wait for a test."""
    with Server(by_hand=True, certs_dir=certs_dir) as server:
        yield server


@pytest.fixture
def answering(certs_dir: Path) -> Iterator[Server]:
    """A server whose connections are answered by a handler."""
    with Server(routes=[("GET", "/", hello)], certs_dir=certs_dir) as server:
        yield server


def asked(server: Server, kind: Kind) -> Peer:
    """Return a client that has asked for something."""
    sock = open_socket(server, kind)
    peer = H1Peer(sock) if kind in ("h1", "h1s") else H2Peer(sock, scheme="https" if kind == "h2" else "http")
    peer.send_request("/by-hand")
    return peer


def answer(wire: H1Wire | H2Wire) -> None:
    """Answer one request by hand."""
    with wire:
        if isinstance(wire, H1Wire):
            wire.expect_request(method="GET", target="/by-hand")
            wire.send_response(200, {"Content-Length": 2}, b"ok")
        else:
            wire.respond(wire.expect_headers(path="/by-hand").stream_id, 200, (), b"ok")


def test_a_connection_that_came_before(server: Server, kind: Kind, go: Go) -> None:
    """Where all wait for it, a connection that came before accept() was called is the test's."""
    asking = go(asked, server, kind)
    if kind == "h1":
        assert_soon(lambda: len(server._engine.by_hand._parked) == 1)  # type: ignore[union-attr]
    answer(server.accept(kind))
    with asking.result() as peer:
        assert peer.read_answer().text == "ok"


def test_the_next_connection(answering: Server, kind: Kind, go: Go) -> None:
    """Of a server that answers by handlers, the next connection is the test's, and others are not."""
    with connect(answering, kind) as peer:
        assert peer.request().text == "by a handler"
        accepting = go(answering.accept, kind)
        assert_soon(lambda: bool(answering._engine.by_hand and answering._engine.by_hand._claims))  # type: ignore[union-attr]
        asking = go(asked, answering, kind)
        answer(accepting.result())
        with asking.result() as other:
            assert other.read_answer().text == "ok"
        with connect(answering, kind) as third:
            assert third.request().text == "by a handler"
        assert peer.request().text == "by a handler"


def test_first_in_first_out(server: Server) -> None:
    """Connections are accepted in the order in which they came."""
    clients = []
    for _ in range(3):
        clients.append(socket.create_connection(("127.0.0.1", server.http_port or 0)))
        assert_soon(lambda: len(server._engine.by_hand._parked) == len(clients))  # type: ignore[union-attr]
    for client in clients:
        with client, server.accept("h1") as conn:
            assert conn.client_address == client.getsockname()


def test_one_port_of_several(certs_dir: Path) -> None:
    """A connection is accepted from the port that is named, or any that speaks the protocol."""
    with Server(by_hand=True, http_port=[0, 0], h2_port=0, https_port=None, certs_dir=certs_dir) as server:
        second = server.http_ports[1]
        with socket.create_connection(("127.0.0.1", second)) as client:
            with pytest.raises(WireError, match=f"no connection came to port {server.http_port} in 0.05 s"):
                server.accept("h1", port=server.http_port, timeout=0.05)
            with server.accept("h1", port=second) as conn:
                assert conn.client_address == client.getsockname()
        with pytest.raises(
            ConfigError, match="the server does not listen on port 1 for h2c, which comes to an HTTP"
        ):
            server.accept("h2c", port=1)
        with pytest.raises(ConfigError, match="the server has no port for h1s, which comes to an HTTPS port"):
            server.accept("h1s")


def test_nobody_came(answering: Server) -> None:
    """Where no connection comes, it is said how many came before, and how they could have been had."""
    with pytest.raises(WireError) as raised:
        answering.accept("h1", timeout=0.01)
    assert str(raised.value) == f"no connection came to port {answering.http_port} in 0.01 s"
    with connect(answering, "h1"), pytest.raises(WireError, match="no connection came"):
        answering.accept("h1s", timeout=0.01)
    answering.stop()
    answering.start()
    with connect(answering, "h1") as peer:
        peer.request()
        with pytest.raises(
            WireError, match=r"1 had come before, and handlers answered them: Server\(by_hand=True\) keeps"
        ):
            answering.accept("h1", timeout=0.01)
        with connect(answering, "h1") as other:
            other.request()
            with pytest.raises(WireError, match="2 had come before"):
                answering.accept("h1", timeout=0.01)


def test_another_protocol_came(server: Server) -> None:
    """A client that speaks another protocol is shown, octet for octet."""
    with (
        asked(server, "h1"),
        pytest.raises(WireError, match=r"preface of HTTP/2 was awaited, and b'GET /by-hand HTTP"),
    ):
        server.accept("h2c")
    with asked(server, "h2c"), server.accept("h1", violations="allowed") as conn:
        assert conn.expect_head().method == "PRI"
        assert [violation.section for violation in conn.violations] == ["RFC 9113 §3.4"]


def test_what_tls_is_told(server: Server, go: Go) -> None:
    """ALPN offers what is asked for, the protocol alone by default; what the client offered is known."""

    def opened(protocols: list[str]) -> ssl.SSLSocket:
        context = server.client_context()
        context.set_alpn_protocols(protocols)
        sock = socket.create_connection(("127.0.0.1", server.https_port or 0))
        return context.wrap_socket(sock, server_hostname="localhost")

    for alpn, chosen in ((None, "http/1.1"), (("h2",), "h2"), ((), None)):
        client = go(opened, ["h2", "http/1.1"])
        with server.accept("h1s", alpn=alpn) as conn, client.result():
            assert conn.tls is not None
            assert (conn.tls.alpn_offered, conn.tls.alpn_chosen) == (("h2", "http/1.1"), chosen)


def test_a_client_that_does_not_trust(server: Server, go: Go) -> None:
    """A handshake that fails is a failure, which has what TLS said."""

    def distrustful() -> None:
        with (
            socket.create_connection(("127.0.0.1", server.https_port or 0)) as sock,
            pytest.raises(ssl.SSLError),
        ):
            ssl.create_default_context().wrap_socket(sock, server_hostname="localhost")

    client = go(distrustful)
    with (
        server.trace() as trace,
        pytest.raises(WireError, match=r"ended the TLS handshake \(alert; TLS says \w*UNKNOWN_CA\)"),
    ):
        server.accept("h2")
    client.result()
    kinds = [type(event).__name__ for event in trace.events]
    assert (kinds[0], kinds[-2:]) == ("ConnectionOpened", ["TlsFailed", "ConnectionClosed"])


def test_a_name_of_the_catalogue(server: Server, go: Go) -> None:
    """Who asks for a host of the catalogue gets its certificate from a connection by hand, too."""

    def asked() -> None:
        with (
            socket.create_connection(("127.0.0.1", server.https_port or 0)) as sock,
            pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"),
        ):
            server.client_context().wrap_socket(sock, server_hostname="expired.localhost")

    client = go(asked)
    with pytest.raises(WireError, match="CERTIFICATE_EXPIRED"):
        server.accept("h1s")
    client.result()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"protocol": "h3"}, "accept: 'h3' is none of h1, h1s, h2, h2c"),
        ({"protocol": "h1", "windows": "open"}, "windows is an option of HTTP/2, and h1 is HTTP/1.1"),
        (
            {"protocol": "h2", "windoes": 1},
            "accept has no option 'windoes'; those of HTTP/2 are settings, acknow",
        ),
        ({"protocol": "h2", "windows": 0}, "windows: 0 is neither open, nor withheld, nor octets"),
        ({"protocol": "h2", "windows": True}, "windows: True is neither"),
        (
            {"protocol": "h2", "violations": "strict"},
            "violations: 'strict' is none of checked, allowed, fatal",
        ),
    ],
)
def test_arguments_that_make_no_sense(server: Server, arguments: dict[str, Any], error: str) -> None:
    """An error of use is said before anybody waits."""
    with pytest.raises(ConfigError, match=error):
        server.accept(**arguments)


def test_a_server_that_does_not_run() -> None:
    """There is nothing to accept from a server that does not listen."""
    with pytest.raises(ConfigError, match="the server does not run"):
        Server(https_port=None).accept("h1")


def test_before_it_starts(certs_dir: Path) -> None:
    """A server that only listens has connections, which it gives away when it starts."""
    server = Server(by_hand=True, certs_dir=certs_dir).listen()
    address = ("127.0.0.1", server.http_port or 0)
    with socket.create_connection(address) as client, server, server.accept("h1") as conn:
        assert conn.client_address == client.getsockname()


# --- the end -----------------------------------------------------------------------------------


def test_a_stop_ends_every_wait(certs_dir: Path, go: Go) -> None:
    """Who waits for a connection, or on one, or has left one open, is told at once; clients see the end."""
    server = Server(by_hand=True, certs_dir=certs_dir).start()
    port = server.http_port or 0
    with (
        socket.create_connection(("127.0.0.1", port)) as first,
        socket.create_connection(("127.0.0.1", port)) as second,
    ):
        driven = server.accept("h1", timeout=60)
        forgotten = server.accept("h1")
        waiting = go(driven.expect_head)
        accepting = go(server.accept, "h1", timeout=60)
        parked = socket.create_connection(("127.0.0.1", server.https_port or 0))
        assert_soon(lambda: driven._line._users > 0 and len(server._engine.by_hand._claims) > 0)  # type: ignore[union-attr]
        server.stop()
        for call in (waiting, accepting):
            with pytest.raises(ExchangeClosed, match="the server stops"):
                call.result(5)
        with pytest.raises(ExchangeClosed, match="the server stops"):
            forgotten.send(b"a")
        assert forgotten._line._sock.fileno() == driven._line._sock.fileno() == -1
        for client in (first, second, parked):
            client.settimeout(5)
            with client:
                assert ended(client)
    forgotten.close()


def ended(client: socket.socket) -> bool:
    try:
        return client.recv(10) == b""
    except ConnectionResetError:
        return True


def test_what_comes_when_it_has_stopped() -> None:
    """Nobody is kept, and nothing taken, by a server that has stopped."""
    by_hand = ByHand(parks=True)
    by_hand.stop()
    with pytest.raises(ExchangeClosed):
        by_hand.take((1,), 0, lambda: False)
    ours, theirs = socket.socketpair()
    late = Line(ours, None, NoKeeper())
    by_hand.keep(late)
    assert late.closed
    by_hand.linger(theirs)
    assert theirs.fileno() == -1


def test_a_connection_that_comes_with_the_stop(go: Go) -> None:
    """A socket that was given away in the last moment is closed, for nobody takes it."""
    by_hand = ByHand(parks=False)
    taking = go(by_hand.take, (1,), time.monotonic() + 60, lambda: False)
    assert_soon(lambda: bool(by_hand._claims))
    ours, theirs = socket.socketpair()
    with theirs, by_hand._changed:
        by_hand._claims[0].sock = ours
        by_hand._stopped = True
        by_hand._changed.notify_all()
    with pytest.raises(ExchangeClosed):
        taking.result(5)
    assert ours.fileno() == -1


def test_a_wait_that_was_cancelled_before_it_began(server: Server) -> None:
    """It takes no connection from whoever comes next."""
    acceptance = server._acceptance("h1", 5, None, None, "checked", {})
    acceptance.cancel()
    with socket.create_connection(("127.0.0.1", server.http_port or 0)) as client:
        assert_soon(lambda: len(server._engine.by_hand._parked) == 1)  # type: ignore[union-attr]
        with pytest.raises(ExchangeClosed, match="the wait was cancelled"):
            acceptance.run()
        with server.accept("h1") as conn:
            conn.send(b"hello")
            assert client.recv(10) == b"hello"


def test_a_close_is_no_reset(server: Server) -> None:
    """Who closes with octets unread does not take from the client what was sent (RFC 9112 §9.6)."""
    with socket.create_connection(("127.0.0.1", server.http_port or 0)) as client:
        client.settimeout(5)
        client.sendall(b"GET / HTTP/1.1\r\n")
        conn = server.accept("h1")
        conn.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        conn.close()
        client.sendall(b"Host: a\r\n\r\n")
        assert b"".join(iter(lambda: client.recv(5), b"")).endswith(b"hello")
        client.sendall(b"again")
        by_hand = server._engine.by_hand  # type: ignore[union-attr]
        assert len(by_hand._lingering) == 1  # type: ignore[union-attr]


def test_what_lingers_is_closed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that has lingered for long enough is closed when the next one comes to linger."""
    monkeypatch.setattr("wptproto.server.by_hand.LINGER_S", -1.0)
    assert LINGER_S > 0
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.http_port or 0)):
            server.accept("h1").close()
    assert len(server._engine.by_hand._lingering) == 0  # type: ignore[union-attr]
