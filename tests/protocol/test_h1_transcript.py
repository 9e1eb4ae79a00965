"""Reading what a script wrote by hand into the message it is."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.helpers.cutting import cut, octet_by_octet
from wptproto.errors import LocalProtocolError
from wptproto.protocol.h1_transcript import MAX_LINES_OCTETS, Part, Transcript
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import ResponseHead

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def head(status: int = 200, *lines: FieldLine, reason: bytes = b"OK") -> ResponseHead:
    return ResponseHead(status, Fields(lines), reason)


def _joined(parts: Iterable[Part]) -> list[Part]:
    """Make neighbouring pieces of content one, however they came."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, bytes) and isinstance(last, bytes):
            joined[-1] = last + part
        else:
            joined.append(part)
    return joined


def read(octets: bytes, method: str = "GET") -> list[Part]:
    """Return what octets amount to, however they come."""
    found = []
    for pieces in ([octets], octet_by_octet(octets), [b"", *cut(octets, [len(octets) // 2])]):
        transcript = Transcript(method)
        parts = [part for piece in pieces for part in transcript.feed(piece)]
        found.append(_joined([*parts, *transcript.finish()]))
    assert found[0] == found[1] == found[2]
    return found[0]


@pytest.mark.parametrize(
    ("octets", "parts"),
    [
        pytest.param(
            OK + b"A: 1\r\na:  2\t\r\n\r\nxyz", [head(200, (b"A", b"1"), (b"a", b"2")), b"xyz"], id="close"
        ),
        pytest.param(
            OK + b"Content-Length: 3\r\n\r\nxyz", [head(200, (b"Content-Length", b"3")), b"xyz"], id="length"
        ),
        pytest.param(
            OK + b"Content-Length: 3\r\n\r\nxyz!",
            [head(200, (b"Content-Length", b"3")), b"xyz"],
            id="surplus",
        ),
        pytest.param(
            OK + b"Content-Length: 0\r\n\r\n", [head(200, (b"Content-Length", b"0"))], id="length-0"
        ),
        pytest.param(
            OK + b"Content-Length: 3\r\ncontent-length: 3, 3\r\n\r\nxyz",
            [head(200, (b"Content-Length", b"3")), b"xyz"],
            id="one-length-thrice",
        ),
        pytest.param(CHUNKED + b"3\r\nxyz\r\n0\r\n\r\n", [head(), b"xyz", Fields()], id="chunks"),
        pytest.param(
            CHUNKED + b"1;a=b\r\nx\r\n 2 \nyz\n00\nDigest: d\n\nrest",
            [head(), b"xyz", Fields([(b"Digest", b"d")])],
            id="chunks-extension-LF-trailers",
        ),
        pytest.param(
            OK + b"Content-Length: 9\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            [head(), b"x", Fields()],
            id="chunks-overrule-length",
        ),
        pytest.param(OK + b"Content-Length: auto\r\n\r\nx", [head(), b"x"], id="no-number"),
        pytest.param(
            OK + b"Content-Length: -1\r\nContent-Length: 1\r\n\r\nxy",
            [head(200, (b"Content-Length", b"1")), b"x"],
            id="one-number",
        ),
        pytest.param(OK + b"A:B: c\r\n\r\n", [head(200, (b"A", b"B: c"))], id="colons"),
        pytest.param(OK + b"Transfer-Encoding: identity\r\n\r\nx", [head(), b"x"], id="identity"),
        pytest.param(
            b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 103\r\n\r\n" + OK + b"\r\nx",
            [
                head(103, (b"Link", b"a"), reason=b"Early Hints"),
                head(103, reason=b""),
                head(),
                b"x",
            ],
            id="interim",
        ),
        pytest.param(
            b"\r\nhttp/1.0 404\nX-A : 1\nnot a field\nb@d: 1\nX-B: 2\n  and 3\n\nx",
            [head(404, (b"X-A", b"1"), (b"X-B", b"2 and 3"), reason=b""), b"x"],
            id="lenient",
        ),
        pytest.param(OK + b"\xff\xfe: \xff\r\nX: \xff\r\n\r\n", [head(200, (b"X", b"\xff"))], id="octets"),
        pytest.param(OK, [head()], id="status-line-alone"),
        pytest.param(b"HTTP/1.1 200 OK", [head()], id="status-line-unended"),
        pytest.param(OK + b"A: 1", [head(200, (b"A", b"1"))], id="field-line-unended"),
        pytest.param(OK + b"A: 1\r\n", [head(200, (b"A", b"1"))], id="head-unended"),
    ],
)
def test_read(octets: bytes, parts: list[Part]) -> None:
    """What clients make of a response is read out of it, whatever its framing and however it is cut."""
    assert read(octets) == parts


@pytest.mark.parametrize(
    ("octets", "method"),
    [
        (OK + b"Content-Length: 3\r\n\r\nxyz", "HEAD"),
        (b"HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\n", "GET"),
    ],
)
def test_no_content(octets: bytes, method: str) -> None:
    """Where HTTP has no content, none is read, and none is missing (RFC 9112 §6.3)."""
    (found,) = read(octets, method)
    assert isinstance(found, ResponseHead)
    assert found.fields.get(b"content-length") == b"3"


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"INVALID HTTP\r\n", "no status line: b'INVALID HTTP'"),
        (b"HTTP/1.1 20\r\n\r\n", "no status line"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "no status line"),
        (b"", "no final response"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "no final response"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "no response with status 101"),
        (b"HTTP/1.1 099 Odd\r\n\r\n", "no response with status 99"),
        (OK + b"A: b\0c\r\n\r\n", "NUL or CR"),
        (OK + b"A: b\rc\r\n\r\n", "NUL or CR"),
        (OK + b"A: 1\n\r", "breaks off"),
        (OK + b"Content-Length: 3\r\n\r\nxy", "1 octets are missing"),
        (OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nxyz", "not one Content-Length"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "no such transfer coding"),
        (CHUNKED, "have no end"),
        (CHUNKED + b"3\r\nxyz\r\n", "have no end"),
        (CHUNKED + b"3\r\nxy", "have no end"),
        (CHUNKED + b"0\r\nA: 1\r\n", "have no end"),
        (CHUNKED + b"2\r\nxyz\r\n0\r\n\r\n", "longer than its size"),
        (
            CHUNKED + b"hello\r\n",
            "not a chunk size, in what was written by hand: b'hello'",
        ),
        (OK + b"A: " + b"a" * MAX_LINES_OCTETS, "exceed"),
    ],
)
def test_what_cannot_be_said(octets: bytes, words: str) -> None:
    """What clients would be at odds about, or call cut short, is an error that says what it is."""
    with pytest.raises(LocalProtocolError, match=words):
        read(octets)


def test_content_comes_as_it_is_written() -> None:
    """Nothing is held back: a script that writes piece by piece is read piece by piece."""
    transcript = Transcript("GET")
    assert transcript.feed(OK) == []
    assert transcript.feed(b"Transfer-Encoding: chunked\r\n\r\n") == [head()]
    assert transcript.feed(b"5\r\nab") == [b"ab"]
    assert transcript.feed(b"cde") == [b"cde"]
    assert transcript.feed(b"\r\n0\r\n\r\n") == [Fields()]
    assert transcript.finish() == []
