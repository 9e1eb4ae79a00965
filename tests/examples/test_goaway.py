"""GOAWAY in mid flight: the request that it lets through is finished, and the next one goes elsewhere."""

import subprocess

import pytest


@pytest.mark.wptproto(protocols=["h2"])
def test_goaway(wptproto_server):
    wptproto_server.expect("GET", "/one").respond(200, content="one").fault("goaway", octet=1)
    wptproto_server.expect("GET", "/two").respond(200, content="two")
    urls = [wptproto_server.url(path) for path in ("/one", "/two")]
    done = subprocess.run(
        ["curl", "-sS", "--cacert", wptproto_server.ca, *urls], capture_output=True, timeout=60
    )
    assert done.stdout == b"onetwo"
    assert [exchange.connection.number for exchange in wptproto_server.exchanges] == [1, 2]
