"""RFC 9110 as files are served: validators, conditions, ranges and HEAD, over each protocol."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.helpers.peers import Kind, connect
from wptproto import Server

CONTENT = b"0123456789"
THEN, BEFORE, AFTER = (f"Sun, 06 Nov 1994 08:49:{second} GMT" for second in (37, 36, 38))
TAG = "$TAG"
WANTED = ("Range", "bytes=2-4")


@dataclass(frozen=True)
class Row:
    """
    What is asked of a file of ten octets, and what comes.

    Attributes:
        fields: Of the request; ``$TAG`` is the file's own.
        has: Fields that the answer has, with these values.
    """

    section: str
    status: int
    content: bytes = b""
    fields: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    has: tuple[tuple[str, str], ...] = ()


def whole(section: str, *fields: tuple[str, str]) -> Row:
    return Row(section, 200, CONTENT, fields, has=(("content-length", "10"),))


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
    whole("§13.1.3", ("If-Modified-Since", "soon")),
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
    Row("§15.5.17", 416, fields=(("Range", "bytes=10-"),), has=(("content-range", "bytes */10"),)),
    Row("§15.5.17", 416, fields=(("Range", "bytes=-0"),), has=(("content-range", "bytes */10"),)),
    # --- methods
    Row("§15.5.6", 405, method="DELETE", has=(("allow", "GET, HEAD, OPTIONS"),)),
    Row("§15.5.6", 405, method="PUT", fields=(("If-Match", '"x"'),), has=(("allow", "GET, HEAD, OPTIONS"),)),
    Row("§15.6.2", 501, method="BREW"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, certs_dir: Path) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("root")
    (root / "it.txt").write_bytes(CONTENT)
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
        if row.status < 400:
            assert answer.content == row.content
        for name, value in row.has:
            assert answer.get(name) == value
        assert parsedate_to_datetime(answer.get("date") or "").tzinfo is not None
        if row.status in (200, 206, 304):
            assert answer.get_all("etag") == [tag]
        if row.status in (200, 206):
            assert answer.get("content-type") == "text/plain"
        assert peer.is_open()


def test_head_is_get_without_content(server: Server, kind: Kind) -> None:
    """
    "The server SHOULD send the same header fields in response to a HEAD request as it would have sent if the
    request method had been GET." (RFC 9110 §9.3.2)
    """
    with connect(server, kind) as peer:
        for path in ("/it.txt", "/", "/none"):
            got, headed = (peer.request(path, method=method) for method in ("GET", "HEAD"))
            assert headed.content == b""
            assert [name for name, _ in headed.fields] == [name for name, _ in got.fields]
            assert [headed.get(name) for name in ("content-length", "etag")] == [
                got.get(name) for name in ("content-length", "etag")
            ]
