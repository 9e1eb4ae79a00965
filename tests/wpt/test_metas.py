"""Metas: which lines of a script are some, and which scopes they name."""

from __future__ import annotations

import pytest

from wptproto.errors import HTTPException
from wptproto.wpt.metas import Metas, read_metas


@pytest.mark.parametrize(
    ("script", "pairs"),
    [
        (b"", []),
        (b"test();\n// META: title=late\n", []),
        (b"// META: title=a b \n// META: script=x.js\ntest();\n", [("title", "a b "), ("script", "x.js")]),
        (b"// META: script=a\n// META: script=b", [("script", "a"), ("script", "b")]),
        (b"// META: title=a\n// another comment\n// META: title=b\n", [("title", "a")]),
        (b"// META: title=a\n\n// META: title=b\n", [("title", "a")]),
        (b" // META: title=a\n", []),
        (b"//META:title=a=b\r\n//\t META:  timeout=long\r\n", [("title", "a=b"), ("timeout", "long")]),
        (b"// META: =nameless\n", [("", "nameless")]),
        (b"// META: variant=?a&b=c\n", [("variant", "?a&b=c")]),
        (b"// META: title\n", []),
        ("// META: title=é\n".encode(), [("title", "é")]),
    ],
)
def test_lines(script: bytes, pairs: list[tuple[str, str]]) -> None:
    """The lines from the first on are metas, up to one that is something else."""
    assert read_metas(script.splitlines(keepends=True), "x") == Metas(tuple(pairs))


def test_not_utf_8() -> None:
    """Octets that are no text are an error that says where."""
    with pytest.raises(HTTPException, match=r"500 /x\.any\.js, line 2: not UTF-8 at octet 1"):
        read_metas([b"// META: title=a\n", b"// META: title=b\xff\n"], "/x.any.js")


def test_values() -> None:
    """A key may be there several times."""
    metas = Metas((("script", "a"), ("title", "t"), ("script", "b")))
    assert (metas.of("script"), metas.of("title"), metas.of("timeout")) == (["a", "b"], ["t"], [])


@pytest.mark.parametrize(
    ("named", "scopes"),
    [
        ([], {"window", "dedicatedworker"}),
        ([""], {"window", "dedicatedworker"}),
        (["window"], {"window"}),
        (["window, worker"], {"window", "dedicatedworker", "sharedworker", "serviceworker"}),
        (["dedicatedworker-module,shadowrealm"], {"dedicatedworker-module", "shadowrealm"}),
        (["jsshell"], {"jsshell"}),
        (["worker-module"], set()),
        (["nowhere,"], set()),
        (["sharedworker", "window"], {"sharedworker"}),
    ],
)
def test_scopes(named: list[str], scopes: set[str]) -> None:
    """The first ``global`` names the scopes; without it they are the window and the dedicated worker."""
    assert Metas(tuple(("global", value) for value in named)).scopes == scopes
