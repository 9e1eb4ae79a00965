"""The pipe ``sub`` and ``template()``: the language, its escaping, and where a mistake is."""

from __future__ import annotations

import re
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from tests.helpers.inline import begin
from wptproto import Request, Response
from wptproto.handlers.pipes import PipeError, apply, template
from wptproto.protocol.h1 import H1Connection

CONFIG = {
    "browser_host": "web.test",
    "all_domains": {"": {"": "web.test", "www": "www.web.test", "天": "xn--6kr.web.test"}},
    "ports": {"http": [8000, 8001], "https": []},
    "check_subdomains": True,
    "aliases": [],
    "nothing": {},
    "float": 1.5,
}


def exchanged(query: bytes = b"", *fields: bytes) -> tuple[Request, Response]:
    lines = b"".join(field + b"\r\n" for field in (b"Host: web.test:8000", *fields))
    exchange, _ = begin(H1Connection(), b"GET /dir/file?%s HTTP/1.1\r\n%s\r\n" % (query, lines))
    exchange.request.server = SimpleNamespace(config=CONFIG)
    return exchange.request, exchange.response


def substituted(text: str, escape_type: str | None = "html") -> str:
    request, _ = exchanged(b"v=%3C%22'%26&two=1&two=2&1=one&bad=%FF", b"X-Test: Va<l", b"X-Bad: \xe9")
    return template(request, text.encode(), escape_type).decode()


# Each as wptserve 4.0.3 answers it.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("{{host}}", "web.test"),
        ("é {{host}} 天 {{host}}", "é web.test 天 web.test"),
        ("{{host}}}", "web.test}"),
        ("{host} {{host}", "{host} {{host}"),
        # What cannot be read is left out.
        ("{{host }}", "web.test"),
        ("{{host junk}}", "web.test"),
        ("{{host\n}}", "web.test"),
        ("{{host.www}}", "web.test"),
        ("{{host[x}}", "web.test"),
        ("{{host(x}}", "web.test"),
        # Items: a number where it reads as one, of lists, of text and of octets.
        ("{{ports[http][0]}} {{ports[http][-1]}} {{ports[http][ 1 ]}}", "8000 8001 8001"),
        ("{{domains[]}} {{domains[www]}} {{domains[天]}}", "web.test www.web.test xn--6kr.web.test"),
        ("{{host[0]}}{{host[-1]}} {{headers[X-Test][0]}}", "wt 86"),
        ("{{check_subdomains}}", "True"),
        # Arguments.
        ("{{header_or_default(X-None,  a b )}}", "a b "),
        ("{{header_or_default(X-None,)}}", ""),
        # Variables.
        ("{{$h:host}} {{$h}} {{$h[0]}} {{$g:$h}} {{$g}}", "web.test web.test w web.test web.test"),
        ("{{$v:GET[v]}} {{$v}}", "&lt;&quot;&#x27;&amp; &lt;&quot;&#x27;&amp;"),
        ("{{$a:ports[http][0]}} {{$a:ports[http][1]}} {{$a}}", "8000 8001 8001"),
    ],
)
def test_template(text: str, expected: str) -> None:
    """What stands in double braces is replaced by its value, all else stays."""
    assert substituted(text) == expected


def test_one_uuid() -> None:
    """A variable keeps its value, where a function is called anew each time."""
    first, again, other = substituted("{{$id:uuid()}} {{$id}} {{uuid()}}").split()
    assert first == again != other


@pytest.mark.parametrize(
    ("escape_type", "expected"), [("html", "&lt;&quot;&#x27;&amp; Va&lt;l"), ("none", "<\"'& Va<l")]
)
def test_escaping(escape_type: str, expected: str) -> None:
    """html escapes text and quotes, of octets too; none escapes nothing."""
    assert substituted("{{GET[v]}} {{headers[X-Test]}}", escape_type) == expected


@pytest.mark.parametrize("text", ["a\r\nb", "a\nb", "a\rb", "a\0b"])
def test_what_stays_in_a_field(text: str) -> None:
    """In a field, what would be the end of its line is an error."""
    assert substituted("{{GET[v]}}", "field") == "<\"'&"
    request, _ = exchanged(b"v=" + quote(text).encode())
    with pytest.raises(PipeError, match="would not stay in its field"):
        template(request, b"{{GET[v]}}", "field")


@pytest.mark.parametrize("escape_type", [None, "", "xml", "NONE"])
def test_no_such_escaping(escape_type: str | None) -> None:
    """Any other escaping is an error where there is something to escape, and only there."""
    assert substituted("plain", escape_type) == "plain"
    complaint = re.escape(f"there is no escaping {escape_type!r}; there are html and none")
    with pytest.raises(PipeError, match=complaint):
        substituted("{{host}}", escape_type)


def test_octets_outside_stay() -> None:
    """Octets outside of substitutions need not be text."""
    request, _ = exchanged()
    assert template(request, b"\xff{{host}}\x00\xfe") == b"\xffweb.test\x00\xfe"


# wptserve answers 500 to each.
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{{}}", "behind {{ comes a name, and no space before it"),
        ("{{ host}}", "behind {{ comes a name"),
        ("{{{host}}}", "{{{host}} at line 1 of the content: behind {{ comes a name"),
        ("{{[x]}}", "behind {{ comes a name"),
        ("{{(x)}}", "behind {{ comes a name"),
        ("{{$a:}}", "behind $a: comes a name"),
        ("{{$a:$b:host}}", "behind $a: comes a name"),
        ("{{host$x:}}", "'$x:' stands where only an [item] or a (call) can"),
        ("{{host[0]x}}", "'x' stands where only"),
        ("{{$none}}", "$none was not assigned before; assign it as in {{$none:uuid()}}"),
        ("{{$a :host}}", "$a was not assigned before"),
        ("{{a:host}}", "nothing is called 'a'; there are headers, GET,"),
        ("{{host()}}", "host is not a function; leave its parentheses out"),
        ("{{uuid()()}}", "uuid() is not a function"),
        ("{{uuid}}", "uuid is a function: write uuid()"),
        ("{{file_hash[0]}}", "file_hash has no [0]; it is a function: write file_hash(algorithm, path)"),
        ("{{uuid(x)}}", "uuid() takes 0 arguments, got 1"),
        ("{{host[99]}}", "host has no [99]; it is text of length 8"),
        ("{{host[x]}}", "host has no [x]; it is text"),
        ("{{ports[ftp]}}", "ports has no [ftp]; it is a mapping: write one of [http], [https]"),
        ("{{ports[http]}}", "ports[http] is a list of 2: write [0], [1] and so on"),
        ("{{ports[https][0]}}", "ports[https] has no [0]; it is a list of 0"),
        ("{{ports[http][x]}}", "ports[http] has no [x]"),
        ("{{location}}", "location is a mapping: write one of [server], [scheme]"),
        ("{{nothing}}", "write one of none, as it is empty"),
        ("{{GET}}", "GET is a mapping: write [name] behind it"),
        ("{{float}}", "float is of type float, which has no text"),
        ("{{float[0]}}", "float has no [0]"),
        ("{{GET[bad]}}", r"its value b'\xff' is not UTF-8"),
        ("{{headers[X-Bad]}}", r"its value b'\xe9' is not UTF-8"),
    ],
)
def test_mistakes(text: str, complaint: str) -> None:
    """A mistake is an error that says which substitution, and what was expected."""
    with pytest.raises(PipeError) as caught:
        substituted(text)
    assert complaint in str(caught.value)
    assert str(caught.value).startswith(f"{text[: text.index('}}') + 2]} at line 1 of the content: ")


def test_line() -> None:
    """The error says at which line; what is long is cut short, and octets that are no text are shown."""
    request, _ = exchanged()
    with pytest.raises(PipeError) as caught:
        template(request, b"{{host}}\n{{host\n}}\n\n{{" + b"x" * 100 + b"}}")
    assert str(caught.value).startswith("{{" + "x" * 78 + "... at line 5 of the content: nothing is")
    with pytest.raises(PipeError, match=re.escape(r"{{host[\xff]}} at line 2 of the content: 'utf-8' codec")):
        template(request, b"\n{{host[\xff]}}")


@pytest.mark.parametrize(
    ("pipe_string", "expected"),
    [("sub", b"&lt;"), ("sub(html)", b"&lt;"), ("sub(none)", b"<"), ("slice(0,0)|sub(null)", b"")],
)
def test_sub(pipe_string: str, expected: bytes) -> None:
    """sub replaces the content, and leaves Content-Length to whoever knows it."""
    request, response = exchanged(b"v=%3C")
    response.content = ["{{GET[", "v]}}"]
    apply(pipe_string, request, response)
    assert response.content == expected
    assert len(response.headers) == (1 if "slice" in pipe_string else 0)


def test_sub_mistakes() -> None:
    """An error in the content says also which pipe it was."""
    request, response = exchanged()
    response.content = "\n{{nope}}"
    with pytest.raises(PipeError) as caught:
        apply("sub(none)", request, response)
    assert str(caught.value).startswith(
        "pipe 1, 'sub', at character 1 of 'sub(none)': {{nope}} at line 2 of the content: "
    )
    with pytest.raises(PipeError, match=re.escape("takes 0 to 1 argument ([escape_type]); got 2")):
        apply("sub(none,x)", request, response)
