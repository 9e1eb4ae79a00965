"""What clients write into paths and queries: read, checked, and if wrong, answered with what is right."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from wptproto.errors import HTTPException
from wptproto.exchange.request import Request

__all__ = ["capped", "field_value", "number", "one_of", "parameter", "segment", "text_of", "token"]

N = TypeVar("N", int, float)

_FORMS: dict[type, str] = {int: "[0-9]{1,18}", float: r"[0-9]{1,18}(\.[0-9]{1,18})?"}
_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def text_of(octets: bytes) -> str:
    """Return what people call the same; octets that are no UTF-8 are U+FFFD."""
    return octets.decode("utf-8", "replace")


def segment(request: Request, name: str) -> str:
    """Return what a name in the route's pattern matched, decoded."""
    return text_of(unquote_to_bytes(request.route_match[name].encode("latin-1")))


def parameter(request: Request, name: str, default: str = "") -> str:
    """Return the first value that a name, whatever its case, has in the query; *default* if it has none."""
    wanted = name.encode("ascii")
    found = (values[0] for given, values in request.GET.items() if given.lower() == wanted)
    return next(map(text_of, found), default)


def number(kind: type[N], what: str, text: str, lowest: N, highest: N) -> N:
    """Return the number that a client wrote, or answer 400 and say what it should have written."""
    if re.fullmatch(_FORMS[kind], text) and lowest <= (value := kind(text)) <= highest:
        return value
    raise HTTPException(400, f"{what} is a number from {lowest} to {highest}, not {text!r}")


def capped(kind: type[N], what: str, text: str, lowest: N, highest: N) -> N:
    """Return the number that a client wrote, at most *highest*; or answer 400 as :func:`number` does."""
    if re.fullmatch(_FORMS[kind], text) and lowest <= (value := kind(text)):
        return min(value, highest)
    raise HTTPException(
        400, f"{what} is a number from {lowest} on, of which {highest} is the most that counts, not {text!r}"
    )


def one_of(what: str, text: str, choices: Collection[str]) -> str:
    """Return the word that a client wrote, or answer 400 and say which there are."""
    if text in choices:
        return text
    raise HTTPException(400, f"{what} is one of {', '.join(choices)}, and not {text!r}")


def token(what: str, text: str) -> str:
    """Return a name that can stand in a field, or answer 400 (RFC 9110 §5.6.2)."""
    if _TOKEN.fullmatch(text):
        return text
    raise HTTPException(400, f"{what} is letters, digits and !#$%&'*+-.^_`|~, not {text!r}")


def field_value(what: str, octets: bytes) -> bytes:
    """Return octets that can be a field's value, without the blanks around them, or answer 400 (§5.5)."""
    if _CONTROLS.search(octets):
        raise HTTPException(400, f"{what} has no control characters, and this has: {text_of(octets)!r}")
    return octets.strip(b" \t")
