"""
qlog: a trace for qvis and its like, as a JSON text sequence (RFC 7464), one record an event.

The file is of the main schema, version 0.3 (draft-ietf-quic-qlog-main-schema), with one trace, whose events
say by ``group_id`` of which connection they are. There is no schema of events for HTTP/2 over TCP; names and
data are those that qvis makes of captures of it, as ``transport:packet_sent`` and ``http2:frame_created``.
What neither has stands in the category ``wptproto``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wptproto.protocol.h2_frames import END_STREAM, PREFACE
from wptproto.protocol.h2_shape import FRAME_HEADER_OCTETS
from wptproto.trace import events as seen
from wptproto.trace.events import FrameSeen, TraceEvent
from wptproto.trace.output import Output, TextOutput
from wptproto.version import __version__

__all__ = ["QlogWriter"]

VERSION = "0.3"
_RECORD_SEPARATOR = "\x1e"
_TCP_HEADER_OCTETS = 20

_FRAME_TYPES = {"RST_STREAM": "reset_stream", "GOAWAY": "go_away"}
"""Names of qvis that are not those of RFC 9113 in small letters."""


class QlogWriter:
    """Writes qlog."""

    def __init__(self, to: str | Path | TextOutput, *, title: str = "wptproto") -> None:
        """
        Args:
            to: A path or a text file.
            title: Of the trace.

        Raises:
            ConfigError: The file cannot be written.
        """
        self._output = Output(to)
        self._title = title
        self._began_at: float | None = None
        self._packets: dict[tuple[int, bool], int] = {}

    def __call__(self, event: TraceEvent) -> None:
        if self._began_at is None:
            self._began_at = event.origin.at_s
            self._write(self._header(self._began_at))
        told = self._told(event)
        if told is None:
            return
        name, data = told
        self._write(
            {
                "time": round((event.origin.at_s - self._began_at) * 1000, 3),
                "name": name,
                "group_id": str(event.origin.connection),
                "data": data,
            }
        )

    def close(self) -> None:
        """Have everything in the file."""
        if self._began_at is None:
            self._write(self._header(0.0))
        self._output.close()

    def _write(self, record: dict[str, Any]) -> None:
        self._output.write(f"{_RECORD_SEPARATOR}{json.dumps(record, separators=(',', ':'))}\n")

    def _header(self, began_at: float) -> dict[str, Any]:
        return {
            "qlog_version": VERSION,
            "qlog_format": "JSON-SEQ",
            "title": self._title,
            "trace": {
                "vantage_point": {"name": f"wptproto {__version__}", "type": "server"},
                "title": self._title,
                "common_fields": {
                    "time_format": "relative",
                    "reference_time": round(began_at * 1000, 3),
                    "protocol_type": ["TCP", "TLS", "HTTP1.1", "HTTP2"],
                },
            },
        }

    # --- what is said of each ------------------------------------------------------------------

    def _told(self, event: TraceEvent) -> tuple[str, dict[str, Any]] | None:
        match event:
            case seen.OctetsSeen():
                return self._packet(event)
            case seen.FrameSeen():
                return f"http2:frame_{'created' if event.sent else 'parsed'}", _frame(event)
            case seen.PrefaceSeen():
                magic = {"frame_type": "magic", "byte_length": len(PREFACE)}
                data = {"stream_id": 0, "frame": magic, "header_length": 0, "payload_length": len(PREFACE)}
                return "http2:frame_parsed", data
            case seen.ConnectionOpened():
                return "connectivity:connection_started", _started(event)
            case seen.ConnectionClosed():
                return "connectivity:connection_closed", {"owner": "local", "reason": event.how}
            case seen.TlsAgreed():
                data = _attributes(event, "version", "server_name", "alpn_offered")
                return "security:tls_agreed", {
                    **data,
                    "tls_cipher": event.cipher,
                    "alpn": event.alpn_protocol,
                }
            case seen.H1HeadSeen() | seen.ContentSeen() | seen.ChunkSeen() | seen.H1TrailersSeen():
                return _of_h1(event)
            case seen.PlaintextSeen():
                return None  # it is all there in frames and messages
        name = "".join(f"_{char.lower()}" if char.isupper() else char for char in type(event).__name__)
        return f"wptproto:{name.lstrip('_')}", _attributes(event)

    def _packet(self, event: seen.OctetsSeen) -> tuple[str, dict[str, Any]]:
        key = (event.origin.connection, event.sent)
        number = self._packets[key] = self._packets.get(key, -1) + 1
        size = len(event.octets)
        data = {
            # A packet of TCP counts for qvis as one of QUIC that has all it needs.
            "header": {"packet_type": "1RTT", "packet_number": number},
            "raw": {"length": _TCP_HEADER_OCTETS + size, "payload_length": size},
        }
        return f"transport:packet_{'sent' if event.sent else 'received'}", data


def _frame(event: FrameSeen) -> dict[str, Any]:
    known = not event.name.startswith("0x")
    frame: dict[str, Any] = {
        "frame_type": _FRAME_TYPES.get(event.name, event.name.lower()) if known else "unknown",
        "byte_length": len(event.payload),
        "flags": list(event.flag_names),
    }
    if not known:
        frame["frame_type_value"] = event.kind
    if event.name in ("DATA", "HEADERS"):
        frame["stream_end"] = bool(event.flags & END_STREAM)
    if event.name == "SETTINGS":
        frame["settings"] = [{"name": name, "value": value} for name, value in event.details]
    else:
        frame |= {name: _text(value) for name, value in event.details}
    if event.fields is not None:
        frame["headers"] = _headers(event.fields)
    elif event.name == "HEADERS":
        frame["headers"] = []
    if event.error is not None:
        frame["error"] = event.error
    return {
        "stream_id": event.stream_id,
        "frame": frame,
        "header_length": FRAME_HEADER_OCTETS,
        "payload_length": len(event.payload),
    }


def _of_h1(
    event: seen.H1HeadSeen | seen.ContentSeen | seen.ChunkSeen | seen.H1TrailersSeen,
) -> tuple[str, dict[str, Any]]:
    """Return what is said of a part of a message, as if it were a frame."""
    verb = "created" if event.sent else "parsed"
    data: dict[str, Any] = {"stream_id": event.exchange}
    match event:
        case seen.H1HeadSeen():
            frame = {"frame_type": "headers", "line": _text(event.line), "headers": _headers(event.fields)}
        case seen.ContentSeen():
            frame = {"frame_type": "data", "byte_length": len(event.octets)}
        case seen.ChunkSeen():
            frame = {"frame_type": "chunk", "size": event.size, "extensions": _text(event.extensions)}
        case seen.H1TrailersSeen():
            frame = {"frame_type": "trailers", "headers": _headers(event.fields)}
    return f"http:frame_{verb}", {**data, "frame": frame}


def _started(event: seen.ConnectionOpened) -> dict[str, Any]:
    client, server = event.client, event.server
    return {
        "ip_version": "v6" if ":" in server[0] else "v4",
        "src_ip": client[0],
        "dst_ip": server[0],
        "protocol": "TCP",
        "src_port": client[1],
        "dst_port": server[1],
        "is_tls": event.is_tls,
    }


def _attributes(event: TraceEvent, *names: str) -> dict[str, Any]:
    """Return attributes of an event, all of them unless some are named, as JSON has them."""
    values = event._asdict()
    return {name: _text(values[name]) for name in names or values if name != "origin"}


def _headers(fields: tuple[tuple[bytes, bytes], ...]) -> list[dict[str, str]]:
    return [{"name": _text(name), "value": _text(value)} for name, value in fields]


def _text(value: Any) -> Any:
    """Return a value as JSON has it; octets are characters each (ISO-8859-1), however deep they stand."""
    if isinstance(value, tuple):
        return [_text(one) for one in value]
    return value.decode("latin-1") if isinstance(value, bytes) else value
