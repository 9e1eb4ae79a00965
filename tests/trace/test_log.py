"""The readable log and JSON Lines: what they say of each event, and that nobody can write more than that."""

from __future__ import annotations

import io
import json
import os
from typing import Any

import pytest

from wptproto.trace.events import (
    ChunkSeen,
    ConnectionClosed,
    ConnectionOpened,
    ContentSeen,
    DynamicTableChanged,
    EndOfInput,
    ExchangeBegun,
    ExchangeEnded,
    FaultHappened,
    FrameSeen,
    H1HeadSeen,
    H1TrailersSeen,
    HandlerBegun,
    HandlerEnded,
    OctetsSeen,
    Origin,
    PlaintextSeen,
    PrefaceSeen,
    ProtocolChosen,
    TlsAgreed,
    TlsFailed,
    TraceEvent,
    Unreadable,
    Violated,
    WindowChanged,
)
from wptproto.trace.json_lines import JsonLinesWriter
from wptproto.trace.log import LogWriter

AT = Origin(1, 12.5)


def log(*events: TraceEvent, **options: Any) -> str:
    text = io.StringIO()
    write = LogWriter(text, **options)
    for event in events:
        write(event)
    write.close()
    return text.getvalue()


def data(payload: bytes, flags: int = 0, error: str | None = None) -> FrameSeen:
    details = (("data_octets", len(payload)),)
    return FrameSeen(AT, True, "DATA", 0, flags, (), 3, payload, details, None, error)


HEADERS = FrameSeen(
    AT,
    False,
    "HEADERS",
    1,
    0x5,
    ("END_STREAM", "END_HEADERS"),
    1,
    b"\x82",
    (("exclusive", True),),
    ((b"a", b"b"),),
    None,
)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ConnectionOpened(AT, ("1.2.3.4", 5), ("::1", 80), False), "  connection    1.2.3.4:5 to [::1]:80"),
        (ConnectionOpened(AT, ("x", 5), ("y", 1), True), "  connection    x:5 to y:1 over TLS"),
        (
            TlsAgreed(AT, "TLSv1.3", "AES", "a.test", ("h2", "x\n"), "h2"),
            r"  TLS           TLSv1.3 AES, for a.test, ALPN: h2 of h2, x\n",
        ),
        (
            TlsAgreed(AT, "TLSv1.3", "AES", None, None, None),
            "  TLS           TLSv1.3 AES, for no name, ALPN: none of none",
        ),
        (TlsFailed(AT, "no"), "  TLS           no"),
        (ProtocolChosen(AT, "HTTP/2"), "  protocol      HTTP/2"),
        (PrefaceSeen(AT), "← preface       of HTTP/2"),
        (EndOfInput(AT), "← end           of what the client sends"),
        (ExchangeBegun(AT, 1, "GET", "/"), "  exchange      1: GET /"),
        (ExchangeEnded(AT, 1, ""), "  exchange      1: complete"),
        (ExchangeEnded(AT, 1, "reset"), "  exchange      1: reset"),
        (HandlerBegun(AT, 1), "  handler       1: called"),
        (HandlerEnded(AT, 1, 0.01234, None), "  handler       1: through after 12.3 ms"),
        (FaultHappened(AT, None, "reset()"), "  fault         connection: reset()"),
        (FaultHappened(AT, 3, "reset()"), "  fault         3: reset()"),
        (Violated(AT, None, "why"), "  violation     connection: why"),
        (Violated(AT, 5, "why"), "  violation     5: why"),
        (ConnectionClosed(AT, "closed"), "  connection    closed"),
        (ChunkSeen(AT, False, 1, 5, b";a"), "← chunk         1: 5 octets ;a"),
        (ChunkSeen(AT, True, 1, 1, b""), "→ chunk         1: 1 octet"),
        (ContentSeen(AT, True, 1, b"abc"), "→ content       1: 3 octets"),
        (data(b"abc"), "→ DATA          stream 3, 3 octets"),
    ],
)
def test_a_line(event: TraceEvent, expected: str) -> None:
    """An event is a line: time, connection, arrow, what it is, and the rest."""
    assert log(event) == f"[   0.000]   1 {expected}\n"


@pytest.mark.parametrize(
    ("event", "first", "below"),
    [
        (HEADERS, "← HEADERS       stream 1 END_STREAM END_HEADERS, 1 octet", ["exclusive: true", "a: b"]),
        (data(b"\x01a\0", 0x8), "→ DATA          stream 3, 3 octets", ["data_octets: 3"]),
        (
            HEADERS._replace(name="PING", details=(("opaque_data", b"\x07"),), fields=None, flag_names=()),
            "← PING          stream 1, 1 octet",
            [r"opaque_data: \x07"],
        ),
        (data(b"", error="bad"), "→ DATA          stream 3, 0 octets", ["bad"]),
        (
            HandlerEnded(AT, 1, 1, "KeyError: 1"),
            "  handler       1: through after 1000.0 ms",
            ["KeyError: 1"],
        ),
        (
            H1HeadSeen(AT, False, 1, b"GET / HTTP/1.1", ((b"Host", b"x\x1b[31m\xff"),)),
            "← request       1: GET / HTTP/1.1",
            [r"Host: x\x1b[31m\xff"],
        ),
        (
            H1HeadSeen(AT, True, 1, b"HTTP/1.1 200 OK", ((b"a", b"b" * 3000),)),
            "→ response      1: HTTP/1.1 200 OK",
            [f"a: {'b' * 2000}... and 1000 octets more"],
        ),
        (H1TrailersSeen(AT, True, 1, ((b"a", b"b"),)), "→ trailers      1: 1", ["a: b"]),
        (Unreadable(AT, False, b"\x16\x03", "odd"), "← unreadable    odd, 2 octets", [r"\x16\x03"]),
    ],
)
def test_lines_below(event: TraceEvent, first: str, below: list[str]) -> None:
    """What there is to say besides is below, and does nothing to a terminal."""
    lines = log(event).splitlines()
    assert lines[0] == f"[   0.000]   1 {first}"
    assert [line.strip() for line in lines[1:]] == below
    assert {line[:19] for line in lines[1:]} == {" " * 19}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (OctetsSeen(AT, True, b"abc"), ["→ octets        3 octets"]),
        (WindowChanged(AT, 0, True, 9, 5), ["  window        connection, server's to send: 9 -4 = 5"]),
        (WindowChanged(AT, 3, False, 9, 12), ["  window        stream 3, client's to send: 9 +3 = 12"]),
        (
            DynamicTableChanged(AT, True, "insert", (b"a", b"b"), 34, 1),
            ["→ table         insert a: b (1 entry, 34 octets)"],
        ),
        (
            DynamicTableChanged(AT, True, "resize", None, 0, 0),
            ["→ table         resize (0 entries, 0 octets)"],
        ),
        (ContentSeen(AT, True, 1, b"a\r\nb\x07"), ["→ content       1: 5 octets", "a", r"b\x07"]),
        (data(b"\x01abc\0", 0x8), ["→ DATA          stream 3, 5 octets", "data_octets: 5", "abc"]),
        (data(b"", 0x8), ["→ DATA          stream 3, 0 octets", "data_octets: 0"]),
        (
            data(b"x" * 1000),
            ["→ DATA          stream 3, 1000 octets", "x" * 480, "... and 520 octets more"],
        ),
        (
            data(b"x\n" * 9),
            ["→ DATA          stream 3, 18 octets", *["x"] * 8, "... and 2 octets more"],
        ),
    ],
)
def test_the_second_verbosity(event: TraceEvent, expected: list[str]) -> None:
    """Twice as verbose, there are windows, tables, octets, and the beginnings of content."""
    before = "[   0.000]   1 "
    found = log(event, verbosity=2)
    assert [
        line.removeprefix(before) if line[0] == "[" else line.strip() for line in found.splitlines()
    ] == expected
    assert "x" * 481 not in log(event)


def test_what_is_not_said() -> None:
    """Some is only for who wants more, and some only for other formats."""
    assert log(OctetsSeen(AT, True, b"a"), WindowChanged(AT, 0, True, 1, 2)) == ""
    assert log(PlaintextSeen(AT, True, b"a"), verbosity=2) == ""


def test_times_begin_with_the_first_event() -> None:
    """Time counts from the first event on; the process can be told, too."""
    later = ConnectionClosed(Origin(12, 15.0), "closed")
    lines = log(ProtocolChosen(AT, "HTTP/2"), later, with_process=True).splitlines()
    assert lines[1] == f"[   2.500] {os.getpid()}.12   connection    closed"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Narrow(io.StringIO):
    encoding = "ascii"


def test_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are colours on a terminal alone, unless NO_COLOR forbids it."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    for no_color, has in ((None, True), ("", True), ("1", False)):
        if no_color is not None:
            monkeypatch.setenv("NO_COLOR", no_color)
        terminal = Terminal()
        LogWriter(terminal)(HEADERS)
        assert ("\x1b[" in terminal.getvalue()) == has
    assert "\x1b[" not in log(HEADERS)
    assert "\x1b[31mwhy\x1b[0m" in log(TlsFailed(AT, "why"), colours=True)


def test_arrows() -> None:
    """Where the encoding has no arrows, there are signs."""
    text = Narrow()
    write = LogWriter(text)
    write(EndOfInput(AT))
    write(data(b""))
    assert [line[15:17] for line in text.getvalue().splitlines()] == ["< ", "> "]


def json_lines(*events: TraceEvent) -> list[dict[str, Any]]:
    text = io.StringIO()
    write = JsonLinesWriter(text)
    for event in events:
        write(event)
    write.close()
    return [json.loads(line) for line in text.getvalue().splitlines()]


def test_json_lines() -> None:
    """An event is an object with its name, its time, its connection, and all that it has."""
    assert json_lines(HEADERS._replace(payload=b"\x82\xff")) == [
        {
            "event": "frame_seen",
            "time": 12.5,
            "connection": 1,
            "sent": False,
            "name": "HEADERS",
            "kind": 1,
            "flags": 5,
            "flag_names": ["END_STREAM", "END_HEADERS"],
            "stream_id": 1,
            "payload": {"base64": "gv8="},
            "details": [["exclusive", True]],
            "fields": [["a", "b"]],
            "error": None,
        }
    ]
    (head,) = json_lines(H1HeadSeen(AT, True, 1, b"HTTP/1.1 200 OK", ()))
    assert (head["event"], head["line"]) == ("h1_head_seen", "HTTP/1.1 200 OK")


def test_long_octets_in_json_lines() -> None:
    """Of long octets there is the beginning, and how many they are."""
    text, binary = json_lines(ContentSeen(AT, True, 1, b"a" * 70_000), OctetsSeen(AT, True, b"\xff" * 70_000))
    assert text["octets"] == {"text": "a" * 65536, "octets": 70_000}
    assert (len(binary["octets"]["base64"]), binary["octets"]["octets"]) == (87384, 70_000)
