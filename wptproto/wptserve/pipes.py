"""wptserve.pipes: the pipes, and what makes one."""

from __future__ import annotations

from wptproto.handlers.pipes.families import (
    Pipeline,
    boolean,
    fault,
    gzip,
    header,
    nullable,
    opt,
    pipe,
    slice,  # noqa: A004  # the pipe's name
    status,
    sub,
    template,
    trickle,
)
from wptproto.handlers.pipes.sub import parse_step, tokens

__all__ = [
    "Pipeline",
    "ReplacementTokenizer",
    "boolean",
    "fault",
    "gzip",
    "header",
    "nullable",
    "opt",
    "pipe",
    "slice",
    "status",
    "sub",
    "template",
    "trickle",
]


class ReplacementTokenizer:
    """Takes apart what stands between ``{{`` and ``}}`` in a template."""

    def tokenize(self, content: bytes) -> list[tuple[str, str | int | list[str]]]:
        """Return what each token is, and what it says, as far as there are any."""
        found: list[tuple[str, str | int | list[str]]] = []
        for kind, text in tokens(content):
            match kind:
                case "assignment":
                    found.append(("var", text[:-1]))
                case "name":
                    found.append(("ident", text))
                case _:
                    step = parse_step(kind, text)
                    found.append(("arguments", list(step)) if isinstance(step, tuple) else ("index", step))
        return found
