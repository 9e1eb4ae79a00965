"""A callable as a handler: what it returns becomes the response."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Mapping
from types import GeneratorType
from typing import Any

from wptproto.exchange.response import Response

__all__ = ["apply_returned", "begun_async"]


def apply_returned(value: Any, response: Response) -> None:
    """
    Fill in *response* from what a handler returned.

    Args:
        value: None leaves all as the handler filled it in; ``content``; ``(headers, content)``; or
            ``(status, headers, content)``, where status may be ``(code, message)``. A generator
            runs up to its first item before the head is sent, so that it may set status and fields.
        response: The response of the exchange.

    Raises:
        TypeError: It is none of these.
    """
    if value is None or value is response:
        return
    if isinstance(value, tuple):
        if len(value) == 3:
            response.status = value[0]
        elif len(value) != 2:
            raise TypeError(
                f"a handler returns content, (headers, content) or (status, headers, content), "
                f"not a tuple of {len(value)}"
            )
        headers, value = value[-2:]
        response.headers.update(headers.items() if isinstance(headers, Mapping) else headers)
    response.content = _content(value)


def _content(value: Any) -> Any:
    if isinstance(value, GeneratorType):
        return _begun(value)
    sends = (
        value is None
        or callable(value)
        or hasattr(value, "read")
        or isinstance(value, str | Iterable | AsyncIterable)
    )
    if not sends or isinstance(value, Mapping):
        raise TypeError(
            f"content is text, octets, a file, a function or an iterable, not {type(value).__name__}"
        )
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    return value


def _begun(items: Generator[Any, None, None]) -> Any:
    """Run a generator up to its first item."""
    for first in items:
        return _resumed(first, items)
    return b""


async def begun_async(items: AsyncGenerator[Any, None]) -> Any:
    """Run an async generator up to its first item, so that what it sets before still counts."""
    async for first in items:
        return _resumed_async(first, items)
    return b""


async def _resumed_async(first: Any, items: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    try:
        yield first
        async for item in items:
            yield item
    finally:
        await items.aclose()


def _resumed(first: Any, items: Generator[Any, None, None]) -> Generator[Any, None, None]:
    try:
        yield first
        yield from items
    finally:
        items.close()
