"""The page that lists a directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wptproto.handlers.listing import listing


def items(page: bytes) -> list[str]:
    return [line for line in page.decode("ascii").splitlines() if line.startswith("<li")]


def test_entries_by_name(tmp_path: Path) -> None:
    """Files and directories are links, by name; what is above a directory comes first."""
    for name in ("b.txt", "a b&c.txt", "javascript:x"):
        (tmp_path / name).touch()
    (tmp_path / "a").mkdir()
    assert items(listing(tmp_path, "/some/where/")) == [
        '<li class="dir"><a href="/some/">..</a></li>',
        '<li class="dir"><a href="a/">a</a></li>',
        '<li class="file"><a href="a%20b%26c.txt">a b&amp;c.txt</a></li>',
        '<li class="file"><a href="b.txt">b.txt</a></li>',
        '<li class="file"><a href="javascript%3Ax">javascript:x</a></li>',
    ]


def test_the_root_has_nothing_above(tmp_path: Path) -> None:
    """The root has no link upwards; an empty directory has no items."""
    assert items(listing(tmp_path, "/")) == []
    assert items(listing(tmp_path, "/a/")) == ['<li class="dir"><a href="/">..</a></li>']


def test_headers_stand_beside_their_file(tmp_path: Path) -> None:
    """``.headers`` stand beside the file they are for, and by themselves if there is none."""
    for name in ("x", "x-y", "x.headers", "y.headers", "z.sub.headers", "z"):
        (tmp_path / name).touch()
    assert items(listing(tmp_path, "/")) == [
        '<li class="file"><a href="x">x</a> (<a href="x.headers">.headers</a>)</li>',
        '<li class="file"><a href="x-y">x-y</a></li>',
        '<li class="file"><a href="y.headers">y.headers</a></li>',
        '<li class="file"><a href="z">z</a></li>',
        '<li class="file"><a href="z.sub.headers">z.sub.headers</a></li>',
    ]


def test_names_beyond_ascii(tmp_path: Path) -> None:
    """Names are shown whatever their octets are, and linked by these; the page itself is ASCII."""
    (tmp_path / "é").touch()
    try:
        (tmp_path / os.fsdecode(b"\xff")).touch()
    except OSError:
        pytest.skip("this file system has no such names")
    assert items(listing(tmp_path, "/")) == [
        '<li class="file"><a href="%C3%A9">&#233;</a></li>',
        '<li class="file"><a href="%FF">&#65533;</a></li>',
    ]
    assert b"<title>Directory listing for /a&lt;&#255;/</title>" in listing(tmp_path, "/a<\xff/")
