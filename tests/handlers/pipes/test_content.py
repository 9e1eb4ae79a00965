"""The pipes ``slice`` and ``gzip``, and content as a whole."""

from __future__ import annotations

import gzip
import io
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from tests.helpers.inline import begin
from wptproto import Response
from wptproto.handlers.pipes import PipeError, apply
from wptproto.handlers.pipes.content import whole_content
from wptproto.protocol.h1 import H1Connection

DIGITS = b"0123456789"


@pytest.fixture
def response() -> Response:
    exchange, _ = begin(H1Connection(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    exchange.response.content = DIGITS
    return exchange.response


def parts() -> Iterator[bytes | str | Callable[[], bytes] | None]:
    yield b"01234"
    yield None
    yield lambda: b"567"
    yield "89"


@pytest.mark.parametrize("make", [lambda: DIGITS, lambda: "0123456789", lambda: io.BytesIO(DIGITS), parts])
def test_whole_content(response: Response, make: Callable[[], object]) -> None:
    """Text, a file and the pieces of an iterable become one; a file is closed."""
    response.content = content = make()
    assert whole_content(response) == DIGITS
    assert not isinstance(content, io.BytesIO) or content.closed


def test_async_content(response: Response) -> None:
    """Content that only the loop can read is an error that says so."""

    async def items() -> AsyncIterator[bytes]:
        yield b""

    response.content = items()
    with pytest.raises(PipeError, match="'gzip', at character 1 of 'gzip': the content is an async iterable"):
        apply("gzip", response.request, response)


@pytest.mark.parametrize(
    ("pipe_string", "content"),
    [
        ("slice(2)", b"23456789"),
        ("slice(2,5)", b"234"),
        ("slice(-3)", b"789"),
        ("slice(null,3)", b"012"),
        ("slice(NULL,-3)", b"0123456"),
        ("slice(2,null)", b"23456789"),
        ("slice(null)", DIGITS),
        ("slice(20)", b""),
        ("slice(5,2)", b""),
        ("slice( 8 )", b"89"),
        ("slice(1)|slice(1)", b"23456789"),
    ],
)
def test_slice(response: Response, pipe_string: str, content: bytes) -> None:
    """slice() keeps what Python's slice keeps, and sets Content-Length to it."""
    response.headers.set("Content-Length", 10)
    apply(pipe_string, response.request, response)
    assert response.content == content
    assert response.headers["Content-Length"] == [b"%d" % len(content)]


@pytest.mark.parametrize(
    ("pipe_string", "complaint"),
    [
        ("slice", "takes 1 to 2 arguments (start, [end]); got 0"),
        ("slice()", "argument 1 (start), at character 7 of 'slice()': '' is not a whole number or null"),
        ("slice(,3)", "'' is not a whole number or null"),
        ("slice(1,)", "argument 2 (end), at character 9"),
        ("slice(1.5)", "'1.5' is not a whole number or null"),
        ("slice(1,2,3)", "got 3"),
        ("gzip()", "takes no arguments, and is written without parentheses; got 1"),
    ],
)
def test_mistakes(response: Response, pipe_string: str, complaint: str) -> None:
    """What wptserve answers with 500 is an error that says what is wrong."""
    with pytest.raises(PipeError) as caught:
        apply(pipe_string, response.request, response)
    assert complaint in str(caught.value)


def test_gzip(response: Response) -> None:
    """gzip compresses, sets both fields that tell, and makes the same octets each time."""
    response.headers.set("content-encoding", "identity")
    response.headers.set("Content-Length", 10)
    apply("gzip", response.request, response)
    once = response.content
    assert gzip.decompress(once) == DIGITS
    assert response.headers.items() == [
        (b"Content-Encoding", b"gzip"),
        (b"Content-Length", b"%d" % len(once)),
    ]
    response.content = DIGITS
    apply("gzip|gzip", response.request, response)
    assert gzip.decompress(response.content) == once
