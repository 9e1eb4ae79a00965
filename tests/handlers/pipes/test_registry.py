"""``@pipe`` and Pipeline: pipes of one's own, their arguments, and what is wrong with them."""

from __future__ import annotations

import pytest

from tests.helpers.inline import begin
from wptproto import Request, Response
from wptproto.errors import PipeError
from wptproto.handlers.pipes.registry import Converter, Pipeline, boolean, nullable, opt, pipe
from wptproto.protocol.h1 import H1Connection


@pytest.fixture(autouse=True)
def own_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipes of each test are its own."""
    monkeypatch.setattr(Pipeline, "pipes", {})


@pytest.fixture
def response() -> Response:
    exchange, _ = begin(H1Connection(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    return exchange.response


def run(pipe_string: str, response: Response) -> Response:
    return Pipeline(pipe_string)(response.request, response)


def refused(pipe_string: str, response: Response) -> str:
    with pytest.raises(PipeError) as caught:
        run(pipe_string, response)
    return str(caught.value)


def even(text: str) -> int:
    if int(text) % 2:
        raise ValueError("odd")
    return int(text)


class Words:
    """A converter that is no function."""

    def __call__(self, text: str) -> list[str]:
        return [{"yes": "no"}[word] for word in text.split()]


def test_pipe(response: Response) -> None:
    """A decorated function is a pipe under its own name, and stays what it was."""

    @pipe(str, nullable(int), opt(boolean))
    def mark(request: Request, response: Response, *values: object) -> Response:
        response.content = values
        return response

    assert run("mark(a,1)", response).content == ("a", 1)
    assert run("mark(,null,TRUE)", response).content == ("", None, True)
    assert run("mark(b,NULL,0)", response).content == ("b", None, False)
    assert mark(response.request, response, "as ever").content == ("as ever",)


def test_order(response: Response) -> None:
    """A response goes through the pipes from left to right; no pipes leave it alone."""

    @pipe(str)
    def add(request: Request, response: Response, text: str) -> Response:
        response.content = f"{response.content}{text}"
        return response

    response.content = ""
    assert run("add(1)|add(2)add(3)", response) is response
    assert response.content == "123"
    assert run("|", response) is response


def test_another_response(response: Response) -> None:
    """A pipe may return another response, or none, for the one it got."""
    exchange, _ = begin(H1Connection(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    @pipe()
    def other(request: Request, response: Response) -> Response:
        return exchange.response

    @pipe()
    def silent(request: Request, response: Response) -> None:
        response.status = 202

    assert run("silent|other|silent", response) is exchange.response
    assert response.status == exchange.response.status == (202, None)


@pytest.mark.parametrize(
    ("converters", "call", "complaint"),
    [
        ((int,), "p(x)", "argument 1 (a), at character 3 of 'p(x)': 'x' is not a whole number"),
        ((int,), "p()", "argument 1 (a), at character 3 of 'p()': '' is not a whole number"),
        ((float,), "p(x)", "'x' is not a number"),
        (
            (str, boolean),
            "p(x,y)",
            "argument 2 (b), at character 5 of 'p(x,y)': 'y' is not true, 1, false or 0",
        ),
        ((opt(nullable(int)),), "p(x)", "'x' is not a whole number or null"),
        ((nullable(opt(even)),), "p(3)", "'3' is not what even() takes: ValueError: odd"),
        ((Words(),), "p(maybe)", "'maybe' is not what Words() takes: KeyError: 'maybe'"),
        ((int,), "p", "pipe 1, 'p', at character 1 of 'p': takes 1 argument (a); got 0"),
        ((int, opt(int)), "p(1,2,3)", "takes 1 to 2 arguments (a, [b]); got 3"),
        ((), "p()", "takes no arguments, and is written without parentheses; got 1"),
        ((str,) * 4, "p(1,2,3,4,5)", "takes 4 arguments (a, b, argument 3, argument 4); got 5"),
    ],
)
def test_bad_arguments(
    response: Response, converters: tuple[Converter, ...], call: str, complaint: str
) -> None:
    """An argument too many, too few or unreadable is an error: which, where, and what was expected."""

    @pipe(*converters)
    def p(request: Request, response: Response, a: object, b: object) -> Response:
        raise AssertionError("not called")

    assert complaint in refused(call, response)


def test_unknown(response: Response) -> None:
    """An unknown pipe is an error, before any pipe has run, that says which there are."""

    @pipe()
    def one(request: Request, response: Response) -> None:
        raise AssertionError("not called")

    @pipe()
    def another(request: Request, response: Response) -> None: ...

    assert refused("one| one", response) == (
        "pipe 2, ' one', at character 5 of 'one| one': there is no pipe of this name; there are another, one"
    )


def test_error_within(response: Response) -> None:
    """Where a pipe itself finds fault, the error says which pipe it was; other exceptions are as raised."""

    @pipe()
    def picky(request: Request, response: Response) -> None:
        raise PipeError("not today")

    @pipe()
    def broken(request: Request, response: Response) -> None:
        raise ZeroDivisionError("broken")

    assert refused("|picky", response) == "pipe 1, 'picky', at character 2 of '|picky': not today"
    with pytest.raises(ZeroDivisionError, match="broken"):
        run("broken", response)


def test_optional_come_last() -> None:
    """An argument that must be there cannot follow one that may be left out."""
    with pytest.raises(ValueError, match="all others are opt"):
        pipe(int, opt(int), int)


def test_converters() -> None:
    """nullable() and opt() read what the converter within them reads."""
    assert (opt(int)("1"), nullable(int)("1"), nullable(str)("Null")) == (1, 1, None)
    assert [boolean(text) for text in ("true", "1", "True", "false", "0", "FALSE")] == [True] * 3 + [
        False
    ] * 3
    with pytest.raises(ValueError, match="'yes' is not true"):
        boolean("yes")
