"""
wptserve.handlers: its handlers, and what handlers of one's own are made of.

Handlers of directories take a ``base_path``; without one they serve the root of whatever server asks. They
may be shared by several servers, and then keep for each what belongs to it, such as the modules that
its scripts have imported.
"""

from __future__ import annotations

import inspect
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from weakref import WeakKeyDictionary

from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers import pipes, ready_made
from wptproto.handlers.content_types import content_type_of as guess_content_type
from wptproto.handlers.filesystem import names_in
from wptproto.handlers.function import apply_returned
from wptproto.handlers.header_files import lines_beside
from wptproto.handlers.ready_made import (
    AsIs,
    BasicAuthHandler,
    ErrorHandler,
    StaticHandler,
    StringHandler,
)
from wptproto.handlers.router import Handler, Router
from wptproto.handlers.script import Scripts
from wptproto.handlers.static import StaticFiles
from wptproto.semantics.fields import FieldLine

__all__ = [
    "AsIsHandler",
    "BasicAuthHandler",
    "DirectoryHandler",
    "ErrorHandler",
    "FileHandler",
    "FunctionHandler",
    "HTTPException",
    "JsonHandler",
    "PythonScriptHandler",
    "StaticHandler",
    "StringHandler",
    "as_is_handler",
    "basic_auth_handler",
    "file_handler",
    "filesystem_path",
    "guess_content_type",
    "handler",
    "json_handler",
    "load_headers",
    "parse_qs",
    "python_script_handler",
    "wrap_pipeline",
]


class _DirectoryHandler(ABC):
    """
    What all handlers of a directory have in common.

    Attributes:
        base_path: The directory; None is the one that the server serves.
        url_base: The path where it is mounted.
    """

    def __init__(self, base_path: str | Path | None = None, url_base: str = "/") -> None:
        self.base_path = None if base_path is None else str(base_path)
        self.url_base = url_base
        # By router, for that is one server's own; and by directory.
        self._made: WeakKeyDictionary[Router, dict[str, Handler]] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} base_path:{self.base_path} url_base:{self.url_base}>"

    def __call__(self, request: Request, response: Response) -> Any:
        return self._handler_for(request)(request, response)

    def _handler_for(self, request: Request) -> Handler:
        root = self.base_path or request.doc_root
        if root is None:
            raise HTTPException(404, "the server serves no directory, and its handler was given none")
        made = self._made.setdefault(request.server.router, {})
        if root not in made:
            made.setdefault(root, self._make(Path(root).resolve()))
        return made[root]

    @abstractmethod
    def _make(self, root: Path) -> Handler:
        """Return a handler for a directory, which is resolved."""


class FileHandler(_DirectoryHandler):
    """Answers with files, and with listings of directories."""

    def _make(self, root: Path) -> Handler:
        return StaticFiles(root, self.url_base)


class DirectoryHandler(FileHandler):
    """The same."""


class PythonScriptHandler(_DirectoryHandler):
    """Answers with what ``main`` of a script does."""

    def _make(self, root: Path) -> Handler:
        return Scripts(root, self.url_base)


class AsIsHandler(_DirectoryHandler):
    """Answers with the octets of files, status line and all."""

    def _make(self, root: Path) -> Handler:
        return AsIs(root, self.url_base)


class FunctionHandler:
    """
    Makes a handler of a function that returns what handlers do.

    The response is filled in when this returns; so another handler can call it as a part of its own.

    Attributes:
        func: The function.
    """

    def __init__(self, func: Callable[[Request, Response], Any]) -> None:
        self.func = func

    def __call__(self, request: Request, response: Response) -> Any:
        returned = self.func(request, response)
        if inspect.isawaitable(returned) or isinstance(returned, AsyncGenerator):
            return returned
        apply_returned(returned, response)
        # Whoever called this knows by it that pipes are to follow.
        return None if returned is None else response


class JsonHandler(FunctionHandler):
    """Makes a handler of a function that returns what JSON can say, also behind status and fields."""

    def __init__(self, func: Callable[[Request, Response], Any]) -> None:
        super().__init__(ready_made.json_handler(func))


handler = FunctionHandler
json_handler = JsonHandler

file_handler = FileHandler()
python_script_handler = PythonScriptHandler()
as_is_handler = AsIsHandler()
basic_auth_handler = BasicAuthHandler(file_handler, None, None)


def filesystem_path(base_path: str | Path | None, request: Request, url_base: str = "/") -> str:
    """
    Return where a request's path leads below a directory, whether or not there is something.

    Args:
        base_path: The directory; None is the one that the server serves.
        request: Whose path counts.
        url_base: The path where the directory is mounted.

    Raises:
        HTTPException: 404; it leads out of the directory.
    """
    root = base_path or request.doc_root
    path = request.path
    if root is None:
        raise HTTPException(404, f"the server serves no directory, and none was given: {path}")
    found = os.path.join(root, *names_in(path.removeprefix(url_base)))  # keeps a slash at the end
    if not Path(found).resolve().is_relative_to(Path(root).resolve()):
        raise HTTPException(404, f"not a path below the document root: {path}")
    return found


def load_headers(request: Request, path: str) -> list[FieldLine]:
    """
    Return the fields that ``.headers`` files give to a file, which need not be there itself.

    Args:
        request: What templates among those files may ask for.
        path: Of the file, as :func:`filesystem_path` gives it.

    Raises:
        HTTPException: 500; a line is no field.
    """
    file = Path(path)
    return lines_beside(str(file.parent.resolve()), (file.name,), request)


def parse_qs(qs: str) -> dict[str, list[str]]:
    """Return the values of a query by name; a name without a value, or with none at all, is left out."""
    found: dict[str, list[str]] = {}
    for pair in qs.replace("+", " ").split("&"):
        name, _, value = pair.partition("=")
        if value:
            found.setdefault(unquote(name), []).append(unquote(value))
    return found


def wrap_pipeline(path: str, request: Request, response: Response) -> Response:
    """Send a response through the pipes that the request, or ``.sub.`` in a path, asks for."""
    return pipes.apply(pipes.pipe_string_for(path, request.url_parts.query), request, response)
