"""
Imports: what ``import`` finds in handler scripts, and in the modules below their document root.

Nothing of it is seen by the rest of the process: no ``sys.path``, no ``sys.modules``. Scripts run with
builtins of their own, and the ``import`` statement asks those for ``__import__``.

In this order, a name is looked for:

1. ``wptserve`` is the room of this package that has its names (ROOMS), whatever else is installed.
2. The standard library; two of its modules have stand-ins. WPT has a directory called ``html``:
   ``import html`` is the library's, and ``html.resources.helper``, of which the library knows nothing, is
   a file below the root.
3. A file below the document root that the full name leads to.
4. What is installed. WPT has a directory ``websockets``: ``import websockets`` is a package that is
   installed, if there is one, for a directory without ``__init__.py`` gives way to it in Python, too.
5. A directory below the document root.
"""

from __future__ import annotations

import builtins
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from wptproto.handlers.root_modules import RootModules
from wptproto.handlers.stand_ins import stand_in_for_dataclasses, stand_in_for_importlib

__all__ = ["Imports"]

ROOMS = {"wptserve": "wptproto.wptserve"}
"""Packages by the name that scripts know; a name, as the room stands on a higher floor."""


class Imports:
    """What the scripts below one root import, for one server; safe to use from any thread."""

    def __init__(self, root: Path) -> None:
        """
        Args:
            root: The document root, resolved.
        """
        self._above = os.path.join(root, "")
        self._modules = RootModules(root, self._execute)
        self._builtins = {**vars(builtins), "__import__": self._import}
        self._stand_ins = {
            "importlib": stand_in_for_importlib(self._import),
            "dataclasses": stand_in_for_dataclasses(),
        }

    def run(self, code: CodeType, path: str) -> dict[str, Any]:
        """
        Run a script, and return its namespace.

        Args:
            code: Of the script.
            path: Its file, below the root; where its names and its relative imports start from.
        """
        *packages, file = path.removeprefix(self._above).split(os.sep)
        namespace: dict[str, Any] = {
            "__name__": ".".join((*packages, os.path.splitext(file)[0])),
            "__package__": ".".join(packages),
            "__spec__": None,
            "__file__": path,
        }
        self._execute(code, namespace)
        return namespace

    def _execute(self, code: CodeType, namespace: dict[str, Any]) -> None:
        namespace["__builtins__"] = self._builtins
        exec(code, namespace)  # noqa: S102 -- scripts are there to be run, and are below the document root

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002  # __import__ has it so
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Do as ``__import__`` does: return the outermost package, or with a *fromlist* the module itself."""
        listed = tuple(fromlist or ())
        if level > 0:
            return self._from_root(_absolute(name, (globals or {}).get("__package__"), level), listed)
        outermost = name.partition(".")[0]
        if outermost in ROOMS:
            return _from_room(name, listed)
        if outermost in sys.stdlib_module_names:
            try:
                module = builtins.__import__(name, globals, locals, listed)
            except ModuleNotFoundError as error:
                if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                    raise
            else:
                return self._stand_ins.get(module.__name__, module)
        found = self._modules.find(name)
        if found is not None and (found.version is not None or not _is_installed(name)):
            return self._from_root(name, listed)
        return builtins.__import__(name, globals, locals, listed)

    def _from_root(self, name: str, listed: tuple[str, ...]) -> ModuleType:
        module = self._modules.load(name)
        if not listed:
            return self._modules.load(name.partition(".")[0])
        self._modules.load_listed(module, listed)
        return module


def _absolute(name: str, package: object, level: int) -> str:
    """Return the full name of a relative import: one dot is the package itself."""
    if not isinstance(package, str) or not package:
        raise ImportError("attempted relative import with no known parent package")
    parts = package.split(".")
    if level > len(parts):
        raise ImportError("attempted relative import beyond top-level package")
    return ".".join(part for part in (*parts[: len(parts) - level + 1], name) if part)


def _from_room(name: str, listed: tuple[str, ...]) -> ModuleType:
    outermost, dot, rest = name.partition(".")
    real = ROOMS[outermost] + dot + rest
    try:
        module = builtins.__import__(real, fromlist=listed or ("__name__",))
    except ModuleNotFoundError as error:
        if error.name != real:
            raise
        raise ModuleNotFoundError(f"No module named {name!r}", name=name) from None
    return module if listed else sys.modules[ROOMS[outermost]]


def _is_installed(name: str) -> bool:
    """Whether a name leads to a package or module outside the root, and not to mere directories."""
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        try:
            spec = importlib.util.find_spec(".".join(parts[:depth]))
        except (ImportError, ValueError):
            return False
        if spec is None or (spec.origin is None and spec.submodule_search_locations is not None):
            return False
    return True
