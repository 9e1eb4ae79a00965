"""
HAR 1.2: the exchanges of a trace, for browsers' network panels and whatever else opens such files.

Times are the server's. Of a request that could not be read, and of a response that was not there, an entry
has what the format asks for, empty, and says in ``_error`` or ``comment`` what happened.
"""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import TextIO

from wptproto.errors import ConfigError
from wptproto.private_files import write_file
from wptproto.trace.events import ConnectionOpened, TraceEvent
from wptproto.trace.har_entries import entry_of
from wptproto.trace.messages import SeenConnection
from wptproto.version import __version__

__all__ = ["HarWriter"]


class HarWriter:
    """Writes HAR, whole at each flush and at the end. Any thread may call it."""

    def __init__(self, to: str | PathLike[str] | TextIO) -> None:
        """
        Args:
            to: A path; or a text file, to which it is written at the end.

        Raises:
            ConfigError: The file cannot be written.
        """
        self._path: Path | None = None
        self._file: TextIO | None = None
        if isinstance(to, str | PathLike):
            self._path = Path(to)
        else:
            self._file = to
        self._lock = Lock()
        self._connections: dict[int, SeenConnection] = {}
        self._is_closed = False
        try:
            self.flush()
        except OSError as error:
            raise ConfigError(f"trace: {to} cannot be written: {error.strerror}") from None

    def __call__(self, event: TraceEvent) -> None:
        with self._lock:
            number = event.origin.connection
            if isinstance(event, ConnectionOpened):
                self._connections[number] = SeenConnection(event)
            elif number in self._connections:
                self._connections[number].take(event)

    def flush(self) -> None:
        """Have in the file what there is so far, if it has a path: a whole HAR."""
        with self._lock:
            if self._path is not None and not self._is_closed:
                write_file(self._path, self._har().encode(), mode=0o666)

    def close(self) -> None:
        """Have everything in the file; once more does nothing."""
        self.flush()
        with self._lock:
            if self._file is not None and not self._is_closed:
                self._file.write(self._har())
                self._file.flush()
            self._is_closed = True

    def _har(self) -> str:
        seen = [one for found in self._connections.values() for one in found.exchanges.values()]
        entries = [entry_of(one) for one in sorted(seen, key=lambda one: one.began_s)]
        creator = {"name": "wptproto", "version": __version__}
        har = {"log": {"version": "1.2", "creator": creator, "pages": [], "entries": entries}}
        return json.dumps(har, indent=1, ensure_ascii=True) + "\n"
