"""The functions that tools/fuzz calls, over their seeds and octets like those, without a fuzzer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.mutating import mutate, mutations
from tools.fuzz.target import Target
from tools.fuzz.targets import TARGETS


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> Target:
    """Each target there is."""
    return TARGETS[request.param]


def test_seeds(target: Target) -> None:
    """Nothing unexpected comes of the octets that a target begins with, nor of none."""
    for octets in (b"", *target.seeds):
        target.run(octets)


@pytest.mark.parametrize("name", TARGETS)
def test_like_seeds(name: str) -> None:
    """Nor of octets that are nearly those, or any."""
    target = TARGETS[name]

    @given(st.binary() | st.builds(mutate, st.sampled_from(target.seeds), mutations))
    def run(octets: bytes) -> None:
        target.run(octets)

    run()
