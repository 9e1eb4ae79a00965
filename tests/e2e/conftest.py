"""A server with the handlers of README's first example, for strangers' clients."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.programs import program
from wptproto import Request, Response, Server
from wptproto.demo.handlers import filled_in


def step_by_step(request: Request, response: Response) -> None:
    response.add_required_headers = False
    response.writer.write_status(200)
    response.writer.write_header("Content-Type", "text/plain")
    response.writer.write_header("Content-Length", len("Some example content"))
    response.writer.end_headers()
    response.writer.write("Some ")
    time.sleep(0.1)
    response.writer.write("example content")


def generated(request: Request, response: Response) -> Iterator[str]:
    for number in range(3):
        yield f"{number}\n"


def measured(request: Request, response: Response) -> tuple[list[tuple[str, str]], str]:
    return [("X-Version", request.protocol_version)], str(len(request.body))


def cut_off(request: Request, response: Response) -> None:
    response.headers.set("Content-Length", 100)
    response.content = "short"


def hinted(request: Request, response: Response) -> str:
    response.writer.write_informational(103, [("Link", "</style.css>; rel=preload")])
    return "final"


def trailed(request: Request, response: Response) -> Iterator[str]:
    yield f"trailers of the request: {dict(request.trailers)}\n"
    response.trailers.set("X-Sum", "7")


def pushing(request: Request, response: Response) -> str:
    if not response.can_push:
        return "no push"
    response.push("/filled-in")
    response.push("/answered", answer=(203, {"X": "y"}, "answered by hand"))
    return "pushed"


def prioritized(request: Request, response: Response) -> str:
    return f"{request.priority}"


@pytest.fixture(scope="session")
def server(certs_dir: Path) -> Iterator[Server]:
    routes = [
        ("GET", "/filled-in", filled_in),
        ("GET", "/step-by-step", step_by_step),
        ("GET", "/generated", generated),
        ("*", "/measured", measured),
        ("GET", "/cut-off", cut_off),
        ("GET", "/hinted", hinted),
        ("*", "/trailed", trailed),
        ("GET", "/pushing", pushing),
        ("GET", "/prioritized", prioritized),
    ]
    with Server(routes=routes, certs_dir=certs_dir) as server:
        yield server


@pytest.fixture(scope="session")
def curl() -> str:
    """curl that speaks HTTP/2."""
    return program("curl")


@pytest.fixture(scope="session")
def nghttp() -> str:
    """nghttp, of nghttp2."""
    return program("nghttp")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Chromium, without a head."""
    return program("chromium")
