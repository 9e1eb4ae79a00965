"""wptserve.ranges: what a Range field asks for."""

from __future__ import annotations

import pytest

from wptproto.errors import HTTPException
from wptproto.wptserve.ranges import RangeParser


def test_ranges() -> None:
    """Ranges come in order, those that touch are one, and each knows its Content-Range."""
    found = RangeParser()(b"bytes=-2,0-1,2-3", 10)
    assert [(part.lower, part.upper, part.file_size) for part in found] == [(0, 4, 10), (8, 10, 10)]
    assert [part.header_value() for part in found] == ["bytes 0-3/10", "bytes 8-9/10"]


@pytest.mark.parametrize("field", [b"lines=1-2", b"bytes=a-b", b"bytes=10-", b"bytes=\xff"])
def test_no_ranges(field: bytes) -> None:
    """What cannot be satisfied is a 416."""
    with pytest.raises(HTTPException) as caught:
        RangeParser()(field, 10)
    assert caught.value.code == 416
