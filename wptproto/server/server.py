"""Server: what a test says to a running server, and what it asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wptproto.errors import WaitError
from wptproto.server.base import BaseServer

if TYPE_CHECKING:
    from wptproto.faults import Effect, Fault

__all__ = ["Server"]


class Server(BaseServer):
    """
    A server for tests.

    Its settings and its life are :class:`~wptproto.server.base.BaseServer`'s.
    """

    # --- what goes wrong ------------------------------------------------------------------------

    def fault(
        self,
        what: str | Effect | Fault,
        *arguments: Any,
        at: str | None = None,
        octet: int | None = None,
        times: int | None = 1,
        **named: Any,
    ) -> None:
        """
        Have something go wrong with the next connection, or with its first exchange.

        Args:
            what: The effect, as ``reset`` or ``stall``; :mod:`wptproto.faults` has them all.
            arguments: Of the effect.
            at: The moment, as ``accepted`` or ``tls_hello``; the effect's own, where nothing is said.
            octet: During content: behind how many octets of it.
            times: With how many connections, one after the other; None is with each from now on.
            named: Of the effect.

        Raises:
            FaultError: There is no such fault, or it has no meaning over what this server speaks.
        """
        from wptproto.faults import Moment, as_fault

        found = as_fault(what, *arguments, at=at, octet=octet, **named)
        found.check(protocol=self._only_protocol, is_tls=self._only_tls)
        needs_tls = found.at is Moment.TLS_HELLO or found.effect.needs == "TLS"
        self.misdeeds.add([(found, needs_tls)], times)

    def release(self) -> None:
        """Have all that a stall holds up go on, from any thread."""
        engine = self._engine
        if engine is not None:
            engine.release()

    def wait_for_stall(self, count: int = 1, *, timeout: float = 5.0) -> None:
        """
        Wait until so many faults hold something up.

        Args:
            count: How many.
            timeout: For how many seconds at the most.

        Raises:
            WaitError: The time is over, or the server stopped; says how many there are.
        """
        engine = self._engine
        found = engine.stalls.wait(count, timeout) if engine is not None else 0
        if found < count:
            why = "the server does not run" if self._engine is None else f"within {timeout} s"
            raise WaitError(f"{found} of {count} stalls began ({why}); server.dump() says what goes on")

    @property
    def _only_protocol(self) -> str | None:
        """What all ports speak; None where some of them speak another protocol."""
        if not self._wanted_ports["http"] and not self._wanted_ports["https"]:
            return "HTTP/2"
        if not self._wanted_ports["http"] and not self._wanted_ports["h2"] and self._alpn == ("h2",):
            return "HTTP/2"
        return None

    @property
    def _only_tls(self) -> bool | None:
        """Whether all ports speak TLS, or none; None where some do."""
        secure = bool(self._wanted_ports["https"] or self._wanted_ports["h2"])
        return None if secure and self._wanted_ports["http"] else secure
