"""What ``wptproto serve`` says when it listens: to people where it is, to programs the same in JSON."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from wptproto.default_names import DEFAULT_NAMES
from wptproto.server.config import Config
from wptproto.server.listener import exposure, is_wildcard
from wptproto.server.server import Server
from wptproto.version import __version__

__all__ = ["ready_line", "resolver_rules", "welcome"]

_SHOWN_NAMES = 4


def welcome(
    server: Server, subjects: Sequence[str], *, path: str, own_certificate: bool, certs_dir: Path | None
) -> str:
    """
    Return what a person wants to know of a server that listens.

    Args:
        server: The server.
        subjects: What it serves.
        path: One to try.
        own_certificate: Whether its certificate is somebody's own, and not a generated one.
        certs_dir: Where generated ones were asked to be; None if nobody said.
    """
    spoken = {
        "http": "HTTP/1.1, and HTTP/2 in the clear",
        "https": "HTTP/2 and HTTP/1.1 over TLS",
        "h2": "HTTP/2 alone, over TLS",
    }
    lines = [f"wptproto {__version__} serves {' and '.join(subjects)}; Ctrl-C stops it.", ""]
    lines += [f"    {url:<26}  {spoken[kind]}" for kind, urls in _urls(server).items() for url in urls]
    if warning := exposure(server.hosts):
        lines += ["", warning]
    from wptproto import demo

    commands = demo.curl_commands(server, path)
    lines += ["", "Open one in a browser, or try:", "", *(f"    {command}" for command in commands)]
    if server.config.domains_set != {"localhost"}:
        lines += ["", _names(server)]
    if (server.https_ports or server.h2_ports) and not own_certificate:
        command = _certs_command(server, certs_dir)
        lines += ["", f"How browsers and others come to trust the certificate: {command}"]
    return "\n".join([*lines, "", ""])


def ready_line(server: Server) -> str:
    """
    Return a line of JSON for the program that started a server.

    Of each kind of port, ``urls`` and ``ports`` have the first, or null, and ``all_urls`` and ``all_ports``
    have a list. ``ca`` is what clients of TLS have to trust, or null.
    """
    urls = _urls(server)
    ports = {"http": server.http_ports, "https": server.https_ports, "h2": server.h2_ports}
    facts = {
        "urls": {kind: next(iter(found), None) for kind, found in urls.items()},
        "ports": {kind: next(iter(listed), None) for kind, listed in ports.items()},
        "all_urls": urls,
        "all_ports": ports,
        "ca": str(server.ca) if server.https_ports or server.h2_ports else None,
        "pid": os.getpid(),
    }
    return json.dumps(facts) + "\n"


def resolver_rules(config: Config, address: str) -> str:
    """
    Return the rules by which Chromium finds the hosts of a config, and all below them, at an address.

    Those domains that shall lead nowhere do not.
    """
    hosts = [config.browser_host, *config.alternate_hosts.values()]
    rules = [f"MAP {name} ~NOTFOUND" for name in sorted(config.not_domains_set)]
    rules += [f"MAP {name} {address}" for host in hosts for name in (host, f"*.{host}")]
    return ", ".join(rules)


def _urls(server: Server) -> dict[str, list[str]]:
    return {
        "http": [server.http_url(port=port) for port in server.http_ports],
        "https": [server.https_url(port=port) for port in server.https_ports],
        "h2": [server.h2_url(port=port) for port in server.h2_ports],
    }


def _names(server: Server) -> str:
    """Return which names lead to the server, if a client is told so, and how it is told."""
    config = server.config
    names = sorted(config.domains_set, key=lambda name: (len(name), name))
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    host = server.hosts[0]
    if is_wildcard(host):
        host = "::1" if ":" in host else "127.0.0.1"
    address = f"[{host}]" if ":" in host else host
    return (
        f"It is also {', '.join(names[:_SHOWN_NAMES])}{more}, for clients told so:\n"
        f'Chromium by --host-resolver-rules="{resolver_rules(config, address)}",\n'
        f"curl by --connect-to ::{address}: and others by the system's hosts file."
    )


def _certs_command(server: Server, certs_dir: Path | None) -> str:
    command = ["wptproto", "certs"]
    if server.ca.name != "ca.pem":  # another authority, which goes by the names that it is for
        command += dict.fromkeys(name for name in server.names if name not in DEFAULT_NAMES)
    if certs_dir is not None:
        command += ["--certs", str(certs_dir)]
    return shlex.join(command)
