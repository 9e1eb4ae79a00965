"""
The demonstration: a small site that shows what the server is for, and how little a handler is.

It needs no files. Its first page lists the handlers, some of them with their source. Most of its paths
are those of httpbin, for whoever tests a client by them.
"""

from __future__ import annotations

from wptproto.demo import faults
from wptproto.demo.handlers import DEMONSTRATIONS
from wptproto.demo.page import curl_commands, index, upload_page
from wptproto.handlers.router import Route

__all__ = ["curl_commands", "routes"]


def routes() -> list[Route]:
    """Return the routes of the demonstration, for ``Server(routes=...)``."""
    from wptproto.demo import httpbin

    return [
        ("GET", "/", index),
        ("GET", "/upload", upload_page),
        *faults.routes(),
        *((shown.methods, shown.pattern, shown.handler) for shown in DEMONSTRATIONS),
        *httpbin.routes(),
    ]
