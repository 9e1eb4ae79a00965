"""Telling: records in words, one line or many, for those who read reports."""

from __future__ import annotations

from collections.abc import Iterable

from wptproto.errors import LocalProtocolError
from wptproto.protocol.h1_transcript import Transcript
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import ResponseHead

__all__ = ["message_lines", "octet_lines", "read_verbatim", "traceback_lines", "what_came"]

NO_FIELDS = Fields()

SHOWN_OCTETS = 1024
"""How much of content and other octets is shown."""

SHOWN_RECORDS = 20
"""How many records are told of, where there may be thousands."""


def message_lines(
    mark: str,
    begin: str,
    fields: Fields,
    content: bytes = b"",
    content_octets: int = 0,
    trailers: Fields = NO_FIELDS,
) -> list[str]:
    """Return a message in lines, each behind a mark; of *content_octets* octets, *content* are known."""
    lines = [f"{mark} {begin}".rstrip(), *_field_lines(mark, fields)]
    return lines + octet_lines(mark, content, content_octets) + _field_lines(mark, trailers)


def traceback_lines(error: BaseException) -> list[str]:
    """Return an error of a handler, and where that raised it, in lines."""
    from wptproto.handlers.dispatcher import script_traceback

    return script_traceback(error).rstrip("\n").split("\n")


def what_came(requests: list[str], connections: list[str], violations: list[str]) -> str:
    """Return what has come instead of what was waited for, in lines, of which the last are shown."""
    lines = _list("requests", requests)
    lines += _list("connections without a request", connections)
    lines += _list("violations", violations)
    return "\n".join(lines) if lines else "nothing has come, no connection either"


def _list(what: str, items: list[str]) -> list[str]:
    if not items:
        return []
    shown = items[-SHOWN_RECORDS:]
    count = f"the last {len(shown)} of {len(items)}" if len(shown) < len(items) else f"{len(items)}"
    return [f"{what}, {count}:", *(f"  {item}" for item in shown)]


def _field_lines(mark: str, fields: Iterable[tuple[bytes, bytes]]) -> list[str]:
    return [f"{mark} {_text(name)}: {_text(value)}" for name, value in fields]


def octet_lines(mark: str, octets: bytes, count: int) -> list[str]:
    """Return the beginning of *count* octets, of which some are known, behind an empty line."""
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
