"""The same for coroutines, under asyncio, and under trio."""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trio

from wptproto import ExchangeClosed, Server, WireError
from wptproto.wire import DATA, H1Wire, H2Wire
from wptproto.wire.asynchronous import AsyncH1Wire, AsyncH2Wire


@pytest.fixture
def server(certs_dir: Path) -> Iterator[Server]:
    with Server(by_hand=True, certs_dir=certs_dir) as server:
        yield server


def test_a_client_on_the_same_loop(server: Server) -> None:
    """A test and the client that it tests are two coroutines of one loop, which nothing blocks."""

    async def main() -> None:
        async with httpx.AsyncClient(
            http1=False, http2=True, verify=server.client_context(), trust_env=False, timeout=20
        ) as client:
            asking = asyncio.ensure_future(client.post(server.https_url("/x"), content=b"abc"))
            async with await server.accept_async(protocol="h2") as conn:
                head = await conn.expect_headers(method="POST", path="/x")
                data = await conn.expect(DATA, stream_id=head.stream_id)
                assert data.content == b"abc"
                assert conn.windows(head.stream_id).to_receive == 65535
                await conn.respond(head.stream_id, 200, (), b"ok")
                assert (await asking).text == "ok"
                assert conn.tls is not None
                assert conn.client_address[0] in ("127.0.0.1", "::1")
                assert conn.received
                assert "> HEADERS" in conn.transcript

    asyncio.run(main())


def test_over_http_1(server: Server) -> None:
    """Over HTTP/1.1 it is the same; what the client broke is said at the end of the block."""

    async def main() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(WireError, match="no Host"):  # noqa: PT012 -- at the end of all that
            async with await server.accept_async("h1") as conn:
                request = await conn.expect_request(method="GET")
                assert request.octets == conn.received
                assert [violation.section for violation in conn.violations] == ["RFC 9112 §3.2"]
                with pytest.raises(WireError, match="the client broke"):
                    conn.check()
                await conn.send_response(204)
                assert (await reader.read(1000)).startswith(b"HTTP/1.1 204")
                writer.close()
        await writer.wait_closed()

    asyncio.run(main())


def test_a_wait_that_is_cancelled(server: Server) -> None:
    """Who is cancelled waits no longer, and loses nothing."""

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await server.accept_async("h1", timeout=60)
        _, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
        conn = await server.accept_async("h1", timeout=60)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await conn.receive(10)
        writer.write(b"0123456789")
        assert await conn.receive(10) == b"0123456789"
        waiting = asyncio.ensure_future(conn.receive())
        await asyncio.sleep(0)
        server.stop()
        with pytest.raises(ExchangeClosed, match="the server stops"):
            await waiting
        writer.close()

    asyncio.run(main())


def test_a_handshake_that_is_cancelled(server: Server) -> None:
    """A connection whose TLS or preface is awaited is let go of with the wait."""

    async def main() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
        accepting = asyncio.ensure_future(server.accept_async("h2c", timeout=60))
        assert await reader.readexactly(9) == bytes.fromhex("000000 04 00 00000000")
        accepting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await accepting
        assert await reader.read() == b""
        writer.close()

    asyncio.run(main())


@pytest.mark.parametrize(("plain", "other"), [(H1Wire, AsyncH1Wire), (H2Wire, AsyncH2Wire)])
def test_no_verb_is_missing(plain: type, other: type) -> None:
    """Each verb of the plain connection is one of the async one, with what is said of it."""
    ours = {
        name for name, member in inspect.getmembers(plain) if not name.startswith("_") and callable(member)
    }
    assert ours - set(dir(other)) == {
        "interrupt",
        "forget_interrupts",
        *(["begin"] if plain is H2Wire else []),
    }
    verbs = {
        name: member
        for cls in other.__mro__
        for name, member in vars(cls).items()
        if type(member).__name__ == "_Verb"
    }
    assert verbs
    assert all(member.__doc__ for member in verbs.values())


def test_under_trio() -> None:
    """Under trio the same verbs work, and are cancelled as any; who comes later is not taken by mistake."""

    async def main() -> None:
        with Server(by_hand=True, https_port=None) as server:
            assert server.http_port is not None
            with trio.move_on_after(0.01) as scope:
                await server.accept_async("h1", timeout=60)
            assert scope.cancelled_caught
            with socket.create_connection(("127.0.0.1", server.http_port)) as client:
                async with await server.accept_async("h1") as conn:
                    with trio.move_on_after(0.01) as scope:
                        await conn.receive()
                    assert scope.cancelled_caught
                    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    await conn.expect_request(target="/")
                    await conn.send_response(204)
                    assert client.recv(100).startswith(b"HTTP/1.1 204")
            with pytest.raises(WireError, match="no connection came"):
                await server.accept_async("h1", timeout=0.01)

    trio.run(main)
