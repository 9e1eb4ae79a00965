"""Octets that are nearly others."""

from __future__ import annotations

from hyperframe.frame import PingFrame
from hypothesis import strategies as st

__all__ = ["Mutation", "mutate", "mutated", "mutations"]

Mutation = tuple[float, int, bytes]
STRAY = [b"\r\n", b"\r\n\r\n", b"\n", b"\0", b"0\r\n\r\n", b"chunked", b"close", PingFrame(0).serialize()]
mutations = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 9), st.binary(max_size=4) | st.sampled_from(STRAY)),
    min_size=1,
    max_size=4,
)


def mutate(octets: bytes, changes: list[Mutation]) -> bytes:
    """Exchange some octets for others, here and there."""
    for place, removed, inserted in changes:
        at = round(place * len(octets))
        octets = octets[:at] + inserted + octets[at + removed :]
    return octets


def mutated(octets: bytes) -> st.SearchStrategy[bytes]:
    """Return octets with some exchanged."""
    return mutations.map(lambda changes: mutate(octets, changes))
