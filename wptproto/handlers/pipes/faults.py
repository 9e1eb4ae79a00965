"""The pipe for what goes wrong: ``fault``."""

from __future__ import annotations

from wptproto.errors import FaultError, PipeError
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.faults import parse
from wptproto.handlers.pipes.registry import opt, pipe

__all__ = ["fault"]


@pipe(str, *(opt(str),) * 6)
def fault(request: Request, response: Response, effect: str, *arguments: str) -> Response:  # noqa: ARG001  # a pipe takes both
    """
    Have something go wrong with this response, or with its connection.

    ``?pipe=fault(close,octet=10)``, ``?pipe=fault(stall,0.5,at=response_head)|fault(reset)``

    Raises:
        PipeError: There is no such fault, or it has no meaning over this protocol.
    """
    try:
        response.fault(parse([effect, *arguments]))
    except FaultError as error:
        raise PipeError(str(error)) from error
    return response
