"""Target: what a fuzzer calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Target", "take"]


@dataclass(frozen=True, slots=True)
class Target:
    """
    One parser.

    Attributes:
        name: What the command line calls it.
        run: Takes any octets. What they are expected to raise ends within; what comes out is a finding.
        seeds: Octets to begin with, which reach far into it.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def take(octets: bytes) -> tuple[int, bytes]:
    """Take the first octet off, as a number to choose by; 0 where there is none."""
    return (octets[0] if octets else 0), octets[1:]
