"""
The paths that people know from httpbin, so that programs and tests written for it find them here.

They have its names, parameters and JSON. They differ on purpose where it is not HTTP: an ETag has its
quotes, a range ends with what there is, Content-Range is a 206's, and a URL is told as it was sent; and where
it fails or guesses: what makes no sense is 400, with a sentence of what would.
"""

from __future__ import annotations

from wptproto.demo import (
    caching,
    codings,
    cookies,
    credentials,
    documents,
    images,
    inspecting,
    pacing,
    redirecting,
)
from wptproto.demo.family import Family
from wptproto.demo.sharing import shared
from wptproto.handlers.router import Route

__all__ = ["FAMILIES", "routes"]

FAMILIES = (
    Family("What came in", inspecting.ANSWERS),
    Family("Statuses and redirects", redirecting.ANSWERS),
    Family("Time, size and pieces", pacing.ANSWERS),
    Family("Conditions and fields", caching.ANSWERS),
    Family("Cookies", cookies.ANSWERS),
    Family("Credentials", credentials.ANSWERS),
    Family("Codings", codings.ANSWERS),
    Family("Documents and values", documents.ANSWERS),
    Family("Pictures", images.ANSWERS),
)


def routes() -> list[Route]:
    """Return the routes to all of them, for pages of every origin to read."""
    found: list[Route] = []
    for answer in (answer for family in FAMILIES for answer in family.answers):
        methods = (answer.methods,) if isinstance(answer.methods, str) else answer.methods
        found.append(((*methods, "OPTIONS"), answer.pattern, shared(methods, answer.handler)))
    return found
