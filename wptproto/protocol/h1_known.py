"""
Heads that are known: a fast room over the reading of requests, and the making of responses.

Its theory: a client says the same head again and again, or the same but for the target. What is made of a
head hangs on its octets and the server's rules, and on nothing that came before it, as long as it is read
from its first octet on. So what was made of it once is looked up by its octets; and where the request line
differs, what was made of the fields is looked up by theirs.

Only what was found sound is remembered: whatever is wrong is read, each time anew, by the RequestReader. And
so with responses, whose octets, and whether a client can read them, follow from their heads. So this room
decides nothing. Nor is anything remembered that is long, and of what is short only so much.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from wptproto.protocol.h1_head import HeadOctets
from wptproto.protocol.h1_request import H1Request, RequestReader, understood
from wptproto.protocol.h1_response import H1Response, examined
from wptproto.protocol.rules import Core, Rules
from wptproto.semantics.message import RequestHead, ResponseHead

__all__ = ["KnownHeads", "KnownRequests", "examiner", "request_reader"]

MOST_HEADS = 512
MOST_OCTETS = 4096


class KnownHeads:
    """What servers with the same rules have read; full, it begins again, for to keep count costs more."""

    def __init__(self) -> None:
        self.heads: dict[bytes, H1Request] = {}
        self.sections: dict[tuple[str, str, bytes], H1Request] = {}
        self.responses: dict[ResponseHead, H1Response] = {}

    def forget(self) -> None:
        """Begin again."""
        self.heads.clear()
        self.sections.clear()
        self.responses.clear()

    def keep(self, octets: HeadOctets, request: H1Request) -> None:
        """Remember what was made of a head."""
        if len(octets.whole) > MOST_OCTETS:
            return
        if len(self.heads) >= MOST_HEADS:
            self.forget()
        self.heads[octets.whole] = request
        if octets.line.target.authority is None:
            self.sections[_section_key(octets)] = request


class KnownRequests(RequestReader):
    """Reads requests, those that are known by looking them up."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self._known = _known_by(rules)

    def read(self, buffer: bytearray) -> H1Request | None:
        octets = self._heads.take(buffer)
        if octets is None:
            return None
        # A target in absolute-form or authority-form outweighs Host, and is not the section's to tell.
        like = self._known.sections.get(_section_key(octets))
        if like is None or octets.line.target.authority is not None:
            request = understood(self._heads.parse(octets), self._rules)
        else:
            request = like._replace(head=_retargeted(like.head, octets))
        self._known.keep(octets, request)
        return request

    def look_up(self, octets: bytes) -> H1Request | None:
        return self._known.heads.get(octets)


def request_reader(rules: Rules) -> RequestReader:
    """Return the reader that the rules ask for."""
    return KnownRequests(rules) if rules.core is Core.FAST else RequestReader(rules)


def examiner(rules: Rules) -> Callable[[ResponseHead], H1Response]:
    """Return what makes octets of a response's head, and tells what follows from it."""
    if rules.core is Core.PLAIN:
        return examined
    known = _known_by(rules)

    def look_up(head: ResponseHead) -> H1Response:
        made = known.responses.get(head)
        if made is None:
            made = examined(head)
            if len(made.octets) <= MOST_OCTETS:
                if len(known.responses) >= MOST_HEADS:
                    known.forget()
                known.responses[head] = made
        return made

    return look_up


@lru_cache(maxsize=8)
def _known_by(rules: Rules) -> KnownHeads:  # noqa: ARG001  # they are the key
    return KnownHeads()


def _section_key(octets: HeadOctets) -> tuple[str, str, bytes]:
    return octets.line.method, octets.line.version, octets.section


def _retargeted(like: RequestHead, octets: HeadOctets) -> RequestHead:
    """Return a head with the same fields as another's, and a request line of its own."""
    method, target, version = octets.line
    return RequestHead(
        method, target.octets, target.path, like.authority, version, like.fields, octets.whole, target.scheme
    )
