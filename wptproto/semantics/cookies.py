"""
What stands in Cookie: the cookies that a client sends (RFC 6265 §4.2, §5.4).

Browsers send names and values that the grammar of RFC 6265 §4.1.1 does not have: blanks, quotes, brackets,
octets beyond ASCII. All of them survive. What is no ``name=value`` is passed over; wptserve drops everything
for it. Attributes (``Path``, ``$Path``) are those of RFC 2109 §4.3.4, which no browser sends any more.
"""

from __future__ import annotations

import re

from wptproto.semantics.forms import MultiDict

__all__ = ["CookieValue", "Cookies", "parse_cookies"]

# A value in double quotes may have semicolons within; the quotes belong to it.
_PAIR = re.compile(rb'([^=;]*)(=[ \t]*("(?:[^"\\]|\\.)*"(?=[ \t]*(?:;|\Z))|[^;]*))?(?:[ \t]*;|\Z)', re.DOTALL)

_FLAGS = ("httponly", "secure")
_ATTRIBUTES = {
    "comment": "Comment",
    "domain": "Domain",
    "expires": "expires",
    "httponly": "HttpOnly",
    "max-age": "Max-Age",
    "path": "Path",
    "samesite": "SameSite",
    "secure": "Secure",
    "version": "Version",
}


class CookieValue:
    """
    A cookie; equal to another one, or to octets, if its value is.

    Attributes:
        key: The name, as text of one character to one octet.
        value: The value, with its quotes if it had any.
        comment, domain, expires, max_age, path, samesite, version: Attributes; mostly empty.
        httponly, secure: True where it came with these, otherwise empty.
    """

    def __init__(self, key: str, value: bytes) -> None:
        self.key = key
        self.value = value
        self.comment = ""
        self.domain = ""
        self.expires = ""
        self.httponly: str | bool = ""
        self.max_age = ""
        self.path = ""
        self.samesite = ""
        self.secure: str | bool = ""
        self.version = ""

    def __str__(self) -> str:
        """Return the cookie with its attributes, as in Set-Cookie."""
        parts = [f"{self.key}={self.value.decode('latin-1')}"]
        for name, shown in _ATTRIBUTES.items():
            value = getattr(self, _attribute_name(name))
            if value:
                parts.append(shown if name in _FLAGS else f"{shown}={value}")
        return "; ".join(parts)

    def __repr__(self) -> str:
        return str(self)

    def __eq__(self, other: object) -> bool:
        value = getattr(other, "value", other)
        return isinstance(value, bytes) and self.value == value

    def __hash__(self) -> int:
        return hash(self.value)


class Cookies(MultiDict[CookieValue]):
    """The cookies of a request, by name; of two of one name it has the last, as wptserve does."""

    def __getitem__(self, name: bytes) -> CookieValue:  # type: ignore[override]
        return self.last(name)


def parse_cookies(octets: bytes) -> Cookies:
    """
    Read the value of Cookie; several lines of it are to be joined by ``; `` (RFC 9113 §8.2.3).

    Returns:
        The cookies; none for octets that have none.
    """
    found = Cookies()
    latest: CookieValue | None = None
    for match in _PAIR.finditer(octets):
        name = match[1].strip(b" \t")
        value = None if match[2] is None else match[3].strip(b" \t")
        attribute = name.removeprefix(b"$").lower().decode("latin-1")
        if name.startswith(b"$") or attribute in _ATTRIBUTES:
            if latest is not None:
                _set_attribute(latest, attribute, value)
        elif name and value is not None:
            latest = CookieValue(name.decode("latin-1"), value)
            found[name] = latest
    return found


def _set_attribute(cookie: CookieValue, name: str, value: bytes | None) -> None:
    if value is not None and len(value) >= 2 and value.startswith(b'"') and value.endswith(b'"'):
        value = value[1:-1]
    if name in _FLAGS:
        setattr(cookie, name, True if value is None else value.decode("latin-1"))
    elif name in _ATTRIBUTES and value is not None:
        setattr(cookie, _attribute_name(name), value.decode("latin-1"))


def _attribute_name(name: str) -> str:
    return name.replace("-", "_")
