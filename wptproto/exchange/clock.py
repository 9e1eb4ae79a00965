"""The value of Date."""

from __future__ import annotations

import time
from email.utils import formatdate

__all__ = ["date_now"]

_date_now: tuple[int, bytes] = (0, b"")


def date_now() -> bytes:
    """Return the value of Date (RFC 9110 §6.6.1), made once a second."""
    global _date_now  # noqa: PLW0603 -- there is one time, whoever asks
    now = int(time.time())
    if _date_now[0] != now:
        _date_now = (now, formatdate(now, usegmt=True).encode("ascii"))
    return _date_now[1]
