"""Faults: the words for what goes wrong, and what is wrong with words that are none."""

from __future__ import annotations

import math
import re

import pytest

from wptproto.errors import FaultError
from wptproto.faults import (
    EFFECTS,
    Close,
    Cut,
    Effect,
    Fault,
    GoAway,
    Moment,
    Reset,
    ResetStream,
    Slow,
    Stall,
    as_fault,
    fault,
    parse,
)


@pytest.mark.parametrize("word", EFFECTS)
def test_each_word_is_its_effects(word: str) -> None:
    """The word of each effect leads to it, and its own moment is one that it can have."""
    assert EFFECTS[word].word() == word
    assert EFFECTS[word].default in EFFECTS[word].moments
    assert EFFECTS[word].__doc__


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (fault("reset"), Fault(Reset(), Moment.RESPONSE_HEAD)),
        (fault("Half-Close", at="END"), Fault(EFFECTS["half_close"](), Moment.END)),
        (fault("close", octet=0), Fault(Close(), Moment.RESPONSE_CONTENT, 0)),
        (fault("close", at="request content", octet=3), Fault(Close(), Moment.REQUEST_CONTENT, 3)),
        (fault("reset_stream", "cancel"), Fault(ResetStream(8), Moment.RESPONSE_HEAD)),
        (fault("reset_stream", code=99), Fault(ResetStream(99), Moment.RESPONSE_HEAD)),
        (fault("goaway", debug="é"), Fault(GoAway(0, None, b"\xc3\xa9"), Moment.RESPONSE_HEAD)),
        (fault("cut", [1, 2]), Fault(Cut((1, 2)), Moment.RESPONSE_HEAD)),
        (fault("cut", 7, records=9), Fault(Cut((7,), (9,)), Moment.RESPONSE_HEAD)),
        (fault(Stall(1), at=Moment.IDLE), Fault(Stall(1), Moment.IDLE)),
        (as_fault(fault("close")), fault("close")),
        (as_fault("close", at="end"), fault("close", at="end")),
        (parse(["reset"]), fault("reset")),
        (parse(["slow", "2.5"]), fault("slow", 2.5)),
        (parse(["stall", "at=request_head", "0.1"]), fault("stall", 0.1, at="request_head")),
        (parse(["cut", "1:2:3", "gap_s=0"]), fault("cut", [1, 2, 3], gap_s=0.0)),
        (parse(["cut", "records=4", "sizes=1"]), fault("cut", [1], records=[4])),
        (parse(["goaway", "7", "last-stream-id=3", "debug=a=b"]), fault("goaway", 7, 3, "a=b")),
        (parse(["garbage", "a=b"]), fault("garbage", b"a=b")),
        (parse(["close", "octet=5"]), fault("close", octet=5)),
    ],
)
def test_words_make_a_fault(made: Fault, wanted: Fault) -> None:
    """What is said is what is meant: names and numbers of codes, text for octets, a size for sizes."""
    assert made == wanted


@pytest.mark.parametrize(
    ("what", "arguments", "named", "complaint"),
    [
        ("burn", (), {}, "there is no fault 'burn'; there are close, half_close,"),
        ("close", (), {"at": "noon"}, "there is no moment 'noon'; there are accepted, tls_hello,"),
        ("close", (1,), {}, "close: it takes no arguments"),
        ("slow", (), {}, "slow: it takes octets_per_s"),
        ("stall", (), {"minutes": 3}, "stall: it takes [seconds]"),
        ("stall", (0,), {}, "stall: seconds is a number above 0, not 0"),
        ("slow", ("fast",), {}, "slow: octets_per_s is a number above 0, not 'fast'"),
        ("slow", (True,), {}, "slow: octets_per_s is a number above 0, not True"),
        ("truncate", (), {"at": "end"}, "truncate has no meaning at end; it has at response_content"),
        ("goaway", (), {"at": "accepted"}, "goaway has no meaning at accepted; it has at request_head,"),
        ("close", (), {"at": "end", "octet": 3}, "octet counts content, and there is none at end"),
        ("close", (), {"octet": -1}, "octet is a number of octets, 0 or more, not -1"),
        ("reset_stream", ("NICE",), {}, "reset_stream: 'NICE' is no error code; say a number of 32 bits"),
        ("reset_stream", (2**32,), {}, "4294967296 is no error code"),
        ("goaway", (), {"last_stream_id": -1}, "goaway: last_stream_id is a number from 0 to 2147483647"),
        ("goaway", (True,), {}, "goaway: True is no error code"),
        ("goaway", (), {"last_stream_id": True}, "goaway: last_stream_id is a number"),
        ("cut", (True,), {}, "cut: sizes are numbers of octets above 0, not True"),
        ("cut", (1.5,), {}, "cut: sizes are numbers of octets above 0, not 1.5"),
        ("goaway", (), {"debug": 5}, "goaway: debug is octets or text, not 5"),
        ("cut", ([0],), {}, "cut: sizes are numbers of octets above 0, not [0]"),
        ("cut", ([],), {}, "cut: say sizes of segments, or of records, or both"),
        ("stall", (math.nan,), {}, "stall: seconds is a number above 0, not nan"),
        ("close", (), {"octet": "3"}, "octet is a number of octets, 0 or more, not '3'"),
        ("close", (), {"octet": True}, "octet is a number of octets, 0 or more, not True"),
        (Close(), (3,), {}, "close was made before, and 3 would change it; say that where it is made"),
        ("cut", (1,), {"gap_s": -1}, "cut: gap_s is a number above 0, not -1"),
    ],
)
def test_what_is_no_fault(
    what: str | Effect, arguments: tuple[object, ...], named: dict[str, object], complaint: str
) -> None:
    """What cannot be is an error when it is asked for, in a sentence that says what there is."""
    with pytest.raises(FaultError, match=re.escape(complaint)):
        fault(what, *arguments, **named)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "which fault? There are close,"),
        (["reset", "1"], "reset: '1' is one argument too many; it takes no arguments"),
        (["stall", "-1"], "stall: seconds is a number such as 0.5, not '-1'"),
        (["close", "octet=x"], "octet is a whole number, not 'x'"),
        (["cut", "1:a"], "sizes is a whole number, not 'a'"),
        (["goaway", "last_stream_id=one"], "last_stream_id is a whole number, not 'one'"),
    ],
)
def test_words_that_are_no_fault(words: list[str], complaint: str) -> None:
    """So is what a URL says."""
    with pytest.raises(FaultError, match=re.escape(complaint)):
        parse(words)


@pytest.mark.parametrize(
    ("asked", "protocol", "is_tls", "complaint"),
    [
        ("goaway", "HTTP/1.1", True, "goaway has no meaning over HTTP/1.1 (over HTTP/1.1 a response says"),
        ("reset_stream", None, None, "and this may be answered over it; say protocol='HTTP/2'"),
        ("no_close_notify", "HTTP/2", False, "has no meaning in the clear"),
    ],
)
def test_what_a_protocol_does_not_have(
    asked: str, protocol: str | None, is_tls: bool | None, complaint: str
) -> None:
    """What has no meaning over a protocol says so, and what does."""
    with pytest.raises(FaultError, match=re.escape(complaint)):
        fault(asked).check(protocol=protocol, is_tls=is_tls)


def test_what_a_protocol_has() -> None:
    """What has one is allowed, and so is what may have one where that is not known."""
    fault("goaway").check(protocol="HTTP/2", is_tls=False)
    fault("no_close_notify").check(protocol=None, is_tls=None)
    fault("close", at="tls_hello").check(protocol="HTTP/1.1", is_tls=True)
    with pytest.raises(FaultError, match="tls_hello has no meaning in the clear"):
        fault("close", at="tls_hello").check(protocol="HTTP/1.1", is_tls=False)


def test_records_in_the_clear() -> None:
    """How octets fall into TLS records is said of TLS alone; how they fall into segments, of all."""
    fault("cut", [1], records=[5]).check(protocol=None, is_tls=False)
    fault("cut", [], records=[5]).check(protocol=None, is_tls=True)
    with pytest.raises(FaultError, match="records are those of TLS, and there is none in the clear"):
        fault("cut", [], records=[5]).check(protocol=None, is_tls=False)
    with pytest.raises(FaultError, match="tls_hello has no meaning in the clear"):
        fault("cut", [], records=[5], at="tls_hello").check(protocol=None, is_tls=False)


def test_a_fault_that_was_made() -> None:
    """A fault is taken as it is; what would change it is an error, and not forgotten."""
    made = fault("close", octet=3)
    assert as_fault(made) is made
    with pytest.raises(FaultError, match="was made before, and at='end' would change it"):
        as_fault(made, at="end")


def test_in_a_handler() -> None:
    """A handler comes behind the request: what is to happen there by itself happens in the response."""
    assert fault("do_not_read").in_response().at is Moment.RESPONSE_HEAD
    assert fault("close", at="end").in_response().at is Moment.END
    with pytest.raises(FaultError, match="request_head is over when a handler is called"):
        fault("close", at="request_head").in_response()


def test_in_words() -> None:
    """A fault says in the log what it is."""
    assert str(fault("close", octet=4)) == "close() at response_content at octet 4"
    assert str(fault("goaway", "CANCEL")) == "goaway(code=8) at response_head"
    assert str(fault(Slow(3), at="accepted")) == "slow(octets_per_s=3) at accepted"
