"""
Matching: whether a request is the one that was expected, and what is different, field by field.

What the head tells is compared when the head has come, on the loop's thread. What the content tells, and what
a function of the test's own says of the request, is compared by a handler, which may wait.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from wptproto.errors import ConfigError, RouteError
from wptproto.exchange.request import Request
from wptproto.handlers.router import compile_pattern, matched
from wptproto.semantics.fields import to_octets

__all__ = ["NOTHING", "Difference", "Matcher", "Value"]

Value = str | bytes | int | re.Pattern[str] | re.Pattern[bytes] | Callable[[str], bool]
"""What one value is to be: equal to this, matched by a pattern from end to end, or what a function says."""


class _Nothing:
    """In the place of a value, which may be None: none was given."""


NOTHING: Any = _Nothing()

PROTOCOLS = ("HTTP/1.1", "HTTP/2")


class Difference(NamedTuple):
    """
    What of a request is not as expected.

    Attributes:
        field: What is compared: ``method``, ``path``, ``header Accept``, ``query a``, ...
        expected: What it was to be, in words.
        got: What it is, in words.
    """

    field: str
    expected: str
    got: str


class Matcher:
    """
    What a request has to be.

    Attributes:
        protocol: Over what it has to come; None for any.
        needs_content: Whether the head alone does not tell.
    """

    def __init__(
        self,
        method: str | Iterable[str],
        path: str | re.Pattern[str] | None,
        *,
        headers: Mapping[str | bytes, Any] | None,
        query: Mapping[str, Any] | str | None,
        cookies: Mapping[str, Any] | None,
        protocol: str | None,
        content: Value | None,
        json: Any,
        form: Mapping[str, Any] | None,
        match: Callable[[Request], object] | None,
    ) -> None:
        """
        Args:
            method: One of these; ``*`` is any.
            path: A pattern as routes have, or a regular expression for all of it; None is any.
            headers: Values of fields, found without case; None is for one that must not be there. Others may.
            query: The names and values of the query, all of them; or the query as it stands, undecoded.
            cookies: Values of cookies, as of headers.
            protocol: ``HTTP/1.1`` or ``HTTP/2``.
            content: All of it.
            json: The value that the content is to be as JSON.
            form: The names and values of the form that the content is to be, all of them.
            match: Returns whether a request is the one, or asserts it.

        Raises:
            ConfigError: One of them makes no sense.
        """
        for name, mapping in (("headers", headers), ("cookies", cookies), ("form", form)):
            given: Any = mapping  # tests are not all typed
            if given is not None and not isinstance(given, Mapping):
                raise ConfigError(f"expect: {name} is a mapping of names to values, not {given!r}")
        if not isinstance(method, str) and not _are_names(method):
            raise ConfigError(f"expect: method is a name, or several, not {method!r}")
        self._methods = frozenset([method] if isinstance(method, str) else method)
        self._path = _path(path)
        self._path_said = "any" if path is None else path if isinstance(path, str) else repr(path)
        self._headers = dict(headers or {})
        self._query = query if query is None or isinstance(query, str) else _lists(query)
        self._cookies = dict(cookies or {})
        if protocol not in (None, *PROTOCOLS):
            raise ConfigError(f"expect: protocol is HTTP/1.1 or HTTP/2, not {protocol!r}")
        self.protocol = protocol
        self._content = content
        self._json = json
        self._form = None if form is None else _lists(form)
        self._match = match
        self.needs_content = (
            content is not None or json is not NOTHING or form is not None or match is not None
        )

    def __str__(self) -> str:
        words = ["|".join(sorted(self._methods)), self._path_said]
        if self.protocol is not None:
            words.append(f"over {self.protocol}")
        given = {
            "query": self._query,
            "headers": self._headers or None,
            "cookies": self._cookies or None,
            "content": self._content,
            "form": self._form,
            "match": self._match,
        }
        said = [f"{name}={_said(value)}" for name, value in given.items() if value is not None]
        if self._json is not NOTHING:
            said.append(f"json={self._json!r}")
        return " ".join(words) + (f" with {', '.join(said)}" if said else "")

    def takes_head(self, request: Request) -> bool:
        """Whether the head is the one; the request has its ``route_match`` then."""
        if next(self.head_differences(request), None) is not None:
            return False
        if self._path is not None and (match := self._path.fullmatch(request.path)) is not None:
            request.route_match = matched(match)
        return True

    def takes_content(self, request: Request) -> bool:
        """Whether the content is the one; waits for all of it."""
        return next(self.content_differences(request), None) is None

    # --- what the head tells -------------------------------------------------------------------

    def head_differences(self, request: Request) -> Iterator[Difference]:
        """Return what is different, as far as the head tells."""
        if request.method not in self._methods and "*" not in self._methods:
            yield Difference("method", "|".join(sorted(self._methods)), request.method)
        if self._path is not None and self._path.fullmatch(request.path) is None:
            yield Difference("path", self._path_said, request.path)
        if self.protocol is not None and _protocol(request) != self.protocol:
            yield Difference("protocol", self.protocol, _protocol(request))
        if self._query is not None:
            yield from self._query_differences(request)
        for name, value in self._headers.items():
            got = request.headers.get_list(name, None)
            yield from _compare(f"header {_text(to_octets(name))}", value, got, joined=b", ")
        for name, value in self._cookies.items():
            cookie = request.cookies.get(to_octets(name))
            yield from _compare(
                f"cookie {name}", value, None if cookie is None else [to_octets(cookie.value)]
            )

    def _query_differences(self, request: Request) -> Iterator[Difference]:
        if isinstance(self._query, str):
            got = request.head.path.partition(b"?")[2].decode("latin-1")
            if got != self._query:
                yield Difference("query", repr(self._query), repr(got))
            return
        assert self._query is not None
        yield from _compare_all("query", self._query, dict(request.GET.items()))

    # --- what the content tells ----------------------------------------------------------------

    def content_differences(self, request: Request) -> Iterator[Difference]:
        """Return what is different, as far as the content tells; waits for all of it."""
        if self._content is not None:
            yield from _compare("content", self._content, [request.body])
        if self._json is not NOTHING:
            yield from self._json_differences(request.body)
        if self._form is not None:
            got = {
                name: [value if isinstance(value, bytes) else value.file.read() for value in values]
                for name, values in request.POST.items()
            }
            yield from _compare_all("form", self._form, got)
        if self._match is not None:
            try:
                answer = self._match(request)
            except AssertionError as error:
                yield Difference("match", _said(self._match), str(error) or "AssertionError")
            else:
                if answer is not None and not answer:
                    yield Difference("match", _said(self._match), f"{answer!r}")

    def _json_differences(self, body: bytes) -> Iterator[Difference]:
        import json

        try:
            got = json.loads(body)
        except ValueError as error:
            yield Difference("json", repr(self._json), f"no JSON ({error}): {body[:200]!r}")
            return
        yield from _compare_json("json", self._json, got)


def _compare_json(where: str, expected: Any, got: Any) -> Iterator[Difference]:
    """Go down to where two values of JSON differ."""
    if isinstance(expected, Mapping) and isinstance(got, dict):
        for name in [*expected, *(name for name in got if name not in expected)]:
            yield from _compare_json(
                f"{where}[{name!r}]", expected.get(name, NOTHING), got.get(name, NOTHING)
            )
    elif isinstance(expected, list | tuple) and isinstance(got, list) and len(expected) == len(got):
        for place, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from _compare_json(f"{where}[{place}]", one, other)
    elif (
        expected is NOTHING
        or got is NOTHING
        or expected != got
        or isinstance(expected, bool) != isinstance(got, bool)
    ):
        yield Difference(
            where, *("nothing" if value is NOTHING else repr(value) for value in (expected, got))
        )


def _compare_all(
    what: str, expected: Mapping[bytes, list[Any]], got: Mapping[bytes, list[bytes]]
) -> Iterator[Difference]:
    """Compare names with all their values."""
    for name, values in expected.items():
        yield from _compare(f"{what} {_text(name)}", values, got.get(name))
    for name, found in got.items():
        if name not in expected:
            yield Difference(f"{what} {_text(name)}", "nothing", _values(found))


def _compare(
    field: str, expected: Any, got: Sequence[bytes] | None, joined: bytes | None = None
) -> Iterator[Difference]:
    """
    Compare the values of one name.

    Args:
        field: What they are of.
        expected: A value, a list of values, or None for no such name.
        got: What there is; None for no such name.
        joined: What several values are joined by where one is expected; None where that is a difference.
    """
    if got is not None and joined is not None and not isinstance(expected, list | tuple):
        got = [joined.join(got)]
    wanted = expected if isinstance(expected, list | tuple) else [expected]
    if expected is None:
        matches = got is None
    else:
        matches = got is not None and len(wanted) == len(got) and all(map(_matches, wanted, got))
    if not matches:
        said = "nothing" if expected is None else ", ".join(map(_said, wanted))
        yield Difference(field, said, "nothing" if got is None else _values(got))


def _matches(expected: Any, got: bytes) -> bool:
    if isinstance(expected, re.Pattern):
        subject = got if isinstance(expected.pattern, bytes) else got.decode("utf-8", "surrogateescape")
        return expected.fullmatch(subject) is not None
    if callable(expected):
        return bool(expected(got.decode("utf-8", "surrogateescape")))
    if isinstance(expected, str):  # by either of the ways in which text becomes octets
        return got in (to_octets(expected), expected.encode("utf-8", "surrogateescape"))
    return got == to_octets(expected)


def _are_names(given: Any) -> bool:
    return isinstance(given, Iterable) and all(isinstance(name, str) for name in given)


def _lists(given: Mapping[Any, Any]) -> dict[bytes, list[Any]]:
    """Return names as octets, each with a list of values."""
    return {
        name if isinstance(name, bytes) else str(name).encode(): list(value)
        if isinstance(value, list | tuple)
        else [value]
        for name, value in given.items()
    }


def _path(path: str | re.Pattern[str] | None) -> re.Pattern[str] | None:
    given: Any = path  # tests are not all typed
    if given is None:
        return None
    if isinstance(given, re.Pattern) and isinstance(given.pattern, str):
        return given
    if not isinstance(given, str):
        raise ConfigError(f"expect: path is a pattern, a regular expression for text, or None, not {given!r}")
    if "?" in given:
        path, _, query = given.partition("?")
        raise ConfigError(f"expect: the path {given!r} has a query; say path={path!r}, query={query!r}")
    try:
        return compile_pattern(given)
    except RouteError as error:
        raise ConfigError(f"expect: {error}") from error


def _protocol(request: Request) -> str:
    return "HTTP/2" if request.protocol_version == "HTTP/2.0" else "HTTP/1.1"


def _said(value: Any) -> str:
    if isinstance(value, re.Pattern):
        return f"/{value.pattern!r}/"
    if callable(value):
        return getattr(value, "__qualname__", repr(value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_name(name)}: {_said(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return _said(value[0]) if len(value) == 1 else "[" + ", ".join(map(_said, value)) + "]"
    if isinstance(value, bytes):
        return repr(_text(value))
    return repr(value)


def _name(name: str | bytes) -> str:
    return name if isinstance(name, str) else _text(name)


def _values(values: Sequence[bytes]) -> str:
    return ", ".join(repr(_text(value[:1000])) for value in values)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")
