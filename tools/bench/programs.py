"""Programs of the system that are measured, or that measure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

__all__ = ["install_programs", "missing_programs"]

_PACKAGES = {"h2load": "nghttp2-client", "wrk": "wrk", "nginx": "nginx-light", "nghttpd": "nghttp2-server"}
"""Programs, and the Debian packages that have them."""


def missing_programs() -> list[str]:
    """Return those that are not on the PATH."""
    return [program for program in _PACKAGES if shutil.which(program) is None]


def install_programs() -> None:
    """Install what is missing where this may be done, and say what is still missing."""
    missing = missing_programs()
    if missing and shutil.which("apt-get") and os.name == "posix" and os.geteuid() == 0:
        packages = [_PACKAGES[program] for program in missing]
        print("apt-get install", *packages, file=sys.stderr, flush=True)
        for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            subprocess.run(["apt-get", "-qq", *command], check=False, stdout=subprocess.DEVNULL)  # noqa: S607 -- by the PATH
    for program in missing_programs():
        print(f"{program} is missing; Debian has it in {_PACKAGES[program]}", file=sys.stderr)
