"""Requests that no route takes, over each protocol."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.peers import Kind, connect
from wptproto import Request, Response, Server


def handler(request: Request, response: Response) -> str:
    return request.method


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/get", 200, None),
        ("HEAD", "/get", 200, None),
        ("BREW", "/brew", 200, None),
        ("BREW", "/any", 200, None),
        ("POST", "/get", 405, "GET, HEAD, OPTIONS"),
        ("BREW", "/get", 405, "GET, HEAD, OPTIONS"),
        ("GET", "/brew", 405, "BREW, OPTIONS"),
        ("GET", "/none", 404, None),
        ("OPTIONS", "/none", 404, None),
        ("get", "/get", 501, None),
        ("FOO", "/none", 501, None),
        ("OPTIONS", "/get", 204, "GET, HEAD, OPTIONS"),
        ("OPTIONS", "/any", 200, None),
        ("OPTIONS", "*", 204, "BREW, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, TRACE"),
    ],
)
def test_methods(method: str, path: str, status: int, allow: str | None, certs_dir: Path, kind: Kind) -> None:
    """
    A path without a route is 404, one that has others is 405 with Allow, a method that nobody takes is 501,
    and OPTIONS tells which there are (RFC 9110 §9.3.7, §15.5.6, §15.6.2).
    """
    routes = [("GET", "/get", handler), ("BREW", "/brew", handler), ("*", "/any", handler)]
    with Server(routes=routes, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        answer = peer.request(path, method=method)
        assert (answer.status, answer.get("allow")) == (status, allow)
        assert peer.is_open()


@pytest.mark.parametrize(("methods", "status"), [("*", b"501"), ("CONNECT", b"200")])
def test_connect(methods: str, status: bytes, certs_dir: Path) -> None:
    """A tunnel is opened by a route that says so, and by no other; behind it is no request."""
    with (
        Server(routes=[(methods, "/*", handler)], certs_dir=certs_dir, https_port=None) as server,
        connect(server, "h1") as peer,
    ):
        peer.sock.sendall(b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
        octets = b""
        while piece := peer.sock.recv(1000):
            octets += piece
        assert octets.startswith(b"HTTP/1.1 " + status)
        assert octets.count(b"HTTP/1.1 ") == 1
