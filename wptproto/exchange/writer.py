"""ResponseWriter: the verbs with which a handler sends a response step by step, and their order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Set
from typing import IO, TYPE_CHECKING

from wptproto.errors import LocalProtocolError
from wptproto.exchange.bridge import (
    Abort,
    Bridge,
    Command,
    Finish,
    Misbehave,
    SendContent,
    SendFrame,
    SendHead,
    SendInformational,
    Sent,
)
from wptproto.exchange.clock import date_now
from wptproto.exchange.options import MessageOptions
from wptproto.semantics.fields import FieldLine, Fields, Lines, Value, pairs, to_octets
from wptproto.semantics.message import RequestHead, ResponseHead, never_has_content, reason_phrase
from wptproto.version import __version__

if TYPE_CHECKING:
    from wptproto.faults import Fault

__all__ = ["ResponseWriter"]

SERVER_FIELD = f"wptproto/{__version__}".encode("ascii")


class ResponseWriter(ABC):
    """
    Sends one response, part by part, in the order status, fields, end of headers, content.

    After each part the output is flushed, unless ``explicit_flush`` is set. All writes answer
    whether the peer is still there; an async handler may await the answer for back-pressure.

    Attributes:
        content_written: Whether the handler has begun to respond through the writer.
        content_octets: How many octets of content were written.
        has_continued: Whether it has said 100 (Continue).
    """

    default_status = 200
    file_chunk_size = 32 * 1024

    content_written = False
    content_octets = 0
    has_continued = False
    _status: int | None = None
    _reason = b""
    _headers_complete = False
    _given_count = 0  # of those fields, how many the script gave
    _takes_trailers = False  # its head is out, and content may follow
    _drops_content = False
    _ended = False
    _by_hand = False
    _committed = False

    def __init__(self, request: RequestHead, options: MessageOptions, bridge: Bridge) -> None:
        self._request = request
        self._options = options
        self._bridge = bridge
        self._pending: list[Command] = []
        self._fields: list[FieldLine] = []

    # --- the verbs -----------------------------------------------------------------------------

    def write_informational(self, code: int, headers: Lines = ()) -> Sent:
        """
        Write an interim response (RFC 9110 §15.2), as often as wanted before the final one.

        The handler may still fill in, return, or write any final one. Clients of HTTP/1.0 get no interim
        ones, nor does a pushed response have them.

        Args:
            code: Any of 100 to 199 but 101, behind which another protocol follows.
            headers: Names and values, or a mapping of these.

        Returns:
            Whether the peer is still there.

        Raises:
            LocalProtocolError: The final head has begun, or the status is no interim one.
        """
        if not 100 <= code < 200 or code == 101:
            raise LocalProtocolError(
                f"no interim response has status {code}: it is one of 100 to 199, and not 101 "
                f"(RFC 9110 §15.2); write_status() writes any"
            )
        if self._status is not None or self._committed:
            raise LocalProtocolError(f"{code} comes too late: the final response has begun")
        lines = [(self._encode_value(name), self._encode_value(value)) for name, value in pairs(headers)]
        self._add_informational(ResponseHead(code, Fields(lines), reason_phrase(code)))
        return self._part_written()

    def write_status(self, code: int, message: str | bytes | None = None) -> Sent:
        """
        Write the status line.

        A 1xx status makes this an interim response; after its ``end_headers()`` the next status
        may be written.

        Args:
            code: Status code.
            message: Reason phrase, the usual one if None; HTTP/2 has none.

        Returns:
            Whether the peer is still there.

        Raises:
            LocalProtocolError: A status was written already; use :meth:`write` for octets by hand.
        """
        self._put_status(code, message)
        return self._part_written()

    def write_header(self, name: Value, value: Value) -> Sent:
        """
        Write one field line, and before the first of them, if need be, status 200.

        Returns:
            Whether the peer is still there.

        Raises:
            LocalProtocolError: The head is complete.
        """
        self._open_head()
        self._add(self._encode_value(name), self._encode_value(value))
        return self._part_written()

    def end_headers(self) -> Sent:
        """
        Complete the head.

        Unless ``add_required_headers`` is False, adds Server, Date and the framing: Content-Length
        where it can be known; else, over HTTP/1.1, chunked content.

        Returns:
            Whether the peer is still there.

        Raises:
            LocalProtocolError: The head is complete already, or HTTP/2 cannot express it.
        """
        self.finish_head(self._options.content_length() or None)
        return self._part_written()

    def write_content(self, data: str | bytes | IO[bytes]) -> Sent:
        """
        Write content: text, octets, or a file, which is sent in pieces and closed.

        If the head is not complete, it is completed first, with the length of *data* as
        Content-Length where *data* has one.

        Returns:
            Whether the peer is still there.
        """
        if not isinstance(data, str | bytes):
            return self.write_content_file(data)
        self.put_content(self.encode(data))
        return self._part_written()

    def write_content_file(self, data: IO[bytes]) -> Sent:
        """
        Write what is left of a file, in pieces of ``file_chunk_size``, and close it.

        In an async handler all of it is read at once; a large one is better left as ``response.content``.

        Returns:
            Whether the peer is still there.
        """
        try:
            if not self._headers_complete:
                self.finish_head(None)
            answer = self._part_written()
            while answer and (piece := data.read(self.file_chunk_size)):
                self._put_octets(self.encode(piece))
                answer = self._part_written()
        finally:
            data.close()
        return answer

    def write(self, data: str | bytes) -> Sent:
        """
        Write content; before the head is complete, octets by hand in its place.

        Such octets are HTTP/1.1. Over HTTP/2 they are read as an HTTP/1.1 client would, and what it
        would make of them is sent; where that is nothing whole, the stream is reset, and the log says why.

        Returns:
            Whether the peer is still there.
        """
        octets = self.encode(data)
        if self._headers_complete:
            self._put_octets(octets)
        else:
            self.content_written = True
            self._by_hand = True
            self._add_raw(octets)
        return self._part_written()

    def write_raw_content(self, data: str | bytes | IO[bytes]) -> Sent:
        """
        Write text, octets, or a file's, as :meth:`write` does.

        Raises:
            ValueError: It is none of these.
        """
        if isinstance(data, str | bytes):
            return self.write(data)
        if not hasattr(data, "read"):
            raise ValueError(f"data is str, bytes or a file, not {type(data).__name__}: {data!r}")
        with data:
            return self.write(data.read())

    def write_trailers(self, trailers: list[tuple[Value, Value]]) -> Sent:
        """
        End the content with a trailer section (RFC 9110 §6.5).

        Returns:
            Whether the peer is still there.

        Raises:
            LocalProtocolError: The head is not complete, or the HTTP/1.1 content is not chunked.
        """
        if not self._headers_complete:
            raise LocalProtocolError("trailers before the end of the headers")
        if not self._drops_content:
            self._check_not_ended()
            lines = Fields((self._encode_value(name), self._encode_value(value)) for name, value in trailers)
            self._add_trailers(lines)
            self._ended = True
        return self._part_written()

    def flush(self) -> Sent:
        """
        Send what was written since the last flush.

        Returns:
            Whether the peer is still there.
        """
        commands, self._pending = self._pending, []
        self._committed = self._committed or any(
            not isinstance(command, SendInformational | SendFrame | Misbehave) for command in commands
        )
        return self._bridge.send(commands)

    def pause(self, seconds: float) -> Sent:
        """
        Wait for a while; less long if meanwhile the peer goes, or the server stops.

        Returns:
            Whether the peer is still there.

        Raises:
            RuntimeError: In an async handler, which awaits ``asyncio.sleep()`` instead.
        """
        self._bridge.pause(seconds)
        return self._bridge.send(())

    def misbehave(self, fault: Fault, *, is_now: bool) -> Sent:
        """
        Have the connection do something wrong: here, or at the moment that the fault names.

        Returns:
            Whether the peer is still there.
        """
        self._pending.append(Misbehave(fault, is_now))
        return self._part_written()

    def encode(self, data: str | bytes) -> bytes:
        """
        Turn text into octets, by ``response.encoding``.

        Raises:
            ValueError: It is neither text nor octets.
        """
        if isinstance(data, bytes):
            return data
        if isinstance(data, str):
            return data.encode(self._options.encoding)
        if isinstance(data, bytearray | memoryview):
            return bytes(data)
        raise ValueError(f"data is str or bytes, not {type(data).__name__}: {data!r}")

    # --- for Response and the dispatcher -------------------------------------------------------

    @property
    def status(self) -> int | None:
        """The status code that was written; None before."""
        return self._status

    @property
    def breaks_off(self) -> bool:
        """Whether a head was begun by the verbs and never ended."""
        return self._status is not None and not self._headers_complete and not self._by_hand

    @property
    def ended(self) -> bool:
        """Whether the handler itself has said that the response is whole."""
        return self._ended

    @property
    def can_push(self) -> bool:
        """Whether a response can be promised to the client now, to a request that it has not made."""
        return False

    def promise(self, lines: list[FieldLine], handler: Callable[..., object] | None) -> int:
        """
        Promise the response to a request that the client has not made, and have the server give it.

        *lines* are that request, with its pseudo-fields; *handler* answers it, or, for None, who does by its
        route. Returns the number of its stream, and raises what ``response.push`` does.
        """
        raise LocalProtocolError("HTTP/1.1 has no server push; response.can_push tells")

    @property
    def committed(self) -> bool:
        """Whether any of the final response was handed over, so that no other can take its place."""
        return self._committed

    def put_head(
        self, code: int, message: str | bytes | None, lines: Iterable[FieldLine], length: int | None
    ) -> None:
        """Write a whole head, and flush nothing; *length* is as for :meth:`finish_head`."""
        self._put_status(code, message)
        for name, value in lines:
            self._add(name, value)
        self.finish_head(length)

    def put_content(self, octets: bytes) -> None:
        """Write content as :meth:`write_content` does, and flush nothing."""
        if not self._headers_complete:
            self.finish_head(len(octets))
        self._put_octets(octets)

    def finish_head(self, length: int | None) -> None:
        """
        Complete the head without flushing it.

        Args:
            length: How many octets of content follow, None where that is not known.
        """
        self._open_head()
        status = self._status
        assert status is not None
        if self._is_interim():
            self._end_informational()
            self._status, self._reason, self._fields = None, b"", []
            return
        without_content = never_has_content(self._request.method, status)
        if without_content and not length:
            length = None  # RFC 9110 §8.6: only a length that the content of a GET would have had
        self._given_count = len(self._fields)
        if self._options.add_required_headers:
            names = self._names()
            if b"server" not in names:
                self._add(b"Server", SERVER_FIELD)
            if b"date" not in names:
                self._add(b"Date", date_now())
            # RFC 9110 §8.6: "A server MUST NOT send a Content-Length header field in any response
            # with a status code of 1xx (Informational) or 204 (No Content)."
            self._add_framing(names, None if status in (101, 204) else length, without_content)
        if self._options.given_trailers and not without_content:
            self._check_trailers()  # before anything of it is out, so that an error can take its place
        # Behind 101 comes another protocol, and what that says is the script's to write.
        self._drops_content = (
            without_content and status != 101 and not self._options.send_body_for_head_request
        )
        self._end_head(end=self._drops_content)
        self._headers_complete = True
        self._takes_trailers = not without_content

    def finish(self) -> None:
        """
        End the response, with given trailers, and send all of it; the owner makes what is missing show.

        Raises:
            LocalProtocolError: There is no place for trailers.
        """
        self.content_written = True
        if self._options.given_trailers and self._takes_trailers and not self._ended:
            self._add_trailers(Fields(self._options.given_trailers))
            self._ended = True
        self._add_end()
        if self._pending:
            # The end goes with the last part, so that it costs neither frame nor segment of its own.
            match self._pending[-1]:
                case SendContent(data, end=False):
                    self._pending[-1] = SendContent(data, end=True)
                case SendHead(head, end=False) if self._ends_with_head():
                    self._pending[-1] = SendHead(head, end=True)
                case _:
                    pass
        self._pending.append(Finish(self._options.close_connection))
        self._committed = True
        commands, self._pending = self._pending, []
        self._bridge.send(commands)

    def abort(self, reason: str) -> None:
        """Cut the response off, for the peer to see; *reason* is for the log."""
        self._bridge.send([Abort(reason)])

    def release(self) -> None:  # noqa: B027  # over HTTP/1.1 there is nothing
        """Cut off what else the handler began beside its response, and never ended."""

    # --- what the protocols do differently -----------------------------------------------------

    @abstractmethod
    def _add_status(self) -> None:
        """Take note of the status line."""

    @abstractmethod
    def _add_field(self, name: bytes, value: bytes) -> None:
        """Take note of one field line."""

    @abstractmethod
    def _add_framing(self, names: Set[bytes], length: int | None, without_content: bool) -> None:
        """Add the fields that tell where the message ends, as far as they are not among those *names*."""

    @abstractmethod
    def _check_trailers(self) -> None:
        """
        See that the head that was written leaves room for trailers.

        Raises:
            LocalProtocolError: It does not.
        """

    @abstractmethod
    def _end_informational(self) -> None:
        """Queue the interim response that was written."""

    @abstractmethod
    def _end_head(self, *, end: bool) -> None:
        """Queue the final head that was written; *end* says that no content follows."""

    @abstractmethod
    def _add_content(self, octets: bytes) -> None:
        """Queue content."""

    @abstractmethod
    def _add_raw(self, octets: bytes) -> None:
        """Queue octets by hand, before the head is complete."""

    @abstractmethod
    def _add_trailers(self, trailers: Fields) -> None:
        """Queue a trailer section."""

    @abstractmethod
    def _add_end(self) -> None:
        """Queue what ends the content, if it is the writer's to say."""

    @abstractmethod
    def _ends_with_head(self) -> bool:
        """Whether a head without content behind it is a whole message."""

    # --- within --------------------------------------------------------------------------------

    def _add_informational(self, head: ResponseHead) -> None:
        """Queue an interim response."""
        self.has_continued = self.has_continued or head.status == 100
        self._pending.append(SendInformational(head))

    def _put_status(self, code: int, message: str | bytes | None) -> None:
        if self._status is not None:
            raise LocalProtocolError("the status was written already")
        self.content_written = True
        self._status = code
        self._reason = reason_phrase(code) if message is None else to_octets(message)
        self._add_status()

    def _open_head(self) -> None:
        if self._headers_complete:
            raise LocalProtocolError("the headers were ended already; write_trailers() comes after content")
        if self._status is None:
            self._put_status(self.default_status, None)

    def _add(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))
        self._add_field(name, value)

    def _names(self) -> set[bytes]:
        """Return the names of the fields that were written, in lower case."""
        return {name.lower() for name, _ in self._fields}

    def _put_octets(self, octets: bytes) -> None:
        self._check_not_ended()
        if octets and not self._drops_content:
            self._add_content(octets)
            self.content_octets += len(octets)

    def _check_not_ended(self) -> None:
        if self._ended:
            raise LocalProtocolError("the response has been ended already: nothing can follow its end")

    def _part_written(self) -> Sent:
        if self._is_interim():
            return self._bridge.send(())  # all of it leaves at its end, so that an error can still follow
        return self._bridge.send(()) if self._options.explicit_flush else self.flush()

    def _is_interim(self) -> bool:
        return self._status is not None and 100 <= self._status < 200 and self._status != 101

    def _encode_value(self, value: Value) -> bytes:
        return b"%d" % value if isinstance(value, int) else self.encode(value)
