"""Entries of HAR 1.2: an exchange as the format has it."""

from __future__ import annotations

import zlib
from base64 import b64encode
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from wptproto.semantics.cookies import parse_cookies
from wptproto.semantics.forms import urlencoded_pairs
from wptproto.trace.messages import CONTENT_OCTETS, Message, SeenExchange

__all__ = ["entry_of"]

Json = dict[str, Any]

_UNKNOWN = -1
_FORM = "application/x-www-form-urlencoded"


def entry_of(exchange: SeenExchange) -> Json:
    """Return the entry of an exchange."""
    remarks = list(exchange.remarks)
    request, response = _request(exchange, remarks), _response(exchange, remarks)
    timings = _timings(exchange)
    entry: Json = {
        "startedDateTime": _time(exchange.began_s),
        "time": round(sum(time for time in timings.values() if time != _UNKNOWN), 3),
        "request": request,
        "response": response,
        "cache": {},
        "timings": timings,
        "serverIPAddress": exchange.connection.server[0],
        "connection": str(exchange.connection.number),
    }
    if exchange.outcome:
        entry["_error"] = exchange.outcome
        remarks.append(exchange.outcome)
    if remarks:
        entry["comment"] = "; ".join(remarks)
    return entry


def _request(exchange: SeenExchange, remarks: list[str]) -> Json:
    message = exchange.request
    found: Json = {
        "method": "",
        "url": "",
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "queryString": [],
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN,
    }
    if message is None:
        return found
    method, target, version = _request_line(message)
    cookies = parse_cookies(b"; ".join(message.fields.get_list(b"cookie")))
    found |= {
        "method": method,
        "url": _url(exchange, message, target),
        "httpVersion": version,
        "cookies": [
            {"name": one.key, "value": one.value.decode("latin-1")}
            for name in cookies
            for one in cookies.get_list(name)
        ],
        "queryString": _pairs(target.partition("?")[2].encode("latin-1")),
        **_common(message),
    }
    if message.content_octets:
        found["postData"] = _post_data(message, remarks)
    return found


def _response(exchange: SeenExchange, remarks: list[str]) -> Json:
    message = exchange.response
    found: Json = {
        "status": 0,
        "statusText": "",
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": ""},
        "redirectURL": "",
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN,
    }
    if exchange.informational:
        found["_informational"] = [
            {"status": _status_line(one)[0], "headers": _common(one)["headers"]}
            for one in exchange.informational
        ]
    if message is None:
        return found
    status, reason, version = _status_line(message)
    return found | {
        "status": status,
        "statusText": reason,
        "httpVersion": version,
        "cookies": [_set_cookie(value) for value in message.fields.get_list(b"set-cookie")],
        "content": _content(message, remarks),
        "redirectURL": _text(message.fields.get(b"location") or b""),
        **_common(message),
    }


def _common(message: Message) -> Json:
    """Return what requests and responses both have. How large a head of HTTP/2 was, HPACK alone knows."""
    size = _UNKNOWN
    if message.line is not None:
        size = len(message.line) + 4 + sum(len(name) + len(value) + 4 for name, value in message.fields)
    found: Json = {
        "headers": [{"name": _text(name), "value": _text(value)} for name, value in message.fields],
        "headersSize": size,
        "bodySize": message.content_octets,
    }
    if message.trailers:
        found["_trailers"] = [
            {"name": _text(name), "value": _text(value)} for name, value in message.trailers
        ]
    return found


def _request_line(message: Message) -> tuple[str, str, str]:
    if message.line is None:
        method, path = (_text(message.fields.get(name) or b"") for name in (b":method", b":path"))
        return method, path, "HTTP/2"
    method, _, rest = _text(message.line).partition(" ")
    target, _, version = rest.strip().rpartition(" ")
    return method, target.strip(), version


def _status_line(message: Message) -> tuple[int, str, str]:
    if message.line is None:
        version, status, reason = "HTTP/2", _text(message.fields.get(b":status") or b""), ""
    else:
        version, status, reason = (*_text(message.line).split(" ", 2), "", "")[:3]
    return int(status) if status.isascii() and status.isdigit() else 0, reason, version


def _url(exchange: SeenExchange, message: Message, target: str) -> str:
    fields, connection = message.fields, exchange.connection
    scheme = _text(fields.get(b":scheme") or (b"https" if connection.is_tls else b"http"))
    host, port = connection.server
    ours = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    authority = _text(fields.get(b":authority") or fields.get(b"host") or b"") or ours
    if "://" in target.partition("?")[0]:
        return target  # absolute-form (RFC 9112 §3.2.2)
    return f"{scheme}://{authority}{target if target.startswith('/') else f'/{target}'}"


def _post_data(message: Message, remarks: list[str]) -> Json:
    kind = _text(message.fields.get(b"content-type") or b"")
    text, is_text = _as_text(bytes(message.content), kind)
    found: Json = {"mimeType": kind, "params": [], "text": text}
    if not is_text:
        found["_encoding"] = "base64"
    elif kind.partition(";")[0].strip().lower() == _FORM:
        found["params"] = _pairs(bytes(message.content))
    _remark_length(message, "request", remarks)
    return found


def _content(message: Message, remarks: list[str]) -> Json:
    kind = _text(message.fields.get(b"content-type") or b"")
    octets, size = _decoded(message)
    text, is_text = _as_text(octets, kind)
    found: Json = {"size": size, "mimeType": kind, "text": text}
    if size != message.content_octets:
        found["compression"] = size - message.content_octets
    if not is_text:
        found["encoding"] = "base64"
    _remark_length(message, "response", remarks)
    return found


def _remark_length(message: Message, what: str, remarks: list[str]) -> None:
    if message.content_octets > len(message.content):
        remarks.append(
            f"of {message.content_octets} octets in the {what} the first {CONTENT_OCTETS} are here"
        )


def _decoded(message: Message) -> tuple[bytes, int]:
    """Return content without gzip or deflate, as far as it is kept, and the length of all of it."""
    octets = bytes(message.content)
    coding = (message.fields.get(b"content-encoding") or b"").strip().lower()
    if coding not in (b"gzip", b"x-gzip", b"deflate") or message.content_octets > len(octets):
        return octets, message.content_octets
    try:
        inflated = zlib.decompressobj(zlib.MAX_WBITS | 32)  # it finds out which of the two
        found = inflated.decompress(octets, CONTENT_OCTETS)
    except zlib.error:
        return octets, message.content_octets  # as it is, which may be the point
    return (found, len(found)) if inflated.eof else (octets, message.content_octets)


def _as_text(octets: bytes, kind: str) -> tuple[str, bool]:
    """Return octets as text, and whether they are; in base64 if not."""
    charset = kind.lower().partition("charset=")[2].partition(";")[0].strip('" ') or "utf-8"
    try:
        return octets.decode(charset), True
    except (LookupError, ValueError):
        return b64encode(octets).decode("ascii"), False


def _set_cookie(value: bytes) -> Json:
    pair, *attributes = _text(value).split(";")
    name, _, content = pair.partition("=")
    found: Json = {"name": name.strip(), "value": content.strip(), "httpOnly": False, "secure": False}
    for attribute in attributes:
        key, _, given = (part.strip() for part in attribute.partition("="))
        match key.lower():
            case "httponly":
                found["httpOnly"] = True
            case "secure":
                found["secure"] = True
            case "path" | "domain" as known:
                found[known] = given
            case "expires":
                try:
                    found["expires"] = parsedate_to_datetime(given).isoformat()
                except ValueError:
                    found["comment"] = f"Expires is no date: {given}"
    return found


def _timings(exchange: SeenExchange) -> dict[str, float]:
    """Return milliseconds, as a server can know them; a client's waiting for a connection is its own."""
    request, response, began_s = exchange.request, exchange.response, exchange.began_s
    sent_s = began_s if request is None else request.ended_s
    head_s = sent_s if response is None else response.began_s
    sent_s = min(sent_s, head_s)  # a response may come before the request's end
    ended_s = head_s if response is None else response.ended_s
    unknown = dict.fromkeys(("blocked", "dns", "connect", "ssl"), _UNKNOWN)
    known = {"send": sent_s - began_s, "wait": head_s - sent_s, "receive": ended_s - head_s}
    return {**unknown, **{name: round(max(0.0, took_s) * 1000, 3) for name, took_s in known.items()}}


def _pairs(octets: bytes) -> list[Json]:
    return [
        {"name": name.decode("utf-8", "replace"), "value": value.decode("utf-8", "replace")}
        for name, value in urlencoded_pairs(octets)
    ]


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")


def _text(octets: bytes) -> str:
    return octets.decode("latin-1")
