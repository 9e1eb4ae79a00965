"""Pictures: which of them is sent, and that it is one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from tests.demo.conftest import Told
from tests.helpers.peers import Peer

KINDS = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "svg": "image/svg+xml"}
KNOWN = "there are pictures as image/webp, image/svg+xml, image/jpeg, image/png"


@pytest.mark.parametrize("name", KINDS)
def test_images(peer: Peer, name: str) -> None:
    """Each format is there, by its name and by its type."""
    answer = peer.request(f"/image/{name}")
    assert (answer.status, answer.get("content-type"), answer.get("vary")) == (200, KINDS[name], None)
    assert 0 < len(answer.content) < 1000
    wanted = peer.request("/image", headers=[("accept", KINDS[name])])
    assert (wanted.content, wanted.get("content-type"), wanted.get("vary")) == (
        answer.content,
        KINDS[name],
        "Accept",
    )


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "image/png"),
        ("*/*", "image/png"),
        ("image/*", "image/png"),
        ("IMAGE/JPEG", "image/jpeg"),
        ("image/png, image/jpeg", "image/jpeg"),
        ("image/jpeg;q=0.5, image/png;q=0.7", "image/png"),
        ("image/avif,image/webp,image/apng,*/*;q=0.8", "image/webp"),
        ("image/*;q=0.9, image/webp;q=0.1", "image/png"),
        ("image/*, image/png;q=0", "image/webp"),
        ("text/html, image/svg+xml ; q=0.1", "image/svg+xml"),
        ("image/png;level=1;q=1", "image/png"),
    ],
)
def test_accept(plain: Peer, accept: str | None, kind: str) -> None:
    """The one that Accept likes best is sent."""
    answer = plain.request("/image", headers=[] if accept is None else [("accept", accept)])
    assert (answer.status, answer.get("content-type")) == (200, kind)


@pytest.mark.parametrize("accept", ["text/html", "image/*;q=0", "", "image/gif"])
def test_not_acceptable(peer: Peer, complaint: Told, accept: str) -> None:
    """Where it likes none, it is 406, with those that there are."""
    answer = peer.request("/image", headers=[("accept", accept)])
    assert (answer.status, complaint(answer)) == (406, f"{KNOWN}, and Accept has none of them")


def test_other_formats(peer: Peer, complaint: Told) -> None:
    """Other formats are 406, too."""
    answer = peer.request("/image/avif")
    assert (answer.status, complaint(answer)) == (406, f"{KNOWN}, and no others")


def chunks_of(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 8
    while position < len(png):
        (length,) = struct.unpack_from(">I", png, position)
        name, data = png[position + 4 : position + 8], png[position + 8 : position + 8 + length]
        assert struct.unpack_from(">I", png, position + 8 + length) == (zlib.crc32(name + data),)
        yield name, data
        position += length + 12


def test_png(plain: Peer) -> None:
    """The PNG has as many pixels as it says."""
    chunks = dict(chunks_of(plain.request("/image/png").content))
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + width // 8)


def test_jpeg(plain: Peer) -> None:
    """The JPEG begins and ends as such, and no marker is in between by chance."""
    content = plain.request("/image/jpeg").content
    assert content.startswith(b"\xff\xd8\xff\xdb")
    assert content.endswith(b"\xff\xd9")
    scan = content[content.index(b"\xff\xda") + 10 : -2]
    assert b"\xff" not in scan.replace(b"\xff\x00", b"")


def test_webp(plain: Peer) -> None:
    """The WebP is as long as it says."""
    content = plain.request("/image/webp").content
    kind, length, webp, chunk, inner = struct.unpack_from("<4sI4s4sI", content)
    assert (kind, length, webp, chunk) == (b"RIFF", len(content) - 8, b"WEBP", b"VP8L")
    assert inner == len(content) - 20


def test_svg(plain: Peer) -> None:
    """The SVG is well formed."""
    root = ElementTree.fromstring(plain.request("/image/svg").content)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
