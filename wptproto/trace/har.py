"""
HAR: the exchanges of a trace as an HTTP Archive 1.2, for browsers' developer tools and their like.

An entry is written when its exchange is over on the wire, so the file grows as it goes, and until it is
closed lacks its last line alone. Entries stand in the order in which they ended; readers sort them.

The specification is "HAR 1.2 Spec" by the Web Performance Working Group. Names that begin with an underscore
are our own, as it allows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wptproto.protocol.h2_shape import FRAME_HEADER_OCTETS
from wptproto.semantics.fields import FieldLine
from wptproto.trace import events as seen
from wptproto.trace.events import FrameSeen, TraceEvent
from wptproto.trace.har_entry import Exchange, entry_of
from wptproto.trace.output import Output, TextOutput
from wptproto.version import __version__

__all__ = ["HarWriter"]

CONTENT_OCTETS = 1024 * 1024
"""How much of each content is kept, where nobody says."""

_END_STREAM, _PADDED = 0x1, 0x8
_Key = tuple[int, int]


class _Block:
    """
    A field block of HTTP/2 that is not whole yet.

    Attributes:
        stream_id: Whose it is; of a promise, the promised stream.
        is_promise: It is a promise's.
        ends_stream: Nothing follows it.
        octets: Of its frames so far.
    """

    def __init__(self, stream_id: int, is_promise: bool, ends_stream: bool) -> None:
        self.stream_id = stream_id
        self.is_promise = is_promise
        self.ends_stream = ends_stream
        self.octets = 0


class HarWriter:
    """Writes HAR."""

    def __init__(self, to: str | Path | TextOutput, *, content_octets: int = CONTENT_OCTETS) -> None:
        """
        Args:
            to: A path or a text file.
            content_octets: How much of each content is kept; how long it was is said anyway.

        Raises:
            ConfigError: The file cannot be written.
        """
        self._output = Output(to)
        self._content_octets = content_octets
        self._connections: dict[int, seen.ConnectionOpened] = {}
        self._open: dict[_Key, Exchange] = {}
        self._blocks: dict[tuple[int, bool], _Block] = {}  # those that go on, by connection and side
        self._has_entries = False
        creator = json.dumps({"name": "wptproto", "version": __version__})
        self._output.write(f'{{"log":{{"version":"1.2","creator":{creator},"entries":[\n')

    def __call__(self, event: TraceEvent) -> None:
        connection = event.origin.connection
        match event:
            case FrameSeen():
                self._take_frame(event)
            case seen.H1HeadSeen():
                self._take_head(event)
            case seen.ContentSeen():
                found = self._open.get((connection, event.exchange))
                if found is not None:
                    found.side(event.sent).take_content(event.octets, event.origin.at_s, self._content_octets)
                    self._write_if_over(found)
            case seen.H1TrailersSeen():
                found = self._open.get((connection, event.exchange))
                if found is not None:
                    found.side(event.sent).end(event.fields, event.origin.at_s)
                    self._write_if_over(found)
            case seen.ExchangeEnded() if event.outcome:
                found = self._open.get((connection, event.exchange))
                if found is not None:
                    found.outcome = event.outcome
            case seen.ConnectionOpened():
                self._connections[connection] = event
            case seen.ConnectionClosed():
                self._close_connection(connection)

    def close(self) -> None:
        """Write what is not over, and have everything in the file."""
        for connection in list(self._connections):
            self._close_connection(connection)
        self._output.write("\n]}}\n")
        self._output.close()

    # --- HTTP/1.1 ------------------------------------------------------------------------------

    def _take_head(self, event: seen.H1HeadSeen) -> None:
        connection, number, at_s = event.origin.connection, event.exchange, event.origin.at_s
        opened = self._connections.get(connection)
        if opened is None:
            return
        octets = len(event.line) + 2 + sum(len(name) + len(value) + 4 for name, value in event.fields) + 2
        if not event.sent:
            exchange = self._open[connection, number] = Exchange(opened, number, "HTTP/1.1")
            exchange.take_request_head(event.line, event.fields, octets, at_s)
            return
        # What the response before was to have besides, it will not get.
        before = self._open.get((connection, number - 1))
        if before is not None:
            self._write(before)
        found = self._open.get((connection, number))
        if found is not None:
            found.take_response_head(event.line, event.fields, octets, at_s)
            self._write_if_over(found)

    def _write_if_over(self, exchange: Exchange) -> None:
        if exchange.is_over:
            self._write(exchange)

    # --- HTTP/2 --------------------------------------------------------------------------------

    def _take_frame(self, event: FrameSeen) -> None:
        opened = self._connections.get(event.origin.connection)
        if opened is None or not event.stream_id:
            return
        if event.name in ("HEADERS", "PUSH_PROMISE", "CONTINUATION"):
            self._take_block(opened, event)
            return
        found = self._open.get((event.origin.connection, event.stream_id))
        if found is None:
            return
        if event.name == "DATA":
            found.side(event.sent).take_content(_data(event), event.origin.at_s, self._content_octets)
            if event.flags & _END_STREAM:
                self._end_side(found, event)
        elif event.name == "RST_STREAM":
            code = dict(event.details).get("error_code")
            by = "server" if event.sent else "client"
            found.outcome = found.outcome or f"reset by the {by}: {code!s}"
            self._write(found)

    def _take_block(self, opened: seen.ConnectionOpened, event: FrameSeen) -> None:
        """Take a part of a field block; the frame that ends it has the fields."""
        key = (event.origin.connection, event.sent)
        block = self._blocks.pop(key, None)
        if block is None or event.name != "CONTINUATION":
            block = _begun_block(event)
        block.octets += FRAME_HEADER_OCTETS + len(event.payload)
        if event.fields is None:
            self._blocks[key] = block
            return
        self._take_section(opened, block, event, event.fields)

    def _take_section(
        self, opened: seen.ConnectionOpened, block: _Block, event: FrameSeen, fields: tuple[FieldLine, ...]
    ) -> None:
        key, at_s = (event.origin.connection, block.stream_id), event.origin.at_s
        found = self._open.get(key)
        if found is None:
            if event.sent and not block.is_promise:
                return  # a response to nothing, or behind a reset
            found = self._open[key] = Exchange(
                opened, block.stream_id, "HTTP/2", is_promised=block.is_promise
            )
        found.take_section(event.sent and not block.is_promise, fields, block.octets, at_s)
        if block.is_promise:
            found.request.end((), at_s)
        elif block.ends_stream:
            self._end_side(found, event)

    def _end_side(self, exchange: Exchange, event: FrameSeen) -> None:
        side = exchange.side(event.sent)
        side.end(side.trailers, event.origin.at_s)
        self._write_if_over(exchange)

    # --- entries -------------------------------------------------------------------------------

    def _close_connection(self, connection: int) -> None:
        for key, exchange in list(self._open.items()):
            if key[0] == connection:
                self._write(exchange)
        for sent in (False, True):
            self._blocks.pop((connection, sent), None)
        self._connections.pop(connection, None)

    def _write(self, exchange: Exchange) -> None:
        del self._open[exchange.opened.origin.connection, exchange.number]
        between = ",\n" if self._has_entries else ""
        self._has_entries = True
        entry: dict[str, Any] = entry_of(exchange)
        self._output.write(f"{between}{json.dumps(entry, separators=(',', ':'))}")


def _data(event: FrameSeen) -> bytes:
    """Return the content of a DATA frame, without padding."""
    payload = event.payload
    if not event.flags & _PADDED or not payload:
        return payload
    return payload[1 : max(len(payload) - payload[0], 1)]


def _begun_block(event: FrameSeen) -> _Block:
    promised = dict(event.details).get("promised_stream_id")
    if isinstance(promised, int):
        return _Block(promised, True, False)
    return _Block(event.stream_id, False, event.name == "HEADERS" and bool(event.flags & _END_STREAM))
