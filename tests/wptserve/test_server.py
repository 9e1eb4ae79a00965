"""wptserve.server: programs that make a WebTestHttpd."""

from __future__ import annotations

import logging
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.helpers.peers import Answer, H1Peer, H2Peer, Kind
from tests.helpers.ports import quiet_port
from wptproto import ConfigError, Request, Response, certs, wptserve
from wptproto.handlers.stash import Stash
from wptproto.wptserve import handlers
from wptproto.wptserve.config import ConfigBuilder
from wptproto.wptserve.server import (
    Http1WebTestRequestHandler,
    Http2WebTestRequestHandler,
    RequestRewriter,
    WebTestHttpd,
    WebTestServer,
)
from wptproto.wptserve.stash import StashServer

KINDS: dict[Kind, dict[str, Any]] = {
    "h1": {},
    "h1s": {"use_ssl": True},
    "h2": {"use_ssl": True, "http2": True, "handler_cls": Http2WebTestRequestHandler},
    "h2c": {},
}


class Httpd:
    """A WebTestHttpd for one kind of connection, and requests to it."""

    def __init__(self, kind: Kind, certs_dir: Path, stack: ExitStack, port: int = 0, **settings: Any) -> None:
        made = certs.ensure(certs_dir)
        terms = KINDS[kind]
        if terms:
            terms = {**terms, "key_file": str(made.key), "certificate": str(made.certificate)}
        self.kind = kind
        self.ca = made.ca
        self.server = WebTestHttpd("127.0.0.1", port, **{**terms, **settings})
        stack.callback(self.server.stop)

    def get(self, path: str) -> Answer:
        sock = socket.create_connection(("127.0.0.1", self.server.port))
        if self.server.use_ssl:
            context = ssl.create_default_context(cafile=str(self.ca))
            context.set_alpn_protocols(["h2" if self.server.http2 else "http/1.1"])
            sock = context.wrap_socket(sock, server_hostname="localhost")
        scheme = "https" if self.server.use_ssl else "http"
        with H1Peer(sock) if self.kind.startswith("h1") else H2Peer(sock, scheme=scheme) as peer:
            return peer.request(path)


Make = Callable[..., Httpd]


@pytest.fixture
def make(certs_dir: Path, kind: Kind, tmp_path: Path) -> Iterator[Make]:
    """A function that makes a WebTestHttpd with settings."""
    with ExitStack() as stack:
        yield lambda **settings: Httpd(kind, certs_dir, stack, **{"doc_root": tmp_path, **settings})


@pytest.fixture
def make_h1(certs_dir: Path, tmp_path: Path) -> Iterator[Make]:
    """The same, in the clear."""
    with ExitStack() as stack:
        yield lambda **settings: Httpd("h1", certs_dir, stack, **{"doc_root": tmp_path, **settings})


def test_a_program(make: Make, tmp_path: Path, kind: Kind) -> None:
    """Files, scripts and routes are served as the program says, from start to stop."""
    (tmp_path / "script.py").write_text(
        "from wptserve.utils import isomorphic_encode\n"
        "def main(request, response):\n    return isomorphic_encode(request.doc_root)\n"
    )
    (tmp_path / "file.txt").write_text("file")
    port = quiet_port()
    httpd = make(port=port)
    server = httpd.server
    assert (server.host, server.started, server.get_url("/a")) == ("127.0.0.1", False, None)
    assert server.port == port
    server.start()
    assert server.started
    scheme = "https" if kind in ("h1s", "h2") else "http"
    assert server.get_url("/a", "b=c", "d") == f"{scheme}://127.0.0.1:{server.port}/a?b=c#d"
    server.router.register("GET", "/route", handlers.handler(lambda request, response: "route"))
    server.rewriter.register("GET", "/other", "/route")
    assert [httpd.get(path).text for path in ("/script.py", "/file.txt", "/route", "/other")] == [
        str(tmp_path),
        "file",
        "route",
        "route",
    ]
    server.stop()
    assert not server.started
    with pytest.raises(ConnectionError):
        httpd.get("/")
    server.stop()


def test_it_listens_before_it_starts(make_h1: Make) -> None:
    """Who connects before the start is answered after it."""
    server = make_h1(routes=[("GET", "/", lambda request, response: "late")]).server
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        server.start()
        assert b"".join(iter(lambda: sock.recv(4096), b"")).endswith(b"late")


def test_one_that_never_starts(make_h1: Make) -> None:
    """A port is given back though nothing was served on it."""
    server = make_h1(port=quiet_port()).server
    server.stop()
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", server.port))


def test_routes_and_rewrites(make: Make) -> None:
    """Routes that are given are all there are, and rewrites come before them."""
    httpd = make(
        routes=[("GET", "/route", lambda request, response: request.request_path)],
        rewrites=[("GET", "/other", "/route")],
    )
    httpd.server.start()
    assert httpd.get("/other").text == "/route"
    assert httpd.get("/file").status == 404


def test_classes_of_ones_own(make_h1: Make) -> None:
    """Router and rewriter may be the program's own."""

    class OwnRouter:
        def __init__(self, doc_root: object, routes: object) -> None:
            assert list(routes) == ["mine"]  # type: ignore[call-overload]

        def get_handler(self, request: Request) -> Any:
            return lambda request, response: f"by my router: {request.path}"

    class OwnRewriter(RequestRewriter):
        def rewrite(self, request: Request) -> None:
            request.rewrite_path("/mine")

    httpd = make_h1(router_cls=OwnRouter, routes=["mine"], rewriter_cls=OwnRewriter)
    httpd.server.start()
    assert httpd.get("/").text == "by my router: /mine"


@pytest.mark.parametrize("latency", [40, lambda: 40])
def test_latency(make_h1: Make, latency: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Latency is in milliseconds, given or asked for each time."""
    seen: list[Any] = []

    class Recording(WebTestServer):
        def __init__(self, *args: Any, latency_s: Any, **settings: Any) -> None:
            seen.append(latency_s)
            super().__init__(*args, **settings)

    monkeypatch.setattr(wptserve.server, "Server", Recording)
    make_h1(latency=latency)
    (found,) = seen
    assert (found() if callable(found) else found) == 0.04


# --- config ------------------------------------------------------------------------------------


def config_of(httpd: Httpd) -> Any:
    found: list[Any] = []

    def handler(request: Request, response: Response) -> str:
        found.append(request.server.config)
        return "seen"

    httpd.server.router.register("GET", "/config", handler)
    httpd.server.start()
    assert httpd.get("/config").text == "seen"
    return found[0]


def test_config_as_given(make_h1: Make, tmp_path: Path) -> None:
    """Handlers and templates see the program's config, with the ports of all its servers."""
    (tmp_path / "file.sub.txt").write_text("{{ports[http][1]}} {{domains[a]}} {{host}}")
    with ConfigBuilder(
        logging.getLogger("tests"), browser_host="b.test", subdomains={"a"}, ports={"http": [1, 2]}
    ) as config:
        httpd = make_h1(config=config)
    assert config_of(httpd) is config
    assert httpd.get("/file.sub.txt").text == "2 a.b.test b.test"


def test_config_as_a_dict(make_h1: Make, tmp_path: Path) -> None:
    """A config may be a mere dict."""
    (tmp_path / "file.sub.txt").write_text("{{ports[ws][0]}}")
    httpd = make_h1(config={"ports": {"ws": [7]}})
    assert config_of(httpd) == {"ports": {"ws": [7]}}
    assert httpd.get("/file.sub.txt").text == "7"


def test_config_by_default(make_h1: Make) -> None:
    """Without a config, it has the host and the port."""
    httpd = make_h1()
    config = config_of(httpd)
    assert (config.browser_host, config.ports) == ("127.0.0.1", {"http": [httpd.server.port]})


# --- several servers ---------------------------------------------------------------------------


def put_and_take(request: Request, response: Response) -> str:
    stash: Stash = request.server.stash
    key = request.GET.first(b"key")
    if b"put" in request.GET:
        stash.put(key, request.GET.first(b"put"))
        return "put"
    return str(stash.take(key))


def test_a_shared_stash(make_h1: Make) -> None:
    """Servers share a stash within a StashServer, and without one each has its own."""
    routes = [("GET", "/stash", put_and_take)]
    key = uuid4()
    with StashServer():
        httpds = [make_h1(routes=routes), make_h1(routes=routes)]
    httpds.append(make_h1(routes=routes))
    for httpd in httpds:
        httpd.server.start()
    first, second, alone = httpds
    assert first.get(f"/stash?key={key}&put=1").text == "put"
    assert alone.get(f"/stash?key={key}").text == "None"
    assert second.get(f"/stash?key={key}").text == "b'1'"


def test_handlers_that_servers_share(make_h1: Make, tmp_path: Path) -> None:
    """The default handlers serve each server its own root, and keep its modules apart."""
    httpds = []
    for name in ("a", "b"):
        root = tmp_path / name
        root.mkdir()
        (root / "counter.py").write_text("count = 0")
        (root / "script.py").write_text(
            "import counter\ndef main(request, response):\n    counter.count += 1\n"
            "    return f'{request.doc_root[-1]}{counter.count}'\n"
        )
        httpds += [make_h1(doc_root=root), make_h1(doc_root=str(root))]
    for httpd in httpds:
        httpd.server.start()
    answers = [httpd.get("/script.py").text for httpd in httpds * 2]
    assert answers == ["a1", "a1", "b1", "b1", "a2", "a2", "b2", "b2"]


# --- what cannot be ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"use_ssl": True, "certificate": __file__}, "key_file: TLS needs a PEM file, and none was given"),
        ({"use_ssl": True, "key_file": __file__}, "certificate: TLS needs a PEM file, and none was given"),
        (
            {"use_ssl": True, "key_file": __file__, "certificate": "no.pem"},
            "certificate: there is no file no.pem",
        ),
        (
            {"use_ssl": True, "key_file": "no.pem", "certificate": __file__},
            "key_file: there is no file no.pem",
        ),
        ({"server_cls": dict}, "server_cls: this server cannot be made of another class"),
        ({"handler_cls": dict}, "handler_cls: requests are not read by such classes"),
        ({"encrypt_after_connect": True}, "encrypt_after_connect: this server speaks TLS from the beginning"),
        ({"doc_root": "no/directory"}, "cannot serve no/directory"),
    ],
)
def test_settings_that_cannot_be_followed(make_h1: Make, settings: dict[str, Any], message: str) -> None:
    """What cannot be had is an error that says which."""
    with pytest.raises(ConfigError, match=message):
        make_h1(**settings)


def test_a_port_that_is_taken(make_h1: Make) -> None:
    """A port that another has is an error at once."""
    port = make_h1().server.port
    with pytest.raises(ConfigError, match=f"port {port}"):
        WebTestHttpd("127.0.0.1", port)


def test_web_sockets(make_h1: Make, caplog: pytest.LogCaptureFixture) -> None:
    """A directory of WebSocket handlers is remarked upon, and no more."""
    make_h1(ws_doc_root="ws", server_cls=WebTestServer, handler_cls=Http1WebTestRequestHandler)
    assert "WebSockets are not served: ws" in caplog.text


def test_all_addresses(make_h1: Make) -> None:
    """Without bind_address, the host is but a name in URLs."""
    server = make_h1(bind_address=False, routes=[("GET", "/", lambda request, response: "here")]).server
    server.host = "127.0.0.1"
    server.start()
    url = server.get_url()
    assert url is not None
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"here"
