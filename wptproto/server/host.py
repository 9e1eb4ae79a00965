"""Host: what a connection's driver needs of the server it belongs to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, TypeVar

from wptproto.exchange.exchange import Exchange, Surroundings
from wptproto.handlers.router import Handler
from wptproto.protocol.rules import Rules
from wptproto.server.bridge import LoopBridge
from wptproto.server.observer import Observer
from wptproto.server.stalls import Stalls

if TYPE_CHECKING:
    from wptproto.faults import Fault

__all__ = ["Host"]


D = TypeVar("D", contravariant=True)


class Host(Protocol[D]):
    """What a driver, of type D, needs of the server it belongs to."""

    loop: asyncio.AbstractEventLoop
    rules: Rules
    stalls: Stalls

    def attach(self, driver: D) -> None:
        """Take note of a new connection."""

    def detach(self, driver: D) -> None:
        """Take note that a connection is gone."""

    def take_faults(self, *, is_tls: bool) -> list[Fault]:
        """Return what is to go wrong with a new connection."""

    def find_handler(self, exchange: Exchange) -> Handler | None:
        """Return the handler that an exchange is for, None if there is none."""

    def start_exchange(self, exchange: Exchange, handler: Handler | None, bridge: LoopBridge) -> None:
        """Have the exchange's handler run, soon, or on another thread; the bridge is the exchange's."""

    def is_behind(self) -> bool:
        """Whether handlers that were called wait to run, and will soon."""

    def post(self, driver: D, bridge: LoopBridge) -> None:
        """From any thread: have the driver serve the bridge, soon, on the loop's."""

    def surroundings(self, scheme: str, client: tuple[str, int], server: tuple[str, int]) -> Surroundings:
        """Return what an exchange of such a connection knows beyond its message."""

    def observe(self, client: tuple[str, int], here: tuple[str, int], *, is_tls: bool) -> Observer | None:
        """Return who observes a new connection, None if nobody does."""
