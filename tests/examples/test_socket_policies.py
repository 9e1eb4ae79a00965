"""
MockWebServer's seventeen socket policies, each in a line or two, the same over HTTP/1.1 and HTTP/2.

A test of each says what a client sees of it. What the policies are called there is the name of the test.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import h2.exceptions
import pytest
from h2.connection import H2Connection

from tests.helpers.peers import Answer, H2Peer, Kind, Peer, connect, open_socket
from tests.helpers.waiting import assert_soon
from wptproto import Server

BODY = b"0123456789"
Gone = (ConnectionResetError, BrokenPipeError, ssl.SSLError)


@pytest.fixture
def server(certs_dir: Path) -> Iterator[Server]:
    with Server(certs_dir=certs_dir) as server:
        yield server


@pytest.fixture
def peer(server: Server, kind: Kind) -> Iterator[Peer]:
    """A client that is connected, and has asked for nothing."""
    with connect(server, kind) as peer:
        yield peer


def answer_of(peer: Peer, path: str = "/") -> Answer:
    """Return as much of an answer as there is."""
    peer.send_request(path)
    try:
        return peer.read_answer()
    except (*Gone, h2.exceptions.ProtocolError):
        return Answer()


def has_ended(peer: Peer) -> bool:
    """Whether nothing comes any more."""
    try:
        while peer.sock.recv(65536):
            pass
    except Gone:
        pass
    return True


@contextmanager
def asking(server: Server, kind: Kind) -> Iterator[socket.socket]:
    """A client that waits 0.1 s for an answer; behind the block nothing stalls any more, and there is one."""
    port = server.https_port if kind in ("h1s", "h2") else server.http_port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=10) as client:
        client.sendall(first_words(server, kind))
        client.settimeout(0.1)
        yield client
        server.release()
        client.settimeout(10)
        assert client.recv(1)


def first_words(server: Server, kind: Kind) -> bytes:
    if kind == "h1":
        return b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    if kind == "h2c":
        connection = H2Connection()
        connection.initiate_connection()
        return connection.data_to_send()
    hello = ssl.MemoryBIO()
    tls = server.client_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return hello.read()


def test_keep_open(server: Server, peer: Peer) -> None:
    """The connection is kept, and used again."""
    server.enqueue(200, content=BODY)
    server.enqueue(200, content=BODY)
    assert [answer_of(peer).content for _ in range(2)] == [BODY, BODY]
    assert {exchange.connection.number for exchange in server.exchanges} == {1}


def test_disconnect_at_end(server: Server, peer: Peer) -> None:
    """The response is whole, and the connection ends behind it."""
    server.enqueue(200, content=BODY).fault("close", at="end")
    assert answer_of(peer).content == BODY
    assert has_ended(peer)


def test_shutdown_server_after_response(server: Server, peer: Peer) -> None:
    """The server is gone behind the response, which is whole."""
    server.enqueue(200, content=BODY)
    assert answer_of(peer).content == BODY
    server.stop()
    assert has_ended(peer)


def test_upgrade_to_ssl_at_end(certs_dir: Path) -> None:
    """Behind the response to CONNECT the same connection speaks TLS, as through a proxy."""
    with Server(certs_dir=certs_dir, by_hand=True) as server, ThreadPoolExecutor() as threads:
        asked = threads.submit(through_proxy, server)
        with server.accept("h1") as proxied:
            proxied.expect_request(method="CONNECT")
            proxied.send_response(200)
            proxied.start_tls(server.server_context())
            proxied.expect_request(method="GET")
            proxied.send_response(200, content=BODY)
        assert asked.result(20) == BODY


def through_proxy(server: Server) -> bytes:
    client = http.client.HTTPSConnection("127.0.0.1", server.http_port, context=server.client_context())
    client.set_tunnel("localhost", 443)
    client.request("GET", "/")
    with client.getresponse() as answer:
        return answer.read()


def test_disconnect_at_start(server: Server, kind: Kind) -> None:
    """The connection ends before anything was said."""
    server.fault("close", at="accepted")
    with socket.create_connection(("127.0.0.1", server.https_port or 0), timeout=10) as client:
        assert client.recv(1) == b""


def test_disconnect_after_request(server: Server, peer: Peer) -> None:
    """The request is taken, and there is no response."""
    server.enqueue().fault("close", at="response_head")
    assert answer_of(peer).status == 0
    assert server.take_request().path == "/"


def test_disconnect_during_request_body(server: Server, peer: Peer) -> None:
    """The connection ends in the midst of an upload."""
    server.expect("POST", "/").respond(early=True, handler=lambda request, response: request.body).fault(
        "close", at="request_content", octet=5
    )
    peer.send_request("/", method="POST", headers=[("content-length", "10")], end=False)
    peer.send_content(b"01234", end=False)
    assert has_ended(peer)


def test_disconnect_during_response_body(server: Server, peer: Peer) -> None:
    """The connection ends in the midst of a response."""
    server.enqueue(200, content=BODY).fault("close", octet=5)
    answer = answer_of(peer)
    assert (answer.content, answer.complete) == (BODY[:5], False)


def test_do_not_read_request_body(server: Server, peer: Peer) -> None:
    """The response comes though nobody reads the request."""
    server.expect("POST", "/").respond(200, content=BODY, early=True).fault("do_not_read")
    peer.send_request("/", method="POST", headers=[("content-length", "10")], end=False)
    assert peer.read_answer().content == BODY


def test_fail_handshake(server: Server) -> None:
    """There is no speaking TLS."""
    server.fault("garbage", b"this is no TLS", at="tls_hello")
    with pytest.raises(ssl.SSLError):
        open_socket(server, "h2")


def test_shutdown_input_at_end(server: Server, peer: Peer) -> None:
    """Nothing is read behind the response."""
    server.enqueue(200, content=BODY).fault("do_not_read", at="end")
    assert answer_of(peer).content == BODY
    assert_soon(lambda: [connection.reading_paused for connection in server.state().connections] == [True])


def test_shutdown_output_at_end(server: Server, peer: Peer) -> None:
    """Nothing is said behind the response, whatever the client says."""
    server.enqueue(200, content=BODY).fault("half_close", at="end")
    assert answer_of(peer).content == BODY
    assert has_ended(peer)


def test_stall_socket_at_start(server: Server, kind: Kind) -> None:
    """The connection stands, and nothing is said on it."""
    server.fault("stall", at="accepted")
    with asking(server, kind) as client:
        server.wait_for_stall()
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_no_response(server: Server, peer: Peer) -> None:
    """The request is taken, and the response does not come."""
    server.enqueue(200).fault("stall")
    peer.send_request("/")
    server.wait_for_stall()
    assert server.take_request().path == "/"


@pytest.mark.parametrize("kind", ["h2", "h2c"])
def test_reset_stream_at_start(server: Server, peer: Peer) -> None:
    """The stream ends by RST_STREAM, the connection goes on."""
    server.expect("GET", "/", protocol="HTTP/2").fault("reset_stream", "REFUSED_STREAM", at="request_head")
    server.expect("GET", "/").respond(200, content=BODY)
    assert isinstance(peer, H2Peer)
    assert (answer_of(peer).reset, answer_of(peer).content) == (7, BODY)


def test_expect_continue(server: Server, peer: Peer) -> None:
    """100 (Continue) comes where it is expected, as soon as the content is read."""
    server.expect("POST", "/", content=BODY).respond(200)
    peer.send_request("/", method="POST", headers=[("expect", "100-continue")], end=False)
    peer.wait_for_informational()
    peer.send_content(BODY, end=True)
    assert peer.read_answer().status == 200


def test_continue_always(server: Server, peer: Peer) -> None:
    """100 (Continue) comes though nobody expects it."""
    server.expect("POST", "/", content=BODY).respond(200, informational=[100])
    answer = peer.request("/", method="POST", content=BODY)
    assert ([status for status, _ in answer.informational], answer.status) == ([100], 200)
