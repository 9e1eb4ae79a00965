"""An ASGI application whose handlers may block, and so run in threads, as asyncio has them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tools.bench.served.answers import LONG, SLEEP_S, TEXT

Message = dict[str, Any]


def text(content: bytes) -> bytes:
    return TEXT


def sleep(content: bytes) -> bytes:
    time.sleep(SLEEP_S)
    return TEXT


def long(content: bytes) -> bytes:
    return LONG


def upload(content: bytes) -> bytes:
    return b"%13d" % len(content)


HANDLERS = {"/text": text, "/sleep": sleep, "/long": long, "/upload": upload}


async def application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] == "lifespan":
        while True:
            await send({"type": (await receive())["type"] + ".complete"})
    received, more = [], True
    while more:
        message = await receive()
        received.append(message.get("body", b""))
        more = message.get("more_body", False)
    content = await asyncio.to_thread(HANDLERS[scope["path"]], b"".join(received))
    fields = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": content})
