"""
Ask whether something that is installed here has a known vulnerability; pip-audit asks PyPI.

Exits with 1 where it has, and with 2 where nobody could be asked, for that is neither a yes nor a no.
pip and setuptools are left out: they came with Python, and nobody gets them from us.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["NOT_DONE", "verdict"]

NOT_DONE = 2
PATIENCE_S = 120


def verdict(report: str, complaint: str) -> tuple[int, str]:
    """
    Return the status to exit with, and what to say.

    Args:
        report: What pip-audit writes as JSON; nothing where it fails.
        complaint: What it says beside that.
    """
    try:
        dependencies: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        *_, why = ["it says nothing", *complaint.split("\n\n")[-1].strip().splitlines()]
        return NOT_DONE, f"audit: not done, nobody could be asked: {why}"
    known = [
        f"{found['name']} {found['version']}: {vulnerability['id']}, mended in "
        f"{', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for found in dependencies
        for vulnerability in found.get("vulns", ())
    ]
    unasked = [found["name"] for found in dependencies if "skip_reason" in found]
    if unasked:
        known.append(
            f"audit: not done for {len(unasked)} of {len(dependencies)}, {unasked[0]} among them, "
            "of which PyPI, or what is in its place here, does not know"
        )
    status = 1 if len(known) > bool(unasked) else NOT_DONE if unasked else 0
    return status, "\n".join(known)


def main() -> int:
    """Return 0 where all were asked about, and nothing is known."""
    with tempfile.TemporaryDirectory() as directory:
        installed = Path(directory) / "installed"
        freeze = [sys.executable, "-m", "pip", "freeze", "--exclude-editable", "--disable-pip-version-check"]
        installed.write_bytes(subprocess.run(freeze, check=True, capture_output=True).stdout)
        audit = [sys.executable, "-m", "pip_audit", "--requirement", str(installed)]
        audit += ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
        try:
            done = subprocess.run(audit, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            done = subprocess.CompletedProcess(audit, 1, "", str(error))
    status, words = verdict(done.stdout, done.stderr)
    if words:
        print(words)
    return status


if __name__ == "__main__":
    sys.exit(main())
