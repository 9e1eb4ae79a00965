"""H2ResponseWriter: the verbs as one HTTP/2 stream's frames, and frames by hand."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Set
from typing import IO

from hyperframe.frame import Frame

from wptproto.errors import LocalProtocolError
from wptproto.exchange import pushing
from wptproto.exchange.bridge import (
    Abort,
    AskRoom,
    Bridge,
    Push,
    SendContent,
    SendFrame,
    SendHead,
    SendInformational,
    SendTrailers,
    SendVerbatim,
    Sent,
)
from wptproto.exchange.options import MessageOptions
from wptproto.exchange.writer import ResponseWriter
from wptproto.h2_codes import CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS
from wptproto.protocol import h1_octets
from wptproto.protocol.h1_transcript import Part, Transcript
from wptproto.protocol.h2_frames import RawFrame
from wptproto.semantics.fields import FieldLine, Fields, Value
from wptproto.semantics.message import RequestHead, ResponseHead, never_has_content

__all__ = ["H2ResponseWriter"]

log = logging.getLogger("wptproto.exchange")

Lines = Iterable[tuple[Value, Value]]


class H2ResponseWriter(ResponseWriter):
    """
    Writes HTTP/2.

    A head is one field section (RFC 9113 §8.1), so nothing of it leaves before it is complete.

    Beside the verbs of every writer, which say the same over both protocols, are those of HTTP/2
    alone: ``write_headers``, ``write_data`` and ``end_stream`` send what a script gives them and add
    nothing, within the rules; ``write_raw_...`` send frames past all rules.
    """

    def __init__(self, request: RequestHead, options: MessageOptions, bridge: Bridge, stream_id: int) -> None:
        """
        Args:
            request: What is answered.
            options: What the script chose.
            bridge: The way to the connection's owner.
            stream_id: The stream.
        """
        super().__init__(request, options, bridge)
        self._stream_id = stream_id
        self._framed = False  # some of the response was written as frames by hand
        self._pushed: dict[int, H2ResponseWriter] = {}
        self._length: int | None = None  # of the content, where it is known
        self._transcript: Transcript | None = None  # of octets by hand
        self._unspeakable = False  # so is what they came to

    # --- HTTP/2's own verbs --------------------------------------------------------------------

    def write_headers(
        self,
        headers: Lines,
        status_code: int,
        status_message: str | bytes | None = None,  # for scripts; HTTP/2 has none
        stream_id: int | None = None,
        last: bool = False,
    ) -> Sent:
        """
        Write a head of just these fields, none added.

        Args:
            headers: Names and values.
            status_code: One of 1xx makes it an interim response, behind which another head may follow.
            status_message: Goes nowhere.
            stream_id: A stream that :meth:`write_push` returned; None is that of the request.
            last: Whether no content follows.

        Returns:
            Whether the peer is still there.

        Raises:
            LocalProtocolError: There was a head, or the stream is not this handler's.

        RFC 9113 §6.2 (HEADERS), §8.3.2.
        """
        if (writer := self._on(stream_id)) is not self:
            return writer.write_headers(headers, status_code, last=last)
        if self._status is not None:
            raise LocalProtocolError("the headers were written already")
        lines = self._encode_lines(headers)
        if 100 <= status_code < 200:
            self._pending.append(SendInformational(ResponseHead(status_code, Fields(lines))))
            return self._part_written()
        self.content_written = True
        self._status, self._fields = status_code, list(lines)
        self._drops_content = (
            never_has_content(self._request.method, status_code)
            and not self._options.send_body_for_head_request
        )
        self._ended = last
        self._headers_complete = True
        self._send_head(end=last or self._drops_content)
        return self._part_written()

    def write_data(
        self, item: str | bytes | IO[bytes], last: bool = False, stream_id: int | None = None
    ) -> Sent:
        """
        Write content, in as many DATA frames as windows and frame size ask for.

        Args:
            item: Text, octets, or a file, which is sent from its beginning on.
            last: Whether it is the last content.
            stream_id: A stream that :meth:`write_push` returned; None is that of the request.

        Returns:
            Whether the peer is still there.

        Raises:
            LocalProtocolError: There was no head, or the content has ended.

        RFC 9113 §6.1 (DATA).
        """
        writer = self._on(stream_id)
        if isinstance(item, str | bytes):
            return writer._write_data(writer.encode(item), last)
        item.seek(0)
        octets = item.read(self.file_chunk_size)
        while following := item.read(self.file_chunk_size):
            writer._write_data(octets, last=False)
            octets = following
        return writer._write_data(octets, last)

    def write_data_frame(self, data: str | bytes, last: bool, stream_id: int | None = None) -> Sent:
        """Write content as :meth:`write_data` does: one frame, if :meth:`get_max_payload_size` allows."""
        return self.write_data(data, last, stream_id)

    def end_stream(self, stream_id: int | None = None) -> Sent:
        """
        End the response.

        Args:
            stream_id: A stream that :meth:`write_push` returned; None is that of the request.

        Returns:
            Whether the peer is still there.

        Raises:
            LocalProtocolError: There was no head, or it has ended.
        """
        return self._on(stream_id)._write_data(b"", last=True)

    def write_push(
        self,
        promise_headers: Lines,
        push_stream_id: int | None = None,
        status: int | None = None,
        response_headers: Lines | None = None,
        response_data: str | bytes | IO[bytes] | None = None,
    ) -> int:
        """
        Promise a response to a request that the client has not made, and give it, if there is one.

        Args:
            promise_headers: The request, with its pseudo-fields ``:method``, ``:scheme``,
                ``:authority`` and ``:path``.
            push_stream_id: The stream of the response; None takes the next.
            status: Of the response.
            response_headers: Its fields. None leaves it to the handler to respond, by
                ``write_headers`` and ``write_data`` with the stream's number.
            response_data: Its content.

        Returns:
            The stream's number.

        Raises:
            LocalProtocolError: The client wants no pushes, the promise is no request, or a status is missing.
            ExchangeClosed: The client is gone.

        RFC 9113 §8.4.
        """
        if response_headers is not None and status is None:
            raise LocalProtocolError("a response that is pushed needs a status")
        self.flush()
        push = Push(self._encode_lines(promise_headers), push_stream_id)
        self._bridge.ask(push)
        promised = push.answer.result()
        options = MessageOptions()
        options.encoding = self._options.encoding
        number = promised.received.exchange_id
        writer = H2ResponseWriter(promised.received.head, options, promised.bridge, number)
        self._pushed[number] = writer
        if response_headers is not None and status is not None:
            writer.write_headers(response_headers, status, last=response_data is None)
        if response_data is not None:
            writer.write_data(response_data, last=True)
        return number

    def get_max_payload_size(self, stream_id: int | None = None) -> int:
        """
        Return how many octets of content fit into one frame now, by the client's window and settings.

        Raises:
            LocalProtocolError: The stream is not this handler's.
            ExchangeClosed: The client is gone.

        RFC 9113 §4.2, §6.9.
        """
        question = AskRoom()
        self._on(stream_id)._bridge.ask(question)
        return question.answer.result()

    # --- past all rules ------------------------------------------------------------------------

    def write_raw_header_frame(
        self,
        headers: Lines,
        stream_id: int | None = None,
        end_stream: bool = False,
        end_headers: bool = False,
        frame_cls: type[Frame] | None = None,
    ) -> Sent:
        """
        Write one HEADERS frame, whatever state the stream is in.

        Without END_HEADERS it waits for the frame that has it, or for ``flush()``, so that no other
        stream's frame gets in between.

        Args:
            headers: Field lines as they are, pseudo-fields among them; compressed as all others.
            stream_id: Any stream; None is that of the request.
            end_stream: Whether the frame has END_STREAM.
            end_headers: Whether the frame has END_HEADERS.
            frame_cls: A class of hyperframe's, whose type the frame gets instead.

        Returns:
            Whether the peer is still there.
        """
        kind = HEADERS if frame_cls is None or frame_cls.type is None else frame_cls.type
        flags = (END_STREAM if end_stream else 0) | (END_HEADERS if end_headers else 0)
        lines = self._encode_lines(headers)
        interim = any(name == b":status" and value.startswith(b"1") for name, value in lines)
        frame = RawFrame(kind, flags, stream_id or None, tuple(lines))
        return self._write_frame(frame, final=not interim, held=not end_headers)

    def write_raw_continuation_frame(
        self, headers: Lines, stream_id: int | None = None, end_headers: bool = False
    ) -> Sent:
        """Write one CONTINUATION frame, as :meth:`write_raw_header_frame` does (RFC 9113 §6.10)."""
        flags = END_HEADERS if end_headers else 0
        frame = RawFrame(CONTINUATION, flags, stream_id or None, tuple(self._encode_lines(headers)))
        return self._write_frame(frame, final=False, held=not end_headers)

    def write_raw_data_frame(
        self, data: str | bytes, stream_id: int | None = None, end_stream: bool = False
    ) -> Sent:
        """
        Write one DATA frame, whatever state the stream is in, and whatever its window.

        Args:
            data: The payload.
            stream_id: Any stream; None is that of the request.
            end_stream: Whether the frame has END_STREAM.

        Returns:
            Whether the peer is still there.
        """
        flags = END_STREAM if end_stream else 0
        return self._write_frame(RawFrame(DATA, flags, stream_id or None, self.encode(data)), final=True)

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

    # --- for Response and the dispatcher -------------------------------------------------------

    @property
    def can_push(self) -> bool:
        return not self._ended and pushing.can_push(self._bridge, self._stream_id)

    def promise(self, lines: list[FieldLine], handler: Callable[..., object] | None) -> int:
        self._check_not_ended()
        return pushing.promise(self._bridge, self._stream_id, lines, handler)

    def finish(self) -> None:
        for number, pushed in list(self._pushed.items()):
            if pushed._headers_complete or pushed._framed:
                pushed.finish()
                del self._pushed[number]
        super().finish()

    def release(self) -> None:
        for pushed in self._pushed.values():
            pushed.abort("it was promised, and its handler is through")
        self._pushed.clear()

    # --- the verbs of both protocols -----------------------------------------------------------

    def _add_status(self) -> None:
        if self._transcript is not None:
            self._transcribe(self._status_line())

    def _add_field(self, name: bytes, value: bytes) -> None:
        if self._transcript is not None:
            self._transcribe(h1_octets.field_line(name, value))

    def _add_framing(self, names: Set[bytes], length: int | None, without_content: bool) -> None:
        self._length = length
        if length is not None and b"content-length" not in names and not self._options.given_trailers:
            self._add(b"Content-Length", b"%d" % length)

    def _end_informational(self) -> None:
        if self._transcript is not None:
            self._transcribe(b"\r\n")
        else:
            self._add_informational(self._head())

    def _add_informational(self, head: ResponseHead) -> None:
        if self._stream_id % 2:  # else it was promised, nobody waits, and h2 knows of no interim response
            super()._add_informational(head)

    def _check_trailers(self) -> None:
        """There is a place for them behind any content, but for that which its script frames by itself."""
        if self._transcript is not None or not self._is_plain():
            raise LocalProtocolError(
                "trailers go behind content that the server frames, and this response frames it by itself: "
                "by its own Content-Length or Transfer-Encoding, a field that is unsound, or octets by hand"
            )

    def _end_head(self, *, end: bool) -> None:
        if self._transcript is None and not self._is_plain():
            self._begin_transcript()
        if self._transcript is not None:
            self._transcribe(b"\r\n")
        else:
            self._send_head(end=end)

    def _send_head(self, *, end: bool) -> None:
        head = self._head()
        if not 200 <= head.status <= 999:
            self._status = None
            raise LocalProtocolError(f"HTTP/2 has no final response with status {head.status}")
        self._pending.append(SendHead(head, end))

    def _head(self) -> ResponseHead:
        assert self._status is not None
        return ResponseHead(self._status, Fields(self._fields))

    def _add_content(self, octets: bytes) -> None:
        if self._transcript is not None:
            self._transcribe(octets)
        else:
            self._pending.append(SendContent(octets))

    def _add_raw(self, octets: bytes) -> None:
        if self._transcript is None:
            self._begin_transcript()
        self._transcribe(octets)

    def _add_trailers(self, trailers: Fields) -> None:
        if self._transcript is not None:
            self._check_trailers()
        self._pending.append(SendTrailers(trailers))

    def _add_end(self) -> None:
        if self._transcript is not None and not self._unspeakable:
            try:
                self._add_parts(self._transcript.finish())
            except LocalProtocolError as error:
                self._break_off(error.reason)

    def _ends_with_head(self) -> bool:
        return True

    # --- within --------------------------------------------------------------------------------

    def _on(self, stream_id: int | None) -> H2ResponseWriter:
        """Return the writer of a stream."""
        if stream_id is None or stream_id == self._stream_id:
            return self
        if stream_id not in self._pushed:
            raise LocalProtocolError(
                f"stream {stream_id} is neither this request's nor one it promised; "
                "write_raw_header_frame() and write_raw_data_frame() take any"
            )
        return self._pushed[stream_id]

    def _encode_lines(self, lines: Lines) -> list[FieldLine]:
        return [(self._encode_value(name), self._encode_value(value)) for name, value in lines]

    def _write_data(self, octets: bytes, last: bool) -> Sent:
        if not self._headers_complete and not self._framed:
            raise LocalProtocolError("content before the headers; write_headers() comes first")
        self._check_not_ended()
        if self._transcript is not None:
            self._transcribe(octets)
        elif not self._drops_content and (octets or last):
            self._pending.append(SendContent(octets, last))
            self.content_octets += len(octets)
        self._ended = last
        return self._part_written()

    def _write_frame(self, frame: RawFrame, *, final: bool, held: bool = False) -> Sent:
        """
        Args:
            frame: The frame.
            final: Whether it is of the final response, so that no other can take its place.
            held: Whether it waits for the next.
        """
        self._framed = True
        self._pending.append(SendFrame(frame))
        self.content_written = self.content_written or final
        self._committed = self._committed or final
        self._ended = self._ended or frame.ends_stream(self._stream_id)
        return self._bridge.send(()) if held else self._part_written()

    # --- octets by hand ------------------------------------------------------------------------

    def _is_plain(self) -> bool:
        """
        Whether an HTTP/1.1 client would read the head as just these fields, and all of the content.

        If not, the script frames its content by itself, or tests what such a client makes of it.
        """
        given = self._fields[: self._given_count]
        lengths = [value for name, value in given if name.lower() == b"content-length"]
        return (
            all(name.lower() != b"transfer-encoding" for name, _ in given)
            and (not lengths or (self._length is not None and lengths == [b"%d" % self._length]))
            and h1_octets.field_section_is_sound(given)
        )

    def _status_line(self) -> bytes:
        assert self._status is not None
        return h1_octets.status_line(self._status, self._reason)

    def _begin_transcript(self) -> None:
        """Take all that is written as HTTP/1.1 to be read; what was written before is its beginning."""
        self._transcript = Transcript(self._request.method)
        if self._status is None:
            self._status = self.default_status  # the script writes its own
            return
        self._transcribe(self._status_line())
        for name, value in self._fields:
            self._transcribe(h1_octets.field_line(name, value))

    def _transcribe(self, octets: bytes) -> None:
        assert self._transcript is not None
        if self._unspeakable:
            return
        try:
            self._add_parts(self._transcript.feed(octets))
        except LocalProtocolError as error:
            self._break_off(error.reason)

    def _add_parts(self, parts: list[Part]) -> None:
        for part in parts:
            match part:
                case ResponseHead(status) if status < 200:
                    self._pending.append(SendInformational(part))
                case ResponseHead(status):
                    self._status = status
                    self._pending.append(SendHead(part, end=never_has_content(self._request.method, status)))
                case bytes():
                    self._pending.append(SendContent(part))
                case Fields() if part:
                    self._pending.append(SendTrailers(part))
                case _:
                    pass  # chunks without trailers end as all content does

    def _break_off(self, reason: str) -> None:
        self._unspeakable = True
        request = self._request
        log.error("%s %s cannot be answered so: %s", request.method, request.target.decode("latin-1"), reason)
        self._pending.append(Abort(reason))
