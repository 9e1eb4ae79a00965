"""Urlencoded names and values, as octets (URL Standard §5.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar, overload
from urllib.parse import unquote_to_bytes

__all__ = ["MultiDict", "parse_urlencoded"]

V = TypeVar("V")
D = TypeVar("D")

_MISSING = object()


class MultiDict(Generic[V]):
    """A mapping of names to lists of values; ``[]`` and ``get`` answer the last one."""

    def __init__(self) -> None:
        self._values: dict[bytes, list[V]] = {}

    def add(self, name: bytes, value: V) -> None:
        """Put *value* behind those already there for *name*."""
        self._values.setdefault(name, []).append(value)

    def __getitem__(self, name: bytes) -> V:
        return self._values[name][-1]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"MultiDict({self._values!r})"

    def keys(self) -> list[bytes]:
        """Return the names, in the order of their first value."""
        return list(self._values)

    def items(self) -> list[tuple[bytes, V]]:
        """Return each name with its last value."""
        return [(name, values[-1]) for name, values in self._values.items()]

    @overload
    def get(self, name: bytes) -> V | None: ...
    @overload
    def get(self, name: bytes, default: D) -> V | D: ...
    def get(self, name: bytes, default: object = None) -> object:
        """Return the last value of *name*, or *default*."""
        return self._values[name][-1] if name in self._values else default

    @overload
    def first(self, name: bytes) -> V: ...
    @overload
    def first(self, name: bytes, default: D) -> V | D: ...
    def first(self, name: bytes, default: object = _MISSING) -> object:
        """Return the first value of *name*; KeyError where there is none and no default."""
        return self._pick(name, 0, default)

    @overload
    def last(self, name: bytes) -> V: ...
    @overload
    def last(self, name: bytes, default: D) -> V | D: ...
    def last(self, name: bytes, default: object = _MISSING) -> object:
        """Return the last value of *name*; KeyError where there is none and no default."""
        return self._pick(name, -1, default)

    def _pick(self, name: bytes, index: int, default: object) -> object:
        if name not in self._values:
            if default is _MISSING:
                raise KeyError(name)
            return default
        return self._values[name][index]

    def get_list(self, name: bytes) -> list[V]:
        """Return all values of *name* in order, none if there are none."""
        return list(self._values.get(name, ()))


def parse_urlencoded(octets: bytes) -> MultiDict[bytes]:
    """
    Decode ``name=value&name=value``; blank values count, every octet survives.

    URL Standard §5.1 (application/x-www-form-urlencoded parsing), without the last step to text.
    """
    found: MultiDict[bytes] = MultiDict()
    for pair in octets.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            found.add(unquote_to_bytes(name.replace(b"+", b" ")), unquote_to_bytes(value.replace(b"+", b" ")))
    return found
