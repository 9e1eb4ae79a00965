"""H2Speaker: what a test says on an HTTP/2 connection: frames as it wants them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wptproto.errors import ConfigError
from wptproto.h2_codes import (
    ACK,
    END_HEADERS,
    END_STREAM,
    HAS_PRIORITY,
    PADDED,
    ErrorCode,
    FrameKind,
    Setting,
)
from wptproto.protocol.connection import WindowState
from wptproto.protocol.h2_field_blocks import BlockItem, Indexed, Literal, TableSize
from wptproto.protocol.h2_frame_types import KINDS, Frame, PriorityFields, build
from wptproto.protocol.violations import Violation
from wptproto.semantics.fields import Value
from wptproto.wire.client import H2Client
from wptproto.wire.conversation import Conversation
from wptproto.wire.line import Line
from wptproto.wire.policies import Policy
from wptproto.wire.tls import cut

__all__ = ["AnyKind", "FieldItems", "H2Speaker", "Settings", "kind_number"]

FieldItems = Mapping[str, Value] | Iterable[BlockItem] | bytes
"""
Field lines in order, and whatever else a field block can have
(:mod:`wptproto.protocol.h2_field_blocks`), or all its octets.
"""

AnyKind = FrameKind | type[Frame] | str | int
"""A type of frames: its number, its name, or the class of its frames."""

Settings = Mapping[str, int] | Mapping[Setting, int] | Mapping[int, int] | Iterable[tuple[str | int, int]]
"""Values by the names of settings, or by their numbers."""


class H2Speaker(Conversation):
    """
    The sending half of :class:`~wptproto.wire.h2.H2Wire`.

    Each call makes just the frames that it says, and they leave at once. Nothing is checked: any stream, any
    order, past any window; what the client may make of it is for the test to see.
    """

    def __init__(self, line: Line, timeout_s: float, policy: Policy) -> None:
        super().__init__(line, timeout_s, policy)
        self._client = H2Client()

    def windows(self, stream_id: int = 0) -> WindowState:
        """
        Return how much content may be sent, both ways, as the frames until now say it; it may be below 0.

        What we announced by SETTINGS counts from the client's acknowledgement on.

        Args:
            stream_id: Whose; 0 is the connection's.

        RFC 9113 §6.9.
        """
        return self._client.windows(stream_id)

    # --- field blocks --------------------------------------------------------------------------

    def send_headers(
        self,
        stream_id: int,
        fields: FieldItems = (),
        *,
        status: int | None = None,
        end_stream: bool = False,
        end_headers: bool = True,
        padding: int | None = None,
        priority: PriorityFields | None = None,
        fragments: Sequence[int] = (),
    ) -> None:
        """
        Send a header section: HEADERS, and CONTINUATION where *fragments* ask for it.

        Args:
            stream_id: The stream.
            fields: In order: pairs, Indexed, Literal, TableSize, or octets that go into the block as they
                are. Names are sent in the case as given.
            status: What goes in front as ``:status``; None is nothing.
            end_stream: Whether nothing follows.
            end_headers: Whether the last of the frames says that the field block ends.
            padding: Octets of padding, 0 to 255; None is a frame without that field.
            priority: Priority fields.
            fragments: How many octets of the field block are in HEADERS, and in each CONTINUATION; what is
                left is in one more. It is never split otherwise, however long it is.

        RFC 9113 §6.2, §6.10, §8.3.2.
        """
        items = _items(fields, status)
        first, *others = self._fragments(items, fragments)
        flags = END_STREAM if end_stream else 0
        if priority is not None:
            flags |= HAS_PRIORITY
            first = bytes(priority) + first
        flags, first = _padded(flags, first, padding)
        self._send_block(
            FrameKind.HEADERS, flags, stream_id, [first, *others], items, end_headers=end_headers
        )

    def send_trailers(
        self,
        stream_id: int,
        fields: FieldItems,
        *,
        end_stream: bool = True,
        padding: int | None = None,
        fragments: Sequence[int] = (),
    ) -> None:
        """Send a trailer section, which ends the stream unless it is told not to (RFC 9113 §8.1)."""
        self.send_headers(stream_id, fields, end_stream=end_stream, padding=padding, fragments=fragments)

    def send_push_promise(
        self,
        stream_id: int,
        promised_stream_id: int,
        fields: FieldItems,
        *,
        end_headers: bool = True,
        padding: int | None = None,
        fragments: Sequence[int] = (),
    ) -> None:
        """
        Promise, on a stream, the response to a request of these fields on another (RFC 9113 §6.6,
        §8.4).
        """
        items = _items(fields, None)
        first, *others = self._fragments(items, fragments)
        first = promised_stream_id.to_bytes(4, "big") + first
        flags, first = _padded(0, first, padding)
        self._send_block(
            FrameKind.PUSH_PROMISE, flags, stream_id, [first, *others], items, end_headers=end_headers
        )

    def send_continuation(self, stream_id: int, fields: FieldItems = (), *, end_headers: bool = True) -> None:
        """Send CONTINUATION with fields of its own, compressed behind those before them (RFC 9113 §6.10)."""
        items = _items(fields, None)
        blocks = self._fragments(items, ())
        self._send_block(FrameKind.CONTINUATION, 0, stream_id, blocks, items, end_headers=end_headers)

    def _fragments(self, items: list[BlockItem], sizes: Sequence[int]) -> list[bytes]:
        return cut(self._client.encoder.encode(items), sizes) or [b""]

    def _send_block(
        self,
        kind: int,
        flags: int,
        stream_id: int,
        fragments: list[bytes],
        items: list[BlockItem],
        *,
        end_headers: bool,
    ) -> None:
        octets = bytearray()
        said = ", ".join(_in_words(item) for item in items)
        for number, fragment in enumerate(fragments, 1):
            if number == len(fragments) and end_headers:
                flags |= END_HEADERS
            octets += self._made(kind, flags, stream_id, fragment, said=said)
            kind, flags, said = FrameKind.CONTINUATION, 0, ""
        self._write(bytes(octets))

    # --- content -------------------------------------------------------------------------------

    def send_data(
        self, stream_id: int, content: bytes = b"", *, end_stream: bool = False, padding: int | None = None
    ) -> None:
        """
        Send one DATA frame, whatever the windows are.

        Args:
            stream_id: The stream.
            content: Its octets; :meth:`~wptproto.wire.h2.H2Wire.send_content` minds windows, and cuts.
            end_stream: Whether it is the last.
            padding: Octets of padding, 0 to 255; None is a frame without that field.

        RFC 9113 §6.1.
        """
        flags, payload = _padded(END_STREAM if end_stream else 0, content, padding)
        self.send_frame(FrameKind.DATA, flags, stream_id, payload)

    # --- the other frames ----------------------------------------------------------------------

    def send_settings(self, settings: Settings = (), *, ack: bool = False) -> None:
        """
        Send SETTINGS; the client acknowledges them when it gets to it (RFC 9113 §6.5).

        Args:
            settings: In order; a name such as ``INITIAL_WINDOW_SIZE``, a Setting, or any number.
            ack: Whether it acknowledges the client's. Those are acknowledged as they come, if the connection
                was not accepted with ``acknowledge_settings=False``.

        Raises:
            ConfigError: There is no setting of that name.
        """
        pairs: Iterable[tuple[str | int, int]] = (
            settings.items() if isinstance(settings, Mapping) else settings
        )
        payload = b"".join(
            _setting(setting).to_bytes(2, "big") + value.to_bytes(4, "big") for setting, value in pairs
        )
        self.send_frame(FrameKind.SETTINGS, ACK if ack else 0, 0, payload)

    def send_ping(self, data: bytes = bytes(8), *, ack: bool = False) -> None:
        """Send PING with 8 octets, or another number of them, if that is wanted (RFC 9113 §6.7)."""
        self.send_frame(FrameKind.PING, ACK if ack else 0, 0, data)

    def send_goaway(
        self, last_stream_id: int = 0, code: int | str = ErrorCode.NO_ERROR, debug: bytes = b""
    ) -> None:
        """Send GOAWAY; the connection stays open (RFC 9113 §6.8)."""
        payload = last_stream_id.to_bytes(4, "big") + _code(code).to_bytes(4, "big") + debug
        self.send_frame(FrameKind.GOAWAY, 0, 0, payload)

    def send_reset(self, stream_id: int, code: int | str = ErrorCode.CANCEL) -> None:
        """Send RST_STREAM (RFC 9113 §6.4)."""
        self.send_frame(FrameKind.RST_STREAM, 0, stream_id, _code(code).to_bytes(4, "big"))

    def send_window_update(self, stream_id: int, increment: int) -> None:
        """Send WINDOW_UPDATE, of the connection for stream 0 (RFC 9113 §6.9)."""
        self.send_frame(FrameKind.WINDOW_UPDATE, 0, stream_id, increment.to_bytes(4, "big"))

    def send_frame(
        self,
        kind: AnyKind,
        flags: int = 0,
        stream_id: int = 0,
        payload: bytes = b"",
        *,
        length: int | None = None,
        reserved: bool = False,
    ) -> None:
        """
        Send any frame.

        Args:
            kind: Its type: ``DATA`` or any other of :mod:`wptproto.wire`, a name, or any number to 255.
            flags: To 255.
            stream_id: To 31 bits.
            payload: All that follows the header.
            length: What the header is to say of the payload's length; None is the truth. After a lie, what is
                a frame for the client is something else for us.
            reserved: Whether the bit before the stream is set.

        Raises:
            ConfigError: There is no type of that name.
            WireError: The client is gone, or does not read.
            ExchangeClosed: The server stops, or the connection was closed here.

        RFC 9113 §4.1.
        """
        number = kind_number(kind)
        if length is None or length == len(payload):
            self._write(self._made(number, flags, stream_id, payload, reserved=reserved))
            return
        octets = build(number, flags, stream_id, payload, length=length, reserved=reserved)
        frame = Frame(kind=number, flags=flags, stream_id=stream_id, payload=payload, reserved=reserved)
        self._transcript.sent(f"{frame} (which says that it has {length} octets)")
        self._write(octets)

    def _made(
        self,
        kind: int,
        flags: int,
        stream_id: int,
        payload: bytes,
        *,
        reserved: bool = False,
        said: str = "",
    ) -> bytes:
        """Return a frame's octets, of which note was taken."""
        octets = build(kind, flags, stream_id, payload, reserved=reserved)
        frame = self._client.sent(octets)
        self._transcript.sent(f"{frame.heading}: {said}" if said else frame)
        return octets

    def _end_for(self, violation: Violation) -> None:
        self.send_goaway(max(self._client.streams, default=0), violation.code, str(violation).encode())


def _items(fields: FieldItems, status: int | None) -> list[BlockItem]:
    items: list[BlockItem] = [] if status is None else [(":status", status)]
    if isinstance(fields, bytes):
        items.append(fields)
    else:
        items += fields.items() if isinstance(fields, Mapping) else fields
    return items


def _in_words(item: BlockItem) -> str:
    if isinstance(item, Indexed | Literal | TableSize | bytes):
        return repr(item)
    return ": ".join(part.decode("latin-1") if isinstance(part, bytes) else str(part) for part in item)


def _padded(flags: int, payload: bytes, padding: int | None) -> tuple[int, bytes]:
    if padding is None:
        return flags, payload
    return flags | PADDED, bytes([padding]) + payload + bytes(padding)


def kind_number(kind: AnyKind) -> int:
    """
    Return the number of a type of frames.

    Raises:
        ConfigError: There is no such type.
    """
    if isinstance(kind, int):
        return kind
    found = FrameKind.__members__.get(kind) if isinstance(kind, str) else KINDS.get(kind)
    if found is None:
        raise ConfigError(f"{kind!r} is no type of frame; those are {', '.join(FrameKind.__members__)}")
    return found


def _code(code: int | str) -> int:
    if isinstance(code, int):
        return code
    if code not in ErrorCode.__members__:
        raise ConfigError(f"{code!r} is no error code; those are {', '.join(ErrorCode.__members__)}")
    return ErrorCode[code]


def _setting(setting: str | int) -> int:
    if isinstance(setting, int):
        return setting
    if setting not in Setting.__members__:
        raise ConfigError(f"{setting!r} is no setting; those are {', '.join(Setting.__members__)}")
    return Setting[setting]
