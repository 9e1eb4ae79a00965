"""What the field lines of a client's request can break (RFC 9113 §8.2, §8.3; RFC 9110 §8.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from wptproto.semantics.fields import FieldLine

__all__ = ["broken_by_request", "broken_by_trailers", "promised_length"]

Broken = tuple[str, str]
"""What is wrong, and the section that says so."""

_CONNECTION_SPECIFIC = frozenset(
    (b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade")
)
_PSEUDO = frozenset((b":method", b":scheme", b":authority", b":path", b":protocol"))
_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_LENGTH = re.compile(rb"[0-9]{1,19}")


def broken_by_request(lines: Sequence[FieldLine], *, extended_connect: bool) -> Iterator[Broken]:
    """
    Yield what the header section of a request breaks.

    Args:
        lines: Its field lines, pseudo-fields among them.
        extended_connect: Whether our settings allow ``:protocol`` (RFC 8441 §3).
    """
    yield from _in_lines(lines)
    yield from _in_pseudo_order(lines)
    pseudo = {name: value for name, value in reversed(lines) if name.startswith(b":")}
    for name in pseudo:
        if name not in _PSEUDO or (name == b":protocol" and not extended_connect):
            yield f"{_text(name)} is no pseudo-header field of a request here", "RFC 9113 §8.3"
    yield from _in_method(pseudo)
    yield from _in_authority(pseudo, [value for name, value in lines if name == b"host"])
    lengths = [value for name, value in lines if name == b"content-length"]
    if len(set(lengths)) > 1 or any(_LENGTH.fullmatch(value) is None for value in lengths):
        yield f"content-length is not one number: {b', '.join(lengths)!r}", "RFC 9110 §8.6"


def broken_by_trailers(lines: Sequence[FieldLine]) -> Iterator[Broken]:
    """Yield what the trailer section of a request breaks."""
    yield from _in_lines(lines)
    for name, _ in lines:
        if name.startswith(b":"):
            yield f"trailers with the pseudo-header field {_text(name)}", "RFC 9113 §8.1"


def promised_length(lines: Sequence[FieldLine]) -> int | None:
    """Return how much content a header section promises; None where it promises none that can be kept."""
    lengths = {value for name, value in lines if name == b"content-length"}
    value = lengths.pop() if len(lengths) == 1 else b""
    return int(value) if _LENGTH.fullmatch(value) else None


def _in_lines(lines: Sequence[FieldLine]) -> Iterator[Broken]:
    for name, value in lines:
        bare = name.removeprefix(b":")
        if any(0x41 <= octet <= 0x5A for octet in name):
            yield f"the field name {name!r} is not in lower case", "RFC 9113 §8.2.1"
        elif _NAME.fullmatch(bare) is None:
            yield f"{name!r} is no field name", "RFC 9113 §8.2.1"
        if any(octet in value for octet in b"\0\r\n"):
            yield f"NUL, CR or LF in the value of {_text(name)}: {value!r}", "RFC 9113 §8.2.1"
        if value != value.strip(b" \t"):
            yield f"white space around the value of {_text(name)}: {value!r}", "RFC 9113 §8.2.1"
        if name.lower() in _CONNECTION_SPECIFIC:
            yield f"the connection-specific field {_text(name)}: {value!r}", "RFC 9113 §8.2.2"
        if name == b"te" and value.lower() != b"trailers":
            yield f"te is trailers and nothing else, unlike {value!r}", "RFC 9113 §8.2.2"


def _in_pseudo_order(lines: Sequence[FieldLine]) -> Iterator[Broken]:
    seen: set[bytes] = set()
    regular = False
    for name, _ in lines:
        if not name.startswith(b":"):
            regular = True
            continue
        if name in seen:
            yield f"{_text(name)} is there twice", "RFC 9113 §8.3"
        if regular:
            yield f"{_text(name)} stands behind a regular field", "RFC 9113 §8.3"
        seen.add(name)


def _in_method(pseudo: dict[bytes, bytes]) -> Iterator[Broken]:
    if pseudo.get(b":method") == b"CONNECT" and b":protocol" not in pseudo:
        for name in (b":scheme", b":path"):
            if name in pseudo:
                yield f"CONNECT has no {_text(name)}", "RFC 9113 §8.5"
        if b":authority" not in pseudo:
            yield "CONNECT without :authority", "RFC 9113 §8.5"
        return
    for name in (b":method", b":scheme", b":path"):
        if name not in pseudo:
            yield f"a request without {_text(name)}", "RFC 9113 §8.3.1"
    path = pseudo.get(b":path", b"/")
    is_http = pseudo.get(b":scheme") in (b"http", b"https")
    if is_http and path[:1] != b"/" and (path, pseudo.get(b":method")) != (b"*", b"OPTIONS"):
        yield f":path is neither a path nor the asterisk of OPTIONS: {path!r}", "RFC 9113 §8.3.1"


def _in_authority(pseudo: dict[bytes, bytes], hosts: list[bytes]) -> Iterator[Broken]:
    authority = pseudo.get(b":authority")
    if authority is None:
        return
    if b"@" in authority:
        yield f":authority with userinfo: {authority!r}", "RFC 9113 §8.3.1"
    for host in hosts:
        if host.lower() != authority.lower():
            yield f"host is {host!r}, and :authority {authority!r}", "RFC 9113 §8.3.1"


def _text(name: bytes) -> str:
    return name.decode("ascii", "backslashreplace")
