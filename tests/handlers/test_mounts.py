"""Mounts: what is served below which path, and what its handlers know of that."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.peers import Kind, connect
from wptproto import ConfigError, Request, Response, Server
from wptproto.handlers.mounts import mount_routes

TELLING = """
def main(request, response):
    return f"{request.doc_root} {request.url_base} {request.route_match['*']}"
"""
SUBSTITUTED = "{{url_base}} {{fs_path(/a)}} {{fs_path(a)}} {{file_hash(md5, file.txt)}}"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A document root, and beside it what can be mounted."""
    for path, text in {
        "root/images/file.txt": "hidden by the mount",
        "root/file.txt": "of the root",
        "root/telling.py": TELLING,
        "root/fields.sub.txt": "{{url_base}}",
        "images/file.txt": "of the mount",
        "images/telling.py": TELLING,
        "images/default.py": TELLING,
        "images/sub/fields.sub.txt": SUBSTITUTED,
        "images/sub/__dir__.headers": "X-Of: directory",
        "images/sub/fields.sub.txt.sub.headers": "X-Base: {{url_base}}",
        "images/octets.asis": "HTTP/1.1 299 As It Is\r\nContent-Length: 0\r\n\r\n",
        "deeper/file.txt": "of the longer path",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(text.encode())
    return tmp_path


def test_below_a_path(certs_dir: Path, tree: Path, kind: Kind) -> None:
    """Files, scripts and listings of a directory stand below its path; the longest path wins."""

    def given(request: Request, response: Response) -> str:
        return f"given {request.doc_root} {request.url_base}"

    mounts: dict[str, str | Path] = {"/images/": tree / "images", "/images/deeper/": str(tree / "deeper")}
    routes = [("GET", "/images/given.txt", given)]
    with (
        Server(tree / "root", routes, mounts=mounts, certs_dir=certs_dir) as server,
        connect(server, kind) as peer,
    ):
        assert peer.request("/file.txt").text == "of the root"
        assert peer.request("/images/file.txt").text == "of the mount"
        assert peer.request("/images/deeper/file.txt").text == "of the longer path"
        assert peer.request("/images/given.txt").text == f"given {tree / 'root'} /"
        assert peer.request("/images/telling.py").text == f"{tree / 'images'} /images/ telling"
        assert peer.request("/telling.py").text == f"{tree / 'root'} / telling"
        assert "file.txt" in peer.request("/images/").text
        assert '<a href="/">..</a>' in peer.request("/images/").text
        assert str(peer.request("/images/sub?q").get("location")).endswith("/images/sub/?q")
        assert peer.request("/images/../root/file.txt").status == 404
        assert peer.request("/images/%2e%2e/root/file.txt").status == 404


def test_templates(certs_dir: Path, tree: Path, kind: Kind) -> None:
    """Templates reckon from the mounted directory, and so do ``.headers`` files."""
    with (
        Server(tree / "root", mounts={"/images/": tree / "images"}, certs_dir=certs_dir) as server,
        connect(server, kind) as peer,
    ):
        answer = peer.request("/images/sub/fields.sub.txt")
        images = tree / "images"
        digest = b64encode(hashlib.md5(b"of the mount").digest()).decode()
        assert answer.text == f"/images/ {images / 'a'} {images / 'sub' / 'a'} {digest}"
        assert (answer.get("x-of"), answer.get("x-base")) == ("directory", "/images/")
        assert peer.request("/fields.sub.txt").text == "/"


def test_octets(certs_dir: Path, tree: Path) -> None:
    """An ``.asis`` file below a mount is sent as it is."""
    with (
        Server(mounts={"/i/": tree / "images"}, certs_dir=certs_dir) as server,
        connect(server, "h1") as peer,
    ):
        assert peer.request("/i/octets.asis").status == 299


def test_without_a_root(certs_dir: Path, tree: Path) -> None:
    """A server may have mounts alone; what is beside them is not there."""
    with (
        Server(mounts={"/i/": tree / "images"}, certs_dir=certs_dir) as server,
        connect(server, "h1") as peer,
    ):
        assert server.doc_root is None
        assert peer.request("/i/file.txt").text == "of the mount"
        assert [peer.request(path).status for path in ("/", "/i", "/file.txt", "/i/none")] == [404] * 4


def test_single_files(certs_dir: Path, tree: Path, kind: Kind) -> None:
    """A path without a slash at its end is that of one file of the directory, or of one script."""
    mounts = {"/a/file.txt": tree / "images", "/b/{*}.py": tree / "odd"}
    (tree / "odd").mkdir()
    (tree / "odd" / "{*}.py").write_text("def main(request, response):\n    return request.url_base\n")
    with Server(tree / "root", mounts=mounts, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        assert peer.request("/a/file.txt").text == "of the mount"
        assert peer.request("/a/telling.py").status == 404
        assert peer.request("/b/{*}.py").text == "/b/"


@pytest.mark.parametrize(
    ("path", "directory", "said"),
    [
        ("images/", "images", "cannot mount at 'images/': a path begins with /"),
        ("/a b/", "images", "cannot mount at '/a b/': .* percent-encoded"),
        ("/a?/", "images", "cannot mount at"),
        ("/images/", "none", "cannot serve .*none: No such file"),
        ("/images", "images", "cannot mount at /images: .* has no file images; .* a slash at its end"),
        ("/../x", "images", "cannot mount at /../x: .* has no file x"),
        ("/..", "images", "has no file .."),
    ],
)
def test_nonsense(tree: Path, path: str, directory: str, said: str) -> None:
    """What cannot be mounted is refused before the server is there, in a sentence that says why."""
    with pytest.raises(ConfigError, match=said):
        Server(mounts={path: tree / directory})


def test_any_handler_with_a_directory(certs_dir: Path) -> None:
    """Any handler with the attributes base_path and url_base has its requests know them."""
    seen: list[Any] = []

    class Handler:
        base_path: str | None = "/somewhere"
        url_base = "/x/"

        def __call__(self, request: Request, response: Response) -> None:
            seen.append((request.doc_root, request.url_base))

    class Nowhere(Handler):
        base_path = None

    routes = [("*", "/x/*", Handler()), ("*", "/y", Nowhere())]
    with Server(routes=routes, certs_dir=certs_dir) as server, connect(server, "h1") as peer:
        peer.request("/x/")
        peer.request("/y")
    assert seen == [("/somewhere", "/x/"), (None, "/")]


def test_order(tree: Path) -> None:
    """Routes stand in order of the length of their paths, and scripts before files."""
    mounts = {"/": tree / "root", "/a/": tree / "images", "/a/b/": tree / "deeper"}
    assert [pattern for _, pattern, _ in mount_routes(mounts)][::3] == ["/a/b/*.py", "/a/*.py", "/*.py"]
