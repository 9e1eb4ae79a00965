"""A served directory is a boundary: no spelling of a path leads out of it, whoever answers for it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.helpers.peers import KINDS, Kind, Peer, connect
from wptproto import Server
from wptproto.errors import HTTPException
from wptproto.handlers import filesystem
from wptproto.handlers.filesystem import open_regular, resolve

SECRET = "what lies outside"
ENDINGS = (".txt", ".py", ".asis", "/", "")
"""Of a file, a script, octets as they are, a listing, and a directory that is to be moved to its slash."""

OUT = [
    # --- up, as it is and encoded, once and twice
    "/../outside$",
    "/../../outside$",
    "/x/../../outside$",
    "/inner/../../outside$",
    "/inner/../../../outside$",
    "/./../outside$",
    "//../outside$",
    "/..//outside$",
    "/%2e%2e/outside$",
    "/%2E%2E/outside$",
    "/.%2e/outside$",
    "/%2e./outside$",
    "/..%2foutside$",
    "/..%2Foutside$",
    "/%2e%2e%2foutside$",
    "/inner%2f..%2f..%2foutside$",
    "/%252e%252e/outside$",
    "/%252e%252e%252foutside$",
    "/..%252foutside$",
    "/%25252e%25252e/outside$",
    # --- in what is no UTF-8, and what only looks like dots and slashes
    "/%c0%ae%c0%ae/outside$",
    "/%c0%ae%c0%ae%c0%afoutside$",
    "/%e0%80%ae%e0%80%ae/outside$",
    "/%f0%80%80%ae%f0%80%80%ae/outside$",
    "/..%c0%afoutside$",
    "/..%c1%9coutside$",
    "/%uff0e%uff0e/outside$",
    "/%u002e%u002e%u2215outside$",
    "/%ef%bc%8e%ef%bc%8e/outside$",
    "/%e2%80%a5/outside$",
    "/..%e2%88%95outside$",
    "/..%ef%bc%8foutside$",
    "/+AC4-+AC4-/outside$",
    "/&period;&period;/outside$",
    "/\\x2e\\x2e/outside$",
    "/%%32%65%%32%65/outside$",
    "/%2%65%2%65/outside$",
    # --- backslashes, as on another system
    "/..\\outside$",
    "/..%5coutside$",
    "/%2e%2e%5coutside$",
    "/inner\\..\\..\\outside$",
    "/..%255coutside$",
    # --- dots with something about them
    "/.../outside$",
    "/..../outside$",
    "/..%20/outside$",
    "/%20../outside$",
    "/..%09/outside$",
    "/..;/outside$",
    "/..;x=y/outside$",
    "/..%3b/outside$",
    "/..%00/outside$",
    "/..%00outside$",
    "/%00../outside$",
    "/..%0d%0a/outside$",
    "/..%ff/outside$",
    "/~/outside$",
    "/~root/outside$",
    # --- NUL, where names end in C
    "/page.txt%00/../../outside$",
    "/../outside$%00.html",
    "/../outside$%00",
    # --- where it lies, in full
    "$ABOVE/outside$",
    "/$ABOVE/outside$",
    "//$ABOVE/outside$",
    "/%2f$ABOVE/outside$",
    "/inner/$ABOVE/outside$",
    "/file:$ABOVE/outside$",
    "/file://$ABOVE/outside$",
    "/file:%2f%2f$ABOVE/outside$",
    "/C:/outside$",
    "/C:%5coutside$",
    "/C:..%5coutside$",
    "//localhost/C%24/outside$",
    "/%5c%5clocalhost%5cC%24%5coutside$",
    "/%5c%5c?%5cC:%5coutside$",
    "/proc/self/root$ABOVE/outside$",
    # --- a neighbour whose name begins the same
    "/../root-and-more/outside$",
    "/..%2froot-and-more%2foutside$",
    # --- links that lead out
    "/link-out$",
    "/link%2dout$",
    "/up/outside$",
    "/up%2foutside$",
    "/inner/up/outside$",
    "/up/root/../outside$",
]


@pytest.fixture(scope="module")
def above(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in which the served ones are, with secrets beside them."""
    above = tmp_path_factory.mktemp("above")
    for directory in (above, above / "root-and-more"):
        (directory / "outside").mkdir(parents=True)
        (directory / "outside" / SECRET).touch()
        (directory / "outside.txt").write_text(SECRET)
        (directory / "outside.py").write_text(f"def main(request, response):\n    return {SECRET!r}\n")
        (directory / "outside.asis").write_text(f"HTTP/1.1 200 OK\r\n\r\n{SECRET}")
    for root in (above / "root", above / "mounted"):
        (root / "inner").mkdir(parents=True)
        (root / "page.txt").write_text("page")
        for ending in (".txt", ".py", ".asis", ""):
            (root / f"link-out{ending}").symlink_to(above / f"outside{ending}")
        for directory in (root, root / "inner"):
            (directory / "up").symlink_to(above)
    return above


@pytest.fixture(scope="module")
def server(above: Path, certs_dir: Path) -> Iterator[Server]:
    mounts = {"/m/": above / "mounted", "/alone.txt": above / "mounted"}
    (above / "mounted" / "alone.txt").write_text("alone")
    rewrites = [("GET", "/rewritten", "/../outside.txt"), ("GET", "/rewritten-too", "/%2e%2e/outside.py")]
    with Server(above / "root", mounts=mounts, rewrites=rewrites, certs_dir=certs_dir) as server:
        yield server


@pytest.fixture(scope="module")
def peers(server: Server) -> Iterator[dict[Kind, Peer]]:
    """One connection of each kind for all spellings: none of them ends it."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(connect(server, kind)) for kind in KINDS}


@pytest.mark.parametrize("spelling", OUT)
def test_nothing_leads_out(spelling: str, peers: dict[Kind, Peer], kind: Kind, above: Path) -> None:
    """A path that would lead out of the root, or out of a mount, is 404 for every handler, piped or not."""
    peer = peers[kind]
    plain = spelling.replace("$ABOVE", str(above))
    paths = [base + plain.replace("$", ending) for ending in ENDINGS for base in ("", "/m", "/inner")]
    for path in (*paths, f"{paths[0]}?pipe=slice(0,9)", f"{paths[0]}?/../../outside.txt"):
        answer = peer.request(path)
        assert answer.status == 404, path
        assert SECRET[:9] not in answer.text, path
    assert peer.is_open()


@pytest.mark.parametrize(
    "path", ["/rewritten", "/rewritten-too", "/alone.txt/../outside.txt", "/m/../root/page.txt"]
)
def test_rewrites_and_mounts_lead_no_further(path: str, peers: dict[Kind, Peer], kind: Kind) -> None:
    """What was rewritten is looked for as if it had been asked for, and a mount is a root."""
    assert peers[kind].request(path).status == 404


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost/../outside.txt",
        "http://localhost/%2e%2e/outside.txt",
        "http://localhost:80/..%2foutside.py",
        "http:///../outside.txt",
        "file:///../outside.txt",
        "../outside.txt",
        "outside.txt",
        "..",
        "*",
        "/\xe9/../../outside.txt",
        "/../outside.txt#x",
        "/..\x01/outside.txt",
        "/.. /outside.txt",
    ],
)
def test_odd_targets(target: str, server: Server, kind: Kind) -> None:
    """A target in another form is refused, or leads no further than its path does."""
    octets = target.encode("latin-1")
    with connect(server, kind) as peer:
        if kind in ("h1", "h1s"):
            peer.sock.sendall(b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % octets)
            got = b"".join(iter(lambda: peer.sock.recv(65536), b""))
            assert got.split(b" ")[1] in (b"400", b"404", b"421")
            assert SECRET.encode() not in got
        else:
            answer = peer.request(target)
            assert answer.status in (400, 404) or answer.reset is not None
            assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/page.txt", "page"),
        ("//page.txt", "page"),
        ("/./page.txt", "page"),
        ("/%2fpage.txt", "page"),
        ("/%70age%2etxt", "page"),
        ("/inner/.//.%2f/deep.txt", "deep"),
        ("/m/page.txt", "page"),
        ("/alone.txt", "alone"),
        ("/..txt", "dots"),
        ("/a..b/...txt", "dots"),
        ("/100%.txt", "percent"),
        ("/100%25.txt", "percent"),
        ("/%252e%252e.txt", "not decoded twice"),
    ],
)
def test_what_is_within(path: str, text: str, above: Path, peers: dict[Kind, Peer], kind: Kind) -> None:
    """A path is decoded once, and what it then names is found."""
    root = above / "root"
    (root / "a..b").mkdir(exist_ok=True)
    for name, content in {
        "inner/deep.txt": "deep",
        "..txt": "dots",
        "a..b/...txt": "dots",
        "100%.txt": "percent",
        "%2e%2e.txt": "not decoded twice",
    }.items():
        (root / name).write_text(content)
    answer = peers[kind].request(path)
    assert (answer.status, answer.text) == (200, text)


@pytest.mark.parametrize("path", ["a\\b", "..\\b", "C:", "file.txt:stream", "script.py::$DATA"])
def test_names_on_windows(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a backslash is another slash, and a colon no part of a name, neither is in any path."""
    (tmp_path / path).touch()
    assert resolve(str(tmp_path), path).is_file
    monkeypatch.setattr(filesystem, "_NO_NAME", filesystem.not_in_names("\\"))
    with pytest.raises(HTTPException, match="not a path below the document root"):
        resolve(str(tmp_path), path)


def test_scripts_are_not_shown(tmp_path: Path, certs_dir: Path, kind: Kind) -> None:
    """By none of its other names does a script give its lines away, nor where names have no case."""
    script = tmp_path / "it.py"
    script.write_text("def main(request, response):\n    return 'run'\n")
    (tmp_path / "it.PY").write_text("as a file system without case has it")
    for link in ("it.txt", "it.asis"):
        (tmp_path / link).symlink_to(script)
    with Server(tmp_path, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        assert peer.request("/it.py").text == "run"
        for path in ("/it%2epy", "/it.%70y", "/it.py/.", "/it.PY", "/it.txt", "/it.asis"):
            answer = peer.request(path)
            assert answer.status == 404
            assert "a script is run, and not shown" in answer.text


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """What turned into something else since it was found is no file, and nobody waits for its other end."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(OSError, match="it is no regular file"):
        open_regular(fifo)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match="No such device"):
            open_regular(tmp_path / "socket")
    for other, reason in (
        (tmp_path, "directory"),
        (Path(os.devnull), "regular"),
        (tmp_path / "none", "No such"),
    ):
        with pytest.raises(OSError, match=reason):
            open_regular(other)


@pytest.mark.parametrize("ending", [".txt", ".py", ".asis"])
def test_a_file_that_turns_into_a_fifo(
    ending: str, tmp_path: Path, certs_dir: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between being found and being opened, too, a file may become another thing: it is 404."""
    path = tmp_path / f"it{ending}"
    path.write_text("it")
    opened = filesystem._open_without_waiting

    def swap(name: str, flags: int) -> int:
        os.unlink(name)
        os.mkfifo(name)
        return opened(name, flags)

    monkeypatch.setattr(filesystem, "_open_without_waiting", swap)
    with Server(tmp_path, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        answer = peer.request(f"/it{ending}")
        assert answer.status == 404
        assert "it is no regular file" in answer.text
