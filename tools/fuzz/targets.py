"""Every target there is, by name."""

from __future__ import annotations

from tools.fuzz import handlers, protocol, semantics, serving
from tools.fuzz.target import Target

__all__ = ["TARGETS"]

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (*semantics.TARGETS, *protocol.TARGETS, *handlers.TARGETS, *serving.TARGETS)
}
