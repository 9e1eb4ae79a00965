"""Programs that tests need: where one is missing its tests are skipped, but never in CI."""

from __future__ import annotations

import os
import shutil

import pytest

__all__ = ["is_missing", "needs", "program"]


def is_missing(name: str) -> bool:
    """Whether a program is not installed, and may be missing: in CI its absence is to show."""
    return shutil.which(name) is None and not os.environ.get("CI")


def needs(name: str) -> pytest.MarkDecorator:
    """Return a mark for tests that run a program."""
    return pytest.mark.skipif(is_missing(name), reason=f"{name} is not installed")


def program(name: str) -> str:
    """Return the path of a program; where it is missing the test is skipped, and in CI it fails."""
    path = shutil.which(name)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed, and in CI it has to be")
        pytest.skip(f"{name} is not installed")
    return path
