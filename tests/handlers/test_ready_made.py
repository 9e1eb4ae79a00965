"""Handlers that need no script, over both protocols."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.helpers.peers import Kind
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.ready_made import (
    AsIs,
    BasicAuthHandler,
    ErrorHandler,
    StaticHandler,
    StringHandler,
    json_handler,
)


@pytest.mark.parametrize(
    ("returned", "status", "fields", "value"),
    [
        ({"a": [1, None, "é"]}, 200, [], {"a": [1, None, "é"]}),
        (None, 200, [], None),
        ([], 200, [], []),
        (([("X-A", "1")], {"b": 2}), 200, ["1"], {"b": 2}),
        ((202, [("X-A", "1")], {"b": 2}), 202, ["1"], {"b": 2}),
    ],
)
def test_json(serve: Serve, returned: Any, status: int, fields: list[str], value: object) -> None:
    """What the function returns goes out as JSON, with the status and fields beside it."""

    @json_handler
    def handler(request: Request, response: Response) -> Any:
        return returned

    answer = serve(handler).request()
    assert (answer.status, answer.get_all("x-a")) == (status, fields)
    assert answer.get("content-type") == "application/json"
    assert answer.get("content-length") == str(len(answer.content))
    assert json.loads(answer.content) == value


def test_json_async(serve: Serve) -> None:
    """The function may be async."""

    @json_handler
    async def handler(request: Request, response: Response) -> Any:
        return {"path": request.path}

    assert json.loads(serve(handler).request("/x").content) == {"path": "/x"}


def test_json_that_is_none(serve: Serve) -> None:
    """A value that JSON cannot say is a 500 that names it."""
    answer = serve(json_handler(lambda request, response: {1, 2})).request()
    assert answer.status == 500
    assert "set is not JSON serializable" in answer.text


@pytest.mark.parametrize("data", ["text é", "text é".encode()])
def test_string(serve: Serve, data: str | bytes) -> None:
    """A string is sent with its type and fields, as often as it is asked for, and through pipes."""
    peer = serve(StringHandler(data, "text/x", Cache_Control="no-store", X="1"))
    for _ in range(2):
        answer = peer.request()
        assert (answer.status, answer.text, answer.get("content-type")) == (200, "text é", "text/x")
        assert (answer.get("cache-control"), answer.get("x")) == ("no-store", "1")
    assert peer.request("/?pipe=slice(0,2)").text == "te"


def test_static(serve: Serve, tmp_path: Path) -> None:
    """Files are joined and formatted once, when first asked for."""
    paths = [str(tmp_path / name) for name in "ab"]
    peer = serve(StaticHandler(paths, {"x": 5}, "text/x", X_A="1"))
    for path in paths:
        Path(path).write_text("é%(x)d%%\n", encoding="utf-8")
    answer = peer.request()
    assert (answer.text, answer.get("content-type"), answer.get("x-a")) == ("é5%\né5%\n", "text/x", "1")
    Path(paths[0]).unlink()
    assert peer.request().text == answer.text


def test_static_without_format(serve: Serve, tmp_path: Path) -> None:
    """Without anything to format a percent sign is one."""
    (tmp_path / "a").write_text("100%")
    assert serve(StaticHandler(str(tmp_path / "a"), {}, "text/x")).request().text == "100%"


def test_error(serve: Serve) -> None:
    """An error is its status, and says so in JSON."""
    answer = serve(ErrorHandler(418)).request()
    assert (answer.status, json.loads(answer.content)["error"]["code"]) == (418, 418)


@pytest.mark.parametrize(
    ("user", "credentials", "status"),
    [
        ("me", "me:secret", 200),
        (b"me", "me:secret", 200),
        ("me", "me:wrong", 403),
        ("me", "you:secret", 403),
        ("me", None, 401),
        ("me", "no colon", 400),
        (None, "any:one", 200),
        (None, None, 401),
    ],
)
def test_basic_auth(serve: Serve, user: str | bytes | None, credentials: str | None, status: int) -> None:
    """Without credentials one is asked for them; with the right ones the other handler answers."""
    peer = serve(
        BasicAuthHandler(StringHandler("in", "text/plain"), user, None if user is None else "secret")
    )
    headers = []
    if credentials is not None:
        headers.append(("Authorization", "Basic " + b64encode(credentials.encode()).decode()))
    answer = peer.request(headers=headers)
    assert answer.status == status
    assert answer.get("www-authenticate") == ("Basic" if status == 401 else None)
    assert (answer.text == "in") == (status == 200)


def test_as_is(serve: Serve, tmp_path: Path, kind: Kind) -> None:
    """A file's octets are the response; over HTTP/2, as the message that they are."""
    (tmp_path / "a.asis").write_bytes(b"HTTP/1.1 234 Own Words\r\nX-a: 1\r\nContent-Length: 2\r\n\r\nok")
    peer = serve(AsIs(tmp_path))
    answer = peer.request("/a.asis")
    assert (answer.status, answer.content) == (234, b"ok")
    if kind in ("h1", "h1s"):
        assert answer.reason == b"Own Words"
        assert answer.fields == [(b"X-a", b"1"), (b"Content-Length", b"2")]
        assert peer.sock.recv(1) == b""
    else:
        assert answer.fields == [(b"x-a", b"1"), (b"content-length", b"2")]


def test_as_is_absent(serve: Serve, tmp_path: Path) -> None:
    """What is no file is an error."""
    (tmp_path / "dir.asis").mkdir()
    (tmp_path / "a.asis").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe.asis")
    peer = serve(AsIs(tmp_path))
    assert peer.request("/absent.asis").status == 404
    assert peer.request("/pipe.asis").status == 404
    assert peer.request("/dir.asis").status == 500


@pytest.mark.usefixtures("unreadable")
def test_as_is_unreadable(serve: Serve, tmp_path: Path) -> None:
    """What cannot be read is 404, and says so."""
    (tmp_path / "a.asis").write_bytes(b"")
    peer = serve(AsIs(tmp_path))
    assert "cannot be read" in peer.request("/a.asis").text
