"""RFC 9112 §6: where the content ends."""

from __future__ import annotations

from tests.conformance.probe import GET, Probe, accepted, get, post, refused

CODING, LENGTH, BODY = "RFC 9112 §6.1", "RFC 9112 §6.2", "RFC 9112 §6.3"
INVALID_LENGTH = "If the unrecoverable error is in a request message, the server MUST respond with a 400 (Bad Request) status code and then close the connection."
NOT_FINAL = "If a Transfer-Encoding header field is present in a request and the chunked transfer coding is not the final encoding, the message body length cannot be determined reliably; the server MUST respond with the 400 (Bad Request) status code and then close the connection."
UNKNOWN = "A server that receives a request message with a transfer coding it does not understand SHOULD respond with 501 (Not Implemented)."
BOTH = "A server MAY reject a request that contains both Content-Length and Transfer-Encoding or process such a request in accordance with the Transfer-Encoding alone."
FAULTY = "MUST treat the message as if the framing is faulty"
SMUGGLED = get(line=b"GET /smuggled HTTP/1.1")
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"


def length(id: str, value: bytes, *statuses: int) -> Probe:
    sends = post(b"Content-Length: " + value, content=b"hello" + SMUGGLED)
    return refused("length-" + id, LENGTH, sends, *statuses, sentence=INVALID_LENGTH)


def coding(id: str, *values: bytes, status: int = 400) -> Probe:
    lines = [b"Transfer-Encoding: " + value for value in values]
    return refused(
        "coding-" + id,
        CODING,
        post(*lines, content=CHUNKS + SMUGGLED),
        status,
        level="MUST" if status == 400 else "SHOULD",
        sentence=NOT_FINAL if status == 400 else UNKNOWN,
    )


def both(id: str, *lines: bytes, content: bytes) -> Probe:
    return refused("both-" + id, BODY, post(*lines, content=content), level="ours", sentence=BOTH)


LENGTH_5, CHUNKED = b"Content-Length: 5", b"Transfer-Encoding: chunked"

PROBES: list[Probe] = [
    accepted("length", LENGTH, post(LENGTH_5, content=b"hello"), says=b"hello"),
    accepted("length-0", LENGTH, post(b"Content-Length: 0")),
    accepted("length-leading-zeros", LENGTH, post(b"Content-Length: 005", content=b"hello"), says=b"hello"),
    accepted("length-between-blanks", LENGTH, post(b"Content-Length: \t5 ", content=b"hello"), says=b"hello"),
    accepted("length-lower-case", LENGTH, post(b"content-length:5", content=b"hello"), says=b"hello"),
    accepted("no-length", BODY, post()),
    accepted("content-of-a-request", BODY, post(b"Content-Length: %d" % len(SMUGGLED), content=SMUGGLED), says=b"/smuggled"),
    accepted("content-of-get", "RFC 9110 §9.3.1", get(LENGTH_5) + b"hello"),
    accepted("content-of-get-is-a-request", "RFC 9110 §9.3.1", get(b"Content-Length: %d" % len(SMUGGLED)) + SMUGGLED),
    accepted("chunks-of-get", "RFC 9110 §9.3.1", get(CHUNKED) + CHUNKS),
    length("plus", b"+5"),
    length("minus", b"-5"),
    length("minus-0", b"-0"),
    length("hexadecimal", b"0x5"),
    length("underscore", b"0_5"),
    length("decimal", b"5.0"),
    length("exponent", b"5e0"),
    length("empty", b""),
    length("word", b"five"),
    length("two-numbers", b"5 5"),
    length("inner-blank", b"1 5"),
    length("list", b"5, 6"),
    length("list-agreeing", b"5, 5"),
    length("list-empty-member", b"5,"),
    length("comma-first", b",5"),
    length("semicolon", b"5;"),
    length("quotes", b'"5"'),
    length("vt", b"\x0b5"),
    length("ff", b"5\x0c"),
    length("nbsp", b"\xa05"),
    length("nul", b"5\0"),
    length("cr", b"\r5"),
    length("arabic-digit", "٥".encode()),
    length("superscript", b"\xb2"),
    length("fullwidth", "５".encode()),
    length("beyond-64-bits", b"18446744073709551621", 400, 413),
    length("beyond-63-bits", b"9223372036854775808", 400, 413),
    length("of-5000-digits", b"9" * 5000, 400, 413),
    length("too-large", b"99999999999", 413),
    refused("two-lengths", BODY, post(LENGTH_5, b"Content-Length: 6", content=b"hello" + GET), sentence=INVALID_LENGTH),
    refused("two-lengths-agreeing", BODY, post(LENGTH_5, LENGTH_5, content=b"hello"), level="ours"),
    refused("two-lengths-one-bad", BODY, post(LENGTH_5, b"Content-Length: x", content=b"hello"), sentence=INVALID_LENGTH),
    refused("two-lengths-zero-and-more", BODY, post(b"Content-Length: 0", b"Content-Length: %d" % len(SMUGGLED), content=SMUGGLED), sentence=INVALID_LENGTH),
    # --- Transfer-Encoding
    accepted("chunked", CODING, post(CHUNKED, content=CHUNKS), says=b"hello"),
    accepted("chunked-mixed-case", CODING, post(b"transfer-encoding: ChUnKeD", content=CHUNKS), says=b"hello"),
    accepted("chunked-between-blanks", CODING, post(b"Transfer-Encoding:\t chunked\t", content=CHUNKS), says=b"hello"),
    accepted("chunked-empty-member", "RFC 9110 §5.6.1.2", post(b"Transfer-Encoding: , chunked", content=CHUNKS), says=b"hello"),
    coding("identity", b"identity"),
    coding("empty", b""),
    coding("gzip", b"gzip"),
    coding("unknown", b"x"),
    coding("misspelt", b"xchunked"),
    coding("cut-short", b"chunke"),
    coding("longer", b"chunkedx"),
    coding("vt", b"\x0bchunked"),
    coding("vt-behind", b"chunked\x0b"),
    coding("nbsp", b"\xa0chunked"),
    coding("nul", b"chunked\0"),
    coding("quotes", b'"chunked"'),
    coding("parameter", b"chunked;a=b"),
    coding("parameter-empty", b"chunked;"),
    coding("twice", b"chunked, chunked"),
    coding("twice-in-two-lines", b"chunked", b"chunked"),
    coding("not-final", b"chunked, gzip"),
    coding("not-final-in-two-lines", b"chunked", b"gzip"),
    coding("then-identity", b"chunked", b"identity"),
    coding("two-words", b"chunked gzip"),
    coding("kelvin", "chun\u212aed".encode()),
    coding("gzip-chunked", b"gzip, chunked", status=501),
    coding("identity-chunked", b"identity, chunked", status=501),
    coding("unknown-then-chunked", b"x", b"chunked", status=501),
    # --- both, and what smuggles by them
    both("cl-te", LENGTH_5, CHUNKED, content=CHUNKS),
    both("te-cl", CHUNKED, LENGTH_5, content=CHUNKS),
    both("cl-0-te", b"Content-Length: 0", CHUNKED, content=CHUNKS),
    both("cl.te", b"Content-Length: %d" % (5 + len(SMUGGLED)), CHUNKED, content=b"0\r\n\r\n" + SMUGGLED),
    both("te.cl", CHUNKED, b"Content-Length: 4", content=b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)),
    both("te.te", CHUNKED, b"Transfer-Encoding: x", content=b"0\r\n\r\n" + SMUGGLED),
    both("te-cl-bad", CHUNKED, b"Content-Length: x", content=CHUNKS),
    both("cl-identity", LENGTH_5, b"Transfer-Encoding: identity", content=b"hello" + SMUGGLED),
    both("cl-te-blank", LENGTH_5, b"Transfer-Encoding : chunked", content=b"0\r\n\r\n" + SMUGGLED),
    both("cl-te-nul", LENGTH_5, b"Transfer-Encoding:\0chunked", content=b"0\r\n\r\n" + SMUGGLED),
    both("cl-te-lf", LENGTH_5, b"A: 1\nTransfer-Encoding: chunked", content=b"0\r\n\r\n" + SMUGGLED),
    both("cl-te-cr", LENGTH_5, b"A: 1\rTransfer-Encoding: chunked", content=b"0\r\n\r\n" + SMUGGLED),
    both("cl-te-fold", LENGTH_5, b"Transfer-Encoding:\r\n chunked", content=b"0\r\n\r\n" + SMUGGLED),
    accepted("coding-by-another-name", CODING, post(LENGTH_5, b"Transfer_Encoding: chunked", content=b"hello"), says=b"hello"),
    refused("chunked-1.0", CODING, post(CHUNKED, content=CHUNKS, line=b"POST /echo HTTP/1.0"), level="ours", sentence=FAULTY),
    refused("chunked-1.0-keep-alive", CODING, post(CHUNKED, b"Connection: keep-alive", content=CHUNKS + SMUGGLED, line=b"POST /echo HTTP/1.0"), level="ours", sentence=FAULTY),
    refused("both-1.0", CODING, post(LENGTH_5, CHUNKED, content=CHUNKS, line=b"POST /echo HTTP/1.0"), level="ours", sentence=FAULTY),
    Probe(id="length-1.0", section=LENGTH, sends=post(LENGTH_5, content=b"hello", line=b"POST /echo HTTP/1.0"), statuses=(200,), says=b"hello"),
]  # fmt: skip
