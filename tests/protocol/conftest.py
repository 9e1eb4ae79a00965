"""What is shown of an HTTP/2 connection is shown of both cores."""

from __future__ import annotations

import pytest

from wptproto.protocol.rules import Core


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let the tests of a module about HTTP/2 have either core, unless it says which one they have."""
    module = metafunc.module
    if module.__name__.rpartition(".")[2].startswith("test_h2") and not hasattr(module, "h2_core"):
        metafunc.parametrize("h2_core", list(Core), indirect=True)


@pytest.fixture(autouse=True)
def h2_core(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Core:
    """The core that connections have by default."""
    core: Core = getattr(request, "param", Core.FAST)
    if core is Core.PLAIN:
        monkeypatch.setattr("wptproto.protocol.h2.is_checked", lambda: False)
    return core
