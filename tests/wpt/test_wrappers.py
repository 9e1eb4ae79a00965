"""Wrappers: which URLs there are of a script, and what of files beside it and of the query comes through."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.peers import Kind, Peer, connect
from wptproto import Server
from wptproto.wpt.routes import routes

EVERYWHERE = (
    "window,window-module,worker,dedicatedworker-module,sharedworker-module,serviceworker-module,shadowrealm"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    scripts = {
        "plain.any.js": "",
        "everywhere.any.js": f"// META: global={EVERYWHERE}\n// META: title=Everywhere\n",
        "shell.any.js": "// META: global=jsshell\n",
        "secure.https.any.js": "// META: global=serviceworker\n",
        "one.h2.window.js": "// META: script=/common/utils.js\n",
        "own.worker.js": "",
        "sub.sub.any.js": "// META: title={{GET[t]}}\n",
        "octets.window.js": "",
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "octets.window.js").write_bytes(b"// META: title=\xff\n")
    (tmp_path / "__dir__.headers").write_text("X-Dir: 1\nX-Both: dir\n")
    (tmp_path / "everywhere.any.js.sub.headers").write_text(
        "X-Both: file\nX-Host: {{location[hostname]}}\nSet-Cookie: a=1\nSet-Cookie: b=2\n"
    )
    (tmp_path / "own.worker.js.headers").write_text("Content-Type: text/html; charset=x\n")
    os.mkfifo(tmp_path / "pipe.any.js")
    return tmp_path


@pytest.fixture
def peer(root: Path, certs_dir: Path, kind: Kind) -> Iterator[Peer]:
    with Server(routes=routes(root, {}), certs_dir=certs_dir) as server, connect(server, kind) as peer:
        yield peer


@pytest.mark.parametrize(
    ("path", "content_type", "part"),
    [
        ("/everywhere.any.html", "text/html", '<script src="/everywhere.any.js">'),
        (
            "/everywhere.any.window-module.html",
            "text/html",
            '<script type="module" src="/everywhere.any.js">',
        ),
        ("/everywhere.any.worker.html", "text/html", 'new Worker("/everywhere.any.worker.js?q")'),
        (
            "/everywhere.any.worker-module.html",
            "text/html",
            'new Worker("/everywhere.any.worker-module.js?q", {type: "module"})',
        ),
        ("/everywhere.any.sharedworker.html", "text/html", 'new SharedWorker("/everywhere.any.worker.js?q")'),
        (
            "/everywhere.any.sharedworker-module.html",
            "text/html",
            'new SharedWorker("/everywhere.any.worker-module.js?q", {type: "module"})',
        ),
        (
            "/everywhere.any.serviceworker.html",
            "text/html",
            'register("/everywhere.any.worker.js?q", {scope})',
        ),
        (
            "/everywhere.any.serviceworker-module.html",
            "text/html",
            'register("/everywhere.any.worker-module.js?q", {scope, type: "module"})',
        ),
        ("/everywhere.any.shadowrealm.html", "text/html", r"\"/everywhere.any.js\"]"),
        ("/everywhere.any.worker.js", "text/javascript", 'importScripts("/everywhere.any.js");'),
        ("/everywhere.any.worker-module.js", "text/javascript", 'import "/everywhere.any.js";'),
        ("/one.h2.window.html", "text/html", '<script src="/common/utils.js">'),
        ("/own.worker.html", "text/html; charset=x", 'new Worker("/own.worker.js?q")'),
        ("/secure.https.any.serviceworker.html", "text/html", '"/secure.https.any.worker.js?q"'),
        ("/shell.any.worker.js", "text/javascript", 'importScripts("/shell.any.js");'),
    ],
)
def test_kinds(peer: Peer, path: str, content_type: str, part: str) -> None:
    """Each kind loads the script, or the worker's script around it, which is given the query."""
    answer = peer.request(path + "?q")
    assert (answer.status, answer.get("content-type")) == (200, content_type)
    assert part in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/plain.any.html", 200),
        ("/plain.any.worker.html", 200),
        ("/plain.any.sharedworker.html", 404),
        ("/plain.any.window-module.html", 404),
        ("/plain.any.shadowrealm.html", 404),
        ("/secure.https.any.html", 404),
        ("/shell.any.html", 404),
        ("/absent.any.html", 404),
        ("/absent.any.worker.js", 404),
        ("/absent.window.html", 404),
        ("/absent.worker.html", 404),
        ("/one.window.html", 404),
        ("/plain.worker.html", 404),
        ("/../plain.any.html", 404),
        ("/pipe.any.html", 404),
        ("/octets.window.html", 500),
    ],
)
def test_those_there_are(peer: Peer, path: str, status: int) -> None:
    """There is no page for a script that is not there, nor for a scope that its metas do not name."""
    assert peer.request(path).status == status


def test_methods(peer: Peer) -> None:
    """A page can be asked for with GET and HEAD."""
    assert peer.request("/plain.any.html", method="HEAD").status == 200
    assert peer.request("/plain.any.html", method="POST", content=b"x").status == 405


def test_fields(peer: Peer) -> None:
    """A page has the fields of its script's ``.headers``, each name once, and the last line counts."""
    answer = peer.request("/everywhere.any.html")
    assert [answer.get_all(name) for name in ("x-dir", "x-both", "x-host", "set-cookie")] == [
        ["1"],
        ["file"],
        ["localhost"],
        ["b=2"],
    ]


def test_pipes(peer: Peer) -> None:
    """A page goes through the pipes of its script's name and of its query."""
    answer = peer.request("/sub.sub.any.html?t=Here&pipe=status(234)")
    assert answer.status == 234
    assert "<title>Here</title>" in answer.text
    assert 'META_TITLE = "Here"' in peer.request("/sub.sub.any.worker.js?t=Here").text


@pytest.mark.usefixtures("unreadable")
def test_unreadable(peer: Peer) -> None:
    """A script that cannot be read is not there."""
    answer = peer.request("/plain.any.html")
    assert answer.status == 404
    assert "cannot be read: /plain.any.js: Permission denied" in answer.text
