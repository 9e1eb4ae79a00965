"""
Every exception of the package, in one place.

A caller asks first *whose* fault it was (:class:`LocalProtocolError` or
:class:`RemoteProtocolError`), then how far it reaches (its *exchange_id*, or
the whole connection).
"""

from __future__ import annotations

__all__ = [
    "WptprotoError",
    "ProtocolError",
    "LocalProtocolError",
    "RemoteProtocolError",
    "ExchangeClosed",
    "HTTPException",
    "NeedsHTTP2",
    "ScriptError",
    "PipeError",
    "FaultError",
    "WaitError",
    "UnmetExpectations",
    "StashError",
    "RouteError",
    "CertificateError",
    "ConfigError",
    "WireError",
]


class WptprotoError(Exception):
    """Base of all exceptions that this package defines."""


class ProtocolError(WptprotoError):
    """
    A message or a sequence of them that HTTP forbids.

    Attributes:
        reason: One sentence for the log, the content of a 400, a GOAWAY's debug data.
        exchange_id: The exchange it concerns; None means the whole connection.
    """

    def __init__(self, reason: str, *, exchange_id: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.exchange_id = exchange_id


class LocalProtocolError(ProtocolError):
    """We (a handler, or this package) asked for what the protocol cannot carry."""


class RemoteProtocolError(ProtocolError):
    """
    The peer broke the protocol.

    Attributes:
        status_hint: The status code that tells an HTTP/1.1 client (RFC 9110 §15.5).
        error_code: The code that tells an HTTP/2 client (RFC 9113 §7).
    """

    def __init__(
        self, reason: str, *, exchange_id: int | None = None, status_hint: int = 400, error_code: int = 1
    ) -> None:
        super().__init__(reason, exchange_id=exchange_id)
        self.status_hint = status_hint
        self.error_code = error_code


class ExchangeClosed(WptprotoError):
    """The exchange was reset, its connection is gone, or the server is stopping."""


class HTTPException(WptprotoError):
    """
    A handler chose to answer with a status instead of returning.

    Attributes:
        code: Status code, 100 to 999.
        message: What the JSON error shall say.
    """

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(f"{code} {message}".rstrip())
        self.code = code
        self.message = message


class NeedsHTTP2(HTTPException, AttributeError):
    """
    A handler asked for what only HTTP/2 has, of a request that came over HTTP/1.1.

    It answers 505 (RFC 9110 §15.6.6). As there is no such attribute, ``hasattr`` is false.
    """

    def __init__(self, what: str) -> None:
        super().__init__(505, f"{what} needs HTTP/2, and this request came over HTTP/1.1")


class ScriptError(WptprotoError):
    """A handler script could not be loaded, or has no ``main``."""


class PipeError(WptprotoError):
    """A pipe, or a substitution in a template, is wrong; the text says which, where, and how to mend it."""


class FaultError(WptprotoError):
    """A fault was asked for that there is not, or that has no meaning where it was asked for."""


class WaitError(WptprotoError, AssertionError):
    """What a test waited for did not come in time; the text says what came instead."""


class UnmetExpectations(WptprotoError, AssertionError):
    """What a test expected of its client did not come, or something else did; the text lists it all."""


class StashError(WptprotoError):
    """A handler put a value into the stash where there is one; the text says its key and path."""


class RouteError(WptprotoError):
    """A route's method or pattern makes no sense."""


class CertificateError(WptprotoError):
    """Certificate files could not be made, read, or do not fit each other."""


class ConfigError(WptprotoError):
    """A setting of the server or the command line is wrong; the text says which."""


class WireError(WptprotoError, AssertionError):
    """
    What a test awaited of a client, on a connection that it drives itself, did not come; the text says what
    did.

    It is an AssertionError, too, so that a test fails by it.
    """
