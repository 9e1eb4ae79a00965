"""
wptserve.stash: the stash, free-standing too.

All ports of one server are one process and have one stash, which needs no server of its own. A program
with several servers makes them share one by wptserve's means: what starts within
``with StashServer():`` has the stash of that. Its authkey stands in the environment, in WPT_STASH_CONFIG, as
wptserve has it; but there is nothing that other processes could connect to.
"""

from __future__ import annotations

import json
import os
from typing import Any, Self

from wptproto.errors import StashError
from wptproto.handlers.stash import Stash as OurStash
from wptproto.handlers.stash import StashStore

__all__ = ["Stash", "StashError", "StashServer", "entered_stash", "load_env_config"]

_VARIABLE = "WPT_STASH_CONFIG"

_stores: dict[str, StashStore] = {}
"""Of the StashServers that are entered, by authkey; a program enters one so that its servers share it."""


class StashServer:
    """A stash for all servers that a program starts while it is entered."""

    def __init__(
        self, address: object = None, authkey: str | bytes | None = None, mp_context: object = None
    ) -> None:
        """
        Args:
            address: Of no meaning here.
            authkey: By which ``Stash`` finds it; None makes one up.
            mp_context: Of no meaning here.
        """
        self.address = address
        self.authkey = _text(os.urandom(16).hex() if authkey is None else authkey)
        self._before: str | None = None

    def __enter__(self) -> Self:
        _stores[self.authkey] = StashStore()
        self._before = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = json.dumps([self.address, self.authkey])
        return self

    def __exit__(self, *error: object) -> None:
        del _stores[self.authkey]
        if self._before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = self._before


def load_env_config() -> tuple[Any, str]:
    """
    Return address and authkey of the StashServer that is entered, for ``Stash``.

    Raises:
        StashError: None is.
    """
    try:
        address, authkey = json.loads(os.environ[_VARIABLE])
    except KeyError:
        raise StashError(f"no StashServer is entered: the environment has no {_VARIABLE}") from None
    return address, authkey


def entered_stash() -> OurStash | None:
    """Return the stash of the StashServer that is entered in this process; None where none is."""
    authkey = load_env_config()[1] if _VARIABLE in os.environ else None
    return Stash("/", None, authkey) if authkey in _stores else None


class Stash(OurStash):
    """A stash by itself, or with an address and authkey the one of a StashServer."""

    def __init__(
        self, default_path: str | bytes, address: object = None, authkey: str | bytes | None = None
    ) -> None:
        """
        Raises:
            StashError: No StashServer with this authkey is entered in this process.
        """
        store: StashStore | None = StashStore()
        if authkey is not None:
            store = _stores.get(_text(authkey))
        if store is None:
            raise StashError(
                "no StashServer with this authkey is entered in this process, and no other is asked"
            )
        super().__init__(store, default_path)


def _text(authkey: str | bytes) -> str:
    return authkey if isinstance(authkey, str) else authkey.decode("latin-1")
