"""HarWriter: a trace as an HTTP Archive 1.2."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from wptproto.errors import ConfigError
from wptproto.semantics.fields import FieldLine
from wptproto.trace import events as seen
from wptproto.trace.events import Origin, TraceEvent
from wptproto.trace.har import HarWriter

BEGAN = 1_700_000_000.0
OPENED = seen.ConnectionOpened(Origin(1, BEGAN), ("127.0.0.1", 50000), ("127.0.0.1", 8443), True)
REQUEST = (
    (b":method", b"GET"),
    (b":scheme", b"https"),
    (b":authority", b"a.localhost"),
    (b":path", b"/p?q=1&r="),
)
END_STREAM, END_HEADERS = 0x1, 0x4


def at(ms: float, connection: int = 1) -> Origin:
    return Origin(connection, BEGAN + ms / 1000)


def frame(
    ms: float,
    name: str,
    sent: bool,
    payload: bytes = b"",
    *,
    stream_id: int = 1,
    flags: int = 0,
    fields: tuple[FieldLine, ...] | None = None,
    details: tuple[tuple[str, int | str | bytes | bool], ...] = (),
) -> seen.FrameSeen:
    kind = {"DATA": 0, "HEADERS": 1, "RST_STREAM": 3, "PUSH_PROMISE": 5, "CONTINUATION": 9}.get(name, 0x42)
    return seen.FrameSeen(at(ms), sent, name, kind, flags, (), stream_id, payload, details, fields, None)


def headers(
    ms: float, sent: bool, *fields: FieldLine, end: bool = False, stream_id: int = 1
) -> seen.FrameSeen:
    flags = END_HEADERS | (END_STREAM if end else 0)
    return frame(ms, "HEADERS", sent, b"12345678", flags=flags, fields=fields, stream_id=stream_id)


def data(ms: float, sent: bool, octets: bytes, *, end: bool = False) -> seen.FrameSeen:
    return frame(ms, "DATA", sent, octets, flags=END_STREAM if end else 0)


def head(ms: float, sent: bool, line: bytes, *fields: FieldLine, exchange: int = 1) -> seen.H1HeadSeen:
    return seen.H1HeadSeen(at(ms), sent, exchange, line, fields)


def content(ms: float, sent: bool, octets: bytes, exchange: int = 1) -> seen.ContentSeen:
    return seen.ContentSeen(at(ms), sent, exchange, octets)


def entries(*events: TraceEvent, close: bool = True, **options: Any) -> list[dict[str, Any]]:
    """Return the entries of an archive, which is as the specification wants it."""
    file = io.StringIO()
    writer = HarWriter(file, **options)
    for event in events:
        writer(event)
    if close:
        writer.close()
    archive = json.loads(file.getvalue() + ("" if close else "]}}"))
    assert set(archive) == {"log"}
    assert archive["log"]["version"] == "1.2"
    assert set(archive["log"]["creator"]) == {"name", "version"}
    for entry in archive["log"]["entries"]:
        check_entry(entry)
    found: list[dict[str, Any]] = archive["log"]["entries"]
    return found


# --- the specification -------------------------------------------------------------------------

PAIR = {"name": str, "value": str}
COOKIE = {**PAIR, "path?": str, "domain?": str, "expires?": str, "httpOnly?": bool, "secure?": bool}
POST_DATA = {"mimeType": str, "params": [PAIR], "text": str, "comment?": str}
MESSAGE = {"httpVersion": str, "cookies": [COOKIE], "headers": [PAIR], "headersSize": int, "bodySize": int}
ENTRY = {
    "startedDateTime": str,
    "time": float,
    "request": {**MESSAGE, "method": str, "url": str, "queryString": [PAIR], "postData?": POST_DATA},
    "response": {
        **MESSAGE,
        "status": int,
        "statusText": str,
        "content": {"size": int, "mimeType": str, "text?": str, "encoding?": str, "comment?": str},
        "redirectURL": str,
    },
    "cache": {},
    "timings": dict.fromkeys(("blocked", "dns", "connect", "ssl", "send", "wait", "receive"), float),
    "serverIPAddress": str,
    "connection": str,
    "comment?": str,
}


def check(value: Any, wanted: Any) -> None:
    """See that a value is of a shape; names with an underscore before them are free."""
    if isinstance(wanted, dict):
        assert isinstance(value, dict)
        must = {name for name in wanted if not name.endswith("?")}
        may = {name.removesuffix("?") for name in wanted}
        there = {name for name in value if not name.startswith("_")}
        assert must <= there <= may
        for name, shape in wanted.items():
            if name.removesuffix("?") in value:
                check(value[name.removesuffix("?")], shape)
    elif isinstance(wanted, list):
        assert isinstance(value, list)
        for one in value:
            check(one, wanted[0])
    else:
        assert isinstance(value, int | float if wanted is float else wanted)


def check_entry(entry: dict[str, Any]) -> None:
    """See that an entry has all that it has to have, and times that sum up."""
    check(entry, ENTRY)
    assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo is not None
    timings = entry["timings"].values()
    assert all(value >= 0 or value == -1 for value in timings)
    assert entry["time"] == pytest.approx(sum(value for value in timings if value >= 0))


# --- HTTP/2 ------------------------------------------------------------------------------------


def test_an_exchange_of_http2() -> None:
    """Head, query, content, and how long each part took."""
    (entry,) = entries(
        OPENED,
        headers(1, False, *REQUEST, (b"content-type", b"text/plain")),
        data(3, False, b"ask", end=True),
        headers(6, True, (b":status", b"103"), (b"link", b"x")),
        headers(7, True, (b":status", b"404"), (b"content-type", b"text/html")),
        data(9, True, b"an", end=False),
        data(11, True, b"swer", end=True),
        close=False,
    )
    assert entry["startedDateTime"] == "2023-11-14T22:13:20.001+00:00"
    request, response = entry["request"], entry["response"]
    assert (request["method"], request["httpVersion"]) == ("GET", "HTTP/2")
    assert request["url"] == "https://a.localhost/p?q=1&r="
    assert request["queryString"] == [{"name": "q", "value": "1"}, {"name": "r", "value": ""}]
    assert request["headers"] == [{"name": "content-type", "value": "text/plain"}]
    assert request["postData"] == {"mimeType": "text/plain", "params": [], "text": "ask"}
    assert (request["headersSize"], request["bodySize"]) == (17, 3)
    assert (response["status"], response["bodySize"]) == (404, 6)
    assert response["content"] == {"size": 6, "mimeType": "text/html", "text": "answer"}
    timings = entry["timings"]
    assert (timings["send"], timings["wait"], timings["receive"]) == pytest.approx((2.0, 4.0, 4.0))
    assert (timings["connect"], entry["connection"], entry["serverIPAddress"]) == (-1, "1", "127.0.0.1")
    assert "comment" not in entry


def test_a_field_block_may_go_on() -> None:
    """END_STREAM stands at its beginning, its fields behind its end (RFC 9113 §6.10)."""
    (entry,) = entries(
        OPENED,
        frame(1, "HEADERS", False, b"1234", flags=END_STREAM),
        frame(1, "CONTINUATION", False, b"5678", flags=END_HEADERS, fields=REQUEST),
        headers(2, True, (b":status", b"204"), end=True),
        close=False,
    )
    assert entry["request"]["headersSize"] == 26


def test_trailers_are_beside_headers() -> None:
    """The specification has no place for them."""
    (entry,) = entries(
        OPENED,
        headers(1, False, *REQUEST, end=True),
        headers(2, True, (b":status", b"200")),
        data(2, True, b"x"),
        headers(3, True, (b"digest", b"y"), end=True),
    )
    assert entry["response"]["_trailers"] == [{"name": "digest", "value": "y"}]
    assert "comment" not in entry


def test_a_reset_is_said() -> None:
    """With its code, and who did it; no response has status 0."""
    reset = frame(2, "RST_STREAM", False, details=(("error_code", "CANCEL"),))
    (entry,) = entries(OPENED, headers(1, False, *REQUEST), reset, data(3, True, b"late"), close=False)
    assert (entry["response"]["status"], entry["response"]["bodySize"]) == (0, -1)
    assert entry["comment"] == "reset by the client: CANCEL"


def test_why_a_response_is_not_whole() -> None:
    """The server's words come first."""
    reset = frame(2, "RST_STREAM", True, details=(("error_code", "INTERNAL_ERROR"),))
    ended = seen.ExchangeEnded(at(2), 1, "its handler failed")
    (entry,) = entries(OPENED, headers(1, False, *REQUEST), ended, reset)
    assert entry["comment"] == "its handler failed"
    assert entries(OPENED, ended, seen.ExchangeEnded(at(2), 1, "")) == []


def test_padding_is_no_content() -> None:
    """Of a DATA frame, what its padding leaves."""
    padded = frame(2, "DATA", False, b"\2abc\0\0", flags=0x9)
    wrong = frame(2, "DATA", False, b"\xffabc", flags=0x8)
    response = headers(3, True, (b":status", b"200"), end=True)
    (entry,) = entries(OPENED, headers(1, False, *REQUEST), wrong, padded, response)
    assert entry["request"]["postData"]["text"] == "abc"


def test_a_promise_is_a_request() -> None:
    """Of the promised stream, and whole as it is made."""
    promise = frame(
        2,
        "PUSH_PROMISE",
        True,
        flags=END_HEADERS,
        fields=(*REQUEST[:3], (b":path", b"/pushed")),
        details=(("promised_stream_id", 2),),
    )
    pushed = headers(3, True, (b":status", b"200"), end=True, stream_id=2)
    (entry,) = entries(OPENED, headers(1, False, *REQUEST, end=True), promise, pushed, close=False)
    assert (entry["request"]["url"], entry["_promised"]) == ("https://a.localhost/pushed", True)
    assert entry["timings"]["send"] == 0


def test_frames_that_are_of_no_exchange_are_left_out() -> None:
    """Nor is there an entry for a response that nobody asked for, or a connection that began before."""
    response = headers(3, True, (b":status", b"200"), end=True)
    assert entries(OPENED, response, data(1, True, b"x"), frame(1, "SETTINGS", True, stream_id=0)) == []
    assert entries(headers(1, False, *REQUEST, end=True), response, head(1, False, b"GET / HTTP/1.1")) == []
    assert entries(OPENED, content(1, True, b"x"), seen.H1TrailersSeen(at(1), True, 1, ())) == []
    assert entries(OPENED, head(1, True, b"HTTP/1.1 200 OK")) == []


# --- HTTP/1.1 ----------------------------------------------------------------------------------


def test_an_exchange_of_http1() -> None:
    """By Content-Length it is known when it is over."""
    (entry,) = entries(
        OPENED._replace(is_tls=False),
        head(1, False, b"POST /p HTTP/1.1", (b"Host", b"a:1"), (b"Content-Length", b"3")),
        content(2, False, b"abc"),
        head(3, True, b"HTTP/1.1 100 Continue"),
        head(4, True, b"HTTP/1.1 302 Not Here", (b"Location", b"/q"), (b"Content-Length", b"2")),
        content(5, True, b"\xff\0"),
        close=False,
    )
    request, response = entry["request"], entry["response"]
    assert request["url"] == "http://a:1/p"
    assert request["headersSize"] == len(b"POST /p HTTP/1.1\r\nHost: a:1\r\nContent-Length: 3\r\n\r\n")
    assert (response["status"], response["statusText"], response["redirectURL"]) == (302, "Not Here", "/q")
    assert response["httpVersion"] == "HTTP/1.1"
    assert response["content"]["encoding"] == "base64"
    assert b64decode(response["content"]["text"]) == b"\xff\0"


def test_chunked_content_ends_with_its_trailers() -> None:
    """Both ways (RFC 9112 §7.1)."""
    chunked = (b"Transfer-Encoding", b"chunked")
    (entry,) = entries(
        OPENED,
        head(1, False, b"POST / HTTP/1.1", chunked),
        content(2, False, b"\xff"),
        seen.H1TrailersSeen(at(3), False, 1, ((b"A", b"b"),)),
        head(4, True, b"HTTP/1.1 200 OK", chunked),
        seen.H1TrailersSeen(at(5), True, 1, ()),
        close=False,
    )
    assert entry["request"]["_trailers"] == [{"name": "A", "value": "b"}]
    assert entry["request"]["postData"]["_encoding"] == "base64"
    assert entry["request"]["url"] == "https://127.0.0.1:8443/"


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", b"200 OK"), (b"GET", b"304 Not Modified")])
def test_what_has_no_content_is_over_with_its_head(method: bytes, status: bytes) -> None:
    """Whatever Content-Length says (RFC 9112 §6.3)."""
    response = head(2, True, b"HTTP/1.1 " + status, (b"Content-Length", b"5"))
    assert entries(OPENED, head(1, False, method + b" / HTTP/1.1"), response, close=False)


def test_content_to_the_end_of_the_connection() -> None:
    """Nobody knows whether there was to be more."""
    events = (
        OPENED,
        head(1, False, b"GET / HTTP/1.1"),
        head(2, True, b"HTTP/1.1 200 OK"),
        content(3, True, b"abc"),
    )
    assert entries(*events, close=False) == []
    (entry,) = entries(*events, seen.ConnectionClosed(at(4), "closed"), close=False)
    assert entry["response"]["content"]["text"] == "abc"
    assert entry["comment"] == "it was not whole when the connection ended"


def test_another_response_ends_the_one_before() -> None:
    """Requests may be there before (RFC 9112 §9.3.2); entries of other connections go on."""
    found = entries(
        OPENED,
        seen.ConnectionOpened(at(0, 2), ("127.0.0.1", 50001), ("127.0.0.1", 8443), False),
        seen.H1HeadSeen(at(1, 2), False, 1, b"GET /other HTTP/1.1", ()),
        head(1, False, b"GET /1 HTTP/1.1"),
        head(1, False, b"GET /2 HTTP/1.1", exchange=2),
        head(2, True, b"HTTP/1.1 200 OK"),
        head(3, True, b"HTTP/1.1 204 No Content", exchange=2),
        seen.ConnectionClosed(at(4), "closed"),
    )
    assert [one["request"]["url"].rpartition("/")[2] for one in found] == ["1", "2", "other"]


@pytest.mark.parametrize(
    ("line", "url"),
    [
        (b"GET http://b.localhost/x HTTP/1.1", "http://b.localhost/x"),
        (b"OPTIONS * HTTP/1.1", "https://a"),
    ],
)
def test_forms_of_targets(line: bytes, url: str) -> None:
    """The URL is absolute, whatever the form of the target (RFC 9112 §3.2)."""
    (entry,) = entries(OPENED, head(1, False, line, (b"Host", b"a")))
    assert entry["request"]["url"] == url


def test_who_names_no_host_means_this_address() -> None:
    """Also that of IPv6."""
    opened = OPENED._replace(server=("::1", 8443))
    (entry,) = entries(opened, head(1, False, b"GET / HTTP/1.0"))
    assert entry["request"]["url"] == "https://[::1]:8443/"


def test_a_status_that_is_none_is_0() -> None:
    """There is an entry all the same."""
    (entry,) = entries(OPENED, head(1, False, b"GET / HTTP/1.1"), head(2, True, b"HTTP/1.1 2x0 OK"))
    assert entry["response"]["status"] == 0


# --- fields and content ------------------------------------------------------------------------


def test_an_interim_head_of_http1_changes_nothing() -> None:
    """The response is the one that comes behind it; so is a part of content behind a reset nobody's."""
    request = head(1, False, b"GET / HTTP/1.1")
    assert entries(OPENED, request, head(2, True, b"HTTP/1.1 103 Early Hints"), close=False) == []
    assert entries(OPENED, headers(1, False, *REQUEST), frame(2, "0x42", False), close=False) == []


def test_cookies_of_both_sides() -> None:
    """With the attributes that the specification has a name for (RFC 6265 §5.2)."""
    (entry,) = entries(
        OPENED,
        head(1, False, b"GET / HTTP/1.1", (b"Cookie", b"a=1; b=x=y")),
        head(
            2,
            True,
            b"HTTP/1.1 204 No Content",
            (
                b"Set-Cookie",
                b"c=3; PATH=/; Domain=a; HttpOnly; Secure; Expires=Wed, 09 Jun 2027 10:18:14 GMT",
            ),
            (b"Set-Cookie", b"d=4; Expires=never"),
        ),
    )
    assert entry["request"]["cookies"] == [{"name": "a", "value": "1"}, {"name": "b", "value": "x=y"}]
    assert entry["response"]["cookies"] == [
        {
            "name": "c",
            "value": "3",
            "httpOnly": True,
            "secure": True,
            "path": "/",
            "domain": "a",
            "expires": "2027-06-09T10:18:14+00:00",
        },
        {"name": "d", "value": "4", "httpOnly": False, "secure": False},
    ]


def test_long_content_is_kept_in_part() -> None:
    """How long it was is said."""
    (entry,) = entries(
        OPENED,
        headers(1, False, *REQUEST, end=True),
        headers(2, True, (b":status", b"200")),
        data(3, True, b"abcdef"),
        data(4, True, b"ghi", end=True),
        content_octets=4,
    )
    found = entry["response"]["content"]
    assert (found["size"], found["text"], found["comment"]) == (9, "abcd", "the first 4 of 9 octets")


def test_an_early_response_waits_for_nothing() -> None:
    """Where the answer is there before all of the question, no time is below zero."""
    (entry,) = entries(
        OPENED,
        headers(1, False, *REQUEST),
        headers(2, True, (b":status", b"200"), end=True),
        data(9, False, b"x", end=True),
        close=False,
    )
    assert entry["timings"]["wait"] == 0


def test_an_archive_without_entries_is_one() -> None:
    """It is whole JSON."""
    assert entries() == []


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error is the caller's."""
    with pytest.raises(ConfigError, match="cannot be written"):
        HarWriter(tmp_path / "none" / "x.har")
