"""
Cookies: told, set and deleted.

A value that cannot stand in Cookie (RFC 6265 §4.1.1) is sent in double quotes, with a backslash and three
octal digits for each octet that cannot stand there either; and what comes back like that is told as what it
stands for. Clients take it for any other value.
"""

from __future__ import annotations

import re

from wptproto.demo.arguments import segment, text_of, token
from wptproto.demo.family import Answer
from wptproto.demo.redirecting import redirect_to_path
from wptproto.demo.report import as_json
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response

__all__ = ["ANSWERS"]

_COOKIE_OCTETS = re.compile(rb"[!#-+\--:<-\[\]-~]*")
_NOT_IN_QUOTES = re.compile(rb"[^ !#-+\--:<-\[\]-~]")
_ESCAPED = re.compile(rb"\\(?:([0-3][0-7]{2})|(.))", re.DOTALL)


def cookies(request: Request, response: Response) -> str:
    """Tell the cookies that came."""
    found = {text_of(name): text_of(_unquoted(values[-1].value)) for name, values in request.cookies.items()}
    return as_json(response, {"cookies": found})


def set_cookies(request: Request, response: Response) -> str:
    """Set the cookies that the query says, and redirect to /cookies."""
    for name, values in request.GET.items():
        _set(request, response, text_of(name), values[0])
    return redirect_to_path(request, response, "/cookies")


def set_cookie(request: Request, response: Response) -> str:
    """Set one cookie, and redirect to /cookies."""
    _set(request, response, segment(request, "name"), segment(request, "value").encode())
    return redirect_to_path(request, response, "/cookies")


def delete_cookies(request: Request, response: Response) -> str:
    """Delete the cookies that the query names, and redirect to /cookies."""
    for name in request.GET:
        response.delete_cookie(token("the name of a cookie", text_of(name)))
    return redirect_to_path(request, response, "/cookies")


def _set(request: Request, response: Response, name: str, value: bytes) -> None:
    secure = request.url_parts.scheme == "https"
    response.set_cookie(token("the name of a cookie", name), _quoted(value), secure=secure)


def _quoted(value: bytes) -> bytes:
    if _COOKIE_OCTETS.fullmatch(value):
        return value
    return b'"%b"' % _NOT_IN_QUOTES.sub(lambda found: b"\\%03o" % found[0][0], value)


def _unquoted(value: bytes) -> bytes:
    if len(value) < 2 or not (value.startswith(b'"') and value.endswith(b'"')):
        return value
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 8)]) if found[1] else found[2], value[1:-1])


ANSWERS = (
    Answer("GET", "/cookies", cookies),
    Answer("GET", "/cookies/set", set_cookies, link="/cookies/set?flavour=vanilla"),
    Answer("GET", "/cookies/set/{name}/{value}", set_cookie, link="/cookies/set/flavour/vanilla"),
    Answer("GET", "/cookies/delete", delete_cookies, link="/cookies/delete?flavour"),
)
