"""A client that tries again: what it may send twice, and what it may not (RFC 9110 §9.2.2)."""

import pytest
import urllib3

RETRIES = urllib3.Retry(total=5, backoff_factor=0, status_forcelist=[503])


def test_get_is_sent_again(wptproto_server):
    wptproto_server.expect("GET", "/").respond(200, content="one").fault("close", at="idle")
    wptproto_server.expect("GET", "/").fault("reset", at="request_head")
    wptproto_server.expect("GET", "/").respond(503, headers={"Retry-After": "0"})
    wptproto_server.expect("GET", "/").respond(200, content="two")
    with urllib3.PoolManager(retries=RETRIES) as client:
        url = wptproto_server.http_url("/")
        assert [client.request("GET", url).data for _ in range(2)] == [b"one", b"two"]


def test_post_is_not(wptproto_server):
    wptproto_server.expect("POST", "/", content="once").fault("reset", at="response_head")
    with urllib3.PoolManager(retries=RETRIES) as client:
        with pytest.raises(urllib3.exceptions.ProtocolError):
            client.request("POST", wptproto_server.http_url("/"), body=b"once")
