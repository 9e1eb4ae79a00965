"""A script that answers frame by frame: ``handle_headers`` and ``handle_data`` (HTTP/2 alone)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

from wptproto.errors import NeedsHTTP2, ScriptError
from wptproto.exchange.frames import Frame, HeadersFrame
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response

__all__ = ["FrameByFrame"]

FrameHandler = Callable[[Frame, Request, Response], object]


class FrameByFrame:
    """The two functions of a script, called with each frame of the request as it comes."""

    def __init__(self, handle_headers: FrameHandler | None, handle_data: FrameHandler | None) -> None:
        """
        Args:
            handle_headers: Called when the head is there; None if there is nothing to call.
            handle_data: Called for each DATA frame; None if there is nothing to call.
        """
        self._handle_headers = handle_headers
        self._handle_data = handle_data

    @classmethod
    def of(cls, namespace: Mapping[str, Any], name: str) -> Self | None:
        """
        Return the functions that a script has, None where it has neither.

        Args:
            namespace: Of the script that has run.
            name: What to call it in an error.

        Raises:
            ScriptError: One of them cannot be called, or is async.
        """
        found: list[FrameHandler | None] = []
        for function in ("handle_headers", "handle_data"):
            value = namespace.get(function)
            if value is not None and (not callable(value) or inspect.iscoroutinefunction(value)):
                raise ScriptError(f"{name}: {function}(frame, request, response) has to be a plain function")
            found.append(value)
        return cls(*found) if any(found) else None

    def run(self, request: Request, response: Response) -> None:
        """
        Call them, until the request has ended.

        Raises:
            NeedsHTTP2: The request came over HTTP/1.1.
            RemoteProtocolError: The client broke off, or its request is malformed.
            ExchangeClosed: The stream was reset, or its connection is gone.
        """
        if request.protocol_version != "HTTP/2.0":
            raise NeedsHTTP2("a script that has handle_headers() or handle_data(), and no main(),")
        for frame in request.receive_frames():
            handler = self._handle_headers if isinstance(frame, HeadersFrame) else self._handle_data
            if handler is not None:
                handler(frame, request, response)
