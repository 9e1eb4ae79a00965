"""What the readable log says of each event: a word, what is behind it, and lines below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import NamedTuple

from wptproto.h2_codes import DATA, PADDED
from wptproto.semantics.fields import FieldLine
from wptproto.trace import events as happened
from wptproto.trace.output import printable, text_of

__all__ = ["Line", "Said", "Tone", "said_of"]

EXCERPT_OCTETS = 480
EXCERPT_LINES = 8
VALUE_OCTETS = 2000


class Tone(Enum):
    """What sort of thing is said."""

    PLAIN = auto()
    WIRE = auto()
    ASIDE = auto()
    WRONG = auto()
    FAULT = auto()


class Line(NamedTuple):
    """A line below: a name and its value, or text alone."""

    name: str
    value: str
    tone: Tone = Tone.PLAIN


class Said(NamedTuple):
    """
    What is said of an event.

    Attributes:
        word: What it is.
        rest: What else there is to it, in the same line.
        lines: Below.
        sent: Whether the server sent it; None if nobody did.
        tone: What sort of thing it is.
    """

    word: str
    rest: str = ""
    lines: tuple[Line, ...] = ()
    sent: bool | None = None
    tone: Tone = Tone.PLAIN


def said_of(event: happened.TraceEvent, verbosity: int) -> Said | None:
    """
    Return what is said of an event.

    Args:
        event: Any.
        verbosity: As of :class:`~wptproto.trace.log.LogWriter`.

    Returns:
        None where so much is not wanted.
    """
    if isinstance(event, happened.FrameSeen):
        return _frame(event, verbosity)
    if isinstance(event, happened.OctetsSeen | happened.WindowChanged | happened.DynamicTableChanged):
        return _beside(event) if verbosity > 1 else None
    return _message(event, verbosity) or _deed(event) or _connection(event)


# --- HTTP/2 --------------------------------------------------------------------------------------


def _frame(event: happened.FrameSeen, verbosity: int) -> Said:
    lines = [Line(name, _value(value)) for name, value in event.details]
    lines += _fields(event.fields or ())
    if event.kind == DATA and verbosity > 1:
        lines += _excerpt(event.content)
    if event.error is not None:
        lines.append(Line("", printable(event.error), Tone.WRONG))
    if event.kind == DATA and not event.flags & PADDED:
        lines = [line for line in lines if line.name != "data_octets"]  # is the length
    words = [f"stream {event.stream_id}" if event.stream_id else "connection", *event.flag_names]
    rest = f"{' '.join(words)}, {_octets(len(event.payload))}"
    return Said(event.name, rest, tuple(lines), event.sent, Tone.WIRE if event.error is None else Tone.WRONG)


def _value(value: int | str | bytes | bool) -> str:
    if isinstance(value, bytes):
        return _shown(value)
    return str(value).lower() if isinstance(value, bool) else printable(str(value))


def _beside(event: happened.OctetsSeen | happened.WindowChanged | happened.DynamicTableChanged) -> Said:
    match event:
        case happened.OctetsSeen():
            return Said("octets", _octets(len(event.octets)), (), event.sent, Tone.ASIDE)
        case happened.WindowChanged():
            whose = "server's" if event.sends else "client's"
            where = f"stream {event.stream_id}" if event.stream_id else "connection"
            change = f"{event.before} {event.after - event.before:+d} = {event.after}"
            return Said("window", f"{where}, {whose} to send: {change}", (), None, Tone.ASIDE)
        case _:
            line = "" if event.line is None else f" {_shown(event.line[0])}: {_shown(event.line[1])}"
            entries = "1 entry" if event.entries == 1 else f"{event.entries} entries"
            holds = f"{entries}, {_octets(event.octets)}"
            return Said("table", f"{event.change}{line} ({holds})", (), event.sent, Tone.ASIDE)


# --- HTTP/1.1 ------------------------------------------------------------------------------------


def _message(event: happened.TraceEvent, verbosity: int) -> Said | None:
    match event:
        case happened.H1HeadSeen():
            lines = tuple(_fields(event.fields))
            word = "response" if event.sent else "request"
            return Said(word, f"{event.exchange}: {_shown(event.line)}", lines, event.sent, Tone.WIRE)
        case happened.ChunkSeen():
            extensions = f" {_shown(event.extensions)}" if event.extensions else ""
            rest = f"{event.exchange}: {_octets(event.size)}{extensions}"
            return Said("chunk", rest, (), event.sent, Tone.WIRE)
        case happened.ContentSeen():
            lines = tuple(_excerpt(event.octets)) if verbosity > 1 else ()
            rest = f"{event.exchange}: {_octets(len(event.octets))}"
            return Said("content", rest, lines, event.sent, Tone.WIRE)
        case happened.H1TrailersSeen():
            lines = tuple(_fields(event.fields))
            return Said("trailers", f"{event.exchange}: {len(lines)}", lines, event.sent, Tone.WIRE)
        case happened.Unreadable():
            rest = f"{printable(event.reason)}, {_octets(len(event.octets))}"
            return Said("unreadable", rest, tuple(_excerpt(event.octets)), event.sent, Tone.WRONG)
    return None


# --- what is done --------------------------------------------------------------------------------


def _deed(event: happened.TraceEvent) -> Said | None:
    match event:
        case happened.ExchangeBegun():
            return Said("exchange", f"{event.exchange}: {printable(event.method)} {printable(event.target)}")
        case happened.ExchangeEnded():
            tone = Tone.WRONG if event.outcome else Tone.PLAIN
            return Said("exchange", f"{event.exchange}: {printable(event.outcome) or 'complete'}", tone=tone)
        case happened.HandlerBegun():
            return Said("handler", f"{event.exchange}: called")
        case happened.HandlerEnded():
            took = f"{event.exchange}: through after {event.took_s * 1000:.1f} ms"
            if event.error is None:
                return Said("handler", took)
            return Said("handler", took, (Line("", printable(event.error), Tone.WRONG),), tone=Tone.WRONG)
        case happened.FaultHappened():
            whose = "connection" if event.exchange is None else f"{event.exchange}"
            return Said("fault", f"{whose}: {printable(event.fault)}", tone=Tone.FAULT)
        case happened.Violated():
            whose = "connection" if event.exchange is None else f"{event.exchange}"
            return Said("violation", f"{whose}: {printable(event.reason)}", tone=Tone.WRONG)
    return None


def _connection(event: happened.TraceEvent) -> Said | None:
    match event:
        case happened.ConnectionOpened():
            over = " over TLS" if event.is_tls else ""
            return Said("connection", f"{_address(event.client)} to {_address(event.server)}{over}")
        case happened.TlsAgreed():
            name = "no name" if event.server_name is None else printable(event.server_name)
            offered = "none" if event.alpn_offered is None else ", ".join(map(printable, event.alpn_offered))
            alpn = f"ALPN: {event.alpn_protocol or 'none'} of {offered}"
            return Said("TLS", f"{event.version} {event.cipher}, for {name}, {alpn}")
        case happened.TlsFailed():
            return Said("TLS", printable(event.reason), tone=Tone.WRONG)
        case happened.ProtocolChosen():
            return Said("protocol", event.protocol)
        case happened.PrefaceSeen():
            return Said("preface", "of HTTP/2", sent=False, tone=Tone.WIRE)
        case happened.EndOfInput():
            return Said("end", "of what the client sends", sent=False, tone=Tone.WIRE)
        case happened.ConnectionClosed():
            return Said("connection", printable(event.how))
    return None


# --- octets --------------------------------------------------------------------------------------


def _fields(fields: Iterable[FieldLine]) -> Iterator[Line]:
    for name, value in fields:
        yield Line(_shown(name), _shown(value))


def _shown(octets: bytes) -> str:
    more = len(octets) - VALUE_OCTETS
    return text_of(octets) if more <= 0 else f"{text_of(octets[:VALUE_OCTETS])}... and {_octets(more)} more"


def _excerpt(octets: bytes) -> Iterator[Line]:
    """Return the first lines of content, as it can be printed."""
    shown = 0
    for line in octets[:EXCERPT_OCTETS].splitlines(keepends=True)[:EXCERPT_LINES]:
        yield Line("", text_of(line.rstrip(b"\r\n")), Tone.ASIDE)
        shown += len(line)
    if shown < len(octets):
        yield Line("", f"... and {_octets(len(octets) - shown)} more", Tone.ASIDE)


def _octets(count: int) -> str:
    return "1 octet" if count == 1 else f"{count} octets"


def _address(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
