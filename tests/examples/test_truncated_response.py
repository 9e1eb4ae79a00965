"""A response that ends too soon: the client says so, and does not use its connection again."""

import httpx
import pytest


@pytest.mark.wptproto(protocols=["h1", "h1s"])
def test_truncated_response(wptproto_server):
    wptproto_server.expect("GET", "/x").respond(200, content="0123456789").fault("truncate", octet=4)
    wptproto_server.expect("GET", "/x").respond(200, content="all of it")
    url = wptproto_server.url("/x")
    with httpx.Client(verify=wptproto_server.client_context()) as client:
        with pytest.raises(httpx.RemoteProtocolError, match="received 4 bytes, expected 10"):
            client.get(url)
        assert client.get(url).text == "all of it"
    assert [exchange.connection.number for exchange in wptproto_server.exchanges] == [1, 2]
