"""wptserve.router and wptserve.routes: how programs say who answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.peers import Kind, connect
from wptproto import RouteError, Server
from wptproto.wptserve.handlers import FunctionHandler
from wptproto.wptserve.router import Router, any_method
from wptproto.wptserve.routes import routes


class Framed:
    """A handler that makes another for each request."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails

    def frame_handler(self, request: object) -> FunctionHandler:
        if self.fails:
            raise ValueError("no handler today")
        return FunctionHandler(lambda request, response: f"made for {request.method}")


def test_frame_handler(certs_dir: Path, kind: Kind) -> None:
    """A handler may say for each request who answers, over whatever protocol."""
    server = Server(certs_dir=certs_dir)
    server.router = Router("/dir", [("GET", "/a", Framed()), (any_method, "/b", Framed(fails=True))])  # type: ignore[list-item]
    assert server.router.doc_root == "/dir"
    with server, connect(server, kind) as peer:
        assert peer.request("/a").text == "made for GET"
        answer = peer.request("/b")
        assert (answer.status, "no handler today" in answer.text) == (500, True)


def test_what_is_no_handler() -> None:
    """What can neither be called nor makes a handler is an error."""
    with pytest.raises(RouteError, match="cannot be called"):
        Router("/", [("GET", "/", object())])  # type: ignore[list-item]


def test_default_routes(certs_dir: Path, kind: Kind, tmp_path: Path) -> None:
    """By default there are scripts, files, and files that are sent as they are."""
    (tmp_path / "file.txt").write_text("file")
    (tmp_path / "script.py").write_text("def main(request, response):\n    return request.method\n")
    (tmp_path / "octets.asis").write_bytes(b"HTTP/1.1 202 Giraffe\r\nContent-Length: 0\r\n\r\n")
    server = Server(tmp_path, certs_dir=certs_dir)
    server.router = Router(tmp_path, routes)
    with server, connect(server, kind) as peer:
        assert peer.request("/file.txt").text == "file"
        assert peer.request("/script.py", method="PUT").text == "PUT"
        if kind.startswith("h1"):
            assert peer.request("/octets.asis").status == 202
