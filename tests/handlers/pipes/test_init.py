"""Which pipes a path and a query ask for, and their way through all of them."""

from __future__ import annotations

import pytest

from tests.helpers.inline import begin
from wptproto import Response
from wptproto.handlers.pipes import apply, families, pipe_string_for
from wptproto.handlers.pipes.families import Pipeline
from wptproto.protocol.h1 import H1Connection


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("", "", ""),
        ("file.html", "x=1", ""),
        # By its name.
        ("/dir/file.sub.html", "", "sub(html)"),
        ("file.sub.htm", "", "sub(html)"),
        ("file.sub.xht", "", "sub(html)"),
        ("file.sub.xhtml", "", "sub(html)"),
        ("file.sub.xml", "", "sub(html)"),
        ("file.sub.svg", "", "sub(html)"),
        ("file.https.sub.any.js", "", "sub(none)"),
        ("file.sub.HTML", "", "sub(none)"),
        ("file.sub.txt", "", "sub(none)"),
        ("dir.sub.d/file", "", "sub(none)"),
        ("file.sub", "", ""),
        ("sub.html", "", ""),
        # By the query.
        ("", "pipe=a", "a"),
        ("", "pipe", ""),
        ("", "pipe=", ""),
        ("", "x&pipe=a&y=b", "a"),
        ("", "pipe=a&pipe=b", "b"),
        ("", "pipe=a&pipe=", "a"),
        ("", "pipe=a&pipe", "a"),
        ("", "Pipe=a", ""),
        ("", "p%69pe=a", "a"),
        ("", "+pipe=a", ""),
        ("", "pipe=a=b", "a=b"),
        ("", "pipe=a(b;c)", "a(b;c)"),
        ("", "pipe=a+b%2Bc%20d", "a b+c d"),
        ("", "pipe=a%26b%7C%5C", "a&b|\\"),
        ("", "pipe=%E5%A4%A9%FF\xe9", "天\ufffd\xe9"),
        ("", "pipe=%zz", "%zz"),
        # By both.
        ("file.sub.html", "pipe=a|b", "sub(html)|a|b"),
        ("file.sub.js", "pipe=|", "sub(none)||"),
    ],
)
def test_pipe_string_for(path: str, query: str, expected: str) -> None:
    """A path asks for sub by ``.sub.``, a query for what the last ``pipe=`` with a value says."""
    assert pipe_string_for(path, query) == expected


@pytest.fixture
def response() -> Response:
    exchange, _ = begin(H1Connection(), b"GET /?v=%3C HTTP/1.1\r\nHost: a\r\n\r\n")
    exchange.response.content = "{{GET[v]}} and more"
    return exchange.response


@pytest.mark.parametrize("pipe_string", ["", "|"])
def test_nothing_to_apply(response: Response, pipe_string: str) -> None:
    """Without pipes a response stays as it was, its content unread."""
    assert apply(pipe_string, response.request, response) is response
    assert response.content == "{{GET[v]}} and more"


def test_apply(response: Response) -> None:
    """A response goes through all that was asked for, one after the other."""
    apply("sub(html)|slice(0,8)|header(X-A,b)|status(201)", response.request, response)
    assert response.content == b"&lt; and"
    assert response.headers.items() == [(b"Content-Length", b"8"), (b"X-A", b"b")]
    assert response.status == (201, None)


def test_all_pipes() -> None:
    """Whoever imports the package has wptserve's six pipes and ours, as pipes and as functions."""
    assert sorted(Pipeline.pipes) == ["fault", "gzip", "header", "slice", "status", "sub", "trickle"]
    assert all(Pipeline.pipes[name].function is getattr(families, name) for name in Pipeline.pipes)
