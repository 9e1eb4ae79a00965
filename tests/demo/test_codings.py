"""Content codings, asked for by the path."""

from __future__ import annotations

import gzip
import importlib
import json
import sys
import zlib
from types import ModuleType

import pytest

from tests.demo.conftest import Told
from tests.helpers.peers import Peer


@pytest.mark.parametrize(
    ("path", "coding", "mark"), [("/gzip", "gzip", "gzipped"), ("/deflate", "deflate", "deflated")]
)
def test_codings(peer: Peer, path: str, coding: str, mark: str) -> None:
    """The content is coded, and says what the request was."""
    answer = peer.request(path, headers=[("user-agent", "test")])
    assert answer.get("content-encoding") == coding
    assert answer.get("content-type") == "application/json"
    assert answer.get("content-length") == str(len(answer.content))
    decoded = (gzip if coding == "gzip" else zlib).decompress(answer.content)
    assert json.loads(decoded) == {
        mark: True,
        "headers": {"Host": "localhost", "User-Agent": "test"},
        "method": "GET",
        "origin": "127.0.0.1",
    }


@pytest.mark.parametrize(
    ("path", "coding", "module", "mark"),
    [("/brotli", "br", "brotli", "brotli"), ("/zstd", "zstd", "compression.zstd", "zstd")],
)
def test_optional_codings(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, path: str, coding: str, module: str, mark: str
) -> None:
    """Others are by modules that may be there."""
    there = ModuleType(module)
    there.compress = lambda content: b"compressed" + content  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "compression", ModuleType("compression"))
    monkeypatch.setitem(sys.modules, module, there)
    answer = peer.request(path)
    assert (answer.status, answer.get("content-encoding")) == (200, coding)
    assert json.loads(answer.content.removeprefix(b"compressed"))[mark] is True


@pytest.mark.parametrize(
    ("path", "module", "expected"),
    [
        ("/brotli", "brotli", "there is no module brotli here (pip install wptproto[brotli])"),
        ("/zstd", "compression.zstd", "there is no module compression.zstd here (it comes with Python 3.14)"),
    ],
)
def test_codings_that_are_not_there(
    peer: Peer, complaint: Told, monkeypatch: pytest.MonkeyPatch, path: str, module: str, expected: str
) -> None:
    """Without their module they are 501, and say which it is; and that is not coded."""
    monkeypatch.setitem(sys.modules, module, None)
    answer = peer.request(path)
    assert (answer.status, complaint(answer)) == (501, expected)
    assert answer.get("content-encoding") is None


def test_brotli(plain: Peer) -> None:
    """What the real module makes can be read."""
    brotli = importlib.import_module("brotli")
    answer = plain.request("/brotli")
    assert json.loads(brotli.decompress(answer.content))["brotli"] is True
