"""RFC 9113 §8: requests over HTTP/2."""

from __future__ import annotations

from tests.conformance.h2_probe import GET, POST, H2Probe, answered, begun, frame, reset
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
    answered(
        "length",
        MALFORMED,
        begun(1, [*POST, (b"content-length", b"2")], end=False) + frame(0, 0, 1, b"a") + frame(0, 1, 1, b"b"),
        says=b"ab",
    ),
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
]
