"""Every rule for answers, on every answer, over each protocol; and answers that break each of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conformance.rfc9110_answers import ASKED, RULES, Asked, Seen
from tests.helpers.peers import Answer, Kind, connect
from wptproto import Request, Response, Server
from wptproto.handlers.ready_made import BasicAuthHandler, ErrorHandler, StringHandler, json_handler
from wptproto.handlers.router import Route

DATE = (b"date", b"Sun, 06 Nov 1994 08:49:37 GMT")


def moved(request: Request, response: Response) -> object:
    return (302, "Found"), [("Location", "/it.txt")], ""


def cookies(request: Request, response: Response) -> str:
    response.headers.set("Content-Type", "text/plain")
    response.set_cookie("a", "1", max_age=timedelta(days=1), path="/a", httponly=True)
    response.set_cookie("b", "2", domain="h.test", secure=True, samesite="lax")
    response.unset_cookie("a")
    response.delete_cookie("c")
    return "cookies"


def stream(request: Request, response: Response) -> Iterator[str]:
    response.headers.set("Content-Type", "text/plain")
    yield from "abc"


def status(request: Request, response: Response) -> object:
    return int(request.path.removeprefix("/")), [], ""


@json_handler
def listed(request: Request, response: Response) -> object:
    return {"a": [1]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, certs_dir: Path) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("root")
    (root / "folder").mkdir()
    (root / "it.txt").write_bytes(b"0123456789")
    (root / "script.py").write_text(
        "def main(request, response):\n    return [('Content-Type', 'text/plain')], 'script'\n"
    )
    (root / "broken.py").write_text("def main(request, response):\n    raise ValueError('broken')\n")
    (root / "asis.asis").write_bytes(
        b"HTTP/1.1 202 Fine\nX-Test: PASS\nContent-Type: text/plain\nDate: " + DATE[1] + b"\n\nasis"
    )
    routes: list[Route] = [
        ("GET", "/text", StringHandler("text", "text/plain")),
        ("GET", "/json", listed),
        ("GET", "/secret", BasicAuthHandler(listed, "me", "it")),
        ("GET", "/error", ErrorHandler(418)),
        ("GET", "/moved", moved),
        ("GET", "/cookies", cookies),
        ("GET", "/stream", stream),
        *(("GET", f"/{code}", status) for code in (204, 205, 304)),
    ]  # fmt: skip
    with Server(root, routes=routes, certs_dir=certs_dir) as server:
        yield server


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.method} {asked.path} {asked.fields}")
def test_answer(asked: Asked, server: Server, kind: Kind) -> None:
    """An answer keeps all rules."""
    with connect(server, kind) as peer:
        plain = peer.request(asked.path)
        tag = plain.get("etag") or '"x"'
    fields = [(name, value.replace("$TAG", tag)) for name, value in asked.fields]
    with connect(server, kind) as peer:
        answer = peer.request(asked.path, method=asked.method, headers=fields, content=asked.content)
    seen = Seen(asked, kind, answer, plain)
    assert [rule.id for rule in RULES if not rule.holds(seen)] == [], answer


def made(status: int, *fields: tuple[bytes, bytes], content: bytes = b"", complete: bool = True) -> Answer:
    return Answer(status, b"", list(fields), [content], complete=complete)


def given(status: int, *fields: tuple[bytes, bytes], method: str = "GET", content: bytes = b"") -> Seen:
    plain = made(200, DATE, (b"etag", b'"x"'), content=b"0123456789")
    return Seen(Asked("/", method), "h1", made(status, *fields, content=content), plain)


LENGTH, CHUNKED = (b"content-length", b"5"), (b"transfer-encoding", b"chunked")
COOKIE = b"set-cookie"
BREAK: dict[str, Seen] = {
    "date": given(200),
    "date-form": given(200, (b"date", b"Sunday, 06-Nov-94 08:49:37 GMT")),
    "single-fields": given(200, DATE, DATE),
    "names": given(200, (b"a b", b"c")),
    "values": given(200, (b"a", b"b\rc")),
    "lists": given(200, (b"vary", b"a,, b")),
    "content-type": given(200, content=b"x"),
    "content-type-form": given(200, (b"content-type", b"text")),
    "length-form": given(200, (b"content-length", b"+0")),
    "length": given(200, LENGTH, content=b"x"),
    "length-of-get": given(200, LENGTH, method="HEAD"),
    "length-of-204": given(204, LENGTH),
    "coding-of-204": given(204, CHUNKED),
    "length-or-coding": given(200, LENGTH, CHUNKED),
    "etag-form": given(200, (b"etag", b"x")),
    "not-modified-later": given(200, DATE, (b"last-modified", b"Sun, 06 Nov 1994 08:49:38 GMT")),
    "head": given(200, method="HEAD", content=b"x"),
    "head-fields": given(200, method="HEAD"),
    "post-statuses": given(304, method="POST"),
    "location-form": given(301, (b"location", b"/a b")),
    "server-form": given(200, (b"server", b"/")),
    "server-detail": given(200, (b"server", b"x" * 41)),
    "challenge": given(401),
    "allow": given(405),
    "allow-not-asked": given(405, (b"allow", b"GET, HEAD")),
    "options": given(204, method="OPTIONS"),
    "location": given(301),
    "content-range": given(206),
    "content-range-form": given(206, (b"content-range", b"1-2")),
    "content-range-of-416": given(416),
    "fields-of-206": given(206, DATE),
    "fields-of-304": given(304, DATE),
    "content-of-204": given(204, content=b"x"),
    "content-of-205": given(205, content=b"x"),
    "content-of-304": given(304, content=b"x"),
    "upgrade": given(426),
    "complete": Seen(Asked("/"), "h1", made(200, DATE, complete=False), made(200, DATE)),
    "cookie-form": given(200, (COOKIE, b"a b=c")),
    "cookies-differ": given(200, (COOKIE, b"a=1"), (COOKIE, b"a=2")),
    "cookie-attributes-differ": given(200, (COOKIE, b"a=1; Path=/; path=/b")),
    "cookie-dates": given(200, (COOKIE, b"a=1; Expires=Sun, 06-Nov-94 08:49:37 GMT")),
    "hsts": given(200, (b"strict-transport-security", b"max-age=1")),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_that_is_broken(rule: object) -> None:
    """Each rule finds an answer that breaks it."""
    (found,) = (each for each in RULES if each is rule)
    assert not found.holds(BREAK[found.id])


def test_no_coding_for_http_1_0(server: Server) -> None:
    """
    "A server MUST NOT send a response containing Transfer-Encoding unless the corresponding request
    indicates HTTP/1.1" (RFC 9112 §6.1)
    """
    with connect(server, "h1") as peer:
        peer.sock.sendall(b"GET /stream HTTP/1.0\r\nHost: h\r\n\r\n")
        octets = b"".join(iter(lambda: peer.sock.recv(65536), b""))
    head, _, content = octets.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"transfer-encoding" not in head.lower()
    assert content == b"abc"


def test_the_last_response_says_so(server: Server) -> None:
    """
    "The server SHOULD send a "close" connection option in its final response on that connection."
    (RFC 9112 §9.6)
    """
    with connect(server, "h1") as peer:
        answer = peer.request("/text", headers=[("Connection", "close")])
        assert answer.get("connection") == "close"
        assert peer.sock.recv(1) == b""
