"""RFC 9112 §8, §9 and RFC 9110 §7.8, §10.1.1: incomplete messages, persistence, Expect and Upgrade."""

from __future__ import annotations

from tests.conformance.probe import GET, Probe, accepted, get, post, refused

INCOMPLETE, PERSISTENCE, PIPELINING, CLOSE = (
    "RFC 9112 §8",
    "RFC 9112 §9.3",
    "RFC 9112 §9.3.2",
    "RFC 9112 §9.6",
)
EXPECT, UPGRADE = "RFC 9110 §10.1.1", "RFC 9110 §7.8"
NO_FURTHER = "The server MUST NOT process any further requests received on that connection."
ORDER = "MUST send the corresponding responses in the same order that the requests were received."
MEMBER = "A server that receives an Expect field value containing a member other than 100-continue MAY respond with a 417 (Expectation Failed) status code to indicate that the unexpected expectation cannot be met."
IGNORE_UPGRADE = "A server MAY ignore a received Upgrade header field if it wishes to continue using the current protocol on that connection."
CUT_SHORT = "the recipient MUST consider the message to be incomplete and close the connection."
SMUGGLED = get(line=b"GET /smuggled HTTP/1.1")
LENGTH_5 = b"Content-Length: 5"
OLD = b"GET /get HTTP/1.0"


def cut(id: str, sends: bytes, status: int = 400, *, answers: int = 1) -> Probe:
    return Probe(
        id="cut-" + id,
        section=INCOMPLETE,
        sends=sends,
        statuses=(status,),
        answers=answers,
        half_closes=True,
        sentence=CUT_SHORT if b"Content-Length" in sends else "",
    )


def closes(id: str, sends: bytes, section: str = CLOSE) -> Probe:
    return Probe(id=id, section=section, sends=sends, statuses=(200,), sentence=NO_FURTHER)


def upgrade(id: str, *lines: bytes) -> Probe:
    return accepted("upgrade-" + id, UPGRADE, get(*lines), level="MAY", sentence=IGNORE_UPGRADE)


PROBES: list[Probe] = [
    # --- the client ends its side
    Probe(id="half-close-at-once", section=INCOMPLETE, sends=b"", statuses=(), answers=0, half_closes=True),
    Probe(id="half-close-behind-empty-line", section=INCOMPLETE, sends=b"\r\n", statuses=(), answers=0, half_closes=True),
    Probe(id="half-close-behind-request", section=CLOSE, sends=GET, statuses=(200,), half_closes=True),
    Probe(id="half-close-behind-two", section=CLOSE, sends=GET + GET, statuses=(200,), answers=2, half_closes=True),
    Probe(id="half-close-behind-content", section=CLOSE, sends=post(LENGTH_5, content=b"hello"), statuses=(200,), says=b"hello", half_closes=True),
    cut("method", b"GE"),
    cut("target", b"GET /ge"),
    cut("version", b"GET /get HTTP/1."),
    cut("line", b"GET /get HTTP/1.1\r\n"),
    cut("field", b"GET /get HTTP/1.1\r\nHost: h"),
    cut("head", GET[:-1]),
    cut("content", post(LENGTH_5, content=b"hell")),
    cut("content-before", post(LENGTH_5)),
    cut("chunk-size", post(b"Transfer-Encoding: chunked", content=b"5")),
    cut("chunk", post(b"Transfer-Encoding: chunked", content=b"5\r\nhel")),
    cut("chunk-end", post(b"Transfer-Encoding: chunked", content=b"5\r\nhello")),
    cut("last-chunk", post(b"Transfer-Encoding: chunked", content=b"5\r\nhello\r\n")),
    cut("last-crlf", post(b"Transfer-Encoding: chunked", content=b"5\r\nhello\r\n0\r\n")),
    cut("trailer", post(b"Transfer-Encoding: chunked", content=b"0\r\nA: 1")),
    cut("second", GET + GET[:-2], 200, answers=2),
    # --- persistence
    accepted("persists", PERSISTENCE, GET),
    accepted("persists-keep-alive", PERSISTENCE, get(b"Connection: keep-alive")),
    accepted("persists-odd-option", PERSISTENCE, get(b"Connection: x")),
    accepted("persists-empty-option", PERSISTENCE, get(b"Connection:")),
    accepted("persists-closed", PERSISTENCE, get(b"Connection: closed")),
    Probe(id="persists-1.0", section=PERSISTENCE, sends=get(b"Connection: keep-alive", line=OLD), statuses=(200,), stays=True),
    Probe(id="persists-1.0-mixed-case", section=PERSISTENCE, sends=get(b"Connection: Keep-Alive", line=OLD), statuses=(200,), stays=True),
    closes("closes", get(b"Connection: close") + SMUGGLED),
    closes("closes-mixed-case", get(b"Connection: Close") + SMUGGLED),
    closes("closes-among-others", get(b"Connection: x, close,y") + SMUGGLED),
    closes("closes-in-second-line", get(b"Connection: keep-alive", b"Connection: close") + SMUGGLED),
    closes("closes-1.0", get(line=OLD) + SMUGGLED, PERSISTENCE),
    closes("closes-1.0-both", get(b"Connection: keep-alive, close", line=OLD) + SMUGGLED, PERSISTENCE),
    closes("closes-behind-content", post(LENGTH_5, b"Connection: close", content=b"hello") + SMUGGLED),
    # --- pipelining
    Probe(id="two-requests", section=PIPELINING, sends=GET + GET, statuses=(200,), answers=2, stays=True, sentence=ORDER),
    Probe(id="ten-requests", section=PIPELINING, sends=GET * 10, statuses=(200,), answers=10, stays=True, sentence=ORDER),
    Probe(id="requests-with-content", section=PIPELINING, sends=post(LENGTH_5, content=b"hello") * 3, statuses=(200,), answers=3, stays=True, says=b"hello", sentence=ORDER),
    Probe(id="requests-with-chunks", section=PIPELINING, sends=post(b"Transfer-Encoding: chunked", content=b"5\r\nhello\r\n0\r\n\r\n") * 2 + GET, statuses=(200,), answers=3, stays=True, says=b"hello", sentence=ORDER),
    Probe(id="request-then-garbage", section=PIPELINING, sends=GET + b"\0\0\0\0", statuses=(200,), answers=2),
    Probe(id="content-then-garbage", section=PIPELINING, sends=post(LENGTH_5, content=b"hello, world\r\n\r\n"), statuses=(200,), answers=2, says=b"hello"),
    Probe(id="content-longer-than-said", section=PIPELINING, sends=post(LENGTH_5, content=b"hello\0" + SMUGGLED), statuses=(200,), answers=2, says=b"hello"),
    Probe(id="bad-request-then-good", section=PIPELINING, sends=GET + get(b"A : 1") + SMUGGLED, statuses=(200,), answers=2),
    Probe(id="content-nobody-reads", section=PERSISTENCE, sends=post(LENGTH_5, line=b"POST /deaf HTTP/1.1", content=b"hello"), statuses=(200,), stays=True,
          sentence="A server MUST read the entire request message body or close the connection after sending its response; otherwise, the remaining data on a persistent connection would be misinterpreted as the next request."),
    Probe(id="content-nobody-reads-is-a-request", section=PERSISTENCE, sends=post(b"Content-Length: %d" % len(SMUGGLED), line=b"POST /deaf HTTP/1.1", content=SMUGGLED), statuses=(200,), stays=True),
    Probe(id="content-of-no-route", section=PERSISTENCE, sends=post(b"Content-Length: %d" % len(SMUGGLED), line=b"POST /none HTTP/1.1", content=SMUGGLED), statuses=(404,), stays=True),
    Probe(id="content-of-405", section=PERSISTENCE, sends=post(b"Content-Length: %d" % len(SMUGGLED), line=b"PUT /get HTTP/1.1", content=SMUGGLED), statuses=(405,), stays=True),
    Probe(id="head-has-no-content", section="RFC 9110 §9.3.2", sends=get(line=b"HEAD /get HTTP/1.1"), statuses=(200,), stays=True),
    Probe(id="head-then-get", section="RFC 9110 §9.3.2", sends=get(line=b"HEAD /none HTTP/1.1") + GET, statuses=(404,), answers=2, stays=True),
    # --- Expect
    Probe(id="expect-continue-and-content", section=EXPECT, sends=post(LENGTH_5, b"Expect: 100-continue", content=b"hello"), statuses=(200,), says=b"hello", stays=True),
    Probe(id="expect-continue-mixed-case", section=EXPECT, sends=post(LENGTH_5, b"Expect: 100-Continue", content=b"hello"), statuses=(200,), says=b"hello", stays=True),
    Probe(id="expect-continue-without-content", section=EXPECT, sends=get(b"Expect: 100-continue"), statuses=(200,), stays=True),
    Probe(id="expect-continue-1.0", section=EXPECT, sends=post(LENGTH_5, b"Expect: 100-continue", content=b"hello", line=b"POST /echo HTTP/1.0"), statuses=(200,), says=b"hello",
          sentence="A server that receives a 100-continue expectation in an HTTP/1.0 request MUST ignore that expectation."),
    refused("expect-unknown", EXPECT, get(b"Expect: x"), 417, level="MAY", sentence=MEMBER),
    refused("expect-100", EXPECT, get(b"Expect: 100"), 417, level="MAY", sentence=MEMBER),
    refused("expect-both", EXPECT, get(b"Expect: 100-continue, x"), 417, level="MAY", sentence=MEMBER),
    refused("expect-parameter", EXPECT, get(b"Expect: 100-continue;a=b"), 417, level="MAY", sentence=MEMBER),
    refused("expect-unknown-and-content", EXPECT, post(LENGTH_5, b"Expect: x", content=b"hello") + SMUGGLED, 417, level="MAY", sentence=MEMBER),
    # --- Upgrade
    upgrade("unknown", b"Connection: Upgrade", b"Upgrade: x"),
    upgrade("websocket", b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    upgrade("h2c-not-named-in-connection", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__"),
    upgrade("h2c-without-settings", b"Connection: Upgrade", b"Upgrade: h2c"),
    upgrade("h2", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2", b"HTTP2-Settings: AAMAAABkAAQAAP__"),
    upgrade("h2c-bad-settings", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: ?"),
    upgrade("tls", b"Connection: Upgrade", b"Upgrade: TLS/1.3"),
    Probe(id="upgrade-1.0", section=UPGRADE, sends=get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__", line=OLD), statuses=(200,),
          sentence="A server that receives an Upgrade header field in an HTTP/1.0 request MUST ignore that Upgrade field."),
]  # fmt: skip
