"""Content codings (RFC 9110 §8.4.1), asked for by the path and not by Accept-Encoding."""

from __future__ import annotations

import zlib
from importlib import import_module

from wptproto.demo.family import Answer
from wptproto.demo.report import as_json, report
from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response

__all__ = ["ANSWERS"]


def gzip(request: Request, response: Response) -> bytes:
    """Answer in gzip."""
    import gzip

    return gzip.compress(_content(request, response, "gzip", "gzipped"), mtime=0)


def deflate(request: Request, response: Response) -> bytes:
    """Answer in deflate, which is zlib's format."""
    return zlib.compress(_content(request, response, "deflate", "deflated"))


def brotli(request: Request, response: Response) -> bytes:
    """Answer in br, if the package brotli is installed; else 501."""
    return _by("brotli", "pip install wptproto[brotli]", _content(request, response, "br", "brotli"))


def zstd(request: Request, response: Response) -> bytes:
    """Answer in zstd, if Python is 3.14 or newer; else 501."""
    return _by("compression.zstd", "it comes with Python 3.14", _content(request, response, "zstd", "zstd"))


def _content(request: Request, response: Response, coding: str, mark: str) -> bytes:
    """Return what is to be coded, and let the response say how it will be."""
    response.headers.set("Content-Encoding", coding)
    told = report(request, "headers", "method", "origin")
    return as_json(response, {**told, mark: True}).encode("ascii")


def _by(module: str, remedy: str, content: bytes) -> bytes:
    """Return content compressed by a module, which may be missing."""
    try:
        compress = import_module(module).compress
    except ImportError:
        raise HTTPException(501, f"there is no module {module} here ({remedy})") from None
    compressed: bytes = compress(content)
    return compressed


ANSWERS = (
    Answer("GET", "/gzip", gzip),
    Answer("GET", "/deflate", deflate),
    Answer("GET", "/brotli", brotli),
    Answer("GET", "/zstd", zstd),
)
