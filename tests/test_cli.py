"""The command line: what it prints, how it stops, and what it says when something is wrong."""

from __future__ import annotations

import errno
import http.client
import importlib
import json
import logging
import os
import re
import runpy
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import wptproto
from tests.helpers.patient import patient
from tests.helpers.peers import H2Peer
from wptproto import Leniency, Limits, Server, __version__, certs, cli, signals
from wptproto.certs import keeping
from wptproto.signals import STOP_SIGNALS

ROOT = Path(__file__).parent.parent
TIMEOUT_S = 20
SEE = "see: wptproto serve --help"
LIMITS = [field.name for field in fields(Limits)]
AT_ONCE_S = 20  # a server that waits for sleeping handlers would take a minute

SLEEPER = """
import asyncio, time

def main(request, response):
    response.writer.write_status(200)
    response.writer.end_headers()
    time.sleep(60)
"""
ASYNC_SLEEPER = SLEEPER.replace("def main", "async def main").replace("time.sleep", "await asyncio.sleep")


@dataclass
class Running:
    """A server in a process of its own, and the facts of its line of JSON."""

    process: subprocess.Popen[str]
    facts: dict[str, Any]

    def get(self, path: str, scheme: str = "http") -> http.client.HTTPResponse:
        """Return the response, of which only the head has been read."""
        port = self.facts["ports"][scheme]
        if scheme == "http":
            connection = http.client.HTTPConnection("localhost", port, timeout=TIMEOUT_S)
        else:
            context = ssl.create_default_context(cafile=self.facts["ca"])
            connection = http.client.HTTPSConnection("localhost", port, timeout=TIMEOUT_S, context=context)
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[str, str]:
        """Stop the server, and return the rest of what it wrote."""
        self.process.send_signal(number)
        status = self.process.wait(AT_ONCE_S)
        # Not communicate(), which does not know of lines that were read ahead.
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        output, errors = self.process.stdout.read(), self.process.stderr.read()
        assert status == 0, errors
        return output, errors


COMMAND = [sys.executable, "-W", "error", "-m", "wptproto"]


def command(*arguments: str | Path) -> list[str]:
    return [*COMMAND, *map(str, arguments)]


def start(
    *arguments: str | Path, cwd: Path | None = None, program: Sequence[str] = COMMAND
) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    pipe = subprocess.PIPE
    words = [*program, *map(str, arguments)]
    return subprocess.Popen(words, cwd=cwd or ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)


@contextmanager
def serving(certs_dir: Path, *arguments: str | Path, cwd: Path | None = None) -> Iterator[Running]:
    """Run ``wptproto serve`` on free ports."""
    ports = ("--http-port", "0", "--https-port", "0")
    words = ("serve", "--ready-json", "--certs", certs_dir, *ports, *arguments)
    with start(*words, cwd=cwd, program=patient()) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield Running(process, json.loads(line) if line else {})
        finally:
            process.kill()


def run(*arguments: str | Path) -> int | str | None:
    """Run a command in this process, and return its exit status."""
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as end:
        return end.code


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was said on stderr, which is one line and comes from us; nothing was on stdout."""
    output, errors = capsys.readouterr()
    assert output == ""
    assert re.fullmatch(r"wptproto: .+\n", errors)
    return errors.removeprefix("wptproto: ").rstrip("\n")


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    """The handlers of signals as they were, after a command has run in this process."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C as soon as a server in this process has nothing to do but to wait."""
    monkeypatch.setattr(signals, "sleep", lambda _: signal.raise_signal(signal.SIGINT))


@pytest.fixture
def free(certs_dir: Path) -> Sequence[str]:
    """Arguments that start a server anywhere."""
    return ("serve", "--http-port", "0", "--https-port", "0", "--certs", str(certs_dir))


# --- serve ---------------------------------------------------------------------------------------


def test_ready_json(certs_dir: Path) -> None:
    """``--ready-json`` prints one line when it listens: URLs, ports, the CA to trust, the process."""
    with serving(certs_dir, "--demo") as server:
        ports = server.facts["ports"]
        assert server.facts == {
            "urls": {
                "http": f"http://localhost:{ports['http']}/",
                "https": f"https://localhost:{ports['https']}/",
                "h2": None,
            },
            "ports": {"http": ports["http"], "https": ports["https"], "h2": None},
            "all_urls": {kind: [url] if url else [] for kind, url in server.facts["urls"].items()},
            "all_ports": {kind: [port] if port else [] for kind, port in ports.items()},
            "ca": str(certs_dir / "ca.pem"),
            "pid": server.process.pid,
        }
        assert server.get("/filled-in").read() == b"Some example content"
        assert server.get("/filled-in", "https").read() == b"Some example content"
        output, errors = server.stop()
    assert output == ""
    assert len(errors.splitlines()) == 2, errors


def test_welcome(certs_dir: Path) -> None:
    """A person reads where the server is, what to try with curl, and how to trust it."""
    process = start("serve", "--demo", "--http-port", "0", "--https-port", "0", "--certs", certs_dir)
    with process:
        assert process.stdout is not None
        first = process.stdout.readline()
        rest, errors = Running(process, {}).stop(signal.SIGINT)
    assert first == f"wptproto {__version__} serves its demonstration; Ctrl-C stops it.\n"
    ca = shlex.quote(str(certs_dir / "ca.pem"))
    expected = rf"""
    (http://localhost:\d+/) +HTTP/1.1, and HTTP/2 in the clear
    (https://localhost:\d+/) +HTTP/2 and HTTP/1.1 over TLS

Open one in a browser, or try:

    curl --http1.1 \1echo
    curl --http2-prior-knowledge \1echo
    curl --http2 --cacert {re.escape(ca)} \2echo

How browsers and others come to trust the certificate: wptproto certs --certs {re.escape(str(certs_dir))}

"""
    assert re.fullmatch(expected, rest)
    assert errors == ""


@pytest.mark.usefixtures("stopping")
def test_welcome_to_a_directory(
    free: Sequence[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a directory it says which, and of a port that is switched off nothing."""
    assert run(*free, tmp_path, "--https-port", "none") == 0
    output = capsys.readouterr().out
    assert f"serves {tmp_path} (files, and *.py as handlers);" in output
    assert "https" not in output
    assert "certs" not in output
    assert run(*free, tmp_path, "--demo", "--http-port", "none") == 0
    output = capsys.readouterr().out
    assert f"serves its demonstration and {tmp_path} (files, and *.py as handlers);" in output
    assert "http:" not in output


@pytest.mark.usefixtures("stopping")
def test_welcome_to_a_checkout(
    free: Sequence[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a checkout it says what is not served, and how Chromium is told where its hosts are."""
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources" / "testharness.js").write_text("")
    assert run(*free, "--h2-port", "0", "--wpt", tmp_path) == 0
    output = capsys.readouterr().out
    assert f"serves {tmp_path} (Web Platform Tests, no WebSockets);" in output
    assert "It is also web-platform.test, not-web-platform.test, www.web-platform.test," in output
    rules = "MAP nonexistent.web-platform.test ~NOTFOUND, MAP web-platform.test 127.0.0.1, MAP *.web-platform"
    assert all(rule in output for rule in rules.split(", "))


@pytest.mark.usefixtures("stopping")
def test_welcome_without_certs(
    certs_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Certificates are where they are for everybody, unless somebody says otherwise."""
    monkeypatch.setattr(keeping, "default_directory", lambda: certs_dir)
    assert run("serve", "--demo", "--http-port", "0", "--https-port", "0") == 0
    output = capsys.readouterr().out
    assert f"--cacert {shlex.quote(str(certs_dir / 'ca.pem'))} " in output
    assert output.endswith(": wptproto certs\n\n")


def test_serves_a_directory(certs_dir: Path, tmp_path: Path) -> None:
    """It serves the files and the scripts of a directory."""
    (tmp_path / "hello.txt").write_text("hello")
    (tmp_path / "script.py").write_text("def main(request, response):\n    return 'from a script'\n")
    with serving(certs_dir, tmp_path) as server:
        assert server.get("/hello.txt").read() == b"hello"
        assert server.get("/script.py").read() == b"from a script"
        assert server.get("/echo").status == 404


def test_serves_a_checkout(certs_dir: Path, tmp_path: Path) -> None:
    """It serves the tests of a checkout with their pages, as the checkout's config and --config say."""
    for name, text in {
        "resources/testharness.js": "",
        "x.any.js": "",
        "names.sub.txt": "{{host}} {{domains[www]}}",
        "config.json": '{"browser_host": "a.test", "ports": {"h2": []}}',
        "more.json": '{"browser_host": "b.test"}',
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with serving(certs_dir, "--wpt", tmp_path, "--config", tmp_path / "more.json") as server:
        assert b"/x.any.js" in server.get("/x.any.html").read()
        assert server.get("/names.sub.txt").read() == b"b.test www.b.test"


def test_serves_the_current_directory(certs_dir: Path, tmp_path: Path) -> None:
    """Without DOCROOT it serves the current directory."""
    (tmp_path / "here.txt").write_text("here")
    with serving(certs_dir, cwd=tmp_path) as server:
        assert server.get("/here.txt").read() == b"here"


def test_demonstration_and_directory(certs_dir: Path, tmp_path: Path) -> None:
    """With ``--demo`` a directory is served only if it is named, and comes behind the demonstration."""
    (tmp_path / "here.txt").write_text("here")
    with serving(certs_dir, "--demo", cwd=tmp_path) as server:
        assert server.get("/here.txt").status == 404
    with serving(certs_dir, "--demo", tmp_path) as server:
        assert server.get("/here.txt").read() == b"here"
        assert b"Demonstrations" in server.get("/").read()


def test_switched_off(tmp_path: Path) -> None:
    """A port that is none is switched off; without HTTPS no certificate is made."""
    with serving(tmp_path / "certs", "--demo", "--https-port", "none") as server:
        assert server.facts["urls"]["https"] is None
        assert server.facts["ports"]["https"] is None
        assert server.facts["ca"] is None
        assert server.get("/filled-in").status == 200
    assert not (tmp_path / "certs").exists()


def test_workers_without_fork(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system does not fork, there is one process; to ask for more of them is an error."""
    monkeypatch.delattr(os, "fork")
    arguments = ("serve", tmp_path, "--http-port", "0", "--https-port", "none", "--workers", "2")
    assert run(*arguments) == cli.EXIT_MISUSED
    assert complaint(capsys) == "2 workers cannot be had on this system, which does not fork; leave it at 1"


def test_one_worker_is_no_other_process(certs_dir: Path, tmp_path: Path) -> None:
    """With one worker the process that was started is the one that serves."""
    (tmp_path / "pid.py").write_text("import os\ndef main(request, response):\n    return str(os.getpid())\n")
    config = tmp_path / "config.json"
    config.write_text('{"workers": 2}')
    with serving(certs_dir, tmp_path, "--config", config, "--workers", "1") as server:
        assert server.get("/pid.py").read() == str(server.process.pid).encode()


def test_several_ports(certs_dir: Path) -> None:
    """A port may be given several times, and none takes back what was said before; all are named."""
    ports = ("--http-port", "0", "--h2-port", "0", "--h2-port", "0", "--https-port", "none")
    with serving(certs_dir, "--demo", *ports) as server:
        facts = server.facts
        assert {kind: len(listed) for kind, listed in facts["all_ports"].items()} == {
            "http": 2,
            "https": 0,
            "h2": 2,
        }
        assert facts["ports"] == {kind: (listed or [None])[0] for kind, listed in facts["all_ports"].items()}
        for kind, scheme in (("http", "http"), ("h2", "https")):
            urls = [f"{scheme}://localhost:{port}/" for port in facts["all_ports"][kind]]
            assert (facts["all_urls"][kind], facts["urls"][kind]) == (urls, urls[0])
        assert facts["ca"] == str(certs_dir / "ca.pem")
        for port in facts["all_ports"]["http"]:
            connection = http.client.HTTPConnection("localhost", port, timeout=TIMEOUT_S)
            connection.request("GET", "/filled-in", headers={"Connection": "close"})
            assert connection.getresponse().read() == b"Some example content"


def test_mounts_rewrites_and_latency(certs_dir: Path, tmp_path: Path) -> None:
    """Directories and single files are mounted, paths rewritten, and requests put off, by flags."""
    for path in ("root", "mounted"):
        (tmp_path / path).mkdir()
        (tmp_path / path / "file.txt").write_text(path)
    flags = ("--mount", "/m/=mounted", "--mount", "/n/file.txt=mounted", "--rewrite", "/old=/m/file.txt")
    with serving(certs_dir, "root", *flags, "--latency", "0.05", cwd=tmp_path) as server:
        begun = time.monotonic()
        assert server.get("/file.txt").read() == b"root"
        assert time.monotonic() - begun >= 0.05
        assert server.get("/m/file.txt").read() == b"mounted"
        assert server.get("/n/file.txt").read() == b"mounted"
        assert server.get("/old?query").read() == b"mounted"


@pytest.mark.parametrize(
    ("flags", "status"),
    [
        ((), "404"),  # as the config has it
        (("--limit", "request_line_octets=12"), "414"),
        (("--limit", "request_line_octets=1000", "--limit", "field_lines=1"), "431"),
        (("--limit", "request_line_octets=none"), "404"),
        (("--lenient", "host"), "400"),
        (("--lenient", "host", "--lenient", "all"), "404"),
        (("--no-limits",), "404"),
        (("--no-limits", "--limit", "field_lines=0"), "431"),
    ],
)
def test_limits_and_leniency(certs_dir: Path, tmp_path: Path, flags: tuple[str, ...], status: str) -> None:
    """Limits and leniency are set by a config file, and by flags, which win."""
    config = tmp_path / "config.json"
    config.write_text('{"limits": {"request_line_octets": 100}, "lenient": ["bare-lf"]}')
    for server in served(certs_dir, "--http-port", "0", "--https-port", "none", "--config", config, *flags):
        port = server.facts["ports"]["http"]
        with socket.create_connection(("localhost", port), timeout=TIMEOUT_S) as sock:
            sock.sendall(b"GET /none HTTP/1.1\nHost: h\nConnection: close\n\n")
            assert sock.recv(1000).decode().split()[1] == status


def test_core(tmp_path: Path) -> None:
    """What connections are made of is said by a config file, and by a flag, which wins."""
    config = tmp_path / "config.json"
    config.write_text('{"core": "plain"}')
    cores = []
    for flags in (
        [],
        ["--core", "plain"],
        ["--config", f"{config}"],
        ["--config", f"{config}", "--core", "fast"],
    ):
        options = cli._parser().parse_args(["serve", *flags])
        cores.append(cli._server(options, cli._config(options))._rules.core.value)
    assert cores == ["fast", "plain", "plain", "fast"]


def test_own_certificate(certs_dir: Path, tmp_path: Path) -> None:
    """A certificate of one's own is used, and clients have to trust it."""
    own = certs.ensure(tmp_path)
    with serving(certs_dir, "--demo", "--cert", own.certificate, "--key", own.key) as server:
        assert server.facts["ca"] == str(own.certificate)
        assert server.get("/filled-in", "https").status == 200


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6")
def test_hosts(certs_dir: Path) -> None:
    """``--host`` can be given several times, and can be IPv6."""
    with serving(certs_dir, "--demo", "--host", "::1", "--host", "127.0.0.1") as server:
        port = server.facts["ports"]["http"]
        for host in ("::1", "127.0.0.1"):
            connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
            connection.request("GET", "/filled-in", headers={"Connection": "close"})
            assert connection.getresponse().read() == b"Some example content"


@pytest.mark.usefixtures("stopping")
def test_host_in_certificate(
    free: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The certificate is for the hosts as well, and the welcome tells how to come by their authority."""
    started: list[dict[str, Any]] = []

    def server(*arguments: Any, **settings: Any) -> Server:
        started.append(settings)
        return Server(*arguments, **settings | {"hosts": ("127.0.0.1",)})

    monkeypatch.setattr(cli, "Server", server)
    assert run(*free, "--demo", "--host", "0.0.0.0", "--host", "192.0.2.1") == 0
    assert started[0]["hosts"] == ("0.0.0.0", "192.0.2.1")
    assert started[0]["names"] == (*certs.DEFAULT_NAMES, "192.0.2.1")
    assert "wptproto certs 192.0.2.1 --certs" in capsys.readouterr().out


# --- a config file -------------------------------------------------------------------------------

CONFIG = {
    "browser_host": "web.test",
    "alternate_hosts": {"alt": "other.test"},
    "subdomains": ["www", "\u00e9l\u00e8ve"],
    "not_subdomains": ["nonexistent"],
    "ports": {"http": [0, "auto"], "https": [0], "h2": ["auto"]},
    "doc_root": "root",
    "aliases": [{"url-path": "/a/", "local-dir": "../mounted"}],
    "logging": {"level": "warning", "suppress_handler_traceback": True},
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config file, and the directories it speaks of."""
    for name in ("root", "mounted"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.sub.txt").write_text(name + " {{host}} {{ports[http][1]}} {{ports[h2][0]}}")
    (tmp_path / "root" / "failing.py").write_text("def main(request, response):\n    1 / 0\n")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    return path


def served(certs_dir: Path, *arguments: str | Path) -> Iterator[Running]:
    """Run ``wptproto serve`` with nothing said of ports."""
    process = start("serve", "--ready-json", "--certs", certs_dir, *arguments)
    with process:
        try:
            assert process.stdout is not None
            yield Running(process, json.loads(process.stdout.readline()))
        finally:
            process.kill()


def test_config_file(certs_dir: Path, config: Path) -> None:
    """A file says what is served where, under which names, and what is logged; paths are found from it."""
    for server in served(certs_dir, "--config", config):
        ports = server.facts["all_ports"]
        assert {kind: len(listed) for kind, listed in ports.items()} == {"http": 2, "https": 1, "h2": 1}
        told = f"web.test {ports['http'][1]} {ports['h2'][0]}"
        assert server.get("/file.sub.txt").read().decode() == f"root {told}"
        assert server.get("/a/file.sub.txt").read().decode() == f"mounted {told}"
        context = ssl.create_default_context(cafile=server.facts["ca"])
        context.set_alpn_protocols(["http/1.1"])
        with (
            socket.create_connection(("localhost", ports["h2"][0]), timeout=TIMEOUT_S) as plain,
            pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"),
        ):
            context.wrap_socket(plain, server_hostname="web.test")
        with socket.create_connection(("localhost", ports["https"][0]), timeout=TIMEOUT_S) as plain:
            context.wrap_socket(plain, server_hostname="\u00e9l\u00e8ve.other.test").close()
        assert server.get("/failing.py").status == 500
        errors = server.stop()[1].splitlines()
    assert len(errors) == 2, errors
    assert "no application protocol" in errors[0] or "by ALPN the client offers http/1.1" in errors[0]
    assert errors[1].endswith('failing.py", line 2, in main: ZeroDivisionError: division by zero')


def test_flags_win_over_a_config_file(certs_dir: Path, config: Path, tmp_path: Path) -> None:
    """What a flag says counts, whatever the file has."""
    flags = ("--http-port", "0", "--https-port", "none", "--h2-port", "none", "--log-level", "info")
    for server in served(certs_dir, "--config", config, tmp_path / "mounted", *flags, "--mount", "/a/=tests"):
        assert {kind: len(listed) for kind, listed in server.facts["all_ports"].items()} == {
            "http": 1,
            "https": 0,
            "h2": 0,
        }
        assert server.get("/file.sub.txt").status == 500  # there is no second port
        assert server.get("/a/test_cli.py").status == 500  # a script it is, without a main
        assert "GET /file.sub.txt: 500" in server.stop()[1]


@pytest.mark.usefixtures("stopping")
def test_demonstration_with_a_config_file(
    certs_dir: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demonstration comes before the document root of the file."""
    assert run("serve", "--demo", "--certs", certs_dir, "--config", config) == 0
    assert f"serves its demonstration and {config.parent / 'root'} (files" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"portss": {}}', "{path}: portss: there is no such key; is ports meant?"),
        (
            "{",
            "{path}: not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        (None, "{path}: cannot be read: No such file or directory"),
        ('{"doc_root": "none"}', "cannot serve {root}/none: No such file or directory"),
        (
            '{"aliases": [{"url-path": "x/", "local-dir": "."}]}',
            "cannot mount at 'x/': a path begins with / and is what clients send, percent-encoded",
        ),
        ('{"ports": {"http": [80, 80]}}', "port 80 is wanted twice, for http and for http"),
        (
            '{"server_host": "no such host"}',
            "server_host: a host's name or address is wanted, not 'no such host'",
        ),
    ],
)
def test_mistakes_in_a_config_file(
    tmp_path: Path, text: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong with a config file is one sentence, too."""
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text)
    assert run("serve", "--config", path) == 2
    assert (
        complaint(capsys) == said.format(path=path, root=tmp_path)
        if "{path}" in said or "{root}" in said
        else said
    )


# --- the log -------------------------------------------------------------------------------------


def test_log(certs_dir: Path) -> None:
    """Requests and tracebacks of handlers go to stderr, with the time."""
    with serving(certs_dir, "--demo") as server:
        assert server.get("/filled-in").status == 200
        assert server.get("/failing").status == 500
        _, errors = server.stop()
    assert re.search(r"^\d\d:\d\d:\d\d \S+ HTTP/1.1 GET /filled-in\b.*\b200\b", errors, re.MULTILINE)
    assert re.search(r"^\d\d:\d\d:\d\d GET /failing failed$", errors, re.MULTILINE)
    assert "\nRuntimeError: this handler always fails\n" in errors


def test_quiet_log(certs_dir: Path) -> None:
    """``--log-level warning`` leaves requests out."""
    with serving(certs_dir, "--demo", "--log-level", "warning") as server:
        assert server.get("/filled-in").status == 200
        assert server.stop() == ("", "")


def test_verbose_log(certs_dir: Path) -> None:
    """``--log-level debug`` shows nothing of the libraries below."""
    with serving(certs_dir, "--demo", "--log-level", "debug") as server:
        with socket.create_connection(("localhost", server.facts["ports"]["http"])) as sock:
            assert H2Peer(sock, scheme="http").request("/filled-in").status == 200
        _, errors = server.stop()
    assert not re.search(r"hpack|asyncio|selector|Encoding|Adding", errors)


def test_trace(certs_dir: Path, tmp_path: Path) -> None:
    """``-v`` shows on stderr what happens on connections, and ``--trace`` writes it to files."""
    log, lines = tmp_path / "trace.log", tmp_path / "trace.jsonl"
    with serving(certs_dir, "--demo", "-vv", "--trace", log, "--trace", lines) as running:
        assert running.get("/").status == 200
        _, errors = running.stop()
    for text in (errors, log.read_text(encoding="utf-8")):
        assert re.search(r"^\[ +[0-9.]+\]   1 ← request       1: GET / HTTP/1.1$", text, re.MULTILINE)
    assert "← octets" in errors
    assert "\x1b" not in errors
    assert json.loads(lines.read_text().splitlines()[-1])["event"] == "connection_closed"


def test_trace_of_workers(certs_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Workers share stderr, where each names its process; a file is for one process alone."""
    with serving(certs_dir, "--demo", "-v", "--workers", "2") as running:
        assert running.get("/").status == 200
        _, errors = running.stop()
    assert re.search(r"^\[ +[0-9.]+\] [0-9]+\.1 ← request       1: GET / HTTP/1.1$", errors, re.MULTILINE)
    assert run("serve", "--demo", "--trace", "x.log", "--workers", "2") == 2
    assert complaint(capsys) == "--trace x.log is for one process, not 2 workers; -v is for all"


def test_log_shows_no_control_characters(
    free: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What could steer a terminal is shown instead of sent to it."""

    def sleep(_: socket.socket) -> None:
        logging.getLogger("wptproto.test").info("a\x1b[31m\x9b\r\nb\té")
        raise KeyboardInterrupt

    monkeypatch.setattr(signals, "sleep", sleep)
    assert run(*free, "--demo") == 0
    assert re.fullmatch(r"\d\d:\d\d:\d\d a\\x1b\[31m\\x9b\\r\nb\té\n", capsys.readouterr().err)


# --- stopping ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", STOP_SIGNALS)
@pytest.mark.parametrize("script", [SLEEPER, ASYNC_SLEEPER], ids=["blocking", "async"])
def test_stops_at_once(certs_dir: Path, tmp_path: Path, number: signal.Signals, script: str) -> None:
    """Ctrl-C and SIGTERM stop it at once, also with handlers asleep, and it exits with 0."""
    (tmp_path / "sleep.py").write_text(script)
    with serving(certs_dir, "--log-level", "warning", tmp_path) as server:
        answers = [server.get("/sleep.py", scheme) for scheme in ("http", "https", "http")]
        assert server.stop(number) == ("", "")
        for answer in answers:
            answer.close()


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_stops_during_start(
    free: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
) -> None:
    """A signal that comes while it starts stops it just so."""
    monkeypatch.setattr(certs, "ensure", lambda *_: signal.raise_signal(number))
    assert run(*free, "--demo") == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("stopping")
def test_stops_once(free: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Who presses Ctrl-C again while it stops changes nothing."""
    stopped: list[int] = []

    def stop(server: Server) -> None:
        for number in STOP_SIGNALS:
            signal.raise_signal(number)
        original(server)
        stopped.append(1)

    original = Server.stop
    monkeypatch.setattr(Server, "stop", stop)
    assert run(*free, "--demo") == 0
    assert stopped == [1]


@pytest.mark.usefixtures("stopping")
def test_leaves_logging_as_it_was(free: Sequence[str]) -> None:
    """The log goes to stderr, and has a level, only while a command runs."""
    logger = logging.getLogger("wptproto")
    before = (list(logger.handlers), logger.level)
    assert run(*free, "--demo", "--log-level", "error") == 0
    assert (logger.handlers, logger.level) == before


# --- streams -------------------------------------------------------------------------------------


def broken_stream(error: int) -> Any:
    """Return a stream to which nothing can be written."""

    def fail(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    return SimpleNamespace(write=fail, flush=fail, fileno=lambda: os.open(os.devnull, os.O_WRONLY))


@pytest.mark.usefixtures("stopping")
def test_nobody_reads(
    free: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nobody reads stdout any more, as behind ``| head -1``, it serves on."""
    monkeypatch.setattr(sys, "stdout", broken_stream(errno.EPIPE))
    assert run(*free, "--demo") == 0
    assert capsys.readouterr().err == ""


def test_nobody_reads_certs(certs_dir: Path) -> None:
    """A closed pipe behind a command is no error."""
    reader, writer = os.pipe()
    os.close(reader)
    for arguments in (["certs", "--certs", str(certs_dir)], ["--help"]):
        done = subprocess.run(
            command(*arguments), cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, timeout=TIMEOUT_S
        )
        assert (done.returncode, done.stderr) == (0, b"")
    os.close(writer)


def test_nowhere_to_write(
    free: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where stdout cannot be written to, nobody would learn the ports."""
    monkeypatch.setattr(sys, "stdout", broken_stream(errno.ENOSPC))
    assert run(*free, "--demo", "--ready-json") == 2
    assert complaint(capsys) == f"cannot write to stdout: {os.strerror(errno.ENOSPC)}"


def test_closed_streams(monkeypatch: pytest.MonkeyPatch, certs_dir: Path) -> None:
    """Streams that were closed from the beginning are none to write to."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert run("certs", "--certs", certs_dir) == 0


def test_narrow_encoding(certs_dir: Path, tmp_path: Path) -> None:
    """A path that the encoding of stdout does not have is no obstacle."""
    directory = tmp_path / "é"
    directory.mkdir()
    done = subprocess.run(
        command("certs", "--certs", directory),
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=TIMEOUT_S,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"/\xe9/ca.pem" in done.stdout


# --- what is wrong -------------------------------------------------------------------------------

HERE = str(Path(__file__).parent)
BAD_PORTS = ("x", "", "-1", "65536", "+1", "\u0661")
NO_PORT = "argument --http-port: '{}' is no port; give a number from 0 to 65535, or none; see: wptproto serve"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "the following arguments are required: COMMAND; see: wptproto --help"),
        (["serve", "--what"], "unrecognized arguments: --what; see: wptproto --help"),
        (["serve", "--log"], "unrecognized arguments: --log; see: wptproto --help"),
        *((["serve", f"--http-port={port}"], NO_PORT.format(port) + " --help") for port in BAD_PORTS),
        (["serve", "--cert", "x"], "--cert needs --key, and --key needs --cert"),
        (["serve", "--key", "x"], "--cert needs --key, and --key needs --cert"),
        (
            ["serve", "--http-port", "8443"],
            "port 8443 is wanted twice, for http and for https",
        ),
        (
            ["serve", "--http-port", "none", "--https-port", "none"],
            "all ports are switched off; there would be nothing to serve",
        ),
        (
            ["serve", "--mount", "x"],
            "argument --mount: 'x' is no /PATH=VALUE; see: wptproto serve --help",
        ),
        (["serve", "--mount", "/a/=/b", "--mount", "/a/=/c"], "--mount /a/ cannot be /b and /c"),
        (["serve", "--mount", "/a/=/no/such"], "cannot serve /no/such: No such file or directory"),
        (
            ["serve", "--rewrite", "/a=b"],
            "'b' is no path to rewrite; it begins with / and is what clients send, without a query",
        ),
        (
            ["serve", "--latency", "x"],
            "argument --latency: 'x' is no number of seconds; see: wptproto serve --help",
        ),
        (
            ["serve", "--core", "slow"],
            f"argument --core: 'slow' is none of fast, plain; {SEE}",
        ),
        (
            ["serve", "--limit", "idle_s"],
            f"argument --limit: 'idle_s' is no NAME=VALUE, of which VALUE is a number, or none; {SEE}",
        ),
        (
            ["serve", "--limit", "threads=0"],
            "argument --limit: threads is a whole number from 1 on, not 0; see: wptproto serve --help",
        ),
        (
            ["serve", "--limit", "x=1"],
            f"argument --limit: there is no limit 'x'; there are {', '.join(LIMITS)}; {SEE}",
        ),
        (
            ["serve", "--lenient", "x"],
            f"argument --lenient: 'x' is none of all, {', '.join(Leniency)}; see: wptproto serve --help",
        ),
        *(
            (
                ["serve", "--workers", number],
                f"argument --workers: {number!r} is no number of processes; give one from 1 to 999; {SEE}",
            )
            for number in ("0", "1000", "x")
        ),
        (["serve", "--latency=-1"], "latency_s: seconds, 0 or more, are wanted, not -1.0"),
        (["serve", "--wpt", "/no/such"], "cannot serve /no/such: No such file or directory"),
        (
            ["serve", "--wpt", HERE],
            f"{HERE} is no checkout of the Web Platform Tests: it has no resources/testharness.js",
        ),
        (
            ["serve", "--wpt", HERE, "--demo"],
            "--wpt names all that is served, so there is no place for DOCROOT or --demo beside it",
        ),
        (["serve", "/no/such"], "cannot serve /no/such: No such file or directory"),
        (["serve", __file__], f"cannot serve {__file__}: Not a directory"),
        (
            ["serve", "--cert", "/no/such", "--key", "/no/such"],
            "certificate /no/such cannot be read: No such file or directory",
        ),
    ],
)
def test_mistakes(arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with a command is one sentence on stderr, and the exit status is 2."""
    assert run(*arguments) == 2
    assert complaint(capsys) == expected


def test_port_in_use(certs_dir: Path) -> None:
    """A port in use is said in one sentence, with exit status 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("serve", "--demo", "--certs", certs_dir, "--http-port", str(port))
        output, errors = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, output) == (2, "")
    assert errors == (
        f"wptproto: port {port} on 127.0.0.1 is in use by another program;"
        " choose another, or 0 for a free one\n"
    )


def test_unreadable_root(
    free: Sequence[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A root that may not be read is said in one sentence."""
    root = tmp_path / "root"
    root.mkdir(mode=0)
    if os.access(root, os.R_OK):  # by a superuser, whom no mode keeps off
        real = Path.iterdir

        def iterdir(self: Path) -> Iterator[Path]:
            if self == root:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
            return iter(real(self))

        monkeypatch.setattr(Path, "iterdir", iterdir)
    assert run(*free, root) == 2
    assert complaint(capsys) == f"cannot serve {root}: Permission denied"


def test_key_that_does_not_fit(
    free: Sequence[str], certs_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key that does not fit its certificate is said in one sentence."""
    certificate, key = certs.ensure(certs_dir).certificate, certs.ensure(tmp_path).key
    assert run(*free, "--demo", "--cert", certificate, "--key", key) == 2
    assert complaint(capsys) == f"key {key} does not fit certificate {certificate}: it belongs to another one"


# --- the rest ------------------------------------------------------------------------------------


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """``--version`` says which."""
    assert run("--version") == 0
    assert capsys.readouterr().out == f"wptproto {__version__}\n"
    process = start("--version")
    assert process.communicate(timeout=TIMEOUT_S) == (f"wptproto {__version__}\n", "")


def test_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """``python -m wptproto`` is the command; importing that module is nothing."""
    monkeypatch.setattr(sys, "argv", ["wptproto", "--version"])
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process is the tests'
    with pytest.raises(SystemExit) as end:
        # By its path, for pytest rewrites what a plugin is installed with, and runpy asks that for its code.
        runpy.run_path(str(Path(wptproto.__file__).with_name("__main__.py")), run_name="__main__")
    assert end.value.code == 0
    assert capsys.readouterr().out == f"wptproto {__version__}\n"
    importlib.import_module("wptproto.__main__")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["certs", "--help"]])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each command has its help."""
    assert run(*arguments) == 0
    assert capsys.readouterr().out.startswith("usage: wptproto ")


def test_certs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``wptproto certs`` makes certificates, and tells where they are and how to trust them."""
    assert run("certs", "--certs", tmp_path) == 0
    made = certs.ensure(tmp_path)
    assert made.ca.exists()
    assert capsys.readouterr() == (certs.instructions(made), "")


def test_certs_for_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names are added to those that a certificate is always for, as ``serve --host`` does."""
    assert run("certs", "--certs", tmp_path, "a.example", "192.0.2.1") == 0
    made = certs.ensure(tmp_path, (*certs.DEFAULT_NAMES, "192.0.2.1", "a.example"))
    assert capsys.readouterr().out == certs.instructions(made)


def test_the_catalogue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--catalogue`` tells what there is by name, and how curl asks for it."""
    assert run("certs", "--certs", tmp_path, "--catalogue") == 0
    output = capsys.readouterr().out
    assert "\nexpired\n    It was valid for 90 days, and is not any more.\n    Refuse: " in output
    assert f"curl --cacert {tmp_path / 'ca.pem'} https://expired.localhost:8443/\n" in output
    assert (tmp_path / "catalogue" / "revoked-crl.pem").exists()


def test_certs_for_a_client(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--client`` makes a certificate for one that is called so."""
    assert run("certs", "--certs", tmp_path, "--client", "client") == 0
    assert f"--cert {tmp_path / 'client.pem'} --key" in capsys.readouterr().out
    assert run("certs", "--certs", tmp_path, "--client", "") == 2
    assert "a client's name has 1 to 64" in capsys.readouterr().err


def test_flags_of_tls(certs_dir: Path, tmp_path: Path) -> None:
    """Certificates of both sides, versions and protocols are as the flags say."""
    client = certs.ensure_client(tmp_path, "carol")
    flags = ["--tls", "rsa", "--tls-version", "TLSv1.2", "--alpn", "spdy/3", "--alpn", "http/1.1"]
    flags += ["--client-certificates", "required", "--client-ca", str(client.ca)]
    options = ["serve", "--certs", str(certs_dir), "--http-port", "none", "--https-port", "0", *flags]
    parsed = cli._parser().parse_args(options)
    with cli._server(parsed, cli._config(parsed)) as server:
        context = server.client_context()
        context.load_cert_chain(client.certificate, client.key)
        context.set_alpn_protocols(["http/1.1", "spdy/3"])
        sock = socket.create_connection(("127.0.0.1", server.https_port or 0), timeout=TIMEOUT_S)
        with context.wrap_socket(sock, server_hostname="rsa.localhost") as tls:
            assert (tls.version(), tls.selected_alpn_protocol()) == ("TLSv1.2", "spdy/3")
            assert (tls.cipher() or ("",))[0].startswith("ECDHE-RSA")
    parsed = cli._parser().parse_args([*options, "--keylog", str(tmp_path / "keys.log")])
    with cli._server(parsed, cli._config(parsed)):
        assert (tmp_path / "keys.log").exists()
    parsed = cli._parser().parse_args(["serve", "--alpn", "none"])
    assert cli._tls(parsed) == {"alpn": []}


def test_an_unknown_certificate(capsys: pytest.CaptureFixture[str]) -> None:
    """One that is not in the catalogue is an error that has the names."""
    assert run("serve", "--tls", "expird") == 2
    assert "no certificate 'expird' in the catalogue; there are valid, " in capsys.readouterr().err


def test_certs_for_no_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no name is said in one sentence, and nothing is made."""
    assert run("certs", "--certs", tmp_path / "certs", "a..b") == 2
    assert "'a..b' is neither a host name nor an IP address" in complaint(capsys)
    assert not (tmp_path / "certs").exists()
