"""What a handler reads of a request, end to end over HTTP/1.1 and HTTP/2, in the clear and over TLS."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any

import httpx
import pytest

from tests.conftest import Serve
from tests.helpers.peers import Kind
from wptproto import Request, Response
from wptproto.semantics.form_content import FilePart, FormValue

URLENCODED = ("Content-Type", "application/x-www-form-urlencoded")
MULTIPART = ("Content-Type", "multipart/form-data; boundary=xx")


def is_h2(kind: Kind) -> bool:
    return kind in ("h2", "h2c")


def shown(value: FormValue) -> Any:
    if isinstance(value, FilePart):
        return [value.filename, value.type, value.file.read().decode("latin-1")]
    return value.decode("latin-1")


def echo_form(request: Request, response: Response) -> str:
    return json.dumps(
        {name.decode("latin-1"): [shown(value) for value in values] for name, values in request.POST.items()}
    )


def test_urlencoded(serve: Serve) -> None:
    """An urlencoded form is read octet for octet, repeated names and blank values with it."""
    answer = serve(echo_form).request(
        method="POST", headers=[URLENCODED], content=b"a=1&b=%ff+\xfe&a=&c&a%3D=2"
    )
    assert json.loads(answer.content) == {"a": ["1", ""], "b": ["\xff \xfe"], "c": [""], "a=": ["2"]}


def test_multipart_of_a_real_client(serve: Serve) -> None:
    """Values and files that httpx sends come as they are, in order."""
    sent = httpx.Request(
        "POST",
        "http://localhost/",
        data={"v": ["1", "\u00e9"]},
        files=[
            ("f", ("n\u00e9.bin", bytes(range(256)), "image/x")),
            ("f", ("empty", b"", "text/plain")),
            ("big", ("big", b"\r\n--" * 100_000, None)),
        ],
    )
    answer = serve(echo_form).request(
        method="POST", headers=[("Content-Type", sent.headers["content-type"])], content=sent.read()
    )
    form = json.loads(answer.content)
    assert list(form) == ["v", "f", "big"]
    assert form["v"] == ["1", "\u00e9".encode().decode("latin-1")]
    name = "n\u00e9.bin".encode().decode("latin-1")
    assert form["f"] == [[name, "image/x", bytes(range(256)).decode("latin-1")], ["empty", "text/plain", ""]]
    assert form["big"][0][2] == "\r\n--" * 100_000


def test_multipart_with_other_octets(serve: Serve) -> None:
    """Names, filenames and values that are no UTF-8 survive."""
    content = (
        b'--xx\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n\xfe\r\n'
        b'--xx\r\nContent-Disposition: form-data; name="f\xe9"; filename="\xfd"\r\n\r\n\xfc\r\n--xx--\r\n'
    )
    answer = serve(echo_form).request(method="POST", headers=[MULTIPART], content=content)
    assert json.loads(answer.content) == {"\xff": ["\xfe"], "f\xe9": [["\xfd", "text/plain", "\xfc"]]}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\nval', "it was cut short"),
        (b'--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\nval\r\n--xx\r\n', "it was cut short"),
        (b"--xx\r\nContent-Dispo", "it was cut short"),
        (b"--yy\r\n", "there is no line"),
        (b"--xx\r\n: v\r\n\r\n--xx--", "0-length header"),
    ],
)
def test_malformed_multipart(serve: Serve, content: bytes, why: str) -> None:
    """Multipart content that is cut short or malformed is a 400 that says why; the connection lives on."""
    peer = serve(echo_form)
    answer = peer.request(method="POST", headers=[MULTIPART], content=content)
    assert answer.status == 400
    assert why in json.loads(answer.content)["error"]["message"]
    assert peer.is_open()
    assert peer.request(method="POST", headers=[URLENCODED], content=b"a=1").text == '{"a": ["1"]}'


def test_a_form_that_still_arrives(serve: Serve) -> None:
    """POST waits for content that is on its way, and leaves raw_input where it was."""
    asked = threading.Event()
    seen: list[Any] = []

    def handler(request: Request, response: Response) -> str:
        seen.append(request.raw_input.read(2))
        asked.set()
        seen.extend([request.POST[b"b"], request.raw_input.tell(), request.POST is request.POST])
        return request.raw_input.read().decode()

    peer = serve(handler)
    peer.send_request(method="POST", headers=[URLENCODED], end=False)
    peer.send_content(b"a=", end=False)
    assert asked.wait(10)
    peer.send_content(b"1&b", end=False)
    peer.send_content(b"=2", end=True)
    assert peer.read_answer().text == "1&b=2"
    assert seen == [b"a=", b"2", 2, True]


def test_cookies(serve: Serve, kind: Kind) -> None:
    """Cookies keep their octets; over HTTP/2 they may come in crumbs (RFC 9113 §8.2.3)."""

    def handler(request: Request, response: Response) -> str:
        cookies = request.cookies
        return json.dumps([[cookies[name].key, cookies[name].value.decode("latin-1")] for name in cookies])

    crumbs = ["a=1; nonsense", 'b="x y"', "c=2", "a=3"]
    lines = crumbs if is_h2(kind) else ["; ".join(crumbs)]
    answer = serve(handler).request(headers=[("Cookie", line) for line in lines])
    assert json.loads(answer.content) == [["a", "3"], ["b", '"x y"'], ["c", "2"]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Basic " + base64.b64encode(b"us\xffer:pass:word").decode(), (200, "us\xffer pass:word")),
        (None, (200, "None")),
        ("Bearer token", (400, "Unsupported authentication scheme b'Bearer'")),
        ("Basic ===", (400, "the credentials in Authorization have no colon behind the user's name")),
    ],
)
def test_auth(serve: Serve, value: str | None, expected: tuple[int, str]) -> None:
    """Basic credentials are octets, None without; what is none of them is a 400 that says so."""

    def handler(request: Request, response: Response) -> bytes:
        auth = request.auth
        if auth.username is None or auth.password is None:
            return b"None"
        return auth.username + b" " + auth.password

    answer = serve(handler).request(headers=[("Authorization", value)] if value is not None else [])
    text = answer.content.decode("latin-1")
    assert (answer.status, json.loads(text)["error"]["message"] if answer.status == 400 else text) == expected


def test_the_head_as_received(serve: Serve, kind: Kind) -> None:
    """Field lines keep order, case and repetition; the request line and the stream's number are there."""
    seen: dict[str, Any] = {}

    def handler(request: Request, response: Response) -> str:
        seen.update(
            raw=list(request.raw_headers.raw_items()),
            matching=request.raw_headers.getallmatchingheaders("x-a"),
            line=request.request_line,
            stream=getattr(request, "h2_stream_id", None),
            base=request.url_base,
        )
        return "ok"

    assert serve(handler).request("/p?q", headers=[("X-A", "1"), ("B", "2"), ("x-a", "3")]).text == "ok"
    assert seen["base"] == "/"
    if is_h2(kind):
        assert seen["raw"] == [("host", "localhost"), ("x-a", "1"), ("b", "2"), ("x-a", "3")]
        assert seen["matching"] == ["x-a: 1", "x-a: 3"]
        assert (seen["line"], seen["stream"]) == (b"", 1)
    else:
        assert seen["raw"] == [("Host", "localhost"), ("X-A", "1"), ("B", "2"), ("x-a", "3")]
        assert seen["matching"] == ["X-A: 1", "x-a: 3"]
        assert (seen["line"], seen["stream"]) == (b"GET /p?q HTTP/1.1\r\n", None)
