"""
Reading a request over HTTP/1.1 so that something is made of it, whatever it is, and all of what it breaks is
known.

The grammar is the server's own, at its strictest and without limits, applied line by line. What a line that
it refuses says is guessed at.

RFC 9112 §2, §3, §5, §6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wptproto.errors import RemoteProtocolError
from wptproto.limits import Limits
from wptproto.protocol.h1_content import ChunkedReader
from wptproto.protocol.h1_head import HeadReader, parse_field_lines
from wptproto.protocol.h1_request import understood
from wptproto.protocol.rules import Rules
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import RequestHead
from wptproto.semantics.target import parse_authority
from wptproto.wire.requests import H1Head

__all__ = ["Broken", "broken_by", "chunk_sizes", "chunked_reader", "head_end", "read_head"]

Broken = tuple[str, str]
"""What is wrong, and the section that says so."""

_RULES = Rules(limits=Limits.none())
_HEAD_END = re.compile(rb"\n\r?\n")
_BARE_LF = re.compile(rb"(?<!\r)\n")
_SECTION = re.compile(r"RFC \d+ §[\d.]*\d")
_LENGTH = re.compile(rb"[0-9]{1,19}")
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")


def head_end(octets: bytes | bytearray) -> int | None:
    """Return where a head ends, behind its empty line; None where it is not there yet."""
    start = len(octets) - len(octets.lstrip(b"\r\n"))
    match = _HEAD_END.search(octets, start)
    return match.end() if match is not None else None


def chunked_reader() -> ChunkedReader:
    """Return what reads chunked content by the grammar, however long it is."""
    return ChunkedReader(_RULES)


def broken_by(error: RemoteProtocolError, section: str) -> Broken:
    """Return what an error says was wrong, with the section that it names, or else that one."""
    named = _SECTION.search(error.reason)
    return error.reason, named.group() if named is not None else section


def read_head(octets: bytes) -> tuple[H1Head, list[Broken]]:
    """
    Read a head, from its first octet to the empty line behind it.

    Returns:
        What it says, as far as it can be read, and what it breaks.
    """
    broken: list[Broken] = []
    head = octets.lstrip(b"\r\n")
    if head != octets:
        broken.append(("an empty line before the request line", "RFC 9112 §2.2"))
    if _BARE_LF.search(head):
        broken.append(("a line of the head ends with LF alone", "RFC 9112 §2.2"))
        head = _BARE_LF.sub(b"\r\n", head)
    request_line, _, rest = head.partition(b"\r\n")
    lines = rest.removesuffix(b"\r\n").split(b"\r\n")[:-1] if rest != b"\r\n" else []
    method, target, version, faults = _request_line(request_line)
    broken += faults
    fields: list[FieldLine] = []
    for line in lines:
        fields.append(_guessed(line))
        try:
            parse_field_lines(line + b"\r\n", _RULES.limits, _RULES.lenient)
        except RemoteProtocolError as error:
            broken.append(broken_by(error, "RFC 9112 §5"))
    section = Fields(fields)
    broken += _host(section, version)
    length, expects, faults = _framing(method, target, version, section)
    broken += faults
    return H1Head(octets, method, target, version, section, length, expects), broken


def _request_line(line: bytes) -> tuple[str, str, str, list[Broken]]:
    broken: list[Broken] = []
    try:
        HeadReader(_RULES).read(bytearray(line + b"\r\nHost: a\r\n\r\n"))
    except RemoteProtocolError as error:
        broken.append(broken_by(error, "RFC 9112 §3"))
    words = [*line.decode("latin-1").split(None, 2), "", "", ""]
    return words[0], words[1], words[2], broken


def _guessed(line: bytes) -> FieldLine:
    name, _, value = line.partition(b":")
    return name, value.strip(b" \t")


def _host(fields: Fields, version: str) -> Iterator[Broken]:
    hosts = fields.get_list(b"host")
    if len(hosts) > 1:
        yield f"{len(hosts)} Host fields, and there has to be one", "RFC 9112 §3.2"
    elif not hosts and version == "HTTP/1.1":
        yield "no Host", "RFC 9112 §3.2"
    for host in hosts[:1]:
        try:
            parse_authority(host)
        except RemoteProtocolError as error:
            yield broken_by(error, "RFC 9112 §3.2")


def _framing(method: str, target: str, version: str, fields: Fields) -> tuple[int | None, bool, list[Broken]]:
    """Return how much content follows, whether 100 (Continue) is waited for, and what that breaks."""
    octets = target.encode("latin-1")
    head = RequestHead(
        method, octets, octets, b"", "HTTP/1.0" if version == "HTTP/1.0" else "HTTP/1.1", fields
    )
    try:
        found = understood(head, _RULES)
    except RemoteProtocolError as error:
        is_expectation = error.status_hint == 417
        section = "RFC 9110 §10.1.1" if is_expectation else "RFC 9112 §6"
        chunked = b"chunked" in fields.tokens(b"transfer-encoding")
        lengths = [value for value in fields.get_list(b"content-length") if _LENGTH.fullmatch(value)]
        length = None if chunked else int(lengths[0]) if lengths else 0
        return length, False, [broken_by(error, section)]
    return found.length, found.expects_continue, []


def chunk_sizes(octets: bytes) -> list[int]:
    """Return the sizes of the chunks in chunked content that is whole, the last one aside."""
    sizes: list[int] = []
    place = 0
    while (match := _SIZE.match(octets, place)) is not None and (size := int(match.group(), 16)):
        sizes.append(size)
        place = octets.index(b"\r\n", place) + 2 + size + 2
    return sizes
