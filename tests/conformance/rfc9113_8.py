"""RFC 9113 §8: requests over HTTP/2."""

from __future__ import annotations

from h2.errors import ErrorCodes

from tests.conformance.h2_probe import GET, POST, H2Probe, answered, begun, broken, frame, reset
from wptproto.semantics.fields import FieldLine

FRAMING, MALFORMED, FIELDS = "RFC 9113 §8.1", "RFC 9113 §8.1.1", "RFC 9113 §8.2.1"
SPECIFIC, PSEUDO, REQUEST, CONNECT = "RFC 9113 §8.2.2", "RFC 9113 §8.3", "RFC 9113 §8.3.1", "RFC 9113 §8.5"
TRAILERS = "An endpoint that receives pseudo-header fields in trailers MUST treat the request or response as malformed (Section 8.1.1)."
NO_END = "An endpoint that receives a HEADERS frame without the END_STREAM flag set after receiving the HEADERS frame that opens a request or after receiving a final (non-informational) status code MUST treat the corresponding request or response as malformed (Section 8.1.1)."
LENGTH = "A request or response is also malformed if the value of a content-length header field does not equal the sum of the DATA frame payload lengths that form the content, unless the message is defined as having no content."
CONDITIONS = "A request or response that contains a field that violates any of these conditions MUST be treated as malformed (Section 8.1.1)."
CONNECTION = (
    "Any message containing connection-specific header fields MUST be treated as malformed (Section 8.1.1)."
)
UNDEFINED = "Endpoints MUST treat a request or response that contains undefined or invalid pseudo-header fields as malformed (Section 8.1.1)."
ORDER = "Any request or response that contains a pseudo-header field that appears in a field block after a regular field line MUST be treated as malformed (Section 8.1.1)."
REPEATED = "A field block for an HTTP request or response that contains a repeated pseudo-header field name MUST be treated as malformed (Section 8.1.1)."

METHOD, SCHEME, AUTHORITY, PATH = GET
OPEN = begun(1, POST, end=False)


def malformed(id: str, section: str, sentence: str, *lines: FieldLine) -> H2Probe:
    return reset(id, section, begun(1, lines), statuses=(400,), sentence=sentence)


def field(
    id: str, name: bytes, value: bytes = b"x", section: str = FIELDS, sentence: str = CONDITIONS
) -> H2Probe:
    return malformed("field-" + id, section, sentence, *GET, (name, value))


def length(id: str, value: bytes, content: bytes) -> H2Probe:
    sends = begun(1, [*POST, (b"content-length", value)], end=False) + frame(0, 1, 1, content)
    return reset("length-" + id, MALFORMED, sends, sentence=LENGTH)


EARLY = "When this is true, a server MAY request that the client abort transmission of a request without error by sending a RST_STREAM with an error code of NO_ERROR after sending a complete response."
EMPTY_HOST = "A recipient that processes such a URI reference MUST reject it as invalid."
TUNNEL = "A CONNECT request that does not conform to these restrictions is malformed (Section 8.1.1)."
EXTENDED = "The value of the parameter MUST be 0 or 1."
NO_PRIORITIES = "Any value other than 0 or 1 MUST be treated as a connection error (see Section 5.4.1 of [HTTP/2]) of type PROTOCOL_ERROR."
EARLY_UPDATE = "Servers SHOULD buffer the most recently received PRIORITY_UPDATE frame and apply it once the referenced stream is opened."
RESERVED = "It MUST remain unset (0x0) when sending and MUST be ignored when receiving."
UNPARSED = "Failure to parse the Priority Field Value MAY be treated as a connection error."
OMITTED = "Omitting a priority parameter is a signal to use its default value."
ON_A_STREAM = "Receiving a PRIORITY_UPDATE frame with a field of any other value MUST be treated as a connection error of type PROTOCOL_ERROR."
OF_NONE = "If a PRIORITY_UPDATE frame is received with a prioritized stream ID of 0x0, the recipient MUST respond with a connection error of type PROTOCOL_ERROR."
OF_IDLE_PUSH = 'Servers that receive a PRIORITY_UPDATE for a push stream in the "idle" state MUST respond with a connection error of type PROTOCOL_ERROR.'
TOO_SMALL = "An endpoint MUST send an error code of FRAME_SIZE_ERROR if a frame exceeds the size defined in SETTINGS_MAX_FRAME_SIZE, exceeds any limit defined for the frame type, or is too small to contain mandatory frame data."
TOO_MANY = (
    "Servers that receive such a PRIORITY_UPDATE MUST respond with a connection error of type PROTOCOL_ERROR."
)
NO_SENSE = "If parsing the Priority header field fails, it is ignored, and the default values are used."

PROBES: list[H2Probe] = [
    answered("get", FRAMING, begun(), says=b"/get"),
    answered("trailers", FRAMING, OPEN + frame(0, 0, 1, b"x") + begun(1, [(b"a", b"1")]), says=b"x"),
    reset("trailers-with-pseudo-fields", FRAMING, OPEN + begun(1, [(b":path", b"/")]), sentence=TRAILERS),
    reset("trailers-in-upper-case", FIELDS, OPEN + begun(1, [(b"A", b"1")]), sentence=CONDITIONS),
    reset("trailers-without-end", FRAMING, OPEN + begun(1, [(b"a", b"1")], end=False), sentence=NO_END),
    length("more", b"1", b"xx"),
    length("less", b"2", b"x"),
    length("none", b"1", b""),
    length("sign", b"+1", b"x"),
    length("underscore", b"0_1", b"x"),
    length("list", b"1, 1", b"x"),
    answered("length", MALFORMED, begun(1, [*POST, (b"content-length", b"2")], end=False) + frame(0, 0, 1, b"a") + frame(0, 1, 1, b"b"), says=b"ab"),
    reset("length-of-no-content", MALFORMED, begun(1, [*GET, (b"content-length", b"1")]), sentence=LENGTH),
    answered("length-0-of-no-content", MALFORMED, begun(1, [*GET, (b"content-length", b"0")])),
    field("upper-case", b"A"),
    field("empty-name", b""),
    field("name-with-space", b"a b"),
    field("name-with-colon", b"a:b"),
    field("name-with-nul", b"a\0"),
    field("name-with-cr", b"a\r"),
    field("name-not-ascii", b"\xe9"),
    field("name-with-del", b"a\x7f"),
    field("value-with-nul", b"a", b"x\0y"),
    field("value-with-cr", b"a", b"x\ry"),
    field("value-with-lf", b"a", b"x\ny"),
    field("value-begins-with-space", b"a", b" x"),
    field("value-ends-with-tab", b"a", b"x\t"),
    answered("field-value-not-ascii", FIELDS, begun(1, [*GET, (b"a", b"\xe9")])),
    answered("field-value-empty", FIELDS, begun(1, [*GET, (b"a", b"")])),
    field("connection", b"connection", b"close", SPECIFIC, CONNECTION),
    field("proxy-connection", b"proxy-connection", b"close", SPECIFIC, CONNECTION),
    field("keep-alive", b"keep-alive", b"5", SPECIFIC, CONNECTION),
    field("transfer-encoding", b"transfer-encoding", b"chunked", SPECIFIC, CONNECTION),
    field("upgrade", b"upgrade", b"h2c", SPECIFIC, CONNECTION),
    field("te", b"te", b"gzip", SPECIFIC, CONNECTION),
    field("te-and-trailers", b"te", b"trailers, gzip", SPECIFIC, CONNECTION),
    answered("te-trailers", SPECIFIC, begun(1, [*GET, (b"te", b"trailers")])),
    answered("cookies", "RFC 9113 §8.2.3", begun(1, [*GET, (b"cookie", b"a=1"), (b"cookie", b"b=2")])),
    malformed("pseudo-unknown", PSEUDO, UNDEFINED, *GET, (b":x", b"1")),
    malformed("pseudo-protocol-unasked", PSEUDO, UNDEFINED, *GET, (b":protocol", b"websocket")),
    malformed("pseudo-behind-a-field", PSEUDO, ORDER, METHOD, SCHEME, AUTHORITY, (b"a", b"1"), PATH),
    malformed("pseudo-method-twice", PSEUDO, REPEATED, METHOD, *GET),
    malformed("pseudo-path-twice", PSEUDO, REPEATED, *GET, PATH),
    malformed("pseudo-authority-twice", PSEUDO, REPEATED, *GET, AUTHORITY),
    malformed("no-method", REQUEST, "", SCHEME, AUTHORITY, PATH),
    malformed("no-scheme", REQUEST, "", METHOD, AUTHORITY, PATH),
    malformed("no-path", REQUEST, "", METHOD, SCHEME, AUTHORITY),
    malformed("no-authority-nor-host", REQUEST, "", METHOD, SCHEME, PATH),
    malformed("path-empty", REQUEST, "", METHOD, SCHEME, AUTHORITY, (b":path", b"")),
    malformed("path-without-slash", REQUEST, "", METHOD, SCHEME, AUTHORITY, (b":path", b"get")),
    malformed("path-with-space", REQUEST, "", METHOD, SCHEME, AUTHORITY, (b":path", b"/a b")),
    malformed("path-with-fragment", REQUEST, "", METHOD, SCHEME, AUTHORITY, (b":path", b"/a#b")),
    malformed("path-asterisk", REQUEST, "", METHOD, SCHEME, AUTHORITY, (b":path", b"*")),
    malformed("method-with-space", REQUEST, "", (b":method", b"GE T"), SCHEME, AUTHORITY, PATH),
    malformed("method-empty", REQUEST, "", (b":method", b""), SCHEME, AUTHORITY, PATH),
    malformed("scheme-no-scheme", REQUEST, "", METHOD, (b":scheme", b"1/"), AUTHORITY, PATH),
    malformed("authority-with-userinfo", REQUEST, "", METHOD, SCHEME, (b":authority", b"u@h"), PATH),
    malformed("authority-with-path", REQUEST, "", METHOD, SCHEME, (b":authority", b"h/x"), PATH),
    malformed("authority-port", REQUEST, "", METHOD, SCHEME, (b":authority", b"h:http"), PATH),
    malformed("host-differs", REQUEST, "", *GET, (b"host", b"other")),
    malformed("host-twice", REQUEST, "", *GET, (b"host", b"h"), (b"host", b"h")),
    answered("host-the-same", REQUEST, begun(1, [*GET, (b"host", b"h")])),
    answered("host-alone", REQUEST, begun(1, [METHOD, SCHEME, PATH, (b"host", b"h")])),
    malformed("connect-with-path", CONNECT, "", (b":method", b"CONNECT"), *GET[1:]),
    malformed("connect-without-authority", CONNECT, "", (b":method", b"CONNECT")),
    answered("data-in-many-frames", FRAMING, OPEN + b"".join(frame(0, 0, 1, b"%d" % digit) for digit in range(10)) + frame(0, 1, 1), says=b"0123456789"),
    H2Probe(id="early-response", section=FRAMING, sends=begun(1, [POST[0], *GET[1:]], end=False) + frame(0, 0, 1, bytes(16384)) * 5, resets=(ErrorCodes.NO_ERROR,), statuses=(405,), level="MAY", sentence=EARLY),
    answered("early-response-to-little", FRAMING, begun(1, [POST[0], *GET[1:]], end=False) + frame(0, 1, 1, b"x"), status=405),
    answered("expect", "RFC 9110 §10.1.1", begun(1, [*POST, (b"expect", b"100-continue")], end=False) + frame(0, 1, 1, b"x"), says=b"x"),
    answered("expect-without-content", "RFC 9110 §10.1.1", begun(1, [*GET, (b"expect", b"100-continue")])),
    answered("trailers-without-content", FRAMING, OPEN + begun(1, [(b"a", b"1")])),
    answered("trailers-empty", FRAMING, OPEN + frame(0, 0, 1, b"x") + frame(1, 5, 1), says=b"x"),
    reset("trailers-twice", FRAMING, OPEN + begun(1, [(b"a", b"1")], end=False) + begun(1, [(b"b", b"1")]), sentence=NO_END),
    reset("trailers-with-status", FRAMING, OPEN + begun(1, [(b":status", b"200")]), sentence=TRAILERS),
    reset("trailers-connection-specific", SPECIFIC, OPEN + begun(1, [(b"connection", b"close")]), sentence=CONNECTION),
    reset("trailers-with-nul", FIELDS, OPEN + begun(1, [(b"a", b"\0")]), sentence=CONDITIONS),
    H2Probe(id="head", section=FRAMING, sends=begun(1, [(b":method", b"HEAD"), *GET[1:]]), statuses=(200,)),
    reset("length-before-trailers", MALFORMED, begun(1, [*POST, (b"content-length", b"2")], end=False) + frame(0, 0, 1, b"x") + begun(1, [(b"a", b"1")]), sentence=LENGTH),
    answered("length-and-trailers", MALFORMED, begun(1, [*POST, (b"content-length", b"1")], end=False) + frame(0, 0, 1, b"x") + begun(1, [(b"a", b"1")]), says=b"x"),
    answered("length-and-padding", MALFORMED, begun(1, [*POST, (b"content-length", b"1")], end=False) + frame(0, 9, 1, b"\2x\0\0"), says=b"x"),
    length("empty", b"", b"x"),
    length("word", b"one", b"x"),
    length("hexadecimal", b"0x1", b"x"),
    length("fraction", b"1.0", b"x"),
    length("very-long", b"1" * 30, b"x"),
    length("very-very-long", b"1" * 5000, b"x"),
    length("of-other-digits", "\u0661".encode(), b"x"),
    reset("length-twice", MALFORMED, begun(1, [*POST, (b"content-length", b"1"), (b"content-length", b"2")], end=False) + frame(0, 1, 1, b"x"), statuses=(400,), sentence=LENGTH),
    reset("length-past-before-the-end", MALFORMED, begun(1, [*POST, (b"content-length", b"1")], end=False) + frame(0, 0, 1, b"xx"), sentence=LENGTH),
    field("name-with-lf", b"a\n"),
    field("name-with-tab", b"a\t"),
    field("name-begins-with-space", b" a"),
    field("name-with-parenthesis", b"a(b"),
    field("name-with-slash", b"a/b"),
    field("name-of-a-colon", b":"),
    field("name-upper-case-within", b"aBc"),
    field("value-of-a-space", b"a", b" "),
    field("value-ends-with-space", b"a", b"x "),
    field("value-begins-with-tab", b"a", b"\tx"),
    field("value-with-crlf", b"a", b"x\r\nb: c"),
    field("value-of-nul", b"a", b"\0"),
    answered("field-value-with-blanks-within", FIELDS, begun(1, [*GET, (b"a", b"x \t y")])),
    answered("field-value-with-other-controls", FIELDS, begun(1, [*GET, (b"a", b"x\x01\x7fy")]), level="ours"),
    answered("field-name-of-a-digit", FIELDS, begun(1, [*GET, (b"1", b"x")])),
    answered("field-name-of-all-that-tokens-have", FIELDS, begun(1, [*GET, (b"!#$%&'*+-.^_`|~09az", b"x")])),
    field("http2-settings-is-none-of-those", b"connection", b"http2-settings", SPECIFIC, CONNECTION),
    field("te-twice", b"te", b"trailers;q=0.5", SPECIFIC, CONNECTION),
    malformed("pseudo-status", PSEUDO, UNDEFINED, (b":status", b"200"), *GET),
    malformed("pseudo-status-of-1xx", PSEUDO, UNDEFINED, (b":status", b"100"), *GET),
    malformed("pseudo-status-alone", PSEUDO, UNDEFINED, (b":status", b"200")),
    reset("pseudo-status-of-1xx-and-content", PSEUDO, begun(1, [(b":status", b"100"), *POST], end=False), statuses=(400,), sentence=UNDEFINED),
    malformed("pseudo-in-upper-case", PSEUDO, UNDEFINED, (b":Method", b"GET"), *GET[1:]),
    malformed("pseudo-of-an-empty-name", PSEUDO, UNDEFINED, *GET, (b":", b"1")),
    malformed("pseudo-scheme-twice", PSEUDO, REPEATED, SCHEME, *GET),
    malformed("pseudo-all-behind-a-field", PSEUDO, ORDER, (b"a", b"1"), *GET),
    malformed("no-fields-at-all", REQUEST, ""),
    malformed("scheme-empty", REQUEST, "", METHOD, (b":scheme", b""), AUTHORITY, PATH),
    malformed("authority-empty", REQUEST, EMPTY_HOST, METHOD, SCHEME, (b":authority", b""), PATH),
    malformed("authority-with-space", REQUEST, "", METHOD, SCHEME, (b":authority", b"h h"), PATH),
    malformed("authority-open-bracket", REQUEST, "", METHOD, SCHEME, (b":authority", b"[::1"), PATH),
    malformed("authority-with-question-mark", REQUEST, "", METHOD, SCHEME, (b":authority", b"h?x"), PATH),
    malformed("path-absolute-form", REQUEST, "", METHOD, SCHEME, AUTHORITY, (b":path", b"http://h/get")),
    malformed("path-not-ascii", REQUEST, "", METHOD, SCHEME, AUTHORITY, (b":path", b"/\xff")),
    malformed("path-with-tab", REQUEST, "", METHOD, SCHEME, AUTHORITY, (b":path", b"/a\tb")),
    malformed("method-with-crlf", REQUEST, "", (b":method", b"GET\r\n"), SCHEME, AUTHORITY, PATH),
    malformed("host-empty-beside-authority", REQUEST, "", *GET, (b"host", b"")),
    malformed("hosts-without-authority", REQUEST, "", METHOD, SCHEME, PATH, (b"host", b"h"), (b"host", b"i")),
    answered("path-with-query", REQUEST, begun(1, [METHOD, SCHEME, AUTHORITY, (b":path", b"/get?a=b?c")]), says=b"/get"),
    answered("authority-with-port", REQUEST, begun(1, [METHOD, SCHEME, (b":authority", b"h:1"), PATH])),
    answered("authority-ipv6", REQUEST, begun(1, [METHOD, SCHEME, (b":authority", b"[::1]:80"), PATH])),
    answered("authority-and-host-with-port", REQUEST, begun(1, [METHOD, SCHEME, (b":authority", b"h:1"), PATH, (b"host", b"h:1")])),
    H2Probe(id="scheme-https", section=REQUEST, sends=begun(1, [METHOD, (b":scheme", b"https"), AUTHORITY, PATH]), statuses=(200,), kinds=("h2",)),
    H2Probe(id="scheme-https-in-the-clear", section="RFC 9110 §7.4", sends=begun(1, [METHOD, (b":scheme", b"https"), AUTHORITY, PATH]), statuses=(421,), kinds=("h2c",),
            sentence='a request for an "https" resource MUST be rejected unless it has been received over a connection that has been secured'),
    answered("scheme-unknown", "RFC 9110 §15.5.20", begun(1, [METHOD, (b":scheme", b"coap"), AUTHORITY, PATH]), status=421, level="ours"),
    answered("pseudo-in-another-order", PSEUDO, begun(1, [PATH, AUTHORITY, SCHEME, METHOD])),
    answered("options-asterisk", REQUEST, begun(1, [(b":method", b"OPTIONS"), SCHEME, AUTHORITY, (b":path", b"*")]), status=204),
    answered("method-nobody-knows", "RFC 9110 §9.1", begun(1, [(b":method", b"BREW"), *GET[1:]]), status=501, level="SHOULD"),
    answered("method-in-lower-case", "RFC 9110 §9.1", begun(1, [(b":method", b"get"), *GET[1:]]), status=501, level="SHOULD"),
    malformed("connect-with-scheme", CONNECT, TUNNEL, (b":method", b"CONNECT"), SCHEME, AUTHORITY),
    malformed("connect-authority-without-port", CONNECT, TUNNEL, (b":method", b"CONNECT"), AUTHORITY),
    malformed("connect-extended-not-offered", "RFC 8441 §3", UNDEFINED, (b":method", b"CONNECT"), (b":protocol", b"websocket"), *GET[1:]),
    answered("connect-nobody-takes", CONNECT, begun(1, [(b":method", b"CONNECT"), (b":authority", b"h:1")]), status=501, level="ours"),
    answered("setting-of-extended-connect", "RFC 8441 §3", frame(4, 0, 0, b"\0\x08\0\0\0\1") + begun()),
    broken("setting-of-extended-connect-2", "RFC 8441 §3", frame(4, 0, 0, b"\0\x08\0\0\0\2"), sentence=EXTENDED),
    answered("setting-of-no-priorities", "RFC 9218 §2.1", frame(4, 0, 0, b"\0\x09\0\0\0\1") + begun()),
    answered("setting-of-priorities", "RFC 9218 §2.1", frame(4, 0, 0, b"\0\x09\0\0\0\0") + begun()),
    broken("setting-of-no-priorities-2", "RFC 9218 §2.1", frame(4, 0, 0, b"\0\x09\0\0\0\2"), sentence=NO_PRIORITIES),
    answered("priority-field", "RFC 9218 §5", begun(1, [*GET, (b"priority", b"u=1, i")])),
    answered("priority-field-of-no-sense", "RFC 9218 §5", begun(1, [*GET, (b"priority", b"u=99;;;, (")]), sentence=NO_SENSE),
    answered("priority-update-of-an-idle-stream", "RFC 9218 §7.1", frame(0x10, 0, 0, b"\0\0\0\1u=1") + begun(), sentence=EARLY_UPDATE, level="SHOULD"),
    answered("priority-update-of-an-open-stream", "RFC 9218 §7.1", begun() + frame(0x10, 0, 0, b"\0\0\0\1u=7, i")),
    answered("priority-update-with-reserved-bit", "RFC 9218 §7.1", begun() + frame(0x10, 0, 0, b"\x80\0\0\1u=7, i"), sentence=RESERVED),
    answered("priority-update-of-no-sense", "RFC 9218 §7", begun() + frame(0x10, 0, 0, b"\0\0\0\1u=99;;;, ("), sentence=UNPARSED, level="ours"),
    answered("priority-update-empty", "RFC 9218 §7", begun() + frame(0x10, 0, 0, b"\0\0\0\1"), sentence=OMITTED),
    broken("priority-update-on-a-stream", "RFC 9218 §7.1", begun() + frame(0x10, 0, 1, b"\0\0\0\1u=7"), sentence=ON_A_STREAM),
    broken("priority-update-of-stream-0", "RFC 9218 §7.1", frame(0x10, 0, 0, b"\0\0\0\0u=7"), sentence=OF_NONE),
    broken("priority-update-of-an-idle-push", "RFC 9218 §7.1", frame(0x10, 0, 0, b"\0\0\0\2u=7"), sentence=OF_IDLE_PUSH),
    broken("priority-update-short", "RFC 9113 §4.2", frame(0x10, 0, 0, b"\0\0\0"), ErrorCodes.FRAME_SIZE_ERROR, sentence=TOO_SMALL),
    broken("priority-updates-of-too-many-streams", "RFC 9218 §7.1", b"".join(frame(0x10, 0, 0, (2 * n + 1).to_bytes(4, "big") + b"u=1") for n in range(1025)), sentence=TOO_MANY),
]  # fmt: skip
