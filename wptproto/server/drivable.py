"""Drivable: how a connection comes to a test that drives it by hand."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Unpack, overload

from wptproto.errors import ConfigError
from wptproto.server.base import BaseServer
from wptproto.server.by_hand import ByHand

if TYPE_CHECKING:
    from wptproto.server.accepting import Acceptance, Door
    from wptproto.server.tls_terms import TlsTerms
    from wptproto.wire.asynchronous import AsyncH1Wire, AsyncH2Wire
    from wptproto.wire.h1 import H1Wire
    from wptproto.wire.h2 import H2Wire
    from wptproto.wire.options import H2Keywords
    from wptproto.wire.policies import Policy

__all__ = ["Drivable"]


class Drivable(BaseServer):
    """A server whose connections a test can have for itself."""

    @overload
    def accept(
        self,
        protocol: Literal["h2", "h2c"],
        *,
        timeout: float = 5.0,
        port: int | None = None,
        alpn: Sequence[str] | None = None,
        violations: Policy = "checked",
        **options: Unpack[H2Keywords],
    ) -> H2Wire: ...

    @overload
    def accept(
        self,
        protocol: Literal["h1", "h1s"],
        *,
        timeout: float = 5.0,
        port: int | None = None,
        alpn: Sequence[str] | None = None,
        violations: Policy = "checked",
    ) -> H1Wire: ...

    def accept(
        self,
        protocol: Literal["h1", "h1s", "h2", "h2c"],
        *,
        timeout: float = 5.0,
        port: int | None = None,
        alpn: Sequence[str] | None = None,
        violations: Policy = "checked",
        **options: Unpack[H2Keywords],
    ) -> H1Wire | H2Wire:
        """
        Wait for a connection, and return it for the test to drive: no handler answers it.

        Of a server that was made with ``by_hand=True`` these are all connections, each as soon as somebody
        accepts it; else the next one that comes after the call.

        Args:
            protocol: ``h1`` and ``h2c`` come to the HTTP port, ``h1s`` and ``h2`` to those with TLS, whose
                ALPN offers that protocol alone.
            timeout: How many seconds to wait for the connection, its TLS and its preface; and the default
                for whatever is awaited on it.
            port: One of several; None is any that speaks the protocol.
            alpn: What is offered by ALPN, best first, if that is to be something else; maybe nothing.
            violations: What comes of what the client does wrong, beside that it is recorded: ``checked``,
                leaving the connection's ``with`` block fails; ``allowed``, nothing; ``fatal``, the
                connection ends at once, and the test fails.
            options: Of HTTP/2: *settings* to announce, by name or number, None to withhold them;
                *acknowledge_settings* and *answer_pings*, False to leave that to the test; *windows*, what
                is given back of them, ``open`` for all, ``withheld`` for nothing, or so many octets at a
                time; *preface*, False to leave the client's to the test.

        Raises:
            WireError: None comes, or it does not speak the protocol; says what came instead.
            ConfigError: An argument makes no sense, or the server has no such port, or does not listen.
            ExchangeClosed: The server stops meanwhile.
        """
        return self._acceptance(protocol, timeout, port, alpn, violations, options).run()

    @overload
    async def accept_async(
        self,
        protocol: Literal["h2", "h2c"],
        *,
        timeout: float = 5.0,  # noqa: ASYNC109 -- as accept() has it
        port: int | None = None,
        alpn: Sequence[str] | None = None,
        violations: Policy = "checked",
        **options: Unpack[H2Keywords],
    ) -> AsyncH2Wire: ...

    @overload
    async def accept_async(
        self,
        protocol: Literal["h1", "h1s"],
        *,
        timeout: float = 5.0,  # noqa: ASYNC109 -- as accept() has it
        port: int | None = None,
        alpn: Sequence[str] | None = None,
        violations: Policy = "checked",
    ) -> AsyncH1Wire: ...

    async def accept_async(
        self,
        protocol: Literal["h1", "h1s", "h2", "h2c"],
        *,
        timeout: float = 5.0,  # noqa: ASYNC109 -- as accept() has it
        port: int | None = None,
        alpn: Sequence[str] | None = None,
        violations: Policy = "checked",
        **options: Unpack[H2Keywords],
    ) -> AsyncH1Wire | AsyncH2Wire:
        """
        Wait for a connection as :meth:`accept` does; each of its verbs is a coroutine.

        It works under asyncio and trio, and nothing blocks their loops.
        """
        from wptproto.wire.asynchronous import AsyncH1Wire, AsyncH2Wire, in_thread
        from wptproto.wire.h1 import H1Wire

        acceptance = self._acceptance(protocol, timeout, port, alpn, violations, options)
        wire = await in_thread(acceptance.run, acceptance.cancel, acceptance.discard)
        return AsyncH1Wire(wire) if isinstance(wire, H1Wire) else AsyncH2Wire(wire)

    def server_context(self, alpn: Sequence[str] = ()) -> ssl.SSLContext:
        """
        Return a context with this server's certificate, for one connection that comes to speak TLS.

        Args:
            alpn: What it offers, best first.

        Raises:
            CertificateError: There is no usable certificate.
        """
        return self._terms_for(alpn).context

    def _acceptance(
        self,
        protocol: str,
        timeout_s: float,
        port: int | None,
        alpn: Sequence[str] | None,
        violations: Policy,
        options: H2Keywords,
    ) -> Acceptance:
        from wptproto.server.accepting import Acceptance, checked_options

        checked = checked_options(protocol, violations, options)
        return Acceptance(self._door(protocol, port), protocol, timeout_s, alpn, violations, checked)

    def _door(self, protocol: str, port: int | None) -> Door:
        from wptproto.server.accepting import OVER_TLS, Door

        engine = self._engine
        if engine is None:
            raise ConfigError("the server does not run, so there is no connection to accept")
        spoken = {"h1s": self.https_ports, "h2": (*self.https_ports, *self.h2_ports)}
        ports = spoken[protocol] if protocol in OVER_TLS else self.http_ports
        if not ports or port not in (None, *ports):
            where = "has no port" if port is None else f"does not listen on port {port}"
            raise ConfigError(f"the server {where} for {protocol}, which comes to {_kind(protocol)}")
        if engine.by_hand is None:
            engine.by_hand = ByHand(parks=False)
        wanted = ports if port is None else (port,)

        def answered() -> int:
            return sum(engine.answered.get(port, 0) for port in wanted)

        return Door(engine.by_hand, wanted, answered, self._terms_for, engine.observe_by_hand)

    def _terms_for(self, protocols: Sequence[str]) -> TlsTerms:
        terms = self._credentials.terms({"https": protocols})["https"]
        assert terms is not None, "it speaks TLS"
        return terms


def _kind(protocol: str) -> str:
    """Return what ports a protocol comes to, in words."""
    return {"h1s": "an HTTPS port", "h2": "an HTTPS port or one for h2 alone"}.get(protocol, "an HTTP port")
