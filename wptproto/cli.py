"""
The command line: ``wptproto serve`` and ``wptproto certs``.

What one command or flag needs, and another does not, is imported when that is asked for.
"""

from __future__ import annotations

import argparse
import functools
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from wptproto.default_names import DEFAULT_NAMES
from wptproto.errors import ConfigError, WptprotoError
from wptproto.handlers.router import Route
from wptproto.limits import Limits
from wptproto.protocol.rules import core_named, leniencies
from wptproto.server.config import Config
from wptproto.server.listener import is_wildcard
from wptproto.server.ports import AskedPorts
from wptproto.server.server import Server
from wptproto.signals import Output, dumping, until_stopped
from wptproto.version import __version__

__all__ = ["main"]

EXIT_MISUSED = 2
DEFAULTS: dict[str, Any] = {"ports": {"http": [8000], "https": [8443]}, "logging": {"level": "info"}}
"""What a config is taken to say where it says nothing."""

SERVE = """
Serve the files of a directory over HTTP/1.1 and HTTP/2, with and without TLS. A *.py in it is a handler:
its main(request, response) answers. Requests run these scripts, so serve none that you do not trust.
Ctrl-C, SIGTERM and SIGHUP stop it at once. SIGUSR1 has it print what it is doing, and SIGUSR2 where all
its threads are; with --workers, one after the other.
"""
CERTS = "Make an authority and a server certificate, if need be, and tell how clients come to trust them."
CERTS_DIRECTORY = "where generated certificates are kept (default: the user's data directory)"


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run a command. What is wrong with it is one sentence on stderr.

    Args:
        argv: The arguments; None means those of the process.

    Returns:
        The exit status: 0, or 2 where the command or what it names cannot be used.

    Raises:
        SystemExit: The arguments are wrong, or ask for help or the version.
    """
    try:
        options = _parser().parse_args(argv)
        if options.command == "serve":
            _serve(options)
        else:
            _make_certificates(options)
    except WptprotoError as error:
        print(f"wptproto: {error}", file=sys.stderr)
        return EXIT_MISUSED
    finally:
        _let_go_of_streams()
    return 0


# --- serve ---------------------------------------------------------------------------------------


def _serve(options: argparse.Namespace) -> None:
    stdin = _stdin() if options.until_eof else None
    with until_stopped(until_eof=stdin) as wait:
        config = _config(options)
        level = (options.log_level or config.logging["level"]).upper()
        count = options.workers or config.workers
        server = _server(options, config)
        ready = functools.partial(_say_where, server, options)
        if count > 1:
            _serve_with_workers(server, count, level, ready, stdin, options)
            return
        with _tracing(server, options, sys.stderr), _logging(level, sys.stderr), dumping(server), server:
            ready()
            wait()


def _serve_with_workers(
    server: Server,
    count: int,
    level: str,
    ready: Callable[[], None],
    stdin: int | None,
    options: argparse.Namespace,
) -> None:
    if not hasattr(os, "fork"):
        raise ConfigError(f"{count} workers cannot be had on this system, which does not fork; leave it at 1")
    from wptproto.server.process_lock import WholeWrites
    from wptproto.workforce import Workforce

    output = WholeWrites(sys.stderr) if sys.stderr is not None else None
    if options.trace:
        raise ConfigError(
            f"--trace {options.trace[0]} is for one process, not {count} workers; -v is for all"
        )
    with _tracing(server, options, output, with_process=True), _logging(level, output):
        Workforce(server, count, output).run(ready, until_eof=stdin)


@contextmanager
def _tracing(
    server: Server, options: argparse.Namespace, output: Output | None, *, with_process: bool = False
) -> Iterator[None]:
    """Trace what flags ask for, to files and to stderr."""
    with ExitStack() as traces:
        for path in options.trace:
            traces.enter_context(server.trace(path))
        if options.verbose and output is not None:
            from wptproto.trace.log import wants_colours

            said = {"verbosity": options.verbose, "colours": wants_colours(sys.stderr)}
            traces.enter_context(server.trace(output, with_process=with_process, **said))
        yield


def _stdin() -> int:
    """Return the descriptor of stdin; if it was closed from the beginning, of what has ended."""
    return sys.stdin.fileno() if sys.stdin is not None else os.open(os.devnull, os.O_RDONLY)


def _server(options: argparse.Namespace, config: Config) -> Server:
    if (options.cert is None) != (options.key is None):
        raise ConfigError("--cert needs --key, and --key needs --cert")
    served_already = options.demo or config.doc_root is not None
    if options.wpt is not None:
        from wptproto import wpt

        make = functools.partial(wpt.server, options.wpt)
    else:
        root = options.docroot or (None if served_already else Path())
        make = functools.partial(Server, root, _demonstration() if options.demo else ())
    return make(
        hosts=tuple(options.host) or None,
        http_port=_ports(options.http_port),
        https_port=_ports(options.https_port),
        h2_port=_ports(options.h2_port),
        certificate=options.cert,
        key=options.key,
        **_tls(options),
        certs_dir=options.certs,
        keylog=options.keylog,
        record=False,  # nobody can look at it
        names=(*DEFAULT_NAMES, *_nameable(options.host or [config["server_host"]])),
        config=config,
        rewrites=[("*", path, new_path) for path, new_path in options.rewrite],
        mounts=_mounts(options.mount),
        latency_s=options.latency,
        limits=_limits(options, config),
        lenient=options.lenient or None,
        core=options.core,
    )


def _tls(options: argparse.Namespace) -> dict[str, Any]:
    """Return what flags say of TLS; of what they do not speak of, the server has its defaults."""
    asked = {
        "tls": options.tls,
        "tls_versions": options.tls_version,
        "client_certificates": options.client_certificates,
        "client_ca": options.client_ca,
    }
    found = {name: value for name, value in asked.items() if value is not None}
    if options.alpn is not None:
        found["alpn"] = [name for name in options.alpn if name != "none"]
    return found


def _config(options: argparse.Namespace) -> Config:
    files = [] if options.config is None else [options.config]
    if options.wpt is None:
        return Config.load(*files, defaults=DEFAULTS)
    if options.demo or options.docroot is not None:
        raise ConfigError(
            "--wpt names all that is served, so there is no place for DOCROOT or --demo beside it"
        )
    from wptproto import wpt

    return wpt.checkout_config(options.wpt, *files)


def _demonstration() -> list[Route]:
    from wptproto import demo

    return demo.routes()


def _limits(options: argparse.Namespace, config: Config) -> Limits:
    limits = Limits.none() if options.no_limits else Limits().changed(config.limits)
    return limits.changed(dict(options.limit))


def _ports(given: list[int | None] | None) -> AskedPorts:
    """Return the ports of a flag, which may be there several times; without it, the config decides."""
    if given is None:
        return "config"
    ports: list[int] = []
    for port in given:
        ports = [] if port is None else [*ports, port]
    return ports


def _mounts(pairs: list[tuple[str, str]]) -> dict[str, str]:
    mounts: dict[str, str] = {}
    for path, directory in pairs:
        if path in mounts:
            raise ConfigError(f"--mount {path} cannot be {mounts[path]} and {directory}")
        mounts[path] = directory
    return mounts


def _nameable(hosts: Sequence[str]) -> list[str]:
    """Return those hosts by which a client can call the server."""
    return [host for host in hosts if not is_wildcard(host)]


class _Formatter(logging.Formatter):
    """Time and message, in which no client gets to write control characters."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda found: ascii(found[0])[1:-1], text)


@contextmanager
def _logging(level: str, output: Output | None) -> Iterator[None]:
    """Show the package's log, and nobody else's."""
    handler = logging.StreamHandler(output)
    handler.setFormatter(_Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("wptproto")
    level_before = logger.level
    logger.setLevel(level)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level_before)


# --- certs ---------------------------------------------------------------------------------------


def _make_certificates(options: argparse.Namespace) -> None:
    from wptproto import certs

    if options.client is not None:
        _say(certs.client_instructions(certs.ensure_client(options.certs, options.client)))
        return
    names = (*DEFAULT_NAMES, *options.names)
    if options.catalogue:
        from wptproto.certs import catalogue

        revoked = catalogue.ensure_entry("revoked", options.certs, names)
        _say(catalogue.listing(revoked, DEFAULTS["ports"]["https"][0]))
        return
    _say(certs.instructions(certs.ensure(options.certs, names)))


# --- what is said --------------------------------------------------------------------------------


def _say_where(server: Server, options: argparse.Namespace) -> None:
    _say(_welcome(server, options))


def _welcome(server: Server, options: argparse.Namespace) -> str:
    from wptproto.welcome import ready_line, welcome

    if options.ready_json:
        return ready_line(server)
    subjects = ["its demonstration"] if options.demo else []
    if server.doc_root is not None:
        what = "files, and *.py as handlers" if options.wpt is None else "Web Platform Tests, no WebSockets"
        subjects.append(f"{server.doc_root} ({what})")
    path = "/echo" if options.demo else "/"
    own = options.cert is not None
    return welcome(server, subjects, path=path, own_certificate=own, certs_dir=options.certs)


def _say(text: str) -> None:
    """Print to stdout, at once; somebody who has stopped reading there has read enough."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for paths that its encoding does not have
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        pass
    except OSError as error:
        raise ConfigError(f"cannot write to stdout: {error.strerror}") from error


def _let_go_of_streams() -> None:
    """Drop what nobody can read any more; the interpreter's own last flush would complain of it."""
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None, if it was closed from the beginning
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


# --- arguments -----------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_MISUSED, f"wptproto: {message}; see: {self.prog} --help\n")


def _parser() -> _Parser:
    parser = _Parser(prog="wptproto", description="A server for testing HTTP clients.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"wptproto {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    what = "serve a directory, or a demonstration, over HTTP/1.1 and HTTP/2"
    _add_serve_arguments(commands.add_parser("serve", help=what, description=SERVE, allow_abbrev=False))
    what = "make certificates, and tell how clients come to trust them"
    _add_certs_arguments(commands.add_parser("certs", help=what, description=CERTS, allow_abbrev=False))
    return parser


def _add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    root = "directory to serve (default: the current one; with --demo: none)"
    add("docroot", metavar="DOCROOT", nargs="?", type=Path, help=root)
    add("--demo", action="store_true", help="serve the built-in demonstration, before what DOCROOT has")
    checkout = "serve a checkout of the Web Platform Tests, under their hosts and ports; no WebSockets"
    add("--wpt", metavar="DIR", type=Path, help=checkout)
    host = "address to listen on; may be given several times (default: 127.0.0.1 and ::1, this machine's own)"
    add("--host", metavar="HOST", action="append", default=[], help=host)
    config = "JSON file with hosts, ports, directories and more; flags win over it"
    add("--config", metavar="FILE", type=Path, help=config)
    port = "port for %s; several times for several; 0 picks a free one, none switches off (default: %s)"
    for flag, what, default in (
        ("--http-port", "HTTP/1.1 and h2c", 8000),
        ("--https-port", "h2 and HTTP/1.1 over TLS", 8443),
        ("--h2-port", "h2 alone, over TLS", "none"),
    ):
        add(flag, metavar="PORT", type=_port, action="append", help=port % (what, default))
    mount = (
        "serve DIR below PATH, as /images/=pictures, or only its file of that name, as /a/file.txt=pictures"
    )
    add("--mount", metavar="PATH=DIR", type=_pair, action="append", default=[], help=mount)
    rewrite = "answer requests for the path FROM as if they were for TO"
    add("--rewrite", metavar="FROM=TO", type=_pair, action="append", default=[], help=rewrite)
    latency = "let each request wait so long before it is handled"
    limit = "let clients ask for so much, as field_lines=50 or idle_s=none; README has the names"
    add("--limit", metavar="NAME=VALUE", type=_limit, action="append", default=[], help=limit)
    add("--no-limits", action="store_true", help="let clients ask for anything that no --limit forbids")
    lenient = "forgive this in HTTP/1.1 requests, as bare-lf; README has the names; all forgives everything"
    add("--lenient", metavar="NAME", type=_lenient, action="append", default=[], help=lenient)
    core = "what connections are made of: fast, or plain, without what makes them so (default: fast)"
    add("--core", metavar="fast|plain", type=_core, help=core)
    workers = "serve with so many processes, which share ports, stash and log (default: 1)"
    add("--workers", metavar="N", type=_workers, help=workers)
    add("--latency", metavar="SECONDS", type=_seconds, help=latency)
    add("--cert", metavar="FILE", type=Path, help="certificate in PEM to use instead of a generated one")
    add("--key", metavar="FILE", type=Path, help="its private key in PEM")
    add("--certs", metavar="DIR", type=Path, help=CERTS_DIRECTORY)
    keys = "file to add the secrets of TLS to, for Wireshark (default: SSLKEYLOGFILE, if that is set)"
    add("--keylog", metavar="FILE", type=Path, help=keys)
    entry = (
        "certificate of the catalogue to use instead, as expired; wptproto certs --catalogue has the names"
    )
    add("--tls", metavar="NAME", help=entry)
    version = "version of TLS to speak, as TLSv1.3; may be given several times (default: TLSv1.2 and TLSv1.3)"
    add("--tls-version", metavar="VERSION", action="append", help=version)
    alpn = (
        "protocol for HTTPS ports to offer by ALPN, best first; may be given several times; none is no ALPN"
    )
    add("--alpn", metavar="NAME", action="append", help=f"{alpn} (default: h2 and http/1.1)")
    clients = (
        "certificates of clients: none, asked (for), required, or refused whatever they are (default: none)"
    )
    add("--client-certificates", metavar="MODE", help=clients)
    authority = (
        "authorities for certificates of clients, in PEM (default: our own, as wptproto certs --client)"
    )
    add("--client-ca", metavar="FILE", type=Path, help=authority)
    level = "what goes to stderr; info has a line for each request (default: info)"
    add("--log-level", choices=("debug", "info", "warning", "error"), help=level)
    verbose = (
        "trace connections, frames and handlers on stderr; twice also content, windows and HPACK's tables"
    )
    add("-v", "--verbose", action="count", default=0, help=verbose)
    trace = "trace them to FILE, as its suffix says: .log, .jsonl, .har, .qlog, .pcapng; several for several"
    add("--trace", metavar="FILE", type=Path, action="append", default=[], help=trace)
    until_eof = "stop when stdin ends; whoever starts the server is then not outlived by it"
    add("--until-eof", action="store_true", help=until_eof)
    add("--ready-json", action="store_true", help="print one line of JSON when listening, and nothing else")


def _add_certs_arguments(parser: argparse.ArgumentParser) -> None:
    what = "host or address the certificate is for, besides localhost and its like"
    parser.add_argument("names", metavar="NAME", nargs="*", help=what)
    parser.add_argument("--certs", metavar="DIR", type=Path, help=CERTS_DIRECTORY)
    other = parser.add_mutually_exclusive_group()
    what = "tell which certificates there are that are wrong in one way each, and how to try them"
    other.add_argument("--catalogue", action="store_true", help=what)
    what = "make a certificate for a client of that name, and tell where it is"
    other.add_argument("--client", metavar="CLIENT", help=what)


def _port(text: str) -> int | None:
    if text == "none":
        return None
    if re.fullmatch("[0-9]{1,5}", text) and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535, or none")


def _workers(text: str) -> int:
    if re.fullmatch("[0-9]{1,3}", text) and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of processes; give one from 1 to 999")


def _pair(text: str) -> tuple[str, str]:
    path, sign, value = text.partition("=")
    if not path.startswith("/") or not sign or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is no /PATH=VALUE")
    return path, value


def _limit(text: str) -> tuple[str, float | None]:
    name, _, value = text.partition("=")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?|none", value):
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=VALUE, of which VALUE is a number, or none")
    number = None if value == "none" else float(value) if "." in value else int(value)
    try:
        Limits().changed({name: number})
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return name, number


def _lenient(text: str) -> str:
    try:
        leniencies(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("lenient: ")) from None
    return text


def _core(text: str) -> str:
    try:
        return core_named(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("core: ")) from None


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from None
