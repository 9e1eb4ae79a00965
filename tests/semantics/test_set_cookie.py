"""Set-Cookie: its attributes, and how dates in it are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from wptproto.semantics.set_cookie import set_cookie


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, b"a=b; Path=/"),
        ({"path": None}, b"a=b"),
        ({"domain": "h.test", "samesite": "Lax"}, b"a=b; Domain=h.test; Path=/; SameSite=Lax"),
        ({"secure": True, "httponly": True}, b"a=b; HttpOnly; Path=/; Secure"),
        ({"max_age": 1.5, "path": ""}, b"a=b; Max-Age=1"),
        ({"max_age": timedelta(minutes=1), "comment": "c"}, b"a=b; Comment=c; Max-Age=60; Path=/"),
        ({"expires": datetime(2030, 1, 2, 3, 4, 5)}, b"a=b; expires=02 jan 2030 03:04:05 GMT; Path=/"),
        (
            {"expires": datetime(2030, 1, 2, tzinfo=timezone(timedelta(hours=1)))},
            b"a=b; expires=01 jan 2030 23:00:00 GMT; Path=/",
        ),
    ],
)
def test_attributes(given: dict[str, Any], expected: bytes) -> None:
    """They stand in one order, and those that are not given are not there (RFC 6265 §4.1.1)."""
    assert set_cookie("a", "b", **given) == expected


def test_a_cookie_that_is_deleted() -> None:
    """It is empty, and expired yesterday."""
    *others, expires = sorted(set_cookie(b"a", None).split(b"; "))
    assert others == [b"Max-Age=0", b"Path=/", b"a="]
    moment = datetime.strptime(expires.decode(), "expires=%d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert timedelta(hours=23) < datetime.now(UTC) - moment < timedelta(hours=25)
