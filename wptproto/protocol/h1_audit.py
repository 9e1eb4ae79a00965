"""Reading along what a script writes by hand, as a client would, to know what it amounts to."""

from __future__ import annotations

import re

from wptproto.errors import RemoteProtocolError
from wptproto.limits import Limits
from wptproto.protocol import h1_octets
from wptproto.protocol.h1_content import ChunkedReader, ContentReader, LengthReader
from wptproto.protocol.rules import Rules
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import never_has_content

__all__ = ["Audit"]

MAX_HEAD_OCTETS = 1024 * 1024
_BY_ITS_SIZE = Rules(limits=Limits.none())  # no response is unsound

# RFC 9112 §4: status-line = HTTP-version SP status-code SP [ reason-phrase ]; §5: field-line. Of what is
# obsolete or only forgiven (another version, folded lines, LF alone, control characters) nothing passes.
_HEAD = re.compile(
    rb"HTTP/1\.1 (?P<status>[0-9]{3}) [\t -~\x80-\xff]*\r\n"
    rb"(?:[-!#$%&'*+.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)*\r\n"
)


class Audit:
    """
    A client that reads a response from the octets that are sent.

    A handler may write anything. Whether the connection can carry another exchange
    afterwards is for the client to say, so we are one, and of the strictest kind: with what
    one of them refuses, or reads in a way of its own, the connection does not go on.
    """

    def __init__(self, method: str) -> None:
        """
        Args:
            method: The request's, for a response to HEAD ends with its head (RFC 9112 §6.3).
        """
        self._method = method
        self._buffer = bytearray()
        self._content: ContentReader | None = None
        self._broken = False

    @property
    def sound(self) -> bool:
        """Whether the client has read one whole response and would send its next request here."""
        return not self._broken and self._content is not None and self._content.done

    def feed(self, octets: bytes) -> None:
        """Take octets that are sent; after the first that make no sense, no more matter."""
        if self._broken:
            return
        self._buffer += octets
        try:
            while self._content is None and self._read_head():
                pass
            if self._content is not None:
                self._read_content(self._content)
        except (RemoteProtocolError, ValueError):
            self._broken = True
            self._buffer.clear()

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n") + 4
        if end < 4:
            if len(self._buffer) > MAX_HEAD_OCTETS:
                raise ValueError(f"the head exceeds {MAX_HEAD_OCTETS} octets")
            return False
        head = bytes(self._buffer[:end])
        del self._buffer[:end]
        match = _HEAD.fullmatch(head)
        if match is None:
            raise ValueError("not the head of a response")
        status = int(match["status"])
        if not 100 <= status < 200 or status == 101:
            self._content = _content_reader(self._method, status, h1_octets.field_lines(head))
        return True

    def _read_content(self, content: ContentReader) -> None:
        while not content.done and content.read(self._buffer):
            pass
        if content.done and (self._buffer or not h1_octets.trailers_are_sound(content.trailers)):
            raise ValueError("octets behind the end, or trailers that move it")


def _content_reader(method: str, status: int, fields: Fields) -> ContentReader:
    """
    Choose by RFC 9112 §6.3.

    Raises:
        ValueError: The content's end is in doubt, or is the connection's, or another protocol follows.
    """
    chunked = h1_octets.is_chunked(fields)
    length = h1_octets.content_length(fields)
    if h1_octets.ends_connection(method, status, fields):
        raise ValueError("no exchange follows this response")
    if never_has_content(method, status):
        return LengthReader(0)
    if chunked:
        return ChunkedReader(_BY_ITS_SIZE)
    if length is None:
        raise ValueError("the content ends with the connection")
    return LengthReader(length)
