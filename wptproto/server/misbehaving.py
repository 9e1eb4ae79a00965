"""Misbehaving: how a test says what is to go wrong on a server's connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wptproto.errors import FaultError, WaitError
from wptproto.server.speaking import Speaking

if TYPE_CHECKING:
    from wptproto.faults import Effect, Fault

__all__ = ["Misbehaving"]


class Misbehaving(Speaking):
    """A server whose connections go wrong as a test asks for."""

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

        Of several workers it is this process's next connection.

        Args:
            what: The effect, as ``reset`` or ``stall``; :mod:`wptproto.faults` has them all.
            arguments: Of the effect.
            at: The moment, as ``accepted`` or ``tls_hello``; the effect's own, where nothing is said.
            octet: During content: behind how many octets of it.
            times: With how many connections, one after the other; None is with each from now on.
            named: Of the effect.

        Raises:
            FaultError: There is no such fault, or it has no meaning over what this server speaks; or *times*
                is no such number.
        """
        from wptproto.faults import as_fault

        given: Any = times  # tests are not all typed
        if given is not None and (not isinstance(given, int) or given < 1):
            raise FaultError(
                f"fault: times is a number from 1 on, or None for each connection, not {times!r}"
            )
        found = as_fault(what, *arguments, at=at, octet=octet, **named)
        self._check_fault(found, None)
        self.misdeeds.add([(found, found.needs_tls)], times)

    def release(self) -> None:
        """Have all that a stall holds up go on, from any thread."""
        engine = self._engine
        if engine is not None:
            engine.release()

    def wait_for_stall(self, count: int = 1, *, timeout: float = 5.0) -> None:
        """
        Wait until so many faults hold something up.

        A stall that ends by itself, after some seconds, may have ended before anybody waits for it.

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

    # --- within --------------------------------------------------------------------------------

    def _check_fault(self, fault: Fault, protocol: str | None) -> None:
        kinds = self.speaks if protocol is None else self._kinds_of(protocol)
        protocols = {"HTTP/2" if kind in ("h2", "h2c") else "HTTP/1.1" for kind in kinds}
        are_tls = {kind in ("h1s", "h2") for kind in kinds}
        fault.check(
            protocol=protocols.pop() if len(protocols) == 1 else None,
            is_tls=are_tls.pop() if len(are_tls) == 1 else None,
        )
