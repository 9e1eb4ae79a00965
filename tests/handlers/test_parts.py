"""Parts: octets of a file and others between them, as one file."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wptproto.handlers.parts import Parts

DIGITS = b"0123456789"


def test_all_at_once() -> None:
    """Ranges and octets are read one behind the other, and their length is told beforehand."""
    with Parts(io.BytesIO(DIGITS), [b"a:", (2, 5), b" b:", (0, 1)]) as parts:
        assert parts.seek(0, io.SEEK_END) == 9
        assert parts.read() == b""
        assert parts.seek(0) == 0
        assert parts.read() == b"a:234 b:0"
        assert parts.read(1) == b""
        assert parts.readable()


@given(st.integers(0, 12), st.integers(1, 12))
def test_in_pieces(start: int, size: int) -> None:
    """However it is cut, the same octets come."""
    parts = Parts(io.BytesIO(DIGITS), [(0, 3), b"ab", (5, 10)])
    parts.seek(start)
    assert parts.tell() == start
    assert b"".join(iter(lambda: parts.read(size) or b"", b"")) == b"012ab56789"[start:]
    parts.seek(-1, io.SEEK_CUR)
    assert parts.read() == (b"9" if start <= 10 else b"")


def test_a_file_that_is_shorter_now() -> None:
    """It ends where the file does."""
    file = io.BytesIO(DIGITS)
    parts = Parts(file, [(0, 2), (5, 9), b"end"])
    file.truncate(6)
    assert parts.read() == b"015"


def test_the_file_is_closed_with_it() -> None:
    """Who closes it closes the file."""
    file = io.BytesIO(DIGITS)
    parts = Parts(file, [(0, 2)])
    parts.close()
    assert file.closed
    with pytest.raises(ValueError, match="closed"):
        parts.read(1)
