"""A response that ends too soon: a client has to say so, and to leave its connection alone (RFC 9112 §8)."""

import asyncio
import http.client
import subprocess

import aiohttp
import httpx
import pytest
import urllib3


@pytest.fixture
def url(wptproto_server):
    wptproto_server.expect("GET", "/x").respond(200, content="0123456789").fault("truncate", octet=4)
    wptproto_server.expect("GET", "/x").respond(200, content="all of it")
    yield wptproto_server.http_url("/x")
    assert [exchange.connection.number for exchange in wptproto_server.exchanges] == [1, 2]


def test_urllib3(url):
    with urllib3.PoolManager(retries=False) as client:
        with pytest.raises(urllib3.exceptions.ProtocolError, match="4 bytes read, 6 more expected"):
            client.request("GET", url)
        assert client.request("GET", url).data == b"all of it"


def test_httpx(url):
    with httpx.Client() as client:
        with pytest.raises(httpx.RemoteProtocolError, match="received 4 bytes, expected 10"):
            client.get(url)
        assert client.get(url).content == b"all of it"


def test_aiohttp(url):
    async def main():
        async with aiohttp.ClientSession() as client:
            with pytest.raises(aiohttp.ClientPayloadError):
                async with client.get(url) as response:
                    await response.read()
            async with client.get(url) as response:
                assert await response.read() == b"all of it"

    asyncio.run(main())


def test_http_client(url):
    client = http.client.HTTPConnection(*url.split("/")[2].split(":"))
    client.request("GET", "/x")
    with pytest.raises(http.client.IncompleteRead, match="4 bytes read, 6 more expected"):
        client.getresponse().read()
    client.close()  # or it would use the connection again: see tests/examples/findings.md
    client.request("GET", "/x")
    assert client.getresponse().read() == b"all of it"
    client.close()


def ask(client):
    client.request("GET", "/x")
    return client.getresponse()


def test_http_client_keeps_the_connection(wptproto_server):
    """What http.client does wrong, as tests/examples/findings.md says: it asks on where nobody answers."""
    wptproto_server.expect("GET", "/x").respond(200, content="0123456789").fault("truncate", octet=4)
    client = http.client.HTTPConnection("localhost", wptproto_server.http_port)
    client.request("GET", "/x")
    with pytest.raises(http.client.IncompleteRead):
        client.getresponse().read()
    with pytest.raises(OSError, match=r"closed connection without response|Broken pipe|reset"):
        ask(client)
    client.close()


@pytest.mark.xfail(
    httpx.__version__ == "0.28.1", reason="raises an error of h2's: see findings.md", strict=True
)
@pytest.mark.wptproto(protocols=["h2"])
def test_httpx_over_http2(wptproto_server):
    wptproto_server.expect("GET", "/x").respond(200, content="0123456789").fault("truncate", octet=4)
    with httpx.Client(http2=True, verify=wptproto_server.client_context()) as client:
        with pytest.raises(httpx.HTTPError):
            client.get(wptproto_server.url("/x"))


def test_curl(url, curl):
    done = subprocess.run([curl, "-sS", "--http1.1", url, url], capture_output=True, text=True, timeout=60)
    assert "(18) transfer closed with 6 bytes remaining to read" in done.stderr
    assert done.stdout == "0123all of it"
