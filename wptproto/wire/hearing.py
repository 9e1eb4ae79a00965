"""
H2Hearer: what a test hears on an HTTP/2 connection, frame by frame.

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
from wptproto.h2_codes import FrameKind, frame_name
from wptproto.protocol.h2_frame_types import DataFrame, Frame, PingFrame, SettingsFrame
from wptproto.protocol.h2_frames import PREFACE
from wptproto.protocol.violations import Violation
from wptproto.wire.line import Line
from wptproto.wire.matching import (
    attributes_that_differ,
    in_words,
    is_housekeeping,
)
from wptproto.wire.options import H2Options, WindowPolicy, checked_windows
from wptproto.wire.policies import Policy
from wptproto.wire.speaking import AnyKind, H2Speaker, Settings, kind_number
from wptproto.wire.windows import INITIAL_WINDOW_OCTETS

__all__ = ["H2Hearer", "WhyNot"]

F = TypeVar("F", bound=Frame)
WhyNot = Callable[[Frame], str | None]
"""Says of a frame why it is not the one that is awaited; None where it is."""

_MESSAGE = (FrameKind.HEADERS, FrameKind.CONTINUATION, FrameKind.PUSH_PROMISE)


class H2Hearer(H2Speaker):
    """
    The receiving half of :class:`~wptproto.wire.h2.H2Wire`, as far as it knows of frames alone.

    Attributes:
        received: All frames that have come, in order, whatever was made of them.
        options: What it does by itself, as it was asked for at first.
    """

    def __init__(self, line: Line, timeout_s: float, policy: Policy, options: H2Options) -> None:
        """
        Args:
            line: The connection, past the handshake of TLS.
            timeout_s: How long to wait where nothing else is said.
            policy: What comes of violations.
            options: What it does by itself.
        """
        super().__init__(line, timeout_s, policy)
        self.options = options
        self._windows: WindowPolicy = options.windows
        self._unanswered: list[Frame] = []
        self._left: list[Frame] = []  # that nobody has taken
        self._passed = 0  # how many of them were passed over
        self.received: list[Frame] = []

    def begin(self) -> None:
        """
        Announce the settings, and wait for the client's preface, as far as the options want it.

        Raises:
            WireError: It does not come.
        """
        if self.options.settings is not None:
            self.send_settings(self.options.settings)
        if self.options.preface:
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
        """Do what the connection does by itself; but nothing goes before SETTINGS (RFC 9113 §3.4)."""
        if not self._client.has_been_told:
            self._unanswered.append(frame)
            return
        match frame:
            case SettingsFrame(ack=False) if self.options.acknowledge_settings:
                self.send_settings(ack=True)
            case PingFrame(ack=False) if self.options.answer_pings:
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

    def send_settings(self, settings: Settings = (), *, ack: bool = False) -> None:
        """Send SETTINGS, as :class:`H2Speaker` does, and what was not answered before them."""
        super().send_settings(settings, ack=ack)
        while self._unanswered and self._client.has_been_told:
            self._answer(self._unanswered.pop(0))

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

    def expect_acknowledged(self, *, within: float | None = None) -> None:
        """
        Wait until the client has acknowledged all SETTINGS that were sent, and so goes by them.

        Raises:
            WireError: It does not.
            ExchangeClosed: The server stops, or the connection was closed here.

        RFC 9113 §6.5.3.
        """
        deadline_s = self._deadline(within)
        while self._client.unacknowledged:
            if not self._read(deadline_s):
                count = len(self._client.unacknowledged)
                raise self._failure(f"the acknowledgement of {count} SETTINGS", self._nothing_came(within))

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
            in_words(frame_name(number), attributes),
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

    # --- the end -------------------------------------------------------------------------------

    def _going_on(self) -> str | None:
        return next((str(frame) for frame in self._left if frame.kind in _MESSAGE), None)

    def _leaving(self) -> str | None:
        new = self._left[self._passed :]
        return next((str(frame) for frame in new if not is_housekeeping(frame)), None)
