"""Where the time of a row goes, as py-spy sees it from outside."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

from tools.bench.processes import Running
from tools.bench.rows import OURS, Effort, Row
from tools.bench.servers import Kit

__all__ = ["profile"]


def profile(row: Row, kit: Kit, effort: Effort, svg: Path) -> str:
    """Measure a row of ours with py-spy beside it, which writes a flame graph; what it says of that."""
    watching: list[subprocess.Popen[str]] = []

    def watch(running: Running) -> None:
        program = str(Path(sys.executable).with_name("py-spy"))
        command = [program, "record", "--output", str(svg), "--rate", "200", "--nonblocking"]
        command += ["--pid", str(running.leaders[0].pid), "--duration", str(max(1, round(effort.seconds)))]
        watching.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))

    row.measure(OURS, dataclasses.replace(kit, watch=watch), effort)
    if not watching:
        return f"{row.name}: nothing to watch; only rows that put a server under load can be profiled"
    said = watching[0].communicate()[1]
    return f"{svg}: the flame graph of {row.name}" if svg.exists() else said.strip()
