"""Verdict: what of all that has happened is held against a test, in one text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wptproto.server.archive import Archive
from wptproto.server.telling import traceback_lines

if TYPE_CHECKING:
    from wptproto.expectations.expectations import Expectations

__all__ = ["complaints"]

SHOWN_COMPLAINTS = 20


def complaints(
    expectations: Expectations | None, archive: Archive | None, *, errors: bool, violations: bool
) -> str:
    """
    Return what went otherwise than expected, in lines; empty if nothing did.

    Args:
        expectations: Those of the test, if it has any.
        archive: What happened, if that was recorded.
        errors: Whether errors of handlers count.
        violations: Whether what the client did against the protocol counts.
    """
    lines: list[str] = []
    if expectations is not None:
        lines += _part(
            "expected, and did not come",
            [
                f"{one}: {one.count} of {'1 request' if one.times == 1 else f'{one.times} requests'}"
                for one in expectations.unmet
            ],
        )
        lines += _part("came, and nobody expected it", [str(one) for one in expectations.mismatches])
    if archive is not None and errors:
        failed = [record for record in archive.exchanges() if record.error is not None]
        lines += _part(
            "handlers that failed",
            [
                "\n".join([record.line, *traceback_lines(record.error)])
                for record in failed
                if record.error is not None
            ],
        )
    if archive is not None and violations:
        lines += _part("the client broke the protocol", [str(one) for one in archive.violations()])
    return "\n".join(lines)


def _part(title: str, items: list[str]) -> list[str]:
    if not items:
        return []
    lines = [f"{title} ({len(items)}):"]
    for item in items[:SHOWN_COMPLAINTS]:
        lines += [f"  {line}" for line in item.split("\n")]
    if len(items) > SHOWN_COMPLAINTS:
        lines.append(f"  and {len(items) - SHOWN_COMPLAINTS} more")
    return lines
