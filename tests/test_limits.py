"""Limits."""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from typing import Any

import pytest

from wptproto import ConfigError, Limits


def test_none() -> None:
    """Without limits, each of them is beyond what there can be, and any octet counts."""
    limits = Limits.none()
    assert limits.progress_octets == 1
    others = {field.name for field in fields(limits)} - {"progress_octets"}
    assert {getattr(limits, name) for name in others} == {sys.maxsize}


def test_some() -> None:
    """One limit can be set alone; the others are the defaults."""
    limits = Limits(field_lines=3)
    assert limits == replace(Limits(), field_lines=3)
    assert limits.content_octets > 1024 * 1024


def test_changed() -> None:
    """Limits are changed by name, and None takes one away."""
    limits = Limits(field_lines=3, idle_s=4).changed({"idle_s": 0.5, "h2_pings_per_s": None})
    assert limits == Limits(field_lines=3, idle_s=0.5, h2_pings_per_s=sys.maxsize)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"fieldlines": 3}, "there is no limit 'fieldlines'; there are request_line_octets, .*field_lines"),
        ({"field_lines": -1}, "field_lines is a whole number from 0 on, not -1"),
        ({"field_lines": 1.5}, "field_lines is a whole number from 0 on, not 1.5"),
        ({"field_lines": True}, "field_lines is a whole number from 0 on, not True"),
        ({"field_lines": "3"}, "field_lines is a whole number from 0 on, not '3'"),
        ({"threads": 0}, "threads is a whole number from 1 on, not 0"),
        ({"progress_octets": 0}, "progress_octets is a whole number from 1 on, not 0"),
        ({"connections": 0}, "connections is a whole number from 1 on, not 0"),
        ({"idle_s": 0}, "idle_s is a number of seconds above 0, not 0"),
        ({"idle_s": False}, "idle_s is a number of seconds above 0, not False"),
        ({"idle_s": float("nan")}, "idle_s is a number of seconds above 0, not nan"),
        ({"idle_s": []}, r"idle_s is a number of seconds above 0, not \[\]"),
    ],
)
def test_what_makes_no_sense(settings: dict[str, Any], said: str) -> None:
    """A limit that is none, or cannot be meant, is an error that says what is wanted."""
    with pytest.raises(ConfigError, match=said):
        Limits().changed(settings)
    if "fieldlines" not in settings:
        with pytest.raises(ConfigError, match=said):
            Limits(**settings)


def test_each_is_documented() -> None:
    """Each is told of where they are declared."""
    assert all(f" {field.name}: " in (Limits.__doc__ or "") for field in fields(Limits))
