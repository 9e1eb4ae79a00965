"""
The pytest plugin: servers for tests, which say in a test's report what came of it.

Installed with the package, it costs a test run nothing until a fixture of it is used. A test that takes
``wptproto_server`` fails, though it has asserted nothing itself, where its client has not done what was
expected of it, has done what nobody expected, or broke the protocol, and where a handler failed. What the
servers of a failing test recorded is in its report.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wptproto import Server

__all__ = ["make_wptproto_server", "wptproto_ca", "wptproto_protocol", "wptproto_server"]

KINDS = ("h1", "h1s", "h2", "h2c")
_SETTINGS: dict[str, dict[str, Any]] = {
    "h1": {"http_port": 0, "https_port": None},
    "h1s": {"http_port": None, "https_port": 0, "alpn": ("http/1.1",)},
    "h2": {"http_port": None, "https_port": 0, "alpn": ("h2",)},
    "h2c": {"http_port": 0, "https_port": None},
}
_PORTS = ("http_port", "https_port", "h2_port", "alpn")
_OURS = ("protocols", "errors", "violations", "unmet", "wait")
"""What the marker says to the plugin, and not to the server."""

MOST_REPORTED = 30
"""How many exchanges of one server the report of a test has, the last ones."""

MARKER = """\
wptproto(*, protocols=..., errors=True, violations=True, unmet=True, wait=0.0, **settings): what the servers of \
a test are like. protocols: over which of h1, h1s, h2 and h2c it runs, once over each. errors, violations, \
unmet: whether it fails by errors in handlers, by what its client did against the protocol, and by what was \
expected and did not come, or came and was not expected. wait: seconds to wait for what is expected. \
settings: of wptproto.Server."""


class _Watched:
    """The servers of one test, and what is held against it."""

    def __init__(self, node: pytest.Item) -> None:
        self.marked = _marked(node)
        self.traces: list[_Trace] = []
        self.servers: list[Server] = []

    def complaints(self) -> str:
        """Return what is to be held against the test; nothing, if all went well."""
        found = [_complaint(server, self.marked) for server in self.servers]
        return "\n".join(filter(None, found))

    def report(self) -> str:
        """Return what the servers recorded."""
        return "\n\n".join(_recorded(server) for server in self.servers if server.records)


_watched = pytest.StashKey[_Watched]()


# --- what pytest asks ----------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("wptproto", "HTTP/1.1 and HTTP/2 test servers")
    over = "run tests that take wptproto_server once over each of these: h1, h1s, h2, h2c"
    group.addoption("--wptproto-protocols", metavar="LIST", help=over)
    keep = "keep what the servers of failing tests recorded in files below DIR"
    group.addoption("--wptproto-trace", metavar="DIR", help=keep)
    parser.addini("wptproto_protocols", f"{over} (unless --wptproto-protocols says otherwise)")
    parser.addini("wptproto_certs", "where certificates are kept; the user's own directory, if nothing is said")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    _protocols(_asked(config), "--wptproto-protocols")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "wptproto_protocol" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("wptproto")
    marked = None if marker is None else marker.kwargs.get("protocols")
    where = f"{metafunc.definition.nodeid}: wptproto(protocols=...)"
    asked = _protocols(_asked(metafunc.config), "--wptproto-protocols")
    if marked is not None:
        able = _protocols(marked, where)
        wanted = [kind for kind in able if kind in asked] if asked else able
        skip = pytest.mark.skip(reason=f"is for {', '.join(able)}, and {', '.join(asked)} are asked for")
        params = [pytest.param(kind, id=kind) for kind in wanted] or [pytest.param(able[0], marks=skip)]
    elif asked:
        params = [pytest.param(kind, id=kind) for kind in asked]
    else:
        return
    metafunc.parametrize("wptproto_protocol", params, indirect=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    watched = item.stash.get(_watched, None)
    try:
        result = yield
    except pytest.skip.Exception:
        raise
    except BaseException:
        if watched is not None:
            _attach(item, watched, watched.complaints())
        raise
    if watched is not None and (complaints := watched.complaints()):
        _attach(item, watched, "")
        pytest.fail(complaints, pytrace=False)
    return result


def _attach(item: pytest.Item, watched: _Watched, complaints: str) -> None:
    """Put what was recorded into the test's report, and keep its files."""
    for trace in watched.traces:
        trace.is_kept = True
    sections = {"what wptproto holds against it": complaints, "what wptproto recorded": watched.report()}
    for title, text in sections.items():
        if text:
            item.add_report_section("call", title, text)
    if watched.traces:
        names = "\n".join(str(path) for trace in watched.traces for path in trace.paths)
        item.add_report_section("call", "what wptproto has kept", names)


# --- fixtures ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wptproto_ca(pytestconfig: pytest.Config) -> Path:
    """The PEM file of the authority that a client of these servers has to trust."""
    from wptproto import certs

    return certs.ensure(_certs_dir(pytestconfig)).ca


@pytest.fixture
def wptproto_protocol(request: pytest.FixtureRequest) -> str | None:
    """Over what the test runs: h1, h1s, h2 or h2c; None where it is not said, and the server speaks all."""
    found: str | None = getattr(request, "param", None)
    return found


@pytest.fixture
def make_wptproto_server(
    request: pytest.FixtureRequest, wptproto_protocol: str | None
) -> Iterator[Callable[..., Server]]:
    """
    A function that starts a server, with settings as those of ``wptproto.Server``.

    It has a free port; if the test runs over one protocol, one that speaks that, else one for each. Servers
    stop when the test is over.
    """
    node: pytest.Item = request.node
    watched = node.stash[_watched] = _Watched(node)

    def make(*positional: Any, **settings: Any) -> Server:
        settings = {**watched.marked.settings, **settings}
        try:
            server = _server(request.config, wptproto_protocol, positional, settings)
            watched.servers.append(server)
            if (directory := request.config.getoption("--wptproto-trace")) is not None:
                watched.traces.append(_Trace(server, Path(directory), node.nodeid, len(watched.servers)))
            server.start()
        except _errors() as error:
            pytest.fail(f"no server could be started: {error}", pytrace=False)
        return server

    yield make
    for server in watched.servers:
        server.stop()
    for trace in watched.traces:
        trace.close()


@pytest.fixture
def wptproto_server(make_wptproto_server: Callable[..., Server]) -> Server:
    """A server of the test's own, which runs until that is over."""
    return make_wptproto_server()
