"""
Events of qlog: by which name, and with what, one of ours goes into such a file.

Names and members are those of draft-ietf-quic-qlog-main-schema-01, which is version 0.3, and of the drafts of
its time for QUIC and HTTP/3, as far as they have what there is here. HTTP/1.1 is told in frames, with a
stream for each exchange, and what went over TCP in packets of QUIC, for qvis draws these. The schema lets
others be added; here these are ``hpack:dynamic_table_updated`` and ``http:window_changed``.
"""

from __future__ import annotations

from typing import Any

from wptproto.semantics.fields import FieldLine
from wptproto.trace.events import (
    ChunkSeen,
    ConnectionClosed,
    ConnectionOpened,
    ContentSeen,
    DynamicTableChanged,
    EndOfInput,
    ExchangeEnded,
    FaultHappened,
    FrameSeen,
    H1HeadSeen,
    H1TrailersSeen,
    HandlerBegun,
    HandlerEnded,
    OctetsSeen,
    ProtocolChosen,
    TlsAgreed,
    TlsFailed,
    TraceEvent,
    Unreadable,
    Violated,
    WindowChanged,
)

__all__ = ["Said", "said_of"]

Said = tuple[str, dict[str, Any]]
"""Name, with its category, and data."""


def said_of(event: TraceEvent, packet_number: int) -> list[Said]:
    """
    Return what is said of an event; nothing, if others say the same.

    Args:
        event: The event.
        packet_number: How much went that way before, where it is about octets.
    """
    match event:
        case ConnectionOpened() | ConnectionClosed() | OctetsSeen() | TlsAgreed():
            return [_of_the_transport(event, packet_number)]
        case FrameSeen():
            found = [_frame(event.sent, event.stream_id, _frame_data(event), len(event.payload), 9)]
            if event.error is not None:
                found.append(_log("warning", f"{event.name} is wrong: {event.error}"))
            return found
        case H1HeadSeen():
            head = _first_line(event.line, sent=event.sent) + _headers(event.fields)
            return [_frame(event.sent, event.exchange, {"frame_type": "headers", "headers": head})]
        case H1TrailersSeen():
            headers = _headers(event.fields)
            return [_frame(event.sent, event.exchange, {"frame_type": "headers", "headers": headers})]
        case ContentSeen():
            return [_frame(event.sent, event.exchange, {"frame_type": "data"}, len(event.octets))]
        case WindowChanged():
            owner = "local" if event.sends else "remote"
            data = {"stream_id": event.stream_id, "owner": owner, "old": event.before, "new": event.after}
            return [("http:window_changed", data)]
        case DynamicTableChanged():
            return [_table(event)]
        case FaultHappened():
            return [("simulation:marker", {"type": "fault", "message": event.fault})]
        case _:
            return _remark(event)


def _of_the_transport(
    event: ConnectionOpened | ConnectionClosed | OctetsSeen | TlsAgreed, packet_number: int
) -> Said:
    match event:
        case ConnectionOpened():
            version = "v6" if ":" in event.client[0] else "v4"
            (src_ip, src_port), (dst_ip, dst_port) = event.client, event.server
            return "connectivity:connection_started", {
                "ip_version": version,
                "src_ip": src_ip,
                "dst_ip": dst_ip,
                "protocol": "TCP",
                "src_port": src_port,
                "dst_port": dst_port,
            }
        case ConnectionClosed():
            return "connectivity:connection_closed", {"reason": event.how}
        case OctetsSeen():
            octets = len(event.octets)
            name = "packet_sent" if event.sent else "packet_received"
            return f"transport:{name}", {
                "header": {"packet_type": "1RTT", "packet_number": packet_number},
                "raw": {"length": octets, "payload_length": octets},
                "frames": [],
            }
        case TlsAgreed():
            return "connectivity:connection_state_updated", {
                "new": "handshake_complete",
                "tls_version": event.version,
                "tls_cipher": event.cipher,
                "server_name": event.server_name,
                "client_alpns": event.alpn_offered,
                "chosen_alpn": event.alpn_protocol,
            }


def _remark(event: TraceEvent) -> list[Said]:
    match event:
        case ProtocolChosen():
            return [_log("info", f"the connection speaks {event.protocol}")]
        case EndOfInput():
            return [_log("info", "the client sends no more")]
        case TlsFailed():
            return [_log("error", f"TLS failed: {event.reason}")]
        case Unreadable():
            who = "server" if event.sent else "client"
            return [_log("warning", f"what the {who} sent cannot be read: {event.reason}")]
        case Violated():
            return [_log("warning", f"the client's violation: {event.reason}")]
        case ChunkSeen():
            return [_log("debug", f"a chunk of {event.size} octets")]
        case HandlerBegun():
            return [_log("info", f"the handler of exchange {event.exchange} begins")]
        case HandlerEnded():
            how = "returned" if event.error is None else f"raised {event.error}"
            level = "info" if event.error is None else "error"
            said = f"the handler of exchange {event.exchange} {how}, after {event.took_s * 1000:.1f} ms"
            return [_log(level, said)]
        case ExchangeEnded() if event.outcome:
            return [_log("warning", f"exchange {event.exchange} was cut off: {event.outcome}")]
        case _:
            return []


def _log(level: str, message: str) -> Said:
    return f"loglevel:{level}", {"message": message}


def _frame(
    sent: bool, stream_id: int, frame: dict[str, Any], octets: int = 0, header_octets: int = 0
) -> Said:
    data = {
        "stream_id": stream_id,
        "length": octets,
        "frame": frame,
        "raw": {"length": octets + header_octets, "payload_length": octets},
    }
    return f"http:frame_{'created' if sent else 'parsed'}", data


def _frame_data(frame: FrameSeen) -> dict[str, Any]:
    found: dict[str, Any] = {"frame_type": frame.name.lower()}
    if frame.flag_names:
        found["flags"] = frame.flag_names
    if frame.name == "SETTINGS":
        found["settings"] = [{"name": name.lower(), "value": value} for name, value in frame.details]
    else:
        found |= {name: _text(value) if isinstance(value, bytes) else value for name, value in frame.details}
    if frame.fields is not None:
        found["headers"] = _headers(frame.fields)
    return found


def _table(event: DynamicTableChanged) -> Said:
    update = {"insert": "inserted", "evict": "evicted"}.get(event.change, event.change)
    data: dict[str, Any] = {
        "owner": "local" if event.sent else "remote",
        "update_type": update,
        "table_octets": event.octets,
        "table_entries": event.entries,
    }
    if event.line is not None:
        data["entries"] = _headers((event.line,))
    return "hpack:dynamic_table_updated", data


def _first_line(line: bytes, *, sent: bool) -> list[dict[str, str]]:
    """Return a first line as pseudo-fields, of which qvis makes words."""
    first, second, *_ = (*_text(line).split(" "), "", "")
    if sent:
        return [{"name": ":status", "value": second}]
    return [{"name": ":method", "value": first}, {"name": ":path", "value": second}]


def _headers(fields: tuple[FieldLine, ...]) -> list[dict[str, str]]:
    return [{"name": _text(name), "value": _text(value)} for name, value in fields]


def _text(octets: bytes) -> str:
    return octets.decode("latin-1")
