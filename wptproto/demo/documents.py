"""Content of several kinds, always the same; and values in many forms."""

from __future__ import annotations

import base64
import binascii
import re

from wptproto.demo.arguments import capped, number, segment
from wptproto.demo.family import Answer
from wptproto.demo.redirecting import redirect_to_path
from wptproto.demo.report import as_json
from wptproto.demo.template import fill_in
from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response

__all__ = ["ANSWERS"]

MOST_LINKS = 200

_XML = """<?xml version="1.0" encoding="UTF-8"?>
<slideshow title="Sample Slide Show" author="Yours Truly">
  <slide type="all">
    <title>A slide with a title</title>
  </slide>
  <slide type="all">
    <title>A slide with a list</title>
    <item>one &amp; one</item>
    <item>an <em>emphasis</em></item>
    <item/>
  </slide>
</slideshow>
"""
_SLIDES = {
    "slideshow": {
        "author": "Yours Truly",
        "date": "date of publication",
        "slides": [
            {"title": "A slide with a title", "type": "all"},
            {"items": ["one & one", "an <em>emphasis</em>"], "title": "A slide with a list", "type": "all"},
        ],
        "title": "Sample Slide Show",
    }
}
_DENIED = """
     _________
    |         |
    |  NO WAY |   robots.txt asks you
    |_________|   to stay out of here.
         |
         |
"""
_BASE64_URL = re.compile(r"[-_A-Za-z0-9+/]*={0,2}")


def html(request: Request, response: Response) -> None:
    """Send a page."""
    fill_in(response, "page.html")


def utf8(request: Request, response: Response) -> None:
    """Send a page in UTF-8, with characters of one octet to four."""
    fill_in(response, "utf8.html")


def json(request: Request, response: Response) -> str:
    """Send JSON."""
    return as_json(response, _SLIDES)


def xml(request: Request, response: Response) -> str:
    """Send XML."""
    response.headers.set("Content-Type", "application/xml")
    return _XML


def robots(request: Request, response: Response) -> str:
    """Send rules for robots."""
    response.headers.set("Content-Type", "text/plain")
    return "User-agent: *\nDisallow: /deny\n"


def deny(request: Request, response: Response) -> str:
    """Send what robots are not to read."""
    response.headers.set("Content-Type", "text/plain")
    return _DENIED


def form(request: Request, response: Response) -> None:
    """Offer a form, which is for /post."""
    fill_in(response, "form.html")


def links(request: Request, response: Response) -> str:
    """Send a page with n links, 200 at the most, to pages like it."""
    count, place = _link_count(request), number(int, "offset", segment(request, "offset"), 0, 10**9)
    response.headers.set("Content-Type", "text/html; charset=utf-8")
    found = (f'<a href="/links/{count}/{n}">{n}</a>' if n != place else str(n) for n in range(count))
    return "\n".join(["<!doctype html>", '<html lang="en">', "<title>Links</title>", *found, "</html>", ""])


def first_links(request: Request, response: Response) -> str:
    """Redirect to the first of those pages."""
    return redirect_to_path(request, response, f"/links/{_link_count(request)}/0")


def _link_count(request: Request) -> int:
    return max(1, capped(int, "n", segment(request, "n"), 0, MOST_LINKS))


def random_uuid(request: Request, response: Response) -> str:
    """Send a UUID by chance."""
    from uuid import uuid4

    return as_json(response, {"uuid": str(uuid4())})


def decoded(request: Request, response: Response) -> bytes:
    """Send what this is as base64url."""
    text = segment(request, "value")
    value = text.rstrip("=")
    try:
        if not _BASE64_URL.fullmatch(text):
            raise binascii.Error
        octets = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except binascii.Error:
        why = f"this is no base64url (RFC 4648 §5), with padding or without: {text!r}; SGVsbG8 is"
        raise HTTPException(400, why) from None
    response.headers.set("Content-Type", _kind_of(octets))
    response.headers.set("X-Content-Type-Options", "nosniff")  # it is the client's, and not to be run
    return octets


def _kind_of(octets: bytes) -> str:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain; charset=utf-8"


ANSWERS = (
    Answer("GET", "/html", html),
    Answer("GET", "/encoding/utf8", utf8),
    Answer("GET", "/json", json),
    Answer("GET", "/xml", xml),
    Answer("GET", "/robots.txt", robots),
    Answer("GET", "/deny", deny),
    Answer("GET", "/forms/post", form),
    Answer("GET", "/links/{n}/{offset}", links, link="/links/10/0"),
    Answer("GET", "/links/{n}", first_links, link="/links/10"),
    Answer("GET", "/uuid", random_uuid),
    Answer("GET", "/base64/{value}", decoded, link="/base64/SGVsbG8"),
)
