"""wptserve.handlers: its handlers, and what others are made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.helpers.peers import Kind, Peer, connect
from wptproto import HTTPException, Request, Response, Server
from wptproto.wptserve import handlers


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "file.txt").write_text("file")
    (root / "file.txt.headers").write_text("X-A: 1\n")
    (root / "sub" / "__dir__.headers").write_text("X-B: 2\n")
    (root / "sub" / "script.py").write_text("def main(request, response):\n    return request.url_base\n")
    (tmp_path / "outside.txt").write_text("outside")
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    return root


@pytest.fixture
def server(certs_dir: Path) -> Iterator[Server]:
    with Server(certs_dir=certs_dir) as server:
        yield server


@pytest.fixture
def peer(server: Server, kind: Kind) -> Iterator[Peer]:
    with connect(server, kind) as peer:
        yield peer


def test_a_directory_of_ones_own(server: Server, peer: Peer, root: Path) -> None:
    """Handlers serve the directory they were given, below the path where it is mounted."""
    server.router.register("GET", "/base/*", handlers.FileHandler(root, "/base/"))
    server.router.register("GET", "/base/*.py", handlers.PythonScriptHandler(str(root), url_base="/base/"))
    assert peer.request("/base/file.txt").get("x-a") == "1"
    assert peer.request("/base/sub/script.py").text == "/base/"
    assert peer.request("/base/").get("content-type") == "text/html"


def test_a_server_without_a_directory(server: Server, peer: Peer) -> None:
    """Where there is no directory, nothing is found in it, and the answer says why."""
    server.router.register("GET", "/*", handlers.DirectoryHandler())
    answer = peer.request("/")
    assert (answer.status, "serves no directory" in answer.text) == (404, True)


def test_credentials(certs_dir: Path, kind: Kind, root: Path) -> None:
    """The ready-made one wants any credentials, and then answers with files."""
    routes = [("GET", "/*", handlers.basic_auth_handler)]
    with Server(root, routes, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        assert peer.request("/file.txt").status == 401
        assert peer.request("/file.txt", headers=[("authorization", "Basic YTpi")]).text == "file"


def test_repr(root: Path) -> None:
    """A handler shows its directory."""
    assert repr(handlers.FileHandler(root, "/a/")) == f"<FileHandler base_path:{root} url_base:/a/>"
    assert repr(handlers.python_script_handler) == "<PythonScriptHandler base_path:None url_base:/>"


# --- functions ---------------------------------------------------------------------------------


def test_functions(serve: Serve) -> None:
    """A function's tuple fills the response in, and pipes follow."""

    @handlers.handler
    def handler(request: Request, response: Response) -> Any:
        return (201, b"Made"), [("X-A", "1")], "{{GET[a]}}"

    answer = serve(handler).request("/?a=b&pipe=sub")
    assert (answer.status, answer.get("x-a"), answer.text) == (201, "1", "b")


def test_functions_that_return_nothing(serve: Serve) -> None:
    """A function may fill the response in by itself."""

    @handlers.handler
    def handler(request: Request, response: Response) -> None:
        response.content = "filled in"

    assert serve(handler).request().text == "filled in"


def test_functions_within_others(serve: Serve) -> None:
    """A handler may have another fill in the response for it, and heed no more."""
    inner = handlers.FunctionHandler(lambda request, response: ([("X-A", "1")], "inner"))

    def outer(request: Request, response: Response) -> None:
        inner(request, response)
        response.headers.append("X-A", "2")

    answer = serve(outer).request()
    assert (answer.get_all("x-a"), answer.text) == (["1", "2"], "inner")


def test_async_functions(serve: Serve) -> None:
    """A function may be async."""

    @handlers.handler
    async def handler(request: Request, response: Response) -> str:
        return "awaited"

    assert serve(handler).request().text == "awaited"


def test_json(serve: Serve) -> None:
    """What a function returns is said in JSON, behind status and fields as they are."""

    @handlers.json_handler
    def handler(request: Request, response: Response) -> Any:
        return 202, [("X-A", "1")], {"a": [1, None]}

    answer = serve(handler).request()
    assert (answer.status, answer.get("content-type"), answer.get("x-a")) == (202, "application/json", "1")
    assert (answer.text, answer.get("content-length")) == ('{"a": [1, null]}', "16")


def test_pipes_in_scripts_come_once(server: Server, peer: Peer, tmp_path: Path) -> None:
    """A script whose main is such a handler goes through its pipes once."""
    (tmp_path / "script.py").write_text(
        "from wptserve.handlers import json_handler\n"
        "@json_handler\ndef main(request, response):\n    return 'abcdef'\n"
    )
    server.router.register("GET", "/*", handlers.PythonScriptHandler(tmp_path))
    assert peer.request("/script.py?pipe=slice(1,6)").text == "abcde"


# --- parts -------------------------------------------------------------------------------------


def ask(serve: Serve, path: str, function: Any) -> Any:
    """Return what a function of a request returns."""
    found: list[Any] = []

    def handler(request: Request, response: Response) -> str:
        try:
            found.append(function(request))
        except HTTPException as error:
            found.append(error.code)
        return ""

    serve(handler).request(path)
    return found[0]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/base/file.txt", "file.txt"),
        ("/base/not%20there/", "not there/"),
        ("/base/a..b", "a..b"),
        ("/base//dir//%2ffile.txt", "dir/file.txt"),
        ("/base/%ff", "\udcff"),
        ("/base/", ""),
        ("/base/../x", 404),
        ("/base/%2e%2e/x", 404),
        ("/base/%00", 404),
        ("/base/link.txt", 404),
    ],
)
def test_filesystem_path(serve: Serve, root: Path, path: str, found: str | int) -> None:
    """A path leads below the directory, be there something or not, and never out of it."""
    wanted = f"{root}/{found}" if isinstance(found, str) else found
    assert ask(serve, path, lambda request: handlers.filesystem_path(str(root), request, "/base/")) == wanted


def test_filesystem_path_without_a_directory(serve: Serve) -> None:
    """Without a directory there is no path."""
    assert ask(serve, "/a", lambda request: handlers.filesystem_path(None, request)) == 404


def test_load_headers(serve: Serve, root: Path) -> None:
    """Files beside a file give it fields, be it there or not."""
    assert ask(serve, "/", lambda request: handlers.load_headers(request, str(root / "file.txt"))) == [
        (b"X-A", b"1")
    ]
    assert ask(serve, "/", lambda request: handlers.load_headers(request, str(root / "sub" / "none"))) == [
        (b"X-B", b"2")
    ]


def test_parse_qs() -> None:
    """Values come by name, in order; semicolons are nothing special, and empty values are none."""
    assert handlers.parse_qs("a=1&b=x+%26;y&a=2=3&c&d=&%65=+") == {
        "a": ["1", "2=3"],
        "b": ["x &;y"],
        "e": [" "],
    }
    assert handlers.parse_qs("") == {}


def test_wrap_pipeline(serve: Serve) -> None:
    """A response goes through the pipes of a path and of the query."""

    def handler(request: Request, response: Response) -> None:
        response.content = "{{GET[a]}}<"
        assert handlers.wrap_pipeline("x.sub.html", request, response) is response

    assert serve(handler).request("/?a=%3C&pipe=status(404)").text == "&lt;<"


def test_guess_content_type() -> None:
    """A type follows from an extension."""
    assert handlers.guess_content_type("/a/b.html") == "text/html"
