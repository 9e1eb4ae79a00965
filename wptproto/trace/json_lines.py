"""
JSON Lines: an object for each event, in a line of its own.

``event`` is its name, as ``frame_seen``; then ``time`` in seconds since 1970, ``connection``, and what the
event has, by the names of :mod:`wptproto.trace.events`. Octets are text where they are printable ASCII, and
``{"base64": ...}`` where they are not; of long ones there is the beginning, as ``{"text": ...}`` or as that,
with the number of all in ``octets``. Fields are pairs of name and value, in their order; so are details of
frames.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

from wptproto.trace.events import TraceEvent
from wptproto.trace.output import Output, TextOutput

__all__ = ["JsonLinesWriter"]

SHOWN_OCTETS = 64 * 1024
"""How much of one value is written."""

_PRINTABLE = re.compile(rb"[\t\n\r -~]*")


class JsonLinesWriter:
    """Writes JSON Lines."""

    def __init__(self, to: str | Path | TextOutput) -> None:
        """
        Args:
            to: A path or a text file.

        Raises:
            ConfigError: The file cannot be written.
        """
        self._output = Output(to)

    def __call__(self, event: TraceEvent) -> None:
        said: dict[str, Any] = {
            "event": _name(type(event).__name__),
            "time": round(event.origin.at_s, 6),
            "connection": event.origin.connection,
        }
        for name, value in zip(event._fields[1:], event[1:], strict=True):
            said[name] = _as_json(value)
        self._output.write(json.dumps(said, ensure_ascii=True, separators=(",", ":")) + "\n")

    def flush(self) -> None:
        """Have in the file what was written until now."""
        self._output.flush()

    def close(self) -> None:
        """Have everything in the file."""
        self._output.close()


@cache
def _name(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _as_json(value: object) -> object:
    if isinstance(value, bytes):
        return _octets(value)
    if isinstance(value, tuple):
        return [_as_json(one) for one in value]
    return value


def _octets(octets: bytes) -> object:
    shown = octets[:SHOWN_OCTETS]
    is_text = _PRINTABLE.fullmatch(shown) is not None
    if is_text and len(shown) == len(octets):
        return octets.decode("ascii")
    said: dict[str, object] = (
        {"text": shown.decode("ascii")} if is_text else {"base64": b64encode(shown).decode("ascii")}
    )
    if len(shown) < len(octets):
        said["octets"] = len(octets)
    return said
