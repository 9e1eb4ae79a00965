"""The process that is attacked, one for a run, and servers in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.bystander import ask_once
from tests.hostile.target import Target, Victim


@pytest.fixture(scope="session")
def victim(certs_dir: Path) -> Iterator[Victim]:
    """The process that servers under attack run in."""
    victim = Victim(certs_dir)
    yield victim
    victim.close()


@pytest.fixture
def target(victim: Victim) -> Iterator[Target]:
    """A server with the limits that servers have, which has answered each protocol."""
    with victim.serving({}) as target:
        ask_once(target)
        yield target
