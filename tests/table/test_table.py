"""Every case of the table, over HTTP/1.1 and HTTP/2, in the clear and over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.peers import Kind, connect
from tests.table.serving import start_ours
from tests.table.table import TABLE, Row, ask, expect, write
from wptproto import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, certs_dir: Path) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("table")
    write(root)
    with start_ours(root, certs_dir) as server:
        yield server


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0].removeprefix("/"))
def test_table(server: Server, kind: Kind, row: Row) -> None:
    """A case gets the answers that it names, whatever the protocol."""
    directory, case = row
    secure = kind in ("h1s", "h2")
    meant = {
        "$SCHEME": "https" if secure else "http",
        "$PORT": str(server.https_port if secure else server.http_port),
        "$HTTP": str(server.http_port),
        "$ROOT": str(server.doc_root),
        "$CASE": directory,
    }
    for step in case.steps:
        with connect(server, kind) as peer:
            answer = ask(peer, directory, step)
            expect(answer, step, meant)
            if kind in ("h1", "h1s") and step.reason is not None:
                assert answer.reason.decode("latin-1") == step.reason
