"""
Config: what a server tells its handlers of names, ports and places; data alone, no socket.

From a main host, other hosts beside it and names of subdomains follow all domains that tests
expect; whether those lead to the server is for the client's resolver to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from wptproto.errors import ConfigError
from wptproto.protocol.rules import core_named
from wptproto.server import config_values

__all__ = ["Config"]

Domains = dict[str, dict[str, str]]

_DERIVED = (
    "paths",
    "domains",
    "not_domains",
    "all_domains",
    "domains_set",
    "not_domains_set",
    "all_domains_set",
)
# Keys that files written for wptserve and wpt have; handlers may read them, nothing else does.
_FOREIGN = frozenset(
    {
        "bind_address",
        "check_subdomains",
        "inject_script",
        "ssl",
        "ws_doc_root",
        "wave",
        "webtransport_h3",
    }
)


@dataclass(frozen=True, eq=False)
class Config(Mapping[str, Any]):
    """
    Settings by name, as items or as attributes; those that follow from others are among them.

    Values are plain dicts and lists, which handlers may give to JSON, and are not to change.

    Attributes:
        browser_host: The main host, as clients name it.
        alternate_hosts: Other hosts, by a name for each, such as ``alt``.
        subdomains: Labels below each host that lead to the server; Unicode is made A-labels.
        not_subdomains: Labels below each host that lead nowhere.
        ports: Lists of ports by protocol: ``http``, ``https``, ``h2``; 0 is a free one, not yet known.
        server_host: Address or host that the server listens on; *browser_host* if not given, and then a
            server knows better.
        doc_root: The directory that is served, or None.
        aliases: What is mounted, a dict for each: ``url-path``, as in :mod:`wptproto.handlers.mounts`,
            and ``local-dir``, from the document root.
        logging: ``level``, in capitals, for who shows the log; and ``suppress_handler_traceback``, by which
            clients and the log get a line of an error, and not its whole traceback.
        limits: What clients may ask for, as far as it is not the default, by the names in Limits; None is for
            no limit.
        lenient: What is forgiven in HTTP/1.1 requests, by the names in Leniency.
        workers: How many processes serve, for the command that starts them.
        core: What connections are made of, by the names in Core.
        others: Further keys and their values.
    """

    browser_host: str = "localhost"
    alternate_hosts: dict[str, str] = field(default_factory=dict)
    subdomains: Sequence[str] = ()
    not_subdomains: Sequence[str] = ()
    ports: dict[str, list[int]] = field(default_factory=dict)
    server_host: str | None = None
    doc_root: str | None = None
    aliases: Sequence[dict[str, str]] = ()
    logging: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    lenient: Sequence[str] = ()
    workers: int = 1
    core: str = "fast"
    others: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Check and copy each value; ConfigError says which is wrong, and how."""
        checked: dict[str, Any] = {
            "browser_host": config_values.host("browser_host", self.browser_host),
            "alternate_hosts": config_values.alternate_hosts(self.alternate_hosts),
            "subdomains": config_values.labels("subdomains", self.subdomains),
            "not_subdomains": config_values.labels("not_subdomains", self.not_subdomains),
            "ports": config_values.ports(self.ports),
            "server_host": config_values.host(
                "server_host", self.browser_host if self.server_host is None else self.server_host
            ),
            "doc_root": None if self.doc_root is None else config_values.doc_root(self.doc_root),
            "aliases": config_values.aliases(self.aliases),
            "logging": config_values.log_settings(self.logging),
            "limits": config_values.limit_settings(self.limits),
            "lenient": config_values.leniency_names(self.lenient),
            "workers": config_values.workers(self.workers),
            "core": core_named(self.core).value,
            "others": dict(self.others),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        for name in self.others:
            if name.startswith("_") or name in _OWN or hasattr(Mapping, name):
                raise ConfigError(f"{name}: no further key can be called so")

    @classmethod
    def load(cls, *paths: str | Path, defaults: Mapping[str, Any] = MappingProxyType({})) -> Self:
        """
        Read JSON files, each an object whose keys are this class's attributes.

        Keys of wptserve's that mean nothing here are kept among *others*.

        Args:
            paths: What a later file says counts; of objects in them, key by key. A *doc_root* is found
                from the directory where its file lies.
            defaults: Settings that count where no file says anything.

        Raises:
            ConfigError: A file cannot be read, is no such JSON, or a key or its value is wrong.
        """
        settings = dict(defaults)
        config = cls.from_dict(settings)
        for path in paths:
            try:
                found = config_values.read_settings(path)
                config = cls.from_dict(config_values.merged(settings, found))
            except ConfigError as error:
                raise ConfigError(f"{path}: {error}") from error
            if "doc_root" in found and config.doc_root is not None:
                found["doc_root"] = str(Path(path).absolute().parent / config.doc_root)
                config = replace(config, doc_root=found["doc_root"])
            settings = config_values.merged(settings, found)
        return config

    @classmethod
    def from_dict(cls, settings: object) -> Self:
        """
        Return the config of settings as a file has them.

        Raises:
            ConfigError: A key is unknown, or its value is wrong.
        """
        settings = config_values.settings(settings)
        own = {name.name for name in fields(cls)} - {"others"}
        for key in settings:
            if key not in own | _FOREIGN:
                raise ConfigError(config_values.unknown_key(key, own))
        others = {key: value for key, value in settings.items() if key in _FOREIGN}
        return cls(**{key: value for key, value in settings.items() if key in own}, others=others)

    def serving(self, ports: Mapping[str, list[int]], doc_root: str | None) -> Self:
        """
        Return this config as a server that runs shows it.

        Args:
            ports: The ports that are listened on, by protocol; a protocol with none of them goes.
                Those that are not mentioned stay, for they may be another server's.
            doc_root: The directory that is served, or None.
        """
        known = {**self.ports, **ports}
        return replace(self, ports={name: found for name, found in known.items() if found}, doc_root=doc_root)

    # --- what follows --------------------------------------------------------------------------

    @cached_property
    def paths(self) -> dict[str, str | None]:
        """The document root, where wptserve's handlers look for it."""
        return {"doc_root": self.doc_root}

    @cached_property
    def domains(self) -> Domains:
        """By name of a host (the main one is ""), then of a subdomain (the host itself is "")."""
        return {name: {**_below(host, self.subdomains), "": host} for name, host in self._hosts.items()}

    @cached_property
    def not_domains(self) -> Domains:
        """As *domains*, of those that lead nowhere."""
        return {name: _below(host, self.not_subdomains) for name, host in self._hosts.items()}

    @cached_property
    def all_domains(self) -> Domains:
        """*domains* and *not_domains* together."""
        return {name: {**found, **self.not_domains[name]} for name, found in self.domains.items()}

    @cached_property
    def domains_set(self) -> frozenset[str]:
        return _flat(self.domains)

    @cached_property
    def not_domains_set(self) -> frozenset[str]:
        return _flat(self.not_domains)

    @cached_property
    def all_domains_set(self) -> frozenset[str]:
        return self.domains_set | self.not_domains_set

    @property
    def _hosts(self) -> dict[str, str]:
        return {**self.alternate_hosts, "": self.browser_host}

    # --- as a mapping --------------------------------------------------------------------------

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key) if key in _OWN else self.others[key]

    def __getattr__(self, name: str) -> Any:
        # Only what is no attribute comes here; "others" itself is not there while a copy is made.
        try:
            return self.__dict__["others"][name]
        except KeyError:
            raise AttributeError(f"the config has no {name!r}", name=name, obj=self) from None

    def __iter__(self) -> Iterator[str]:
        return iter((*_OWN, *self.others))

    def __len__(self) -> int:
        return len(_OWN) + len(self.others)


_OWN = (*(name.name for name in fields(Config) if name.name != "others"), *_DERIVED)


def _below(host: str, labels: Iterable[str]) -> dict[str, str]:
    return {label: f"{label.encode('idna').decode('ascii')}.{host}" for label in labels}


def _flat(domains: Domains) -> frozenset[str]:
    return frozenset(domain for found in domains.values() for domain in found.values())
