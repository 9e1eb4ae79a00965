"""What HTTP/2 calls its frames, flags, settings and errors, and their numbers (RFC 9113 §6, §7)."""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "ACK",
    "ALTSVC",
    "CONTINUATION",
    "DATA",
    "END_HEADERS",
    "END_STREAM",
    "GOAWAY",
    "HAS_PRIORITY",
    "HEADERS",
    "ORIGIN",
    "PADDED",
    "PING",
    "PRIORITY",
    "PRIORITY_UPDATE",
    "PUSH_PROMISE",
    "RST_STREAM",
    "SETTINGS",
    "WINDOW_UPDATE",
    "ErrorCode",
    "FrameKind",
    "Setting",
    "defined_flags",
    "error_name",
    "flag_names",
    "frame_name",
    "setting_name",
]


class FrameKind(IntEnum):
    """The types of frames (RFC 9113 §6; RFC 7838 §4, RFC 8336 §2, RFC 9218 §7.1), by their names at IANA."""

    DATA = 0x0
    HEADERS = 0x1
    PRIORITY = 0x2
    RST_STREAM = 0x3
    SETTINGS = 0x4
    PUSH_PROMISE = 0x5
    PING = 0x6
    GOAWAY = 0x7
    WINDOW_UPDATE = 0x8
    CONTINUATION = 0x9
    ALTSVC = 0xA
    ORIGIN = 0xC
    PRIORITY_UPDATE = 0x10


class Setting(IntEnum):
    """The settings (RFC 9113 §6.5.2, RFC 8441 §3, RFC 9218 §2.1), by their names at IANA."""

    HEADER_TABLE_SIZE = 0x1
    ENABLE_PUSH = 0x2
    MAX_CONCURRENT_STREAMS = 0x3
    INITIAL_WINDOW_SIZE = 0x4
    MAX_FRAME_SIZE = 0x5
    MAX_HEADER_LIST_SIZE = 0x6
    ENABLE_CONNECT_PROTOCOL = 0x8
    NO_RFC7540_PRIORITIES = 0x9


class ErrorCode(IntEnum):
    """The error codes (RFC 9113 §7)."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD


# The types as plain numbers, for what compares one with each frame of an ordinary request.
(
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION,
    ALTSVC,
    ORIGIN,
    PRIORITY_UPDATE,
) = (kind.value for kind in FrameKind)

ACK, END_STREAM, END_HEADERS, PADDED, HAS_PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
"""The flags; the last is called PRIORITY, as is a type of frames."""

_FLAGS = {
    DATA: {END_STREAM: "END_STREAM", PADDED: "PADDED"},
    HEADERS: {
        END_STREAM: "END_STREAM",
        END_HEADERS: "END_HEADERS",
        PADDED: "PADDED",
        HAS_PRIORITY: "PRIORITY",
    },
    SETTINGS: {ACK: "ACK"},
    PUSH_PROMISE: {END_HEADERS: "END_HEADERS", PADDED: "PADDED"},
    PING: {ACK: "ACK"},
    CONTINUATION: {END_HEADERS: "END_HEADERS"},
}
"""Which flags are defined, by the frame's type."""


def frame_name(kind: int) -> str:
    """Return what a type of frame is called; ``0x42`` where it has no name."""
    return _name(FrameKind, kind)


def flag_names(kind: int, flags: int) -> tuple[str, ...]:
    """Return the flags that are set, from the lowest bit on; ``0x40`` for one that such a frame has not."""
    names = _FLAGS.get(kind, {})
    bits = [1 << place for place in range(8) if flags & 1 << place]
    return tuple(names.get(bit) or f"{bit:#04x}" for bit in bits)


def defined_flags(kind: int) -> int:
    """Return all flags that a type of frame has."""
    return sum(_FLAGS.get(kind, {}))


def setting_name(identifier: int) -> str:
    """Return what a setting is called; ``0x99`` where it has no name."""
    return _name(Setting, identifier)


def error_name(code: int) -> str:
    """Return what an error code is called; ``0x99`` where it has no name."""
    return _name(ErrorCode, code)


def _name(numbers: type[IntEnum], number: int) -> str:
    found = numbers._value2member_map_.get(number)
    return f"{number:#04x}" if found is None else found.name
