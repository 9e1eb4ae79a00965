"""
The command, with more time for what it waits for itself.

It takes a loop for blocked that does not get on for a second, and kills a worker that does not stop. Where a
machine has too much to do, this happens to those who are well.
"""

from __future__ import annotations

import sys

__all__ = ["patient"]

_LIMITS = {
    "wptproto.server.engine.STOP_S": 15.0,
    "wptproto.server.survey.ANSWER_S": 15.0,
    "wptproto.workforce.STOP_S": 15.0,
    "wptproto.workforce.ANSWER_S": 15.0,
}

_PROGRAM = """
import importlib, sys
for name, seconds in {limits}.items():
    module, _, constant = name.rpartition(".")
    assert constant in vars(importlib.import_module(module)), name
    setattr(sys.modules[module], constant, seconds)
from wptproto.__main__ import main
sys.exit(main())
"""


def patient(limits: dict[str, float] = _LIMITS) -> list[str]:
    """
    Return the words that run the command, as ``python -m wptproto`` does; its arguments follow.

    Args:
        limits: Seconds, by the names of constants.
    """
    return [sys.executable, "-W", "error", "-c", _PROGRAM.format(limits=limits)]
