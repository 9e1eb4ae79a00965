"""Isolated environments for tools, made once and again when pyproject.toml has changed."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

__all__ = ["ROOT", "set_up"]

ROOT = Path(__file__).resolve().parent.parent


def set_up(name: str, *extras: str) -> Path:
    """
    Make an environment in the checkout, or bring it up to date.

    Args:
        name: Of its directory.
        extras: Of pyproject.toml, installed beside the package.

    Returns:
        Where its programs are.

    Raises:
        SystemExit: This Python cannot make one.
        subprocess.CalledProcessError: pip cannot install something, and has said what.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 -- it is just the old ones that have to be told
        sys.exit(f"wptproto needs Python 3.11 or newer, and this is {sys.version.split()[0]}")
    directory = ROOT / name
    programs = directory / ("Scripts" if os.name == "nt" else "bin")
    wanted = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    stamp = directory / "installed"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return programs
    print("setting up", directory, flush=True)
    try:
        venv.create(directory, with_pip=True, clear=True)
    except (ImportError, subprocess.CalledProcessError):
        sys.exit("this Python cannot make environments with pip; on Debian: apt-get install python3-venv")
    pip = [str(programs / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--editable", f"{ROOT}[{','.join(extras)}]"], check=True)
    stamp.write_text(wanted, encoding="utf-8")
    return programs
