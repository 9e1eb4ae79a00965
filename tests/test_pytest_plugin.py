"""The pytest plugin, by runs of pytest on tests that a user could have written."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.helpers.pytest_runs import RunPytest, keeper, run_pytest  # noqa: F401 -- fixtures

CLIENT = """
import urllib.request
import pytest
from tests.helpers.peers import connect

def get(server, path, **headers):
    request = urllib.request.Request(server.url(path), headers=headers)
    return urllib.request.urlopen(request, timeout=10).read()
"""


@pytest.fixture
def run(run_pytest: RunPytest, pytester: pytest.Pytester, certs_dir: Path) -> Run:  # noqa: F811
    return Run(run_pytest, pytester, certs_dir)


class Run:
    """Runs pytest on tests, in this process."""

    def __init__(self, run_pytest: RunPytest, pytester: pytest.Pytester, certs_dir: Path) -> None:  # noqa: F811
        self._run = run_pytest
        self.pytester = pytester
        self.ini = [f"wptproto_certs = {certs_dir}", "asyncio_default_fixture_loop_scope = function"]

    def __call__(self, tests: str, *arguments: str, ini: str = "") -> pytest.RunResult:
        self.pytester.makeini("\n".join(["[pytest]", *self.ini, ini]))
        self.pytester.makepyfile(CLIENT + textwrap.dedent(tests))
        return self._run("--strict-markers", "-p", "no:randomly", *arguments)


# --- fixtures ------------------------------------------------------------------------------------


def test_a_server_for_each_test(run: Run) -> None:
    """A test has a server of its own, which runs while it does, and knows nothing of another's."""
    result = run(
        """
        ports = []

        @pytest.mark.parametrize("number", [1, 2])
        def test_it(wptproto_server, number):
            assert not wptproto_server.exchanges
            wptproto_server.expect("GET", "/x").respond(200, content="hello")
            assert get(wptproto_server, "/x") == b"hello"
            ports.append(wptproto_server.http_port)

        def test_it_is_gone():
            for port in ports:
                with pytest.raises(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/x", timeout=1)
        """
    )
    result.assert_outcomes(passed=3)


def test_several_servers(run: Run) -> None:
    """A test can have more of them, with settings as a server has them."""
    result = run(
        """
        def test_it(make_wptproto_server, wptproto_server, tmp_path):
            (tmp_path / "a.txt").write_text("a")
            files = make_wptproto_server(tmp_path)
            other = make_wptproto_server(routes=[("GET", "/b", lambda request, response: "b")])
            assert (get(files, "/a.txt"), get(other, "/b")) == (b"a", b"b")
            assert len({files.http_port, other.http_port, wptproto_server.http_port}) == 3
        """
    )
    result.assert_outcomes(passed=1)


def test_the_authority(run: Run) -> None:
    """A client that trusts it trusts every server."""
    result = run(
        """
        import ssl

        def test_it(wptproto_server, wptproto_ca):
            wptproto_server.expect("GET", "/").respond(204)
            context = ssl.create_default_context(cafile=wptproto_ca)
            url = wptproto_server.https_url("/")
            with urllib.request.urlopen(url, context=context, timeout=10) as answer:
                assert answer.status == 204
        """
    )
    result.assert_outcomes(passed=1)


def test_settings_by_marker(run: Run) -> None:
    """A marker says what its server is like; the closest one counts, setting by setting."""
    result = run(
        """
        pytestmark = pytest.mark.wptproto(latency_s=0.01, lenient=["host"])

        @pytest.mark.wptproto(lenient=["bare-lf"], https_port=None)
        def test_it(wptproto_server):
            assert wptproto_server.https_port is None
            assert wptproto_server._rules.lenient == {"bare-lf"}
            assert wptproto_server._latency() == 0.01
        """
    )
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "complaint"),
    [
        ("port=80", "a server has no setting 'port'; it has doc_root, routes,"),
        ("http_port=99999", "there cannot be such a server: http_port: "),
        ("'h2'", "wptproto(...) takes its arguments by name"),
        ("wait='long'", "wptproto(wait=...) is a number of seconds, not 'long'"),
        ("limits={'idle_s': 3}", "limits is a Limits(idle_s=3, ...) or Limits.none(), not {'idle_s': 3}"),
        ("protocols='h3'", "protocols: 'h3' is none of all, h1, h1s, h2, h2c"),
    ],
)
def test_what_is_no_setting(run: Run, marker: str, complaint: str) -> None:
    """A setting that there is not is said in a sentence, without a traceback."""
    result = run(f"@pytest.mark.wptproto({marker})\ndef test_it(wptproto_server): pass")
    assert result.ret
    assert complaint in result.stdout.str() + result.stderr.str()
    assert "Traceback" not in result.stdout.str()
    assert "pytest_plugin.py" not in result.stdout.str()


def test_a_port_in_use(run: Run) -> None:
    """A port that is taken is said in a sentence."""
    result = run(
        """
        def test_it(wptproto_server, make_wptproto_server):
            make_wptproto_server(http_port=wptproto_server.http_port)
        """
    )
    result.stdout.fnmatch_lines(["*the server cannot start: port * is in use by another program; choose*"])


# --- protocols -----------------------------------------------------------------------------------

OVER = """
def test_it(wptproto_server, wptproto_protocol):
    wptproto_server.expect("GET", "/x").respond(200, content="hello")
    with connect(wptproto_server, wptproto_protocol) as peer:
        assert peer.request("/x").content == b"hello"
    assert wptproto_server.exchanges[0].protocol == ("HTTP/2" if "2" in wptproto_protocol else "HTTP/1.1")
    assert wptproto_server.speaks == {wptproto_protocol}
"""


@pytest.mark.parametrize(
    ("arguments", "ini", "kinds"),
    [
        (["--wptproto-protocols=h1,h1s,h2,h2c"], "", ["h1", "h1s", "h2", "h2c"]),
        (["--wptproto-protocols", "all"], "", ["h1", "h1s", "h2", "h2c"]),
        ([], "wptproto_protocols = h2 h1s", ["h1s", "h2"]),
        (["--wptproto-protocols=h2c"], "wptproto_protocols = h1", ["h2c"]),
    ],
)
def test_over_protocols(run: Run, arguments: list[str], ini: str, kinds: list[str]) -> None:
    """A test runs once over each protocol that is asked for, and its server speaks that alone."""
    result = run(OVER, "-v", *arguments, ini=ini)
    result.assert_outcomes(passed=len(kinds))
    result.stdout.fnmatch_lines([f"*::test_it[[]{kind}[]] PASSED*" for kind in kinds])


def test_protocols_by_marker(run: Run) -> None:
    """A test says over what it can run; of that, it runs over what is asked for."""
    tests = f"pytestmark = pytest.mark.wptproto(protocols=['h2', 'h2c'])\n{OVER}"
    run(tests).assert_outcomes(passed=2)
    run(tests, "--wptproto-protocols=h1,h2").assert_outcomes(passed=1)
    result = run(tests, "--wptproto-protocols=h1", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*it is for h2, h2c, and h1 was asked for*"])


def test_protocols_of_a_test_case(run: Run) -> None:
    """unittest's methods run once: over the one protocol that is said, or over what their client speaks."""
    tests = """
        import unittest

        @pytest.mark.wptproto(protocols="{}")
        class TestIt(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def with_server(self, wptproto_server):
                self.server = wptproto_server

            def test_it(self):
                assert len(self.server.speaks) == {}
        """
    run(tests.format("h2", 1)).assert_outcomes(passed=1)
    run(tests.format("h1 h2", 4)).assert_outcomes(passed=1)
    run(tests.format("h2", 1), "--wptproto-protocols=h1").assert_outcomes(skipped=1)


def test_protocols_of_which_there_are_none(run: Run) -> None:
    """A protocol that there is not is an error of use."""
    result = run(OVER, "--wptproto-protocols=h1,http3")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--wptproto-protocols: 'http3' is none of all, h1, h1s, h2, h2c*"])


def test_tests_without_a_server(run: Run) -> None:
    """A test that takes no server runs once, whatever is asked for."""
    run("def test_it(): pass", "--wptproto-protocols=all").assert_outcomes(passed=1)


def test_another_protocol_than_the_tests(run: Run) -> None:
    """A test for one protocol fails if its client speaks another."""
    result = run(
        """
        def test_it(wptproto_server):
            wptproto_server.expect("GET", "/").respond(204)
            get(wptproto_server, "/")
        """,
        "--wptproto-protocols=h2c",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the test is for h2c, and these did not come over it (1):", "*GET / over*"])


# --- what a test fails by ------------------------------------------------------------------------


def test_what_did_not_come(run: Run) -> None:
    """An expectation that nobody meets fails the test, and the report says which; there is no traceback."""
    result = run(
        """
        def test_it(wptproto_server):
            wptproto_server.expect("PUT", "/x").respond(200)
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["expected, and did not come (1):", "  PUT /x: 0 of 1 request"])
    assert "pytest_plugin.py" not in result.stdout.str()


def test_what_nobody_expected(run: Run) -> None:
    """A request that no expectation takes fails the test, field by field; and the client is told so, too."""
    result = run(
        """
        def test_it(wptproto_server):
            wptproto_server.expect("GET", "/x", headers={"accept": "text/plain"}).respond(200)
            with pytest.raises(urllib.error.HTTPError, match="500"):
                get(wptproto_server, "/x", Accept="image/png")
            wptproto_server.expect("GET", "/x").respond(200)
            get(wptproto_server, "/x", accept="text/plain")
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*header accept*expected 'text/plain'*got 'image/png'*"])


def test_an_error_in_a_handler(run: Run) -> None:
    """What a handler raises fails the test, with the handler's own traceback, unless a marker allows it."""
    tests = """
        def handler(request, response):
            raise RuntimeError("out of tune")

        {marker}
        def test_it(make_wptproto_server):
            server = make_wptproto_server(routes=[("GET", "/", handler)])
            with pytest.raises(urllib.error.HTTPError, match="500"):
                get(server, "/")
        """
    result = run(tests.format(marker=""))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*handlers that failed*", '*raise RuntimeError("out of tune")*'])
    held, _, _ = result.stdout.str().partition("recorded by wptproto")
    assert "dispatcher.py" not in held
    run(tests.format(marker="@pytest.mark.wptproto(errors=False)")).assert_outcomes(passed=1)


def test_what_a_client_does_wrong(run: Run) -> None:
    """What a client does against the protocol fails the test, unless a marker allows it."""
    tests = """
        import socket

        {marker}
        def test_it(wptproto_server):
            with socket.create_connection(("127.0.0.1", wptproto_server.http_port)) as client:
                client.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
                assert client.recv(100).startswith(b"HTTP/1.1 400")
        """
    result = run(tests.format(marker=""))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the client broke the protocol (1):", "*Host*"])
    run(tests.format(marker="@pytest.mark.wptproto(violations=False)")).assert_outcomes(passed=1)


def test_what_comes_late(run: Run) -> None:
    """A marker says for how long to wait for what a test's client does when the test is through."""
    result = run(
        """
        import threading

        @pytest.mark.wptproto(wait=10)
        def test_it(wptproto_server):
            wptproto_server.expect("GET", "/").respond(204)
            threading.Timer(0.05, get, [wptproto_server, "/"]).start()
        """
    )
    result.assert_outcomes(passed=1)


def test_the_record_of_a_failing_test(run: Run) -> None:
    """The report of a test that fails has what its servers recorded, and what they hold against it."""
    result = run(
        """
        def test_it(wptproto_server):
            wptproto_server.expect("GET", "/x").respond(200, content="hello")
            wptproto_server.expect("GET", "/y").respond(200)
            assert get(wptproto_server, "/x") == b"goodbye"
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*assert b'hello' == b'goodbye'*",
            "*held against the client by wptproto*",
            "  GET /y: 0 of 1 request",
            "*recorded by wptproto*",
            "> GET /x HTTP/1.1",
            "< 200 OK",
        ]
    )


def test_the_record_of_a_test_that_does_not_begin(run: Run, tmp_path: Path) -> None:
    """Where another fixture fails, what was recorded until then is in the report, and kept."""
    result = run(
        """
        @pytest.fixture
        def client(wptproto_server):
            wptproto_server.expect("GET", "/x").respond(200, content="hello")
            assert get(wptproto_server, "/x") == b"goodbye"

        def test_it(client): pass
        """,
        f"--wptproto-trace={tmp_path}",
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*recorded by wptproto setup*", "> GET /x HTTP/1.1", "*kept by wptproto*"])
    assert any("GET /x" in path.read_text() for path in tmp_path.glob("*.log"))


def test_the_record_of_a_passing_test(run: Run) -> None:
    """That of a test that passes, skips, or fails as expected says nothing."""
    result = run(
        """
        def test_it(wptproto_server):
            wptproto_server.expect("GET", "/x").respond(200)
            get(wptproto_server, "/x")

        def test_skipped(wptproto_server):
            wptproto_server.expect("GET", "/x").respond(200)
            pytest.skip("not today")

        @pytest.mark.xfail
        def test_xfailed(wptproto_server):
            wptproto_server.expect("GET", "/x").respond(200)
        """
    )
    result.assert_outcomes(passed=1, skipped=1, xfailed=1)
    assert "by wptproto" not in result.stdout.str()


def test_nothing_is_recorded(run: Run) -> None:
    """A server that records nothing has no record in a report."""
    result = run(
        """
        @pytest.mark.wptproto(record=False)
        def test_it(wptproto_server):
            wptproto_server.expect("GET", "/x").respond(200)
        """
    )
    result.assert_outcomes(failed=1)
    assert "recorded by" not in result.stdout.str()


def test_files_of_a_failing_test(run: Run) -> None:
    """What a failing test's connections said is kept in files, that of others is not."""
    result = run(
        """
        @pytest.mark.parametrize("path", ["/x", "/ü"])
        def test_fails(wptproto_server, path):
            wptproto_server.expect("GET", "/x").respond(200)
            assert get(wptproto_server, "/x") == b"goodbye"

        def test_passes(wptproto_server):
            wptproto_server.expect("GET", "/x").respond(200)
            get(wptproto_server, "/x")
        """,
        "--wptproto-trace=kept",
    )
    result.assert_outcomes(passed=1, failed=2)
    kept = sorted(path.name for path in (run.pytester.path / "kept").iterdir())
    assert len(kept) == 8
    assert all("test_fails" in name for name in kept)
    log = next((run.pytester.path / "kept").glob("*.log")).read_text()
    assert "GET /x" in log
    result.stdout.fnmatch_lines(["*kept by wptproto*", "kept*test_fails*.log"])


# --- beside other plugins ------------------------------------------------------------------------


def test_with_xdist(run: Run) -> None:
    """Tests run in several processes, each with its own servers."""
    tests = """
        @pytest.mark.parametrize("number", range(4))
        def test_it(wptproto_server, number):
            wptproto_server.expect("GET", "/x").respond(200, content="hello")
            assert get(wptproto_server, "/x") == b"hello"

        def test_fails(wptproto_server):
            wptproto_server.expect("GET", "/y").respond(200)
        """
    run.pytester.syspathinsert(Path(__file__).parent.parent)
    result = run(tests, "-n2", "--wptproto-protocols=h1")
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["*GET /y: 0 of 1 request*"])


ASYNC = """
import httpx

{marker}
async def test_it(wptproto_server):
    wptproto_server.expect("GET", "/x").respond(200, content="hello")
    async with httpx.AsyncClient() as client:
        assert (await client.get(wptproto_server.http_url("/x"))).text == "hello"
    assert (await wptproto_server.take_request_async()).path == "/x"

{marker}
async def test_fails(wptproto_server):
    wptproto_server.expect("GET", "/x").respond(200)
"""


def test_with_pytest_asyncio(run: Run) -> None:
    """An asyncio test takes the same fixtures."""
    result = run(ASYNC.format(marker="@pytest.mark.asyncio"))
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*GET /x: 0 of 1 request*"])


def test_with_anyio(run: Run) -> None:
    """So does one of anyio's."""
    tests = ASYNC.format(marker="@pytest.mark.anyio") + (
        "\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n"
    )
    run(tests).assert_outcomes(passed=1, failed=1)


def test_without_the_plugin(pytester: pytest.Pytester, certs_dir: Path) -> None:
    """In a test case of unittest's, the server alone does the same."""
    path = pytester.makepyfile(
        f"""
        import unittest
        import urllib.request
        from wptproto import Server

        class Test(unittest.TestCase):
            def setUp(self):
                self.server = self.enterContext(Server(https_port=None, certs_dir={str(certs_dir)!r}))

            def test_passes(self):
                self.server.expect("GET", "/x").respond(200, content="hello")
                with urllib.request.urlopen(self.server.url("/x"), timeout=10) as answer:
                    self.assertEqual(answer.read(), b"hello")
                self.assertEqual(self.server.take_request().path, "/x")
                self.server.check()

            def test_fails(self):
                self.server.expect("GET", "/y").respond(200)
                self.server.check()

        unittest.main()
        """
    )
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, path],
        cwd=root,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "FAILED (failures=1)" in done.stderr
    assert "GET /y: 0 of 1 request" in done.stderr


def test_a_run_without_it_imports_nothing(run: Run) -> None:
    """Installed and not used, the plugin has imported no server."""
    result = run.pytester.runpytest_subprocess("--version")
    code = (
        "import wptproto.pytest_plugin, sys;"
        "print([name for name in sys.modules if name.startswith('wptproto')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.ret == 0
    assert done.stdout.strip() == "['wptproto', 'wptproto.pytest_plugin']"


@pytest.mark.parametrize("arguments", [(), ("--full-trace",)])
def test_where_an_error_of_ours_came_up(run: Run, arguments: tuple[str, ...]) -> None:
    """The report shows the test's line and the error, and of the package nothing, unless it is asked for."""
    result = run(
        """
        def test_it(make_wptproto_server):
            server = make_wptproto_server(by_hand=True)
            server.accept("h1", timeout=0.01)
        """,
        *arguments,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['>*server.accept("h1", timeout=0.01)', "E * no connection came to port *"])
    shows = "accepting.py" in result.stdout.str()
    assert shows == bool(arguments)
