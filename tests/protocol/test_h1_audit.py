"""Reading along what a script writes by hand."""

from __future__ import annotations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.helpers.cutting import cut, octet_by_octet
from tests.helpers.h1 import read_messages
from wptproto.protocol.h1_audit import MAX_HEAD_OCTETS, Audit

OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = OK + b"Content-Length: 0\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def audit(octets: bytes, method: str = "GET") -> bool:
    """Return what an audit says of octets, however they come."""
    verdicts = set()
    for pieces in ([octets], octet_by_octet(octets), [b"", *cut(octets, [len(octets) // 2]), b""]):
        reader = Audit(method)
        for piece in pieces:
            reader.feed(piece)
        verdicts.add(reader.sound)
    (verdict,) = verdicts
    return verdict


SOUND = [
    pytest.param(EMPTY, "GET", id="no-content"),
    pytest.param(OK + b"content-length:5\r\n\r\nhello", "GET", id="length"),
    pytest.param(OK + b"A: 1\r\na:\t2 \r\nContent-Length: 00\r\n\r\n", "GET", id="other-fields"),
    pytest.param(b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "GET", id="no-reason-phrase"),
    pytest.param(b"HTTP/1.1 299 \xff\tx\r\nContent-Length: 0\r\n\r\n", "GET", id="odd-reason-phrase"),
    pytest.param(CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", "GET", id="chunks"),
    pytest.param(CHUNKED + b"5;x=y\r\nhello\r\n0\r\nDigest: x\r\n\r\n", "GET", id="extension-and-trailers"),
    pytest.param(OK + b"\r\n", "HEAD", id="HEAD"),
    pytest.param(OK + b"Content-Length: 5\r\n\r\n", "HEAD", id="HEAD-with-a-length"),
    pytest.param(CHUNKED, "HEAD", id="HEAD-of-chunks"),
    pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", "GET", id="204"),
    pytest.param(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET", id="304"),
    pytest.param(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nA: 1\r\n\r\n" + EMPTY, "GET", id="interim"),
    pytest.param(b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n", "CONNECT", id="CONNECT-refused"),
]


@pytest.mark.parametrize(("octets", "method"), SOUND)
def test_sound(octets: bytes, method: str) -> None:
    """One whole response of which every client knows the end lets the connection go on."""
    assert audit(octets, method)
    assert read_messages(octets, method)


@pytest.mark.parametrize(("octets", "method"), SOUND)
def test_a_sound_beginning_is_not_sound(octets: bytes, method: str) -> None:
    """Before its end no response is whole, and behind it there is nothing."""
    verdicts = [Audit(method) for _ in range(len(octets))]
    for length, reader in enumerate(verdicts):
        reader.feed(octets[:length])
        assert not reader.sound
    assert not audit(octets + b"\n", method)
    assert not audit(octets + EMPTY, method)


@pytest.mark.parametrize(
    ("octets", "method"),
    [
        pytest.param(b"", "GET", id="nothing"),
        pytest.param(OK + b"\r\nhello", "GET", id="ends-with-the-connection"),
        pytest.param(b"hello", "GET", id="no-response"),
        pytest.param(b"hello\r\n\r\n", "GET", id="no-head"),
        pytest.param(EMPTY.replace(b"\r\n", b"\n"), "GET", id="LF-alone"),
        pytest.param(OK + b"A: 1\nContent-Length: 0\r\n\r\n", "GET", id="LF-alone-once"),
        pytest.param(OK + b"A: 1\rContent-Length: 0\r\n\r\n", "GET", id="CR-alone"),
        pytest.param(EMPTY.replace(b"1.1", b"1.0"), "GET", id="HTTP/1.0"),
        pytest.param(EMPTY.replace(b"1.1", b"2.0"), "GET", id="HTTP/2.0"),
        pytest.param(EMPTY.replace(b"HTTP", b"http"), "GET", id="version-in-lower-case"),
        pytest.param(EMPTY.replace(b"200", b"20"), "GET", id="two-digits"),
        pytest.param(EMPTY.replace(b"200", b"099"), "GET", id="status-too-small"),
        pytest.param(EMPTY.replace(b"200", "٢٠٠".encode()), "GET", id="other-digits"),
        pytest.param(EMPTY.replace(b" OK", b""), "GET", id="no-blank-behind-the-status"),
        pytest.param(EMPTY.replace(b"OK", b"\0"), "GET", id="NUL-in-the-reason"),
        pytest.param(b"\r\n" + EMPTY, "GET", id="empty-line-before"),
        pytest.param(OK + b"A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n", "GET", id="folded-line"),
        pytest.param(OK + b" A: 1\r\nContent-Length: 0\r\n\r\n", "GET", id="blank-before-a-name"),
        pytest.param(OK + b"Content-Length : 0\r\n\r\n", "GET", id="blank-behind-a-name"),
        pytest.param(OK + b"A\r\nContent-Length: 0\r\n\r\n", "GET", id="no-colon"),
        pytest.param(OK + b"A: \x01\r\nContent-Length: 0\r\n\r\n", "GET", id="control-in-a-value"),
        pytest.param(OK + b"Content-Length: 1, 1\r\n\r\nx", "GET", id="list-of-lengths"),
        pytest.param(OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "GET", id="two-lengths"),
        pytest.param(OK + b"Content-Length: +1\r\n\r\nx", "GET", id="no-length"),
        pytest.param(OK + b"Content-Length: x\r\n\r\n", "HEAD", id="no-length-for-HEAD"),
        pytest.param(
            OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "GET", id="two-framings"
        ),
        pytest.param(OK + b"Transfer-Encoding: gzip\r\n\r\n", "HEAD", id="another-coding"),
        pytest.param(
            OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "GET", id="another-coding-in-chunks"
        ),
        pytest.param(CHUNKED + b"5\r\nhello0\r\n\r\n", "GET", id="no-CRLF-behind-a-chunk"),
        pytest.param(CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n", "GET", id="blank-behind-a-size"),
        pytest.param(CHUNKED + b"0;\0\r\n\r\n", "GET", id="NUL-in-an-extension"),
        pytest.param(CHUNKED + b"0\r\n\n", "GET", id="LF-ends-content"),
        pytest.param(CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n", "GET", id="length-in-trailers"),
        pytest.param(OK + b"Connection: close\r\nContent-Length: 0\r\n\r\n", "GET", id="close"),
        pytest.param(b"HTTP/1.1 204 x\r\nConnection: a, Close\r\n\r\n", "GET", id="close-without-content"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", "GET", id="interim-alone"),
        pytest.param(b"HTTP/1.1 101 x\r\nUpgrade: y\r\n\r\n", "GET", id="another-protocol"),
        pytest.param(OK + b"\r\n", "CONNECT", id="tunnel"),
    ],
)
def test_unsound(octets: bytes, method: str) -> None:
    """What one client refuses, or reads in another way than others, ends the connection."""
    assert not audit(octets, method)


def test_the_limit_of_a_head() -> None:
    """A head without end is not kept for ever."""
    reader = Audit("GET")
    reader.feed(OK + b"A:".ljust(MAX_HEAD_OCTETS, b"x"))
    reader.feed(b"\r\n" + EMPTY.removeprefix(OK))
    assert not reader.sound
    reader = Audit("GET")
    reader.feed(OK + b"A:".ljust(MAX_HEAD_OCTETS - 100, b"x"))
    reader.feed(b"\r\n" + EMPTY.removeprefix(OK))
    assert reader.sound


STRAY = [
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b"\x01", b"\x80", b",", b":", b";", b"0", b"1", b"5", b"+"),
    *(b"\r\n ", b"\r\nA: 1", b"\r\nContent-Length: 5", b"\r\nTransfer-Encoding: chunked", b"hello", b"close"),
]
sound_examples = st.sampled_from([param.values for param in SOUND])


@settings(max_examples=400)
@given(sound_examples, st.floats(0, 1), st.integers(0, 3), st.sampled_from([b"", *STRAY]))
def test_sound_is_no_more_than_what_a_client_reads(
    example: tuple[bytes, str], at: float, removed: int, inserted: bytes
) -> None:
    """What is called sound, h11, a stranger to it, reads as one whole response with nothing behind it."""
    octets, method = example
    start = round(at * len(octets))
    octets = octets[:start] + inserted + octets[start + removed :]
    sound = audit(octets, method)
    event("sound" if sound else "unsound")
    if sound:
        assert read_messages(octets, method)
