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


SHORTLY = "An endpoint MUST minimally process and then discard any frames it receives in this state."
PRIORITY = "PRIORITY frames are allowed in the closed state."
DISCARD = "An endpoint that sends a RST_STREAM frame on a stream that is in the open or half-closed (local) state could receive any type of frame."
FLOW, CONTROL = "RFC 9113 §5.2.1", "RFC 9113 §6.9.1"
OVERRUN = "A receiver MAY respond with a stream error (Section 5.4.2) or connection error (Section 5.4.1) of type FLOW_CONTROL_ERROR if it is unable to accept a frame."
EMPTY = "Frames with zero length with the END_STREAM flag set (that is, an empty DATA frame) MAY be sent if there is no available space in either flow-control window."
NOT_CONTROLLED = "Of the frames specified in this document, only DATA frames are subject to flow control."
# The window of a stream, used up, while nobody reads; this server's is of 128 KiB.
FULL = begun(1, ((b":method", b"POST"), *SLOW[1:]), end=False) + frame(0, 0, 1, bytes(16384)) * 8


def ended(id: str, octets: bytes, *codes: ErrorCodes) -> H2Probe:
    return H2Probe(
        id="ended-" + id,
        section=STATES,
        sends=begun(),
        then=octets,
        goaway=codes or (STREAM_CLOSED,),
        sentence=CLOSED,
        level="MAY",
    )


def overrun(id: str, octets: bytes) -> H2Probe:
    return broken("window-overrun-" + id, CONTROL, octets, ErrorCodes.FLOW_CONTROL_ERROR, sentence=OVERRUN)


PROBES: list[H2Probe] = [
    idle("data", frame(0, 1, 1, b"x")),
    idle("rst-stream", frame(3, 0, 1, bytes(4))),
    idle("window-update", frame(8, 0, 1, b"\0\0\0\1")),
    idle("continuation", frame(9, 4, 1)),
    idle("rst-stream-of-ours", frame(3, 0, 2, bytes(4))),
    idle("data-of-ours", frame(0, 1, 2, b"x")),
    answered("idle-priority", STATES, frame(2, 0, 99, bytes(5)) + begun()),
    reset("half-closed-data", STATES, begun(1, SLOW) + frame(0, 1, 1, b"x"), STREAM_CLOSED, sentence=HALF_CLOSED),
    reset("half-closed-headers", STATES, begun(1, SLOW) + begun(1, [(b"a", b"1")]), STREAM_CLOSED, sentence=HALF_CLOSED),
    answered("half-closed-priority", STATES, begun(1, SLOW) + frame(2, 0, 1, bytes(5))),
    answered("half-closed-window-update", STATES, begun(1, SLOW) + frame(8, 0, 1, b"\0\0\0\1")),
    H2Probe(id="half-closed-rst-stream", section=STATES, sends=begun(1, SLOW) + RST),
    closed("data", frame(0, 1, 1, b"x")),
    closed("headers", begun(1, [(b"a", b"1")])),
    H2Probe(id="closed-priority", section=STATES, sends=begun(1, POST, end=False) + RST + frame(2, 0, 1, bytes(5))),
    H2Probe(id="closed-window-update", section=STATES, sends=begun(1, POST, end=False) + RST + frame(8, 0, 1, b"\0\0\0\1")),
    H2Probe(id="closed-rst-stream", section=STATES, sends=begun(1, POST, end=False) + RST + RST),
    wrong_id("even", begun(2)),
    wrong_id("zero", frame(1, 5, 0)),
    wrong_id("lower", begun(5) + begun(3)),
    answered("id-with-gaps", IDS, begun(1) + begun(99), sentence=""),
    broken("extension-inside-a-block", EXTENDING, frame(1, 1, 1) + frame(0x42, 0, 0), sentence=INSIDE_BLOCK),
    answered("extension", EXTENDING, frame(0xBE, 0xFF, 0x7FFFFFFF, b"x") + begun(), sentence=UNSUPPORTED),
    answered("altsvc", EXTENDING, frame(0xA, 0, 0, b'\0\1ah2=":1"') + begun(), sentence=UNSUPPORTED),
    answered("priority-update", "RFC 9218 §7.1", frame(0x10, 0, 0, b"\0\0\0\1u=1") + begun()),
    idle("data-behind-a-higher-one", begun(5) + frame(0, 1, 7, b"x")),
    idle("window-update-of-ours", frame(8, 0, 2, b"\0\0\0\1")),
    idle("continuation-of-ours", frame(9, 4, 2)),
    idle("push-promise", frame(5, 4, 1, b"\0\0\0\2")),
    reset("half-closed-data-empty", STATES, begun(1, SLOW) + frame(0, 1, 1), STREAM_CLOSED, sentence=HALF_CLOSED),
    reset("half-closed-headers-without-end", STATES, begun(1, SLOW) + begun(1, [(b"a", b"1")], end=False), STREAM_CLOSED, sentence=HALF_CLOSED),
    broken("half-closed-continuation", STATES, begun(1, SLOW) + frame(9, 4, 1), sentence=HALF_CLOSED),
    H2Probe(id="ended-data", section=STATES, sends=begun(), then=frame(0, 1, 1, b"x"), resets=(STREAM_CLOSED,), sentence=CLOSED, level="MAY"),
    ended("headers", begun(1, [(b"a", b"1")])),
    ended("headers-of-a-request", begun(1)),
    ended("continuation", frame(9, 4, 1), ErrorCodes.PROTOCOL_ERROR, STREAM_CLOSED),
    H2Probe(id="ended-window-update", section=STATES, sends=begun(), then=frame(8, 0, 1, b"\0\0\0\1"), sentence=SHORTLY),
    H2Probe(id="ended-priority", section=STATES, sends=begun(), then=frame(2, 0, 1, bytes(5)), sentence=PRIORITY),
    H2Probe(id="ended-rst-stream", section=STATES, sends=begun(), then=RST, sentence=SHORTLY),
    H2Probe(id="reset-by-us-then-data", section=STATES, sends=begun(1, POST[:3], end=False) + frame(0, 1, 1, b"x"), resets=(ErrorCodes.PROTOCOL_ERROR,), sentence=DISCARD),
    H2Probe(id="reset-by-us-then-trailers", section=STATES, sends=begun(1, POST[:3], end=False) + begun(1, [(b"a", b"1")]), resets=(ErrorCodes.PROTOCOL_ERROR,), sentence=DISCARD),
    H2Probe(id="reset-by-us-then-window-update", section=STATES, sends=begun(1, POST[:3], end=False) + frame(8, 0, 1, b"\0\0\0\1"), resets=(ErrorCodes.PROTOCOL_ERROR,), sentence=DISCARD),
    H2Probe(id="reset-by-us-then-rst-stream", section=STATES, sends=begun(1, POST[:3], end=False) + RST, resets=(ErrorCodes.PROTOCOL_ERROR,), sentence=DISCARD),
    wrong_id("twice", begun(1, POST, end=False) + frame(3, 0, 1, bytes(4)) + begun(3) + begun(2)),
    wrong_id("skipped", begun(9) + begun(7)),
    H2Probe(id="id-next-to-the-highest", section=IDS, sends=begun(2**31 - 5), stream=2**31 - 5, statuses=(200,)),
    H2Probe(id="id-highest", section=IDS, sends=begun(2**31 - 1), stream=2**31 - 1, statuses=(200,), ends=True),
    H2Probe(id="id-highest-with-others-open", section=IDS, sends=begun(1, SLOW) + begun(2**31 - 1), statuses=(200,), ends=True),
    broken("id-behind-the-highest", IDS, begun(2**31 - 1, SLOW) + begun(1), sentence=UNEXPECTED_ID),
    H2Probe(id="many-at-once", section="RFC 9113 §5.1.2", sends=b"".join(begun(stream) for stream in range(1, 201, 2)), stream=199, statuses=(200,)),
    H2Probe(id="error-of-one-stream", section="RFC 9113 §5.4.2", sends=begun(1, GET[:3]) + begun(3), resets=(ErrorCodes.PROTOCOL_ERROR,), statuses=(400,)),
    # §5.2, flow control
    overrun("by-one-octet", FULL + frame(0, 0, 1, b"x")),
    overrun("by-padding", FULL[: -(9 + 16384)] + frame(0, 8, 1, b"\xff" + bytes(16383)) + frame(0, 0, 1, b"x")),
    overrun("by-a-frame", FULL + frame(0, 1, 1, bytes(16384))),
    answered("window-used-up", FLOW, FULL + frame(0, 1, 1), sentence=EMPTY),
    answered("window-used-up-and-trailers", FLOW, FULL + begun(1, [(b"a", b"1")]), sentence=NOT_CONTROLLED),
    answered("window-of-another-stream", FLOW, FULL + frame(0, 1, 1) + begun(3, POST, end=False) + frame(0, 1, 3, b"x")),
    answered("extension-of-the-reserved-range", EXTENDING, frame(0xFF, 0, 0, bytes(100)) + begun(), sentence=UNSUPPORTED),
    answered("altsvc-of-the-stream", EXTENDING, begun() + frame(0xA, 0, 1, b'\0\0h2=":1"'), sentence=UNSUPPORTED),
    answered("origin", EXTENDING, frame(0xC, 0, 0, b"\0\1x") + begun(), sentence=UNSUPPORTED),
    answered("setting-of-an-extension", EXTENDING, frame(4, 0, 0, b"\xf0\0\xff\xff\xff\xff") + begun()),
]  # fmt: skip
