"""Runs of pytest within this process, which leave it the modules that it has."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

__all__ = ["RunPytest", "keeper", "run_pytest"]

RunPytest = Callable[..., pytest.RunResult]


class Keeper:
    """
    A plugin that keeps what was imported in a run, but for its tests.

    Pytest forgets all that was not there before; who imports it later would have each class a second time.
    """

    def __init__(self) -> None:
        self._modules: dict[str, ModuleType] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        for name, module in sys.modules.items():
            if not Path(getattr(module, "__file__", None) or "/").is_relative_to(config.rootpath):
                self._modules.setdefault(name, module)

    def give_back(self) -> None:
        """Have them imported again."""
        for name, module in self._modules.items():
            sys.modules.setdefault(name, module)


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    keeper = Keeper()
    yield keeper
    keeper.give_back()  # pytester has forgotten them by now, for it was there later


@pytest.fixture
def run_pytest(keeper: Keeper, pytester: pytest.Pytester) -> RunPytest:
    """Runs pytest on the tests of ``pytester``, with the arguments given."""

    def run(*arguments: str) -> pytest.RunResult:
        result = pytester.runpytest_inprocess(*arguments, plugins=[keeper])
        keeper.give_back()
        return result

    return run
