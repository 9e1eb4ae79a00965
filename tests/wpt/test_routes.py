"""Routes: what of a checkout answers, and what is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.peers import Kind, Peer, connect
from wptproto import Server
from wptproto.wpt.routes import routes

SCRIPT = "def main(request, response):\n    return 'script ' + request.method\n"


@pytest.fixture
def peer(tmp_path: Path, certs_dir: Path, kind: Kind) -> Iterator[Peer]:
    files = {
        "dir/page.html": "page",
        "dir/page.sub.html": "{{location[path]}}",
        "dir/script.py": SCRIPT,
        "dir/octets.asis": "HTTP/1.1 234 Own\r\nContent-Length: 0\r\n\r\n",
        "spec/tools/page.html": "page",
        "tools/page.html": "page",
        "tools/script.py": SCRIPT,
        "tools/runner/index.html": "runner",
        "tools/runner/update_manifest.py": SCRIPT,
        "tools/runner/other.py": SCRIPT,
        "_certs/key.pem": "key",
        "results/x.json": "1",
        ".well-known/web-identity": SCRIPT,
        ".well-known/attribution-reporting/debug/verbose": SCRIPT,
        ".well-known/private-aggregation/debug/report": SCRIPT,
        ".well-known/interest-group/permissions/default.py": SCRIPT,
        ".well-known/other": "file",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with Server(tmp_path, routes(tmp_path, {}), certs_dir=certs_dir) as server, connect(server, kind) as peer:
        yield peer


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/dir/page.html", 200, "page"),
        ("GET", "/dir/page.sub.html", 200, "/dir/page.sub.html"),
        ("GET", "/dir/", 200, None),
        ("POST", "/dir/page.html", 405, None),
        ("POST", "/dir/script.py", 200, "script POST"),
        ("GET", "/tools/runner/index.html", 200, "runner"),
        ("GET", "/tools/runner/other.py", 404, None),
        ("POST", "/tools/runner/update_manifest.py", 200, "script POST"),
        ("POST", "/tools/runner/other.py", 404, None),
        ("GET", "/tools/page.html", 404, None),
        ("GET", "/tools/script.py", 404, None),
        ("GET", "/spec/tools/page.html", 404, None),
        ("GET", "/_certs/key.pem", 404, None),
        ("GET", "/results/", 404, None),
        ("GET", "/results/x.json", 200, "1"),
        ("POST", "/.well-known/web-identity", 200, "script POST"),
        ("POST", "/.well-known/attribution-reporting/debug/verbose", 200, "script POST"),
        ("POST", "/.well-known/private-aggregation/debug/report", 200, "script POST"),
        ("GET", "/.well-known/interest-group/permissions/", 200, "script GET"),
        ("GET", "/.well-known/other", 200, "file"),
    ],
)
def test_routes(peer: Peer, method: str, path: str, status: int, text: str | None) -> None:
    """Files and scripts answer, tools and keys do not; scripts of well-known places need no .py."""
    answer = peer.request(path, method=method, content=b"" if method == "GET" else b"x")
    assert answer.status == status
    assert text is None or answer.text == text
