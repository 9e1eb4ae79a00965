"""Scripts: a ``.py`` file below a directory, whose ``main`` answers, or who answers frame by frame."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable
from pathlib import Path
from types import CodeType
from typing import Any

from wptproto.errors import HTTPException, ScriptError
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers import pipes
from wptproto.handlers.filesystem import ServedDirectory
from wptproto.handlers.frame_by_frame import FrameByFrame
from wptproto.handlers.function import apply_returned, begun_async
from wptproto.handlers.imports import Imports
from wptproto.handlers.known_files import KnownFiles

__all__ = ["Scripts"]


class Scripts(ServedDirectory):
    """
    Answers with the ``main(request, response)`` of the script a path names.

    For a directory that is its first ``default*.py``. A script is compiled once for each version of
    its file, and runs in a namespace of its own for each request.

    Over HTTP/2 a script may have ``handle_headers(frame, request, response)``, called when the
    request's head is there, and ``handle_data(frame, request, response)``, called for each DATA
    frame as it comes. Its ``main``, which it then need not have, is called when the request has ended.
    """

    def __init__(self, root: Path, url_base: str = "/") -> None:
        """
        Args:
            root: The directory, resolved.
            url_base: The path where it is mounted.
        """
        super().__init__(root, url_base)
        self._imports = Imports(root)
        self._known_scripts = KnownFiles(_compile)

    def __call__(self, request: Request, response: Response) -> Any:
        path = self._script_for(request.path)
        try:
            code = self._known_scripts.get(path).made
        except OSError as error:
            raise HTTPException(404, f"cannot be read: {request.path}: {error.strerror}") from error
        namespace = self._imports.run(code, path)
        main = namespace.get("main")
        frame_by_frame = FrameByFrame.of(namespace, path)
        if frame_by_frame is not None and (main is None or request.protocol_version == "HTTP/2.0"):
            frame_by_frame.run(request, response)
            if main is None:
                return None
        if not callable(main):
            raise ScriptError(f"No main function or handlers in script {path}")
        returned = main(request, response)
        pipe_string = pipes.pipe_string_of(path, request)
        if inspect.isawaitable(returned) or isinstance(returned, AsyncGenerator):
            return _apply_async(returned, pipe_string, request, response)
        _apply(returned, pipe_string, request, response)
        return None

    def _script_for(self, path: str) -> str:
        """Return where the script lies that a request's path names; 404 where it is none."""
        found = self.find(path)
        if found.is_file:
            return found.path
        default = self._default_of(Path(found.path)) if found.is_directory else None
        if default is None:
            raise HTTPException(404, f"not a script: {path}")
        return str(default)

    def _default_of(self, directory: Path) -> Path | None:
        """Return the first ``default*.py`` of a directory, by name; None where there is none."""
        for path in sorted(directory.glob("default*.py")):
            found = path.resolve()
            if found.is_file() and found.is_relative_to(self.root):
                return found
        return None


def _compile(path: str, source: bytes) -> CodeType:
    if b"\0" in source:
        raise ScriptError(f"{path} is no script: it has NUL octets")
    return compile(source, path, "exec", dont_inherit=True)


def _apply(returned: Any, pipe_string: str, request: Request, response: Response) -> None:
    """Fill in the response from what ``main`` returned, and send it through its pipes."""
    apply_returned(returned, response)
    if not response.writer.content_written:
        pipes.apply(pipe_string, request, response)


async def _apply_async(
    returned: Awaitable[Any] | AsyncGenerator[Any, None],
    pipe_string: str,
    request: Request,
    response: Response,
) -> None:
    if isinstance(returned, AsyncGenerator):
        returned = begun_async(returned)
    _apply(await returned, pipe_string, request, response)
