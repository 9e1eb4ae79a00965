"""
wptproto: a server for testing HTTP clients.

It speaks HTTP/1.1 and HTTP/2, runs the same handler script on both, and puts on the wire exactly
what a test asks for, well formed or not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wptproto.errors import (
        CertificateError,
        ConfigError,
        ExchangeClosed,
        FaultError,
        HTTPException,
        LocalProtocolError,
        ProtocolError,
        RemoteProtocolError,
        RouteError,
        ScriptError,
        StashError,
        UnmetExpectations,
        WaitError,
        WireError,
        WptprotoError,
    )
    from wptproto.exchange.h1_writer import H1ResponseWriter
    from wptproto.exchange.h2_writer import H2ResponseWriter
    from wptproto.exchange.request import Request, RequestHeaders
    from wptproto.exchange.response import Content, Response, ResponseHeaders, Status
    from wptproto.exchange.writer import ResponseWriter
    from wptproto.expectations.expectations import Expectation, Mismatch
    from wptproto.handlers.ready_made import (
        BasicAuthHandler,
        ErrorHandler,
        StaticHandler,
        StringHandler,
        json_handler,
    )
    from wptproto.handlers.router import Handler, Route, Router, any_method
    from wptproto.limits import Limits
    from wptproto.protocol.rules import Leniency
    from wptproto.protocol.tls_state import TlsState
    from wptproto.semantics.priority import Priority
    from wptproto.server.exchange_record import ExchangeRecord
    from wptproto.server.records import (
        ConnectionRecord,
        Recording,
        ResponseRecord,
        Violation,
    )
    from wptproto.server.server import Server
    from wptproto.version import __version__

__all__ = [
    # to run
    "Server",
    "Router",
    "any_method",
    "Limits",
    "Leniency",
    # what handlers see
    "Request",
    "RequestHeaders",
    "Priority",
    "Response",
    "ResponseHeaders",
    "ResponseWriter",
    "H1ResponseWriter",
    "H2ResponseWriter",
    # handlers ready made
    "json_handler",
    "StringHandler",
    "StaticHandler",
    "ErrorHandler",
    "BasicAuthHandler",
    # for type hints
    "Handler",
    "Route",
    "Content",
    "Status",
    # what tests find
    "Recording",
    "ConnectionRecord",
    "ExchangeRecord",
    "ResponseRecord",
    "TlsState",
    "Violation",
    "Expectation",
    "Mismatch",
    # what goes wrong
    "WptprotoError",
    "ProtocolError",
    "LocalProtocolError",
    "RemoteProtocolError",
    "ExchangeClosed",
    "FaultError",
    "WaitError",
    "HTTPException",
    "ScriptError",
    "StashError",
    "RouteError",
    "CertificateError",
    "ConfigError",
    "UnmetExpectations",
    "WireError",
    "__version__",
]

# Where the names are; they are imported when asked for, so that nobody waits for those that others need.
_HOMES = {
    "wptproto.errors": (
        "CertificateError",
        "ConfigError",
        "ExchangeClosed",
        "FaultError",
        "HTTPException",
        "LocalProtocolError",
        "ProtocolError",
        "RemoteProtocolError",
        "RouteError",
        "ScriptError",
        "StashError",
        "UnmetExpectations",
        "WaitError",
        "WireError",
        "WptprotoError",
    ),
    "wptproto.exchange.h1_writer": ("H1ResponseWriter",),
    "wptproto.exchange.h2_writer": ("H2ResponseWriter",),
    "wptproto.exchange.request": (
        "Request",
        "RequestHeaders",
    ),
    "wptproto.exchange.response": (
        "Content",
        "Response",
        "ResponseHeaders",
        "Status",
    ),
    "wptproto.exchange.writer": ("ResponseWriter",),
    "wptproto.handlers.ready_made": (
        "BasicAuthHandler",
        "ErrorHandler",
        "StaticHandler",
        "StringHandler",
        "json_handler",
    ),
    "wptproto.handlers.router": (
        "Handler",
        "Route",
        "Router",
        "any_method",
    ),
    "wptproto.limits": ("Limits",),
    "wptproto.protocol.rules": ("Leniency",),
    "wptproto.protocol.tls_state": ("TlsState",),
    "wptproto.semantics.priority": ("Priority",),
    "wptproto.expectations.expectations": ("Expectation", "Mismatch"),
    "wptproto.server.exchange_record": ("ExchangeRecord",),
    "wptproto.server.records": (
        "ConnectionRecord",
        "Recording",
        "ResponseRecord",
        "Violation",
    ),
    "wptproto.server.server": ("Server",),
    "wptproto.version": ("__version__",),
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import what a public name stands for, when it is first asked for (PEP 562)."""
        home = next((home for home, names in _HOMES.items() if name in names), None)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(home), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
