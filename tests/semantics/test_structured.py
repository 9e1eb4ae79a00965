"""Structured fields: dictionaries (RFC 9651)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wptproto.semantics.structured import parse_dictionary

GOOD: list[tuple[bytes, dict[bytes, int | bool | None]]] = [
    (b"", {}),
    (b"  ", {}),
    (b"a=1", {b"a": 1}),
    (b"  a=-0 ", {b"a": 0}),
    (b"a=007", {b"a": 7}),
    (b"a=999999999999999", {b"a": 999999999999999}),
    (b"a", {b"a": True}),
    (b"a;x=1, b", {b"a": True, b"b": True}),
    (b"a=?0,b=?1\t ,\t c", {b"a": False, b"b": True, b"c": True}),
    (b"a=1, a=2", {b"a": 2}),
    (b"a=1, a", {b"a": True}),
    (b"*a_-.*9=1", {b"*a_-.*9": 1}),
    (b"a=1.5", {b"a": None}),
    (b'a="x, \\"y\\\\"', {b"a": None}),
    (b"a=tok/en:*", {b"a": None}),
    (b"a=:aGVsbG8=:", {b"a": None}),
    (b"a=@1659578233", {b"a": None}),
    (b'a=%"f%c3%bc"', {b"a": None}),
    (b"a=()", {b"a": None}),
    (b"a=(  1   2;y=3 );z, b", {b"a": None, b"b": True}),
    (b"a=1;  b;c=?0;d=\"x\"", {b"a": 1}),
]  # fmt: skip

BAD = [
    b"a=1,",
    b",a",
    b"a=1 b=2",
    b"\ta=1",
    b"A=1",
    b"1",
    b"a=",
    b"a = 1",
    b"a= 1",
    b"a=1.",
    b"a=1.2345",
    b"a=1234567890123456",
    b"a=1234567890123.1",
    b"a=?2",
    b'a="x',
    b'a="\\x"',
    b'a="\xe9"',
    b"a=:*:",
    b"a=(1",
    b"a=(1,2)",
    b"a=((1))",
    b"a;=1",
    b"a;A",
    b"a;b =1",
    b'a=%"%C3"',
    b"a=@1.5",
    b"u=99;;;, (",
]


@pytest.mark.parametrize(("value", "members"), GOOD)
def test_dictionaries(value: bytes, members: dict[bytes, int | bool | None]) -> None:
    """Integers and booleans are members by their values, all else is there without one (RFC 9651 §3.2)."""
    assert parse_dictionary(value) == members
    assert [type(member) for member in (parse_dictionary(value) or {}).values()] == [
        type(member) for member in members.values()
    ]


@pytest.mark.parametrize("value", BAD)
def test_no_dictionaries(value: bytes) -> None:
    """What does not parse is none, and nothing of it counts (RFC 9651 §4.2)."""
    assert parse_dictionary(value) is None


@given(st.binary(max_size=40) | st.text('ai=?01(); ,":%', max_size=40).map(str.encode))
def test_anything(value: bytes) -> None:
    """Whatever a client sends, it is a dictionary or it is not."""
    members = parse_dictionary(value)
    assert members is None or all(key in value for key in members)


@pytest.mark.parametrize(
    "value",
    [
        b"a=(" + b"1;a " * 50_000,
        b"a=(" + b" " * 50_000,
        b"a=(1" + b" " * 50_000,
        b'a="' + b"x" * 100_000,
        b"a" + b";a" * 50_000 + b"=",
        b"a=:" + b"=" * 100_000,
        b"a" * 100_000 + b"A",
        b"a, " * 50_000 + b"A",
    ],
    ids=range(8),
)
def test_no_value_takes_long(value: bytes) -> None:
    """A value as long as a field section may be is read at once, though it is none."""
    begun_s = time.process_time()
    assert parse_dictionary(value) is None
    assert time.process_time() - begun_s < 1
