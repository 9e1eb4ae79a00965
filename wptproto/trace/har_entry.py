"""One exchange as an entry of an HTTP Archive: what is collected of it, and what the archive says of that."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

from wptproto.semantics.fields import FieldLine, Fields
from wptproto.semantics.message import never_has_content
from wptproto.trace.events import ConnectionOpened

__all__ = ["Exchange", "Message", "entry_of"]

_UNKNOWN = -1
_LENGTH = re.compile(rb"[0-9]{1,18}")
_STATUS = re.compile(rb"[0-9]{3}")


class Message:
    """
    A request, or a response, as it comes.

    Attributes:
        fields: Of its head, without pseudo-header fields.
        trailers: Behind its content.
        content: Its beginning, as much as is kept.
        content_octets: How much there was.
        head_octets: Of its head on the wire; -1 as long as there is none.
        began_at: When its head was there, in seconds since 1970; None as long as it is not.
        last_at: When the last of it was there.
        ended_at: When it was whole; None as long as it is not.
        left_octets: How much content is to come; None where that is not known before.
    """

    def __init__(self) -> None:
        self.fields: tuple[FieldLine, ...] = ()
        self.trailers: tuple[FieldLine, ...] = ()
        self.content = bytearray()
        self.content_octets = 0
        self.head_octets = _UNKNOWN
        self.began_at: float | None = None
        self.last_at: float | None = None
        self.ended_at: float | None = None
        self.left_octets: int | None = None

    def begin(self, fields: tuple[FieldLine, ...], octets: int, at_s: float) -> None:
        """Take the head, of so many octets."""
        self.fields = fields
        self.head_octets = octets
        self.began_at = self.last_at = at_s

    def expect(self, *, has_content: bool, ends_by_itself: bool) -> None:
        """
        Find out how much content of HTTP/1.1 is to come (RFC 9112 §6.3).

        Args:
            has_content: Whether there can be any.
            ends_by_itself: Whether there is none where nothing says how much, as in requests; content of a
                response goes on to the end of the connection then.
        """
        fields = Fields(self.fields)
        if not has_content:
            self.left_octets = 0
        elif b"transfer-encoding" not in fields:
            length = fields.get(b"content-length") or b""
            known = _LENGTH.fullmatch(length) is not None
            self.left_octets = int(length) if known else 0 if ends_by_itself else None
        self._end_if_whole()

    def take_content(self, octets: bytes, at_s: float, most: int) -> None:
        """Take content, of which so many octets are kept."""
        self.content += octets[: max(most - len(self.content), 0)]
        self.content_octets += len(octets)
        self.last_at = at_s
        if self.left_octets is not None:
            self.left_octets -= len(octets)
            self._end_if_whole()

    def end(self, trailers: tuple[FieldLine, ...], at_s: float) -> None:
        """Take note that it is whole."""
        self.trailers = trailers
        self.last_at = self.ended_at = at_s

    def _end_if_whole(self) -> None:
        if self.left_octets is not None and self.left_octets <= 0:
            self.ended_at = self.last_at


class Exchange:
    """
    A request and its response.

    Attributes:
        opened: Their connection.
        number: The stream, or the how manieth request.
        version: ``HTTP/1.1`` or ``HTTP/2``.
        method: The request's.
        target: As the request has it.
        authority: Whom it is for.
        scheme: ``http`` or ``https``.
        status: The response's; 0 as long as there is none.
        reason: Its phrase.
        outcome: Why the response will not be whole, in words.
        is_promised: The server has made the request itself (RFC 9113 §8.4).
    """

    def __init__(
        self, opened: ConnectionOpened, number: int, version: str, *, is_promised: bool = False
    ) -> None:
        self.opened = opened
        self.number = number
        self.version = version
        self.is_promised = is_promised
        self.request, self.response = Message(), Message()
        self.method = self.target = self.authority = ""
        self.scheme = "https" if opened.is_tls else "http"
        self.status = 0
        self.reason = ""
        self.outcome = ""

    def side(self, sent: bool) -> Message:
        """Return the message that the server has sent, or the other."""
        return self.response if sent else self.request

    @property
    def is_over(self) -> bool:
        """Whether both messages are whole."""
        return self.request.ended_at is not None and self.response.ended_at is not None

    def take_request_head(self, line: bytes, fields: tuple[FieldLine, ...], octets: int, at_s: float) -> None:
        """Take a request's head in HTTP/1.1."""
        method, _, rest = line.partition(b" ")
        target, _, version = rest.strip().rpartition(b" ")
        self.method, self.target, self.version = _text(method), _text(target.strip()), _text(version)
        self.authority = _text(Fields(fields).get(b"host") or b"")
        self.request.begin(fields, octets, at_s)
        self.request.expect(has_content=True, ends_by_itself=True)

    def take_response_head(
        self, line: bytes, fields: tuple[FieldLine, ...], octets: int, at_s: float
    ) -> None:
        """Take a response's head in HTTP/1.1; nothing, if it is an interim one."""
        _, _, rest = line.partition(b" ")
        status, _, reason = rest.strip().partition(b" ")
        if not self._take_status(status, reason):
            return
        self.response.begin(fields, octets, at_s)
        has_content = not never_has_content(self.method, self.status)
        self.response.expect(has_content=has_content, ends_by_itself=False)

    def take_section(self, sent: bool, fields: tuple[FieldLine, ...], octets: int, at_s: float) -> None:
        """Take a field section of HTTP/2; what is neither a request's nor a response's head is trailers."""
        pseudo = {name: value for name, value in fields if name.startswith(b":")}
        ordinary = tuple(line for line in fields if not line[0].startswith(b":"))
        if sent and b":status" in pseudo:
            if self._take_status(pseudo[b":status"], b""):
                self.response.begin(ordinary, octets, at_s)
        elif not sent and b":method" in pseudo:
            self.method, self.target = _text(pseudo[b":method"]), _text(pseudo.get(b":path", b""))
            self.scheme = _text(pseudo.get(b":scheme", self.scheme.encode()))
            self.authority = _text(pseudo.get(b":authority") or Fields(ordinary).get(b"host") or b"")
            self.request.begin(ordinary, octets, at_s)
        else:
            self.side(sent).trailers = ordinary

    @property
    def url(self) -> str:
        """What was asked for, absolute (RFC 9112 §3.3)."""
        if not self.target.startswith("/"):
            is_absolute = "://" in self.target
            return self.target if is_absolute else f"{self.scheme}://{self.authority}"
        host, port = self.opened.server
        here = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return f"{self.scheme}://{self.authority or here}{self.target}"

    def _take_status(self, status: bytes, reason: bytes) -> bool:
        """Return whether it is the final one, as 101 is, behind which there is no other."""
        number = int(status) if _STATUS.fullmatch(status) else 0
        if 100 <= number < 200 and number != 101:
            return False
        self.status, self.reason = number, _text(reason)
        return True


def entry_of(exchange: Exchange) -> dict[str, Any]:
    """Return what an archive has of an exchange."""
    request, response = exchange.request, exchange.response
    began_at = request.began_at or exchange.opened.origin.at_s
    timings = _timings(request, response)
    entry: dict[str, Any] = {
        "startedDateTime": datetime.fromtimestamp(began_at, UTC).isoformat(timespec="milliseconds"),
        "time": round(sum(value for value in timings.values() if value != _UNKNOWN), 3),
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": timings,
        "serverIPAddress": exchange.opened.server[0],
        "connection": str(exchange.opened.origin.connection),
        "_exchange": exchange.number,
    }
    if exchange.is_promised:
        entry["_promised"] = True
    wrong = exchange.outcome or ("" if exchange.is_over else "it was not whole when the connection ended")
    return {**entry, "comment": wrong} if wrong else entry


def _timings(request: Message, response: Message) -> dict[str, float]:
    """Return how long what took, in milliseconds, as a server sees it, who knows nothing of connecting."""
    began = request.began_at or 0.0
    sent = request.ended_at or request.last_at or began
    answered = response.began_at if response.began_at is not None else sent
    sent = min(sent, answered)  # the answer may be there before all of the question
    ended = max(response.ended_at or response.last_at or answered, answered)
    return {
        "blocked": _UNKNOWN,
        "dns": _UNKNOWN,
        "connect": _UNKNOWN,
        "ssl": _UNKNOWN,
        "send": round((sent - began) * 1000, 3),
        "wait": round((answered - sent) * 1000, 3),
        "receive": round((ended - answered) * 1000, 3),
    }


def _request(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    query = exchange.target.partition("?")[2].partition("#")[0]
    found: dict[str, Any] = {
        "method": exchange.method,
        "url": exchange.url,
        "httpVersion": exchange.version,
        "cookies": _cookies(Fields(request.fields)),
        "headers": _headers(request.fields),
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(query, keep_blank_values=True, errors="backslashreplace")
        ],
        "headersSize": request.head_octets,
        "bodySize": request.content_octets,
    }
    if request.content_octets:
        text, encoding, comment = _content(request)
        found["postData"] = {"mimeType": _mime_type(request), "params": [], "text": text, **comment}
        if encoding:
            found["postData"]["_encoding"] = encoding
    return found | _trailers(request)


def _response(exchange: Exchange) -> dict[str, Any]:
    response = exchange.response
    fields = Fields(response.fields)
    text, encoding, comment = _content(response)
    content: dict[str, Any] = {
        "size": response.content_octets,
        "mimeType": _mime_type(response),
        "text": text,
    }
    if encoding:
        content["encoding"] = encoding
    return {
        "status": exchange.status,
        "statusText": exchange.reason,
        "httpVersion": exchange.version,
        "cookies": _set_cookies(fields),
        "headers": _headers(response.fields),
        "content": content | comment,
        "redirectURL": _text(fields.get(b"location") or b""),
        "headersSize": response.head_octets,
        "bodySize": response.content_octets if response.began_at is not None else _UNKNOWN,
    } | _trailers(response)


def _content(message: Message) -> tuple[str, str, dict[str, str]]:
    """Return what is kept of content, how it is encoded if it is no text, and what is to be said about it."""
    kept = bytes(message.content)
    missing = message.content_octets - len(kept)
    comment = {"comment": f"the first {len(kept)} of {message.content_octets} octets"} if missing else {}
    try:
        return kept.decode("utf-8"), "", comment
    except UnicodeDecodeError:
        return b64encode(kept).decode("ascii"), "base64", comment


def _mime_type(message: Message) -> str:
    return _text(Fields(message.fields).get(b"content-type") or b"application/octet-stream")


def _headers(fields: tuple[FieldLine, ...]) -> list[dict[str, str]]:
    return [{"name": _text(name), "value": _text(value)} for name, value in fields]


def _trailers(message: Message) -> dict[str, Any]:
    return {"_trailers": _headers(message.trailers)} if message.trailers else {}


def _cookies(fields: Fields) -> list[dict[str, Any]]:
    pairs = [pair for value in fields.get_list(b"cookie") for pair in value.split(b";") if pair.strip()]
    return [_pair(pair) for pair in pairs]


def _set_cookies(fields: Fields) -> list[dict[str, Any]]:
    return [_set_cookie(value) for value in fields.get_list(b"set-cookie")]


def _set_cookie(value: bytes) -> dict[str, Any]:
    """Return a cookie with its attributes (RFC 6265 §5.2)."""
    pair, *rest = value.split(b";")
    found: dict[str, Any] = {**_pair(pair), "httpOnly": False, "secure": False}
    attributes: Mapping[str, str] = {one["name"].lower(): one["value"] for one in map(_pair, rest)}
    for name in ("path", "domain"):
        if name in attributes:
            found[name] = attributes[name]
    if (expires := _moment(attributes.get("expires", ""))) is not None:
        found["expires"] = expires
    return found | {"httpOnly": "httponly" in attributes, "secure": "secure" in attributes}


def _moment(text: str) -> str | None:
    """Return a date as ISO 8601 has it; None if it is none."""
    try:
        return parsedate_to_datetime(text).isoformat()
    except (ValueError, TypeError, IndexError):
        return None


def _pair(octets: bytes) -> dict[str, str]:
    name, _, value = octets.partition(b"=")
    return {"name": _text(name.strip()), "value": _text(value.strip())}


def _text(octets: bytes) -> str:
    return octets.decode("latin-1")
