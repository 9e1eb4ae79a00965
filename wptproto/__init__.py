"""
wptproto: a server for testing HTTP clients.

It speaks HTTP/1.1 and HTTP/2, runs the same handler script on both, and puts on the wire exactly
what a test asks for, well formed or not.
"""

from __future__ import annotations

from wptproto.errors import (
    CertificateError,
    ConfigError,
    ExchangeClosed,
    HTTPException,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    RouteError,
    ScriptError,
    StashError,
    WptprotoError,
)
from wptproto.exchange.h1_writer import H1ResponseWriter
from wptproto.exchange.h2_writer import H2ResponseWriter
from wptproto.exchange.request import Request, RequestHeaders
from wptproto.exchange.response import Content, Response, ResponseHeaders, Status
from wptproto.exchange.writer import ResponseWriter
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
    # what goes wrong
    "WptprotoError",
    "ProtocolError",
    "LocalProtocolError",
    "RemoteProtocolError",
    "ExchangeClosed",
    "HTTPException",
    "ScriptError",
    "StashError",
    "RouteError",
    "CertificateError",
    "ConfigError",
    "__version__",
]
