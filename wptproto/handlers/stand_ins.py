"""
Stand-ins: modules of the standard library that look into ``sys.modules``, as scripts get them.

What is in ``sys.modules`` is the process's, and a script's modules are not in there. All but what is
defined here is the real modules' own.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util

# By these names, dataclasses finds in an annotation that is text what it has to treat in another way.
import typing  # noqa: F401
from collections.abc import Callable
from dataclasses import KW_ONLY, InitVar  # noqa: F401
from types import ModuleType
from typing import Any, ClassVar  # noqa: F401

__all__ = ["stand_in_for_dataclasses", "stand_in_for_importlib"]


def stand_in_for_importlib(import_: Callable[..., ModuleType]) -> ModuleType:
    """Return a stand-in for ``importlib`` that imports by *import_*, which does what ``__import__`` does."""

    def import_module(name: str, package: str | None = None) -> ModuleType:
        # A module that is asked for a name which all modules have comes itself, and loads nothing more.
        return import_(importlib.util.resolve_name(name, package), fromlist=("__name__",))

    return _stand_in(importlib, import_module=import_module, __import__=import_)


def stand_in_for_dataclasses() -> ModuleType:
    """
    Return a stand-in for ``dataclasses`` that does not mind a class whose module is not in ``sys.modules``.

    There, it looks for what ``ClassVar``, ``InitVar`` and ``KW_ONLY`` are in annotations that are text; so
    while it does, the class is said to be of this module.
    """

    def dataclass(cls: Any = None, /, **options: Any) -> Any:
        def make(cls: Any) -> Any:
            module, cls.__module__ = cls.__module__, __name__
            try:
                made: Any = dataclasses.dataclass(cls, **options)
                made.__module__ = module  # with slots, it is another class
            finally:
                cls.__module__ = module
            return made

        return make if cls is None else make(cls)

    return _stand_in(dataclasses, dataclass=dataclass)


def _stand_in(real: ModuleType, **names: Any) -> ModuleType:
    module = ModuleType(real.__name__, real.__doc__)
    vars(module).update(names, __getattr__=lambda name: getattr(real, name))
    return module
