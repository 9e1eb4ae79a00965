"""Listening sockets: one port on several addresses, and errors that say what to do."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from contextlib import ExitStack

from wptproto.errors import ConfigError

__all__ = ["BACKLOG", "DEFAULT_HOSTS", "exposure", "is_address", "is_wildcard", "listen", "shares"]

DEFAULT_HOSTS = ("127.0.0.1", "::1")
BACKLOG = 1024
"""Connections that may wait to be accepted: a suite opens hundreds, and a dropped one costs a second."""
_ATTEMPTS = 20
_BALANCES = sys.platform == "linux"
"""Whether the system shares connections out among sockets that have one port: elsewhere the last gets all."""


def listen(hosts: tuple[str, ...], port: int) -> list[socket.socket]:
    """
    Return sockets that listen on one port of all *hosts*.

    Args:
        hosts: Addresses or names. Of DEFAULT_HOSTS, the IPv6 one is left out where there is no IPv6.
        port: 0 picks one that is free on all of them.

    Raises:
        ConfigError: A host is none of this machine's, or the port cannot be had; says which and why.
    """
    addresses = _addresses(hosts)
    optional = hosts == DEFAULT_HOSTS
    for _ in range(_ATTEMPTS if port == 0 else 0):
        try:
            return _listen_once(addresses, port, optional=optional)
        except ConfigError as error:
            # The port that one address gave us was taken on another; a new one may not be.
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.errno != errno.EADDRINUSE:
                raise
    return _listen_once(addresses, port, optional=optional)


def _addresses(hosts: tuple[str, ...]) -> list[tuple[socket.AddressFamily, str]]:
    """Return every address the hosts stand for, each once: ``localhost`` has one of each family."""
    addresses: dict[tuple[socket.AddressFamily, str], None] = {}
    for host in hosts:
        try:
            # As octets, for to text Python applies IDNA, which takes longer to import than this to run.
            name = host.encode("ascii") if host.isascii() else host
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no host name"
            raise ConfigError(f"host {host!r} is not known: {reason}") from error
        for family, _, _, _, address in found:
            if family in (socket.AF_INET, socket.AF_INET6):
                addresses[family, str(address[0])] = None
    return list(addresses)


def exposure(hosts: tuple[str, ...]) -> str:
    """
    Return a sentence to whoever listens where other machines can reach it; empty at loopback addresses alone.

    Raises:
        ConfigError: A host is not known.
    """
    addresses = [address for _, address in _addresses(hosts) if not ipaddress.ip_address(address).is_loopback]
    if not addresses:
        return ""
    return (
        f"Other machines may reach {' and '.join(addresses)}: "
        f"anyone there can read what is served, and run its handler scripts."
    )


def _listen_once(
    addresses: list[tuple[socket.AddressFamily, str]], port: int, *, optional: bool
) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for family, address in addresses:
            try:
                sockets.append(_listen_one(family, address, port))
            except OSError as error:
                missing = error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
                if missing and optional and family == socket.AF_INET6:
                    continue
                raise ConfigError(_explained(address, port, error)) from error
            port = sockets[0].getsockname()[1]
    except ConfigError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _listen_one(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    sock = _socket(family)
    try:
        sock.bind((address, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _socket(family: int) -> socket.socket:
    # By this protocol's number asyncio knows that TCP_NODELAY is wanted of the connections.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setblocking(False)
    if os.name == "posix":
        # Windows means another thing by it: that two programs may have the port.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return sock


def shares(sockets: list[socket.socket], count: int) -> list[list[socket.socket]]:
    """
    Return for each of several processes sockets of its own, on the port of those that listen already.

    Those are the first share. The system then shares connections out evenly, by their addresses; where it
    does not do that, all accept from the same queue, and whoever is first takes what there is. The port was
    had by one program alone, and another still cannot have it.

    Raises:
        ConfigError: The system does not give them.
    """
    found = [sockets, *([] for _ in range(1, count))]
    with ExitStack() as undoing:
        for share in found[1:]:
            for sock in sockets:
                try:
                    twin = _twin(sock) if _BALANCES else sock.dup()
                except OSError as error:
                    host, port = sock.getsockname()[:2]
                    raise ConfigError(_explained(host, port, error)) from error
                undoing.callback(twin.close)
                share.append(twin)
        undoing.pop_all()
    return found


def _twin(first: socket.socket) -> socket.socket:
    """Return another socket on the same address and port, with a queue of its own."""
    # Only now, for whoever has it when it binds may find somebody there already, and not be told.
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock = _socket(first.family)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(first.getsockname())
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _explained(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use by another program; choose another, or 0 for a free one"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} is not allowed to this user; choose one above 1023"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine"
    return f"cannot listen on port {port} of {host}: {error.strerror}"


def is_address(host: str) -> bool:
    """Whether a host is an address, and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_wildcard(host: str) -> bool:
    """Whether a host stands for all addresses of the machine."""
    return is_address(host) and ipaddress.ip_address(host).is_unspecified
