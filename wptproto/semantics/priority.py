"""Priority: how urgent a response is, and how its client says so (RFC 9218)."""

from __future__ import annotations

from typing import NamedTuple

from wptproto.semantics.structured import parse_dictionary

__all__ = ["Priority", "parse_priority"]

_LEAST_URGENT = 7


class Priority(NamedTuple):
    """
    What a client wishes for one response, beside others.

    Attributes:
        urgency: From 0, the most urgent, to 7 (RFC 9218 §4.1).
        incremental: Parts of it are of use before the whole is there (RFC 9218 §4.2).
    """

    urgency: int = 3
    incremental: bool = False


def parse_priority(value: bytes) -> Priority | None:
    """
    Read the value of the field Priority, its lines joined by commas, or that of a PRIORITY_UPDATE frame.

    Returns:
        What it says; for what it does not say, the defaults. None where it is no dictionary at all.

    RFC 9218 §4: "unknown priority parameters, priority parameters with out-of-range values, or values of
    unexpected types MUST be ignored."
    """
    members = parse_dictionary(value)
    if members is None:
        return None
    urgency, incremental = members.get(b"u"), members.get(b"i")
    default = Priority()
    return Priority(
        urgency if type(urgency) is int and 0 <= urgency <= _LEAST_URGENT else default.urgency,
        incremental if isinstance(incremental, bool) else default.incremental,
    )
