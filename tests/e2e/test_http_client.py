"""The standard library's client."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from wptproto import Server


@pytest.fixture(params=["http", "https"])
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[http.client.HTTPConnection]:
    made: http.client.HTTPConnection
    if request.param == "http":
        made = http.client.HTTPConnection("localhost", server.http_port, timeout=20)
    else:
        made = http.client.HTTPSConnection(
            "localhost", server.https_port, timeout=20, context=server.client_context()
        )
    yield made
    made.close()


@pytest.mark.parametrize("path", ["/filled-in", "/step-by-step"])
def test_the_examples(client: http.client.HTTPConnection, path: str) -> None:
    """Both handlers of the example answer http.client, on a connection that stays."""
    sockets = set()
    for _ in range(3):
        client.request("GET", path)
        response = client.getresponse()
        assert (response.status, response.read()) == (200, b"Some example content")
        sockets.add(id(client.sock))
    assert len(sockets) == 1


def test_upload(client: http.client.HTTPConnection) -> None:
    """Content of known and of unknown length arrives."""
    client.request("POST", "/measured", body=b"x" * 100_000)
    assert client.getresponse().read() == b"100000"
    client.request("POST", "/measured", body=(b"x" * 1000 for _ in range(10)), encode_chunked=True)
    assert client.getresponse().read() == b"10000"


def test_cut_off(client: http.client.HTTPConnection) -> None:
    """http.client sees that a message was cut off."""
    client.request("GET", "/cut-off")
    with pytest.raises(http.client.IncompleteRead):
        client.getresponse().read()
