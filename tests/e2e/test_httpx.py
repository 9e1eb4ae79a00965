"""httpx, over HTTP/1.1 and HTTP/2, with and without TLS."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from wptproto import Server

WAYS = {"h1": ("http", False), "h1s": ("https", False), "h2": ("https", True), "h2c": ("http", True)}


@pytest.fixture(params=WAYS)
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[httpx.Client]:
    scheme, http2 = WAYS[request.param]
    base = server.https_url() if scheme == "https" else server.http_url()
    with httpx.Client(
        base_url=base,
        http1=not http2,
        http2=http2,
        verify=server.client_context(),
        timeout=20,
        trust_env=False,
    ) as client:
        yield client


@pytest.mark.parametrize("path", ["/filled-in", "/step-by-step"])
def test_the_examples(client: httpx.Client, path: str) -> None:
    """Both handlers of the example answer httpx."""
    for _ in range(3):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (200, "Some example content")


def test_upload(client: httpx.Client) -> None:
    """Content of known and of unknown length arrives."""
    assert client.post("/measured", content=b"x" * 500_000).text == "500000"
    pieces = (b"x" * 1000 for _ in range(50))
    answer = client.post("/measured", content=pieces)
    assert answer.text == "50000"
    assert answer.headers["x-version"][:6] == answer.http_version[:6]


def test_cut_off(client: httpx.Client) -> None:
    """httpx sees that a message was cut off."""
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/cut-off")


def test_not_found(client: httpx.Client) -> None:
    """No route is 404, in JSON."""
    answer = client.get("/absent")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, 404)
