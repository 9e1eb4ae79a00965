"""The demonstration, running, and who asks it; what it waits for takes no time unless a test says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.peers import Answer, Kind, Peer, connect
from wptproto import Server, demo
from wptproto.exchange.writer import ResponseWriter


@pytest.fixture(scope="session")
def site(certs_dir: Path) -> Iterator[Server]:
    with Server(routes=demo.routes(), certs_dir=certs_dir) as server:
        yield server


@pytest.fixture
def peer(site: Server, kind: Kind) -> Iterator[Peer]:
    """A client of each kind."""
    with connect(site, kind) as client:
        yield client


@pytest.fixture
def plain(site: Server) -> Iterator[Peer]:
    """A client of one kind, for what is the same over all of them."""
    with connect(site, "h1") as client:
        yield client


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long handlers waited for what; they did not."""
    found: list[float] = []

    def pause(writer: ResponseWriter, seconds: float) -> bool:
        found.append(seconds)
        return True

    monkeypatch.setattr(ResponseWriter, "pause", pause)
    return found


Told = Callable[[Answer], Any]


@pytest.fixture
def told() -> Told:
    """What an answer says as JSON, once it has said that it is."""

    def read(answer: Answer) -> Any:
        assert answer.get("content-type") == "application/json"
        assert answer.complete
        return json.loads(answer.content)

    return read


@pytest.fixture
def complaint() -> Told:
    """What an error says, which a handler answered with."""

    def read(answer: Answer) -> Any:
        error = json.loads(answer.content)["error"]
        assert error["code"] == answer.status
        return error["message"]

    return read
