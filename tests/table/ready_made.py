"""Handlers that need no script, and the routes that lead to them."""

from __future__ import annotations

from tests.table.case import Case, Field, Step, fails

__all__ = ["CASES"]

TEXT = (("Content-Type", "text/plain"),)


def basic(credentials: str) -> tuple[Field, ...]:
    return (("Authorization", f"Basic {credentials}"),)


CASES = [
    Case(
        "json",
        {},
        Step(
            path="/ready/json",
            fields=(("Content-Type", "application/json"),),
            says='{"method": "GET", "list": [1, null, "\\u00e9"]}',
        ),
        Step(
            path="/ready/json-with-status",
            status=201,
            fields=(("Content-Type", "application/json"), ("X-A", "1")),
            says='{"made": true}',
        ),
        Step(
            path="/ready/json-with-fields",
            fields=(("Content-Type", "application/json"), ("X-A", "1")),
            says='["a"]',
        ),
    ),
    Case("string", {}, Step(path="/ready/string", fields=(*TEXT, ("X-A", "1")), says="tëxt")),
    Case(
        "string through a pipe",
        {},
        Step(path="/ready/string?pipe=slice(0,1)", fields=(*TEXT, ("X-A", "1")), says="t"),
    ),
    Case(
        "static",
        {},
        Step(path="/ready/static", fields=(*TEXT, ("Cache-Control", "no-store")), says="Ada is 36, 100%\n"),
        Step(path="/ready/static-two", fields=TEXT, says="100%\n100%\n"),
    ),
    Case("error", {}, fails(418, path="/ready/error"), fails(500, path="/ready/error-500")),
    Case(
        "credentials",
        {},
        Step(path="/ready/secret", status=401, fields=(("WWW-Authenticate", "Basic"),)),
        Step(path="/ready/secret", headers=basic("dXNlcjpwYXNz"), fields=TEXT, says="in"),
        fails(403, "Invalid username or password", path="/ready/secret", headers=basic("dXNlcjp3cm9uZw==")),
        Step(path="/ready/anyone", status=401, fields=(("WWW-Authenticate", "Basic"),)),
        Step(path="/ready/anyone", headers=basic("eDp5"), fields=TEXT, says="in"),
        fails(400, path="/ready/secret", headers=(("Authorization", "Digest x"),)),
    ),
    Case(
        "route",
        {},
        Step(path="/ready/match/a/second/b%2Fc", says="[('first', 'a'), ('third', 'b%2Fc')]"),
        Step(path="/ready/star/a/b/c?d", says="[('*', 'b/c'), ('first', 'a')]"),
        Step(path="/ready/star/a/", says="[('*', ''), ('first', 'a')]"),
        fails(404, path="/ready/match/a/second/b/c"),
    ),
    Case(
        "method of a route",
        {},
        Step(path="/ready/post-only", method="POST", content=b"", says="[]"),
        fails(404, path="/ready/post-only"),
    ),
]
