"""RFC 9112 §5 and RFC 9110 §5: field lines."""

from __future__ import annotations

from tests.conformance.probe import Probe, accepted, get, refused

FIELD, FOLD, VALUE, LIMIT = "RFC 9112 §5.1", "RFC 9112 §5.2", "RFC 9110 §5.5", "RFC 6585 §5"
COLON = "A server MUST reject, with a response status code of 400 (Bad Request), any received request message that contains whitespace between a header field name and colon."
OBS_FOLD = 'A server that receives an obs-fold in a request message that is not within a "message/http" container MUST either reject the message by sending a 400 (Bad Request), preferably with a representation explaining that obsolete line folding is unacceptable, or replace each received obs-fold with one or more SP octets'
NUL = "a recipient of CR, LF, or NUL within a field value MUST either reject the message or replace each of those characters with SP before further processing or forwarding of that message."
RETAIN = (
    "recipients MAY retain such characters for the sake of robustness when they appear within a safe context"
)


def name(id: str, octets: bytes) -> Probe:
    return refused("name-" + id, FIELD, get(octets + b": 1"), level="SHOULD")


PROBES: list[Probe] = [
    refused("space-before-colon", FIELD, get(b"A : 1"), sentence=COLON),
    refused("tab-before-colon", FIELD, get(b"A\t: 1"), sentence=COLON),
    refused("spaces-before-colon-of-host", FIELD, b"GET /get HTTP/1.1\r\nHost  : h\r\n\r\n", sentence=COLON),
    refused("space-before-colon-of-length", FIELD, get(b"Content-Length : 0"), sentence=COLON),
    refused("space-before-colon-of-coding", FIELD, get(b"Transfer-Encoding : chunked"), sentence=COLON),
    refused("no-colon", FIELD, get(b"A"), level="SHOULD"),
    refused("no-colon-but-blank", FIELD, get(b"A 1"), level="SHOULD"),
    refused("no-name", FIELD, get(b": 1"), level="SHOULD"),
    refused("colon-alone", FIELD, get(b":"), level="SHOULD"),
    refused("another-request-line", FIELD, get(b"GET /smuggled HTTP/1.1"), level="SHOULD"),
    name("with-space", b"A B"),
    name("with-parenthesis", b"A("),
    name("with-slash", b"A/B"),
    name("with-at", b"A@B"),
    name("in-brackets", b"[A]"),
    name("in-quotes", b'"A"'),
    name("with-equals", b"A=B"),
    name("with-comma", b"A,B"),
    name("with-semicolon", b"A;B"),
    name("with-nul", b"A\0B"),
    name("with-control", b"A\x01"),
    name("with-vt", b"A\x0b"),
    name("with-del", b"A\x7f"),
    name("beyond-ascii", b"\xc3\xa9"),
    name("nbsp", b"A\xa0"),
    accepted("name-of-odd-tchars", FIELD, get(b"!#$%&'*+-.^_`|~9: 1")),
    accepted("value-empty", FIELD, get(b"A:")),
    accepted("value-of-blanks", FIELD, get(b"A: \t ")),
    accepted("value-without-blank", FIELD, get(b"A:1")),
    accepted("value-with-colons", FIELD, get(b"A: b:c : d")),
    accepted("value-between-blanks", FIELD, get(b"A: \t 1 \t ")),
    accepted("value-beyond-ascii", VALUE, get(b"A: \xe9\xff")),
    accepted("value-utf-8", VALUE, get("A: é".encode())),
    accepted("fields-repeated", VALUE, get(b"A: 1", b"a: 2", b"A: 3")),
    accepted("value-with-control", VALUE, get(b"A: a\x01b"), level="MAY", sentence=RETAIN),
    accepted("value-with-vt-and-ff", VALUE, get(b"A: a\x0b\x0cb"), level="MAY", sentence=RETAIN),
    accepted("value-with-del", VALUE, get(b"A: a\x7fb"), level="MAY", sentence=RETAIN),
    refused("value-with-nul", VALUE, get(b"A: a\0b"), sentence=NUL),
    refused("value-of-nul", VALUE, get(b"A:\0"), sentence=NUL),
    refused("value-with-cr", VALUE, get(b"A: a\rb"), sentence=NUL),
    refused("fold-by-space", FOLD, get(b"A: 1\r\n 2"), level="ours", sentence=OBS_FOLD),
    refused("fold-by-tab", FOLD, get(b"A: 1\r\n\t2"), level="ours", sentence=OBS_FOLD),
    refused("fold-of-nothing", FOLD, get(b"A:\r\n 1"), level="ours", sentence=OBS_FOLD),
    refused("fold-to-nothing", FOLD, get(b"A: 1\r\n "), level="ours", sentence=OBS_FOLD),
    refused("fold-of-host", FOLD, b"GET /get HTTP/1.1\r\nHost:\r\n h\r\n\r\n", level="ours", sentence=OBS_FOLD),
    refused("fold-of-length", FOLD, get(b"Content-Length: 1\r\n 0"), level="ours", sentence=OBS_FOLD),
    refused("fold-of-coding", FOLD, get(b"Transfer-Encoding:\r\n chunked"), level="ours", sentence=OBS_FOLD),
    refused("fold-hides-a-field", FOLD, get(b"A: 1\r\n Content-Length: 5"), level="ours", sentence=OBS_FOLD),
    accepted("fields-of-100", LIMIT, get(*(b"A%d: 1" % number for number in range(100)))),
    accepted("value-of-8000", LIMIT, get(b"A: " + b"a" * 8000)),
    refused("fields-too-many", LIMIT, get(*[b"A: 1"] * 1001), 431, level="MAY"),
    refused("value-too-long", LIMIT, get(b"A: " + b"a" * 270_000), 431, level="MAY"),
    refused("name-too-long", LIMIT, get(b"a" * 270_000 + b": 1"), 431, level="MAY"),
    refused("fields-without-end", LIMIT, get(*[b"A: " + b"a" * 1000] * 270), 431, level="MAY"),
]  # fmt: skip
