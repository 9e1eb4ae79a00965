"""Files and scripts below a document root: what is found, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.helpers.peers import Answer, Kind, Peer, connect
from wptproto import Server
from wptproto.handlers import filesystem, header_files
from wptproto.handlers.filesystem import Entry


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
    (root / "nul.py").write_bytes(b"x = 1\n\0")
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
        "/page.html%2f",
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
    """A file answers GET and HEAD."""
    assert peer.request("/page.html", method="POST", content=b"x").get("allow") == "GET, HEAD, OPTIONS"


def test_directory(peer: Peer, kind: Kind) -> None:
    """A directory without its slash redirects to where it has it, by the whole URL, before the query."""
    for path, moved in [("/dir", "/dir/"), ("/dir?x=1", "/dir/?x=1"), ("//dir", "//dir/")]:
        answer = peer.request(path)
        scheme, _, place = str(answer.get("location")).partition("://")
        assert answer.status == 301
        assert scheme == ("https" if kind in ("h2", "h1s") else "http")
        assert place[place.index("/") :] == moved


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


@pytest.mark.parametrize("name", ["it.txt", "it.py", "it.txt.headers"])
def test_what_is_written_over_is_another_version_at_once(peer: Peer, root: Path, name: str) -> None:
    """The very next request gets what a file is now, though neither its length nor its time tells of it."""
    (root / "it.txt").write_text("it")
    for number in range(100, 200):
        with (root / name).open("w" if number == 100 else "r+") as file:  # in place
            file.write(f"def main(*_): return '{number}'" if name == "it.py" else f"X-It: {number}")
        os.utime(root / name, ns=(1, 1))
        answer = peer.request("/" + name.removesuffix(".headers"))
        assert str(number) in (answer.get("x-it") or answer.text)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/mainless.py", "No main function or handlers in script"),
        ("/broken.py", "SyntaxError"),
        ("/nul.py", "it has NUL octets"),
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


def test_asis(peer: Peer, root: Path, kind: Kind) -> None:
    """The octets of an .asis file are the response; over HTTP/2 they become the same message."""
    (root / "by-hand.asis").write_bytes(b"HTTP/1.1 299 By Hand\r\nX: y\r\nContent-Length: 2\r\n\r\nok")
    answer = peer.request("/by-hand.asis")
    assert (answer.status, answer.text, answer.get("x")) == (299, "ok", "y")
    assert answer.reason == (b"By Hand" if kind in ("h1", "h1s") else b"")


@pytest.mark.usefixtures("unreadable")
def test_unreadable(peer: Peer) -> None:
    """What cannot be read is 404, and says so."""
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


def test_header_files(peer: Peer, root: Path) -> None:
    """The fields of a directory come first, then a file's own; a type among them replaces ours."""
    (root / "dir" / "__dir__.headers").write_bytes(b"X-Dir: 1\r\nX-Both:  dir \n\nX-Both: again")
    (root / "dir" / "inner.js.headers").write_bytes(b"x-both: file\nX-Empty:\nX-Colon: a:b\nX-High: \xff\n")
    for path in ("/dir/inner.js", "/dir%2Finner.js", "/dir/%69nner.js?q"):
        answer = peer.request(path)
        assert answer.get("content-type") == "text/javascript"
        fields = [line for line in answer.fields if line[0].lower().startswith(b"x-")]
        assert [(name.lower(), value) for name, value in fields] == [
            (b"x-dir", b"1"),
            (b"x-both", b"dir"),
            (b"x-both", b"again"),
            (b"x-both", b"file"),
            (b"x-empty", b""),
            (b"x-colon", b"a:b"),
            (b"x-high", b"\xff"),
        ]
    (root / "dir" / "inner.js.headers").write_bytes(b"content-TYPE: a/b\n")
    assert peer.request("/dir/inner.js").get_all("content-type") == ["a/b"]


def test_header_templates(peer: Peer, root: Path) -> None:
    """A ``.sub.headers`` file is a template, which escapes nothing, and stands in for the plain one."""
    (root / "page.html.sub.headers").write_text("X-Asked: {{GET[a]}}\n")
    (root / "page.html.headers").write_text("X-Plain: 1\n")
    (root / "__dir__.sub.headers").write_text("X-Path: {{location[path]}}\n")
    answer = peer.request("/page.html?a=%3C")
    assert (answer.get("x-asked"), answer.get("x-plain")) == ("<", None)
    assert answer.get("x-path") == "/page.html"
    assert answer.text == "<p>page"


@pytest.mark.parametrize(
    ("name", "octets", "said"),
    [
        ("page.html.headers", b"X: 1\n\nno colon\n", "/page.html.headers, line 3: "),
        ("page.html.headers", b": nameless", "/page.html.headers, line 1: "),
        ("page.html.headers", b"X: 1\n \n", "/page.html.headers, line 2: "),
        ("__dir__.headers", b"\xff\n", "/__dir__.headers, line 1: "),
        ("page.html.sub.headers", b"X: {{nonsense}}\n", "/page.html.sub.headers: "),
    ],
)
def test_bad_header_file(peer: Peer, root: Path, name: str, octets: bytes, said: str) -> None:
    """A line that is no field is a 500 that says which, and where."""
    (root / name).write_bytes(octets)
    answer = peer.request("/page.html")
    assert answer.status == 500
    assert said in answer.text
    assert peer.is_open()


def test_header_files_that_are_none(peer: Peer, root: Path, tmp_path: Path) -> None:
    """A directory of that name, or a link out of the root, gives no fields."""
    (root / "page.html.headers").mkdir()
    (tmp_path / "fields").write_text("X-Outside: 1\n")
    (root / "__dir__.headers").symlink_to(tmp_path / "fields")
    answer = peer.request("/page.html")
    assert (answer.status, answer.get("x-outside")) == (200, None)


def test_a_header_file_that_goes_away(peer: Peer, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is removed while it is looked for gives no fields."""
    (root / "it.txt").write_text("it")
    (root / "it.txt.headers").write_text("X-It: 1")

    def look_late(top: str, names: Sequence[str]) -> Entry | None:
        (root / "it.txt.headers").unlink()
        return filesystem.look_up(top, names)

    monkeypatch.setattr(header_files, "look_up", look_late)
    answer = peer.request("/it.txt")
    assert answer.status == 200
    assert answer.get("x-it") is None


@pytest.mark.usefixtures("unreadable")
def test_header_file_that_cannot_be_read(peer: Peer, root: Path) -> None:
    """A file of fields that is there has to be readable."""
    (root / "page.html.headers").write_text("X: 1\n")
    answer = peer.request("/page.html")
    assert answer.status == 500
    assert "cannot be read: /page.html.headers: Permission denied" in answer.text


@pytest.mark.parametrize(
    ("wanted", "said", "text"),
    [
        ("bytes=0-0", "bytes 0-0/7", "<"),
        ("bytes=3-5", "bytes 3-5/7", "pag"),
        ("bytes=3-", "bytes 3-6/7", "page"),
        ("bytes=-2", "bytes 5-6/7", "ge"),
        ("bytes=0-1,2-3", "bytes 0-3/7", "<p>p"),
        ("bytes=0-1,7-,99-100", "bytes 0-1/7", "<p"),
    ],
)
def test_range(peer: Peer, wanted: str, said: str, text: str) -> None:
    """A range of a file is 206, and says which it is."""
    answer = peer.request("/page.html", headers=[("Range", wanted)])
    assert (answer.status, answer.text) == (206, text)
    assert (answer.get("content-range"), answer.get("content-length")) == (said, str(len(text)))
    assert answer.get("content-type") == "text/html"
    assert peer.is_open()


def test_several_ranges(peer: Peer) -> None:
    """Several ranges are the parts of a multipart, each with its type and place (RFC 9110 §15.3.7.2)."""
    answer = peer.request("/page.html", headers=[("Range", "bytes=-1,0-2")])
    kind, _, boundary = (answer.get("content-type") or "").partition("; boundary=")
    assert (answer.status, kind) == (206, "multipart/byteranges")
    assert answer.get("content-range") is None
    assert answer.text == (
        f"\r\n--{boundary}\r\nContent-Type: text/html\r\nContent-Range: bytes 6-6/7\r\n\r\ne"
        f"\r\n--{boundary}\r\nContent-Type: text/html\r\nContent-Range: bytes 0-2/7\r\n\r\n<p>"
        f"\r\n--{boundary}--"
    )
    assert answer.get("content-length") == str(len(answer.content))


@pytest.mark.parametrize("wanted", ["bytes=7-", "bytes=-0", "bytes=7-8,9-9", "bytes=0-0,9-8", "bytes=a", "x"])
def test_bad_range(peer: Peer, wanted: str) -> None:
    """A range that is none, or of nothing, is 416, which says how long the file is."""
    answer = peer.request("/page.html", headers=[("Range", wanted)])
    assert (answer.status, answer.get("content-range")) == (416, "bytes */7")
    assert answer.get("content-type") == "application/json"
    assert peer.is_open()


def test_range_in_another_unit(peer: Peer) -> None:
    """A range in a unit that the server does not know is ignored (RFC 9110 §14.2)."""
    assert peer.request("/page.html", headers=[("Range", "lines=1-2")]).text == "<p>page"


def test_ranges_are_for_get(peer: Peer) -> None:
    """For HEAD no range is defined, and Range is ignored (RFC 9110 §14.2)."""
    answer = peer.request("/page.html", method="HEAD", headers=[("Range", "bytes=0-1")])
    assert (answer.status, answer.get("content-length")) == (200, "7")


def test_range_and_pipe(peer: Peer, root: Path) -> None:
    """A pipe gets the range that was asked for, and an error not at all."""
    (root / "hello.sub.txt").write_text("{{GET[x]}}{{GET[x]}}")
    answer = peer.request("/hello.sub.txt?x=1", headers=[("Range", "bytes=0-9")])
    assert (answer.status, answer.text) == (206, "1")
    assert answer.get("content-range") == "bytes 0-9/20"
    answer = peer.request("/page.html?pipe=status(200)", headers=[("Range", "bytes=9-")])
    assert answer.status == 416


def test_conditional_request(peer: Peer, root: Path) -> None:
    """Who has a file already gets 304, with its fields, and then the next version."""
    (root / "page.html.headers").write_text("X-A: 1\n")
    os.utime(root / "page.html", ns=(0, 784_111_777_000_000_000))
    tag = peer.request("/page.html").get("etag") or ""
    answer = peer.request("/page.html")
    assert not {b"last-modified", b"cache-control"} & {name.lower() for name, _ in answer.fields}
    for condition in (("If-None-Match", tag), ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")):
        for method in ("GET", "HEAD"):
            answer = peer.request("/page.html", method=method, headers=[condition, ("Range", "bytes=99-")])
            assert (answer.status, answer.content, answer.complete) == (304, b"", True)
            assert (answer.get("etag"), answer.get("x-a")) == (tag, "1")
    assert peer.is_open()
    (root / "page.html").write_text("<p>next")
    answer = peer.request("/page.html", headers=[("If-None-Match", tag)])
    assert (answer.status, answer.text) == (200, "<p>next")


def test_precondition(peer: Peer, root: Path) -> None:
    """Who means another version than there is gets 412 (RFC 9110 §15.5.13)."""
    os.utime(root / "page.html", ns=(0, 784_111_777_000_000_000))
    tag = peer.request("/page.html").get("etag") or ""
    for condition, status in (
        (("If-Match", tag), 200),
        (("If-Match", '"x"'), 412),
        (("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"), 200),
        (("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"), 412),
    ):
        answer = peer.request("/page.html", headers=[condition, ("Range", "bytes=0-")])
        assert answer.status == (206 if status == 200 else status)


def test_caching_by_hand(peer: Peer, root: Path) -> None:
    """Who says how long a file keeps is not contradicted."""
    (root / "page.html.headers").write_text("Cache-Control: max-age=60\n")
    assert peer.request("/page.html").get_all("cache-control") == ["max-age=60"]
    (root / "page.html.headers").write_text("Expires: 0\n")
    assert peer.request("/page.html").get("cache-control") is None


def test_if_range(peer: Peer) -> None:
    """A range of another version is not wanted, but the whole of this one is (RFC 9110 §13.1.5)."""
    tag = peer.request("/page.html").get("etag") or ""
    wanted = ("Range", "bytes=0-0")
    assert peer.request("/page.html", headers=[wanted, ("If-Range", tag)]).status == 206
    assert peer.request("/page.html", headers=[wanted, ("If-Range", '"x"')]).status == 200


@pytest.mark.parametrize("name", ["ETag", "Last-Modified"])
def test_validators_by_hand(peer: Peer, root: Path, name: str) -> None:
    """A file whose validators were written by hand is sent with them, and conditions do not count."""
    (root / "page.html.headers").write_text(f'{name}: "x"\n')
    conditions = [("If-None-Match", "*"), ("If-Range", '"y"')]
    answer = peer.request("/page.html", headers=conditions)
    assert (answer.status, answer.get(name), answer.text) == (200, '"x"', "<p>page")
    assert len(answer.get_all("etag") + answer.get_all("last-modified")) == 1
    assert peer.request("/page.html", headers=[*conditions, ("Range", "bytes=0-0")]).status == 206


def test_piped_answers_have_no_validators(peer: Peer, root: Path) -> None:
    """What comes out of a pipe is not the file, and is sent whatever the client has."""
    (root / "hello.sub.txt").write_text("hello")
    for path in ("/page.html?pipe=status(200)", "/hello.sub.txt"):
        answer = peer.request(path, headers=[("If-None-Match", "*")])
        assert (answer.status, answer.get("etag")) == (200, None)


def test_default_script(peer: Peer, root: Path, tmp_path: Path) -> None:
    """For a directory the first of its ``default*.py`` answers, unless it lies outside the root."""
    folder = root / "folder.py"
    folder.mkdir()
    for name in ("default2.py", "default1.py"):
        (folder / name).write_text(f"def main(request, response):\n    return {name!r}\n")
    (folder / "default.py").mkdir()
    (tmp_path / "outside.py").write_text("def main(request, response):\n    return 'outside'\n")
    (folder / "default0.py").symlink_to(tmp_path / "outside.py")
    assert peer.request("/folder.py").text == "default1.py"
