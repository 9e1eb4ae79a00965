"""
KnownFiles: what was read from files, and made of it, for as long as they are what they were.

A file is opened for each request, so that what counts is this file at this moment, and a file system of
another machine says how it is there. By device and inode, length, and the times when its content changed
(mtime) and when anything of it did (ctime), the system tells one version of it from others; where they are
those of what is known, nothing is read, and nothing made of it again.

That would not hold for a file that is written over, to the same length, within one tick of the system's
clock: both versions have the same time. git has this trouble with its index, and the same answer: a version
is known by its times only when it was read a good while after them. Whatever is written later than that has a
later ctime, which nobody can set. A younger file is read for each request. When its octets are the same,
then so is what was made of them.

This relies on a clock that is not set back to the very tick of a change, and on writers that write: one that
has a file mapped into its memory changes it without a time, as long as the system likes. On Windows ctime is
something else, and every file is young.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from wptproto.handlers.filesystem import open_descriptor

__all__ = ["Known", "KnownFiles"]

T = TypeVar("T")

_MOST_FILES = 1_000
_MOST_OCTETS = 8 * 1024 * 1024
_YOUNG_NS = 3_000_000_000
"""Longer than any tick: those of the system are some milliseconds, those of FAT two seconds."""

_CTIME_IS_OF_CHANGES = os.name == "posix"


class Known(NamedTuple, Generic[T]):
    """
    A file as it was read.

    Attributes:
        octets: All there are.
        made: What was made of them.
        status: What the system said of it.
        tells: Whether a status with the same version is one of the same octets.
    """

    octets: bytes
    made: T
    status: os.stat_result
    tells: bool


class KnownFiles(Generic[T]):
    """
    What is made of files, once for each content that they have; safe to use from any thread.

    It holds a thousand files, and 8 MiB, at most; those that were read first go first.
    """

    def __init__(self, make: Callable[[str, bytes], T], clock_ns: Callable[[], int] = time.time_ns) -> None:
        """
        Args:
            make: Makes it, of a file's path and its octets.
            clock_ns: The time, as that of files is reckoned.
        """
        self._make = make
        self._clock_ns = clock_ns
        self._known: dict[str, Known[T]] = {}
        self._octets = 0
        self._lock = threading.Lock()  # of those two, while they change

    def get(self, path: str) -> Known[T]:
        """
        Return a file as it is now.

        Raises:
            OSError: It cannot be opened or read, or is no regular file.
            Exception: Whatever *make* raises.
        """
        descriptor, status = open_descriptor(path)
        known = self._known.get(path)
        if known is not None and known.tells and _version(known.status) == _version(status):
            os.close(descriptor)
            return known
        tells = _CTIME_IS_OF_CHANGES and status.st_ctime_ns + _YOUNG_NS < self._clock_ns()
        with open(descriptor, "rb") as file:
            octets = file.read()
        is_same = known is not None and known.octets == octets
        made = known.made if known is not None and is_same else self._make(path, octets)
        known = Known(octets, made, status, tells)
        self._keep(path, known)
        return known

    def _keep(self, path: str, known: Known[T]) -> None:
        with self._lock:
            if path in self._known:
                self._forget(path)
            self._known[path] = known
            self._octets += len(known.octets)
            while len(self._known) > _MOST_FILES or self._octets > _MOST_OCTETS:
                self._forget(next(iter(self._known)))

    def _forget(self, path: str) -> None:
        self._octets -= len(self._known.pop(path).octets)


def _version(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size
