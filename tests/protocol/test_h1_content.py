"""Reading the content of a request, by its length or chunk by chunk."""

from __future__ import annotations

import pytest

from tests.helpers.cutting import octet_by_octet
from wptproto.errors import RemoteProtocolError
from wptproto.limits import Limits
from wptproto.protocol.h1_content import ChunkedReader, ContentReader, LengthReader
from wptproto.protocol.rules import Leniency, Rules
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
        (b'1 \t; a = "b;\xff\\"c";d\r\nx\r\n0\r\n\r\n', b"x", []),
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
        pytest.param(b"5;\r\n", id="extension-without-name"),
        pytest.param(b"5;a=\r\n", id="extension-without-value"),
        pytest.param(b'5;a="b\r\n', id="extension-with-open-quotes"),
        pytest.param(b"5;a \r\n", id="blank-behind-extension"),
        pytest.param(b"5\r\nhello\n", id="LF-behind-chunk"),
        pytest.param(b"5\r\nhelloo", id="chunk-longer-than-its-size"),
        pytest.param(b"5\r\nhello\rx", id="CR-behind-chunk"),
        pytest.param(b"0\r\n\n", id="LF-ends-content"),
        pytest.param(b"0\r\nA: 1\n", id="LF-ends-trailer"),
        pytest.param(b"0\r\nA : 1\r\n\r\n", id="blank-before-colon"),
        pytest.param(b"0\r\nA\r\n\r\n", id="trailer-without-colon"),
        pytest.param(b"0\r\n: 1\r\n\r\n", id="trailer-without-name"),
        pytest.param(b"0\r\nA: 1\r\n 2\r\n\r\n", id="folded-trailer"),
        pytest.param(b"0\r\nA: \0\r\n\r\n", id="NUL-in-trailer"),
        pytest.param(b"0\r\nA: a\rb\r\n\r\n", id="CR-in-trailer"),
    ],
)
def test_broken_chunks(octets: bytes, piecemeal: bool) -> None:
    """What int() and other servers forgive in chunks is where request smuggling begins: it is 400."""
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
    reader = ChunkedReader(Rules(limits=Limits.none()))
    assert read(reader, b"7fffffffffffffff\r\nabc") == (b"abc", b"")
    assert reader.missing() == "the rest of the chunked content"


def test_the_limit_of_a_line(piecemeal: bool) -> None:
    """A recipient ought to limit the length of chunk extensions (RFC 9112 §7.1.1)."""
    rules = Rules(limits=Limits(chunk_line_octets=20))
    line = b"0;".ljust(18, b"x")
    reader = ChunkedReader(rules)
    assert read(reader, line + b"\r\n\r\n", piecemeal=piecemeal) == (b"", b"")
    assert reader.done
    for end in (b"x\r\n", b"xxx"):
        with pytest.raises(RemoteProtocolError, match="chunk_line_octets: more than 20"):
            read(ChunkedReader(rules), line + end, piecemeal=piecemeal)


def test_the_limit_of_the_trailers() -> None:
    """A trailer section beyond the limit is 431 (RFC 6585 §5); one at the limit is read."""
    rules = Rules(limits=Limits(field_section_octets=82))
    line = b"a:".ljust(8, b"x") + b"\r\n"
    reader = ChunkedReader(rules)
    read(reader, b"0\r\n" + line * 8 + b"\r\n")
    assert len(reader.trailers) == 8
    for end in (line + b"\r\n", b"x" * 83):
        with pytest.raises(RemoteProtocolError) as caught:
            read(ChunkedReader(rules), b"0\r\n" + line * 8 + end)
        assert caught.value.status_hint == 431


def test_the_limit_of_the_content() -> None:
    """More content than the limits allow is 413 (RFC 9110 §15.5.14), as soon as its chunk is announced."""
    rules = Rules(limits=Limits(content_octets=5))
    reader = ChunkedReader(rules)
    assert read(reader, b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n") == (b"hello", b"")
    reader = ChunkedReader(rules)
    assert read(reader, b"2\r\nhe\r\n")[0] == b"he"
    with pytest.raises(RemoteProtocolError, match="content_octets: more than 5") as caught:
        read(reader, b"4\r\n")
    assert caught.value.status_hint == 413


@pytest.mark.parametrize(
    ("leniency", "octets"),
    [
        (Leniency.BARE_LF, b"2\nhe\n3\r\nllo\n0\nA: 1\n\n"),
        (Leniency.CHUNK_EXTENSIONS, b"2 ;\r\nhe\r\n3 \0\r\nllo\r\n0\r\nA: 1\r\n\r\n"),
        (Leniency.OBS_FOLD, b"5\r\nhello\r\n0\r\nA:\r\n 1\r\n\r\n"),
        (Leniency.SPACE_BEFORE_COLON, b"5\r\nhello\r\n0\r\nA : 1\r\n\r\n"),
    ],
)
def test_what_can_be_forgiven(leniency: Leniency, octets: bytes, piecemeal: bool) -> None:
    """Each strictness can be switched off by itself."""
    reader = ChunkedReader(Rules(lenient=frozenset([leniency])))
    assert read(reader, octets + b"GET", piecemeal=piecemeal) == (b"hello", b"GET")
    assert list(reader.trailers) == [(b"A", b"1")]
    with pytest.raises(RemoteProtocolError):
        read(ChunkedReader(Rules(lenient=frozenset(Leniency) - {leniency})), octets, piecemeal=piecemeal)
