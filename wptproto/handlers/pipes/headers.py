"""Pipes for the head of a response: ``status`` and ``header``."""

from __future__ import annotations

from wptproto.errors import PipeError
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.pipes.registry import boolean, opt, pipe

__all__ = ["header", "status"]


@pipe(int)
def status(request: Request, response: Response, code: int) -> Response:  # noqa: ARG001  # a pipe takes both
    """
    Answer with another status code, and its usual reason phrase.

    ``?pipe=status(404)``
    """
    response.status = code
    return response


@pipe(str, str, opt(boolean))
def header(
    request: Request,  # noqa: ARG001  # a pipe takes both
    response: Response,
    name: str,
    value: str,
    append: bool = False,
) -> Response:
    r"""
    Set a field, in place of all of its name; or, with *append*, add a field line behind them.

    ``?pipe=header(Vary,Accept\,Origin)|header(Set-Cookie,a=b,true)``

    Raises:
        PipeError: A character is beyond ISO-8859-1, of which each is one octet of the field; or it would be
            the end of the line, for a URL is no script, and anybody can write one.
    """
    lines = []
    for part, text in (("name", name), ("value", value)):
        if any(sign in text for sign in "\r\n\0"):
            raise PipeError(
                f"{part} {text!r}: a line break or NUL cannot be in a field; a script can send it"
            )
        try:
            lines.append(text.encode("latin-1"))
        except UnicodeEncodeError as error:
            raise PipeError(
                f"{part} {text!r}: character {error.start + 1} is not in ISO-8859-1; write UTF-8 as an octet "
                f"a character: U+00C3 U+00A9, which is %C3%83%C2%A9 in a query, for the octets C3 A9"
            ) from None
    if append:
        response.headers.append(*lines)
    else:
        response.headers.set(*lines)
    return response
