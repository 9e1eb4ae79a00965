"""H2ResponseWriter: the verbs as one HTTP/2 stream's frames, and frames by hand."""

from __future__ import annotations

from wptproto.errors import LocalProtocolError
from wptproto.exchange.bridge import (
    SendContent,
    SendHead,
    SendInformational,
    SendTrailers,
    SendVerbatim,
    Sent,
)
from wptproto.exchange.writer import ResponseWriter
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import ResponseHead

__all__ = ["H2ResponseWriter"]


class H2ResponseWriter(ResponseWriter):
    """
    Writes HTTP/2.

    A head is one field section (RFC 9113 §8.1), so nothing of it leaves before it is complete.
    """

    def write_raw(self, octets: bytes) -> Sent:
        """
        Write whole frames by hand, past all rules; windows and stream states do not count them.

        A response that has been written so ends as its frames say: nothing is added behind them.

        Returns:
            Whether the peer is still there.
        """
        self.content_written = True
        self._pending.append(SendVerbatim(octets))
        return self._part_written()

    def _add_status(self) -> None:
        pass

    def _add_field(self, name: bytes, value: bytes) -> None:
        pass

    def _add_framing(self, length: int | None, without_content: bool) -> None:
        if length is not None:
            self._add_missing(b"Content-Length", b"%d" % length)

    def _end_informational(self) -> None:
        self._pending.append(SendInformational(self._head()))

    def _end_head(self, *, end: bool) -> None:
        head = self._head()
        if not 200 <= head.status <= 999:
            self._status = None
            raise LocalProtocolError(f"HTTP/2 has no final response with status {head.status}")
        self._pending.append(SendHead(head, end))

    def _head(self) -> ResponseHead:
        assert self._status is not None
        return ResponseHead(self._status, Fields(self._fields))

    def _add_content(self, octets: bytes) -> None:
        self._pending.append(SendContent(octets))

    def _add_raw(self, octets: bytes) -> None:
        raise LocalProtocolError(
            "octets before the end of the headers are HTTP/1.1; "
            "over HTTP/2 use write_status(), write_header() and end_headers()"
        )

    def _add_trailers(self, trailers: Fields) -> None:
        self._pending.append(SendTrailers(trailers))

    def _add_end(self) -> None:
        pass

    def _ends_with_head(self) -> bool:
        return True
