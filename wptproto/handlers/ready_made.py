"""Handlers that need no script: JSON, strings, one file, errors, credentials, and octets as they are."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Mapping, Sequence
from inspect import isawaitable
from pathlib import Path
from typing import Any

from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.filesystem import ServedFiles
from wptproto.handlers.router import Handler
from wptproto.semantics.authentication import Authentication
from wptproto.semantics.fields import Value, to_octets

__all__ = [
    "AsIs",
    "BasicAuthHandler",
    "ErrorHandler",
    "StaticHandler",
    "StringHandler",
    "json_handler",
]


def json_handler(function: Handler) -> Handler:
    """
    Make a handler of a function whose content is any value that JSON can say.

    As a decorator. The function returns the value, or a tuple as handlers do, whose last item is the
    value; so a tuple is not a list of values here. It may be ``async``.
    """

    @functools.wraps(function)
    def handle(request: Request, response: Response) -> Any:
        returned = function(request, response)
        if isawaitable(returned):
            return _json_later(returned, response)
        return _json(returned, response)

    return handle


async def _json_later(returned: Awaitable[Any], response: Response) -> Any:
    return _json(await returned, response)


def _json(returned: Any, response: Response) -> Any:
    from json import dumps

    response.headers.set("Content-Type", "application/json")
    if isinstance(returned, tuple):
        return (*returned[:-1], dumps(returned[-1]))
    return dumps(returned)


class StringHandler:
    """Answers with a text, or octets, always the same."""

    def __init__(self, data: str | bytes, content_type: Value, **headers: Value) -> None:
        """
        Args:
            data: The content.
            content_type: Its type.
            headers: More fields; ``_`` in a name stands for ``-``.
        """
        self._data = data
        self._fields: list[tuple[Value, Value]] = [("Content-Type", content_type)]
        self._fields += [(name.replace("_", "-"), value) for name, value in headers.items()]

    def __call__(self, request: Request, response: Response) -> Any:
        return self._fields, self._data


class StaticHandler:
    """Answers with files, read once, one behind the other, in which ``%`` was formatted."""

    def __init__(
        self,
        path: str | Sequence[str],
        format_args: Mapping[str, object] | None,
        content_type: Value,
        **headers: Value,
    ) -> None:
        """
        Args:
            path: One or several, in UTF-8. ``.headers`` files beside them do not count.
            format_args: For ``%(name)s`` in them; without any, ``%`` stays as it is.
            content_type: The type of the content.
            headers: More fields; ``_`` in a name stands for ``-``.
        """
        self._paths = [path] if isinstance(path, str) else list(path)
        self._format_args = format_args
        self._content_type = content_type
        self._headers = headers
        self._handler: StringHandler | None = None

    def __call__(self, request: Request, response: Response) -> Any:
        if self._handler is None:
            text = "".join(Path(path).read_text(encoding="utf-8") for path in self._paths)
            if self._format_args:
                text %= self._format_args
            self._handler = StringHandler(text, self._content_type, **self._headers)
        return self._handler(request, response)


class ErrorHandler:
    """Answers with an error, as JSON."""

    def __init__(self, status: int) -> None:
        self._status = status

    def __call__(self, request: Request, response: Response) -> None:
        response.set_error(self._status)


class BasicAuthHandler:
    """Lets another handler answer whoever sends the right credentials (RFC 7617)."""

    def __init__(self, handler: Handler, user: str | bytes | None, password: str | bytes | None) -> None:
        """
        Args:
            handler: Who answers then.
            user: None lets in whoever sends any credentials.
            password: Of that user.
        """
        self._handler = handler
        self._user = None if user is None else to_octets(user)
        self._password = None if password is None else to_octets(password)

    def __call__(self, request: Request, response: Response) -> Any:
        if "authorization" not in request.headers:
            response.status = 401
            response.headers.set("WWW-Authenticate", "Basic")
            return None
        sent = Authentication(request.headers)
        if self._user is not None and (sent.username, sent.password) != (self._user, self._password):
            response.set_error(403, "Invalid username or password")
            return None
        return self._handler(request, response)


class AsIs(ServedFiles):
    """
    Answers with the octets of a file, status line and all, and closes the connection behind them.

    They are HTTP/1.1; over HTTP/2 the writer sends the message that they are.
    """

    def __call__(self, request: Request, response: Response) -> None:
        found = self.find(request.path)
        if found.is_directory:
            raise HTTPException(500, f"a directory has no octets of its own: {request.path}")
        with self.open(found, request.path) as file:
            octets = file.read()
        response.close_connection = True
        response.writer.write(octets)
