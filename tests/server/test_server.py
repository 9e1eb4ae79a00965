"""Server: embedding, life and death, and where it is."""

from __future__ import annotations

import asyncio
import gc
import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.peers import Kind, connect, open_socket
from tests.helpers.ports import quiet_port
from tests.helpers.stopping import AT_ONCE_S, assert_stops_at_once
from wptproto import CertificateError, ConfigError, Request, Response, Server, certs
from wptproto.limits import Limits
from wptproto.protocol.rules import Core
from wptproto.server.config import Config


def hello(request: Request, response: Response) -> str:
    return "hello"


def get(url: str, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    """Fetch a URL by the standard library's client."""
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    client: http.client.HTTPConnection
    if scheme == "https":
        client = http.client.HTTPSConnection(authority, timeout=10, context=context)
    else:
        client = http.client.HTTPConnection(authority, timeout=10)
    try:
        client.request("GET", "/" + path)
        response = client.getresponse()
        return response.status, response.read()
    finally:
        client.close()


def test_embedding(certs_dir: Path, tmp_path: Path) -> None:
    """A server in a with block answers its routes, and then its document root."""
    (tmp_path / "hello").write_text("the file")
    (tmp_path / "file.txt").write_text("a file")
    with Server(
        tmp_path, [("GET", "/hello", hello)], http_port=0, https_port=0, certs_dir=certs_dir
    ) as server:
        assert get(server.http_url("/hello")) == (200, b"hello")
        assert get(server.http_url("hello")) == (200, b"hello")
        assert get(server.http_url("/file.txt")) == (200, b"a file")
        assert get(server.https_url("/hello"), server.client_context()) == (200, b"hello")
        assert server.ca == certs_dir / "ca.pem"


def test_any_method(certs_dir: Path) -> None:
    """``*`` is any method; a decorator registers routes, also while the server runs."""
    with Server(certs_dir=certs_dir, https_port=None) as server:

        @server.route(["GET", "BREW"], "/late")
        def late(request: Request, response: Response) -> str:
            return request.method

        with connect(server, "h1") as peer:
            assert peer.request("/late", method="BREW").text == "BREW"
            assert peer.request("/late", method="PUT").status == 405


def test_handlers_know_their_server(certs_dir: Path, tmp_path: Path) -> None:
    """request.server is the server, and request.doc_root its root."""
    seen: list[Any] = []

    def handler(request: Request, response: Response) -> None:
        seen.extend([request.server, request.doc_root])

    with Server(tmp_path, [("*", "/x", handler)], certs_dir=certs_dir, https_port=None) as server:
        get(server.http_url("/x"))
    assert seen == [server, str(tmp_path)]


def test_start_and_stop_any_number_of_times(certs_dir: Path) -> None:
    """One server starts and stops as often as one likes, and leaves no thread behind."""
    before = threading.active_count()
    server = Server(routes=[("*", "/*", hello)], certs_dir=certs_dir)
    for _ in range(5):
        with server:
            assert get(server.http_url()) == (200, b"hello")
            assert get(server.https_url(), server.client_context()) == (200, b"hello")
    server.stop()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.001)
    assert threading.active_count() <= before


def test_running_twice(certs_dir: Path) -> None:
    """A server that runs cannot be started again."""
    with (
        Server(certs_dir=certs_dir, https_port=None) as server,
        pytest.raises(ConfigError, match="runs already"),
    ):
        server.start()


def test_servers_share_nothing(certs_dir: Path) -> None:
    """Several servers in one process have routes of their own."""
    first = Server(routes=[("*", "/a", hello)], certs_dir=certs_dir, https_port=None)
    second = Server(routes=[("*", "/b", hello)], certs_dir=certs_dir, https_port=None)
    with first, second:
        assert [get(server.http_url(path))[0] for server in (first, second) for path in "ab"] == [
            200,
            404,
            404,
            200,
        ]


@pytest.mark.parametrize(("http_port", "https_port"), [(0, None), (None, 0)])
def test_ports_can_be_switched_off(certs_dir: Path, http_port: int | None, https_port: int | None) -> None:
    """A port that is switched off is not there, and has no URL."""
    with Server(certs_dir=certs_dir, http_port=http_port, https_port=https_port) as server:
        url, no_url = (
            (server.http_url, server.https_url) if https_port is None else (server.https_url, server.http_url)
        )
        assert url().startswith("http")
        with pytest.raises(ConfigError, match="has no HTTP"):
            no_url()
    with pytest.raises(ConfigError, match="does not run"):
        url()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"http_port": None, "https_port": None}, "all ports are switched off"),
        ({"hosts": ()}, "no host"),
        ({"certificate": "x.pem"}, "needs its key"),
        ({"key": "x.pem"}, "needs its key"),
        ({"doc_root": "/no/such/directory"}, "cannot serve /no/such/directory: No such file"),
        ({"doc_root": __file__}, "Not a directory"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], said: str) -> None:
    """A wrong setting is refused at once, in a sentence that names it."""
    with pytest.raises(ConfigError, match=said):
        Server(**settings)


def test_root_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A root that this user may not read is an error that says so, whoever runs the tests."""

    def refuse(self: Path) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ConfigError, match=r"cannot serve .*: Permission denied"):
        Server(tmp_path)


def test_port_in_use(certs_dir: Path) -> None:
    """A port in use is an error that says which, leaves nothing behind, and can be tried again."""
    port = quiet_port()
    with Server(certs_dir=certs_dir, http_port=port, https_port=None):
        second = Server(certs_dir=certs_dir, http_port=port, https_port=None)
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is in use"):
            second.start()
        assert second.http_port is None
    with second:
        assert second.http_port == port


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        (("192.0.2.1",), "192.0.2.1 is no address of this machine"),
        (("no such host",), "'no such host' is not known"),
    ],
)
def test_host_that_is_none(certs_dir: Path, hosts: tuple[str, ...], said: str) -> None:
    """A host that is none of this machine's is an error that says so."""
    with pytest.raises(ConfigError, match=said):
        Server(hosts=hosts, certs_dir=certs_dir, https_port=None).start()


@pytest.mark.parametrize(
    ("hosts", "url"), [(("::1",), "localhost"), (("0.0.0.0",), "localhost"), (("127.0.0.2",), "127.0.0.2")]
)
def test_hosts(certs_dir: Path, hosts: tuple[str, ...], url: str) -> None:
    """It listens on the hosts it is told, and its URL names one that works."""
    with Server(routes=[("*", "/*", hello)], hosts=hosts, certs_dir=certs_dir, https_port=None) as server:
        assert server.http_url("/x") == f"http://{url}:{server.http_port}/x"
        target = "127.0.0.1" if hosts == ("0.0.0.0",) else hosts[0]
        with socket.create_connection((target, server.http_port or 0), timeout=10) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200")


def test_ipv6_client(certs_dir: Path) -> None:
    """A client that comes by IPv6 is known by its address, and the URL has brackets."""
    seen: list[str] = []

    def handler(request: Request, response: Response) -> None:
        seen.extend([request.client_address[0], request.url])

    with (
        Server(routes=[("*", "/*", handler)], certs_dir=certs_dir, https_port=None) as server,
        socket.create_connection(("::1", server.http_port or 0), timeout=10) as sock,
    ):
        sock.sendall(b"GET /x HTTP/1.0\r\n\r\n")
        sock.recv(100)
    assert seen == ["::1", f"http://[::1]:{server.http_port or 0}/x"] or seen[1].startswith("http://[::1]:")


def test_own_certificate(certs_dir: Path) -> None:
    """A certificate of one's own is used, and its file is what to trust."""
    made = certs.ensure(certs_dir)
    with Server(
        routes=[("*", "/*", hello)], certificate=made.certificate, key=made.key, http_port=None
    ) as server:
        assert server.ca == made.certificate
        context = ssl.create_default_context(cafile=str(made.ca))
        assert get(server.https_url(), context) == (200, b"hello")


def test_key_that_does_not_fit(certs_dir: Path, tmp_path: Path) -> None:
    """A key that does not fit its certificate is an error before anything listens."""
    here, there = certs.ensure(certs_dir), certs.ensure(tmp_path)
    server = Server(certificate=here.certificate, key=there.key)
    with pytest.raises(CertificateError, match="does not"):
        server.start()
    assert server.http_port is None


# --- stopping ------------------------------------------------------------------------------------


def test_stop_with_handlers_asleep(certs_dir: Path, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    """Stop returns at once with handlers asleep, names them, and their writes answer False."""
    asleep, wake, woken = threading.Event(), threading.Event(), threading.Event()
    answers: list[object] = []

    def handler(request: Request, response: Response) -> None:
        asleep.set()
        wake.wait(20)
        answers.append(response.writer.write_status(200))
        answers.append(response.writer.end_headers())
        woken.set()

    caplog.set_level(logging.INFO, "wptproto.server")
    server = Server(routes=[("*", "/*", handler)], certs_dir=certs_dir).start()
    with connect(server, kind) as peer:
        peer.send_request("/sleeping")
        assert asleep.wait(10)
        assert_stops_at_once(server)
        answer = peer.read_answer()
        assert (answer.status, answer.complete) == (0, False)
    assert "stopped, and cut off GET /sleeping (its handler runs)" in caplog.text
    wake.set()
    assert woken.wait(10)
    assert answers == [False, False]


@pytest.mark.parametrize("wait", [lambda r: r.body, lambda r: r.raw_input.readline()])
def test_stop_while_a_handler_reads(certs_dir: Path, kind: Kind, wait: Callable[[Request], object]) -> None:
    """Every wait of a handler ends when the server stops."""
    reading, raised = threading.Event(), threading.Event()

    def handler(request: Request, response: Response) -> None:
        reading.set()
        try:
            wait(request)
        finally:
            raised.set()

    server = Server(routes=[("*", "/*", handler)], certs_dir=certs_dir).start()
    with connect(server, kind) as peer:
        peer.send_request(method="POST", end=False)
        assert reading.wait(10)
        assert_stops_at_once(server)
        assert raised.wait(10)


def test_stop_while_a_handler_writes(certs_dir: Path, kind: Kind) -> None:
    """A handler that waits for a client that does not read is let go when the server stops."""
    writing, through = threading.Event(), threading.Event()

    def handler(request: Request, response: Response) -> None:
        response.writer.write_status(200)
        response.writer.end_headers()
        writing.set()
        while response.writer.write(b"x" * 1_000_000):
            pass
        through.set()

    server = Server(routes=[("*", "/*", handler)], certs_dir=certs_dir).start()
    with connect(server, kind) as peer:
        peer.send_request()
        assert writing.wait(10)
        assert_stops_at_once(server)
        assert through.wait(10)


def test_stop_with_an_async_handler_asleep(certs_dir: Path, kind: Kind) -> None:
    """An async handler is cancelled when the server stops."""
    asleep, cancelled = threading.Event(), threading.Event()

    async def handler(request: Request, response: Response) -> None:
        asleep.set()
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    server = Server(routes=[("*", "/*", handler)], certs_dir=certs_dir).start()
    with connect(server, kind) as peer:
        peer.send_request()
        assert asleep.wait(10)
        assert_stops_at_once(server)
        assert cancelled.is_set()


@pytest.mark.parametrize("way", ["to_thread", "task"])
def test_stop_with_what_async_handlers_began(certs_dir: Path, way: str) -> None:
    """Threads and tasks that an async handler began do not keep a server, or its process, from ending."""
    begun, wake = threading.Event(), threading.Event()
    cancelled: list[bool] = []

    async def background() -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def handler(request: Request, response: Response) -> None:
        if way == "task":
            request.server.kept = asyncio.ensure_future(background())
            await asyncio.sleep(0)
            begun.set()
        else:
            begun.set()
            assert await asyncio.to_thread(lambda: 5) == 5
            await asyncio.to_thread(wake.wait, 20)

    server = Server(routes=[("*", "/*", handler)], certs_dir=certs_dir).start()
    with connect(server, "h1") as peer:
        peer.send_request()
        assert begun.wait(10)
        assert_stops_at_once(server)
    wake.set()
    assert cancelled == ([True] if way == "task" else [])


def test_stop_with_a_blocked_loop(certs_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An async handler that blocks its loop is named in the log; its clients are gone, its port is free."""
    blocked, let_go = threading.Event(), threading.Event()

    async def handler(request: Request, response: Response) -> None:
        blocked.set()
        let_go.wait(20)

    routes = [("*", "/*", handler)]
    port = quiet_port()
    server = Server(routes=routes, certs_dir=certs_dir, http_port=port, https_port=None).start()
    with connect(server, "h1") as peer:
        peer.send_request()
        assert blocked.wait(10)
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < AT_ONCE_S
        assert peer.sock.recv(1) == b""
        with Server(
            routes=[("*", "/*", hello)], certs_dir=certs_dir, http_port=port, https_port=None
        ) as second:
            assert get(second.http_url()) == (200, b"hello")
        let_go.set()
    assert "an async handler blocks the loop" in caplog.text
    assert "in handler\n" in caplog.text


def test_stop_tells_http2_clients(certs_dir: Path) -> None:
    """HTTP/2 clients are told by GOAWAY that the server stops (RFC 9113 §6.8)."""
    server = Server(routes=[("*", "/*", hello)], certs_dir=certs_dir).start()
    from tests.helpers.peers import H2Peer

    with H2Peer(open_socket(server, "h2c"), scheme="http") as peer:
        assert peer.request().text == "hello"
        server.stop()
        while peer._receive():
            pass
        assert peer.goaway is not None
        assert peer.goaway.additional_data == b"the server stops"


def test_stop_with_idle_and_half_open_connections(certs_dir: Path) -> None:
    """Connections that never said anything, or only half of it, do not keep a server from stopping."""
    server = Server(routes=[("*", "/*", hello)], certs_dir=certs_dir).start()
    ports = (server.http_port or 0, server.https_port or 0)
    socks = [socket.create_connection(("127.0.0.1", port)) for port in ports for _ in range(2)]
    try:
        socks[1].sendall(b"GET / HT")
        socks[3].sendall(b"\x16\x03\x01")
        assert_stops_at_once(server)
    finally:
        for sock in socks:
            sock.close()


def test_stop_with_connections_just_made(certs_dir: Path) -> None:
    """Connections accepted in the very moment of a stop are closed like the others, and not left to rot."""
    server = Server(routes=[("*", "/*", hello)], certs_dir=certs_dir)
    for _ in range(5):
        server.start()
        ports = (server.http_port or 0, server.https_port or 0)
        socks = [socket.create_connection(("127.0.0.1", port)) for port in ports * 30]
        server.stop()
        for sock in socks:
            sock.close()
        gc.collect()  # complains, as an error, of a socket that nobody closed


def test_stop_by_an_async_handler(certs_dir: Path) -> None:
    """An async handler may stop the server whose loop it runs on."""

    async def handler(request: Request, response: Response) -> None:
        request.server.stop()

    server = Server(routes=[("*", "/*", handler)], certs_dir=certs_dir, https_port=None).start()
    with connect(server, "h1") as peer:
        peer.request()
    assert server.http_port is None


def test_coroutine_of_a_server_that_stopped(certs_dir: Path) -> None:
    """What a handler leaves for the loop is dropped where the server has stopped."""
    asleep, wake, through = threading.Event(), threading.Event(), threading.Event()

    async def rest() -> None:
        raise AssertionError("never begun")

    def handler(request: Request, response: Response) -> object:
        asleep.set()
        wake.wait(20)
        through.set()
        return rest()

    server = Server(routes=[("*", "/*", handler)], certs_dir=certs_dir, https_port=None).start()
    with connect(server, "h1") as peer:
        peer.send_request()
        assert asleep.wait(10)
        assert_stops_at_once(server)
    wake.set()
    assert through.wait(10)


def test_second_port_in_use(certs_dir: Path) -> None:
    """Where the second port cannot be had, the first is given back."""
    with Server(certs_dir=certs_dir, https_port=None) as first:
        second = Server(certs_dir=certs_dir, http_port=0, https_port=first.http_port)
        with pytest.raises(ConfigError, match="in use"):
            second.start()
        assert (second.http_port, second.https_port) == (None, None)


def test_url_of_an_ipv6_host(certs_dir: Path) -> None:
    """An IPv6 address stands in brackets in a URL (RFC 3986 §3.2.2)."""
    server = Server(hosts="fd00::1", certs_dir=certs_dir)
    server.http_ports = (8000,)
    assert server.http_url("/x") == "http://[fd00::1]:8000/x"


def test_stop_by_a_handler(certs_dir: Path) -> None:
    """A handler may stop the server it runs in."""
    stopped = threading.Event()

    def handler(request: Request, response: Response) -> None:
        request.server.stop()
        stopped.set()

    server = Server(routes=[("*", "/*", handler)], certs_dir=certs_dir, https_port=None).start()
    with connect(server, "h1") as peer:
        peer.send_request()
        assert stopped.wait(10)
    server.stop()


def test_limits_and_leniency(certs_dir: Path) -> None:
    """A server's limits and what it forgives, by arguments or by its config, are its connections'."""
    octets = b"GET /aaaa HTTP/1.1\nHost: h\nConnection: close\n\n"
    lenient: list[str]
    for lenient, limits, status in (
        ([], Limits(), b"400"),
        (["bare-lf"], Limits(), b"404"),
        (["bare-lf"], Limits(request_line_octets=10), b"414"),
    ):
        with (
            Server(https_port=None, certs_dir=certs_dir, lenient=lenient, limits=limits) as server,
            socket.create_connection(("127.0.0.1", server.http_port or 0), timeout=10) as sock,
        ):
            sock.sendall(octets)
            assert sock.recv(1000).startswith(b"HTTP/1.1 " + status)
        config = Config(limits={"request_line_octets": limits.request_line_octets}, lenient=lenient)
        with (
            Server(https_port=None, certs_dir=certs_dir, config=config) as server,
            socket.create_connection(("127.0.0.1", server.http_port or 0), timeout=10) as sock,
        ):
            sock.sendall(octets)
            assert sock.recv(1000).startswith(b"HTTP/1.1 " + status)
    with pytest.raises(ConfigError, match="lenient: 'x' is none of"):
        Server(lenient=["x"])


def test_core() -> None:
    """What its connections are made of is said by an argument, or by its config."""
    assert Server()._rules.core is Core.FAST
    assert Server(core="plain")._rules.core is Core.PLAIN
    assert Server(config=Config(core="plain"))._rules.core is Core.PLAIN
    assert Server(core="fast", config=Config(core="plain"))._rules.core is Core.FAST
    with pytest.raises(ConfigError, match="core: 'slow' is none of fast, plain"):
        Server(core="slow")
