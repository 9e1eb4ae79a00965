"""
What a request was, under the names that httpbin gave it.

It is the same whatever protocol brought the request. So names of fields are in Title-Case, as HTTP/2 has them
in lower case and programs that read the report look for the others; a field of several lines has one value,
its lines joined by commas, but Cookie's by semicolons (RFC 9113 §8.2.3). Nothing is left out.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping

from wptproto.demo.arguments import text_of
from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response

__all__ = ["ALL", "as_json", "headers_of", "origin_of", "report", "url_for"]

ALL = ("args", "data", "files", "form", "headers", "json", "method", "origin", "url")
"""What there is to tell of a request."""

MOST_CONTENT_OCTETS = 64 * 1024 * 1024
"""Of the content of a request that is told of; with more, it is answered by 413."""

_FORMS = (b"application/x-www-form-urlencoded", b"multipart/form-data")
_BINARY = "application/octet-stream"


def report(request: Request, *names: str) -> dict[str, object]:
    """
    Tell what a request was.

    Args:
        request: Whose content is read if one of *names* is ``data``, ``files``, ``form`` or ``json``.
        names: What to tell, of :data:`ALL`:

            - ``args``: the names and values of the query; a name that is there twice has a list;
            - ``form``, ``files``: those of the content, if it is a form, urlencoded or multipart;
            - ``data``: the content, if it is none; octets that are no UTF-8, here and in files, are a
              ``data:`` URL;
            - ``json``: what it says as JSON, or null;
            - ``headers``, ``method``;
            - ``origin``: the client's address, or X-Forwarded-For; ``url``: with the host as the client named
              it, and the scheme of X-Forwarded-Proto, if there is one.

    Raises:
        HTTPException: 400, the content is a malformed form, or JSON nested too deeply; 413, it is too much.
    """
    found: dict[str, object] = {
        "args": _flat({text_of(name): list(map(text_of, values)) for name, values in request.GET.items()}),
        "headers": headers_of(request),
        # Nobody sees what HEAD is told, but its Content-Length, which is that of GET (RFC 9110 §8.6).
        "method": "GET" if request.method == "HEAD" else request.method,
        "origin": origin_of(request),
        "url": _url(request),
    }
    if not found.keys() >= set(names):
        found |= _content(request)
    return {name: found[name] for name in names}


def as_json(response: Response, value: object) -> str:
    """Return a value as JSON for people, in the order of its names, and let the response say what it is."""
    response.headers.set("Content-Type", "application/json")
    try:
        return json.dumps(value, indent=2, sort_keys=True) + "\n"
    except RecursionError:
        raise _too_deep() from None


def headers_of(request: Request) -> dict[str, str]:
    """Return the fields of a request, by name in Title-Case."""
    found = {}
    for name in request.headers:
        separator = b"; " if name == b"cookie" else b", "
        value = separator.join(request.headers.get_list(name))
        found[name.decode("latin-1").title()] = value.decode("latin-1")
    return found


def origin_of(request: Request) -> str:
    """Return the address from which a request came, as far as anybody says."""
    return request.headers.get("x-forwarded-for", request.client_address[0].encode("ascii")).decode("latin-1")


def url_for(request: Request, path: str) -> str:
    """Return the URL of a path on this server, by the scheme and the host with which the client found it."""
    parts = request.url_parts
    # As the client wrote it: who forwards to this port knows its public one, and this server does not.
    authority = request.head.authority.decode("latin-1") or parts.netloc
    return f"{parts.scheme}://{authority}{path}"


def _url(request: Request) -> str:
    url = url_for(request, request.head.path.decode("latin-1"))
    forwarded = request.headers.get("x-forwarded-proto")
    return url if forwarded is None else forwarded.decode("latin-1") + url[url.index(":") :]


def _content(request: Request) -> dict[str, object]:
    """Return what there is to tell of the content."""
    octets = request.raw_input.read(MOST_CONTENT_OCTETS + 1)
    if len(octets) > MOST_CONTENT_OCTETS:
        raise HTTPException(413, f"content of more than {MOST_CONTENT_OCTETS} octets is not told of")
    content_type = request.headers.get("content-type", b"")
    if content_type.partition(b";")[0].strip(b" \t").lower() in _FORMS:
        return {"data": "", "json": None, **_form(content_type, octets)}
    return {"data": _readable(octets, _BINARY), "json": _parsed(octets), "form": {}, "files": {}}


def _form(content_type: bytes, octets: bytes) -> dict[str, object]:
    from wptproto.semantics.form_content import FilePart, parse_form

    form: dict[str, list[str]] = {}
    files: dict[str, list[str]] = {}
    # Which method it was makes no difference here, and "POST" is one that has a form.
    for name, values in parse_form("POST", content_type, [octets]).items():
        for value in values:
            if isinstance(value, FilePart):
                kind = value.headers.get("Content-Type", _BINARY)
                files.setdefault(text_of(name), []).append(_readable(value.value, kind))
            else:
                form.setdefault(text_of(name), []).append(text_of(value))
    return {"form": _flat(form), "files": _flat(files)}


def _flat(values: Mapping[str, list[str]]) -> dict[str, str | list[str]]:
    """Return the one value of each name that has one, and of the others all."""
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


def _readable(octets: bytes, content_type: str) -> str:
    """Return octets as the text that they are, or as a ``data:`` URL (RFC 2397)."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return f"data:{content_type};base64,{b64encode(octets).decode('ascii')}"


def _parsed(octets: bytes) -> object:
    """Return the value that octets are as JSON (RFC 8259), None if they are not."""
    try:
        return json.loads(octets.decode("utf-8"), parse_constant=_no_constant)
    except ValueError:
        return None
    except RecursionError:
        raise _too_deep() from None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is Python's, and no JSON")


def _too_deep() -> HTTPException:
    return HTTPException(400, "the content is JSON that is nested too deeply to be told of")
