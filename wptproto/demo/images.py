"""
One picture in four formats, which are written here octet by octet.

It is a bitmap of 8 by 8 cells, each of them 8 by 8 pixels, so that nothing has to be compressed to be small.
"""

from __future__ import annotations

import re
import struct
import zlib

from wptproto.demo.family import Answer
from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response

__all__ = ["ANSWERS"]

_CELL = 8
_SIDE = 8 * _CELL
_BITMAP = (
    "........",
    ".#....#.",
    ".#....#.",
    ".#....#.",
    ".#.##.#.",
    ".#.##.#.",
    "..#..#..",
    "........",
)
_MEMBER = re.compile(r"[ \t]*([^;, \t]+)[ \t]*((?:;[^,]*)?)")
_QUALITY = re.compile(r";[ \t]*q=([01](?:\.[0-9]{0,3})?)[ \t]*(?:;|\Z)", re.IGNORECASE)


def image(request: Request, response: Response) -> bytes:
    """Send a picture of the type that Accept likes best; PNG, if it does not care."""
    accept = request.headers.get("accept", b"*/*").decode("latin-1").lower()
    best = max(_MAKERS, key=lambda kind: _liking(accept, kind))
    if not _liking(accept, best)[0]:
        raise HTTPException(406, f"there are pictures as {', '.join(_MAKERS)}, and Accept has none of them")
    response.headers.set("Vary", "Accept")
    return _send(response, best)


def png(request: Request, response: Response) -> bytes:
    """Send it as PNG."""
    return _send(response, "image/png")


def jpeg(request: Request, response: Response) -> bytes:
    """Send it as JPEG."""
    return _send(response, "image/jpeg")


def webp(request: Request, response: Response) -> bytes:
    """Send it as WebP."""
    return _send(response, "image/webp")


def svg(request: Request, response: Response) -> bytes:
    """Send it as SVG."""
    return _send(response, "image/svg+xml")


def unknown(request: Request, response: Response) -> None:
    """Answer 406 for any other format."""
    raise HTTPException(406, f"there are pictures as {', '.join(_MAKERS)}, and no others")


def _send(response: Response, kind: str) -> bytes:
    response.headers.set("Content-Type", kind)
    return _MAKERS[kind]()


def _liking(accept: str, kind: str) -> tuple[float, int, int]:
    """Return how much a type is liked, how expressly, and our own order (RFC 9110 §12.5.1)."""
    names = ("*/*", "image/*", kind)
    found = (0.0, -1)
    for name, parameters in _MEMBER.findall(accept):
        if name in names and names.index(name) > found[1]:
            quality = _QUALITY.search(parameters)
            found = (float(quality[1]) if quality else 1.0, names.index(name))
    expressly = found[1] == 2
    order = list(_MAKERS)[::-1] if expressly else ["image/png"]  # as httpbin has it
    return *found, order.index(kind) if kind in order else -1


def _make_png() -> bytes:
    """Return the picture with one bit a pixel (Portable Network Graphics §11)."""
    rows = (bytes(255 * (cell == ".") for cell in row) for row in _BITMAP)
    pixels = b"".join(b"\0" + row for row in rows for _ in range(_CELL))
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _make_jpeg() -> bytes:
    """
    Return the picture in grey, of which each block is a cell of one shade (ITU-T T.81 §F.1).

    So of its 64 coefficients only the first counts, which is coded as the difference to that of the cell
    before; and since there are two shades, it is 0 or, in 8 bits, 255 or -255.
    """
    bits, before = [], 0
    for cell in "".join(_BITMAP):
        shade = 127 if cell == "." else -128
        difference, before = shade - before, shade
        size = abs(difference).bit_length()
        value = difference if difference > 0 else difference + (1 << size) - 1
        # The code for a size is its number in four bits; then comes the value, and one bit for "no others".
        bits.append(f"{size:04b}" + (f"{value:0{size}b}" if size else "") + "0")
    stream = "".join(bits)
    stream += "1" * (-len(stream) % 8)
    coded = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\x00")
    tables = (
        (0xDB, b"\0" + bytes([_CELL] * 64)),  # all coefficients are divided by 8
        (0xC0, struct.pack(">BHHB3B", 8, _SIDE, _SIDE, 1, 1, 0x11, 0)),
        (0xC4, b"\x00" + bytes([0, 0, 0, 12, *[0] * 12]) + bytes(range(12))),
        (0xC4, b"\x10" + bytes([1, *[0] * 15]) + b"\0"),
        (0xDA, bytes([1, 1, 0, 0, 63, 0])),
    )
    segments = (struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data for marker, data in tables)
    return b"\xff\xd8" + b"".join(segments) + coded + b"\xff\xd9"


def _make_webp() -> bytes:
    """Return the picture without loss, in which a pixel is one bit (RFC 9649 §3.4 to §3.7)."""
    bits = _bits(0x2F, 8) + _bits(_SIDE - 1, 14) + _bits(_SIDE - 1, 14)
    bits += _bits(0, 1 + 3)  # no alpha, version 0
    bits += _bits(1, 1) + _bits(2, 2) + _bits(0, 1)  # one transform: red and blue are as green
    bits += _bits(0, 2)  # no cache, one group of codes
    bits += _bits(0b111, 3) + _bits(0, 8) + _bits(255, 8)  # green is one of two symbols of 8 bits
    for symbol in (0, 0, 255):  # red and blue differ by nothing, and nothing can be seen through
        bits += _bits(0b101, 3) + _bits(symbol, 8)
    bits += _bits(0b0001, 4)  # and there are no distances
    bits += "".join(
        "01"[cell == "."] for row in _BITMAP for _ in range(_CELL) for cell in row for _ in range(_CELL)
    )
    coded = _packed(bits)
    coded += b"\0" * (len(coded) % 2)
    chunk = b"VP8L" + struct.pack("<I", len(coded)) + coded
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def _bits(value: int, count: int) -> str:
    """Return a number as so many bits, the least first."""
    return f"{value:0{count}b}"[::-1]


def _packed(bits: str) -> bytes:
    """Return bits as octets, of which each is filled from its least bit on."""
    return int(bits[::-1], 2).to_bytes(-(-len(bits) // 8), "little")


def _make_svg() -> bytes:
    """Return the picture as squares (Scalable Vector Graphics §9)."""
    cells = ((x, y) for y, row in enumerate(_BITMAP) for x, cell in enumerate(row) if cell == "#")
    path = "".join(f"M{x} {y}h1v1h-1z" for x, y in cells)
    size = f'width="{_SIDE}" height="{_SIDE}" viewBox="0 0 8 8"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><path d="{path}"/></svg>\n'.encode()


_MAKERS = {
    "image/webp": _make_webp,
    "image/svg+xml": _make_svg,
    "image/jpeg": _make_jpeg,
    "image/png": _make_png,
}

ANSWERS = (
    Answer("GET", "/image", image),
    Answer("GET", "/image/png", png),
    Answer("GET", "/image/jpeg", jpeg),
    Answer("GET", "/image/webp", webp),
    Answer("GET", "/image/svg", svg),
    Answer("GET", "/image/{format}", unknown, link="/image/gif"),
)
