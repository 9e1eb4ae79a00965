"""What answers a request that no route takes, or that is not for this server at all."""

from __future__ import annotations

from collections.abc import Iterable, Set

from wptproto.exchange.request import Request
from wptproto.exchange.response import Response

__all__ = ["REGISTERED", "MethodNotAllowed", "Misdirected", "NotImplementedMethod", "Options", "allowed"]

REGISTERED = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
"""Methods that every server knows of (RFC 9110 §9.1, RFC 5789)."""


def allowed(methods: Iterable[str]) -> str:
    """Return Allow, for what takes these methods: GET is HEAD, too, and OPTIONS is always answered."""
    found = {*methods, "OPTIONS"}
    return ", ".join(sorted(found | {"HEAD"} if "GET" in found else found))


class MethodNotAllowed:
    """Answers for a path that other methods have a route to (RFC 9110 §15.5.6)."""

    def __init__(self, methods: Set[str]) -> None:
        self._allowed = allowed(methods)

    def __call__(self, request: Request, response: Response) -> None:
        response.set_error(405, f"{request.path} is for {self._allowed}, and not for {request.method}")
        response.headers.set("Allow", self._allowed)


class Options:
    """Tells which methods a path has, or ``*``, the whole server (RFC 9110 §9.3.7)."""

    def __init__(self, methods: Set[str]) -> None:
        self._allowed = allowed(methods)

    def __call__(self, request: Request, response: Response) -> None:
        response.status = 204
        response.headers.set("Allow", self._allowed)


class NotImplementedMethod:
    """
    Answers where no route at all takes a method that is not registered, or CONNECT.

    "This is the appropriate response when the server does not recognize the request method and is not
    capable of supporting it for any resource" (RFC 9110 §15.6.2).
    """

    def __call__(self, request: Request, response: Response) -> None:
        response.set_error(501, f"no route takes the method {request.method}")


class Misdirected:
    """
    Answers a request for a scheme that is not this connection's.

    RFC 9110 §7.4: "a request for an "https" resource MUST be rejected unless it has been received over a
    connection that has been secured". For other schemes than these two there is nobody here (§15.5.20).
    """

    def __call__(self, request: Request, response: Response) -> None:
        scheme = request.head.scheme.decode("latin-1")
        response.set_error(421, f"this connection is not for {scheme} (see: lenient, scheme)")
