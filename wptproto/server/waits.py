"""Waits: for requests to come, each with an end that explains itself."""

from __future__ import annotations

from asyncio import AbstractEventLoop, _get_running_loop
from collections.abc import Callable
from typing import Any

from wptproto.errors import ConfigError, RouteError, WaitError
from wptproto.handlers.router import compile_pattern
from wptproto.server.archive import Archive
from wptproto.server.exchange_record import ExchangeRecord

__all__ = ["Waits", "Wanted"]

Predicate = Callable[[ExchangeRecord], object]


class Wanted:
    """Which requests are waited for, and how many."""

    def __init__(
        self, what: int | Predicate, *, count: int, method: str | None, path: str | None, whole: bool
    ) -> None:
        """
        Args:
            what: A count, or what tells of an exchange whether it is one of them.
            count: How many.
            method: Of each; None is any.
            path: A pattern as routes have; None is any.
            whole: Whether a request counts when it has ended, or when its head has come.

        Raises:
            ConfigError: It makes no sense.
        """
        self._predicate = what if callable(what) else None
        given: Any = count if callable(what) else what  # tests are not all typed
        if isinstance(given, bool) or not isinstance(given, int) or given < 1:
            raise ConfigError(f"wait: a number of requests from 1 on, or a function, not {given!r}")
        self.count: int = given
        self._method = method
        try:
            self._path = None if path is None else compile_pattern(path)
        except RouteError as error:
            raise ConfigError(f"wait: {error}") from error
        self._path_said = path
        self._whole = whole

    def takes(self, record: ExchangeRecord) -> bool:
        """Whether an exchange is one of them."""
        return (
            record.is_decoded
            and not record.is_promised
            and (record.is_settled or not self._whole)
            and (self._method is None or record.method == self._method)
            and (self._path is None or self._path.fullmatch(record.path) is not None)
            and (self._predicate is None or bool(self._predicate(record)))
        )

    def __str__(self) -> str:
        said = "request" if self.count == 1 else "requests"
        words = [word for word in (self._method, self._path_said) if word is not None]
        if self._predicate is not None:
            words.append(f"for which {getattr(self._predicate, '__qualname__', self._predicate)} holds")
        return " ".join([str(self.count), said, *words])


class Waits:
    """Waits for what an archive will have."""

    def __init__(self, archive: Archive, loop: Callable[[], AbstractEventLoop | None]) -> None:
        """
        Args:
            archive: What it records ends them.
            loop: Returns the server's; None where that does not run, which ends them, too.
        """
        self._archive = archive
        self._loop = loop

    def take(self, timeout_s: float) -> ExchangeRecord:
        """Return the next request that is whole, once."""
        self._refuse_on_loop("take_request")
        return self._taken(self._archive.changes.wait_for(self._next, timeout_s), timeout_s)

    async def take_async(self, timeout_s: float) -> ExchangeRecord:
        """Do as :meth:`take` does, from a coroutine."""
        return self._taken(await self._archive.changes.wait_for_async(self._next, timeout_s), timeout_s)

    def wait(self, wanted: Wanted, timeout_s: float) -> list[ExchangeRecord]:
        """Return the first of the requests that are wanted, when there are enough."""
        self._refuse_on_loop("wait")
        changes = self._archive.changes
        return self._found(changes.wait_for(lambda: self._find(wanted), timeout_s), wanted, timeout_s)

    async def wait_async(self, wanted: Wanted, timeout_s: float) -> list[ExchangeRecord]:
        """Do as :meth:`wait` does, from a coroutine."""
        changes = self._archive.changes
        found = await changes.wait_for_async(lambda: self._find(wanted), timeout_s)
        return self._found(found, wanted, timeout_s)

    # --- what ends them ------------------------------------------------------------------------

    def _next(self) -> list[ExchangeRecord] | None:
        """Return a request that is whole; none where none will come any more."""
        try:
            return [self._archive.whole.popleft()]
        except IndexError:
            return None if self._loop() is not None else []

    def _taken(self, found: list[ExchangeRecord] | None, timeout_s: float) -> ExchangeRecord:
        if not found:
            raise self._error("there is no further request", found is not None, timeout_s)
        return found[0]

    def _find(self, wanted: Wanted) -> list[ExchangeRecord] | None:
        found = [record for record in self._archive.exchanges() if wanted.takes(record)][: wanted.count]
        return found if len(found) == wanted.count or self._loop() is None else None

    def _found(
        self, found: list[ExchangeRecord] | None, wanted: Wanted, timeout_s: float
    ) -> list[ExchangeRecord]:
        if found is None or len(found) < wanted.count:
            so_many = sum(1 for record in self._archive.exchanges() if wanted.takes(record))
            what = f"waited for {wanted}, and {so_many or 'none'} came"
            raise self._error(what, found is not None, timeout_s)
        return found

    def _error(self, what: str, has_stopped: bool, timeout_s: float) -> WaitError:
        from wptproto.server.telling import what_came

        archive = self._archive
        why = "the server does not run" if has_stopped else f"within {timeout_s:g} s"
        came = what_came(
            [record.line for record in archive.exchanges()],
            [str(record) for record in archive.connections() if not record.exchange_count],
            [str(violation) for violation in archive.violations()],
        )
        running = _get_running_loop()
        hint = ""
        if running is not None and not has_stopped:
            hint = (
                "\nthis thread has an asyncio loop, which stands still in a wait that is not awaited; "
                "there are take_request_async and wait_async"
            )
        return WaitError(f"{what} ({why}). What came:\n{came}{hint}")

    def _refuse_on_loop(self, name: str) -> None:
        loop = self._loop()
        if loop is not None and _get_running_loop() is loop:
            raise RuntimeError(f"an async handler must not block its loop: await {name}_async() instead")
