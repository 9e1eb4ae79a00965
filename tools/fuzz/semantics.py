"""What fields and forms say: targets, authorities, ranges, conditions, cookies, credentials, forms."""

from __future__ import annotations

from datetime import UTC, datetime

from tools.fuzz.target import Target, take
from wptproto.errors import HTTPException, RemoteProtocolError
from wptproto.semantics.authentication import Authentication
from wptproto.semantics.conditions import range_applies, status_by_conditions
from wptproto.semantics.cookies import parse_cookies
from wptproto.semantics.fields import Fields
from wptproto.semantics.form_content import FilePart, parse_form
from wptproto.semantics.forms import parse_urlencoded
from wptproto.semantics.ranges import UnsatisfiableRange, is_in_another_unit, parse_range
from wptproto.semantics.target import parse_authority, parse_target

__all__ = ["TARGETS"]

METHODS = ("GET", "HEAD", "OPTIONS", "CONNECT", "POST")
CONDITIONS = (b"If-Match", b"If-None-Match", b"If-Modified-Since", b"If-Unmodified-Since", b"If-Range")
MODIFIED = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


def target(octets: bytes) -> None:
    """A request target has one of its forms, or is an error."""
    choice, octets = take(octets)
    method = METHODS[choice % len(METHODS)]
    try:
        found = parse_target(method, octets)
    except RemoteProtocolError:
        return
    assert found.octets == octets
    assert found.path.startswith(b"/") or found.path == (b"" if method == "CONNECT" else b"*")


def authority(octets: bytes) -> None:
    """An authority says the same when it is written again."""
    try:
        found = parse_authority(octets)
    except RemoteProtocolError:
        return
    assert found.port is None or 0 <= found.port <= 65535
    assert parse_authority(bytes(found)) == found


def ranges(octets: bytes) -> None:
    """Ranges are not empty, do not touch, and lie within the whole."""
    length, octets = take(octets)
    is_in_another_unit(octets)
    try:
        found = parse_range(octets, length)
    except UnsatisfiableRange:
        return
    places = [place for part in sorted(found) for place in part]
    assert places
    assert places == sorted(set(places))
    assert set(places) <= set(range(length + 1))


def conditions(octets: bytes) -> None:
    """Whatever the conditions say, they hold or they do not."""
    choice, octets = take(octets)
    values = octets.split(b"\n")
    names = CONDITIONS[choice % len(CONDITIONS) :] + CONDITIONS[: choice % len(CONDITIONS)]
    fields = Fields(zip(names, values, strict=False))
    method = METHODS[choice % len(METHODS)]
    assert status_by_conditions(method, fields, b'"tag"', MODIFIED) in (None, 304, 412)
    assert range_applies(fields, b'"tag"') in (True, False)


def cookies(octets: bytes) -> None:
    """Every octet of Cookie is somebody's, or passed over; each cookie can be written."""
    found = parse_cookies(octets)
    for name in found:
        assert all(name in str(cookie).encode("latin-1") for cookie in found.get_list(name))


class _Headers:
    def __init__(self, value: bytes) -> None:
        self._value = value

    def get(self, name: str, /) -> bytes | None:
        return self._value if name == "authorization" else None


def authentication(octets: bytes) -> None:
    """Credentials are read, or are the client's mistake."""
    try:
        found = Authentication(_Headers(octets))
    except HTTPException as error:
        assert error.code == 400
        return
    assert found.username is not None
    assert found.password is not None
    assert b":" not in found.username


def urlencoded(octets: bytes) -> None:
    """A form has no more pairs than it has ampersands, and one."""
    found = parse_urlencoded(octets)
    assert sum(len(found.get_list(name)) for name in found) <= octets.count(b"&") + 1


def multipart(octets: bytes) -> None:
    """Content of a type, one line before it, is the same form however it is cut, or the client's mistake."""
    size, octets = take(octets)
    content_type, _, content = octets.partition(b"\n")
    cut = size + 1
    pieces = [content[at : at + cut] for at in range(0, len(content), cut)]
    assert _form(content_type, pieces) == _form(content_type, [content])


def _form(content_type: bytes, pieces: list[bytes]) -> object:
    try:
        form = parse_form("POST", content_type, pieces)
    except HTTPException as error:
        assert error.code == 400
        return error.code
    return [(name, [_plain(value) for value in form.get_list(name)]) for name in form]


def _plain(value: bytes | FilePart) -> object:
    if isinstance(value, bytes):
        return value
    return value.name, value.filename, value.type, value.headers.items(), value.value


FORM = (
    b"multipart/form-data; boundary=XX\n--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"
    b'--XX\r\nContent-Disposition: form-data; name="f"; filename="g \\"h"\r\nContent-Type: text/html; x=y'
    b"\r\n\r\nfile\r\n-\r\n--X\r\n--XX--\r\n"
)

TARGETS = (
    Target(
        "target", target, (b"\0/a?b=c", b"\0http://h:80/a?b", b"\2*", b"\3h:443", b"\0http://[::1]", b"\0//")
    ),
    Target(
        "authority", authority, (b"localhost:8000", b"[::1]:80", b"[v1.a]", b"a%2fb", b"h:", b"1.2.3.4:00080")
    ),
    Target(
        "ranges", ranges, (b"\x64bytes=0-9,20-, -5", b"\x64Bytes=5-3", b"\x64items=1-2", b"\x10bytes=-0,0-0")
    ),
    Target(
        "conditions",
        conditions,
        (
            b'\0"tag", W/"x"\n*\nSun, 06 Nov 1994 08:49:37 GMT\nSunday, 06-Nov-94 08:49:37 GMT',
            b"\2Sun Nov  6 08:49:37 1994\nSun, 06 Nov 9999 23:59:59 -2359\nSun, 06 Nov 1 0:0:0 +2359",
        ),
    ),
    Target(
        "cookies",
        cookies,
        (b'a=1; b="x;y\\"z"; c; $Path=/; $Version=1; d=\xff; Secure; Path=/x', b"a=b=c;;=;"),
    ),
    Target(
        "authentication",
        authentication,
        (b"Basic dXNlcjpwYXNz", b"basic  Og==", b"Bearer x", b"Basic dXNlcg"),
    ),
    Target("urlencoded", urlencoded, (b"a=1&b=%20+%zz&&=&c", b"%ff%00=%C3%A9&a;b=1")),
    Target(
        "multipart",
        multipart,
        (
            b"\0" + FORM,
            b"\4" + FORM,
            b"\0" + FORM[:-20],
            b"\1application/x-www-form-urlencoded\na=1&b=2",
            b'\7multipart/mixed; boundary="a b"\nx\r\n--a b\r\nContent-Disposition: x; name=\r\n\r\n--a b--',
        ),
    ),
)
