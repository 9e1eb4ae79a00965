"""What all tests share: certificates once for a run, one server, and a peer of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest

from tests.helpers.peers import KINDS, Kind, Peer, connect
from wptproto import Server, certs
from wptproto.handlers.router import Handler

hypothesis.settings.register_profile("wptproto", deadline=None, derandomize=True)
hypothesis.settings.register_profile("long", deadline=None, max_examples=20_000, stateful_step_count=100)
hypothesis.settings.load_profile("wptproto")  # unless --hypothesis-profile says otherwise


@pytest.fixture(scope="session")
def certs_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with certificates, made once."""
    directory = tmp_path_factory.mktemp("certs")
    certs.ensure(directory)
    return directory


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each way to reach the server: HTTP/1.1 and HTTP/2, in the clear and over TLS."""
    found: Kind = request.param
    return found


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file below a document root may be read; permissions alone would not keep off a superuser."""

    def refuse(name: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", name, flags)

    monkeypatch.setattr("wptproto.handlers.filesystem._open_without_waiting", refuse)


Serve = Callable[[Handler], Peer]


@pytest.fixture
def serve(certs_dir: Path, kind: Kind) -> Iterator[Serve]:
    """A function that starts a server on which a handler answers everything, and connects to it."""
    with ExitStack() as stack:

        def open_for(handler: Handler) -> Peer:
            server = stack.enter_context(Server(routes=[("*", "/*", handler)], certs_dir=certs_dir))
            return stack.enter_context(connect(server, kind))

        yield open_for
