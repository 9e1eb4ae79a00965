"""Limits: how much of each thing a peer may ask of a server, in one place."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from wptproto.errors import ConfigError

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    What a server takes from its peers before it refuses; from each of them, where nothing else is said.

    The defaults are far above what tests and browsers need, and far below what would be felt by others.

    Attributes:
        request_line_octets: Of an HTTP/1.1 request, with its CRLF; beyond it 414 (RFC 9110 §15.5.15).
        field_section_octets: Names, values and what stands between them, in a header or trailer section;
            beyond it 431 (RFC 6585 §5). HTTP/2 counts 32 octets more for each field (RFC 9113 §6.5.2), reads
            no further, and closes the connection, whose compression is out of step then.
        field_lines: In one section; beyond it 431.
        chunk_line_octets: A chunk's size and extensions; beyond it 400 (RFC 9112 §7.1.1).
        content_octets: Of one request; beyond it 413 (RFC 9110 §15.5.14).
        queued_octets: Of content that waits for one client to read it; beyond it, its next requests wait for
            their handlers.
        connections: Of all clients together; beyond them the one that has been idle for longest is closed, or
            the new one, where none is idle.
        threads: On which handlers run that may block; beyond them a request waits until one is free. Files
            and errors have as many of their own, and ``async`` handlers need none.
        handshake_s: Until TLS is agreed on and it is clear which protocol the client speaks; beyond it the
            connection closes.
        idle_s: Between requests; beyond it the connection closes.
        head_s: For the head of a request, once it has begun, and for any other frame but DATA; beyond it 408
            (RFC 9110 §15.5.9), or GOAWAY with ENHANCE_YOUR_CALM.
        content_gap_s: For *progress_octets* more of the content that a request has promised, or for what is
            left of it; beyond it 408, and over HTTP/2 RST_STREAM behind it. While a handler runs and the
            client owes nothing, there is no limit on time.
        unread_s: For a client to take *progress_octets* more of what waits for it; beyond it RST_STREAM, if a
            stream's window is what is in the way, or else the end of the connection.
        progress_octets: What counts as getting on; whoever sends or takes octet by octet would otherwise
            never be late.
        crowded_gap_s: What *content_gap_s* and *unread_s* come down to, for each exchange by itself, while
            requests wait for one of the *threads*.
        h2_concurrent_streams: Beyond them a request is refused with REFUSED_STREAM (RFC 9113 §5.1.2).
        h2_stream_window_octets: Content of one request that its handler has not consumed (RFC 9113 §6.9.2).
        h2_connection_window_octets: Content on its way at a time, on all streams together.
        h2_header_table_octets: Fields that HPACK remembers, in each direction (RFC 7541 §4.2).

    What costs a client nothing is counted for each connection, and past one of these, GOAWAY with
    ENHANCE_YOUR_CALM ends it. They are rates; ten seconds' worth may come at once.

    Attributes:
        h2_resets_per_s: RST_STREAM frames, and those that the client's mistakes provoke.
        h2_settings_per_s: SETTINGS frames.
        h2_pings_per_s: PING frames.
        h2_priorities_per_s: PRIORITY and PRIORITY_UPDATE frames (RFC 9218 §7.1).
        h2_window_updates_per_s: WINDOW_UPDATE frames beyond those that the content sent explains.
        h2_continuations_per_s: CONTINUATION frames.
        h2_empty_frames_per_s: DATA frames that have no content and end nothing.
        h2_other_frames_per_s: Frames of all other types, unknown ones included.
    """

    request_line_octets: int = 64 * 1024
    field_section_octets: int = 256 * 1024
    field_lines: int = 1000
    chunk_line_octets: int = 16 * 1024
    content_octets: int = 1024 * 1024 * 1024
    queued_octets: int = 64 * 1024 * 1024

    connections: int = 4096
    threads: int = 4096

    handshake_s: float = 60
    idle_s: float = 600
    head_s: float = 60
    content_gap_s: float = 600
    unread_s: float = 600
    progress_octets: int = 64 * 1024
    crowded_gap_s: float = 1

    h2_concurrent_streams: int = 1024
    h2_stream_window_octets: int = 128 * 1024
    h2_connection_window_octets: int = 1024 * 1024
    h2_header_table_octets: int = 4096

    h2_resets_per_s: int = 200
    h2_settings_per_s: int = 100
    h2_pings_per_s: int = 200
    h2_priorities_per_s: int = 1000
    h2_window_updates_per_s: int = 1000
    h2_continuations_per_s: int = 200
    h2_empty_frames_per_s: int = 100
    h2_other_frames_per_s: int = 200

    def __post_init__(self) -> None:
        """Check each value; ConfigError says which is wrong."""
        for field in fields(self):
            _check(field.name, getattr(self, field.name), in_seconds=field.type == "float")

    @classmethod
    def none(cls) -> Self:
        """Return limits that nothing reaches, for tests that want none."""
        return cls().changed({field.name: None for field in fields(cls)})

    def past(self, name: str) -> str:
        """Say that a peer is past a limit, with its name, for the peer and for the log."""
        return f"past the limit {name}: more than {getattr(self, name)}"

    def changed(self, settings: Mapping[str, Any]) -> Self:
        """
        Return these limits with others in their places.

        Args:
            settings: Their values by name; None is for no limit.

        Raises:
            ConfigError: There is no such limit, or its value makes no sense.
        """
        known = [field.name for field in fields(self)]
        for name in settings:
            if name not in known:
                raise ConfigError(f"there is no limit {name!r}; there are {', '.join(known)}")
        return replace(
            self, **{name: _none(name) if value is None else value for name, value in settings.items()}
        )


def _check(name: str, value: object, *, in_seconds: bool) -> None:
    if in_seconds:
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise ConfigError(f"{name} is a number of seconds above 0, not {value!r}")
    elif isinstance(value, bool) or not isinstance(value, int) or value < (name in _AT_LEAST_ONE):
        raise ConfigError(f"{name} is a whole number from {int(name in _AT_LEAST_ONE)} on, not {value!r}")


def _none(name: str) -> int:
    """Return what a limit is where there is none: what is enough to get on is little then, and not much."""
    return 1 if name == "progress_octets" else sys.maxsize


_AT_LEAST_ONE = ("connections", "threads", "progress_octets")


DEFAULT_LIMITS = Limits()
