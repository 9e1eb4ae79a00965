"""Where the content of a request ends; there is one answer or none."""

from __future__ import annotations

import pytest

from wptproto.errors import RemoteProtocolError
from wptproto.limits import Limits
from wptproto.protocol.h1_framing import content_length, is_faulty
from wptproto.protocol.rules import DEFAULT_RULES, Leniency, Rules
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import RequestHead, Version


def head(*lines: tuple[bytes, bytes], version: Version = "HTTP/1.1") -> RequestHead:
    return RequestHead("POST", b"/", b"/", b"h", version, Fields(lines))


def length(*values: bytes) -> RequestHead:
    return head(*((b"Content-Length", value) for value in values))


def coding(*values: bytes, version: Version = "HTTP/1.1") -> RequestHead:
    return head(*((b"Transfer-Encoding", value) for value in values), version=version)


BOTH = head((b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked"))
OLD = coding(b"chunked", version="HTTP/1.0")


@pytest.mark.parametrize("value", [b"5", b"05", b"0" * 30 + b"5"])
def test_a_length(value: bytes) -> None:
    """Content-Length = 1*DIGIT (RFC 9110 §8.6)."""
    assert content_length(length(value), DEFAULT_RULES) == 5


@pytest.mark.parametrize("request_head", [head(), length(b"0"), length(b"00")])
def test_no_content(request_head: RequestHead) -> None:
    """Without framing fields there is no content (RFC 9112 §6.3)."""
    assert content_length(request_head, DEFAULT_RULES) == 0


@pytest.mark.parametrize(
    "value",
    [b"", b"+5", b"-5", b"0x5", b"5_0", b"5 0", b"\xb2", b"\xd9\xa3", b"5,5", b"5, 6", b"\x0b5", b"5."],
)
def test_no_length(value: bytes) -> None:
    """What is not one number is 400 (RFC 9112 §6.3)."""
    with pytest.raises(RemoteProtocolError, match="Content-Length is not one number") as caught:
        content_length(length(value), DEFAULT_RULES)
    assert caught.value.status_hint == 400


@pytest.mark.parametrize("values", [[b"5", b"5"], [b"5", b"6"]])
def test_two_lengths(values: list[bytes]) -> None:
    """Two fields are refused, also where they agree: RFC 9110 §8.6 leaves the choice."""
    with pytest.raises(RemoteProtocolError, match="not one number"):
        content_length(length(*values), DEFAULT_RULES)


@pytest.mark.parametrize("value", [b"6", b"9" * 19, b"9" * 20, b"9" * 5000])
def test_too_large(value: bytes) -> None:
    """More than the limits allow is 413, whatever its number of digits (RFC 9110 §15.5.14)."""
    rules = Rules(limits=Limits(content_octets=5))
    assert content_length(length(b"5"), rules) == 5
    with pytest.raises(RemoteProtocolError, match="content_octets: more than 5") as caught:
        content_length(length(value), rules)
    assert caught.value.status_hint == 413


@pytest.mark.parametrize("values", [[b"chunked"], [b"Chunked"], [b", chunked ,"], [b"", b"chunked"]])
def test_chunks(values: list[bytes]) -> None:
    """Transfer codings have no case (RFC 9112 §7); empty list members count for none (RFC 9110 §5.6.1.2)."""
    assert content_length(coding(*values), DEFAULT_RULES) is None


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([b""], 400),
        ([b"identity"], 400),
        ([b"gzip"], 400),
        ([b"chunked, gzip"], 400),
        ([b"chunked", b"gzip"], 400),
        ([b"chunked, chunked"], 400),
        ([b"chunked", b"chunked"], 400),
        ([b"chunked;q=1"], 400),
        ([b'"chunked"'], 400),
        ([b"xchunked"], 400),
        ([b"\x0bchunked"], 400),
        ([b"gzip, chunked"], 501),
        ([b"gzip", b"chunked"], 501),
    ],
)
def test_other_codings(values: list[bytes], status: int) -> None:
    """Chunked has to be the final coding (RFC 9112 §6.3); of others before it, none is understood (§6.1)."""
    with pytest.raises(RemoteProtocolError) as caught:
        content_length(coding(*values), DEFAULT_RULES)
    assert caught.value.status_hint == status


@pytest.mark.parametrize("request_head", [BOTH, OLD], ids=["both", "HTTP/1.0"])
def test_chunks_where_they_are_in_doubt(request_head: RequestHead) -> None:
    """Beside Content-Length, and in HTTP/1.0, the framing is faulty (RFC 9112 §6.1, §6.3)."""
    assert is_faulty(request_head)
    with pytest.raises(RemoteProtocolError) as caught:
        content_length(request_head, DEFAULT_RULES)
    assert caught.value.status_hint == 400


@pytest.mark.parametrize("request_head", [head(), length(b"5"), coding(b"chunked")])
def test_sound_framing(request_head: RequestHead) -> None:
    """All else can be followed by another request."""
    assert not is_faulty(request_head)


@pytest.mark.parametrize(
    ("leniency", "request_head"),
    [
        (Leniency.LENGTH_AND_CHUNKED, BOTH),
        (Leniency.CHUNKED_1_0, OLD),
        (Leniency.REPEATED_LENGTH, length(b"5, 5", b"5")),
    ],
)
def test_what_can_be_forgiven(leniency: Leniency, request_head: RequestHead) -> None:
    """Each strictness can be switched off by itself."""
    assert content_length(request_head, Rules(lenient=frozenset([leniency]))) in (5, None)
    with pytest.raises(RemoteProtocolError):
        content_length(request_head, Rules(lenient=frozenset(Leniency) - {leniency}))
