"""Ports: several of each kind, which protocols they speak, and who decides which they are."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from hyperframe.frame import SettingsFrame

from tests.helpers.h2 import OPENING
from tests.helpers.peers import H1Peer, H2Peer, connect
from tests.helpers.ports import quiet_port
from tests.helpers.waiting import assert_soon
from wptproto import ConfigError, Request, Response, Server
from wptproto.server.config import Config
from wptproto.server.ports import wanted_ports

KEY = "0d5d0ac1-51d0-4b2b-9d0b-4c8d5a0f1a11"


def told(request: Request, response: Response) -> str:
    return f"{request.protocol_version} {request.server.config['ports']}"


def stashing(request: Request, response: Response) -> str:
    stash = request.server.stash
    if request.method == "POST":
        stash.put(KEY, request.body.decode())
        return "put"
    return str(stash.take(KEY))


def connected(server: Server, port: int, *protocols: str) -> ssl.SSLSocket:
    """Return a connection through TLS with a client that offers those protocols."""
    context = server.client_context()
    if protocols:
        context.set_alpn_protocols(list(protocols))
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    try:
        return context.wrap_socket(plain, server_hostname="localhost")
    except BaseException:
        plain.close()
        raise


def test_several_ports(certs_dir: Path) -> None:
    """One server has as many ports of each kind as are wanted, and says which; the first stands for all."""
    with Server(
        routes=[("*", "/", told)], http_port=[0, 0], https_port=(0, 0), h2_port=[0, 0], certs_dir=certs_dir
    ) as server:
        found = (*server.http_ports, *server.https_ports, *server.h2_ports)
        assert len(set(found)) == 6
        assert found[::2] == (server.http_port, server.https_port, server.h2_port)
        ports = {
            "http": list(server.http_ports),
            "https": list(server.https_ports),
            "h2": list(server.h2_ports),
        }
        for port in server.http_ports:
            with H1Peer(socket.create_connection(("127.0.0.1", port))) as peer:
                assert peer.request().text == f"HTTP/1.1 {ports}"
        for port in (*server.https_ports, *server.h2_ports):
            with H2Peer(connected(server, port, "h2"), scheme="https") as h2_peer:
                assert h2_peer.request().text == f"HTTP/2.0 {ports}"
        second = server.http_ports[1]
        assert server.http_url("/x", port=second) == f"http://localhost:{second}/x"
        assert server.h2_url("/x") == f"https://localhost:{server.h2_port}/x"
    assert (server.http_ports, server.https_ports, server.h2_ports, server.h2_port) == ((), (), (), None)


def test_a_stash_for_all_ports(certs_dir: Path) -> None:
    """What is put over one port is taken over another, whatever protocols they speak."""
    with Server(
        routes=[("*", "/stash", stashing)], http_port=[0, 0], https_port=0, h2_port=0, certs_dir=certs_dir
    ) as server:

        def peer(port: int | None) -> H1Peer | H2Peer:
            if port in server.http_ports:
                return H1Peer(socket.create_connection(("127.0.0.1", port or 0)))
            return H2Peer(connected(server, port or 0, "h2"), scheme="https")

        ports = (*server.http_ports, *server.https_ports, *server.h2_ports)
        for here, there in zip(ports, (*ports[1:], ports[0]), strict=True):
            with peer(here) as first, peer(there) as second:
                assert first.request("/stash", method="POST", content=b"from %d" % here).text == "put"
                assert second.request("/stash").text == f"from {here}"
                assert first.request("/stash").text == "None"


# --- ALPN ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("offered", [("http/1.1",), ("http/1.0", "spdy/3")])
def test_h2_alone(certs_dir: Path, offered: tuple[str, ...], caplog: pytest.LogCaptureFixture) -> None:
    """A client without h2 gets the alert no_application_protocol (RFC 7301 §3.2); the log says why."""
    with Server(
        routes=[("*", "/", told)], http_port=None, https_port=None, h2_port=0, certs_dir=certs_dir
    ) as server:
        with pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"):
            connected(server, server.h2_port or 0, *offered)
        said = f"by ALPN the client offers {', '.join(offered)}, and this port h2 alone"
        assert_soon(lambda: said in caplog.text)
        with connected(server, server.h2_port or 0, "http/1.1", "h2") as sock:
            assert sock.selected_alpn_protocol() == "h2"


def test_h2_without_alpn(certs_dir: Path) -> None:
    """A client that does not speak of ALPN is taken to know that a port of h2 alone speaks HTTP/2."""
    with (
        Server(http_port=None, https_port=None, h2_port=0, certs_dir=certs_dir) as server,
        connected(server, server.h2_port or 0) as sock,
    ):
        sock.sendall(OPENING)
        assert sock.recv(9)[3] == SettingsFrame.type


def test_a_hello_in_pieces(certs_dir: Path) -> None:
    """A client is refused when all that it offers is there, and not before."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read()
    with (
        Server(http_port=None, h2_port=0, certs_dir=certs_dir) as server,
        socket.create_connection(("127.0.0.1", server.h2_port or 0), timeout=10) as sock,
    ):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(hello), 100):
            sock.sendall(hello[at : at + 100])
        assert sock.recv(100) == bytes.fromhex("15 0303 0002 02 78")
        assert sock.recv(100) == b""


@pytest.mark.parametrize(
    ("alpn", "offered", "chosen"),
    [
        (("http/1.1",), ("h2", "http/1.1"), "http/1.1"),
        (("http/1.1", "h2"), ("h2", "http/1.1"), "http/1.1"),
        (("h2",), ("h2", "http/1.1"), "h2"),
        (("http/1.1",), (), None),
        ((), ("h2", "http/1.1"), None),
    ],
)
def test_what_is_offered(
    certs_dir: Path, alpn: tuple[str, ...], offered: tuple[str, ...], chosen: str | None
) -> None:
    """The HTTPS ports offer what they are told to, in that order; without ALPN they speak HTTP/1.1."""
    with Server(routes=[("*", "/", told)], http_port=None, alpn=alpn, certs_dir=certs_dir) as server:
        sock = connected(server, server.https_port or 0, *offered)
        assert sock.selected_alpn_protocol() == chosen
        with H2Peer(sock, scheme="https") if chosen == "h2" else H1Peer(sock) as peer:
            assert peer.request().text.startswith("HTTP/2.0" if chosen == "h2" else "HTTP/1.1")


# --- which they are ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "configured", "wanted"),
    [
        ({}, {}, ((0,), (0,), ())),
        ({}, {"http": [1, 2], "ws": [9]}, ((1, 2), (0,), ())),
        ({}, {"https": [], "h2": [3]}, ((0,), (), (3,))),
        (
            {"http": 5, "https": None, "h2": [6, 0]},
            {"http": [1], "https": [2], "h2": [3]},
            ((5,), (), (6, 0)),
        ),
        ({"http": ()}, {"http": [1]}, ((), (0,), ())),
    ],
)
def test_who_decides(
    asked: dict[str, Any], configured: dict[str, list[int]], wanted: tuple[tuple[int, ...], ...]
) -> None:
    """An argument decides, then the config; where neither speaks, there is a free port, and none for h2."""
    found = wanted_ports({"http": "config", "https": "config", "h2": "config", **asked}, configured)
    assert tuple(found.values()) == wanted


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"http_port": None, "https_port": []}, "all ports are switched off"),
        ({"http_port": 70000}, "http_port: a port from 0 to 65535 .* not 70000"),
        ({"h2_port": [True]}, "h2_port: a port"),
        ({"https_port": "8443"}, "https_port: a port .* not '8443'"),
        ({"http_port": [0, 80, 80]}, "port 80 is wanted twice, for http and for http$"),
        ({"http_port": 8443, "h2_port": [0, 8443]}, "port 8443 is wanted twice, for http and for h2"),
        ({"alpn": ["h2", "é"]}, "alpn: a protocol's name has 1 to 255 characters of ASCII, unlike 'é'"),
    ],
)
def test_nonsense(settings: dict[str, Any], said: str) -> None:
    """Ports that make no sense are refused at once, in a sentence that names them."""
    with pytest.raises(ConfigError, match=said):
        Server(**settings)


def test_ports_of_a_config(certs_dir: Path) -> None:
    """A config's ports count where no argument says otherwise, and afterwards are what they were."""
    free = quiet_port()
    config = Config(ports={"http": [free], "https": [], "h2": [0]})
    server = Server(config=config, certs_dir=certs_dir)
    with server:
        assert (server.http_ports, server.https_ports, len(server.h2_ports)) == ((free,), (), 1)
        assert server.config.ports == {"http": [free], "h2": list(server.h2_ports)}
    assert server.config.ports == {"http": [free], "h2": [0]}


def test_no_such_url(certs_dir: Path) -> None:
    """There is no URL of a kind of port that a server has not."""
    with (
        Server(https_port=None, certs_dir=certs_dir) as server,
        pytest.raises(ConfigError, match="the server has no h2 port, so it has no URL"),
    ):
        server.h2_url()


# --- listening before serving --------------------------------------------------------------------


def test_listening_before_serving(certs_dir: Path) -> None:
    """From listen() on, the ports are known and connections wait; start() answers them."""
    server = Server(routes=[("*", "/", told)], certs_dir=certs_dir).listen()
    with connect(server, "h1") as peer:
        peer.send_request()
        assert server.http_url() == f"http://localhost:{server.http_port}/"
        assert server.config.ports["http"] == [server.http_port]
        with pytest.raises(ConfigError, match="the server listens already"):
            server.listen()
        with server:
            assert peer.read_answer().text.startswith("HTTP/1.1")
            with pytest.raises(ConfigError, match="the server runs already"):
                server.start()


def test_listening_and_no_more(certs_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A server that listens and is stopped without a start gives its ports back, and can be started later."""
    caplog.set_level(logging.INFO)
    port = quiet_port()
    server = Server(routes=[("*", "/", told)], http_port=port, https_port=None, certs_dir=certs_dir).listen()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        server.stop()
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""
    assert server.http_port is None
    with Server(http_port=port, https_port=None) as other:
        assert other.http_port == port
    with server, connect(server, "h1") as peer:
        assert peer.request().status == 200
    server.stop()
