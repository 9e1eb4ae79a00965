"""A request's frames, as scripts see them that answer frame by frame (HTTP/2 alone)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wptproto.exchange.content import RequestContent
from wptproto.semantics.fields import FieldLine
from wptproto.semantics.message import RequestHead

__all__ = ["DataFrame", "Frame", "HeadersFrame", "RequestFrames"]


@dataclass(frozen=True, slots=True)
class HeadersFrame:
    """
    The request's field section (RFC 9113 §6.2), CONTINUATION and all.

    Attributes:
        stream_id: The stream.
        headers: Its field lines, the pseudo-fields first.
        stream_ended: Whether no content follows.
    """

    stream_id: int
    headers: list[FieldLine]
    stream_ended: bool


@dataclass(frozen=True, slots=True)
class DataFrame:
    """
    A piece of the request's content (RFC 9113 §6.1).

    Attributes:
        stream_id: The stream.
        data: Its octets, without padding; maybe none, if it is the last.
        stream_ended: Whether it is the last.
    """

    stream_id: int
    data: bytes
    stream_ended: bool

    @property
    def flow_controlled_length(self) -> int:
        """How many octets of the window it took, padding aside (RFC 9113 §6.9.1)."""
        return len(self.data)


Frame = HeadersFrame | DataFrame


class RequestFrames:
    """
    The frames of one request, in the order they come.

    Attributes:
        received: Those that were iterated over.
    """

    def __init__(
        self, head: RequestHead, content: RequestContent, *, scheme: str, stream_id: int, has_content: bool
    ) -> None:
        """
        Args:
            head: The request's.
            content: Where its DATA frames arrive.
            scheme: ``http`` or ``https``.
            stream_id: The stream.
            has_content: Whether DATA follows HEADERS.
        """
        self.received: list[Frame] = []
        self._position = 0
        self._content = content
        self._stream_id = stream_id
        pseudo = [
            (b":method", head.method.encode("ascii")),
            (b":scheme", scheme.encode("ascii")),
            (b":authority", head.authority),
            (b":path", head.target),
        ]
        fields = [line for line in head.fields if line[0] != b"host"]
        self._first = HeadersFrame(stream_id, [*pseudo, *fields], stream_ended=not has_content)

    def __iter__(self) -> Iterator[Frame]:
        """
        Wait for each frame that was not iterated over yet, to the end of the request.

        A frame counts as received when the next one is asked for. Reading the content is not
        disturbed; what has been read of it is one frame.

        Raises:
            RemoteProtocolError: The client broke off, or its request is malformed.
            ExchangeClosed: The stream was reset, or its connection is gone.
        """
        if not self.received:
            yield self._first
            self.received.append(self._first)
        while (piece := self._content.piece_at(self._position)) is not None:
            self._position += len(piece[0])
            frame = DataFrame(self._stream_id, *piece)
            yield frame
            self.received.append(frame)
