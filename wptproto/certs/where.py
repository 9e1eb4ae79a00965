"""Where certificates belong when nobody names a directory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from wptproto.errors import CertificateError

__all__ = ["default_directory"]


def default_directory() -> Path:
    """
    Tell where certificates belong when nobody names a directory; nothing is made.

    Returns:
        ``certs/`` of the checkout that this module runs from, else ``wptproto`` in the user's directory for
        data: ``$XDG_DATA_HOME`` or ``~/.local/share``, ``~/Library/Application Support`` on macOS,
        ``%LOCALAPPDATA%`` on Windows.

    Raises:
        CertificateError: The user has no home directory.
    """
    checkout = Path(__file__).resolve().parent.parent.parent
    if _is_checkout(checkout):
        return checkout / "certs"
    try:
        return _data_directory(sys.platform) / "wptproto"
    except RuntimeError as error:
        raise CertificateError("there is no home directory for certificates; name a directory") from error


def _is_checkout(directory: Path) -> bool:
    try:
        lines = (directory / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    return 'name = "wptproto"' in lines and (directory / "certs").is_dir()


def _data_directory(platform: str) -> Path:
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    # XDG Base Directory Specification: "If an implementation encounters a relative path in any of these
    # variables it should consider the path invalid and ignore it."
    data = os.environ.get("XDG_DATA_HOME", "")
    return Path(data) if os.path.isabs(data) else Path.home() / ".local" / "share"
