"""What the index shows of the paths that are known from httpbin: families of them, a sentence each."""

from __future__ import annotations

from dataclasses import dataclass

from wptproto.handlers.router import Handler

__all__ = ["Answer", "Family"]


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A path, and what answers there.

    Attributes:
        methods: What the route answers to.
        pattern: Of the route.
        handler: Its docstring is one sentence that says what it does, and what bounds it.
        link: A path that shows it; the pattern, if empty.
    """

    methods: str | tuple[str, ...]
    pattern: str
    handler: Handler
    link: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Answers that belong together, under a name."""

    name: str
    answers: tuple[Answer, ...]
