"""Pipes for all of a response's content at once: ``slice`` and ``gzip``."""

from __future__ import annotations

from collections.abc import AsyncIterable
from gzip import compress

from wptproto.errors import PipeError
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.pipes.registry import nullable, opt, pipe

__all__ = ["gzip", "slice", "whole_content"]


def whole_content(response: Response) -> bytes:
    """
    Return a response's content as octets; a file is read and closed, functions are called.

    Raises:
        PipeError: The content comes from an async iterable, which only the loop can read.
    """
    if isinstance(response.content, AsyncIterable):
        raise PipeError(
            "the content is an async iterable, and a pipe needs all of it at once; make it octets"
        )
    return b"".join(response.iter_content(read_file=True))


@pipe(nullable(int), opt(nullable(int)))
def slice(  # noqa: A001  # the pipe's name
    request: Request,  # noqa: ARG001  # a pipe takes both
    response: Response,
    start: int | None,
    end: int | None = None,
) -> Response:
    """
    Send a part of the content, as Python slices; ``null`` stands for where it begins or ends.

    ``?pipe=slice(10,-5)``
    """
    content = whole_content(response)[start:end]
    response.content = content
    return _measured(response, len(content))


@pipe()
def gzip(request: Request, response: Response) -> Response:  # noqa: ARG001  # a pipe takes both
    """
    Compress the content, and say so in Content-Encoding.

    ``?pipe=gzip``
    """
    # Without the time the same content makes the same octets (RFC 1952 §2.3.1, MTIME).
    content = compress(whole_content(response), mtime=0)
    response.content = content
    response.headers.set("Content-Encoding", "gzip")
    return _measured(response, len(content))


def _measured(response: Response, octets: int) -> Response:
    """Say how long the content is, but where trailers follow it, for which HTTP/1.1 needs chunks."""
    if not response.given_trailers:
        response.headers.set("Content-Length", octets)
    return response
