"""What an HTTP/1.1 connection makes of a request's head: content, persistence, expectations, an upgrade."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from wptproto.errors import RemoteProtocolError
from wptproto.protocol.h1_framing import content_length, is_faulty
from wptproto.protocol.h1_head import HeadReader
from wptproto.protocol.rules import Leniency, Rules
from wptproto.semantics.message import RequestHead, asks_to_persist

__all__ = ["H1Request", "RequestReader", "understood"]


class H1Request(NamedTuple):
    """
    A request's head, and what follows from it.

    Attributes:
        head: The request without its content.
        length: How many octets of content come behind it; None where they come in chunks.
        expects_continue: The client waits for 100 (Continue) before it sends them.
        persistent: Another request may follow on the connection, as far as this one decides.
        h2c_settings: HTTP2-Settings, base64url, where the client asks for an upgrade; else None.
    """

    head: RequestHead
    length: int | None
    expects_continue: bool
    persistent: bool
    h2c_settings: bytes | None


class RequestReader:
    """Takes one request's head after the other off what was received."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._heads = HeadReader(rules)

    def read(self, buffer: bytearray) -> H1Request | None:
        """
        Take a head from the front of *buffer*.

        Returns:
            None where more must be received first; what there is of the head stays.

        Raises:
            RemoteProtocolError: It is none, is too large, or asks for what will not be.
        """
        head = self._heads.read(buffer)
        return None if head is None else understood(head, self._rules)

    def look_up(self, octets: bytes) -> H1Request | None:
        """Return what a head is known to be, where these octets are one, and nothing came before them."""
        return None


def understood(head: RequestHead, rules: Rules) -> H1Request:
    """
    Return what follows from a head, and from nothing else but the rules.

    Raises:
        RemoteProtocolError: Its framing is in doubt, or it asks for what will not be.
    """
    length = content_length(head, rules)
    expects_continue = _expects_continue(head, rules) and length != 0
    persistent = asks_to_persist(head) and not is_faulty(head)
    return H1Request(head, length, expects_continue, persistent, _h2c_settings(head))


def _expects_continue(head: RequestHead, rules: Rules) -> bool:
    """
    Whether a client waits for 100 before it sends content.

    RFC 9110 §10.1.1: "A server that receives an Expect field value containing a member other than
    100-continue MAY respond with a 417 (Expectation Failed) status code to indicate that the unexpected
    expectation cannot be met." It does; and HTTP/1.0 knows of no 100.
    """
    expectations = head.fields.tokens(b"expect")
    unknown = [expectation for expectation in expectations if expectation != b"100-continue"]
    if unknown and Leniency.EXPECT not in rules.lenient:
        raise RemoteProtocolError(f"an expectation that is not known: {unknown[0]!r}", status_hint=417)
    return head.version == "HTTP/1.1" and b"100-continue" in expectations


def _h2c_settings(head: RequestHead) -> bytes | None:
    """Return HTTP2-Settings where a request asks for h2c as RFC 7540 §3.2.1 wants it, else None."""
    if b"h2c" not in head.fields.tokens(b"upgrade") or head.version != "HTTP/1.1":
        return None
    options = head.fields.tokens(b"connection")
    settings = head.fields.get_list(b"http2-settings")
    if b"upgrade" not in options or b"http2-settings" not in options or len(settings) != 1:
        return None
    padded = settings[0] + b"=" * (-len(settings[0]) % 4)
    try:
        payload = base64.b64decode(padded, altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    return padded if len(payload) % 6 == 0 else None
