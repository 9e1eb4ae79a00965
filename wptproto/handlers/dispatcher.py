"""Dispatcher: takes an exchange to its handler, and makes something of whatever comes of that."""

from __future__ import annotations

import asyncio
import inspect
import logging
import traceback
from collections.abc import AsyncIterable, Callable, Coroutine
from pathlib import Path
from types import AsyncGeneratorType, FunctionType, TracebackType
from typing import Any

from wptproto.errors import ExchangeClosed, HTTPException, RemoteProtocolError
from wptproto.exchange.exchange import Exchange
from wptproto.exchange.request import Request
from wptproto.handlers import pipes
from wptproto.handlers.filesystem import ServedFiles
from wptproto.handlers.function import apply_returned, begun_async
from wptproto.handlers.ready_made import ErrorHandler, StaticHandler, StringHandler
from wptproto.handlers.rewriter import Rewriter
from wptproto.handlers.router import Handler, Router
from wptproto.handlers.unrouted import MethodNotAllowed, Misdirected, NotImplementedMethod, Options

__all__ = ["Dispatcher", "is_async", "is_ours", "script_traceback"]

log = logging.getLogger("wptproto.handlers")

_MISDIRECTED = Misdirected()
_PACKAGE = Path(__file__).parent.parent
_MACHINERY = tuple(str(_PACKAGE / folder) for folder in ("handlers", "exchange", "wptserve"))
_OURS = (
    ErrorHandler,
    MethodNotAllowed,
    NotImplementedMethod,
    Options,
    ServedFiles,
    StaticHandler,
    StringHandler,
)
_IMPORTING = tuple(
    str(_PACKAGE / "handlers" / f"{name}.py") for name in ("imports", "root_modules", "stand_ins")
)
_PLAIN = (str, bytes)
_ASYNC = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


FindFirst = Callable[[Request, Callable[[Request], Handler | None]], Handler | None]


class Dispatcher:
    """
    Runs handlers.

    Whatever a handler does, its exchange is finished or aborted exactly once when it is through.
    """

    def __init__(
        self,
        router: Router,
        rewriter: Rewriter,
        *,
        tracebacks: bool = True,
        any_scheme: bool = False,
        find_first: FindFirst | None = None,
    ) -> None:
        """
        Args:
            router: Finds the handler of a request.
            rewriter: Is asked before, whether it is for another path.
            tracebacks: Whether clients and the log get whole tracebacks, or a line that says where.
            any_scheme: Whether a request may be for another scheme than its connection's.
            find_first: Is asked for a request's handler, with what finds that of its route.
        """
        self._find_first = find_first
        self._any_scheme = any_scheme
        self._router = router
        self._rewriter = rewriter
        self._tracebacks = tracebacks

    def find(self, exchange: Exchange) -> Handler | None:
        """
        Return the handler that an exchange is for, None where no route matches.

        The request has its path, directory and url_base then.
        """
        if exchange.handler is not None:
            return exchange.handler
        if exchange.is_misdirected and not self._any_scheme:
            return _MISDIRECTED
        request = exchange.request
        self._rewriter.rewrite(request)
        return self._route(request) if self._find_first is None else self._find_first(request, self._route)

    def _route(self, request: Request) -> Handler | None:
        handler = self._router.get_handler(request)
        _settle(request, handler)
        return handler

    def run(self, exchange: Exchange, handler: Handler | None) -> Coroutine[Any, Any, None] | None:
        """
        Answer an exchange, on a thread that may block; for an async handler, on any.

        Args:
            exchange: What to answer.
            handler: As :meth:`find` gave it.

        Returns:
            None when all is said; for an ``async def`` handler, what is left to run on the loop.
        """
        if exchange.bridge.closed:
            exchange.release()  # the client was quicker
            return None
        exchange.begin_handling()
        try:
            returned = _call(exchange, handler)
            if type(returned) in _PLAIN:  # what most handlers return, and there is no need to ask what it is
                exchange.response.content = returned
            else:
                if exchange.bridge.closed and inspect.iscoroutine(returned):
                    returned.close()
                    exchange.release()
                    return None
                if inspect.isawaitable(returned) or isinstance(returned, AsyncIterable):
                    return self._run_async(exchange, returned)
                apply_returned(returned, exchange.response)
                if isinstance(exchange.response.content, AsyncIterable):
                    return self._run_async(exchange, None)
            if returned is not None:
                _pipe(exchange)
            self._complete(exchange)
        except BaseException as error:  # noqa: BLE001 -- sys.exit() in a script ends the script, not the server
            self._fail(exchange, error)
        return None

    async def _run_async(self, exchange: Exchange, returned: Any) -> None:
        try:
            if inspect.isawaitable(returned):
                returned = await returned
            if isinstance(returned, AsyncGeneratorType):
                returned = await begun_async(returned)
            apply_returned(returned, exchange.response)
            if returned is not None:
                _pipe(exchange)
            await self._complete_async(exchange)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError | GeneratorExit) and exchange.bridge.closed:
                exchange.release()
                raise  # by the server, which stops
            self._fail(exchange, error)

    def _complete(self, exchange: Exchange) -> None:
        """Send what the handler filled in, unless it has been writing by itself."""
        response = exchange.response
        if response.writer.content_written:
            self._warn_of_what_is_lost(exchange)
        else:
            _check_request(exchange)
            response.write(ends=True)
        exchange.finish()

    def _warn_of_what_is_lost(self, exchange: Exchange) -> None:
        """Say what a handler that wrote by itself cannot have meant."""
        request, response = exchange.request, exchange.response
        if response.writer.breaks_off:
            log.warning("%s %s: the handler never ended its headers", request.method, request.request_path)
        elif not response.content_is_ready() or response.content_length():
            what = "the handler used its writer, so the content it returned or set is dropped"
            log.warning("%s %s: %s", request.method, request.request_path, what)

    async def _complete_async(self, exchange: Exchange) -> None:
        response = exchange.response
        if response.writer.content_written or response.content_is_ready():
            self._complete(exchange)
        elif isinstance(response.content, AsyncIterable):
            await response.write_async()
            exchange.finish()
        else:  # a file, or a generator that may sleep, as one of trickle's does
            asyncio.get_running_loop().run_in_executor(None, self._complete_blocking, exchange)

    def _complete_blocking(self, exchange: Exchange) -> None:
        """Complete what an async handler left, on a thread that may wait."""
        try:
            self._complete(exchange)
        except BaseException as error:  # noqa: BLE001 -- as above
            self._fail(exchange, error)

    def _fail(self, exchange: Exchange, error: BaseException) -> None:
        request = exchange.request
        if isinstance(error, ExchangeClosed) and exchange.bridge.closed:
            log.debug("%s %s: %s", request.method, request.request_path, error)
            exchange.release()
            return
        if isinstance(error, RemoteProtocolError) and exchange.response.writer.committed:
            log.info("%s %s: %s", request.method, request.request_path, error.reason)
            exchange.abort(error.reason)
            return
        expected = isinstance(error, HTTPException | RemoteProtocolError)
        if not expected:
            exchange.failure = error
        if exchange.response.writer.ended:
            self._log(request, "failed behind the end of its response", error)
            exchange.finish()
            return
        if exchange.response.writer.committed:
            self._log(request, "failed midway, and its response was cut off", error)
            exchange.abort(f"{type(error).__name__}: {error}")
            return
        if not expected:
            self._log(request, "failed", error)
        try:
            exchange.restart()
            self._set_error(exchange, error)
            self._complete(exchange)
        except Exception as second:  # even the error could not be said
            log.exception("%s %s: no error could be sent", request.method, request.request_path)
            exchange.abort(f"{type(second).__name__}: {second}")

    def _set_error(self, exchange: Exchange, error: BaseException) -> None:
        response = exchange.response
        match error:
            case HTTPException():
                response.set_error(error.code, error.message)
            case RemoteProtocolError():
                response.set_error(error.status_hint, error.reason)
                response.close_connection = True
            case _:
                response.set_error(500, script_traceback(error) if self._tracebacks else _place(error))

    def _log(self, request: Request, what: str, error: BaseException) -> None:
        if self._tracebacks:
            log.error("%s %s %s", request.method, request.request_path, what, exc_info=error)
        else:
            log.error("%s %s %s: %s", request.method, request.request_path, what, _place(error))


def is_async(handler: Handler | None) -> bool:
    """Whether a handler is ``async def``: then running it is through at once and needs no thread."""
    if type(handler) is FunctionType and not handler.__dict__:
        return (
            handler.__code__.co_flags & _ASYNC != 0
        )  # as inspect finds in the end, for it asks for marks first
    return inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler)


def is_ours(handler: Handler | None) -> bool:
    """Whether a handler sends a file, a text or an error, and so waits for no other one."""
    return handler is None or isinstance(handler, _OURS)


def _settle(request: Request, handler: Handler | None) -> None:
    """Let a request know the directory of a handler that has one, and the path where that is mounted."""
    base_path = getattr(handler, "base_path", None)
    if base_path:
        request.doc_root = str(base_path)
        request.url_base = getattr(handler, "url_base", "/")


def _check_request(exchange: Exchange) -> None:
    """
    Answer no request that is broken as if it were sound, though its handler did not look.

    Raises:
        RemoteProtocolError: What is wrong with its content, if that has come and no handler has met it.
    """
    error = exchange.content.take_unnoticed()
    if isinstance(error, RemoteProtocolError) and not exchange.response.writer.committed:
        raise error


def _call(exchange: Exchange, handler: Handler | None) -> Any:
    if handler is None:
        raise HTTPException(404, f"no route for {exchange.request.method} {exchange.request.path}")
    return handler(exchange.request, exchange.response)


def _pipe(exchange: Exchange) -> None:
    """Send what a function returned through the pipes that its request asks for."""
    if b"?" in exchange.head.path:
        pipe_string = pipes.pipe_string_for("", exchange.request.url_parts.query)
        pipes.apply(pipe_string, exchange.request, exchange.response)


def script_traceback(error: BaseException) -> str:
    """Return the traceback as its author wants it: from the handler's own frames on, and none of imports."""
    whole = traceback.TracebackException(type(error), error, _own_frames(error.__traceback__))
    left = [whole]
    while left:
        one = left.pop()
        one.stack[:] = [frame for frame in one.stack if frame.filename not in _IMPORTING]
        left += [other for other in (one.__cause__, one.__context__) if other is not None]
    return "".join(whole.format())


def _place(error: BaseException) -> str:
    """Return in one line where an error was, and which."""
    said = f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(_own_frames(error.__traceback__))
    if not frames:
        return said
    return f'File "{frames[-1].filename}", line {frames[-1].lineno}, in {frames[-1].name}: {said}'


def _own_frames(frames: TracebackType | None) -> TracebackType | None:
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_MACHINERY):
        frames = frames.tb_next
    return frames
