"""wptserve.response: multipart content."""

from __future__ import annotations

from tests.conftest import Serve
from wptproto import Request, Response
from wptproto.wptserve.response import H2Response, MultipartContent, MultipartPart
from wptproto.wptserve.response import Response as ResponseThere


def test_it_is_ours() -> None:
    """A response has the class that scripts find by this name, over both protocols."""
    assert ResponseThere is H2Response is Response


def test_part() -> None:
    """A part is fields, an empty line and octets; a type among the fields counts, and there is but one."""
    part = MultipartPart(b"data", "text/plain", [("X-A", "1"), ("X-A", 2), (b"content-type", b"text/html")])
    assert part.to_bytes() == b"content-type: text/html\r\nX-A: 1\r\nX-A: 2\r\n\r\ndata"
    assert MultipartPart(b"data").to_bytes() == b"\r\ndata"


def test_content(serve: Serve) -> None:
    """Content of several parts is sent with their types, the default where they have none."""

    def handler(request: Request, response: Response) -> None:
        content = MultipartContent("xyz", "text/plain")
        content.append_part(b"one")
        content.append_part(b"two", "text/html", [("X-A", "1")])
        response.headers.set("Content-Type", f"multipart/mixed; boundary={content.boundary}")
        response.content = content

    assert serve(handler).request().content == (
        b"\r\n--xyz\r\nContent-Type: text/plain\r\n\r\none"
        b"\r\n--xyz\r\nContent-Type: text/html\r\nX-A: 1\r\n\r\ntwo"
        b"\r\n--xyz--"
    )


def test_boundaries() -> None:
    """Boundaries that are made up differ."""
    assert MultipartContent().boundary != MultipartContent().boundary
