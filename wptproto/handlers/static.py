"""
StaticFiles: the files below a directory.

The validator that a file has is its ETag alone, though its date counts in conditions. With a Last-Modified
of ours, clients would keep the file by rule of thumb without asking again (RFC 9111 §4.2.2), and a test would
not see what has changed; with a Cache-Control against that, it would see a field that nobody gave the file.
"""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.parse import unquote_to_bytes, urlunsplit

from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers import pipes
from wptproto.handlers.content_types import content_type_of
from wptproto.handlers.filesystem import below, resolve
from wptproto.handlers.header_files import header_lines
from wptproto.handlers.listing import listing
from wptproto.semantics.conditions import is_not_modified, precondition_fails, range_applies
from wptproto.semantics.ranges import (
    ByteRange,
    UnsatisfiableRange,
    content_range,
    is_in_another_unit,
    parse_range,
    unsatisfied_range,
)

__all__ = ["StaticFiles"]


class StaticFiles:
    """
    Answers with the file a path names, or with the listing of a directory.

    A file comes with the fields that ``.headers`` files beside it give it, whole or in the ranges that
    were asked for, and not at all to a client that has it. Pipes take what would have been sent.
    """

    def __init__(self, root: Path, url_base: str = "/") -> None:
        """
        Args:
            root: The directory, resolved.
            url_base: The path where it is mounted.
        """
        self._root = root
        self.base_path = str(root)
        self.url_base = url_base

    def __call__(self, request: Request, response: Response) -> None:
        path = resolve(self._root, below(self.url_base, request.path))
        if path.is_dir():
            self._list(path, request, response)
            return
        if not path.is_file():
            raise HTTPException(404, f"not a regular file: {request.path}")
        if path.suffix == ".py":
            # Its path was encoded, or it was reached by a link, and so no script answered.
            raise HTTPException(404, f"a script is run, and not shown: {request.path}")
        # By the name it was asked for: a link may have another than what it leads to.
        asked = os.fsdecode(unquote_to_bytes(request.path.encode("latin-1")))
        fields = header_lines(self._root, request, self.url_base)
        if not any(name.lower() == b"content-type" for name, _ in fields):
            response.headers.append("Content-Type", content_type_of(asked))
        response.headers.update(fields)
        pipe_string = pipes.pipe_string_for(asked, request.url_parts.query)
        try:
            file = path.open("rb")
        except OSError as error:
            raise HTTPException(404, f"cannot be read: {request.path}: {error.strerror}") from error
        response.content = file
        if _send_as_asked(file, request, response, piped=bool(pipe_string)):
            pipes.apply(pipe_string, request, response)

    def _list(self, path: Path, request: Request, response: Response) -> None:
        if not request.path.endswith("/"):
            response.status = 301
            moved = request.url_parts._replace(path=request.url_parts.path + "/")
            response.headers.set("Location", urlunsplit(moved))
            return
        try:
            page = listing(path, request.path)
        except OSError as error:
            raise HTTPException(404, f"cannot be read: {request.path}: {error.strerror}") from error
        response.headers.set("Content-Type", "text/html")
        response.content = page


def _send_as_asked(file: IO[bytes], request: Request, response: Response, *, piped: bool) -> bool:
    """
    Make of a response with the whole file what Range and the conditions ask for.

    Returns:
        Whether it is the file, or parts of it, and not an error.
    """
    stat = os.fstat(file.fileno())
    fields = request.head.fields
    wanted = fields.get(b"range") if request.method == "GET" else None
    # What comes out of a pipe is not the file, and who wrote the fields by hand wants them as written.
    if not piped and "ETag" not in response.headers and "Last-Modified" not in response.headers:
        entity_tag = b'"%x-%x"' % (stat.st_mtime_ns, stat.st_size)
        modified = datetime.fromtimestamp(stat.st_mtime_ns // 1_000_000_000, UTC)
        response.headers.set("ETag", entity_tag)
        if precondition_fails(fields, entity_tag, modified):
            file.close()
            response.set_error(412, "the file is another version than the one that is meant")
            return False
        if is_not_modified(fields, entity_tag, modified):
            file.close()
            response.status, response.content = 304, b""
            return True
        if not range_applies(fields, entity_tag, modified):
            wanted = None
    if wanted is not None and not is_in_another_unit(wanted):
        with file:
            try:
                ranges = parse_range(wanted, stat.st_size)
            except UnsatisfiableRange as error:
                response.set_error(416, error)
                response.headers.set("Content-Range", unsatisfied_range(stat.st_size))
                return False
            _send_ranges(file, ranges, stat.st_size, response)
    return True


def _send_ranges(file: IO[bytes], ranges: list[ByteRange], length: int, response: Response) -> None:
    """Make a response 206, with one part as it is, or several in a multipart (RFC 9110 §15.3.7)."""
    response.status = 206
    if len(ranges) == 1:
        response.headers.set("Content-Range", content_range(ranges[0], length))
        response.content = _read_range(file, ranges[0])
        return
    kind = response.headers["Content-Type"][-1]
    boundary = str(uuid.uuid4())
    response.headers.set("Content-Type", f"multipart/byteranges; boundary={boundary}")
    delimiter = b"\r\n--" + boundary.encode("ascii")
    pieces: list[bytes] = []
    for wanted in ranges:
        head = b"Content-Type: %s\r\nContent-Range: %s" % (kind, content_range(wanted, length))
        pieces += [delimiter, b"\r\n", head, b"\r\n\r\n", _read_range(file, wanted)]
    response.content = [*pieces, delimiter, b"--"]


def _read_range(file: IO[bytes], wanted: ByteRange) -> bytes:
    start, stop = wanted
    file.seek(start)
    return file.read(stop - start)
