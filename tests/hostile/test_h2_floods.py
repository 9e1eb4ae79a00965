"""Floods over HTTP/2: what costs a client nothing ends its own connection, and nobody else's."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Literal

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hpack import Encoder
from hpack.hpack import encode_integer
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.helpers.h2 import OPENING, REQUEST, frames_of, headers, priority_update
from tests.helpers.peers import open_socket
from tests.hostile.bystander import ask_once, undisturbed
from tests.hostile.target import Target, Victim
from wptproto.limits import Limits
from wptproto.semantics.fields import FieldLine

STOPPED_S, UNSTOPPED_S = 20.0, 0.5
UNSTOPPED_OCTETS = 256 * 1024
"""How long a client floods that should be stopped long before, and one that nobody stops."""

PIECE_OCTETS = 64 * 1024
POST: tuple[FieldLine, ...] = ((b":method", b"POST"), *REQUEST[1:])
BEGUN = headers(1, POST, end=False).serialize()  # a request whose content is to come

Octets = Iterator[bytes]


def repeated(*frames: Frame) -> Callable[[], Octets]:
    """Return a flood of the same frames behind the beginning of a request, on stream 1."""

    def flood() -> Octets:
        octets = b"".join(frame.serialize() for frame in frames)
        yield BEGUN
        while True:
            yield octets * (PIECE_OCTETS // len(octets))

    return flood


def each_stream(*frames: Callable[[int], Frame]) -> Callable[[], Octets]:
    """Return a flood of the same frames on one stream after the other."""

    def flood() -> Octets:
        for first in count(1, 1000):
            streams = range(first, first + 1000, 2)
            yield b"".join(frame(stream_id).serialize() for stream_id in streams for frame in frames)

    return flood


def block(lines: list[FieldLine]) -> bytes:
    """Return a field block that leaves no trace in the table."""
    return b"".join(
        b"\x00%c%b%c%b" % (len(name), name, len(value), value) for name, value in (*REQUEST, *lines)
    )


LARGE_FIELD = Encoder().encode([*REQUEST, (b"x", bytes(3000))], huffman=False)
"""A field block that leaves a large field in the table, as its newest."""


LONG_SECTION = block([(b"a", b"")] * 900) + b"\0\x01a" + encode_integer(130_000, 7) + bytes(130_000)
"""Many small fields, and then a large one: what copies the rest of it for each field takes long."""


def sections(first: bytes, second: bytes) -> Callable[[], Octets]:
    """Return a flood of requests whose field blocks are these, a first one and then all others."""

    def flood() -> Octets:
        for stream_id in count(1, 2):
            frames = fragments(stream_id, first if stream_id == 1 else second)
            yield b"".join(frame.serialize() for frame in frames)

    return flood


def fragments(stream_id: int, octets: bytes) -> list[Frame]:
    """Return a field block as frames."""
    pieces = [octets[start : start + 16384] for start in range(0, len(octets), 16384)]
    frames: list[Frame] = [HeadersFrame(stream_id, pieces[0], flags=["END_STREAM"])]
    frames += [ContinuationFrame(stream_id, piece) for piece in pieces[1:]]
    frames[-1].flags.add("END_HEADERS")
    return frames


def endless_block(piece: bytes) -> Callable[[], Octets]:
    """Return a field block that never ends, in pieces of one size."""

    def flood() -> Octets:
        yield HeadersFrame(1, b"").serialize()
        while True:
            yield ContinuationFrame(1, piece).serialize() * (PIECE_OCTETS // (len(piece) + 9))

    return flood


def request(stream_id: int) -> Frame:
    return HeadersFrame(stream_id, block([]), flags=["END_HEADERS", "END_STREAM"])


def malformed(stream_id: int) -> Frame:
    return HeadersFrame(stream_id, block([(b"A", b"")]), flags=["END_HEADERS", "END_STREAM"])


def unfinished(stream_id: int) -> Frame:
    return HeadersFrame(stream_id, block([]), flags=["END_HEADERS"])


def promising(stream_id: int) -> Frame:
    return HeadersFrame(stream_id, block([(b"content-length", b"1")]), flags=["END_HEADERS"])


def window(octets: int) -> SettingsFrame:
    return SettingsFrame(0, {SettingCodes.INITIAL_WINDOW_SIZE: octets})


def table(octets: int) -> SettingsFrame:
    return SettingsFrame(0, {SettingCodes.HEADER_TABLE_SIZE: octets})


def octet_by_octet(stream_id: int) -> bytes:
    """Return a request whose field block has a frame for each octet."""
    octets = block([])
    frames: list[Frame] = [HeadersFrame(stream_id, octets[:1], flags=["END_STREAM"])]
    frames += [ContinuationFrame(stream_id, octets[place : place + 1]) for place in range(1, len(octets))]
    frames[-1].flags.add("END_HEADERS")
    return b"".join(frame.serialize() for frame in frames)


def requests_octet_by_octet() -> Octets:
    for stream_id in count(1, 2):
        yield octet_by_octet(stream_id)


# What is sent again and again, and the limit whose name the client is told.
FLOODS: dict[str, tuple[Callable[[], Octets], str]] = {
    "rapid-reset": (
        each_stream(request, RstStreamFrame),
        "h2_resets",
    ),
    "made-you-reset-by-window": (
        each_stream(unfinished, lambda stream: WindowUpdateFrame(stream, 2**31 - 1)),
        "h2_resets",
    ),
    "made-you-reset-by-fields": (each_stream(malformed), "h2_resets"),
    "made-you-reset-by-refusal": (each_stream(unfinished), "h2_resets"),
    "made-you-reset-by-no-fields": (
        each_stream(lambda stream: HeadersFrame(stream, flags=["END_HEADERS", "END_STREAM"])),
        "h2_resets",
    ),
    "made-you-reset-by-window-of-nothing": (
        each_stream(unfinished, lambda stream: WindowUpdateFrame(stream, 0)),
        "h2_resets",
    ),
    "made-you-reset-by-content-after-end": (
        each_stream(request, lambda stream: DataFrame(stream, b"x")),
        "h2_resets",
    ),
    "made-you-reset-by-length": (
        each_stream(promising, lambda stream: DataFrame(stream, b"xx")),
        "h2_resets",
    ),
    "made-you-reset-by-trailers": (each_stream(unfinished, unfinished), "h2_resets"),
    "reset-of-nothing": (repeated(RstStreamFrame(1)), "h2_resets"),
    "settings": (repeated(SettingsFrame(0)), "h2_settings"),
    "settings-window": (repeated(window(1), window(2**31 - 1)), "h2_settings"),
    "settings-acks": (repeated(SettingsFrame(0, flags=["ACK"])), "h2_settings"),
    "settings-table": (repeated(table(0), table(2**32 - 1)), "h2_settings"),
    "pings": (repeated(PingFrame(0)), "h2_pings"),
    "priorities": (repeated(PriorityFrame(3)), "h2_priorities"),
    "priority-updates": (repeated(priority_update()), "h2_priorities"),
    "window-updates": (repeated(WindowUpdateFrame(0, 1)), "h2_window_updates"),
    "window-updates-of-a-stream": (repeated(WindowUpdateFrame(1, 1)), "h2_window_updates"),
    "empty-data": (repeated(DataFrame(1)), "h2_empty_frames"),
    "padded-data": (repeated(DataFrame(1, pad_length=255, flags=["PADDED"])), "h2_empty_frames"),
    "unknown-frames": (repeated(ExtensionFrame(0x42, 0)), "h2_other_frames"),
    "goaways": (repeated(GoAwayFrame(0)), "h2_other_frames"),
    "requests-octet-by-octet": (requests_octet_by_octet, "h2_continuations"),
    "empty-continuations": (endless_block(b""), "h2_continuations"),
    "continuations": (endless_block(b"x" * 16384), "field_section_octets"),
    "hpack-references": (sections(block([]), b"\x82" * 16000), "field_section_octets"),
    "hpack-bomb": (sections(LARGE_FIELD, block([]) + b"\xbe" * 16000), "field_section_octets"),
}


FAIR: dict[str, Callable[[], Octets]] = {
    "pings": FLOODS["pings"][0],
    "settings": FLOODS["settings-window"][0],
    "window-updates": FLOODS["window-updates"][0],
    "rapid-reset": FLOODS["rapid-reset"][0],
    "requests": each_stream(request),
    "table-churn": sections(LARGE_FIELD, LARGE_FIELD),
    "table-sizes": sections(block([]), b"\x20\x3f\xe1\x1f" + LARGE_FIELD),
    "content-octet-by-octet": repeated(DataFrame(1, b"x")),
    "requests-octet-by-octet": requests_octet_by_octet,
    "long-sections": sections(LONG_SECTION, LONG_SECTION),
}


def assault(sock: socket.socket, flood: Octets, for_s: float) -> bytes:
    """Send until the server has had enough, or some seconds are over; return what it said."""
    heard = b""
    deadline = time.monotonic() + for_s
    with suppress(ConnectionError, ssl.SSLError):  # it has said why, before it closed
        sock.sendall(OPENING)
        for octets in flood:
            sock.sendall(octets)
            while select.select([sock], [], [], 0)[0]:
                piece = sock.recv(65536)
                heard += piece
                if not piece:
                    return heard
            if time.monotonic() > deadline:
                return heard
    with suppress(ConnectionError, ssl.SSLError):
        while piece := sock.recv(65536):
            heard += piece
    return heard


@pytest.mark.parametrize("kind", ["h2", "h2c"])
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood(name: str, kind: Literal["h2", "h2c"], target: Target) -> None:
    """
    The flood is ended with GOAWAY, ENHANCE_YOUR_CALM and the limit's name, which is in the log, too; others
    are answered all the while, and nothing of it is left.
    """
    flood, limit = FLOODS[name]
    with target.nothing_left() as before:
        with undisturbed(target), open_socket(target, kind) as sock:
            heard = assault(sock, flood(), STOPPED_S)
        *_, goaway = frames_of(heard)
        assert isinstance(goaway, GoAwayFrame)
        assert goaway.error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert limit in goaway.additional_data.decode()
        assert target.logged(limit)
    assert target.held().threads <= before.threads + Limits().h2_concurrent_streams + 10


@pytest.mark.parametrize("name", FAIR)
def test_a_flood_without_limits(name: str, victim: Victim) -> None:
    """Where a test wants no limits, floods take turns with everybody else."""
    with victim.serving(None) as target:
        ask_once(target)
        with target.nothing_left():
            flood_together(target, name)


def flood_together(target: Target, name: str) -> None:
    flooding = [threading.Thread(target=assault_over, args=(target, FAIR[name]())) for _ in range(3)]
    with undisturbed(target):
        for thread in flooding:
            thread.start()
        for thread in flooding:
            thread.join()


def assault_over(target: Target, flood: Octets) -> None:
    with open_socket(target, "h2c") as sock:
        sock.settimeout(1)
        with suppress(TimeoutError):
            assault(sock, as_far_as(flood, UNSTOPPED_OCTETS), UNSTOPPED_S)


def as_far_as(flood: Octets, octets: int) -> Octets:
    """Let no more of it out: what fills the sockets is worked off for many seconds on a slow machine."""
    for piece in flood:
        yield piece
        octets -= len(piece)
        if octets < 0:
            return
