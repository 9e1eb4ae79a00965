"""Pipes, and what templates know."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from typing import Any

from tests.table.case import BROKEN, Case, Field, Step, fails, main

__all__ = ["CASES"]

ETAG = ("ETag", "...")
TEXT = (("Content-Type", "text/plain"),)
HTML = (("Content-Type", "text/html"),)
DIGITS = {"it.txt": "0123456789"}
NO_STORE: tuple[Field, ...] = (
    ("Cache-Control", "no-cache, no-store, must-revalidate"),
    ("Pragma", "no-cache"),
    ("Expires", "0"),
)
UUID = rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def piped(pipe: str, says: str | bytes, *fields: Field, **more: Any) -> Step:
    """Return a step that sends DIGITS through a pipe."""
    return Step(path=f"it.txt?pipe={pipe}", fields=(*TEXT, *fields), says=says, **more)


def wrong(pipe: str, said: str = "", **more: Any) -> Step:
    return fails(500, said, path=f"it.txt?pipe={pipe}", **more)


def template(name: str, text: str, says: str | re.Pattern[bytes], **more: Any) -> Case:
    """Return a case of a template in plain text."""
    given = {"path": "it.sub.txt", "fields": TEXT, "says": says, **more}
    return Case(name, {"it.sub.txt": text}, Step(**given))


def mistake(name: str, text: str, said: str = "", path: str = "it.sub.txt", **more: Any) -> Case:
    """Return a case of a template that is wrong."""
    return Case(name, {"it.sub.txt": text}, fails(500, said, path=path, **more))


def digest(algorithm: str) -> str:
    return base64.b64encode(hashlib.new(algorithm, b"0123456789").digest()).decode()


CASES = [
    # --- head ----------------------------------------------------------------------------------
    Case(
        "status",
        DIGITS,
        piped("status(404)", "0123456789", status=404),
        piped("status(299)", "0123456789", status=299, reason=""),
        piped("status(204)", "", status=204, differs={BROKEN: "sends content where there can be none"}),
        piped("status(201)|status(202)", "0123456789", status=202),
        wrong("status(x)", "x"),
        wrong("status", "status"),
        wrong("status(1,2)", "status"),
    ),
    Case(
        "header",
        DIGITS,
        piped("header(X-A,1)", "0123456789", ("X-A", "1")),
        piped("header(X-A,1)|header(x-a,2)", "0123456789", ("X-A", "2")),
        piped("header(X-A,1)|header(X-A,2,true)", "0123456789", ("X-A", "1"), ("X-A", "2")),
        piped("header(X-A,1)|header(X-A,2,0)", "0123456789", ("X-A", "2")),
        piped("header(X-A,a\\,b\\)c\\\\d)", "0123456789", ("X-A", "a,b)c\\d")),
        piped("header(X-A,a%5C%2Cb)", "0123456789", ("X-A", "a,b")),
        piped(
            "header(X-A,%20a+b%2Bc)",
            "0123456789",
            ("X-A", "a b+c"),
        ),
        piped("header(X-A,%C3%A9)", "0123456789", ("X-A", b"\xe9")),
        piped("header(X-A,)", "0123456789", ("X-A", "")),
        piped("header(X-A,a\\tb)", "0123456789", ("X-A", "a\tb")),
        Step(
            path="it.txt?pipe=header(content-type,a/b)", fields=(("Content-Type", "a/b"),), says="0123456789"
        ),
        wrong("header(X-A)", "header"),
        wrong(
            "header(X-A,1%0d%0aX-B:%202)",
            "line break",
            differs={BROKEN: "sends two fields, which anybody with a URL could have made of one"},
        ),
        wrong("header(X-A,1,perhaps)", "perhaps"),
        wrong("header(X-A,%E2%82%AC)"),
    ),
    # --- content -------------------------------------------------------------------------------
    Case(
        "slice",
        DIGITS,
        piped("slice(2)", "23456789"),
        piped("slice(2,4)", "23"),
        piped("slice(-2)", "89"),
        piped("slice(1,-1)", "12345678"),
        piped("slice(null,3)", "012"),
        piped("slice(NULL,null)", "0123456789"),
        piped("slice(5,2)", ""),
        piped("slice(0,99)", "0123456789"),
        piped("slice(2)|slice(2)", "456789"),
        wrong("slice()"),
        wrong("slice(a)", "a"),
    ),
    Case(
        "gzip",
        {"it.txt": "0123456789" * 100},
        Step(
            path="it.txt?pipe=gzip",
            fields=(*TEXT, ("Content-Encoding", "gzip")),
            says=gzip.compress(b"0123456789" * 100, mtime=0),
            differs={"content": "has the time in it, and another system"},
        ),
    ),
    Case(
        "trickle",
        DIGITS,
        piped("trickle(d0.02)", "0123456789", *NO_STORE),
        piped("trickle(3:d0.01:3)", "0123456789", *NO_STORE),
        piped("trickle(d0.01:3:r2)", "0123456789", *NO_STORE),
        piped("trickle(99)", "0123456789", *NO_STORE),
        piped("trickle(3:d0.01:r2)|slice(2,5)", "234", *NO_STORE),
        piped("slice(2,8)|trickle(2:d0.01:r2)", "234567", *NO_STORE),
        piped("header(Expires,9)|trickle(d0)", "0123456789", ("Expires", "9")),
        wrong("trickle", "trickle"),
        wrong("trickle()", "number of octets"),
        wrong("trickle(x)", "x"),
        wrong("trickle(dx)", "dx"),
        wrong("trickle(1:r1)", "r1"),
        wrong("trickle(1:2)", "same kind"),
        wrong("trickle(d1e99)", "delay", differs={BROKEN: "fails in the middle"}),
        wrong("trickle(d-1)", "delay", differs={BROKEN: "fails in the middle"}),
        wrong("trickle(0:d0:r2)", "never end", differs={BROKEN: "goes on and on"}),
    ),
    Case(
        "pipe string",
        DIGITS,
        piped("", "0123456789", ETAG),
        piped("|", "0123456789"),
        piped("|slice(2)||status(201)|", "23456789", status=201),
        piped("slice(2)&pipe=slice(3)", "3456789"),
        piped("slice%282%29%7Cstatus%28201%29", "23456789", status=201),
        piped("slice(2", "23456789"),
        Step(path="it.txt?a=1&PIPE=slice(2)", fields=(*TEXT, ETAG), says="0123456789"),
        Step(path="it.txt?%70ipe=slice(2)", fields=TEXT, says="23456789"),
        wrong("nonsense", "nonsense"),
        wrong("status(201)|nonsense(1)", "nonsense"),
        wrong("Slice(2)", "Slice"),
        wrong("slice(2)x(3)"),
        wrong("header(X-A,\\", "backslash"),
    ),
    Case(
        "pipe of a script",
        main("return 201, [('X-A', '1')], '0123456789'"),
        Step(
            path="it.py?pipe=slice(2,4)",
            status=201,
            fields=(("X-A", "1"),),
            says="23",
            differs={"content": "goes through a returning script's pipes twice"},
        ),
        Step(
            path="it.py?pipe=status(404)|header(X-A,2)", status=404, fields=(("X-A", "2"),), says="0123456789"
        ),
    ),
    Case(
        "pipe of a script that fills in",
        main("response.content = '0123456789'"),
        Step(path="it.py?pipe=slice(2,4)", says="23"),
        Step(path="it.py?pipe=trickle(2:d0.01:r2)", fields=NO_STORE, says="0123456789"),
    ),
    Case(
        "pipe of a script that writes",
        main("response.writer.write_content('0123456789')"),
        Step(path="it.py?pipe=slice(2,4)", says="0123456789"),
    ),
    Case("pipe and head", DIGITS, piped("slice(2)", "", method="HEAD")),
    Case(
        "pipe and range",
        DIGITS,
        piped(
            "slice(1)",
            "234",
            ("Content-Range", "bytes 1-4/10"),
            status=206,
            headers=(("Range", "bytes=1-4"),),
        ),
        piped("status(200)", "1234", ("Content-Range", "bytes 1-4/10"), headers=(("Range", "bytes=1-4"),)),
    ),
    Case("pipe of what is not there", DIGITS, fails(404, path="none.txt?pipe=status(200)")),
    # --- templates -----------------------------------------------------------------------------
    Case(
        "sub by pipe",
        {"it.txt": "{{GET[a]}}", "it.html": "{{GET[a]}}"},
        Step(path="it.txt?a=%3C%22&pipe=sub", fields=TEXT, says="&lt;&quot;"),
        Step(path="it.txt?a=%3C%22&pipe=sub(none)", fields=TEXT, says='<"'),
        Step(path="it.html?a=%3C%22&pipe=sub(html)", fields=HTML, says="&lt;&quot;"),
        fails(500, "nonsense", path="it.txt?pipe=sub(nonsense)"),
    ),
    Case(
        "sub by name",
        {
            f"it.sub.{extension}": "{{GET[a]}}"
            for extension in ("html", "htm", "xht", "xhtml", "xml", "svg", "js", "txt")
        }
        | {"a.sub.b.txt": "{{GET[a]}}", "dir.sub.x/it.txt": "{{GET[a]}}", "it.sub": "{{GET[a]}}"},
        Step(path="it.sub.html?a=%3C", fields=HTML, says="&lt;"),
        Step(path="it.sub.htm?a=%3C", fields=HTML, says="&lt;"),
        Step(path="it.sub.xht?a=%3C", fields=(("Content-Type", "application/xhtml+xml"),), says="&lt;"),
        Step(path="it.sub.xhtml?a=%3C", fields=(("Content-Type", "application/xhtml+xml"),), says="&lt;"),
        Step(path="it.sub.xml?a=%3C", fields=(("Content-Type", "application/xml"),), says="&lt;"),
        Step(path="it.sub.svg?a=%3C", fields=(("Content-Type", "image/svg+xml"),), says="&lt;"),
        Step(path="it.sub.js?a=%3C", fields=(("Content-Type", "text/javascript"),), says="<"),
        Step(path="it.sub.txt?a=%3C&pipe=slice(0,1)", fields=TEXT, says="<"),
        Step(path="a.sub.b.txt?a=1", fields=TEXT, says="1"),
        Step(path="dir.sub.x/it.txt?a=1", fields=TEXT, says="1"),
        Step(
            path="it.sub?a=1", fields=(("Content-Type", "application/octet-stream"), ETAG), says="{{GET[a]}}"
        ),
    ),
    template(
        "host",
        "{{host}} {{hosts[alt][www]}} {{hosts[][]}}",
        "web-platform.test www.not-web-platform.test web-platform.test",
    ),
    template(
        "domains",
        "{{domains[www]}} {{domains[]}} {{domains[nonexistent]}} {{domains[www1]}}",
        "www.web-platform.test web-platform.test nonexistent.web-platform.test www1.web-platform.test",
    ),
    template(
        "domain of other letters", "{{domains[天気の良い日]}}", "xn--n8j6ds53lwwkrqhv28a.web-platform.test"
    ),
    template("ports", "{{ports[http][0]}}", "$HTTP"),
    template(
        "location",
        "{{location[server]}} {{location[scheme]}} {{location[host]}} {{location[hostname]}} "
        "{{location[port]}} {{location[path]}} {{location[pathname]}} {{location[query]}}",
        "$SCHEME://a.test:81 $SCHEME a.test:81 a.test 81 $CASE/it.sub.txt $CASE/it.sub.txt ?q=%20&r",
        path="it.sub.txt?q=%20&r",
        headers=(("Host", "a.test:81"),),
    ),
    template("location without query", "{{location[query]}}", "?"),
    template(
        "location without port",
        "{{location[server]}}",
        "$SCHEME://a.test:$PORT",
        headers=(("Host", "a.test"),),
    ),
    template("headers", "{{headers[X-A]}} {{headers[x-a]}}", "1 1", headers=(("X-A", "1"),)),
    mistake("header that is not there", "{{headers[x-a]}}", "x-a"),
    template(
        "header or default",
        "{{header_or_default(X-A, none)}} {{header_or_default(X-B,a b)}}",
        "1 a b",
        headers=(("X-A", "1"),),
    ),
    template("get", "{{GET[a]}}|{{GET[none]}}|{{GET[b]}}", "1||é", path="it.sub.txt?a=1&a=2&b=%C3%A9"),
    mistake("get of other octets", "{{GET[a]}}", "", path="it.sub.txt?a=%FF"),
    template(
        "uuid",
        "{{$id:uuid()}} {{$id}} {{uuid()}}",
        re.compile(rb"(?P<one>" + UUID + rb") (?P=one) (?!(?P=one))" + UUID),
    ),
    Case(
        "file hash",
        {
            "data.txt": "0123456789",
            "it.sub.txt": "".join(
                f"{{{{file_hash({name}, pipes/file-hash/data.txt)}}}}\n"
                for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
            ),
        },
        Step(
            path="it.sub.txt",
            fields=TEXT,
            says="".join(
                f"{digest(name)}\n" for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
            ),
        ),
    ),
    mistake("file hash of another algorithm", "{{file_hash(crc32, pipes/slice/it.txt)}}", "crc32"),
    mistake("file hash of what is not there", "{{file_hash(md5, none)}}", "none"),
    mistake(
        "file hash from outside",
        "{{file_hash(md5, /etc/passwd)}}",
        "outside",
        differs={"status": "reads any file"},
    ),
    template("fs path", "{{fs_path(a.txt)}} {{fs_path(/a.txt)}}", "$ROOT$CASE/a.txt $ROOT/a.txt"),
    mistake("fs path outside", "{{fs_path(../../../a)}}", "outside"),
    template("url base", "{{url_base}}", "/"),
    template(
        "config",
        "{{browser_host}} {{server_host}} {{logging[level]}} {{paths[doc_root]}}",
        "web-platform.test 127.0.0.1 DEBUG $ROOT",
    ),
    template(
        "assignment",
        "{{$a:GET[x]}}{{$b:host}} {{$a}} {{$b}} {{$a}}",
        "1web-platform.test 1 web-platform.test 1",
        path="it.sub.txt?x=1",
    ),
    template(
        "what is no template", "{ {host} {{ {{} }} {host}} }", "{ {host} {{ {{} }} {host}} }", differs={}
    ),
    template("octets around", "é\x00{{host}}\r\n", "é\x00web-platform.test\r\n"),
    mistake("name that is none", "{{nonsense}}", "nonsense"),
    mistake("variable that was not assigned", "{{$none}}", "none"),
    mistake("nothing", "{{}}"),
    mistake("map", "{{ports}}", "ports"),
    mistake("item that is not there", "{{ports[nonsense][0]}}", "nonsense"),
    mistake("function without its arguments", "{{file_hash(md5)}}", "file_hash"),
    mistake("function that is not called", "{{uuid}}", "uuid"),
]
