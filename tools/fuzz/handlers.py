"""What documents and settings say: pipes, templates, .headers and .asis files, listings, routes, configs."""

from __future__ import annotations

import contextlib
import tempfile
from functools import cache
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

from tests.fuzz.reader import Reader
from tests.helpers.h2 import OPENING, headers
from tests.helpers.inline import begin
from tools.fuzz.protocol import RESPONSES
from tools.fuzz.target import Target, take
from wptproto.errors import ConfigError, HTTPException, PipeError, RouteError
from wptproto.exchange.exchange import Exchange
from wptproto.handlers import pipes
from wptproto.handlers.header_files import lines_beside
from wptproto.handlers.listing import listing
from wptproto.handlers.pipes import syntax
from wptproto.handlers.ready_made import AsIs
from wptproto.handlers.router import Router, literal
from wptproto.protocol.h1 import H1Connection
from wptproto.protocol.h2 import H2Connection
from wptproto.server.config import Config
from wptproto.wpt.metas import read_metas

__all__ = ["TARGETS"]

REQUEST = b"GET /dir/file?v=%3C&w=1&w=2 HTTP/1.1\r\nHost: web.test:8000\r\nX-Test: <\r\n\r\n"
CONFIG = {
    "browser_host": "web.test",
    "all_domains": {"": {"": "web.test", "www": "www.web.test"}},
    "ports": {"http": [8000, 8001], "https": []},
    "check_subdomains": True,
}
PIECES = 10_000


@cache
def _directory() -> Path:
    """Return a directory of this process's own, for what can only be read from files."""
    made = tempfile.TemporaryDirectory(prefix="wptproto-fuzz-")
    _kept.append(made)
    return Path(made.name).resolve()


_kept: list[tempfile.TemporaryDirectory[str]] = []


def _exchange(octets: bytes = REQUEST) -> Exchange:
    exchange, _ = begin(H1Connection(), octets)
    exchange.request.server = SimpleNamespace(config=CONFIG)
    exchange.request.doc_root = str(_directory())
    return exchange


# --- pipes and templates -------------------------------------------------------------------------


def pipe_syntax(octets: bytes) -> None:
    """A pipe string is pipes in their order, each where it stands in it, or an error."""
    text = octets.decode("utf-8", "replace")
    try:
        calls = syntax.parse(text)
    except PipeError:
        return
    assert [call.number for call in calls] == list(range(1, len(calls) + 1))
    for call in calls:
        assert text.startswith(call.name, call.position - 1)
        for argument in call.arguments:
            assert call.position < argument.position <= len(text) + 1


def pipeline(octets: bytes) -> None:
    """Any pipes make something of a response, in an end of time, or are an error."""
    query = octets.decode("latin-1")
    response = (exchange := _exchange()).response
    response.content = b"Some example content"
    try:
        pipes.apply(pipes.pipe_string_for("", query), exchange.request, response)
        for _ in islice(response.iter_content(), PIECES):
            pass
    except PipeError:
        pass
    finally:
        exchange.release()


def template(octets: bytes) -> None:
    """A template is content, or an error that says where."""
    exchange = _exchange()
    try:
        pipes.template(exchange.request, octets, "html")
    except PipeError as error:
        assert "at line" in str(error)
    finally:
        exchange.release()


# --- files ---------------------------------------------------------------------------------------


def header_file(octets: bytes) -> None:
    """A .headers file is field lines that can be sent, or an error that says which line is none."""
    choice, octets = take(octets)
    name = "a.sub.headers" if choice & 1 else "a.headers"
    path = _directory() / name
    path.write_bytes(octets)
    exchange = _exchange()
    try:
        for field, value in lines_beside(str(_directory()), ("a",), exchange.request):
            assert field
            assert b"\n" not in field + value
    except HTTPException as error:
        assert error.code == 500
    except PipeError as error:
        assert name in str(error)
    finally:
        exchange.release()
        path.unlink()


def asis_file(octets: bytes) -> None:
    """An .asis file leaves as it is over HTTP/1.1, and over HTTP/2 as frames in an order."""
    path = _directory() / "b.asis"
    path.write_bytes(octets)
    answer = AsIs(_directory())
    first = H1Connection()
    exchange, _ = begin(first, b"GET /b.asis HTTP/1.1\r\nHost: h\r\n\r\n")
    answer(exchange.request, exchange.response)
    exchange.finish()
    assert first.data_to_send() == octets
    second = H2Connection()
    request = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"h"), (b":path", b"/b.asis")]
    exchange, bridge = begin(second, OPENING + headers(1, request).serialize())
    answer(exchange.request, exchange.response)
    exchange.finish()
    Reader().read(bytearray(second.data_to_send()))
    assert bridge.closed


class _Links(HTMLParser):
    """Collects where the links of a page lead, and what tags it has."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str | None] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attributes if name == "href"]
        assert {name for name, _ in attributes} <= {"href", "class", "name", "content"}


def directory_listing(octets: bytes) -> None:
    """A listing has a link for each entry, and no tag but its own, whatever the entries are called."""
    directory = _directory() / "listed"
    directory.mkdir(exist_ok=True)
    paths = [Path(_text(bytes(directory), name)) for name in set(octets[:2000].split(b"/")) if _is_name(name)]
    try:
        for path in paths:
            path.touch()
        page = listing(directory, "/" + octets[:50].decode("latin-1").replace("/", "") + "/")
    finally:
        for path in paths:
            path.unlink()
    links = _Links()
    links.feed(page.decode("ascii"))
    assert links.tags <= {"meta", "title", "h1", "ul", "li", "a"}
    assert len(links.links) == len(paths) + 1
    assert not any(":" in (link or ":") for link in links.links[1:])


def _is_name(name: bytes) -> bool:
    return 0 < len(name) < 200 and name not in (b".", b"..") and b"\0" not in name


def _text(directory: bytes, name: bytes) -> str:
    return (directory + b"/" + name).decode("utf-8", "surrogateescape")


# --- settings ------------------------------------------------------------------------------------


def route(octets: bytes) -> None:
    """A pattern is a route or an error; as a literal, it matches itself."""
    pattern, _, path = octets.decode("utf-8", "replace").partition("\n")
    router = Router()
    try:
        router.register("GET", pattern, _handler)
    except RouteError:
        pass
    exchange = _exchange()
    with contextlib.suppress(UnicodeEncodeError):
        exchange.request.rewrite_path("/" + path)
    found = router.get_handler(exchange.request)
    assert found is None or exchange.request.route_match.keys() >= set()
    router.register("GET", literal("/" + path), _handler)
    exchange.release()


def _handler(request: object, response: object) -> None:
    """Answer nothing."""


def config(octets: bytes) -> None:
    """A config file is settings that a server can be started with, or an error that names the file."""
    path = _directory() / "config.json"
    path.write_bytes(octets)
    try:
        found = Config.load(path)
    except ConfigError as error:
        assert str(path) in str(error)
        return
    assert len(dict(found)) == len(found)
    assert found.domains_set is not None


def metas(octets: bytes) -> None:
    """A script's metas are read, or are no UTF-8."""
    try:
        found = read_metas(iter(octets.splitlines(keepends=True)), "a.any.js")
    except HTTPException as error:
        assert error.code == 500
        return
    assert isinstance(found.scopes, frozenset)


TEMPLATE = (
    b"{{host}} {{GET[v]}} {{$a:ports[http][0]}} {{$a}} {{header_or_default(X-Test, b)}} {{uuid()}}",
    b"{{location[path]}} {{domains[www]}} {{headers[X-Test][0]}} {{url_base}}",
    b"{{file_hash(sha256, a)}} {{fs_path(../a)}} {{hosts[][www]}} {{not_domains[x]}}\n{{ports[https][0]}}",
)
SETTINGS = (
    b'{"browser_host": "h.test", "alternate_hosts": {"alt": "a.test"}, "subdomains": ["www", "\xc3\xa9"],'
    b' "ports": {"http": [80, "auto"]}, "doc_root": "x", "aliases": [{"url-path": "/a/", "local-dir": "b"}],'
    b' "logging": {"level": "info", "suppress_handler_traceback": true}}'
)

TARGETS = (
    Target("pipe-syntax", pipe_syntax, (rb"a(1,2\,\n)|b|c()|(d", b"status(404)|trickle(d1:2:r2)")),
    Target(
        "pipeline",
        pipeline,
        (
            b"pipe=status(404)|header(A,b,True)|slice(1,null)",
            b"pipe=trickle(d1:5:d0:3:r2)|gzip",
            b"pipe=sub(none)&pipe=slice(-3)",
            b"%70ipe=trickle(-5:d0:20)",
        ),
    ),
    Target("template", template, TEMPLATE),
    Target("header-file", header_file, (b"\0A: 1\nB : 2\r\n\r\nC:", b"\1A: {{host}}\n", b"\0no colon")),
    Target("asis-file", asis_file, RESPONSES),
    Target("directory-listing", directory_listing, (b'a/b.html/b.html.headers/<b>"&/javascript:x/\xff',)),
    Target("route", route, (b"/a/{b}/*\na/x/y/z", b"\\{a\\}\n{a}", b"{a}{a}", b"{1}/*/*")),
    Target("config", config, (SETTINGS, b'{"ports": 1}', b"[]")),
    Target(
        "metas", metas, (b"// META: global=window,worker\n//META:script=a.js\r\n// META: title=\xff\n", b"x")
    ),
)
