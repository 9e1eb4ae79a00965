"""
Count the rows of the tables in tests/conformance, as README has it under "What we promise".

    .venv/bin/python -m tools.promises            says it
    .venv/bin/python -m tools.promises --write    puts it into README
    .venv/bin/python -m tools.promises --check    exits with 1 where README says something else

It runs none of them; the tests do, and a table's row that fails is a test that fails.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from tests.conformance.rfc9110_answers import RULES as ANSWERS
from tests.conformance.rfc9113_sent import RULES as SENT
from tests.conformance.test_h1_probes import PROBES as H1
from tests.conformance.test_h2_probes import PROBES as H2
from tests.conformance.test_rfc9110_files import ROWS as FILES
from tools.environment import ROOT

__all__ = ["counted", "table", "written"]

README = ROOT / "README.md"
BEGIN, END = "<!-- by tools/promises.py -->\n", "<!-- to here -->\n"
NAMES = {
    "6265": "cookies",
    "6585": "more status codes",
    "6797": "HSTS",
    "7541": "HPACK",
    "8441": "extended CONNECT",
    "9110": "semantics",
    "9112": "HTTP/1.1",
    "9113": "HTTP/2",
    "9218": "priorities",
}
_SECTION = re.compile(r"(?:RFC (\d+) )?§(\d+)")


class Row(NamedTuple):
    """Where a row's rule stands, and whether it is stricter than that asks for."""

    rfc: str
    section: int
    is_ours: bool


def counted() -> list[Row]:
    """Return all rows there are."""
    rows = [(row.section, row.level) for table in (H1, H2, ANSWERS, SENT) for row in table]
    rows += [(row.section, "") for row in FILES]
    return [_row(section, level) for section, level in rows]


def _row(section: str, level: str) -> Row:
    match = _SECTION.match(section)
    assert match is not None, f"not a section: {section}"
    return Row(match[1] or "9110", int(match[2]), level == "ours")


def table(rows: Iterable[Row]) -> str:
    """Return Markdown: a line for each RFC, and one for all."""
    rows = list(rows)
    lines = ["| RFC | rows | stricter by choice | rows of each section |", "|---|---:|---:|---|"]
    for rfc in sorted({row.rfc for row in rows}, key=int):
        of_it = [row for row in rows if row.rfc == rfc]
        sections = Counter(row.section for row in of_it)
        each = ", ".join(f"§{section} {sections[section]}" for section in sorted(sections))
        lines.append(f"| {rfc}, {NAMES[rfc]} | {len(of_it)} | {sum(row.is_ours for row in of_it)} | {each} |")
    lines.append(f"| all | {len(rows)} | {sum(row.is_ours for row in rows)} | |")
    return "\n".join(lines) + "\n"


def written(readme: str, made: str) -> str:
    """
    Return README with the table in its place.

    Raises:
        ValueError: It has no such place.
    """
    before, _, rest = readme.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"README has no place for the table, between {BEGIN.strip()} and {END.strip()}")
    return before + BEGIN + made + END + after


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--write"], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    made = table(counted())
    if not arguments:
        print(made, end="")
        return 0
    now = README.read_text(encoding="utf-8")
    then = written(now, made)
    if arguments == ["--write"]:
        README.write_text(then, encoding="utf-8")
    elif now != then:
        print("README's table is not that of the tests: python -m tools.promises --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
