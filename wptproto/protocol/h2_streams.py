"""
Streams: the exchanges of one HTTP/2 connection, as far as h2 does not know them, and how each ends.

h2 keeps a stream's state by the frames that passed through it. A stream is ours for a little longer,
or for a little less: until its client has sent all of the request that we answered early; not any more
when frames went out by hand that ended it.
"""

from __future__ import annotations

from dataclasses import dataclass

from h2.errors import ErrorCodes
from h2.stream import StreamInputs, StreamState

from wptproto.errors import ExchangeClosed
from wptproto.protocol.events import ExchangeId
from wptproto.protocol.h2_library import Library

__all__ = ["Stream", "Streams"]


@dataclass(slots=True)
class Stream:
    """
    What we know of an exchange beside h2.

    Attributes:
        method: Of its request.
        request_ended: The client has sent all of it.
        expects_continue: The client waits for 100 (Continue) before it sends content.
        failed: The client was too slow with its content, or sent too much; what comes of it is dropped.
        missing: Octets that the request's Content-Length promised, and which were not received yet.
        received: Octets of content that were not dropped.
        delivered: Octets of content that the handler has not acknowledged.
        unacknowledged: Octets that the client may send again, and has not been told yet.
        head_sent: The final head went out.
        ended: The response is complete, and h2 knows it.
        remaining: Octets that the response's Content-Length promised, and which were not sent yet.
        responded: It is over for its handler, while the client still sends: what comes is dropped.
        verbatim: Octets went out that only the peer has taken apart.
        framed: Frames went out that h2 does not know of.
        ended_by_frame: One of those was the last.
    """

    method: str
    request_ended: bool = False
    expects_continue: bool = False
    failed: bool = False
    missing: int | None = None
    received: int = 0
    delivered: int = 0
    unacknowledged: int = 0
    head_sent: bool = False
    ended: bool = False
    remaining: int | None = None
    responded: bool = False
    verbatim: bool = False
    framed: bool = False
    ended_by_frame: bool = False

    @property
    def drops_content(self) -> bool:
        """Whether nobody wants what the client still sends."""
        return self.responded or self.failed

    @property
    def owes_content(self) -> bool:
        """Whether it is the client's turn to send content: all that came before was consumed."""
        return not (self.request_ended or self.drops_content or self.expects_continue or self.delivered)

    @property
    def is_unanswered(self) -> bool:
        """Whether all of a request is there, and nothing of its response."""
        begun = self.head_sent or self.ended or self.framed or self.verbatim
        return self.request_ended and not begun

    @property
    def is_short(self) -> bool:
        """Whether content is missing that Content-Length promised; END_STREAM would call it whole."""
        return self.remaining is not None and self.remaining > 0


class Streams(dict[ExchangeId, Stream]):
    """
    Those that are not over, by number.

    Attributes:
        are_last: The client will open no other.
    """

    def __init__(self, library: Library) -> None:
        super().__init__()
        self._library = library
        self.are_last = False

    @property
    def are_over(self) -> bool:
        """Whether all that there will ever be have ended."""
        return self.are_last and not self

    def unanswered(self) -> list[ExchangeId]:
        """Return those whose handlers may still be at work."""
        return [exchange_id for exchange_id, stream in self.items() if not stream.responded]

    def answering(self, exchange_id: ExchangeId) -> Stream:
        """
        Return one that can be written to.

        Raises:
            ExchangeClosed: It is over.
        """
        stream = self.get(exchange_id)
        if stream is None or stream.responded:
            raise ExchangeClosed(f"stream {exchange_id} is over")
        return stream

    def reset(self, exchange_id: ExchangeId, error_code: int) -> None:
        """End one with RST_STREAM, unless both sides have ended it."""
        stream = self.pop(exchange_id)
        if not (stream.ended and stream.request_ended):
            self._library.reset_stream(exchange_id, ErrorCodes(error_code))

    def retire(self, exchange_id: ExchangeId) -> None:
        """End one for h2 alone, unless both sides have: its peer has seen raw frames, and h2 has not."""
        stream = self.pop(exchange_id)
        if not (stream.ended and stream.request_ended):
            self._library.streams[exchange_id].state_machine.process_input(StreamInputs.SEND_RST_STREAM)

    def is_promised(self, exchange_id: ExchangeId) -> bool:
        """Whether one was promised, and has not begun."""
        known = self._library.streams.get(exchange_id)
        return known is not None and known.state_machine.state is StreamState.RESERVED_LOCAL

    def begin_by_hand(self, exchange_id: ExchangeId) -> None:
        """Let h2 take a promised response for begun, for raw frames are sent that may be its head."""
        if self.is_promised(exchange_id):
            self._library.streams[exchange_id].state_machine.state = StreamState.HALF_CLOSED_REMOTE
