"""Matching: whether what came is what was awaited, and in which way it is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from wptproto.errors import ConfigError
from wptproto.h2_codes import FrameKind, error_name
from wptproto.protocol.h2_frame_types import Frame, MalformedFrame
from wptproto.semantics.fields import FieldLine, Value, to_octets

__all__ = ["AwaitedFields", "attributes_that_differ", "fields_that_differ", "in_words", "is_housekeeping"]

AwaitedFields = Mapping[str, Value | None] | Iterable[tuple[Value, Value]]
"""Values by names, None for a field that must not be there; or field lines."""

_HOUSEKEEPING = frozenset(
    (
        FrameKind.SETTINGS,
        FrameKind.PING,
        FrameKind.WINDOW_UPDATE,
        FrameKind.PRIORITY,
        FrameKind.PRIORITY_UPDATE,
        FrameKind.ALTSVC,
        FrameKind.ORIGIN,
    )
)
"""
What may come at any time and changes nothing of a request or the connection's life. So do unknown
types.
"""

_MISSING = object()


def is_housekeeping(frame: Frame) -> bool:
    """Whether a frame may come at any time, and nobody has to await it."""
    return frame.kind in _HOUSEKEEPING or frame.kind not in FrameKind._value2member_map_


def attributes_that_differ(found: object, awaited: Mapping[str, object]) -> Iterator[str]:
    """
    Yield in words each attribute of which the value is another than the one awaited.

    Raises:
        ConfigError: There is no such attribute.
    """
    for name, value in awaited.items():
        actual = getattr(found, name, _MISSING)
        if isinstance(found, MalformedFrame) and name != "stream_id":
            yield f"it is malformed: {found.reason}"
            return
        if actual is _MISSING:
            raise ConfigError(f"{type(found).__name__} has no {name!r} to be awaited")
        if isinstance(value, str) and name == "code" and isinstance(actual, int):
            actual = error_name(actual)
        if actual != value:
            yield f"{name} is {_shown(name, actual)}, and not {_shown(name, value)}"


def fields_that_differ(lines: Iterable[FieldLine], awaited: AwaitedFields) -> Iterator[str]:
    """Yield in words each awaited field that is not there, or is there with other values alone."""
    found: dict[bytes, list[bytes]] = {}
    for line in lines:
        found.setdefault(line[0].lower(), []).append(line[1])
    pairs: Iterable[tuple[Value, Value | None]] = awaited.items() if isinstance(awaited, Mapping) else awaited
    for name, value in pairs:
        values = found.get(to_octets(name).lower(), [])
        shown = ", ".join(repr(value) for value in values)
        if value is None:
            if values:
                yield f"{name!r} is there: {shown}"
        elif to_octets(value) not in values:
            yield f"{name!r} is {shown or 'not there'}, and not {to_octets(value)!r}"


def in_words(what: str, awaited: Mapping[str, object]) -> str:
    """Say what is awaited: ``GOAWAY with code PROTOCOL_ERROR``."""
    listed = ", ".join(f"{name} {_shown(name, value)}" for name, value in awaited.items())
    return f"{what} with {listed}" if listed else what


def _shown(name: str, value: object) -> str:
    if name == "code" and isinstance(value, int | str):
        return error_name(value) if isinstance(value, int) else value
    return repr(value)
