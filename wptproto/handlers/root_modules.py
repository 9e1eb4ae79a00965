"""
RootModules: the Python modules that lie below a document root.

They are shared by all requests of a server, as ``sys.modules`` would share them, but are not in there:
what two servers call ``common.helper`` are two modules. The rules are Python's own, with these
differences:

- A name is looked up by its whole path below the root: ``a.b`` is ``a/b/__init__.py``, or else ``a/b.py``,
  or else the directory ``a/b``. What packages do to their ``__path__`` does not count.
- A module is loaded anew when its file has changed, or that of a module which it imported while it was
  loaded. Who holds the older one keeps it.
- A module is an attribute of its package from the moment it begins to be loaded. So ``import a.b as c``
  finds it also in a cycle of imports, where Python would look into ``sys.modules``.

Of several threads that want a module, one loads it and the others wait. Threads that would wait for each
other in a ring get the module as far as it is loaded, as Python has it.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

__all__ = ["Found", "RootModules"]


class Found(NamedTuple):
    """
    What a name stands for below the root.

    Attributes:
        path: The file; of a package without ``__init__.py``, the directory.
        is_package: Whether there can be modules below it.
        version: When the file changed last, in ns, and its length in octets; None for a directory.
    """

    path: str
    is_package: bool
    version: tuple[int, int] | None

    @property
    def directory(self) -> str:
        """The directory of a package."""
        return self.path if self.version is None else os.path.dirname(self.path)


@dataclass(eq=False, slots=True)
class _Loaded:
    """
    A module, from the moment it begins to be loaded.

    Attributes:
        thread: Whose thread loads it; None when it is there.
        package: The module that it is an attribute of.
        imports: What it imported while it was loaded.
    """

    name: str
    module: ModuleType
    spec: ModuleSpec
    found: Found
    thread: int | None
    package: ModuleType | None = None
    imports: list[_Loaded] = field(default_factory=list)


class _Loading(threading.local):
    """What a thread is loading, the innermost last."""

    def __init__(self) -> None:
        self.stack: list[_Loaded] = []


class RootModules:
    """The modules below one root, for one server; safe to use from any thread."""

    def __init__(self, root: Path, execute: Callable[[CodeType, dict[str, object]], None]) -> None:
        """
        Args:
            root: The directory, resolved.
            execute: Runs a module's code in its namespace.
        """
        self._root = root
        self._execute = execute
        self._loaded: dict[str, _Loaded] = {}
        self._changed = threading.Condition()  # guards the two; notified when a module is loaded, or is not
        self._waiting: dict[int, _Loaded] = {}  # by thread
        self._loading = _Loading()

    def find(self, name: str) -> Found | None:
        """Return what a full name stands for; None where there is nothing of this name."""
        parts = name.split(".")
        if not all(parts) or "\0" in name or any(sign in name for sign in (os.sep, os.altsep) if sign):
            return None
        directory = os.path.join(self._root, *parts)
        for path in (os.path.join(directory, "__init__.py"), f"{directory}.py"):
            version = _version_of(path)
            if version is not None:
                return Found(path, path.endswith(f"{os.sep}__init__.py"), version)
        return Found(directory, True, None) if os.path.isdir(directory) else None

    def load(self, name: str) -> ModuleType:
        """
        Return a module, and load it and its packages if need be.

        Raises:
            ModuleNotFoundError: There is none, or it lies outside the root, by a symbolic link.
            BaseException: Whatever its code raises; it is then as if it had never been loaded.
        """
        package = None
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            package = self._load_one(".".join(parts[:depth]), package)
        assert package is not None
        return package

    def load_listed(self, module: ModuleType, names: tuple[str, ...]) -> None:
        """Load those of the *names* in ``from module import names`` that are modules of a package."""
        if "*" in names:
            names = tuple(getattr(module, "__all__", ()))
        for name in names:
            full = f"{module.__name__}.{name}"
            known = self._loaded.get(full)
            is_module = known is not None and vars(module).get(name) is known.module
            if (is_module or not hasattr(module, name)) and hasattr(module, "__path__") and self.find(full):
                self.load(full)

    def _load_one(self, name: str, package: ModuleType | None) -> ModuleType:
        loaded = self._loaded.get(name)
        if loaded is None or loaded.thread is not None or not self._is_current(loaded):
            loaded = self._load_now(name, package)
        if package is not None and loaded.package is not package:
            _attach(loaded, package)  # the package was loaded anew, and this module was not
        if self._loading.stack:
            self._loading.stack[-1].imports.append(loaded)
        return loaded.module

    def _is_current(self, loaded: _Loaded) -> bool:
        """Whether neither a module's file nor one that it imported has changed since it was loaded."""
        seen: set[_Loaded] = set()
        left = [loaded]
        while left:
            module = left.pop()
            if module in seen:
                continue
            seen.add(module)
            if self._loaded.get(module.name) is not module or self.find(module.name) != module.found:
                return False
            left += module.imports
        return True

    def _load_now(self, name: str, package: ModuleType | None) -> _Loaded:
        thread = threading.get_ident()
        with self._changed:
            while True:
                loaded = self._loaded.get(name)
                if loaded is None or (loaded.thread is None and not self._is_current(loaded)):
                    break
                if loaded.thread is None or self._would_wait_for(loaded.thread, thread):
                    return loaded
                self._waiting[thread] = loaded
                self._changed.wait()
                del self._waiting[thread]
            loaded = self._begun(name, thread)
            self._loaded[name] = loaded
            if package is not None:
                _attach(loaded, package)
        self._loading.stack.append(loaded)
        try:
            if loaded.found.version is not None:
                path = loaded.found.path
                code = compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
                self._execute(code, vars(loaded.module))
        except BaseException:
            with self._changed:
                del self._loaded[name]
            _detach(loaded)
            raise
        finally:
            self._loading.stack.pop()
            with self._changed:
                loaded.thread = None
                self._changed.notify_all()
        loaded.spec._initializing = False  # type: ignore[attr-defined]
        return loaded

    def _would_wait_for(self, other: int | None, thread: int) -> bool:
        """Whether a thread that loads a module waits, by however many others, for one of *thread*."""
        while other is not None and other != thread:
            awaited = self._waiting.get(other)
            other = None if awaited is None else awaited.thread
        return other == thread

    def _begun(self, name: str, thread: int) -> _Loaded:
        """Return a module of which no code has run yet."""
        found = self.find(name)
        if found is None:
            raise ModuleNotFoundError(f"No module named {name!r} below {self._root}", name=name)
        if not Path(found.path).resolve().is_relative_to(self._root):
            raise ModuleNotFoundError(
                f"{name!r} lies outside the document root, by a symbolic link: {found.path}", name=name
            )
        module = ModuleType(name)
        spec = ModuleSpec(name, None, origin=None if found.version is None else found.path)
        # By this, Python says of a cycle of imports that it is one, where something is missing.
        spec._initializing = True  # type: ignore[attr-defined]
        if found.is_package:
            module.__path__ = spec.submodule_search_locations = [found.directory]
        if found.version is not None:
            module.__file__ = found.path
            spec.has_location = True
        module.__spec__ = spec
        module.__package__ = spec.parent
        return _Loaded(name, module, spec, found, thread)


def _version_of(path: str) -> tuple[int, int] | None:
    """Return the version of a file; None where there is no regular one."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) else None


def _attach(loaded: _Loaded, package: ModuleType) -> None:
    setattr(package, loaded.name.rpartition(".")[2], loaded.module)
    loaded.package = package


def _detach(loaded: _Loaded) -> None:
    name = loaded.name.rpartition(".")[2]
    if loaded.package is not None and vars(loaded.package).get(name) is loaded.module:
        delattr(loaded.package, name)
