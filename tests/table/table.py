"""The table: all cases, their files, and how a step is asked and its answer judged."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tests.helpers.peers import Answer, Peer
from tests.table import (
    files,
    imports,
    octets,
    pipes,
    ready_made,
    requests,
    responses,
    scripts,
    stash,
    writing,
)
from tests.table.case import Case, Error, Field, Octets, Step

__all__ = ["TABLE", "Row", "ask", "expect", "lines", "mask", "write"]

Row = tuple[str, Case]
Line = tuple[bytes, bytes]

TABLE: tuple[Row, ...] = tuple(
    (f"/{subject.__name__.rpartition('.')[2]}/{case.directory}", case)
    for subject in (requests, responses, imports, scripts, writing, octets, files, pipes, ready_made, stash)
    for case in subject.CASES
)
"""Each case with the path of its directory."""

# Where a message ends, each protocol says in its own way; and when and by whom it was made, each server.
_NOT_COMPARED = frozenset(
    (b"date", b"server", b"connection", b"keep-alive", b"content-length", b"transfer-encoding")
)
_UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def write(root: Path) -> None:
    """Write the files of all cases below a directory."""
    assert len({directory for directory, _ in TABLE}) == len(TABLE), "two cases of one subject have one name"
    for directory, case in TABLE:
        for name, content in case.files.items():
            path = root / directory[1:] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_octets(content))


def ask(peer: Peer, directory: str, step: Step) -> Answer:
    """Send a step's request, and read its answer."""
    path = step.path if step.path.startswith("/") else f"{directory}/{step.path}"
    if not isinstance(step.content, tuple):
        return peer.request(path, method=step.method, headers=step.headers, content=step.content)
    peer.send_request(path, method=step.method, headers=step.headers, end=False)
    for number, piece in enumerate(step.content, 1):
        peer.send_content(piece, end=number == len(step.content))
    return peer.read_answer()


def lines(fields: list[Line]) -> list[Line]:
    """Return field lines as they are compared: in the order of their names, what is unique masked."""
    kept = [(name.lower(), value) for name, value in fields if name.lower() not in _NOT_COMPARED]
    masked = [(name, b"..." if name == b"etag" else mask(value)) for name, value in kept]
    return sorted(masked, key=lambda line: line[0])


def mask(octets: bytes) -> bytes:
    """Return octets with ``UUID`` in the place of each."""
    return _UUID.sub(b"UUID", octets)


def expect(answer: Answer, step: Step, meant: Mapping[str, str]) -> None:
    """
    Assert that an answer is the one a step wants.

    Args:
        answer: What came.
        step: What was asked.
        meant: What the words that begin with ``$`` stand for.
    """

    def filled(octets: Octets) -> bytes:
        for word, value in meant.items():
            octets = _octets(octets).replace(word.encode(), value.encode())
        return _octets(octets)

    def filled_fields(fields: tuple[Field, ...]) -> list[Line]:
        return lines([(filled(name), filled(value)) for name, value in fields])

    content = answer.content
    assert answer.status == step.status, content
    match step.says:
        case Error(said):
            error = json.loads(content)["error"]
            assert error["code"] == step.status, content
            assert filled(said).decode() in error["message"], content
        case re.Pattern():
            assert step.says.fullmatch(content), content
        case _:
            assert content == filled(step.says), (content, filled(step.says))
    found, wanted = lines(answer.fields), filled_fields(step.fields)
    assert found == wanted, (found, wanted)
    interim = [(status, lines(fields)) for status, fields in answer.informational]
    assert interim == [(status, filled_fields(fields)) for status, fields in step.interim], interim
    assert answer.complete is not step.cut_off


def _octets(content: Octets) -> bytes:
    return content.encode() if isinstance(content, str) else content
