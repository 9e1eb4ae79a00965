"""
The pytest plugin: servers for tests, which say in a test's report what came of it.

Installed with the package, it costs a test run nothing until a fixture of it is used. A test that takes
``wptproto_server`` fails, though it has asserted nothing itself, where its client has not done what was
expected of it, has done what nobody expected, or broke the protocol, and where a handler failed. What the
servers of a failing test recorded is in its report.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from wptproto import Server
    from wptproto.server.ports import Kind

__all__ = ["make_wptproto_server", "wptproto_ca", "wptproto_protocol", "wptproto_server"]

KINDS: tuple[Kind, ...] = ("h1", "h1s", "h2", "h2c")
_SETTINGS: dict[str, dict[str, Any]] = {
    "h1": {"http_port": 0, "https_port": None},
    "h1s": {"http_port": None, "https_port": 0, "alpn": ("http/1.1",)},
    "h2": {"http_port": None, "https_port": 0, "alpn": ("h2",)},
    "h2c": {"http_port": 0, "https_port": None},
}
_PORTS = ("http_port", "https_port", "h2_port", "alpn")

SUFFIXES = (".log", ".jsonl", ".har", ".pcapng")
"""What is kept of a test, for whoever looks at it."""

NAME_LENGTH = 150
"""Of a test, in the name of a file: the end of it, which tells it from others."""

MOST_REPORTED = 30
"""How many exchanges of one server the report of a test has, the last ones."""

MARKER = (
    "wptproto(*, protocols=None, errors=True, violations=True, wait=0.0, **settings): what the servers of a "
    "test are like. protocols: over which of h1, h1s, h2 and h2c it runs, once over each. errors, "
    "violations: whether it fails by what its handlers raise, and by what its client does against the "
    "protocol. wait: for how many seconds to wait for what is expected, when the test is through. settings: "
    "of wptproto.Server."
)


class _Marked(NamedTuple):
    """What markers say of a test; the closest one counts."""

    protocols: Any = None
    errors: bool = True
    violations: bool = True
    wait: float = 0.0
    settings: Mapping[str, Any] = MappingProxyType({})

    def check(self, where: str) -> None:
        """
        Return if it makes sense.

        Raises:
            pytest.UsageError: It does not.
        """
        wait: Any = self.wait  # markers are not typed
        if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait < math.inf:
            raise pytest.UsageError(f"{where}: wptproto(wait=...) is a number of seconds, not {wait!r}")


class _Watched:
    """
    The servers of one test, and what is held against it.

    Attributes:
        marked: What its markers say.
        servers: Those that were made, in that order.
        kept: The files of each, where they are wanted.
    """

    def __init__(self, marked: _Marked) -> None:
        self.marked = marked
        self.servers: list[Server] = []
        self.kept: list[_Files] = []

    def complaints(self) -> str:
        """Return what is to be held against the test; nothing, if all went well."""
        return "\n".join(filter(None, (_complaint(server, self.marked) for server in self.servers)))

    def recorded(self) -> str:
        """Return what the servers recorded, for the report."""
        return "\n\n".join(filter(None, map(_recorded, self.servers)))


_watched = pytest.StashKey[_Watched]()


# --- what pytest asks ----------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("wptproto", "HTTP/1.1 and HTTP/2 test servers")
    over = "run tests that take wptproto_server once over each of these: h1, h1s, h2, h2c"
    group.addoption("--wptproto-protocols", metavar="LIST", help=over)
    keep = "keep what the servers of failing tests recorded in files below DIR"
    group.addoption("--wptproto-trace", metavar="DIR", help=keep)
    parser.addini("wptproto_protocols", f"{over} (unless --wptproto-protocols says otherwise)")
    parser.addini(
        "wptproto_certs", "where certificates are kept; the user's own directory, if nothing is said"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    _asked(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "wptproto_protocol" not in metafunc.fixturenames:
        return
    try:
        wanted, reason = _wanted(metafunc.definition)
    except pytest.UsageError as error:
        raise pytest.Collector.CollectError(str(error)) from None  # which is shown without a traceback
    if reason:
        metafunc.parametrize("wptproto_protocol", [pytest.param(None, marks=pytest.mark.skip(reason=reason))])
    elif wanted:
        metafunc.parametrize("wptproto_protocol", wanted, indirect=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    watched = item.stash.get(_watched, None)
    if watched is None:
        return (yield)
    try:
        result = yield
    except pytest.skip.Exception:
        raise
    except BaseException:
        _report(item, watched, watched.complaints())
        raise
    complaints = watched.complaints()
    if complaints:
        _report(item, watched, "")
        pytest.fail(complaints, pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    try:
        return (yield)
    except pytest.skip.Exception:
        raise
    except BaseException:
        if (watched := item.stash.get(_watched, None)) is not None:
            _report(item, watched, "", when="setup")
        raise


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Show where in a test an error of this package came up: its text says all, and not where in here."""
    excinfo = call.excinfo
    if excinfo is None or type(excinfo.value).__module__ != "wptproto.errors":
        return
    theirs = _without_ours(excinfo.tb)
    if theirs is not None and not item.config.getoption("fulltrace"):
        call.excinfo = pytest.ExceptionInfo.from_exc_info((excinfo.type, excinfo.value, theirs))


def _without_ours(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback without what is in this package; None if nothing is left."""
    theirs: list[TracebackType] = []
    while traceback is not None:
        if Path(__file__).parent not in Path(traceback.tb_frame.f_code.co_filename).parents:
            theirs.append(traceback)
        traceback = traceback.tb_next
    found = None
    for one in reversed(theirs):
        found = TracebackType(found, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return found


def _report(item: pytest.Item, watched: _Watched, complaints: str, *, when: str = "call") -> None:
    """Put what was recorded into the report of a test that fails, and keep its files."""
    for files in watched.kept:
        files.are_kept = True
    sections = {
        "held against the client by wptproto": complaints,
        "recorded by wptproto": watched.recorded(),
        "kept by wptproto": "\n".join(str(path) for files in watched.kept for path in files.paths),
    }
    for title, text in sections.items():
        if text:
            item.add_report_section(when, title, text)


# --- fixtures ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wptproto_ca(pytestconfig: pytest.Config) -> Path:
    """The PEM file of the authority that a client of these servers has to trust."""
    from wptproto import certs

    return certs.ensure(_certs_dir(pytestconfig)).ca


@pytest.fixture
def wptproto_protocol(request: pytest.FixtureRequest) -> Kind | None:
    """Over what the test runs: h1, h1s, h2 or h2c; None where it is not said, and the server speaks all."""
    if hasattr(request, "param"):
        found: Kind | None = request.param
        return found
    wanted, reason = _wanted(request.node)  # of unittest's methods, which run once, whatever is said
    if reason:
        pytest.skip(reason)
    return wanted[0] if len(wanted) == 1 else None


@pytest.fixture
def make_wptproto_server(
    request: pytest.FixtureRequest, wptproto_protocol: Kind | None
) -> Iterator[Callable[..., Server]]:
    """
    A function that starts a server, with arguments as those of ``wptproto.Server``.

    It listens on free ports, and where the test runs over one protocol, speaks that alone. Servers stop when
    the test is over.
    """
    node: pytest.Item = request.node
    watched = node.stash[_watched] = _Watched(_marked(node))
    directory = request.config.getoption("--wptproto-trace")

    def make(*positional: Any, **settings: Any) -> Server:
        settings = {**watched.marked.settings, **settings}
        server = _made(request.config, wptproto_protocol, positional, settings)
        if directory is not None:
            watched.kept.append(_Files(server, Path(directory), node.nodeid, len(watched.servers)))
        watched.servers.append(server)
        try:
            return server.start()
        except _errors() as error:
            raise _failed(f"the server cannot start: {error}") from None

    yield make
    for server in watched.servers:
        server.stop()
    for files in watched.kept:
        files.close()


@pytest.fixture
def wptproto_server(make_wptproto_server: Callable[..., Server]) -> Server:
    """A server of the test's own, which runs until that is over."""
    return make_wptproto_server()


# --- within --------------------------------------------------------------------------------------


class _Files:
    """
    What one server's connections say, in files, for a test that fails.

    Attributes:
        paths: Of the files.
        are_kept: They stay when the test is over.
    """

    def __init__(self, server: Server, directory: Path, test: str, number: int) -> None:
        name = re.sub(r"[^A-Za-z0-9._=-]+", "_", test)[-NAME_LENGTH:]
        stem = f"{name}.{number}" if number else name
        directory.mkdir(parents=True, exist_ok=True)
        self.paths = [directory / f"{stem}{suffix}" for suffix in SUFFIXES]
        self._traces = [server.trace(path) for path in self.paths]
        self.are_kept = False

    def close(self) -> None:
        """Write what is left, or take the files away again."""
        for trace in self._traces:
            trace.close()
        if not self.are_kept:
            for path in self.paths:
                path.unlink(missing_ok=True)


def _made(
    config: pytest.Config, protocol: Kind | None, positional: Sequence[Any], settings: dict[str, Any]
) -> Server:
    from wptproto import Server

    ports = _SETTINGS.get(protocol or "", {"http_port": 0, "https_port": 0})
    if not any(name in settings for name in _PORTS):
        settings = {**ports, **settings}
    known = inspect.signature(Server).parameters
    if unknown := [name for name in settings if name not in known]:
        names = ", ".join(known)
        raise _failed(f"a server has no setting {unknown[0]!r}; it has {names}")
    try:
        server = Server(*positional, **{"certs_dir": _certs_dir(config), **settings})
        if protocol is not None:
            server.speaks = frozenset([protocol])
    except _errors() as error:
        raise _failed(f"there cannot be such a server: {error}") from None
    return server


def _failed(reason: str) -> BaseException:
    """Return what makes a test fail for how it uses the fixtures, and whose text says it all."""
    return pytest.fail.Exception(f"wptproto: {reason}", pytrace=False)


def _errors() -> type[Exception]:
    from wptproto import WptprotoError

    return WptprotoError


def _complaint(server: Server, marked: _Marked) -> str:
    """Return what a server holds against its test."""
    found = []
    try:
        server.check(timeout=marked.wait, errors=marked.errors, violations=marked.violations)
    except AssertionError as error:
        found.append(str(error))
    if server.records:
        protocols = {"HTTP/2" if kind in ("h2", "h2c") else "HTTP/1.1" for kind in server.speaks}
        strays = [exchange for exchange in server.exchanges if exchange.protocol not in protocols]
        if strays and marked.violations:
            spoken = ", ".join(sorted(server.speaks))
            found.append(f"the test is for {spoken}, and these did not come over it ({len(strays)}):")
            found += [f"  {exchange!r}" for exchange in strays[:MOST_REPORTED]]
    return "\n".join(found)


def _recorded(server: Server) -> str:
    """Return the last exchanges of a server, and what connections had none for."""
    if not server.records:
        return ""
    exchanges = server.exchanges
    lines = [f"{len(exchanges) - MOST_REPORTED} more before"] if len(exchanges) > MOST_REPORTED else []
    lines += [str(exchange) for exchange in exchanges[-MOST_REPORTED:]]
    lines += [str(one) for one in server.connections[-MOST_REPORTED:] if not one.exchange_count]
    return "\n\n".join(lines)


def _certs_dir(config: pytest.Config) -> Path | None:
    directory: str = config.getini("wptproto_certs")
    return config.rootpath / directory if directory else None


def _asked(config: pytest.Config) -> tuple[Kind, ...]:
    """Return the protocols over which tests are to run; none where each is to run once."""
    option = config.getoption("--wptproto-protocols")
    if option is not None:
        return _kinds(option, "--wptproto-protocols")
    return _kinds(config.getini("wptproto_protocols"), "wptproto_protocols")


def _kinds(names: str | Iterable[str] | None, where: str) -> tuple[Kind, ...]:
    """Return protocols by their names, each once; ``all`` is each of them."""
    listed = re.split(r"[\s,]+", names.strip()) if isinstance(names, str) else list(names or ())
    wanted = [name for name in listed if name]
    if unknown := [name for name in wanted if name not in ("all", *KINDS)]:
        raise pytest.UsageError(f"{where}: {unknown[0]!r} is none of all, {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in wanted or "all" in wanted)


def _wanted(node: pytest.Item) -> tuple[list[Kind], str]:
    """Return over what a test is to run, nothing where that is not said; and why it is not to run, if so."""
    asked = _asked(node.config)
    able = _kinds(_marked(node).protocols, f"{node.nodeid}: protocols")
    if not able and not asked:
        return [], ""  # once, over whatever its client speaks
    wanted = [kind for kind in able or KINDS if kind in (asked or KINDS)]
    return wanted, "" if wanted else f"it is for {', '.join(able)}, and {', '.join(asked)} was asked for"


def _marked(node: pytest.Item) -> _Marked:
    """Return what the markers of a test say, of its module and class, too."""
    said: dict[str, Any] = {}
    for marker in reversed(list(node.iter_markers("wptproto"))):
        if marker.args:
            raise pytest.UsageError(f"{node.nodeid}: wptproto(...) takes its arguments by name")
        said.update(marker.kwargs)
    own = {name: said.pop(name) for name in _Marked._fields if name in said}
    marked = _Marked(**own)._replace(settings=said)
    marked.check(node.nodeid)
    return marked
