"""States: what a server does at one moment, as values that stay as they are when it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from traceback import FrameSummary
from types import MappingProxyType
from typing import NamedTuple

from wptproto.protocol.connection import WindowState

__all__ = [
    "ConnectionState",
    "Doing",
    "ExchangeState",
    "HandlerState",
    "ServerState",
    "Stack",
    "ThreadsState",
]

Stack = tuple[FrameSummary, ...]
"""Where a thread or a coroutine is: the innermost call last."""


class Doing(Enum):
    """What an exchange waits for."""

    PUT_OFF = "waits until its client has read other responses"
    BEGINNING = "waits for its handler to begin"
    HANDLED = "its handler runs"
    SENDING = "its response is being sent"
    WINDOW = "waits for its client to open a window"
    UNREAD = "waits for its client to read"


class HandlerState(NamedTuple):
    """
    A handler that is at work.

    Attributes:
        request: The method and path that it answers.
        thread: The name of the thread that it has for itself; None for a coroutine, on the loop's.
        stack: Where it is, from its own first line on.
    """

    request: str
    thread: str | None
    stack: Stack


class ExchangeState(NamedTuple):
    """
    An exchange in progress.

    Attributes:
        number: The stream of HTTP/2; over HTTP/1.1 the how manieth of its connection.
        method: Of its request.
        path: Of its request, as it was asked for.
        age_s: Seconds since the request's head came.
        doing: What it waits for.
        handler: Its handler, while that is at work.
        request_ended: Its client has sent all of it.
        content_octets: How much content of the request has come.
        unread_octets: How much of that no handler has read yet.
        status: Of the response, once its head is out; 0 before.
        sent_octets: How much content of the response is out.
        queued_octets: How much of it waits to be sent.
        windows: Its own; None over HTTP/1.1.
    """

    number: int
    method: str
    path: str
    age_s: float
    doing: Doing
    handler: HandlerState | None
    request_ended: bool
    content_octets: int
    unread_octets: int
    status: int
    sent_octets: int
    queued_octets: int
    windows: WindowState | None


class ConnectionState(NamedTuple):
    """
    A connection.

    Attributes:
        client: The client's address and port.
        port: The port that it connected to.
        protocol: ``HTTP/1.1``, ``HTTP/2``, or None while that is open.
        tls: Version and cipher, in words; None in the clear.
        age_s: Seconds since it was accepted.
        awaits: What its client is to send next, in words.
        closing: It is about to close.
        begun: How many requests have come.
        received_octets: All that has come, TLS and framing included.
        unsent_octets: What its client's system has not taken yet.
        reading_paused: What its client sends is left where it is.
        windows: The connection's own; None over HTTP/1.1.
        exchanges: Those in progress.
    """

    client: tuple[str, int]
    port: int
    protocol: str | None
    tls: str | None
    age_s: float
    awaits: str
    closing: bool
    begun: int
    received_octets: int
    unsent_octets: int
    reading_paused: bool
    windows: WindowState | None
    exchanges: tuple[ExchangeState, ...]


class ThreadsState(NamedTuple):
    """
    The threads for handlers.

    Attributes:
        free: How many have nothing to do.
        others: Name and place of each that does something else than to call a handler: to send a file
            that an async handler left, or what such a one gave to ``asyncio.to_thread``.
        waiting: How many requests wait for a thread.
    """

    free: int = 0
    others: tuple[tuple[str, Stack], ...] = ()
    waiting: int = 0


class ServerState(NamedTuple):
    """
    A server.

    Attributes:
        ports: What it listens on, by ``http``, ``https`` and ``h2``; none where it does not.
        loop: None where the loop has answered. If an async handler blocks it, this is where that is, and
            nothing is known of connections.
        connections: Those that are open.
        handlers: Those at work whose exchange is over: the client has left, or the loop did not answer.
        threads: Those for handlers.
        stash_count: How many values are in the stash.
    """

    ports: Mapping[str, tuple[int, ...]] = MappingProxyType({})
    loop: Stack | None = None
    connections: tuple[ConnectionState, ...] = ()
    handlers: tuple[HandlerState, ...] = ()
    threads: ThreadsState = ThreadsState()
    stash_count: int = 0
