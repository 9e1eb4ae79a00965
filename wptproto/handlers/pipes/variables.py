"""
What the names in a template stand for: the variables and functions of the ``sub`` pipe.

A name is looked for among the functions, then among what request and server tell, then among the
keys of the server's config, and at last in ``location`` and ``url_base``, which a config may hide.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from wptproto.errors import PipeError
from wptproto.exchange.request import Request
from wptproto.handlers.filesystem import open_regular

__all__ = ["Function", "HasConfig", "Item", "value_of"]

Item = str | int

_MISSING = object()
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")


class HasConfig(Protocol):
    """
    What a template reads of ``request.server``.

    The config is a mapping or an object with attributes: ``browser_host``; ``all_domains`` (or else
    ``domains``), which maps names of hosts to maps of subdomains, "" being the main one in both;
    ``ports``, which maps protocols to lists; and whatever else it has.
    """

    @property
    def config(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a template may call, with text."""

    name: str
    parameters: tuple[str, ...]
    function: Callable[..., str | bytes]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"

    def __call__(self, request: Request, arguments: tuple[str, ...]) -> str | bytes:
        if len(arguments) != len(self.parameters):
            raise PipeError(
                f"{self} takes {len(self.parameters)} argument{'' if len(self.parameters) == 1 else 's'}, "
                f"got {len(arguments)}"
            )
        return self.function(request, *arguments)


def _octets(name: str) -> bytes:
    try:
        return name.encode("latin-1")
    except UnicodeEncodeError:
        raise PipeError(f"the name {name!r} has characters that are not in ISO-8859-1") from None


# --- functions -----------------------------------------------------------------------------------


def _uuid(_: Request) -> str:
    return str(uuid4())


def _header_or_default(request: Request, name: str, default: str) -> str | bytes:
    return request.headers.get(_octets(name), default)


def _file_hash(request: Request, algorithm: str, path: str) -> bytes:
    if algorithm not in _ALGORITHMS:
        raise PipeError(f"there is no algorithm {algorithm!r}; there are {', '.join(_ALGORITHMS)}")
    found = os.path.realpath(_below_root(request, path))
    _check_below(os.path.realpath(str(request.doc_root)), found, path)  # a link may lead out
    try:
        with open_regular(Path(found)) as file:
            return b64encode(hashlib.file_digest(file, algorithm).digest())
    except OSError as error:
        raise PipeError(f"{path!r}, from the document root, cannot be read: {error.strerror}") from None


def _fs_path(request: Request, path: str) -> str:
    if path.startswith("/"):
        return _below_root(request, path[1:])
    # As wptserve reckons, tests expect: from the target as it was sent, its query included, and from
    # a file at the root as if that were a directory.
    directory = request.request_path[len(request.url_base) :].lstrip("/")
    if "/" in directory:
        directory = directory.rpartition("/")[0]
    return _below_root(request, f"{directory}/{path}")


def _below_root(request: Request, path: str) -> str:
    """Return the absolute path of a file, which need not be there; links are not followed."""
    if request.doc_root is None:
        raise PipeError("this server has no document root")
    root = os.path.abspath(request.doc_root)
    found = os.path.abspath(os.path.join(root, path))
    _check_below(root, found, path)
    return found


def _check_below(root: str, found: str, path: str) -> None:
    if os.path.commonpath([root, found]) != root:
        raise PipeError(f"{path!r}, from the document root, lies outside of it")


_FUNCTIONS = {
    function.name: function
    for function in (
        Function("uuid", (), _uuid),
        Function("header_or_default", ("name", "default"), _header_or_default),
        Function("file_hash", ("algorithm", "path"), _file_hash),
        Function("fs_path", ("path",), _fs_path),
    )
}


# --- variables -----------------------------------------------------------------------------------


class _Headers:
    """``headers[name]``."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def __getitem__(self, name: Item) -> bytes:
        value = None if isinstance(name, int) else self._request.headers.get(_octets(name))
        if value is None:
            raise PipeError(
                f"the request has no field {name!r}; for another value in its place, "
                f"write header_or_default({name}, value)"
            )
        return value


class _Query:
    """``GET[name]``: the first value of that name, or nothing."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def __getitem__(self, name: Item) -> bytes:
        # A number is not the name that is written the same; so it is in wptserve.
        return b"" if isinstance(name, int) else self._request.GET.first(_octets(name), b"")


def _setting(request: Request, key: str) -> Any:
    """Return what the server's config has of a key, as item or as attribute."""
    server: HasConfig | None = request.server
    config = getattr(server, "config", None)
    try:
        if config is not None and key in config:
            return config[key]
    except TypeError:
        pass  # no mapping
    # A method is not a setting, nor is what keeps to itself.
    value = _MISSING if key.startswith("_") else getattr(config, key, _MISSING)
    return _MISSING if callable(value) else value


def _required(request: Request, *keys: str) -> Any:
    for key in keys:
        if (value := _setting(request, key)) is not _MISSING:
            return value
    raise PipeError(f"the server's config has no {' or '.join(keys)}")


def _hosts(request: Request) -> Any:
    return _required(request, "all_domains", "domains")


def _location(request: Request) -> dict[str, Item]:
    parts = request.url_parts
    hostname = parts.hostname or ""
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    host = f"[{hostname}]:{port}" if ":" in hostname else f"{hostname}:{port}"
    return {
        "server": f"{parts.scheme}://{host}",
        "scheme": parts.scheme,
        "host": host,
        "hostname": hostname,
        "port": port,
        "path": parts.path,
        "pathname": parts.path,
        "query": f"?{parts.query}",
    }


_BEFORE_CONFIG: dict[str, Callable[[Request], Any]] = {
    "headers": _Headers,
    "GET": _Query,
    "hosts": _hosts,
    "domains": lambda request: _hosts(request)[""],
    "host": lambda request: _required(request, "browser_host"),
}
_AFTER_CONFIG: dict[str, Callable[[Request], Any]] = {
    "location": _location,
    "url_base": lambda request: request.url_base,
}


def value_of(name: str, request: Request) -> Any:
    """
    Return what a name stands for, which may be more than can stand in a text: a mapping, a list.

    Args:
        name: Without ``$``; what a template assigned is not known here.
        request: Whose template it is.

    Raises:
        PipeError: It stands for nothing, or for something that the server's config lacks.
    """
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    if name in _BEFORE_CONFIG:
        return _BEFORE_CONFIG[name](request)
    value = _setting(request, name)
    if value is not _MISSING:
        return value
    if name in _AFTER_CONFIG:
        return _AFTER_CONFIG[name](request)
    known = [*_BEFORE_CONFIG, *_AFTER_CONFIG, *map(str, _FUNCTIONS.values())]
    raise PipeError(f"nothing is called {name!r}; there are {', '.join(known)}, and the keys of the config")
