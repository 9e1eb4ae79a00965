"""
qlog, for qvis and its like: a trace for each connection, from the server's point of view.

A file ``.qlog`` is one object of JSON, whole at each flush. A file ``.sqlog`` is a sequence of objects (RFC
7464), in which each event stands as soon as it has happened, with its connection as ``group_id``. The version
is 0.3, the latest that qvis knows.
"""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import Any, TextIO

from wptproto.errors import ConfigError
from wptproto.private_files import write_file
from wptproto.trace.events import ConnectionClosed, ConnectionOpened, OctetsSeen, ProtocolChosen, TraceEvent
from wptproto.trace.qlog_events import said_of
from wptproto.version import __version__

__all__ = ["QlogWriter"]

VERSION = "0.3"
_VANTAGE_POINT = {"name": f"wptproto {__version__}", "type": "server"}


class _Log:
    """The trace of one connection."""

    def __init__(self, opened: ConnectionOpened) -> None:
        self.number = opened.origin.connection
        (host, port), (here, its_port) = opened.client, opened.server
        self.title = f"connection {self.number}: {host} port {port} to {here} port {its_port}"
        self.protocols = ["TCP", "TLS"] if opened.is_tls else ["TCP"]
        self.reference_ms = self.latest_ms = _milliseconds(opened)
        self.events: list[str] = []
        self._packets = {True: 0, False: 0}

    def take(self, event: TraceEvent) -> list[dict[str, Any]]:
        """Return the events of qlog that one of ours makes; their times are absolute, and never go back."""
        number = 0
        if isinstance(event, OctetsSeen):
            number = self._packets[event.sent]
            self._packets[event.sent] += 1
        elif isinstance(event, ProtocolChosen):
            self.protocols.append(event.protocol.replace("/2", "2").replace("/1.1", "1.1"))
        self.latest_ms = max(self.latest_ms, _milliseconds(event))
        return [{"time": self.latest_ms, "name": name, "data": data} for name, data in said_of(event, number)]

    def as_json(self) -> str:
        """Return it as a trace within a file."""
        said = {
            "title": self.title,
            "vantage_point": _VANTAGE_POINT,
            "common_fields": {
                "protocol_type": self.protocols,
                "time_format": "relative",
                "reference_time": self.reference_ms,
            },
        }
        return f'{_dumped(said)[:-1]},"events":[\n' + ",\n".join(self.events) + "\n]}"


class QlogWriter:
    """Writes qlog. Any thread may call it."""

    def __init__(self, to: str | PathLike[str] | TextIO) -> None:
        """
        Args:
            to: A path; with the suffix ``.sqlog`` it is written as things happen. Or a text file, to which
                one object is written at the end.

        Raises:
            ConfigError: The file cannot be written.
        """
        self._path: Path | None = None
        self._file: TextIO | None = None
        self._is_sequence = False
        self._lock = Lock()
        self._logs: dict[int, _Log] = {}
        self._is_closed = False
        self._latest_ms = 0.0
        if not isinstance(to, str | PathLike):
            self._file = to
            return
        self._path = Path(to)
        self._is_sequence = self._path.suffix.lower() == ".sqlog"
        try:
            if self._is_sequence:
                self._file = self._path.open("w", encoding="utf-8", buffering=1)
                self._write_record(self._header())
            else:
                self.flush()
        except OSError as error:
            raise ConfigError(f"trace: {to} cannot be written: {error.strerror}") from None

    def __call__(self, event: TraceEvent) -> None:
        with self._lock:
            number = event.origin.connection
            if isinstance(event, ConnectionOpened):
                self._logs[number] = _Log(event)
            log = self._logs.get(number)
            if log is None or self._is_closed:
                return
            for said in log.take(event):
                if self._is_sequence:
                    self._latest_ms = max(self._latest_ms, said["time"])
                    self._write_record({**said, "time": self._latest_ms, "group_id": log.title})
                else:
                    said["time"] = round(said["time"] - log.reference_ms, 3)
                    log.events.append(_dumped(said))
            if self._is_sequence and isinstance(event, ConnectionClosed):
                del self._logs[number]

    def flush(self) -> None:
        """Have in the file what there is so far, if it has a path."""
        with self._lock:
            if self._path is not None and not self._is_sequence and not self._is_closed:
                write_file(self._path, self._whole().encode(), mode=0o666)

    def close(self) -> None:
        """Have everything in the file; once more does nothing."""
        self.flush()
        with self._lock:
            if self._file is not None and not self._is_closed:
                if self._is_sequence:
                    self._file.close()
                else:
                    self._file.write(self._whole())
                    self._file.flush()
            self._is_closed = True

    # --- within --------------------------------------------------------------------------------

    def _header(self) -> dict[str, Any]:
        # Absolute times, for at the beginning nothing is known that they could be relative to.
        common = {"protocol_type": ["TCP"], "time_format": "absolute"}
        trace = {"vantage_point": _VANTAGE_POINT, "common_fields": common}
        return {"qlog_version": VERSION, "qlog_format": "JSON-SEQ", "title": "wptproto", "trace": trace}

    def _write_record(self, said: dict[str, Any]) -> None:
        assert self._file is not None, "it has been opened"
        self._file.write(f"\x1e{_dumped(said)}\n")

    def _whole(self) -> str:
        # qvis looks for the version in the first 1,024 octets.
        head = {"qlog_version": VERSION, "qlog_format": "JSON", "title": "wptproto"}
        traces = ",\n".join(log.as_json() for log in self._logs.values())
        return f'{_dumped(head)[:-1]},"traces":[\n{traces}\n]}}\n'


def _milliseconds(event: TraceEvent) -> float:
    return round(event.origin.at_s * 1000, 3)


def _dumped(said: dict[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=True, separators=(",", ":"))
