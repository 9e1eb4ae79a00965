"""The handlers of ``/fault/...``: every misbehaviour there is, to be tried by hand."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from urllib.parse import unquote

from wptproto.demo.family import Answer
from wptproto.errors import FaultError, HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.faults import EFFECTS, Fault, Moment, parse
from wptproto.handlers.router import Route, any_method

__all__ = ["ANSWERS", "routes"]

CONTENT = b"".join(b"%03d of 100 lines\n" % line for line in range(1, 101))
"""What goes wrong can be seen in it, with ``octet=`` to the octet."""


_ARGUMENTS = {"slow": "2000", "stall": "2", "truncate": "octet=40"}


def _link(word: str) -> str:
    """Return a path that shows an effect and ends."""
    return f"/fault/{word}?{_ARGUMENTS[word]}" if word in _ARGUMENTS else f"/fault/{word}"


class Faulty:
    """
    Answer with a hundred lines, and let something go wrong with them, or with their connection.

    ``/fault/close?octet=40``, ``/fault/stall?0.5&at=response_head``: the effect's arguments are in the query,
    in order or by name, and so are the moment and the octet of the content.
    """

    def plan(self, request: Request) -> Sequence[Fault]:
        """Return what is to go wrong, before the request's content is read."""
        try:
            found = _asked(request)
        except FaultError:
            return ()  # of which the client is told
        return () if _is_of_the_next(found) else (found,)

    def __call__(self, request: Request, response: Response) -> bytes:
        response.headers.set("Content-Type", "text/plain")
        try:
            found = _asked(request)
            if _is_of_the_next(found):
                request.server.fault(found)
                return f"{found}, of the next connection.\n".encode()
        except FaultError as error:
            raise HTTPException(400, str(error)) from error
        request.raw_input.read()  # so that what goes wrong with it can
        return CONTENT


class _OneOf(Faulty):
    """The same, for one effect, whose own words say what it does."""

    def __init__(self, word: str) -> None:
        self.__doc__ = (inspect.getdoc(EFFECTS[word]) or "").partition("\n")[0]


ANSWERS = tuple(Answer(any_method, f"/fault/{word}", _OneOf(word), _link(word)) for word in EFFECTS)
"""What the index shows of them."""


def release(request: Request, response: Response) -> str:
    """Let all that a stall holds up go on."""
    request.server.release()
    response.headers.set("Content-Type", "text/plain")
    return "Whatever stalled goes on.\n"


def listing(request: Request, response: Response) -> str:
    """List what can go wrong, when, and what is said for it."""
    response.headers.set("Content-Type", "text/plain")
    lines = ["What can go wrong, at /fault/NAME?ARGUMENTS&at=MOMENT&octet=NUMBER:", ""]
    for word, effect in EFFECTS.items():
        arguments = list(inspect.signature(effect).parameters)
        takes = f"?{'&'.join(f'{name}=...' for name in arguments)}" if arguments else ""
        summary = (inspect.getdoc(effect) or "").partition("\n")[0]
        lines += [f"/fault/{word}{takes}", f"    {summary}", f"    at: {', '.join(effect.moments)}", ""]
    lines += [
        f"At {Moment.ACCEPTED} and {Moment.TLS_HELLO} it is the next connection that goes wrong.",
        "/fault/release lets go on what stalls. Numbers of a list are written 1:2:3.",
    ]
    return "\n".join([*lines, ""])


def routes() -> list[Route]:
    """Return the routes of ``/fault/...``."""
    return [
        ("GET", "/fault/", listing),
        (any_method, "/fault/release", release),
        (any_method, "/fault/{effect}", Faulty()),
    ]


def _asked(request: Request) -> Fault:
    """
    Return what a URL asks for.

    Raises:
        FaultError: There is no such fault, or it has no meaning over what brought the request.
    """
    query = request.url_parts.query.split("&")
    found = parse([request.route_match["effect"], *(unquote(part) for part in query if part)])
    if not _is_of_the_next(found):
        protocol = "HTTP/2" if request.protocol_version == "HTTP/2.0" else "HTTP/1.1"
        found.check(protocol=protocol, is_tls=request.url_parts.scheme == "https")
    return found


def _is_of_the_next(fault: Fault) -> bool:
    return fault.at.is_the_connections
