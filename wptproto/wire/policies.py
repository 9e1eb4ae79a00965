"""Policies: what is to come of what a client breaks."""

from __future__ import annotations

import typing

__all__ = ["POLICIES", "Policy"]

Policy = typing.Literal["checked", "allowed", "fatal"]
"""
What comes of violations, beside that they are recorded: leaving the connection's ``with`` block fails
(``checked``), nothing (``allowed``), or the connection ends at the first of them, and the test fails
(``fatal``).
"""

POLICIES: tuple[Policy, ...] = typing.get_args(Policy)
