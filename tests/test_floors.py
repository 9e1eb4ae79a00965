"""The house: which floor imports what, read from the sources."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "wptproto"

# A module may import from its own floor and from those below; the longest prefix decides.
FLOORS = {
    "wptproto.default_names": 0,
    "wptproto.effects": 0,
    "wptproto.errors": 0,
    "wptproto.faults": 0,
    "wptproto.h2_codes": 0,
    "wptproto.limits": 0,
    "wptproto.version": 0,
    "wptproto.certs": 1,
    "wptproto.private_files": 1,
    "wptproto.semantics": 1,
    "wptproto.protocol": 2,
    "wptproto.exchange": 3,
    "wptproto.handlers": 4,
    "wptproto.trace": 5,
    "wptproto.expectations": 4,
    "wptproto.server": 5,
    "wptproto.wire": 5,
    "wptproto.demo": 6,
    "wptproto.wptserve": 6,
    "wptproto.wpt": 6,
    "wptproto.cli": 6,
    "wptproto.pytest_plugin": 6,
    "wptproto.signals": 6,
    "wptproto.welcome": 6,
    "wptproto.workforce": 6,
    "wptproto.__main__": 6,
    "wptproto": 6,
}
IO_MODULES = {"asyncio", "socket", "ssl", "threading", "selectors", "select", "time"}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def floor_of(module: str) -> int:
    prefix = module
    while prefix not in FLOORS:
        prefix = prefix.rpartition(".")[0]
    return FLOORS[prefix]


def imports_of(module: str) -> set[str]:
    """Return what a module imports, by full name, wherever in it the statement stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            assert node.module is not None
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in MODULES else node.module)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    """A floor imports from itself and from those below."""
    ours = {name for name in imports_of(module) if name.split(".")[0] == "wptproto"}
    upward = {name for name in ours if floor_of(name) > floor_of(module)}
    assert not upward


@pytest.mark.parametrize("module", [name for name in MODULES if floor_of(name) <= 2])
def test_the_core_does_no_io(module: str) -> None:
    """Floors 0 to 2 import no asyncio, socket, ssl or threading, and have no clock."""
    assert not {name.split(".")[0] for name in imports_of(module)} & IO_MODULES


@pytest.mark.parametrize("module", [name for name in MODULES if floor_of(name) < 5])
def test_sockets_and_tls_are_the_servers(module: str) -> None:
    """Only the server's floor, and those above, import socket or ssl."""
    assert not {name.split(".")[0] for name in imports_of(module)} & {"socket", "ssl"}


def test_no_cycle() -> None:
    """No module imports itself, by whatever way round."""
    graph = {module: imports_of(module) & set(MODULES) - {module} for module in MODULES}
    assert list(TopologicalSorter(graph).static_order())


def test_every_module_has_its_floor() -> None:
    """The table above names each folder, so that a new one is put somewhere on purpose."""
    top = {".".join(name.split(".")[:2]) for name in MODULES}
    assert top == set(FLOORS)
