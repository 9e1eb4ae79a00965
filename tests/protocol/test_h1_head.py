"""Reading the head of a request."""

from __future__ import annotations

import h11
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.helpers.cutting import octet_by_octet
from tests.helpers.h1 import request
from wptproto.errors import RemoteProtocolError
from wptproto.limits import Limits
from wptproto.protocol.h1_head import HeadReader, parse_field_lines
from wptproto.protocol.rules import DEFAULT_RULES, Leniency, Rules
from wptproto.semantics.message import RequestHead

GET = request()
LINE = b"GET / HTTP/1.1"


def read(octets: bytes, rules: Rules = DEFAULT_RULES, *, piecemeal: bool = False) -> RequestHead:
    """Read one head, and nothing behind it."""
    reader, buffer = HeadReader(rules), bytearray()
    for piece in octet_by_octet(octets) if piecemeal else [octets]:
        buffer += piece
        head = reader.read(buffer)
        if head is not None:
            return head
    raise AssertionError("more is to come")


def only(leniency: Leniency) -> Rules:
    return Rules(lenient=frozenset([leniency]))


def all_but(leniency: Leniency) -> Rules:
    return Rules(lenient=frozenset(Leniency) - {leniency})


def test_one_head_after_the_other() -> None:
    """What is behind a head stays."""
    reader, buffer = HeadReader(DEFAULT_RULES), bytearray(GET + b"\r\n" + GET + GET[:-1])
    for _ in range(2):
        assert (head := reader.read(buffer)) is not None
        assert head.octets == GET
    assert reader.read(buffer) is None
    assert buffer == GET[:-1]


def test_a_request_line_is_judged_when_it_is_there() -> None:
    """A client of HTTP/0.9 sends one line and waits."""
    with pytest.raises(RemoteProtocolError, match="a version is missing"):
        HeadReader(DEFAULT_RULES).read(bytearray(b"GET /\r\n"))


@pytest.mark.parametrize("octet", [*range(1, 10), 11, 12, *range(14, 32), 127, 128, 255])
def test_octets_in_a_value(octet: int) -> None:
    """Of control characters, only CR, LF and NUL are invalid everywhere; others are kept (RFC 9110 §5.5)."""
    head = read(request(LINE, b"A: x%cx" % octet))
    assert head.fields.get(b"a") == b"x%cx" % octet


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"A : 1", "white space between"),
        (b"A", "without a colon"),
        (b": 1", "no token"),
        (b"A(: 1", "no token"),
        (b"A: \0", "NUL"),
        (b"A: a\rb", "CR without LF"),
        (b"A: 1\r\n 2", "folded"),
    ],
)
def test_what_is_wrong_with_a_field_line(line: bytes, says: str) -> None:
    """The error says it."""
    with pytest.raises(RemoteProtocolError, match=says):
        read(request(LINE, line))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"GET  / HTTP/1.1", "one SP"),
        (b"GET / HTTP/1.1 ", "one SP"),
        (b"GET /", "version is missing"),
        (b"G(T / HTTP/1.1", "no token"),
        (b"GET /\xe9 HTTP/1.1", "no URI"),
        (b"GET / HTTP/1.10", "not a version"),
        (b"GET / HTTP/2.0", r"HTTP/2\.0 is not spoken"),
        (b"PRI * HTTP/2.0", "preface"),
    ],
)
def test_what_is_wrong_with_a_request_line(line: bytes, says: str) -> None:
    """The error says it."""
    with pytest.raises(RemoteProtocolError, match=says):
        read(request(line))


def test_what_is_shown_has_a_limit() -> None:
    """An error quotes the beginning of what is wrong."""
    with pytest.raises(RemoteProtocolError) as caught:
        read(request(LINE, b"(" * 1000))
    assert len(caught.value.reason) < 300


LIMITS = Rules(limits=Limits(request_line_octets=20, field_section_octets=30, field_lines=2))


@pytest.mark.parametrize("piecemeal", [False, True])
@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"GET /123456 HTTP/1.1\r\n", 414),
        (b"G" * 21, 414),
        (b"GET / HTTP/1.1\r\nHost: h\r\n".ljust(47, b"x"), 431),
        (b"GET / HTTP/1.1\r\nHost: h\r\nA:1\r\nB:2\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"A:".ljust(18, b"x") + b"\r\n\r\n", 431),
    ],
    ids=["line", "no-line-end", "no-end", "count", "size"],
)
def test_limits(octets: bytes, status: int, piecemeal: bool) -> None:
    """Too long a target is 414, too many or too large fields are 431."""
    with pytest.raises(RemoteProtocolError) as caught:
        read(octets, LIMITS, piecemeal=piecemeal)
    assert caught.value.status_hint == status


@pytest.mark.parametrize("piecemeal", [False, True])
def test_at_the_limits(piecemeal: bool) -> None:
    """What is just as large as allowed is read."""
    octets = b"GET /1234 HTTP/1.1\r\nHost: h\r\n" + b"A:".ljust(17, b"x") + b"\r\n\r\n"
    assert read(octets, LIMITS, piecemeal=piecemeal).octets == octets


@pytest.mark.parametrize("piecemeal", [False, True])
@pytest.mark.parametrize(
    ("leniency", "octets", "expected"),
    [
        (Leniency.BARE_CR, request(LINE, b"A: 1\r2"), (b"/", b"localhost", b"1 2")),
        (Leniency.BARE_LF, b"\n\r\nGET / HTTP/1.1\nHost: h\nA: 1\r\n\n", (b"/", b"h", b"1")),
        (Leniency.BARE_LF, b"GET / HTTP/1.0\n\r\n", (b"/", b"", None)),
        (Leniency.BARE_LF, b"GET / HTTP/1.0\n\n", (b"/", b"", None)),
        (Leniency.FIELD_NAME, request(LINE, b"a (\xff: 1", b"a: 2"), (b"/", b"localhost", b"2")),
        (Leniency.HOST, request(host=None), (b"/", b"", None)),
        (Leniency.HOST, request(LINE, b"Host: b"), (b"/", b"localhost", None)),
        (Leniency.HOST, request(host=b"[::1"), (b"/", b"", None)),
        (Leniency.NUL, request(LINE, b"A: 1\0"), (b"/", b"localhost", b"1")),
        (Leniency.OBS_FOLD, request(LINE, b"A: 1\r\n \t2\r\n\t3"), (b"/", b"localhost", b"1 2 3")),
        (Leniency.REQUEST_LINE_SPACE, request(b"\t GET \x0b/\x0cHTTP/1.1\r "), (b"/", b"localhost", None)),
        (Leniency.SPACE_BEFORE_COLON, request(LINE, b"A\t : 1 : 2"), (b"/", b"localhost", b"1 : 2")),
        (Leniency.TARGET, request(b"GET * HTTP/1.1"), (b"/*", b"localhost", None)),
        (Leniency.TARGET, request(b"GET /\xe9#a HTTP/1.1"), (b"/\xe9#a", b"localhost", None)),
        (Leniency.VERSION, request(b"GET / HTTP/2.0"), (b"/", b"localhost", None)),
        (Leniency.VERSION, request(b"GET / HTCPCP"), (b"/", b"localhost", None)),
    ],
)
def test_what_can_be_forgiven(
    leniency: Leniency, octets: bytes, expected: tuple[bytes, bytes, bytes | None], piecemeal: bool
) -> None:
    """Each strictness can be switched off by itself, and by nothing else."""
    head = read(octets, only(leniency), piecemeal=piecemeal)
    assert (head.path, head.authority, head.fields.get(b"a")) == expected
    with pytest.raises(RemoteProtocolError):
        read(octets, all_but(leniency), piecemeal=piecemeal)


def test_a_first_line_is_never_folded() -> None:
    """White space between the start line and the first field is refused in any case (RFC 9112 §2.2)."""
    with pytest.raises(RemoteProtocolError):
        read(b"GET / HTTP/1.1\r\n Host: h\r\n\r\n", Rules(lenient=frozenset(Leniency)))


def test_no_lines() -> None:
    """A section may be empty."""
    assert len(parse_field_lines(b"", Limits(), frozenset())) == 0


# --- beside another reader -------------------------------------------------------------------------

PARTS = st.sampled_from(
    [
        *(b"GET / HTTP/1.1\r\n", b"POST /a?b HTTP/1.0\r\n", b"OPTIONS * HTTP/1.1\r\n", b"Host: h\r\n"),
        *(
            b"Host:\r\n",
            b"A: 1\r\n",
            b"A:\t\xff \r\n",
            b"a: x\r\n y\r\n",
            b"A : 1\r\n",
            b"(: 1\r\n",
            b"A\r\n",
        ),
        *(b"\r\n", b"\r", b"\n", b" ", b"\t", b"\0", b"\x01", b":", b"x", b"HTTP/1.1", b"GET", b"/"),
    ]
)


@settings(max_examples=500)
@given(
    st.tuples(st.booleans(), st.lists(PARTS, max_size=8), st.booleans()).map(
        lambda drawn: (
            (GET[:-2] if drawn[0] else b"") + b"".join(drawn[1]) + (b"\r\n\r\n" if drawn[2] else b"")
        )
    )
)
def test_what_is_read_another_reads_alike(octets: bytes) -> None:
    """h11 reads each head that we take, and as the same, but for what it refuses of values."""
    try:
        head = HeadReader(DEFAULT_RULES).read(bytearray(octets))
    except RemoteProtocolError:
        return
    if head is None or b"\x01" in head.octets:
        return
    event("read")
    stranger = h11.Connection(h11.SERVER)
    stranger.receive_data(head.octets)
    found = stranger.next_event()
    assert isinstance(found, h11.Request)
    assert (found.method.decode(), found.target) == (head.method, head.target)
    assert list(found.headers.raw_items()) == list(head.fields)
