"""The tools that need another program, where it is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
