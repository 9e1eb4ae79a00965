"""HTTP/2 clients that do not read what they ask for: what waits is bounded, and nobody else waits."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from h2.settings import SettingCodes
from hpack import Encoder
from hyperframe.frame import GoAwayFrame, PingFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame

from tests.helpers.h2 import OPENING, REQUEST, headers
from tests.helpers.peers import Kind, open_socket
from tests.hostile.bystander import ask_once, undisturbed
from tests.hostile.target import Held, Target, Victim
from tests.hostile.victim import LARGE_OCTETS
from tests.hostile.wire import raw_socket
from wptproto.h2_codes import DATA, END_STREAM, HEADERS
from wptproto.server.driver import MAX_UNREAD_OCTETS

REQUESTS = 1000
QUEUED_OCTETS = 2 * 1024 * 1024
MANY_OCTETS = REQUESTS * LARGE_OCTETS // 2  # that are not made, let alone held, without being asked for
ALL = 2**31 - 1  # what a window can hold

both = pytest.mark.parametrize("kind", ["h2", "h2c"])


@pytest.fixture
def target(victim: Victim, tmp_path: Path) -> Iterator[Target]:
    """A server that has files, too, and lets 2 MB of responses wait for a client."""
    (tmp_path / "file").write_bytes(bytes(LARGE_OCTETS))
    with victim.serving({"queued_octets": QUEUED_OCTETS}, tmp_path) as target:
        ask_once(target)
        yield target


def window(octets: int) -> bytes:
    return SettingsFrame(0, {SettingCodes.INITIAL_WINDOW_SIZE: octets}).serialize()


def requests(path: str) -> bytes:
    """Return as many requests as there are REQUESTS."""
    encoder = Encoder()
    lines = [*REQUEST[:3], (b":path", path.encode())]
    return b"".join(headers(stream, lines, encoder=encoder).serialize() for stream in streams())


def streams() -> range:
    return range(1, 2 * REQUESTS, 2)


def waiting(target: Target, before: Held, requests: int = REQUESTS) -> int:
    """Wait until so many requests are there and nothing goes on; return how many octets wait then."""

    def are_there(held: Held) -> bool:
        more = held.objects["Exchange"] - before.objects["Exchange"]
        return requests <= more <= requests + 2  # a bystander has one, too

    return target.at_rest(are_there).octets - before.octets


def read_responses(sock: socket.socket) -> tuple[int, int]:
    """Read until all requests were answered; return how many responses ended, and their content's octets."""
    buffer = bytearray()
    ended = content = 0
    while ended < REQUESTS:
        piece = sock.recv(256 * 1024)
        assert piece, "the connection was closed"
        buffer += piece
        while len(buffer) >= 9 + (size := int.from_bytes(buffer[:3], "big")):
            kind, flags = buffer[3], buffer[4]
            assert kind not in (RstStreamFrame.type, GoAwayFrame.type)
            content += size if kind == DATA else 0
            ended += kind in (DATA, HEADERS) and flags & END_STREAM
            del buffer[: 9 + size]
    return ended, content


@both
@pytest.mark.parametrize("path", ["/whole", "/pieces", "/file"])
def test_windows_that_open_late(path: str, kind: Kind, target: Target) -> None:
    """
    A thousand large responses that nobody reads are not made before there is room; when their windows
    open, all of them come. The limit is ``queued_octets``.
    """
    with target.nothing_left() as before, undisturbed(target), open_socket(target, kind) as sock:
        sock.sendall(OPENING + window(0) + requests(path))
        assert waiting(target, before) < MANY_OCTETS
        sock.sendall(window(ALL) + WindowUpdateFrame(0, ALL - 65535).serialize())
        assert read_responses(sock) == (REQUESTS, REQUESTS * LARGE_OCTETS)


@both
def test_windows_that_never_open(kind: Kind, target: Target) -> None:
    """A client that reads no responses, and then goes away, leaves nothing here: ``queued_octets``."""
    with target.nothing_left() as before, undisturbed(target), open_socket(target, kind) as sock:
        sock.sendall(OPENING + window(0) + requests("/whole"))
        assert QUEUED_OCTETS < waiting(target, before) < MANY_OCTETS
        sock.sendall(b"".join(RstStreamFrame(stream).serialize() for stream in range(1, REQUESTS, 2)))
        assert waiting(target, before, REQUESTS // 2) < MANY_OCTETS


@both
def test_windows_that_dribble_and_change(kind: Kind, target: Target) -> None:
    """
    Windows may open octet by octet, and change in the middle of it all, below nothing and back. The limit is
    ``h2_settings_per_s``, for each change is work for all streams.
    """
    with target.nothing_left() as before, undisturbed(target), open_socket(target, kind) as sock:
        sock.sendall(OPENING + window(0) + requests("/whole"))
        assert waiting(target, before) < MANY_OCTETS
        for _ in range(3):
            sock.sendall(b"".join(WindowUpdateFrame(stream, 1).serialize() for stream in streams()))
        for octets in (*range(1, 400), 0, 5):
            sock.sendall(window(octets))
        sock.sendall(window(ALL - 100) + WindowUpdateFrame(0, ALL - 65535).serialize())
        assert read_responses(sock) == (REQUESTS, REQUESTS * LARGE_OCTETS)


@both
@pytest.mark.parametrize("path", ["/whole", "/pieces", "/file"])
def test_a_socket_that_is_not_read(path: str, kind: Kind, target: Target) -> None:
    """
    Where all windows are open, but the socket is not read, no more is sent than can wait there:
    ``queued_octets``.
    """
    with target.nothing_left() as before, undisturbed(target), open_socket(target, kind) as sock:
        sock.sendall(OPENING + window(ALL) + WindowUpdateFrame(0, ALL - 65535).serialize() + requests(path))
        held = target.at_rest(lambda held: held.octets - before.octets > LARGE_OCTETS)
        assert held.octets - before.octets < MANY_OCTETS
        assert read_responses(sock) == (REQUESTS, REQUESTS * LARGE_OCTETS)


def test_answers_that_are_not_read(victim: Victim) -> None:
    """Who does not read the answers to what it sends is not read from, limits or not."""
    flood = OPENING + PingFrame(0).serialize() * 1_000_000
    with victim.serving(None) as target:
        ask_once(target)
        with (
            target.nothing_left() as before,
            undisturbed(target),
            raw_socket(target, "h2c", narrow=True) as sock,
        ):
            sock.settimeout(0.2)
            sent = 0

            def is_full(held: Held) -> bool:
                nonlocal sent
                with suppress(TimeoutError):
                    while sent < len(flood):
                        sent += sock.send(flood[sent : sent + 65536])
                return held.octets - before.octets > MAX_UNREAD_OCTETS

            assert target.at_rest(is_full).octets - before.octets < 3 * MAX_UNREAD_OCTETS
            assert sent < len(flood)
