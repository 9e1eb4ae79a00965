"""The table's handlers that are no scripts, made of what either server offers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["routes"]

Route = tuple[str, str, Any]


def as_dict(request: Any, response: Any) -> Any:
    return {"method": request.method, "list": [1, None, "é"]}


def with_status(request: Any, response: Any) -> Any:
    return 201, [("X-A", "1")], {"made": True}


def with_fields(request: Any, response: Any) -> Any:
    return [("X-A", "1")], ["a"]


def matched(request: Any, response: Any) -> Any:
    return repr(sorted(request.route_match.items()))


def routes(handlers: Any, root: str) -> list[Route]:
    """
    Return routes to ready-made handlers.

    Args:
        handlers: Who has json_handler, handler, StringHandler, StaticHandler, ErrorHandler, BasicAuthHandler.
        root: A directory for the file of StaticHandler.
    """
    static = Path(root, "static-handler.txt")
    static.write_text("%(name)s is %(age)d, 100%%\n", encoding="utf-8")
    plain = Path(root, "static-plain.txt")
    plain.write_text("100%\n", encoding="utf-8")
    return [
        ("GET", "/ready/json", handlers.json_handler(as_dict)),
        ("GET", "/ready/json-with-status", handlers.json_handler(with_status)),
        ("GET", "/ready/json-with-fields", handlers.json_handler(with_fields)),
        ("GET", "/ready/string", handlers.StringHandler("tëxt", "text/plain", X_A="1")),
        (
            "GET",
            "/ready/static",
            handlers.StaticHandler(
                str(static), {"name": "Ada", "age": 36}, "text/plain", Cache_Control="no-store"
            ),
        ),
        ("GET", "/ready/static-two", handlers.StaticHandler([str(plain), str(plain)], None, "text/plain")),
        ("GET", "/ready/error", handlers.ErrorHandler(418)),
        ("GET", "/ready/error-500", handlers.ErrorHandler(500)),
        (
            "GET",
            "/ready/secret",
            handlers.BasicAuthHandler(handlers.StringHandler("in", "text/plain"), b"user", b"pass"),
        ),
        (
            "GET",
            "/ready/anyone",
            handlers.BasicAuthHandler(handlers.StringHandler("in", "text/plain"), None, None),
        ),
        ("GET", "/ready/match/{first}/second/{third}", handlers.handler(matched)),
        ("GET", "/ready/star/{first}/*", handlers.handler(matched)),
        ("POST", "/ready/post-only", handlers.handler(matched)),
    ]
