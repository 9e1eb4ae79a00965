"""How long it takes, how much it is, and in which pieces it comes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator

from wptproto.demo.arguments import capped, number, parameter, segment
from wptproto.demo.caching import meets_conditions
from wptproto.demo.family import Answer
from wptproto.demo.report import ALL, as_json, report
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.router import any_method
from wptproto.semantics.conditions import range_applies
from wptproto.semantics.ranges import (
    ByteRange,
    UnsatisfiableRange,
    content_range,
    is_in_another_unit,
    parse_range,
    unsatisfied_range,
)

__all__ = ["ANSWERS"]

MOST_DELAY_S = 10
MOST_DURATION_S = 60
MOST_DRIPPED_OCTETS = 10 * 1024 * 1024
MOST_OCTETS = 100 * 1024
MOST_LINES = 100
USUAL_CHUNK_OCTETS = 10 * 1024

_FINEST_PAUSE_S = 0.001
_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_BINARY = "application/octet-stream"

Pieces = Iterable[tuple[float, bytes]]
"""Pieces of content, and how many seconds pass before each."""


def delay(request: Request, response: Response) -> str:
    """Answer as /anything, but only after n seconds, 10 at the most."""
    response.writer.pause(capped(float, "n", segment(request, "n"), 0, MOST_DELAY_S))
    names = [name for name in ALL if name not in ("json", "method")]
    return as_json(response, report(request, *names))


def drip(request: Request, response: Response) -> Iterator[bytes]:
    """
    Send ``numbytes`` octets (10) over ``duration`` seconds (2), with status ``code``.

    It begins after ``delay`` seconds (0). At the most that is 10 MiB over 60 seconds, after 10.
    """
    octets = capped(int, "numbytes", parameter(request, "numbytes", "10"), 1, MOST_DRIPPED_OCTETS)
    duration_s = capped(float, "duration", parameter(request, "duration", "2"), 0, MOST_DURATION_S)
    delay_s = capped(float, "delay", parameter(request, "delay", "0"), 0, MOST_DELAY_S)
    code = number(int, "code", parameter(request, "code", "200"), 200, 999)
    response.writer.pause(delay_s)
    response.status = code
    response.headers.set("Content-Type", _BINARY)
    if code not in (204, 304):
        response.headers.set("Content-Length", octets)
    return _paced(_drops(octets, duration_s), response.writer.pause)


def ranged(request: Request, response: Response) -> Iterator[bytes] | None:
    """
    Send n letters, 100 KiB at the most, or the Range of them, with an ETag that conditions can name.

    They come in pieces of ``chunk_size`` (10 KiB), over ``duration`` seconds (0, 60 at the most).
    """
    length = number(int, "n", segment(request, "n"), 1, MOST_OCTETS)
    chunk = _chunk_octets(request)
    duration_s = capped(float, "duration", parameter(request, "duration", "0"), 0, MOST_DURATION_S)
    entity_tag = b'"range%d"' % length
    response.headers.set("Content-Type", _BINARY)
    response.headers.set("Accept-Ranges", "bytes")
    if not meets_conditions(request, response, entity_tag):
        return None
    wanted = request.head.fields.get(b"range") if request.method == "GET" else None
    start, stop = 0, length
    if (
        wanted is not None
        and not is_in_another_unit(wanted)
        and range_applies(request.head.fields, entity_tag)
    ):
        try:
            ranges = parse_range(wanted, length)
        except UnsatisfiableRange as error:
            response.set_error(416, error)
            response.headers.set("Content-Range", unsatisfied_range(length))
            return None
        if len(ranges) == 1:  # of several, RFC 9110 §14.2 lets a server send the whole
            [(start, stop)] = ranges
            response.status = 206
            response.headers.set("Content-Range", content_range((start, stop), length))
    response.headers.set("Content-Length", stop - start)
    return _paced(_letters((start, stop), chunk, duration_s / length), response.writer.pause)


def stream(request: Request, response: Response) -> Iterator[str]:
    """Send n lines, 100 at the most, each of them JSON: the request as /get has it, and ``id``."""
    lines = capped(int, "n", segment(request, "n"), 0, MOST_LINES)
    told = report(request, "args", "headers", "origin", "url")
    response.headers.set("Content-Type", "application/json")
    return (json.dumps({**told, "id": line}) + "\n" for line in range(lines))


def octets_at_once(request: Request, response: Response) -> bytes:
    """Send n octets, 100 KiB at the most, by chance, or always the same for a ``seed``."""
    response.headers.set("Content-Type", _BINARY)
    return _octets(request)


def octets_in_pieces(request: Request, response: Response) -> Iterator[bytes]:
    """Send the same without saying how many, in pieces of ``chunk_size`` octets (10 KiB)."""
    octets, chunk = _octets(request), _chunk_octets(request)
    response.headers.set("Content-Type", _BINARY)
    return (octets[start : start + chunk] for start in range(0, len(octets), chunk))


def _octets(request: Request) -> bytes:
    """Return as many octets as the path says: for a seed those that httpbin has for it."""
    count = capped(int, "n", segment(request, "n"), 0, MOST_OCTETS)
    seed = parameter(request, "seed")
    if not seed:
        import os

        return os.urandom(count)
    import random

    chance = random.Random(number(int, "seed", seed, 0, 10**18 - 1))  # noqa: S311  # it is to be foreseen
    return bytes(chance.randint(0, 255) for _ in range(count))


def _chunk_octets(request: Request) -> int:
    return capped(
        int, "chunk_size", parameter(request, "chunk_size", str(USUAL_CHUNK_OCTETS)), 1, MOST_OCTETS
    )


def _drops(octets: int, duration_s: float) -> Pieces:
    """Cut octets up, one by one if that is not too fine; the first comes at once, the last at the end."""
    count = min(octets, max(1, math.floor(duration_s / _FINEST_PAUSE_S)))
    pause_s = duration_s / (count - 1) if count > 1 else 0
    for drop in range(count):
        size = octets * (drop + 1) // count - octets * drop // count
        yield pause_s if drop else 0, b"*" * size


def _letters(wanted: ByteRange, chunk: int, pause_s: float) -> Pieces:
    """Cut a range of letters up; each piece comes when its octets' time has passed."""
    letters = _LETTERS * (MOST_OCTETS // len(_LETTERS) + 1)
    start, stop = wanted
    for place in range(start, stop, chunk):
        piece = letters[place : min(place + chunk, stop)]
        yield pause_s * len(piece), piece


def _paced(pieces: Pieces, pause: Callable[[float], object]) -> Iterator[bytes]:
    """Yield content in its time; a pause ends when the client goes, and then nobody asks for more."""
    for pause_s, piece in pieces:
        if pause_s:
            pause(pause_s)
        yield piece


ANSWERS = (
    Answer(any_method, "/delay/{n}", delay, link="/delay/1"),
    Answer("GET", "/drip", drip, link="/drip?duration=2&numbytes=10&code=200&delay=1"),
    Answer("GET", "/range/{n}", ranged, link="/range/26"),
    Answer("GET", "/stream/{n}", stream, link="/stream/3"),
    Answer("GET", "/bytes/{n}", octets_at_once, link="/bytes/16?seed=0"),
    Answer("GET", "/stream-bytes/{n}", octets_in_pieces, link="/stream-bytes/16?seed=0&chunk_size=4"),
)
