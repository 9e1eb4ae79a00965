"""curl, over each protocol it speaks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from wptproto import Server
from wptproto.server.config import Config

# How curl is told, whether by TLS, and what it then reports as http_version.
WAYS = {
    "h1": (["--http1.1"], False, "1.1"),
    "h1s": (["--http1.1"], True, "1.1"),
    "h2": (["--http2"], True, "2"),
    "h2c": (["--http2-prior-knowledge"], False, "2"),
    "upgrade": (["--http2"], False, "2"),
    "no alpn": (["--no-alpn"], True, "1.1"),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def run(curl: str, server: Server, way: str, path: str, *options: str, fails: bool = False) -> str:
    """Run curl and return what it prints."""
    how, tls, _ = WAYS[way]
    url = server.https_url(path) if tls else server.http_url(path)
    command = [
        curl,
        "--silent",
        "--show-error",
        "--max-time",
        "20",
        "--cacert",
        str(server.ca),
        *how,
        *options,
        url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) is fails, done.stderr
    return done.stderr if fails else done.stdout


@pytest.mark.parametrize("path", ["/filled-in", "/step-by-step"])
def test_the_examples(curl: str, server: Server, way: str, path: str) -> None:
    """Both handlers of the example answer curl over every protocol."""
    out = run(curl, server, way, path, "--write-out", "|%{http_version}|%{http_code}|%{content_type}")
    assert out == f"Some example content|{WAYS[way][2]}|200|text/plain"


def test_generated(curl: str, server: Server, way: str) -> None:
    """Content of unknown length arrives whole."""
    assert run(curl, server, way, "/generated") == "0\n1\n2\n"


def test_head(curl: str, server: Server, way: str) -> None:
    """HEAD gets the head alone."""
    out = run(curl, server, way, "/filled-in", "--head", "--write-out", "%{size_download}")
    assert "content-length: 20" in out.lower()
    assert out.endswith("\n0")


@pytest.mark.parametrize("size", [0, 5, 3_000_000])
def test_upload(curl: str, server: Server, way: str, tmp_path: Path, size: int) -> None:
    """Uploads of any size arrive, with Expect: 100-continue where curl wants it."""
    file = tmp_path / "file"
    file.write_bytes(b"x" * size)
    assert run(curl, server, way, "/measured", "--data-binary", f"@{file}") == str(size)


def test_upload_in_chunks(curl: str, server: Server, way: str, tmp_path: Path) -> None:
    """An upload of unknown length arrives."""
    file = tmp_path / "file"
    file.write_bytes(b"x" * 300_000)
    options = ("--header", "Transfer-Encoding: chunked", "--upload-file", str(file))
    assert run(curl, server, way, "/measured", *options) == "300000"


def test_cut_off(curl: str, server: Server, way: str) -> None:
    """curl sees that a message was cut off."""
    said = run(curl, server, way, "/cut-off", "--output", "/dev/null", fails=True)
    assert "not closed cleanly" in said or "transfer closed" in said


def test_early_hints(curl: str, server: Server, way: str) -> None:
    """curl sees the interim response, and the final one."""
    out = run(curl, server, way, "/hinted", "--include")
    assert " 103" in out
    assert out.endswith("final")


def test_connection_is_kept(curl: str, server: Server, way: str) -> None:
    """Requests follow each other on one connection."""
    if way == "h2c":
        way = "upgrade"  # curl 7.88 cannot use a prior-knowledge connection again, whoever serves it
    how, tls, _ = WAYS[way]
    base = server.https_url("") if tls else server.http_url("")
    urls = [f"{base}{path}" for path in ("filled-in", "generated", "measured", "step-by-step")]
    command = [curl, "--silent", "--cacert", str(server.ca), *how, "--write-out", "|%{num_connects}|", *urls]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [int(part) for part in done.stdout.split("|")[1::2]] == [1, 0, 0, 0]


def test_parallel(curl: str, server: Server) -> None:
    """Many transfers at once share one HTTP/2 connection."""
    url = server.https_url("/filled-in?[1-50]")
    command = [curl, "--silent", "--cacert", str(server.ca), "--http2", "--parallel", "--parallel-max", "50"]
    done = subprocess.run([*command, url], capture_output=True, text=True, check=True)
    assert done.stdout == "Some example content" * 50


def test_names_of_a_config(curl: str, certs_dir: Path) -> None:
    """curl accepts the certificate for each name of a config, told where they are as the welcome says."""
    config = Config(
        browser_host="web.test", alternate_hosts={"alt": "other.test"}, subdomains=["www", "\u00e9l\u00e8ve"]
    )
    routes = [("GET", "/", lambda request, response: request.url_parts.hostname)]
    with Server(routes=routes, http_port=None, h2_port=0, certs_dir=certs_dir, config=config) as server:
        for port, option, version in (
            (server.https_port, "--http1.1", "1.1"),
            (server.h2_port, "--http2", "2"),
        ):
            for name in config.domains_set:
                command = [curl, "--silent", "--show-error", "--max-time", "20", "--cacert", str(server.ca)]
                command += [option, "--connect-to", "::127.0.0.1:", "--write-out", " %{http_version}"]
                command.append(f"https://{name}:{port}/")
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                assert done.stdout == f"{name} {version}", done.stderr


def test_trailers(curl: str, server: Server, way: str) -> None:
    """Trailers of the response are fields behind its content."""
    out = run(curl, server, way, "/trailed", "--dump-header", "-")
    assert "trailers of the request: {}" in out
    assert "x-sum: 7" in out.lower()


def test_push(curl: str, server: Server, way: str) -> None:
    """curl wants no push, which a handler can know before."""
    assert run(curl, server, way, "/pushing") == "no push"


def test_priority(curl: str, server: Server, way: str) -> None:
    """The field Priority is the same over every protocol."""
    out = run(curl, server, way, "/prioritized", "--header", "Priority: u=5")
    assert out == "Priority(urgency=5, incremental=False)"
