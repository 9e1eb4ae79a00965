"""Router: patterns, methods, and which of several routes answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.inline import begin
from wptproto import Request, RouteError, Router, any_method
from wptproto.protocol.h1 import H1Connection


def request(method: str, target: str) -> Request:
    exchange, _ = begin(H1Connection(), f"{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode("latin-1"))
    return exchange.request


def handler(name: str) -> Any:
    def answer(request: object, response: object) -> str:
        return name

    answer.__name__ = name
    return answer


@pytest.mark.parametrize(
    ("pattern", "path", "match"),
    [
        ("/a", "/a", {}),
        ("a", "/a", {}),
        ("/a", "/a?query", {}),
        ("/a", "http://host/a", {}),
        ("/a", "/a/", None),
        ("/a.b", "/axb", None),
        ("/{x}", "/a%20b", {"x": "a%20b"}),
        ("/{x}", "/a/b", None),
        ("/{x}", "/", None),
        ("/{x}/{y}.html", "/1/2.html", {"x": "1", "y": "2"}),
        ("/*", "/", {"*": ""}),
        ("/*", "/a/b", {"*": "a/b"}),
        ("*", "/a/b", {"*": "a/b"}),
        ("*.py", "/a/b.py", {"*": "a/b"}),
        ("api/{resource}/*.json", "/api/test/test2/data.json", {"resource": "test", "*": "test2/data"}),
        ("/a\\*b\\{c\\}", "/a*b{c}", {}),
        ("/é", "/%C3%A9", None),
    ],
)
def test_pattern(pattern: str, path: str, match: dict[str, str] | None) -> None:
    """{name} matches within a segment, * all that is left, and what they matched is in route_match."""
    router = Router([("GET", pattern, handler("found"))])
    asked = request("GET", path)
    found = router.get_handler(asked)
    assert (found is not None) is (match is not None)
    if match is not None:
        assert asked.route_match == match


@pytest.mark.parametrize("pattern", ["/*/*", "/{x}/{x}", "/{", "/}", "/{a b}", "/{1}"])
def test_pattern_nonsense(pattern: str) -> None:
    """A pattern that makes no sense is an error that shows it."""
    with pytest.raises(RouteError, match=r"'/"):
        Router().register("GET", pattern, handler("x"))


def test_handler_nonsense() -> None:
    """What cannot be called is no handler."""
    with pytest.raises(RouteError, match="cannot be called"):
        Router().register("GET", "/", "text")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("methods", "method", "found"),
    [
        ("GET", "GET", True),
        ("GET", "HEAD", True),
        ("GET", "POST", False),
        ("POST", "HEAD", False),
        (["PUT", "POST"], "POST", True),
        (["PUT", "POST"], "GET", False),
        ("*", "BREW", True),
        (any_method, "GET", True),
        ("get", "GET", False),
    ],
)
def test_methods(methods: Any, method: str, found: bool) -> None:
    """A route is for a method, several, or any; GET answers HEAD. Methods have case (RFC 9110 §9.1)."""
    router = Router([(methods, "/", handler("x"))])
    assert (getattr(router.get_handler(request(method, "/")), "__name__", None) == "x") is found


@pytest.mark.parametrize(
    ("routes", "allowed"),
    [
        (["GET"], "GET, HEAD, OPTIONS"),
        (["HEAD"], "HEAD, OPTIONS"),
        (["PUT", "GET", "PUT"], "GET, HEAD, OPTIONS, PUT"),
        ([["DELETE", "PUT"], "GET"], "DELETE, GET, HEAD, OPTIONS, PUT"),
    ],
)
def test_method_not_allowed(routes: list[Any], allowed: str) -> None:
    """A path that has routes, but none for this method, is 405 with those it has (RFC 9110 §15.5.6)."""
    router = Router([(methods, "/", handler("x")) for methods in routes])
    assert router.get_handler(request("POST", "/other")) is None
    exchange, _ = begin(H1Connection(), b"POST / HTTP/1.1\r\nHost: a\r\n\r\n")
    found = router.get_handler(exchange.request)
    assert found is not None
    found(exchange.request, exchange.response)
    assert exchange.response.status == (405, None)
    assert exchange.response.headers["Allow"] == [allowed.encode()]
    assert "not for POST" in exchange.response.content


def test_which_answers() -> None:
    """Of the first routes the first answers; a later registration comes before all."""
    router = Router([("GET", "/a", handler("one")), ("GET", "/*", handler("two"))])
    assert router.get_handler(request("GET", "/a")).__name__ == "one"  # type: ignore[union-attr]
    router.register("GET", "/a", handler("three"))
    assert router.get_handler(request("GET", "/a")).__name__ == "three"  # type: ignore[union-attr]
    assert router.get_handler(request("GET", "/b")).__name__ == "two"  # type: ignore[union-attr]


def test_decorator() -> None:
    """The decorator registers a function and leaves it as it is."""
    router = Router()

    @router.route("GET", "/x/{y}")
    def decorated(request: object, response: object) -> str:
        return "result"

    assert decorated(None, None) == "result"
    assert router.get_handler(request("GET", "/x/1")) is decorated
