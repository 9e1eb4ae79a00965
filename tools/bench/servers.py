"""The servers that are compared: how each is started, and what it speaks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.bench.processes import Running
from tools.bench.served.answers import LONG, TEXT

__all__ = ["SERVERS", "Kit", "Ports", "Server"]

PATIENCE_S = 15


@dataclass(frozen=True)
class Kit:
    """
    What servers are given.

    Attributes:
        directory: A temporary one, for what they write.
        certificate: For localhost, in PEM.
        key: Its private key, in PEM.
        watch: Called with a server that is about to be under load, where there is something to see to.
    """

    directory: Path
    certificate: Path
    key: Path
    watch: Callable[[Running], None] | None = None


@dataclass(frozen=True)
class Ports:
    """Where one run of a server listens: HTTP/1.1 in the clear, in TLS, and h2 in TLS."""

    h1: int
    h1_tls: int
    h2_tls: int

    def url(self, way: str, path: str) -> str:
        """Return the URL of a path, one of the ways h1, h1-tls and h2-tls."""
        scheme = "http" if way == "h1" else "https"
        return f"{scheme}://127.0.0.1:{self.port(way)}{path}"

    def port(self, way: str) -> int:
        return {"h1": self.h1, "h1-tls": self.h1_tls, "h2-tls": self.h2_tls}[way]


Commands = Callable[[Kit, Ports], list[list[str]]]


@dataclass(frozen=True)
class Server:
    """
    One that is compared.

    Attributes:
        name: In the table.
        ways: Those it speaks, of h1, h1-tls and h2-tls.
        commands: Make the command lines that start it, one for each process.
        one_tls_port: Whether HTTP/1.1 and h2 share a port.
        handlers: Whether it runs ours; else it has files, and cannot sleep.
        program: What has to be on the PATH.
    """

    name: str
    ways: frozenset[str]
    commands: Commands
    one_tls_port: bool = True
    handlers: bool = True
    program: str | None = None

    @property
    def is_there(self) -> bool:
        return self.program is None or shutil.which(self.program) is not None

    @contextmanager
    def run(self, kit: Kit) -> Iterator[tuple[Ports, Running]]:
        """Start it, wait until it accepts, and end it behind the block."""
        ports = _free_ports(one_tls_port=self.one_tls_port)
        with open(kit.directory / f"{self.name}.log".replace(" ", "-"), "ab") as log:
            processes = [
                subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=_environment())
                for command in self.commands(kit, ports)
            ]
            running = Running(processes)
            try:
                for way in self.ways:
                    _await_port(ports.port(way), running, self.name)
                yield ports, running
            finally:
                running.end()


def _environment() -> dict[str, str]:
    """Return our own, in which Python keeps bytecode: what was installed has it, and a checkout too."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _free_ports(*, one_tls_port: bool) -> Ports:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    first, second, third = (sock.getsockname()[1] for sock in sockets)
    for sock in sockets:
        sock.close()
    return Ports(first, second, second if one_tls_port else third)


def _await_port(port: int, running: Running, name: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if running.ended:
                break
            time.sleep(0.0005)
        else:
            return
    raise RuntimeError(f"{name} does not listen; its log says why")


# --- each one's command lines ----------------------------------------------------------------------


def _wptproto(kit: Kit, ports: Ports) -> list[list[str]]:
    script = [sys.executable, "-m", "tools.bench.served.by_wptproto"]
    return [[*script, str(ports.h1), str(ports.h1_tls), str(kit.certificate), str(kit.key)]]


def _wptserve(kit: Kit, ports: Ports) -> list[list[str]]:
    script = [sys.executable, "-m", "tools.bench.served.by_wptserve"]
    numbers = [str(port) for port in (ports.h1, ports.h1_tls, ports.h2_tls)]
    return [[*script, *numbers, str(kit.certificate), str(kit.key)]]


def _hypercorn(kit: Kit, ports: Ports) -> list[list[str]]:
    options = kit.directory / "hypercorn.toml"  # by default it closes an h2 connection behind 1,000 requests
    options.write_text("keep_alive_max_requests = 1000000000\nh2_max_concurrent_streams = 1000\n")
    command = [sys.executable, "-m", "hypercorn", "--config", str(options), "--log-level", "error"]
    command += ["--certfile", str(kit.certificate), "--keyfile", str(kit.key)]
    command += ["--bind", f"127.0.0.1:{ports.h1_tls}", "--insecure-bind", f"127.0.0.1:{ports.h1}"]
    return [[*command, "tools.bench.served.by_asgi:application"]]


def _uvicorn(kit: Kit, ports: Ports) -> list[list[str]]:
    command = [sys.executable, "-m", "uvicorn", "--http", "h11", "--loop", "asyncio", "--log-level", "error"]
    command += ["--no-access-log", "tools.bench.served.by_asgi:application", "--port"]
    tls = ["--ssl-certfile", str(kit.certificate), "--ssl-keyfile", str(kit.key)]
    return [[*command, str(ports.h1)], [*command, str(ports.h1_tls), *tls]]


def _granian(interface: str) -> Commands:
    def commands(kit: Kit, ports: Ports) -> list[list[str]]:
        command = [sys.executable, "-m", "granian", "--interface", interface, "--no-log", "--workers", "1"]
        if interface == "wsgi":
            command += ["--blocking-threads", "256", "--backpressure", "512"]
        command += [f"tools.bench.served.by_{interface}:application", "--port"]
        tls = ["--ssl-certificate", str(kit.certificate), "--ssl-keyfile", str(kit.key)]
        return [[*command, str(ports.h1)], [*command, str(ports.h1_tls), *tls]]

    return commands


def _nginx(kit: Kit, ports: Ports) -> list[list[str]]:
    folder = kit.directory / "nginx"
    folder.mkdir(exist_ok=True)
    (folder / "long").write_bytes(LONG)
    (folder / "nginx.conf").write_text(
        f"""
        daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
        events {{ worker_connections 4096; }}
        http {{
            access_log off; keepalive_requests 1000000000; client_body_temp_path {folder};
            client_max_body_size 0; client_body_buffer_size 1m;
            server {{
                listen 127.0.0.1:{ports.h1};
                listen 127.0.0.1:{ports.h1_tls} ssl http2;
                ssl_certificate {kit.certificate}; ssl_certificate_key {kit.key};
                root {folder};
                location = /text {{ default_type text/plain; return 200 "{TEXT.decode()}"; }}
                location = /upload {{ default_type text/plain; return 200 "{TEXT.decode()}"; }}
            }}
        }}
        """
    )
    return [["nginx", "-p", str(folder), "-e", f"{folder}/error.log", "-c", str(folder / "nginx.conf")]]


def _nghttpd(kit: Kit, ports: Ports) -> list[list[str]]:
    folder = kit.directory / "nghttpd"
    folder.mkdir(exist_ok=True)
    (folder / "text").write_bytes(TEXT)
    (folder / "long").write_bytes(LONG)
    (folder / "upload").write_bytes(TEXT)
    command = ["nghttpd", "--address=127.0.0.1", "--htdocs", str(folder), str(ports.h2_tls)]
    return [[*command, str(kit.key), str(kit.certificate)]]


_ALL = frozenset(("h1", "h1-tls", "h2-tls"))
_H1 = frozenset(("h1", "h1-tls"))

SERVERS = (
    Server("wptproto", _ALL, _wptproto),
    Server("nginx", _ALL, _nginx, handlers=False, program="nginx"),
    Server("nghttpd", frozenset(("h2-tls",)), _nghttpd, handlers=False, program="nghttpd"),
    Server("granian wsgi", _ALL, _granian("wsgi")),
    Server("granian asgi", _ALL, _granian("asgi")),
    Server("uvicorn", _H1, _uvicorn),
    Server("hypercorn", _ALL, _hypercorn),
    Server("wptserve", _ALL, _wptserve, one_tls_port=False),
)
