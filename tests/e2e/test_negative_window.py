"""A window below zero: a client waits until it is above again (RFC 9113 §6.9.2)."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

pytestmark = pytest.mark.wptproto(protocols=["h2"], by_hand=True)

CONTENT = bytes(200_000)


def answer(server):
    """Take the window back when it has been used, then give all of it."""
    with server.accept("h2", windows="withheld") as connection:
        stream = connection.expect_headers(method="POST").stream_id
        content = connection.read_content(stream, 65_535)
        connection.send_settings({"INITIAL_WINDOW_SIZE": 0})
        connection.expect_acknowledged()
        assert connection.windows(stream).to_receive == -65_535
        for one in (0, stream):
            connection.send_window_update(one, 300_000)
        content += connection.read_content(stream)
        connection.respond(stream, 200, content=b"%d" % len(content))


def test_curl(wptproto_server, curl):
    command = [curl, "-sS", "--cacert", str(wptproto_server.ca), "--data-binary", "@-", "-H", "expect:"]
    client = subprocess.Popen(
        [*command, wptproto_server.url("/")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with ThreadPoolExecutor() as threads:
        threads.submit(client.communicate, CONTENT)
        answer(wptproto_server)
        assert client.wait(20) == 0


@pytest.mark.xfail(httpx.__version__ == "0.28.1", reason="takes it for room: see findings.md", strict=True)
def test_httpx(wptproto_server):
    with (
        ThreadPoolExecutor() as threads,
        httpx.Client(http2=True, verify=wptproto_server.client_context()) as client,
    ):
        upload = threads.submit(client.post, wptproto_server.url("/"), content=CONTENT)
        answer(wptproto_server)
        assert upload.result(20).text == "200000"
