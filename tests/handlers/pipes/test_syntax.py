"""The pipe string: what wptserve reads in it, and what is said where it cannot be read."""

from __future__ import annotations

import pytest

from wptproto.errors import PipeError, WptprotoError
from wptproto.handlers.pipes.syntax import Argument, PipeCall, parse, quoted

# Each as wptserve 4.0.3 reads it.
READINGS: list[tuple[str, list[tuple[str, list[str]]]]] = [
    ("", []),
    ("|", []),
    ("||", []),
    ("gzip", [("gzip", [])]),
    ("|gzip|", [("gzip", [])]),
    ("gzip||status(1)", [("gzip", []), ("status", ["1"])]),
    ("status(404)", [("status", ["404"])]),
    ("status(404", [("status", ["404"])]),
    ("status(", [("status", [""])]),
    ("status()", [("status", [""])]),
    ("a(b,c)", [("a", ["b", "c"])]),
    ("a(b,", [("a", ["b", ""])]),
    ("a(,)", [("a", ["", ""])]),
    ("a( b , c )", [("a", [" b ", " c "])]),
    ("a(b)|c(d)", [("a", ["b"]), ("c", ["d"])]),
    ("a(b)c(d)", [("a", ["b"]), ("c", ["d"])]),
    ("a(b)(c)", [("a", ["b"]), ("", ["c"])]),
    ("()", [("", [""])]),
    (")", [(")", [])]),
    ("a(b))", [("a", ["b"]), (")", [])]),
    ("a(b|c)", [("a", ["b|c"])]),
    ("a(b(c)", [("a", ["b(c"])]),
    (" a | b", [(" a ", []), (" b", [])]),
    ("a,b", [("a,b", [])]),
    ("a\\n", [("a\\n", [])]),
    ("a\\", [("a\\", [])]),
    (r"a(\n\r\t)", [("a", ["\n\r\t"])]),
    (r"a(\,\)\\\q\|)", [("a", [",)\\q|"])]),
    ("a(é天)", [("a", ["é天"])]),
]


@pytest.mark.parametrize(("pipe_string", "expected"), READINGS)
def test_parse(pipe_string: str, expected: list[tuple[str, list[str]]]) -> None:
    """Names and arguments come out as wptserve reads them, whatever is missing or too much."""
    calls = parse(pipe_string)
    assert [(call.name, [argument.text for argument in call.arguments]) for call in calls] == expected


def test_positions() -> None:
    """Each pipe and argument knows where it began, counted from 1, escapes and all."""
    assert parse(r"|a(\n,c)|d") == (
        PipeCall("a", (Argument("\n", 4), Argument("c", 7)), 2, 1),
        PipeCall("d", (), 10, 2),
    )


def test_trailing_backslash() -> None:
    """An escape of nothing is an error that says which pipe, which argument, where, and how to mend it."""
    with pytest.raises(PipeError) as caught:
        parse("gzip|header(a,b\\")
    assert str(caught.value) == (
        "pipe 2, 'header', argument 2, at character 16 of 'gzip|header(a,b\\': "
        "a backslash with nothing behind it; write \\\\ for a backslash, then close with )"
    )
    assert isinstance(caught.value, WptprotoError)


def test_quoted() -> None:
    """What is quoted in an error has its characters as they are, those aside that cannot be seen."""
    assert quoted("a\\'天\n\x00") == "'a\\'天\\n\\x00'"
