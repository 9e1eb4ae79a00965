"""Chromium, without a head: what a browser says of the protocol that brought it a page."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from wptproto import Request, Response, Server

PAGE = """<!doctype html>
<p id=said></p>
<script>
  const entry = performance.getEntriesByType("navigation")[0];
  fetch("/streamed", {cache: "no-store"}).then(response => response.text()).then(text => {
    document.getElementById("said").textContent = `${entry.nextHopProtocol} ${text}`;
  });
</script>
"""


def page(request: Request, response: Response) -> tuple[list[tuple[str, str]], str]:
    return [("Content-Type", "text/html")], PAGE


def streamed(request: Request, response: Response) -> Iterator[str]:
    yield "streamed "
    yield request.protocol_version


@pytest.mark.parametrize(
    ("scheme", "expected"), [("https", "h2 streamed HTTP/2.0"), ("http", "http/1.1 streamed HTTP/1.1")]
)
def test_a_page(chromium: str, certs_dir: Path, tmp_path: Path, scheme: str, expected: str) -> None:
    """A page comes over h2 from the HTTPS port, over HTTP/1.1 from the other, and so what it fetches."""
    routes = [("GET", "/", page), ("GET", "/streamed", streamed)]
    with Server(routes=routes, certs_dir=certs_dir) as server:
        command = [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--ignore-certificate-errors",  # its store is the user's, and not ours to change
            f"--user-data-dir={tmp_path}",
            "--virtual-time-budget=5000",
            "--dump-dom",
            server.https_url() if scheme == "https" else server.http_url(),
        ]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env={**os.environ, "HOME": str(tmp_path)},
        )
    assert f'<p id="said">{expected}</p>' in done.stdout
