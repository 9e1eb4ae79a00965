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


def test_curl(url):
    done = subprocess.run(["curl", "-sS", "--http1.1", url, url], capture_output=True, text=True, timeout=60)
    assert "(18) transfer closed with 6 bytes remaining to read" in done.stderr
    assert done.stdout == "0123all of it"
