"""RFC 9113 §3 and §4: the preface, frames, field blocks."""

from __future__ import annotations

from h2.errors import ErrorCodes

from tests.conformance.h2_probe import GET, POST, H2Probe, answered, begun, broken, frame, section
from wptproto.protocol.h2_frames import PREFACE

PREFACES, FORMAT, SIZE, COMPRESSION = (f"RFC 9113 §{number}" for number in ("3.4", "4.1", "4.2", "4.3"))
SETTINGS_FOLLOW = "This sequence MUST be followed by a SETTINGS frame (Section 6.5), which MAY be empty."
UNKNOWN = "Implementations MUST ignore and discard frames of unknown types."
TOO_LARGE = "An endpoint MUST send an error code of FRAME_SIZE_ERROR if a frame exceeds the size defined in SETTINGS_MAX_FRAME_SIZE, exceeds any limit defined for the frame type, or is too small to contain mandatory frame data."
DECODING = "A decoding error in a field block MUST be treated as a connection error (Section 5.4.1) of type COMPRESSION_ERROR."
FLAGS = "Unused flags MUST be ignored on receipt and MUST be left unset (0x00) when sending."
SIZE_ERROR, BAD_BLOCK = ErrorCodes.FRAME_SIZE_ERROR, ErrorCodes.COMPRESSION_ERROR
TOO_MUCH = bytes(16385)
BARE = b"\x82\x86\1\1h\4\4/get"  # leaves the table as it is


def preface(id: str, octets: bytes, sentence: str = SETTINGS_FOLLOW) -> H2Probe:
    return broken("preface-" + id, PREFACES, b"", opening=octets, sentence=sentence)


def too_large(id: str, kind: int, stream_id: int) -> H2Probe:
    sends = begun(1, POST, end=False) + frame(kind, 0, stream_id, TOO_MUCH)
    return broken("too-large-" + id, SIZE, sends, SIZE_ERROR, sentence=TOO_LARGE)


def too_small(id: str, kind: int, stream_id: int, payload: bytes, flags: int = 0) -> H2Probe:
    sends = begun(1, POST, end=False) + frame(kind, flags, stream_id, payload)
    return broken("too-small-" + id, SIZE, sends, SIZE_ERROR, sentence=TOO_LARGE)


def undecodable(id: str, block: bytes) -> H2Probe:
    return broken("block-" + id, COMPRESSION, frame(1, 5, 1, block), BAD_BLOCK, sentence=DECODING)


STATE = "Field compression is stateful. Each endpoint has an HPACK encoder context and an HPACK decoder context that are used for encoding and decoding all field blocks on a connection."
INVALID = "Clients and servers MUST treat an invalid connection preface as a connection error (Section 5.4.1) of type PROTOCOL_ERROR."

PROBES: list[H2Probe] = [
    preface("then-headers", PREFACE + begun()),
    preface("then-ping", PREFACE + frame(6, 0, 0, bytes(8))),
    preface("then-ack", PREFACE + frame(4, 1, 0)),
    preface("then-unknown", PREFACE + frame(0x42, 0, 0)),
    preface("twice", PREFACE + PREFACE),
    answered("preface-with-settings", PREFACES, frame(4, 0, 0) + begun()),
    answered("at-once", PREFACES, begun()),
    answered("unknown-type-of-stream-0", FORMAT, frame(0x42, 0xFF, 0, b"x") + begun(), sentence=UNKNOWN),
    answered("unknown-type-of-the-stream", FORMAT, begun() + frame(0xFF, 0xFF, 1, b"x"), sentence=UNKNOWN),
    answered("unknown-type-of-an-idle-stream", FORMAT, frame(0x42, 0, 99) + begun(), sentence=UNKNOWN),
    answered("unknown-type-as-large-as-may-be", SIZE, frame(0x42, 0, 0, bytes(16384)) + begun()),
    answered("unused-flags-of-headers", FORMAT, frame(1, 5 | 0xD2 & ~0x28, 1, section()), sentence=FLAGS),
    answered("unused-flags-of-ping", FORMAT, frame(6, 0xFE, 0, bytes(8)) + begun(), sentence=FLAGS),
    answered("unused-flags-of-settings", FORMAT, frame(4, 0xFE, 0) + begun(), sentence=FLAGS),
    answered("unused-flags-of-data", FORMAT, begun(1, POST, end=False) + frame(0, 1 | 0xF6 & ~8, 1, b"x"), says=b"x", sentence=FLAGS),
    answered("reserved-bit-of-headers", FORMAT, frame(1, 5, 1 | 2**31, section())),
    answered("reserved-bit-of-ping", FORMAT, frame(6, 0, 2**31, bytes(8)) + begun()),
    too_large("data", 0, 1),
    too_large("headers", 1, 3),
    too_large("priority", 2, 3),
    too_large("rst-stream", 3, 1),
    too_large("settings", 4, 0),
    too_large("ping", 6, 0),
    too_large("goaway", 7, 0),
    too_large("window-update", 8, 1),
    too_large("unknown", 0x42, 0),
    answered("largest-data", SIZE, begun(1, POST, end=False) + frame(0, 1, 1, bytes(16384))),
    answered("largest-field-section-of-one-frame", SIZE, begun(1, [*GET, (b"x", b"0" * 26000)])),
    too_small("rst-stream", 3, 1, bytes(3)),
    too_small("ping", 6, 0, bytes(7)),
    too_small("goaway", 7, 0, bytes(7)),
    too_small("window-update", 8, 0, bytes(3)),
    too_small("padded-data", 0, 1, b"", 0x8),
    too_small("padded-headers", 1, 3, b"", 0xC),
    too_small("headers-with-priority", 1, 3, bytes(4), 0x24),
    undecodable("index-0", b"\x80"),
    undecodable("index-of-nothing", section() + b"\xfe"),
    undecodable("cut-off", section()[:-1]),
    undecodable("endless-integer", b"\xff" * 100),
    undecodable("huffman-with-eos", b"\x00\x84\xff\xff\xff\xff\x00"),
    undecodable("huffman-with-long-padding", b"\x00\x82\x1f\xff\x00"),
    undecodable("huffman-padded-with-zeros", b"\x00\x81\x18\x00"),
    undecodable("table-too-large", b"\x3f\xe2\x1f" + section()),
    undecodable("table-size-behind-a-field", b"\x82\x20"),
    undecodable("length-beyond-the-end", b"\x00\x05a"),
    answered("never-indexed", COMPRESSION, frame(1, 5, 1, section() + b"\x10\x01a\x01b")),
    answered("table-size-twice", COMPRESSION, frame(1, 5, 1, b"\x20\x3f\xe1\x1f" + section()[1:])),
    broken("no-preface-at-all", PREFACES, b"", opening=PREFACE + bytes(9), sentence=SETTINGS_FOLLOW),
    answered("preface-acks-unasked", PREFACES, frame(4, 1, 0) + frame(4, 1, 0) + begun(), level="ours"),
    answered("reserved-bit-of-data", FORMAT, begun(1, POST, end=False) + frame(0, 1, 1 | 2**31, b"x"), says=b"x"),
    answered("reserved-bit-of-settings", FORMAT, frame(4, 0, 2**31) + begun()),
    answered("reserved-bit-of-an-increment", "RFC 9113 §6.9", frame(8, 0, 0, b"\x80\0\0\1") + begun()),
    answered("unused-flags-of-window-update", FORMAT, frame(8, 0xFF, 0, b"\0\0\0\1") + begun(), sentence=FLAGS),
    answered("unused-flags-of-priority", FORMAT, frame(2, 0xFF, 1, bytes(5)) + begun(), sentence=FLAGS),
    answered("unused-flags-of-continuation", FORMAT, frame(1, 1, 1) + frame(9, 0xFF, 1, section()), sentence=FLAGS),
    too_small("settings", 4, 0, bytes(3)),
    too_small("rst-stream-empty", 3, 1, b""),
    too_small("ping-empty", 6, 0, b""),
    too_small("goaway-empty", 7, 0, b""),
    too_small("window-update-empty", 8, 1, b""),
    too_small("padded-headers-with-priority", 1, 3, bytes(5), 0x2C),
    answered("block-of-one-octet-a-frame", COMPRESSION, frame(1, 1, 1, section()[:1]) + b"".join(frame(9, 0, 1, section()[at : at + 1]) for at in range(1, len(section()))) + frame(9, 4, 1)),
    undecodable("cut-off-in-a-continuation", section()[:-1]),
    broken("block-of-a-closed-stream", COMPRESSION, begun(1, POST, end=False) + frame(3, 0, 1, bytes(4)) + frame(1, 5, 1, b"\x80"), BAD_BLOCK, sentence=DECODING),
    H2Probe(id="block-of-a-closed-stream-is-remembered", section=COMPRESSION, sends=frame(1, 4, 1, BARE) + frame(3, 0, 1, bytes(4)) + frame(1, 5, 1, b"\x40\1a\1b") + frame(1, 5, 3, BARE + b"\xbe"), stream=3, statuses=(200,), stray_resets=(1,), sentence=STATE),
    H2Probe(id="block-of-a-malformed-request-is-remembered", section=COMPRESSION, sends=frame(1, 5, 1, b"\x82\x40\1a\1b") + frame(1, 5, 3, BARE + b"\xbe"), stream=3, statuses=(200,), stray_resets=(1,), sentence=STATE),
    H2Probe(id="preface-wrong", section=PREFACES, sends=b"", opening=b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", goaway=(ErrorCodes.PROTOCOL_ERROR,), sentence=INVALID, kinds=("h2",)),
    H2Probe(id="preface-of-http-1", section=PREFACES, sends=b"", opening=b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", goaway=(ErrorCodes.PROTOCOL_ERROR,), sentence=INVALID, kinds=("h2",)),
]  # fmt: skip
