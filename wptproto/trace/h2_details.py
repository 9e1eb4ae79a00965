"""What an HTTP/2 frame says, by name, as events have it."""

from __future__ import annotations

from wptproto.h2_codes import error_name, setting_name
from wptproto.protocol.h2_frame_types import (
    AltsvcFrame,
    DataFrame,
    Frame,
    GoawayFrame,
    HeadersFrame,
    OriginFrame,
    PingFrame,
    PriorityFields,
    PriorityFrame,
    PriorityUpdateFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

__all__ = ["Detail", "details_of"]

Detail = tuple[str, int | str | bytes | bool]


def details_of(frame: Frame) -> list[Detail]:
    """Return what a frame says, in the order of the wire; nothing of one that is malformed, or unknown."""
    match frame:
        case DataFrame(content=content, padding=padding):
            return [*_padding(padding), ("data_octets", len(content))]
        case HeadersFrame(padding=padding, priority=None):
            return _padding(padding)
        case HeadersFrame(padding=padding, priority=PriorityFields() as priority):
            return [*_padding(padding), *_priority(priority)]
        case PriorityFrame(priority=priority):
            return _priority(priority)
        case RstStreamFrame(code=code):
            return [("error_code", error_name(code))]
        case SettingsFrame(settings=settings):
            return [(setting_name(identifier), value) for identifier, value in settings]
        case PushPromiseFrame(padding=padding, promised_stream_id=promised):
            return [*_padding(padding), ("promised_stream_id", promised)]
        case PingFrame(payload=octets):
            return [("opaque_data", octets)]
        case GoawayFrame(last_stream_id=last, code=code, debug=debug):
            said: list[Detail] = [("last_stream_id", last), ("error_code", error_name(code))]
            return [*said, ("debug", debug)] if debug else said
        case WindowUpdateFrame(increment=increment):
            return [("increment", increment)]
        case AltsvcFrame(origin=origin, value=value):
            return [("origin", origin), ("value", value)]
        case OriginFrame(origins=origins):
            return [("origin", origin) for origin in origins]
        case PriorityUpdateFrame(prioritized_stream_id=stream_id, value=value):
            return [("prioritized_stream_id", stream_id), ("priority", value)]
    return []


def _padding(octets: int | None) -> list[Detail]:
    return [] if octets is None else [("pad_length", octets)]


def _priority(fields: PriorityFields) -> list[Detail]:
    return [("exclusive", fields.exclusive), ("dependency", fields.depends_on), ("weight", fields.weight)]
