"""Conditional requests: whether a client has it already, or means another version (RFC 9110 §13)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from wptproto.semantics.fields import Fields

__all__ = ["is_not_modified", "precondition_fails", "range_applies"]

# RFC 9110 §8.8.3: entity-tag = [ weak ] opaque-tag.
_ENTITY_TAG = re.compile(rb'(W/)?("[!#-~\x80-\xff]*")')
_DATE_OCTETS = 40


def precondition_fails(fields: Fields, entity_tag: bytes, modified: datetime) -> bool:
    """
    Return whether a request is to be answered with 412, for it means another version than there is.

    Args:
        fields: Of the request.
        entity_tag: Of what there is, strong, with its quotes.
        modified: When it last changed, to the second.

    RFC 9110 §13.1.1 (If-Match), §13.1.4 (If-Unmodified-Since).
    """
    wanted = fields.get(b"if-match")
    if wanted is not None:
        # "An origin server MUST use the strong comparison function when comparing entity tags for If-Match".
        strong = {tag for weak, tag in _ENTITY_TAG.findall(wanted) if not weak}
        return wanted.strip() != b"*" and entity_tag not in strong
    since = _date(fields.get(b"if-unmodified-since"))
    return since is not None and modified > since


def is_not_modified(fields: Fields, entity_tag: bytes, modified: datetime) -> bool:
    """
    Return whether a GET or HEAD is to be answered with 304.

    Args:
        fields: Of the request.
        entity_tag: Of what would be sent, strong, with its quotes.
        modified: When it last changed, to the second.

    RFC 9110 §13.1.2 (If-None-Match), §13.1.3 (If-Modified-Since).
    """
    known = fields.get(b"if-none-match")
    if known is not None:
        # "A recipient MUST ignore If-Modified-Since if the request contains an If-None-Match".
        return known.strip() == b"*" or entity_tag in {tag for _, tag in _ENTITY_TAG.findall(known)}
    since = _date(fields.get(b"if-modified-since"))
    return since is not None and modified <= since


def range_applies(fields: Fields, entity_tag: bytes, modified: datetime) -> bool:
    """
    Return whether If-Range, if there is one, lets Range count; its validator has to match exactly.

    RFC 9110 §13.1.5.
    """
    condition = fields.get(b"if-range")
    return condition is None or condition.strip() == entity_tag or _date(condition) == modified


def _date(value: bytes | None) -> datetime | None:
    """Return a moment, None where it is none: "A recipient MUST ignore" such a field (§13.1.3)."""
    if value is None or len(value) > _DATE_OCTETS:
        return None
    try:
        moment = parsedate_to_datetime(value.decode("ascii"))
    except (ValueError, TypeError, LookupError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
