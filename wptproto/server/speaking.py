"""Speaking: over what a test speaks to a server, and where it finds it."""

from __future__ import annotations

from collections.abc import Iterable

from wptproto.errors import ConfigError
from wptproto.server.base import BaseServer
from wptproto.server.ports import KINDS, Kind, spoken_kinds

__all__ = ["Speaking"]


class Speaking(BaseServer):
    """A server that knows which of its protocols a test is about."""

    _speaks: frozenset[Kind] | None = None

    @property
    def speaks(self) -> frozenset[Kind]:
        """
        What may be spoken, of ``h1``, ``h1s``, ``h2`` and ``h2c``; by that it is checked what can go wrong.

        It is what the ports speak, and can be narrowed, where a test will speak no other.
        """
        return spoken_kinds(self._wanted_ports, self._alpn) if self._speaks is None else self._speaks

    @speaks.setter
    def speaks(self, kinds: Iterable[Kind]) -> None:
        found: frozenset[Kind] = frozenset(kinds)
        spoken = spoken_kinds(self._wanted_ports, self._alpn)
        if not found or not found <= spoken:
            have = ", ".join(kind for kind in KINDS if kind in spoken)
            raise ConfigError(f"speaks: this server speaks {have}, of which {sorted(found)!r} are no part")
        self._speaks = found

    def url(self, path: str = "/") -> str:
        """
        Return the URL of a path, by what the server speaks: in the clear where it may, else over TLS.

        Raises:
            ConfigError: The server does not listen.
        """
        if self.speaks & {"h1", "h2c"}:
            return self.http_url(path)
        return self.https_url(path) if self._wanted_ports["https"] else self.h2_url(path)

    def _kinds_of(self, protocol: str) -> frozenset[Kind]:
        of_it = ("h2", "h2c") if protocol == "HTTP/2" else ("h1", "h1s")
        return frozenset(kind for kind in self.speaks if kind in of_it)
