"""Structured fields: dictionaries, of which integers and booleans are of interest (RFC 9651)."""

from __future__ import annotations

import re

__all__ = ["parse_dictionary"]

# What RFC 9651 §4.2.3.1 and §4.2.3.2 read. Nothing matches in two ways, so that no value takes long.
_KEY = rb"[a-z*][-_.*a-z0-9]*"
_BARE = (
    rb"(?:-?[0-9]{1,12}\.[0-9]{1,3}"  # in the order of §3.3: decimals, integers,
    rb"|-?[0-9]{1,15}"
    rb'|"(?:[ !#-\[\]-~]|\\["\\])*"'  # strings,
    rb"|[A-Za-z*][-!#$%&'*+.^_`|~0-9A-Za-z:/]*"  # tokens,
    rb"|:[A-Za-z0-9+/]*={0,2}:"  # octets, which are not decoded,
    rb"|\?[01]"  # booleans,
    rb"|@-?[0-9]{1,15}"  # dates,
    rb'|%"(?:[ !#$&-~]|%[0-9a-f]{2})*")'  # and text, which is not decoded either
)
_PARAMETERS = rb"(?:; *%b(?:=%b)?)*" % (_KEY, _BARE)
_ITEM = _BARE + _PARAMETERS
_INNER_LIST = rb"\( *(?:%b(?: +%b)*)? *\)%b" % (_ITEM, _ITEM, _PARAMETERS)
_MEMBER = re.compile(
    rb"(?P<key>%b)(?:=(?P<value>(?P<bare>%b)%b|%b)|%b)" % (_KEY, _BARE, _PARAMETERS, _INNER_LIST, _PARAMETERS)
)
_COMMA = re.compile(rb"[ \t]*,[ \t]*")
_INTEGER = re.compile(rb"-?[0-9]+")


def parse_dictionary(value: bytes) -> dict[bytes, int | bool | None] | None:
    """
    Read a dictionary (RFC 9651 §3.2).

    Args:
        value: Of the field, its lines joined by commas.

    Returns:
        Its members: integers and booleans as what they are, all others as None. Of a key that is there twice
        it is the last. None in the place of all where the value is no dictionary.
    """
    members: dict[bytes, int | bool | None] = {}
    value = value.strip(b" ")
    place = 0
    while place < len(value):
        found = _MEMBER.match(value, place)
        if found is None:
            return None
        members[found["key"]] = True if found["value"] is None else _simple(found["bare"])
        place = found.end()
        if place < len(value):
            comma = _COMMA.match(value, place)
            if comma is None or comma.end() == len(value):
                return None
            place = comma.end()
    return members


def _simple(bare: bytes | None) -> int | bool | None:
    """Return what a bare item is, if it is an integer or a boolean; an inner list is none."""
    if bare in (b"?0", b"?1"):
        return bare == b"?1"
    return int(bare) if bare is not None and _INTEGER.fullmatch(bare) else None
