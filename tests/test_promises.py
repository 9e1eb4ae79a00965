"""What README promises is what the tables have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import promises
from tools.promises import BEGIN, END, Row, counted, main, table, written


def test_readme_is_up_to_date() -> None:
    """README's table is the one that ``python -m tools.promises --write`` makes."""
    assert main(["--check"]) == 0


def test_the_table() -> None:
    """It has a line for each RFC, with the rows of each section, and one for all."""
    rows = [Row("9113", 6, False), Row("9113", 10, True), Row("9113", 6, False), Row("7541", 2, False)]
    assert table(rows).splitlines()[2:] == [
        "| 7541, HPACK | 1 | 0 | §2 1 |",
        "| 9113, HTTP/2 | 3 | 1 | §6 2, §10 1 |",
        "| all | 4 | 1 | |",
    ]


def test_rows_are_counted() -> None:
    """Each row of each table counts, several hundred of either protocol."""
    rows = counted()
    assert sum(row.rfc == "9112" for row in rows) > 300
    assert sum(row.rfc == "9113" for row in rows) > 300


def test_a_readme_without_a_place() -> None:
    """Where the table has no place, that is said."""
    with pytest.raises(ValueError, match="no place for the table"):
        written("# README\n", "")


def test_write_and_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is out of date is told, written, and then up to date."""
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}old\n{END}after\n", encoding="utf-8")
    monkeypatch.setattr(promises, "README", readme)
    assert main(["--check"]) == 1
    assert "tools.promises --write" in capsys.readouterr().err
    assert (main(["--write"]), main(["--check"])) == (0, 0)
    assert readme.read_text(encoding="utf-8") == f"before\n{BEGIN}{table(counted())}{END}after\n"
    assert main([]) == 0
    assert capsys.readouterr().out == table(counted())
    assert main(["--else"]) == 2
