"""RFC 9112 §7: chunks, their extensions, and trailers."""

from __future__ import annotations

from tests.conformance.probe import Probe, accepted, get, post, refused

CHUNKED, EXTENSION, TRAILER = "RFC 9112 §7.1", "RFC 9112 §7.1.1", "RFC 9112 §7.1.2"
LARGE = "recipients MUST anticipate potentially large hexadecimal numerals and prevent parsing errors due to integer conversion overflows or precision loss due to integer representation."
IGNORE = "A recipient MUST ignore unrecognized chunk extensions."
SMUGGLED = get(line=b"GET /smuggled HTTP/1.1")


def chunks(octets: bytes) -> bytes:
    return post(b"Transfer-Encoding: chunked", content=octets)


def bad(id: str, octets: bytes, *statuses: int, section: str = CHUNKED) -> Probe:
    """Return a probe of chunks that are none; a handler that reads them meets the client's error."""
    return refused("chunk-" + id, section, chunks(octets), *statuses, level="SHOULD")


def good(id: str, octets: bytes, *, section: str = CHUNKED, sentence: str = "") -> Probe:
    return accepted("chunk-" + id, section, chunks(octets), says=b"hello", sentence=sentence)


REST = b"\r\nhello\r\n0\r\n\r\n"

PROBES: list[Probe] = [
    good("one", b"5" + REST),
    good("several", b"2\r\nhe\r\n1\r\nl\r\n2\r\nlo\r\n0\r\n\r\n"),
    good("leading-zeros", b"0005\r\nhello\r\n0000\r\n\r\n"),
    accepted("chunk-hexadecimal", CHUNKED, chunks(b"a\r\nhellohello\r\nA\r\nhellohello\r\n0\r\n\r\n"), says=b"hello" * 4),
    accepted("chunk-none", CHUNKED, chunks(b"0\r\n\r\n")),
    accepted("chunk-of-a-request", CHUNKED, chunks(b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)), says=b"/smuggled"),
    accepted("chunk-of-crlf", CHUNKED, chunks(b"4\r\n\r\n\r\n\r\n0\r\n\r\n")),
    bad("size-missing", b"\r\nhello\r\n0\r\n\r\n"),
    bad("size-no-digit", b"g" + REST),
    bad("size-plus", b"+5" + REST),
    bad("size-minus", b"-5" + REST),
    bad("size-prefix", b"0x5" + REST),
    bad("size-underscore", b"0_5" + REST),
    bad("size-space-before", b" 5" + REST),
    bad("size-tab-before", b"\t5" + REST),
    bad("size-space-behind", b"5 " + REST),
    bad("size-tab-behind", b"5\t" + REST),
    bad("size-vt", b"\x0b5" + REST),
    bad("size-nul", b"5\0" + REST),
    bad("size-nbsp", b"\xa05" + REST),
    bad("size-other-digits", "٥".encode() + REST),
    bad("size-decimal", b"5.0" + REST),
    bad("size-comma", b"5,5" + REST),
    bad("size-quotes", b'"5"' + REST),
    refused("chunk-size-overflow", CHUNKED, chunks(b"10000000000000005" + REST), 400, 413, sentence=LARGE),
    refused("chunk-size-64-bits", CHUNKED, chunks(b"ffffffffffffffff" + REST), 400, 413, sentence=LARGE),
    refused("chunk-size-minus-1", CHUNKED, chunks(b"fffffffffffffffb" + REST), 400, 413, sentence=LARGE),
    bad("size-of-1000-digits", b"0" * 1000 + b"5" + REST),
    bad("lf-behind-size", b"5\nhello\r\n0\r\n\r\n"),
    bad("cr-behind-size", b"5\rhello\r\n0\r\n\r\n"),
    bad("crcrlf-behind-size", b"5\r\r\nhello\r\n0\r\n\r\n"),
    bad("lf-behind-data", b"5\r\nhello\n0\r\n\r\n"),
    bad("cr-behind-data", b"5\r\nhello\r0\r\n\r\n"),
    bad("nothing-behind-data", b"5\r\nhello0\r\n\r\n"),
    bad("data-too-long", b"5\r\nhelloo\r\n0\r\n\r\n"),
    bad("data-too-short", b"6\r\nhello\r\n0\r\n\r\n"),
    bad("lf-behind-last", b"5\r\nhello\r\n0\n\r\n"),
    bad("lf-ends-content", b"5\r\nhello\r\n0\r\n\n"),
    bad("lf-lf", b"5\nhello\n0\n\n"),
    bad("request-for-chunk", SMUGGLED),
    # --- extensions
    good("extension", b"5;a=b" + REST, section=EXTENSION, sentence=IGNORE),
    good("extension-name-alone", b"5;a" + REST, section=EXTENSION, sentence=IGNORE),
    good("extensions", b"5;a;b=c;d" + REST, section=EXTENSION, sentence=IGNORE),
    good("extension-quoted", b'5;a="b;\\"c"' + REST, section=EXTENSION, sentence=IGNORE),
    good("extension-blanks", b"5 ; a = b" + REST, section=EXTENSION, sentence=IGNORE),
    good("extension-of-last", b"5\r\nhello\r\n0;a=b\r\n\r\n", section=EXTENSION, sentence=IGNORE),
    bad("extension-lf", b"5;a\nb" + REST, section=EXTENSION),
    bad("extension-cr", b"5;a\rb" + REST, section=EXTENSION),
    bad("extension-nul", b"5;a\0" + REST, section=EXTENSION),
    bad("extension-control", b"5;a\x01" + REST, section=EXTENSION),
    bad("extension-del", b"5;a\x7f" + REST, section=EXTENSION),
    bad("extension-lf-in-quotes", b'5;a="\n"' + REST, section=EXTENSION),
    bad("extension-open-quotes", b'5;a="b' + REST, section=EXTENSION),
    bad("extension-empty", b"5;" + REST, section=EXTENSION),
    bad("extension-without-name", b"5;=b" + REST, section=EXTENSION),
    bad("extension-without-value", b"5;a=" + REST, section=EXTENSION),
    bad("extension-without-semicolon", b"5 a=b" + REST, section=EXTENSION),
    bad("extension-too-long", b"5;a=" + b"b" * 20_000 + REST, section=EXTENSION),
    bad("extension-without-end", b"5;a=" + b"b" * 20_000, section=EXTENSION),
    # --- trailers
    good("trailer", b"5\r\nhello\r\n0\r\nA: 1\r\n\r\n", section=TRAILER),
    good("trailers", b"5\r\nhello\r\n0\r\nA: 1\r\nB:2\r\nA:\r\n\r\n", section=TRAILER),
    good("trailer-of-length", b"5\r\nhello\r\n0\r\nContent-Length: 100\r\n\r\n", section=TRAILER),
    good("trailer-of-coding", b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", section=TRAILER),
    bad("trailer-no-colon", b"0\r\nA\r\n\r\n", section=TRAILER),
    bad("trailer-no-name", b"0\r\n: 1\r\n\r\n", section=TRAILER),
    bad("trailer-space-before-colon", b"0\r\nA : 1\r\n\r\n", section=TRAILER),
    bad("trailer-folded", b"0\r\nA: 1\r\n 2\r\n\r\n", section=TRAILER),
    bad("trailer-first-folded", b"0\r\n A: 1\r\n\r\n", section=TRAILER),
    bad("trailer-lf", b"0\r\nA: 1\n\r\n", section=TRAILER),
    bad("trailer-cr", b"0\r\nA: 1\r2\r\n\r\n", section=TRAILER),
    bad("trailer-nul", b"0\r\nA: \0\r\n\r\n", section=TRAILER),
    bad("trailer-of-a-request", b"0\r\n" + SMUGGLED, section=TRAILER),
    bad("trailers-too-large", b"0\r\n" + b"A: %s\r\n" % (b"a" * 1000) * 270 + b"\r\n", 431, section=TRAILER),
    bad("trailers-too-many", b"0\r\n" + b"A: 1\r\n" * 1001 + b"\r\n", 431, section=TRAILER),
]  # fmt: skip
