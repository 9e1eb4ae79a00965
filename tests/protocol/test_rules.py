"""What a server's connections go by."""

from __future__ import annotations

from pathlib import Path

import pytest

from wptproto.errors import ConfigError
from wptproto.protocol.rules import DEFAULT_RULES, Core, Leniency, core_named, leniencies


def test_leniencies_by_name() -> None:
    """Each has a name; one name alone will do."""
    assert leniencies(["bare-lf", "host"]) == {Leniency.BARE_LF, Leniency.HOST}
    assert leniencies("obs-fold") == {Leniency.OBS_FOLD}
    assert leniencies(Leniency) == frozenset(Leniency)
    assert leniencies([]) == frozenset()
    assert leniencies(["all"]) == leniencies("all") == frozenset(Leniency)


def test_a_name_that_is_none() -> None:
    """The error tells those there are."""
    with pytest.raises(ConfigError, match=r"lenient: 'bare-if' is none of .*bare-lf"):
        leniencies(["host", "bare-if"])


def test_cores_by_name() -> None:
    """Each has a name, and another is an error that tells those there are."""
    assert [core_named("fast"), core_named("plain")] == [Core.FAST, Core.PLAIN] == list(Core)
    with pytest.raises(ConfigError, match="core: 'slow' is none of fast, plain"):
        core_named("slow")


def test_each_is_documented() -> None:
    """Each is told of where they are declared."""
    assert all(f"{leniency.name}: " in (Leniency.__doc__ or "") for leniency in Leniency)


def test_nothing_is_forgiven_unasked() -> None:
    """The defaults are strict."""
    assert DEFAULT_RULES.lenient == frozenset()


def test_each_is_in_the_readme() -> None:
    """README names them all."""
    readme = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")
    assert all(f"`{leniency.value}`" in readme for leniency in Leniency if leniency is not Leniency.BARE_LF)
    assert '"bare-lf"' in readme
