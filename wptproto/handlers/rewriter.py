"""Rewriter: a request for one path is answered as if it had been for another."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from wptproto.errors import RouteError
from wptproto.exchange.request import Request
from wptproto.handlers.router import takes

__all__ = ["Rewrite", "Rewriter"]

log = logging.getLogger("wptproto.handlers")

Rewrite = tuple[str | Iterable[str], str, str]


class Rewriter:
    """
    Gives requests another path before they are routed, once, and leaves their query as it is.

    Of the rules given at first, the first that fits counts; one registered later comes before all
    earlier ones. What handlers see is the new path; the log of requests has what the client sent.
    """

    def __init__(self, rewrites: Iterable[Rewrite] = ()) -> None:
        self._rules: dict[str, list[tuple[frozenset[str], str]]] = {}
        for methods, path, new_path in reversed(list(rewrites)):
            self.register(methods, path, new_path)

    def register(self, methods: str | Iterable[str], path: str, new_path: str) -> None:
        """
        Put a rule before all others.

        Args:
            methods: One method or several; ``*`` is any. GET is HEAD, too.
            path: What the path, as received, has to be, to the letter.
            new_path: What it becomes, percent-encoded.

        Raises:
            RouteError: One of them is no path.
        """
        for wrong in (given for given in (path, new_path) if not _is_path(given)):
            raise RouteError(
                f"{wrong!r} is no path to rewrite; it begins with / and is what clients send, without a query"
            )
        wanted = frozenset([methods] if isinstance(methods, str) else methods)
        self._rules.setdefault(path, []).insert(0, (wanted, new_path))

    def rewrite(self, request: Request) -> None:
        """Give the request its new path, if there is a rule for it."""
        for methods, new_path in self._rules.get(request.path, ()):
            if takes(methods, request.method):
                log.debug("%s %s is answered as %s", request.method, request.request_path, new_path)
                request.rewrite_path(new_path)
                return


def _is_path(path: str) -> bool:
    """Whether these are octets that a path can have (RFC 9112 §3.2.1), or browsers give it all the same."""
    return path.startswith("/") and all("!" <= sign <= "~" and sign not in "?#" for sign in path)
