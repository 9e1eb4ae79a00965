"""
Reading an HTTP/2 connection as a third party: the octets of both sides in, events out (RFC 9113).

It judges each frame by what the wire has shown, and reads on whatever that was: what is wrong is said at the
frame, for it is the server that has to do something about it.
"""

from __future__ import annotations

from collections import deque

from wptproto.h2_codes import FrameKind, Setting
from wptproto.protocol.h2_frame_rules import broken_by_frame
from wptproto.protocol.h2_frame_types import (
    BlockFrame,
    Frame,
    PushPromiseFrame,
    SettingsFrame,
    WindowUpdateFrame,
    build,
)
from wptproto.protocol.h2_frames import PREFACE
from wptproto.protocol.h2_parsing import FrameReader, parse
from wptproto.trace.events import (
    DynamicTableChanged,
    FrameSeen,
    Origin,
    PrefaceSeen,
    TraceEvent,
    Unreadable,
    WindowChanged,
)
from wptproto.trace.h2_details import details_of
from wptproto.trace.h2_table import SECTION_OCTETS, Section, SectionReader
from wptproto.trace.h2_windows import Change, Windows

__all__ = ["H2Dissector"]

_MAX_UNACKNOWLEDGED = 100
_LEAST_FRAME_OCTETS = 2**14
_IGNORED = "RFC 9113 §4.1"
"""Where those rules stand that a frame can break and is read all the same."""


class _Side:
    """
    What one side sends.

    Attributes:
        begin: What has come of its preface, and what came with that.
        frames: Takes its frames off what comes.
        needs_preface: Its preface has not come.
        needs_settings: Its first frame has not.
        is_unreadable: It does not speak HTTP/2, or has ended within something.
        reader: Of its field blocks.
        block: Their fragments, until one is whole.
        block_stream: The stream of that; None where there is none.
        settings: What it has said, and the other side has not acknowledged.
        frame_octets: How large its payloads may be.
    """

    def __init__(self, *, needs_preface: bool) -> None:
        self.begin = b""
        self.frames = FrameReader()
        self.needs_preface = needs_preface
        self.needs_settings = True
        self.is_unreadable = False
        self.reader = SectionReader()
        self.block = bytearray()
        self.block_stream: int | None = None
        self.settings: deque[tuple[tuple[int, int], ...]] = deque(maxlen=_MAX_UNACKNOWLEDGED)
        self.frame_octets = _LEAST_FRAME_OCTETS


class H2Dissector:
    """Reads one connection, from its first octet on."""

    def __init__(self) -> None:
        self._sides = {True: _Side(needs_preface=False), False: _Side(needs_preface=True)}
        self._windows = Windows()
        self._last_stream = 0  # that the client has opened

    def upgraded(self, settings: bytes, origin: Origin) -> list[TraceEvent]:
        """Take the SETTINGS of an Upgrade (RFC 7540 §3.2.1): stream 1 is there, with its whole request."""
        self._open(1, sent=False)
        frame = parse(build(FrameKind.SETTINGS, payload=settings))
        said = frame.settings if isinstance(frame, SettingsFrame) else ()
        changes, _ = self._take_settings(said, sent=False)
        self._windows.end(1, sends=False)
        return [WindowChanged(origin, *change) for change in changes]

    def feed(self, sent: bool, octets: bytes, origin: Origin) -> list[TraceEvent]:
        """
        Take octets, cut anywhere.

        Args:
            sent: By the server.
            octets: Without TLS.
            origin: Of the events.

        Returns:
            What they amount to: a frame, then what that did to tables and windows.
        """
        side = self._sides[sent]
        if side.is_unreadable:
            return []
        events: list[TraceEvent] = []
        if side.needs_preface:
            side.begin += octets
            if not self._read_preface(side, origin, events):
                return events
            octets, side.begin = side.begin[len(PREFACE) :], b""
        for frame in side.frames.feed(octets):
            events += self._read_frame(sent, frame, origin)
        return events

    def end(self, sent: bool, origin: Origin) -> list[TraceEvent]:
        """Take note that no more comes from one side; what it has not said to its end is unreadable."""
        side = self._sides[sent]
        what, octets = ("the preface", side.begin) if side.needs_preface else ("a frame", side.frames.rest)
        if side.is_unreadable or not octets:
            return []
        side.is_unreadable = True
        return [Unreadable(origin, sent, octets, f"the connection ended within {what}")]

    # --- within --------------------------------------------------------------------------------

    def _read_preface(self, side: _Side, origin: Origin, events: list[TraceEvent]) -> bool:
        """Whether frames can be read."""
        if len(side.begin) < len(PREFACE) and PREFACE.startswith(side.begin):
            return False
        if side.begin.startswith(PREFACE):
            side.needs_preface = False
            events.append(PrefaceSeen(origin))
            return True
        events.append(Unreadable(origin, False, side.begin, "not the preface of HTTP/2 (§3.4)"))
        side.is_unreadable = True
        return False

    def _read_frame(self, sent: bool, frame: Frame, origin: Origin) -> list[TraceEvent]:
        side = self._sides[sent]
        broken = list(broken_by_frame(frame, side.frame_octets, by_client=not sent))
        out_of_place = self._out_of_place(side, frame)
        section = self._read_block(side, frame) if isinstance(frame, BlockFrame) else None
        is_lawful = all(violation.section == _IGNORED for violation in broken)
        changes, unlawful = self._count(sent, frame, is_lawful=is_lawful)
        problems = (
            out_of_place,
            *(f"{what.reason} ({what.section.removeprefix('RFC 9113 ')})" for what in broken),
            unlawful,
            section.error if section is not None else None,
        )
        seen = FrameSeen(
            origin,
            sent,
            frame.name,
            frame.kind,
            frame.flags,
            frame.flag_names,
            frame.stream_id,
            frame.payload,
            tuple(details_of(frame)),
            section.fields if section is not None else None,
            "; ".join(problem for problem in problems if problem) or None,
        )
        events: list[TraceEvent] = [seen]
        if section is not None:
            events += [DynamicTableChanged(origin, sent, *change) for change in section.changes]
        events += [WindowChanged(origin, *change) for change in changes]
        return events

    def _out_of_place(self, side: _Side, frame: Frame) -> str | None:
        """Return what is wrong with there being such a frame here."""
        is_first, side.needs_settings = side.needs_settings, False
        if is_first and frame.kind != FrameKind.SETTINGS:
            return f"the first frame is {frame.name}, not SETTINGS (§3.4)"
        if side.block_stream is None:
            return "CONTINUATION of nothing (§6.10)" if frame.kind == FrameKind.CONTINUATION else None
        if frame.kind != FrameKind.CONTINUATION or frame.stream_id != side.block_stream:
            return f"within the field block of stream {side.block_stream} (§4.3)"
        return None

    def _read_block(self, side: _Side, frame: BlockFrame) -> Section | None:
        """Take a fragment; return the section that it completes."""
        if frame.kind == FrameKind.CONTINUATION and frame.stream_id != side.block_stream:
            return None
        if frame.kind != FrameKind.CONTINUATION:
            side.block.clear()
            side.block_stream = frame.stream_id
        if len(side.block) <= SECTION_OCTETS:
            side.block += frame.fragment
        if not frame.end_headers:
            return None
        block = bytes(side.block)
        side.block.clear()
        side.block_stream = None
        return side.reader.read(block)

    def _count(self, sent: bool, frame: Frame, *, is_lawful: bool) -> tuple[list[Change], str | None]:
        """Return what a frame does to windows, and what about that is wrong."""
        windows, stream_id = self._windows, frame.stream_id
        changes: list[Change] = []
        unlawful = None
        match frame:
            case Frame(kind=FrameKind.DATA) if stream_id:
                changes, unlawful = windows.spend(stream_id, len(frame.payload), sends=sent)
            case Frame(kind=FrameKind.HEADERS) if stream_id:
                self._open(stream_id, sent=sent)
            case Frame(kind=FrameKind.RST_STREAM):
                windows.close(stream_id)
            case PushPromiseFrame(promised_stream_id=promised) if is_lawful:
                windows.open(promised)
                windows.end(promised, sends=False)
            case WindowUpdateFrame(increment=increment) if is_lawful:
                changes, unlawful = windows.add(stream_id, increment, sends=not sent)
            case SettingsFrame() if is_lawful:
                changes, unlawful = self._settings(sent, frame)
        if frame.end_stream:
            windows.end(stream_id, sends=sent)
        return changes, unlawful

    def _open(self, stream_id: int, *, sent: bool) -> None:
        # A stream is the client's to open; the server's HEADERS are for one that is open, or promised.
        if not sent and stream_id % 2 and stream_id > self._last_stream:
            self._last_stream = stream_id
            self._windows.open(stream_id)

    # --- settings ------------------------------------------------------------------------------

    def _settings(self, sent: bool, frame: SettingsFrame) -> tuple[list[Change], str | None]:
        """
        Take SETTINGS: the client's when they come, for the server goes by them at once; the server's when
        the client has acknowledged them, for until then it may not know.
        """
        if frame.ack and not sent:
            waiting = self._sides[True].settings
            return self._take_settings(waiting.popleft(), sent=True) if waiting else ([], None)
        if frame.ack:
            return [], None
        if sent:
            for identifier, value in frame.settings:
                self._allow(identifier, value, sent=True)
            self._sides[True].settings.append(frame.settings)
            return [], None
        return self._take_settings(frame.settings, sent=False)

    def _take_settings(
        self, settings: tuple[tuple[int, int], ...], *, sent: bool
    ) -> tuple[list[Change], str | None]:
        changes: list[Change] = []
        problem = None
        for identifier, value in settings:
            self._allow(identifier, value, sent=sent)
            if identifier == Setting.INITIAL_WINDOW_SIZE:
                found, problem = self._windows.begin_with(value, sends=not sent)
                changes += found
        return changes, problem

    def _allow(self, identifier: int, value: int, *, sent: bool) -> None:
        """Let the other side have a larger table, or larger frames, as soon as it may know."""
        other = self._sides[not sent]
        if identifier == Setting.HEADER_TABLE_SIZE:
            other.reader.allow(value)
        elif identifier == Setting.MAX_FRAME_SIZE:
            other.frame_octets = max(other.frame_octets, value)
