"""What the payload of one HTTP/2 frame says (RFC 9113 §6); where that is wrong, as far as it goes."""

from __future__ import annotations

from typing import NamedTuple

from wptproto import h2_codes as frames
from wptproto.h2_codes import (
    ACK,
    ALTSVC,
    CONTINUATION,
    DATA,
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
    Setting,
    error_name,
    frame_name,
    setting_name,
)

__all__ = ["Detail", "Payload", "read_payload", "read_settings"]

Detail = tuple[str, int | str | bytes | bool]

MAX_WINDOW_OCTETS = 2**31 - 1
_LENGTHS = {PRIORITY: (5, "§6.3"), RST_STREAM: (4, "§6.4"), PING: (8, "§6.7"), WINDOW_UPDATE: (4, "§6.9")}
_OF_STREAMS = {DATA: "§6.1", HEADERS: "§6.2", PRIORITY: "§6.3", RST_STREAM: "§6.4", PUSH_PROMISE: "§6.6"}
_OF_THE_CONNECTION = {SETTINGS: "§6.5", PING: "§6.7", GOAWAY: "§6.8", PRIORITY_UPDATE: "RFC 9218 §7.1"}


class Payload(NamedTuple):
    """
    What a payload says.

    Attributes:
        details: By name, in the order of the wire.
        block: The fragment of a field block that it has; None if it has none.
        error: What is wrong with it, with the section; None if nothing is.
    """

    details: tuple[Detail, ...] = ()
    block: bytes | None = None
    error: str | None = None


class _Wrong(Exception):
    """The payload can be read no further."""


def read_payload(kind: int, flags: int, stream_id: int, payload: bytes) -> Payload:
    """Return what it says, and what of that cannot be."""
    details: list[Detail] = []
    block, error = None, None
    try:
        block = _read(kind, flags, payload, details)
    except _Wrong as wrong:
        error = str(wrong)
    if (stream_id == 0 and kind in _OF_STREAMS) or (kind == CONTINUATION and stream_id == 0):
        error = f"{frame_name(kind)} on stream 0 ({_OF_STREAMS.get(kind, '§6.10')})"
    elif stream_id and kind in _OF_THE_CONNECTION:
        error = (
            f"{frame_name(kind)} is of the connection, not of stream {stream_id} ({_OF_THE_CONNECTION[kind]})"
        )
    return Payload(tuple(details), block, error)


def read_settings(payload: bytes) -> list[tuple[int, int]]:
    """Return identifiers and values in their order; octets that are left over are none (RFC 9113 §6.5.1)."""
    whole = len(payload) - len(payload) % 6
    return [
        (int.from_bytes(payload[at : at + 2], "big"), int.from_bytes(payload[at + 2 : at + 6], "big"))
        for at in range(0, whole, 6)
    ]


def _read(kind: int, flags: int, payload: bytes, details: list[Detail]) -> bytes | None:
    """Add to *details*, and return the fragment of a field block."""
    if kind in _LENGTHS and len(payload) != _LENGTHS[kind][0]:
        length, section = _LENGTHS[kind]
        raise _Wrong(f"{frame_name(kind)} of {len(payload)} octets, which has {length} ({section})")
    match kind:
        case frames.DATA:
            details.append(("data_octets", len(_unpadded(kind, flags, payload, details, 0))))
        case frames.HEADERS:
            return _read_headers(flags, payload, details)
        case frames.PUSH_PROMISE:
            return _read_promise(flags, payload, details)
        case frames.CONTINUATION:
            return payload
        case frames.PRIORITY:
            _read_priority(payload, details)
        case frames.RST_STREAM:
            details.append(("error_code", error_name(_number(payload))))
        case frames.SETTINGS:
            _read_settings(flags, payload, details)
        case frames.PING:
            details.append(("opaque_data", payload))
        case frames.GOAWAY:
            _read_goaway(payload, details)
        case frames.WINDOW_UPDATE:
            details.append(("increment", _number(payload) & MAX_WINDOW_OCTETS))
            if not details[-1][1]:
                raise _Wrong("WINDOW_UPDATE by 0 (§6.9)")
        case _:
            _read_extension(kind, payload, details)
    return None


def _number(octets: bytes) -> int:
    return int.from_bytes(octets, "big")


def _unpadded(kind: int, flags: int, payload: bytes, details: list[Detail], fixed_octets: int) -> bytes:
    """Return what is left of a payload without its padding; *fixed_octets* of it have to be there."""
    if not flags & PADDED:
        octets = payload
    else:
        if not payload:
            raise _Wrong(f"{frame_name(kind)} is padded, and has no pad length (§6.1)")
        details.append(("pad_length", payload[0]))
        if payload[0] >= len(payload):
            raise _Wrong(f"a padding of {payload[0]} octets in a payload of {len(payload)} (§6.1)")
        octets = payload[1 : len(payload) - payload[0]]
    if len(octets) < fixed_octets:
        raise _Wrong(f"{frame_name(kind)} is too short for what its flags say (§4.2)")
    return octets


def _read_priority(octets: bytes, details: list[Detail]) -> None:
    dependency = _number(octets[:4])
    details.append(("exclusive", bool(dependency >> 31)))
    details.append(("dependency", dependency & MAX_WINDOW_OCTETS))
    details.append(("weight", octets[4] + 1))


def _read_headers(flags: int, payload: bytes, details: list[Detail]) -> bytes:
    octets = _unpadded(HEADERS, flags, payload, details, 5 if flags & HAS_PRIORITY else 0)
    if not flags & HAS_PRIORITY:
        return octets
    _read_priority(octets, details)
    return octets[5:]


def _read_promise(flags: int, payload: bytes, details: list[Detail]) -> bytes:
    octets = _unpadded(PUSH_PROMISE, flags, payload, details, 4)
    details.append(("promised_stream_id", _number(octets[:4]) & MAX_WINDOW_OCTETS))
    return octets[4:]


def _read_settings(flags: int, payload: bytes, details: list[Detail]) -> None:
    wrong: str | None = None
    for identifier, value in read_settings(payload):
        details.append((setting_name(identifier), value))
        if identifier == Setting.ENABLE_PUSH and value > 1:
            wrong = f"ENABLE_PUSH is 0 or 1, not {value} (§6.5.2)"
        elif identifier == Setting.INITIAL_WINDOW_SIZE and value > MAX_WINDOW_OCTETS:
            wrong = "INITIAL_WINDOW_SIZE is above 2^31-1 (§6.5.2)"
        elif identifier == Setting.MAX_FRAME_SIZE and not 2**14 <= value < 2**24:
            wrong = f"MAX_FRAME_SIZE is from 2^14 to 2^24-1, not {value} (§6.5.2)"
    if flags & ACK and payload:
        wrong = f"an acknowledgement of SETTINGS is empty, and this has {len(payload)} octets (§6.5)"
    elif len(payload) % 6:
        wrong = f"SETTINGS of {len(payload)} octets, which is no multiple of 6 (§6.5)"
    if wrong is not None:
        raise _Wrong(wrong)


def _read_goaway(payload: bytes, details: list[Detail]) -> None:
    if len(payload) < 8:
        raise _Wrong(f"GOAWAY of {len(payload)} octets, which has 8 at the least (§6.8)")
    details.append(("last_stream_id", _number(payload[:4]) & MAX_WINDOW_OCTETS))
    details.append(("error_code", error_name(_number(payload[4:8]))))
    if len(payload) > 8:
        details.append(("debug", payload[8:]))


def _read_extension(kind: int, payload: bytes, details: list[Detail]) -> None:
    """Read what other RFCs have added; what nobody knows says nothing."""
    if kind == ALTSVC:
        end = 2 + _number(payload[:2])
        if len(payload) < max(end, 2):
            raise _Wrong("ALTSVC is too short for its origin (RFC 7838 §4)")
        details += [("origin", payload[2:end]), ("value", payload[end:])]
    elif kind == ORIGIN:
        while payload:
            end = 2 + _number(payload[:2])
            if len(payload) < max(end, 2):
                raise _Wrong("ORIGIN is too short for its last entry (RFC 8336 §2.1)")
            details.append(("origin", payload[2:end]))
            payload = payload[end:]
    elif kind == PRIORITY_UPDATE:
        if len(payload) < 4:
            raise _Wrong(
                f"PRIORITY_UPDATE of {len(payload)} octets, which has 4 at the least (RFC 9218 §7.1)"
            )
        details.append(("prioritized_stream_id", _number(payload[:4]) & MAX_WINDOW_OCTETS))
        details.append(("priority", payload[4:]))
