"""Reading the content of a request, by its length or chunk by chunk."""

from __future__ import annotations

import pytest

from tests.helpers.cutting import octet_by_octet
from wptproto.errors import RemoteProtocolError
from wptproto.protocol.h1_content import (
    MAX_LINE_OCTETS,
    MAX_TRAILER_OCTETS,
    ChunkedReader,
    ContentReader,
    LengthReader,
)
from wptproto.semantics.fields import FieldLine


def read(reader: ContentReader, octets: bytes, *, piecemeal: bool = False) -> tuple[bytes, bytes]:
    """Let *reader* take what it wants; return the content and what is left."""
    buffer = bytearray()
    content = b""
    for piece in octet_by_octet(octets) if piecemeal else [octets]:
        buffer += piece
        while not reader.done and (data := reader.read(buffer)):
            content += data
    return content, bytes(buffer)


@pytest.fixture(params=[False, True], ids=["whole", "octet-by-octet"])
def piecemeal(request: pytest.FixtureRequest) -> bool:
    found: bool = request.param
    return found


def test_a_length(piecemeal: bool) -> None:
    """Content-Length says how many octets are content (RFC 9112 §6.3); what follows is left."""
    reader = LengthReader(5)
    assert read(reader, b"helloGET /", piecemeal=piecemeal) == (b"hello", b"GET /")
    assert reader.done
    assert len(reader.trailers) == 0


def test_no_length() -> None:
    """Of no content, nothing is missing."""
    assert LengthReader(0).done


def test_a_length_that_is_not_reached() -> None:
    """What did not come can be said."""
    reader = LengthReader(5)
    assert read(reader, b"hel") == (b"hel", b"")
    assert not reader.done
    assert reader.missing() == "2 of the 5 octets that Content-Length promised"


TRAILERS = b"0\r\nA: 1\r\nb:\t2 \r\nA:\r\n\r\n"


@pytest.mark.parametrize(
    ("octets", "content", "trailers"),
    [
        (b"0\r\n\r\n", b"", []),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello", []),
        (b"2\r\nhe\r\n003\r\nllo\r\n000\r\n\r\n", b"hello", []),
        (b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", b"0123456789" * 2, []),
        (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n", []),
        (b"1;a=b\r\nx\r\n0;c\r\n\r\n", b"x", []),
        (b'1 \t; a = "b;\xff" \r\nx\r\n0\r\n\r\n', b"x", []),
        (b"000000000000000f\r\n0123456789abcde\r\n0\r\n\r\n", b"0123456789abcde", []),
        (b"1\r\nx\r\n" + TRAILERS, b"x", [(b"A", b"1"), (b"b", b"2"), (b"A", b"")]),
    ],
)
def test_chunks(octets: bytes, content: bytes, trailers: list[FieldLine], piecemeal: bool) -> None:
    """chunked-body = *chunk last-chunk trailer-section CRLF; extensions are ignored (RFC 9112 §7.1)."""
    reader = ChunkedReader()
    assert read(reader, octets + b"GET /", piecemeal=piecemeal) == (content, b"GET /")
    assert reader.done
    assert list(reader.trailers) == trailers


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"\r\n", id="no-size"),
        pytest.param(b"g\r\n", id="no-digit"),
        pytest.param(b"+5\r\n", id="sign"),
        pytest.param(b"-0\r\n", id="negative"),
        pytest.param(b"0x5\r\n", id="prefix"),
        pytest.param(b"1_0\r\n", id="underscore"),
        pytest.param(b" 5\r\n", id="blank-before"),
        pytest.param(b"5 \r\n", id="blank-behind"),
        pytest.param("٣".encode() + b"\r\n", id="other-digits"),
        pytest.param(b"00000000000000005\r\n", id="seventeen-digits"),
        pytest.param(b"5\n", id="size-line-ends-with-LF"),
        pytest.param(b"5;a\0b\r\n", id="NUL-in-extension"),
        pytest.param(b"5;a\rb\r\n", id="CR-in-extension"),
        pytest.param(b"5;a\x7f\r\n", id="DEL-in-extension"),
        pytest.param(b"5 a=b\r\n", id="extension-without-semicolon"),
        pytest.param(b"5\r\nhello\n", id="LF-behind-chunk"),
        pytest.param(b"5\r\nhelloo", id="chunk-longer-than-its-size"),
        pytest.param(b"5\r\nhello\rx", id="CR-behind-chunk"),
        pytest.param(b"0\r\n\n", id="LF-ends-content"),
        pytest.param(b"0\r\nA: 1\n", id="LF-ends-trailer"),
        pytest.param(b"0\r\nA : 1\r\n", id="blank-before-colon"),
        pytest.param(b"0\r\nA\r\n", id="trailer-without-colon"),
        pytest.param(b"0\r\n: 1\r\n", id="trailer-without-name"),
        pytest.param(b"0\r\nA: 1\r\n 2\r\n", id="folded-trailer"),
        pytest.param(b"0\r\nA: \0\r\n", id="NUL-in-trailer"),
        pytest.param(b"0\r\nA: a\rb\r\n", id="CR-in-trailer"),
    ],
)
def test_broken_chunks(octets: bytes, piecemeal: bool) -> None:
    """What h11 forgives in chunks, and int(), is where request smuggling begins: it is 400."""
    with pytest.raises(RemoteProtocolError) as caught:
        read(ChunkedReader(), octets, piecemeal=piecemeal)
    assert caught.value.status_hint == 400


def test_content_before_what_is_broken_counts() -> None:
    """What was received soundly, though together with what is broken, is content."""
    reader, buffer = ChunkedReader(), bytearray(b"2\r\nhe\r\n3\r\nllo\r\nx\r\n")
    assert reader.read(buffer) == b"hello"
    for _ in range(2):
        with pytest.raises(RemoteProtocolError):
            reader.read(buffer)


def test_a_chunk_is_delivered_before_it_is_complete() -> None:
    """Of a large chunk, what came can be read."""
    reader = ChunkedReader()
    assert read(reader, b"ffffffffffffffff\r\nabc") == (b"abc", b"")
    assert reader.missing() == "the rest of the chunked content"


def test_the_limit_of_a_line(piecemeal: bool) -> None:
    """A recipient ought to limit the length of chunk extensions (RFC 9112 §7.1.1)."""
    line = b"0;".ljust(MAX_LINE_OCTETS - 1, b"x")
    reader = ChunkedReader()
    assert read(reader, line + b"\r\n\r\n", piecemeal=piecemeal) == (b"", b"")
    assert reader.done
    for end in (b"x\r\n", b"xx"):
        with pytest.raises(RemoteProtocolError, match="exceeds"):
            read(ChunkedReader(), line + end, piecemeal=piecemeal)


def test_the_limit_of_the_trailers() -> None:
    """A trailer section beyond the limit is 431 (RFC 6585 §5); one at the limit is read."""
    line = b"a:".ljust(MAX_TRAILER_OCTETS // 8, b"x") + b"\r\n"
    reader = ChunkedReader()
    read(reader, b"0\r\n" + line * 8 + b"\r\n")
    assert len(reader.trailers) == 8
    with pytest.raises(RemoteProtocolError) as caught:
        read(ChunkedReader(), b"0\r\n" + line * 8 + b"a:\r\n\r\n")
    assert caught.value.status_hint == 431
