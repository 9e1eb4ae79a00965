"""
Opening: all that a request's field section says, before anything is done for it.

It depends on the section and the limits alone, so that the same section need not be read twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from h2.errors import ErrorCodes

from wptproto.errors import RemoteProtocolError
from wptproto.limits import Limits
from wptproto.protocol.h1_octets import content_length
from wptproto.protocol.h2_fields import request_head
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import RequestHead

__all__ = ["Opening", "Refusal", "read_opening", "with_path"]

# A part of what parse_target() takes for the origin-form, and which nobody has a doubt about.
_PATH = re.compile(rb"/[-._~!$&'()*+,;=:@/?%0-9A-Za-z]*")


@dataclass(frozen=True, slots=True)
class Opening:
    """
    What a sound request begins with.

    Attributes:
        head: The request without its content.
        promised: The length that Content-Length promises.
        expects_continue: The client waits for 100 (Continue) before it sends content.
    """

    head: RequestHead
    promised: int | None
    expects_continue: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    What no handler will see.

    Attributes:
        method: As far as there is one.
        error: Why.
    """

    method: str
    error: RemoteProtocolError


def read_opening(lines: Sequence[FieldLine], limits: Limits) -> Opening | Refusal:
    """
    Read a request's field section.

    Args:
        lines: All of it, as it was received.
        limits: How many lines there may be.
    """
    try:
        if len(lines) > limits.field_lines:
            raise RemoteProtocolError(
                limits.past("field_lines"), status_hint=431, error_code=ErrorCodes.NO_ERROR
            )
        head = request_head(lines)
        return Opening(head, _promised(head.fields), b"100-continue" in head.fields.tokens(b"expect"))
    except RemoteProtocolError as error:
        method = next((value for name, value in lines if name == b":method"), b"")
        return Refusal(method.decode("latin-1"), error)


def with_path(opening: Opening, path: bytes) -> Opening | None:
    """Return what the same request begins with for another path; None where the path could be an error."""
    head = opening.head
    if head.method == "CONNECT" or _PATH.fullmatch(path) is None:
        return None
    return Opening(head._replace(target=path, path=path), opening.promised, opening.expects_continue)


def _promised(fields: Fields) -> int | None:
    """
    Return the length that a request's fields promise.

    Raises:
        RemoteProtocolError: They promise none that could be kept.
    """
    try:
        return content_length(fields)
    except ValueError as error:
        raise RemoteProtocolError(f"Content-Length is {error}") from error
