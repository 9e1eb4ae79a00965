"""Floods over HTTP/1.1: what grows without end is refused, and what is allowed takes turns with others."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.conformance.probe import GET, get, post
from tests.helpers.peers import Kind, open_socket
from tests.hostile.bystander import ask_once, undisturbed
from tests.hostile.target import Target, Victim
from tests.hostile.wire import heard_now, read_all

PIECE_OCTETS = 64 * 1024
STOPPED_OCTETS, UNSTOPPED_OCTETS = 64 * 1024 * 1024, 256 * 1024
"""After how much a client gives up that should be stopped long before, and one that nobody stops."""

POST_CHUNKS = post(b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.1")
Octets = Iterator[bytes]


def endless(beginning: bytes, more: bytes) -> Callable[[], Octets]:
    """Return a flood that begins once, and goes on without end."""

    def flood() -> Octets:
        yield beginning
        while True:
            yield more * (PIECE_OCTETS // len(more))

    return flood


def fields(count: int) -> bytes:
    return get(*(b"a%d: b" % number for number in range(count)))


# What grows and grows, the status it is refused with, and the limit that it is past.
GROWING: dict[str, tuple[Callable[[], Octets], int, str]] = {
    "request-line": (endless(b"GET /", b"a"), 414, "request_line_octets"),
    "field-line": (endless(GET[:-2] + b"a: ", b"a"), 431, "field_section_octets"),
    "field-lines": (endless(GET[:-2], b"a: b\r\n"), 431, "field_section_octets"),
    "too-many-field-lines": (endless(fields(1001), GET), 431, "field_lines"),
    "chunk-extension": (endless(POST_CHUNKS + b"1;a=", b"a"), 400, "chunk_line_octets"),
    "chunk-size": (endless(POST_CHUNKS, b"0"), 400, "chunk"),
    "trailers": (endless(POST_CHUNKS + b"0\r\n", b"a: b\r\n"), 431, "field_section_octets"),
    "trailer": (endless(POST_CHUNKS + b"0\r\na: ", b"a"), 431, "field_section_octets"),
    "chunks": (endless(POST_CHUNKS, b"1000\r\n" + bytes(0x1000) + b"\r\n"), 413, "content_octets"),
    "small-chunks": (endless(POST_CHUNKS, b"10\r\n" + bytes(0x10) + b"\r\n"), 413, "content_octets"),
}

FAIR: dict[str, Callable[[], Octets]] = {
    "requests": endless(b"", GET),
    "requests-with-content": endless(b"", post(b"Content-Length: 5", content=b"hello")),
    "requests-with-many-fields": endless(b"", fields(900)),
    "empty-lines": endless(b"", b"\r\n"),
    "octets-as-chunks": endless(POST_CHUNKS, b"1\r\nx\r\n"),
}


@pytest.mark.parametrize("kind", ["h1", "h1s"])
@pytest.mark.parametrize("name", GROWING)
def test_what_grows(name: str, kind: Kind, victim: Victim) -> None:
    """The limit ends it: with the right status, and its name in the log; others are answered meanwhile."""
    flood, status, limit = GROWING[name]
    with victim.serving({"content_octets": 1024 * 1024}) as target:
        ask_once(target)
        with target.nothing_left(), undisturbed(target), open_socket(target, kind) as sock:
            heard = send(sock, flood(), STOPPED_OCTETS) + read_all(sock)
            assert heard.startswith(b"HTTP/1.1 %d " % status)
        assert target.logged(limit)


@pytest.mark.parametrize("name", FAIR)
def test_a_flood_without_limits(name: str, victim: Victim) -> None:
    """Where a test wants no limits, floods take turns with everybody else."""
    with victim.serving(None) as target:
        ask_once(target)
        with target.nothing_left(), undisturbed(target):
            flooding = [threading.Thread(target=flood_alone, args=(target, name)) for _ in range(3)]
            for thread in flooding:
                thread.start()
            for thread in flooding:
                thread.join()


def flood_alone(target: Target, name: str) -> None:
    """Send a flood, and read the answers so that it goes on, to its end."""
    left = UNSTOPPED_OCTETS
    with open_socket(target, "h1") as sock, suppress(TimeoutError, ConnectionError):
        sock.settimeout(1)  # past which it has gone on for long enough
        for piece in FAIR[name]():
            sock.sendall(piece)
            left -= len(piece)
            while heard_now(sock):
                pass
            if left < 0:
                break
        sock.shutdown(socket.SHUT_WR)
        read_all(sock)


def send(sock: socket.socket, flood: Octets, octets: int) -> bytes:
    """Send so many octets of a flood, or until the server has had enough; return what it said to that."""
    heard = b""
    with suppress(ConnectionError, ssl.SSLError):
        for piece in flood:
            sock.sendall(piece)
            octets -= len(piece)
            heard = heard_now(sock)
            if octets < 0 or heard:
                break
    return heard
