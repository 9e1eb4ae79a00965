"""Files and scripts below a document root: what is found, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.peers import Answer, Kind, Peer, connect
from wptproto import Server


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside.txt").write_text("outside")
    root = tmp_path / "root"
    root.mkdir()
    (root / "page.html").write_text("<p>page")
    (root / "data.bin").write_bytes(bytes(range(256)) * 1000)
    (root / "a b&c.txt").write_text("named")
    (root / "archive.tar.gz").write_bytes(b"gz")
    (root / "dir").mkdir()
    (root / "dir" / "inner.js").write_text("1")
    (root / "link-in").symlink_to(root / "page.html")
    (root / "link-out").symlink_to(tmp_path / "outside.txt")
    (root / "loop").symlink_to(root / "loop")
    os.mkfifo(root / "pipe")
    (root / "script.py").write_text("def main(request, response):\n    return 'method ' + request.method\n")
    (root / "asynchronous.py").write_text("async def main(request, response):\n    return 'awaited'\n")
    (root / "mainless.py").write_text("x = 1\n")
    (root / "broken.py").write_text("def main(:\n")
    (root / "raising.py").write_text("1 / 0\n")
    (root / "counting.py").write_text(
        "count = 0\ndef main(request, response):\n    global count\n    count += 1\n    return str(count)\n"
    )
    return root


@pytest.fixture
def server(root: Path, certs_dir: Path) -> Iterator[Server]:
    with Server(root, certs_dir=certs_dir) as server:
        yield server


@pytest.fixture
def peer(server: Server, kind: Kind) -> Iterator[Peer]:
    with connect(server, kind) as peer:
        yield peer


@pytest.mark.parametrize(
    ("path", "kind_of_content", "length"),
    [
        ("/page.html", "text/html", 7),
        ("/page.html?query", "text/html", 7),
        ("/%70age.html", "text/html", 7),
        ("//page.html", "text/html", 7),
        ("/data.bin", "application/octet-stream", 256_000),
        ("/a%20b&c.txt", "text/plain", 5),
        ("/archive.tar.gz", "application/octet-stream", 2),
        ("/dir/inner.js", "text/javascript", 1),
        ("/dir%2Finner.js", "text/javascript", 1),
        ("/link-in", "application/octet-stream", 7),
    ],
)
def test_file(peer: Peer, path: str, kind_of_content: str, length: int) -> None:
    """A file is served with its length and type, and the connection stays."""
    answer = peer.request(path)
    assert answer.status == 200
    assert answer.get("content-type") == kind_of_content
    assert (len(answer.content), answer.get("content-length")) == (length, str(length))
    assert peer.is_open()
    assert peer.request(path, method="HEAD").get("content-length") == str(length)


@pytest.mark.parametrize(
    "path",
    [
        "/absent",
        "/dir/../../outside.txt",
        "/..",
        "/%2e%2e/outside.txt",
        "/.%2e/outside.txt",
        "/dir/%2e%2e/page.html",
        "/..%2foutside.txt",
        "/page.html%00",
        "/page.html%00.txt",
        "/link-out",
        "/loop",
        "/pipe",
        "/script%2Epy",
        "/script.p%79",
        "/page.html/",
        "/page.html/x",
        "/" + "x" * 5000,
        "/../../../../etc/passwd",
        "/%ff",
    ],
)
def test_no_such_file(peer: Peer, path: str) -> None:
    """What is not below the root, whichever way it is asked for, is 404, in JSON."""
    answer = peer.request(path)
    assert answer.status == 404
    assert answer.get("content-type") == "application/json"
    assert answer.text != "outside"


def test_methods(peer: Peer) -> None:
    """A file answers GET and HEAD; no route is 404."""
    assert peer.request("/page.html", method="POST", content=b"x").status == 404


def test_directory(peer: Peer) -> None:
    """A directory lists its entries; without its slash it redirects there."""
    answer = peer.request("/dir?x=1")
    assert (answer.status, answer.get("location")) == (301, "/dir/?x=1")
    assert peer.request("//dir").get("location") == "/dir/"
    listing = peer.request("/").text
    assert '<a href="./a%20b%26c.txt">a b&amp;c.txt</a>' in listing
    assert '<a href="./dir/">dir/</a>' in listing
    assert "../" not in listing
    assert '<a href="./../">../</a>' in peer.request("/dir/").text


@pytest.mark.parametrize("path", ["/script.py", "/script.py?x", "/%73cript.py", "//script.py"])
def test_script(peer: Peer, path: str) -> None:
    """A script's main answers, for any method."""
    answer = peer.request(path, method="PUT", content=b"")
    assert (answer.status, answer.text) == (200, "method PUT")


def test_script_with_dataclasses(peer: Peer, root: Path) -> None:
    """A script may define what looks its module up, such as dataclasses with deferred annotations."""
    (root / "classes.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass A:\n    b: int\n"
        "def main(request, response):\n    return str(A(5))\n"
    )
    assert peer.request("/classes.py").text == "A(b=5)"


def test_async_script(peer: Peer) -> None:
    """A script's main may be async."""
    assert peer.request("/asynchronous.py").text == "awaited"


def test_script_has_a_namespace_for_each_request(peer: Peer) -> None:
    """Nothing is left over from one request to the next."""
    assert [peer.request("/counting.py").text for _ in range(3)] == ["1", "1", "1"]


def test_script_is_compiled_again_when_it_changes(peer: Peer, root: Path) -> None:
    """A new version of the file answers at once."""
    assert peer.request("/script.py").text == "method GET"
    path = root / "script.py"
    path.write_text("def main(request, response):\n    return 'new'\n")
    os.utime(path, ns=(1, 1))
    assert peer.request("/script.py").text == "new"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/mainless.py", "mainless.py has no function main(request, response)"),
        ("/broken.py", "SyntaxError"),
        ("/raising.py", "ZeroDivisionError"),
    ],
)
def test_broken_script(peer: Peer, path: str, said: str) -> None:
    """A script that does not work is a 500 that says why, with its own lines."""
    answer = peer.request(path)
    assert answer.status == 500
    assert said in answer.text
    assert path[1:] in answer.text


def test_absent_script(peer: Peer, root: Path) -> None:
    """A script that is not there, or is a directory, is 404."""
    (root / "folder.py").mkdir()
    assert peer.request("/absent.py").status == 404
    assert peer.request("/folder.py").status == 404


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/page.html?pipe=slice(3,6)", 200, "pag"),
        ("/page.html?pipe=status(404)|header(X-A,1)", 404, "<p>page"),
        ("/page.html?pipe=trickle(2:d0.01:r2)", 200, "<p>page"),
        ("/hello.sub.txt?x=%3C", 200, "< and /hello.sub.txt"),
        ("/script.py?pipe=slice(0,6)", 200, "method"),
        ("/filling.py?pipe=slice(0,3)", 200, "fil"),
        ("/page.html?pipe=nonsense", 500, "nonsense"),
    ],
)
def test_pipes(peer: Peer, root: Path, path: str, status: int, text: str) -> None:
    """A request may send a file, or what a script answers, through pipes; so may a file's name."""
    (root / "hello.sub.txt").write_text("{{GET[x]}} and {{location[path]}}")
    (root / "filling.py").write_text("def main(request, response):\n    response.content = 'filled'\n")
    answer = peer.request(path)
    assert answer.status == status
    assert answer.complete
    assert answer.text == text or (status == 500 and text in answer.text)


def test_unreadable(peer: Peer, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read is 404, and says so."""

    def refuse(self: Path, *arguments: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    answers: list[Answer] = [peer.request("/page.html"), peer.request("/script.py")]
    assert [answer.status for answer in answers] == [404, 404]
    assert all("cannot be read" in answer.text for answer in answers)


def test_a_file_that_shrinks_while_it_is_sent(server: Server, root: Path, kind: Kind) -> None:
    """What a file does not have any more shows: the message is cut off."""
    big = root / "big"
    big.write_bytes(b"x" * 20_000_000)
    with connect(server, kind) as peer:
        peer.send_request("/big")
        assert peer.read_some()
        os.truncate(big, 10)
        answer = peer.read_answer()
    assert not answer.complete


def test_a_file_that_grows_while_it_is_sent(server: Server, root: Path, kind: Kind) -> None:
    """A file is sent as long as it was when its head was sent."""
    big = root / "big"
    big.write_bytes(b"x" * 20_000_000)
    with connect(server, kind) as peer:
        peer.send_request("/big")
        assert peer.read_some()
        with big.open("ab") as file:
            file.write(b"y" * 100_000)
        answer = peer.read_answer()
        assert answer.complete
        assert answer.content == b"x" * 20_000_000
        assert peer.is_open()
