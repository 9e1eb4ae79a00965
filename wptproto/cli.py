"""The command line: ``wptproto serve`` and ``wptproto certs``."""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from wptproto import certs, demo
from wptproto.errors import ConfigError, WptprotoError
from wptproto.server.listener import DEFAULT_HOSTS, is_wildcard
from wptproto.server.server import Server
from wptproto.version import __version__

__all__ = ["main"]

EXIT_MISUSED = 2


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
    options = _parser().parse_args(argv)
    try:
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
    with _until_signal(), _logging(options.log_level.upper()):
        server = _server(options)
        with server:
            _say(_ready_line(server) if options.ready_json else _welcome(server, options))
            while True:
                time.sleep(3600)


def _server(options: argparse.Namespace) -> Server:
    if (options.cert is None) != (options.key is None):
        raise ConfigError("--cert needs --key, and --key needs --cert")
    if options.http_port == options.https_port and options.http_port:
        raise ConfigError(f"--http-port and --https-port cannot both be {options.http_port}")
    # A directory that was not asked for stays out of the demonstration.
    default_root = None if options.demo else Path()
    return Server(
        options.docroot if options.docroot is not None else default_root,
        demo.routes() if options.demo else (),
        hosts=tuple(options.host) or DEFAULT_HOSTS,
        http_port=options.http_port,
        https_port=options.https_port,
        certificate=options.cert,
        key=options.key,
        certs_dir=options.certs,
        names=(*certs.DEFAULT_NAMES, *_nameable(options.host)),
    )


def _nameable(hosts: Sequence[str]) -> list[str]:
    """Return those hosts by which a client can call the server."""
    return [host for host in hosts if not is_wildcard(host)]


@contextmanager
def _until_signal() -> Iterator[None]:
    """
    End the block, wherever it is, at the first SIGINT or SIGTERM.

    Those that follow are ignored, also behind the block: the process is about to end anyway, and one
    that comes while it does shall not show as a traceback.
    """
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    try:
        for number in signals:
            signal.signal(number, stop)
        yield
    except KeyboardInterrupt:
        return
    except BaseException:
        for number in signals:
            signal.signal(number, before[number])
        raise


@contextmanager
def _logging(level: str) -> Iterator[None]:
    """Show the package's log, and nobody else's, on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("wptproto")
    logger.setLevel(level)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


# --- what is said --------------------------------------------------------------------------------


def _welcome(server: Server, options: argparse.Namespace) -> str:
    subjects = ["its demonstration"] if options.demo else []
    if server.doc_root is not None:
        subjects.append(f"{server.doc_root} (files, and *.py as handlers)")
    lines = [f"wptproto {__version__} serves {' and '.join(subjects)}; Ctrl-C stops it.", ""]
    if server.http_port is not None:
        lines.append(f"    {server.http_url():<26}  HTTP/1.1, and HTTP/2 in the clear")
    if server.https_port is not None:
        lines.append(f"    {server.https_url():<26}  HTTP/2 and HTTP/1.1 over TLS")
    lines += ["", "Open one in a browser, or try:", ""]
    lines += [f"    {command}" for command in demo.curl_commands(server, "/echo" if options.demo else "/")]
    if server.https_port is not None and options.cert is None:
        more = ["wptproto", "certs", *_nameable(options.host)]
        if options.certs is not None:
            more += ["--certs", str(options.certs)]
        lines += ["", f"How browsers and others come to trust the certificate: {shlex.join(more)}"]
    return "\n".join([*lines, ""])


def _ready_line(server: Server) -> str:
    has_http, has_https = server.http_port is not None, server.https_port is not None
    return json.dumps(
        {
            "urls": {
                "http": server.http_url() if has_http else None,
                "https": server.https_url() if has_https else None,
            },
            "ports": {"http": server.http_port, "https": server.https_port},
            "ca": str(server.ca) if has_https else None,
            "pid": os.getpid(),
        }
    )


def _say(text: str) -> None:
    """Print to stdout, at once; somebody who has stopped reading there has read enough."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        pass


def _let_go_of_streams() -> None:
    """Drop what nobody will read any more; the interpreter's own last flush would complain of it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


# --- certs ---------------------------------------------------------------------------------------


def _make_certificates(options: argparse.Namespace) -> None:
    made = certs.ensure(options.certs, (*certs.DEFAULT_NAMES, *options.names))
    _say(certs.instructions(made).rstrip("\n"))


# --- arguments -----------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_MISUSED, f"wptproto: {message}; see: {self.prog} --help\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog="wptproto",
        description="A server for testing HTTP clients: one handler answers over HTTP/1.1 and HTTP/2.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"wptproto {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_serve(commands.add_parser("serve", help="serve a directory, or a demonstration", allow_abbrev=False))
    _add_certs(
        commands.add_parser("certs", help="make certificates, and tell how to trust them", allow_abbrev=False)
    )
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Serve a directory over HTTP/1.1 and HTTP/2, with and without TLS: its files, and its *.py as"
        " handlers, whose main(request, response) answers. A request runs a script, so serve none you do not trust."
    )
    add = parser.add_argument
    add("docroot", metavar="DOCROOT", nargs="?", type=Path, help="directory (default: this one; with --demo: none)")
    add("--demo", action="store_true", help="serve the built-in demonstration, before what DOCROOT has")
    add(
        "--host", action="append", default=[], metavar="HOST",
        help="address to listen on, IPv4 or IPv6; repeat it for several (default: 127.0.0.1 and ::1)",
    )  # fmt: skip
    ports = "port of %s; 0 picks a free one, none switches it off (default: %%(default)s)"
    add("--http-port", type=_port, default=8000, metavar="PORT", help=ports % "HTTP/1.1 and h2c")
    add("--https-port", type=_port, default=8443, metavar="PORT", help=ports % "h2 and HTTP/1.1 over TLS")
    add("--cert", type=Path, metavar="FILE", help="certificate in PEM, instead of a generated one")
    add("--key", type=Path, metavar="FILE", help="its private key, in PEM")
    _add_certs_directory(parser)
    add(
        "--log-level", choices=("debug", "info", "warning", "error"), default="info",
        help="what goes to stderr; info has a line for each request (default: info)",
    )  # fmt: skip
    add("--ready-json", action="store_true", help="when listening, print one line of JSON and nothing else")


def _add_certs(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make a development authority and a server certificate, unless they are there,"
        " and tell where they are and how clients come to trust them."
    )
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help="what the certificate is for, besides localhost and its like"
    )
    _add_certs_directory(parser)


def _add_certs_directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--certs", type=Path, metavar="DIR", help="where generated certificates are (default: the user's data)"
    )


def _port(text: str) -> int | None:
    if text == "none":
        return None
    if re.fullmatch("[0-9]{1,5}", text) and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535, or none")
