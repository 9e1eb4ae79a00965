"""What is sent of a file: validators that tell one version from another, and ranges read as they are sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.peers import Kind, Peer, connect
from wptproto import Server

SMALL, LARGE = 10, 100_000
SPARSE = 1 << 36  # more than anyone has memory for
MUCH = 20_000_000  # more than sockets hold


@pytest.fixture
def peer(tmp_path: Path, certs_dir: Path, kind: Kind) -> Iterator[Peer]:
    with Server(tmp_path, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        yield peer


def test_a_version_of_the_same_moment(peer: Peer, tmp_path: Path) -> None:
    """A small file that is written over within one tick of the clock, to its length, is another version."""
    file = tmp_path / "it.txt"
    tags = []
    for content in ("one", "two", "one"):
        file.write_text(content)
        os.utime(file, ns=(0, 1))
        tags.append(peer.request("/it.txt").get("etag"))
    assert tags[0] != tags[1]
    assert tags[0] == tags[2]
    assert peer.request("/it.txt", headers=[("If-None-Match", str(tags[1]))]).status == 200


def test_a_large_file_that_was_replaced(peer: Peer, tmp_path: Path) -> None:
    """A large file in the place of another is another version, though its date and length are the same."""
    tags = set()
    for number in range(3):
        new = tmp_path / "new"
        new.write_bytes(b"%d" % number * LARGE)
        os.utime(new, ns=(0, 1))
        new.rename(tmp_path / "it.txt")
        tags.add(peer.request("/it.txt").get("etag"))
    assert len(tags) == 3
    (answer,) = tags & {peer.request("/it.txt", method="HEAD").get("etag")}
    assert answer is not None
    assert peer.request("/it.txt", headers=[("If-None-Match", answer)]).status == 304


@pytest.mark.parametrize("length", [SMALL, LARGE])
def test_parts(peer: Peer, tmp_path: Path, length: int) -> None:
    """Of files read at once and of others come the same parts, errors, and nothing at all."""
    content = os.urandom(length)
    (tmp_path / "it.bin").write_bytes(content)
    tag = str(peer.request("/it.bin").get("etag"))
    for wanted, found in (("2-5", content[2:6]), ("-3", content[-3:]), ("7-", content[7:])):
        answer = peer.request("/it.bin", headers=[("Range", f"bytes={wanted}"), ("If-Range", tag)])
        assert (answer.status, answer.content) == (206, found)
        assert answer.get("content-length") == str(len(found))
    answer = peer.request("/it.bin", headers=[("Range", "bytes=-2,0-1")])
    _, first, second, _ = answer.content.split(b"\r\n--")
    assert (first[-2:], second[-2:]) == (content[-2:], content[:2])
    assert answer.get("content-length") == str(len(answer.content))
    for line, status in (
        (("Range", f"bytes={length}-"), 416),
        (("If-Match", '"x"'), 412),
        (("If-None-Match", tag), 304),
    ):
        assert peer.request("/it.bin", headers=[line]).status == status
    assert peer.is_open()


@pytest.mark.parametrize("wanted", ["bytes=5-", "bytes=5-,0-1", "bytes=1-2,5-"])
def test_a_range_is_read_as_it_is_sent(peer: Peer, tmp_path: Path, wanted: str) -> None:
    """A range may be longer than any memory."""
    with (tmp_path / "it.bin").open("wb") as file:
        file.truncate(SPARSE)
    peer.send_request("/it.bin", headers=[("Range", wanted)])
    assert b"\0" * 100 in peer.read_some() + peer.read_some()


def test_a_range_of_a_file_that_shrinks(peer: Peer, tmp_path: Path) -> None:
    """What a file does not have any more shows: the message is cut off."""
    file = tmp_path / "it.bin"
    file.write_bytes(bytes(MUCH))
    peer.send_request("/it.bin", headers=[("Range", "bytes=1-")])
    assert peer.read_some()
    os.truncate(file, 10)
    assert not peer.read_answer().complete


def test_many_ranges(peer: Peer, tmp_path: Path) -> None:
    """Ranges that are one are sent once, however often they are asked for; and too many are ignored."""
    (tmp_path / "it.bin").write_bytes(bytes(SMALL * 100))
    for wanted, status in (
        (",".join(["0-"] * 1300), 206),
        (",".join(f"{at}-{at + 5}" for at in range(1000)), 206),
        (",".join(f"{at}-{at}" for at in range(0, 400, 2)), 206),
        (",".join(f"{at}-{at}" for at in range(0, 402, 2)), 200),
    ):
        answer = peer.request("/it.bin", headers=[("Range", f"bytes={wanted}")])
        assert answer.status == status
        assert len(answer.content) < 30_000
    assert (answer.content, answer.get("content-range")) == (bytes(SMALL * 100), None)


def test_not_modified_says_no_more_than_it_has_to(peer: Peer, tmp_path: Path) -> None:
    """A 304 has what guides caches, and no type that nobody wrote by hand (RFC 9110 §15.4.5)."""
    (tmp_path / "it.txt").write_text("it")
    (tmp_path / "it.txt.headers").write_text(
        "Cache-Control: max-age=1\nVary: X\nContent-Location: /x\nExpires: 0\n"
    )
    got, same = (peer.request("/it.txt", headers=headers) for headers in ([], [("If-None-Match", "*")]))
    assert (same.status, same.content, same.get("content-length")) == (304, b"", None)
    for name in ("cache-control", "vary", "content-location", "expires", "etag"):
        assert same.get(name) == got.get(name) is not None
    assert same.get("date") is not None
    assert same.get("content-type") is None
    (tmp_path / "it.txt.headers").write_text("Content-Type: a/b\n")
    assert peer.request("/it.txt", headers=[("If-None-Match", "*")]).get("content-type") == "a/b"
