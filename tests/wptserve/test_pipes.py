"""wptserve.pipes: the same pipes, and the tokens of a template."""

from __future__ import annotations

import pytest

from wptproto.handlers.pipes import families as ours
from wptproto.wptserve import pipes


def test_they_are_ours() -> None:
    """Pipes of one's own, made by these names, are known everywhere."""
    assert (pipes.pipe, pipes.Pipeline, pipes.template) == (ours.pipe, ours.Pipeline, ours.template)
    assert all(hasattr(pipes, name) for name in ours.Pipeline.pipes)


@pytest.mark.parametrize(
    ("content", "tokens"),
    [
        (b"host", [("ident", "host")]),
        (b"ports[http][0]", [("ident", "ports"), ("index", "http"), ("index", 0)]),
        (b"$id:uuid()", [("var", "$id"), ("ident", "uuid"), ("arguments", [])]),
        (b"fs_path(a, b)", [("ident", "fs_path"), ("arguments", ["a", "b"])]),
        (b"$id", [("ident", "$id")]),
        (b"/", []),
    ],
)
def test_tokens(content: bytes, tokens: list[tuple[str, object]]) -> None:
    """What stands in a substitution is taken apart as far as it can be read."""
    assert pipes.ReplacementTokenizer().tokenize(content) == tokens
