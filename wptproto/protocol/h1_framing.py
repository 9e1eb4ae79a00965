"""
Where the content of an HTTP/1.1 request ends (RFC 9112 §6).

Two recipients that answer this differently make two requests of one. So there is one answer or none:
Content-Length once and in digits, or Transfer-Encoding with just ``chunked``, or neither.
"""

from __future__ import annotations

import re

from wptproto.errors import RemoteProtocolError
from wptproto.protocol.rules import Leniency, Rules, too_large
from wptproto.semantics.message import RequestHead

__all__ = ["content_length", "is_faulty"]

_LENGTH = re.compile(rb"[0-9]+")
_MAX_DIGITS = 19


def content_length(head: RequestHead, rules: Rules) -> int | None:
    """
    Return how many octets of content come behind a head; None where they come in chunks.

    Raises:
        RemoteProtocolError: Its end is in doubt, or beyond what the limits allow.

    RFC 9112 §6.3.
    """
    lengths = head.fields.get_list(b"content-length")
    if b"transfer-encoding" in head.fields:
        _check_transfer_encoding(head.fields.tokens(b"transfer-encoding"))
        if lengths and Leniency.LENGTH_AND_CHUNKED not in rules.lenient:
            raise RemoteProtocolError("both Transfer-Encoding and Content-Length (RFC 9112 §6.3)")
        if head.version == "HTTP/1.0" and Leniency.CHUNKED_1_0 not in rules.lenient:
            raise RemoteProtocolError("Transfer-Encoding in an HTTP/1.0 request (RFC 9112 §6.1)")
        return None
    return _parse_length(lengths, rules) if lengths else 0


def is_faulty(head: RequestHead) -> bool:
    """Whether no request may follow one with such framing, even if it was read (RFC 9112 §6.1, §6.3)."""
    return b"transfer-encoding" in head.fields and (
        head.version == "HTTP/1.0" or b"content-length" in head.fields
    )


def _check_transfer_encoding(codings: list[bytes]) -> None:
    # RFC 9112 §6.3: "If a Transfer-Encoding header field is present in a request and the chunked
    # transfer coding is not the final encoding, the message body length cannot be determined reliably; the
    # server MUST respond with the 400 (Bad Request) status code and then close the connection."
    if codings[-1:] != [b"chunked"] or codings.count(b"chunked") > 1:
        raise RemoteProtocolError(
            f"chunked is not the final transfer coding, or not just once: {_listed(codings)}"
        )
    # §6.1: "A server that receives a request message with a transfer coding it does not understand SHOULD
    # respond with 501 (Not Implemented)."
    if len(codings) > 1:
        raise RemoteProtocolError(
            f"of transfer codings, chunked alone is understood: {_listed(codings)}", status_hint=501
        )


def _parse_length(values: list[bytes], rules: Rules) -> int:
    if Leniency.REPEATED_LENGTH in rules.lenient:
        members = {member.strip(b" \t") for value in values for member in value.split(b",")}
        values = list(members)
    if len(values) != 1 or _LENGTH.fullmatch(values[0]) is None:
        raise RemoteProtocolError(f"Content-Length is not one number: {_listed(values)}")
    # RFC 9110 §8.6: "recipients MUST anticipate potentially large decimal numerals and prevent parsing
    # errors due to integer conversion overflows".
    digits = values[0].lstrip(b"0") or b"0"
    if len(digits) > _MAX_DIGITS or int(digits) > rules.limits.content_octets:
        raise too_large(rules.limits)
    return int(digits)


def _listed(values: list[bytes]) -> str:
    return repr(b", ".join(values)[:200])
