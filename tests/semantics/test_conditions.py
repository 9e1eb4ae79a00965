"""Conditional requests: who has it already, and whose range still fits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wptproto.semantics.conditions import is_not_modified, precondition_fails, range_applies
from wptproto.semantics.fields import Fields

TAG = b'"a-1"'
MODIFIED = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
THEN = b"Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = b"Sun, 06 Nov 1994 08:49:36 GMT"
AFTER = b"Mon, 07 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], False),
        ([(b"If-None-Match", TAG)], True),
        ([(b"If-None-Match", b"W/" + TAG)], True),
        ([(b"If-None-Match", b'"x,y" , ' + TAG)], True),
        ([(b"If-None-Match", b'"x"'), (b"if-none-match", TAG)], True),
        ([(b"If-None-Match", b"*")], True),
        ([(b"If-None-Match", b'"b"')], False),
        ([(b"If-None-Match", b"a-1")], False),
        ([(b"If-None-Match", b"")], False),
        ([(b"If-None-Match", b'"b"'), (b"If-Modified-Since", THEN)], False),
        ([(b"If-Modified-Since", THEN)], True),
        ([(b"If-Modified-Since", AFTER)], True),
        ([(b"If-Modified-Since", BEFORE)], False),
        ([(b"If-Modified-Since", b"Sun, 06 Nov 1994 08:49:37 -0000")], True),
        ([(b"If-Modified-Since", b"Sunday, 06-Nov-94 08:49:37 GMT")], True),
        ([(b"If-Modified-Since", b"soon")], False),
        ([(b"If-Modified-Since", b"")], False),
        ([(b"If-Modified-Since", b"\xff")], False),
        ([(b"If-Modified-Since", b"Sun, 06 Nov 99999 08:49:37 GMT")], False),
        ([(b"If-Modified-Since", THEN + b" " * 100)], False),
    ],
)
def test_is_not_modified(lines: list[tuple[bytes, bytes]], expected: bool) -> None:
    """If-None-Match counts, compared weakly; only without it a date that can be read does."""
    assert is_not_modified(Fields(lines), TAG, MODIFIED) is expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], False),
        ([(b"If-Match", TAG)], False),
        ([(b"If-Match", b'"x", ' + TAG)], False),
        ([(b"If-Match", b"*")], False),
        ([(b"If-Match", b"W/" + TAG)], True),
        ([(b"If-Match", b'"x"')], True),
        ([(b"If-Match", b"")], True),
        ([(b"If-Match", TAG), (b"If-Unmodified-Since", BEFORE)], False),
        ([(b"If-Unmodified-Since", BEFORE)], True),
        ([(b"If-Unmodified-Since", THEN)], False),
        ([(b"If-Unmodified-Since", AFTER)], False),
        ([(b"If-Unmodified-Since", b"soon")], False),
    ],
)
def test_precondition_fails(lines: list[tuple[bytes, bytes]], expected: bool) -> None:
    """If-Match counts, compared strongly; only without it a date that can be read does."""
    assert precondition_fails(Fields(lines), TAG, MODIFIED) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(TAG, True), (b"W/" + TAG, False), (b'"b"', False), (THEN, True), (AFTER, False), (b"x", False)],
)
def test_range_applies(value: bytes, expected: bool) -> None:
    """If-Range has to match exactly, be it a strong tag or a date (RFC 9110 §13.1.5)."""
    assert range_applies(Fields([(b"If-Range", value)]), TAG, MODIFIED) is expected
    assert range_applies(Fields(), TAG, MODIFIED)
