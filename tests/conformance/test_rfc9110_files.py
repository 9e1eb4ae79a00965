"""RFC 9110 as files are served: validators, conditions, ranges and HEAD, over each protocol."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.helpers.peers import Answer, Kind, connect
from wptproto import Server
from wptproto.handlers.ready_made import ErrorHandler

CONTENT = b"0123456789"
RFC850, ASCTIME = "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"
THEN, BEFORE, AFTER = (f"Sun, 06 Nov 1994 08:49:{second} GMT" for second in (37, 36, 38))
TAG = "$TAG"
WANTED = ("Range", "bytes=2-4")


@dataclass(frozen=True)
class Row:
    """
    What is asked of a file of ten octets, and what comes.

    Attributes:
        content: Of the answer; None where another test is for it.
        fields: Of the request; ``$TAG`` is the file's own.
        has: Fields that the answer has, with these values.
    """

    section: str
    status: int
    content: bytes | None = b""
    fields: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    has: tuple[tuple[str, str], ...] = ()


def whole(section: str, *fields: tuple[str, str]) -> Row:
    return Row(section, 200, CONTENT, fields, has=(("content-length", "10"),))


def parts(section: str, wanted: str) -> Row:
    """Return a row of several ranges, which may come in a multipart."""
    return Row(section, 206, None, (("Range", wanted),))


def unsatisfiable(wanted: str) -> Row:
    return Row("§15.5.17", 416, fields=(("Range", wanted),), has=(("content-range", "bytes */10"),))


def part(section: str, content: bytes, span: str, *fields: tuple[str, str]) -> Row:
    return Row(section, 206, content, fields, has=(("content-range", f"bytes {span}/10"),))


ROWS = [
    whole("§9.3.1"),
    Row("§9.3.2", 200, method="HEAD", has=(("content-length", "10"),)),
    Row("§9.3.2", 200, method="HEAD", fields=(WANTED,), has=(("content-length", "10"),)),
    Row("§9.3.7", 204, method="OPTIONS", has=(("allow", "GET, HEAD, OPTIONS"),)),
    # --- conditions
    whole("§13.1.1", ("If-Match", TAG)),
    whole("§13.1.1", ("If-Match", "*")),
    whole("§13.1.1", ("If-Match", TAG), ("If-Unmodified-Since", BEFORE)),
    Row("§13.1.1", 412, fields=(("If-Match", '"x"'),)),
    Row("§13.1.1", 412, fields=(("If-Match", "W/" + TAG),)),
    Row("§13.1.1", 412, fields=(("If-Match", '"x"'), ("If-None-Match", TAG))),
    Row("§13.1.1", 412, method="HEAD", fields=(("If-Match", '"x"'),)),
    whole("§13.1.1", ("If-Match", '"x", ' + TAG)),
    whole("§13.1.1", ("If-Match", '"x"'), ("If-Match", TAG)),
    Row("§13.1.1", 412, fields=(("If-Match", "x"),)),
    Row("§13.1.2", 304, fields=(("If-None-Match", TAG),)),
    Row("§13.1.2", 304, fields=(("If-None-Match", "W/" + TAG),)),
    Row("§13.1.2", 304, fields=(("If-None-Match", '"x", ' + TAG),)),
    Row("§13.1.2", 304, fields=(("If-None-Match", "*"),)),
    Row("§13.1.2", 304, method="HEAD", fields=(("If-None-Match", TAG),)),
    whole("§13.1.2", ("If-None-Match", '"x"')),
    whole("§13.1.3", ("If-None-Match", '"x"'), ("If-Modified-Since", AFTER)),
    Row("§13.1.3", 304, fields=(("If-Modified-Since", THEN),)),
    Row("§13.1.3", 304, fields=(("If-Modified-Since", AFTER),)),
    whole("§13.1.3", ("If-Modified-Since", BEFORE)),
    Row("§5.6.7", 304, fields=(("If-Modified-Since", RFC850),)),
    Row("§5.6.7", 304, fields=(("If-Modified-Since", ASCTIME),)),
    Row("§5.6.7", 412, fields=(("If-Unmodified-Since", "Saturday, 05-Nov-94 08:49:37 GMT"),)),
    whole("§13.1.3", ("If-Modified-Since", "soon")),
    whole("§13.1.3", ("If-Modified-Since", "0")),
    whole("§13.1.3", ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 +0000")),
    whole("§13.1.3", ("If-Modified-Since", THEN), ("If-Modified-Since", THEN)),
    whole("§13.1.4", ("If-Unmodified-Since", THEN)),
    whole("§13.1.4", ("If-Unmodified-Since", "soon")),
    Row("§13.1.4", 412, fields=(("If-Unmodified-Since", BEFORE),)),
    part("§13.1.5", b"234", "2-4", WANTED, ("If-Range", TAG)),
    whole("§13.1.5", WANTED, ("If-Range", THEN)),  # weak, for the file may have changed twice in that second
    whole("§13.1.5", WANTED, ("If-Range", '"x"')),
    whole("§13.1.5", WANTED, ("If-Range", "W/" + TAG)),
    whole("§13.1.5", WANTED, ("If-Range", AFTER)),
    whole("§13.1.5", ("If-Range", TAG)),
    Row("§13.2.2", 304, fields=(WANTED, ("If-None-Match", TAG))),
    Row("§13.2.2", 412, fields=(WANTED, ("If-Match", '"x"'))),
    # --- ranges
    part("§14.1.2", b"234", "2-4", WANTED),
    part("§14.1.2", b"0", "0-0", ("Range", "bytes=0-0")),
    part("§14.1.2", b"789", "7-9", ("Range", "bytes=7-")),
    part("§14.1.2", b"789", "7-9", ("Range", "bytes=7-99")),
    part("§14.1.2", b"89", "8-9", ("Range", "bytes=-2")),
    part("§14.1.2", CONTENT, "0-9", ("Range", "bytes=-99")),
    whole("§14.2", ("Range", "lines=0-1")),
    part("§14.1.1", b"012", "0-2", ("Range", "BYTES=0-2")),
    part("§14.1.2", b"0", "0-0", ("Range", "bytes=0-0,10-20")),
    part("§14.1.2", b"9", "9-9", ("Range", "bytes=-0,99-,-1")),
    part("§14.2", b"1234", "1-4", ("Range", "bytes=1-2,3-4")),
    part("§14.2", CONTENT, "0-9", ("Range", "bytes=0-,0-,0-,0-,0-,0-,0-,0-")),
    part("§15.3.7.2", b"2345", "2-5", ("Range", "bytes=4-5,2-3")),
    parts("§15.3.7.2", "bytes=0-0,-1"),
    parts("§15.3.7.2", "bytes=5-6,0-1,99-"),
    part("§5.6.1.2", b"01", "0-1", ("Range", "bytes=,0-1, ,")),
    part("§14.2", b"234", "2-4", WANTED, ("If-Unmodified-Since", THEN)),
    part("§13.2.2", b"234", "2-4", WANTED, ("If-Match", TAG), ("If-None-Match", '"x"'), ("If-Range", TAG)),
    whole("§13.1.5", WANTED, ("If-Match", TAG), ("If-Range", '"x"')),
    whole("§13.1.5", ("Range", "bytes=99-"), ("If-Range", '"x"')),
    *(unsatisfiable(wanted) for wanted in ("bytes=10-", "bytes=-0", "bytes=10-,-0", "bytes=99-100")),
    # What is no range: "A server [...] MAY ignore or reject" it (§14.2), and this one rejects.
    *(
        unsatisfiable(wanted)
        for wanted in (
            "bytes=",
            "bytes=x",
            "bytes=2-1",
            "bytes=0-1;2-3",
            "bytes=0-1,2-1",
            "bytes=+1-2",
            "0-1",
        )
    ),
    unsatisfiable("bytes=99999999999999999999-"),
    # --- methods
    Row("§15.5.6", 405, method="DELETE", has=(("allow", "GET, HEAD, OPTIONS"),)),
    Row("§15.5.6", 405, method="PUT", fields=(("If-Match", '"x"'),), has=(("allow", "GET, HEAD, OPTIONS"),)),
    Row("§15.6.2", 501, method="BREW"),
    Row("§9.1", 501, method="get"),
    Row("§9.3.8", 405, method="TRACE", has=(("allow", "GET, HEAD, OPTIONS"),)),
    Row(
        "§9.3.7", 204, method="OPTIONS", fields=(("If-Match", '"x"'),), has=(("allow", "GET, HEAD, OPTIONS"),)
    ),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, certs_dir: Path) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("root")
    (root / "it.txt").write_bytes(CONTENT)
    (root / "it.sub.txt").write_text("{{GET[x]}}")
    (root / "large.bin").write_bytes(bytes(100_000))
    (root / "dir").mkdir()
    for name, line in SCRIPTS.items():
        (root / name).write_text(f"def main(request, response):\n    {line}\n")
    os.utime(root / "it.txt", ns=(0, 784_111_777_500_000_000))
    with Server(root, certs_dir=certs_dir) as server:
        yield server


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.section} {row.method} {row.fields}")
def test_file(row: Row, server: Server, kind: Kind) -> None:
    """Each answer is the one the section wants, has a Date, and has the ETag where it is the file."""
    with connect(server, kind) as peer:
        tag = peer.request("/it.txt").get("etag") or ""
        fields = [(name, value.replace(TAG, tag)) for name, value in row.fields]
        answer = peer.request("/it.txt", method=row.method, headers=fields)
        assert (answer.status, answer.complete) == (row.status, True)
        if row.status < 400 and row.content is not None:
            assert answer.content == row.content
        for name, value in row.has:
            assert answer.get(name) == value
        assert parsedate_to_datetime(answer.get("date") or "").tzinfo is not None
        if row.status in (200, 206, 304):
            assert answer.get_all("etag") == [tag]
        if row.status in (200, 206):
            assert answer.get("content-type") == "text/plain" or row.content is None
        assert peer.is_open()


SCRIPTS = {
    "text.py": "return 'text'",
    "octets.py": "return [('X-A', '1')], b'octets'",
    "tuple.py": "return (404, 'Gone Fishing'), [('Content-Type', 'a/b')], 'no'",
    "raises.py": "1 / 0",
    "filled.py": "response.content = ['a', 'b']; response.set_cookie('a', 'b')",
    "file.py": "response.content = open(__file__, 'rb')",
}


@pytest.mark.parametrize(
    "path",
    [
        "/it.txt",
        "/it.txt?pipe=slice(1,3)",
        "/it.txt?pipe=gzip",
        "/it.txt?pipe=status(404)|header(X-A,b)",
        "/it.txt?pipe=nonsense",
        "/it.sub.txt?x=%3C",
        "/large.bin",
        "/",
        "/dir",
        "/dir?x=1",
        "/none",
        "/none.py",
        "/none.asis",
        *(f"/{name}" for name in SCRIPTS),
    ],
)
@pytest.mark.parametrize(
    "line", [None, ("If-None-Match", "*"), ("If-Match", '"x"'), ("If-Modified-Since", AFTER)]
)
def test_head_is_get_without_content(
    server: Server, kind: Kind, path: str, line: tuple[str, str] | None
) -> None:
    """
    "The server SHOULD send the same header fields in response to a HEAD request as it would have sent if the
    request method had been GET." (RFC 9110 §9.3.2)
    """
    with connect(server, kind) as peer:
        got, headed = (
            peer.request(path, method=method, headers=[line] if line else []) for method in ("GET", "HEAD")
        )
        assert (headed.content, headed.complete) == (b"", True)
        assert (headed.status, headed.reason) == (got.status, got.reason)
        assert names_and_values(headed) == names_and_values(got)
        assert peer.is_open()


def names_and_values(answer: Answer) -> list[tuple[bytes, bytes]]:
    return [(name, b"" if name.lower() == b"date" else value) for name, value in answer.fields]


def test_parts_are_sent_in_order(server: Server, kind: Kind) -> None:
    """
    "A server that generates a multipart response ... SHOULD send the parts in the same order that the
    corresponding range-spec appeared in the received Range header field" (RFC 9110 §15.3.7.2).
    """
    with connect(server, kind) as peer:
        answer = peer.request("/it.txt", headers=[("Range", "bytes=8-, 0-1, 99-, 4-4")])
        kind_of_content, _, boundary = (answer.get("content-type") or "").partition("; boundary=")
        assert (answer.status, kind_of_content) == (206, "multipart/byteranges")
        # "a server that generates a multipart response MUST NOT generate a Content-Range" for the whole of it
        assert answer.get("content-range") is None
        assert [part.partition(b"\r\n\r\n")[2] for part in answer.content.split(b"\r\n--" + boundary.encode())] == [
            b"", b"89", b"01", b"4", b"",
        ]  # fmt: skip


@pytest.mark.parametrize(("path", "allowed"), [("*", "GET, HEAD, OPTIONS, PUT"), ("/put", "OPTIONS, PUT")])
def test_options(path: str, allowed: str, certs_dir: Path, kind: Kind) -> None:
    """OPTIONS tells what a path, or the whole server, can do (RFC 9110 §9.3.7)."""
    routes = [("PUT", "/put", ErrorHandler(599)), ("GET", "/get", ErrorHandler(599))]
    with Server(routes=routes, certs_dir=certs_dir) as server, connect(server, kind) as peer:
        answer = peer.request(path, method="OPTIONS")
        assert (answer.status, answer.content) == (204, b"")
        assert set(allowed.split(", ")) <= set((answer.get("allow") or "").split(", "))
        assert path == "*" or answer.get("allow") == allowed


def test_unknown_methods(server: Server, kind: Kind) -> None:
    """A method that no resource has is 501, whatever the path; one that others have is 405 (RFC 9110 §15.6.2)."""
    with connect(server, kind) as peer:
        for path in ("/it.txt", "/none", "/", "/dir", "/none/of/these"):
            for method in ("BREW", "get", "Get", "X-1", "PROPFIND"):
                assert peer.request(path, method=method).status == 501
            answer = peer.request(path, method="PATCH", content=b"")
            assert (answer.status, answer.get("allow")) == (405, "GET, HEAD, OPTIONS")
