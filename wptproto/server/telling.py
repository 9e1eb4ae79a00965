"""Telling: records in words, one line or many, for those who read reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wptproto.errors import LocalProtocolError
from wptproto.protocol.h1_transcript import Transcript
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import ResponseHead

if TYPE_CHECKING:
    from wptproto.server.records import ConnectionRecord, ExchangeRecord, Violation

__all__ = ["connection_line", "exchange_line", "exchange_text", "read_verbatim", "what_came"]

SHOWN_OCTETS = 1024
"""How much of content and other octets is shown."""

SHOWN_RECORDS = 20
"""How many records are told of, where there may be thousands."""


def exchange_line(record: ExchangeRecord) -> str:
    """Return one line on an exchange: where, what was asked, what was answered, and how it ended."""
    where = f"{record.connection.number}.{record.number}"
    if not record.is_decoded:
        return f"{where}: no request that could be decoded: {record.violation}"
    asked = f"{where}: {record.method} {record.target} over {record.protocol}"
    if record.content_octets:
        asked += f", with {record.content_octets} octets"
    if record.request_ended_s is None:
        asked += ", whose request is not whole"
    return f"{asked}: {_answer(record)}"


def _answer(record: ExchangeRecord) -> str:
    status = record.status
    if not status:
        return record.outcome or "not answered yet"
    answer = f"{status}, {record.response.content_octets} octets"
    failed = f", and its handler raised {type(record.error).__name__}" if record.error is not None else ""
    return f"{answer}, {record.outcome or 'not ended yet'}{failed}"


def exchange_text(record: ExchangeRecord) -> str:
    """Return all that is known of an exchange, in lines: ``>`` is what came, ``<`` what was sent."""
    lines = [f"exchange {record.connection.number}.{record.number} on {connection_line(record.connection)}"]
    head, response = record.head, record.response
    if head is None:
        lines += _octet_lines(">", record.octets, len(record.octets))
    else:
        lines.append(f"> {head.method} {head.target.decode('latin-1')} {head.version}")
        lines += _field_lines(">", head.fields)
        lines += _octet_lines(">", record.content, record.content_octets)
        lines += _field_lines(">", record.trailers)
    for interim in response.informational:
        lines += [f"< {interim.status} {_text(interim.reason)}".rstrip(), *_field_lines("<", interim.fields)]
    if response.status:
        lines += [
            f"< {response.status} {_text(response.reason)}".rstrip(),
            *_field_lines("<", response.fields),
        ]
        lines += _octet_lines("<", response.content, response.content_octets)
        lines += _field_lines("<", response.trailers)
    elif response.verbatim:
        lines += _octet_lines("<", response.verbatim, response.verbatim_octets)
    lines += [f"< frame {frame!r}" for frame in response.frames]
    lines += [f"fault: {fault}" for fault in record.faults]
    if record.violation is not None:
        lines.append(f"violation: {record.violation}")
    took = "" if record.duration_s is None else f", after {record.duration_s * 1000:.1f} ms"
    lines.append(f"{record.outcome or 'not ended yet'}{took}")
    if record.error is not None:
        lines += traceback_lines(record.error)
    return "\n".join(lines)


def traceback_lines(error: BaseException) -> list[str]:
    """Return an error and where it was raised, in lines."""
    import traceback

    return "".join(traceback.format_exception(error)).rstrip("\n").split("\n")


def connection_line(record: ConnectionRecord) -> str:
    """Return one line on a connection: who, what is spoken, and how it ended."""
    client, port = record.client
    spoken = record.protocol or "nothing was said yet"
    if record.tls is not None:
        spoken += f" over {record.tls.version} with {record.tls.cipher}"
    elif record.is_tls:
        spoken = f"no TLS: {record.tls_failure}" if record.tls_failure is not None else "in the TLS handshake"
    ended = "" if record.ending is None else f", {record.ending}"
    return f"connection {record.number} of {client}:{port} to port {record.port} ({spoken}{ended})"


def what_came(
    exchanges: list[ExchangeRecord], connections: list[ConnectionRecord], violations: list[Violation]
) -> str:
    """Return what has come instead of what was waited for, in lines."""
    lines = _list("requests", [exchange_line(record) for record in exchanges])
    without = [record for record in connections if not record.exchange_count]
    lines += _list("connections without a request", [connection_line(record) for record in without])
    lines += _list("violations", [str(violation) for violation in violations])
    return "\n".join(lines) if lines else "nothing has come, no connection either"


def _list(what: str, items: list[str]) -> list[str]:
    if not items:
        return []
    shown = items[-SHOWN_RECORDS:]
    count = f"the last {len(shown)} of {len(items)}" if len(shown) < len(items) else f"{len(items)}"
    return [f"{what}, {count}:", *(f"  {item}" for item in shown)]


def _field_lines(mark: str, fields: Iterable[tuple[bytes, bytes]]) -> list[str]:
    return [f"{mark} {_text(name)}: {_text(value)}" for name, value in fields]


def _octet_lines(mark: str, octets: bytes, count: int) -> list[str]:
    if not count:
        return []
    shown = octets[:SHOWN_OCTETS]
    try:
        text = shown.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    more = f", {count - len(shown)} more octets" if count > len(shown) else ""
    if text and text.isprintable():
        return [f"{mark}", f"{mark} {text}{more}"]
    return [f"{mark}", f"{mark} {shown!r}{more}"]


def _text(octets: bytes) -> str:
    return octets.decode("latin-1")


def read_verbatim(
    method: str, octets: bytes
) -> tuple[tuple[ResponseHead, ...], ResponseHead | None, bytes, Fields | None]:
    """
    Read a response from the octets that a handler sent, as far as a client could.

    Args:
        method: The request's.
        octets: HTTP/1.1, perhaps cut short.

    Returns:
        The interim heads, the final one if there is any, the content, and the trailers if there are any.
    """
    reader = Transcript(method)
    interim: list[ResponseHead] = []
    content: list[bytes] = []
    final: ResponseHead | None = None
    trailers: Fields | None = None
    try:
        parts = reader.feed(octets)
    except LocalProtocolError:
        parts = reader.parts_until_error()
    for part in parts:
        match part:
            case ResponseHead() if part.status < 200:
                interim.append(part)
            case ResponseHead():
                final = part
            case Fields():
                trailers = part
            case _:
                content.append(part)
    return tuple(interim), final, b"".join(content), trailers
