"""
RFC 9110, of answers: rules that hold for whatever the server answers by itself, over each protocol.

They are what the study "Who's Breaking the Rules?" (J. Rautenstrauch, B. Stock, 2024) looks for in responses on the
web, as far as a server decides it and not the author of a page, and some more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from tests.conformance.probe import Level
from tests.helpers.peers import Answer, Kind

__all__ = ["ASKED", "RULES", "AnswerRule", "Asked", "Seen"]

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TOKENS = re.compile(rf"{_TOKEN}(, ?{_TOKEN})*")
_DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)
_ETAG = re.compile(r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_MEDIA_TYPE = re.compile(rf'{_TOKEN}/{_TOKEN}(; ?{_TOKEN}=({_TOKEN}|"[^"]*"))*')
_PRODUCTS = re.compile(rf"{_TOKEN}(/{_TOKEN})?( {_TOKEN}(/{_TOKEN})?)*")
_RANGE = re.compile(r"bytes (\d+-\d+/(\d+|\*)|\*/\d+)")
_REFERENCE = re.compile(r"[-._~:/?#\[\]@!$&'()*+,;=%0-9A-Za-z]+")
_COOKIE = re.compile(rf'{_TOKEN}=("?)[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*\1(; [^;]+)*')
_LISTS = ("allow", "accept-ranges", "vary", "connection", "transfer-encoding", "content-encoding")
_SINGLE = (
    "content-length", "content-type", "content-range", "content-location", "date", "etag", "expires", "age",
    "last-modified", "location", "server", "retry-after", "strict-transport-security", "content-security-policy",
)  # fmt: skip
_SAME_AS_200 = ("cache-control", "content-location", "date", "etag", "expires", "vary")


@dataclass(frozen=True)
class Asked:
    """A request; ``$TAG`` in its fields is the entity-tag that the path has."""

    path: str
    method: str = "GET"
    fields: tuple[tuple[str, str], ...] = ()
    content: bytes | None = None


@dataclass(frozen=True)
class Seen:
    """
    What came.

    Attributes:
        asked: For which request.
        kind: Over which protocol.
        answer: What came for it.
        plain: What comes for a plain GET of the same path.
    """

    asked: Asked
    kind: Kind
    answer: Answer
    plain: Answer

    @property
    def status(self) -> int:
        return self.answer.status

    def get(self, name: str) -> str | None:
        return self.answer.get(name)

    def values(self) -> list[tuple[str, str]]:
        """Return all fields, names in lower case."""
        return [
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in self.answer.fields
        ]

    def matches(self, name: str, pattern: re.Pattern[str]) -> bool:
        """Whether a field is not there, or is of a form."""
        value = self.get(name)
        return value is None or pattern.fullmatch(value) is not None


@dataclass(frozen=True)
class AnswerRule:
    """
    One row.

    Attributes:
        holds: Whether an answer keeps it.
    """

    id: str
    section: str
    sentence: str
    holds: Callable[[Seen], bool]
    level: Level = "MUST"


def is_not_modified_later(seen: Seen) -> bool:
    modified, date = seen.get("last-modified"), seen.get("date")
    return modified is None or (
        date is not None and parsedate_to_datetime(modified) <= parsedate_to_datetime(date)
    )


def length_is_that_of_get(seen: Seen) -> bool:
    """Whether Content-Length of what has no content is the one that GET has."""
    if seen.get("content-length") is None or not (seen.asked.method == "HEAD" or seen.status == 304):
        return True
    return seen.get("content-length") == str(len(seen.plain.content))


def length_is_right(seen: Seen) -> bool:
    length = seen.get("content-length")
    return (
        length is None
        or seen.asked.method == "HEAD"
        or seen.status == 304
        or int(length) == len(seen.answer.content)
    )


def is_ranged(seen: Seen) -> bool:
    """Whether a single part says which it is, and several say so each for itself."""
    several = (seen.get("content-type") or "").startswith("multipart/byteranges")
    return seen.status != 206 or (seen.get("content-range") is None) is several


def has_what_200_has(seen: Seen) -> bool:
    return all(seen.plain.get(name) is None or seen.get(name) is not None for name in _SAME_AS_200)


def head_is_get(seen: Seen) -> bool:
    """Whether HEAD has GET's fields, but for those whose value shows only when there is content."""
    if seen.asked.method != "HEAD" or seen.asked.fields:
        return True
    of_content = ("content-length", "transfer-encoding")
    mine, gets = (
        [name.lower() for name, _ in answer.fields if name.decode().lower() not in of_content]
        for answer in (seen.answer, seen.plain)
    )
    return mine == gets


def cookies_differ(seen: Seen) -> bool:
    names = [value.partition("=")[0] for name, value in seen.values() if name == "set-cookie"]
    return len(set(names)) == len(names)


def attributes_differ(seen: Seen) -> bool:
    for name, value in seen.values():
        if name == "set-cookie":
            attributes = [part.partition("=")[0].strip().lower() for part in value.split(";")[1:]]
            if len(set(attributes)) != len(attributes):
                return False
    return True


def cookie_dates(seen: Seen) -> bool:
    found = (
        re.search(r"; expires=([^;]+)", value, re.IGNORECASE)
        for name, value in seen.values()
        if name == "set-cookie"
    )
    return all(match is None or re.search(r"[- ][0-9]{4} ", match[1]) for match in found)


RULES: list[AnswerRule] = [
    AnswerRule("date", "RFC 9110 §6.6.1", "2xx, 3xx and 4xx responses of a server with a clock have a Date.", lambda s: not 200 <= s.status < 500 or s.get("date") is not None),
    AnswerRule("date-form", "RFC 9110 §5.6.7", "Dates are written as IMF-fixdate.", lambda s: all(s.matches(name, _DATE) for name in ("date", "expires", "last-modified"))),
    AnswerRule("single-fields", "RFC 9110 §5.3", "Fields that are no lists are not repeated.", lambda s: all(len(s.answer.get_all(name)) <= 1 for name in _SINGLE)),
    AnswerRule("names", "RFC 9110 §5.1", "A field's name is a token.", lambda s: all(re.fullmatch(_TOKEN, name) for name, _ in s.values())),
    AnswerRule("values", "RFC 9110 §5.5", "A field's value has no CR, LF or NUL.", lambda s: not any(re.search("[\r\n\0]", value) for _, value in s.values())),
    AnswerRule("lists", "RFC 9110 §5.6.1", "Senders make lists without empty elements.", lambda s: all(s.matches(name, _TOKENS) for name in _LISTS)),
    AnswerRule("content-type", "RFC 9110 §8.3", "A message with content says of which type it is.", lambda s: not s.answer.content or s.get("content-type") is not None, "SHOULD"),
    AnswerRule("content-type-form", "RFC 9110 §8.3.1", "Content-Type is a media type.", lambda s: s.matches("content-type", _MEDIA_TYPE)),
    AnswerRule("length-form", "RFC 9110 §8.6", "Content-Length is digits.", lambda s: s.matches("content-length", re.compile("[0-9]+"))),
    AnswerRule("length", "RFC 9110 §8.6", "Content-Length is the number of octets that follow.", length_is_right),
    AnswerRule("length-of-get", "RFC 9110 §8.6", "For HEAD and in a 304, Content-Length is the one that GET would have had.", length_is_that_of_get),
    AnswerRule("length-of-204", "RFC 9110 §8.6", "A 204 has no Content-Length.", lambda s: s.status != 204 or s.get("content-length") is None),
    AnswerRule("coding-of-204", "RFC 9112 §6.1", "A 204 has no Transfer-Encoding.", lambda s: s.status != 204 or s.get("transfer-encoding") is None),
    AnswerRule("length-or-coding", "RFC 9112 §6.2", "Content-Length and Transfer-Encoding are not in one message.", lambda s: None in (s.get("content-length"), s.get("transfer-encoding"))),
    AnswerRule("etag-form", "RFC 9110 §8.8.3", "ETag is an entity-tag.", lambda s: s.matches("etag", _ETAG)),
    AnswerRule("not-modified-later", "RFC 9110 §8.8.2.1", "Last-Modified is not later than Date.", is_not_modified_later),
    AnswerRule("head", "RFC 9110 §9.3.2", "An answer to HEAD has no content.", lambda s: s.asked.method != "HEAD" or not s.answer.content),
    AnswerRule("head-fields", "RFC 9110 §9.3.2", "HEAD is answered with the fields that GET is answered with.", head_is_get, "SHOULD"),
    AnswerRule("post-statuses", "RFC 9110 §9.3.3", "POST is not answered with 206, 304 or 416.", lambda s: s.asked.method != "POST" or s.status not in (206, 304, 416)),
    AnswerRule("location-form", "RFC 9110 §10.2.2", "Location is a reference.", lambda s: s.matches("location", _REFERENCE)),
    AnswerRule("server-form", "RFC 9110 §10.2.4", "Server is a list of products.", lambda s: s.matches("server", _PRODUCTS)),
    AnswerRule("server-detail", "RFC 9110 §10.2.4", "Server is not needlessly detailed.", lambda s: len(s.get("server") or "") <= 40, "SHOULD"),
    AnswerRule("challenge", "RFC 9110 §15.5.2", "A 401 has WWW-Authenticate.", lambda s: s.status != 401 or bool(s.get("www-authenticate"))),
    AnswerRule("allow", "RFC 9110 §15.5.6", "A 405 has Allow.", lambda s: s.status != 405 or s.get("allow") is not None),
    AnswerRule("allow-not-asked", "RFC 9110 §15.5.6", "Allow of a 405 does not name the method it refuses.", lambda s: s.status != 405 or s.asked.method not in (s.get("allow") or "").split(", ")),
    AnswerRule("options", "RFC 9110 §9.3.7", "OPTIONS is answered with what applies, such as Allow.", lambda s: s.asked.method != "OPTIONS" or s.get("allow") is not None, "SHOULD"),
    AnswerRule("location", "RFC 9110 §15.4", "A redirect says where to.", lambda s: s.status not in (301, 302, 303, 307, 308) or s.get("location") is not None, "SHOULD"),
    AnswerRule("content-range", "RFC 9110 §15.3.7.1", "A 206 of a single part has Content-Range; of several, none.", is_ranged),
    AnswerRule("content-range-form", "RFC 9110 §14.4", "Content-Range is a range and a length.", lambda s: s.matches("content-range", _RANGE)),
    AnswerRule("content-range-of-416", "RFC 9110 §15.5.17", "A 416 has Content-Range, with the length there is.", lambda s: s.status != 416 or (s.get("content-range") or "").startswith("bytes */"), "SHOULD"),
    AnswerRule("fields-of-206", "RFC 9110 §15.3.7", "A 206 has the fields that a 200 would have had.", lambda s: s.status != 206 or has_what_200_has(s)),
    AnswerRule("fields-of-304", "RFC 9110 §15.4.5", "A 304 has the fields that a 200 would have had.", lambda s: s.status != 304 or has_what_200_has(s)),
    AnswerRule("content-of-204", "RFC 9110 §15.3.5", "A 204 has no content.", lambda s: s.status != 204 or not s.answer.content),
    AnswerRule("content-of-205", "RFC 9110 §15.3.6", "A 205 has no content.", lambda s: s.status != 205 or not s.answer.content),
    AnswerRule("content-of-304", "RFC 9110 §15.4.5", "A 304 has no content.", lambda s: s.status != 304 or not s.answer.content),
    AnswerRule("upgrade", "RFC 9110 §15.5.22", "A 426 has Upgrade.", lambda s: s.status != 426 or s.get("upgrade") is not None),
    AnswerRule("complete", "RFC 9112 §8", "A message is whole.", lambda s: s.answer.complete),
    AnswerRule("cookie-form", "RFC 6265 §4.1.1", "Set-Cookie is a name, a value and attributes.", lambda s: all(_COOKIE.fullmatch(value) for name, value in s.values() if name == "set-cookie"), "SHOULD"),
    AnswerRule("cookies-differ", "RFC 6265 §4.1.1", "No two cookies of one response have the same name.", cookies_differ, "SHOULD"),
    AnswerRule("cookie-attributes-differ", "RFC 6265 §4.1.1", "No two attributes of one cookie have the same name.", attributes_differ, "SHOULD"),
    AnswerRule("cookie-dates", "RFC 6265 §4.1.1", "Expires has a year of four digits.", cookie_dates, "SHOULD"),
    AnswerRule("hsts", "RFC 6797 §7.2", "There is no Strict-Transport-Security in the clear.", lambda s: s.kind in ("h1s", "h2") or s.get("strict-transport-security") is None),
]  # fmt: skip

_ONE, _TWO = ("Range", "bytes=1-2"), ("Range", "bytes=1-2, 4-5")
_PATHS = ("/", "/it.txt", "/none", "/folder", "/folder/", "/script.py", "/broken.py", "/text", "/json", "/asis.asis",
          "/secret", "/error", "/moved", "/cookies", "/stream", "/204", "/205", "/304", "/it.txt?pipe=gzip", "/%zz", "/it.txt/")  # fmt: skip

ASKED = [
    *(Asked(path, method) for path in _PATHS for method in ("GET", "HEAD")),
    *(Asked(path, "OPTIONS") for path in ("/", "/it.txt", "/text", "/none", "*")),
    *(
        Asked(path, method, content=b"x")
        for path in ("/it.txt", "/text", "/none")
        for method in ("POST", "PUT")
    ),
    *(Asked("/it.txt", method) for method in ("DELETE", "TRACE", "PATCH", "BREW")),
    *(
        Asked("/it.txt", method, (one,))
        for method in ("GET", "HEAD", "POST")
        for one in (_ONE, _TWO, ("Range", "bytes=99-"))
    ),
    *(Asked("/it.txt", method, (("If-None-Match", "$TAG"),)) for method in ("GET", "HEAD")),
    Asked("/it.txt", fields=(("If-None-Match", "*"), _ONE)),
    Asked("/it.txt", fields=(("If-Modified-Since", "Sun, 06 Nov 2094 08:49:37 GMT"),)),
    Asked("/it.txt", fields=(("If-Match", '"x"'),)),
    Asked("/text", fields=(_ONE,)),
    Asked("/text", fields=(("Accept-Encoding", "gzip"), ("Upgrade-Insecure-Requests", "1"))),
]
