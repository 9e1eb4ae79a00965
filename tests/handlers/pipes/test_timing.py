"""The pipe ``trickle``: what is sent, after which pause."""

from __future__ import annotations

import pytest

from tests.helpers.inline import InlineBridge, begin
from wptproto import Response
from wptproto.handlers.pipes import PipeError, apply
from wptproto.protocol.h1 import H1Connection

NO_STORE = [
    (b"Cache-Control", b"no-cache, no-store, must-revalidate"),
    (b"Pragma", b"no-cache"),
    (b"Expires", b"0"),
]


@pytest.fixture
def happened(monkeypatch: pytest.MonkeyPatch) -> list[float | bytes]:
    """What happens in time: pauses, which take none here, and pieces."""
    found: list[float | bytes] = []
    monkeypatch.setattr(InlineBridge, "pause", lambda _, seconds: found.append(seconds))
    return found


def begun(method: bytes = b"GET") -> tuple[Response, InlineBridge]:
    exchange, bridge = begin(H1Connection(), method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
    exchange.response.content = b"0123456789"
    return exchange.response, bridge


@pytest.mark.parametrize(
    ("delays", "expected"),
    [
        ("d1.5", [1.5, b"0123456789"]),
        ("3", [b"012", b"3456789"]),
        ("10", [b"0123456789"]),
        ("20:d1", [b"0123456789", 1]),
        ("d1:3:d2", [1, b"012", 2, b"3456789"]),
        ("d1:3:d2:4", [1, b"012", 2, b"3456", b"789"]),
        ("d0:3", [0, b"012", b"3456789"]),
        ("+2:d.5:0:d1e1", [b"01", 0.5, 10, b"23456789"]),
        # Repeats: the whole of them each time, though the content ends before.
        ("3:d1:r2", [b"012", 1, b"345", 1, b"678", 1, b"9", 1]),
        ("d1:5:d2:r2", [1, b"01234", 2, b"56789", 2]),
        ("6:d1:2:d2:r4", [b"012345", 1, b"67", 2, b"89", 1, 2]),
        ("6:d1:2:d2:r2", [b"012345", 1, b"67", 2, b"89", 2]),
        ("4:d1:r100", [b"0123", 1, b"4567", 1, b"89", 1]),
        ("4:d1:3:d2:r-2", [b"0123", 1, b"456", 2, 1, b"789", 2]),
        # A repeat that is not last counts for nothing, within a repeat too.
        ("r2:3", [b"012", b"3456789"]),
        ("2:d1:r2:3:d2:r4", [b"01", 1, b"234", 2, 1, b"567", 2, 1, b"89", 2]),
        # All sent before the first repeat.
        ("20:r0", [b"0123456789"]),
        # A step back: as a slice, and the next begins there.
        ("-5", [b"01234", b"56789"]),
        ("-5:d1:3", [b"01234", 1, b"567", b"89"]),
        ("-1000000000000:d1:9:r2", [1, b"012345678", 1, 1, b"89"]),
    ],
)
def test_sequence(happened: list[float | bytes], delays: str, expected: list[float | bytes]) -> None:
    """Delays in seconds, sizes in octets, and repeats come in the order that wptserve takes them."""
    response, _ = begun()
    apply(f"trickle({delays})", response.request, response)
    assert happened == []
    for piece in response.iter_content():
        happened.append(piece)
    assert happened == expected


def test_written(happened: list[float | bytes]) -> None:
    """The head goes out before the first pause, and each piece by itself when its time has come."""
    response, bridge = begun()
    apply("trickle(d1:5:d2:r2)", response.request, response)
    response.write()
    assert bridge.crossings == [["SendHead"], ["SendContent"], ["SendContent"]]
    assert happened == [1, 2, 2]
    sent = bridge.connection.data_to_send()
    assert b"Transfer-Encoding: chunked\r\n" in sent
    assert sent.endswith(b"5\r\n01234\r\n5\r\n56789\r\n")


def test_head(happened: list[float | bytes]) -> None:
    """A HEAD request waits for nothing."""
    response, _ = begun(b"HEAD")
    apply("trickle(d1)", response.request, response)
    response.write()
    assert happened == []


def test_empty_content(happened: list[float | bytes]) -> None:
    """No content is sent in the time it takes, and a repeat has nothing to do."""
    response, _ = begun()
    response.content = b""
    apply("trickle(d1:r2)", response.request, response)
    assert list(response.iter_content()) == []
    assert happened == [1]


def test_before_other_pipes(happened: list[float | bytes]) -> None:
    """A pipe behind it that needs all of the content waits for all of it."""
    response, _ = begun()
    apply("trickle(d1:2)|slice(0,4)", response.request, response)
    assert (response.content, happened) == (b"0123", [1])


def test_caches(happened: list[float | bytes]) -> None:
    """Caches are told to keep out of it; unless the response tells them anything already."""
    response, _ = begun()
    apply("trickle(1)", response.request, response)
    assert response.headers.items() == NO_STORE
    for name in ("cache-control", "pragma", "expires"):
        response, _ = begun()
        apply(f"header({name},1)|trickle(1)", response.request, response)
        assert response.headers.items() == [(name.encode(), b"1")]


@pytest.mark.parametrize(
    ("pipe_string", "complaint"),
    [
        ("trickle", "takes 1 argument (delays); got 0"),
        ("trickle(d1,2)", "got 2"),
        ("trickle()", "step 1, '', of '' is neither a delay in seconds"),
        ("trickle(d1:x)", "step 2, 'x', of 'd1:x' is neither"),
        ("trickle(d)", "step 1, 'd', of 'd' is neither"),
        ("trickle(r)", "is neither"),
        ("trickle(1.5)", "is neither"),
        ("trickle(1:)", "step 2, ''"),
        ("trickle(1:2)", "step 2, '2', of '1:2' is of the same kind as the one before it"),
        ("trickle(d1:d1)", "same kind"),
        ("trickle(1:r2:r2)", "same kind"),
        ("trickle(1:r3)", "repeats an even number of steps"),
        # wptserve cuts these off, after the head.
        ("trickle(d-1)", "step 1, 'd-1', of 'd-1': a delay is 0 to 1000000000 seconds"),
        ("trickle(dnan)", "a delay is"),
        ("trickle(dinf)", "a delay is"),
        # wptserve never ends these.
        ("trickle(1:r0)", "step 2 of '1:r0' repeats no step that sends, and would never end"),
        ("trickle(d1:r2)", "would never end"),
        ("trickle(r2)", "would never end"),
        ("trickle(1:d1:-2:d1:r4)", "would never end"),
    ],
)
def test_mistakes(pipe_string: str, complaint: str) -> None:
    """A step that is none, or a sequence without end, is an error that says which, before any is sent."""
    response, _ = begun()
    with pytest.raises(PipeError) as caught:
        apply(pipe_string, response.request, response)
    assert str(caught.value).startswith("pipe 1, 'trickle', at character 1 of 'trickle")
    assert complaint in str(caught.value)
    assert len(response.headers) == 0
