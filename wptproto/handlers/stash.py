"""
Stash: what one request leaves behind for another.

A value lies under a path and a UUID. It is put once and taken once, so that no test finds what
another has left. Where all ports of a server are one process, the store is a dict and a lock.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from wptproto.errors import StashError

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["Key", "Lock", "Stash", "StashStore", "Store"]

Key = tuple[bytes, "UUID"]
"""A path, and the key that was given."""


class Lock(Protocol):
    """What a threading.Lock and its like can do."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool: ...

    def release(self) -> None: ...

    def __enter__(self) -> bool: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class Store(Protocol):
    """Where values are kept; safe to use from any thread. StashStore says what each of its parts does."""

    @property
    def lock(self) -> Lock: ...

    @property
    def count(self) -> int: ...

    def put(self, key: Key, value: Any) -> bool: ...

    def take(self, key: Key) -> Any: ...


class StashStore:
    """
    The values that one server keeps for its handlers; safe to use from any thread.

    Attributes:
        lock: A lock for handlers; the store itself never waits for it.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._guard = threading.Lock()
        self._values: dict[Key, Any] = {}

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self._values)

    def put(self, key: Key, value: Any) -> bool:
        """Keep a value, and return True; return False if there is one already."""
        with self._guard:
            if key in self._values:
                return False
            self._values[key] = value
            return True

    def take(self, key: Key) -> Any:
        """Return a value and forget it; None where there is none."""
        with self._guard:
            return self._values.pop(key, None)


class Stash:
    """
    The store as one request sees it: ``request.server.stash``.

    Keys are UUIDs, as text, ASCII octets or ``uuid.UUID``. A path may be any text; the default is
    the request's own. The same key below another path is another value.

    Attributes:
        default_path: The path of what is put and taken without one.
    """

    def __init__(self, store: Store, default_path: str | bytes) -> None:
        self._store = store
        self.default_path = default_path

    @property
    def count(self) -> int:
        """How many values there are, below all paths."""
        return self._store.count

    def below(self, path: str | bytes) -> Stash:
        """Return the same stash with another default path."""
        return Stash(self._store, path)

    @property
    def lock(self) -> Lock:
        """
        One lock for all requests of the server, to take, change and put as one step.

        ``with stash.lock:`` keeps out whoever asks for the lock, and nobody else; within it the
        stash is used as ever. It cannot be acquired twice by the same thread.
        """
        return self._store.lock

    def put(self, key: str | bytes | UUID, value: Any, path: str | bytes | None = None) -> None:
        """
        Keep a value until it is taken.

        Args:
            key: A UUID.
            value: Anything but None; not a copy of it, unless several processes serve: then it is pickled.
            path: Below which path it lies; None is the request's.

        Raises:
            StashError: There is a value already, which stays; or this one has to be pickled and cannot be.
            ValueError: The key is no UUID, the path none of a URL, or the value is None.
        """
        if value is None:
            raise ValueError("None cannot be put into the stash: it is what take() answers for nothing")
        found = self._key(key, path)
        if not self._store.put(found, value):
            raise StashError(
                f"there is a value already for key {found[1]} below path {found[0].decode('latin-1')!r}; "
                "a key is put once, and again only after it was taken"
            )

    def take(self, key: str | bytes | UUID, path: str | bytes | None = None) -> Any:
        """
        Return a value, which is then no longer there; None if there is none.

        Raises:
            ValueError: The key is no UUID.
        """
        return self._store.take(self._key(key, path))

    def remove(self, key: str | bytes | UUID, path: str | bytes | None = None) -> None:
        """
        Forget a value, if there is one.

        Raises:
            ValueError: The key is no UUID.
        """
        self._store.take(self._key(key, path))

    def _key(self, key: str | bytes | UUID, path: str | bytes | None) -> Key:
        return _octets(self.default_path if path is None else path), _uuid(key)


def _uuid(key: str | bytes | UUID) -> UUID:
    from uuid import UUID

    if isinstance(key, UUID):
        return key
    if not isinstance(key, str | bytes):
        raise TypeError(f"a key of the stash is a UUID, as str, bytes or uuid.UUID, not {type(key).__name__}")
    try:
        return UUID(key if isinstance(key, str) else key.decode("ascii"))
    except ValueError:
        raise ValueError(f"the key {key!r} is no UUID, as keys of the stash are") from None


def _octets(path: str | bytes) -> bytes:
    if isinstance(path, bytes):
        return path
    try:
        return path.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(
            f"the path {path!r} is no path of a URL: it has characters beyond ISO-8859-1"
        ) from None
