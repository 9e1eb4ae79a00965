"""Requests that are known: read once, they are looked up; and nothing else comes of it."""

from __future__ import annotations

import pytest

from tests.helpers.h1 import request, response_head
from wptproto.errors import RemoteProtocolError
from wptproto.limits import Limits
from wptproto.protocol import h1_known
from wptproto.protocol.h1_known import KnownRequests, examiner, request_reader
from wptproto.protocol.h1_request import H1Request, RequestReader
from wptproto.protocol.h1_response import examined
from wptproto.protocol.rules import Core, Leniency, Rules

PORT = iter(range(10_000, 20_000))


@pytest.fixture
def rules() -> Rules:
    """Return rules that no other test goes by, for those with the same rules know the same."""
    return Rules(Limits(content_octets=next(PORT)))


def read(rules: Rules, octets: bytes) -> H1Request | None:
    return request_reader(rules).read(bytearray(octets))


def plain(rules: Rules, octets: bytes) -> H1Request | None:
    return RequestReader(rules).read(bytearray(octets))


def test_a_head_is_read_once(rules: Rules) -> None:
    """The second time it is the same one, on whatever connection."""
    octets = request()
    assert request_reader(rules).look_up(octets) is None
    first = read(rules, octets)
    assert first == plain(rules, octets)
    assert request_reader(rules).look_up(octets) is first


def test_another_target(rules: Rules) -> None:
    """Of a head that differs in its target, the fields are known."""
    first, second = (read(rules, request(line)) for line in (b"GET /a?b HTTP/1.1", b"GET /c HTTP/1.1"))
    assert first is not None
    assert second is not None
    assert second == plain(rules, request(b"GET /c HTTP/1.1"))
    assert second.head.fields is first.head.fields


@pytest.mark.parametrize(
    "line",
    [
        b"POST / HTTP/1.1",
        b"GET / HTTP/1.0",
        b"GET http://other:80/ HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"CONNECT other:80 HTTP/1.1",
    ],
)
@pytest.mark.parametrize("first", [b"GET / HTTP/1.1", b"GET http://third/ HTTP/1.1"])
def test_other_request_lines(rules: Rules, first: bytes, line: bytes) -> None:
    """Method, version and an authority in the target change what fields mean."""
    lines = b"Connection: keep-alive", b"Content-Length: 5"
    read(rules, request(first, *lines))
    assert read(rules, request(line, *lines)) == plain(rules, request(line, *lines))
    assert read(rules, request(first, *lines)) == plain(rules, request(first, *lines))


@pytest.mark.parametrize("lines", [(b"Content-Length: +5",), (b"Expect: miracles",), (b"A b: c",)])
def test_what_is_wrong_is_not_known(rules: Rules, lines: tuple[bytes, ...]) -> None:
    """It is refused as often as it comes."""
    octets = request(b"GET / HTTP/1.1", *lines)
    for _ in range(2):
        with pytest.raises(RemoteProtocolError):
            read(rules, octets)
        assert request_reader(rules).look_up(octets) is None


def test_rules_of_ones_own(rules: Rules) -> None:
    """What one server forgives is not known to another."""
    octets = request(b"GET / HTTP/1.1", b"Expect: miracles")
    lenient = Rules(rules.limits, frozenset([Leniency.EXPECT]))
    assert read(lenient, octets) is not None
    assert request_reader(lenient).look_up(octets) is not None
    assert request_reader(rules).look_up(octets) is None


def test_what_is_long_is_not_kept(rules: Rules) -> None:
    """A client cannot have much remembered: neither long heads, nor many."""
    octets = request(b"GET / HTTP/1.1", b"A: " + b"a" * h1_known.MOST_OCTETS)
    assert read(rules, octets) == plain(rules, octets)
    assert request_reader(rules).look_up(octets) is None


def test_full(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full, it begins again."""
    monkeypatch.setattr(h1_known, "MOST_HEADS", 3)
    heads = [request(b"GET /%d HTTP/1.1" % number) for number in range(7)]
    for octets in heads:
        assert read(rules, octets) == plain(rules, octets)
    known = request_reader(rules)
    assert [known.look_up(octets) is not None for octets in heads] == [False] * 6 + [True]


def test_the_plain_core(rules: Rules) -> None:
    """It knows nothing."""
    reader = request_reader(Rules(rules.limits, core=Core.PLAIN))
    octets = request()
    assert reader.read(bytearray(octets)) == plain(rules, octets)
    assert not isinstance(reader, KnownRequests)
    assert reader.look_up(octets) is None


def test_a_response_is_made_once(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its octets, and what they mean, are known from then on; those of a long head are not."""
    monkeypatch.setattr(h1_known, "MOST_HEADS", 3)
    examine = examiner(rules)
    for number in range(5):
        head = response_head(200, (b"A", b"%d" % number))
        assert examine(head) == examined(head)
        assert examine(head) is examine(response_head(200, (b"A", b"%d" % number)))
    long = response_head(200, (b"A", b"a" * h1_known.MOST_OCTETS))
    assert examine(long) == examined(long)
    assert examine(long) is not examine(long)


def test_responses_of_the_plain_core(rules: Rules) -> None:
    """They are made each time."""
    assert examiner(Rules(rules.limits, core=Core.PLAIN)) is examined
