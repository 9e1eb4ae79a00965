"""H1ResponseWriter: the octets a script asked for, one by one, and what becomes of the connection."""

from __future__ import annotations

import io

import pytest

from tests.helpers.inline import InlineBridge, as_is, begin
from wptproto import LocalProtocolError
from wptproto.exchange.exchange import Exchange
from wptproto.protocol.connection import Closing
from wptproto.protocol.h1 import H1Connection
from wptproto.protocol.rules import DEFAULT_RULES, Leniency, Rules

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Wire:
    """An exchange over HTTP/1.1, and its octets."""

    def __init__(self, request: bytes = GET, rules: Rules = DEFAULT_RULES) -> None:
        self.connection = H1Connection(rules)
        self.exchange: Exchange
        self.bridge: InlineBridge
        self.exchange, self.bridge = begin(self.connection, request)
        self.response = self.exchange.response
        self.writer = self.response.writer

    def sent(self) -> bytes:
        return self.connection.data_to_send()

    def finish(self) -> bytes:
        self.exchange.finish()
        return self.sent()

    @property
    def stays_open(self) -> bool:
        return self.connection.closing is Closing.NO


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_each_part_is_flushed(wire: Wire) -> None:
    """After each part the output is flushed."""
    wire.response.add_required_headers = False
    assert as_is(wire.writer.write_status(200)) is True
    assert wire.sent() == b"HTTP/1.1 200 OK\r\n"
    assert as_is(wire.writer.write_header("Content-Length", 2)) is True
    assert wire.sent() == b"Content-Length: 2\r\n"
    assert as_is(wire.writer.end_headers()) is True
    assert wire.sent() == b"\r\n"
    assert as_is(wire.writer.write("ok")) is True
    assert wire.sent() == b"ok"
    assert wire.finish() == b""
    assert wire.stays_open


def test_explicit_flush(wire: Wire) -> None:
    """With explicit_flush nothing leaves before flush(), and then all of it in one crossing."""
    wire.response.explicit_flush = True
    wire.response.add_required_headers = False
    wire.writer.write_status(200, "Fine")
    wire.writer.write_header(b"X", b"1")
    assert wire.sent() == b""
    wire.writer.flush()
    assert wire.sent() == b"HTTP/1.1 200 Fine\r\nX: 1\r\n"
    wire.writer.write_header("Content-Length", "1")
    wire.writer.end_headers()
    wire.writer.write("x")
    assert wire.finish() == b"Content-Length: 1\r\n\r\nx"
    assert wire.stays_open


def test_a_ready_response_crosses_once(wire: Wire) -> None:
    """A response that was filled in goes over with all its commands at once."""
    wire.response.content = "content"
    wire.response.explicit_flush = True
    wire.response.write()
    wire.exchange.finish()
    assert wire.bridge.crossings == [["SendHead", "SendContent", "Finish"]]


@pytest.mark.parametrize(
    ("head", "content", "sound"),
    [
        ([("Content-Length", "2")], "ok", True),
        ([("Content-Length", "3")], "ok", False),
        ([("Content-Length", "1")], "ok", False),
        ([("Content-Length", "2"), ("Content-Length", "2")], "ok", False),
        ([("Content-Length", "+2")], "ok", False),
        ([("Content-Length", "2"), ("Transfer-Encoding", "chunked")], "ok", False),
        ([("Transfer-Encoding", "chunked")], "2\r\nok\r\n0\r\n\r\n", True),
        ([("Transfer-Encoding", "chunked")], "2\r\nok\r\n", False),
        ([("Transfer-Encoding", "gzip")], "ok", False),
        ([("Content-Length", "2"), ("X Y", "1")], "ok", False),
        ([("Content-Length", "2"), ("", "1")], "ok", False),
        ([("Content-Length", "2"), ("X", "a\r\nb")], "ok", False),
        ([("Content-Length", "2"), ("X", "a\0b")], "ok", False),
        ([("Content-Length", "2"), ("X", "\xff\t ~")], "ok", True),
        ([("Content-Length", "2"), ("X", "")], "ok", True),
        ([("Content-Length", "2"), ("Connection", "Close")], "ok", False),
        ([], "ok", False),
    ],
)
@pytest.mark.parametrize("in_pieces", [True, False])
def test_octets_arrive_as_asked(
    wire: Wire, head: list[tuple[str, str]], content: str, sound: bool, in_pieces: bool
) -> None:
    """Octets arrive unchanged; afterwards the connection closes unless the message was sound."""
    wire.response.add_required_headers = False
    wire.response.explicit_flush = not in_pieces
    wire.response.encoding = "latin-1"
    wire.writer.write_status(200)
    for name, value in head:
        wire.writer.write_header(name, value)
    wire.writer.end_headers()
    wire.writer.write(content)
    expected = (
        "HTTP/1.1 200 OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in head) + "\r\n" + content
    )
    assert wire.finish() == expected.encode("latin-1")
    assert wire.stays_open is sound


@pytest.mark.parametrize(
    ("octets", "sound"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True),
        (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True),
        (b"HTTP/1.1 204 \r\n\r\n", True),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", False),
        (b"HTTP/9 what\r\n\r\n", False),
        (b"\x16\x03\x01", False),
        (b"", False),
    ],
)
def test_by_hand(wire: Wire, octets: bytes, sound: bool) -> None:
    """A status line, or a whole message, may be written by hand."""
    for place in range(0, len(octets), 7):
        wire.writer.write(octets[place : place + 7])
    if not octets:
        wire.writer.write(b"")
    assert wire.finish() == octets
    assert wire.stays_open is sound


def test_by_hand_then_by_verbs(wire: Wire) -> None:
    """After a status line by hand, the verbs go on where it ended."""
    wire.response.add_required_headers = False
    wire.writer.write("HTTP/1.1 200 Very Well\r\n")
    wire.writer.write_header("Content-Length", 2)
    wire.writer.end_headers()
    wire.writer.write_content("ok")
    assert wire.finish() == b"HTTP/1.1 200 Very Well\r\nContent-Length: 2\r\n\r\nok"
    assert wire.stays_open


def test_a_head_that_was_never_ended(wire: Wire) -> None:
    """A head that breaks off goes out as far as it went."""
    wire.response.explicit_flush = True
    wire.writer.write_status(200)
    assert wire.finish() == b"HTTP/1.1 200 OK\r\n"
    assert not wire.stays_open


def test_raw_content_of_a_file(wire: Wire) -> None:
    """write_raw_content takes a file of octets by hand, and closes it; of nothing it makes nothing."""
    with pytest.raises(ValueError, match="not NoneType"):
        wire.writer.write_raw_content(None)  # type: ignore[arg-type]
    file = io.BytesIO(b"HTTP/1.1 202 Giraffe\r\nContent-Length: 1\r\n\r\nx")
    wire.writer.write_raw_content(file)
    assert file.closed
    assert wire.finish() == b"HTTP/1.1 202 Giraffe\r\nContent-Length: 1\r\n\r\nx"
    assert wire.stays_open


@pytest.mark.parametrize("in_pieces", [True, False])
def test_chunks_and_trailers(wire: Wire, in_pieces: bool) -> None:
    """Content of unknown length is chunked, and trailers follow the last chunk (RFC 9112 §7.1)."""
    wire.response.explicit_flush = not in_pieces
    wire.writer.write_status(200)
    wire.writer.write_header("Server", "s")
    wire.writer.write_header("Date", "d")
    wire.writer.end_headers()
    wire.writer.write("ten octets")
    wire.writer.write("")
    wire.writer.write_trailers([("X", "y")])
    with pytest.raises(LocalProtocolError, match="ended already"):
        wire.writer.write("behind the end")
    assert wire.finish() == (
        b"HTTP/1.1 200 OK\r\nServer: s\r\nDate: d\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"a\r\nten octets\r\n0\r\nX: y\r\n\r\n"
    )
    assert wire.stays_open


def test_trailers_need_chunks(wire: Wire) -> None:
    """Where content has a length, there is no place for trailers."""
    wire.writer.write_header("Content-Length", 0)
    wire.writer.end_headers()
    with pytest.raises(LocalProtocolError, match="chunked"):
        wire.writer.write_trailers([("X", "y")])


@pytest.mark.parametrize("in_pieces", [True, False])
def test_interim_response(wire: Wire, in_pieces: bool) -> None:
    """An interim response is followed by the final one (RFC 9110 §15.2)."""
    wire.response.explicit_flush = not in_pieces
    wire.response.add_required_headers = False
    wire.writer.write_status(103)
    wire.writer.write_header("Link", "x")
    wire.writer.end_headers()
    wire.writer.write_status(204)
    wire.writer.end_headers()
    assert wire.finish() == b"HTTP/1.1 103 \r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
    assert wire.stays_open


def test_switching_protocols(wire: Wire) -> None:
    """Behind 101 the octets are the script's, and the connection is no HTTP any more."""
    wire.response.add_required_headers = False
    wire.writer.write_status(101)
    wire.writer.write_header("Upgrade", "x")
    wire.writer.end_headers()
    wire.writer.write(b"\x81\x00")
    assert wire.finish() == b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x81\x00"
    assert not wire.stays_open


@pytest.mark.parametrize(
    ("request_fields", "connection", "stays_open"),
    [
        (b"HTTP/1.1\r\nHost: a\r\n", None, True),
        (b"HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", b"close", False),
        (b"HTTP/1.0\r\n", b"close", False),
        (b"HTTP/1.0\r\nConnection: keep-alive\r\n", b"keep-alive", True),
        (b"HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n", b"close", False),
        (b"HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", b"close", False),
    ],
)
def test_connection_field(request_fields: bytes, connection: bytes | None, stays_open: bool) -> None:
    """
    The response says whether the connection persists where the version does not (RFC 9112 §9.3), also behind
    framing that was forgiven (§6.1).
    """
    wire = Wire(b"GET / " + request_fields + b"\r\n", Rules(lenient=frozenset(Leniency)))
    wire.response.content = "content"
    wire.response.write()
    octets = wire.finish()
    assert (b"Connection: %s\r\n" % connection in octets) if connection else (b"Connection" not in octets)
    assert wire.stays_open is stays_open


def test_unknown_length_to_http_1_0(wire: Wire) -> None:
    """An HTTP/1.0 client knows no chunks; the end of the connection ends the content."""
    wire = Wire(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    wire.response.content = iter(["a", "b"])
    wire.response.write()
    octets = wire.finish()
    assert octets.endswith(b"\r\nConnection: close\r\n\r\nab")
    assert b"Transfer-Encoding" not in octets
    assert not wire.stays_open


# --- interim responses and trailers --------------------------------------------------------------


def test_informational(wire: Wire) -> None:
    """An interim response is a head by itself, which leaves at once, and no part of the final one."""
    wire.writer.write_informational(103, [("Link", "</a>"), (b"X", 1)])
    assert wire.sent() == b"HTTP/1.1 103 \r\nLink: </a>\r\nX: 1\r\n\r\n"
    wire.writer.write_informational(100)
    assert wire.sent() == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (wire.writer.content_written, wire.writer.committed) == (False, False)
    wire.response.add_required_headers = False
    wire.response.headers.set("Content-Length", 2)
    wire.response.content = "ok"
    wire.response.write(ends=True)
    assert wire.finish() == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    assert wire.stays_open


def test_informational_waits_for_flush(wire: Wire) -> None:
    """With explicit_flush it waits."""
    wire.response.explicit_flush = True
    wire.writer.write_informational(103)
    assert wire.sent() == b""
    wire.writer.flush()
    assert wire.sent() == b"HTTP/1.1 103 \r\n\r\n"


def test_informational_behind_octets_by_hand(wire: Wire) -> None:
    """What is written by hand may be a head, so nothing can be put in its middle."""
    wire.writer.write(b"HTTP/1.1 200 OK\r\n")
    with pytest.raises(LocalProtocolError, match="103 comes too late"):
        wire.writer.write_informational(103)


def test_trailers_are_one_crossing(wire: Wire) -> None:
    """A response that is ready goes over once, trailers and all."""
    wire.response.content = "content"
    wire.response.trailers = [("X-Sum", 7), ("Y", "z")]
    wire.response.write(ends=True)
    octets = wire.finish()
    assert wire.bridge.crossings == [["SendHead", "SendContent", "SendTrailers", "Finish"]]
    head, content = octets.split(b"\r\n\r\n", 1)
    assert b"\r\nTransfer-Encoding: chunked" in head
    assert b"Content-Length" not in head
    assert content == b"7\r\ncontent\r\n0\r\nX-Sum: 7\r\nY: z\r\n\r\n"
    assert wire.stays_open


def test_trailers_behind_a_head_in_pieces(wire: Wire) -> None:
    """A head that has left in pieces may be followed by trailers that were filled in."""
    wire.response.trailers.set("X", "y")
    wire.writer.write_status(200)
    wire.writer.write_header("A", "b")
    wire.writer.end_headers()
    wire.writer.write("x")
    assert wire.finish().endswith(b"\r\n\r\n1\r\nx\r\n0\r\nX: y\r\n\r\n")
    assert wire.stays_open


def test_trailers_nobody_could_read(wire: Wire) -> None:
    """Trailers go out as they are; behind unsound ones the connection closes."""
    wire.response.trailers.set("X", "a\r\n b")
    wire.response.write(ends=True)
    assert wire.finish().endswith(b"0\r\nX: a\r\n b\r\n\r\n")
    assert not wire.stays_open


def test_no_trailers_leave_everything_as_it_was(wire: Wire) -> None:
    """To have looked at trailers changes nothing."""
    assert len(wire.response.trailers) == 0
    wire.response.content = "content"
    wire.response.write(ends=True)
    assert b"\r\nContent-Length: 7\r\n" in wire.finish()


def test_no_push(wire: Wire) -> None:
    """HTTP/1.1 has none."""
    assert not wire.response.can_push
    with pytest.raises(LocalProtocolError, match="has no server push"):
        wire.response.push("/x")
