"""RFC 9113 §5: streams, their states and identifiers, and what goes on under errors."""

from __future__ import annotations

from h2.errors import ErrorCodes

from tests.conformance.h2_probe import GET, POST, H2Probe, answered, begun, broken, frame, reset

STATES, IDS, EXTENDING = "RFC 9113 §5.1", "RFC 9113 §5.1.1", "RFC 9113 §5.5"
IDLE = "Receiving any frame other than HEADERS or PRIORITY on a stream in this state MUST be treated as a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
HALF_CLOSED = "If an endpoint receives additional frames, other than WINDOW_UPDATE, PRIORITY, or RST_STREAM, for a stream that is in this state, it MUST respond with a stream error (Section 5.4.2) of type STREAM_CLOSED."
CLOSED = "An endpoint MAY treat receipt of any other type of frame on a closed stream as a connection error (Section 5.4.1) of type STREAM_CLOSED, except as noted below."
UNEXPECTED_ID = "An endpoint that receives an unexpected stream identifier MUST respond with a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
UNSUPPORTED = "Implementations MUST discard frames that have unknown or unsupported types."
INSIDE_BLOCK = "extension frames that appear in the middle of a field block (Section 4.3) are not permitted; these MUST be treated as a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
STREAM_CLOSED = ErrorCodes.STREAM_CLOSED
SLOW = ((b":method", b"GET"), *GET[1:3], (b":path", b"/slow"))
RST = frame(3, 0, 1, bytes(4))


def idle(id: str, octets: bytes) -> H2Probe:
    return broken("idle-" + id, STATES, octets, sentence=IDLE)


def closed(id: str, octets: bytes) -> H2Probe:
    sends = begun(1, POST, end=False) + RST + octets
    return reset("closed-" + id, STATES, sends, STREAM_CLOSED, sentence=CLOSED, level="MAY")


def wrong_id(id: str, octets: bytes) -> H2Probe:
    return broken("id-" + id, IDS, octets, sentence=UNEXPECTED_ID)


PROBES: list[H2Probe] = [
    idle("data", frame(0, 1, 1, b"x")),
    idle("rst-stream", frame(3, 0, 1, bytes(4))),
    idle("window-update", frame(8, 0, 1, b"\0\0\0\1")),
    idle("continuation", frame(9, 4, 1)),
    idle("rst-stream-of-ours", frame(3, 0, 2, bytes(4))),
    idle("data-of-ours", frame(0, 1, 2, b"x")),
    answered("idle-priority", STATES, frame(2, 0, 99, bytes(5)) + begun()),
    reset(
        "half-closed-data", STATES, begun(1, SLOW) + frame(0, 1, 1, b"x"), STREAM_CLOSED, sentence=HALF_CLOSED
    ),
    reset(
        "half-closed-headers",
        STATES,
        begun(1, SLOW) + begun(1, [(b"a", b"1")]),
        STREAM_CLOSED,
        sentence=HALF_CLOSED,
    ),
    answered("half-closed-priority", STATES, begun(1, SLOW) + frame(2, 0, 1, bytes(5))),
    answered("half-closed-window-update", STATES, begun(1, SLOW) + frame(8, 0, 1, b"\0\0\0\1")),
    H2Probe(id="half-closed-rst-stream", section=STATES, sends=begun(1, SLOW) + RST),
    closed("data", frame(0, 1, 1, b"x")),
    closed("headers", begun(1, [(b"a", b"1")])),
    H2Probe(
        id="closed-priority", section=STATES, sends=begun(1, POST, end=False) + RST + frame(2, 0, 1, bytes(5))
    ),
    H2Probe(
        id="closed-window-update",
        section=STATES,
        sends=begun(1, POST, end=False) + RST + frame(8, 0, 1, b"\0\0\0\1"),
    ),
    H2Probe(id="closed-rst-stream", section=STATES, sends=begun(1, POST, end=False) + RST + RST),
    wrong_id("even", begun(2)),
    wrong_id("zero", frame(1, 5, 0)),
    wrong_id("lower", begun(5) + begun(3)),
    answered("id-with-gaps", IDS, begun(1) + begun(99), sentence=""),
    broken("extension-inside-a-block", EXTENDING, frame(1, 1, 1) + frame(0x42, 0, 0), sentence=INSIDE_BLOCK),
    answered("extension", EXTENDING, frame(0xBE, 0xFF, 0x7FFFFFFF, b"x") + begun(), sentence=UNSUPPORTED),
    answered("altsvc", EXTENDING, frame(0xA, 0, 0, b'\0\1ah2=":1"') + begun(), sentence=UNSUPPORTED),
    answered("priority-update", "RFC 9218 §7.1", frame(0x10, 0, 0, b"\0\0\0\1u=1") + begun()),
]
