"""Request: what a handler reads, from requests as octets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.h2 import OPENING, REQUEST, headers
from tests.helpers.inline import begin
from wptproto import HTTPException, Request, RequestHeaders
from wptproto.exchange.raw_headers import RawHeaders
from wptproto.protocol.connection import Connection
from wptproto.protocol.h1 import H1Connection
from wptproto.protocol.h2 import H2Connection
from wptproto.semantics.fields import FieldLine
from wptproto.semantics.form_content import FilePart

requests: list[Request] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while requests:
        requests.pop().raw_input.close()


def receive(connection: Connection, octets: bytes) -> Request:
    requests.append(begin(connection, octets)[0].request)
    return requests[-1]


def h1_request(*lines: bytes, line: bytes = b"GET / HTTP/1.1", content: bytes = b"") -> Request:
    octets = b"\r\n".join([line, b"Host: a", *lines, b"", content])
    return receive(H1Connection(), octets)


def h2_request(*fields: FieldLine, stream_id: int = 1) -> Request:
    octets = OPENING + headers(stream_id, [*REQUEST, *fields]).serialize()
    return receive(H2Connection(), octets)


def posted(content: bytes, content_type: bytes = b"application/x-www-form-urlencoded") -> Request:
    return h1_request(
        b"Content-Type: " + content_type,
        b"Content-Length: %d" % len(content),
        line=b"POST / HTTP/1.1",
        content=content,
    )


# --- fields --------------------------------------------------------------------------------------


@pytest.fixture
def fields() -> RequestHeaders:
    return h1_request(b"X-A: 1", b"B: \xff", b"x-a: 2").headers


def test_headers_are_found_without_case(fields: RequestHeaders) -> None:
    """Names are str or bytes, values bytes; several lines are joined by commas (RFC 9110 §5.3)."""
    assert fields["X-a"] == fields.get(b"x-A") == b"1, 2"
    assert fields.get_list("x-a") == [b"1", b"2"]
    assert fields.get("b") == b"\xff"
    assert "HOST" in fields
    assert b"c" not in fields
    assert 5 not in fields


def test_headers_that_are_not_there(fields: RequestHeaders) -> None:
    """``[]`` and ``get_list`` raise KeyError; there may be a default."""
    assert fields.get("c") is None
    assert fields.get("c", b"d") == b"d"
    assert fields.get_list("c", None) is None
    with pytest.raises(KeyError):
        fields["c"]
    with pytest.raises(KeyError):
        fields.get_list("c")


def test_headers_as_a_mapping(fields: RequestHeaders) -> None:
    """Each name is there once, in lower case; ``items`` has lists, ``iteritems`` what ``[]`` has."""
    assert list(fields) == list(fields.keys()) == [b"host", b"x-a", b"b"]
    assert len(fields) == 3
    assert list(fields.items()) == [(b"host", [b"a"]), (b"x-a", [b"1", b"2"]), (b"b", [b"\xff"])]
    assert list(fields.values()) == [[b"a"], [b"1", b"2"], [b"\xff"]]
    assert list(fields.iteritems()) == [(b"host", b"a"), (b"x-a", b"1, 2"), (b"b", b"\xff")]
    assert list(fields.itervalues()) == [b"a", b"1, 2", b"\xff"]
    assert repr(fields).startswith("RequestHeaders({b'host': [b'a'], ")
    assert isinstance(fields, dict)
    assert {**fields}.keys() == {b"host", b"x-a", b"b"}


@pytest.fixture
def raw() -> RawHeaders:
    return h1_request(b"X-A: 1", b"B: \xff", b"x-a: 2").raw_headers


def test_raw_headers_are_as_received(raw: RawHeaders) -> None:
    """Order, case and repetition are kept; every octet is a character."""
    lines = [("Host", "a"), ("X-A", "1"), ("B", "\xff"), ("x-a", "2")]
    assert list(raw.raw_items()) == raw.items() == lines
    assert raw.keys() == ["Host", "X-A", "B", "x-a"]
    assert len(raw) == 4
    assert list(raw) == raw.keys()


def test_raw_headers_by_name(raw: RawHeaders) -> None:
    """A name is found without case; the first line answers, and None where there is none."""
    assert raw["x-a"] == raw.get("X-A") == "1"
    assert raw["c"] is None
    assert raw.get("c", "d") == "d"
    assert "b" in raw
    assert raw.get_all("x-a") == ["1", "2"]
    assert raw.getallmatchingheaders("X-a") == ["X-A: 1", "x-a: 2"]
    assert raw.getallmatchingheaders("c") == []


def test_raw_headers_as_text() -> None:
    """As text they are lines, with an empty one behind them."""
    assert str(h1_request(b"X-A: 1").raw_headers) == "Host: a\nX-A: 1\n\n"
    multipart = h1_request(b"Content-Type: multipart/form-data; boundary=b").raw_headers
    assert str(multipart) == "Host: a\nContent-Type: multipart/form-data; boundary=b\n\n"


def test_raw_headers_over_h2() -> None:
    """Over HTTP/2 they are the same, in lower case; the pseudo-fields are not among them."""
    raw = h2_request((b"x-a", b"1"), (b"x-a", b"2")).raw_headers
    assert raw.items() == [("host", "localhost"), ("x-a", "1"), ("x-a", "2")]


# --- what else the head says ---------------------------------------------------------------------


def test_request_line() -> None:
    """The request line is as received, with its end; HTTP/2 has none."""
    assert h1_request(line=b"GET /a?b HTTP/1.1").request_line == b"GET /a?b HTTP/1.1\r\n"
    assert h2_request().request_line == b""


def test_h2_stream_id() -> None:
    """Over HTTP/2 the stream has a number; over HTTP/1.1 there is no such attribute."""
    assert h2_request(stream_id=5).h2_stream_id == 5
    assert not hasattr(h1_request(), "h2_stream_id")


def test_where_a_handler_is_mounted() -> None:
    """url_base is the root and doc_root unknown, until someone sets them."""
    request = h1_request()
    assert (request.url_base, request.doc_root) == ("/", None)
    request.url_base, request.doc_root = "/sub/", "/srv"
    assert (request.url_base, request.doc_root) == ("/sub/", "/srv")


def test_url_without_a_host() -> None:
    """Where the client names no host, the server's address stands for it."""
    request = receive(H1Connection(), b"GET /a HTTP/1.0\r\n\r\n")
    assert request.url == "http://127.0.0.1:2/a"
    assert request.url_parts.path == "/a"
    assert repr(request) == "<Request GET http://127.0.0.1:2/a>"


@pytest.mark.parametrize(
    ("target", "host", "url"),
    [
        (b"/a", b"web.test", "http://web.test:2/a"),
        (b"/a", b"web.test:81", "http://web.test:81/a"),
        (b"/a", b"[::1]", "http://[::1]:2/a"),
        (b"/a", b"[::1]:81", "http://[::1]:81/a"),
        (b"http://other.test/a", b"web.test:81", "http://other.test/a"),
        (b"http://other.test:81/a", b"web.test", "http://other.test:81/a"),
    ],
)
def test_port_of_the_url(target: bytes, host: bytes, url: str) -> None:
    """Where Host has no port, it is the server's; a target in absolute-form is the URL as it is."""
    octets = b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (target, host)
    assert receive(H1Connection(), octets).url == url


def test_cookies() -> None:
    """Cookies are found by name, and read once."""
    request = h1_request(b"Cookie: a=1; b; c=\xff")
    assert request.cookies[b"a"] == b"1"
    assert request.cookies.first(b"c").value == b"\xff"
    assert list(request.cookies) == [b"a", b"c"]
    assert request.cookies is request.cookies
    assert list(h1_request().cookies) == []


def test_cookie_crumbs() -> None:
    """RFC 9113 §8.2.3: the Cookie field may come as several lines, which are joined by "; "."""
    assert list(h2_request((b"cookie", b"a=1; b=2"), (b"cookie", b"c=3")).cookies) == [b"a", b"b", b"c"]


def test_auth() -> None:
    """Credentials are octets, None without; nonsense is the client's error, whenever it is asked for."""
    request = h1_request(b"Authorization: Basic dTpw")
    assert (request.auth.username, request.auth.password) == (b"u", b"p")
    assert request.auth is request.auth
    assert h1_request().auth.username is None
    with pytest.raises(HTTPException):
        _ = h1_request(b"Authorization: Digest x").auth


def test_get() -> None:
    """GET is the query, whatever the method."""
    request = h1_request(line=b"DELETE /?a=1&a=2&b=%ff HTTP/1.1")
    assert request.GET[b"a"] == b"1"
    assert request.GET.last(b"a") == b"2"
    assert request.GET.get(b"b") == b"\xff"
    assert request.GET is request.GET


# --- content -------------------------------------------------------------------------------------


def test_post() -> None:
    """POST is the form that the content is; raw_input stays where it was."""
    request = posted(b"a=1&b=%ff&a=2")
    assert request.raw_input.read(3) == b"a=1"
    assert request.POST[b"a"] == b"1"
    assert request.POST.get_list(b"a") == [b"1", b"2"]
    assert request.POST.first(b"b") == b"\xff"
    assert request.POST is request.POST
    assert request.raw_input.tell() == 3
    assert request.body == b"a=1&b=%ff&a=2"


def test_post_with_a_file() -> None:
    """A part with a filename is a file."""
    content = (
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n\r\n\xff\r\n'
        b'--x\r\nContent-Disposition: form-data; name="v"\r\n\r\n1\r\n--x--\r\n'
    )
    form = posted(content, b"multipart/form-data; boundary=x").POST
    file = form[b"f"]
    assert isinstance(file, FilePart)
    assert (file.filename, file.file.read()) == ("n", b"\xff")
    assert form[b"v"] == b"1"


def test_post_of_a_broken_form() -> None:
    """A form that is cut short is an error each time, and raw_input stays where it was."""
    request = posted(b"--x\r\n", b"multipart/form-data; boundary=x")
    request.raw_input.seek(2)
    for _ in range(2):
        with pytest.raises(HTTPException, match="cut short"):
            _ = request.POST
    assert request.raw_input.tell() == 2


def test_post_without_content() -> None:
    """Without content there is an empty form."""
    assert h1_request().POST == {}
    assert h1_request(line=b"POST / HTTP/1.1").POST == {}
