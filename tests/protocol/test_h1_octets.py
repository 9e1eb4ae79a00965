"""HTTP/1.1 octets as asked, and what may be said of them."""

from __future__ import annotations

import pytest

from wptproto.protocol import h1_octets
from wptproto.semantics.fields import FieldLine, Fields


@pytest.mark.parametrize(
    ("status", "reason", "octets"),
    [
        (200, b"OK", b"HTTP/1.1 200 OK\r\n"),
        (200, b"", b"HTTP/1.1 200 \r\n"),
        (7, b"\xff\r\nX: y", b"HTTP/1.1 7 \xff\r\nX: y\r\n"),
    ],
)
def test_status_line(status: int, reason: bytes, octets: bytes) -> None:
    """status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 §4), unchecked."""
    assert h1_octets.status_line(status, reason) == octets


def test_field_line() -> None:
    """Name and value go out as they are, also where they are none."""
    assert h1_octets.field_line(b"x-Y", b" a\0") == b"x-Y:  a\0\r\n"


@pytest.mark.parametrize("data", [b"x" * 17, memoryview(b"x" * 17)])
def test_chunk(data: bytes | memoryview) -> None:
    """chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF, the size in hexadecimal (RFC 9112 §7.1)."""
    assert h1_octets.chunk(data) == b"11\r\nxxxxxxxxxxxxxxxxx\r\n"


def test_no_chunk_of_no_octets() -> None:
    """A chunk of size zero is the last, so no octets make no chunk."""
    assert h1_octets.chunk(b"") == b""


def test_last_chunk() -> None:
    """The last chunk is followed by the trailer section and an empty line (RFC 9112 §7.1.2)."""
    assert h1_octets.last_chunk(Fields()) == h1_octets.LAST_CHUNK == b"0\r\n\r\n"
    assert h1_octets.last_chunk(Fields([(b"A", b"1"), (b"b", b"")])) == b"0\r\nA: 1\r\nb: \r\n\r\n"


@pytest.mark.parametrize(
    ("status", "reason", "sound"),
    [
        (100, b"", True),
        (999, b"\t ~\xff", True),
        (99, b"", False),
        (1000, b"", False),
        (-200, b"", False),
        (200, b"a\rb", False),
        (200, b"a\nb", False),
        (200, b"\0", False),
        (200, b"\x7f", False),
    ],
)
def test_status_line_is_sound(status: int, reason: bytes, sound: bool) -> None:
    """status-code = 3DIGIT; reason-phrase = 1*( HTAB / SP / VCHAR / obs-text ) (RFC 9112 §4)."""
    assert h1_octets.status_line_is_sound(status, reason) is sound


NAMES: list[tuple[bytes, bool]] = [
    (b"Content-Type", True),
    (b"!#$%&'*+-.^_`|~09azAZ", True),
    (b"", False),
    (b"a b", False),
    (b"a ", False),
    (b" a", False),
    (b"a:", False),
    (b"a: b", False),
    (b"a\r\nb", False),
    (b"\xe9", False),
    (b'"', False),
]
VALUES: list[tuple[bytes, bool]] = [
    (b"", True),
    (b"a", True),
    (b"a \t b", True),
    (b"\x80\xff", True),
    (b" a", False),
    (b"a\t", False),
    (b" ", False),
    (b"a\r\n b", False),
    (b"a\nb", False),
    (b"a\0b", False),
    (b"a\x01b", False),
    (b"a\x7fb", False),
]


@pytest.mark.parametrize(
    ("line", "sound"),
    [((name, b"v"), sound) for name, sound in NAMES] + [((b"N", value), sound) for value, sound in VALUES],
)
def test_field_section_is_sound(line: FieldLine, sound: bool) -> None:
    """A name is a token; a value has no CTL but HTAB, and no white space around it (RFC 9110 §5.1, §5.5)."""
    assert h1_octets.field_section_is_sound([(b"Sound", b"before"), line]) is sound


@pytest.mark.parametrize(
    ("line", "sound"),
    [
        ((b"Digest", b"x"), True),
        ((b"Digest", b"x\n"), False),
        ((b"content-LENGTH", b"1"), False),
        ((b"Transfer-encoding", b"chunked"), False),
    ],
)
def test_trailers_are_sound(line: FieldLine, sound: bool) -> None:
    """Fields that describe message framing cannot stand in trailers (RFC 9110 §6.5.1)."""
    assert h1_octets.trailers_are_sound(Fields([line])) is sound


@pytest.mark.parametrize(
    ("method", "status", "connection", "answer"),
    [
        ("GET", 200, b"", False),
        ("GET", 200, b"keep-alive", False),
        ("GET", 200, b"x, Close", True),
        ("GET", 204, b"", False),
        ("GET", 100, b"", True),
        ("GET", 101, b"", True),
        ("GET", 199, b"", True),
        ("CONNECT", 200, b"", True),
        ("CONNECT", 299, b"", True),
        ("CONNECT", 300, b"", False),
        ("CONNECT", 407, b"", False),
    ],
)
def test_ends_connection(method: str, status: int, connection: bytes, answer: bool) -> None:
    """
    Behind "close" comes nothing, behind 101 another protocol, behind a 2xx to CONNECT a tunnel, and
    behind another 1xx the final response.
    """
    fields = Fields([(b"Connection", connection)])
    assert h1_octets.ends_connection(method, status, fields) is answer


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        ([], None),
        ([(b"content-LENGTH", b"0")], 0),
        ([(b"Content-Length", b"0017")], 17),
        ([(b"Content-Length", b"9" * 19)], 10**19 - 1),
    ],
)
def test_content_length(lines: list[FieldLine], length: int | None) -> None:
    """Content-Length = 1*DIGIT (RFC 9110 §8.6)."""
    assert h1_octets.content_length(Fields(lines)) == length


@pytest.mark.parametrize(
    "values",
    [
        [b""],
        [b"+1"],
        [b"-1"],
        [b"1_0"],
        [b" 1"],
        [b"0x1"],
        [b"1.0"],
        [b"\xb2"],
        ["٣".encode()],
        [b"9" * 20],
        [b"1, 1"],
        [b"1", b"1"],
        [b"1", b"2"],
    ],
)
def test_no_content_length(values: list[bytes]) -> None:
    """What int() takes beyond digits, what it would choke on, and a list are no length of a response."""
    with pytest.raises(ValueError, match="not one length"):
        h1_octets.content_length(Fields((b"Content-Length", value) for value in values))


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        ([], False),
        ([(b"Content-Length", b"1")], False),
        ([(b"transfer-encoding", b"Chunked")], True),
    ],
)
def test_is_chunked(lines: list[FieldLine], answer: bool) -> None:
    """Transfer coding names are case-insensitive (RFC 9112 §7)."""
    assert h1_octets.is_chunked(Fields(lines)) is answer


@pytest.mark.parametrize(
    "lines",
    [
        [(b"Transfer-Encoding", b"gzip")],
        [(b"Transfer-Encoding", b"gzip, chunked")],
        [(b"Transfer-Encoding", b"")],
        [(b"Transfer-Encoding", b"chunked"), (b"Transfer-Encoding", b"chunked")],
        [(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"1")],
    ],
)
def test_is_chunked_in_doubt(lines: list[FieldLine]) -> None:
    """
    "A sender MUST NOT send a Content-Length header field in any message that contains a Transfer-Encoding
    header field" (RFC 9112 §6.2); and what other codings make of the content, not every client knows.
    """
    with pytest.raises(ValueError, match="not framed"):
        h1_octets.is_chunked(Fields(lines))


@pytest.mark.parametrize(
    ("head", "lines"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", []),
        (b"\r\nA: 1\r\na:2\r\nA:\t 1 \t\r\n\r\n", [(b"A", b"1"), (b"a", b"2"), (b"A", b"1")]),
        (b"\r\nA:\r\nB: : \r\n\r\n", [(b"A", b""), (b"B", b":")]),
        (b"\r\nA: \xa0\x85\x1c1\r\n\r\n", [(b"A", b"\xa0\x85\x1c1")]),
    ],
)
def test_field_lines(head: bytes, lines: list[FieldLine]) -> None:
    """Order, case and repetition are kept; SP and HTAB around a value are not of it (RFC 9112 §5.1)."""
    assert list(h1_octets.field_lines(head)) == lines
