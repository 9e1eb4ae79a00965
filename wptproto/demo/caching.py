"""Conditions, validators, and whatever fields a response shall have."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from wptproto.demo.arguments import capped, field_value, segment, text_of, token
from wptproto.demo.family import Answer
from wptproto.demo.inspecting import get
from wptproto.demo.report import as_json
from wptproto.errors import HTTPException
from wptproto.exchange.clock import date_now
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.semantics.conditions import status_by_conditions
from wptproto.semantics.fields import Fields

__all__ = ["ANSWERS", "meets_conditions"]

MOST_AGE_S = 10**9

_ENTITY_TAG = re.compile(rb'(?:W/)?"[!#-~\x80-\xff]*"')
_BARE_TAG = re.compile(rb"[!#-+\--~\x80-\xff]+")
_ON_TAGS = (b"if-match", b"if-none-match")
_NEVER = datetime.fromtimestamp(0, UTC)
_FRAMING = ("content-length", "transfer-encoding")


def cache(request: Request, response: Response) -> str | None:
    """Answer as /get, with validators; but 304 to any If-Modified-Since or If-None-Match."""
    known = request.headers.get("if-none-match")
    if known is None and "if-modified-since" not in request.headers:
        from uuid import uuid4

        response.headers.set("Last-Modified", date_now())
        response.headers.set("ETag", f'"{uuid4().hex}"')
        return get(request, response)
    response.status = 304
    # RFC 9110 §15.4.5: the ETag "that would have been sent in a 200 (OK) response" is the one that it has.
    if known is not None and (entity_tag := _ENTITY_TAG.match(known)):
        response.headers.set("ETag", entity_tag[0])
    return None


def cache_for(request: Request, response: Response) -> str:
    """Answer as /get, with a Cache-Control by which everybody may keep it for n seconds."""
    age_s = capped(int, "n", segment(request, "n"), 0, MOST_AGE_S)
    response.headers.set("Cache-Control", f"public, max-age={age_s}")
    return get(request, response)


def etag(request: Request, response: Response) -> str | None:
    """Answer as /get with this ETag; by If-None-Match 304, and by If-Match 412."""
    entity_tag = segment(request, "etag").encode()
    if not _BARE_TAG.fullmatch(entity_tag):
        raise HTTPException(400, "an ETag is any characters but blanks, commas, quotes and controls")
    return get(request, response) if meets_conditions(request, response, b'"%b"' % entity_tag) else None


def meets_conditions(request: Request, response: Response, entity_tag: bytes) -> bool:
    """
    Return whether the conditions hold under which a request wants content; where not, say so.

    Args:
        request: Whose If-Match and If-None-Match count. A tag in them that has no quotes, as httpbin's
            has none, is taken as if it had.
        response: Has the ETag then, and 304 or 412 if they do not hold.
        entity_tag: Of what would be sent, strong, with its quotes.
    """
    lines = [
        (name.lower(), _quoted(value)) for name, value in request.head.fields if name.lower() in _ON_TAGS
    ]
    status = status_by_conditions(request.method, Fields(lines), entity_tag, _NEVER)
    if status == 412:
        response.set_error(412, f"the ETag is {text_of(entity_tag)}, which is none of those in If-Match")
    elif status is not None:
        response.status = status
    response.headers.set("ETag", entity_tag)
    return status is None


def _quoted(tags: bytes) -> bytes:
    """Return a list of entity tags, ``*`` and all, in which those without quotes have some."""
    members = (member.strip(b" \t") for member in tags.split(b","))
    if tags.strip(b" \t") == b"*":
        return tags
    return b", ".join(b'"%b"' % member if _BARE_TAG.fullmatch(member) else member for member in members)


def response_headers(request: Request, response: Response) -> str:
    """Answer with the fields that the query says, and with JSON that says the same."""
    for name, values in request.GET.items():
        field = token("the name of a field", text_of(name))
        if field.lower() in _FRAMING:
            raise HTTPException(400, f"{field} is the server's to say, as is where a message ends")
        for value in values:
            line = field_value(f"the value of {field}", value)
            add = response.headers.set if field.lower() == "content-type" else response.headers.append
            add(field, line)
    told: dict[str, str | list[str]] = {"Content-Type": "application/json"}
    for octets, _ in response.headers:
        lines = [text_of(value) for value in response.headers[octets]]
        told[_title(octets)] = lines[0] if len(lines) == 1 else lines
    kind = response.headers.get("Content-Type")
    content = _with_its_length(response, told)
    if kind:
        response.headers.set("Content-Type", kind[0])
    return content


def _title(name: bytes) -> str:
    """Return a name as it was given, but for Content-Type."""
    return "Content-Type" if name.lower() == b"content-type" else name.decode("latin-1")


def _with_its_length(response: Response, told: dict[str, str | list[str]]) -> str:
    """Return JSON that has its own length in it."""
    content, length = "", -1
    while len(content) != length:  # with a number that grows, it comes to an end
        length = len(content)
        content = as_json(response, {**told, "Content-Length": str(length)})
    return content


ANSWERS = (
    Answer("GET", "/cache", cache),
    Answer("GET", "/cache/{n}", cache_for, link="/cache/60"),
    Answer("GET", "/etag/{etag}", etag, link="/etag/abc"),
    Answer(("GET", "POST"), "/response-headers", response_headers, link="/response-headers?X-One=1&X-Two=2"),
)
