"""
Pipes: changes to a response that a request asks for in its query, or a file in its name.

``/file.txt?pipe=status(404)|trickle(d1:10:r2)`` sends the file's response through one pipe and then
the other; ``.sub.`` in a file's name through ``sub``. They are imported when one of them is asked for.
"""

from __future__ import annotations

from posixpath import splitext
from urllib.parse import unquote

from wptproto.errors import PipeError
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response

__all__ = ["PipeError", "apply", "pipe_string_for", "pipe_string_of", "template"]

_MARKUP = {".html", ".htm", ".xht", ".xhtml", ".xml", ".svg"}


def pipe_string_for(path: str, query: str) -> str:
    """
    Return the pipes that a response goes through, empty for none.

    Args:
        path: Of the file that answers; empty where it is a function that does. ``.sub.`` anywhere
            in it asks for ``sub``, which escapes for HTML in markup alone.
        query: Of the request's URL, as it came. The last ``pipe=`` that has a value counts, and its
            octets are UTF-8; it comes after what the path asks for.
    """
    wanted = []
    if ".sub." in path:
        wanted.append("sub(html)" if splitext(path)[1] in _MARKUP else "sub(none)")
    asked = [
        value
        for name, _, value in (pair.replace("+", " ").partition("=") for pair in query.split("&"))
        if value and unquote(name) == "pipe"
    ]
    wanted.extend(unquote(value) for value in asked[-1:])
    return "|".join(wanted)


def pipe_string_of(path: str, request: Request) -> str:
    """Return the same for a request, of which nothing is taken apart if it has no query."""
    return pipe_string_for(path, request.url_parts.query if b"?" in request.head.path else "")


def apply(pipe_string: str, request: Request, response: Response) -> Response:
    """
    Send a response through pipes, and return what came out, which is nearly always the same one.

    Args:
        pipe_string: As :func:`pipe_string_for` gives it.
        request: What the response answers.
        response: With status, fields and content filled in, and nothing sent yet.

    Raises:
        PipeError: A pipe is wrong. It makes a 500 of the response.
    """
    if not pipe_string:
        return response
    from wptproto.handlers.pipes.families import Pipeline

    return Pipeline(pipe_string)(request, response)


def template(request: Request, content: bytes, escape_type: str | None = "html") -> bytes:
    """
    Return content with each ``{{...}}`` in it replaced by what it stands for.

    Args:
        request: Whose URL, fields, server and document root the template may ask for.
        content: The template. Octets outside of ``{{...}}`` stay as they are.
        escape_type: ``html``, for text and quoted attributes; ``none``; or ``field``, which is ``none`` for
            what is to be one line.

    Raises:
        PipeError: A substitution is wrong; the text says which, at which line, and why.
    """
    from wptproto.handlers.pipes import sub

    return sub.template(request, content, escape_type)
