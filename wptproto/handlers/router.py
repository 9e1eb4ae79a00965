"""Router: a method and a path pattern lead to a handler."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from wptproto.errors import RouteError
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.unrouted import REGISTERED, MethodNotAllowed, NotImplementedMethod, Options

__all__ = ["Handler", "Route", "Router", "any_method", "compile_pattern", "literal", "matched", "takes"]

Handler = Callable[[Request, Response], Any]
Route = tuple[str | Iterable[str], str, Handler]
H = TypeVar("H", bound=Callable[..., Any])

any_method = "*"
"""In the place of a method: every one."""

_TOKEN = re.compile(r"\{(?P<name>\w+)\}|(?P<star>\*)|\\(?P<escaped>.)|(?P<literal>[^{}*\\]+)")


def literal(path: str) -> str:
    """Return the pattern that a path alone matches."""
    return re.sub(r"([{}*\\])", r"\\\1", path)


def takes(methods: frozenset[str], method: str) -> bool:
    """Whether a method is one of those; GET is HEAD, too, and any is not CONNECT, which opens a tunnel."""
    if method == "CONNECT":
        return method in methods
    return method in methods or any_method in methods or (method == "HEAD" and "GET" in methods)


class Router:
    """
    Finds the handler for a request.

    A pattern is literal text in which ``{name}`` matches within one path segment, and at most one
    ``*`` matches all that is left; ``\\`` takes the meaning from what follows it. What they matched
    is in ``request.route_match``. Of the routes given at first, the first that matches answers; one
    registered later comes before all earlier ones.
    """

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._routes: list[tuple[frozenset[str], re.Pattern[str], Handler]] = []
        for methods, pattern, handler in reversed(list(routes)):
            self.register(methods, pattern, handler)

    def register(self, methods: str | Iterable[str], pattern: str, handler: Handler) -> None:
        """
        Put a route before all others.

        Args:
            methods: One method or several; ``*`` is any but CONNECT. GET answers HEAD, too.
            pattern: What the path, as received, has to be; a leading ``/`` may be left out. CONNECT has
                no path, and is for ``/``.
            handler: Called with the request and the response.

        Raises:
            RouteError: The pattern or the handler makes no sense.
        """
        if not callable(handler):
            raise RouteError(f"the handler for {pattern!r} cannot be called: {handler!r}")
        wanted = frozenset([methods] if isinstance(methods, str) else methods)
        self._routes.insert(0, (wanted, compile_pattern(pattern), handler))

    def route(self, methods: str | Iterable[str], pattern: str | None = None) -> Callable[[H], H]:
        """Return a decorator that registers a handler, and leaves it as it is; without methods, for any."""
        if pattern is None:
            if not isinstance(methods, str) or not methods.startswith("/"):
                raise RouteError(
                    f"route({methods!r}) names no path; say route('/path'), or route(methods, '/path')"
                )
            methods, pattern = any_method, methods

        def decorate(handler: H) -> H:
            self.register(methods, pattern, handler)
            return handler

        return decorate

    def get_handler(self, request: Request) -> Handler | None:
        """
        Return the handler for a request, and set ``request.route_match``.

        Where no route takes it, that is one which says why; where none matches the path, None.
        """
        method = request.method
        path = request.path if method != "CONNECT" else "/"
        others: set[str] = set()
        for methods, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            if takes(methods, method):
                request.route_match = matched(match)
                return handler
            others |= methods
        return self._without_route(method, path, others)

    def _without_route(self, method: str, path: str, others: set[str]) -> Handler | None:
        """Return what answers for a path that has routes only for *others*."""
        known = REGISTERED - {"CONNECT"} | {name for methods, _, _ in self._routes for name in methods}
        if method not in known:
            return NotImplementedMethod()
        if method == "OPTIONS" and path == "*":
            return Options(known - {any_method})
        if not others:
            return None
        return Options(others) if method == "OPTIONS" else MethodNotAllowed(others)


_STAR_GROUP = "_star_"


def matched(match: re.Match[str]) -> dict[str, str]:
    """Return what each part of a pattern has matched, ``*`` among them."""
    groups = match.groupdict()
    if not groups:
        return groups
    return {"*" if name == _STAR_GROUP else name: value for name, value in groups.items()}


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """
    Return what matches the paths that a pattern stands for, from end to end.

    Raises:
        RouteError: It makes no sense.
    """
    text = pattern if pattern.startswith("/") else "/" + pattern
    parts: list[str] = []
    names: set[str] = set()
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise RouteError(
                f"{pattern!r}: a lone {text[position]!r} at {position}; names stand in {{braces}}"
            )
        position = token.end()
        if token["star"]:
            if _STAR_GROUP in names:
                raise RouteError(f"{pattern!r}: only one * can match the rest of a path")
            names.add(_STAR_GROUP)
            parts.append(f"(?P<{_STAR_GROUP}>.*)")
        elif token["name"]:
            name = token["name"]
            if name in names or not name.isidentifier():
                raise RouteError(f"{pattern!r}: {{{name}}} is there twice, or is no name")
            names.add(name)
            parts.append(f"(?P<{name}>[^/]+)")
        else:
            parts.append(re.escape(token["escaped"] or token["literal"]))
    return re.compile("".join(parts), re.DOTALL)
