"""H1ResponseWriter: the verbs as HTTP/1.1 octets, and octets by hand."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Never

from wptproto.errors import LocalProtocolError, NeedsHTTP2
from wptproto.exchange.bridge import (
    Bridge,
    SendContent,
    SendHead,
    SendTrailers,
    SendVerbatim,
    Sent,
)
from wptproto.exchange.options import MessageOptions
from wptproto.exchange.writer import ResponseWriter
from wptproto.protocol import h1_octets
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import RequestHead, ResponseHead

__all__ = ["H1ResponseWriter"]

_HTTP2_ALONE = frozenset(
    (
        "end_stream",
        "get_max_payload_size",
        "write_data",
        "write_data_frame",
        "write_headers",
        "write_push",
        "write_raw",
        "write_raw_continuation_frame",
        "write_raw_data_frame",
        "write_raw_header_frame",
    )
)


class H1ResponseWriter(ResponseWriter):
    """
    Writes HTTP/1.1.

    A head that is complete before any of it was flushed goes to the connection as a head. One that
    leaves in pieces, or was begun by hand, goes verbatim, and then all that follows does.
    """

    def __init__(
        self,
        request: RequestHead,
        options: MessageOptions,
        bridge: Bridge,
        *,
        closes: Callable[[], bool] = lambda: False,
    ) -> None:
        """
        Args:
            request: What is answered.
            options: What the script chose.
            bridge: The way to the connection's owner.
            closes: Whether the connection will close behind this response whatever it says.
        """
        super().__init__(request, options, bridge)
        self._closes = closes
        self._octets: list[bytes] = []  # of a head that goes verbatim, not handed over yet
        self._verbatim = False
        self._chunked = False

    def __getattr__(self, name: str) -> Never:
        """Tell a script that was written for HTTP/2 what it lacks."""
        if name in _HTTP2_ALONE:
            raise NeedsHTTP2(f"response.writer.{name}()")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def flush(self) -> Sent:
        if self._status is not None and not self._headers_complete and not self._is_interim():
            self._go_verbatim()
            self._pend_octets()
        return super().flush()

    def _go_verbatim(self) -> None:
        """Send the rest as octets, and what there is of a head that has not left."""
        if self._verbatim:
            return
        self._verbatim = True
        if self._status is not None:
            self._add_status()
            for name, value in self._fields:
                self._add_field(name, value)

    def _pend_octets(self) -> None:
        if self._octets:
            self._pending.append(SendVerbatim(b"".join(self._octets)))
            self._octets.clear()

    def _add_status(self) -> None:
        if self._verbatim:
            assert self._status is not None
            self._octets.append(h1_octets.status_line(self._status, self._reason))

    def _add_field(self, name: bytes, value: bytes) -> None:
        if self._verbatim:
            self._octets.append(h1_octets.field_line(name, value))

    def _add_framing(self, names: Set[bytes], length: int | None, without_content: bool) -> None:
        framed = b"content-length" in names or b"transfer-encoding" in names
        if not framed and length is not None and not self._options.given_trailers:
            self._add(b"Content-Length", b"%d" % length)
        elif not framed and not without_content:
            if self._request.version == "HTTP/1.1":
                self._add(b"Transfer-Encoding", b"chunked")
                self._chunked = True
            else:
                self._options.close_connection = True  # RFC 9112 §6.3: the end of it is the end of content
        if b"connection" in names:
            return
        if self._options.close_connection or self._closes():
            self._add(b"Connection", b"close")
        elif self._request.version == "HTTP/1.0":
            self._add(b"Connection", b"keep-alive")

    def _check_trailers(self) -> None:
        """RFC 9110 §6.5: trailers need a framing that has a place for them, which is chunks alone."""
        if self._chunked:
            return
        own = [name for name in (b"Content-Length", b"Transfer-Encoding") if name.lower() in self._names()]
        if self._request.version == "HTTP/1.0":
            why = "and the client speaks HTTP/1.0"
        elif own:
            why = f"so the response must have no {own[0].decode('ascii')} of its own"
        else:
            why = "and this response has none; they come with add_required_headers"
        raise LocalProtocolError(f"trailers need chunked content (RFC 9112 §7.1.2), {why}")

    def _end_informational(self) -> None:
        if self._verbatim:
            self._octets.append(b"\r\n")
            self._pend_octets()
        else:
            self._add_informational(self._head())

    def _end_head(self, *, end: bool) -> None:
        if self._verbatim:
            self._octets.append(b"\r\n")
            self._pend_octets()
        else:
            self._pending.append(SendHead(self._head(), end))

    def _head(self) -> ResponseHead:
        assert self._status is not None
        return ResponseHead(self._status, Fields(self._fields), self._reason, self._chunked)

    def _add_content(self, octets: bytes) -> None:
        if self._verbatim:
            sent = h1_octets.chunk(octets) if self._chunked else octets
            end = len(sent) - (2 if self._chunked else 0)  # behind a chunk is CRLF
            self._pending.append(SendVerbatim(sent, (end - len(octets), end)))
        else:
            self._pending.append(SendContent(octets))

    def _add_raw(self, octets: bytes) -> None:
        self._go_verbatim()
        if self._status is None:
            self._status = self.default_status  # the script writes its own
        self._octets.append(octets)

    def _add_trailers(self, trailers: Fields) -> None:
        self._check_trailers()
        if self._verbatim:
            self._pending.append(SendVerbatim(h1_octets.last_chunk(trailers)))
        else:
            self._pending.append(SendTrailers(trailers))
        self._chunked = False

    def _add_end(self) -> None:
        if not self._headers_complete and self._status is not None:
            self._go_verbatim()
        self._pend_octets()
        if self._verbatim and self._chunked:
            self._pending.append(SendVerbatim(h1_octets.LAST_CHUNK))

    def _ends_with_head(self) -> bool:
        return False  # the connection counts what the head promised
