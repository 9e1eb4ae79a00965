"""
Metas: the comments at the beginning of a test's script that say how it is to be run.

They are lines of the form ``// META: key=value``, from the first line of the file to the last before
one of another kind::

    // META: title=What this is about
    // META: global=window,worker
    // META: script=/common/utils.js
    // META: timeout=long
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from wptproto.errors import HTTPException

__all__ = ["Metas", "read_metas"]

_LINE = re.compile(rb"//\s*META:\s*(\w*)=(.*)")

_DEFAULT_SCOPES = frozenset({"window", "dedicatedworker"})
_SCOPES = {
    name: frozenset({name})
    for name in (
        "window",
        "window-module",
        "dedicatedworker",
        "dedicatedworker-module",
        "sharedworker",
        "sharedworker-module",
        "serviceworker",
        "serviceworker-module",
        "shadowrealm",
        "jsshell",
    )
} | {"worker": frozenset({"dedicatedworker", "sharedworker", "serviceworker"})}


@dataclass(frozen=True)
class Metas:
    """
    Attributes:
        pairs: Each key with its value, in order; a key may be there several times.
    """

    pairs: tuple[tuple[str, str], ...]

    def of(self, key: str) -> list[str]:
        """Return the values of a key, in order."""
        return [value for name, value in self.pairs if name == key]

    @property
    def scopes(self) -> frozenset[str]:
        """
        The kinds of global scope that the test is for, such as ``window`` or ``sharedworker-module``.

        The first ``global`` counts. Without one, or where it is empty, they are the window and the
        dedicated worker; a name that is none of a scope stands for nothing.
        """
        named = next(iter(self.of("global")), "")
        if not named:
            return _DEFAULT_SCOPES
        return frozenset().union(*(_SCOPES.get(name.strip(), ()) for name in named.split(",")))


def read_metas(lines: Iterable[bytes], named: str) -> Metas:
    """
    Return the metas at the beginning of a script.

    Args:
        lines: The lines of the file, such as the file itself; no more are read than have to be.
        named: What to call the file in an error.

    Raises:
        HTTPException: 500; a value is not UTF-8.
    """
    pairs = []
    for number, line in enumerate(lines, 1):
        match = _LINE.match(line.rstrip(b"\r\n"))
        if match is None:
            break
        try:
            pairs.append((match[1].decode("ascii"), match[2].decode("utf-8")))
        except UnicodeDecodeError as error:
            raise HTTPException(500, f"{named}, line {number}: not UTF-8 at octet {error.start}") from error
    return Metas(tuple(pairs))
