"""
Look for octets that our parsers mind: coverage-guided, by atheris, in an environment of its own.

    python3 tools/fuzz                          each target for ten seconds
    python3 tools/fuzz ranges --seconds 600     one, or some, for as long as that

What leads somewhere new is kept in .fuzz/TARGET/corpus, and begun with the next time; a finding's octets
are in .fuzz/TARGET. It is mended, and becomes a test of the module where it was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tools.environment import ROOT, set_up

NO_ATHERIS = """\
There is no atheris for this Python, or it cannot be had; what pip says of it stands above.
PyPI has it ready-made for CPython on Linux and macOS; from source (github.com/google/atheris) it needs clang.
The targets also run without it: pytest tests/fuzz/test_targets.py --hypothesis-profile=long"""

LIST = "from tools.fuzz.targets import TARGETS; print(*TARGETS)"


def run(python: Path, name: str, seconds: int) -> bool:
    """Run one target; whether nothing was found."""
    directory = ROOT / ".fuzz" / name
    directory.mkdir(parents=True, exist_ok=True)
    command = [str(python), "-m", "tools.fuzz.harness", name, str(directory), str(seconds)]
    with (directory / "log").open("w", encoding="utf-8") as log:
        failed = subprocess.run(
            command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False
        ).returncode
    if failed:
        print(f"{name}: found something; see {directory / 'log'}", flush=True)
    else:
        print(f"{name}: nothing found in {seconds} s", flush=True)
    return not failed


def main() -> int:
    """Return 0 where nothing was found, 1 where something was, 2 where it could not be looked for."""
    arguments = argparse.ArgumentParser(
        prog="tools/fuzz", description=(__doc__ or "").split("\n\n")[0].strip()
    )
    arguments.add_argument("targets", metavar="TARGET", nargs="*", help="which; all without one")
    arguments.add_argument("--seconds", type=int, default=10, help="how long each runs (default: 10)")
    asked = arguments.parse_args()
    try:
        python = set_up(".venv-fuzz", "dev", "fuzz") / "python"
    except subprocess.CalledProcessError:
        print(NO_ATHERIS, file=sys.stderr)
        return 2
    listed = subprocess.run([python, "-c", LIST], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = listed.split()
    if unknown := set(asked.targets) - set(names):
        print(f"there is no target {min(unknown)!r}; there are {', '.join(names)}", file=sys.stderr)
        return 2
    results = [run(python, name, asked.seconds) for name in asked.targets or names]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
