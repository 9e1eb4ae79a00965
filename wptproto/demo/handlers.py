"""
The handlers of the demonstration.

The index page shows their source to people who see the API for the first time: each is to be read
at a glance, and the docstring of each is what the page says about it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

from wptproto.demo.arguments import number, parameter
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.router import Handler, any_method

__all__ = ["DEMONSTRATIONS", "Demonstration"]


def filled_in(request: Request, response: Response) -> None:
    """Fill in the response and return: it leaves in one piece, with Content-Length, Server and Date."""
    response.headers.set("Content-Type", "text/plain")
    response.content = "Some example content"


def step_by_step(request: Request, response: Response) -> None:
    """Write the response piece by piece, with nothing implicit; its second half comes a second later."""
    response.add_required_headers = False
    response.writer.write_status(200)
    response.writer.write_header("Content-Type", "text/plain")
    response.writer.write_header("Content-Length", len("Some example content"))
    response.writer.end_headers()
    response.writer.write("Some ")
    time.sleep(1)
    response.writer.write("example content")


def echo(request: Request, response: Response) -> None:
    """Answer with the request as the server saw it: any method, all field lines in order, the content."""
    lines = [f"{request.method} {request.request_path} {request.protocol_version}".encode("latin-1")]
    lines += [name + b": " + value for name, value in request.head.fields]
    response.headers.set("Content-Type", "text/plain")
    response.headers.set("X-Content-Type-Options", "nosniff")
    response.content = b"\n".join([*lines, b"", request.body])


def slow(request: Request, response: Response) -> Iterator[str]:
    """Send ten lines, half a second apart or as many seconds as the query says."""
    delay_s = number(float, "delay", parameter(request, "delay", "0.5"), 0, 10)
    response.headers.set("Content-Type", "text/plain")
    response.headers.set("X-Content-Type-Options", "nosniff")  # or browsers wait for more to sniff at
    for line in range(1, 11):
        yield f"line {line} of 10\n"
        time.sleep(delay_s if line < 10 else 0)


def upload(request: Request, response: Response) -> Iterator[str]:
    """Tell of each piece of an upload as it arrives, while the client still sends."""
    start, received, digest = time.monotonic(), 0, hashlib.sha256()
    response.headers.set("Content-Type", "text/plain")
    response.headers.set("X-Content-Type-Options", "nosniff")
    while piece := request.raw_input.read1():
        received += len(piece)
        digest.update(piece)
        yield f"{time.monotonic() - start:7.3f} s  {received} octets\n"
    yield f"total {received} octets\nsha256 {digest.hexdigest()}\n"


def early_hints(request: Request, response: Response) -> str:
    """Send 103 (Early Hints), and a second later the response."""
    response.writer.write_informational(103, [("Link", "</filled-in>; rel=preload; as=fetch")])
    time.sleep(1)
    response.headers.set("Content-Type", "text/plain")
    return "A 103 came before this.\n"


def wrong_length(request: Request, response: Response) -> str:
    """Promise 100 octets and send fewer: HTTP/1.1 closes the connection, HTTP/2 resets the stream."""
    response.headers.set("Content-Type", "text/plain")
    response.headers.set("Content-Length", 100)
    return "These are not 100 octets.\n"


def failing(request: Request, response: Response) -> None:
    """Raise an exception: the response is a 500, with the traceback for the author of the handler."""
    raise RuntimeError("this handler always fails")


async def asynchronous(request: Request, response: Response) -> tuple[list[tuple[str, str]], str]:
    """Wait without a thread, in a coroutine, and return fields and content."""
    content = await request.raw_input.read_async()
    await asyncio.sleep(0.1)
    return [("Content-Type", "text/plain")], f"Read {len(content)} octets and slept, on the server's loop.\n"


def trailers(request: Request, response: Response) -> Iterator[bytes]:
    """End the content with a trailer section: its digest, known only when all of it is sent."""
    digest = hashlib.sha256()
    response.headers.set("Content-Type", "text/plain")
    response.headers.set("Trailer", "Repr-Digest")
    for piece in (b"Some ", b"example ", b"content\n"):
        digest.update(piece)
        yield piece
    response.trailers.set("Repr-Digest", b"sha-256=:" + b64encode(digest.digest()) + b":")


@dataclass(frozen=True, slots=True)
class Demonstration:
    """
    A handler, and how to see it.

    Attributes:
        methods: What the route answers to.
        pattern: Of the route.
        handler: Its docstring is one sentence that says what it does.
        link: A path that shows it; the pattern, if empty.
        curl: What curl needs besides the URL, written for a shell.
        before_curl: A command whose output goes to curl.
    """

    methods: str | tuple[str, ...]
    pattern: str
    handler: Handler
    link: str = ""
    curl: str = "-i"
    before_curl: str = ""


DEMONSTRATIONS = (
    Demonstration("GET", "/filled-in", filled_in),
    Demonstration("GET", "/step-by-step", step_by_step, curl="-iN"),
    Demonstration(any_method, "/echo", echo, curl="-d some=content"),
    Demonstration("GET", "/slow", slow, link="/slow?delay=0.2", curl="-N"),
    Demonstration(
        ("POST", "PUT"), "/upload", upload, curl="-sNT .", before_curl="(echo first; sleep 1; echo second)"
    ),
    Demonstration("GET", "/early-hints", early_hints),
    Demonstration("GET", "/wrong-length", wrong_length),
    Demonstration("GET", "/failing", failing),
    Demonstration(any_method, "/async", asynchronous),
    Demonstration("GET", "/trailers", trailers),
)
