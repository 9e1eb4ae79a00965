"""An expired certificate: every client has to refuse it, and to say why."""

import asyncio
import http.client
import ssl
import subprocess

import aiohttp
import httpx
import pytest
import urllib3

pytestmark = pytest.mark.wptproto(tls="expired")


@pytest.fixture
def server(wptproto_server):
    yield wptproto_server
    assert not wptproto_server.exchanges  # nobody has asked for anything


def test_urllib3(server):
    with urllib3.PoolManager(ca_certs=str(server.ca), retries=False) as client:
        with pytest.raises(urllib3.exceptions.SSLError, match="certificate has expired"):
            client.request("GET", server.https_url("/"))


def test_httpx(server):
    with httpx.Client(verify=server.client_context(), http2=True) as client:
        with pytest.raises(httpx.ConnectError, match="certificate has expired"):
            client.get(server.https_url("/"))


def test_aiohttp(server):
    async def main():
        async with aiohttp.ClientSession() as client:
            await client.get(server.https_url("/"), ssl=server.client_context())

    with pytest.raises(aiohttp.ClientConnectorCertificateError, match="certificate has expired"):
        asyncio.run(main())


def test_http_client(server):
    client = http.client.HTTPSConnection("localhost", server.https_port, context=server.client_context())
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        client.request("GET", "/")


def test_curl(server, curl):
    command = [curl, "-sS", "--cacert", str(server.ca), server.https_url("/")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 60
    assert "certificate has expired" in done.stderr
