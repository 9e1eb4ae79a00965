"""Connection: the machine both protocols are, without I/O, clock or threads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import ClassVar, NamedTuple

from wptproto.errors import LocalProtocolError
from wptproto.protocol.events import Event, ExchangeId, RequestReceived
from wptproto.protocol.h2_frames import RawFrame
from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import ResponseHead

__all__ = ["Awaits", "Closing", "Connection", "WindowState", "reason_octets"]

MAX_REASON_OCTETS = 1024


def reason_octets(reason: str) -> bytes:
    """Return an error's reason as a peer is told it: the beginning, for it may quote what the peer sent."""
    return reason.encode("utf-8", "backslashreplace")[:MAX_REASON_OCTETS]


class Closing(Enum):
    """What its owner is to do with the transport once ``data_to_send`` has been written."""

    NO = "keep it open"
    GRACEFUL = "half-close, read on for a moment, close"
    RESET = "break it off, so that nobody takes what was sent for a whole message"


class Awaits(Enum):
    """What a connection waits for its peer to send, or to take; its owner sees to how long."""

    HANDSHAKE = "the handshake"
    REQUEST = "a request"
    HEAD = "the rest of a request's head"
    FRAME = "the rest of a frame"
    CONTENT = "the rest of a request's content"
    ROOM = "room for a response"
    NOTHING = "nothing"


class WindowState(NamedTuple):
    """
    How much content may be sent at the moment, in octets; a window can be below 0 (RFC 9113 §6.9.2).

    Attributes:
        to_send: By us.
        to_receive: By the peer.
    """

    to_send: int
    to_receive: int


class Connection(ABC):
    """
    One connection's protocol state: octets in, events out; calls in, octets out.

    All methods are for one owner. After each call the owner writes ``data_to_send()``
    and looks at ``closing`` and ``reading_paused``.
    """

    protocol: ClassVar[str]
    """As messages call its version: ``HTTP/1.1`` or ``HTTP/2``."""

    closing: Closing = Closing.NO
    has_backlog: bool = False
    """Whether octets received wait for another turn: another call of ``receive_data``, with none."""

    def tick(self, now_s: float) -> None:  # noqa: B027  (not every protocol counts by time)
        """Take note of the time, in seconds from any origin, before octets are received."""

    @abstractmethod
    def receive_data(self, data: bytes) -> list[Event]:
        """
        Take octets from the peer.

        Args:
            data: Cut anywhere; none where the backlog shall be gone on with.

        Returns:
            What they amount to, in order. Errors of the peer are events, too.
        """

    @abstractmethod
    def receive_eof(self) -> list[Event]:
        """Take note that the peer will send no more; half-close is not cancelling (RFC 9112 §9.6)."""

    @abstractmethod
    def send_informational(self, exchange_id: ExchangeId, head: ResponseHead) -> None:
        """
        Queue a 1xx response.

        Raises:
            LocalProtocolError: The final head was sent already.
            ExchangeClosed: The peer reset the stream or closed the connection.

        RFC 9110 §15.2.
        """

    @abstractmethod
    def send_head(self, exchange_id: ExchangeId, head: ResponseHead, *, end: bool = False) -> None:
        """
        Queue the head of a final response.

        Args:
            exchange_id: An exchange whose request was received.
            head: Goes out as it is, also where it is wrong; HTTP/1.1 closes after a wrong one.
            end: Whether no content follows.

        Raises:
            LocalProtocolError: A final head was sent already.
            ExchangeClosed: The peer reset the stream or closed the connection.

        RFC 9112 §4, §5; RFC 9113 §8.3.2.
        """

    def respond(
        self, exchange_id: ExchangeId, head: ResponseHead, data: bytes, *, close: bool = False
    ) -> list[Event] | None:
        """
        Queue a whole response at one go: what ``send_head``, ``send_content`` and ``finish`` come to.

        Args:
            exchange_id: An exchange whose request was received.
            head: As for ``send_head``.
            data: All content octets.
            close: As for ``finish``.

        Returns:
            What ``finish`` does; or None where it is no usual response, or there is no room for it. Then
            nothing has changed, and it goes step by step.
        """
        return None

    @abstractmethod
    def send_content(self, exchange_id: ExchangeId, data: bytes | memoryview, *, end: bool = False) -> int:
        """
        Queue content of one exchange, as far as its window allows.

        Args:
            exchange_id: An exchange whose head was sent.
            data: Content octets, not yet framed; may be empty together with *end*.
            end: Whether this is the last content: END_STREAM, or the last chunk.

        Returns:
            Octets taken, 0 to len(data). On fewer than offered, wait for WindowOpened.

        Raises:
            LocalProtocolError: The head was not sent, or the content has ended.
            ExchangeClosed: The peer reset the stream or closed the connection.

        RFC 9113 §5.2 (flow control), §6.1 (DATA); RFC 9112 §7.1 (chunked).
        """

    @abstractmethod
    def send_trailers(self, exchange_id: ExchangeId, trailers: Fields) -> None:
        """
        Queue a trailer section; it ends the content.

        Raises:
            LocalProtocolError: The head was not sent, the content has ended, or its framing
                has no place for trailers.
            ExchangeClosed: The peer reset the stream or closed the connection.

        RFC 9110 §6.5; RFC 9112 §7.1.2; RFC 9113 §8.1.
        """

    @abstractmethod
    def send_verbatim(self, exchange_id: ExchangeId, octets: bytes) -> None:
        """
        Queue octets as they are, past all rules: HTTP/1.1 octets, or whole HTTP/2 frames.

        From here on the exchange is what its octets make it. HTTP/1.1 reads along as a client
        would, to know whether the connection can be used again.

        Raises:
            ExchangeClosed: The peer reset the stream or closed the connection.
        """

    def send_frame(self, exchange_id: ExchangeId, frame: RawFrame) -> None:
        """
        Queue one frame as it is, past all rules; windows and stream states do not count it.

        Raises:
            LocalProtocolError: The protocol has no frames, or none that long.
            ExchangeClosed: The peer reset the stream or closed the connection.
        """
        raise LocalProtocolError("HTTP/1.1 has no frames", exchange_id=exchange_id)

    def push(
        self, exchange_id: ExchangeId, lines: list[FieldLine], promised_id: int | None = None
    ) -> RequestReceived:
        """
        Promise a response to a request that the peer has not made.

        Args:
            exchange_id: On whose stream the promise is sent.
            lines: The promised request, with its pseudo-fields.
            promised_id: The stream of its response; None takes the next that is free.

        Returns:
            The promised request, as if it had been received; it is answered as any other.

        Raises:
            LocalProtocolError: The protocol has no push, the peer wants none, or the request is none.
            ExchangeClosed: The peer reset the stream or closed the connection.

        RFC 9113 §6.6 (PUSH_PROMISE), §8.4 (Server Push).
        """
        raise LocalProtocolError("HTTP/1.1 has no server push", exchange_id=exchange_id)

    def reset(self, exchange_id: ExchangeId, error_code: int) -> None:
        """
        End an exchange by RST_STREAM, whatever state it is in.

        Args:
            exchange_id: Its stream; it may be over.
            error_code: 0 to 2**32 - 1.

        Raises:
            LocalProtocolError: The protocol has no streams.

        RFC 9113 §6.4.
        """
        raise LocalProtocolError("HTTP/1.1 has no streams to reset", exchange_id=exchange_id)

    def go_away(self, last_id: ExchangeId, error_code: int, debug: bytes) -> None:
        """
        Queue GOAWAY, and go on: who asked for it sees to what is done about the streams above the last.

        Args:
            last_id: The last stream that is said to have been looked at, 0 to 2**31 - 1.
            error_code: 0 to 2**32 - 1.
            debug: Additional debug data.

        Raises:
            LocalProtocolError: The protocol has no such thing.

        RFC 9113 §6.8.
        """
        raise LocalProtocolError("HTTP/1.1 has no GOAWAY")

    @abstractmethod
    def truncate(self, exchange_id: ExchangeId) -> None:
        """
        End a response where it is, as if that were all of it, and forget the exchange.

        HTTP/1.1 closes the connection in good order; HTTP/2 ends the stream with END_STREAM.

        Args:
            exchange_id: Unknown ones are ignored.
        """

    def can_push(self, exchange_id: ExchangeId) -> bool:
        """Whether the peer takes another promise now, on the stream of that exchange (RFC 9113 §8.4)."""
        return False

    def room(self, exchange_id: ExchangeId) -> int:
        """
        Return how many octets of content one frame can hold now: by its window, and by its size.

        Raises:
            LocalProtocolError: The protocol has no frames.
            ExchangeClosed: The peer reset the stream or closed the connection.

        RFC 9113 §4.2, §6.9.
        """
        raise LocalProtocolError("HTTP/1.1 has no frames", exchange_id=exchange_id)

    @abstractmethod
    def finish(self, exchange_id: ExchangeId, *, close: bool = False) -> list[Event]:
        """
        End the response and forget the exchange.

        What is missing shows: a promised length that was not reached closes the
        connection or resets the stream.

        Args:
            exchange_id: Unknown ones are ignored, for the peer may have reset them.
            close: Close the HTTP/1.1 connection afterwards; HTTP/2 only ends the stream.

        Returns:
            What the peer had sent ahead: over HTTP/1.1 the next, pipelined request.
        """

    @abstractmethod
    def abort(self, exchange_id: ExchangeId, *, too_slow: bool = False) -> None:
        """
        Cut the response off so that the peer sees it: RST_STREAM, or the end of the connection.

        Args:
            exchange_id: Unknown ones are ignored.
            too_slow: Whether it is because the peer does not take it (ENHANCE_YOUR_CALM).
        """

    @abstractmethod
    def acknowledge(self, exchange_id: ExchangeId, consumed: int) -> None:
        """
        Let the peer send as many octets again.

        Args:
            exchange_id: Unknown ones are ignored.
            consumed: Content octets a handler took since the last call.

        RFC 9113 §6.9 (WINDOW_UPDATE).
        """

    @abstractmethod
    def close(self, reason: str = "") -> None:
        """Say goodbye where the protocol has a word for it: GOAWAY (RFC 9113 §6.8)."""

    @property
    def awaits(self) -> Awaits:
        """What the peer is to send next, as far as this connection knows; each exchange apart."""
        return Awaits.REQUEST

    def window_state(self, exchange_id: ExchangeId | None = None) -> WindowState | None:
        """Return the windows of one exchange, or the connection's own; None where there are none."""
        return None

    @property
    @abstractmethod
    def steps(self) -> int:
        """How often the peer has come through with something that was awaited, content aside."""

    @abstractmethod
    def owes_content(self, exchange_id: ExchangeId) -> bool:
        """Whether it is the peer's turn to send content of an exchange."""

    @abstractmethod
    def expire(self, reason: str) -> list[Event]:
        """Take note that the peer has not sent in time what is awaited; returns what comes of that."""

    @abstractmethod
    def expire_content(self, exchange_id: ExchangeId, reason: str) -> list[Event]:
        """Take note that the peer has not sent in time content that it owes; returns what comes of that."""

    @abstractmethod
    def data_to_send(self) -> bytes:
        """Return the octets queued since the last call, in the order they were made."""

    @property
    def reading_paused(self) -> bool:
        """Whether its owner should leave the peer's octets in the socket for now."""
        return False
