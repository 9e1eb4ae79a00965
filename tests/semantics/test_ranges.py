"""Range: what a field asks for, of how much there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wptproto.semantics.ranges import (
    ByteRange,
    UnsatisfiableRange,
    content_range,
    is_in_another_unit,
    parse_range,
    unsatisfied_range,
)


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        (b"bytes=0-0", [(0, 1)]),
        (b"bytes=2-5", [(2, 6)]),
        (b"Bytes=2-5", [(2, 6)]),
        (b"bytes=2-100", [(2, 10)]),
        (b"bytes=2-9999999999999999999", [(2, 10)]),
        (b"bytes=007-8", [(7, 9)]),
        (b"bytes=9-", [(9, 10)]),
        (b"bytes=-1", [(9, 10)]),
        (b"bytes=-100", [(0, 10)]),
        (b"bytes=-", [(0, 10)]),
        (b"bytes=0-1,5-6", [(0, 2), (5, 7)]),
        (b"bytes=0-1, 5-6\t,-1 ", [(0, 2), (5, 7), (9, 10)]),
        (b"bytes=,0-1, ,\t,5-6,", [(0, 2), (5, 7)]),
        (b"bytes=0-1,10-,-0,99-100,5-6", [(0, 2), (5, 7)]),
    ],
)
def test_ranges(field: bytes, wanted: list[ByteRange]) -> None:
    """A range is from one octet to another, from one to the end, or the last few (RFC 9110 §14.1.2)."""
    assert parse_range(field, 10) == wanted


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        (b"bytes=5-6,0-1", [(5, 7), (0, 2)]),
        (b"bytes=8-9,0-1,4-5,1-2", [(8, 10), (0, 3), (4, 6)]),
        (b"bytes=8-9,4-5,0-1,6-7", [(4, 10), (0, 2)]),
        (b"bytes=0-1,2-3", [(0, 4)]),
        (b"bytes=0-5,3-8", [(0, 9)]),
        (b"bytes=0-9,1-2,4-5", [(0, 10)]),
        (b"bytes=4-5,1-2,-", [(0, 10)]),
        (b"bytes=1-1,1-1", [(1, 2)]),
    ],
)
def test_coalesced(field: bytes, wanted: list[ByteRange]) -> None:
    """Ranges come as they were asked for; those that overlap or touch are one (RFC 9110 §15.3.7.2)."""
    assert parse_range(field, 10) == wanted


@pytest.mark.parametrize("field", [b"bytes=10-", b"bytes=10-20", b"bytes=-0", b"bytes=-0,10-,11-12"])
def test_unsatisfiable(field: bytes) -> None:
    """Where no range holds anything, the field is unsatisfiable (RFC 9110 §14.1.2)."""
    with pytest.raises(UnsatisfiableRange, match="no such range in 10 octets: "):
        parse_range(field, 10)


def test_nothing_to_satisfy() -> None:
    """Of no octets there is no range."""
    for field in (b"bytes=0-", b"bytes=-1", b"bytes=-", b"bytes=0-0"):
        with pytest.raises(UnsatisfiableRange):
            parse_range(field, 0)


@pytest.mark.parametrize(
    "member",
    [
        b"", b"1", b"1-2-3", b"a-b", b"+1-2", b"1_0-", b"0x1-2", b"1 - 2", b"1-2;", b"--1",
        b"\xb2-", b"\xff", "٣-".encode(), b"1" * 20 + b"-", b"0-1\n", b"\x0b0-1", b", ,", b"0-1,x",
    ],
)  # fmt: skip
def test_malformed(member: bytes) -> None:
    """What is no range is refused: a number is digits, and of a length that lengths have."""
    with pytest.raises(UnsatisfiableRange, match="not a range: "):
        parse_range(b"bytes=" + member, 10)


def test_backwards() -> None:
    """A range that ends before it begins is none, and spoils the others (RFC 9110 §14.1.1)."""
    for field in (b"bytes=5-4", b"bytes=0-1,5-4", b"bytes=99-98"):
        with pytest.raises(UnsatisfiableRange, match="ends before it begins"):
            parse_range(field, 10)


@pytest.mark.parametrize(
    ("field", "answer"),
    [
        (b"items=0-1", True),
        (b"x=", True),
        (b"BYTES=0-1", False),
        (b"x", False),
        (b"=0", False),
        (b"x y=0", False),
    ],
)
def test_another_unit(field: bytes, answer: bool) -> None:
    """What counts in another unit than bytes is told from what is malformed (RFC 9110 §14.1)."""
    assert is_in_another_unit(field) is answer


@pytest.mark.parametrize("field", [b"", b"x", b"bytes", b"items=0-1", b"bytes =0-1", b"0-1"])
def test_not_bytes(field: bytes) -> None:
    """What is in no unit, or in another than bytes, is refused."""
    with pytest.raises(UnsatisfiableRange, match="not a range in bytes: "):
        parse_range(field, 10)


def test_a_long_field_is_not_repeated_in_full() -> None:
    """The error shows where a field begins, however long it is."""
    with pytest.raises(UnsatisfiableRange) as caught:
        parse_range(b"x" * 100_000, 10)
    assert len(str(caught.value)) < 200


def test_content_range() -> None:
    """Content-Range names the first and the last octet, and how many there are (RFC 9110 §14.4)."""
    assert content_range((0, 500), 1234) == b"bytes 0-499/1234"
    assert unsatisfied_range(1234) == b"bytes */1234"


@given(st.binary(max_size=40), st.integers(0, 50))
def test_any_octets(octets: bytes, length: int) -> None:
    """Whatever a field says, it is refused, or its ranges are apart and within the length."""
    _check(b"bytes=" + octets, length)


@given(st.text("0123456789-, ", max_size=30), st.integers(0, 50))
def test_any_numbers(text: str, length: int) -> None:
    """So it is with fields that look much like ranges."""
    _check(b"bytes=" + text.encode(), length)


def _check(field: bytes, length: int) -> None:
    try:
        ranges = parse_range(field, length)
    except UnsatisfiableRange:
        return
    edges = [edge for wanted in sorted(ranges) for edge in wanted]
    assert ranges
    assert edges == sorted(set(edges))
    assert edges[0] >= 0
    assert edges[-1] <= length
