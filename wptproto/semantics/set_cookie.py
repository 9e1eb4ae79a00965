"""What stands in Set-Cookie: a cookie that a server gives (RFC 6265 §4.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from wptproto.semantics.fields import Value, to_octets

__all__ = ["set_cookie"]

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def set_cookie(
    name: str | bytes,
    value: str | bytes | None,
    path: str | None = "/",
    domain: str | None = None,
    max_age: float | timedelta | None = None,
    expires: datetime | timedelta | None = None,
    samesite: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    comment: str | None = None,
) -> bytes:
    """
    Return the value of Set-Cookie (RFC 6265 §4.1), name, value and attributes as they are.

    ``Response.set_cookie`` says what each of them is.
    """
    if value is None:
        value, max_age, expires = b"", 0, timedelta(days=-1)
    if isinstance(max_age, timedelta):
        max_age = max_age.total_seconds()
    if isinstance(expires, timedelta):
        expires = datetime.now(UTC) + expires
    parts = [to_octets(name) + b"=" + to_octets(value)]
    attributes: list[tuple[bytes, Value | None]] = [
        (b"Comment", comment),
        (b"Domain", domain),
        (b"expires", None if expires is None else _cookie_date(expires)),
        (b"HttpOnly", bool(httponly)),
        (b"Max-Age", None if max_age is None else int(max_age)),
        (b"Path", path),
        (b"SameSite", samesite),
        (b"Secure", bool(secure)),
    ]
    for key, given in attributes:
        if given is True:
            parts.append(key)
        elif given is not None and given is not False and given != "":
            parts.append(key + b"=" + to_octets(given))
    return b"; ".join(parts)


def _cookie_date(moment: datetime) -> str:
    """Return a date as wptserve writes it; clients read it (RFC 6265 §5.1.1), and programs look for it."""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{moment:%d} {_MONTHS[moment.month - 1]} {moment.year:04} {moment:%H:%M:%S} GMT"
