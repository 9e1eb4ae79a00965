"""
What a great many open connections cost ``wptproto serve``: memory for each, processor time while nothing
happens, the time of one more request, and of the stop. Linux alone.

    python -m tools.bench.many [--connections 10000] [--workers 1] [--kinds h1,h1-tls,h2-tls]
"""

from __future__ import annotations

import argparse
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.bench.idle import idle_connections
from tools.bench.processes import Running
from tools.bench.served.answers import TEXT

__all__ = ["Cost", "cost_of"]

PROTOCOLS = {"h1": "http/1.1", "h1-tls": "http/1.1", "h2-tls": "h2"}
STILL_S = 2
SOME = 20
_SPARE_DESCRIPTORS = 100


@dataclass(frozen=True)
class Cost:
    """
    Attributes:
        kib: Of memory, for each connection, as the server's processes see it.
        idle: The share of one processor that they use while nothing happens.
        one_more_ms: For a new connection and its answer, beside all the others; the median of some.
        stop_ms: From the signal to the end of the process, with all of them open.
    """

    kib: float
    idle: float
    one_more_ms: float
    stop_ms: float


def cost_of(kind: str, connections: int, workers: int) -> Cost:
    """Measure one of PROTOCOLS."""
    tls = kind != "h1"
    with _serving(workers) as (running, ports):
        port = ports["https" if tls else "http"]

        def ask(count: int) -> float:
            begun = time.perf_counter()
            with idle_connections(port, count, PROTOCOLS[kind], tls=tls):
                return (time.perf_counter() - begun) * 1000

        ask(SOME * workers)  # what the first ones cost is not what each one costs
        empty = running.memory_octets()
        with idle_connections(port, connections, PROTOCOLS[kind], tls=tls):
            kib = (running.memory_octets() - empty) / connections / 1024
            before = running.processor_s()
            time.sleep(STILL_S)
            idle = (running.processor_s() - before) / STILL_S
            one_more_ms = sorted(ask(1) for _ in range(SOME))[SOME // 2]
            begun = time.perf_counter()
            running.leaders[0].send_signal(signal.SIGTERM)
            running.leaders[0].wait()
            return Cost(kib, idle, one_more_ms, (time.perf_counter() - begun) * 1000)


@contextmanager
def _serving(workers: int) -> Iterator[tuple[Running, dict[str, int]]]:
    """Start a server of one file, without limits."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "text").write_bytes(TEXT)
        command = [sys.executable, "-m", "wptproto", "serve", directory, "--ready-json", "--no-limits"]
        command += [
            "--http-port",
            "0",
            "--https-port",
            "0",
            "--workers",
            str(workers),
            "--log-level",
            "error",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
            running = Running([process])
            try:
                assert process.stdout is not None
                yield running, json.loads(process.stdout.readline())["ports"]
            finally:
                running.end()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.many")
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--kinds", default=",".join(PROTOCOLS))
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the server inherits it
    if options.connections + _SPARE_DESCRIPTORS > most:
        sys.exit(f"a process here has {most} descriptors at most (ulimit -n)")
    print(f"{options.connections} connections, {options.workers} workers")
    for kind in options.kinds.split(","):
        cost = cost_of(kind, options.connections, options.workers)
        print(
            f"{kind:8} {cost.kib:6.1f} KiB each   {cost.idle:6.1%} of a processor idle   "
            f"{cost.one_more_ms:6.2f} ms for one more   {cost.stop_ms:6.0f} ms to stop",
            flush=True,
        )


if __name__ == "__main__":
    main()
