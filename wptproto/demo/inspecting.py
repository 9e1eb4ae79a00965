"""What came in: the request, or a part of it, as JSON."""

from __future__ import annotations

from wptproto.demo.family import Answer
from wptproto.demo.report import ALL, as_json, headers_of, origin_of, report
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.router import any_method

__all__ = ["ANSWERS", "get"]


def get(request: Request, response: Response) -> str:
    """Tell the request's query, fields, origin and URL."""
    return as_json(response, report(request, "args", "headers", "origin", "url"))


def sent(request: Request, response: Response) -> str:
    """Tell the same and what was sent: form, files, data and JSON."""
    names = [name for name in ALL if name != "method"]
    return as_json(response, report(request, *names))


def anything(request: Request, response: Response) -> str:
    """Tell all of that and the method, whichever it is."""
    return as_json(response, report(request, *ALL))


def headers(request: Request, response: Response) -> str:
    """Tell the request's fields."""
    return as_json(response, {"headers": headers_of(request)})


def ip(request: Request, response: Response) -> str:
    """Tell the client's address."""
    return as_json(response, {"origin": origin_of(request)})


def user_agent(request: Request, response: Response) -> str:
    """Tell what the client calls itself."""
    return as_json(response, {"user-agent": headers_of(request).get("User-Agent")})


ANSWERS = (
    Answer("GET", "/get", get, link="/get?a=1&b=2&b=3"),
    Answer("HEAD", "/head", get),
    Answer("POST", "/post", sent),
    Answer("PUT", "/put", sent),
    Answer("PATCH", "/patch", sent),
    Answer("DELETE", "/delete", sent),
    Answer(any_method, "/anything", anything),
    Answer(any_method, "/anything/*", anything, link="/anything/at/all"),
    Answer("GET", "/headers", headers),
    Answer("GET", "/ip", ip),
    Answer("GET", "/user-agent", user_agent),
)
