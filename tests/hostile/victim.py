"""
The server that is attacked: a process of its own, which also says what it holds, and what it has spent.

    python -m tests.hostile.victim CERTS_DIR

Questions come on its standard input, each a JSON list of a word and what belongs to it on a line, and each is
answered by one line. One server runs at a time, from ``start`` to ``stop``. The process ends with its input.

What it holds is counted from outside: all objects of the packages that a connection is made of, and all
octets within their reach. So nothing of how the server is built has to be known here, or can be forgotten.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import ssl
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any

from wptproto import Request, Response, Server
from wptproto.exchange.signal import waiting
from wptproto.handlers.known_files import KnownFiles
from wptproto.limits import Limits
from wptproto.protocol.h1_known import KnownHeads
from wptproto.protocol.h2_fast_fields import KnownSections
from wptproto.server import workers

__all__ = ["LARGE_OCTETS", "PIECE_OCTETS", "THOUGHT_S", "VAST_OCTETS"]

LARGE_OCTETS, PIECE_OCTETS, VAST_OCTETS = 64 * 1024, 4 * 1024, 16 * 1024 * 1024
"""How large the responses are: of ``/whole`` and ``/pieces``, of one piece, and of ``/vast``."""

THOUGHT_S = 2.4
"""How long the handler of ``/think`` takes before it reads its request's content."""

VAST = bytes(VAST_OCTETS)
PACKAGES = {"wptproto", "h2", "hpack", "hyperframe"}
CLASSES = {"Task", "_SelectorSocketTransport", "SSLObject", "SSLContext"}
"""Whose objects are counted: all of those packages, and of others those of these names."""

LEARNT = "wptproto.server.habits", "wptproto.protocol.h1_known", "wptproto.handlers.known_files"
"""What is learnt is not: of handlers, heads and files; it is bounded, and no connection's."""

IDLE_S = 0.2
"""After so long a thread that is free leaves, and is not held any more; else it would take ten seconds."""

CONTAINERS = (list, tuple, dict, set, deque)


def spent_s() -> float:
    """Return the processor time that the server has had; what its examiner takes is not the server's."""
    examiner = threading.main_thread().ident
    assert examiner is not None
    return time.process_time() - time.clock_gettime(time.pthread_getcpuclockid(examiner))


def bystander(request: Request, response: Response) -> str:
    return f"{spent_s():.6f}"


def echo(request: Request, response: Response) -> bytes:
    return request.body


def whole(request: Request, response: Response) -> bytes:
    return bytes(LARGE_OCTETS)


def pieces(request: Request, response: Response) -> Iterator[bytes]:
    return (bytes(PIECE_OCTETS) for _ in range(LARGE_OCTETS // PIECE_OCTETS))


def vast(request: Request, response: Response) -> bytes:
    return VAST


def think(request: Request, response: Response) -> bytes:
    time.sleep(THOUGHT_S)
    return request.body


def anything(request: Request, response: Response) -> str:
    request.raw_input.read()
    return "ok"


ROUTES = [
    ("GET", "/bystander", bystander),
    ("POST", "/echo", echo),
    ("POST", "/think", think),
    ("GET", "/whole", whole),
    ("GET", "/pieces", pieces),
    ("GET", "/vast", vast),
    ("*", "/*", anything),
]


def is_counted(kind: type) -> bool:
    if kind.__module__ in LEARNT or kind is type(waiting):  # which has something for each thread
        return False
    return kind.__module__.partition(".")[0] in PACKAGES or kind.__name__ in CLASSES


def held() -> dict[str, Any]:
    """Return what is in memory of the server, after a collection: see ``Held``."""
    for found in gc.get_objects():
        if isinstance(found, KnownHeads | KnownSections):
            found.forget()
        elif isinstance(found, KnownFiles):
            found._known.clear()
            found._octets = 0
    gc.collect()
    counted = [found for found in gc.get_objects() if is_counted(type(found))]
    return {
        "objects": Counter(type(found).__name__ for found in counted),
        **within_reach(counted),
        "descriptors": len(os.listdir("/dev/fd")),
        "threads": threading.active_count(),
    }


def within_reach(objects: list[object]) -> dict[str, int]:
    """Return how much objects refer to, directly or in containers: octets, and items of containers."""
    octets = items = 0
    seen: set[int] = set()
    left = gc.get_referents(*objects)
    while left:
        found = left.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        match found:
            case bytes() | bytearray():
                octets += len(found)
            case memoryview():
                left.append(found.obj)
            case ssl.MemoryBIO():
                octets += found.pending
            case list() | tuple() | dict() | set() | deque() if type(found) in CONTAINERS:
                items += sum(not isinstance(item, threading.Thread) for item in list(found))  # others go on
                left += gc.get_referents(found)
    return {"octets": octets, "items": items}


class Log(logging.Handler):
    """What was logged since it was last asked for."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        self.lines.append((record.levelname, text))

    def take(self) -> list[tuple[str, str]]:
        lines, self.lines = self.lines, []
        return lines


class Victim:
    """Answers the questions."""

    def __init__(self, certs_dir: str) -> None:
        self._certs_dir = certs_dir
        self._server: Server | None = None
        self._log = Log()
        logging.getLogger().addHandler(self._log)
        logging.getLogger("wptproto.server").setLevel(logging.INFO)
        self._answers: dict[str, Callable[..., Any]] = {
            "start": self.start,
            "stop": self.stop,
            "held": held,
            "spent": spent_s,
            "log": self._log.take,
        }

    def answer(self, word: str, *rest: Any) -> Any:
        return self._answers[word](*rest)

    def start(self, limits: dict[str, float] | None, doc_root: str | None) -> dict[str, Any]:
        """Start a server; *limits* are those that differ from the defaults, None is no limits at all."""
        server = Server(
            record=False,  # what is kept on purpose is not what clients have it hold
            routes=ROUTES[:-1] if doc_root else ROUTES,
            certs_dir=self._certs_dir,
            doc_root=doc_root,
            limits=Limits.none() if limits is None else Limits(**limits),  # type: ignore[arg-type]
            http_port=0,
            https_port=0,
        )
        self._server = server.start()
        return {"http_port": server.http_port, "https_port": server.https_port, "ca": str(server.ca)}

    def stop(self) -> None:
        assert self._server is not None
        self._server.stop()
        self._server = None


def main() -> None:
    workers.IDLE_S = IDLE_S
    victim = Victim(sys.argv[1])
    for line in sys.stdin:
        sys.stdout.write(json.dumps(victim.answer(*json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
