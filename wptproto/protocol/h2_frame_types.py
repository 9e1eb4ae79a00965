"""
Frames: each type of HTTP/2 frame with all its fields, taken from octets and made of them.

What cannot be what its type says is a frame all the same: a :class:`MalformedFrame`, which has the octets and
the reason. A type that nobody knows is a :class:`Frame`, and nothing more.

RFC 9113 §4, §6; RFC 7838 §4 (ALTSVC); RFC 8336 §2 (ORIGIN); RFC 9218 §7.1 (PRIORITY_UPDATE).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from wptproto.h2_codes import (
    ACK,
    END_HEADERS,
    END_STREAM,
    FrameKind,
    defined_flags,
    error_name,
    flag_names,
    frame_name,
    setting_name,
)
from wptproto.protocol.h2_field_blocks import Representation
from wptproto.protocol.h2_frames import MAX_PAYLOAD_OCTETS
from wptproto.semantics.fields import FieldLine

__all__ = [
    "KINDS",
    "AltsvcFrame",
    "BlockFrame",
    "ContinuationFrame",
    "DataFrame",
    "Frame",
    "GoawayFrame",
    "HeadersFrame",
    "MalformedFrame",
    "OriginFrame",
    "PingFrame",
    "PriorityFields",
    "PriorityFrame",
    "PriorityUpdateFrame",
    "PushPromiseFrame",
    "RstStreamFrame",
    "SettingsFrame",
    "WindowUpdateFrame",
    "build",
]

_RESERVED = 0x80000000


class PriorityFields(NamedTuple):
    """
    What PRIORITY says, and HEADERS may (RFC 9113 §6.2, §6.3).

    Attributes:
        depends_on: A stream; 0 is none.
        weight: 1 to 256, one more than the octet says.
        exclusive: Whether it is to be the only one that depends on that stream.
    """

    depends_on: int
    weight: int = 16
    exclusive: bool = False

    def __bytes__(self) -> bytes:
        number = self.depends_on | (_RESERVED if self.exclusive else 0)
        return number.to_bytes(4, "big") + bytes([(self.weight - 1) & 0xFF])


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """
    Any frame (RFC 9113 §4.1).

    Attributes:
        kind: Its type.
        flags: As they came.
        stream_id: Its stream; 0 is the connection.
        payload: Its octets, padding and all.
        reserved: The bit before the stream, which is to be unset.
    """

    kind: int
    flags: int = 0
    stream_id: int = 0
    payload: bytes = b""
    reserved: bool = False

    @property
    def name(self) -> str:
        """The name of its type, or the number."""
        return frame_name(self.kind)

    @property
    def flag_names(self) -> tuple[str, ...]:
        """The names of its flags; those that its type does not define as numbers."""
        return flag_names(self.kind, self.flags)

    @property
    def undefined_flags(self) -> int:
        """Those flags that its type does not define."""
        return self.flags & ~defined_flags(self.kind)

    @property
    def end_stream(self) -> bool:
        """Whether its sender sends nothing more on the stream."""
        return self.kind in (FrameKind.DATA, FrameKind.HEADERS) and bool(self.flags & END_STREAM)

    def says(self) -> str:
        """Return what it says, in words; a short beginning of what is long."""
        return _shown(self.payload) if self.payload else ""

    @property
    def heading(self) -> str:
        """What its header says, in words."""
        where = f" on stream {self.stream_id}" if self.stream_id else ""
        flags = "".join(f", {name}" for name in self.flag_names)
        reserved = ", with the reserved bit" if self.reserved else ""
        return f"{self.name}{where}{flags}{reserved}"

    def __str__(self) -> str:
        said = self.says()
        return f"{self.heading}: {said}" if said else self.heading


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedFrame(Frame):
    """
    A frame whose payload cannot be what its type says.

    Attributes:
        reason: Why not, in a sentence.
        section: Which section says so.
    """

    reason: str
    section: str

    def says(self) -> str:
        return f"malformed, {self.reason}: {_shown(self.payload)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFrame(Frame):
    """
    DATA (RFC 9113 §6.1).

    Attributes:
        content: Its octets without padding.
        padding: How many octets of padding; None where it has no such field.
    """

    content: bytes
    padding: int | None = None

    def says(self) -> str:
        padded = f", and {self.padding} of padding" if self.padding is not None else ""
        return f"{len(self.content)} octets{padded} {_shown(self.content) if self.content else ''}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFrame(Frame):
    """
    A frame with a part of a field block: HEADERS, PUSH_PROMISE, CONTINUATION (RFC 9113 §4.3).

    Attributes:
        fragment: The part, as octets.
        fields: The field lines of the whole block, in order, where it ends with this frame; None where it
            goes on, or cannot be decoded.
        representations: How each of them was compressed, size updates among them; None likewise.
    """

    fragment: bytes
    fields: tuple[FieldLine, ...] | None = None
    representations: tuple[Representation, ...] | None = None

    @property
    def end_headers(self) -> bool:
        """Whether the field block ends with it."""
        return bool(self.flags & END_HEADERS)

    def says(self) -> str:
        if self.fields is None:
            return f"{len(self.fragment)} octets of a field block"
        return ", ".join(f"{_text(name)}: {_text(value)}" for name, value in self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadersFrame(BlockFrame):
    """
    HEADERS (RFC 9113 §6.2).

    Attributes:
        padding: How many octets of padding; None where it has no such field.
        priority: Its priority fields, if it has them.
    """

    padding: int | None = None
    priority: PriorityFields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityFrame(Frame):
    """PRIORITY (RFC 9113 §6.3)."""

    priority: PriorityFields

    def says(self) -> str:
        exclusive = ", exclusively" if self.priority.exclusive else ""
        return f"depends on {self.priority.depends_on} with weight {self.priority.weight}{exclusive}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RstStreamFrame(Frame):
    """RST_STREAM (RFC 9113 §6.4); *code* is an ErrorCode where it is known."""

    code: int

    def says(self) -> str:
        return error_name(self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFrame(Frame):
    """SETTINGS (RFC 9113 §6.5); *settings* are numbers and values in order, repeated ones, too."""

    settings: tuple[tuple[int, int], ...]

    @property
    def ack(self) -> bool:
        """Whether it acknowledges the peer's."""
        return bool(self.flags & ACK)

    def get(self, setting: int) -> int | None:
        """Return the value of a setting, the last one if it is repeated; None if it is not there."""
        return dict(self.settings).get(setting)

    def says(self) -> str:
        return ", ".join(f"{setting_name(setting)} {value}" for setting, value in self.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPromiseFrame(BlockFrame):
    """PUSH_PROMISE (RFC 9113 §6.6), of the stream *promised_stream_id*."""

    promised_stream_id: int
    padding: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PingFrame(Frame):
    """PING (RFC 9113 §6.7)."""

    @property
    def ack(self) -> bool:
        """Whether it answers one of the peer's."""
        return bool(self.flags & ACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoawayFrame(Frame):
    """
    GOAWAY (RFC 9113 §6.8).

    Attributes:
        last_stream_id: The last stream that its sender may have acted upon.
        code: An ErrorCode where it is known.
        debug: Whatever its sender had to say.
    """

    last_stream_id: int
    code: int
    debug: bytes = b""

    def says(self) -> str:
        debug = f", {_shown(self.debug)}" if self.debug else ""
        return f"{error_name(self.code)}, last stream {self.last_stream_id}{debug}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowUpdateFrame(Frame):
    """WINDOW_UPDATE (RFC 9113 §6.9)."""

    increment: int

    def says(self) -> str:
        return f"{self.increment} more octets"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuationFrame(BlockFrame):
    """CONTINUATION (RFC 9113 §6.10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AltsvcFrame(Frame):
    """ALTSVC (RFC 7838 §4)."""

    origin: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginFrame(Frame):
    """ORIGIN (RFC 8336 §2)."""

    origins: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityUpdateFrame(Frame):
    """PRIORITY_UPDATE (RFC 9218 §7.1), of the stream *prioritized_stream_id*."""

    prioritized_stream_id: int
    value: bytes

    def says(self) -> str:
        return f"stream {self.prioritized_stream_id} {_text(self.value)}"


KINDS: dict[type[Frame], FrameKind] = {
    DataFrame: FrameKind.DATA,
    HeadersFrame: FrameKind.HEADERS,
    PriorityFrame: FrameKind.PRIORITY,
    RstStreamFrame: FrameKind.RST_STREAM,
    SettingsFrame: FrameKind.SETTINGS,
    PushPromiseFrame: FrameKind.PUSH_PROMISE,
    PingFrame: FrameKind.PING,
    GoawayFrame: FrameKind.GOAWAY,
    WindowUpdateFrame: FrameKind.WINDOW_UPDATE,
    ContinuationFrame: FrameKind.CONTINUATION,
    AltsvcFrame: FrameKind.ALTSVC,
    OriginFrame: FrameKind.ORIGIN,
    PriorityUpdateFrame: FrameKind.PRIORITY_UPDATE,
}
"""The type for each class of frames."""


def build(
    kind: int,
    flags: int = 0,
    stream_id: int = 0,
    payload: bytes = b"",
    *,
    length: int | None = None,
    reserved: bool = False,
) -> bytes:
    """
    Return a frame as octets (RFC 9113 §4.1).

    Args:
        kind: Its type, 0 to 255.
        flags: 0 to 255.
        stream_id: 31 bits.
        payload: All of it.
        length: What it is to say of the payload's length, whatever that is; None is the truth.
        reserved: Whether the bit before the stream is set.

    Raises:
        ValueError: It does not fit.
    """
    said = len(payload) if length is None else length
    if not 0 <= said <= MAX_PAYLOAD_OCTETS:
        raise ValueError(f"a frame says of its length 0 to {MAX_PAYLOAD_OCTETS}, and not {said}")
    number = stream_id | (_RESERVED if reserved else 0)
    return said.to_bytes(3, "big") + bytes([kind, flags]) + number.to_bytes(4, "big") + payload


def _text(octets: bytes) -> str:
    return octets.decode("ascii", "backslashreplace")


def _shown(octets: bytes) -> str:
    return repr(octets) if len(octets) <= 48 else f"{octets[:48]!r}..."
