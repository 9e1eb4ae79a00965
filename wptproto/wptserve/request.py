"""wptserve.request: what a handler reads; ours, and two of its parts that wptserve lets one make."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from typing import IO

from wptproto.exchange.content import SPOOL_OCTETS, RequestContent
from wptproto.exchange.request import Request
from wptproto.exchange.request import RequestHeaders as OurRequestHeaders
from wptproto.semantics.authentication import Authentication
from wptproto.semantics.cookies import Cookies, CookieValue
from wptproto.semantics.fields import Fields
from wptproto.semantics.forms import MultiDict
from wptproto.server.server import Server
from wptproto.wptserve.utils import isomorphic_encode

__all__ = [
    "Authentication",
    "CookieValue",
    "Cookies",
    "H2Request",
    "InputFile",
    "MultiDict",
    "Request",
    "RequestHeaders",
    "Server",
]

H2Request = Request


class RequestHeaders(OurRequestHeaders):
    """A request's fields, of a message that others have read."""

    def __init__(self, items: Mapping[str, str | Sequence[str]]) -> None:
        """
        Args:
            items: Such as an ``email.message.Message``, or a dict of names and lists of values.
        """
        lines = [
            (isomorphic_encode(name), isomorphic_encode(value))
            for name, values in items.items()
            for value in ([values] if isinstance(values, str) else values)
        ]
        super().__init__(Fields(lines))


class InputFile(RequestContent):
    """
    A request's content, of a file that others have opened.

    Attributes:
        max_buffer_size: Octets that are kept in memory; beyond it, content goes to a temporary file.
    """

    max_buffer_size = SPOOL_OCTETS

    def __init__(self, rfile: IO[bytes], length: int) -> None:
        """
        Args:
            rfile: Where it stands; it is read at once.
            length: How many octets belong to the request.
        """
        super().__init__(acknowledge=lambda _: None, before_wait=None)
        self.feed(rfile.read(length))
        self.end(Fields())

    def _open_spool(self) -> IO[bytes]:
        if self._spool is None:
            self._spool = tempfile.SpooledTemporaryFile(max_size=self.max_buffer_size)  # noqa: SIM115
        return self._spool
