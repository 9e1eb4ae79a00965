"""Files: their types and fields, parts of them, directories, and paths that lead nowhere."""

from __future__ import annotations

import re

from tests.table.case import Case, Field, Step, fails

__all__ = ["CASES"]

ETAG = ("ETag", "...")
HTML = (("Content-Type", "text/html"), ETAG)
TEXT = (("Content-Type", "text/plain"), ETAG)
OCTETS = (("Content-Type", "application/octet-stream"), ETAG)
DIGITS = {"it.txt": "0123456789"}


NUL = {"status": "fails over NUL in a path"}


def wants(range_: str) -> tuple[Field, ...]:
    return (("Range", range_),)


def part(range_: str, content_range: str, says: str) -> Step:
    """Return a step for one part of DIGITS."""
    return Step(
        path="it.txt",
        headers=wants(range_),
        status=206,
        fields=(*TEXT, ("Content-Range", f"bytes {content_range}/10")),
        says=says,
    )


def unsatisfiable(range_: str, length: int = 10) -> Step:
    return fails(
        416,
        path="it.txt",
        headers=wants(range_),
        fields=(("Content-Range", f"bytes */{length}"),),
        differs={"fields": "means to say how long the whole is, and drops it with the error"},
    )


TYPES = {
    "a.html": "text/html",
    "a.htm": "text/html",
    "a.xhtml": "application/xhtml+xml",
    "a.xht": "application/xhtml+xml",
    "a.xml": "application/xml",
    "a.svg": "image/svg+xml",
    "a.png": "image/png",
    "a.jpg": "image/jpeg",
    "a.jpeg": "image/jpeg",
    "a.gif": "image/gif",
    "a.bmp": "image/bmp",
    "a.avif": "image/avif",
    "a.css": "text/css",
    "a.js": "text/javascript",
    "a.mjs": "text/javascript",
    "a.json": "application/json",
    "a.wasm": "application/wasm",
    "a.txt": "text/plain",
    "a.md": "text/plain",
    "a.vtt": "text/vtt",
    "a.event_stream": "text/event-stream",
    "a.manifest": "text/cache-manifest",
    "a.xpi": "application/x-xpinstall",
    "a.mp3": "audio/mpeg",
    "a.m4a": "audio/mp4",
    "a.oga": "audio/ogg",
    "a.weba": "audio/webm",
    "a.wav": "audio/x-wav",
    "a.mp4": "video/mp4",
    "a.m4v": "video/mp4",
    "a.webm": "video/webm",
    # None of these has a type of its own.
    "a.HTML": "application/octet-stream",
    "a.ogv": "application/octet-stream",
    "a.woff2": "application/octet-stream",
    "a.tar.gz": "application/octet-stream",
    "a": "application/octet-stream",
    ".html": "application/octet-stream",
    "a.html.headers": "application/octet-stream",
}

CASES = [
    Case(
        "types",
        {name: "x" for name in TYPES if not name.endswith(".headers")} | {"a.html.headers": ""},
        *(
            Step(
                path=name,
                fields=(("Content-Type", kind), ETAG),
                says="" if name.endswith(".headers") else "x",
            )
            for name, kind in TYPES.items()
        ),
    ),
    Case(
        "octets",
        {"it.bin": bytes(range(256)) * 500},
        Step(path="it.bin", fields=OCTETS, says=bytes(range(256)) * 500),
    ),
    Case("nothing", {"it.txt": ""}, Step(path="it.txt", fields=TEXT)),
    Case("head", {"it.txt": "abc"}, Step(path="it.txt", method="HEAD", fields=TEXT)),
    Case(
        "names",
        {"a b&c.txt": "1", "é.txt": "2", "%41.txt": "3", "a+b.txt": "4", "dir/..txt": "5", "~;=,$.txt": "6"},
        Step(path="a%20b&c.txt", fields=TEXT, says="1"),
        Step(path="%C3%A9.txt", fields=TEXT, says="2"),
        Step(path="%2541.txt", fields=TEXT, says="3"),
        Step(path="a+b.txt", fields=TEXT, says="4"),
        Step(
            path="dir/..txt",
            fields=OCTETS,
            says="5",
            differs={"status": "takes two dots in a name for a way out"},
        ),
        Step(path="~;=,$.txt", fields=TEXT, says="6"),
        Step(path="~%3B%3D%2C%24.txt?q", fields=TEXT, says="6"),
    ),
    Case(
        "slashes",
        {"dir/it.txt": "abc"},
        Step(path="dir%2Fit.txt", fields=TEXT, says="abc"),
        Step(path="dir//it.txt", fields=TEXT, says="abc"),
        fails(404, path="dir/it.txt/"),
        fails(404, path="dir%5Cit.txt"),
    ),
    Case(
        "not there",
        {"it.txt": "abc"},
        fails(404, path="none.txt"),
        fails(404, path="it.txt/x"),
        fails(404, path="none/it.txt"),
        fails(404, path="%ff"),
        fails(404, path="%00", differs=NUL),
        fails(404, path="it.txt%00", differs=NUL),
        fails(404, path="x" * 300),
        fails(404, path="x" * 5000),
        fails(404, path="x/" * 2500),
    ),
    Case(
        "above the root",
        {"it.txt": "abc"},
        *(
            fails(404, path=path)
            for path in (
                "/../it.txt",
                "/..",
                "/%2e%2e/it.txt",
                "/.%2e/it.txt",
                "/%2e%2e%2fit.txt",
                "/..%5cit.txt",
                "/%2e%2e%5cit.txt",
                "../above-the-root/it.txt",
                "/../../../../../../etc/passwd",
                "//etc/passwd",
                "/%2fetc/passwd",
            )
        ),
        fails(404, path="/etc/passwd%00.txt", differs=NUL),
    ),
    Case(
        "method",
        {"it.txt": "abc"},
        *(
            fails(
                405,
                path="it.txt",
                method=method,
                content=b"",
                fields=(("Allow", "GET, HEAD, OPTIONS"),),
                differs={"status": "says 404, as if there were no such file"},
            )
            for method in ("POST", "PUT", "DELETE")
        ),
    ),
    # --- fields --------------------------------------------------------------------------------
    Case(
        "fields of a file",
        {"it.html": "abc", "it.html.headers": b"X-A: 1\r\nX-B:2\n\nx-b :  a: b \nX-High: \xff\nX-Empty:\n"},
        Step(
            path="it.html",
            fields=(*HTML, ("X-A", "1"), ("X-B", "2"), ("X-B", "a: b"), ("X-High", b"\xff"), ("X-Empty", "")),
            says="abc",
        ),
        Step(
            path="it.html",
            method="HEAD",
            fields=(*HTML, ("X-A", "1"), ("X-B", "2"), ("X-B", "a: b"), ("X-High", b"\xff"), ("X-Empty", "")),
        ),
    ),
    Case(
        "type among the fields",
        {"it.html": "abc", "it.html.headers": "content-type: a/b; c=d\n"},
        Step(path="it.html", fields=(("Content-Type", "a/b; c=d"), ETAG), says="abc"),
    ),
    Case(
        "fields of a directory",
        {
            "__dir__.headers": "X-A: directory\nX-B: 1\n",
            "it.html": "abc",
            "it.html.headers": "X-A: file\n",
            "other.html": "def",
            "below/it.html": "ghi",
        },
        Step(path="it.html", fields=(*HTML, ("X-A", "directory"), ("X-A", "file"), ("X-B", "1")), says="abc"),
        Step(path="other.html", fields=(*HTML, ("X-A", "directory"), ("X-B", "1")), says="def"),
        Step(path="below/it.html", fields=HTML, says="ghi"),
    ),
    Case(
        "fields from templates",
        {
            "__dir__.sub.headers": "X-Dir: {{location[path]}}\n",
            "it.txt": "{{host}}",
            "it.txt.headers": "X-A: plain\n",
            "it.txt.sub.headers": "X-A: {{GET[a]}} {{host}}:{{ports[http][0]}}\n",
        },
        Step(
            path="it.txt?a=%3C%26",
            fields=(*TEXT, ("X-Dir", "$CASE/it.txt"), ("X-A", "<& web-platform.test:$HTTP")),
            says="{{host}}",
        ),
    ),
    Case(
        "bad line among the fields",
        {"it.txt": "abc", "it.txt.headers": "X-A: 1\nnonsense\n", "no.txt": "abc", "no.txt.headers": ": 1\n"},
        fails(500, "line 2", path="it.txt"),
        fails(500, "line 1", path="no.txt", differs={"status": "sends a field without a name"}),
    ),
    Case(
        "bad template among the fields",
        {"it.txt": "abc", "it.txt.sub.headers": "X-A: {{nonsense}}\n"},
        fails(500, "nonsense", path="it.txt"),
    ),
    Case(
        "status among the fields",
        {"it.txt": "abc", "it.txt.headers": "Status: 404\nContent-Length: 3\n"},
        Step(path="it.txt", fields=(*TEXT, ("Status", "404")), says="abc"),
    ),
    # --- ranges --------------------------------------------------------------------------------
    Case(
        "range",
        DIGITS,
        part("bytes=0-0", "0-0", "0"),
        part("bytes=2-4", "2-4", "234"),
        part("bytes=5-", "5-9", "56789"),
        part("bytes=-3", "7-9", "789"),
        part("bytes=-99", "0-9", "0123456789"),
        part("bytes=8-99", "8-9", "89"),
        part("bytes=0-", "0-9", "0123456789"),
        part("bytes=1-2,3-4", "1-4", "1234"),
        part("bytes=1-5,3-4", "1-5", "12345"),
        part("bytes=-", "0-9", "0123456789"),
    ),
    Case(
        "ranges",
        DIGITS,
        Step(
            path="it.txt",
            headers=wants("bytes=7-8,0-1"),
            status=206,
            fields=(("Content-Type", "multipart/byteranges; boundary=UUID"), ETAG),
            says=re.compile(
                rb"\r\n--([-0-9a-f]{36})\r\nContent-Type: text/plain\r\nContent-Range: bytes 7-8/10\r\n\r\n78"
                rb"\r\n--\1\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n--\1--"
            ),
            differs={"content": "sorts the parts, which SHOULD come as asked (RFC 9110 §15.3.7.2)"},
        ),
        Step(
            path="it.txt",
            headers=wants("bytes=0-1,99-"),
            status=206,
            fields=(*TEXT, ("Content-Range", "bytes 0-1/10")),
            says="01",
            differs={
                "status": "refuses all for one that is not there, though RFC 9110 §14.1.2 has the others"
            },
        ),
    ),
    Case(
        "bad range",
        DIGITS,
        *map(
            unsatisfiable,
            (
                "bytes=10-",
                "bytes=99-100",
                "bytes=5-4",
                "bytes=-0",
                "bytes=0-1,5-4",
                "bytes=a-b",
                "bytes=1",
                "bytes=1-2-3",
                "bytes=",
                "bytes",
                "",
            ),
        ),
    ),
    Case(
        "range in another unit",
        DIGITS,
        Step(
            path="it.txt",
            headers=wants("lines=0-1"),
            fields=TEXT,
            says="0123456789",
            differs={"status": "refuses what RFC 9110 §14.2 says MUST be ignored"},
        ),
        part("bytes=0-1, 5-6\t,1-4", "0-6", "0123456"),
        Step(
            path="it.txt",
            headers=wants("Bytes=0-1"),
            status=206,
            fields=(*TEXT, ("Content-Range", "bytes 0-1/10")),
            says="01",
            differs={"status": "takes a unit in capitals for another (RFC 9110 §14.1)"},
        ),
    ),
    Case(
        "range of nothing",
        {"it.txt": ""},
        unsatisfiable("bytes=0-0", 0),
    ),
    Case(
        "range and head",
        DIGITS,
        Step(
            path="it.txt",
            method="HEAD",
            headers=wants("bytes=0-1"),
            fields=TEXT,
            differs={"status": "has ranges for HEAD, which RFC 9110 §14.2 says MUST be ignored"},
        ),
    ),
    Case(
        "range and fields",
        DIGITS | {"it.txt.headers": "X-A: 1\nContent-Type: a/b\n"},
        Step(
            path="it.txt",
            headers=wants("bytes=0-1"),
            status=206,
            fields=(("Content-Type", "a/b"), ETAG, ("X-A", "1"), ("Content-Range", "bytes 0-1/10")),
            says="01",
        ),
    ),
    Case(
        "range of a script",
        {"it.py": "def main(request, response):\n    return '0123'\n"},
        Step(headers=wants("bytes=0-1"), says="0123"),
    ),
    # --- conditions ----------------------------------------------------------------------------
    Case(
        "condition",
        DIGITS | {"it.txt.headers": "X-A: 1\n"},
        Step(
            path="it.txt",
            headers=(("If-None-Match", "*"),),
            status=304,
            fields=(ETAG, ("X-A", "1")),
            differs={"status": "knows no conditions"},
        ),
        Step(
            path="it.txt",
            headers=(("If-None-Match", '"none"'),),
            fields=(*TEXT, ("X-A", "1")),
            says="0123456789",
        ),
        Step(
            path="it.txt",
            headers=(("Range", "bytes=0-1"), ("If-Range", '"none"')),
            fields=(*TEXT, ("X-A", "1")),
            says="0123456789",
            differs={"status": "knows no conditions"},
        ),
    ),
    # --- directories ---------------------------------------------------------------------------
    Case(
        "listing",
        {"a b&c.txt": "", "dir/é.txt": "", "it.html": "", "it.html.headers": "X-A: 1\n", "<b>.txt": ""},
        Step(
            path="",
            fields=(("Content-Type", "text/html"),),
            says=re.compile(
                rb"(?s)<!doctype html>.*<h1>Directory listing for /files/listing/</h1>"
                rb'.*<a href="/files/">\.\.</a>'
                rb'.*<a href="%3Cb%3E\.txt">&lt;b&gt;\.txt</a>'
                rb'.*<a href="a%20b%26c\.txt">a b&amp;c\.txt</a>'
                rb'.*<a href="dir/">dir</a>'
                rb'.*<a href="it\.html">it\.html</a> \(<a href="it\.html\.headers">\.headers</a>\).*'
            ),
        ),
    ),
    Case(
        "directory without its slash",
        {"dir/it.txt": ""},
        Step(
            path="dir",
            status=301,
            fields=(("Location", "$SCHEME://localhost:$PORT$CASE/dir/"),),
        ),
        Step(
            path="dir?a=b",
            status=301,
            fields=(("Location", "$SCHEME://localhost:$PORT$CASE/dir/?a=b"),),
            differs={"fields": "puts the slash behind the query"},
        ),
    ),
    Case(
        "default script of a directory",
        {"dir/default.py": "def main(request, response):\n    return 'a'\n"},
        Step(
            path="dir/",
            fields=(("Content-Type", "text/html"),),
            says=re.compile(rb"(?s).*default\.py.*"),
        ),
    ),
    # --- as is ---------------------------------------------------------------------------------
    Case(
        "as is",
        {"it.asis": b"HTTP/1.1 299 By Hand\r\nX-A: 1\r\nX-High: \xff\r\nContent-Length: 3\r\n\r\nabc"},
        Step(
            path="it.asis",
            status=299,
            reason="By Hand",
            fields=(("X-A", "1"), ("X-High", b"\xff")),
            says="abc",
        ),
        fails(404, path="none.asis"),
    ),
    Case("directory as is", {"it.asis/file": ""}, fails(500, path="it.asis")),
]
