"""
Mounts: directories below paths, each served as the document root is below ``/``.

A path that ends in ``/`` is a directory's. One that does not is a single file's: of the file that has
the path's last segment for its name, and lies in the directory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from wptproto.errors import ConfigError, HTTPException
from wptproto.handlers.filesystem import readable_directory, resolve
from wptproto.handlers.ready_made import AsIs
from wptproto.handlers.router import Handler, Route, literal
from wptproto.handlers.script import Scripts
from wptproto.handlers.static import StaticFiles

__all__ = ["mount_routes"]

_KINDS: tuple[tuple[str, str, Callable[[Path, str], Handler]], ...] = (
    ("*", ".py", Scripts),
    ("GET", ".asis", AsIs),
    ("GET", "", StaticFiles),
)
"""For which methods, and paths with which end, which handler answers."""


def mount_routes(mounts: Mapping[str, str | Path]) -> list[Route]:
    """
    Return the routes of what is mounted, those of the longest path first.

    Args:
        mounts: Directories, by the paths that they are mounted at.

    Raises:
        ConfigError: A path is none, or there is nothing to read at its directory.
    """
    routes: list[Route] = []
    for path in sorted(mounts, key=len, reverse=True):
        if not path.startswith("/") or not all("!" <= sign <= "~" and sign not in "?#" for sign in path):
            raise ConfigError(
                f"cannot mount at {path!r}: a path begins with / and is what clients send, percent-encoded"
            )
        directory = readable_directory(mounts[path])
        routes += _directory(path, directory) if path.endswith("/") else [_file(path, directory)]
    return routes


def _directory(path: str, directory: Path) -> list[Route]:
    return [(methods, f"{literal(path)}*{end}", kind(directory, path)) for methods, end, kind in _KINDS]


def _file(path: str, directory: Path) -> Route:
    base, _, name = path.rpartition("/")
    try:
        is_file = resolve(str(directory), name).is_file
    except HTTPException:
        is_file = False
    if not is_file:
        raise ConfigError(
            f"cannot mount at {path}: {directory} has no file {name}; for the directory itself, "
            f"the path has a slash at its end"
        )
    methods, kind = next((methods, kind) for methods, end, kind in _KINDS if name.endswith(end))
    return methods, literal(path), kind(directory, base + "/")
