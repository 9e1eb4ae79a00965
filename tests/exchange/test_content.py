"""RequestContent: a file that is still being written."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

from wptproto import ExchangeClosed
from wptproto.exchange import content as content_module
from wptproto.exchange.content import RequestContent
from wptproto.semantics.fields import Fields


class Fed:
    """Content, and what it told its owner; closed at the end of the test by the fixture below."""

    all: ClassVar[list[Fed]] = []

    def __init__(self, *pieces: bytes, ended: bool = True) -> None:
        self.acknowledged: list[int] = []
        self.waits = 0
        self.content = RequestContent(acknowledge=self.acknowledged.append, before_wait=self.wait)
        for piece in pieces:
            self.content.feed(piece)
        if ended:
            self.content.end(Fields())
        self.all.append(self)

    def wait(self) -> None:
        self.waits += 1


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while Fed.all:
        Fed.all.pop().content.close()


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda c: c.read(), b"ab\ncd\nef"),
        (lambda c: c.read(None), b"ab\ncd\nef"),
        (lambda c: c.read(4), b"ab\nc"),
        (lambda c: c.read(0), b""),
        (lambda c: c.read(100), b"ab\ncd\nef"),
        (lambda c: c.read1(), b"ab\nc"),
        (lambda c: c.read1(2), b"ab"),
        (lambda c: c.readline(), b"ab\n"),
        (lambda c: c.readline(2), b"ab"),
        (lambda c: c.readline(0), b""),
        (lambda c: c.readline(max_bytes=2), b"ab"),
        (lambda c: c.read(bytes=2), b"ab"),
        (lambda c: c.readlines(), [b"ab\n", b"cd\n", b"ef"]),
        (lambda c: c.readlines(4), [b"ab\n", b"cd\n"]),
        (lambda c: list(c), [b"ab\n", b"cd\n", b"ef"]),
        (lambda c: (c.read(1), c.readline(), c.tell(), c.read()), (b"a", b"b\n", 3, b"cd\nef")),
        (lambda c: (c.seek(3), c.read(2), c.seek(0), c.read(2)), (3, b"cd", 0, b"ab")),
        (lambda c: (c.seek(-2, 2), c.read()), (6, b"ef")),
        (lambda c: (c.read(1), c.seek(1, 1), c.read(1)), (b"a", 2, b"\n")),
        (lambda c: (c.seek(100), c.read()), (8, b"")),
        (lambda c: (c.readable(), c.seekable(), c.writable()), (True, True, False)),
    ],
)
def test_reads(read: Callable[[RequestContent], object], expected: object) -> None:
    """It reads as files do."""
    fed = Fed(b"ab\nc", b"d\nef")
    assert read(fed.content) == expected
    assert fed.waits == 0


def test_it_is_a_file_to_others() -> None:
    """What reads files reads it, too; after close() nothing does."""
    text: Any = Fed("é\nb".encode()).content
    assert list(io.TextIOWrapper(text, encoding="utf-8")) == ["é\n", "b"]
    with Fed(b"abc").content as content:
        buffer = bytearray(2)
        assert content.readinto(buffer) == 2
        assert (bytes(buffer), content.read1(-1), content.closed) == (b"ab", b"c", False)
    assert content.closed
    for verb in (content.read, content.read1, content.readline, lambda: content.seek(0)):
        with pytest.raises(ValueError, match="until its response is finished"):
            verb()


@pytest.mark.parametrize("arguments", [(-1,), (0, 3)])
def test_seek_nonsense(arguments: tuple[int, ...]) -> None:
    """A position that is none is a ValueError."""
    with pytest.raises(ValueError, match=r"no position|whence"):
        Fed(b"abc").content.seek(*arguments)


def test_acknowledges_what_was_taken() -> None:
    """Octets are acknowledged once, when they are read for the first time."""
    fed = Fed(b"abc", b"def")
    assert fed.acknowledged == []
    fed.content.read(1)
    assert fed.acknowledged == [3]
    fed.content.read()
    fed.content.seek(0)
    fed.content.read()
    assert fed.acknowledged == [3, 3]


def test_waits_for_more() -> None:
    """A read waits for what it asked for, and says once that it is about to."""
    fed = Fed(ended=False)
    got: list[bytes] = []
    reading = threading.Thread(target=lambda: got.append(fed.content.read(4)))
    reading.start()
    for piece in (b"a", b"b", b"cd", b"e"):
        fed.content.feed(piece)
    reading.join(10)
    assert got == [b"abcd"]
    assert fed.waits <= 1


def test_failure_is_raised_where_the_content_breaks_off() -> None:
    """What came before a failure can be read; then it is raised, and again."""
    fed = Fed(b"abc", ended=False)
    fed.content.fail(ExchangeClosed("gone"))
    assert fed.content.read(3) == b"abc"
    for _ in range(2):
        with pytest.raises(ExchangeClosed, match="gone"):
            fed.content.read(1)


def test_failure_after_the_end_does_not_matter() -> None:
    """A connection may be lost after the request was whole."""
    fed = Fed(b"abc")
    fed.content.fail(ExchangeClosed("gone"))
    assert fed.content.read() == b"abc"


def test_reading_by_coroutine() -> None:
    """A coroutine awaits what a thread waits for, and a blocking read on the loop is an error."""

    async def main() -> tuple[bytes, bytes, bytes]:
        fed = Fed(ended=False)
        asyncio.get_running_loop().call_soon(fed.content.feed, b"abc")
        first = await fed.content.read_async(2)
        with pytest.raises(RuntimeError, match="must not block its loop"):
            fed.content.read()
        fed.content.seek(2)
        asyncio.get_running_loop().call_soon(fed.content.end, Fields(((b"x", b"y"),)))
        second = await fed.content.read_async()
        assert fed.waits == 1
        assert list(fed.content.trailers) == [(b"x", b"y")]
        return first, second, await fed.content.read_async(5)

    assert asyncio.run(main()) == (b"ab", b"c", b"")


def test_large_content_goes_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is bounded in memory: beyond SPOOL_OCTETS it goes to a temporary file."""
    monkeypatch.setattr(content_module, "SPOOL_OCTETS", 10)
    fed = Fed(b"a" * 8, b"b" * 8)
    assert fed.content.read(8) == b"a" * 8
    spool = fed.content._spool
    assert spool is not None
    assert not spool._rolled  # type: ignore[attr-defined]
    assert fed.content.read() == b"b" * 8
    assert spool._rolled  # type: ignore[attr-defined]
    fed.content.seek(4)
    assert fed.content.read() == b"aaaabbbbbbbb"
    fed.content.close()
    assert spool.closed
