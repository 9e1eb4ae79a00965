"""Rewriter: which requests get another path, and what is seen of it then."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.helpers.peers import Kind, connect
from wptproto import Request, Response, RouteError, Server
from wptproto.handlers.rewriter import Rewriter

KEY = "5b3ee2ee-2b3e-4a3c-9d9a-8f7ad3f2a6aa"


def told(request: Request, response: Response) -> str:
    return " ".join(
        [
            request.method,
            request.path,
            request.request_path,
            request.url_parts.path,
            request.GET.first(b"q", b"-").decode(),
        ]
    )


def test_what_a_handler_sees(certs_dir: Path, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    """A handler sees the new path with the query as it was; the log shows what the client asked for."""
    caplog.set_level(logging.INFO, "wptproto.access")
    routes = [("*", "/new%20path", told)]
    rewrites = [("*", "/old", "/new%20path")]
    with (
        Server(routes=routes, rewrites=rewrites, certs_dir=certs_dir) as server,
        connect(server, kind) as peer,
    ):
        assert peer.request("/old?q=1&r").text == "GET /new%20path /new%20path?q=1&r /new%20path 1"
        assert peer.request("/old").text == "GET /new%20path /new%20path /new%20path -"
        assert peer.request("/new%20path").status == 200
        assert [peer.request(path).status for path in ("/old/", "/ol%64", "/older", "/x/old")] == [404] * 4
        assert "GET /old?q=1&r: 200" in caplog.text
        assert "/new%20path: 200" in caplog.text


def test_an_absolute_target(certs_dir: Path) -> None:
    """A target with a host is rewritten like any other (RFC 9112 §3.2.2), and its URL keeps the host."""

    def url(request: Request, response: Response) -> str:
        return request.url

    with (
        Server(routes=[("*", "/new", url)], rewrites=[("*", "/old", "/new")], certs_dir=certs_dir) as server,
        connect(server, "h1") as peer,
    ):
        assert peer.request("http://there.test:81/old?x").text == "http://there.test:81/new?x"


def test_files_and_their_fields(certs_dir: Path, tmp_path: Path, kind: Kind) -> None:
    """Files, scripts, pipes and the stash go by the new path."""
    (tmp_path / "new.sub.txt").write_text("{{location[pathname]}} {{GET[q]}}")
    (tmp_path / "new.sub.txt.headers").write_text("X-Of: new")
    (tmp_path / "script.py").write_text(
        f"def main(request, response):\n    request.server.stash.put({KEY!r}, 'kept')\n    return 'put'\n"
    )
    rewrites = [("GET", "/old.txt", "/new.sub.txt"), ("GET", "/old", "/script.py")]
    with Server(tmp_path, rewrites=rewrites, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        answer = peer.request("/old.txt?q=7")
        assert (answer.text, answer.get("x-of")) == ("/new.sub.txt 7", "new")
        assert peer.request("/old").text == "put"
        assert server.stash.take(KEY, "/script.py") == "kept"


def test_methods(certs_dir: Path) -> None:
    """A rule is for its methods alone, GET meaning HEAD as well; the same path has one for each."""
    rewrites = [(["GET", "PUT"], "/a", "/read"), ("POST", "/a", "/written")]
    with (
        Server(routes=[("*", "/*", told)], rewrites=rewrites, certs_dir=certs_dir) as server,
        connect(server, "h1") as peer,
    ):
        seen = [
            peer.request("/a", method=method).text.split(" ")[1] for method in ("GET", "PUT", "POST", "BREW")
        ]
        assert seen == ["/read", "/read", "/written", "/a"]
        assert peer.request("/a", method="HEAD").get("content-length") == str(len("HEAD /read /read /read -"))


def test_order(certs_dir: Path) -> None:
    """The first rule counts, a later registered one before it, and what came of one is final."""
    rewrites = [("*", "/a", "/b"), ("*", "/a", "/x"), ("*", "/b", "/c")]
    with (
        Server(routes=[("*", "/*", told)], rewrites=rewrites, certs_dir=certs_dir) as server,
        connect(server, "h1") as peer,
    ):
        assert peer.request("/a").text.startswith("GET /b ")
        server.rewriter.register("GET", "/a", "/late")
        assert peer.request("/a").text.startswith("GET /late ")


@pytest.mark.parametrize("wrong", ["", "a", "/a?b", "/a#b", "/a b", "/é"])
def test_no_path(wrong: str) -> None:
    """What clients cannot have sent as a path is refused, in a sentence that shows it."""
    with pytest.raises(RouteError, match="is no path to rewrite") as caught:
        Rewriter([("GET", wrong, "/new")])
    assert str(caught.value).startswith(repr(wrong))
    with pytest.raises(RouteError):
        Rewriter([("GET", "/old", wrong)])
