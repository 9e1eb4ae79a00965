"""What lets pages of every origin read an answer, as httpbin does: CORS (Fetch Standard §3.2)."""

from __future__ import annotations

import functools
from typing import Any

from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.router import Handler, any_method
from wptproto.handlers.unrouted import REGISTERED, Options

__all__ = ["shared"]

_METHODS = "GET, POST, PUT, DELETE, PATCH, OPTIONS"
_KEPT_S = 3600


def shared(methods: tuple[str, ...], handler: Handler) -> Handler:
    """
    Return a handler that answers as another does, errors too, for pages of every origin; and OPTIONS before.

    Args:
        methods: What the other answers to.
        handler: The other: plain, and leaving the response to be sent to others.
    """
    options = Options(REGISTERED - {"CONNECT"} if any_method in methods else frozenset(methods))

    @functools.wraps(handler)
    def handle(request: Request, response: Response) -> Any:
        returned = None
        if request.method == "OPTIONS":
            _answer_preflight(options, request, response)
        else:
            try:
                returned = handler(request, response)
            except HTTPException as error:
                response.set_error(error.code, error.message)
        if "Access-Control-Allow-Origin" not in response.headers:
            origin = request.headers.get("origin")
            response.headers.set("Access-Control-Allow-Origin", origin or "*")
            if origin is not None:
                response.headers.append("Vary", "Origin")
            response.headers.set("Access-Control-Allow-Credentials", "true")
        return returned

    return handle


def _answer_preflight(options: Options, request: Request, response: Response) -> None:
    """Tell what the path takes, and a page that asks before it sends (§3.2.2) that it may."""
    options(request, response)
    response.headers.set("Access-Control-Allow-Methods", _METHODS)
    response.headers.set("Access-Control-Max-Age", _KEPT_S)
    wanted = request.headers.get("access-control-request-headers")
    if wanted is not None:
        response.headers.set("Access-Control-Allow-Headers", wanted)
