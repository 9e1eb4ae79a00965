"""Server: start, stop, url; a context manager."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar

from wptproto import certs
from wptproto.errors import ConfigError
from wptproto.exchange.exchange import Surroundings
from wptproto.exchange.request import Request
from wptproto.handlers.dispatcher import Dispatcher
from wptproto.handlers.mounts import mount_routes, readable_directory
from wptproto.handlers.rewriter import Rewrite, Rewriter
from wptproto.handlers.router import Route, Router
from wptproto.handlers.stash import Stash, StashStore
from wptproto.server.config import Config
from wptproto.server.engine import Engine
from wptproto.server.listener import DEFAULT_HOSTS, is_wildcard
from wptproto.server.tls import make_context

__all__ = ["Server"]

H = TypeVar("H", bound=Callable[..., Any])


class Server:
    """
    A server of both protocols on an HTTP and an HTTPS port, on a thread of its own.

    It can be started and stopped any number of times, and shares nothing with other servers in
    the process.

    Attributes:
        router: Where routes are registered, also while it runs.
        rewriter: Where paths are registered that become others, also while it runs.
        config: What handlers and templates read of names and ports; while it runs, with its real ports.
        stash: What its handlers leave for one another, here by default below the path ``/``.
        doc_root: The directory it serves, or None.
        http_port: Where it speaks HTTP/1.1 and h2c while it runs; None if switched off.
        https_port: Where it speaks HTTP/1.1 and h2 over TLS while it runs; None if switched off.
    """

    def __init__(
        self,
        doc_root: str | Path | None = None,
        routes: Iterable[Route] = (),
        *,
        hosts: str | Sequence[str] = DEFAULT_HOSTS,
        http_port: int | None = 0,
        https_port: int | None = 0,
        certificate: str | Path | None = None,
        key: str | Path | None = None,
        certs_dir: str | Path | None = None,
        names: Sequence[str] = certs.DEFAULT_NAMES,
        config: Config | None = None,
        rewrites: Iterable[Rewrite] = (),
        mounts: Mapping[str, str | Path] = MappingProxyType({}),
    ) -> None:
        """
        Args:
            doc_root: Directory of scripts (``*.py``) and files; given routes come before it.
            routes: Methods, pattern and handler of each.
            hosts: Addresses to listen on.
            http_port: 0 picks a free one, None switches off.
            https_port: 0 picks a free one, None switches off.
            certificate: PEM file to use instead of a generated one; with *key*.
            key: PEM file of its private key.
            certs_dir: Where generated certificates are kept; the default is the user's.
            names: What a generated certificate is for.
            config: What handlers are to know; its *doc_root* counts where none is given here.
            rewrites: Methods, path and new path of each; requests for the one are answered as for the other.
            mounts: More directories, by the paths that they are mounted at, such as ``/images/``; what is
                mounted at a longer path comes first, and the document root last.

        Raises:
            ConfigError: The root cannot be read, or a setting makes no sense.
            RouteError: A route or a path to rewrite makes no sense.
        """
        hosts = (hosts,) if isinstance(hosts, str) else tuple(hosts)
        if not hosts:
            raise ConfigError("there is no host to listen on")
        if http_port is None and https_port is None:
            raise ConfigError("both ports are switched off; there would be nothing to serve")
        if (certificate is None) != (key is None):
            raise ConfigError("a certificate needs its key, and a key its certificate")
        config = Config() if config is None else config
        doc_root = config.doc_root if doc_root is None else doc_root
        self.doc_root = readable_directory(doc_root) if doc_root is not None else None
        self._idle_config = config.serving({}, None if self.doc_root is None else str(self.doc_root))
        self.config = self._idle_config
        self._stash_store = StashStore()
        self.stash = Stash(self._stash_store, "/")
        roots = {} if self.doc_root is None else {"/": self.doc_root}
        self.router = Router((*routes, *mount_routes({**roots, **mounts})))
        self.rewriter = Rewriter(rewrites)
        self._hosts = hosts
        self._wanted_ports = (http_port, https_port)
        self._own_pair = (
            (Path(certificate), Path(key)) if certificate is not None and key is not None else None
        )
        self._certs_dir = Path(certs_dir) if certs_dir is not None else None
        self._names = tuple(names)
        self._ca: Path | None = None
        self._engine: Engine | None = None
        self.http_port: int | None = None
        self.https_port: int | None = None

    # --- life ----------------------------------------------------------------------------------

    def start(self) -> Self:
        """
        Listen and serve; return when a client can connect.

        Raises:
            ConfigError: A port or a host cannot be had; or it runs already.
            CertificateError: There is no usable certificate.
        """
        if self._engine is not None:
            raise ConfigError("the server runs already")
        wanted_http, wanted_https = self._wanted_ports
        context = self._make_context() if wanted_https is not None else None
        engine = Engine(Dispatcher(self.router, self.rewriter), self._surroundings)
        try:
            if wanted_http is not None:
                self.http_port = engine.listen(self._hosts, wanted_http, None)
            if wanted_https is not None:
                self.https_port = engine.listen(self._hosts, wanted_https, context)
        except BaseException:
            engine.discard()
            self.http_port = self.https_port = None
            raise
        self.config = self._idle_config.serving(self._real_ports(), self._idle_config.doc_root)
        engine.start()
        self._engine = engine
        return self

    def stop(self) -> None:
        """Close all connections and return at once; handlers that sleep find their peer gone."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.stop()
            self.http_port = self.https_port = None
            self.config = self._idle_config

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- routes --------------------------------------------------------------------------------

    def route(self, methods: str | Iterable[str], pattern: str) -> Callable[[H], H]:
        """Return a decorator that registers a handler: ``@server.route("GET", "/hello")``."""
        return self.router.route(methods, pattern)

    # --- where it is ---------------------------------------------------------------------------

    def http_url(self, path: str = "/") -> str:
        """
        Return the URL of a path on the HTTP port.

        Raises:
            ConfigError: The server does not run, or has no HTTP port.
        """
        return self._url("http", self.http_port, path)

    def https_url(self, path: str = "/") -> str:
        """
        Return the URL of a path on the HTTPS port.

        Raises:
            ConfigError: The server does not run, or has no HTTPS port.
        """
        return self._url("https", self.https_port, path)

    @property
    def ca(self) -> Path:
        """
        The PEM file that a client of the HTTPS port has to trust; made if need be.

        Raises:
            CertificateError: It cannot be made.
        """
        if self._own_pair is not None:
            return self._own_pair[0]
        if self._ca is None:
            self._ca = certs.ensure(self._certs_dir, self._names).ca
        return self._ca

    def client_context(self) -> ssl.SSLContext:
        """Return a context for clients that trusts this server's certificate and no other."""
        return ssl.create_default_context(cafile=str(self.ca))

    def _url(self, scheme: str, port: int | None, path: str) -> str:
        if port is None:
            why = "does not run" if self._engine is None else f"has no {scheme.upper()} port"
            raise ConfigError(f"the server {why}, so it has no URL")
        host = self._hosts[0]
        if is_wildcard(host) or host in DEFAULT_HOSTS:
            host = "localhost"
        elif ":" in host:
            host = f"[{host}]"
        return f"{scheme}://{host}:{port}/{path.removeprefix('/')}"

    def _real_ports(self) -> dict[str, list[int]]:
        found = {"http": self.http_port, "https": self.https_port, "h2": self.https_port}
        return {protocol: [] if port is None else [port] for protocol, port in found.items()}

    def _surroundings(self, scheme: str, client: tuple[str, int], server: tuple[str, int]) -> Surroundings:
        root = None if self.doc_root is None else str(self.doc_root)
        return Surroundings(scheme, client, server, self._seen_by, root)

    def _seen_by(self, request: Request) -> _ServerOfRequest:
        return _ServerOfRequest(self, self._stash_store, request)

    def _make_context(self) -> ssl.SSLContext:
        if self._own_pair is not None:
            certs.check_pair(*self._own_pair)
            return make_context(*self._own_pair)
        made = certs.ensure(self._certs_dir, self._names)
        self._ca = made.ca
        return make_context(made.certificate, made.key)


class _ServerOfRequest:
    """
    The server as the handler of one request sees it: its stash is at home below the request's path.

    All else that is asked of it is the server's; what a handler sets on it stays with the request.
    """

    def __init__(self, server: Server, store: StashStore, request: Request) -> None:
        self._server = server
        self._store = store
        self._request = request

    @property
    def stash(self) -> Stash:
        return Stash(self._store, self._request.url_parts.path)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._server, name)

    def __eq__(self, other: object) -> bool:
        return self._server == (other._server if isinstance(other, _ServerOfRequest) else other)

    def __hash__(self) -> int:
        return hash(self._server)
