"""Imports: what a script's import statements find, and that nobody else sees it."""

from __future__ import annotations

import html
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import wptproto.wptserve
from tests.helpers.peers import Kind, connect
from wptproto import Server
from wptproto.handlers.imports import ROOMS, Imports

Run = Callable[..., dict[str, Any]]


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A function that runs a script's text, beside the files it is given, and returns its namespace."""
    imports = Imports(tmp_path)

    def run_script(text: str, path: str = "dir/script.py", **files: str) -> dict[str, Any]:
        write(tmp_path, {path: text, **files})
        return imports.run(compile(text, tmp_path / path, "exec"), str(tmp_path / path))

    return run_script


# --- where names are found ---------------------------------------------------------------------


def test_wptserve_is_ours(run: Run) -> None:
    """wptserve's names are this package's, in every form of the statement."""
    found = run(
        "import wptserve\n"
        "import wptserve.utils\n"
        "import wptserve.utils as utils\n"
        "from wptserve import utils as same\n"
        "from wptserve.utils import HTTPException\n"
        "import importlib\n"
        "imported = importlib.import_module('wptserve.utils')\n"
    )
    assert found["wptserve"] is wptproto.wptserve
    ours = importlib.import_module("wptproto.wptserve.utils")
    assert found["utils"] is found["same"] is found["imported"] is ours
    assert found["HTTPException"] is wptproto.HTTPException


def test_wptserve_has_no_such_module(run: Run) -> None:
    """What wptserve does not have is missing by the name that the script used."""
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'wptserve.nothing'$") as caught:
        run("import wptserve.nothing")
    assert caught.value.name == "wptserve.nothing"


def test_a_room_that_is_broken_says_so(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that the room itself does not find is not taken for the one that was asked for."""
    write(
        tmp_path / "elsewhere", {"room_of_a_test/__init__.py": "", "room_of_a_test/inner.py": "import lost"}
    )
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    monkeypatch.setitem(ROOMS, "room", "room_of_a_test")
    with pytest.raises(ModuleNotFoundError, match="No module named 'lost'"):
        run("import room.inner")


def test_the_standard_library_comes_first(run: Run) -> None:
    """A file called as a module of the library does not stand in its way."""
    found = run(
        "import json\nimport html\nfrom urllib.parse import quote\n",
        **{"json.py": "", "html/__init__.py": ""},
    )
    assert found["json"] is json
    assert found["html"] is html
    assert found["quote"]("ü") == "%C3%BC"


def test_what_the_library_lacks_is_below_the_root(run: Run) -> None:
    """A directory called as a package of the library has modules of its own."""
    found = run(
        "from html.resources import helper\nimport html.resources.helper as same\nimport html as library\n",
        **{"html/resources/helper.py": "value = 1"},
    )
    assert found["helper"].value == 1
    assert found["same"] is found["helper"]
    assert found["library"] is html
    assert not hasattr(html, "resources")


def test_a_library_module_that_fails_is_not_looked_for_elsewhere(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a module of the library does not find by itself is told as it is."""
    monkeypatch.setitem(sys.modules, "_curses", None)
    monkeypatch.delitem(sys.modules, "curses", raising=False)
    with pytest.raises(ModuleNotFoundError, match="_curses"):
        run("import curses", **{"curses.py": ""})


def test_a_file_comes_before_what_is_installed(run: Run) -> None:
    """A file below the root is found though a package of its name is installed."""
    found = run(
        "import h11\nimport pytest.inner as inner\n",
        **{"h11.py": "value = 1", "pytest/inner.py": "value = 2"},
    )
    assert (found["h11"].value, found["inner"].value) == (1, 2)
    assert found["h11"] is not sys.modules.get("h11")


def test_what_is_installed_comes_before_a_directory(run: Run) -> None:
    """A directory without __init__.py gives way to a package that is installed."""
    found = run("import pytest\n", **{"pytest/inner.py": ""})
    assert found["pytest"] is pytest


def test_a_directory_alone_is_a_package(run: Run) -> None:
    """A directory without __init__.py is a package if nothing else is of its name."""
    found = run("import common\nfrom common.deep import inner\n", **{"common/deep/inner.py": "value = 1"})
    assert found["inner"].value == 1
    assert found["common"].deep.inner is found["inner"]


def test_directories_on_the_path_are_not_installed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Directories of a root that is on the process's path, too, are still ours, and not in sys.modules."""
    monkeypatch.syspath_prepend(str(tmp_path))
    found = run(
        "import lonely_directory.inner\nimport lonely_directory\n", **{"lonely_directory/inner.py": ""}
    )
    assert found["lonely_directory"].__name__ == "lonely_directory"
    assert "lonely_directory" not in sys.modules


def test_what_cannot_be_asked_for_is_not_installed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory is a package though a module without a spec has its name."""
    monkeypatch.setitem(sys.modules, "odd_directory", type(sys)("odd_directory"))
    found = run("import odd_directory as odd", **{"odd_directory/inner.py": ""})
    assert found["odd"] is not sys.modules["odd_directory"]


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("import nothing_here", "nothing_here"),
        ("import json.nothing", "json.nothing"),
        ("import html.nothing", "html.nothing"),
        ("from common.nothing import x", "common"),
        ("import importlib; importlib.import_module('nothing_here')", "nothing_here"),
        ("import importlib; importlib.import_module('no/thing')", "no/thing"),
        (r"import importlib; importlib.import_module('no\0thing')", "no\0thing"),
        ("import importlib; importlib.import_module('no..thing')", "no"),
    ],
)
def test_what_is_nowhere(run: Run, statement: str, name: str) -> None:
    """A name that nothing has is a ModuleNotFoundError, as ever."""
    with pytest.raises(ModuleNotFoundError) as caught:
        run(statement, **{"no/thing.py": ""})
    assert caught.value.name == name


# --- forms of the statement --------------------------------------------------------------------


def test_hyphens(run: Run) -> None:
    """import_module finds what no statement could name."""
    found = run(
        "from importlib import import_module\n"
        "helper = import_module('common.security-features.sub-resource')\n",
        **{
            "common/__init__.py": "",
            "common/security-features/sub-resource.py": "from . import x",
            "common/security-features/x.py": "",
        },
    )
    assert found["helper"].__name__ == "common.security-features.sub-resource"
    assert found["helper"].x.__package__ == "common.security-features"


def test_relative_imports(run: Run) -> None:
    """Scripts and modules import what lies beside and above them."""
    found = run(
        "from . import beside\nfrom .inner import deep\nfrom ..top import value\nimport importlib\n"
        "same = importlib.import_module('.beside', __package__)\n",
        path="a/b/script.py",
        **{
            "a/b/beside.py": "from ..top import value",
            "a/b/inner/deep.py": "from ...top import value",
            "a/top.py": "value = 1",
        },
    )
    assert found["beside"].value == found["deep"].value == found["value"] == 1
    assert found["same"] is found["beside"]


def test_relative_imports_stay_below_the_root(run: Run) -> None:
    """A relative import neither leaves the root nor finds what has the same name elsewhere."""
    with pytest.raises(ImportError, match="beyond top-level package"):
        run("from ... import x")
    with pytest.raises(ImportError, match="no known parent package"):
        run("from . import x", path="script.py")
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'html\.parser' below "):
        run("from .parser import HTMLParser", path="html/script.py")


def test_star(run: Run) -> None:
    """``*`` gives the public names; with ``__all__`` those, modules among them."""
    found = run(
        "from plain import *\nfrom package import *\n",
        **{
            "plain.py": "a = 1\n_b = 2",
            "package/__init__.py": "__all__ = ['c', 'inner']\nc = 3\nd = 4",
            "package/inner.py": "",
        },
    )
    assert (found["a"], found["c"], found["inner"].__name__) == (1, 3, "package.inner")
    assert not {"_b", "d"} & found.keys()


def test_the_function(run: Run) -> None:
    """``__import__`` called by hand gives the outermost package, or the module of a fromlist."""
    found = run(
        "top = __import__('a.b')\nleaf = __import__('a.b', fromlist=['x'])\n"
        "import importlib\nagain = importlib.__import__('a.b')\n",
        **{"a/b.py": "x = 1"},
    )
    assert found["top"].__name__ == "a"
    assert found["leaf"].x == 1
    assert found["again"] is found["top"]


def test_a_name_that_is_missing(run: Run) -> None:
    """What a module lacks is told with the module's file."""
    with pytest.raises(ImportError, match=r"cannot import name 'missing' from 'helper' \(.*helper\.py\)"):
        run("from helper import missing", **{"helper.py": ""})


def test_importlib_is_otherwise_the_real_one(run: Run) -> None:
    """Of importlib, only what imports by a name is ours."""
    found = run(
        "import importlib.util\nimport importlib.metadata as metadata\nfrom importlib import machinery\n"
        "from importlib.util import find_spec\n"
    )
    assert found["importlib"].util is importlib.util
    assert found["find_spec"] is importlib.util.find_spec
    assert found["machinery"].__name__ == "importlib.machinery"
    assert found["metadata"].__name__ == "importlib.metadata"
    assert found["importlib"].import_module is not importlib.import_module


def test_imports_within_functions(run: Run) -> None:
    """A statement that runs later finds the same."""
    found = run(
        "def main():\n    import helper\n    return helper.late()\n",
        **{
            "helper.py": "def late():\n    from other import value\n    return value",
            "other.py": "value = 1",
        },
    )
    assert found["main"]() == 1


# --- what a script knows of itself -------------------------------------------------------------


def test_a_script_knows_its_name(run: Run, tmp_path: Path) -> None:
    """A script has its name, package and file; it is not ``__main__``."""
    found = run("", path="client-hints/echo.h2.py")
    assert found["__name__"] == "client-hints.echo.h2"
    assert found["__package__"] == "client-hints"
    assert found["__file__"] == str(tmp_path / "client-hints/echo.h2.py")
    assert found["__spec__"] is None
    assert run("", path="script.py")["__package__"] == ""


def test_nothing_is_left_in_the_process(run: Run) -> None:
    """sys.path and sys.modules are as they were, and so is __import__."""
    before = (list(sys.path), list(sys.meta_path), set(sys.modules), __import__)
    run(
        "import helper_of_a_root\nimport package_of_a_root.inner\n",
        **{"helper_of_a_root.py": "", "package_of_a_root/inner.py": ""},
    )
    assert (list(sys.path), list(sys.meta_path), set(sys.modules), __import__) == before


# --- served ------------------------------------------------------------------------------------


def test_served(tmp_path: Path, certs_dir: Path, kind: Kind) -> None:
    """Requests share a helper and its state; another server has its own."""
    write(
        tmp_path,
        {
            "script.py": "from wptserve.utils import isomorphic_encode\nimport resources.counter as counter\n"
            "def main(request, response):\n    counter.count += 1\n"
            "    return isomorphic_encode(str(counter.count))\n",
            "resources/counter.py": "count = 0",
        },
    )
    for _ in range(2):
        with Server(tmp_path, certs_dir=certs_dir) as server, connect(server, kind) as peer:
            assert [peer.request("/script.py").text for _ in range(3)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("helper", "wanted", "lines"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero", ["script.py", "helper.py"]),
        ("def broken(:", "SyntaxError: invalid syntax", ["script.py", "helper.py"]),
        ("import other", "ValueError: of the other", ["script.py", "helper.py", "other.py"]),
        ("import lost", "ModuleNotFoundError: No module named 'lost'", ["script.py", "helper.py"]),
        ("from . import x", "ImportError: attempted relative import", ["script.py", "helper.py"]),
        (
            "try:\n    import other\nexcept ValueError:\n    raise KeyError('late')",
            "KeyError: 'late'",
            ["helper.py", "other.py", "script.py", "helper.py"],
        ),
    ],
)
def test_a_broken_helper(tmp_path: Path, certs_dir: Path, helper: str, wanted: str, lines: list[str]) -> None:
    """A helper that fails is a 500 with its author's frames alone, and is tried again at the next request."""
    write(
        tmp_path,
        {
            "script.py": "import helper\ndef main(request, response):\n    return helper.text\n",
            "helper.py": helper,
            "other.py": "raise ValueError('of the other')",
        },
    )
    with Server(tmp_path, certs_dir=certs_dir, https_port=None) as server, connect(server, "h1") as peer:
        for _ in range(2):
            answer = peer.request("/script.py")
            assert answer.status == 500
            message = json.loads(answer.text)["error"]["message"]
            assert wanted in message
            files = [line.split('"')[1] for line in message.splitlines() if line.startswith("  File ")]
            assert files == [str(tmp_path / name) for name in lines]
        (tmp_path / "helper.py").write_text("text = 'mended, and longer than it was'")
        assert peer.request("/script.py").text == "mended, and longer than it was"
