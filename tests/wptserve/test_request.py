"""wptserve.request: what can be made by hand of a request's parts."""

from __future__ import annotations

from email.message import Message
from io import BytesIO

import pytest

import wptproto
from wptproto.wptserve import request


def test_it_is_ours() -> None:
    """A request has the class that scripts find by this name, over both protocols."""
    assert request.Request is request.H2Request is wptproto.Request


def test_headers_of_a_message() -> None:
    """A message's lines and a dict's lists are found without case, as octets."""
    message = Message()
    message["X-Foo"] = "a\xff"
    message["x-foo"] = "b"
    for headers in (request.RequestHeaders(message), request.RequestHeaders({"x-foo": ["a\xff", "b"]})):  # type: ignore[arg-type]
        assert headers["X-FOO"] == b"a\xff, b"
        assert headers.get_list("x-foo") == [b"a\xff", b"b"]


@pytest.mark.parametrize("kept", [4, 1000])
def test_content_of_a_file(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    """As many octets as belong to the request are read, and kept in memory or in a file."""
    monkeypatch.setattr(request.InputFile, "max_buffer_size", kept)
    with request.InputFile(BytesIO(b"a line\nanother\nbeyond"), 15) as content:
        assert content.readlines() == [b"a line\n", b"another\n"]
        content.seek(2)
        assert (content.read(4), content.tell()) == (b"line", 6)
