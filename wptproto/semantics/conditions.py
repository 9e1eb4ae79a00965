"""Conditional requests: whether a client has it already, or means another version (RFC 9110 §13)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from wptproto.semantics.dates import parse_date
from wptproto.semantics.fields import Fields

__all__ = ["range_applies", "status_by_conditions"]

# RFC 9110 §8.8.3: entity-tag = [ weak ] opaque-tag.
_ENTITY_TAG = re.compile(rb'(W/)?("[!#-~\x80-\xff]*")')
_SAFE = frozenset(("GET", "HEAD"))


def status_by_conditions(
    method: str, fields: Fields, entity_tag: bytes, modified: datetime
) -> Literal[304, 412] | None:
    """
    Return the status that conditions ask for, in the place of 200; None where they hold.

    Args:
        method: Of the request.
        fields: Of the request.
        entity_tag: Of what would be sent, strong, with its quotes.
        modified: When it last changed, to the second.

    RFC 9110 §13.2.2 (precedence), where If-Range comes last: :func:`range_applies`.
    """
    if (wanted := fields.get(b"if-match")) is not None:
        # §13.1.1: "An origin server MUST use the strong comparison function when comparing entity tags for
        # If-Match".
        if not _names(wanted, entity_tag, weakly=False):
            return 412
    elif (since := _date(fields, b"if-unmodified-since")) is not None and modified > since:
        return 412
    if (known := fields.get(b"if-none-match")) is not None:
        if _names(known, entity_tag, weakly=True):
            return 304 if method in _SAFE else 412
        return None  # §13.1.3: "A recipient MUST ignore If-Modified-Since if" there is an If-None-Match
    since = _date(fields, b"if-modified-since")
    # "A recipient MUST ignore the If-Modified-Since header field if [...] the request method is neither GET
    # nor HEAD."
    return 304 if since is not None and modified <= since and method in _SAFE else None


def range_applies(fields: Fields, entity_tag: bytes) -> bool:
    """
    Return whether If-Range, if there is one, lets Range count.

    Its validator has to be this very entity tag. A date never is enough: it would have to be a strong
    validator (RFC 9110 §13.1.5), and of a file nobody knows that it changed only once in a second (§8.8.2.2).
    """
    condition = fields.get(b"if-range")
    return condition is None or condition.strip() == entity_tag


def _names(value: bytes, entity_tag: bytes, *, weakly: bool) -> bool:
    """Whether a list of entity tags, or ``*``, has one (RFC 9110 §8.8.3.2)."""
    if value.strip() == b"*":
        return True
    return any(tag == entity_tag and (weakly or not weak) for weak, tag in _ENTITY_TAG.findall(value))


def _date(fields: Fields, name: bytes) -> datetime | None:
    """Return a field's date; None where it is missing, or none, which "a recipient MUST ignore" (§13.1.3)."""
    value = fields.get(name)
    return None if value is None else parse_date(value)
