"""All pipes there are, and what makes one: whoever imports this module has them registered."""

from __future__ import annotations

from wptproto.handlers.pipes.content import gzip, slice  # noqa: A004  # the pipe's name
from wptproto.handlers.pipes.faults import fault
from wptproto.handlers.pipes.headers import header, status
from wptproto.handlers.pipes.registry import Pipeline, boolean, nullable, opt, pipe
from wptproto.handlers.pipes.sub import sub, template
from wptproto.handlers.pipes.timing import trickle

__all__ = [
    # for one's own pipes
    "Pipeline",
    "pipe",
    "opt",
    "nullable",
    "boolean",
    "template",
    # the pipes
    "fault",
    "gzip",
    "header",
    "slice",
    "status",
    "sub",
    "trickle",
]
