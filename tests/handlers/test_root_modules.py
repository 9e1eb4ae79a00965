"""RootModules: loaded once, anew when changed, by many threads, in cycles."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.handlers.test_imports import write
from tests.helpers.waiting import assert_soon
from wptproto.handlers.imports import Imports


class Root:
    """A document root, and scripts that are run there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.imports = Imports(directory)

    def write(self, files: dict[str, str]) -> None:
        write(self.directory, files)
        for name in files:
            self.touch(name)

    def touch(self, name: str) -> None:
        """Make a file's time another one, as clocks may be coarse."""
        path = self.directory / name
        then = path.stat().st_mtime_ns + 1_000_000
        os.utime(path, ns=(then, then))

    def run(self, text: str) -> dict[str, Any]:
        path = self.directory / "script.py"
        return self.imports.run(compile(text, path, "exec"), str(path))

    def module(self, name: str) -> ModuleType:
        found = self.run(f"import {name} as found")["found"]
        assert isinstance(found, ModuleType)
        return found


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


def test_a_module_knows_itself(root: Root, tmp_path: Path) -> None:
    """Modules and packages have the names that Python gives them."""
    write(tmp_path, {"a/__init__.py": "'''Text.'''", "a/b.py": "name = __name__", "a/c/d.py": ""})
    package, module, directory = (root.module(name) for name in ("a", "a.b", "a.c"))
    assert (package.__name__, package.__package__, package.__doc__) == ("a", "a", "Text.")
    assert package.__path__ == [str(tmp_path / "a")]
    assert package.__file__ == str(tmp_path / "a/__init__.py")
    assert (module.name, module.__package__, module.__file__) == ("a.b", "a", str(tmp_path / "a/b.py"))
    assert not hasattr(module, "__path__")
    assert module.__spec__ is not None
    assert (module.__spec__.name, module.__spec__.origin, module.__spec__.parent) == (
        "a.b",
        module.__file__,
        "a",
    )
    assert repr(module) == f"<module 'a.b' from {module.__file__!r}>"
    assert directory.__path__ == [str(tmp_path / "a/c")]
    assert directory.__package__ == "a.c"


def test_a_package_comes_before_a_module_of_its_name(root: Root, tmp_path: Path) -> None:
    """Of a file and a directory with __init__.py, the directory counts; without, the file."""
    write(
        tmp_path, {"a.py": "x = 'file'", "a/__init__.py": "x = 'package'", "b.py": "x = 'file'", "b/c.py": ""}
    )
    assert (root.module("a").x, root.module("b").x) == ("package", "file")


def test_once_for_each_version(root: Root) -> None:
    """A module is loaded once, and anew when its file has changed; who holds the older one keeps it."""
    root.write({"helper.py": "state = []"})
    first = root.module("helper")
    first.state.append(1)
    assert root.module("helper") is first
    root.write({"helper.py": "state = ['new']"})
    assert root.module("helper").state == ["new"]
    assert first.state == [1]


def test_what_it_imported_has_changed(root: Root) -> None:
    """A module is loaded anew when one that it imported has changed, by whatever way round."""
    root.write(
        {
            "a.py": "import package.b\nvalue = package.b.value",
            "package/b.py": "from .c import value",
            "package/c.py": "value = 1",
        }
    )
    first = root.module("a")
    assert root.module("a") is first
    root.write({"package/c.py": "value = 2"})
    assert root.module("a").value == 2


def test_from_a_package_that_has_it(root: Root) -> None:
    """``from package import module`` sees a change, though the package has the older one already."""
    root.write({"package/__init__.py": "", "package/module.py": "value = 1"})
    text = "from package import module\nvalue = module.value"
    assert root.run(text)["value"] == 1
    root.write({"package/module.py": "value = 2"})
    assert root.run(text)["value"] == 2


def test_a_package_is_loaded_anew(root: Root) -> None:
    """The modules of a package that has changed stay, as its attributes."""
    root.write({"package/__init__.py": "", "package/module.py": ""})
    module = root.module("package.module")
    root.write({"package/__init__.py": "value = 1"})
    found = root.run("import package.module")["package"]
    assert (found.value, found.module is module) == (1, True)


def test_a_name_of_a_package_is_not_taken_for_its_module(root: Root) -> None:
    """A package that calls something else by the name of its module keeps it so."""
    root.write(
        {"package/__init__.py": "from .module import module", "package/module.py": "def module(): return 1"}
    )
    for _ in range(2):
        assert root.run("from package import module\nimport package.module")["module"]() == 1


def test_a_file_that_is_gone(root: Root) -> None:
    """A module whose file is gone is gone, too, and breaks those that imported it."""
    root.write({"helper.py": "import other", "other.py": ""})
    root.module("helper")
    (root.directory / "other.py").unlink()
    with pytest.raises(ModuleNotFoundError, match="No module named 'other'"):
        root.module("helper")


@pytest.mark.parametrize("name", ["file", "directory.inner", "package"])
def test_links_out_of_the_root(tmp_path: Path, name: str) -> None:
    """What a symbolic link leads to outside the root is not there, and the error says why."""
    write(
        tmp_path,
        {"out/file.py": "", "out/package/__init__.py": "", "out/directory/inner.py": "", "in/file.txt": ""},
    )
    for entry in ("file.py", "package", "directory"):
        (tmp_path / "in" / entry).symlink_to(tmp_path / "out" / entry)
    with pytest.raises(ModuleNotFoundError, match="lies outside the document root, by a symbolic link"):
        Root(tmp_path / "in").module(name)


def test_links_within_the_root(root: Root) -> None:
    """A link to another place in the root is a module by its own name."""
    root.write({"real.py": "name = __name__"})
    (root.directory / "other.py").symlink_to(root.directory / "real.py")
    assert (root.module("real").name, root.module("other").name) == ("real", "other")


# --- what fails --------------------------------------------------------------------------------


def test_a_module_that_fails_is_forgotten(root: Root) -> None:
    """After a failure it is as if the module had never been loaded, but those it imported stay."""
    root.write(
        {
            "package/__init__.py": "from .good import x",
            "package/good.py": "x = 1",
            "package/bad.py": "from . import good\n1 / 0",
        }
    )
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            root.module("package.bad")
    package = root.module("package")
    assert not hasattr(package, "bad")
    assert package.good is root.module("package.good")


def test_a_name_that_took_the_place_of_a_module_that_fails(root: Root) -> None:
    """What a module that fails puts in its own place stays there."""
    root.write({"package/__init__.py": "", "package/bad.py": "import package\npackage.bad = 'mine'\n1 / 0"})
    with pytest.raises(ZeroDivisionError):
        root.module("package.bad")
    assert root.module("package").bad == "mine"


def test_a_cycle(root: Root) -> None:
    """Modules may import each other, as long as they ask for nothing that is not there yet."""
    root.write(
        {"a.py": "import b\nx = 1\ndef f(): return b.y", "b.py": "import a\ny = 2\ndef g(): return a.x"}
    )
    a, b = root.module("a"), root.module("b")
    assert (a.f(), b.g()) == (2, 1)
    assert root.module("a") is a


def test_a_cycle_in_a_package(root: Root) -> None:
    """``import a.b as c`` and ``from . import b`` find a module that is being loaded."""
    root.write(
        {
            "p/a.py": "from . import b\nimport p.b as same",
            "p/b.py": "import p.a as first\nfrom . import a as second",
        }
    )
    a, b = root.module("p.a"), root.module("p.b")
    assert (a.b, a.same, b.first, b.second) == (b, b, a, a)


def test_a_cycle_that_cannot_be(root: Root) -> None:
    """What is not there yet is told as Python does; the reason is guessed right."""
    root.write({"a.py": "from b import y\nx = 1", "b.py": "from a import x\ny = 2"})
    for _ in range(2):
        with pytest.raises(
            ImportError, match=r"partially initialized module 'a' \(most likely due to a circular"
        ):
            root.module("a")
    root.write({"a.py": "import b", "b.py": "import a\na.x"})
    with pytest.raises(AttributeError, match=r"partially initialized module 'a'.* has no attribute 'x'"):
        root.module("a")


def test_half_of_a_cycle_that_failed(root: Root) -> None:
    """A module that holds on to one that failed is loaded anew with it."""
    root.write({"a.py": "import b\nimport nothing_yet", "b.py": "import a"})
    with pytest.raises(ModuleNotFoundError, match="nothing_yet"):
        root.module("a")
    root.write({"nothing_yet.py": ""})
    a = root.module("a")
    assert a.b.a is a


# --- threads -----------------------------------------------------------------------------------


def test_two_threads_get_one_module(root: Root) -> None:
    """Who wants a module that is being loaded waits for it."""
    root.write({"slow.py": "import time\nbegun = time.monotonic()\ntime.sleep(0.05)\nended = True"})
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(root.module, ["slow"] * 8))
    assert len(set(map(id, found))) == 1
    assert found[0].ended


def test_waiting_for_one_that_fails(root: Root) -> None:
    """Who waited for a module that failed tries by itself, and sees the error, too."""
    root.write({"bad.py": "import time\ntime.sleep(0.02)\n1 / 0"})
    with ThreadPoolExecutor(4) as pool:
        failures = [pool.submit(root.module, "bad").exception for _ in range(4)]
        assert [type(failure()) for failure in failures] == [ZeroDivisionError] * 4


def test_a_cycle_across_threads(root: Root) -> None:
    """Two threads that load modules which import each other do not wait for each other for ever."""
    gate = threading.Barrier(2, timeout=20)
    root.write(
        {
            "a.py": "import meeting\nmeeting.wait()\nimport b\nx = 1",
            "b.py": "import meeting\nmeeting.wait()\nimport a\ny = 2",
            "meeting.py": "def wait(): pass",
        }
    )
    root.module("meeting").wait = lambda: gate.wait()  # type: ignore[attr-defined]
    with ThreadPoolExecutor(2) as pool:
        a, b = pool.map(root.module, ["a", "b"], timeout=20)
    assert (a.b, b.a) == (b, a)
    assert root.module("a") is a


def test_a_thread_of_a_module(root: Root) -> None:
    """While a module is loaded, other threads can load others: also those it started and waits for."""
    root.write(
        {
            "a.py": "from concurrent.futures import ThreadPoolExecutor\n"
            "def load():\n    import b\n    return b.value\n"
            "with ThreadPoolExecutor(1) as pool:\n    value = pool.submit(load).result(20)\n",
            "b.py": "value = 1",
        }
    )
    assert root.module("a").value == 1


def test_a_long_wait_does_not_hold_up_others(root: Root) -> None:
    """A module that takes its time is waited for by those alone that import it."""
    begun, gate = threading.Event(), threading.Event()
    root.write({"meeting.py": "", "slow.py": "import meeting\nmeeting.wait()", "other.py": "value = 1"})

    def wait() -> None:
        begun.set()
        assert gate.wait(20)

    root.module("meeting").wait = wait  # type: ignore[attr-defined]
    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(root.module, "slow") for _ in range(2)]
        assert begun.wait(20)
        assert_soon(lambda: bool(root.imports._modules._waiting))
        assert root.module("other").value == 1
        gate.set()
        assert slow[0].result(20) is slow[1].result(20)
