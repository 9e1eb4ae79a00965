"""A client that tries again: what it may send twice, and what it may not."""

import urllib3

RETRIES = urllib3.Retry(total=2, backoff_factor=0, raise_on_status=False, status_forcelist=[503])


def test_a_connection_that_is_gone(wptproto_server):
    """The server has closed an idle connection, as servers may; the client opens another."""
    wptproto_server.enqueue(200, content="one").fault("close", at="idle")
    wptproto_server.enqueue(200, content="two")
    with urllib3.PoolManager(retries=RETRIES) as client:
        for content in (b"one", b"two"):
            assert client.request("GET", wptproto_server.http_url("/")).data == content
    assert [exchange.connection.number for exchange in wptproto_server.exchanges] == [1, 2]


def test_a_request_without_a_response(wptproto_server):
    """GET is sent again: it is idempotent (RFC 9110 §9.2.2)."""
    wptproto_server.expect("GET", "/").fault("reset", at="request_head")
    wptproto_server.expect("GET", "/").respond(503, headers={"Retry-After": "0"})
    wptproto_server.expect("GET", "/").respond(200, content="at last")
    with urllib3.PoolManager(retries=RETRIES) as client:
        assert client.request("GET", wptproto_server.http_url("/")).data == b"at last"


def test_a_request_that_may_have_been_carried_out(wptproto_server):
    """POST is not: nobody knows what the server has made of it."""
    wptproto_server.expect("POST", "/", content="once").fault("reset", at="response_head")
    with urllib3.PoolManager(retries=RETRIES) as client:
        try:
            client.request("POST", wptproto_server.http_url("/"), body=b"once")
        except urllib3.exceptions.ProtocolError:
            pass
    assert len(wptproto_server.exchanges) == 1
