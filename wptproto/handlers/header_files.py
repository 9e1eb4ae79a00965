"""
The fields that files beside a file give it.

For ``dir/page.html`` these are the lines of ``dir/__dir__.headers``, then those of
``dir/page.html.headers``. Of each there may be a ``.sub.headers`` instead, which is a template and
comes before the plain one; what a request brings into it stays in its line.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from wptproto.errors import HTTPException, PipeError
from wptproto.exchange.request import Request
from wptproto.handlers import pipes
from wptproto.handlers.filesystem import look_up, open_regular
from wptproto.semantics.fields import FieldLine

__all__ = ["lines_beside"]


def lines_beside(root: str, names: Sequence[str], request: Request) -> list[FieldLine]:
    """
    Return the fields for a file, in order.

    Args:
        root: The directory, resolved.
        names: Those by which the file was asked for, as :func:`~wptproto.handlers.filesystem.names_in` gives
            them; a link does not bring the fields of what it leads to.
        request: What templates may ask for.

    Raises:
        HTTPException: 500; a line has no colon, or no name before it, or a file cannot be read.
        PipeError: A substitution in a template is wrong.
    """
    *directories, name = names
    return [
        *_lines_for(root, (*directories, "__dir__"), request),
        *_lines_for(root, (*directories, name), request),
    ]


def _lines_for(root: str, stem: tuple[str, ...], request: Request) -> list[FieldLine]:
    path = "/".join((root, *stem))
    for ending in (".sub.headers", ".headers"):
        # Nearly always there is none, and nothing more to be looked at.
        if not os.path.exists(path + ending):
            continue
        names = (*stem[:-1], stem[-1] + ending)
        try:
            found = look_up(root, names)
        except OSError:
            continue
        if found is not None and found.is_file:
            named = os.fsencode("/" + "/".join(names)).decode("utf-8", "backslashreplace")
            octets = _read(found.path, named)
            if ending == ".sub.headers":
                octets = _substituted(octets, named, request)
            return _parse(octets, named)
    return []


def _read(path: str, named: str) -> bytes:
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
