"""Answer: what is answered, as a test has said it beforehand; a handler like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from wptproto.errors import ConfigError
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.expectations.matching import NOTHING
from wptproto.semantics.fields import Value

if TYPE_CHECKING:
    from wptproto.faults import Fault

__all__ = ["Answer", "Headers", "Said"]

Headers = Mapping[Any, Any] | Iterable[tuple[Value, Value]]
"""Fields: names with values, or a mapping of these, where a list of values makes as many lines."""

Lines = list[tuple[Value, Value]]

THROTTLE_GAP_S = 0.05
"""How often a throttled response sends a piece, unless even an octet is too much for that."""


class Said(NamedTuple):
    """
    What is to be answered.

    Attributes:
        status: The code, or the code and a reason phrase.
        headers: Field lines; what is missing for a sound message is added.
        content: Text (UTF-8), octets, or what else a handler may return as content.
        trailers: Field lines behind the content.
        informational: Interim responses before it: status, and field lines.
        delay_s: How long to wait before the first of it all is sent.
        throttle: How many octets of content are sent in a second; None is no limit.
        handler: What answers instead of all that; called with request and response.
        early: Whether the answer does not wait for the request's content.
    """

    status: int | tuple[int, str | bytes] = 200
    headers: Sequence[tuple[Value, Value]] = ()
    content: Any = b""
    trailers: Sequence[tuple[Value, Value]] = ()
    informational: Sequence[tuple[int, Sequence[tuple[Value, Value]]]] = ()
    delay_s: float = 0.0
    throttle: float | None = None
    handler: Callable[[Request, Response], Any] | None = None
    early: bool = False

    @classmethod
    def of(
        cls,
        status: int | tuple[int, str | bytes],
        headers: Headers,
        content: Any,
        *,
        body: Any,
        json: Any,
        trailers: Headers,
        informational: Iterable[int | tuple[int, Headers]],
        delay: float,
        throttle: float | None,
        handler: Callable[[Request, Response], Any] | None,
        early: bool,
    ) -> Said:
        """
        Return what was said, looked through.

        Raises:
            ConfigError: It makes no sense.
        """
        given = [
            name
            for name, value in (("content", content), ("body", body), ("json", json))
            if value is not NOTHING
        ]
        if len(given) > 1:
            raise ConfigError(f"an answer has one content, and here are {' and '.join(given)}")
        lines = _lines("headers", headers)
        if json is not NOTHING:
            content = _json(json)
            if not any(_is(name, "content-type") for name, _ in lines):
                lines.append(("Content-Type", "application/json"))
        elif not given:
            content = b""
        elif body is not NOTHING:
            content = body
        if isinstance(content, bytearray | memoryview):
            content = bytes(content)
        if isinstance(content, Mapping):
            raise ConfigError(
                "an answer's content is text, octets, a file or an iterable; json= takes a dict"
            )
        said = cls(
            _checked(status),
            lines,
            content,
            _lines("trailers", trailers),
            _interims(informational),
            _number("delay", delay, "of seconds"),
            None if throttle is None else _number("throttle", throttle, "of octets per second", above=True),
            handler,
            early,
        )
        if handler is not None and (
            given or said[:7] != (200, lines, b"", [], [], said.delay_s, None) or lines
        ):
            raise ConfigError(
                "a handler says all of the answer itself; but for delay, nothing stands beside it"
            )
        if (said.throttle is not None or said.trailers) and not isinstance(content, str | bytes):
            raise ConfigError(
                f"throttle and trailers need content that is text or octets, not {type(content).__name__}"
            )
        return said


class Answer:
    """
    A handler that answers what was said.

    Attributes:
        said: What.
        faults: What is to go wrong with it.
    """

    def __init__(self, said: Said | None = None) -> None:
        self.said = said
        self.faults: tuple[Fault, ...] = ()

    def plan(self, request: Request) -> Sequence[Fault]:
        """Return what is to go wrong with an exchange; asked when its head has come."""
        return self.faults

    def __call__(self, request: Request, response: Response) -> Any:
        said = self.said if self.said is not None else Said()
        if said.delay_s:
            response.writer.pause(said.delay_s)
        if said.handler is not None:
            return said.handler(request, response)
        self._say(said, request, response)
        return None

    def _say(self, said: Said, request: Request, response: Response) -> None:
        if not said.early:
            _read_all(request, self._leaves_unread())
        for status, lines in said.informational:
            _send_interim(response, status, lines)
        response.status = said.status
        response.headers.update(said.headers)
        if said.throttle is not None or said.trailers:
            _send_by_hand(response, said)
            return
        response.content = said.content
        if said.informational:
            response.write(ends=True)
            response.content = []

    def _leaves_unread(self) -> int | None:
        """Return behind how many octets of the request the rest never comes; None if all of it does."""
        unread = [fault for fault in self.faults if fault.effect.word() == "do_not_read"]
        if any(fault.at.value == "request_head" for fault in unread):
            return 0
        octets = [max(fault.octet, 1) for fault in unread if fault.at.value == "request_content"]
        return min(octets, default=None)


def _read_all(request: Request, octets: int | None) -> None:
    """Wait until the request is whole, so that it is recorded whole, and no client is answered early."""
    count = 0
    while (octets is None or count < octets) and (piece := request.raw_input.read1()):
        count += len(piece)
    request.raw_input.seek(0)


def _send_interim(response: Response, status: int, lines: Iterable[tuple[Value, Value]]) -> None:
    writer = response.writer
    writer.write_status(status)
    for name, value in lines:
        writer.write_header(name, value)
    writer.end_headers()


def _send_by_hand(response: Response, said: Said) -> None:
    """Send the response step by step, the head in one piece."""
    writer = response.writer
    whole = writer.encode(said.content)
    writer.put_head(*response.status, response.headers.items(), None if said.trailers else len(whole))
    writer.flush()
    if response.request.method != "HEAD":
        for piece in _pieces(whole, said.throttle):
            if not writer.write_content(piece):
                return
            if said.throttle is not None:
                writer.pause(len(piece) / said.throttle)
    if said.trailers:
        writer.write_trailers(list(said.trailers))


def _pieces(whole: bytes, throttle: float | None) -> Iterator[bytes]:
    """Return content cut so that each piece takes about as long."""
    size = len(whole) if throttle is None else max(1, int(throttle * THROTTLE_GAP_S))
    return (whole[start : start + size] for start in range(0, len(whole), size or 1))


def _checked(status: Any) -> Any:
    """Return a status that may be a final one; which numbers are nonsense is up to the test."""
    code, phrase = status if isinstance(status, tuple) and len(status) == 2 else (status, "")
    if not isinstance(code, int) or isinstance(code, bool) or not isinstance(phrase, str | bytes):
        raise ConfigError(f"status is a code, or a code and a reason phrase, not {status!r}")
    if 100 <= code < 200 and code != 101:
        raise ConfigError(
            f"status: {code} is an interim response, behind which another has to follow; "
            f"say informational=[{code}]"
        )
    return status


def _json(value: Any) -> bytes:
    import json

    try:
        return json.dumps(value).encode()
    except (TypeError, ValueError) as error:
        raise ConfigError(f"json: {value!r} cannot be said in JSON: {error}") from error


def _interims(given: Any) -> list[tuple[int, Lines]]:
    try:
        found: list[tuple[int, Headers]] = [
            (one, ()) if isinstance(one, int) else tuple(one) for one in given
        ]
        return [_interim(status, headers) for status, headers in found]
    except (TypeError, ValueError):
        raise ConfigError(
            f"informational is a list of statuses, or of a status and its headers, not {given!r}"
        ) from None


def _interim(status: int, headers: Headers) -> tuple[int, Lines]:
    if not 100 <= status < 200 or status == 101:
        raise ConfigError(
            f"informational: {status!r} is no interim response; they have 100 to 199, but not 101"
        )
    return status, _lines("informational", headers)


def _lines(what: str, given: Headers) -> Lines:
    found: Lines = []
    try:
        for name, value in given.items() if isinstance(given, Mapping) else given:
            found += [(name, one) for one in value] if isinstance(value, list | tuple) else [(name, value)]
    except (TypeError, ValueError):
        raise ConfigError(f"{what}: say a mapping, or a list of names and values, not {given!r}") from None
    return found


def _is(name: Any, wanted: str) -> bool:
    return (name.decode("latin-1") if isinstance(name, bytes) else str(name)).lower() == wanted


def _number(what: str, value: Any, unit: str, *, above: bool = False) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < inf
    if not is_number or (above and not value):
        raise ConfigError(f"{what} is a number {unit}{', above 0' if above else ''}, not {value!r}")
    return float(value)
