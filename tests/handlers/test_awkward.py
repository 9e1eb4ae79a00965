"""What a document root can have in it that is no plain file, and files that change while they are sent."""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.peers import Kind, Peer, connect
from wptproto import Server

SCRIPT = "def main(request, response):\n    return 'ran'\n"
BIG_OCTETS = 20_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def peer(root: Path, certs_dir: Path, kind: Kind) -> Iterator[Peer]:
    with Server(root, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        yield peer


@pytest.mark.parametrize("name", ["fifo", "fifo.txt", "fifo.sub.txt", "fifo.py", "fifo.asis"])
def test_fifo(peer: Peer, root: Path, name: str) -> None:
    """Nobody waits for a FIFO's other end: it is no file, whatever its name."""
    os.mkfifo(root / name)
    assert peer.request(f"/{name}").status == 404
    assert name in peer.request("/").text


def test_fifo_beside_a_file(peer: Peer, root: Path) -> None:
    """A FIFO gives no fields, and is no default script."""
    (root / "it.txt").write_text("it")
    for name in ("it.txt.headers", "__dir__.sub.headers", "default.py"):
        os.mkfifo(root / name)
    assert peer.request("/it.txt").text == "it"
    assert peer.request("/").status == 200


def test_socket(peer: Peer, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket is no file."""
    monkeypatch.chdir(root)  # the path of a socket must not be long
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("socket.txt")
        assert peer.request("/socket.txt").status == 404


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/tty", "/dev/stdin"])
def test_device(peer: Peer, root: Path, device: str) -> None:
    """A link to a device leads out of the root, and is not opened."""
    for name in ("device.txt", "device.py", "device.asis", "it.txt.headers"):
        (root / name).symlink_to(device)
    (root / "it.txt").write_text("it")
    for name in ("device.txt", "device.py", "device.asis"):
        assert peer.request(f"/{name}").status == 404
    assert peer.request("/it.txt").text == "it"


def test_link_out_of_the_root(peer: Peer, root: Path) -> None:
    """What lies outside is not there, by whatever name a link gives it; nor does a linked directory help."""
    outside = root.parent / "outside"
    outside.mkdir()
    for name in ("it.txt", "it.py", "it.asis", "it.sub.txt", "default.py"):
        (outside / name).write_text(SCRIPT)
        (root / name).symlink_to(outside / name)
        assert peer.request(f"/{name}").status == 404
    (root / "dir").symlink_to(outside)
    assert peer.request("/dir/").status == 404
    assert peer.request("/dir/it.txt").status == 404


def test_link_within_the_root(peer: Peer, root: Path) -> None:
    """A link within is its file, by its own name."""
    (root / "it.txt").write_text("it")
    (root / "run.py").write_text(SCRIPT)
    (root / "link.html").symlink_to("it.txt")
    (root / "link.py").symlink_to("run.py")
    answer = peer.request("/link.html")
    assert (answer.get("content-type"), answer.text) == ("text/html", "it")
    assert peer.request("/link.py").text == "ran"


def test_octets_in_a_name(peer: Peer, root: Path) -> None:
    """A file whose name is no UTF-8 is found by its octets, and listed."""
    Path(os.fsdecode(os.fsencode(root) + b"/\xff.txt")).write_text("it")
    assert peer.request("/%ff.txt").text == "it"
    assert '<a href="%FF.txt">' in peer.request("/").text


def test_directory_that_cannot_be_read(peer: Peer, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that cannot be listed is 404, and says why."""

    def refuse(path: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("wptproto.handlers.listing.os.listdir", refuse)
    answer = peer.request("/")
    assert (answer.status, "Permission denied" in answer.text) == (404, True)


def test_a_file_that_vanishes_while_it_is_sent(peer: Peer, root: Path) -> None:
    """A file that is being sent arrives whole, though it has no name any more; and then it is gone."""
    big = root / "big"
    big.write_bytes(b"x" * BIG_OCTETS)
    peer.send_request("/big")
    assert peer.read_some()
    big.unlink()
    answer = peer.read_answer()
    assert (answer.complete, len(answer.content)) == (True, BIG_OCTETS)
    assert peer.request("/big").status == 404


def test_a_file_that_shrinks_while_it_is_sent_in_parts(peer: Peer, root: Path) -> None:
    """A file that trickles is read at once, and arrives as it was."""
    file = root / "it.txt"
    file.write_text("0123456789")
    peer.send_request("/it.txt?pipe=trickle(5:d0.2:5)")
    assert peer.read_some().startswith(b"01234")  # and what came soon behind it, for a client that is slow
    file.write_text("")
    answer = peer.read_answer()
    assert (answer.complete, answer.text) == (True, "0123456789")


def test_a_file_that_is_another_now(peer: Peer, root: Path) -> None:
    """A file that was replaced is the new one, with a validator of its own."""
    (root / "it.txt").write_text("one")
    tag = peer.request("/it.txt").get("etag")
    (root / "new").write_text("two")
    (root / "new").rename(root / "it.txt")
    os.utime(root / "it.txt", ns=(1, 1))
    answer = peer.request("/it.txt", headers=[("If-None-Match", tag or "")])
    assert (answer.text, answer.get("etag") != tag) == ("two", True)


def test_trickle(peer: Peer, root: Path) -> None:
    """Each part arrives by itself, and when its time has come."""
    (root / "it.txt").write_text("0123456789")
    begun = time.monotonic()
    peer.send_request("/it.txt?pipe=trickle(d0.1:3:d0.1:r2)")
    octets = 0
    while some := peer.read_some():  # several parts, for a client that is slow
        octets += len(some)
        assert time.monotonic() - begun >= 0.1 * math.ceil(octets / 3)
    assert peer.read_answer().pieces == [b"012", b"345", b"678", b"9"]


def test_trickle_for_ever(root: Path, certs_dir: Path, kind: Kind) -> None:
    """A trickle of many years ends with its server."""
    (root / "it.txt").write_text("0123456789")
    begun = time.monotonic()
    with Server(root, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        peer.send_request("/it.txt?pipe=trickle(1:d1e9:r2)")
        assert peer.read_some() == b"0"
        server.stop()
        assert not peer.read_answer().complete
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize(
    "path",
    [
        "/" + "x" * 255 + ".txt",
        "/" + "x" * 10_000,
        "/" + "x/" * 10_000,
        "/" + "%2e" * 5_000,
        "/x.py?" + "x" * 30_000,
        "/" + "%00" * 1000,
    ],
)
def test_long_path(peer: Peer, path: str) -> None:
    """A name longer than any file's is 404."""
    assert peer.request(path).status == 404


def test_long_field(peer: Peer, root: Path) -> None:
    """A long line of a ``.headers`` file arrives."""
    (root / "it.txt").write_text("it")
    (root / "it.txt.headers").write_text("X-A: " + "x" * 30_000)
    assert peer.request("/it.txt").get("x-a") == "x" * 30_000
