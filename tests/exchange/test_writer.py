"""One contract, every ResponseWriter: what both implementations promise alike."""

from __future__ import annotations

import io

import h2.config
import h2.connection
import pytest

from tests.helpers.inline import InlineBridge, as_is, begin
from wptproto import LocalProtocolError, ResponseWriter
from wptproto.exchange.exchange import Exchange
from wptproto.protocol.connection import Connection
from wptproto.protocol.h1 import H1Connection
from wptproto.protocol.h2 import H2Connection


def request_octets(version: str, method: str) -> tuple[Connection, bytes]:
    if version == "HTTP/1.1":
        return H1Connection(), f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    client = h2.connection.H2Connection(h2.config.H2Configuration())
    client.initiate_connection()
    client.send_headers(
        1, [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", "/")], end_stream=True
    )
    return H2Connection(), client.data_to_send()


@pytest.fixture(params=["HTTP/1.1", "HTTP/2.0"])
def version(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def begun(version: str) -> tuple[Exchange, InlineBridge]:
    return begin(*request_octets(version, "GET"))


@pytest.fixture
def writer(begun: tuple[Exchange, InlineBridge]) -> ResponseWriter:
    return begun[0].response.writer


def test_version_decides(begun: tuple[Exchange, InlineBridge], version: str) -> None:
    """Each protocol has its writer, and all share the interface."""
    assert (
        type(begun[0].response.writer).__name__
        == ("H1" if version == "HTTP/1.1" else "H2") + "ResponseWriter"
    )


def test_encode(writer: ResponseWriter, begun: tuple[Exchange, InlineBridge]) -> None:
    """encode() turns text into octets by response.encoding, and leaves octets alone."""
    begun[0].response.encoding = "utf-16-le"
    assert writer.encode("a") == b"a\0"
    assert writer.encode(b"a") == b"a"
    assert writer.encode(memoryview(b"a")) == b"a"  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="str or bytes, not float"):
        writer.encode(1.5)  # type: ignore[arg-type]


def test_required_headers(writer: ResponseWriter, begun: tuple[Exchange, InlineBridge]) -> None:
    """end_headers adds Server and Date, but not what the script wrote itself, in whatever case."""
    exchange, bridge = begun
    exchange.response.explicit_flush = True
    writer.write_status(200)
    writer.write_header("DATE", "today")
    writer.end_headers()
    exchange.finish()
    octets = bridge.connection.data_to_send()
    assert bridge.closed
    assert octets.lower().count(b"date") <= 1


def test_written_and_committed(writer: ResponseWriter, begun: tuple[Exchange, InlineBridge]) -> None:
    """content_written says that the script writes itself; committed, that something was handed over."""
    begun[0].response.explicit_flush = True
    assert (writer.content_written, writer.committed) == (False, False)
    writer.write_status(200)
    assert (writer.content_written, writer.committed) == (True, False)
    writer.end_headers()
    writer.flush()
    assert writer.committed


def test_an_interim_response_does_not_commit(
    writer: ResponseWriter, begun: tuple[Exchange, InlineBridge]
) -> None:
    """After an interim response an error can still take the place of the final one."""
    begun[0].response.explicit_flush = True
    writer.write_status(103)
    writer.end_headers()
    writer.flush()
    assert not writer.committed


def test_order(writer: ResponseWriter) -> None:
    """Status, fields, end of headers, content, trailers: in this order."""
    with pytest.raises(LocalProtocolError, match="before the end of the headers"):
        writer.write_trailers([])
    writer.write_status(200)
    with pytest.raises(LocalProtocolError, match="written already"):
        writer.write_status(200)
    writer.end_headers()
    for verb in (writer.end_headers, lambda: writer.write_header("a", "b")):
        with pytest.raises(LocalProtocolError, match="ended already"):
            verb()
    with pytest.raises(LocalProtocolError, match="written already"):
        writer.write_status(200)


def test_writes_after_the_end(writer: ResponseWriter, begun: tuple[Exchange, InlineBridge]) -> None:
    """After the exchange is over, every write answers False and does nothing."""
    exchange, bridge = begun
    writer.write_content("content")
    exchange.finish()
    bridge.connection.data_to_send()
    assert as_is(writer.write("more")) is False
    assert as_is(writer.flush()) is False
    assert bridge.connection.data_to_send() == b""


def test_file_is_closed_when_the_peer_is_gone(
    writer: ResponseWriter, begun: tuple[Exchange, InlineBridge]
) -> None:
    """A file is read no further than anyone wants it, and closed."""
    begun[1].closed = True
    file = io.BytesIO(b"x" * 100_000)
    assert as_is(writer.write_content(file)) is False
    assert file.closed


def test_file_is_closed_when_it_cannot_be_read(writer: ResponseWriter) -> None:
    """A file that fails is closed, and its error is the script's."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("broken")

    file = Broken()
    with pytest.raises(OSError, match="broken"):
        writer.write_content_file(file)
    assert file.closed


@pytest.mark.parametrize("status", [204, 304])
def test_no_content(writer: ResponseWriter, begun: tuple[Exchange, InlineBridge], status: int) -> None:
    """204 and 304 drop what is written as content."""
    writer.write_status(status)
    writer.end_headers()
    writer.write("content")
    crossed = [name for names in begun[1].crossings for name in names]
    assert "SendContent" not in crossed
    begun[0].finish()
    assert begun[1].closed


def test_content_where_the_script_insists(version: str) -> None:
    """send_body_for_head_request sends content also where HTTP has none."""
    exchange, bridge = begin(*request_octets(version, "HEAD"))
    exchange.response.send_body_for_head_request = True
    exchange.response.content = "insisted"
    exchange.response.write()
    exchange.finish()
    assert b"insisted" in bridge.connection.data_to_send()
