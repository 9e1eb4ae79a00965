"""Roster: who is at work on which exchange."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from wptproto.exchange.exchange import Exchange
from wptproto.server.stacks import own_part, task_stack
from wptproto.server.state import HandlerState, Stack

__all__ = ["Roster"]


class Roster:
    """
    The handlers of one server that are at work, whether anybody waits for them or not.

    Attributes:
        threads: What each thread that runs a handler answers, by the thread's identifier.
        tasks: What each coroutine answers; None for one that has yet to begin with it.
    """

    def __init__(self) -> None:
        self.threads: dict[int, Exchange] = {}
        self.tasks: dict[asyncio.Task[Any], Exchange | None] = {}

    def handlers(
        self, stacks: Mapping[int, Stack], current: asyncio.Task[Any] | None, loop_thread: int
    ) -> dict[Exchange, HandlerState]:
        """
        Return where each handler is; on any thread, though they go on meanwhile.

        Args:
            stacks: Where the threads are.
            current: The task that the loop runs at the moment, if any.
            loop_thread: Where it runs it.
        """
        found: dict[Exchange, HandlerState] = {}
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for task, exchange in list(self.tasks.items()):
            if exchange is not None:
                stack = stacks.get(loop_thread, ()) if task is current else task_stack(task)
                found[exchange] = _state(exchange, None, stack)
        for thread, exchange in list(self.threads.items()):
            found[exchange] = _state(exchange, names.get(thread, ""), stacks.get(thread, ()))
        return found


def _state(exchange: Exchange, thread: str | None, stack: Stack) -> HandlerState:
    request = f"{exchange.head.method} {exchange.request.request_path}"
    return HandlerState(request=request, thread=thread, stack=own_part(stack))
