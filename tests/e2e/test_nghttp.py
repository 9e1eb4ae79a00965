"""nghttp, which shows the frames."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from wptproto import Server


def run(nghttp: str, *arguments: str) -> str:
    """Run nghttp verbosely and return what it prints."""
    done = subprocess.run(
        [nghttp, "--verbose", "--timeout=20", *arguments], capture_output=True, text=True, check=True
    )
    assert "Some requests were not processed" not in done.stderr
    return done.stdout


def frames(out: str) -> list[tuple[str, str, str]]:
    """Return kind, length and stream of the frames that nghttp received."""
    return re.findall(r"recv (\w+) frame <length=(\d+), flags=0x\w+, stream_id=(\d+)>", out)


def test_over_tls(nghttp: str, server: Server) -> None:
    """ALPN chooses h2, and a response that is ready is HEADERS and one DATA with END_STREAM."""
    out = run(nghttp, server.https_url("/filled-in"))
    assert "The negotiated protocol: h2" in out
    assert "Some example content" in out
    response = [frame for frame in frames(out) if frame[2] != "0"]
    assert [frame[0] for frame in response] == ["HEADERS", "DATA"]
    assert response[1][1] == "20"


def test_prior_knowledge(nghttp: str, server: Server) -> None:
    """HTTP/2 in the clear needs no more than its preface, and step by step means DATA by DATA."""
    out = run(nghttp, server.http_url("/step-by-step"))
    assert [frame[1] for frame in frames(out) if frame[0] == "DATA"] == ["5", "15", "0"]


def test_upgrade(nghttp: str, server: Server) -> None:
    """An HTTP/1.1 request may be upgraded."""
    out = run(nghttp, "--upgrade", server.http_url("/filled-in"))
    assert "HTTP Upgrade success" in out
    assert "Some example content" in out


def test_settings_are_acknowledged_at_once(nghttp: str, server: Server) -> None:
    """The SETTINGS ACK comes before the response that takes its time."""
    out = run(nghttp, server.http_url("/step-by-step"))
    kinds = [(kind, length) for kind, length, _ in frames(out)]
    assert kinds.index(("SETTINGS", "0")) < kinds.index(("DATA", "15"))


def test_upload_with_trailers_and_padding(nghttp: str, server: Server, tmp_path: Path) -> None:
    """Padding is nobody's content, and counts for the windows; trailers end the request."""
    file = tmp_path / "file"
    file.write_bytes(b"x" * 500_000)
    out = run(
        nghttp,
        f"--data={file}",
        "--padding=200",
        "--trailer=x-sum: 1",
        "--no-dep",
        server.http_url("/measured"),
    )
    assert "\n500000" in out or "500000[" in out


def test_many_streams(nghttp: str, server: Server) -> None:
    """A hundred requests share the connection."""
    out = run(nghttp, "--multiply=100", server.https_url("/filled-in"))
    assert out.count("Some example content") == 100


def test_push(nghttp: str, server: Server) -> None:
    """What is pushed, by the server's routes or by hand, comes on streams that were promised."""
    out = run(nghttp, server.https_url("/pushing"))
    promises = [stream for kind, _, stream in frames(out) if kind == "PUSH_PROMISE"]
    assert len(promises) == 2
    for text in ("pushed", "Some example content", "answered by hand", ":status: 203", ":path: /filled-in"):
        assert text in out
    assert {stream for kind, _, stream in frames(out) if kind == "HEADERS"} > {"2", "4"}


def test_no_push(nghttp: str, server: Server) -> None:
    """A client that wants none gets none."""
    out = run(nghttp, "--no-push", server.https_url("/pushing"))
    assert "no push" in out
    assert "PUSH_PROMISE" not in out


def test_trailers(nghttp: str, server: Server, tmp_path: Path) -> None:
    """Trailers go both ways."""
    file = tmp_path / "file"
    file.write_bytes(b"x")
    out = run(nghttp, f"--data={file}", "--trailer=x-sum: 1", server.http_url("/trailed"))
    assert "trailers of the request: {b'x-sum': [b'1']}" in out
    assert re.search(r"recv \(stream_id=\d+\) x-sum: 7", out)


def test_priority(nghttp: str, server: Server) -> None:
    """The field Priority is what a handler reads, and SETTINGS say that it counts (RFC 9218 §2.1)."""
    out = run(nghttp, "--header=priority: u=1, i", server.https_url("/prioritized"))
    assert "Priority(urgency=1, incremental=True)" in out
    assert "SETTINGS_NO_RFC7540_PRIORITIES(0x09):1" in out
