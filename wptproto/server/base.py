"""BaseServer: a server's settings and its life: listen, start, stop, url; a context manager."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar

from wptproto.default_names import DEFAULT_NAMES
from wptproto.errors import ConfigError
from wptproto.exchange.clock import date_now
from wptproto.exchange.exchange import Surroundings
from wptproto.exchange.request import Request
from wptproto.handlers.dispatcher import Dispatcher
from wptproto.handlers.filesystem import readable_directory
from wptproto.handlers.rewriter import Rewrite, Rewriter
from wptproto.handlers.router import Handler, Route, Router
from wptproto.handlers.stash import Stash, StashStore
from wptproto.limits import DEFAULT_LIMITS, Limits
from wptproto.protocol.negotiate import ALPN_PROTOCOLS
from wptproto.protocol.rules import Leniency, Rules, core_named, leniencies
from wptproto.server.by_hand import ByHand
from wptproto.server.config import Config
from wptproto.server.credentials import ClientCertificate, Credentials
from wptproto.server.engine import Engine
from wptproto.server.key_log import key_log_path
from wptproto.server.latency import latency_of
from wptproto.server.listener import DEFAULT_HOSTS, exposure, is_address, is_wildcard
from wptproto.server.misdeeds import Misdeeds
from wptproto.server.observer import Observers
from wptproto.server.ports import PORT_KINDS, AskedPorts, wanted_ports
from wptproto.server.recorder import archive_of
from wptproto.server.records import Recording
from wptproto.server.state import ServerState
from wptproto.server.tls_terms import TLS_VERSIONS, TlsSettings, checked_protocols

__all__ = ["BaseServer"]

log = logging.getLogger("wptproto.server")

H = TypeVar("H", bound=Callable[..., Any])


class BaseServer:
    """
    A server of both protocols on ports with and without TLS, on a thread of its own.

    It can be started and stopped any number of times, and shares nothing with other servers in
    the process.

    Attributes:
        router: Where routes are registered, also while it runs.
        rewriter: Where paths are registered that become others, also while it runs.
        observers: Who is told what happens on its connections.
        misdeeds: What is to go wrong with connections to come.
        config: What handlers and templates read of names and ports; while it runs, with its real ports.
        stash: What its handlers leave for one another, here by default below the path ``/``. Servers that are
            given the same one share it.
        doc_root: The directory it serves, or None.
        hosts: Where it listens.
        names: What a generated certificate is for.
        http_ports: Where it speaks HTTP/1.1 and h2c, from listening to the stop.
        https_ports: Where it speaks over TLS what ALPN chooses.
        h2_ports: Where it speaks h2 alone, over TLS.
    """

    def __init__(
        self,
        doc_root: str | Path | None = None,
        routes: Iterable[Route] = (),
        *,
        hosts: str | Sequence[str] | None = None,
        http_port: AskedPorts = "config",
        https_port: AskedPorts = "config",
        h2_port: AskedPorts = "config",
        alpn: Sequence[str] | None = ALPN_PROTOCOLS,
        tls: str | None = None,
        tls_versions: Sequence[str] = TLS_VERSIONS,
        client_certificates: str = "none",
        client_ca: str | Path | None = None,
        certificate: str | Path | None = None,
        key: str | Path | None = None,
        certs_dir: str | Path | None = None,
        keylog: str | Path | None = None,
        names: Sequence[str] = DEFAULT_NAMES,
        config: Config | None = None,
        rewrites: Iterable[Rewrite] = (),
        mounts: Mapping[str, str | Path] = MappingProxyType({}),
        latency_s: float | Callable[[], float] | None = None,
        limits: Limits | None = None,
        lenient: Iterable[str] | None = None,
        core: str | None = None,
        record: bool | int | Recording = True,
        by_hand: bool = False,
    ) -> None:
        """
        Args:
            doc_root: Directory of scripts (``*.py``) and files; given routes come before it.
            routes: Methods, pattern and handler of each.
            hosts: Addresses to listen on; the default is the config's *server_host*, if that is another than
                its *browser_host*, and loopback else.
            http_port: One port or several for HTTP/1.1 and h2c. 0 picks a free one, None switches off; the
                default is what the config's *ports* say, and a free one where they do not speak of it.
            https_port: The same for what *alpn* has, over TLS.
            h2_port: The same for h2 alone, over TLS; but none where the config does not speak of it.
            alpn: What the HTTPS ports offer, best first: ``h2``, ``http/1.1``, or the name of another
                protocol; if that is chosen, the client's octets tell what it speaks. None, or nothing, is to
                do without ALPN, and to speak HTTP/1.1.
            tls: The name of an entry in the catalogue of certificates, such as ``expired``, to use instead
                of a generated one (:mod:`wptproto.certs.catalogue`).
            tls_versions: Which versions are spoken, without a gap: ``TLSv1`` to ``TLSv1.3``.
            client_certificates: ``none`` are asked for; ``asked``, and a client may go on without one;
                ``required``; or ``refused``: asked for, and whatever is shown is refused by an alert.
            client_ca: PEM file of the authorities whose certificates clients may show; the default is our
                own, which has made :meth:`client_certificate`.
            certificate: PEM file to use instead of a generated one; with *key*.
            key: PEM file of its private key.
            certs_dir: Where generated certificates are kept; the default is the user's.
            keylog: File to which the secrets of all TLS connections are added, for Wireshark and its like;
                the default is what the environment's SSLKEYLOGFILE says, and "" is none.
            names: What a generated certificate is for, besides the config's domains.
            config: What handlers are to know. Its *doc_root*, *ports* and *server_host* count where nothing
                is given here, and its *aliases* besides the mounts.
            rewrites: Methods, path and new path of each; requests for the one are answered as for the other.
            mounts: More directories, by the paths that they are mounted at, such as ``/images/``; what is
                mounted at a longer path comes first, and the document root last.
            latency_s: Seconds that each request waits before its handler is called, or what returns them.
            limits: What clients may ask for; ``Limits.none()`` where a test wants no limits. The default is
                what the config says, and for the rest those of Limits.
            lenient: What is forgiven in HTTP/1.1 requests, by the names of Leniency: ``bare-lf``, or
                ``all``. The default is what the config says, which is nothing by default.
            core: What connections are made of: ``fast``, or ``plain``, without what makes them so. The
                default is what the config says, which is ``fast`` by default.
            record: Whether what happens is kept for a test to look at; True keeps as much as Recording says,
                a number so many octets of each content.
            by_hand: Whether no handler answers anything: each connection waits for
                :meth:`~wptproto.server.server.Server.accept`.

        Raises:
            ConfigError: The root cannot be read, or a setting makes no sense.
            RouteError: A route or a path to rewrite makes no sense.
        """
        config = Config() if config is None else config
        doc_root = config.doc_root if doc_root is None else doc_root
        self.doc_root = readable_directory(doc_root) if doc_root is not None else None
        self._idle_config = config.serving({}, None if self.doc_root is None else str(self.doc_root))
        self.config = self._idle_config
        self.stash = Stash(StashStore(), "/")
        roots = {} if self.doc_root is None else {"/": self.doc_root}
        mounted = {**roots, **_aliased(config, self.doc_root), **mounts}
        self.router = Router((*routes, *(_mounts(mounted) if mounted else ())))
        self.rewriter = Rewriter(rewrites)
        self.observers = Observers()
        self.misdeeds = Misdeeds()
        self._archive = archive_of(record, self.observers)
        self.hosts = _listening_hosts(hosts, config)
        asked = {"http": http_port, "https": https_port, "h2": h2_port}
        self._wanted_ports = wanted_ports(asked, config.ports)
        self._latency = latency_of(latency_s)
        limits = DEFAULT_LIMITS.changed(config.limits) if limits is None else limits
        if not isinstance(limits, Limits):
            raise ConfigError(f"limits is a Limits(idle_s=3, ...) or Limits.none(), not {limits!r}")
        self._rules = Rules(
            limits,
            leniencies(config.lenient if lenient is None else lenient),
            date_now,
            core_named(config.core if core is None else core),
        )
        self._by_hand = by_hand
        self._alpn = checked_protocols(alpn)
        self.names = (*names, *_certifiable(config))
        settings = TlsSettings.checked(tls_versions, client_certificates, client_ca)
        self._credentials = Credentials(
            certificate, key, tls, certs_dir, self.names, settings, key_log_path(keylog)
        )
        self._engine: Engine | None = None
        self.http_ports: tuple[int, ...] = ()
        self.https_ports: tuple[int, ...] = ()
        self.h2_ports: tuple[int, ...] = ()

    # --- life ----------------------------------------------------------------------------------

    def listen(self, *, processes: int = 1) -> Self:
        """
        Have the ports, which clients can connect to from now on; they are served when it starts.

        Args:
            processes: How many are to serve them: this one, or so many of its forked children, each of which
                calls :meth:`inherit` before it starts.

        Raises:
            ConfigError: A port or a host cannot be had, or the key log not be written; or it listens already.
            CertificateError: There is no usable certificate.
        """
        if self._engine is not None:
            raise ConfigError("the server listens already")
        self._listen(processes)
        return self

    def inherit(self, number: int) -> None:
        """
        In a forked child, listen in the place of the parent, which goes on to have the ports.

        Connections that the child has not accepted when it ends are its successor's, of the same number.

        Args:
            number: Which of the processes this is, from 0 on.
        """
        parents = self._engine
        assert parents is not None, "the parent listens"
        self._engine = self._make_engine()
        self._engine.inherit(parents, number)

    def _make_engine(self) -> Engine:
        engine = Engine(
            self._dispatcher(), self._surroundings, self._latency, self._rules, self.observers, self.misdeeds
        )
        engine.by_hand = ByHand(parks=True) if self._by_hand else None
        return engine

    def _listen(self, processes: int = 1) -> Engine:
        offered = {"https": self._alpn, "h2": ("h2",)}
        terms = self._credentials.terms({kind: offered[kind] for kind in offered if self._wanted_ports[kind]})
        engine = self._make_engine()
        try:
            found = {
                kind: tuple(engine.listen(self.hosts, port, terms[kind], processes) for port in ports)
                for kind, ports in self._wanted_ports.items()
            }
        except BaseException:
            engine.stop()
            raise
        self._engine = engine
        self._know_ports(found)
        if warning := exposure(self.hosts):
            log.warning("%s", warning)
        return engine

    def start(self) -> Self:
        """
        Serve, and before that listen, if need be; return when a client is answered.

        Raises:
            ConfigError: A port or a host cannot be had; or it runs already.
            CertificateError: There is no usable certificate.
        """
        engine = self._engine
        if engine is None:
            engine = self._listen()
        elif engine.started:
            raise ConfigError("the server runs already")
        try:
            engine.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """
        Close all connections and return at once; handlers that sleep find their peer gone.

        It may be called again, from any thread and by a handler. In a forked child it gives back the child's
        share, and the parent's server goes on.
        """
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.stop()
            self._know_ports({})

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- what it does ---------------------------------------------------------------------------

    def state(self) -> ServerState:
        """
        Return what it does at this moment: connections, exchanges, windows, and where each handler is.

        It may be asked from any thread, and by a handler. A loop that an async handler blocks does not
        answer; then, after a second, the state says where it is, and has handlers, but no connections.
        """
        engine = self._engine
        ports = dict(zip(PORT_KINDS, (self.http_ports, self.https_ports, self.h2_ports), strict=True))
        found = engine.state() if engine is not None else ServerState()
        return found._replace(ports=ports, stash_count=self.stash.count)

    def dump(self) -> str:
        """Return its state in words, for whoever looks for what hangs."""
        from wptproto.server.dump import describe

        return describe(self.state())

    # --- routes --------------------------------------------------------------------------------

    def route(self, methods: str | Iterable[str], pattern: str | None = None) -> Callable[[H], H]:
        """
        Return a decorator that registers a handler: ``@server.route("GET", "/hello")``.

        A pattern alone is for any method: ``@server.route("/hello")``.
        """
        return self.router.route(methods, pattern)

    # --- where it is ---------------------------------------------------------------------------

    @property
    def http_port(self) -> int | None:
        """The first of the HTTP ports; None if they are off, or it does not listen."""
        return next(iter(self.http_ports), None)

    @property
    def https_port(self) -> int | None:
        """The first of the HTTPS ports; None if they are off, or it does not listen."""
        return next(iter(self.https_ports), None)

    @property
    def h2_port(self) -> int | None:
        """The first of the ports for h2 alone; None if there are none, or it does not listen."""
        return next(iter(self.h2_ports), None)

    def http_url(self, path: str = "/", *, port: int | None = None) -> str:
        """
        Return the URL of a path on the first HTTP port, or on *port*.

        Raises:
            ConfigError: The server does not listen, or has no HTTP port.
        """
        return self._url("http", "HTTP", port or self.http_port, path)

    def https_url(self, path: str = "/", *, port: int | None = None) -> str:
        """
        Return the URL of a path on the first HTTPS port, or on *port*.

        Raises:
            ConfigError: The server does not listen, or has no HTTPS port.
        """
        return self._url("https", "HTTPS", port or self.https_port, path)

    def h2_url(self, path: str = "/", *, port: int | None = None) -> str:
        """
        Return the URL of a path on the first port for h2 alone, or on *port*.

        Raises:
            ConfigError: The server does not listen, or has no such port.
        """
        return self._url("https", "h2", port or self.h2_port, path)

    @property
    def ca(self) -> Path:
        """
        The PEM file that a client of the TLS ports has to trust; made if need be.

        Raises:
            CertificateError: It cannot be made.
        """
        return self._credentials.ca

    @property
    def revoked(self) -> Path:
        """
        The PEM file of what the authority has revoked: ``revoked`` of the catalogue; made if need be.

        Raises:
            CertificateError: It cannot be made.
        """
        return self._credentials.revoked

    def client_certificate(self, name: str = "client") -> ClientCertificate:
        """
        Return a client's certificate and its key, by our authority for clients; made if need be.

        Args:
            name: Who the client is: the certificate's common name.

        Returns:
            PEM files, as ``ssl.SSLContext.load_cert_chain`` takes them.

        Raises:
            CertificateError: The name cannot be a client's, or the files cannot be made.
        """
        return self._credentials.client_certificate(name)

    def client_context(self) -> ssl.SSLContext:
        """Return a context for clients that trusts this server's certificate and no other."""
        return ssl.create_default_context(cafile=str(self.ca))

    def _url(self, scheme: str, kind: str, port: int | None, path: str) -> str:
        if port is None:
            why = "does not run" if self._engine is None else f"has no {kind} port"
            raise ConfigError(f"the server {why}, so it has no URL")
        host = self.hosts[0]
        if is_wildcard(host) or host in DEFAULT_HOSTS:
            host = "localhost"
        elif ":" in host:
            host = f"[{host}]"
        return f"{scheme}://{host}:{port}/{path.removeprefix('/')}"

    def _know_ports(self, found: Mapping[str, tuple[int, ...]]) -> None:
        """Know the ports that it listens on, and have handlers know them; none when it has stopped."""
        self.http_ports, self.https_ports, self.h2_ports = (found.get(kind, ()) for kind in PORT_KINDS)
        self.config = self._idle_config
        if found:
            # Tests ask for "h2" where any port will do that speaks it.
            told = {**found, "h2": self.h2_ports or self.https_ports}
            ports = {kind: list(ports) for kind, ports in told.items()}
            self.config = self._idle_config.serving(ports, self._idle_config.doc_root)

    def _dispatcher(self) -> Dispatcher:
        suppressed = self._idle_config.logging["suppress_handler_traceback"]
        any_scheme = Leniency.SCHEME in self._rules.lenient
        return Dispatcher(
            self.router,
            self.rewriter,
            tracebacks=not suppressed,
            any_scheme=any_scheme,
            find_first=self._find_first,
        )

    def _find_first(self, request: Request, route: Callable[[Request], Handler | None]) -> Handler | None:
        """Return a request's handler; *route* is what finds that of its route."""
        return route(request)

    def _surroundings(self, scheme: str, client: tuple[str, int], server: tuple[str, int]) -> Surroundings:
        root = None if self.doc_root is None else str(self.doc_root)
        return Surroundings(scheme, client, server, self._seen_by, root)

    def _seen_by(self, request: Request) -> _ServerOfRequest:
        return _ServerOfRequest(self, request)


class _ServerOfRequest:
    """
    The server as the handler of one request sees it: its stash is at home below the request's path.

    All else that is asked of it is the server's; what a handler sets on it stays with the request.
    """

    def __init__(self, server: BaseServer, request: Request) -> None:
        self._server = server
        self._request = request

    @property
    def stash(self) -> Stash:
        return self._server.stash.below(self._request.url_parts.path)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._server, name)

    def __eq__(self, other: object) -> bool:
        return self._server == (other._server if isinstance(other, _ServerOfRequest) else other)

    def __hash__(self) -> int:
        return hash(self._server)


def _listening_hosts(hosts: str | Sequence[str] | None, config: Config) -> tuple[str, ...]:
    if hosts is None and config.server_host in (None, config.browser_host):
        return DEFAULT_HOSTS
    hosts = config.server_host if hosts is None else hosts
    found = (hosts,) if isinstance(hosts, str) else tuple(hosts or ())
    if not found:
        raise ConfigError("there is no host to listen on")
    return found


def _mounts(mounted: Mapping[str, str | Path]) -> list[Route]:
    from wptproto.handlers.mounts import mount_routes  # many a test serves no file

    return mount_routes(mounted)


def _aliased(config: Config, doc_root: Path | None) -> dict[str, Path]:
    """Return the directories that a config mounts, by their paths."""
    found: dict[str, Path] = {}
    for alias in config.aliases:
        directory = Path(alias["local-dir"])
        if doc_root is None and not directory.is_absolute():
            raise ConfigError(
                f"aliases: {directory} would be below the document root, and there is none; give a whole path"
            )
        found[alias["url-path"]] = directory if doc_root is None else doc_root / directory
    return found


def _certifiable(config: Config) -> list[str]:
    """Return the domains of a config that a certificate can be for: an address has none below it."""
    return [
        host
        for domains in config.domains.values()
        for label, host in domains.items()
        if not label or not is_address(domains[""])
    ]
