"""
Expectations: which requests a test expects, in which order they answer, and what came that nobody expected.

A request is for the first expectation that takes it and is not used up; else for the answer that was queued
first; else for a route. Where none of them takes it, and there were expectations or queued answers at all, it
is a mismatch: it is answered by 500 and an explanation, and kept for the test to fail by.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

from wptproto.errors import ConfigError, FaultError
from wptproto.exchange.changes import Changes
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.expectations.answers import Answer, Headers, Said
from wptproto.expectations.matching import NOTHING, Difference, Matcher
from wptproto.faults import Effect, Fault, Moment, fault
from wptproto.handlers.router import Handler
from wptproto.handlers.unrouted import MethodNotAllowed, NotImplementedMethod

__all__ = ["Expectation", "Expectations", "Mismatch", "Queued"]

NEAREST = 3
"""With how many expectations a request is compared in words that none of them takes."""

MAX_MISMATCHES = 1000

Route = Callable[[Request], Handler | None]
CheckFault = Callable[[Fault, str | None], None]


class Mismatch(NamedTuple):
    """
    A request that nobody expected.

    Attributes:
        request: Method, target and protocol, in one line.
        differences: From each of the nearest expectations, by what that expects.
        explanation: All of it in lines, as the client was told.
    """

    request: str
    differences: tuple[tuple[str, tuple[Difference, ...]], ...]
    explanation: str

    def __str__(self) -> str:
        return self.explanation


class _Answering:
    """What has answers: an expectation, or one that was queued."""

    _matcher: Matcher | None = None

    def __init__(self, check_fault: CheckFault) -> None:
        self._check_fault = check_fault
        self._answers: list[Answer] = [Answer()]

    def fault(
        self,
        what: str | Effect,
        *arguments: Any,
        at: str | None = None,
        octet: int | None = None,
        **named: Any,
    ) -> Self:
        """
        Have something go wrong with the answer that was said last; several may.

        Args:
            what: The effect, as ``reset`` or ``truncate``; :mod:`wptproto.faults` has them all.
            arguments: Of the effect.
            at: The moment, as ``response_head``; the effect's own, where nothing is said.
            octet: During content: behind how many octets of it.
            named: Of the effect.

        Raises:
            FaultError: There is no such fault, or it has no meaning over what the request may come over.
        """
        found = fault(what, *arguments, at=at, octet=octet, **named)
        if found.at.is_the_connections:
            raise FaultError(
                f"{found.at} comes before any request, so no answer can have a fault there; "
                f"server.fault(...) is for connections"
            )
        matcher = self._matcher
        if (
            matcher is not None
            and matcher.needs_content
            and found.at in (Moment.REQUEST_HEAD, Moment.REQUEST_CONTENT)
        ):
            raise FaultError(
                f"{found.at} is over before it is known whether the content is the expected one; "
                f"expect nothing of it (json, content, form, match), or fault at response_head"
            )
        self._check_fault(found, None if matcher is None else matcher.protocol)
        self._answers[-1].faults += (found,)
        return self


class Queued(_Answering):
    """An answer that waits in the queue for the next request."""

    def __init__(self, check_fault: CheckFault, said: Said) -> None:
        super().__init__(check_fault)
        self._answers = [Answer(said)]

    @property
    def answer(self) -> Answer:
        """What is answered."""
        return self._answers[0]


class Expectation(_Answering):
    """
    A request that is expected, and what is answered.

    Attributes:
        times: How often it is to come; None is any number, none among them.
        count: How often it has come.
    """

    def __init__(
        self, matcher: Matcher, times: int | None, check_fault: CheckFault, order: list[Expectation] | None
    ) -> None:
        super().__init__(check_fault)
        self._matcher: Matcher = matcher
        self._order = order
        self.times = times
        self.count = 0

    def __repr__(self) -> str:
        return f"<Expectation {self}: {self.count} of {'any number' if self.times is None else self.times}>"

    def __str__(self) -> str:
        return str(self._matcher)

    def respond(
        self,
        status: int | tuple[int, str | bytes] = 200,
        headers: Headers = (),
        content: Any = NOTHING,
        *,
        body: Any = NOTHING,
        json: Any = NOTHING,
        trailers: Headers = (),
        informational: Any = (),
        delay: float = 0.0,
        throttle: float | None = None,
        handler: Callable[[Request, Response], Any] | None = None,
        early: bool = False,
    ) -> Self:
        """
        Say what is answered; said again, what the next such request is answered. Later ones get the last.

        Args:
            status: The code, or the code and a reason phrase.
            headers: Names and values, or a mapping; a list of values makes several lines. What a sound
                message needs beside them is added.
            content: Text (UTF-8), octets, a file, or an iterable of these.
            body: Another name for *content*.
            json: A value, sent as JSON.
            trailers: Fields behind the content; over HTTP/1.1 it goes in chunks then.
            informational: Interim responses to send before: each a status, or a status and headers.
            delay: Seconds to wait before anything is sent.
            throttle: Octets of content to send in a second, at the most.
            handler: What answers instead of all that, a function as for a route.
            early: Answer when the head has come, without waiting for the request's content.

        Raises:
            ConfigError: It makes no sense; or there are more answers than requests that are expected.
        """
        said = Said.of(
            status,
            headers,
            content,
            body=body,
            json=json,
            trailers=trailers,
            informational=informational,
            delay=delay,
            throttle=throttle,
            handler=handler,
            early=early,
        )
        if self._answers[-1].said is None:
            self._answers[-1].said = said
            return self
        if self.times is not None and len(self._answers) >= self.times:
            raise ConfigError(
                f"{self} has {len(self._answers) + 1} answers, and is expected {_times(self.times)}; "
                f"say times={len(self._answers) + 1}"
            )
        self._answers.append(Answer(said))
        return self

    # --- for the server ------------------------------------------------------------------------

    @property
    def matcher(self) -> Matcher:
        """What a request has to be."""
        return self._matcher

    @property
    def is_met(self) -> bool:
        """Whether it has come as often as it was to."""
        return self.times is None or self.count >= self.times

    def why_closed(self) -> Difference | None:
        """Return what keeps it from taking a request, whatever that is; None if nothing does."""
        if self.times is not None and self.count >= self.times:
            return Difference("times", _times(self.times), "one more")
        if self._order is not None:
            place = self._order.index(self)
            for earlier in self._order[:place]:
                if not earlier.is_met:
                    return Difference("order", f"behind {earlier}", "before it")
            for later in self._order[place + 1 :]:
                if later.count:
                    return Difference("order", f"before {later}", "behind it")
        return None

    def claim(self) -> Answer | None:
        """Count a request, and return what answers it; None where another was quicker."""
        if self.why_closed() is not None:
            return None
        self.count += 1
        return self._answers[min(self.count, len(self._answers)) - 1]


class Expectations:
    """
    Those of one server. Any thread may add some, also while requests come.

    Attributes:
        changes: Who waits for requests to be taken.
        mismatches: The requests that nobody expected, the last thousand of them.
    """

    def __init__(self, check_fault: CheckFault) -> None:
        """
        Args:
            check_fault: Raises FaultError where a fault has no meaning over what the server speaks, or over
                the protocol, if one is given.
        """
        self._check_fault = check_fault
        self.changes = Changes()
        self._lock = threading.Lock()  # held for no longer than it takes to count
        self._expectations: list[Expectation] = []
        self._queue: deque[Queued] = deque()
        self._is_used = False
        self._here = threading.local()
        self.mismatches: deque[Mismatch] = deque(maxlen=MAX_MISMATCHES)

    # --- what a test says ----------------------------------------------------------------------

    def expect(self, matcher: Matcher, times: int | None) -> Expectation:
        """
        Expect a request.

        Raises:
            ConfigError: *times* is no such number.
        """
        given: Any = times  # tests are not all typed
        if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 1):
            raise ConfigError(f"expect: times is a number from 1 on, or None for any, not {times!r}")
        order: list[Expectation] | None = getattr(self._here, "order", None)
        expectation = Expectation(matcher, times, self._check_fault, order)
        with self._lock:
            self._is_used = True
            self._expectations.append(expectation)
            if order is not None:
                order.append(expectation)
        return expectation

    def enqueue(self, said: Said) -> Queued:
        """Put an answer behind those that wait in the queue."""
        queued = Queued(self._check_fault, said)
        with self._lock:
            self._is_used = True
            self._queue.append(queued)
        return queued

    @contextmanager
    def in_order(self) -> Iterator[None]:
        """Have what this thread expects within come in that order."""
        outer = getattr(self._here, "order", None)
        self._here.order = []
        try:
            yield
        finally:
            self._here.order = outer

    def clear(self) -> None:
        """Forget all that was expected, queued and mismatched."""
        with self._lock:
            self._is_used = False
            self._expectations.clear()
            self._queue.clear()
            self.mismatches.clear()

    @property
    def unmet(self) -> list[Expectation]:
        """Those that have not come as often as they were to."""
        with self._lock:
            return [expectation for expectation in self._expectations if not expectation.is_met]

    # --- what comes ----------------------------------------------------------------------------

    def find(self, request: Request, route: Route) -> Handler | None:
        """
        Return what answers a request whose head has come.

        Args:
            request: Its content is not looked at.
            route: Returns what answers it where nobody expects it.
        """
        if not self._is_used:
            return route(request)
        try:
            return self._find(request, route, with_content=False)
        except Exception as error:  # noqa: BLE001 -- of a test's own function; the test is told by the answer
            return _Raising(error)

    def find_whole(self, request: Request, route: Route) -> Handler:
        """Do as :meth:`find` does, on a thread that may wait for the request's content."""
        return self._find(request, route, with_content=True)

    def _find(self, request: Request, route: Route, *, with_content: bool) -> Handler:
        for expectation in tuple(self._expectations):
            if expectation.why_closed() is not None or not expectation.matcher.takes_head(request):
                continue
            if expectation.matcher.needs_content:
                if not with_content:
                    return _Reading(self, route)
                if not expectation.matcher.takes_content(request):
                    continue
            with self._lock:
                answer = expectation.claim()
            if answer is not None:
                break
        else:
            try:
                answer = self._queue.popleft().answer
            except IndexError:
                return self._route(request, route, with_content=with_content)
        self.changes.notify()
        return answer

    def _route(self, request: Request, route: Route, *, with_content: bool) -> Handler:
        handler = route(request)
        if handler is not None and not isinstance(handler, MethodNotAllowed | NotImplementedMethod):
            return handler
        mismatch = self._explain(request, with_content=with_content)
        self.mismatches.append(mismatch)
        self.changes.notify()
        return _Unexpected(mismatch)

    def _explain(self, request: Request, *, with_content: bool) -> Mismatch:
        protocol = "HTTP/2" if request.protocol_version == "HTTP/2.0" else request.protocol_version
        asked = f"{request.method} {request.request_path} over {protocol}"
        compared = []
        for expectation in tuple(self._expectations):
            differences = list(expectation.matcher.head_differences(request))
            if with_content and expectation.matcher.needs_content and not differences:
                differences += expectation.matcher.content_differences(request)
            if (closed := expectation.why_closed()) is not None:
                differences.append(closed)
            compared.append((str(expectation), tuple(differences)))
        compared.sort(key=lambda one: len(one[1]))
        nearest = tuple(compared[:NEAREST])
        lines = [f"nobody expects {asked}"]
        for said, differences_of in nearest:
            lines += [f"  it is not {said}:", *_table(differences_of)]
        if len(compared) > len(nearest):
            lines.append(f"  nor any of {len(compared) - len(nearest)} expectations that are farther from it")
        if not compared:
            lines.append("  the queue of answers is empty, and no route takes it")
        return Mismatch(asked, nearest, "\n".join(lines))


class _Reading:
    """Goes on looking for whom a request is when its content is there."""

    def __init__(self, expectations: Expectations, route: Route) -> None:
        self._expectations = expectations
        self._route = route

    def __call__(self, request: Request, response: Response) -> Any:
        request.body  # noqa: B018 -- waits for it, with no lock held
        handler = self._expectations.find_whole(request, self._route)
        if isinstance(handler, Answer):
            teller: Any = response
            for one in handler.faults:
                teller.fault(one)
        return handler(request, response)


class _Raising:
    """Raises what a test's own function raised where it could not be caught."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __call__(self, request: Request, response: Response) -> None:
        raise self._error


class _Unexpected:
    """Tells a client that nobody expected its request, and how it differs from those that are."""

    def __init__(self, mismatch: Mismatch) -> None:
        self._mismatch = mismatch

    def __call__(self, request: Request, response: Response) -> None:
        response.status = 500
        response.headers.set("Content-Type", "text/plain; charset=utf-8")
        response.content = self._mismatch.explanation + "\n"


def _times(times: int) -> str:
    return "once" if times == 1 else f"{times} times"


def _table(differences: tuple[Difference, ...]) -> list[str]:
    """Return differences as lines in columns."""
    if not differences:
        return ["    (it was, by the time this was looked at again)"]
    first = max(len(one.field) for one in differences)
    second = max(len(one.expected) for one in differences)
    second = min(second, 40)
    return [
        f"    {one.field:<{first}}  expected {one.expected:<{second}}  got {one.got}" for one in differences
    ]
