"""wptserve.router: ours, made with the document root, as wptserve has it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.router import Handler, Route, any_method
from wptproto.handlers.router import Router as OurRouter

__all__ = ["Router", "any_method"]


class Router(OurRouter):
    """
    Finds the handler for a request.

    Attributes:
        doc_root: The directory that is served, as it was given.
    """

    def __init__(self, doc_root: str | Path, routes: Iterable[Route]) -> None:
        """
        Args:
            doc_root: The directory that is served.
            routes: Methods, pattern and handler of each.
        """
        super().__init__(routes)
        self.doc_root = doc_root

    def register(self, methods: str | Iterable[str], pattern: str, handler: Any) -> None:
        """
        Put a route before all others.

        Args:
            methods: One method or several; ``*`` is any. GET answers HEAD, too.
            pattern: What the path has to be.
            handler: Called with the request and the response; or it has a ``frame_handler(request)`` that
                returns what is.

        Raises:
            RouteError: The pattern or the handler makes no sense.
        """
        if not callable(handler) and hasattr(handler, "frame_handler"):
            handler = _by_frame_handler(handler)
        super().register(methods, pattern, handler)


def _by_frame_handler(maker: Any) -> Handler:
    def handle(request: Request, response: Response) -> Any:
        return maker.frame_handler(request)(request, response)

    return handle
