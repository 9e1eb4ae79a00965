"""HAR 1.2: what the format asks for is there, and says what was on the wire."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.trace.making import Wire
from wptproto import ConfigError
from wptproto.trace.events import (
    ContentSeen,
    ExchangeEnded,
    FaultHappened,
    FrameSeen,
    H1HeadSeen,
    H1TrailersSeen,
    HandlerEnded,
    ProtocolChosen,
    Unreadable,
    Violated,
)
from wptproto.trace.har import HarWriter
from wptproto.trace.messages import CONTENT_OCTETS

# http://www.softwareishard.com/blog/har-12-spec/: what has to be there, and of which type it is.
LOG = {"version": str, "creator": dict, "entries": list}
ENTRY = {
    "startedDateTime": str,
    "time": float | int,
    "request": dict,
    "response": dict,
    "cache": dict,
    "timings": dict,
}
REQUEST = {
    "method": str,
    "url": str,
    "httpVersion": str,
    "cookies": list,
    "headers": list,
    "queryString": list,
    "headersSize": int,
    "bodySize": int,
}
RESPONSE = {
    "status": int,
    "statusText": str,
    "httpVersion": str,
    "cookies": list,
    "headers": list,
    "content": dict,
    "redirectURL": str,
    "headersSize": int,
    "bodySize": int,
}
PAIR = {"name": str, "value": str}
LINES = ((b"Host", b"a.test"),)


def check(said: dict[str, Any], members: dict[str, Any]) -> None:
    """Assert that an object has members of these types."""
    for name, kind in members.items():
        assert isinstance(said[name], kind), name


def checked(har: dict[str, Any]) -> list[Any]:
    """Return the entries of a HAR which has all that the format asks for."""
    assert list(har) == ["log"]
    log = har["log"]
    check(log, LOG)
    assert log["version"] == "1.2"
    check(log["creator"], {"name": str, "version": str})
    for entry in log["entries"]:
        check(entry, ENTRY)
        assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo is not None
        check(entry["request"], REQUEST)
        check(entry["response"], RESPONSE)
        for message in (entry["request"], entry["response"]):
            for pair in (*message["cookies"], *message["headers"], *message.get("queryString", ())):
                check(pair, PAIR)
        check(entry["response"]["content"], {"size": int, "mimeType": str})
        if "postData" in entry["request"]:
            check(entry["request"]["postData"], {"mimeType": str, "params": list, "text": str})
        timings = entry["timings"]
        check(timings, dict.fromkeys(("send", "wait", "receive"), float | int))
        assert min(timings["send"], timings["wait"], timings["receive"]) >= 0
        assert entry["time"] == pytest.approx(sum(time for time in timings.values() if time != -1))
    return list(log["entries"])


class Har:
    """A HAR in the making."""

    def __init__(self, **connection: Any) -> None:
        self.file = io.StringIO()
        self.write = HarWriter(self.file)
        self.wire = Wire(self.write, **connection)

    def frame(
        self, sent: bool, name: str, stream: int, payload: bytes = b"", fields: Any = None, **details: Any
    ) -> None:
        flags = 0x8 if "pad_length" in details else 0
        self.wire(FrameSeen, sent, name, 0, flags, (), stream, payload, tuple(details.items()), fields, None)

    def exchange(
        self, request: tuple[tuple[bytes, bytes], ...] = LINES, *response: tuple[bytes, bytes]
    ) -> None:
        self.wire(H1HeadSeen, False, 1, b"POST /a?b=c+d&b=%26 HTTP/1.1", request)
        self.wire(H1HeadSeen, True, 1, b"HTTP/1.1 200 Fine indeed", response)

    def entries(self) -> list[Any]:
        self.write.close()
        return checked(json.loads(self.file.getvalue()))


def test_an_exchange() -> None:
    """Heads, contents, trailers and times of HTTP/1.1 are there."""
    har = Har()
    form = (b"Content-Type", b"application/x-www-form-urlencoded")
    har.wire(H1HeadSeen, False, 1, b"POST /a?b=c+d&b=%26 HTTP/1.1", (*LINES, form, (b"Cookie", b"e=f; g=h")))
    har.wire(ContentSeen, False, 1, b"x=1&y=%C3%BC")
    har.wire(H1HeadSeen, True, 1, b"HTTP/1.1 103 Early Hints", ((b"Link", b"</a>"),))
    har.wire(H1HeadSeen, True, 1, b"HTTP/1.1 200 Fine indeed", ((b"Location", b"/c"),))
    har.wire(ContentSeen, True, 1, b"He")
    har.wire(ContentSeen, True, 1, b"llo")
    har.wire(H1TrailersSeen, True, 1, ((b"Sum", b"1"),))
    (entry,) = har.entries()
    request, response = entry["request"], entry["response"]
    assert (request["method"], request["httpVersion"]) == ("POST", "HTTP/1.1")
    assert request["url"] == "http://a.test/a?b=c+d&b=%26"
    assert request["queryString"] == [{"name": "b", "value": "c d"}, {"name": "b", "value": "&"}]
    assert request["cookies"] == [{"name": "e", "value": "f"}, {"name": "g", "value": "h"}]
    assert request["headers"][0] == {"name": "Host", "value": "a.test"}
    head = b"POST /a?b=c+d&b=%26 HTTP/1.1\r\nHost: a.test\r\nContent-Type: "
    assert request["headersSize"] == len(head) + len(form[1]) + len(b"\r\nCookie: e=f; g=h\r\n\r\n")
    assert request["bodySize"] == 12
    assert request["postData"]["params"] == [{"name": "x", "value": "1"}, {"name": "y", "value": "ü"}]
    assert (response["status"], response["statusText"], response["redirectURL"]) == (200, "Fine indeed", "/c")
    assert response["content"] == {"size": 5, "mimeType": "", "text": "Hello"}
    assert response["_trailers"] == [{"name": "Sum", "value": "1"}]
    assert response["_informational"] == [{"status": 103, "headers": [{"name": "Link", "value": "</a>"}]}]
    assert entry["serverIPAddress"] == "127.0.0.1"
    assert entry["connection"] == "1"
    assert (entry["timings"]["send"], entry["timings"]["wait"], entry["timings"]["receive"]) == (1, 2, 3)
    assert "comment" not in entry


def test_http_2() -> None:
    """Frames of HTTP/2 come to the same, those of a promise included; padding is no content."""
    har = Har(is_tls=True, server=("::1", 443))
    pseudo = ((b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/a"), (b":authority", b"b.test"))
    har.frame(False, "SETTINGS", 0)
    har.frame(False, "HEADERS", 1)
    har.frame(False, "CONTINUATION", 1, fields=pseudo)
    promise = ((b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/pushed"))
    har.frame(True, "PUSH_PROMISE", 1, fields=promise, promised_stream_id=2)
    har.frame(True, "HEADERS", 1, fields=((b":status", b"103"),))
    har.frame(True, "HEADERS", 1, fields=((b":status", b"200"), (b"content-type", b"text/plain")))
    har.frame(True, "DATA", 1, b"\x02Hello\0\0", pad_length=2)
    har.frame(True, "DATA", 1, b" you")
    har.frame(True, "HEADERS", 1, fields=((b"sum", b"1"),))
    har.frame(True, "HEADERS", 2, fields=((b":status", b"204"),))
    har.frame(True, "DATA", 7, b"of nothing")
    har.frame(True, "RST_STREAM", 9, error_code="CANCEL")
    first, pushed, nothing = har.entries()
    assert first["request"]["url"] == "https://b.test/a"
    assert first["request"]["httpVersion"] == first["response"]["httpVersion"] == "HTTP/2"
    assert first["response"]["status"] == 200
    assert first["response"]["content"]["text"] == "Hello you"
    assert first["response"]["headersSize"] == -1
    assert first["response"]["_trailers"] == [{"name": "sum", "value": "1"}]
    assert pushed["request"]["url"] == "https://[::1]:443/pushed"
    assert pushed["response"]["status"] == 204
    assert nothing["request"]["method"] == ""


@pytest.mark.parametrize(
    ("line", "url"),
    [
        (b"GET http://b.test/x HTTP/1.1", "http://b.test/x"),
        (b"OPTIONS * HTTP/1.1", "http://a.test/*"),
        (b"GET /?u=http://c HTTP/1.1", "http://a.test/?u=http://c"),
    ],
)
def test_targets(line: bytes, url: str) -> None:
    """Every form of a target makes a URL."""
    har = Har()
    har.wire(H1HeadSeen, False, 1, line, LINES)
    assert har.entries()[0]["request"]["url"] == url


@pytest.mark.parametrize(
    ("coding", "octets"),
    [(b"gzip", gzip.compress(b"Hello" * 9, mtime=0)), (b"deflate", zlib.compress(b"Hello" * 9))],
)
def test_coded_content(coding: bytes, octets: bytes) -> None:
    """What is compressed is shown as it is meant, with how much that saved."""
    har = Har()
    har.exchange(LINES, (b"Content-Encoding", coding))
    har.wire(ContentSeen, True, 1, octets)
    response = har.entries()[0]["response"]
    assert response["content"]["text"] == "Hello" * 9
    assert (
        response["content"]["size"] - response["content"]["compression"]
        == response["bodySize"]
        == len(octets)
    )


@pytest.mark.parametrize("octets", [b"no gzip", gzip.compress(b"Hello", mtime=0)[:-9]])
def test_coded_content_that_is_none(octets: bytes) -> None:
    """What is not what it says, or not whole, is shown as it is."""
    har = Har()
    har.exchange(LINES, (b"Content-Encoding", b"gzip"))
    har.wire(ContentSeen, True, 1, octets)
    assert har.entries()[0]["response"]["content"]["size"] == len(octets)


def test_content_that_is_no_text() -> None:
    """It is there in base64, whichever way it went, also where its charset is none."""
    har = Har()
    har.exchange((*LINES, (b"Content-Type", b"image/png")), (b"Content-Type", b"text/plain; charset=none"))
    har.wire(ContentSeen, False, 1, b"\xff\x00")
    har.wire(ContentSeen, True, 1, b"x")
    (entry,) = har.entries()
    assert (entry["request"]["postData"]["text"], entry["request"]["postData"]["_encoding"]) == (
        "/wA=",
        "base64",
    )
    assert (entry["response"]["content"]["text"], entry["response"]["content"]["encoding"]) == (
        "eA==",
        "base64",
    )


def test_long_content() -> None:
    """Of long content there is the beginning, and that is said."""
    har = Har()
    har.exchange(LINES, (b"Content-Encoding", b"gzip"))
    for _ in range(3):
        har.wire(ContentSeen, True, 1, b"a" * (CONTENT_OCTETS // 2))
    (entry,) = har.entries()
    assert len(entry["response"]["content"]["text"]) == CONTENT_OCTETS
    assert entry["response"]["content"]["size"] == entry["response"]["bodySize"] == CONTENT_OCTETS * 3 // 2
    assert entry["comment"] == "of 1572864 octets in the response the first 1048576 are here"


def test_cookies_that_are_set() -> None:
    """Attributes that the format knows are there; a date as it has them, or a comment."""
    har = Har()
    cookie = b"a=b=c; Path=/; Domain=d; Secure; HttpOnly; SameSite=Lax; expires=Wed, 21 Oct 2015 07:28:00 GMT"
    har.exchange(LINES, (b"Set-Cookie", cookie), (b"Set-Cookie", b"x=; Expires=never"))
    first, second = har.entries()[0]["response"]["cookies"]
    assert first == {
        "name": "a",
        "value": "b=c",
        "path": "/",
        "domain": "d",
        "secure": True,
        "httpOnly": True,
        "expires": "2015-10-21T07:28:00+00:00",
    }
    assert second["comment"] == "Expires is no date: never"


def test_what_went_wrong() -> None:
    """Exchanges that were cut off say so, and what faults, errors and violations there were."""
    har = Har()
    har.wire(Violated, None, "of nobody")
    har.exchange()
    har.wire(FaultHappened, 1, "truncate() at response content")
    har.wire(Violated, None, "it is late")
    har.wire(HandlerEnded, 1, 0.1, "ValueError: no")
    har.wire(HandlerEnded, 1, 0.1, None)
    har.wire(ExchangeEnded, 1, "")
    har.wire(ExchangeEnded, 1, "cut off")
    har.wire(ExchangeEnded, 5, "of nobody")
    har.wire(H1HeadSeen, False, 2, b"GET / HTTP/1.1", LINES)
    har.wire.closed()
    har.wire.closed()
    cut, none = har.entries()
    said = (
        "on purpose: truncate() at response content; the client's violation: it is late; the handler raised"
    )
    assert cut["comment"] == f"{said} ValueError: no; cut off"
    assert cut["_error"] == "cut off"
    assert none["_error"] == none["comment"] == "the connection was closed before a response"
    assert none["response"]["status"] == 0


def test_streams_that_were_reset() -> None:
    """Over HTTP/2, who reset a stream is said, and why."""
    har = Har()
    for stream, sent in ((1, True), (3, False)):
        har.frame(False, "HEADERS", stream, fields=((b":method", b"GET"), (b":path", b"/")))
        har.frame(sent, "RST_STREAM", stream, error_code="CANCEL")
    assert [entry["_error"] for entry in har.entries()] == [
        "reset by the server: CANCEL",
        "reset by the client: CANCEL",
    ]


def test_what_cannot_be_read() -> None:
    """A request that is none is an entry without one, and has its response."""
    har = Har()
    har.wire(Unreadable, False, b"GET\r\n", "no request line")
    har.wire(H1HeadSeen, True, 1, b"HTTP/1.1 400", ())
    har.wire(H1TrailersSeen, False, 1, ())
    har.wire(Unreadable, False, b"GET\r\n", "none again")
    first, second = har.entries()
    assert first["comment"] == "what the client sent cannot be read: no request line"
    assert (first["request"]["method"], first["response"]["status"]) == ("", 400)
    assert second["comment"] == "what the client sent cannot be read: none again"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (True, (b"Content-Length", b"9")),
        (True, (b"X", b"y")),
        (False, (b"Content-Length", b"9")),
        (False, (b"Transfer-Encoding", b"chunked")),
    ],
)
def test_content_that_was_cut_off(sent: bool, field: tuple[bytes, bytes]) -> None:
    """What is missing of a message is said of its exchange, also if the response was early."""
    har = Har()
    har.exchange((*LINES, field), field)
    har.wire(Unreadable, sent, b"", "the connection ended")
    (entry,) = har.entries()
    assert entry["comment"].endswith("cannot be read: the connection ended")


def test_the_next_request_cannot_be_read() -> None:
    """Behind a whole request there is another one, which may be none."""
    har = Har()
    har.exchange((*LINES, (b"Transfer-Encoding", b"chunked")))
    har.wire(H1TrailersSeen, False, 1, ())
    har.wire(Unreadable, False, b"GET\r\n", "no request line")
    assert len(har.entries()) == 2


def test_octets_that_are_no_http_2() -> None:
    """They are of no exchange."""
    har = Har()
    har.wire(ProtocolChosen, "HTTP/2")
    har.wire(Unreadable, False, b"GET\r\n", "not the preface")
    assert har.entries() == []


def test_an_answer_before_the_end_of_the_request() -> None:
    """An early response does not make times negative."""
    har = Har()
    har.exchange()
    har.wire(ContentSeen, False, 1, b"late")
    assert har.entries()[0]["timings"]["send"] == 1


def test_a_file_is_whole_at_each_flush(tmp_path: Path) -> None:
    """From the beginning on there is a whole HAR; a second close changes nothing."""
    path = tmp_path / "trace.har"
    write = HarWriter(str(path))
    assert checked(json.loads(path.read_text())) == []
    wire = Wire(write)
    wire(H1HeadSeen, False, 1, b"GET / HTTP/1.1", LINES)
    write.flush()
    assert len(checked(json.loads(path.read_text()))) == 1
    write.close()
    path.unlink()
    write.close()
    assert not path.exists()


def test_a_connection_from_before() -> None:
    """What was not there from its beginning is not there at all."""
    har = Har()
    Wire(lambda event: None if "Opened" in type(event).__name__ else har.write(event), number=2).sent(b"x")
    assert har.entries() == []


def test_a_file_that_cannot_be(tmp_path: Path) -> None:
    """A path that cannot be written is said at once."""
    with pytest.raises(ConfigError, match=r"trace\.har cannot be written: No such file"):
        HarWriter(tmp_path / "nowhere" / "trace.har")
