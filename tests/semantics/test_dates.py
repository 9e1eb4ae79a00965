"""Dates: three forms, and nothing beside them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wptproto.semantics.dates import parse_date

THEN = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "octets",
    [b"Sun, 06 Nov 1994 08:49:37 GMT", b"Sunday, 06-Nov-94 08:49:37 GMT", b"Sun Nov  6 08:49:37 1994"],
)
def test_the_three_forms(octets: bytes) -> None:
    """A date has one of the three forms (RFC 9110 §5.6.7)."""
    assert parse_date(octets) == THEN


@pytest.mark.parametrize(
    ("year", "expected"), [(b"94", 1994), (b"00", 2000), (b"26", 2026), (b"76", 2076), (b"77", 1977)]
)
def test_two_digits(year: bytes, expected: int) -> None:
    """A year of two digits is no more than 50 years in the future."""
    found = parse_date(b"Sunday, 06-Nov-%b 08:49:37 GMT" % year, now=NOW)
    assert found is not None
    assert found.year == expected


def test_a_leap_second() -> None:
    """A minute may have 61 seconds."""
    assert parse_date(b"Sat, 31 Dec 2016 23:59:60 GMT") == datetime(2017, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"0",
        b"soon",
        b"\xff",
        b"Sun, 06 Nov 1994 08:49:37",
        b"Sun, 06 Nov 1994 08:49:37 UTC",
        b"Sun, 06 Nov 1994 08:49:37 +0000",
        b"Sun, 06 Nov 1994 08:49:37 GMT ",
        b"Sun, 06 Nov 1994 08:49:37 GMT\n",
        b"sun, 06 nov 1994 08:49:37 gmt",
        b"Sun, 6 Nov 1994 08:49:37 GMT",
        b"06 Nov 1994 08:49:37 GMT",
        b"Sun, 31 Feb 1994 08:49:37 GMT",
        b"Sun, 06 Nov 0000 08:49:37 GMT",
        b"Sun, 06 Nov 1994 24:49:37 GMT",
        b"Sun, 06 Nov 1994 08:49:61 GMT",
        b"Sun, 06 Nov 99999 08:49:37 GMT",
        b"Fri, 31 Dec 9999 23:59:60 GMT",
        b"Sun, 06-Nov-94 08:49:37 GMT",
        b"Sun Nov 6 08:49:37 1994",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT".encode(),
    ],
)
def test_no_date(octets: bytes) -> None:
    """What has none of these forms, or is on no calendar, is no date."""
    assert parse_date(octets) is None


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))
def test_what_servers_send(moment: datetime) -> None:
    """A date as it is sent is read to the second."""
    octets = f"{moment:%a, %d %b %Y %H:%M:%S} GMT".encode()
    assert parse_date(octets) == moment.replace(microsecond=0)
