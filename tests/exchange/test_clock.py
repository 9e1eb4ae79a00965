"""The value of Date."""

from __future__ import annotations

import pytest

from wptproto.exchange.clock import date_now


def test_the_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    "An example of an HTTP-date in the preferred format" (RFC 9110 §5.6.7), which changes with the second.
    """
    monkeypatch.setattr("time.time", lambda: 784111777.0)
    assert date_now() == date_now() == b"Sun, 06 Nov 1994 08:49:37 GMT"
    monkeypatch.setattr("time.time", lambda: 784111778.9)
    assert date_now() == b"Sun, 06 Nov 1994 08:49:38 GMT"
