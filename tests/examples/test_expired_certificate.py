"""An expired certificate: the client refuses it, says why, and has asked for nothing."""

import httpx
import pytest


@pytest.mark.wptproto(protocols=["h1s", "h2"], tls="expired")
def test_expired_certificate(wptproto_server):
    with httpx.Client(verify=wptproto_server.client_context(), http2=True) as client:
        with pytest.raises(httpx.ConnectError, match="certificate has expired"):
            client.get(wptproto_server.url("/"))
    assert not wptproto_server.exchanges
