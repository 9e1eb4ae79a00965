"""
From a request's path to a file below a served directory, and not beyond it.

Every handler of files and scripts finds them here. What a path says is decoded once, and every segment of
it is the name of a file or directory; so nothing but the file system itself leads elsewhere, by links. Each
name is looked at from the root on, once for each request. Where none of them is a link, what was found is
below the root. Where one is, all links are followed, and where they lead is looked at last. The same is done
on systems with names that lead elsewhere without being links, as Windows has them: short names, junctions.

What this does not keep off: hard links, whoever puts another directory in the place of the root or of one
above it, and whoever changes what lies below between a look and the next. Who can do that could put a script
there, too.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

from wptproto.errors import ConfigError, HTTPException

__all__ = [
    "Entry",
    "ServedDirectory",
    "ServedFiles",
    "decoded",
    "look_up",
    "names_in",
    "not_in_names",
    "open_descriptor",
    "open_regular",
    "readable_directory",
    "resolve",
]

T = TypeVar("T")


def not_in_names(separator: str) -> tuple[bytes, ...]:
    """
    Return the octets that no path has, on a system with this separator of its own.

    On Windows, a backslash is another slash, and a colon stands behind a drive, or before one of a file's
    streams: ``script.py::$DATA`` are the octets of a script.
    """
    return (b"\0", b"\\", b":") if separator == "\\" else (b"\0",)


_NO_NAME = not_in_names(os.sep)
_LINKS_ALONE_LEAD_ELSEWHERE = os.name == "posix"
_READ_ONLY = os.O_RDONLY | getattr(os, "O_BINARY", 0)


class Entry(NamedTuple):
    """
    A file or directory below a root, as it was when it was looked for.

    Attributes:
        path: Where it lies, all links followed.
        status: What the system says of it.
    """

    path: str
    status: os.stat_result

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.status.st_mode)


class ServedDirectory:
    """
    A directory that is served: what handlers of files and scripts have in common.

    Attributes:
        root: The directory, resolved.
        base_path: The same as text, for requests and what asks after it.
        url_base: The path where it is mounted.
    """

    def __init__(self, root: Path, url_base: str = "/") -> None:
        """
        Args:
            root: The directory, resolved.
            url_base: The path where it is mounted.
        """
        self.root = root
        self.base_path = str(root)
        self.url_base = url_base

    def below(self, path: str) -> str:
        """Return what is left of a request's path below that of the directory, from the slash on."""
        return path[len(self.url_base) - 1 :] if path.startswith(self.url_base) else path

    def find(self, path: str) -> Entry:
        """
        Return the file or directory that a request's path names.

        Raises:
            HTTPException: 404, as :func:`resolve` has it.
        """
        return resolve(self.base_path, self.below(path))

    def open(self, found: Entry, path: str) -> BufferedReader:
        """Return a file that was found, open, as :meth:`take` has it."""
        return self.take(found, path, open_regular)

    def take(self, found: Entry, path: str, opened: Callable[[str], T]) -> T:
        """
        Return what is made of a file that was found, so that it can be sent.

        Args:
            found: As :meth:`find` gave it.
            path: Of the request.
            opened: Makes it, and raises OSError where the file cannot be opened or read.

        Raises:
            HTTPException: 404; it is no regular file, may not be read, or is a script. Such a one is not
                shown: its path was encoded, or it was reached by a link, and so no script answered.
        """
        if not found.is_file:
            raise HTTPException(404, f"not a regular file: {path}")
        if found.path.lower().endswith(".py"):  # a file system without case has it by other names, too
            raise HTTPException(404, f"a script is run, and not shown: {path}")
        try:
            return opened(found.path)
        except OSError as error:
            raise HTTPException(404, f"cannot be read: {path}: {error.strerror}") from error


class ServedFiles(ServedDirectory):
    """One whose files are sent, and none of them run: no answer of it waits for another request."""


def readable_directory(path: str | Path) -> Path:
    """
    Return a directory, resolved.

    Raises:
        ConfigError: It is not there, is none, or may not be read.
    """
    try:
        root = Path(path).resolve(strict=True)
        next(root.iterdir(), None)
    except OSError as error:
        raise ConfigError(f"cannot serve {path}: {error.strerror}") from error
    return root


def decoded(path: str) -> bytes:
    """
    Return the octets that a request's path stands for.

    Args:
        path: Percent-encoded, one character to one octet. A ``%`` without two digits is one.
    """
    return unquote_to_bytes(path.encode("latin-1"))


def resolve(root: str, path: str) -> Entry:
    """
    Return the file or directory that a path names, all links followed.

    Args:
        root: The directory, itself resolved.
        path: Below it; percent-encoded, one character to one octet.

    Raises:
        HTTPException: 404, where there is none, or where it lies outside the root: by ``..``, however
            encoded, by NUL, or by a symbolic link.
    """
    names = names_in(path)
    try:
        found = look_up(root, names)
    except OSError:
        # Not there, a name too long, a cycle of links: each is no file of ours.
        raise HTTPException(404, f"no such file: {path}") from None
    if found is None:
        raise HTTPException(404, f"not a path below the document root: {path}")
    if not names[-1] and not found.is_directory:
        raise HTTPException(404, f"no such directory: {path}")
    return found


def look_up(root: str, names: Iterable[str]) -> Entry | None:
    """
    Return what lies at the end of some names, all links followed; None where that is not below the root.

    Args:
        root: The directory, itself resolved.
        names: As :func:`names_in` gives them; those that are empty, or a dot, lead nowhere.

    Raises:
        OSError: There is nothing.
    """
    found = _walked(root, names) if _LINKS_ALONE_LEAD_ELSEWHERE else None
    return _followed(root, names) if found is None else found


def _walked(root: str, names: Iterable[str]) -> Entry | None:
    """Look at each name, and return what is found; None where one of them is a link."""
    path, status = root.rstrip("/"), None
    for name in names:
        if name and name != ".":
            path = f"{path}/{name}"
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                return None
    return Entry(path or root, status or os.stat(root))


def _followed(root: str, names: Iterable[str]) -> Entry | None:
    path = os.path.realpath(os.path.join(root, *names), strict=True)
    return Entry(path, os.stat(path)) if Path(path).is_relative_to(root) else None


def names_in(path: str) -> list[str]:
    """
    Return the names of which a path is made, as the file system has them; the last is empty behind a slash.

    Args:
        path: As :func:`decoded` takes it.

    Raises:
        HTTPException: 404; one of them is ``..``, or has octets that no name has.
    """
    octets = decoded(path)
    *names, last = os.fsdecode(octets).split("/")
    if ".." in names or last == ".." or any(sign in octets for sign in _NO_NAME):
        raise HTTPException(404, f"not a path below the document root: {path}")
    return [*filter(None, names), last]


def open_regular(path: str | Path) -> BufferedReader:
    """
    Return a file, open for reading; nothing that is no regular file keeps anyone waiting.

    Raises:
        OSError: It cannot be opened, or is no regular file.
    """
    return open(open_descriptor(path)[0], "rb")


def open_descriptor(path: str | Path) -> tuple[int, os.stat_result]:
    """
    Return a descriptor of a file, open for reading, and what the system says of the file.

    Raises:
        OSError: As :func:`open_regular` has it.
    """
    descriptor = _open_without_waiting(path, _READ_ONLY)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        raise OSError(errno.EINVAL, "it is no regular file")
    return descriptor, status


def _open_without_waiting(name: str | Path, flags: int) -> int:
    # A FIFO that nobody writes to would keep us for ever. Of regular files the flag says nothing.
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
