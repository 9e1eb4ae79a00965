"""Scripts: a ``.py`` file below a directory, whose ``main`` answers, or who answers frame by frame."""

from __future__ import annotations

import inspect
import os
from collections.abc import AsyncGenerator, Awaitable
from pathlib import Path
from types import CodeType
from typing import Any

from wptproto.errors import HTTPException, ScriptError
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers import pipes
from wptproto.handlers.filesystem import ServedDirectory, open_regular
from wptproto.handlers.frame_by_frame import FrameByFrame
from wptproto.handlers.function import apply_returned, begun_async
from wptproto.handlers.imports import Imports

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
        self._compiled: dict[Path, tuple[tuple[int, int], CodeType]] = {}

    def __call__(self, request: Request, response: Response) -> Any:
        found = self.find(request.path)
        path = Path(found.path)
        if found.is_directory:
            path = self._default_of(path)
        if not path.is_file():
            raise HTTPException(404, f"not a script: {request.path}")
        namespace = self._imports.run(self._compile(path), path)
        main = namespace.get("main")
        frame_by_frame = FrameByFrame.of(namespace, str(path))
        if frame_by_frame is not None and (main is None or request.protocol_version == "HTTP/2.0"):
            frame_by_frame.run(request, response)
            if main is None:
                return None
        if not callable(main):
            raise ScriptError(f"No main function or handlers in script {path}")
        returned = main(request, response)
        pipe_string = pipes.pipe_string_for(str(path), request.url_parts.query)
        if inspect.isawaitable(returned) or isinstance(returned, AsyncGenerator):
            return _apply_async(returned, pipe_string, request, response)
        _apply(returned, pipe_string, request, response)
        return None

    def _default_of(self, directory: Path) -> Path:
        """Return the first ``default*.py`` of a directory, by name; the directory where there is none."""
        for path in sorted(directory.glob("default*.py")):
            found = path.resolve()
            if found.is_file() and found.is_relative_to(self.root):
                return found
        return directory

    def _compile(self, path: Path) -> CodeType:
        try:
            with open_regular(path) as file:
                stat = os.fstat(file.fileno())
                version = (stat.st_mtime_ns, stat.st_size)
                known = self._compiled.get(path)
                if known is not None and known[0] == version:
                    return known[1]
                source = file.read()
        except OSError as error:
            raise HTTPException(404, f"cannot be read: {path.name}: {error.strerror}") from error
        if b"\0" in source:
            raise ScriptError(f"{path} is no script: it has NUL octets")
        code = compile(source, str(path), "exec", dont_inherit=True)
        self._compiled[path] = (version, code)
        return code


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
