"""
KeyLog: the secrets of a server's TLS connections, in the lines of SSLKEYLOGFILE, which Wireshark reads.

The library writes them to a file, and to one only, for each context. Who wants to read along reads that.
"""

from __future__ import annotations

import os
import ssl
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from wptproto.errors import ConfigError

__all__ = ["KeyLog", "key_log_path"]


class KeyLog:
    """
    The key log of one server's contexts.

    Attributes:
        path: The file; None as long as nobody wants one.
    """

    def __init__(self, path: Path | None = None) -> None:
        """
        Args:
            path: The file to which lines are added, made if need be; None is to begin without.
        """
        self.path = path
        self._contexts: weakref.WeakSet[ssl.SSLContext] = weakref.WeakSet()
        self._remove: Callable[[], object] | None = None

    def check(self) -> None:
        """
        Return if there is nothing to be written, or it can be.

        Raises:
            ConfigError: It cannot.
        """
        if self.path is None:
            return
        try:
            self.path.open("ab").close()
        except OSError as error:
            raise ConfigError(
                f"the key log {self.path}, of keylog or SSLKEYLOGFILE, cannot be written: {error.strerror}"
            ) from None

    def add(self, context: ssl.SSLContext) -> None:
        """Have a context write to it, now or as soon as somebody wants to read."""
        self._contexts.add(context)
        if self.path is not None:
            _log(context, self.path)

    def reader(self) -> Callable[[], bytes]:
        """
        Return what reads the lines that come from now on: each call returns those since the last one, whole.

        Without a file there is one from here on, in a directory of its own that nobody else can read. It is
        gone at the end, see :meth:`close`.
        """
        path = self.path
        if path is None:
            path = self.path = self._own_file()
            for context in list(self._contexts):
                _log(context, path)
        at = path.stat().st_size if path.exists() else 0

        def read() -> bytes:
            nonlocal at
            try:
                with path.open("rb") as file:
                    file.seek(at)
                    found = file.read()
            except OSError:
                return b""  # it is gone
            lines = found[: found.rfind(b"\n") + 1]
            at += len(lines)
            return lines

        return read

    def close(self) -> None:
        """Take away a file that was made for readers alone; contexts write nowhere then."""
        remove, self._remove = self._remove, None
        if remove is None:
            return
        self.path = None
        for context in list(self._contexts):
            _log(context, None)
        remove()

    def _own_file(self) -> Path:
        from tempfile import mkdtemp

        directory = Path(mkdtemp(prefix="wptproto-keys-"))
        path = directory / "keys.log"
        path.touch(0o600)
        # Also if nobody closes it, such as at the end of the process.
        self._remove = weakref.finalize(self, _remove, path, os.getpid())
        return path


def key_log_path(asked: str | os.PathLike[str] | None) -> Path | None:
    """
    Return where keys are to be logged: what was asked for, or what the environment's SSLKEYLOGFILE says.

    What is empty is none.
    """
    found = os.environ.get("SSLKEYLOGFILE") if asked is None else os.fspath(asked)
    return Path(found) if found else None


def _log(context: ssl.SSLContext, path: Path | None) -> None:
    with suppress(OSError):  # it could be written when the server began, and TLS goes on without
        context.keylog_filename = None if path is None else str(path)  # type: ignore[assignment]


def _remove(path: Path, owner: int) -> None:
    """Take away a file of ours and its directory; a forked child's end is not its owner's."""
    if os.getpid() == owner:
        with suppress(OSError):
            path.unlink()
            path.parent.rmdir()
