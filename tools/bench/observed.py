"""
What it costs that somebody observes: requests/s with nobody, with records, and with traces.

    python -m tools.bench.observed [SECONDS]     prints a table

Server and load are two processes of one machine; each way is measured several times, in turns, and the best
counts.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.bench.loads import h2load_for
from wptproto import Request, Response, Server

__all__ = ["WAYS", "measure"]

ROUNDS = 3
HOST = "127.0.0.1"


def answer(request: Request, response: Response) -> str:
    """Say what an ordinary handler says."""
    return "Hello, world"


def nobody(directory: Path) -> Server:
    return Server(routes=[("GET", "/", answer)], https_port=None, hosts=(HOST,), record=False)


def recorded(directory: Path) -> Server:
    return Server(routes=[("GET", "/", answer)], https_port=None, hosts=(HOST,), record=True)


def ignored(directory: Path) -> Server:
    """Traced, by somebody who takes events and does nothing."""
    server = nobody(directory)
    server.trace(lambda _: None)
    return server


def in_memory(directory: Path) -> Server:
    server = nobody(directory)
    server.trace()
    return server


def to_log(directory: Path) -> Server:
    server = nobody(directory)
    server.trace(directory / "trace.log")
    return server


def to_json_lines(directory: Path) -> Server:
    server = nobody(directory)
    server.trace(directory / "trace.jsonl")
    return server


WAYS: dict[str, Callable[[Path], Server]] = {
    "nobody": nobody,
    "record": recorded,
    "trace, ignored": ignored,
    "trace, in memory": in_memory,
    "trace to .log": to_log,
    "trace to .jsonl": to_json_lines,
}


def measure(way: str, protocol: str, seconds: float) -> float:
    """Return the requests/s of a way over ``h1`` or ``h2c``."""
    with TemporaryDirectory() as directory, WAYS[way](Path(directory)) as server:
        url = f"http://{HOST}:{server.http_port}/"
        if protocol == "h1":
            return h2load_for(url, seconds, connections=8, streams=1, h1=True).per_s
        return h2load_for(url, seconds, connections=1, streams=32).per_s


def main(seconds: float) -> None:
    """Measure all, and print it."""
    logging.disable()
    for protocol in ("h1", "h2c"):
        best = dict.fromkeys(WAYS, 0.0)
        for _ in range(ROUNDS):
            for way in WAYS:
                best[way] = max(best[way], measure(way, protocol, seconds))
        for way, per_s in best.items():
            print(
                f"{protocol:<4} {way:<17} {per_s:8.0f} requests/s  {per_s / best['nobody']:5.0%}", flush=True
            )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3)
