"""Server: what a test says to a running server, and what it asks of it."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from wptproto.errors import ConfigError, UnmetExpectations
from wptproto.exchange.changes import Changes
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.router import Handler
from wptproto.server.archive import Archive
from wptproto.server.drivable import Drivable
from wptproto.server.exchange_record import ExchangeRecord
from wptproto.server.misbehaving import Misbehaving
from wptproto.server.records import ConnectionRecord, Violation
from wptproto.server.traced import Traced

if TYPE_CHECKING:
    import re

    from wptproto.expectations.answers import Headers
    from wptproto.expectations.expectations import Expectation, Expectations, Mismatch, Queued
    from wptproto.server.waits import Predicate, Waits

__all__ = ["Server"]

_NOTHING: Any = ...  # no value of JSON, nor content


class Server(Traced, Drivable, Misbehaving):
    """
    A server for tests.

    Its settings and its life are :class:`~wptproto.server.base.BaseServer`'s. What a test says that it is to
    answer, and what it has recorded, outlives a stop; :meth:`clear` forgets both.
    """

    def stop(self) -> None:
        super().stop()
        for changes in self._all_changes():
            changes.notify()  # nobody waits any longer

    # --- what is answered ----------------------------------------------------------------------

    def expect(
        self,
        method: str | Iterable[str] = "*",
        path: str | re.Pattern[str] | None = None,
        *,
        headers: Mapping[Any, Any] | None = None,
        query: Mapping[str, Any] | str | None = None,
        cookies: Mapping[str, Any] | None = None,
        protocol: str | None = None,
        content: Any = None,
        json: Any = _NOTHING,
        form: Mapping[str, Any] | None = None,
        match: Callable[[Request], object] | None = None,
        times: int | None = 1,
    ) -> Expectation:
        """
        Expect a request. The expectation is told what is answered: ``.respond(200)``, ``.fault("reset")``.

        Of the expectations that take a request, and are not used up, the first one answers; they come before
        :meth:`enqueue` and routes. A value is text, octets or a number that is to be equal, a regular
        expression for all of it, or a function that says whether it is right; a list is several of one name.

        Args:
            method: One method or several; ``*`` is any. GET is not HEAD here.
            path: A pattern as routes have, or a regular expression for all of the path; None is any.
            headers: Values by names, found without case; None is for one that must not be there. Others may.
            query: The names and values of the query, all of them; or the query as it stands, undecoded.
            cookies: Values by names, as of *headers*.
            protocol: ``HTTP/1.1`` or ``HTTP/2``; None is either.
            content: All of it, a value as above.
            json: What the content is to be as JSON.
            form: The names and values of the form that the content is, urlencoded or multipart, all of them.
            match: Given the request, returns whether it is the one, or asserts it; it may read the content.
            times: How often the request is to come; None is any number, none among them.

        Raises:
            ConfigError: It makes no sense, or is for a protocol that the server does not speak.
        """
        from wptproto.expectations.matching import NOTHING, Matcher

        matcher = Matcher(
            method,
            path,
            headers=headers,
            query=query,
            cookies=cookies,
            protocol=protocol,
            content=content,
            json=NOTHING if json is _NOTHING else json,
            form=form,
            match=match,
        )
        if protocol is not None and not self._kinds_of(protocol):
            raise ConfigError(f"expect: this server does not speak {protocol}, so nothing will come over it")
        return self._expectations.expect(matcher, times)

    def enqueue(
        self,
        status: int | tuple[int, str | bytes] = 200,
        headers: Headers = (),
        content: Any = _NOTHING,
        *,
        body: Any = _NOTHING,
        json: Any = _NOTHING,
        trailers: Headers = (),
        informational: Iterable[int | tuple[int, Headers]] = (),
        delay: float = 0.0,
        throttle: float | None = None,
        handler: Callable[[Request, Response], Any] | None = None,
        early: bool = False,
    ) -> Queued:
        """
        Queue an answer for the next request that no expectation takes, whatever it is; before any route.

        First in, first out. What is to go wrong with it, it is told: ``server.enqueue(200).fault("reset")``.

        Args:
            status, headers, content, body, json, trailers, informational, delay, throttle, handler, early: As
                :meth:`Expectation.respond <wptproto.expectations.expectations.Expectation.respond>` has them.

        Raises:
            ConfigError: It makes no sense.
        """
        from wptproto.expectations.answers import Said
        from wptproto.expectations.matching import NOTHING

        content, body, json = (NOTHING if one is _NOTHING else one for one in (content, body, json))
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
        return self._expectations.enqueue(said)

    def in_order(self) -> AbstractContextManager[None]:
        """
        Have what is expected within come in that order: ``with server.in_order(): server.expect(...)``.

        One that is expected any number of times may come until the next one has.
        """
        return self._expectations.in_order()

    @property
    def mismatches(self) -> list[Mismatch]:
        """The requests that were answered by 500, since nobody expected them; the last thousand."""
        found = self.__dict__.get("_expectations_made")
        return [] if found is None else list(found.mismatches.copy())

    # --- what came of it -----------------------------------------------------------------------

    def check(self, *, timeout: float = 0.0, errors: bool = True, violations: bool = True) -> None:
        """
        Return if all went as expected.

        Args:
            timeout: How many seconds to wait for what is expected and has not come.
            errors: Whether an error in a handler is held against the test.
            violations: Whether it is that the client broke the protocol.

        Raises:
            UnmetExpectations: It did not; the text lists expectations that nobody met, requests that nobody
                expected, with what was different, errors of handlers, with tracebacks, and violations.
        """
        from wptproto.server.verdict import complaints

        expected: Expectations | None = self.__dict__.get("_expectations_made")
        if expected is not None and timeout > 0:
            expected.changes.wait_for(
                lambda: None if expected.unmet and self._loop() is not None else True, timeout
            )
        if self._archive is not None:
            self._archive.settle(self._loop())
        found = complaints(expected, self._archive, errors=errors, violations=violations)
        if found:
            raise UnmetExpectations(found)

    def clear(self) -> None:
        """Forget what was expected and queued, and what has been recorded; routes stay."""
        expected = self.__dict__.get("_expectations_made")
        if expected is not None:
            expected.clear()
        if self._archive is not None:
            self._archive.clear()

    # --- what happened -------------------------------------------------------------------------

    @property
    def records(self) -> bool:
        """Whether exchanges are recorded."""
        return self._archive is not None

    @property
    def exchanges(self) -> list[ExchangeRecord]:
        """
        The exchanges that are recorded, in the order in which the heads of requests came.

        Whoever has a whole response finds its exchange here as it ended. On other threads than an async
        handler's this waits for that, for a second at the most.

        Raises:
            ConfigError: Nothing is recorded.
        """
        archive = self._records("exchanges")
        archive.settle(self._loop())
        return archive.exchanges()

    @property
    def exchange_count(self) -> int:
        """How many exchanges there have been, those included whose records had to go."""
        return self._records("exchange_count").exchange_count

    @property
    def connections(self) -> list[ConnectionRecord]:
        """The connections that are recorded, in the order of their beginning; ConfigError if none are."""
        return self._records("connections").connections()

    @property
    def violations(self) -> list[Violation]:
        """By what clients broke the protocol, in the order in which it was found; ConfigError as above."""
        return self._records("violations").violations()

    def take_request(self, *, timeout: float = 5.0) -> ExchangeRecord:
        """
        Return the next request that has come whole, or as whole as it will be; each is returned once.

        Args:
            timeout: How many seconds to wait for it.

        Raises:
            WaitError: It did not come, or the server stopped; says what came.
            ConfigError: Nothing is recorded.
        """
        return self._waits("take_request").take(timeout)

    async def take_request_async(self, *, timeout: float = 5.0) -> ExchangeRecord:  # noqa: ASYNC109
        """Do as :meth:`take_request` does, from a coroutine of any asyncio loop."""
        return await self._waits("take_request").take_async(timeout)

    def wait(
        self,
        what: int | Predicate = 1,
        *,
        count: int = 1,
        method: str | None = None,
        path: str | None = None,
        whole: bool = True,
        timeout: float = 5.0,
    ) -> list[ExchangeRecord]:
        """
        Wait for requests, those included that came before.

        Args:
            what: How many; or what says of an exchange whether it is one of them, as it goes on.
            count: How many, where *what* is such a function.
            method: Theirs; None is any.
            path: Theirs, a pattern as routes have; None is any.
            whole: Whether they count when they have come whole, or when their heads have.
            timeout: How many seconds to wait.

        Returns:
            The first so many of them.

        Raises:
            WaitError: They did not come, or the server stopped; says what came.
            ConfigError: Nothing is recorded, or it makes no sense.
        """
        from wptproto.server.waits import Wanted

        wanted = Wanted(what, count=count, method=method, path=path, whole=whole)
        return self._waits("wait").wait(wanted, timeout)

    async def wait_async(
        self,
        what: int | Predicate = 1,
        *,
        count: int = 1,
        method: str | None = None,
        path: str | None = None,
        whole: bool = True,
        timeout: float = 5.0,  # noqa: ASYNC109
    ) -> list[ExchangeRecord]:
        """Do as :meth:`wait` does, from a coroutine of any asyncio loop."""
        from wptproto.server.waits import Wanted

        wanted = Wanted(what, count=count, method=method, path=path, whole=whole)
        return await self._waits("wait").wait_async(wanted, timeout)

    def record_nothing(self) -> None:
        """Keep no records of connections to come, and forget those there are."""
        archive, self._archive = self._archive, None
        if archive is not None:
            archive.stop()

    # --- within --------------------------------------------------------------------------------

    @property
    def _expectations(self) -> Expectations:
        found: Expectations | None = self.__dict__.get("_expectations_made")
        if found is None:
            from wptproto.expectations.expectations import Expectations

            # Two threads may be at it; one of them is first.
            found = self.__dict__.setdefault("_expectations_made", Expectations(self._check_fault))
        return found

    def _find_first(self, request: Request, route: Callable[[Request], Handler | None]) -> Handler | None:
        expected = self.__dict__.get("_expectations_made")
        found: Handler | None = route(request) if expected is None else expected.find(request, route)
        return found

    def _records(self, what: str) -> Archive:
        if self._archive is None:
            raise ConfigError(f"{what}: this server records nothing; Server(record=True) does")
        return self._archive

    def _waits(self, what: str) -> Waits:
        from wptproto.server.waits import Waits

        return Waits(self._records(what), self._loop)

    def _loop(self) -> AbstractEventLoop | None:
        """Return the loop that serves; None where none does."""
        engine = self._engine
        return engine.loop if engine is not None and engine.started else None

    def _all_changes(self) -> list[Changes]:
        found = [] if self._archive is None else [self._archive.changes]
        expected = self.__dict__.get("_expectations_made")
        return found if expected is None else [*found, expected.changes]
