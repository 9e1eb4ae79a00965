"""
Names and values, each maybe several times, as octets; and urlencoded ones, decoded.

URL Standard §5.1 (application/x-www-form-urlencoded).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar, overload
from urllib.parse import unquote_to_bytes

__all__ = ["MultiDict", "parse_urlencoded", "urlencoded_pairs"]

V = TypeVar("V")
D = TypeVar("D")

_MISSING = object()


class MultiDict(dict[bytes, list[V]]):
    """
    A dict of names to lists of values; looking one up answers the first.

    ``[]``, ``get`` and ``first`` are the first value's. What a dict has beside them (``items``,
    ``values``, ``pop``) is the lists'; scripts written for wptserve count on it.
    """

    def __init__(self) -> None:
        super().__init__()

    def add(self, name: bytes, value: V) -> None:
        """Put *value* behind those already there for *name*."""
        self.setdefault(name, []).append(value)

    def __setitem__(self, name: bytes, value: V) -> None:  # type: ignore[override]
        """Make *value* the one value of *name*."""
        super().__setitem__(name, [value])

    def __getitem__(self, name: bytes) -> V:  # type: ignore[override]
        return self.first(name)

    @overload  # type: ignore[override]
    def get(self, name: bytes) -> V | None: ...
    @overload
    def get(self, name: bytes, default: D) -> V | D: ...
    def get(self, name: bytes, default: object = None) -> object:
        """Return the first value of *name*, or *default*."""
        return self.first(name, default)

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
        values = super().get(name)
        if not values:
            if default is _MISSING:
                raise KeyError(name)
            return default
        return values[index]

    def get_list(self, name: bytes) -> list[V]:
        """Return all values of *name* in order, none if there are none."""
        return list(super().get(name, ()))


def parse_urlencoded(octets: bytes) -> MultiDict[bytes]:
    """
    Decode ``name=value&name=value``; blank values count, every octet survives.

    URL Standard §5.1 (application/x-www-form-urlencoded parsing), without the last step to text.
    """
    found: MultiDict[bytes] = MultiDict()
    for name, value in urlencoded_pairs(octets):
        found.add(name, value)
    return found


def urlencoded_pairs(octets: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Iterate over the same names and values, in order."""
    for pair in octets.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            yield unquote_to_bytes(name.replace(b"+", b" ")), unquote_to_bytes(value.replace(b"+", b" "))
