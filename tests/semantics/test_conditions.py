"""Conditional requests: who has it already, and whose range still fits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wptproto.semantics.conditions import range_applies, status_by_conditions
from wptproto.semantics.fields import Fields

TAG = b'"a-1"'
MODIFIED = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
THEN = b"Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = b"Sun, 06 Nov 1994 08:49:36 GMT"
AFTER = b"Mon, 07 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # --- who has it already
        ([], None),
        ([(b"If-None-Match", TAG)], 304),
        ([(b"If-None-Match", b"W/" + TAG)], 304),
        ([(b"If-None-Match", b'"x,y" , ' + TAG)], 304),
        ([(b"If-None-Match", b'"x"'), (b"if-none-match", TAG)], 304),
        ([(b"If-None-Match", b"*")], 304),
        ([(b"If-None-Match", b'"b"')], None),
        ([(b"If-None-Match", b"a-1")], None),
        ([(b"If-None-Match", b"")], None),
        ([(b"If-None-Match", b'"b"'), (b"If-Modified-Since", THEN)], None),
        ([(b"If-Modified-Since", THEN)], 304),
        ([(b"If-Modified-Since", AFTER)], 304),
        ([(b"If-Modified-Since", BEFORE)], None),
        ([(b"If-Modified-Since", b"Sun, 06 Nov 1994 08:49:37 -0000")], None),
        ([(b"If-Modified-Since", b"Sunday, 06-Nov-94 08:49:37 GMT")], 304),
        ([(b"If-Modified-Since", b"soon")], None),
        ([(b"If-Modified-Since", b"")], None),
        ([(b"If-Modified-Since", b"\xff")], None),
        ([(b"If-Modified-Since", b"Sun, 06 Nov 99999 08:49:37 GMT")], None),
        ([(b"If-Modified-Since", THEN + b" " * 100)], None),
        ([(b"If-Modified-Since", b"Sun Nov  6 08:49:37 1994")], 304),
        ([(b"If-Modified-Since", THEN), (b"If-Modified-Since", THEN)], None),
        # --- who means another version
        ([(b"If-Match", TAG)], None),
        ([(b"If-Match", b'"x", ' + TAG)], None),
        ([(b"If-Match", b"*")], None),
        ([(b"If-Match", b"W/" + TAG)], 412),
        ([(b"If-Match", b'"x"')], 412),
        ([(b"If-Match", b"")], 412),
        ([(b"If-Match", TAG), (b"If-Unmodified-Since", BEFORE)], None),
        ([(b"If-Unmodified-Since", BEFORE)], 412),
        ([(b"If-Unmodified-Since", THEN)], None),
        ([(b"If-Unmodified-Since", AFTER)], None),
        ([(b"If-Unmodified-Since", b"soon")], None),
        # --- both
        ([(b"If-Match", b'"x"'), (b"If-None-Match", TAG)], 412),
        ([(b"If-Match", TAG), (b"If-None-Match", TAG)], 304),
        ([(b"If-Match", TAG), (b"If-None-Match", b'"x"'), (b"If-Modified-Since", THEN)], None),
        ([(b"If-Unmodified-Since", BEFORE), (b"If-None-Match", TAG)], 412),
        ([(b"If-Unmodified-Since", THEN), (b"If-Modified-Since", THEN)], 304),
    ],
)
def test_conditions(lines: list[tuple[bytes, bytes]], expected: int | None) -> None:
    """They count in the order of RFC 9110 §13.2.2; tags before dates, and dates only if they can be read."""
    for method in ("GET", "HEAD"):
        assert status_by_conditions(method, Fields(lines), TAG, MODIFIED) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ((b"If-None-Match", TAG), 412),
        ((b"If-None-Match", b"*"), 412),
        ((b"If-None-Match", b'"x"'), None),
        ((b"If-Modified-Since", THEN), None),
        ((b"If-Match", b'"x"'), 412),
    ],
)
def test_other_methods(line: tuple[bytes, bytes], expected: int | None) -> None:
    """For another method than GET and HEAD there is no 304 (RFC 9110 §13.1.2, §13.1.3)."""
    assert status_by_conditions("PUT", Fields([line]), TAG, MODIFIED) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (TAG, True),
        (b"W/" + TAG, False),
        (b'"b"', False),
        (b"*", False),
        (THEN, False),
        (AFTER, False),
        (b"x", False),
    ],
)
def test_range_applies(value: bytes, expected: bool) -> None:
    """If-Range has to be this very tag, and no date is as good (RFC 9110 §13.1.5)."""
    assert range_applies(Fields([(b"If-Range", value)]), TAG) is expected
    assert range_applies(Fields(), TAG)
