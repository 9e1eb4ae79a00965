"""
The fields that files beside a file give it.

For ``dir/page.html`` these are the lines of ``dir/__dir__.headers``, then those of
``dir/page.html.headers``. Of each there may be a ``.sub.headers`` instead, which is a template and
comes before the plain one; what a request brings into it stays in its line.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from wptproto.errors import HTTPException, PipeError
from wptproto.exchange.request import Request
from wptproto.handlers import pipes
from wptproto.handlers.filesystem import open_regular, resolve
from wptproto.semantics.fields import FieldLine

__all__ = ["lines_beside"]


def lines_beside(root: Path, asked: bytes, request: Request) -> list[FieldLine]:
    """
    Return the fields for a file, in order.

    Args:
        root: The directory, resolved.
        asked: The path of the file below it, with a slash in front, in octets, not encoded. It is the one by
            which it was asked for; a link does not bring the fields of what it leads to.
        request: What templates may ask for.

    Raises:
        HTTPException: 500; a line has no colon, or no name before it, or a file cannot be read.
        PipeError: A substitution in a template is wrong.
    """
    directory = asked.rpartition(b"/")[0] + b"/"
    return _lines_for(root, directory + b"__dir__", request) + _lines_for(root, asked, request)


def _lines_for(root: Path, stem: bytes, request: Request) -> list[FieldLine]:
    for ending in (b".sub.headers", b".headers"):
        try:
            path = resolve(root, quote(stem + ending))
        except HTTPException:
            continue
        if path.is_file():
            named = (stem + ending).decode("utf-8", "backslashreplace")
            octets = _read(path, named)
            if ending == b".sub.headers":
                octets = _substituted(octets, named, request)
            return _parse(octets, named)
    return []


def _read(path: Path, named: str) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        raise HTTPException(500, f"cannot be read: {named}: {error.strerror}") from error


def _substituted(octets: bytes, named: str, request: Request) -> bytes:
    try:
        return pipes.template(request, octets, "field")
    except PipeError as error:
        raise PipeError(f"{named}: {error}") from None


def _parse(octets: bytes, named: str) -> list[FieldLine]:
    found = []
    for number, line in enumerate(octets.splitlines(), 1):
        if not line:
            continue
        name, colon, value = (part.strip() for part in line.partition(b":"))
        if not colon or not name:
            shown = line.decode("utf-8", "backslashreplace")
            raise HTTPException(500, f"{named}, line {number}: not a name, a colon and a value: {shown!r}")
        found.append((name, value))
    return found
