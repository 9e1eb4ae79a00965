"""The rules for what a server sends, each with octets that break it: none of them holds for everything."""

from __future__ import annotations

import socket

import pytest

from tests.conformance.h2_probe import GET, OPENING, begun, frame, section
from tests.conformance.h2_wire import Conversation
from tests.conformance.rfc9113_sent import RULES
from wptproto.semantics.fields import FieldLine

DATE: FieldLine = (b"date", b"Sun, 06 Nov 1994 08:49:37 GMT")
STATUS: FieldLine = (b":status", b"200")
SETTINGS = frame(4, 0, 0)
PREFACE = SETTINGS + frame(4, 1, 0)
REQUEST = OPENING + begun()
GOODBYE = frame(7, 0, 0, (1).to_bytes(4, "big") + (1).to_bytes(4, "big") + b"reason")


def answer(*lines: FieldLine, flags: int = 5, stream: int = 1) -> bytes:
    return frame(1, flags, stream, section(lines))


OK = answer(STATUS, DATE)
HEAD = answer(STATUS, DATE, flags=4)

BREAK: dict[str, tuple[bytes, bytes]] = {
    "sent-preface": (OPENING, frame(4, 1, 0) + SETTINGS),
    "sent-reserved-bit": (REQUEST, PREFACE + answer(STATUS, DATE, stream=1 | 2**31)),
    "sent-unused-flags": (REQUEST, PREFACE + answer(STATUS, DATE, flags=7)),
    "sent-frame-size": (REQUEST, PREFACE + HEAD + frame(0, 1, 1, bytes(16385))),
    "sent-contiguous-blocks": (REQUEST, PREFACE + frame(1, 1, 1) + frame(6, 0, 0, bytes(8)) + frame(9, 4, 1, section([STATUS, DATE]))),
    "sent-streams": (REQUEST, PREFACE + answer(STATUS, DATE, stream=2)),
    "sent-nothing-behind-the-end": (REQUEST, PREFACE + OK + frame(0, 1, 1, b"x")),
    "sent-last-stream": (REQUEST, PREFACE + OK + frame(7, 0, 0, bytes(8))),
    "sent-goaway-is-last": (REQUEST, PREFACE + GOODBYE + OK),
    "sent-no-padding": (REQUEST, PREFACE + HEAD + frame(0, 9, 1, b"\1x\0")),
    "sent-ack-is-empty": (OPENING, SETTINGS + frame(4, 1, 0, bytes(6))),
    "sent-settings": (OPENING, frame(4, 0, 0, b"\0\2\0\0\0\1") + frame(4, 1, 0)),
    "sent-acks": (OPENING + SETTINGS, PREFACE),
    "sent-pings": (OPENING + frame(6, 0, 0, b"12345678"), PREFACE + frame(6, 1, 0, b"87654321")),
    "sent-increments": (REQUEST, PREFACE + frame(8, 0, 0, bytes(4))),
    "sent-windows": (REQUEST, PREFACE + HEAD + frame(0, 0, 1, bytes(16384)) * 4),
    "sent-messages": (REQUEST, PREFACE + HEAD + HEAD),
    "sent-lengths": (REQUEST, PREFACE + answer(STATUS, DATE, (b"content-length", b"2"), flags=4) + frame(0, 1, 1, b"x")),
    "sent-names": (REQUEST, PREFACE + answer(STATUS, DATE, (b"Server", b"x"))),
    "sent-values": (REQUEST, PREFACE + answer(STATUS, DATE, (b"server", b" x"))),
    "sent-not-specific": (REQUEST, PREFACE + answer(STATUS, DATE, (b"connection", b"close"))),
    "sent-pseudo": (REQUEST, PREFACE + answer(DATE, STATUS)),
    "sent-status": (REQUEST, PREFACE + answer((b":status", b"101"))),
    "sent-date": (REQUEST, PREFACE + answer(STATUS)),
}  # fmt: skip


def conversation(client: bytes, server: bytes) -> Conversation:
    """Return what a client sees that sends and receives these octets."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(server)
        theirs.shutdown(socket.SHUT_WR)
        said = Conversation(ours)
        said.send(client)
        said.read_to_the_end()
    return said


@pytest.mark.parametrize("broken", BREAK)
def test_a_rule_that_is_broken(broken: str) -> None:
    """Octets that break a rule are found to, by that rule."""
    said = conversation(*BREAK[broken])
    assert broken in [rule.id for rule in RULES if not rule.holds(said)]


def test_no_rule_is_broken() -> None:
    """A sound answer keeps all of them, and each of them can be broken."""
    said = conversation(OPENING + begun(1, GET), PREFACE + HEAD + frame(0, 1, 1, b"x"))
    assert [rule.id for rule in RULES if not rule.holds(said)] == []
    assert {rule.id for rule in RULES} == set(BREAK)
