"""RFC 9113 §6: the frames, one by one."""

from __future__ import annotations

from h2.errors import ErrorCodes

from tests.conformance.h2_probe import GET, POST, H2Probe, answered, begun, broken, frame, reset, section

SIZE_ERROR, FLOW = ErrorCodes.FRAME_SIZE_ERROR, ErrorCodes.FLOW_CONTROL_ERROR
PADDING = "If the length of the padding is the length of the frame payload or greater, the recipient MUST treat this as a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
ZERO_DATA = "If a DATA frame is received whose Stream Identifier field is 0x00, the recipient MUST respond with a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
ZERO_HEADERS = "If a HEADERS frame is received whose Stream Identifier field is 0x00, the recipient MUST respond with a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
INSIDE = "A receiver MUST treat the receipt of any other type of frame or a frame on a different stream as a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
ZERO_PRIORITY = "If a PRIORITY frame is received with a stream identifier of 0x00, the recipient MUST respond with a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
PRIORITY_SIZE = "A PRIORITY frame with a length other than 5 octets MUST be treated as a stream error (Section 5.4.2) of type FRAME_SIZE_ERROR."
ZERO_RST = "If a RST_STREAM frame is received with a stream identifier of 0x00, the recipient MUST treat this as a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
RST_SIZE = "A RST_STREAM frame with a length other than 4 octets MUST be treated as a connection error (Section 5.4.1) of type FRAME_SIZE_ERROR."
ACK_SIZE = "Receipt of a SETTINGS frame with the ACK flag set and a length field value other than 0 MUST be treated as a connection error (Section 5.4.1) of type FRAME_SIZE_ERROR."
SETTINGS_ID = "If an endpoint receives a SETTINGS frame whose Stream Identifier field is anything other than 0x00, the endpoint MUST respond with a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
SETTINGS_SIZE = "A SETTINGS frame with a length other than a multiple of 6 octets MUST be treated as a connection error (Section 5.4.1) of type FRAME_SIZE_ERROR."
PUSH_VALUE = "Any value other than 0 or 1 MUST be treated as a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
WINDOW_VALUE = "MUST be treated as a connection error (Section 5.4.1) of type FLOW_CONTROL_ERROR."
FRAME_VALUE = (
    "Values outside this range MUST be treated as a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
)
IGNORED_SETTING = "An endpoint that receives a SETTINGS frame with any unknown or unsupported identifier MUST ignore that setting."
PUSH = "Thus, servers MUST treat the receipt of a PUSH_PROMISE frame as a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
PING_ID = "If a PING frame is received with a Stream Identifier field value other than 0x00, the recipient MUST respond with a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
PING_SIZE = "Receipt of a PING frame with a length field value other than 8 MUST be treated as a connection error (Section 5.4.1) of type FRAME_SIZE_ERROR."
GOAWAY_ID = "An endpoint MUST treat a GOAWAY frame with a stream identifier other than 0x00 as a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
NO_INCREMENT = "A receiver MUST treat the receipt of a WINDOW_UPDATE frame with a flow-control window increment of 0 as a stream error (Section 5.4.2) of type PROTOCOL_ERROR; errors on the connection flow-control window MUST be treated as a connection error"
UPDATE_SIZE = "A WINDOW_UPDATE frame with a length other than 4 octets MUST be treated as a connection error (Section 5.4.1) of type FRAME_SIZE_ERROR."
CHANGED_WINDOW = "An endpoint MUST treat a change to SETTINGS_INITIAL_WINDOW_SIZE that causes any flow-control window to exceed the maximum size as a connection error (Section 5.4.1) of type FLOW_CONTROL_ERROR."
ZERO_CONTINUATION = "If a CONTINUATION frame is received with a Stream Identifier field of 0x00, the recipient MUST respond with a connection error (Section 5.4.1) of type PROTOCOL_ERROR."
ALONE = "A recipient that observes violation of this rule MUST respond with a connection error (Section 5.4.1) of type PROTOCOL_ERROR."

OPEN = begun(1, POST, end=False)
MOST = (2**31 - 1).to_bytes(4, "big")
BLOCK = section()


def setting(code: int, value: int) -> bytes:
    return frame(4, 0, 0, code.to_bytes(2, "big") + value.to_bytes(4, "big"))


def inside(id: str, octets: bytes) -> H2Probe:
    return broken("inside-a-block-" + id, "RFC 9113 §6.2", frame(1, 1, 1, BLOCK) + octets, sentence=INSIDE)


SLOW = ((b":method", b"GET"), *GET[1:3], (b":path", b"/slow"))
IN_ORDER = "The values in the SETTINGS frame MUST be processed in the order they appear, with no other frame processing between values."
ACKNOWLEDGED = "Once all values have been processed, the recipient MUST immediately emit a SETTINGS frame with the ACK flag set."
PONG = "Receivers of a PING frame that does not include an ACK flag MUST send a PING frame with the ACK flag set in response, with an identical frame payload."
MAXIMUM = "If a sender receives a WINDOW_UPDATE that causes a flow-control window to exceed this maximum, it MUST terminate either the stream or the connection, as appropriate."
UNKNOWN_CODE = "Unknown or unsupported error codes MUST NOT trigger any special behavior. These MAY be treated by an implementation as being equivalent to INTERNAL_ERROR."
GRACEFUL = "It allows an endpoint to gracefully stop accepting new streams while still finishing processing of previously established streams."


def goodbye(id: str, sends: bytes) -> H2Probe:
    return H2Probe(
        id="goaway-" + id, section="RFC 9113 §6.8", sends=sends, statuses=(200,), ends=True, sentence=GRACEFUL
    )


PROBES: list[H2Probe] = [
    # §6.1, DATA
    broken("data-zero", "RFC 9113 §6.1", frame(0, 1, 0, b"x"), sentence=ZERO_DATA),
    broken("data-padding", "RFC 9113 §6.1", OPEN + frame(0, 9, 1, b"\5abcd"), sentence=PADDING),
    answered("data-padded", "RFC 9113 §6.1", OPEN + frame(0, 9, 1, b"\3ab\0\0\0"), says=b"ab"),
    answered("data-all-padding", "RFC 9113 §6.1", OPEN + frame(0, 9, 1, b"\3\0\0\0")),
    answered("data-empty", "RFC 9113 §6.1", OPEN + frame(0, 0, 1) + frame(0, 1, 1)),
    answered("data-in-pieces", "RFC 9113 §6.1", OPEN + frame(0, 0, 1, b"a") + frame(0, 1, 1, b"b"), says=b"ab"),
    # §6.2, HEADERS
    broken("headers-zero", "RFC 9113 §6.2", frame(1, 5, 0, BLOCK), sentence=ZERO_HEADERS),
    broken("headers-padding", "RFC 9113 §6.2", frame(1, 0xD, 1, b"\xff" + BLOCK), sentence=PADDING),
    answered("headers-padded", "RFC 9113 §6.2", frame(1, 0xD, 1, b"\2" + BLOCK + bytes(2))),
    answered("headers-with-priority", "RFC 9113 §6.2", frame(1, 0x25, 1, bytes(5) + BLOCK)),
    inside("data", frame(0, 1, 1, b"x")),
    inside("headers", frame(1, 5, 3, BLOCK)),
    inside("priority", frame(2, 0, 1, bytes(5))),
    inside("rst-stream", frame(3, 0, 1, bytes(4))),
    inside("settings", frame(4, 0, 0)),
    inside("ping", frame(6, 0, 0, bytes(8))),
    inside("goaway", frame(7, 0, 0, bytes(8))),
    inside("window-update", frame(8, 0, 0, b"\0\0\0\1")),
    inside("continuation-of-another-stream", frame(9, 4, 3)),
    # §6.3, PRIORITY
    broken("priority-zero", "RFC 9113 §6.3", frame(2, 0, 0, bytes(5)), sentence=ZERO_PRIORITY),
    reset("priority-short", "RFC 9113 §6.3", OPEN + frame(2, 0, 1, bytes(4)), SIZE_ERROR, sentence=PRIORITY_SIZE),
    reset("priority-long", "RFC 9113 §6.3", OPEN + frame(2, 0, 1, bytes(6)), SIZE_ERROR, sentence=PRIORITY_SIZE),
    answered("priority", "RFC 9113 §6.3", frame(2, 0, 1, bytes(5)) + begun()),
    # §6.4, RST_STREAM
    broken("rst-stream-zero", "RFC 9113 §6.4", frame(3, 0, 0, bytes(4)), sentence=ZERO_RST),
    broken("rst-stream-short", "RFC 9113 §6.4", OPEN + frame(3, 0, 1, bytes(3)), SIZE_ERROR, sentence=RST_SIZE),
    broken("rst-stream-long", "RFC 9113 §6.4", OPEN + frame(3, 0, 1, bytes(5)), SIZE_ERROR, sentence=RST_SIZE),
    H2Probe(id="rst-stream-of-unknown-code", section="RFC 9113 §6.4", sends=OPEN + frame(3, 0, 1, b"\xff" * 4)),
    # §6.5, SETTINGS
    broken("settings-ack-with-payload", "RFC 9113 §6.5", frame(4, 1, 0, bytes(6)), SIZE_ERROR, sentence=ACK_SIZE),
    broken("settings-on-a-stream", "RFC 9113 §6.5", OPEN + frame(4, 0, 1), sentence=SETTINGS_ID),
    broken("settings-size", "RFC 9113 §6.5", frame(4, 0, 0, bytes(5)), SIZE_ERROR, sentence=SETTINGS_SIZE),
    broken("settings-push-2", "RFC 9113 §6.5.2", setting(2, 2), sentence=PUSH_VALUE),
    broken("settings-window-large", "RFC 9113 §6.5.2", setting(4, 2**31), FLOW, sentence=WINDOW_VALUE),
    broken("settings-frame-small", "RFC 9113 §6.5.2", setting(5, 16383), sentence=FRAME_VALUE),
    broken("settings-frame-large", "RFC 9113 §6.5.2", setting(5, 2**24), sentence=FRAME_VALUE),
    answered("settings-unknown", "RFC 9113 §6.5.2", setting(0xABCD, 5) + begun(), sentence=IGNORED_SETTING),
    answered("settings-twice-the-same", "RFC 9113 §6.5", setting(3, 1) + setting(3, 2) + begun()),
    answered("settings-frame-largest", "RFC 9113 §6.5.2", setting(5, 2**24 - 1) + begun()),
    answered("settings-no-table", "RFC 9113 §6.5.2", setting(1, 0) + begun()),
    # §6.6, PUSH_PROMISE
    broken("push-promise", "RFC 9113 §8.4", begun(1, POST, end=False) + frame(5, 4, 1, b"\0\0\0\2"), sentence=PUSH),
    # §6.7, PING
    broken("ping-on-a-stream", "RFC 9113 §6.7", OPEN + frame(6, 0, 1, bytes(8)), sentence=PING_ID),
    broken("ping-short", "RFC 9113 §6.7", frame(6, 0, 0, bytes(6)), SIZE_ERROR, sentence=PING_SIZE),
    broken("ping-long", "RFC 9113 §6.7", frame(6, 0, 0, bytes(9)), SIZE_ERROR, sentence=PING_SIZE),
    answered("ping-ack", "RFC 9113 §6.7", frame(6, 1, 0, bytes(8)) + begun()),
    # §6.8, GOAWAY
    broken("goaway-on-a-stream", "RFC 9113 §6.8", OPEN + frame(7, 0, 1, bytes(8)), sentence=GOAWAY_ID),
    # §6.9, WINDOW_UPDATE
    broken("no-increment", "RFC 9113 §6.9", frame(8, 0, 0, bytes(4)), sentence=NO_INCREMENT),
    reset("no-increment-of-a-stream", "RFC 9113 §6.9", OPEN + frame(8, 0, 1, bytes(4)), sentence=NO_INCREMENT),
    broken("window-update-size", "RFC 9113 §6.9", frame(8, 0, 0, bytes(5)), SIZE_ERROR, sentence=UPDATE_SIZE),
    broken("window-overflows", "RFC 9113 §6.9.1", frame(8, 0, 0, MOST), FLOW),
    reset("window-of-a-stream-overflows", "RFC 9113 §6.9.1", OPEN + frame(8, 0, 1, MOST), FLOW),
    broken("window-overflows-by-settings", "RFC 9113 §6.9.2", OPEN + frame(8, 0, 1, b"\0\0\0\1") + setting(4, 2**31 - 1), FLOW, sentence=CHANGED_WINDOW),
    answered("window-below-nothing", "RFC 9113 §6.9.2", begun() + setting(4, 0) + setting(4, 65535)),
    # §6.10, CONTINUATION
    broken("continuation-zero", "RFC 9113 §6.10", frame(9, 4, 0), sentence=ZERO_CONTINUATION),
    broken("continuation-alone", "RFC 9113 §6.10", OPEN + frame(9, 4, 1), sentence=ALONE),
    broken("continuation-behind-data", "RFC 9113 §6.10", OPEN + frame(0, 0, 1, b"x") + frame(9, 4, 1), sentence=ALONE),
    broken("continuation-behind-the-last", "RFC 9113 §6.10", frame(1, 0, 1, BLOCK) + frame(9, 4, 1) + frame(9, 4, 1), sentence=ALONE),
    answered("continuation", "RFC 9113 §6.10", frame(1, 1, 1, BLOCK[:5]) + frame(9, 4, 1, BLOCK[5:])),
    answered("continuation-empty", "RFC 9113 §6.10", frame(1, 1, 1) + frame(9, 0, 1) + frame(9, 4, 1, BLOCK)),
    answered("continuation-of-padded-headers", "RFC 9113 §6.10", frame(1, 9, 1, b"\2" + BLOCK[:5] + bytes(2)) + frame(9, 4, 1, BLOCK[5:])),
    answered("continuation-of-headers-with-priority", "RFC 9113 §6.10", frame(1, 0x21, 1, bytes(5) + BLOCK[:5]) + frame(9, 4, 1, BLOCK[5:])),
    answered("continuation-of-trailers", "RFC 9113 §6.10", OPEN + frame(1, 1, 1, b"\0\1a") + frame(9, 4, 1, b"\1b")),
    answered("continuation-of-another-request-follows", "RFC 9113 §6.10", frame(1, 1, 1, BLOCK[:5]) + frame(9, 4, 1, BLOCK[5:]) + frame(1, 1, 3, BLOCK) + frame(9, 4, 3)),
    inside("unknown", frame(0x42, 0, 0)),
    inside("push-promise", frame(5, 4, 1, b"\0\0\0\2")),
    inside("headers-of-the-stream", frame(1, 4, 1, BLOCK)),
    inside("continuation-of-stream-0", frame(9, 4, 0)),
    broken("data-padding-of-the-whole-length", "RFC 9113 §6.1", OPEN + frame(0, 9, 1, b"\4abc"), sentence=PADDING),
    broken("headers-padding-past-the-block", "RFC 9113 §6.2", frame(1, 0x2D, 1, b"\2" + bytes(5) + b"\x82"), sentence=PADDING),
    answered("data-padding-of-0", "RFC 9113 §6.1", OPEN + frame(0, 9, 1, b"\0ab"), says=b"ab"),
    answered("data-padded-by-255", "RFC 9113 §6.1", OPEN + frame(0, 9, 1, b"\xffab" + bytes(255)), says=b"ab"),
    answered("data-padded-not-with-zeros", "RFC 9113 §6.1", OPEN + frame(0, 9, 1, b"\2abxy"), says=b"ab", level="ours"),
    answered("headers-with-exclusive-priority", "RFC 9113 §6.2", frame(1, 0x25, 1, b"\x80\0\0\3\xff" + BLOCK)),
    answered("priority-of-an-open-stream", "RFC 9113 §6.3", OPEN + frame(2, 0, 1, b"\0\0\0\3\5") + frame(0, 1, 1)),
    reset("priority-empty", "RFC 9113 §6.3", OPEN + frame(2, 0, 1), SIZE_ERROR, sentence=PRIORITY_SIZE),
    H2Probe(id="rst-stream-ends-a-request", section="RFC 9113 §6.4", sends=begun(1, SLOW) + frame(3, 0, 1, b"\0\0\0\x08")),
    H2Probe(id="rst-stream-inside-content", section="RFC 9113 §6.4", sends=OPEN + frame(0, 0, 1, b"x") + frame(3, 0, 1, bytes(4))),
    broken("settings-empty-ack-on-a-stream", "RFC 9113 §6.5", OPEN + frame(4, 1, 1), sentence=SETTINGS_ID),
    broken("settings-on-an-idle-stream", "RFC 9113 §6.5", frame(4, 0, 99), sentence=SETTINGS_ID),
    broken("settings-push-largest", "RFC 9113 §6.5.2", setting(2, 2**32 - 1), sentence=PUSH_VALUE),
    broken("settings-window-largest", "RFC 9113 §6.5.2", setting(4, 2**32 - 1), FLOW, sentence=WINDOW_VALUE),
    broken("settings-frame-0", "RFC 9113 §6.5.2", setting(5, 0), sentence=FRAME_VALUE),
    answered("settings-push", "RFC 9113 §6.5.2", setting(2, 1) + setting(2, 0) + begun()),
    answered("settings-no-streams", "RFC 9113 §6.5.2", setting(3, 0) + begun()),
    answered("settings-frame-smallest", "RFC 9113 §6.5.2", setting(5, 16384) + begun()),
    answered("settings-no-field-sections", "RFC 9113 §6.5.2", setting(6, 0) + begun(), level="ours"),
    answered("settings-table-largest", "RFC 9113 §6.5.2", setting(1, 2**32 - 1) + begun()),
    answered("settings-table-smaller-and-larger", "RFC 9113 §6.5.2", setting(1, 0) + setting(1, 4096) + begun()),
    answered("settings-table-smaller-between-requests", "RFC 9113 §6.5.2", begun(1) + setting(1, 40) + begun(3) + setting(1, 0) + begun(5)),
    answered("settings-window-opens", "RFC 9113 §6.9.2", setting(4, 0) + begun() + setting(4, 4), says=b"/get"),
    answered("settings-window-largest-allowed", "RFC 9113 §6.9.2", setting(4, 2**31 - 1) + begun()),
    answered("settings-last-of-several", "RFC 9113 §6.5.3", frame(4, 0, 0, b"\0\4\0\0\0\0\0\4\0\0\0\4") + begun(), says=b"/get", sentence=IN_ORDER),
    answered("settings-many", "RFC 9113 §6.5.3", setting(3, 5) * 50 + begun(), sentence=ACKNOWLEDGED),
    broken("push-promise-of-stream-0", "RFC 9113 §8.4", frame(5, 4, 0, b"\0\0\0\2"), sentence=PUSH),
    answered("ping", "RFC 9113 §6.7", frame(6, 0, 0, b"whatever") + begun(), sentence=PONG),
    answered("ping-many", "RFC 9113 §6.7", b"".join(frame(6, 0, 0, b"%08d" % number) for number in range(50)) + begun(), sentence=PONG),
    answered("ping-inside-content", "RFC 9113 §6.7", OPEN + frame(6, 0, 0, bytes(8)) + frame(0, 1, 1, b"x"), says=b"x", sentence=PONG),
    broken("ping-ack-on-a-stream", "RFC 9113 §6.7", OPEN + frame(6, 1, 1, bytes(8)), sentence=PING_ID),
    goodbye("while-a-request-runs", begun(1, SLOW) + frame(7, 0, 0, bytes(8))),
    goodbye("with-a-reason", begun(1, SLOW) + frame(7, 0, 0, bytes(7) + b"\1because")),
    goodbye("of-an-unknown-code", begun(1, SLOW) + frame(7, 0, 0, bytes(4) + b"\xff" * 4)),
    goodbye("twice", begun(1, SLOW) + frame(7, 0, 0, b"\x7f\xff\xff\xff" + bytes(4)) + frame(7, 0, 0, bytes(8))),
    goodbye("inside-content", OPEN + frame(7, 0, 0, bytes(8)) + frame(0, 1, 1, b"x")),
    H2Probe(id="goaway-at-once", section="RFC 9113 §6.8", sends=frame(7, 0, 0, bytes(8)), ends=True),
    H2Probe(id="increments-one-by-one", section="RFC 9113 §6.9", sends=setting(4, 0) + begun() + frame(8, 0, 1, b"\0\0\0\1") * 4, then=setting(4, 65535), statuses=(200,), says=b"/get"),
    answered("increments-larger-than-need-be", "RFC 9113 §6.9", begun() + frame(8, 0, 0, b"\0\xff\xff\xff") + frame(8, 0, 1, b"\0\xff\xff\xff")),
    answered("window-largest", "RFC 9113 §6.9.1", frame(8, 0, 0, (2**31 - 1 - 65535).to_bytes(4, "big")) + begun()),
    answered("window-of-a-stream-largest", "RFC 9113 §6.9.1", OPEN + frame(8, 0, 1, (2**31 - 1 - 65535).to_bytes(4, "big")) + frame(0, 1, 1)),
    broken("window-overflows-in-two-steps", "RFC 9113 §6.9.1", frame(8, 0, 0, (2**31 - 1 - 65535).to_bytes(4, "big")) + frame(8, 0, 0, b"\0\0\0\1"), FLOW, sentence=MAXIMUM),
    reset("window-below-nothing-overflows", "RFC 9113 §6.9.2", setting(4, 5) + begun(1, SLOW) + frame(8, 0, 1, MOST), FLOW, sentence=MAXIMUM),
    broken("window-update-too-long-of-a-stream", "RFC 9113 §6.9", OPEN + frame(8, 0, 1, bytes(5)), SIZE_ERROR, sentence=UPDATE_SIZE),
    H2Probe(id="unknown-error-code", section="RFC 9113 §7", sends=begun(1, SLOW) + frame(3, 0, 1, b"\0\0\0\x42"), sentence=UNKNOWN_CODE),
]  # fmt: skip
