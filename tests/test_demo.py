"""The demonstration: what its pages say, and what each handler sends over every kind of connection."""

from __future__ import annotations

import hashlib
import html
import re
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.helpers.peers import Kind, Peer, connect
from tests.helpers.programs import needs
from wptproto import Server, demo
from wptproto.demo import handlers, httpbin
from wptproto.faults import EFFECTS

INTERNAL_ERROR = 2  # RFC 9113 §7

PROTOCOLS = {
    "h1": "HTTP/1.1 in the clear",
    "h1s": "HTTP/1.1 over TLS",
    "h2": "HTTP/2 over TLS",
    "h2c": "HTTP/2 in the clear",
}


@pytest.fixture(scope="module")
def site(certs_dir: Path) -> Iterator[Server]:
    """The demonstration, running."""
    with Server(routes=demo.routes(), certs_dir=certs_dir) as server:
        yield server


@pytest.fixture
def peer(site: Server, kind: Kind) -> Iterator[Peer]:
    """A client of the demonstration, of each kind."""
    with connect(site, kind) as client:
        yield client


class Clock:
    """Stands in for the module ``time``: what sleeps takes note, and waits for the test alone."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def sleep(self, duration_s: float) -> None:
        self.slept.append(duration_s)
        assert self.go_on.wait(20)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the handlers sleep by."""
    clock = Clock()
    monkeypatch.setattr(handlers, "time", SimpleNamespace(sleep=clock.sleep, monotonic=lambda: 0.0))
    return clock


def text_of(page: str) -> str:
    """Return what a page says, without its elements."""
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def commands_of(page: str) -> list[str]:
    """Return the commands that a page tells people to try."""
    return [html.unescape(found) for found in re.findall("<code>(.*?)</code>", page)]


# --- the pages -----------------------------------------------------------------------------------


def test_index_names_the_protocol(peer: Peer, kind: Kind) -> None:
    """The index says which protocol brought it, and whether over TLS."""
    answer = peer.request("/")
    assert (answer.status, answer.get("content-type")) == (200, "text/html; charset=utf-8")
    assert f"This page came by {PROTOCOLS[kind]}" in text_of(answer.text)
    assert answer.complete


@pytest.mark.parametrize(("http1", "expected"), [(True, "HTTP/1.1"), (False, "HTTP/2")])
def test_index_for_httpx(site: Server, http1: bool, expected: str) -> None:
    """A client that nobody here wrote gets the index by the protocol it asked for."""
    with httpx.Client(http1=http1, http2=not http1, verify=site.client_context()) as client:
        response = client.get(site.https_url())
    assert response.http_version == expected
    assert f"This page came by {expected} over TLS" in text_of(response.text)


def test_index_needs_nothing_else(peer: Peer) -> None:
    """The index is self-contained: its links lead to this server, and no resource is loaded."""
    page = peer.request("/").text
    assert not re.findall(r"\ssrc=|@import|url\(", page)
    hosts = {urlsplit(link).hostname for link in re.findall(r'href="([^"]*)"', page)}
    assert hosts == {None, "localhost"}


def test_index_links_to_what_is_there(peer: Peer, clock: Clock) -> None:
    """Every demonstration has a link on the index, and a handler behind it."""
    links = re.findall(r'<h3><a href="([^"]*)">', peer.request("/").text)
    assert len(links) == len(handlers.DEMONSTRATIONS)
    others = [link for link in links if link != "/wrong-length"]  # it may cost the connection
    assert {link: peer.request(link).status for link in others} == {
        link: 500 if link == "/failing" else 200 for link in others
    }


def test_index_lists_the_paths_of_httpbin(site: Server) -> None:
    """Each of them is on the index, with what it does; and what a browser can follow is a link."""
    page = httpx.get(site.http_url()).text
    page = page[page.index('id="httpbin"') :]
    table = page[page.index("<table>") : page.index("</table>")]
    answers = [answer for family in httpbin.FAMILIES for answer in family.answers]
    for answer in answers:
        assert answer.pattern in text_of(table)
    for family in httpbin.FAMILIES:
        assert family.name in text_of(table)
    links = [html.unescape(link) for link in re.findall(r'href="([^"]*)"', table)]
    assert links == [
        answer.link or answer.pattern
        for answer in answers
        if set(answer.methods) & {"*", "GET"} or answer.methods == "GET"
    ]
    assert "/post POST\n/put PUT\n/patch PATCH\n/delete DELETETell the same" in text_of(table)
    assert "/anything any method" in text_of(table)
    assert "<kbd>?absolute=true</kbd>" in table
    assert text_of(table).count("by Digest") == 1


def test_index_lists_what_can_go_wrong(site: Server) -> None:
    """Each fault is on the index, with what it does, and a link that asks for it."""
    page = httpx.get(site.http_url()).text
    table = page[page.index("<table>") : page.index("</table>")]
    for word in EFFECTS:
        assert f'href="/fault/{word}' in table
    assert "end the connection by a TCP RST" in table


def test_index_shows_the_source(peer: Peer) -> None:
    """The index shows the source of the handlers, without the sentence that it has beside it already."""
    page = text_of(peer.request("/").text)
    assert (
        "def filled_in(request: Request, response: Response) -> None:\n"
        '    response.headers.set("Content-Type", "text/plain")\n'
        '    response.content = "Some example content"'
    ) in page
    for shown in handlers.DEMONSTRATIONS:
        assert page.count(shown.handler.__doc__ or "?") == 1
        assert f"def {shown.handler.__name__}(request" in page


def test_index_links_to_the_other_port(site: Server, peer: Peer, kind: Kind) -> None:
    """The index leads from HTTP to HTTPS, and back."""
    other = site.https_url() if kind in ("h1", "h2c") else site.http_url()
    assert f'It is also at <a href="{other}">{other}</a>' in peer.request("/").text


@pytest.mark.parametrize("switched_off", ["http_port", "https_port"])
def test_index_with_one_port(certs_dir: Path, switched_off: str) -> None:
    """Where one port is switched off, the index does not speak of it."""
    ports: dict[str, Any] = {switched_off: None}
    with Server(routes=demo.routes(), certs_dir=certs_dir, **ports) as server:
        secure = server.http_port is None
        with connect(server, "h1s" if secure else "h1") as peer:
            page = peer.request("/").text
        assert "also at" not in page
        expected = f"curl -i --cacert {server.ca}" if secure else "curl -i"
        url = server.https_url("/filled-in") if secure else server.http_url("/filled-in")
        assert f"{expected} {url}" in commands_of(page)
        assert len(demo.curl_commands(server, "/")) == (1 if secure else 2)


def test_upload_page(peer: Peer, kind: Kind) -> None:
    """The page to upload from has a form that works by itself, and says which protocol brought it."""
    page = peer.request("/upload").text
    assert '<form method="post" enctype="multipart/form-data">' in page
    assert PROTOCOLS[kind] in text_of(page)


@needs("curl")
def test_commands_work(site: Server, clock: Clock) -> None:
    """The commands on the index do what it says, and end well where the server behaves well."""
    page = httpx.get(site.http_url()).text
    outputs = {}
    for command in commands_of(page):
        done = subprocess.run(["sh", "-c", f"{command} -sS"], capture_output=True, text=True, timeout=20)
        wrong = "wrong-length" in command or "/fault/" in command
        assert done.returncode == (18 if wrong else 0), done.stderr
        outputs[command] = done.stdout
    first, second, third, *_ = outputs.values()
    assert first.startswith("GET /echo HTTP/1.1\n")
    assert second.startswith("GET /echo HTTP/2.0\n")
    assert third.startswith("GET /echo HTTP/2.0\n")
    (uploaded,) = (output for command, output in outputs.items() if "/upload" in command)
    # A curl that takes over a second to begin has both lines in one piece.
    assert re.match(r"(  0\.000 s  6 octets\n)?  0\.000 s  13 octets\ntotal 13 octets\n", uploaded)
    assert len(outputs) == 3 + len(handlers.DEMONSTRATIONS) + 1


# --- the two of the example ----------------------------------------------------------------------


def test_filled_in(peer: Peer) -> None:
    """The handler that fills in the response has all fields added that a client may expect."""
    answer = peer.request("/filled-in")
    assert (answer.status, answer.text) == (200, "Some example content")
    names = [name.decode().lower() for name, _ in answer.fields]
    assert names == ["content-type", "server", "date", "content-length"]


def test_step_by_step(peer: Peer, clock: Clock) -> None:
    """The handler that writes by itself sends what it wrote, nothing else, and each part at once."""
    clock.go_on.clear()
    peer.send_request("/step-by-step")
    assert peer.read_some() == b"Some "
    clock.go_on.set()
    answer = peer.read_answer()
    assert (answer.status, answer.text, answer.complete) == (200, "Some example content", True)
    assert [(name.decode().lower(), value) for name, value in answer.fields] == [
        ("content-type", b"text/plain"),
        ("content-length", b"20"),
    ]
    assert clock.slept == [1]


# --- the others ----------------------------------------------------------------------------------


def test_echo(peer: Peer, kind: Kind) -> None:
    """The echo has method, target, protocol, all field lines in order with their case, and the content."""
    fields = [("X-Twice", "1"), ("Accept", "*/*"), ("x-twice", "2")]
    answer = peer.request("/echo?a=%20b", method="PROPFIND", headers=fields, content=b"\x00\xff\n")
    head, _, content = answer.content.partition(b"\n\n")
    first, *lines = head.decode().split("\n")
    sent = [*(f"{name}: {value}" for name, value in fields), "content-length: 3"]
    if kind in ("h1", "h1s"):
        assert first == "PROPFIND /echo?a=%20b HTTP/1.1"
        assert lines == ["Host: localhost", *sent]
    else:
        assert first == "PROPFIND /echo?a=%20b HTTP/2.0"
        assert lines == ["host: localhost", *(line.lower() for line in sent)]
    assert content == b"\x00\xff\n"
    assert answer.get("content-type") == "text/plain"


def test_slow(peer: Peer, clock: Clock) -> None:
    """The slow response has ten lines, which come one by one."""
    clock.go_on.clear()
    peer.send_request("/slow")
    assert peer.read_some() == b"line 1 of 10\n"
    clock.go_on.set()
    answer = peer.read_answer()
    assert answer.text == "".join(f"line {line} of 10\n" for line in range(1, 11))
    assert answer.complete
    assert clock.slept == [*9 * [0.5], 0]


def test_slow_as_asked(peer: Peer, clock: Clock) -> None:
    """The query says how slow."""
    assert peer.request("/slow?delay=1.25").complete
    assert clock.slept[0] == 1.25


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_upload(peer: Peer, method: str) -> None:
    """Each piece of an upload is told of while the client still sends, and in the end the sum."""
    peer.send_request("/upload", method=method, end=False)
    peer.send_content(b"first", end=False)
    assert peer.read_some().endswith(b" s  5 octets\n")
    peer.send_content(b"second", end=False)
    assert peer.read_some().endswith(b" s  11 octets\n")
    peer.send_content(b"third", end=True)
    answer = peer.read_answer()
    digest = hashlib.sha256(b"firstsecondthird").hexdigest()
    assert answer.text.endswith(f" s  16 octets\ntotal 16 octets\nsha256 {digest}\n")
    assert answer.complete


def test_upload_of_nothing(peer: Peer) -> None:
    """An upload may be empty."""
    answer = peer.request("/upload", method="POST", content=b"")
    assert answer.text == f"total 0 octets\nsha256 {hashlib.sha256().hexdigest()}\n"


def test_early_hints(peer: Peer, clock: Clock) -> None:
    """103 (Early Hints) comes with its Link, and then the response."""
    answer = peer.request("/early-hints")
    [(status, fields)] = answer.informational
    assert status == 103
    assert [(name.lower(), value) for name, value in fields] == [
        (b"link", b"</filled-in>; rel=preload; as=fetch")
    ]
    assert (answer.status, answer.text, answer.complete) == (200, "A 103 came before this.\n", True)
    assert clock.slept == [1]


def test_wrong_length(peer: Peer, kind: Kind) -> None:
    """What is missing of a promised length closes an HTTP/1.1 connection, and resets an HTTP/2 stream."""
    answer = peer.request("/wrong-length")
    assert answer.get("content-length") == "100"
    assert not answer.complete
    if kind in ("h1", "h1s"):
        assert answer.text == "These are not 100 octets.\n"
        assert not peer.is_open()
    else:
        assert answer.reset == INTERNAL_ERROR
        assert peer.request("/filled-in").complete


def test_failing(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    """The handler that fails shows its traceback to the client, and to who reads the log."""
    answer = peer.request("/failing")
    assert answer.status == 500
    assert "RuntimeError: this handler always fails" in answer.text
    assert "RuntimeError: this handler always fails" in caplog.text


def test_async(peer: Peer) -> None:
    """The coroutine reads the content and answers."""
    answer = peer.request("/async", method="POST", content=b"12345")
    assert answer.text == "Read 5 octets and slept, on the server's loop.\n"
    assert answer.get("content-type") == "text/plain"


def test_trailers(peer: Peer) -> None:
    """The trailer section has the digest of the content."""
    answer = peer.request("/trailers")
    digest = b64encode(hashlib.sha256(answer.content).digest()).decode()
    assert answer.text == "Some example content\n"
    assert [(name.lower(), value.decode()) for name, value in answer.trailers] == [
        (b"repr-digest", f"sha-256=:{digest}:")
    ]
    assert answer.get("trailer") == "Repr-Digest"


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        (f"/slow?delay={text}", f"delay is a number from 0 to 10, not '{text}'")
        for text in ("", "x", "-1", "10.5", "1e1", "nan", "1_0", ".5")
    ],
    ids=lambda value: value[:20],
)
def test_bad_input(peer: Peer, path: str, complaint: str) -> None:
    """Who asks for what there is not is told what there is, by a 400."""
    answer = peer.request(path)
    assert answer.status == 400
    assert complaint in answer.text


def test_head(peer: Peer) -> None:
    """What has content for GET has the same head for HEAD, and nothing behind it."""
    assert peer.request("/", method="HEAD").content == b""
    assert peer.request("/filled-in", method="HEAD").get("content-length") == "20"
