"""
``@pipe`` makes a function a pipe; Pipeline sends a response through those that a string names.

A pipe is a function of request, response and its arguments, that returns the response. The
decorator says how each argument is read from text::

    @pipe(int, opt(boolean))
    def status_if_even(request, response, code, loudly=False): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import signature
from typing import Any, ClassVar, Generic, TypeVar

from wptproto.errors import PipeError
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.pipes.syntax import Argument, PipeCall, parse, quoted

__all__ = ["Converter", "Pipeline", "RegisteredPipe", "boolean", "nullable", "opt", "pipe"]

Converter = Callable[[str], Any]
F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class opt(Generic[T]):  # noqa: N801  # wptserve's name
    """Marks an argument that may be left out, and with it all that follow."""

    def __init__(self, convert: Callable[[str], T]) -> None:
        self.convert = convert

    def __call__(self, text: str) -> T:
        return self.convert(text)


class nullable(Generic[T]):  # noqa: N801  # wptserve's name
    """Reads ``null``, in any case, as None, and all else as another converter does."""

    def __init__(self, convert: Callable[[str], T]) -> None:
        self.convert = convert

    def __call__(self, text: str) -> T | None:
        return None if text.lower() == "null" else self.convert(text)


def boolean(text: str) -> bool:
    """
    Read ``true`` or ``1``, ``false`` or ``0``, in any case.

    Raises:
        ValueError: It is none of these.
    """
    match text.lower():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
    raise ValueError(f"{text!r} is not true, 1, false or 0")


@dataclass(frozen=True, slots=True)
class RegisteredPipe:
    """
    A function that is a pipe.

    Attributes:
        function: Takes request, response, and one value for each argument.
        converters: One for each argument that there may be.
        names: What the function calls its arguments.
    """

    function: Callable[..., Any]
    converters: tuple[Converter, ...]
    names: tuple[str, ...]

    @property
    def required(self) -> int:
        """How many arguments there have to be."""
        return sum(1 for converter in self.converters if not isinstance(converter, opt))

    def takes(self) -> str:
        """Say what arguments it takes."""
        most, least = len(self.converters), self.required
        if not most:
            return "no arguments, and is written without parentheses"
        named = [
            f"[{name}]" if isinstance(converter, opt) else name
            for name, converter in zip(self.names, self.converters, strict=True)
        ]
        count = f"{most}" if least == most else f"{least} to {most}"
        return f"{count} argument{'s' if most > 1 else ''} ({', '.join(named)})"


def pipe(*converters: Converter) -> Callable[[F], F]:
    """
    Make a function a pipe, under the function's own name.

    Args:
        converters: How each argument is read from text: a function that raises ValueError for what
            it cannot read, such as ``int``, :func:`boolean` or :class:`nullable` of another;
            :class:`opt` around those that may be left out.

    Returns:
        A decorator, which returns the function as it was.

    Raises:
        ValueError: An argument that must be there follows one that may be left out.
    """
    optional = [isinstance(converter, opt) for converter in converters]
    if optional != sorted(optional):
        raise ValueError("behind an opt(...) argument all others are opt(...) too")

    def register(function: F) -> F:
        # The first two are request and response.
        named = list(signature(function).parameters)[2:]
        numbered = [f"argument {number}" for number in range(len(named) + 1, len(converters) + 1)]
        names = (*named, *numbered)[: len(converters)]
        Pipeline.pipes[function.__name__] = RegisteredPipe(function, converters, names)
        return function

    return register


class Pipeline:
    """
    The pipes that a string names, one behind the other.

    Attributes:
        pipes: Every pipe there is, by name.
    """

    pipes: ClassVar[dict[str, RegisteredPipe]] = {}

    def __init__(self, pipe_string: str) -> None:
        """
        Raises:
            PipeError: A pipe is not known, or the string ends within an escape.
        """
        self._pipe_string = pipe_string
        self._stages = [(call, self._find(call)) for call in parse(pipe_string)]

    def __call__(self, request: Request, response: Response) -> Response:
        """
        Send a response through the pipes, each of which may change it.

        Raises:
            PipeError: A pipe got too many or too few arguments, one that it cannot read, or found
                fault with what it got.
        """
        for call, registered in self._stages:
            values = list(self._values(call, registered))
            try:
                returned = registered.function(request, response, *values)
            except PipeError as error:
                raise PipeError(f"{self._place(call)}: {error}") from None
            response = response if returned is None else returned
        return response

    def _find(self, call: PipeCall) -> RegisteredPipe:
        found = self.pipes.get(call.name)
        if found is None:
            known = ", ".join(sorted(self.pipes))
            raise PipeError(f"{self._place(call)}: there is no pipe of this name; there are {known}")
        return found

    def _values(self, call: PipeCall, registered: RegisteredPipe) -> Iterator[Any]:
        given = len(call.arguments)
        if not registered.required <= given <= len(registered.converters):
            raise PipeError(f"{self._place(call)}: takes {registered.takes()}; got {given}")
        readers = zip(registered.names, registered.converters, call.arguments, strict=False)
        for number, (name, converter, argument) in enumerate(readers, 1):
            try:
                yield converter(argument.text)
            except (ValueError, TypeError, LookupError, PipeError) as error:
                place = self._place(call, f", argument {number} ({name})", argument)
                raise PipeError(f"{place}: {_complaint(converter, argument.text, error)}") from None

    def _place(self, call: PipeCall, which: str = "", argument: Argument | None = None) -> str:
        position = (argument or call).position
        where = f"at character {position} of {quoted(self._pipe_string)}"
        return f"pipe {call.number}, {quoted(call.name)}{which}, {where}"


def _complaint(converter: Converter, text: str, error: Exception) -> str:
    """Say what a converter would have taken; our own are known, another says so itself."""
    or_null = ""
    while isinstance(converter, opt | nullable):
        or_null = or_null or (" or null" if isinstance(converter, nullable) else "")
        converter = converter.convert
    for known, what in ((int, "a whole number"), (float, "a number"), (boolean, "true, 1, false or 0")):
        if converter is known:
            return f"{text!r} is not {what}{or_null}"
    name = getattr(converter, "__name__", type(converter).__name__)
    return f"{text!r} is not what {name}() takes: {type(error).__name__}: {error}"
