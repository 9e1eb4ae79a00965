"""
wptserve.server: WebTestHttpd, one port of one of our servers.

It listens as soon as it is made, and serves from ``start()`` on. Over TLS the port speaks HTTP/1.1 or HTTP/2,
as it was asked for; in the clear it takes HTTP/2 by prior knowledge, too.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlunsplit

from wptproto.errors import ConfigError
from wptproto.handlers.rewriter import Rewrite, Rewriter
from wptproto.handlers.router import Route
from wptproto.server.server import Server
from wptproto.wptserve.config import ConfigBuilder
from wptproto.wptserve.router import Router
from wptproto.wptserve.routes import routes as default_routes
from wptproto.wptserve.stash import entered_stash
from wptproto.wptserve.utils import get_logger

__all__ = [
    "Http1WebTestRequestHandler",
    "Http2WebTestRequestHandler",
    "RequestRewriter",
    "Router",
    "WebTestHttpd",
    "WebTestServer",
]

log = logging.getLogger("wptproto.wptserve")

WebTestServer = Server
RequestRewriter = Rewriter


class Http1WebTestRequestHandler:
    """A name that programs pass; which protocol a port speaks is what ``http2`` says."""


class Http2WebTestRequestHandler:
    """A name that programs pass; which protocol a port speaks is what ``http2`` says."""


class WebTestHttpd:
    """
    A server on one port.

    Attributes:
        host: As it was given.
        port: On which it listens.
        router: Where routes are registered.
        rewriter: Where paths are given others.
        use_ssl: Whether it speaks TLS.
        http2: Whether it speaks HTTP/2, and over TLS nothing else.
        started: Whether it serves.
        httpd: The server of ours behind it.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8000,
        server_cls: type | None = None,
        handler_cls: type = Http1WebTestRequestHandler,
        use_ssl: bool = False,
        key_file: str | Path | None = None,
        certificate: str | Path | None = None,
        encrypt_after_connect: bool = False,
        router_cls: Callable[[Any, Any], Any] = Router,
        doc_root: str | Path = os.curdir,
        ws_doc_root: str | Path | None = None,
        routes: Iterable[Route] | None = None,
        rewriter_cls: Callable[[Any], Any] = RequestRewriter,
        bind_address: bool = True,
        rewrites: Iterable[Rewrite] | None = None,
        latency: float | Callable[[], float] | None = None,
        config: Mapping[str, Any] | None = None,
        http2: bool = False,
    ) -> None:
        """
        Args:
            host: Name or address to listen on, and of its URLs.
            port: 0 is a free one.
            server_cls: None, or WebTestServer; no other is made use of here.
            handler_cls: One of the two here; no other is made use of.
            use_ssl: Whether to speak TLS.
            key_file: PEM file, for TLS.
            certificate: PEM file, for TLS.
            encrypt_after_connect: There is no such thing here.
            router_cls: Called with *doc_root* and *routes*; what it returns finds handlers by
                ``get_handler(request)``.
            doc_root: The directory that is served.
            ws_doc_root: There are no WebSockets here; what is given is only remarked upon.
            routes: Methods, pattern and handler of each; None are those of ``wptserve.routes``.
            rewriter_cls: Called with *rewrites*; what it returns is asked by ``rewrite(request)``.
            bind_address: Whether to listen on *host* alone, and not on all addresses.
            rewrites: Methods, path and new path of each.
            latency: Milliseconds that each request waits before its handler is called, or what returns them.
            config: What handlers and templates read as ``request.server.config``.
            http2: Whether to speak HTTP/2.

        Raises:
            ConfigError: The port cannot be had, a file is not there, or a setting cannot be followed.
        """
        _refuse(server_cls, handler_cls, encrypt_after_connect)
        if ws_doc_root is not None:
            log.warning("ws_doc_root: WebSockets are not served: %s", ws_doc_root)
        self.host = host
        self.use_ssl = use_ssl
        self.http2 = http2
        self.started = False
        self.logger = get_logger()
        self.router = router_cls(doc_root, default_routes if routes is None else routes)
        self.rewriter = rewriter_cls(() if rewrites is None else rewrites)
        self.httpd = Server(
            doc_root,
            hosts=host if bind_address else "0.0.0.0",  # noqa: S104 -- wptserve's way to say so
            http_port=None if use_ssl else port,
            https_port=port if use_ssl and not http2 else None,
            h2_port=port if use_ssl and http2 else None,
            alpn=("http/1.1",),
            certificate=_existing("certificate", certificate) if use_ssl else None,
            key=_existing("key_file", key_file) if use_ssl else None,
            latency_s=_in_seconds(latency),
            record=False,
        )
        self.httpd.router, self.httpd.rewriter = self.router, self.rewriter
        self.httpd.stash = entered_stash() or self.httpd.stash
        self.httpd.listen()
        found = self.httpd.http_port or self.httpd.https_port or self.httpd.h2_port
        assert found is not None
        self.port: int = found
        if config is None:
            with ConfigBuilder(self.logger, browser_host=host, ports={"http": [self.port]}) as config:
                pass
        # As it is, and not with this port alone: it speaks of all servers of a program.
        self.httpd.config = config  # type: ignore[assignment]

    def start(self) -> None:
        """Serve; return when a client is answered."""
        self.httpd.start()
        self.started = True
        log.info("serving on %s", self.get_url())

    def stop(self) -> None:
        """Close all connections and the port; harmless when there is nothing to stop."""
        self.httpd.stop()
        self.started = False

    def get_url(self, path: str = "/", query: str | None = None, fragment: str | None = None) -> str | None:
        """Return the URL of a path; None while it does not serve."""
        if not self.started:
            return None
        scheme = "https" if self.use_ssl else "http"
        return urlunsplit((scheme, f"{self.host}:{self.port}", path, query or "", fragment or ""))


def _refuse(server_cls: type | None, handler_cls: type, encrypt_after_connect: bool) -> None:
    """Raise a ConfigError for what would be asked for in vain."""
    if server_cls not in (None, WebTestServer):
        raise ConfigError(f"server_cls: this server cannot be made of another class: {server_cls}")
    if handler_cls not in (Http1WebTestRequestHandler, Http2WebTestRequestHandler):
        raise ConfigError(f"handler_cls: requests are not read by such classes here: {handler_cls}")
    if encrypt_after_connect:
        raise ConfigError("encrypt_after_connect: this server speaks TLS from the beginning, or not at all")


def _existing(name: str, path: str | Path | None) -> Path:
    if path is None:
        raise ConfigError(f"{name}: TLS needs a PEM file, and none was given")
    if not Path(path).exists():
        raise ConfigError(f"{name}: there is no file {path}")
    return Path(path)


def _in_seconds(latency: float | Callable[[], float] | None) -> float | Callable[[], float] | None:
    if callable(latency):
        return lambda: latency() / 1000
    return None if latency is None else latency / 1000
