"""
Checkout: a directory of the Web Platform Tests, and the server that is for it.

The tests expect two hosts with subdomains, and ports of each kind whose numbers their templates name.
Of those ports HTTP's are listened on, ``http``, ``https`` and ``h2``; what else has a number here, such
as ``ws`` for WebSockets, is for another server, and without one a test finds nobody there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wptproto.errors import ConfigError
from wptproto.handlers.filesystem import readable_directory
from wptproto.handlers.rewriter import Rewrite
from wptproto.server.config import Config
from wptproto.server.server import Server
from wptproto.wpt.routes import REWRITES, routes

__all__ = ["checkout_config", "server"]

_MARK = Path("resources", "testharness.js")


def _one_or_two(*labels: str) -> list[str]:
    """Return labels, and all pairs of them, one below the other."""
    return [*labels, *(".".join(pair) for pair in product(labels, repeat=2))]


DEFAULTS: dict[str, Any] = {
    "browser_host": "web-platform.test",
    "alternate_hosts": {"alt": "not-web-platform.test"},
    "subdomains": _one_or_two("www", "www1", "www2", "天気の良い日", "élève"),
    "not_subdomains": _one_or_two("nonexistent"),
    "ports": {
        "http": [8000, 8001],
        "http-private": [8002],
        "http-public": [8003],
        "https": [8443, 8444],
        "https-private": [8445],
        "https-public": [8446],
        "h2": [9000],
        "ws": [8888],
        "wss": [8889],
        "webtransport-h3": [11000],
    },
}
"""What counts where neither the checkout's own ``config.json`` nor another file says anything."""


def checkout_config(checkout: str | Path, *files: str | Path) -> Config:
    """
    Return the config that a checkout is served with.

    Args:
        checkout: Its directory; what a ``config.json`` in it says counts before the defaults.
        files: JSON files that count before that, the last one first.

    Raises:
        ConfigError: The directory is no checkout, or a file is wrong.
    """
    own = _root_of(checkout) / "config.json"
    return Config.load(*([own] if own.exists() else []), *files, defaults=DEFAULTS)


def server(
    checkout: str | Path,
    *,
    config: Config | None = None,
    mounts: Mapping[str, str | Path] = MappingProxyType({}),
    rewrites: Iterable[Rewrite] = (),
    **settings: Any,
) -> Server:
    """
    Return a server for a checkout, not started yet.

    Args:
        checkout: Its directory.
        config: As :func:`checkout_config` gives it, which is the default.
        mounts: More directories, by the paths that they are mounted at.
        rewrites: Methods, path and new path of each, before those that a checkout has anyway.
        settings: Further arguments of :class:`Server`, such as ``https_port=0``.

    Raises:
        ConfigError: The directory is no checkout, or a setting makes no sense.
    """
    root = _root_of(checkout)
    config = checkout_config(root) if config is None else config
    aliased = {alias["url-path"]: root / alias["local-dir"] for alias in config.aliases}
    mounted = {path: readable_directory(directory) for path, directory in {**aliased, **mounts}.items()}
    return Server(
        root,
        routes(root, mounted),
        rewrites=(*rewrites, *REWRITES),
        mounts=mounted,
        config=config,
        **settings,
    )


def _root_of(checkout: str | Path) -> Path:
    root = readable_directory(checkout)
    if not (root / _MARK).is_file():
        raise ConfigError(f"{checkout} is no checkout of the Web Platform Tests: it has no {_MARK}")
    return root
