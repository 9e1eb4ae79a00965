"""
The values that a config may have.

Each function returns a value as the config keeps it, a copy, or raises a ConfigError that names the key.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wptproto.errors import ConfigError
from wptproto.limits import DEFAULT_LIMITS
from wptproto.protocol.rules import leniencies

__all__ = [
    "aliases",
    "alternate_hosts",
    "doc_root",
    "host",
    "labels",
    "leniency_names",
    "limit_settings",
    "log_settings",
    "merged",
    "port",
    "ports",
    "read_settings",
    "settings",
    "unknown_key",
    "workers",
]

_RENAMED = {"host": "browser_host", "external_host": "server_host", "host_ip": "server_host"}
_LOGGING: dict[str, Any] = {"level": "DEBUG", "suppress_handler_traceback": False}


def unknown_key(key: str, own: Iterable[str]) -> str:
    """Return what to say of a key that is none of a config's own."""
    import difflib

    near = _RENAMED.get(key) or next(iter(difflib.get_close_matches(key, sorted(own), 1)), None)
    return f"{key}: there is no such key" + (f"; is {near} meant?" if near else "")


def read_settings(path: str | Path) -> dict[str, Any]:
    """Return the settings in a JSON file; its name is for the caller to say in an error."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"not UTF-8 at octet {error.start}") from error
    import json

    try:
        return settings(json.loads(text, object_pairs_hook=_without_repetition))
    except (ValueError, RecursionError) as error:
        # Beside what is none, Python minds numbers of thousands of digits, and brackets within brackets.
        raise ConfigError(f"not JSON: {error}") from error


def settings(value: object) -> dict[str, Any]:
    """Return settings, which are an object."""
    if not isinstance(value, dict):
        raise ConfigError(f"an object of settings is wanted, not {value!r}")
    return value


def merged(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings in which the later ones count; objects in both are merged themselves."""
    found = dict(earlier)
    for key, value in later.items():
        both = isinstance(value, dict) and isinstance(found.get(key), Mapping)
        found[key] = merged(found[key], value) if both else value
    return found


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; a key that stands in it twice is an error, and not the last one's."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ConfigError(f"{key}: stands there twice")
        found[key] = value
    return found


def _object(key: str, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ConfigError(f"{key}: an object is wanted, not {value!r}")
    return dict(value)


def _list(key: str, value: object) -> list[Any]:
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{key}: a list is wanted, not {value!r}")
    return list(value)


def host(key: str, value: object) -> str:
    """Return a host's name or address, which may be a DNS name, IPv4 or IPv6."""
    if not isinstance(value, str) or not value or any(sign in value for sign in " /@"):
        raise ConfigError(f"{key}: a host's name or address is wanted, not {value!r}")
    return value


def alternate_hosts(value: object) -> dict[str, str]:
    """Return hosts by the names that they have in templates."""
    hosts = _object("alternate_hosts", value)
    if "" in hosts:
        raise ConfigError('alternate_hosts: the name "" is that of browser_host')
    return {name: host(f"alternate_hosts[{name}]", found) for name, found in hosts.items()}


def labels(key: str, value: object) -> tuple[str, ...]:
    """Return names of subdomains, each of which has A-labels (RFC 3490), in order."""
    found = _list(key, value)
    for label in found:
        try:
            if not isinstance(label, str) or not label.encode("idna"):
                raise ConfigError(f"{key}: a subdomain's name is wanted, not {label!r}")
        except UnicodeError as error:
            raise ConfigError(f"{key}: {label!r} is no domain's name: {error}") from error
    return tuple(dict.fromkeys(found))


def ports(value: object) -> dict[str, list[int]]:
    """Return lists of ports by protocol; "auto" is 0."""
    return {
        protocol: [
            port(f"ports[{protocol}][{index}]", given)
            for index, given in enumerate(_list(f"ports[{protocol}]", found))
        ]
        for protocol, found in _object("ports", value).items()
    }


def port(key: str, value: object) -> int:
    """Return a port; "auto" is 0."""
    if value == "auto":
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
        raise ConfigError(f'{key}: a port from 0 to 65535 or "auto" is wanted, not {value!r}')
    return value


def doc_root(value: object) -> str:
    """Return a directory's path, which need not be there."""
    if not isinstance(value, str | Path) or not str(value):
        raise ConfigError(f"doc_root: a directory is wanted, not {value!r}")
    return str(value)


def aliases(value: object) -> list[dict[str, str]]:
    """Return what is to be mounted where."""
    found = [_object(f"aliases[{index}]", alias) for index, alias in enumerate(_list("aliases", value))]
    for index, alias in enumerate(found):
        if alias.keys() != {"url-path", "local-dir"} or not all(isinstance(alias[key], str) for key in alias):
            raise ConfigError(f"aliases[{index}]: url-path and local-dir are wanted, texts, not {alias!r}")
    return found


def limit_settings(value: object) -> dict[str, Any]:
    """Return some limits by name; none at all where one is null."""
    found = _object("limits", value)
    try:
        DEFAULT_LIMITS.changed(found)
    except ConfigError as error:
        raise ConfigError(f"limits: {error}") from error
    return found


def leniency_names(value: object) -> list[str]:
    """Return names of what is forgiven in HTTP/1.1 requests."""
    found = _list("lenient", value)
    leniencies(found)
    return found


def workers(value: object) -> int:
    """Return a number of processes."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 999:
        raise ConfigError(f"workers: a number of processes from 1 to 999 is wanted, not {value!r}")
    return value


def log_settings(value: object) -> dict[str, Any]:
    """Return the settings of the log, whole: what is not given is as wptserve has it."""
    settings = _LOGGING | _object("logging", value)
    if unknown := sorted(settings.keys() - _LOGGING.keys()):
        raise ConfigError(f"logging[{unknown[0]}]: there is no such key; there are {', '.join(_LOGGING)}")
    level, suppress = settings["level"], settings["suppress_handler_traceback"]
    if not isinstance(level, str) or level.upper() not in logging.getLevelNamesMapping():
        raise ConfigError(f"logging[level]: a level such as info is wanted, not {level!r}")
    if not isinstance(suppress, bool):
        raise ConfigError(f"logging[suppress_handler_traceback]: true or false is wanted, not {suppress!r}")
    return {**settings, "level": level.upper()}
