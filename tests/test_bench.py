"""What ``tools/bench`` makes of the words of other programs, and of its figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.bench import loads
from tools.bench.report import Figures
from tools.bench.rows import OURS, Row, Sample, Target

H2LOAD = """\
finished in 2.00s, 14312.50 req/s, 1.10MB/s
requests: 28625 total, 28625 started, 28625 done, 28625 succeeded, 0 failed, 0 errored, 0 timeout
"""
WRK = """\
  Latency Distribution
     50%  229.00us
     75%    1.02ms
  5052 requests in 1.00s, 0.61MB read
Requests/sec:   5049.12
"""


def says(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setattr(loads, "_run", lambda command: words)


def test_h2load(monkeypatch: pytest.MonkeyPatch) -> None:
    """h2load's rate and count are read."""
    says(monkeypatch, H2LOAD)
    done = loads.h2load_for("https://127.0.0.1:1/", 2, connections=8, streams=32)
    assert done == loads.Load(28625, 14312.5)


@pytest.mark.parametrize(
    "words", ["", H2LOAD.replace("0 errored", "3 errored"), H2LOAD.replace("28625 s", "0 s")]
)
def test_h2load_fails(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    """Where one request failed, no figure comes of it."""
    says(monkeypatch, words)
    with pytest.raises(loads.LoadFailed):
        loads.h2load_times("https://127.0.0.1:1/", 10, connections=1, streams=1)


def test_wrk(monkeypatch: pytest.MonkeyPatch) -> None:
    """wrk's rate, count and median are read."""
    says(monkeypatch, WRK)
    done = loads.wrk("http://127.0.0.1:1/", 1, connections=1)
    assert (done.requests, done.per_s) == (5052, 5049.12)
    assert done.median_s == pytest.approx(229e-6)


@pytest.mark.parametrize("more", ["  Non-2xx or 3xx responses: 7\n", "  Socket errors: connect 0, read 9\n"])
def test_wrk_fails(monkeypatch: pytest.MonkeyPatch, more: str) -> None:
    """Answers of another kind than were asked for make no figure."""
    says(monkeypatch, WRK + more)
    with pytest.raises(loads.LoadFailed):
        loads.wrk("http://127.0.0.1:1/", 1, connections=1)


def never(*_: object) -> Sample:
    raise AssertionError


ROW = Row("r", "A row", "ms", "least", (OURS, "peer", "other"), never, (Target(2, 0.5, "peer"), Target(3, 1)))


def figures(*ours: float) -> Figures:
    made = Figures()
    for value in ours:
        made.add(ROW, OURS, Sample(value, 0.0001))
    made.add(ROW, "peer", Sample(1))
    made.fail(ROW, "other", "it hung")
    return made


def test_table() -> None:
    """The table has medians, ratios to ours, who failed, and what became of the targets."""
    assert figures(2, 40, 4).table([ROW]) == (
        "**A row**, ms\n\n| | ms | to wptproto | processor us |\n|---|--:|--:|--:|\n"
        "| wptproto | 4 | 1.00 | 100 |\n| peer | 1 | 0.25 |  |\n| other | failed | | |\n\n"
        "- 4 x peer; must be 2: missed, goal 0.5: missed\n- 4 ms; must be 3: missed, goal 1: missed\n"
    )


def test_overview() -> None:
    """In short, what others have is a multiple of ours."""
    assert figures(2, 40, 4).overview([ROW]) == (
        "| | wptproto | peer | other | bare library |\n|---|--:|--:|--:|--:|\n"
        "| A row | 4 ms | 0.25 x | failed |  |\n"
    )


def test_targets_reached() -> None:
    """A figure as low as the target has reached it, where less is better."""
    assert "- 2 x peer; must be 2: reached, goal 0.5: missed\n" in figures(2).table([ROW])


def test_compared(tmp_path: Path) -> None:
    """Figures are kept in a file, and stand beside newer ones."""
    figures(8).save(tmp_path / "old.json")
    old = Figures.load(tmp_path / "old.json")
    assert old == figures(8)
    assert "| wptproto | 4 | 1.00 | 100 | 8 |" in figures(4).table([ROW], old)
