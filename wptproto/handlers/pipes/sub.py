r"""
``sub``: a template language, small on purpose, for content that depends on server and request.

::

    substitution = "{{" [ variable ":" ] name *( item / call ) "}}"
    variable     = "$" word
    name         = word / variable
    item         = "[" key "]"                     a number where it reads as one
    call         = "(" argument *( "," argument ) ")"

as in ``{{ports[http][1]}}``, ``{{$id:uuid()}}`` and, from there on, ``{{$id}}``. A substitution has
no ``}`` in it. What cannot be read any more, from there to the ``}}``, is left out without a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from wptproto.errors import PipeError
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.pipes.content import whole_content
from wptproto.handlers.pipes.registry import nullable, opt, pipe
from wptproto.handlers.pipes.variables import Function, Item, value_of

__all__ = ["parse_step", "sub", "template", "tokens"]

_SUBSTITUTION = re.compile(rb"{{([^}]*)}}")
_TOKEN = re.compile(
    rb"(?P<assignment>\$\w+:)|(?P<name>\$?\w+)|(?P<item>\[[^\]]*\])|(?P<call>\([^)]*\))"  # ASCII words
)
_SHOWN_CHARACTERS = 80
_LINE_BREAK = re.compile(r"[\r\n\0]")

_Step = Item | tuple[str, ...]  # an item's key, or a call's arguments
_Variables = dict[str, str | bytes | int]


@dataclass(frozen=True, slots=True)
class _Expression:
    """What stands between ``{{`` and ``}}``: a name, the way on from there, and where to keep it."""

    variable: str | None
    name: str
    steps: tuple[_Step, ...]


@pipe(opt(nullable(str)))
def sub(request: Request, response: Response, escape_type: str | None = "html") -> Response:
    """
    Replace each ``{{...}}`` in the content by what it stands for.

    ``?pipe=sub`` or ``?pipe=sub(none)``; for a file with ``.sub.`` in its name, of its own accord.

    Raises:
        PipeError: As :func:`template` does.
    """
    response.content = template(request, whole_content(response), escape_type)
    return response


def template(request: Request, content: bytes, escape_type: str | None = "html") -> bytes:
    """Do what :func:`wptproto.handlers.pipes.template` promises."""
    variables: _Variables = {}

    def replace(match: re.Match[bytes]) -> bytes:
        try:
            text = _as_text(_evaluate(_parse(match[1]), request, variables))
            return _escape(text, escape_type).encode("utf-8")
        except (PipeError, ValueError) as error:
            line = content.count(b"\n", 0, match.start()) + 1
            shown = match[0].decode("utf-8", "backslashreplace")
            if len(shown) > _SHOWN_CHARACTERS:
                shown = f"{shown[:_SHOWN_CHARACTERS]}..."
            raise PipeError(f"{shown} at line {line} of the content: {error}") from None

    return _SUBSTITUTION.sub(replace, content)


# --- syntax --------------------------------------------------------------------------------------


def tokens(octets: bytes) -> list[tuple[str, str]]:
    """Return the kind and the text of each token, as far as there are any."""
    found = []
    at = 0
    while match := _TOKEN.match(octets, at):
        assert match.lastgroup is not None
        found.append((match.lastgroup, match[0].decode("utf-8")))
        at = match.end()
    return found


def _parse(octets: bytes) -> _Expression:
    found = tokens(octets)
    variable = None
    if found and found[0][0] == "assignment":
        variable = found.pop(0)[1][:-1]
    if not found or found[0][0] != "name":
        where = f"behind {variable}:" if variable else "behind {{"
        raise PipeError(
            f"{where} comes a name, and no space before it, as in {{{{host}}}} or {{{{$id:uuid()}}}}"
        )
    name = found.pop(0)[1]
    return _Expression(variable, name, tuple(parse_step(kind, text) for kind, text in found))


def parse_step(kind: str, text: str) -> _Step:
    """Return what stands in the brackets of an item, or in the parentheses of a call."""
    within = text[1:-1]
    match kind:
        case "item":
            try:
                return int(within)
            except ValueError:
                return within
        case "call":
            return tuple(re.split(r",\s*", within)) if within else ()
        case _:
            raise PipeError(f"{text!r} stands where only an [item] or a (call) can")


# --- values --------------------------------------------------------------------------------------


def _evaluate(expression: _Expression, request: Request, variables: _Variables) -> str | bytes | int:
    said = expression.name
    if said in variables:
        value: Any = variables[said]
    elif said.startswith("$"):
        raise PipeError(f"{said} was not assigned before; assign it as in {{{{{said}:uuid()}}}}")
    else:
        value = value_of(said, request)
    for step in expression.steps:
        if isinstance(step, tuple):
            if not isinstance(value, Function):
                raise PipeError(f"{said} is not a function; leave its parentheses out")
            value = value(request, step)
            said += f"({','.join(step)})"
        else:
            value = _item(value, step, said)
            said += f"[{step}]"
    if not isinstance(value, str | bytes | int):
        raise PipeError(f"{said} is {_described(value)}")
    if expression.variable is not None:
        variables[expression.variable] = value
    return value


def _item(value: Any, key: Item, said: str) -> Any:
    try:
        return value[key]
    except (LookupError, TypeError):
        raise PipeError(f"{said} has no [{key}]; it is {_described(value)}") from None


def _described(value: Any) -> str:
    """Say what a value is, and how to get from there to one that can stand in a text."""
    match value:
        case Function():
            return f"a function: write {value}"
        case str() | bytes():
            return f"text of length {len(value)}"
        case Mapping():
            return (
                f"a mapping: write one of {', '.join(f'[{key}]' for key in value) or 'none, as it is empty'}"
            )
        case list() | tuple():
            return f"a list of {len(value)}: write [0], [1] and so on"
        case _ if hasattr(value, "__getitem__"):
            return "a mapping: write [name] behind it"
        case _:
            return f"of type {type(value).__name__}, which has no text"


def _as_text(value: str | bytes | int) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise PipeError(f"its value {value!r} is not UTF-8") from None


def _escape(text: str, escape_type: str | None) -> str:
    match escape_type:
        case "html":
            return escape(text, quote=True)
        case "none":
            return text
        case "field":
            if _LINE_BREAK.search(text):
                raise PipeError(
                    f"its value {text!r} has a line break or NUL, and would not stay in its field"
                )
            return text
        case _:
            raise PipeError(f"there is no escaping {escape_type!r}; there are html and none")
