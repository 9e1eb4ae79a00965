"""What one frame can break, whatever came before it (RFC 9113 §4, §6)."""

from __future__ import annotations

from collections.abc import Iterator

from wptproto.h2_codes import ACK, ErrorCode, FrameKind, Setting, setting_name
from wptproto.protocol.h2_frame_types import (
    DataFrame,
    Frame,
    HeadersFrame,
    MalformedFrame,
    PriorityFrame,
    PriorityUpdateFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from wptproto.protocol.h2_frames import MAX_WINDOW_OCTETS
from wptproto.protocol.violations import Violation

__all__ = ["broken_by_frame"]

_OF_STREAMS = {
    FrameKind.DATA: "§6.1",
    FrameKind.HEADERS: "§6.2",
    FrameKind.PRIORITY: "§6.3",
    FrameKind.RST_STREAM: "§6.4",
    FrameKind.PUSH_PROMISE: "§6.6",
    FrameKind.CONTINUATION: "§6.10",
}
_OF_THE_CONNECTION = {
    FrameKind.SETTINGS: "RFC 9113 §6.5",
    FrameKind.PING: "RFC 9113 §6.7",
    FrameKind.GOAWAY: "RFC 9113 §6.8",
    FrameKind.PRIORITY_UPDATE: "RFC 9218 §7.1",
}

# What a setting may be (RFC 9113 §6.5.2, RFC 8441 §3, RFC 9218 §2.1); any number where nothing stands here.
_VALUES: dict[int, tuple[int, int, str, ErrorCode]] = {
    Setting.ENABLE_PUSH: (0, 1, "RFC 9113 §6.5.2", ErrorCode.PROTOCOL_ERROR),
    Setting.INITIAL_WINDOW_SIZE: (0, MAX_WINDOW_OCTETS, "RFC 9113 §6.5.2", ErrorCode.FLOW_CONTROL_ERROR),
    Setting.MAX_FRAME_SIZE: (2**14, 2**24 - 1, "RFC 9113 §6.5.2", ErrorCode.PROTOCOL_ERROR),
    Setting.ENABLE_CONNECT_PROTOCOL: (0, 1, "RFC 8441 §3", ErrorCode.PROTOCOL_ERROR),
    Setting.NO_RFC7540_PRIORITIES: (0, 1, "RFC 9218 §2.1", ErrorCode.PROTOCOL_ERROR),
}


def broken_by_frame(frame: Frame, max_frame_octets: int, *, by_client: bool) -> Iterator[Violation]:
    """
    Yield what a frame breaks by itself.

    Args:
        frame: What came.
        max_frame_octets: How long its sender may have it be.
        by_client: Who sent it.
    """
    if len(frame.payload) > max_frame_octets:
        yield _broken(
            frame,
            f"{frame.name} has {len(frame.payload)} octets, and {max_frame_octets} are the most",
            "RFC 9113 §4.2",
            ErrorCode.FRAME_SIZE_ERROR,
        )
    yield from _in_the_header(frame)
    yield from _on_the_stream(frame, by_client=by_client)
    yield from _in_the_payload(frame)


def _broken(frame: Frame, reason: str, section: str, code: ErrorCode = ErrorCode.PROTOCOL_ERROR) -> Violation:
    return Violation(reason, section, frame.stream_id, frame, code)


def _in_the_header(frame: Frame) -> Iterator[Violation]:
    # RFC 9113 §4.1: "Unused flags MUST be ignored on receipt and MUST be left unset (0x00) when sending."
    # What is unused in a type that we do not know, we do not know.
    if frame.kind in FrameKind._value2member_map_ and frame.undefined_flags:
        yield _broken(
            frame,
            f"{frame.name} with flags that it does not have: 0x{frame.undefined_flags:x}",
            "RFC 9113 §4.1",
        )
    if frame.reserved:
        yield _broken(frame, f"the reserved bit of {frame.name} is set", "RFC 9113 §4.1")


def _on_the_stream(frame: Frame, *, by_client: bool) -> Iterator[Violation]:
    if frame.kind in _OF_STREAMS and frame.stream_id == 0:
        section = _OF_STREAMS[FrameKind(frame.kind)]
        yield _broken(frame, f"{frame.name} on stream 0", f"RFC 9113 {section}")
    if frame.kind in _OF_THE_CONNECTION and frame.stream_id != 0:
        yield _broken(
            frame,
            f"{frame.name} on a stream, and it is of the connection",
            _OF_THE_CONNECTION[FrameKind(frame.kind)],
        )
    if by_client and frame.kind == FrameKind.PUSH_PROMISE:
        yield _broken(frame, "PUSH_PROMISE, and a client cannot push", "RFC 9113 §8.4")


def _in_the_payload(frame: Frame) -> Iterator[Violation]:
    match frame:
        case MalformedFrame(reason=reason, section=section, kind=kind):
            # Padding that is too long is named otherwise than a size that is wrong.
            padded = (
                kind in (FrameKind.DATA, FrameKind.HEADERS, FrameKind.PUSH_PROMISE) and "padding" in reason
            )
            code = ErrorCode.PROTOCOL_ERROR if padded else ErrorCode.FRAME_SIZE_ERROR
            yield _broken(frame, reason, section, code)
        case DataFrame(padding=padding) | HeadersFrame(padding=padding) if padding:
            if any(frame.payload[-padding:]):
                section = "RFC 9113 §6.1" if frame.kind == FrameKind.DATA else "RFC 9113 §6.2"
                yield _broken(frame, "padding is zeros, and this is not", section)
        case WindowUpdateFrame(increment=0):
            yield _broken(frame, "WINDOW_UPDATE of 0 octets", "RFC 9113 §6.9")
        case SettingsFrame():
            yield from _in_settings(frame)
        case PriorityUpdateFrame(prioritized_stream_id=0):
            yield _broken(frame, "PRIORITY_UPDATE of stream 0", "RFC 9218 §7.1")
    priority = frame.priority if isinstance(frame, HeadersFrame | PriorityFrame) else None
    if priority is not None and priority.depends_on == frame.stream_id != 0:
        yield _broken(frame, "a stream that depends on itself", "RFC 7540 §5.3.1")


def _in_settings(frame: SettingsFrame) -> Iterator[Violation]:
    if frame.flags & ACK and frame.payload:
        reason = f"SETTINGS that acknowledge have no payload, and this has {len(frame.payload)} octets"
        yield _broken(frame, reason, "RFC 9113 §6.5", ErrorCode.FRAME_SIZE_ERROR)
    for setting, value in frame.settings:
        if setting in _VALUES:
            least, most, section, code = _VALUES[setting]
            if not least <= value <= most:
                reason = f"{setting_name(setting)} is {least} to {most}, and not {value}"
                yield _broken(frame, reason, section, code)
