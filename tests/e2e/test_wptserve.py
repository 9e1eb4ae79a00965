"""
The table again, with wptserve beside us: over HTTP/1.1 both give the same answers.

Where they do not, the case says which part of the answer differs, and why; and then it has to.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.peers import Answer, H1Peer
from tests.table.case import BROKEN, Step
from tests.table.serving import start_ours, start_wptserve
from tests.table.table import TABLE, Row, ask, lines, mask, write

VARIABLE = "WPTPROTO_WPTSERVE_PYTHON"


@dataclass(frozen=True)
class Both:
    """The two servers' ports, of one directory each."""

    ours: int
    theirs: int
    our_root: Path
    their_root: Path


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, certs_dir: Path) -> Iterator[Both]:
    python = os.environ.get(VARIABLE)
    if python is None:
        if os.environ.get("CI"):
            pytest.fail(f"{VARIABLE} does not say where wptserve is, and in CI it has to")
        pytest.skip(f"{VARIABLE} does not say where a Python with wptserve is")
    roots = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("they")  # of the same length
    for root in roots:
        write(root)
    with start_ours(roots[0], certs_dir) as server, start_wptserve(python, roots[1]) as port:
        assert server.http_port is not None
        yield Both(server.http_port, port, *roots)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0].removeprefix("/"))
def test_same_answer(both: Both, row: Row) -> None:
    """wptserve answers as we do, except where it is decided that we differ."""
    directory, case = row
    for step in case.steps:
        if BROKEN in step.differs:
            continue
        ours = _parts(_answer(both.ours, directory, step), both.ours, both.our_root)
        theirs = _parts(_answer(both.theirs, directory, step), both.theirs, both.their_root)
        for aspect, part in ours.items():
            if aspect not in step.differs:
                assert part == theirs[aspect], f"{aspect} of {step}"
                continue
            assert part != theirs[aspect], f"{aspect} is the same by now: {step}"
            if aspect == "status":
                break  # all else follows from it


def _answer(port: int, directory: str, step: Step) -> Answer:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        return ask(H1Peer(sock), directory, step)


def _parts(answer: Answer, port: int, root: Path) -> dict[str, object]:
    """Return what is compared of an answer, by name."""

    def masked(octets: bytes) -> bytes:
        return mask(octets).replace(str(port).encode(), b"$PORT").replace(str(root).encode(), b"$ROOT")

    return {
        "status": (answer.status, answer.reason),
        # That a file has an ETag, and where a message ends, is decided for all of them.
        "fields": [(name, masked(value)) for name, value in lines(answer.fields) if name != b"etag"],
        # An error has its status in it, which is compared already; our sentences are our own.
        "content": "an error" if _is_error(answer) else masked(answer.content),
        "interim": [(status, lines(fields)) for status, fields in answer.informational],
    }


def _is_error(answer: Answer) -> bool:
    if answer.status < 400 or answer.get("content-type") != "application/json" or not answer.content:
        return False
    return set(json.loads(answer.content)["error"]) == {"code", "message"}
