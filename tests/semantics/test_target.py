"""The four forms of a request target, and what stands in Host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wptproto.errors import RemoteProtocolError
from wptproto.semantics.target import Authority, parse_authority, parse_target


@pytest.mark.parametrize(
    ("octets", "host", "port"),
    [
        (b"localhost", b"localhost", None),
        (b"localhost:8000", b"localhost", 8000),
        (b"localhost:", b"localhost", None),
        (b"EXAMPLE.test:0", b"EXAMPLE.test", 0),
        (b"h:65535", b"h", 65535),
        (b"h:00080", b"h", 80),
        (b"", b"", None),
        (b":80", b"", 80),
        (b"127.0.0.1:80", b"127.0.0.1", 80),
        (b"[::1]", b"[::1]", None),
        (b"[::ffff:127.0.0.1]:443", b"[::ffff:127.0.0.1]", 443),
        (b"[v1.x:y]:1", b"[v1.x:y]", 1),
        (b"xn--d1acufc.test", b"xn--d1acufc.test", None),
        (b"a%20b", b"a%20b", None),
        (b"a_b~!$&'()*+,;=", b"a_b~!$&'()*+,;=", None),
    ],
)
def test_an_authority(octets: bytes, host: bytes, port: int | None) -> None:
    """Host = uri-host [ ":" port ] (RFC 9110 §7.2), and the host is of RFC 3986 §3.2.2."""
    assert parse_authority(octets) == Authority(host, port)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"user@h", id="userinfo"),
        pytest.param(b"user:secret@h:80", id="userinfo-with-password"),
        pytest.param(b"h:http", id="port-by-name"),
        pytest.param(b"h:+80", id="port-with-sign"),
        pytest.param(b"h:-1", id="port-negative"),
        pytest.param(b"h:8_0", id="port-with-underscore"),
        pytest.param(b"h: 80", id="port-behind-blank"),
        pytest.param("h:٨٠".encode(), id="port-in-other-digits"),
        pytest.param(b"h:65536", id="port-too-large"),
        pytest.param(b"h:" + b"0" * 6, id="port-too-long"),
        pytest.param(b"h:80:80", id="two-ports"),
        pytest.param(b"[::1", id="bracket-open"),
        pytest.param(b"::1", id="bracket-missing"),
        pytest.param(b"[::1]x", id="text-behind-bracket"),
        pytest.param(b"[:::]", id="no-ipv6-address"),
        pytest.param(b"[1]", id="too-short-an-ipv6-address"),
        pytest.param(b"[]", id="nothing-in-brackets"),
        pytest.param(b"[fe80::1%25eth0]", id="zone"),
        pytest.param(b"h?x", id="query"),
        pytest.param(b"h/x", id="path"),
        pytest.param(b"h\\x", id="backslash"),
        pytest.param(b"###", id="fragments"),
        pytest.param(b"a b", id="blank"),
        pytest.param(b"h\n", id="line-feed"),
        pytest.param(b"a%2", id="percent-cut-off"),
        pytest.param(b"\xff", id="beyond-ascii"),
        pytest.param(b"a, b", id="a-list"),
    ],
)
def test_no_authority(octets: bytes) -> None:
    """A server responds with 400 to "a Host header field with an invalid field value" (RFC 9112 §3.2)."""
    with pytest.raises(RemoteProtocolError) as caught:
        parse_authority(octets)
    assert caught.value.status_hint == 400


@pytest.mark.parametrize("octets", [b"localhost", b"h:80", b"[::1]:80", b""])
def test_an_authority_as_octets(octets: bytes) -> None:
    """Put together again, it is what it was."""
    assert bytes(parse_authority(octets)) == octets


def test_an_authority_as_octets_is_plain() -> None:
    """An empty port is none, and leading zeros go."""
    assert bytes(parse_authority(b"h:")) == b"h"
    assert bytes(parse_authority(b"h:080")) == b"h:80"


@pytest.mark.parametrize(
    ("method", "octets", "path", "authority"),
    [
        ("GET", b"/", b"/", None),
        ("GET", b"/a/../b;c?d=/e?f", b"/a/../b;c?d=/e?f", None),
        ("GET", b"//h/x", b"//h/x", None),
        ("GET", b'/{|}^`"<>[\\]', b'/{|}^`"<>[\\]', None),
        ("OPTIONS", b"/", b"/", None),
        ("OPTIONS", b"*", b"*", None),
        ("GET", b"http://h:80/a?b", b"/a?b", Authority(b"h", 80)),
        ("GET", b"http://h", b"/", Authority(b"h", None)),
        ("GET", b"HTTPS://h?b", b"/?b", Authority(b"h", None)),
        ("GET", b"x-y+z.1://[::1]:1/", b"/", Authority(b"[::1]", 1)),
        ("GET", b"file:///a", b"/a", Authority(b"", None)),
        ("CONNECT", b"h:443", b"", Authority(b"h", 443)),
        ("CONNECT", b"[::1]:443", b"", Authority(b"[::1]", 443)),
    ],
)
def test_a_target(method: str, octets: bytes, path: bytes, authority: Authority | None) -> None:
    """request-target = origin-form / absolute-form / authority-form / asterisk-form (RFC 9112 §3.2)."""
    target = parse_target(method, octets)
    assert (target.octets, target.path, target.authority) == (octets, path, authority)


@pytest.mark.parametrize(
    ("method", "octets"),
    [
        pytest.param("GET", b"*", id="asterisk-for-GET"),
        pytest.param("OPTIONS", b"**", id="two-asterisks"),
        pytest.param("GET", b"h:80", id="authority-form-for-GET"),
        pytest.param("GET", b"a", id="relative-path"),
        pytest.param("GET", b"", id="nothing"),
        pytest.param("GET", b"?a", id="query-alone"),
        pytest.param("GET", b"/a#b", id="fragment"),
        pytest.param("GET", b"http://h/#b", id="fragment-of-a-uri"),
        pytest.param("GET", b"/a b", id="blank"),
        pytest.param("GET", b"/\xc3\xa9", id="beyond-ascii"),
        pytest.param("GET", b"http://h/\xe9", id="beyond-ascii-in-a-uri"),
        pytest.param("GET", b"/\x7f", id="control"),
        pytest.param("GET", b"http:/h/", id="one-slash"),
        pytest.param("GET", b"1http://h/", id="no-scheme"),
        pytest.param("GET", b"http:///a", id="empty-host"),
        pytest.param("GET", b"HTTPS://:80/a", id="empty-host-with-port"),
        pytest.param("GET", b"http://u@h/", id="userinfo"),
        pytest.param("GET", b"http://h:x/", id="no-port"),
        pytest.param("CONNECT", b"h", id="CONNECT-without-port"),
        pytest.param("CONNECT", b"h:", id="CONNECT-with-empty-port"),
        pytest.param("CONNECT", b":443", id="CONNECT-without-host"),
        pytest.param("CONNECT", b"/", id="CONNECT-for-a-path"),
        pytest.param("CONNECT", b"http://h:443/", id="CONNECT-for-a-uri"),
        pytest.param("CONNECT", b"*", id="CONNECT-for-an-asterisk"),
    ],
)
def test_no_target(method: str, octets: bytes) -> None:
    """
    "Recipients of an invalid request-line SHOULD respond with either a 400 (Bad Request) error or a 301"
    (RFC 9112 §3.2).
    """
    with pytest.raises(RemoteProtocolError) as caught:
        parse_target(method, octets)
    assert caught.value.status_hint == 400


@given(st.sampled_from(["GET", "OPTIONS", "CONNECT"]), st.binary())
def test_any_octets_are_decided(method: str, octets: bytes) -> None:
    """Whatever the octets, they have a form, or are refused."""
    try:
        target = parse_target(method, octets)
    except RemoteProtocolError:
        return
    assert target.octets == octets
    assert target.path[:1] in ((b"",) if method == "CONNECT" else (b"/", b"*"))
