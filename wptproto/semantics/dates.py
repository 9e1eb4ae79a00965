"""Dates as fields have them (RFC 9110 §5.6.7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

__all__ = ["parse_date"]

_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = rb"(?P<month>" + b"|".join(_MONTHS) + rb")"
_TIME = rb"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"

# "A recipient that parses a timestamp value in an HTTP field MUST accept all three HTTP-date formats." They
# are IMF-fixdate, and the obsolete ones of RFC 850 and of asctime; case counts.
_FORMS = tuple(
    re.compile(form)
    for form in (
        _DAY + rb", (?P<day>[0-9]{2}) " + _MONTH + rb" (?P<year>[0-9]{4}) " + _TIME + rb" GMT",
        rb"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, "
        rb"(?P<day>[0-9]{2})-" + _MONTH + rb"-(?P<year>[0-9]{2}) " + _TIME + rb" GMT",
        _DAY + rb" " + _MONTH + rb" (?P<day>[0-9 ][0-9]) " + _TIME + rb" (?P<year>[0-9]{4})",
    )
)


def parse_date(octets: bytes, *, now: datetime | None = None) -> datetime | None:
    """
    Return the moment that a field's value names, to the second; None where it is no date.

    Args:
        octets: The value.
        now: By which a year of two digits is told; None asks the clock.
    """
    match = next((match for form in _FORMS if (match := form.fullmatch(octets))), None)
    if match is None:
        return None
    day, year, hour, minute, second = (
        int(match[part]) for part in ("day", "year", "hour", "minute", "second")
    )
    if len(match["year"]) == 2:
        year = _full_year(year, datetime.now(UTC) if now is None else now)
    month = _MONTHS.index(match["month"]) + 1
    leap = timedelta(seconds=second == 60)  # a minute may have 61 seconds, but not to Python
    try:
        return datetime(year, month, day, hour, minute, second - leap.seconds, tzinfo=UTC) + leap
    except (ValueError, OverflowError):
        return None


def _full_year(year: int, now: datetime) -> int:
    """
    Return the year that two digits stand for.

    "Recipients of a timestamp value in rfc850-date format, which uses a two-digit year, MUST interpret a
    timestamp that appears to be more than 50 years in the future as representing the most recent year in the
    past that had the same last two digits."
    """
    full = now.year - now.year % 100 + year
    return full - 100 if full > now.year + 50 else full
