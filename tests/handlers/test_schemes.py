"""Requests for one scheme that come over a connection of another (RFC 9110 §7.4)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.peers import Answer, H2Peer, Kind, Reachable, connect
from wptproto import Request, Response, Server


def here(request: Request, response: Response) -> str:
    return request.url_parts.scheme


@pytest.fixture(scope="module")
def server(certs_dir: Path) -> Iterator[Server]:
    with Server(routes=[("GET", "/here", here)], certs_dir=certs_dir) as server:
        yield server


def asked(server: Reachable, kind: Kind, scheme: str) -> Answer:
    """Ask for that scheme: by ``:scheme``, or by a target in absolute-form."""
    with connect(server, kind) as peer:
        if isinstance(peer, H2Peer):
            peer.scheme = scheme
            answer = peer.request("/here")
        else:
            answer = peer.request(f"{scheme}://localhost/here")
        assert peer.is_open()
    return answer


@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_http(server: Server, kind: Kind, scheme: str) -> None:
    """http may come over any connection, in any case."""
    assert asked(server, kind, scheme).status == 200


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_https(server: Server, kind: Kind, scheme: str) -> None:
    """What is for https is answered where it came in TLS, and in the clear it is 421."""
    secured = kind in ("h1s", "h2")
    assert asked(server, kind, scheme).status == (200 if secured else 421)


@pytest.mark.parametrize("scheme", ["ftp", "ws"])
def test_others(server: Server, kind: Kind, scheme: str) -> None:
    """For no other scheme there is anybody here, and the answer says so."""
    answer = asked(server, kind, scheme)
    assert answer.status == 421
    assert f"not for {scheme}".encode() in answer.content


@pytest.mark.parametrize("scheme", ["https", "ftp"])
def test_lenient(certs_dir: Path, kind: Kind, scheme: str) -> None:
    """Behind a gateway that ends TLS, every scheme can be let through."""
    with Server(routes=[("GET", "/here", here)], certs_dir=certs_dir, lenient=["scheme"]) as server:
        answer = asked(server, kind, scheme)
    assert (answer.status, answer.content) == (200, b"https" if kind in ("h1s", "h2") else b"http")
