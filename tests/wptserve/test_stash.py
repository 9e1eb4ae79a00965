"""wptserve.stash: by itself, and shared by the servers of a program."""

from __future__ import annotations

import os
import uuid

import pytest

from wptproto.errors import StashError
from wptproto.wptserve.stash import Stash, StashServer, entered_stash, load_env_config

KEY = str(uuid.uuid4())


def test_by_itself() -> None:
    """A stash that is made without more is nobody else's."""
    stash, other = Stash("/path"), Stash("/path")
    stash.put(KEY, 1)
    assert other.take(KEY) is None
    assert stash.take(KEY, "/path") == 1


@pytest.mark.parametrize("authkey", ["key of a test", b"octets of a test", None])
def test_shared(authkey: str | bytes | None) -> None:
    """Within a StashServer, whoever has its authkey has its stash."""
    with StashServer(None, authkey=authkey) as entered:
        address, found = load_env_config()
        assert (address, found) == (None, entered.authkey)
        Stash("/a", address, found).put(KEY, 1)
        shared = entered_stash()
        assert shared is not None
        assert shared.take(KEY, "/a") == 1
    with pytest.raises(StashError, match="no StashServer with this authkey"):
        Stash("/a", address, found)


def test_one_within_another() -> None:
    """The inner one counts, and then the outer one again; after it, none."""
    with StashServer():
        outer = load_env_config()
        with StashServer():
            assert load_env_config() != outer
        assert load_env_config() == outer
    assert entered_stash() is None
    with pytest.raises(StashError, match="no StashServer is entered"):
        load_env_config()


def test_one_of_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process has entered is not to be had here."""
    monkeypatch.setitem(os.environ, "WPT_STASH_CONFIG", '[["localhost", 1], "its key"]')
    assert entered_stash() is None
