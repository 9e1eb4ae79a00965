"""
Range and Content-Range, in octets (RFC 9110 §14).

What is no list of byte ranges, RFC 9110 §14.2 lets a server ignore or refuse. Here it is refused, as
wptserve does, for whoever tests a client wants to hear of it. But of ranges that are well formed those that
can be satisfied count, and ``bytes=-`` is all there is. Numbers are digits, and nothing else that Python
takes for a number. Another unit is to be ignored.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = [
    "ByteRange",
    "UnsatisfiableRange",
    "content_range",
    "is_in_another_unit",
    "parse_range",
    "unsatisfied_range",
]

ByteRange = tuple[int, int]
"""The first octet, and the one behind the last."""

_SHOWN_OCTETS = 80

# RFC 9110 §14.1.1: int-range = first-pos "-" [ last-pos ], suffix-range = "-" suffix-length. More digits
# than any length has are not read as a number.
_MEMBER = re.compile(rb"[ \t]*([0-9]{0,19})-([0-9]{0,19})[ \t]*")


_UNIT = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+)=")


class UnsatisfiableRange(ValueError):
    """A Range field that asks for nothing there is; the text says which part of it."""


def is_in_another_unit(field: bytes) -> bool:
    """
    Whether a Range field counts in something else than octets.

    RFC 9110 §14.2: "An origin server MUST ignore a Range header field that contains a range unit it
    does not understand."
    """
    unit = _UNIT.match(field)
    return unit is not None and unit[1].lower() != b"bytes"


def parse_range(field: bytes, length: int) -> list[ByteRange]:
    """
    Return what a Range field asks for, in its order; what overlaps or touches is one, in the first place.

    Args:
        field: The field's value.
        length: Of the whole, in octets.

    Returns:
        At least one range, none of them empty, all within *length*, no two of them with an octet in common.

    Raises:
        UnsatisfiableRange: None of the ranges is there, or the field is no list of byte ranges.

    RFC 9110 §14.1.2 (byte ranges), §14.2 (Range), §15.3.7.2 (order, coalescing), §5.6.1.2 (empty members).
    """
    unit, equals, members = field.partition(b"=")
    if unit.lower() != b"bytes" or not equals:  # RFC 9110 §14.1: units have no case
        raise UnsatisfiableRange(f"not a range in bytes: {_shown(field)}")
    ranges = [_parse_member(member, length) for member in members.split(b",") if member.strip(b" \t")]
    if not ranges:
        raise UnsatisfiableRange(f"not a range: {_shown(field)}")
    found = [(start, stop) for start, stop in ranges if start < stop]
    if not found:
        raise UnsatisfiableRange(f"no such range in {length} octets: {_shown(members)}")
    return _coalesced(found)


def content_range(wanted: ByteRange, length: int) -> bytes:
    """Return the Content-Range of a part (RFC 9110 §14.4)."""
    start, stop = wanted
    return b"bytes %d-%d/%d" % (start, stop - 1, length)


def unsatisfied_range(length: int) -> bytes:
    """Return the Content-Range of a 416, which tells how long the whole is (RFC 9110 §15.5.17)."""
    return b"bytes */%d" % length


def _parse_member(member: bytes, length: int) -> ByteRange:
    """Return one range; where there is no octet of it, it ends no later than it starts."""
    match = _MEMBER.fullmatch(member)
    if match is None:
        raise UnsatisfiableRange(f"not a range: {_shown(member)}")
    first, last = match.groups()
    if not first:
        return max(0, length - int(last)) if last else 0, length
    if last and int(last) < int(first):
        # RFC 9110 §14.1.1: "An int-range is invalid if the last-pos value is present and less than
        # first-pos."
        raise UnsatisfiableRange(f"not a range, for it ends before it begins: {_shown(member)}")
    return int(first), min(length, int(last) + 1) if last else length


def _coalesced(ranges: Sequence[ByteRange]) -> list[ByteRange]:
    found: list[tuple[int, int, int]] = []  # and the place of the first that it is made of
    for (start, stop), place in sorted(zip(ranges, range(len(ranges)), strict=True)):
        if found and start <= found[-1][1]:
            first, last, earlier = found[-1]
            found[-1] = (first, max(stop, last), min(place, earlier))
        else:
            found.append((start, stop, place))
    return [(start, stop) for start, stop, _ in sorted(found, key=lambda one: one[2])]


def _shown(octets: bytes) -> str:
    text = octets[:_SHOWN_OCTETS].decode("ascii", "backslashreplace")
    return text if len(octets) <= _SHOWN_OCTETS else f"{text}..."
