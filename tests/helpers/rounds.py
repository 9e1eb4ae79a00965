"""
A server that is started and stopped a thousand times, in a process where nobody else takes memory.

    python -m tests.helpers.rounds CERTS_DIR    says in JSON what is held before and behind the last rounds
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import wptproto
from tests.helpers.peers import connect
from wptproto import Request, Response, Server

PACKAGE = Path(wptproto.__file__).parent
OURS = [tracemalloc.Filter(True, str(folder / "*")) for folder in (PACKAGE, Path(asyncio.__file__).parent)]


def hello(request: Request, response: Response) -> str:
    return "hello"


def run(server: Server, count: int) -> None:
    """Start and stop so often; each tenth time with a request, each twentieth with two clients."""
    for number in range(count):
        with server:
            if number % 20 == 0:
                left_open = socket.create_connection(("127.0.0.1", server.http_port or 0), timeout=20)
            if number % 10 == 0:
                with connect(server, "h1") as peer:
                    assert peer.request().text == "hello"
        if number % 20 == 0:
            left_open.close()
    server.clear()  # what it has recorded it would keep


def held() -> dict[str, int]:
    """Return threads, which may take a moment to leave, descriptors, and octets of ours or asyncio's."""
    until_s = time.monotonic() + 10
    while threading.active_count() > 1 and time.monotonic() < until_s:
        time.sleep(0.001)
    gc.collect()
    taken = tracemalloc.take_snapshot().filter_traces(OURS).statistics("filename")
    folder = Path("/proc/self/fd")
    return {
        "threads": threading.active_count(),
        "descriptors": len(os.listdir(folder)) if folder.exists() else 0,
        "octets": sum(statistic.size for statistic in taken),
    }


def main(certs_dir: str) -> None:
    server = Server(https_port=None, certs_dir=certs_dir, routes=[("*", "/*", hello)])
    run(server, 700)
    tracemalloc.start()
    run(server, 60)
    before = held()
    run(server, 240)
    sys.stdout.write(json.dumps([before, held()]))


if __name__ == "__main__":
    main(sys.argv[1])
