"""
What a row of the table is: files, what is asked of them, and what the answer must be.

The answer is the same over HTTP/1.1 and HTTP/2, in the clear and over TLS; and it is the one that wptserve
gives over HTTP/1.1, except where a step says otherwise, and why.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["BROKEN", "JSON_ERROR", "Case", "Error", "Field", "Step", "fails", "main"]

Octets = str | bytes
Field = tuple[Octets, Octets]

JSON_ERROR: tuple[Field, ...] = (("Content-Type", "application/json"),)
BROKEN = "all"
"""In the place of an aspect: what wptserve does about it cannot be compared."""


@dataclass(frozen=True)
class Error:
    """Content that is an error in JSON, whose message has this in it."""

    said: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """
    One request, and its answer.

    In what is expected, ``$SCHEME``, ``$PORT``, ``$ROOT`` and ``$CASE`` stand for the server's, and for the
    path of the case's directory.

    Attributes:
        path: The target, below the case's directory; one that begins with ``/`` is absolute.
        method: Of the request.
        headers: Fields of the request.
        content: Of the request, in one piece, or in several of a length that is not said.
        status: Of the answer.
        reason: Of the answer over HTTP/1.1; None is the usual phrase.
        fields: All of the answer, but for Date, Server, Connection and framing; an ETag is only there.
        says: All of the content; a pattern matches all of it.
        interim: Status and fields of 1xx responses.
        cut_off: Whether the message is broken off.
        differs: What wptserve answers otherwise ("status", "fields", "content", "interim", or BROKEN),
            and why we do as we do. Where the status differs, the rest follows from it.
    """

    path: str = "it.py"
    method: str = "GET"
    headers: tuple[Field, ...] = ()
    content: bytes | tuple[bytes, ...] | None = None
    status: int = 200
    reason: str | None = None
    fields: tuple[Field, ...] = ()
    says: Octets | re.Pattern[bytes] | Error = b""
    interim: tuple[tuple[int, tuple[Field, ...]], ...] = ()
    cut_off: bool = False
    differs: Mapping[str, str] = field(default_factory=dict)


class Case:
    """
    Files in a directory of their own, and the steps one after the other.

    Attributes:
        name: What is shown.
        directory: The name of the directory; of the same characters in any file system.
        files: Contents by path; text is in UTF-8.
        steps: At least one.
    """

    def __init__(self, name: str, files: Mapping[str, Octets], *steps: Step) -> None:
        self.name = name
        self.directory = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        self.files = files
        self.steps = steps or (Step(),)

    def __repr__(self) -> str:
        return self.name


def main(body: str, before: str = "") -> dict[str, Octets]:
    """Return ``it.py``, whose main() has this body; *before* stands above it."""
    indented = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    return {"it.py": f"{textwrap.dedent(before)}\ndef main(request, response):\n{indented}\n"}


def fails(status: int, said: str = "", *, fields: Iterable[Field] = (), **more: Any) -> Step:
    """Return a step that ends in an error."""
    return Step(status=status, says=Error(said), fields=(*JSON_ERROR, *fields), **more)
