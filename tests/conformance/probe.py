"""Probes: octets that a client sends over HTTP/1.1, and how a server may react to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["GET", "Probe", "accepted", "get", "post", "refused"]

Level = Literal["MUST", "SHOULD", "MAY", "ours"]


@dataclass(frozen=True, kw_only=True)
class Probe:
    """
    One row.

    Attributes:
        id: Its name, once in all tables.
        section: Where the rule stands.
        sends: Octets, all of them at once or one by one.
        statuses: One of which the first final response has.
        answers: How many final responses there are in all.
        stays: Whether another request is answered behind those; if not, the connection closes.
        says: What the first response holds.
        level: How strict the rule is; "ours" where the RFC leaves a choice, and this is the strict one.
        sentence: The rule in the words of the RFC.
        half_closes: Whether the client ends its side behind the octets.
    """

    id: str
    section: str
    sends: bytes
    statuses: tuple[int, ...]
    answers: int = 1
    stays: bool = False
    says: bytes = b""
    level: Level = "MUST"
    sentence: str = ""
    half_closes: bool = False


def refused(
    id: str, section: str, sends: bytes, *statuses: int, level: Level = "MUST", sentence: str = ""
) -> Probe:
    """Return a probe that is answered with 400, or one of *statuses*, and nothing behind it."""
    return Probe(
        id=id, section=section, sends=sends, statuses=statuses or (400,), level=level, sentence=sentence
    )


def accepted(
    id: str, section: str, sends: bytes, *, says: bytes = b"", level: Level = "MUST", sentence: str = ""
) -> Probe:
    """Return a probe that is answered with 200, on a connection that stays open."""
    return Probe(
        id=id,
        section=section,
        sends=sends,
        statuses=(200,),
        stays=True,
        says=says,
        level=level,
        sentence=sentence,
    )


def get(*lines: bytes, line: bytes = b"GET /get HTTP/1.1", host: bytes | None = b"h") -> bytes:
    """Return a request without content; *lines* are its fields behind Host."""
    hosts = [b"Host: " + host] if host is not None else []
    return b"\r\n".join([line, *hosts, *lines, b"", b""])


def post(*lines: bytes, content: bytes = b"", line: bytes = b"POST /echo HTTP/1.1") -> bytes:
    """Return a request to what says again its content."""
    return get(*lines, line=line) + content


GET = get()
