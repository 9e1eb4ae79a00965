"""From a request's path to a file below the document root, and not beyond it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

from wptproto.errors import HTTPException

__all__ = ["below", "resolve"]


def below(url_base: str, path: str) -> str:
    """Return what is left of a request's path below that of a mounted directory, from the slash on."""
    return path[len(url_base) - 1 :] if path.startswith(url_base) else path


def resolve(root: Path, path: str) -> Path:
    """
    Return the file or directory that a path names.

    Args:
        root: The document root, itself resolved.
        path: Of the request, percent-encoded, one character to one octet.

    Raises:
        HTTPException: 404, where there is none, or where it lies outside the root: by ``..``, however
            encoded, by NUL, or by a symbolic link.
    """
    octets = unquote_to_bytes(path.encode("latin-1"))
    segments = octets.split(b"/")
    if b"\0" in octets or b".." in segments or (os.sep == "\\" and b"\\" in octets):
        raise HTTPException(404, f"not a path below the document root: {path}")
    try:
        found = root.joinpath(*(os.fsdecode(segment) for segment in segments if segment)).resolve(strict=True)
    except (OSError, RuntimeError):
        # Not there, a name too long, a cycle of links: each is no file of ours.
        raise HTTPException(404, f"no such file: {path}") from None
    if not found.is_relative_to(root):
        raise HTTPException(404, f"not a path below the document root: {path}")
    if octets.endswith(b"/") and not found.is_dir():
        raise HTTPException(404, f"no such directory: {path}")
    return found
