"""StaticFiles: the files below a directory."""

from __future__ import annotations

import mimetypes
import os
from html import escape
from pathlib import Path
from urllib.parse import quote

from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers import pipes
from wptproto.handlers.filesystem import resolve

__all__ = ["StaticFiles"]

# Not the system's tables: the same file has the same type on every machine.
_TYPES = mimetypes.MimeTypes(filenames=())
for _extension, _type in {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}.items():
    _TYPES.add_type(_type, _extension)


class StaticFiles:
    """Answers with the file a path names, or with the listing of a directory."""

    def __init__(self, root: Path) -> None:
        """
        Args:
            root: The directory, resolved.
        """
        self._root = root

    def __call__(self, request: Request, response: Response) -> None:
        path = resolve(self._root, request.path)
        if path.is_dir():
            self._list(path, request, response)
            return
        if not path.is_file():
            raise HTTPException(404, f"not a regular file: {request.path}")
        if path.suffix == ".py":
            # Its path was encoded, or it was reached by a link, and so no script answered.
            raise HTTPException(404, f"a script is run, and not shown: {request.path}")
        try:
            response.content = path.open("rb")
        except OSError as error:
            raise HTTPException(404, f"cannot be read: {request.path}: {error.strerror}") from error
        # By the name it was asked for: a link may have another than what it leads to.
        kind, encoding = _TYPES.guess_type(request.path)
        response.headers.set("Content-Type", kind if kind and not encoding else "application/octet-stream")
        pipes.apply(pipes.pipe_string_for(str(path), request.url_parts.query), request, response)

    def _list(self, path: Path, request: Request, response: Response) -> None:
        if not request.path.endswith("/"):
            query = f"?{request.url_parts.query}" if request.url_parts.query else ""
            response.status = 301
            # Two slashes at the beginning would name another host (RFC 3986 §4.2).
            response.headers.set("Location", f"/{request.path.lstrip('/')}/{query}")
            return
        entries = sorted(path.iterdir(), key=lambda entry: entry.name)
        names = [entry.name + "/" if entry.is_dir() else entry.name for entry in entries]
        if path != self._root:
            names.insert(0, "../")
        items = "\n".join(f'<li><a href="./{quote(os.fsencode(name))}">{_shown(name)}</a>' for name in names)
        title = f"Directory listing for {escape(request.path)}"
        response.headers.set("Content-Type", "text/html; charset=utf-8")
        response.content = (
            f"<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n<ul>\n{items}\n</ul>\n"
        )


def _shown(name: str) -> str:
    """Return a name as HTML; octets that are no UTF-8 as what stands in for them."""
    return escape(os.fsencode(name).decode("utf-8", "replace"))
