"""RFC 9112 §3: the request line, the four forms of a target, and Host."""

from __future__ import annotations

from tests.conformance.probe import Probe, accepted, get, refused

LINE, METHOD, TARGET = "RFC 9112 §3", "RFC 9112 §3.1", "RFC 9112 §3.2"
ORIGIN, ABSOLUTE, AUTHORITY, ASTERISK = (
    "RFC 9112 §3.2.1",
    "RFC 9112 §3.2.2",
    "RFC 9112 §3.2.3",
    "RFC 9112 §3.2.4",
)
INVALID = "Recipients of an invalid request-line SHOULD respond with either a 400 (Bad Request) error"
TOO_LONG = (
    "A server that receives a request-target longer than any URI it wishes to parse MUST respond with a 414 "
    "(URI Too Long) status code"
)
HOST = "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host header field and to any request message that contains more than one Host header field line or a Host header field with an invalid field value."
IGNORE_HOST = "the origin server MUST ignore the received Host header field (if any) and instead use the host information of the request-target."
ACCEPT_ABSOLUTE = "A server MUST accept the absolute-form in requests even though most HTTP/1.1 clients will only send the absolute-form to a proxy."


def line(id: str, octets: bytes, section: str = LINE, *statuses: int) -> Probe:
    return refused(id, section, get(line=octets), *statuses, level="SHOULD", sentence=INVALID)


def host(id: str, value: bytes) -> Probe:
    return refused("host-" + id, TARGET, get(host=value), sentence=HOST)


def good_host(id: str, value: bytes) -> Probe:
    return accepted("host-" + id, TARGET, get(host=value))


PROBES: list[Probe] = [
    line("two-spaces-behind-method", b"GET  /get HTTP/1.1"),
    line("two-spaces-behind-target", b"GET /get  HTTP/1.1"),
    line("space-behind-version", b"GET /get HTTP/1.1 "),
    line("tab-behind-version", b"GET /get HTTP/1.1\t"),
    line("tab-behind-method", b"GET\t/get HTTP/1.1"),
    line("tab-behind-target", b"GET /get\tHTTP/1.1"),
    line("vt-behind-method", b"GET\x0b/get HTTP/1.1"),
    line("ff-behind-target", b"GET /get\x0cHTTP/1.1"),
    line("no-target", b"GET HTTP/1.1"),
    line("empty-target", b"GET  HTTP/1.1"),
    line("no-method", b"/get HTTP/1.1"),
    line("four-words", b"GET /get HTTP/1.1 HTTP/1.1"),
    line("space-in-target", b"GET /g et HTTP/1.1"),
    line("nbsp-behind-method", b"GET\xa0/get HTTP/1.1"),
    # --- the method
    line("method-with-parenthesis", b"G(T /get HTTP/1.1", METHOD),
    line("method-with-colon", b"GET: /get HTTP/1.1", METHOD),
    line("method-with-at", b"G@T /get HTTP/1.1", METHOD),
    line("method-with-slash", b"GET/ /get HTTP/1.1", METHOD),
    line("method-in-quotes", b'"GET" /get HTTP/1.1', METHOD),
    line("method-with-comma", b"GET, /get HTTP/1.1", METHOD),
    line("method-with-nul", b"G\0T /get HTTP/1.1", METHOD),
    line("method-with-del", b"G\x7fT /get HTTP/1.1", METHOD),
    line("method-beyond-ascii", b"G\xc9T /get HTTP/1.1", METHOD),
    line("method-with-control", b"G\x01T /get HTTP/1.1", METHOD),
    Probe(id="method-lower-case", section=METHOD, sends=get(line=b"get /get HTTP/1.1"), statuses=(501,), stays=True,
          sentence="The request method is case-sensitive."),
    Probe(id="method-unknown", section="RFC 9110 §9.1", sends=get(line=b"BREW /get HTTP/1.1"), statuses=(405, 501), stays=True, level="SHOULD"),
    Probe(id="method-unknown-elsewhere", section="RFC 9110 §9.1", sends=get(line=b"BREW /none HTTP/1.1"), statuses=(501,), stays=True, level="SHOULD"),
    Probe(id="method-odd-token", section=METHOD, sends=get(line=b"!#$%&'*+-.^_`|~ /get HTTP/1.1"), statuses=(405, 501), stays=True),
    Probe(id="method-of-1000", section=METHOD, sends=get(line=b"G" * 1000 + b" /get HTTP/1.1"), statuses=(405, 501), stays=True, level="SHOULD",
          sentence="A server that receives a method longer than any that it implements SHOULD respond with a 501 (Not Implemented) status code."),
    # --- origin-form
    accepted("origin-form", ORIGIN, get(line=b"GET /get?a=b&c HTTP/1.1")),
    accepted("query-empty", ORIGIN, get(line=b"GET /get? HTTP/1.1")),
    accepted("query-of-odd-octets", ORIGIN, get(line=b"GET /get?\"<>\\^`{|} HTTP/1.1"), level="ours"),
    accepted("query-with-url", ORIGIN, get(line=b"GET /get?http://a/b HTTP/1.1")),
    line("fragment", b"GET /get#a HTTP/1.1", ORIGIN),
    line("fragment-in-query", b"GET /get?a#b HTTP/1.1", ORIGIN),
    line("target-beyond-ascii", "GET /é HTTP/1.1".encode(), ORIGIN),
    line("target-latin-1", b"GET /\xe9 HTTP/1.1", ORIGIN),
    line("target-with-nul", b"GET /g\0et HTTP/1.1", ORIGIN),
    line("target-with-control", b"GET /g\x01et HTTP/1.1", ORIGIN),
    line("target-with-del", b"GET /g\x7fet HTTP/1.1", ORIGIN),
    line("target-without-slash", b"GET get HTTP/1.1", ORIGIN),
    line("target-of-dots", b"GET ../get HTTP/1.1", ORIGIN),
    line("target-query-alone", b"GET ?a HTTP/1.1", ORIGIN),
    line("target-backslash", b"GET \\get HTTP/1.1", ORIGIN),
    # --- absolute-form
    accepted("absolute-form", ABSOLUTE, get(line=b"GET http://h/get HTTP/1.1"), sentence=ACCEPT_ABSOLUTE),
    accepted("absolute-form-port", ABSOLUTE, get(line=b"GET http://h:80/get HTTP/1.1"), sentence=ACCEPT_ABSOLUTE),
    accepted("absolute-form-upper-case", ABSOLUTE, get(line=b"GET HTTP://H/get HTTP/1.1"), sentence=ACCEPT_ABSOLUTE),
    accepted("absolute-form-outweighs-host", ABSOLUTE, get(line=b"GET http://other:81/url HTTP/1.1"), says=b"//other:81/url", sentence=IGNORE_HOST),
    Probe(id="absolute-form-without-path", section=ABSOLUTE, sends=get(line=b"GET http://h HTTP/1.1"), statuses=(404,), stays=True),
    Probe(id="absolute-form-query-alone", section=ABSOLUTE, sends=get(line=b"GET http://h?a HTTP/1.1"), statuses=(404,), stays=True),
    refused("absolute-form-without-host", ABSOLUTE, get(line=b"GET http://h/get HTTP/1.1", host=None), sentence=HOST),
    refused("absolute-form-beside-bad-host", ABSOLUTE, get(line=b"GET http://h/get HTTP/1.1", host=b"h:x"), sentence=HOST),
    line("absolute-form-empty-host", b"GET http:///get HTTP/1.1", ABSOLUTE),
    line("absolute-form-userinfo", b"GET http://user@h/get HTTP/1.1", ABSOLUTE),
    line("absolute-form-bad-port", b"GET http://h:x/get HTTP/1.1", ABSOLUTE),
    line("absolute-form-port-too-large", b"GET http://h:65536/get HTTP/1.1", ABSOLUTE),
    line("absolute-form-fragment", b"GET http://h/get#a HTTP/1.1", ABSOLUTE),
    line("absolute-form-without-slashes", b"GET http:h/get HTTP/1.1", ABSOLUTE),
    line("absolute-form-without-scheme", b"GET ://h/get HTTP/1.1", ABSOLUTE),
    line("absolute-form-bracket-open", b"GET http://[::1/get HTTP/1.1", ABSOLUTE),
    # --- authority-form
    line("authority-form-for-get", b"GET h:80 HTTP/1.1", AUTHORITY),
    line("authority-form-for-options", b"OPTIONS h:80 HTTP/1.1", AUTHORITY),
    line("host-alone-for-get", b"GET h HTTP/1.1", AUTHORITY),
    line("connect-path", b"CONNECT /get HTTP/1.1", AUTHORITY),
    line("connect-asterisk", b"CONNECT * HTTP/1.1", AUTHORITY),
    line("connect-uri", b"CONNECT http://h:80/ HTTP/1.1", AUTHORITY),
    line("connect-without-port", b"CONNECT h HTTP/1.1", AUTHORITY),
    line("connect-empty-port", b"CONNECT h: HTTP/1.1", AUTHORITY),
    line("connect-bad-port", b"CONNECT h:99999 HTTP/1.1", AUTHORITY),
    line("connect-without-host", b"CONNECT :80 HTTP/1.1", AUTHORITY),
    line("connect-userinfo", b"CONNECT u@h:80 HTTP/1.1", AUTHORITY),
    refused("connect", AUTHORITY, get(line=b"CONNECT h:443 HTTP/1.1", host=b"h:443"), 501, 405, level="ours"),
    refused("connect-and-a-request", AUTHORITY, get(line=b"CONNECT h:443 HTTP/1.1") + get(line=b"GET /smuggled HTTP/1.1"), 501, 405, level="ours"),
    # --- asterisk-form
    Probe(id="options-asterisk", section=ASTERISK, sends=get(line=b"OPTIONS * HTTP/1.1"), statuses=(200, 204), stays=True),
    Probe(id="options-path", section="RFC 9110 §9.3.7", sends=get(line=b"OPTIONS /get HTTP/1.1"), statuses=(200, 204), stays=True),
    Probe(id="options-none", section="RFC 9110 §9.3.7", sends=get(line=b"OPTIONS /none HTTP/1.1"), statuses=(404,), stays=True),
    line("asterisk-for-get", b"GET * HTTP/1.1", ASTERISK),
    line("asterisk-for-post", b"POST * HTTP/1.1", ASTERISK),
    line("asterisk-twice", b"OPTIONS ** HTTP/1.1", ASTERISK),
    line("asterisk-and-query", b"OPTIONS *?a HTTP/1.1", ASTERISK),
    # --- limits
    accepted("target-of-8000", LINE, get(line=b"GET /get?" + b"a" * 7980 + b" HTTP/1.1"), level="SHOULD"),
    refused("target-too-long", LINE, get(line=b"GET /" + b"a" * 70_000 + b" HTTP/1.1"), 414, sentence=TOO_LONG),
    refused("target-without-end", LINE, b"GET /" + b"a" * 70_000, 414, sentence=TOO_LONG),
    refused("query-too-long", LINE, get(line=b"GET /get?" + b"a" * 70_000 + b" HTTP/1.1"), 414, sentence=TOO_LONG),
    # --- Host
    refused("no-host", TARGET, get(host=None), sentence=HOST),
    refused("no-host-in-1.2", TARGET, get(line=b"GET /get HTTP/1.2", host=None), sentence=HOST),
    refused("two-hosts", TARGET, get(b"Host: h"), sentence=HOST),
    refused("two-hosts-that-differ", TARGET, get(b"Host: other"), sentence=HOST),
    refused("two-hosts-in-other-case", TARGET, get(b"HOST: h"), sentence=HOST),
    refused("two-hosts-in-1.0", TARGET, get(b"Host: h", line=b"GET /get HTTP/1.0"), sentence=HOST),
    Probe(id="no-host-in-1.0", section=TARGET, sends=get(line=b"GET /get HTTP/1.0", host=None), statuses=(200,)),
    refused("bad-host-in-1.0", TARGET, get(line=b"GET /get HTTP/1.0", host=b"h?x"), sentence=HOST),
    host("with-user", b"user@h"),
    host("with-user-and-password", b"u:p@h"),
    host("with-named-port", b"h:http"),
    host("with-signed-port", b"h:+80"),
    host("with-negative-port", b"h:-80"),
    host("with-port-too-large", b"h:65536"),
    host("with-port-of-six-digits", b"h:000080"),
    host("with-two-ports", b"h:80:80"),
    host("with-bracket-open", b"[::1"),
    host("with-bracket-shut", b"::1]"),
    host("of-bare-ipv6", b"::1"),
    host("of-bad-ipv6", b"[::g]"),
    host("of-ipv6-and-rest", b"[::1]x"),
    host("with-query", b"h?x"),
    host("with-path", b"h/x"),
    host("with-backslash", b"h\\x"),
    host("of-fragments", b"###"),
    host("of-a-uri", b"http://h"),
    host("with-space", b"h x"),
    host("with-tab", b"h\tx"),
    host("list", b"h, i"),
    host("with-bad-percent", b"h%zz"),
    host("beyond-ascii", b"h\xe9"),
    host("with-nul", b"h\0"),
    host("with-vt", b"h\x0b"),
    host("in-angles", b"<h>"),
    host("in-quotes", b'"h"'),
    good_host("empty", b""),
    good_host("with-port", b"h:8000"),
    good_host("with-empty-port", b"h:"),
    good_host("ipv4", b"127.0.0.1:80"),
    good_host("ipv6", b"[::1]:80"),
    good_host("with-dot", b"h.example."),
    good_host("encoded", b"h%41"),
    good_host("between-blanks", b" \th \t"),
    accepted("host-without-blank", TARGET, b"GET /get HTTP/1.1\r\nhost:h\r\n\r\n"),
    accepted("host-last", TARGET, b"GET /get HTTP/1.1\r\nA: 1\r\nHOST: h\r\n\r\n", level="SHOULD"),
]  # fmt: skip
