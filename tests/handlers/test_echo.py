"""What clients say, and files are called, is repeated as text alone: it makes no markup and no field line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urljoin

import pytest

from tests.helpers.h1 import Message, read_one
from tests.helpers.peers import Answer, Kind, Peer, connect
from wptproto import Server

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</title></h1><svg onload=alert(1)>",
    "\"><b onmouseover='x'>",
    "' onmouseover='x",
    "&lt;b&gt;&#60;b&#62;&amp;",
    "javascript:alert(1)",
    "+ADw-script+AD4-",
    "<!--",
    "]]>",
    "{{GET[x]}}",
    "%3Cb%3E%253Cb%253E",
    "a\r\nX-Evil: 1",
    "a\nX-Evil: 1",
    "a\rX-Evil: 1",
    "a\r\n\r\n<html><b>",
    "a\tb",
    "\u202e\u2028\u2029",
    "é\N{FULLWIDTH LESS-THAN SIGN}b>",
    "?x#y;z&a=b",
    "\\..\\x",
    " leading and trailing ",
    "~.-_$!*(),@[]^`|",
]
NAMES = [*HOSTILE, "a\x0bc\x0c\x1b[31m\x7f"]
FIELDS = {
    "content-type", "content-length", "content-range", "allow", "location", "etag", "date", "server",
    "connection", "x-a",
}  # fmt: skip
TAGS = {"meta", "title", "h1", "ul", "li", "a"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a file and a directory of each name, as far as names can be so."""
    root = tmp_path_factory.mktemp("root")
    for number, name in enumerate(NAMES):
        (root / "files").mkdir(exist_ok=True)
        (root / "files" / name.replace("/", "\u2044")).write_text(str(number))
        (root / "dirs" / name.replace("/", "\u2044")).mkdir(parents=True)
    (root / "it.txt").write_text("it")
    (root / "by-template.txt").write_text("it")
    (root / "by-template.txt.sub.headers").write_text("X-A: {{GET[a]}}\n")
    return root


@pytest.fixture(scope="module")
def server(root: Path, certs_dir: Path) -> Iterator[Server]:
    with Server(
        root, [("GET", "/get", lambda request, response: request.path)], certs_dir=certs_dir
    ) as server:
        yield server


@pytest.fixture
def peer(server: Server, kind: Kind) -> Iterator[Peer]:
    with connect(server, kind) as peer:
        yield peer


class Tags(HTMLParser):
    """What a page has in it: its tags with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def check(answer: Answer | Message) -> None:
    """Assert that an answer has no fields but ours, and markup only where it says so, and then ours."""
    names = {name.decode().lower() for name, _ in answer.fields}
    assert names <= FIELDS
    content_type = {name.lower(): value for name, value in answer.fields}.get(b"content-type")
    if content_type == b"text/html":
        page = Tags(answer.content.decode("ascii"))
        assert page.names <= TAGS
        assert page.attributes <= {"href", "class", "name", "content"}
    else:
        assert content_type in (None, b"application/json", b"text/plain", b"text/plain; charset=utf-8")


@pytest.mark.parametrize("text", HOSTILE)
def test_in_requests(peer: Peer, text: str) -> None:
    """A path, a query, a pipe or a field with markup or line breaks in it comes back as text, if at all."""
    for safe in ("", "/<>\"'&;:()=!*"):
        path = quote(text, safe=safe)
        for target in (
            f"/{path}",
            f"/{path}/",
            f"/{path}.py",
            f"/{path}.asis",
            f"/dirs?{path}",
            f"/dirs/{path}?{path}",
            f"/dirs/{path}/?{path}",
            f"/it.txt?{path}",
            f"/it.txt?pipe={path}",
            f"/it.txt?pipe=header(X-A,1{path}1)",
            f"/by-template.txt?a=1{path}1",
            f"/get/{path}",
        ):
            check(peer.request(target))
    answer = peer.request("/it.txt", headers=[("range", text.encode().translate(None, b"\r\n\0").strip())])
    check(answer)


@pytest.mark.parametrize("text", HOSTILE)
def test_in_octets(server: Server, text: str) -> None:
    """So it is with what is no request at all."""
    octets = text.encode()
    for request in (
        b"%b / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /%b HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / %b\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n%b: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: %b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: %b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nExpect: %b\r\n\r\n",
    ):
        with connect(server, "h1") as peer:
            peer.sock.sendall(request % octets)
            peer.sock.shutdown(1)
            got = b"".join(iter(lambda: peer.sock.recv(65536), b""))
        while got:
            message, used = read_one(got, "GET", eof=True)
            assert message is not None
            check(message)
            got = got[used:]


def test_in_names_of_files(peer: Peer, root: Path) -> None:
    """A listing shows each name as it is, and links to it, whatever it is."""
    for folder in ("files", "dirs"):
        answer = peer.request(f"/{folder}/")
        check(answer)
        page = Tags(answer.text)
        names = sorted(os.listdir(root / folder))
        assert [text for text in page.texts if text.strip("\n")][2:] == ["..", *names]
        assert page.links[0] == "/"
        for name, link in zip(names, page.links[1:], strict=True):
            moved = urljoin(f"http://localhost/{folder}/", link)
            assert moved.startswith(f"http://localhost/{folder}/")
            found = peer.request(moved.removeprefix("http://localhost"))
            assert found.status == 200
            if folder == "files":
                assert found.text == (root / folder / name).read_text()
            else:
                check(found)


def test_locations(peer: Peer) -> None:
    """A redirect leads to the same server, by one line, with the query as it came."""
    for path in (
        "/dirs",
        "//dirs",
        "///dirs",
        "/%2fdirs",
        "/dirs?//elsewhere.example/",
        "/dirs?%0d%0aX-Evil:%201",
    ):
        answer = peer.request(path)
        assert answer.status == 301
        location = answer.get("location") or ""
        bare, question, query = path.partition("?")
        assert location.partition("://")[2].partition("/")[0].startswith("localhost:")
        assert location.endswith(f"{bare}/{question}{query}")
        check(answer)


def test_above_two_slashes(peer: Peer) -> None:
    """A listing's link upwards leads to this server, though its path begins with two slashes."""
    for path in ("//dirs/", "///dirs/", "//"):
        links = Tags(peer.request(path).text).links
        assert links[0] == "/"
