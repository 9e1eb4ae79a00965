"""
The same connections for coroutines: each verb is one, and runs the plain one on a thread of its own
meanwhile.

It works under asyncio and under trio. Whoever is cancelled while it waits, by a time-out of its own, say,
ends the wait; what came until then is kept for the next call.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from asyncio import _get_running_loop
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from wptproto.h2_codes import FrameKind
from wptproto.protocol.connection import WindowState
from wptproto.protocol.h2_frame_types import Frame
from wptproto.protocol.tls_state import TlsState
from wptproto.protocol.violations import Violation
from wptproto.wire.conversation import Conversation
from wptproto.wire.h1 import H1Wire
from wptproto.wire.h2 import H2Wire

__all__ = ["AsyncH1Wire", "AsyncH2Wire", "in_thread"]

P = ParamSpec("P")
R = TypeVar("R")
W = TypeVar("W", bound=Conversation)
F = TypeVar("F", bound=Frame)

AGAIN_S = 0.02


async def in_thread(
    call: Callable[[], R], on_cancel: Callable[[], object], settle: Callable[[], object]
) -> R:
    """
    Return what a call returns that runs on another thread.

    Args:
        call: What to run.
        on_cancel: What ends it early; called when the coroutine is cancelled, until the call has ended.
        settle: What is to be done then, for it may have ended by itself.
    """
    if _get_running_loop() is None:
        return await _under_trio(call, on_cancel, settle)
    running = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            on_cancel()  # again, if it had yet to begin
            await asyncio.wait([running], timeout=AGAIN_S)
        running.exception()  # nobody else asks
        settle()
        raise


async def _under_trio(
    call: Callable[[], R], on_cancel: Callable[[], object], settle: Callable[[], object]
) -> R:
    trio: Any = sys.modules["trio"]
    token, ended = trio.lowlevel.current_trio_token(), trio.Event()
    outcomes: list[Any] = []

    def deliver(outcome: Any) -> None:
        outcomes.append(outcome)
        token.run_sync_soon(ended.set)

    trio.lowlevel.start_thread_soon(call, deliver)
    try:
        await ended.wait()
    except trio.Cancelled:
        # Not left to itself: it would go on waiting, and take what somebody else waits for by then.
        with trio.CancelScope(shield=True):
            while not ended.is_set():
                on_cancel()  # again, if it had yet to begin
                with trio.move_on_after(AGAIN_S):
                    await ended.wait()
            settle()
        raise
    found: R = outcomes[0].unwrap()
    return found


class _Verb(Generic[W, P, R]):
    """A verb of a plain connection as a coroutine of the async one."""

    def __init__(self, verb: Callable[Concatenate[W, P], R]) -> None:
        self._verb = verb
        self.__doc__ = verb.__doc__

    def __get__(self, conversation: _Async[Any], owner: type[object]) -> Callable[P, Awaitable[R]]:
        plain = conversation.plain

        @functools.wraps(self._verb)
        def verb(*args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
            call = functools.partial(self._verb, plain, *args, **kwargs)
            return in_thread(call, plain.interrupt, plain.forget_interrupts)

        return verb


class _Async(Generic[W]):
    """
    What both protocols have.

    Attributes:
        plain: The plain connection.
    """

    def __init__(self, plain: W) -> None:
        self.plain = plain

    @property
    def tls(self) -> TlsState | None:
        """As of the plain connection, as are those below."""
        return self.plain.tls

    @property
    def client_address(self) -> tuple[str, int]:
        return self.plain.client_address

    @property
    def violations(self) -> list[Violation]:
        return self.plain.violations

    @property
    def transcript(self) -> str:
        return self.plain.transcript

    def check(self) -> None:
        """See that the client has broken no rule, as the plain connection does."""
        self.plain.check()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.plain.__exit__(kind, error, trace)  # which waits for nobody

    send_octets = _Verb(Conversation.send_octets)
    expect_nothing = _Verb(Conversation.expect_nothing)
    half_close = _Verb(Conversation.half_close)
    close = _Verb(Conversation.close)
    reset = _Verb(Conversation.reset)


class AsyncH1Wire(_Async[H1Wire]):
    """:class:`~wptproto.wire.h1.H1Wire` for coroutines."""

    @property
    def received(self) -> bytes:
        """All octets that have come."""
        return self.plain.received

    start_tls = _Verb(H1Wire.start_tls)
    send = _Verb(H1Wire.send)
    receive = _Verb(H1Wire.receive)
    receive_until = _Verb(H1Wire.receive_until)
    expect_octets = _Verb(H1Wire.expect_octets)
    expect_head = _Verb(H1Wire.expect_head)
    read_content = _Verb(H1Wire.read_content)
    expect_request = _Verb(H1Wire.expect_request)
    expect_closed = _Verb(H1Wire.expect_closed)
    send_head = _Verb(H1Wire.send_head)
    send_response = _Verb(H1Wire.send_response)
    send_chunk = _Verb(H1Wire.send_chunk)
    send_last_chunk = _Verb(H1Wire.send_last_chunk)


class AsyncH2Wire(_Async[H2Wire]):
    """:class:`~wptproto.wire.h2.H2Wire` for coroutines."""

    @property
    def received(self) -> list[Frame]:
        """All frames that have come."""
        return self.plain.received

    def windows(self, stream_id: int = 0) -> WindowState:
        """Return how much content may be sent, both ways, as the plain connection does."""
        return self.plain.windows(stream_id)

    @overload
    async def expect(
        self,
        kind: type[F],
        *,
        strict: bool = False,
        fresh: bool = False,
        within: float | None = None,
        **attributes: object,
    ) -> F: ...

    @overload
    async def expect(
        self,
        kind: FrameKind | str | int,
        *,
        strict: bool = False,
        fresh: bool = False,
        within: float | None = None,
        **attributes: object,
    ) -> Frame: ...

    async def expect(self, kind: Any, **options: Any) -> Frame:
        """Wait for a frame, and take it, as the plain connection does."""
        call = functools.partial(self.plain.expect, kind, **options)
        found: Frame = await in_thread(call, self.plain.interrupt, self.plain.forget_interrupts)
        return found

    expect_closed = _Verb(H2Wire.expect_closed)
    expect_preface = _Verb(H2Wire.expect_preface)
    expect_acknowledged = _Verb(H2Wire.expect_acknowledged)
    expect_headers = _Verb(H2Wire.expect_headers)
    expect_request = _Verb(H2Wire.expect_request)
    receive_frame = _Verb(H2Wire.receive_frame)
    read_content = _Verb(H2Wire.read_content)
    withhold_windows = _Verb(H2Wire.withhold_windows)
    drip_windows = _Verb(H2Wire.drip_windows)
    open_windows = _Verb(H2Wire.open_windows)
    send_headers = _Verb(H2Wire.send_headers)
    send_trailers = _Verb(H2Wire.send_trailers)
    send_push_promise = _Verb(H2Wire.send_push_promise)
    send_continuation = _Verb(H2Wire.send_continuation)
    send_data = _Verb(H2Wire.send_data)
    send_content = _Verb(H2Wire.send_content)
    respond = _Verb(H2Wire.respond)
    send_settings = _Verb(H2Wire.send_settings)
    send_ping = _Verb(H2Wire.send_ping)
    send_goaway = _Verb(H2Wire.send_goaway)
    send_reset = _Verb(H2Wire.send_reset)
    send_window_update = _Verb(H2Wire.send_window_update)
    send_frame = _Verb(H2Wire.send_frame)
