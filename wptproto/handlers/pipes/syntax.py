r"""
The syntax of a pipe string: ``name(argument,argument)|name|...``, as ``?pipe=`` has it.

Written down, with what wptserve's documentation leaves open and its reader decides::

    pipe string = *( "|" / pipe )
    pipe        = name [ "(" argument *( "," argument ) [ ")" ] ]
    name        = characters but "|" and "("; neither trimmed nor unescaped
    argument    = *( escape / characters but "," and ")" )
    escape      = "\n" / "\r" / "\t" / "\" and any other character, which stands for itself

So ``a(`` and ``a()`` have one argument, which is empty; ``|`` within parentheses is an ordinary
character, and after ``)`` it may be left out; a ``)`` at the end of all may be missing too.
"""

from __future__ import annotations

from dataclasses import dataclass

from wptproto.errors import PipeError

__all__ = ["Argument", "PipeCall", "parse", "quoted"]

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Argument:
    """
    One argument.

    Attributes:
        text: What it says, escapes undone.
        position: Where it begins in the pipe string; the first character is 1.
    """

    text: str
    position: int


@dataclass(frozen=True, slots=True)
class PipeCall:
    """
    One pipe, as it was asked for.

    Attributes:
        name: Which; whether there is one of this name is not known here.
        arguments: What stood in its parentheses; without parentheses, none.
        position: Where its name begins in the pipe string; the first character is 1.
        number: Which pipe of the string it is; the first is 1.
    """

    name: str
    arguments: tuple[Argument, ...]
    position: int
    number: int


def quoted(text: str) -> str:
    """Return text for an error, in which characters can be counted: only what cannot be seen is escaped."""
    return "'" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) + "'"


def parse(pipe_string: str) -> tuple[PipeCall, ...]:
    """
    Take a pipe string apart.

    Args:
        pipe_string: The whole of it, percent-decoded.

    Returns:
        The pipes in their order; none for a string of nothing but ``|``.

    Raises:
        PipeError: It ends in the middle of an escape.
    """
    calls: list[PipeCall] = []
    at = 0
    while at < len(pipe_string):
        if pipe_string[at] == "|":
            at += 1
            continue
        start = at
        while at < len(pipe_string) and pipe_string[at] not in "(|":
            at += 1
        name = pipe_string[start:at]
        arguments: tuple[Argument, ...] = ()
        if pipe_string[at : at + 1] == "(":
            arguments, at = _arguments(pipe_string, at + 1, f"pipe {len(calls) + 1}, {quoted(name)}")
        calls.append(PipeCall(name, arguments, start + 1, len(calls) + 1))
    return tuple(calls)


def _arguments(pipe_string: str, at: int, pipe: str) -> tuple[tuple[Argument, ...], int]:
    """Read what stands behind an opening parenthesis; return it, and where the rest begins."""
    found: list[Argument] = []
    start, text = at, ""
    while at < len(pipe_string):
        character = pipe_string[at]
        at += 1
        if character == "\\":
            if at == len(pipe_string):
                raise PipeError(
                    f"{pipe}, argument {len(found) + 1}, at character {at} of {quoted(pipe_string)}: "
                    r"a backslash with nothing behind it; write \\ for a backslash, then close with )"
                )
            text += _ESCAPES.get(pipe_string[at], pipe_string[at])
            at += 1
        elif character in ",)":
            found.append(Argument(text, start + 1))
            if character == ")":
                return tuple(found), at
            start, text = at, ""
        else:
            text += character
    return (*found, Argument(text, start + 1)), at
