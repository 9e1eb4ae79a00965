#!/usr/bin/env python3
"""
Measure requests a second, as shares of what the bare h11 and h2 libraries reach in the same run.

    .venv/bin/python tools/benchmark.py [--seconds 2] [--concurrency 50]

Each server runs in a process of its own and answers the same small response; the load is this
process, which sends ready-made octets and counts frames or lengths, so that it is not what is measured.
The bare servers are an asyncio Protocol around h11.Connection or h2.H2Connection that answers
at once: no threads, no handler API, no routes. With hypercorn and uvicorn installed, they are
measured, too.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import h2.config
import h2.connection
import h2.events
import h11

import wptproto
from wptproto.protocol.h2_reader import PREFACE

CONTENT = b"x" * 100
Target = Callable[[Connection], None]


# --- servers -------------------------------------------------------------------------------------


class BareH11(asyncio.Protocol):
    """HTTP/1.1 by h11 and nothing else."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.h11 = h11.Connection(h11.SERVER)

    def data_received(self, data: bytes) -> None:
        self.h11.receive_data(data)
        out = []
        while (event := self.h11.next_event()) is not h11.NEED_DATA:
            if event is h11.PAUSED or isinstance(event, h11.EndOfMessage):
                fields = [("Server", "bare"), ("Date", "now"), ("Content-Length", str(len(CONTENT)))]
                for answer in (
                    h11.Response(status_code=200, headers=fields),
                    h11.Data(data=CONTENT),
                    h11.EndOfMessage(),
                ):
                    out.append(self.h11.send(answer) or b"")
                self.h11.start_next_cycle()
        self.transport.write(b"".join(out))


class BareH2(asyncio.Protocol):
    """HTTP/2 by h2 and nothing else."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding=None)
        )
        self.h2.initiate_connection()

    def data_received(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                fields = [
                    (":status", "200"),
                    ("server", "bare"),
                    ("date", "now"),
                    ("content-length", str(len(CONTENT))),
                ]
                self.h2.send_headers(event.stream_id, fields)
                self.h2.send_data(event.stream_id, CONTENT, end_stream=True)
        self.transport.write(self.h2.data_to_send())


def bare(protocol: type[asyncio.Protocol]) -> Target:
    def serve(pipe: Connection) -> None:
        async def main() -> None:
            server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
            pipe.send(server.sockets[0].getsockname()[1])
            await server.serve_forever()

        asyncio.run(main())

    return serve


def wptproto_with(handler: Callable[[wptproto.Request, wptproto.Response], object]) -> Target:
    def serve(pipe: Connection) -> None:
        with wptproto.Server(routes=[("GET", "/", handler)], https_port=None) as server:
            pipe.send(server.http_port)
            threading.Event().wait()

    return serve


def returned(request: wptproto.Request, response: wptproto.Response) -> bytes:
    return CONTENT


async def returned_async(request: wptproto.Request, response: wptproto.Response) -> bytes:
    return CONTENT


def written(request: wptproto.Request, response: wptproto.Response) -> None:
    response.writer.write_status(200)
    response.writer.write_header("Content-Length", len(CONTENT))
    response.writer.end_headers()
    response.writer.write(CONTENT)


async def asgi(
    scope: dict[str, object], receive: object, send: Callable[[dict[str, object]], object]
) -> None:
    if scope["type"] == "http":
        start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]}
        await send(start)  # type: ignore[misc]
        await send({"type": "http.response.body", "body": CONTENT})  # type: ignore[misc]


def uvicorn_server(pipe: Connection) -> None:
    import uvicorn  # type: ignore[import-not-found,unused-ignore]

    sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
    pipe.send(sock.getsockname()[1])
    uvicorn.Server(uvicorn.Config(asgi, http="h11", log_level="error", lifespan="off")).run([sock])


def hypercorn_server(pipe: Connection) -> None:
    import hypercorn.asyncio  # type: ignore[import-not-found,unused-ignore]
    import hypercorn.config  # type: ignore[import-not-found,unused-ignore]

    sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
    config = hypercorn.config.Config()
    config.bind = [f"fd://{sock.fileno()}"]
    config.h2_max_concurrent_streams = 1000
    config.keep_alive_max_requests = 10**9
    pipe.send(sock.getsockname()[1])
    asyncio.run(hypercorn.asyncio.serve(asgi, config))  # type: ignore[arg-type,unused-ignore]


# --- load ----------------------------------------------------------------------------------------


def load_h1(port: int, seconds: float, concurrency: int) -> float:
    """Requests a second over so many connections, each with one request at a time."""
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: benchmark\r\nAccept: */*\r\n\r\n"
    socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(concurrency)]
    count = 0
    begun = time.perf_counter()
    while (elapsed := time.perf_counter() - begun) < seconds:
        for sock in socks:
            sock.sendall(request)
        for sock in socks:
            octets = sock.recv(65536)
            while not octets.endswith(CONTENT):
                octets += sock.recv(65536)
        count += concurrency
    for sock in socks:
        sock.close()
    return count / elapsed


def load_h2(port: int, seconds: float, concurrency: int) -> float:
    """Requests a second over one connection, with so many streams at a time."""
    # :method GET, :scheme http, :path /, :authority localhost: static entries, and a literal never indexed.
    block = bytes((0x82, 0x86, 0x84, 0x01, 9)) + b"localhost"
    sock = socket.create_connection(("127.0.0.1", port))
    window = b"\0\0\4\x08\0\0\0\0\0" + (2**31 - 1 - 65535).to_bytes(4, "big")
    sock.sendall(PREFACE + b"\0\0\0\4\0\0\0\0\0" + window)
    stream, count, rest = 1, 0, b""
    begun = time.perf_counter()
    while (elapsed := time.perf_counter() - begun) < seconds:
        head = len(block).to_bytes(3, "big") + b"\x01\x05"
        sock.sendall(b"".join(head + (stream + 2 * n).to_bytes(4, "big") + block for n in range(concurrency)))
        stream += 2 * concurrency
        ended = 0
        while ended < concurrency:
            octets = rest + sock.recv(262144)
            place = 0
            while len(octets) - place >= 9:
                length = int.from_bytes(octets[place : place + 3], "big")
                if len(octets) - place < 9 + length:
                    break
                kind, flags = octets[place + 3], octets[place + 4]
                ended += kind in (0, 1) and flags & 1
                if kind in (3, 7):
                    raise RuntimeError(f"the server gave up: {octets[place : place + 9 + length]!r}")
                place += 9 + length
            rest = octets[place:]
        count += concurrency
    sock.close()
    return count / elapsed


def measure(
    target: Target, load: Callable[[int, float, int], float], seconds: float, concurrency: int
) -> float:
    """Start a server, load it, end it; requests a second."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=target, args=(there,), daemon=True)
    process.start()
    try:
        port = here.recv()
        load(port, seconds / 4, concurrency)  # to warm up
        return load(port, seconds, concurrency)
    finally:
        process.kill()
        process.join()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each load takes")
    parser.add_argument("--concurrency", type=int, default=50, help="connections over h1, streams over h2")
    options = parser.parse_args()
    ours = {
        "wptproto, returned": wptproto_with(returned),
        "wptproto, async": wptproto_with(returned_async),
        "wptproto, step by step": wptproto_with(written),
    }
    runs: dict[str, tuple[Callable[[int, float, int], float], dict[str, Target]]] = {
        "HTTP/1.1": (load_h1, {"bare h11": bare(BareH11), **ours}),
        "HTTP/2": (load_h2, {"bare h2": bare(BareH2), **ours}),
    }
    if importlib.util.find_spec("uvicorn"):
        runs["HTTP/1.1"][1]["uvicorn (h11)"] = uvicorn_server
    if importlib.util.find_spec("hypercorn"):
        for _, servers in runs.values():
            servers["hypercorn"] = hypercorn_server
    for protocol, (load, servers) in runs.items():
        ceiling = 0.0
        for name, target in servers.items():
            rate = measure(target, load, options.seconds, options.concurrency)
            ceiling = ceiling or rate
            print(
                f"{protocol:8}  {name:24} {rate:8.0f} requests/s  {rate / ceiling:5.2f} of the bare library"
            )


if __name__ == "__main__":
    main()
