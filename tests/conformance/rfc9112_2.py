"""RFC 9112 §2: the message, its lines and its version."""

from __future__ import annotations

from tests.conformance.probe import GET, Probe, accepted, get, refused

PARSING, VERSION = "RFC 9112 §2.2", "RFC 9112 §2.3"
GRAMMAR = (
    "receives a sequence of octets that does not match the HTTP-message grammar aside from the robustness "
    "exceptions listed above, the server SHOULD respond with a 400 (Bad Request) response and close the "
    "connection."
)
BARE_CR = (
    "A recipient of such a bare CR MUST consider that element to be invalid or replace each bare CR with SP "
    "before processing the element or forwarding the message."
)
EMPTY_LINE = (
    "a server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line "
    "(CRLF) received prior to the request-line."
)
SPACE_FIRST = (
    "A recipient that receives whitespace between the start-line and the first header field MUST either "
    "reject the message as invalid or consume each whitespace-preceded line without further processing"
)
BARE_LF = "a recipient MAY recognize a single LF as a line terminator and ignore any preceding CR."

PROBES: list[Probe] = [
    accepted("empty-line-first", PARSING, b"\r\n" + GET, level="SHOULD", sentence=EMPTY_LINE),
    accepted("two-empty-lines-first", PARSING, b"\r\n\r\n" + GET, level="SHOULD", sentence=EMPTY_LINE),
    Probe(
        id="empty-line-between",
        section=PARSING,
        sends=GET + b"\r\n" + GET,
        statuses=(200,),
        answers=2,
        stays=True,
        level="SHOULD",
        sentence=EMPTY_LINE,
    ),
    refused("lf-first", PARSING, b"\n" + GET, level="ours"),
    refused("cr-first", PARSING, b"\r" + GET, sentence=BARE_CR),
    refused("cr-cr-lf-first", PARSING, b"\r\r\n" + GET, sentence=BARE_CR),
    refused("space-first", PARSING, b" " + GET, level="ours"),
    refused("tab-first", PARSING, b"\t" + GET, level="ours"),
    refused("nul-first", PARSING, b"\0" + GET, level="SHOULD", sentence=GRAMMAR),
    refused("bom-first", PARSING, b"\xef\xbb\xbf" + GET, level="SHOULD", sentence=GRAMMAR),
    refused("control-first", PARSING, b"\x01" + GET, level="SHOULD", sentence=GRAMMAR),
    refused("colon-first", PARSING, b": x\r\n\r\n", level="SHOULD", sentence=GRAMMAR),
    refused("response", PARSING, b"HTTP/1.1 200 OK\r\nHost: h\r\n\r\n", level="SHOULD", sentence=GRAMMAR),
    refused("words", PARSING, b"hello, world\r\n\r\n", level="SHOULD", sentence=GRAMMAR),
    refused("one-word", PARSING, b"hello\r\n\r\n", level="SHOULD", sentence=GRAMMAR),
    refused("tls-hello", PARSING, b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03", level="SHOULD"),
    refused("lf-ends-request-line", PARSING, GET.replace(b"\r\n", b"\n", 1), level="ours", sentence=BARE_LF),
    refused("lf-ends-field", PARSING, get(b"A: 1\nB: 2"), level="ours", sentence=BARE_LF),
    refused("lf-ends-host", PARSING, b"GET /get HTTP/1.1\r\nHost: h\n\r\n", level="ours", sentence=BARE_LF),
    refused("lf-ends-head", PARSING, GET[:-2] + b"\n", level="ours", sentence=BARE_LF),
    refused("lf-everywhere", PARSING, GET.replace(b"\r\n", b"\n"), level="ours", sentence=BARE_LF),
    refused("lf-lf-in-head", PARSING, get(b"A: 1\n\nGET /smuggled HTTP/1.1"), level="ours"),
    refused("cr-ends-request-line", PARSING, b"GET /get HTTP/1.1\rHost: h\r\n\r\n", sentence=BARE_CR),
    refused("cr-ends-field", PARSING, get(b"A: 1\rB: 2"), sentence=BARE_CR),
    refused("cr-in-value", PARSING, get(b"A: a\rb"), sentence=BARE_CR),
    refused("cr-before-crlf", PARSING, get(b"A: 1\r"), sentence=BARE_CR),
    refused("cr-in-name", PARSING, get(b"A\rB: 1"), sentence=BARE_CR),
    refused("cr-behind-colon", PARSING, get(b"A:\r1"), sentence=BARE_CR),
    refused("cr-in-target", PARSING, get(line=b"GET /g\ret HTTP/1.1"), sentence=BARE_CR),
    refused("cr-in-method", PARSING, get(line=b"G\rET /get HTTP/1.1"), sentence=BARE_CR),
    refused("cr-in-version", PARSING, get(line=b"GET /get HTTP/1.1\r"), sentence=BARE_CR),
    refused("space-before-first-field", PARSING, b"GET /get HTTP/1.1\r\n Host: h\r\n\r\n", sentence=SPACE_FIRST),
    refused("tab-before-first-field", PARSING, b"GET /get HTTP/1.1\r\n\tA: 1\r\nHost: h\r\n\r\n", sentence=SPACE_FIRST),
    refused("blank-line-of-spaces", PARSING, b"GET /get HTTP/1.1\r\n \r\nHost: h\r\n\r\n", sentence=SPACE_FIRST),
    # --- the version
    accepted("version-1.1", VERSION, GET),
    accepted("version-1.2", VERSION, get(line=b"GET /get HTTP/1.2"), level="SHOULD"),
    accepted("version-1.9", VERSION, get(line=b"GET /get HTTP/1.9"), level="SHOULD"),
    Probe(id="version-1.0", section=VERSION, sends=get(line=b"GET /get HTTP/1.0"), statuses=(200,)),
    refused("version-0.9", VERSION, get(line=b"GET /get HTTP/0.9"), 505, level="SHOULD"),
    refused("version-0.0", VERSION, get(line=b"GET /get HTTP/0.0"), 505, level="SHOULD"),
    refused("version-2.0", VERSION, get(line=b"GET /get HTTP/2.0"), 505, level="SHOULD"),
    refused("version-3.0", VERSION, get(line=b"GET /get HTTP/3.0"), 505, level="SHOULD"),
    refused("version-9.9", VERSION, get(line=b"GET /get HTTP/9.9"), 505, level="SHOULD"),
    refused("version-1.10", VERSION, get(line=b"GET /get HTTP/1.10"), level="SHOULD"),
    refused("version-01.1", VERSION, get(line=b"GET /get HTTP/01.1"), level="SHOULD"),
    refused("version-11", VERSION, get(line=b"GET /get HTTP/11"), level="SHOULD"),
    refused("version-1", VERSION, get(line=b"GET /get HTTP/1"), level="SHOULD"),
    refused("version-1.", VERSION, get(line=b"GET /get HTTP/1."), level="SHOULD"),
    refused("version-1.1.1", VERSION, get(line=b"GET /get HTTP/1.1.1"), level="SHOULD"),
    refused("version-1,1", VERSION, get(line=b"GET /get HTTP/1,1"), level="SHOULD"),
    refused("version-x", VERSION, get(line=b"GET /get HTTP/1.x"), level="SHOULD"),
    refused("version-minus", VERSION, get(line=b"GET /get HTTP/-1.1"), level="SHOULD"),
    refused("version-lower-case", VERSION, get(line=b"GET /get http/1.1"), sentence="HTTP-version is case-sensitive."),
    refused("version-mixed-case", VERSION, get(line=b"GET /get Http/1.1"), sentence="HTTP-version is case-sensitive."),
    refused("version-of-another", VERSION, get(line=b"GET /get RTSP/1.0"), level="SHOULD"),
    refused("version-https", VERSION, get(line=b"GET /get HTTPS/1.1"), level="SHOULD"),
    refused("version-without-slash", VERSION, get(line=b"GET /get HTTP 1.1"), level="SHOULD"),
    refused("version-other-digits", VERSION, get(line="GET /get HTTP/1.١".encode()), level="SHOULD"),
    refused("version-missing", VERSION, get(line=b"GET /get"), level="SHOULD"),
    refused("simple-request", VERSION, b"GET /get\r\n", level="SHOULD"),
    refused("preface-of-http-2-broken", VERSION, b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", level="SHOULD"),
]  # fmt: skip
