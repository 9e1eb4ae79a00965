"""Processes of a server: their processor time, their memory, their end. Linux's /proc tells."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

__all__ = ["Running"]

PATIENCE_S = 5
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Running:
    """The processes that were started for a server, each the leader of a session of its own."""

    def __init__(self, leaders: list[subprocess.Popen[bytes]]) -> None:
        self.leaders = leaders

    @property
    def ended(self) -> bool:
        """Whether one of them has ended."""
        return any(leader.poll() is not None for leader in self.leaders)

    def processor_s(self) -> float:
        """Return the processor time that they and their children have used so far."""
        return sum(
            (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
            for fields in map(_stat, self._pids())
            if fields
        )

    def memory_octets(self) -> int:
        """Return what they hold that is theirs alone, or their share of it (PSS)."""
        total = 0
        for pid in self._pids():
            with suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
        return total

    def end(self) -> None:
        """End them and their children."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for leader in self.leaders:
                with suppress(ProcessLookupError):
                    os.killpg(leader.pid, number)
            for leader in self.leaders:
                with suppress(subprocess.TimeoutExpired):
                    leader.wait(PATIENCE_S if number == signal.SIGTERM else None)

    def _pids(self) -> list[int]:
        sessions = {leader.pid for leader in self.leaders}
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [pid for pid in pids if (fields := _stat(pid)) and int(fields[3]) in sessions]


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on; none where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
