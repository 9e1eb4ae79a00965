"""Load generators: h2load and wrk, and what they say."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

__all__ = ["Load", "LoadFailed", "h2load_for", "h2load_times", "wrk"]

PATIENCE_S = 60
_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class LoadFailed(Exception):
    """Requests were not answered, so that their number says nothing."""


@dataclass(frozen=True)
class Load:
    """
    What came of a load.

    Attributes:
        requests: That were answered well, in all.
        per_s: A second.
        median_s: Until an answer had come, where the generator tells.
    """

    requests: int
    per_s: float
    median_s: float = 0.0


def h2load_for(url: str, seconds: float, *, connections: int, streams: int, h1: bool = False) -> Load:
    """Load a server over h2, or HTTP/1.1, for so long."""
    counts = [f"-c{connections}", f"-m{streams}", "-t1", *(["--h1"] if h1 else [])]
    return _h2load([*counts, f"-D{seconds * 1000:.0f}ms", url])


def h2load_times(url: str, times: int, *, connections: int, streams: int, upload: str | None = None) -> Load:
    """Send so many requests over h2, with the content of a file if one is named."""
    counts = [f"-c{connections}", f"-m{streams}", "-t1", f"-n{times}"]
    return _h2load([*counts, *(["-d", upload] if upload else []), url])


def _h2load(arguments: list[str]) -> Load:
    said = _run(["h2load", *arguments])
    per_s = re.search(r"finished in [^,]*, ([0-9.]+) req/s", said)
    counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", said)
    if per_s is None or counts is None:
        raise LoadFailed(said[-500:] or "h2load said nothing")
    succeeded, *others = map(int, counts.groups())
    if not succeeded or any(others):
        raise LoadFailed(counts[0])
    return Load(succeeded, float(per_s[1]))


def wrk(url: str, seconds: float, *, connections: int) -> Load:
    """Load a server over HTTP/1.1 for so long, in whole seconds."""
    said = _run(["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", url])
    per_s = re.search(r"Requests/sec: +([0-9.]+)", said)
    count = re.search(r"(\d+) requests in", said)
    median = re.search(r"50% +([0-9.]+)(us|ms|s)", said)
    wrong = re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", said)
    if per_s is None or count is None or median is None or count[1] == "0":
        raise LoadFailed(said[-500:])
    if wrong:
        raise LoadFailed(wrong[0])
    return Load(int(count[1]), float(per_s[1]), float(median[1]) * _UNITS_S[median[2]])


def _run(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False).stdout
    except subprocess.TimeoutExpired as error:
        raise LoadFailed(f"{command[0]} was not through in {PATIENCE_S} s") from error
