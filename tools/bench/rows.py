"""The rows of the table: what is measured, of whom, and what we want it to be."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tools.bench.idle import idle_connections
from tools.bench.loads import Load, h2load_for, h2load_times, wrk
from tools.bench.served.answers import TEXT
from tools.bench.servers import SERVERS, Kit, Ports, Server

__all__ = ["OURS", "ROWS", "Effort", "Row", "Sample", "Target"]

OURS = "wptproto"
UPLOAD_OCTETS = 64 * 1024
PATIENCE_S = 60

_EVERY = tuple(server.name for server in SERVERS)
_PYTHON = ("wptproto", "granian wsgi", "granian asgi", "uvicorn", "hypercorn", "wptserve")
_BY_NAME = {server.name: server for server in SERVERS}


@dataclass(frozen=True)
class Effort:
    """How long one measurement takes: seconds for rates, a factor for counts."""

    seconds: float
    factor: float

    def times(self, count: int) -> int:
        return max(2, round(count * self.factor))


@dataclass(frozen=True)
class Sample:
    """One measurement, and the processor time of the server for each request, where that was looked at."""

    value: float
    processor_s: float | None = None


@dataclass(frozen=True)
class Target:
    """
    What our figure is to be.

    Attributes:
        must: At least; a factor where `of` says of whose figure.
        goal: And at best.
        of: Whose figure; None for a figure of its own.
    """

    must: float
    goal: float
    of: str | None = None


Measure = Callable[[str, Kit, Effort], Sample]


@dataclass(frozen=True)
class Row:
    """
    Attributes:
        name: To ask for it by.
        title: In the table.
        unit: Of its figures.
        best: Whether more or less is better.
        names: Who is measured, in the order of the table.
        measure: Measures one of them, once.
        targets: Ours.
    """

    name: str
    title: str
    unit: str
    best: Literal["most", "least"]
    names: tuple[str, ...]
    measure: Measure
    targets: tuple[Target, ...]


# --- servers under load --------------------------------------------------------------------------

Loaded = Callable[[Ports, Kit, Effort], Load]


def _rate(load: Loaded, library: str = "", streams: int = 0) -> Measure:
    """Measure requests a second; of a bare library, without sockets."""

    def measure(name: str, kit: Kit, effort: Effort) -> Sample:
        if name.startswith("bare "):
            arguments = [library, str(effort.seconds), str(streams)]
            return Sample(_figure("tools.bench.bare", *arguments))
        done, processor_s = _under(_BY_NAME[name], kit, effort, load)
        return Sample(done.per_s, processor_s)

    return measure


def _processor(load: Loaded) -> Measure:
    """Measure the processor time of a server for each request."""

    def measure(name: str, kit: Kit, effort: Effort) -> Sample:
        _, processor_s = _under(_BY_NAME[name], kit, effort, load)
        return Sample(processor_s * 1000, processor_s)

    return measure


def _median(load: Loaded) -> Measure:
    def measure(name: str, kit: Kit, effort: Effort) -> Sample:
        done, processor_s = _under(_BY_NAME[name], kit, effort, load)
        return Sample(done.median_s * 1000, processor_s)

    return measure


def _under(server: Server, kit: Kit, effort: Effort, load: Loaded) -> tuple[Load, float]:
    """Put a server under a load; that, and the processor time it took for each request."""
    with server.run(kit) as (ports, running):
        load(ports, kit, Effort(0.5, effort.factor / 5))  # to warm up
        if kit.watch is not None:
            kit.watch(running)
        before = running.processor_s()
        done = load(ports, kit, effort)
        return done, (running.processor_s() - before) / done.requests


def _h2(connections: int, streams: int) -> Loaded:
    def load(ports: Ports, kit: Kit, effort: Effort) -> Load:
        url = ports.url("h2-tls", "/text")
        # In counts, not for a time: then what the server did is known to the request.
        probe = h2load_for(url, 0.5, connections=connections, streams=streams)
        times = max(connections * streams, round(probe.per_s * effort.seconds))
        return h2load_times(url, times, connections=connections, streams=streams)

    return load


def _h1(way: str, path: str, connections: int) -> Loaded:
    def load(ports: Ports, kit: Kit, effort: Effort) -> Load:
        return wrk(ports.url(way, path), effort.seconds, connections=connections)

    return load


def _down(ports: Ports, kit: Kit, effort: Effort) -> Load:
    return h2load_times(ports.url("h2-tls", "/long"), effort.times(200), connections=2, streams=4)


def _up(ports: Ports, kit: Kit, effort: Effort) -> Load:
    content = kit.directory / "content"
    content.write_bytes(bytes(UPLOAD_OCTETS))
    url = ports.url("h2-tls", "/upload")
    return h2load_times(url, effort.times(1000), connections=2, streams=4, upload=str(content))


# --- other things --------------------------------------------------------------------------------


def _start(name: str, kit: Kit, effort: Effort) -> Sample:
    """Milliseconds from the start of a process to its first answer."""
    begun = time.perf_counter()
    with _BY_NAME[name].run(kit) as (ports, _):
        connection = http.client.HTTPConnection("127.0.0.1", ports.h1)
        connection.request("GET", "/text")
        assert connection.getresponse().read() == TEXT
        taken = time.perf_counter() - begun
        connection.close()
    return Sample(taken * 1000)


def _in_test(name: str, kit: Kit, effort: Effort) -> Sample:
    return Sample(_figure("tools.bench.in_test", name, str(effort.times(20))))


def _idle(protocol: str, way: str) -> Measure:
    """Measure KiB for each open connection that nobody uses."""

    def measure(name: str, kit: Kit, effort: Effort) -> Sample:
        count = effort.times(200)
        with _BY_NAME[name].run(kit) as (ports, running):
            with idle_connections(ports.port(way), 20, protocol):
                pass  # what the first ones cost is not what each one costs
            before = running.memory_octets()
            with idle_connections(ports.port(way), count, protocol):
                return Sample((running.memory_octets() - before) / count / 1024)

    return measure


def _figure(module: str, *arguments: str) -> float:
    """Run a module that prints one figure."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=PATIENCE_S)
    return float(done.stdout)


def _those(way: str, names: tuple[str, ...] = _EVERY) -> tuple[str, ...]:
    return tuple(name for name in names if way in _BY_NAME[name].ways)


ROWS = (
    Row(
        "h2",
        "h2 over TLS, 8 connections of 32 streams",
        "requests/s",
        "most",
        ("bare h2", *_those("h2-tls")),
        _rate(_h2(8, 32), "h2", 32),
        (
            Target(0.75, 2.5, "bare h2"),
            Target(4.5, 4.5, "hypercorn"),
            Target(10, 10, "wptserve"),
            Target(0, 1, "granian wsgi"),
        ),
    ),
    Row(
        "h2-one",
        "h2 over TLS, 1 connection of 100 streams",
        "requests/s",
        "most",
        ("bare h2", *_those("h2-tls")),
        _rate(_h2(1, 100), "h2", 100),
        (Target(0.7, 2.3, "bare h2"),),
    ),
    Row(
        "h1",
        "HTTP/1.1, 32 connections",
        "requests/s",
        "most",
        ("bare h11", *_those("h1")),
        _rate(_h1("h1", "/text", 32), "h11", 1),
        (Target(0.55, 1.3, "bare h11"), Target(2.9, 2.9, "uvicorn"), Target(0, 1, "granian wsgi")),
    ),
    Row(
        "h1-tls",
        "HTTP/1.1 over TLS, 32 connections",
        "requests/s",
        "most",
        _those("h1-tls"),
        _rate(_h1("h1-tls", "/text", 32)),
        (Target(2, 6, "uvicorn"),),
    ),
    Row(
        "lone",
        "one request at a time over HTTP/1.1, median",
        "ms",
        "least",
        _those("h1"),
        _median(_h1("h1", "/text", 1)),
        (Target(0.25, 0.1),),
    ),
    Row(
        "asleep",
        "256 handlers asleep 50 ms over HTTP/1.1 (5,120 possible)",
        "requests/s",
        "most",
        _those("h1", _PYTHON),
        _rate(_h1("h1", "/sleep", 256)),
        (Target(3000, 4500),),
    ),
    Row(
        "down",
        "h2 over TLS, 1 MiB down, processor time",
        "ms",
        "least",
        _those("h2-tls"),
        _processor(_down),
        (Target(2.2, 1.2, "nginx"),),
    ),
    Row(
        "up",
        "h2 over TLS, 64 KiB up, processor time",
        "ms",
        "least",
        tuple(name for name in _those("h2-tls") if name != "wptserve"),  # which hangs
        _processor(_up),
        (Target(1.1, 0.5, "granian asgi"),),
    ),
    Row(
        "start",
        "process start to first answer",
        "ms",
        "least",
        _those("h1"),
        _start,
        (Target(1, 0.6, "wptserve"),),
    ),
    Row(
        "in-test",
        "start + GET + stop inside a test",
        "ms",
        "least",
        ("wptproto", "pytest-httpserver", "uvicorn", "wptserve"),
        _in_test,
        (Target(10, 3),),
    ),
    Row(
        "idle-h1",
        "memory of an idle TLS connection, HTTP/1.1",
        "KiB",
        "least",
        tuple(name for name in _those("h1-tls") if name != "wptserve"),
        _idle("http/1.1", "h1-tls"),
        (Target(60, 20),),
    ),
    Row(
        "idle-h2",
        "memory of an idle TLS connection, h2",
        "KiB",
        "least",
        tuple(name for name in _those("h2-tls") if name != "wptserve"),
        _idle("h2", "h2-tls"),
        (Target(75, 35),),
    ),
)
