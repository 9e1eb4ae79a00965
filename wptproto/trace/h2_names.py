"""What HTTP/2 calls its frames, flags, settings and errors (RFC 9113 §6 and §7, and what was added since)."""

from __future__ import annotations

from wptproto.protocol.h2_frames import (
    ACK,
    ALTSVC,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HAS_PRIORITY,
    HEADERS,
    ORIGIN,
    PADDED,
    PING,
    PRIORITY,
    PRIORITY_UPDATE,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
)

__all__ = [
    "ENABLE_PUSH",
    "HEADER_TABLE_SIZE",
    "INITIAL_WINDOW_SIZE",
    "MAX_FRAME_SIZE",
    "error_name",
    "flag_names",
    "frame_name",
    "setting_name",
]

HEADER_TABLE_SIZE, ENABLE_PUSH, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 0x1, 0x2, 0x4, 0x5

_FRAMES = {
    DATA: "DATA",
    HEADERS: "HEADERS",
    PRIORITY: "PRIORITY",
    RST_STREAM: "RST_STREAM",
    SETTINGS: "SETTINGS",
    PUSH_PROMISE: "PUSH_PROMISE",
    PING: "PING",
    GOAWAY: "GOAWAY",
    WINDOW_UPDATE: "WINDOW_UPDATE",
    CONTINUATION: "CONTINUATION",
    ALTSVC: "ALTSVC",
    ORIGIN: "ORIGIN",
    PRIORITY_UPDATE: "PRIORITY_UPDATE",
}
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
# RFC 9113 §6.5.2, RFC 8441 §3, RFC 9218 §2.1
_SETTINGS = {
    HEADER_TABLE_SIZE: "HEADER_TABLE_SIZE",
    ENABLE_PUSH: "ENABLE_PUSH",
    0x3: "MAX_CONCURRENT_STREAMS",
    INITIAL_WINDOW_SIZE: "INITIAL_WINDOW_SIZE",
    MAX_FRAME_SIZE: "MAX_FRAME_SIZE",
    0x6: "MAX_HEADER_LIST_SIZE",
    0x8: "ENABLE_CONNECT_PROTOCOL",
    0x9: "NO_RFC7540_PRIORITIES",
}
# RFC 9113 §7
_ERRORS = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)


def frame_name(kind: int) -> str:
    """Return what a type of frame is called; ``0x42`` where it has no name."""
    return _FRAMES.get(kind) or f"{kind:#04x}"


def flag_names(kind: int, flags: int) -> tuple[str, ...]:
    """Return the flags that are set, from the lowest bit on; ``0x40`` for one that such a frame has not."""
    names = _FLAGS.get(kind, {})
    bits = [1 << place for place in range(8) if flags & 1 << place]
    return tuple(names.get(bit) or f"{bit:#04x}" for bit in bits)


def setting_name(identifier: int) -> str:
    """Return what a setting is called; ``0x99`` where it has no name."""
    return _SETTINGS.get(identifier) or f"{identifier:#04x}"


def error_name(code: int) -> str:
    """Return what an error code is called; ``0x99`` where it has no name."""
    return _ERRORS[code] if code < len(_ERRORS) else f"{code:#04x}"
