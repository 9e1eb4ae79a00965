"""Shaper: in which pieces octets leave, and when."""

from __future__ import annotations

import asyncio

from wptproto.server.shaper import Shaper


def test_sizes_and_their_order() -> None:
    """Each size is used once, the last again and again; the end is what is left."""
    written: list[bytes] = []
    shaper = Shaper(written.append)
    shaper.cut((1, 2, 3), 0)
    shaper.put(b"abcdefgh")
    assert written == [b"a", b"bc", b"def", b"gh"]
    assert shaper.pending_octets == 0


def test_nothing_in_the_way() -> None:
    """Without sizes and rate all leaves at once."""
    written: list[bytes] = []
    shaper = Shaper(written.append)
    shaper.put(b"abc")
    assert written == [b"abc"]


def test_hold() -> None:
    """What is held waits, and so does what is to be done behind it."""
    written: list[bytes] = []
    shaper = Shaper(written.append)
    shaper.hold(True)
    shaper.put(b"abc")
    shaper.then(lambda: written.append(b"done"))
    assert (written, shaper.pending_octets) == ([], 3)
    shaper.hold(False)
    assert written == [b"abc", b"done"]


def test_gap_and_rate() -> None:
    """Pieces leave one behind the other, with time between them; then comes what was to be done."""

    async def main() -> list[bytes]:
        written: list[bytes] = []
        done = asyncio.Event()
        shaper = Shaper(written.append)
        shaper.slow_down(10_000)
        shaper.put(b"x" * 300)
        assert written == [b"x" * 200]
        shaper.then(done.set)
        await done.wait()
        shaper.drop()
        shaper.slow_down(1)
        shaper.cut((2,), 0.001)
        shaper.put(b"abc")  # 2 octets take two seconds
        assert (written[-1], shaper.pending_octets) == (b"ab", 1)
        shaper.drop()
        shaper.put(b"d")
        return written

    assert asyncio.run(main()) == [b"x" * 200, b"x" * 100, b"ab", b"d"]
