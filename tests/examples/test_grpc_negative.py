"""
What gRPC's interoperability tests call negative HTTP/2 cases, all eight of them, each in a line or two.

The name of each test is what its case is called there. A client of gRPC is to see the same with either of
these servers; here another one does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h2.exceptions
import pytest

from tests.helpers.peers import Answer, H2Peer, connect
from wptproto import Limits, Server
from wptproto.wire.h2 import H2Wire

MESSAGE = b"\0\0\0\0\x05hello"  # of gRPC: not compressed, five octets
FIELDS = {"content-type": "application/grpc"}


@pytest.fixture
def server(certs_dir: Path) -> Iterator[Server]:
    with Server(certs_dir=certs_dir) as server:
        yield server


def call(server: Server) -> Answer:
    """Call a method, and return what came."""
    with connect(server, "h2") as peer:
        peer.send_request("/grpc.testing.TestService/UnaryCall", method="POST", end=False)
        peer.send_content(MESSAGE, end=True)
        try:
            return peer.read_answer()
        except h2.exceptions.ProtocolError:
            assert isinstance(peer, H2Peer)
            return peer.answers[1]


def test_goaway(server: Server) -> None:
    """GOAWAY behind the first call; the second one opens a connection of its own."""
    server.expect("POST", protocol="HTTP/2").respond(200, FIELDS, MESSAGE).fault("goaway", at="end")
    server.expect("POST", protocol="HTTP/2").respond(200, FIELDS, MESSAGE)
    assert [call(server).content for _ in range(2)] == [MESSAGE, MESSAGE]
    assert [exchange.connection.number for exchange in server.exchanges] == [1, 2]


def test_rst_after_header(server: Server) -> None:
    """RST_STREAM behind the head."""
    server.expect("POST", protocol="HTTP/2").respond(200, FIELDS, MESSAGE).fault("reset_stream", octet=0)
    answer = call(server)
    assert (answer.status, answer.content, answer.reset) == (200, b"", 2)


def test_rst_during_data(server: Server) -> None:
    """RST_STREAM in the midst of the message."""
    server.expect("POST", protocol="HTTP/2").respond(200, FIELDS, MESSAGE).fault("reset_stream", octet=7)
    answer = call(server)
    assert (answer.content, answer.reset) == (MESSAGE[:7], 2)


def test_rst_after_data(server: Server) -> None:
    """RST_STREAM behind the whole message, in the place of trailers."""
    server.expect("POST", protocol="HTTP/2").respond(200, FIELDS, MESSAGE).fault("reset_stream", octet=10)
    answer = call(server)
    assert (answer.content, answer.reset, answer.complete) == (MESSAGE, 2, False)


def test_ping(certs_dir: Path) -> None:
    """PING before and behind every frame; the client answers each, and takes the message as ever."""

    def answer(wire: H2Wire) -> None:
        stream = wire.expect_request(method="POST").head.stream_id
        for send in (lambda: wire.send_headers(stream, status=200), lambda: wire.send_data(stream, MESSAGE)):
            send()
            wire.send_ping(b"01234567")
            wire.expect("PING", ack=True, payload=b"01234567")
        wire.send_trailers(stream, [("grpc-status", "0")])

    assert driven(certs_dir, answer).trailers == [(b"grpc-status", b"0")]


def test_max_streams(certs_dir: Path) -> None:
    """SETTINGS_MAX_CONCURRENT_STREAMS is 1, and the client keeps to that."""
    with Server(certs_dir=certs_dir, limits=Limits(h2_concurrent_streams=1)) as server:
        server.expect("POST", times=2).respond(200, FIELDS, MESSAGE)
        assert [call(server).content for _ in range(2)] == [MESSAGE, MESSAGE]
        assert not server.violations


@pytest.mark.parametrize("padding", [255, None])
def test_data_frame_padding(certs_dir: Path, padding: int | None) -> None:
    """The message comes octet by octet with padding; and, as no_df_padding_sanity_test has it, without."""

    def answer(wire: H2Wire) -> None:
        stream = wire.expect_request(method="POST").head.stream_id
        wire.send_headers(stream, status=200)
        for octet in MESSAGE:
            wire.send_data(stream, bytes([octet]), padding=padding)
        wire.send_trailers(stream, [("grpc-status", "0")])

    assert driven(certs_dir, answer).content == MESSAGE


def driven(certs_dir: Path, answer: Callable[[H2Wire], None]) -> Answer:
    """Call a method of a server that is driven by hand, and return what came."""
    with Server(certs_dir=certs_dir, by_hand=True) as server, ThreadPoolExecutor() as threads:
        called = threads.submit(call, server)
        with server.accept("h2") as wire:
            answer(wire)
            return called.result(20)
