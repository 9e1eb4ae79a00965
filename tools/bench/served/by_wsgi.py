"""A WSGI application."""

import time
from collections.abc import Callable
from typing import Any

from tools.bench.served.answers import LONG, SLEEP_S, TEXT


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    path = environ["PATH_INFO"]
    content = TEXT
    if path == "/sleep":
        time.sleep(SLEEP_S)
    elif path == "/long":
        content = LONG
    elif path == "/upload":
        content = b"%13d" % len(environ["wsgi.input"].read())
    fields = [("Content-Type", "text/plain"), ("Content-Length", str(len(content)))]
    start_response("200 OK", fields)
    return [content]
