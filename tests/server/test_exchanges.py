"""Exchanges: when handlers are called."""

from __future__ import annotations

from pathlib import Path

import pytest
from h2.settings import SettingCodes

from tests.helpers.peers import H2Peer, connect
from tests.helpers.waiting import assert_soon
from wptproto import Limits, Request, Response, Server


def test_requests_wait_for_their_handlers(certs_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While too much waits for a client to read it, no more handlers are called, and the log says so."""
    called: list[str] = []

    def handler(request: Request, response: Response) -> bytes:
        called.append(request.path)
        return bytes(5000)

    limits = Limits(queued_octets=4000)
    with (
        Server(routes=[("GET", "/*", handler)], certs_dir=certs_dir, limits=limits) as server,
        connect(server, "h2c") as peer,
    ):
        assert isinstance(peer, H2Peer)
        peer.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        peer.send_request("/1")
        while not peer.answers[1].status:
            assert peer._receive()
        for path in ("/2", "/3"):
            peer.send_request(path)
        said = "127.0.0.1: past the limit queued_octets: more than 4000; "
        assert_soon(lambda: said in caplog.text)
        assert called == ["/1"]
        peer.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 65535})
        peer._flush()
        assert {len(peer.read_answer(stream).content) for stream in (1, 3, 5)} == {5000}
