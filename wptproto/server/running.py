"""Running: one exchange in progress, and the line it leaves in the access log."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Protocol

from wptproto.exchange.bridge import Command
from wptproto.exchange.exchange import Exchange
from wptproto.protocol.connection import WindowState
from wptproto.protocol.events import ContentReceived, RequestEnded
from wptproto.server.bridge import LoopBridge
from wptproto.server.patience import Patience
from wptproto.server.state import Doing, ExchangeState, HandlerState

__all__ = ["Plan", "Running"]

log = logging.getLogger("wptproto.access")


class Plan(Protocol):
    """What is to go wrong with an exchange, and has not yet."""

    def received(self, event: ContentReceived | RequestEnded, /) -> bool:
        """Look at what came of the request; returns whether it is to be taken now, and not later."""

    def allows(self, command: Command, /) -> bool:
        """Let happen what is to before a command is carried out; returns whether to do that now."""

    def room(self) -> int | None:
        """Return how many octets of content may be sent before something happens; None is any number."""

    def sent(self, octets: int, /) -> None:
        """Take note that content was sent."""

    def ended(self) -> None:
        """Take note that the response is whole."""

    def dropped(self) -> None:
        """Take note that the exchange is over before its end."""


@dataclass(slots=True, eq=False)
class Running:
    """
    An exchange in progress, as the owner of its connection sees it.

    Attributes:
        exchange: What its handler works with.
        bridge: Where its handler's commands come from.
        client: The client's address, for the log.
        status: Of the head that was sent; 0 before, and where the handler sends octets of its own.
        sent_octets: Of content, and of what the handler sends in its place.
        framing_octets: How many of those are not content, but what its handler puts around it.
        offset: How many octets of the first command in the bridge were sent.
        queued: It has its turn soon.
        stalled: Its content waits until the peer opens a window.
        held_octets: Of content that waits in the bridge, as far as was counted.
        received_octets: Of its request's content.
        patience: With its client, once that was awaited.
        plan: Of what is to go wrong with it, if anything is.
        held: By how many things that go wrong its response is held up.
    """

    exchange: Exchange
    bridge: LoopBridge
    client: str
    status: int = 0
    sent_octets: int = 0
    framing_octets: int = 0
    offset: int = 0
    queued: bool = False
    stalled: bool = False
    held_octets: int = 0
    received_octets: int = 0
    patience: Patience | None = None
    plan: Plan | None = None
    held: int = 0
    _began_s: float = field(default_factory=time.monotonic)

    def state(
        self, now_s: float, doing: Doing, handler: HandlerState | None, windows: WindowState | None
    ) -> ExchangeState:
        """
        Return how far it is.

        Args:
            now_s: The time, as ``time.monotonic`` has it.
            doing: What it waits for.
            handler: Its handler, if that is at work.
            windows: Its own.
        """
        content = self.exchange.content
        return ExchangeState(
            number=self.bridge.exchange_id,
            method=self.exchange.head.method,
            path=self.exchange.request.request_path,
            age_s=now_s - self._began_s,
            doing=doing,
            handler=handler,
            request_ended=content.has_ended,
            content_octets=self.received_octets,
            unread_octets=content.unread_octets,
            status=self.status,
            sent_octets=self.sent_octets,
            queued_octets=self.bridge.held_octets,
            windows=windows,
        )

    @property
    def content_octets(self) -> int:
        """How much content has been sent, as far as it can be told from what is around it."""
        return self.sent_octets - self.framing_octets

    def __str__(self) -> str:
        return f"{self.exchange.head.method} {self.exchange.request.request_path}"

    @property
    def missing(self) -> str:
        """What it lacks to be through, in words."""
        if not self.exchange.content.has_ended:
            return "its request is not whole"
        return "its response is not sent" if self.bridge.commands else "its handler runs"

    def log(self, outcome: str = "") -> None:
        """Log what came of it; *outcome* says what went wrong."""
        if not log.isEnabledFor(logging.INFO):
            return
        head = self.exchange.head
        log.info(
            "%s %s %s %s: %s, %d octets, %.1f ms%s",
            self.client,
            "HTTP/2" if head.version == "HTTP/2.0" else head.version,
            head.method,
            head.target.decode("latin-1"),
            # Of octets that a handler sent by hand, nobody but its writer knows the status.
            self.status or self.exchange.response.writer.status or "-",
            self.sent_octets,
            (time.monotonic() - self._began_s) * 1000,
            outcome and f", {outcome}",
        )
