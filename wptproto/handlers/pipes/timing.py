"""
``trickle``: content in parts, with pauses between them.

Its one argument is a list of steps between colons: ``d1.5`` waits so many seconds, ``100`` sends
so many octets, and ``r2``, as the last of all, repeats the two steps before it until the content
is sent. Whatever else is left after the last step is sent in one piece. A repeat that is not last
does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wptproto.errors import PipeError
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.pipes.content import whole_content
from wptproto.handlers.pipes.registry import pipe

__all__ = ["trickle"]

_LONGEST_DELAY_S = 1e9  # far below what a thread can wait for


@dataclass(frozen=True, slots=True)
class _Delay:
    seconds: float


@dataclass(frozen=True, slots=True)
class _Send:
    octets: int


@dataclass(frozen=True, slots=True)
class _Repeat:
    steps: int


_Step = _Delay | _Send | _Repeat


@pipe(str)
def trickle(request: Request, response: Response, delays: str) -> Response:  # noqa: ARG001  # a pipe takes both
    """
    Send the content in parts, each when its time comes; and tell caches to stay out of it.

    ``?pipe=trickle(d1:100:d0.5:r2)`` waits a second, sends 100 octets, waits half a second, and
    from there on sends 100 octets every half second, to the end.

    Raises:
        PipeError: A step is none, or two of a kind stand side by side, or it would never end.
    """
    steps = tuple(_parse(delays))
    content = whole_content(response)
    _check_end(delays, steps, len(content))
    if not any(name in response.headers for name in ("Cache-Control", "Pragma", "Expires")):
        response.headers.set("Cache-Control", "no-cache, no-store, must-revalidate")
        response.headers.set("Pragma", "no-cache")
        response.headers.set("Expires", "0")
    response.content = _pieces(content, steps, response.writer.pause)
    return response


def _parse(delays: str) -> Iterator[_Step]:
    before: _Step | None = None
    for number, text in enumerate(delays.split(":"), 1):
        place = f"step {number}, {text!r}, of {delays!r}"
        step = _parse_step(text, place)
        # They are not added up: wptserve means to, and fails.
        if type(step) is type(before):
            raise PipeError(f"{place} is of the same kind as the one before it; make one step of the two")
        yield step
        before = step


def _parse_step(text: str, place: str) -> _Step:
    try:
        match text[:1]:
            case "d":
                seconds = float(text[1:])
                if not 0 <= seconds <= _LONGEST_DELAY_S:
                    raise PipeError(f"{place}: a delay is 0 to {_LONGEST_DELAY_S:.0f} seconds")
                return _Delay(seconds)
            case "r":
                steps = int(text[1:])
                if steps % 2:
                    raise PipeError(f"{place}: repeats an even number of steps, such as d1:100:r2")
                return _Repeat(steps)
            case _:
                return _Send(int(text))
    except ValueError:
        raise PipeError(
            f"{place} is neither a delay in seconds (d0.5), nor a number of octets (100), nor a repeat (r2)"
        ) from None


def _repeated(steps: tuple[_Step, ...]) -> tuple[_Step, ...]:
    """Return the steps that go on and on once all were taken, none if none do."""
    last = steps[-1]
    return steps[-(last.steps + 1) : -1] if isinstance(last, _Repeat) else ()


def _octets(steps: tuple[_Step, ...]) -> int:
    return sum(step.octets for step in steps if isinstance(step, _Send))


def _check_end(delays: str, steps: tuple[_Step, ...], length: int) -> None:
    """Refuse a repeat that gets no further: wptserve's goes on until the client leaves, and after."""
    if isinstance(steps[-1], _Repeat) and _octets(steps) < length and _octets(_repeated(steps)) <= 0:
        raise PipeError(
            f"step {len(steps)} of {delays!r} repeats no step that sends, and would never end; "
            f"repeat a number of octets too, such as d1:100:r2"
        )


def _pieces(content: bytes, steps: tuple[_Step, ...], pause: Callable[[float], object]) -> Iterator[bytes]:
    """Yield the content in its time; a pause ends when the client goes, and then nobody asks for more."""
    offset = 0

    def take(steps: tuple[_Step, ...]) -> Iterator[bytes]:
        nonlocal offset
        for step in steps:
            if isinstance(step, _Delay):
                pause(step.seconds)
            elif isinstance(step, _Send):
                # A negative number reaches back from the end, and the offset goes back with it, but not
                # so far that repeats would be at it for days, to reach the content again.
                yield content[offset : offset + step.octets]
                offset = max(offset + step.octets, -len(content))

    yield from take(steps)
    if isinstance(steps[-1], _Repeat):
        while offset < len(content):
            yield from take(_repeated(steps))
    elif offset < len(content):
        yield content[offset:]
