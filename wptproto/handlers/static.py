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
from urllib.parse import urlunsplit

from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers import pipes
from wptproto.handlers.content_types import content_type_of
from wptproto.handlers.filesystem import ServedDirectory, decoded
from wptproto.handlers.header_files import lines_beside
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


class StaticFiles(ServedDirectory):
    """
    Answers with the file a path names, or with the listing of a directory.

    A file comes with the fields that ``.headers`` files beside it give it, whole or in the ranges that
    were asked for, and not at all to a client that has it. Pipes take what would have been sent.
    """

    def __call__(self, request: Request, response: Response) -> None:
        path = self.find(request.path)
        if path.is_dir():
            self._list(path, request, response)
            return
        # By the name it was asked for: a link may have another than what it leads to.
        asked = os.fsdecode(decoded(request.path))
        fields = lines_beside(self.root, decoded(self.below(request.path)), request)
        if not any(name.lower() == b"content-type" for name, _ in fields):
            response.headers.append("Content-Type", content_type_of(asked))
        response.headers.update(fields)
        pipe_string = pipes.pipe_string_for(asked, request.url_parts.query)
        file = self.open(path, request.path)
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
