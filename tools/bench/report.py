"""Figures of several rounds, their medians, and the table made of them."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.bench.rows import OURS, Row, Sample, Target

__all__ = ["Figures"]

_BARE = "bare "
MARKS = {True: "reached", False: "missed"}


@dataclass
class Figures:
    """
    What was measured.

    Attributes:
        samples: By row and name, in rounds.
        failures: By row and name, in words.
    """

    samples: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)
    failures: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, row: Row, name: str, sample: Sample) -> None:
        self.samples.setdefault(row.name, {}).setdefault(name, []).append(sample)

    def fail(self, row: Row, name: str, reason: str) -> None:
        self.failures.setdefault(row.name, {})[name] = reason

    def median(self, row: Row, name: str) -> float | None:
        samples = self.samples.get(row.name, {}).get(name)
        return statistics.median(sample.value for sample in samples) if samples else None

    def processor_us(self, row: Row, name: str) -> float | None:
        """Return the processor time for each request, in microseconds."""
        samples = self.samples.get(row.name, {}).get(name, [])
        spent = [sample.processor_s for sample in samples if sample.processor_s is not None]
        return statistics.median(spent) * 1e6 if spent else None

    def table(self, rows: list[Row], old: Figures | None = None) -> str:
        """Return all of it as Markdown: a list of servers for each row, and what became of our targets."""
        return "\n\n".join(self._row(row, old) for row in rows if row.name in self.samples) + "\n"

    def overview(self, rows: list[Row]) -> str:
        """Return it in short, as Markdown: our figures, and those of others as multiples of ours."""
        measured = [row for row in rows if self.median(row, OURS)]
        names = dict.fromkeys(name for row in measured for name in row.names if name != OURS)
        others = [name for name in names if not name.startswith(_BARE)]
        lines = [f"| | {OURS} | {' | '.join(others)} | bare library |", "|---|" + "--:|" * (len(others) + 2)]
        for row in measured:
            ours = self.median(row, OURS) or 1.0
            bare = next((name for name in row.names if name.startswith(_BARE)), "")
            cells = [self._multiple(row, name, ours) for name in (*others, bare)]
            lines.append(f"| {row.title} | {_short(ours)} {row.unit} | {' | '.join(cells)} |")
        return "\n".join(lines) + "\n"

    def _multiple(self, row: Row, name: str, ours: float) -> str:
        value = self.median(row, name)
        if value is None:
            return "failed" if name in self.failures.get(row.name, {}) else ""
        return f"{_short(value / ours)} x"

    def _row(self, row: Row, old: Figures | None) -> str:
        ours = self.median(row, OURS)
        lines = [f"**{row.title}**, {row.unit}", ""]
        lines.append(f"| | {row.unit} | to {OURS} | processor us |" + (" before |" if old else ""))
        lines.append("|---|--:|--:|--:|" + ("--:|" if old else ""))
        for name in row.names:
            value = self.median(row, name)
            if value is None:
                if name in self.failures.get(row.name, {}):
                    lines.append(f"| {name} | failed | | |" + (" |" if old else ""))
                continue
            processor_us = self.processor_us(row, name)
            cells = [name, _short(value), f"{value / ours:.2f}" if ours else ""]
            cells.append("" if processor_us is None else f"{processor_us:.0f}")
            if old:
                before = old.median(row, name)
                cells.append("" if before is None else _short(before))
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join([*lines, "", *self._targets(row, ours)]).rstrip()

    def _targets(self, row: Row, ours: float | None) -> list[str]:
        lines = []
        for target in row.targets:
            other = 1.0 if target.of is None else self.median(row, target.of)
            if ours and other:
                lines.append(_judged(row, target, ours / other))
        return lines

    def save(self, path: Path) -> None:
        plain = {
            row: {name: [[s.value, s.processor_s] for s in samples] for name, samples in names.items()}
            for row, names in self.samples.items()
        }
        path.write_text(json.dumps({"samples": plain, "failures": self.failures}, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Figures:
        saved: dict[str, Any] = json.loads(path.read_text())
        samples = {
            row: {name: [Sample(*each) for each in list_] for name, list_ in names.items()}
            for row, names in saved["samples"].items()
        }
        return cls(samples, saved["failures"])


def _judged(row: Row, target: Target, figure: float) -> str:
    """Say in a line of the list whether a target was reached."""
    words = []
    for what, wanted in (("must be", target.must), ("goal", target.goal)):
        if wanted:
            reached = figure >= wanted if row.best == "most" else figure <= wanted
            words.append(f"{what} {wanted:g}: {MARKS[reached]}")
    of = f" x {target.of}" if target.of else f" {row.unit}"
    return f"- {_short(figure)}{of}; {', '.join(words)}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
