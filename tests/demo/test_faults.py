"""``/fault/...``: every misbehaviour by a URL."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.peers import Kind, connect, open_socket
from tests.helpers.programs import needs
from wptproto import Server
from wptproto.demo.faults import CONTENT, routes
from wptproto.faults import EFFECTS


@pytest.fixture
def server(certs_dir: Path) -> Iterator[Server]:
    with Server(routes=routes(), certs_dir=certs_dir) as server:
        yield server


def test_the_list(server: Server, kind: Kind) -> None:
    """The list has each of them, with its moments."""
    with connect(server, kind) as peer:
        text = peer.request("/fault/").text
    assert [f"\n/fault/{word}" in text for word in EFFECTS] == [True] * len(EFFECTS)
    assert "/fault/goaway?code=...&last_stream_id=...&debug=..." in text
    assert "    at: request_head, request_content, response_head, response_content, end\n" in text


@pytest.mark.parametrize("octet", [0, 40, 1000])
def test_in_the_content(server: Server, kind: Kind, octet: int) -> None:
    """The octet is that of the content, which says by itself where it ends."""
    with connect(server, kind) as peer:
        answer = peer.request(f"/fault/close?octet={octet}")
    assert (answer.content, answer.complete) == (CONTENT[:octet], False)


def test_before_the_handler(server: Server, kind: Kind) -> None:
    """A URL can ask for what comes before its handler is called."""
    with connect(server, kind) as peer:
        assert peer.request("/fault/close?at=request_head").status == 0


def test_release(server: Server, kind: Kind) -> None:
    """What stalls can be let go by another request."""
    with connect(server, kind) as peer, connect(server, kind) as other:
        peer.send_request("/fault/stall")
        server.wait_for_stall()
        assert "goes on" in other.request("/fault/release").text
        assert peer.read_answer().content == CONTENT


@pytest.mark.parametrize("path", ["/fault/close?at=accepted", "/fault/reset?at=tls_hello"])
def test_the_next_connection(server: Server, path: str) -> None:
    """What comes before any request happens to the connection that comes next."""
    with connect(server, "h1s") as peer:
        assert "of the next connection" in peer.request(path).text
    with pytest.raises(OSError, match=r"(?i)reset|eof"):
        open_socket(server, "h2")
    with connect(server, "h2") as peer:
        assert peer.request("/fault/").status == 200


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/fault/burn", "there is no fault 'burn'; there are close,"),
        ("/fault/close?at=noon", "there is no moment 'noon'"),
        ("/fault/reset_stream", "reset_stream has no meaning over HTTP/1.1"),
        ("/fault/no_close_notify", "no_close_notify at response_head has no meaning in the clear"),
    ],
)
def test_what_cannot_be(server: Server, path: str, complaint: str) -> None:
    """What there is not, or has no meaning over what brought the request, is 400, which says so."""
    with connect(server, "h1") as peer:
        answer = peer.request(path)
    assert answer.status == 400
    assert complaint in answer.text


@needs("curl")
@pytest.mark.parametrize(
    ("path", "version", "status"),
    [
        ("close?octet=40", "--http1.1", 18),
        ("close?at=request_head", "--http1.1", 52),
        ("reset", "--http1.1", 56),
        ("truncate?octet=40", "--http1.1", 18),
        ("truncate?octet=40", "--http2", 92),
        ("reset_stream?CANCEL", "--http2", 92),
        ("garbage", "--http1.1", 1),
        ("cut?1:5&at=request_head", "--http2", 0),
        ("slow?20000", "--http2", 0),
        ("no_close_notify", "--http2", 0),
    ],
)
def test_curl(server: Server, path: str, version: str, status: int) -> None:
    """curl says of each what is wrong, by its exit status."""
    url = server.https_url(f"/fault/{path}")
    command = ["curl", "--silent", "--max-time", "20", version, "--cacert", str(server.ca), url]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == status, done
    assert (status != 0) or done.stdout == CONTENT
