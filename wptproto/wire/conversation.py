"""Conversation: what the connections of both protocols have in common that a test drives by hand."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from wptproto.errors import WireError
from wptproto.protocol.events import ExchangeId
from wptproto.protocol.tls_state import TlsState
from wptproto.protocol.violations import Violation
from wptproto.wire.line import Ending, Line
from wptproto.wire.policies import Policy
from wptproto.wire.transcript import Transcript

__all__ = ["Conversation"]


class Conversation(ABC):
    """
    One client's connection, of which a test reads and writes everything itself, on its own thread.

    Nothing happens on it but in calls: what the client sends meanwhile waits in the socket. Each wait has a
    time-out, *within* seconds or else *timeout_s*, and ends in a WireError that says what was awaited and
    what came. When the server stops, it closes, and waits end at once by ExchangeClosed.

    As a context manager it closes the connection; and if all else went well, it fails where the client broke
    a rule (see *violations*), unless it was accepted with ``violations="allowed"``.

    Attributes:
        timeout_s: How long to wait where nothing else is said.
        violations: What the client did wrong, in order, each with the section that it broke.
    """

    def __init__(self, line: Line, timeout_s: float, policy: Policy) -> None:
        """
        Args:
            line: The connection, past the handshake of TLS.
            timeout_s: How long to wait where nothing else is said.
            policy: What comes of violations.
        """
        self._line = line
        self._policy = policy
        self._transcript = Transcript()
        self._over_s: float | None = None  # the last deadline that was passed
        self.timeout_s = timeout_s
        self.violations: list[Violation] = []

    @property
    def tls(self) -> TlsState | None:
        """What was agreed on by TLS; None in the clear."""
        return self._line.tls

    @property
    def client_address(self) -> tuple[str, int]:
        """The client's address and port."""
        return self._line.client_address

    @property
    def transcript(self) -> str:
        """What went both ways, in words, a line each: ``<`` came, ``>`` was sent, ``!`` broke a rule."""
        return str(self._transcript)

    # --- octets out ----------------------------------------------------------------------------

    def send_octets(
        self,
        octets: bytes,
        *,
        segments: Sequence[int] = (),
        records: Sequence[int] = (),
        pause_s: float = 0.0,
    ) -> None:
        """
        Send octets as they are; whatever they are, nothing else knows of them.

        Args:
            octets: Over TLS, inside of it.
            segments: How many octets leave at a time, as TCP segments in general; the rest leaves at once.
                Over TLS they are octets of its records.
            records: How many octets are in each TLS record; the rest is in as few as possible.
            pause_s: Seconds to wait before each further segment.

        Raises:
            WireError: The client is gone, or does not read; or there is no TLS to have records.
            ExchangeClosed: The server stops, or the connection was closed here.
        """
        self._transcript.sent(octets)
        self._write(octets, segments=segments, records=records, pause_s=pause_s)

    def _write(
        self,
        octets: bytes,
        *,
        segments: Sequence[int] = (),
        records: Sequence[int] = (),
        pause_s: float = 0.0,
    ) -> None:
        pauses_s = pause_s * len(segments)
        deadline_s = self._deadline(None) + pauses_s
        try:
            self._line.send(octets, deadline_s, segments=segments, records=records, pause_s=pause_s)
        except WireError as error:
            raise WireError(f"{error}. What went both ways:\n{self._transcript}") from error

    # --- octets in -----------------------------------------------------------------------------

    @abstractmethod
    def _take(self, octets: bytes) -> None:
        """Make of octets what they are; none where the client has ended its side."""

    def _read(self, deadline_s: float) -> bool:
        """
        Wait for the next octets, and take them; False where nothing comes any more, or the time is over.

        What has come when it is over is taken, once: some clients never cease to send.
        """
        if time.monotonic() >= deadline_s:
            if self._over_s == deadline_s:
                return False
            self._over_s = deadline_s
        octets = self._line.receive(deadline_s)
        if octets:
            self._take(octets)
        return bool(octets)

    def _deadline(self, within: float | None) -> float:
        return time.monotonic() + (self.timeout_s if within is None else within)

    def _failure(self, awaited: str, instead: str) -> WireError:
        return WireError(f"{awaited} was awaited, and {instead}. What went both ways:\n{self._transcript}")

    def _nothing_came(self, within: float | None) -> str:
        """Say why a wait was in vain, in the middle of a sentence."""
        ending = self._line.ending
        if ending is not None:
            return f"the client ended its side ({ending}{self._line.alert and ', ' + self._line.alert})"
        return f"did not come in {self.timeout_s if within is None else within:g} s"

    # --- the end -------------------------------------------------------------------------------

    def expect_closed(self, *, within: float | None = None) -> Ending:
        """
        Wait until the client ends its side of the connection.

        Args:
            within: For how many seconds.

        Returns:
            How it did: ``fin``, ``reset``, ``close_notify``, or another ``alert`` of TLS. With TLS a ``fin``
            has no close_notify before it.

        Raises:
            WireError: It does not, or goes on before it does.
            ExchangeClosed: The server stops, or the connection was closed here.
        """
        deadline_s = self._deadline(within)
        while True:
            if (going_on := self._going_on()) is not None:
                raise self._failure("the end of the connection", f"{going_on} came")
            if self._line.ending is not None:
                return self._line.ending
            if not self._read(deadline_s) and self._line.ending is None:
                raise self._failure("the end of the connection", self._nothing_came(within))

    def expect_nothing(self, *, for_s: float = 0.1) -> None:
        """
        See that the client sends nothing for a while, nor ends the connection.

        What HTTP/2 needs to keep house may come: SETTINGS, PING, WINDOW_UPDATE, priorities.

        Args:
            for_s: For how many seconds.

        Raises:
            WireError: It does.
            ExchangeClosed: The server stops, or the connection was closed here.
        """
        deadline_s = self._deadline(for_s)
        while True:
            if (something := self._going_on() or self._leaving()) is not None:
                raise self._failure("nothing", f"{something} came")
            if self._line.ending is not None:
                raise self._failure("nothing", self._nothing_came(for_s))
            if not self._read(deadline_s) and self._line.ending is None:
                return

    @abstractmethod
    def _going_on(self) -> str | None:
        """Return what has come that says that the client goes on, if anything."""

    def _leaving(self) -> str | None:
        """Return what has come that says that the client is about to go, if anything."""
        return None

    def half_close(self, *, close_notify: bool = True) -> None:
        """
        Say that nothing more is sent, by FIN; what the client sends can still be read.

        Args:
            close_notify: Whether TLS, if there is any, says so, too.
        """
        self._transcript.sent("(half-closed)")
        self._line.half_close(close_notify=close_notify)

    def close(self, *, close_notify: bool = True) -> None:
        """
        Close the connection, so that the client gets all that was sent; once again is nothing.

        Args:
            close_notify: Whether TLS, if there is any, says so before.
        """
        self._line.close(close_notify=close_notify)

    def reset(self) -> None:
        """Close the connection by a RST; what was sent and not read yet may be lost."""
        self._line.reset()

    def interrupt(self) -> None:
        """
        End by ExchangeClosed the wait that another thread is in, or, where none is, its next one.

        What had come is kept.
        """
        self._line.interrupt()

    def forget_interrupts(self) -> None:
        """Have the next wait go on, for that which was to be ended is over."""
        self._line.forget_interrupts()

    # --- violations ----------------------------------------------------------------------------

    def check(self) -> None:
        """
        See that the client has broken no rule.

        Raises:
            WireError: It has; the text lists what it broke.
        """
        if self.violations:
            listed = "\n".join(f"  {violation}" for violation in self.violations)
            raise WireError(f"the client broke:\n{listed}\nWhat went both ways:\n{self._transcript}")

    def _record(self, violations: Sequence[Violation]) -> None:
        self.violations += violations
        for violation in violations:
            exchange_id = ExchangeId(violation.stream_id) if violation.stream_id else None
            self._line.observer.violated(exchange_id, str(violation))
        if violations and self._policy == "fatal":
            self._end_for(violations[0])
            self.close()
            self.check()

    @abstractmethod
    def _end_for(self, violation: Violation) -> None:
        """Tell the client that the connection ends for a violation."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None and self._policy != "allowed":
            self.check()
