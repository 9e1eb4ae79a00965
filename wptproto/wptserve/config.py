"""
wptserve.config: settings for handlers, and their builder.

The builder follows wptserve's rules for classes made from it: ``_default`` has the keys that there are, and
``computed_properties`` those that follow, each by a method ``_get_NAME(data)``. What there is to be computed
is left to this package's own config and certificates.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from wptproto import certs
from wptproto.server.config import Config as OurConfig
from wptproto.wptserve.utils import get_port

__all__ = ["Config", "ConfigBuilder"]

_renamed_props = {
    "host": "browser_host",
    "bind_hostname": "bind_address",
    "external_host": "server_host",
    "host_ip": "server_host",
}


class Config(Mapping[str, Any]):
    """Settings, as items or as attributes, which nobody changes any more."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        """
        Raises:
            ValueError: A key begins with an underscore.
        """
        for name in data:
            if name.startswith("_"):
                raise ValueError(f"a setting cannot be called {name}")
        vars(self).update(data)

    def __getitem__(self, key: str) -> Any:
        return vars(self)[key]

    def __iter__(self) -> Iterator[str]:
        return iter(vars(self))

    def __len__(self) -> int:
        return len(vars(self))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise ValueError(f"a config does not change; set {name} on its builder")

    def __setitem__(self, key: str, value: object) -> NoReturn:
        self.__setattr__(key, value)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the config has no {name!r}", name=name, obj=self)

    def __repr__(self) -> str:
        return f"Config({vars(self)!r})"

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON can say them."""
        return {name: _as_json(value) for name, value in self.items()}


class ConfigBuilder:
    """
    Settings that can be changed until they are asked for: ``with builder as config``.

    Each is an attribute; those that a config has beyond them follow from them.
    """

    _default: ClassVar[dict[str, Any]] = {
        "browser_host": "localhost",
        "alternate_hosts": {},
        "doc_root": "",
        "server_host": None,
        "ports": {"http": [8000]},
        "check_subdomains": True,
        "bind_address": True,
        "ssl": {
            "type": "none",
            "encrypt_after_connect": False,
            "none": {},
            "openssl": {
                "openssl_binary": "openssl",
                "base_path": "_certs",
                "password": "web-platform-tests",
                "force_regenerate": False,
                "duration": 30,
                "base_conf_path": None,
            },
            "pregenerated": {"host_key_path": None, "host_cert_path": None},
        },
        "aliases": [],
        "logging": {"level": "debug", "suppress_handler_traceback": False},
    }
    default_config_cls: ClassVar[type] = Config
    computed_properties: ClassVar[list[str]] = [
        "logging",
        "paths",
        "server_host",
        "ports",
        "domains",
        "not_domains",
        "all_domains",
        "domains_set",
        "not_domains_set",
        "all_domains_set",
        "ssl_config",
    ]

    def __init__(
        self,
        logger: logging.Logger,
        subdomains: Collection[str] = (),
        not_subdomains: Collection[str] = (),
        config_cls: type | None = None,
        **kwargs: Any,
    ) -> None:
        """
        Args:
            logger: Told of keys that have another name by now.
            subdomains: Labels below each host that lead to the server.
            not_subdomains: Labels below each host that lead nowhere.
            config_cls: Made of the settings, a dict; by default *default_config_cls*.
            kwargs: Settings, in the place of their defaults.

        Raises:
            TypeError: There are no settings of these names.
        """
        self._logger = logger
        self._config_cls = config_cls or self.default_config_cls
        self._data: dict[str, Any] = copy.deepcopy(self._default)
        self._data.update(subdomains=subdomains, not_subdomains=not_subdomains)
        given = self._renamed(kwargs)
        if unknown := sorted(given.keys() - self._default.keys()):
            raise TypeError(f"there are no settings called {', '.join(unknown)}")
        self._data.update(given)

    def __getattr__(self, name: str) -> Any:
        # Only what is no attribute comes here; "_data" itself is not there while a copy is made.
        try:
            return self.__dict__["_data"][name]
        except KeyError:
            raise AttributeError(f"there is no setting called {name!r}", name=name, obj=self) from None

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            super().__setattr__(name, value)
        else:
            self._data[name] = value

    def update(self, override: Mapping[str, Any]) -> None:
        """
        Change settings; of those that are dicts, the keys which the defaults have.

        Raises:
            KeyError: There is no setting of a name.
        """
        for name, value in self._renamed(override).items():
            if name not in self._default:
                raise KeyError(f"there is no setting called {name!r}")
            old = self._data[name]
            self._data[name] = _merge_dict(old, value) if isinstance(old, dict) else value

    def __enter__(self) -> Any:
        data = copy.copy(self._data)
        for name in self.computed_properties:
            data[name] = getattr(self, f"_get_{name}")(data)
        return self._config_cls(data)

    def __exit__(self, *error: object) -> None:
        """Do nothing: what was made stays good."""

    def _renamed(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        for old, new in _renamed_props.items():
            if old in settings:
                self._logger.warning("the setting %s is called %s by now", old, new)
        return {_renamed_props.get(name, name): value for name, value in settings.items()}

    # --- what follows, in the order of computed_properties -------------------------------------

    def _get_logging(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**data["logging"], "level": data["logging"]["level"].upper()}

    def _get_paths(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"doc_root": data["doc_root"]}

    def _get_server_host(self, data: dict[str, Any]) -> str:
        host: str | None = data["server_host"]
        return data["browser_host"] if host is None else host

    def _get_ports(self, data: dict[str, Any]) -> dict[str, list[int]]:
        has_tls = _ssl_type(data) != "none"
        return {
            scheme: [get_port() if port == "auto" else port for port in ports]
            for scheme, ports in data["ports"].items()
            if has_tls or scheme not in ("https", "wss")
        }

    def _get_domains(self, data: dict[str, Any]) -> dict[str, dict[str, str]]:
        return _ours(data).domains

    def _get_not_domains(self, data: dict[str, Any]) -> dict[str, dict[str, str]]:
        return _ours(data).not_domains

    def _get_all_domains(self, data: dict[str, Any]) -> dict[str, dict[str, str]]:
        return {name: {**found, **data["not_domains"][name]} for name, found in data["domains"].items()}

    def _get_domains_set(self, data: dict[str, Any]) -> set[str]:
        return {domain for found in data["domains"].values() for domain in found.values()}

    def _get_not_domains_set(self, data: dict[str, Any]) -> set[str]:
        return {domain for found in data["not_domains"].values() for domain in found.values()}

    def _get_all_domains_set(self, data: dict[str, Any]) -> set[str]:
        return data["domains_set"] | data["not_domains_set"]  # type: ignore[no-any-return]

    def _get_ssl_config(self, data: dict[str, Any]) -> dict[str, Any] | None:
        settings = data["ssl"]
        match _ssl_type(data):
            case "none":
                return None
            case "pregenerated":
                pair = settings["pregenerated"]
                key, certificate, ca = pair["host_key_path"], pair["host_cert_path"], None
            case _:
                base = settings.get("openssl", {}).get("base_path")
                made = certs.ensure(None if base is None else Path(base), sorted(data["domains_set"]))
                key, certificate, ca = str(made.key), str(made.certificate), str(made.ca)
        return {
            "key_path": key,
            "cert_path": certificate,
            "ca_cert_path": ca,
            "encrypt_after_connect": settings.get("encrypt_after_connect", False),
        }


def _ssl_type(data: dict[str, Any]) -> str:
    kind: str = data["ssl"]["type"]
    if kind not in ("none", "openssl", "pregenerated"):
        raise ValueError(f"ssl[type]: none, openssl or pregenerated is wanted, not {kind!r}")
    return kind


def _ours(data: dict[str, Any]) -> OurConfig:
    names = ("browser_host", "alternate_hosts", "subdomains", "not_subdomains")
    return OurConfig(**{name: data[name] for name in names})


def _merge_dict(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Return *base* with the values that *override* has for its keys, at all depths."""
    return {
        key: value
        if key not in override
        else _merge_dict(value, override[key])
        if isinstance(value, dict)
        else override[key]
        for key, value in base.items()
    }


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _as_json(inner) for key, inner in value.items()}
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, Path):
        return str(value)
    return [_as_json(item) for item in value]
