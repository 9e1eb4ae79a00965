"""Dump: what a server does at one moment, in words for whoever looks for what hangs."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

from wptproto.protocol.connection import WindowState
from wptproto.server.state import ConnectionState, ExchangeState, HandlerState, ServerState, Stack

__all__ = ["describe"]


def describe(state: ServerState) -> str:
    """Return a server's state in lines: ports, connections, their exchanges, and where handlers are."""
    return "\n".join(_lines(state)) + "\n"


def _lines(state: ServerState) -> Iterator[str]:
    ports = [f"{kind} {port}" for kind, numbers in state.ports.items() for port in numbers]
    yield "listens: " + (", ".join(ports) or "no")
    if state.loop is not None:
        yield "its loop does not answer, so nothing is known of connections; it is at"
        yield from _stack(state.loop)
    else:
        yield f"connections: {len(state.connections)}"
    for connection in state.connections:
        yield from _connection(connection)
    if state.handlers:
        yield f"handlers of other exchanges, which may be over: {len(state.handlers)}"
    for handler in state.handlers:
        yield f"  {handler.request}, {_place(handler)}"
        yield from _stack(handler.stack)
    threads = state.threads
    waiting = _count(threads.waiting, "request")
    yield f"other threads: {threads.free} free, {len(threads.others)} at work; {waiting} without one"
    for name, stack in threads.others:
        yield f"  {name}"
        yield from _stack(stack)
    yield f"stash: {_count(state.stash_count, 'value')}"


def _connection(state: ConnectionState) -> Iterator[str]:
    protocol = state.protocol or "no protocol yet"
    over = f" over {state.tls}" if state.tls is not None else ""
    yield f"  {state.client[0]}:{state.client[1]} to port {state.port}, {protocol}{over}, {state.age_s:.1f} s"
    told = [
        _count(state.begun, "request"),
        f"{state.received_octets} octets received",
        f"{state.unsent_octets} unsent",
        f"awaits {state.awaits}",
    ]
    if state.reading_paused:
        told.append("is not read from")
    if state.closing:
        told.append("is closing")
    yield "    " + ", ".join(told) + _windows(state.windows)
    for exchange in state.exchanges:
        yield from _exchange(exchange)


def _exchange(state: ExchangeState) -> Iterator[str]:
    yield f"    {state.number}: {state.method} {state.path}, {state.age_s:.1f} s: {state.doing.value}"
    whole = "whole" if state.request_ended else "not whole"
    request = f"request {whole}, {state.content_octets} octets of content"
    unread = f", {state.unread_octets} of them unread" if state.unread_octets else ""
    head = f"head {state.status}" if state.status else "no head"
    response = f"response: {head}, {state.sent_octets} octets of content sent, {state.queued_octets} queued"
    yield f"      {request}{unread}; {response}{_windows(state.windows)}"
    if state.handler is not None:
        yield f"      handler, {_place(state.handler)}"
        yield from _stack(state.handler.stack)


def _windows(state: WindowState | None) -> str:
    return f"; windows: {state.to_send} to send, {state.to_receive} to receive" if state is not None else ""


def _place(handler: HandlerState) -> str:
    return "a coroutine on the loop" if handler.thread is None else f"on thread {handler.thread}"


def _stack(stack: Stack) -> Iterator[str]:
    for entry in traceback.format_list(list(stack)):
        for line in entry.splitlines():
            yield f"      {line}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
