"""The value of Date."""

from __future__ import annotations

import time

__all__ = ["date_now", "imf_fixdate"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_date_now: tuple[int, bytes] = (0, b"")


def date_now() -> bytes:
    """Return the value of Date (RFC 9110 §6.6.1), made once a second."""
    global _date_now  # noqa: PLW0603 -- there is one time, whoever asks
    now = int(time.time())
    if _date_now[0] != now:
        _date_now = (now, imf_fixdate(now))
    return _date_now[1]


def imf_fixdate(moment_s: int) -> bytes:
    """Return a moment as RFC 9110 §5.6.7 has it, whatever the locale."""
    at = time.gmtime(moment_s)
    day = f"{_DAYS[at.tm_wday]}, {at.tm_mday:02} {_MONTHS[at.tm_mon - 1]} {at.tm_year:04}"
    return f"{day} {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} GMT".encode("ascii")
