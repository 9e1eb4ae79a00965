"""The value of Date."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wptproto.exchange.clock import date_now, imf_fixdate


def test_the_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    "An example of an HTTP-date in the preferred format" (RFC 9110 §5.6.7), which changes with the second.
    """
    monkeypatch.setattr("time.time", lambda: 784111777.0)
    assert date_now() == date_now() == b"Sun, 06 Nov 1994 08:49:37 GMT"
    monkeypatch.setattr("time.time", lambda: 784111778.9)
    assert date_now() == b"Sun, 06 Nov 1994 08:49:38 GMT"


@given(st.integers(0, 2**35))
def test_any_date(moment_s: int) -> None:
    """It is, whatever the day, as the standard library has it for mail."""
    assert imf_fixdate(moment_s).decode("ascii") == formatdate(moment_s, usegmt=True)
