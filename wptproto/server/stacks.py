"""Stacks: where threads and coroutines are."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from wptproto.server.state import Stack

__all__ = ["own_part", "task_stack", "thread_place", "thread_stacks"]

_PACKAGE = Path(__file__).parent.parent
_MACHINERY = (
    threading.__file__,
    str(Path(asyncio.__file__).parent),
    *(str(_PACKAGE / floor) for floor in ("exchange", "handlers", "server")),
)


def thread_stacks() -> dict[int, Stack]:
    """Return where each thread of the process is, by its identifier."""
    return {
        thread: tuple(reversed(traceback.StackSummary.extract(traceback.walk_stack(frame))))
        for thread, frame in sys._current_frames().items()
    }


def thread_place(thread: int) -> str:
    """Return in one line where a thread is, in the part of its stack that is a handler's own."""
    stack = own_part(thread_stacks().get(thread, ()))
    if not stack:
        return "it has ended by now"
    frame = stack[0]
    return f'File "{frame.filename}", line {frame.lineno}, in {frame.name}'


def task_stack(task: asyncio.Task[Any]) -> Stack:
    """Return where a task that does not run at the moment is, down to what it awaits."""
    return tuple(traceback.StackSummary.extract(_awaiting(task.get_coro())))


def own_part(stack: Stack) -> Stack:
    """Return a handler's stack from its own first line on; the whole where all of it is ours."""
    for depth, frame in enumerate(stack):
        if not frame.filename.startswith(_MACHINERY):
            return stack[depth:]
    return stack


def _awaiting(awaitable: Any) -> Iterator[tuple[FrameType, int]]:
    """Go from a coroutine to what it awaits, and on to what that does."""
    while True:
        for frame_name, next_name in _KINDS:
            frame = getattr(awaitable, frame_name, None)
            if frame is not None:
                yield frame, frame.f_lineno
                awaitable = getattr(awaitable, next_name)
                break
        else:
            return  # nothing, a future, or what has ended


_KINDS = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))
"""Of coroutines, generators and async generators: where they are, and what they wait for."""
