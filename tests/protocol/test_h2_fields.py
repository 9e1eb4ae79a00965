"""What a request's field section says, and what a response's becomes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.h2 import REQUEST, response_head
from wptproto.errors import RemoteProtocolError
from wptproto.protocol.h2_fields import lowered, request_head, response_section, trailer_section
from wptproto.semantics.fields import FieldLine, Fields


def section(*lines: FieldLine, without: bytes = b"", **pseudo: bytes) -> list[FieldLine]:
    """Return a plain request's fields with some pseudo-fields exchanged, and *lines* behind them."""
    names: Mapping[bytes, bytes] = {b":" + name.encode(): value for name, value in pseudo.items()}
    first = {**dict(REQUEST), **names}
    return [(name, value) for name, value in first.items() if name != without] + list(lines)


def connect(*lines: FieldLine, authority: bytes = b"h:443") -> list[FieldLine]:
    return [(b":method", b"CONNECT"), (b":authority", authority), *lines]


def test_a_request() -> None:
    """The pseudo-fields are the request line, and :authority is Host (RFC 9113 §8.3.1)."""
    head = request_head(section((b"a", b"1"), (b"b", b""), (b"a", b"\xff"), method=b"PATCH", path=b"/a?b"))
    assert (head.method, head.target, head.path, head.version) == ("PATCH", b"/a?b", b"/a?b", "HTTP/2.0")
    assert head.authority == b"localhost"
    assert list(head.fields) == [(b"host", b"localhost"), (b"a", b"1"), (b"b", b""), (b"a", b"\xff")]
    assert head.octets == b""


@pytest.mark.parametrize(
    ("lines", "authority", "hosts"),
    [
        (section(authority=b"h:80"), b"h:80", [b"h:80"]),
        (section(authority=b"h:"), b"h", [b"h:"]),
        (section((b"a", b"1"), (b"host", b"h"), authority=b"h"), b"h", [b"h"]),
        (section((b"a", b"1"), (b"host", b"h:1"), without=b":authority"), b"h:1", [b"h:1"]),
    ],
)
def test_the_authority(lines: list[FieldLine], authority: bytes, hosts: list[bytes]) -> None:
    """It is in :authority, in Host, or, the same, in both; and then in Host once."""
    head = request_head(lines)
    assert head.authority == authority
    assert head.fields.get_list(b"host") == hosts
    assert head.fields.get_list(b"a") == [b"1"] * ((b"a", b"1") in lines)


def test_asterisk() -> None:
    """An OPTIONS request for the server as a whole has the path "*" (RFC 9113 §8.3.1)."""
    head = request_head(section(method=b"OPTIONS", path=b"*"))
    assert (head.target, head.path) == (b"*", b"*")


def test_connect() -> None:
    """CONNECT has :authority alone, "equivalent to the authority-form of the request-target" (§8.5)."""
    head = request_head(connect())
    assert (head.method, head.target, head.path, head.authority) == ("CONNECT", b"h:443", b"", b"h:443")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(section((b"te", b"trailers")), id="te"),
        pytest.param(section((b"te", b"Trailers")), id="te-in-another-case"),
        pytest.param(section((b"a", b"b \t c\x01\x7f\xff")), id="value-of-odd-octets"),
        pytest.param(section((b"!#$%&'*+-.^_`|~09az", b"")), id="name-of-odd-octets"),
        pytest.param(section(method=b"get"), id="method-in-lower-case"),
        pytest.param(section(scheme=b"x-y+z.1"), id="another-scheme"),
        pytest.param(section(path=b"/%ff?{}|"), id="odd-path"),
    ],
)
def test_well_formed(lines: list[FieldLine]) -> None:
    """The neighbours of what is malformed are requests."""
    assert request_head(lines).version == "HTTP/2.0"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="nothing"),
        pytest.param(section(without=b":method"), id="no-method"),
        pytest.param(section(without=b":scheme"), id="no-scheme"),
        pytest.param(section(without=b":path"), id="no-path"),
        pytest.param(section(without=b":authority"), id="no-authority"),
        pytest.param(section((b":path", b"/")), id="twice"),
        pytest.param([(b"a", b"1"), *section()], id="behind-a-field"),
        pytest.param(section(status=b"200"), id="of-a-response"),
        pytest.param(section(protocol=b"websocket"), id="protocol"),
        pytest.param(section(unknown=b""), id="unknown"),
        pytest.param([(b":", b""), *section()], id="colon-alone"),
        pytest.param(section(method=b""), id="method-empty"),
        pytest.param(section(method=b"G T"), id="method-no-token"),
        pytest.param(section(method=b"G\xc9T"), id="method-beyond-ascii"),
        pytest.param(section(scheme=b""), id="scheme-empty"),
        pytest.param(section(scheme=b"ht tp"), id="scheme-none"),
        pytest.param(section(path=b""), id="path-empty"),
        pytest.param(section(path=b"a"), id="path-relative"),
        pytest.param(section(path=b"*"), id="path-asterisk-for-GET"),
        pytest.param(section(path=b"http://localhost/"), id="path-absolute-uri"),
        pytest.param(section(path=b"/\xc3\xa9"), id="path-beyond-ascii"),
        pytest.param(section(path=b"/a b"), id="path-with-blank"),
        pytest.param(section(path=b"/a#b"), id="path-with-fragment"),
        pytest.param(section(path=b" /"), id="path-behind-blank"),
        pytest.param(section(authority=b"user@h"), id="authority-with-user"),
        pytest.param(section(authority=b"h:http"), id="authority-with-port-by-name"),
        pytest.param(section(authority=b"\xe9"), id="authority-beyond-ascii"),
        pytest.param(section((b"host", b"a b"), without=b":authority"), id="host-none"),
        pytest.param(section((b"host", b"b"), authority=b"a"), id="host-differs"),
        pytest.param(section((b"host", b"localhost"), (b"host", b"localhost")), id="two-hosts"),
        pytest.param([(b":method", b"CONNECT")], id="CONNECT-without-authority"),
        pytest.param([(b":method", b"CONNECT"), (b"host", b"h:1")], id="CONNECT-by-host"),
        pytest.param(connect(authority=b"h"), id="CONNECT-without-port"),
        pytest.param(section(method=b"CONNECT", authority=b"h:1"), id="CONNECT-with-path"),
        pytest.param([(b":scheme", b"http"), *connect()], id="CONNECT-with-scheme"),
        pytest.param([(b":protocol", b"websocket"), *connect()], id="CONNECT-with-protocol"),
        pytest.param(section(authority=b""), id="authority-empty"),
        pytest.param(section((b"A", b"1")), id="name-in-upper-case"),
        pytest.param(section((b"", b"1")), id="name-empty"),
        pytest.param(section((b"a b", b"1")), id="name-with-blank"),
        pytest.param(section((b"a:b", b"1")), id="name-with-colon"),
        pytest.param(section((b"\xe9", b"1")), id="name-beyond-ascii"),
        pytest.param(section((b"a", b"b\0c")), id="value-with-NUL"),
        pytest.param(section((b"a", b"b\rc")), id="value-with-CR"),
        pytest.param(section((b"a", b"b\n")), id="value-with-LF"),
        pytest.param(section((b"a", b" b")), id="value-behind-blank"),
        pytest.param(section((b"a", b"b\t")), id="value-before-tab"),
        pytest.param(section((b"a", b" ")), id="value-of-blank"),
        pytest.param(section((b"connection", b"close")), id="connection"),
        pytest.param(section((b"proxy-connection", b"close")), id="proxy-connection"),
        pytest.param(section((b"keep-alive", b"1")), id="keep-alive"),
        pytest.param(section((b"transfer-encoding", b"chunked")), id="transfer-encoding"),
        pytest.param(section((b"upgrade", b"h2c")), id="upgrade"),
        pytest.param(section((b"te", b"gzip")), id="te"),
        pytest.param(section((b"te", b"trailers, gzip")), id="te-with-more"),
    ],
)
def test_malformed(lines: list[FieldLine]) -> None:
    """
    Undefined, missing, repeated and misplaced pseudo-fields (RFC 9113 §8.3), connection-specific fields
    (§8.2.2), names and values of wrong octets (§8.2.1), and values that say nothing: malformed.
    """
    with pytest.raises(RemoteProtocolError) as caught:
        request_head(lines)
    assert caught.value.status_hint == 400


def test_trailers() -> None:
    """Trailers are fields like others."""
    lines = [(b"b", b"1"), (b"a", b""), (b"b", b"2")]
    assert list(trailer_section(lines)) == lines


@pytest.mark.parametrize(
    "line", [(b":path", b"/"), (b":status", b"200"), (b"A", b"1"), (b"a", b"\n"), (b"connection", b"close")]
)
def test_malformed_trailers(line: FieldLine) -> None:
    """ "Trailers MUST NOT include pseudo-header fields" (RFC 9113 §8.1), nor what no fields may have."""
    for lines in ([line], [line, (b"a", b"1")], [(b"a", b"1"), line]):
        with pytest.raises(RemoteProtocolError):
            trailer_section(lines)


def test_a_response() -> None:
    """The status is the one pseudo-field (RFC 9113 §8.3.2); all else stays as it is, names in lower case."""
    lines = [(b"B", b"\0 odd\r\n"), (b"a", b""), (b"B", b"2"), (b" \xc9", b"X")]
    assert list(response_section(response_head(299, *lines)).lines) == [
        (b":status", b"299"),
        (b"b", b"\0 odd\r\n"),
        (b"a", b""),
        (b"b", b"2"),
        (b" \xc9", b"X"),
    ]


@pytest.mark.parametrize(
    "name", [b"Connection", b"proxy-connection", b"Keep-Alive", b"TRANSFER-ENCODING", b"Upgrade"]
)
def test_connection_specific_fields_are_dropped(name: bytes) -> None:
    """ "An endpoint MUST NOT generate an HTTP/2 message containing connection-specific" fields (§8.2.2)."""
    assert lowered(Fields([(b"A", b"1"), (name, b"x"), (b"TE", b"x")])) == [(b"a", b"1"), (b"te", b"x")]


def test_white_space_around_a_value() -> None:
    """ "A field value MUST NOT start or end with an ASCII whitespace character" (RFC 9113 §8.2.1)."""
    assert lowered(Fields([(b"A", b" \t b c "), (b"B", b" ")])) == [(b"a", b"b c"), (b"b", b"")]


names = st.sampled_from([name for name, _ in REQUEST]) | st.binary(max_size=3)


@given(st.lists(st.tuples(names, st.sampled_from([b"GET", b"/", b"*", b"h:1"]) | st.binary(max_size=4))))
def test_any_fields_are_decided(lines: list[FieldLine]) -> None:
    """Whatever the fields, they are a request's, or malformed."""
    for given_lines in (lines, [*REQUEST, *lines]):
        try:
            assert request_head(given_lines).version == "HTTP/2.0"
        except RemoteProtocolError:
            pass
