"""The tools that need another program, where it is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.audit import verdict

TOOLS = Path(__file__).parent.parent / "tools"


def test_h2spec_is_missing(tmp_path: Path) -> None:
    """tools/h2spec says plainly that there is no h2spec, and exits with 2."""
    done = subprocess.run(
        [sys.executable, TOOLS / "h2spec"],
        env={"PATH": str(tmp_path), "PYTHONPATH": str(TOOLS.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "h2spec is not on the PATH" in done.stderr


SOUND = {"name": "h2", "version": "4.4.1", "vulns": []}
KNOWN = {"name": "hpack", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]}
UNKNOWN = {"name": "h11", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("dependencies", "status", "said"),
    [
        ([SOUND], 0, ""),
        ([SOUND, KNOWN], 1, "hpack 1.0: CVE-1, mended in 1.1"),
        ([SOUND, UNKNOWN], 2, "audit: not done for 1 of 2, h11 among them"),
        ([KNOWN, UNKNOWN], 1, "hpack 1.0: CVE-1, mended in 1.1\naudit: not done for 1 of 2"),
        (None, 2, "audit: not done, nobody could be asked: no route to host"),
    ],
)
def test_audit(dependencies: list[dict[str, object]] | None, status: int, said: str) -> None:
    """An audit in which nobody could be asked has not passed, and says so; a vulnerability outweighs that."""
    report = "" if dependencies is None else json.dumps({"dependencies": dependencies})
    found, words = verdict(report, "Traceback:\n  x\n\nno route to host\n")
    assert (found, words[: len(said)]) == (status, said)
