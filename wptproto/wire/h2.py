"""H2Wire: an HTTP/2 connection that a test drives by hand: requests, and responses to them."""

from __future__ import annotations

from wptproto.h2_codes import FrameKind, Setting
from wptproto.protocol.h2_frame_types import BlockFrame, DataFrame, Frame, HeadersFrame
from wptproto.wire.client import MAX_FRAME_OCTETS
from wptproto.wire.hearing import H2Hearer
from wptproto.wire.matching import AwaitedFields, attributes_that_differ, fields_that_differ, in_words
from wptproto.wire.requests import H2Request, Section
from wptproto.wire.speaking import FieldItems

__all__ = ["H2Wire"]


class H2Wire(H2Hearer):
    """
    An HTTP/2 connection, driven by hand: frames as they come (:mod:`wptproto.wire.hearing`) and frames as a
    test wants them (:mod:`wptproto.wire.speaking`), and here what is made of several of them.
    """

    # --- requests ------------------------------------------------------------------------------

    def expect_headers(
        self,
        stream_id: int | None = None,
        *,
        method: str | None = None,
        path: str | None = None,
        scheme: str | None = None,
        authority: str | None = None,
        fields: AwaitedFields = (),
        end_stream: bool | None = None,
        strict: bool = False,
        within: float | None = None,
    ) -> Section:
        """
        Wait for a header section, with its CONTINUATION frames, and take it; trailers are one, too.

        Args:
            stream_id: On which stream; None is any.
            method: What ``:method`` is to be, if that matters.
            path: What ``:path`` is to be.
            scheme: What ``:scheme`` is to be.
            authority: What ``:authority`` is to be.
            fields: Fields that have to be there, among others; None for one that must not be.
            end_stream: Whether it ends the stream.
            strict: Whether HEADERS have to be the very next frame that nobody has taken or passed over.
            within: For how many seconds.

        Raises:
            WireError: Something else comes first that cannot be left for later, or nothing.
            ExchangeClosed: The server stops, or the connection was closed here.
        """
        pseudo = {"method": method, "path": path, "scheme": scheme, "authority": authority}
        wanted = {name: value for name, value in pseudo.items() if value is not None}
        attributes: dict[str, object] = {**wanted}
        if end_stream is not None:
            attributes["end_stream"] = end_stream
        numbered = attributes if stream_id is None else {"stream_id": stream_id, **attributes}
        awaited = in_words("HEADERS", numbered)
        deadline_s = self._deadline(within)

        def why_not(frame: Frame) -> str | None:
            is_it = isinstance(frame, HeadersFrame) and stream_id in (None, frame.stream_id)
            return None if is_it else ""

        first = self._next(awaited, why_not, deadline_s, within, strict=strict, stream_id=stream_id)
        assert isinstance(first, HeadersFrame)
        section = self._section(first, deadline_s, within)
        differences = [
            *attributes_that_differ(section, attributes),
            *fields_that_differ(section.lines, fields),
        ]
        if differences:
            raise self._failure(awaited, f"{section.frames[-1]} came, but {'; '.join(differences)}")
        return section

    def _section(self, first: HeadersFrame, deadline_s: float, within: float | None) -> Section:
        """Return the section that begins with a frame."""
        frames: list[BlockFrame] = [first]
        number = first.stream_id

        def why_not(frame: Frame) -> str | None:
            return None if frame.kind == FrameKind.CONTINUATION and frame.stream_id == number else ""

        while not frames[-1].end_headers:
            awaited = f"CONTINUATION of stream {number}"
            frame = self._next(awaited, why_not, deadline_s, within, stream_id=number)
            assert isinstance(frame, BlockFrame)
            frames.append(frame)
        last = frames[-1]
        return Section(tuple(frames), last.fields or (), last.representations or ())

    def read_content(
        self, stream_id: int, octets: int | None = None, *, within: float | None = None
    ) -> bytes:
        """
        Return content of a stream, without padding, as it comes.

        Args:
            stream_id: The stream.
            octets: How many are enough, if all is not wanted; whole DATA frames are taken, so it may be more.
            within: For how many seconds in all.

        Returns:
            What came until it was enough, or END_STREAM, or trailers, which are left for expect_headers.

        Raises:
            WireError: It does not come, or the client resets the stream.
            ExchangeClosed: The server stops, or the connection was closed here.
        """
        content = bytearray()
        deadline_s = self._deadline(within)
        wanted = "content to its end" if octets is None else f"{octets} octets of content"

        def why_not(frame: Frame) -> str | None:
            return (
                None if frame.stream_id == stream_id and isinstance(frame, DataFrame | HeadersFrame) else ""
            )

        while octets is None or len(content) < octets:
            awaited = f"{wanted} on stream {stream_id}, of which {len(content)} had come,"
            frame = self._next(awaited, why_not, deadline_s, within, stream_id=stream_id)
            if isinstance(frame, HeadersFrame):
                self._left.insert(self._passed, frame)
                break
            assert isinstance(frame, DataFrame)
            content += frame.content
            if frame.end_stream:
                break
        return bytes(content)

    def expect_request(
        self,
        *,
        method: str | None = None,
        path: str | None = None,
        fields: AwaitedFields = (),
        within: float | None = None,
    ) -> H2Request:
        """
        Wait for a whole request: a header section, content, trailers.

        Args and what it raises are as in :meth:`expect_headers` and :meth:`read_content`.
        """
        head = self.expect_headers(method=method, path=path, fields=fields, within=within)
        request = H2Request(head)
        if not head.end_stream:
            request.content = self.read_content(head.stream_id, within=within)
            if head.stream_id in self._trailing():
                request.trailers = self.expect_headers(head.stream_id, within=within)
        return request

    def _trailing(self) -> set[int]:
        return {frame.stream_id for frame in self._left if isinstance(frame, HeadersFrame)}

    # --- content out ---------------------------------------------------------------------------

    def send_content(
        self, stream_id: int, content: bytes, *, end_stream: bool = True, within: float | None = None
    ) -> None:
        """
        Send content as windows and the client's frame size allow, in as many DATA frames as that takes.

        Args:
            stream_id: The stream.
            content: Its octets.
            end_stream: Whether they are the last.
            within: For how many seconds to wait for windows, in all.

        Raises:
            WireError: The client opens no window, or does not read, or is gone.
            ExchangeClosed: The server stops, or the connection was closed here.

        RFC 9113 §6.9.
        """
        deadline_s = self._deadline(within)
        rest = content
        while rest:
            room = min(self.windows(stream_id).to_send, self.windows(0).to_send)
            size = min(room, len(rest), self._client.settings.get(Setting.MAX_FRAME_SIZE, MAX_FRAME_OCTETS))
            if size <= 0:
                if not self._read(deadline_s):
                    raise self._failure(f"a window for {len(rest)} octets", self._nothing_came(within))
                continue
            piece, rest = rest[:size], rest[size:]
            self.send_data(stream_id, piece, end_stream=end_stream and not rest)
        if not content:
            self.send_data(stream_id, end_stream=end_stream)

    def respond(
        self,
        stream_id: int,
        status: int = 200,
        fields: FieldItems = (),
        content: bytes = b"",
        *,
        within: float | None = None,
    ) -> None:
        """
        Send a whole response that is right, as far as its fields are: a head, and content if there is
        any.
        """
        self.send_headers(stream_id, fields, status=status, end_stream=not content)
        if content:
            self.send_content(stream_id, content, within=within)
