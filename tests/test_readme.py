"""README's examples are programs that run."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

from tests.helpers.peers import Kind, connect
from tests.helpers.programs import is_missing
from tests.helpers.pytest_runs import RunPytest, keeper, run_pytest  # noqa: F401 -- fixtures
from wptproto import Limits, Server
from wptproto.server.config import Config
from wptproto.server.ports import wanted_ports

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
HANDLERS = [example for example in EXAMPLES if "def handler(" in example]


PROGRAMS = [example for example in EXAMPLES if re.search(r"^with .*\bServer\(", example, re.MULTILINE)]
TESTS = [example for example in EXAMPLES if "def test_" in example]
SHOWN = sorted((Path(__file__).parent / "examples").glob("test_*.py"))


@pytest.mark.parametrize("example", PROGRAMS)
def test_programs(example: str, monkeypatch: pytest.MonkeyPatch, certs_dir: Path) -> None:
    """Each program that starts a server runs, and finds what it asserts."""
    if '"curl"' in example and is_missing("curl"):
        pytest.skip("curl is not there")
    made: list[Server] = []

    def here(**settings: object) -> Server:
        made.append(Server(certs_dir=certs_dir, **settings))  # type: ignore[arg-type]
        return made[0]

    monkeypatch.setattr("wptproto.Server", here)
    exec(compile(example, "README.md", "exec"), {})
    assert len(made) == 1


@pytest.mark.parametrize("example", HANDLERS)
def test_handlers(example: str, certs_dir: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """The handlers answer alike over all protocols."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    namespace: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), namespace)
    with (
        Server(routes=[("*", "/*", namespace["handler"])], certs_dir=certs_dir) as server,  # type: ignore[list-item]
        connect(server, kind) as peer,
    ):
        answer = peer.request()
    assert (answer.status, answer.text, answer.get("content-type")) == (
        200,
        "Some example content",
        "text/plain",
    )


def test_the_config_file(tmp_path: Path, certs_dir: Path) -> None:
    """The config file is one that a server can be started with, on other ports where those are taken."""
    for name in ("tests", "pictures"):
        (tmp_path / name).mkdir()
    (tmp_path / "pictures" / "names.sub.txt").write_text("{{domains[\u00e9l\u00e8ve]}} {{hosts[alt][www]}}")
    path = tmp_path / "config.json"
    (example,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    path.write_text(example, encoding="utf-8")
    config = Config.load(path)
    assert wanted_ports({"http": "config", "https": "config", "h2": "config"}, config.ports) == {
        "http": (8000, 0),
        "https": (8443,),
        "h2": (0,),
    }
    with (
        Server(config=config, http_port=0, https_port=0, certs_dir=certs_dir) as server,
        connect(server, "h2") as peer,
    ):
        assert peer.request("/pictures/names.sub.txt").text == (
            "xn--lve-6lad.web-platform.test www.not-web-platform.test"
        )


def test_a_program_for_wptserve() -> None:
    """The program written for wptserve runs, and finds what it asserts."""
    (program,) = (example for example in EXAMPLES if "WebTestHttpd" in example)
    exec(compile(program, "README.md", "exec"), {})


def test_the_table_of_limits() -> None:
    """The table has each limit, its default, and what is said of it where it is declared."""
    said = re.findall(r"^ {4}(\w+): ((?:.|\n {8})+)", inspect.cleandoc(Limits.__doc__ or ""), re.MULTILINE)
    rows = [
        f"| `{name}` | {getattr(Limits(), name):,} | {' '.join(text.split()).replace('``', '`')} |\n"
        for name, text in said
    ]
    assert [name for name, _ in said] == [field.name for field in fields(Limits)]
    assert "".join(rows) in README


def test_the_tree_is_the_one_there_is() -> None:
    """README's tree names each folder of the package."""
    package = Path(__file__).parent.parent / "wptproto"
    folders = {path.name for path in package.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(re.findall(r"^[├└]── (\w+)/", README, re.MULTILINE))


def test_the_examples_are_the_files() -> None:
    """README shows each example as the file has it, but for those that are long lists of cases."""
    lists = {"test_socket_policies.py", "test_grpc_negative.py"}
    shown = [path for path in SHOWN if path.name not in lists]
    assert len(shown) == 5
    assert [path.name for path in shown if path.read_text(encoding="utf-8") not in TESTS] == []


def test_a_test_with_the_plugin(
    run_pytest: RunPytest,  # noqa: F811
    pytester: pytest.Pytester,
    certs_dir: Path,
) -> None:
    """The first test is one that passes where the plugin is installed."""
    pytester.makeini(f"[pytest]\nwptproto_certs = {certs_dir}")
    pytester.makepyfile(TESTS[0])
    run_pytest("--wptproto-protocols=h1", "-p", "no:asyncio").assert_outcomes(passed=1)
