"""
Pipes: changes to a response that a request asks for in its query, or a file in its name.

``/file.txt?pipe=status(404)|trickle(d1:10:r2)`` sends the file's response through one pipe and then
the other; ``.sub.`` in a file's name through ``sub``. Whoever imports this package has all of them.
"""

from __future__ import annotations

from posixpath import splitext
from urllib.parse import unquote

from wptproto.errors import PipeError
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.pipes.content import gzip, slice  # noqa: A004  # the pipe's name
from wptproto.handlers.pipes.headers import header, status
from wptproto.handlers.pipes.registry import Pipeline, boolean, nullable, opt, pipe
from wptproto.handlers.pipes.sub import sub, template
from wptproto.handlers.pipes.timing import trickle

__all__ = [
    # for who answers
    "apply",
    "pipe_string_for",
    "template",
    "PipeError",
    # for one's own pipes
    "pipe",
    "opt",
    "nullable",
    "boolean",
    "Pipeline",
    # the pipes
    "gzip",
    "header",
    "slice",
    "status",
    "sub",
    "trickle",
]

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
    return Pipeline(pipe_string)(request, response) if pipe_string else response
