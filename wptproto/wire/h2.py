"""
H2Wire: an HTTP/2 connection that a test drives by hand.

What the client sends is read frame by frame, in calls alone. A call that awaits something takes the first
frame that is it. What comes before that and is in nobody's way is left for later calls: what keeps house
(SETTINGS, PING, WINDOW_UPDATE, priorities, types that nobody knows), and frames of other streams than the
one that is awaited. Anything else that comes first is a failure, which says what came, frame by frame.

As a server has to, it acknowledges the client's SETTINGS, answers its PING frames, and gives back what its
content takes of the windows; each of these can be left to the test.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar, overload

from wptproto.errors import WireError
from wptproto.protocol.h2_frames import PREFACE
from wptproto.wire.client import MAX_FRAME_OCTETS
from wptproto.wire.frames import (
    BlockFrame,
    DataFrame,
    Frame,
    FrameKind,
    HeadersFrame,
    PingFrame,
    Setting,
    SettingsFrame,
    kind_name,
)
from wptproto.wire.line import Line
from wptproto.wire.matching import (
    AwaitedFields,
    attributes_that_differ,
    fields_that_differ,
    in_words,
    is_housekeeping,
)
from wptproto.wire.options import H2Options, WindowPolicy, checked_windows
from wptproto.wire.requests import H2Request, Section
from wptproto.wire.speaking import AnyKind, FieldItems, H2Speaker, kind_number
from wptproto.wire.violations import Policy, Violation
from wptproto.wire.windows import INITIAL_WINDOW_OCTETS

__all__ = ["H2Wire"]

F = TypeVar("F", bound=Frame)
WhyNot = Callable[[Frame], str | None]
"""Says of a frame why it is not the one that is awaited; None where it is."""

_MESSAGE = (FrameKind.HEADERS, FrameKind.CONTINUATION, FrameKind.PUSH_PROMISE)


class H2Wire(H2Speaker):
    """
    An HTTP/2 connection, driven by hand.

    Attributes:
        received: All frames that have come, in order, whatever was made of them.
    """

    def __init__(self, line: Line, timeout_s: float, policy: Policy, options: H2Options) -> None:
        """
        Args:
            line: The connection, past the handshake of TLS.
            timeout_s: How long to wait where nothing else is said.
            policy: What comes of violations.
            options: What it does by itself.

        Raises:
            ConfigError: There is no such policy.
        """
        super().__init__(line, timeout_s, policy)
        self._options = options
        self._windows: WindowPolicy = options.windows
        self._left: list[Frame] = []  # that nobody has taken
        self._passed = 0  # how many of them were passed over
        self.received: list[Frame] = []

    def begin(self) -> None:
        """
        Announce the settings, and wait for the client's preface, as far as the options want it.

        Raises:
            WireError: It does not come.
        """
        if self._options.settings is not None:
            self.send_settings(self._options.settings)
        if self._options.preface:
            self.expect_preface()

    # --- what comes ----------------------------------------------------------------------------

    def _take(self, octets: bytes) -> None:
        client = self._client
        if not client.has_prefaced:
            self._transcript.came(octets[: len(PREFACE) - len(client.preface)])
        for frame, violations in client.receive(octets):
            self.received.append(frame)
            self._left.append(frame)
            self._transcript.came(frame, violations)
            self._record(violations)
            with suppress(WireError):  # the client is gone; what it has sent counts
                self._answer(frame)

    def _answer(self, frame: Frame) -> None:
        """Do what the connection does by itself."""
        match frame:
            case SettingsFrame(ack=False) if self._options.acknowledge_settings:
                self.send_settings(ack=True)
            case PingFrame(ack=False) if self._options.answer_pings:
                self.send_ping(frame.payload, ack=True)
            case DataFrame() if frame.payload and self._windows != "withheld":
                self.send_window_update(0, len(frame.payload))
                if self._windows == "open" and frame.stream_id in self._client.open_streams():
                    self.send_window_update(frame.stream_id, len(frame.payload))
        self._drip()

    def _drip(self) -> None:
        if isinstance(self._windows, int):
            for stream_id in self._client.open_streams():
                while self.windows(stream_id).to_receive <= 0:
                    self.send_window_update(stream_id, self._windows)

    # --- windows -------------------------------------------------------------------------------

    def withhold_windows(self) -> None:
        """Give back nothing more of what content takes of the windows."""
        self._windows = "withheld"

    def drip_windows(self, octets: int) -> None:
        """
        Give a stream so many octets each time that it has used up its window, and at once if it has.

        The connection's window is given back as it is used. A stream begins with
        INITIAL_WINDOW_SIZE; announce 0 to have it drip from the beginning on.

        Raises:
            ConfigError: It is no number above 0.
        """
        self._windows = checked_windows(octets)
        self._refill(0)
        self._drip()

    def open_windows(self) -> None:
        """Give back what content takes of the windows, and all that it has taken until now."""
        self._windows = "open"
        for stream_id in (0, *self._client.open_streams()):
            self._refill(stream_id)

    def _refill(self, stream_id: int) -> None:
        initial = self._client.to_receive.initial if stream_id else INITIAL_WINDOW_OCTETS
        missing = max(initial, INITIAL_WINDOW_OCTETS) - self.windows(stream_id).to_receive
        if missing > 0:
            self.send_window_update(stream_id, missing)

    # --- awaiting ------------------------------------------------------------------------------

    def expect_preface(self, *, within: float | None = None) -> None:
        """
        Wait for the client's connection preface; its SETTINGS come behind it.

        Raises:
            WireError: Something else comes, which is a violation, or nothing.
            ExchangeClosed: The server stops, or the connection was closed here.

        RFC 9113 §3.4.
        """
        client, deadline_s = self._client, self._deadline(within)
        while not client.has_prefaced:
            if not PREFACE.startswith(client.preface):
                self._record([Violation("the connection preface is another", "RFC 9113 §3.4")])
                raise self._failure("the connection preface of HTTP/2", f"{client.preface!r} came")
            if not self._read(deadline_s):
                raise self._failure("the connection preface of HTTP/2", self._nothing_came(within))

    def receive_frame(self, *, within: float | None = None) -> Frame:
        """
        Return the next frame that nobody has taken or passed over, whatever it is.

        Raises:
            WireError: None comes.
            ExchangeClosed: The server stops, or the connection was closed here.
        """
        return self._next("a frame", lambda _: None, self._deadline(within), within, strict=True)

    @overload
    def expect(
        self,
        kind: type[F],
        *,
        strict: bool = False,
        fresh: bool = False,
        within: float | None = None,
        **attributes: object,
    ) -> F: ...

    @overload
    def expect(
        self,
        kind: FrameKind | str | int,
        *,
        strict: bool = False,
        fresh: bool = False,
        within: float | None = None,
        **attributes: object,
    ) -> Frame: ...

    def expect(
        self,
        kind: AnyKind,
        *,
        strict: bool = False,
        fresh: bool = False,
        within: float | None = None,
        **attributes: object,
    ) -> Frame:
        """
        Wait for a frame, and take it.

        Args:
            kind: ``GOAWAY`` or any other of :mod:`wptproto.wire`, which is the class of the frame that is
                returned; a name, or any number.
            strict: Whether it has to be the very next that came and nobody has taken or passed over.
            fresh: Whether those that were passed over before are none.
            within: For how many seconds.
            attributes: What it is to have: ``stream_id=1``, ``code=ErrorCode.CANCEL``, ``code="CANCEL"``,
                ``ack=True``, ``increment=1``, ``flags=0``, ``content=b"..."``, and what else its class has.

        Raises:
            WireError: Something else comes first that cannot be left for later, or nothing.
            ConfigError: There is no such type, or attribute.
            ExchangeClosed: The server stops, or the connection was closed here.
        """
        number = kind_number(kind)

        def why_not(frame: Frame) -> str | None:
            if frame.kind != number:
                return ""
            if isinstance(kind, type) and not isinstance(frame, kind):
                return "it is malformed"
            return "; ".join(attributes_that_differ(frame, attributes)) or None

        stream_id = attributes.get("stream_id")
        return self._next(
            in_words(kind_name(number), attributes),
            why_not,
            self._deadline(within),
            within,
            strict=strict,
            fresh=fresh,
            stream_id=stream_id if isinstance(stream_id, int) else None,
        )

    def _next(
        self,
        awaited: str,
        why_not: WhyNot,
        deadline_s: float,
        within: float | None,
        *,
        strict: bool = False,
        fresh: bool = False,
        stream_id: int | None = None,
    ) -> Frame:
        """Take the first frame that is the one; of those before it, pass over what can be left for later."""
        place = self._passed if strict or fresh else 0
        while True:
            while place < len(self._left):
                frame = self._left[place]
                reason = why_not(frame)
                if reason is None:
                    del self._left[place]
                    self._passed = max(self._passed - 1, place)
                    return frame
                is_elsewhere = stream_id is not None and frame.stream_id not in (0, stream_id)
                if strict or not (is_elsewhere or is_housekeeping(frame)):
                    but = f", but {reason}" if reason else ""
                    raise self._failure(awaited, f"{frame} came{but}")
                place += 1
            self._passed = place
            if not self._read(deadline_s):
                raise self._failure(awaited, self._nothing_came(within))

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

    # --- the end -------------------------------------------------------------------------------

    def _going_on(self) -> str | None:
        return next((str(frame) for frame in self._left if frame.kind in _MESSAGE), None)

    def _leaving(self) -> str | None:
        new = self._left[self._passed :]
        return next((str(frame) for frame in new if not is_housekeeping(frame)), None)
