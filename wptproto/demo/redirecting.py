"""Statuses, whichever are asked for, and redirects."""

from __future__ import annotations

import random
from string import ascii_letters, digits, punctuation
from urllib.parse import quote_from_bytes

from wptproto.demo.arguments import number, parameter, segment, text_of
from wptproto.demo.family import Answer
from wptproto.demo.report import url_for
from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.router import any_method

__all__ = ["ANSWERS", "REALM", "redirect_to_path"]

REALM = "Fake Realm"
"""Of all credentials that are asked for, as httpbin calls it."""

MOST_REDIRECTS = 1000

_VISIBLE = ascii_letters + digits + punctuation
_LOCATION = ("Location", "/redirect/1")
_FIELDS = {
    **dict.fromkeys((301, 302, 303, 305, 307, 308), _LOCATION),
    401: ("WWW-Authenticate", f'Basic realm="{REALM}"'),
    405: ("Allow", "OPTIONS"),  # RFC 9110 §15.5.6 wants it, and which methods those are is not asked
    407: ("Proxy-Authenticate", f'Basic realm="{REALM}"'),
    418: ("X-More-Info", "http://tools.ietf.org/html/rfc2324"),
}
"""What is sent with a status."""


def status(request: Request, response: Response) -> str:
    """Answer with a status from 200 to 999; of several (``200:3,500``) with one by chance and weight."""
    choices = [_weighted(choice) for choice in segment(request, "codes").split(",")]
    weights = [weight for _, weight in choices]
    if not sum(weights):
        raise HTTPException(400, "of several statuses one has a weight of more than 0")
    [(code, _)] = random.choices(choices, weights)  # noqa: S311  # no secret
    response.status = code
    if code in _FIELDS:
        response.headers.set(*_FIELDS[code])
    if code != 418:
        return ""
    response.headers.set("Content-Type", "text/plain")
    return "I am a teapot.\n"


def _weighted(choice: str) -> tuple[int, float]:
    code, colon, weight = choice.partition(":")
    return (
        number(int, "status", code, 200, 999),
        number(float, "a status's weight", weight, 0, 1_000_000) if colon else 1,
    )


def redirect(request: Request, response: Response) -> str:
    """Redirect n times, 1000 at the most, and then to /get; with ``?absolute=true`` by whole URLs."""
    count = number(int, "n", segment(request, "n"), 0, MOST_REDIRECTS)
    if not count:
        response.headers.set("Content-Type", "text/plain")
        return "There you are.\n"
    if parameter(request, "absolute").lower() == "true":
        return _onwards(request, response, "/absolute-redirect", count, absolute=True)
    return _onwards(request, response, "/relative-redirect", count)


def relative_redirect(request: Request, response: Response) -> str:
    """Redirect n times by paths, and then to /get."""
    count = number(int, "n", segment(request, "n"), 1, MOST_REDIRECTS)
    return _onwards(request, response, "/relative-redirect", count)


def absolute_redirect(request: Request, response: Response) -> str:
    """Redirect n times by whole URLs, and then to /get."""
    count = number(int, "n", segment(request, "n"), 1, MOST_REDIRECTS)
    return _onwards(request, response, "/absolute-redirect", count, absolute=True)


def redirect_to(request: Request, response: Response) -> str:
    """Redirect to the ``url`` of the query or the form, with 302 or, from 300 to 399, its ``status_code``."""
    url = _given(request, b"url")
    if not url:
        raise HTTPException(400, "url is where to redirect to, and there is none in the query or a form")
    code = number(int, "status_code", text_of(_given(request, b"status_code") or b"302"), 300, 399)
    response.status = code
    response.headers.set("Location", quote_from_bytes(url, _VISIBLE))
    return ""


def _given(request: Request, name: bytes) -> bytes:
    """Return a value of the query, or else of the form that was sent; none where it has none."""
    value = request.GET.get(name) or request.POST.get(name, b"")
    return value if isinstance(value, bytes) else b"" if value is None else value.value


def _onwards(request: Request, response: Response, path: str, count: int, *, absolute: bool = False) -> str:
    """Redirect to where so many redirects less are left; to /get, where none is."""
    return redirect_to_path(
        request, response, f"{path}/{count - 1}" if count > 1 else "/get", absolute=absolute
    )


def redirect_to_path(request: Request, response: Response, path: str, *, absolute: bool = False) -> str:
    """Make a response a 302 to a path on this server, and return a line that says so."""
    location = url_for(request, path) if absolute else path
    response.status = 302
    response.headers.set("Location", location)
    response.headers.set("Content-Type", "text/plain")
    return f"It is at {location}\n"


ANSWERS = (
    Answer(any_method, "/status/{codes}", status, link="/status/418"),
    Answer(any_method, "/redirect/{n}", redirect, link="/redirect/3"),
    Answer("GET", "/relative-redirect/{n}", relative_redirect, link="/relative-redirect/3"),
    Answer("GET", "/absolute-redirect/{n}", absolute_redirect, link="/absolute-redirect/3"),
    Answer(any_method, "/redirect-to", redirect_to, link="/redirect-to?url=/get&status_code=307"),
)
