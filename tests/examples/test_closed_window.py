"""An upload against a closed window: the client sends what that allows, and waits (RFC 9113 §5.2)."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest


@pytest.mark.wptproto(protocols=["h2"], by_hand=True)
def test_closed_window(wptproto_server):
    with (
        ThreadPoolExecutor() as threads,
        httpx.Client(http2=True, verify=wptproto_server.client_context()) as client,
    ):
        upload = threads.submit(client.post, wptproto_server.url("/"), content=bytes(70_000))
        with wptproto_server.accept("h2", windows="withheld") as connection:
            stream = connection.expect_headers(method="POST").stream_id
            assert len(connection.read_content(stream, 65_535)) == 65_535
            connection.expect_nothing(for_s=0.1)
            for one in (0, stream):
                connection.send_window_update(one, 10_000)
            assert len(connection.read_content(stream)) == 70_000 - 65_535
            connection.respond(stream, 204)
            assert upload.result().status_code == 204
