"""Limits."""

from __future__ import annotations

import sys
from dataclasses import fields, replace

from wptproto.limits import Limits


def test_none() -> None:
    """Without limits, each of them is beyond what there can be."""
    limits = Limits.none()
    assert {getattr(limits, field.name) for field in fields(limits)} == {sys.maxsize}


def test_some() -> None:
    """One limit can be set alone; the others are the defaults."""
    limits = Limits(field_lines=3)
    assert limits == replace(Limits(), field_lines=3)
    assert limits.content_octets > 1024 * 1024
