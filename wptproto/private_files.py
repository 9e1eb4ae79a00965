"""Files of which others read nothing that they shall not, and nobody ever finds half."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform == "win32":  # pragma: no cover
    import msvcrt
else:
    import fcntl

__all__ = ["exclusive", "keep_private", "write_file"]

log = logging.getLogger("wptproto.certs")


def keep_private(path: Path, *, ours: bool) -> None:
    """
    Log a warning of a private key that others than its owner may read, or write; POSIX alone knows.

    Args:
        path: The key's file.
        ours: Whether to take that from them, too, as far as we may.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return  # whoever reads it says so
    if os.name != "posix" or not mode & 0o077:
        return
    advice = f"make it its owner's alone, by: chmod 600 {path}"
    if ours:
        with suppress(OSError):
            path.chmod(0o600)
            advice = (
                "it is its owner's alone now, but who has read it still can use it; delete it for another"
            )
    log.warning("the key %s was open to others than its owner (mode %03o); %s", path, mode, advice)


def write_file(path: Path, octets: bytes, *, mode: int) -> None:
    """Put a file in the place of *path*, whole and from its beginning with *mode*, or change nothing."""
    new = path.with_name(f"{path.name}.new")
    # The lock is ours, so this one is left over from a process that was killed.
    new.unlink(missing_ok=True)
    try:
        # "x" is O_CREAT with O_EXCL: no link that someone laid there is followed.
        with open(new, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(octets)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Let one holder at a time through, among threads and processes; a dead holder holds nothing."""
    with open(path, "ab") as file:
        if sys.platform == "win32":  # pragma: no cover
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            yield  # closing the file lets go
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                # Closing does not let go while a process forked in the meantime holds the file too.
                fcntl.flock(file, fcntl.LOCK_UN)
