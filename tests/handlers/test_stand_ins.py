"""Stand-ins: what scripts get in the place of modules that look into sys.modules."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from wptproto.handlers.imports import Imports

DEFERRED = (
    "from __future__ import annotations\nimport dataclasses\nimport typing\nfrom dataclasses import *\n"
)


def run(root: Path, text: str) -> dict[str, Any]:
    return Imports(root).run(compile(text, root / "script.py", "exec"), str(root / "script.py"))


def test_dataclasses_with_deferred_annotations(tmp_path: Path) -> None:
    """A class whose annotations are text is a dataclass, and what is no field is none."""
    found = run(
        tmp_path,
        DEFERRED + "from typing import ClassVar\n"
        "@dataclass\nclass A:\n    a: int\n    b: ClassVar[int] = 1\n    c: typing.ClassVar[int] = 2\n"
        "    d: InitVar[int] = 3\n    _: KW_ONLY\n    e: int = 4\n"
        "    def __post_init__(self, d):\n        self.a += d\n"
        "fields = [field.name for field in dataclasses.fields(A)]\n",
    )
    assert found["fields"] == ["a", "e"]
    assert found["A"](10, e=5) == found["A"](7, 6, e=5)
    assert found["A"].__module__ == "script"
    assert dataclasses.is_dataclass(found["A"])


@pytest.mark.parametrize("options", ["slots=True", "frozen=True", "order=True"])
def test_dataclasses_with_options(tmp_path: Path, options: str) -> None:
    """Options go through, and the class stays of its module."""
    made = run(tmp_path, DEFERRED + f"@dataclasses.dataclass({options})\nclass A:\n    a: int\n")["A"]
    assert (made.__module__, repr(made(5))) == ("script", "A(a=5)")


def test_dataclasses_that_cannot_be(tmp_path: Path) -> None:
    """A mistake is told as ever."""
    with pytest.raises(TypeError, match="non-default argument 'b' follows default argument"):
        run(tmp_path, DEFERRED + "@dataclass\nclass A:\n    a: int = 1\n    b: int\n")


def test_the_rest_is_the_real_ones(tmp_path: Path) -> None:
    """All other names are the module's own."""
    assert run(tmp_path, "from dataclasses import field, asdict\n")["field"] is dataclasses.field
