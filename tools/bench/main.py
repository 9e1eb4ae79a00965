"""``tools/bench``, once its environment is there."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tools.bench.loads import LoadFailed
from tools.bench.profiling import profile
from tools.bench.programs import install_programs, missing_programs
from tools.bench.report import Figures
from tools.bench.rows import OURS, ROWS, Effort, Row
from tools.bench.servers import SERVERS, Kit
from wptproto import certs

__all__ = ["main"]

WHOLE, QUICK = Effort(3, 1), Effort(1, 0.2)
ROUNDS = 3


def main() -> int:
    options = _options()
    install_programs()
    if missing := {"h2load", "wrk"} & set(missing_programs()):
        sys.exit(f"nothing can be measured without {' and '.join(sorted(missing))}")
    effort = QUICK if options.quick else WHOLE
    rows = [row for row in ROWS if not options.rows or row.name in options.rows]
    with tempfile.TemporaryDirectory() as directory:
        made = certs.ensure(Path(directory, "certs"), certs.DEFAULT_NAMES)
        kit = Kit(Path(directory), made.certificate, made.key)
        if options.profile:
            for row in rows:
                print(profile(row, kit, effort, Path(f"profile-{row.name}.svg")))
            return 0
        figures = Figures()
        for number in range(1 if options.quick else ROUNDS):
            for row in rows:
                _measure(row, number, options.servers, kit, effort, figures)
    old = Figures.load(options.compare) if options.compare else None
    print(figures.table(rows, old))
    print(figures.overview(rows), end="")
    if options.json:
        figures.save(options.json)
    return 0


def _measure(row: Row, number: int, servers: list[str], kit: Kit, effort: Effort, figures: Figures) -> None:
    """Measure all of a row once, each time beginning with another."""
    absent = {server.name for server in SERVERS if not server.is_there}
    names = [name for name in row.names if name not in absent and (not servers or name in servers)]
    turn = number % len(names) if names else 0
    for name in names[turn:] + names[:turn]:
        print(f"round {number + 1}, {row.name}: {name}", file=sys.stderr, flush=True)
        try:
            figures.add(row, name, row.measure(name, kit, effort))
        except (LoadFailed, OSError, RuntimeError, subprocess.SubprocessError) as error:
            print(f"{row.name}, {name}: {error}", file=sys.stderr)
            figures.fail(row, name, str(error))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", type=_names([row.name for row in ROWS]), default=[])
    everybody = sorted({name for row in ROWS for name in row.names})
    parser.add_argument("--servers", type=_names(everybody), default=[])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--compare", type=Path)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if options.servers and OURS not in options.servers:
        options.servers.append(OURS)
    return options


def _names(known: list[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        asked = text.split(",")
        if unknown := sorted(set(asked) - set(known)):
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: none of {', '.join(known)}")
        return asked

    return names


if __name__ == "__main__":
    sys.exit(main())
