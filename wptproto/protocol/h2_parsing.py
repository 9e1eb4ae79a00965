"""Parsing: octets cut anywhere become frames, malformed ones, too (RFC 9113 §4.1, §6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wptproto.h2_codes import HAS_PRIORITY, PADDED, ErrorCode, FrameKind
from wptproto.protocol.h2_frame_types import (
    AltsvcFrame,
    ContinuationFrame,
    DataFrame,
    Frame,
    GoawayFrame,
    HeadersFrame,
    MalformedFrame,
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
from wptproto.protocol.h2_frames import HEADER_OCTETS

__all__ = ["FrameReader", "parse"]

_31_BITS = 0x7FFFFFFF


class FrameReader:
    """Takes frames off what was received, whatever their length."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def rest(self) -> bytes:
        """What has come of the next frame."""
        return bytes(self._buffer)

    def feed(self, octets: bytes) -> Iterator[Frame]:
        """Take octets, and yield each frame that is whole now; field blocks are not decoded."""
        self._buffer += octets
        while len(self._buffer) >= HEADER_OCTETS:
            end = HEADER_OCTETS + int.from_bytes(self._buffer[:3], "big")
            if len(self._buffer) < end:
                return
            whole = bytes(self._buffer[:end])
            del self._buffer[:end]
            yield parse(whole)


class _Malformed(Exception):
    def __init__(self, reason: str, section: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.section = section


def parse(octets: bytes) -> Frame:
    """
    Return the frame that octets are, header and payload; of what its header says of a length, nothing is
    read.

    A field block is not decoded; for that one has to know those before it.
    """
    number = int.from_bytes(octets[5:HEADER_OCTETS], "big")
    plain = Frame(
        kind=octets[3],
        flags=octets[4],
        stream_id=number & _31_BITS,
        payload=octets[HEADER_OCTETS:],
        reserved=bool(number & ~_31_BITS),
    )
    parser = _PARSERS.get(plain.kind)
    if parser is None:
        return plain
    try:
        return parser(plain)
    except _Malformed as error:
        return MalformedFrame(**_common(plain), reason=error.reason, section=error.section)


def _common(frame: Frame) -> dict[str, Any]:
    """Return what a frame of a type takes over from the plain one."""
    names = ("kind", "flags", "stream_id", "payload", "reserved")
    return {name: getattr(frame, name) for name in names}


def _number(octets: bytes) -> int:
    """Return the last 31 bits of four octets."""
    return int.from_bytes(octets[:4], "big") & _31_BITS


def _code(octets: bytes) -> int:
    code = int.from_bytes(octets[:4], "big")
    return ErrorCode(code) if code in ErrorCode._value2member_map_ else code


def _sized(frame: Frame, octets: int, section: str) -> None:
    if len(frame.payload) != octets:
        raise _Malformed(f"{frame.name} has {octets} octets, and not {len(frame.payload)}", section)


def _unpadded(frame: Frame, section: str) -> tuple[bytes, int | None]:
    """Return a payload without its padding, and how much of that there is."""
    if not frame.flags & PADDED:
        return frame.payload, None
    if not frame.payload:
        raise _Malformed("there is no room for the length of the padding", section)
    padding = frame.payload[0]
    if padding >= len(frame.payload):
        raise _Malformed(
            f"{padding} octets of padding are as much as the payload of {len(frame.payload)}, or more",
            section,
        )
    return frame.payload[1 : len(frame.payload) - padding], padding


def _data(frame: Frame) -> Frame:
    content, padding = _unpadded(frame, "RFC 9113 §6.1")
    return DataFrame(**_common(frame), content=content, padding=padding)


def _headers(frame: Frame) -> Frame:
    fragment, padding = _unpadded(frame, "RFC 9113 §6.2")
    priority = None
    if frame.flags & HAS_PRIORITY:
        if len(fragment) < 5:
            raise _Malformed("there is no room for the priority fields", "RFC 9113 §6.2")
        priority, fragment = _priority_fields(fragment), fragment[5:]
    return HeadersFrame(**_common(frame), fragment=fragment, padding=padding, priority=priority)


def _priority_fields(octets: bytes) -> PriorityFields:
    return PriorityFields(_number(octets), octets[4] + 1, bool(octets[0] & 0x80))


def _priority(frame: Frame) -> Frame:
    _sized(frame, 5, "RFC 9113 §6.3")
    return PriorityFrame(**_common(frame), priority=_priority_fields(frame.payload))


def _rst_stream(frame: Frame) -> Frame:
    _sized(frame, 4, "RFC 9113 §6.4")
    return RstStreamFrame(**_common(frame), code=_code(frame.payload))


def _settings(frame: Frame) -> Frame:
    payload = frame.payload
    if len(payload) % 6:
        raise _Malformed(f"settings have 6 octets each, and these are {len(payload)}", "RFC 9113 §6.5")
    pairs = (payload[at : at + 6] for at in range(0, len(payload), 6))
    settings = tuple((int.from_bytes(pair[:2], "big"), int.from_bytes(pair[2:], "big")) for pair in pairs)
    return SettingsFrame(**_common(frame), settings=settings)


def _push_promise(frame: Frame) -> Frame:
    fragment, padding = _unpadded(frame, "RFC 9113 §6.6")
    if len(fragment) < 4:
        raise _Malformed("there is no room for the promised stream", "RFC 9113 §6.6")
    promised = _number(fragment)
    return PushPromiseFrame(
        **_common(frame), fragment=fragment[4:], promised_stream_id=promised, padding=padding
    )


def _ping(frame: Frame) -> Frame:
    _sized(frame, 8, "RFC 9113 §6.7")
    return PingFrame(**_common(frame))


def _goaway(frame: Frame) -> Frame:
    payload = frame.payload
    if len(payload) < 8:
        raise _Malformed(f"GOAWAY has 8 octets at least, and not {len(payload)}", "RFC 9113 §6.8")
    return GoawayFrame(
        **_common(frame), last_stream_id=_number(payload), code=_code(payload[4:]), debug=payload[8:]
    )


def _window_update(frame: Frame) -> Frame:
    _sized(frame, 4, "RFC 9113 §6.9")
    return WindowUpdateFrame(**_common(frame), increment=_number(frame.payload))


def _continuation(frame: Frame) -> Frame:
    return ContinuationFrame(**_common(frame), fragment=frame.payload)


def _altsvc(frame: Frame) -> Frame:
    size = int.from_bytes(frame.payload[:2], "big")
    if len(frame.payload) < 2 + size:
        raise _Malformed("the origin is longer than the payload", "RFC 7838 §4")
    return AltsvcFrame(**_common(frame), origin=frame.payload[2 : 2 + size], value=frame.payload[2 + size :])


def _origin(frame: Frame) -> Frame:
    origins: list[bytes] = []
    rest = frame.payload
    while rest:
        size = int.from_bytes(rest[:2], "big")
        if len(rest) < 2 + size:
            raise _Malformed("an origin is longer than what is left of the payload", "RFC 8336 §2.1")
        origins.append(rest[2 : 2 + size])
        rest = rest[2 + size :]
    return OriginFrame(**_common(frame), origins=tuple(origins))


def _priority_update(frame: Frame) -> Frame:
    if len(frame.payload) < 4:
        raise _Malformed("there is no room for the prioritized stream", "RFC 9218 §7.1")
    return PriorityUpdateFrame(
        **_common(frame), prioritized_stream_id=_number(frame.payload), value=frame.payload[4:]
    )


_PARSERS: dict[int, Callable[[Frame], Frame]] = {
    FrameKind.DATA: _data,
    FrameKind.HEADERS: _headers,
    FrameKind.PRIORITY: _priority,
    FrameKind.RST_STREAM: _rst_stream,
    FrameKind.SETTINGS: _settings,
    FrameKind.PUSH_PROMISE: _push_promise,
    FrameKind.PING: _ping,
    FrameKind.GOAWAY: _goaway,
    FrameKind.WINDOW_UPDATE: _window_update,
    FrameKind.CONTINUATION: _continuation,
    FrameKind.ALTSVC: _altsvc,
    FrameKind.ORIGIN: _origin,
    FrameKind.PRIORITY_UPDATE: _priority_update,
}
