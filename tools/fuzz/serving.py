"""A document root under any request for what is in it, or beside it."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from tests.helpers.inline import InlineBridge
from tools.fuzz.target import Target
from wptproto.exchange.exchange import Exchange, Surroundings
from wptproto.handlers.dispatcher import Dispatcher
from wptproto.handlers.mounts import mount_routes
from wptproto.handlers.rewriter import Rewriter
from wptproto.handlers.router import Router
from wptproto.protocol.events import ContentReceived, RequestEnded, RequestReceived
from wptproto.protocol.h1 import H1Connection
from wptproto.semantics.fields import Fields

__all__ = ["TARGETS"]

SECRET = b"this is nobody's business"
FILES = {
    "secret": SECRET,
    "root/a.txt": b"0123456789" * 10,
    "root/page.sub.html": b"<p>{{GET[v]}} {{host}}</p>",
    "root/page.sub.html.headers": b"X-Page: 1\n",
    "root/dir/__dir__.headers": b"X-Dir: 1\n",
    "root/dir/script.py": b"def main(request, response):\n    return repr(dict(request.GET))\n",
    "root/dir/b.txt": b"b",
    "root/dir/c \xc3\xa9.txt": b"c",
}


@cache
def _dispatcher() -> tuple[Dispatcher, tempfile.TemporaryDirectory[str]]:
    """Return what answers, and what keeps its files, which are this process's own."""
    directory = tempfile.TemporaryDirectory(prefix="wptproto-fuzz-")
    for name, octets in FILES.items():
        path = Path(directory.name) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)
    root = (Path(directory.name) / "root").resolve()
    (root / "link").symlink_to(root.parent / "secret")
    return Dispatcher(Router(mount_routes({"/": root, "/mounted/": root / "dir"})), Rewriter()), directory


def served_request(octets: bytes) -> None:
    """A target, and a field on each line behind it, is answered, without a secret or a traceback."""
    target, *lines = octets.split(b"\n")
    head = b"\r\n".join([b"GET /%b HTTP/1.1" % target, b"Host: h", *lines, b"", b""])
    connection = H1Connection(cleartext=False)
    received, content = None, b""
    for event in connection.receive_data(head):
        match event:
            case RequestReceived() if received is None:
                received = event
            case ContentReceived(_, data):
                content += data
            case RequestEnded():
                _answer(connection, received, content)
    sent = connection.data_to_send()
    assert SECRET not in sent
    assert b"Traceback" not in sent
    assert not sent or sent.startswith(b"HTTP/1.1 ")


def _answer(connection: H1Connection, received: RequestReceived | None, content: bytes) -> None:
    assert received is not None
    dispatcher, _ = _dispatcher()
    bridge = InlineBridge(connection, received)
    exchange = Exchange(received, bridge, Surroundings("http", ("127.0.0.1", 1), ("127.0.0.1", 2)))
    if content:
        exchange.content.feed(content)
    exchange.content.end(Fields())
    assert dispatcher.run(exchange, dispatcher.find(exchange)) is None
    assert bridge.closed


TARGETS = (
    Target(
        "served-request",
        served_request,
        (
            b"a.txt\nRange: bytes=0-4,8-,-3\nIf-None-Match: *",
            b"a.txt?pipe=slice(1,9)|status(404)|header(X,y)\nIf-Range: x\nRange: bytes=5-",
            b"page.sub.html?v=%3C&pipe=gzip",
            b"dir/\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
            b"dir",
            b"dir/script.py?a=1&a=%ff\nContent-Length: 0",
            b"mounted/%2e%2e/../%2e%2e%2fsecret",
            b"link\nCookie: a=b",
            b"//../..%00/secret?pipe=sub|trickle(d0:3:r2)",
        ),
    ),
)
