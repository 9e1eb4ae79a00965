"""Stacks: where threads and coroutines are."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator

import pytest

from wptproto.server.stacks import own_part, task_stack, thread_place, thread_stacks


def test_threads() -> None:
    """Each thread is where it is, the innermost call last."""

    def waits() -> None:
        asleep.set()
        wake.wait(20)

    asleep, wake = threading.Event(), threading.Event()
    thread = threading.Thread(target=waits)
    thread.start()
    assert asleep.wait(20)
    stack = thread_stacks()[thread.ident or 0]
    place = thread_place(thread.ident or 0)
    wake.set()
    thread.join()
    names = [frame.name for frame in stack]
    assert "waits" in names
    assert names.index("waits") > names.index("run")
    assert own_part(stack)[0].name == "waits"
    assert re.fullmatch(f'File "{re.escape(__file__)}", line [0-9]+, in waits', place)
    assert thread_stacks()[threading.get_ident()][-1].name == "thread_stacks"


async def innermost() -> None:
    await asyncio.get_running_loop().create_future()


async def by_coroutine() -> None:
    await innermost()


class ByGenerator:
    def __await__(self) -> Generator[object, None, None]:
        yield from innermost().__await__()


async def by_generator() -> None:
    await ByGenerator()


async def items() -> AsyncIterator[int]:
    await innermost()
    yield 1


async def by_async_generator() -> None:
    await anext(items())


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (by_coroutine, ["by_coroutine", "innermost"]),
        (by_generator, ["by_generator", "__await__"]),  # which goes on in what Python does not show
        (by_async_generator, ["by_async_generator"]),  # Python does not tell what is behind anext()
    ],
)
def test_tasks(function: Callable[[], Awaitable[None]], expected: list[str]) -> None:
    """A task is where its coroutine is, and what that awaits, down to the future that it waits for."""

    async def look() -> list[str]:
        task = asyncio.ensure_future(function())
        await asyncio.sleep(0)
        names = [frame.name for frame in task_stack(task)]
        task.cancel()
        await asyncio.wait([task])
        assert task_stack(task) == ()
        return names

    assert asyncio.run(look()) == expected


def test_a_thread_that_is_no_more() -> None:
    """A thread that has ended is nowhere."""
    assert thread_place(0) == "it has ended by now"


def test_nobody_elses_part() -> None:
    """A stack of which every frame is ours is shown whole."""
    stack = thread_stacks()[threading.get_ident()][-1:]
    assert own_part(stack) == stack
