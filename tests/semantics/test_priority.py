"""Priority: what a client says of how urgent a response is (RFC 9218)."""

from __future__ import annotations

import pytest

from wptproto.semantics.priority import Priority, parse_priority


@pytest.mark.parametrize(
    ("value", "priority"),
    [
        (b"", Priority()),
        (b"u=0", Priority(0)),
        (b"u=7, i", Priority(7, incremental=True)),
        (b"i, u=1", Priority(1, incremental=True)),
        (b"i=?0;x, u=5;y=1, extra=(1 2)", Priority(5)),
        (b"u=1, u=2", Priority(2)),
        (b"i, i=?0", Priority()),
    ],
)
def test_what_it_says(value: bytes, priority: Priority) -> None:
    """Urgency is 0 to 7, incremental true or false; what is not said is 3 and false (RFC 9218 §4)."""
    assert parse_priority(value) == priority


@pytest.mark.parametrize(
    "value",
    [b"u=8", b"u=-1", b"u=1.0", b'u="1"', b"u", b"u=?1", b"u=(1)", b"i=1", b"i=yes", b"i=(?1)", b"other=1"],
)
def test_what_is_ignored(value: bytes) -> None:
    """
    "unknown priority parameters, priority parameters with out-of-range values, or values of unexpected
    types MUST be ignored" (RFC 9218 §4).
    """
    assert parse_priority(value) == Priority()


def test_what_is_no_dictionary() -> None:
    """What does not parse says nothing at all."""
    assert parse_priority(b"u=1, (") is None
