"""Ports: which ones a server listens on, as its arguments and its config say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from wptproto.errors import ConfigError
from wptproto.server import config_values

__all__ = ["AskedPorts", "KINDS", "PORT_KINDS", "Kind", "spoken_kinds", "wanted_ports"]

AskedPorts = int | Sequence[int] | Literal["config"] | None
"""Ports; 0 is a free one. None is off, and so is an empty sequence; ``"config"`` is what the config says."""

Kind = Literal["h1", "h1s", "h2", "h2c"]
"""What is spoken on a connection: HTTP/1.1 or HTTP/2, in the clear (``h1``, ``h2c``) or over TLS."""

KINDS: tuple[Kind, ...] = ("h1", "h1s", "h2", "h2c")

PORT_KINDS = ("http", "https", "h2")
_DEFAULTS: dict[str, tuple[int, ...]] = {"http": (0,), "https": (0,), "h2": ()}


def wanted_ports(
    asked: Mapping[str, AskedPorts], configured: Mapping[str, Sequence[int]]
) -> dict[str, tuple[int, ...]]:
    """
    Return the ports to listen on, of each kind.

    Args:
        asked: Of each kind, as an argument says.
        configured: Of those kinds that the config speaks of. Of the others, where the argument leaves it
            to the config, it is one free port, and of h2 none.

    Raises:
        ConfigError: One of them is no port, or wanted twice; or there is none at all.
    """
    wanted = {kind: _list(kind, asked[kind], configured) for kind in PORT_KINDS}
    if not any(wanted.values()):
        raise ConfigError("all ports are switched off; there would be nothing to serve")
    taken: dict[int, str] = {}
    for kind, ports in wanted.items():
        for port in filter(None, ports):
            if port in taken:
                raise ConfigError(f"port {port} is wanted twice, for {taken[port]} and for {kind}")
            taken[port] = kind
    return wanted


def spoken_kinds(ports: Mapping[str, Sequence[int]], alpn: Sequence[str]) -> frozenset[Kind]:
    """
    Return what can be spoken.

    Args:
        ports: Of each kind, as :func:`wanted_ports` has them.
        alpn: What the HTTPS ports offer; without any they speak HTTP/1.1.
    """
    found: set[Kind] = {"h1", "h2c"} if ports["http"] else set()
    if ports["https"] and "h2" in alpn:
        found.add("h2")
    if ports["https"] and ("http/1.1" in alpn or not alpn):
        found.add("h1s")
    if ports["h2"]:
        found.add("h2")
    return frozenset(found)


def _list(kind: str, asked: Any, configured: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
    if asked is None:
        return ()
    if asked == "config":
        return tuple(configured.get(kind, _DEFAULTS[kind]))
    listed = list(asked) if isinstance(asked, Sequence) and not isinstance(asked, str) else [asked]
    return tuple(config_values.port(f"{kind}_port", found) for found in listed)
