"""The pipes ``status`` and ``header``."""

from __future__ import annotations

import pytest

from tests.helpers.inline import begin
from wptproto import Response
from wptproto.handlers.pipes import PipeError, apply
from wptproto.protocol.h1 import H1Connection


@pytest.fixture
def response() -> Response:
    exchange, _ = begin(H1Connection(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    return exchange.response


@pytest.mark.parametrize(
    ("pipe_string", "code"),
    [
        ("status(404)", 404),
        ("status(404", 404),
        ("status( 404 )", 404),
        ("status(4_04)", 404),
        ("status(299)", 299),
        ("status(0)", 0),
        ("status(99999)", 99999),
        ("status(201)|status(202)", 202),
    ],
)
def test_status(response: Response, pipe_string: str, code: int) -> None:
    """status() sets the code, any that is a number, and the usual reason phrase."""
    response.status = (200, "Fine")
    assert apply(pipe_string, response.request, response).status == (code, None)


@pytest.mark.parametrize(
    ("pipe_string", "lines"),
    [
        ("header(X-A,b)", [b"X-A: b"]),
        ("header(X-A,b", [b"X-A: b"]),
        ("header(X-A,)", [b"X-A: "]),
        ("header(X-A,b=c|d e)", [b"X-A: b=c|d e"]),
        (r"header(X-A,b\,c\)d\\e\qf)", [b"X-A: b,c)d\\eqf"]),
        (r"header(X-A,a\tb)", [b"X-A: a\tb"]),
        ("header(X-A, b )", [b"X-A:  b "]),
        ("header(X-A,é)", [b"X-A: \xe9"]),
        ("header(X-A,1)|header(X-A,2)", [b"X-A: 2"]),
        ("header(X-A,1)|header(x-a,2,true)", [b"X-A: 1", b"X-A: 2"]),
        ("header(X-A,1)|header(X-A,2,1)|header(X-A,3,false)", [b"X-A: 3"]),
        ("header(Content-Type,text/x)", []),
        ("header(content-type,text/x,True)", [b"Content-Type: text/x"]),
    ],
)
def test_header(response: Response, pipe_string: str, lines: list[bytes]) -> None:
    """header() sets a field in place of all of its name, or appends a line; a character is an octet."""
    response.headers.set("Content-Type", "text/plain")
    apply(pipe_string, response.request, response)
    first, *others = [name + b": " + value for name, value in response.headers]
    assert first.lower().startswith(b"content-type: text/")
    assert others == lines


@pytest.mark.parametrize(
    ("pipe_string", "complaint"),
    [
        ("status", "takes 1 argument (code); got 0"),
        ("status(x)", "'x' is not a whole number"),
        ("header(X-A)", "takes 2 to 3 arguments (name, value, [append]); got 1"),
        ("header(X-A,1,)", "argument 3 (append), at character 14"),
        ("header(X-A,a天)", "value 'a天': character 2 is not in ISO-8859-1"),
        (r"header(X-A,a\r\nb)", r"value 'a\r\nb': a line break or NUL cannot be in a field"),
        (r"header(X-A\n,b)", r"name 'X-A\n': a line break or NUL cannot be in a field"),
        ("header(X-A,a\0b)", r"value 'a\x00b': a line break or NUL cannot be in a field"),
        ("header(天,a)", "name '天': character 1 is not in ISO-8859-1"),
    ],
)
def test_mistakes(response: Response, pipe_string: str, complaint: str) -> None:
    """What wptserve answers with 500 is an error that says what is wrong; the response is as it was."""
    with pytest.raises(PipeError) as caught:
        apply(pipe_string, response.request, response)
    assert complaint in str(caught.value)
    assert (response.status, len(response.headers)) == ((200, None), 0)
