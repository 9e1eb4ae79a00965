"""Response: what a handler fills in. The names are wptserve's."""

from __future__ import annotations

import io
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar, overload

from wptproto.exchange.options import MessageOptions
from wptproto.exchange.request import Request
from wptproto.exchange.writer import ResponseWriter
from wptproto.semantics.fields import FieldLine, Lines, Value, pairs, to_octets

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from wptproto.faults import Effect, Fault

__all__ = ["Content", "Response", "ResponseHeaders", "Status", "WriterFactory"]

D = TypeVar("D")

Piece = str | bytes
Content = (
    Piece
    | IO[bytes]
    | IO[str]
    | Callable[[], Piece | None]
    | Iterable[Piece | Callable[[], Piece | None] | None]
    | AsyncIterable[Piece | Callable[[], Piece | None] | None]
)
Status = int | tuple[int, str | bytes]
PushAnswer = Callable[..., object] | Content | tuple[Lines, Content] | tuple[Status, Lines, Content]

_FILE_PIECE_OCTETS = 32 * 1024
_MISSING = object()


class ResponseHeaders:
    """
    A response's fields, found without case.

    Names and values are str, bytes or int going in, and bytes coming out. What it is made of keeps
    order, case and repetition as given; what comes later joins the lines of its name, as in wptserve.
    """

    def __init__(self, items: Iterable[tuple[Value, Value]] = ()) -> None:
        self._lines: list[FieldLine] = [(to_octets(name), to_octets(value)) for name, value in items]

    def set(self, name: Value, value: Value) -> None:
        """Make *value* the one value of a field, in the place of its first line, if it had any."""
        line = (to_octets(name), to_octets(value))
        places = self._places(line[0])
        if not places:
            self._lines.append(line)
            return
        self._lines[places[0]] = line
        for place in reversed(places[1:]):
            del self._lines[place]

    def append(self, name: Value, value: Value) -> None:
        """Add a field line behind those of its name, written as the first of them; else behind all others."""
        line = (to_octets(name), to_octets(value))
        places = self._places(line[0])
        if not places:
            self._lines.append(line)
            return
        self._lines.insert(places[-1] + 1, (self._lines[places[0]][0], line[1]))

    @overload
    def get(self, name: Value) -> list[bytes]: ...
    @overload
    def get(self, name: Value, default: D) -> list[bytes] | D: ...
    def get(self, name: Value, default: object = _MISSING) -> object:
        """Return the values of a field; where it has none, *default*, or an empty list."""
        if name in self:
            return self[name]
        return [] if default is _MISSING else default

    def items(self) -> list[FieldLine]:
        """Return all field lines, in order."""
        return list(self._lines)

    def update(self, items: Iterable[tuple[Value, Value]]) -> None:
        """Append each name and value."""
        for name, value in items:
            self.append(name, value)

    def __getitem__(self, name: Value) -> list[bytes]:
        places = self._places(to_octets(name))
        if not places:
            raise KeyError(name)
        return [self._lines[place][1] for place in places]

    def __setitem__(self, name: Value, value: Value) -> None:
        self.set(name, value)

    def __delitem__(self, name: Value) -> None:
        places = self._places(to_octets(name))
        if not places:
            raise KeyError(name)
        for place in reversed(places):
            del self._lines[place]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str | bytes | int) and bool(self._places(to_octets(name)))

    def __iter__(self) -> Iterator[FieldLine]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __repr__(self) -> str:
        return f"ResponseHeaders({self._lines!r})"

    def _places(self, name: bytes) -> list[int]:
        name = name.lower()
        return [place for place, (key, _) in enumerate(self._lines) if key.lower() == name]


class WriterFactory(Protocol):
    """Who makes a response's writer; it knows which protocol carries the exchange."""

    def make_writer(self, options: MessageOptions) -> ResponseWriter:
        """Return the writer for the one response of the exchange."""


class Response(MessageOptions):
    """
    The response to a request.

    A handler fills it in and returns, or drives ``writer`` step by step.

    Attributes:
        request: What it answers.
        content: str, bytes, a file (sent in pieces, closed after), a function of no parameters, or
            an iterable whose items are str, bytes, None, or functions that return one of these.
        writer: Sends the response step by step.
    """

    given_trailers: ResponseHeaders | None

    def __init__(self, handler: WriterFactory, request: Request) -> None:
        self.request = request
        self.content: Any = []
        self.writer = handler.make_writer(self)
        self._status: Status = 200
        self._headers = ResponseHeaders()
        self._length: int | None = None  # of the content, as it was when the head was sent

    @property
    def status(self) -> tuple[int, str | bytes | None]:
        """Status code and reason phrase; None stands for the usual phrase. An int sets the code alone."""
        if isinstance(self._status, tuple):
            return self._status
        return self._status, None

    @status.setter
    def status(self, value: Status) -> None:
        given: Any = value  # scripts are not typed
        match given:
            case int():
                self._status = int(given)
            case (code, message):
                self._status = (int(code), message if isinstance(message, str | bytes) else str(message))
            case _:
                raise ValueError(f"a status is a code, or a code and a message, not {value!r}")

    @property
    def headers(self) -> ResponseHeaders:
        """The fields to be sent; can be set to a list of pairs."""
        return self._headers

    @headers.setter
    def headers(self, items: ResponseHeaders | Iterable[tuple[Value, Value]]) -> None:
        self._headers = items if isinstance(items, ResponseHeaders) else ResponseHeaders(items)

    @property
    def trailers(self) -> ResponseHeaders:
        """
        The fields that follow the content (RFC 9110 §6.5); can be set to pairs, or a mapping.

        They are sent when all content is, so what yields content may set them until it ends. With any of them
        the content is chunked over HTTP/1.1, and has no Content-Length. Where there is no content there are
        no trailers.
        """
        trailers = self.given_trailers
        if trailers is None:
            trailers = self.given_trailers = ResponseHeaders()
        return trailers

    @trailers.setter
    def trailers(self, items: ResponseHeaders | Lines) -> None:
        self.given_trailers = items if isinstance(items, ResponseHeaders) else ResponseHeaders(pairs(items))

    # --- server push ---------------------------------------------------------------------------

    @property
    def can_push(self) -> bool:
        """
        Whether :meth:`push` would be taken now.

        That is over HTTP/2, if the client allows it, as most do not, for a request that it has made itself.
        """
        return self.writer.can_push

    def push(
        self, path: Value, headers: Lines = (), method: str = "GET", *, answer: PushAnswer | None = None
    ) -> int:
        """
        Promise the response to a request that the client has not made yet, and have the server give it.

        Best before any content that names it, for then the client does not ask for it by itself.

        Args:
            path: Path and query of the request, which is for the host that this one is for.
            headers: More of its fields: names and values, or a mapping of these.
            method: GET or HEAD.
            answer: A handler, or what one may return, such as ``(status, headers, content)``; None has the
                server answer it by its routes, as if the client had asked.

        Returns:
            The number of the stream of that response.

        Raises:
            LocalProtocolError: It cannot be, as :attr:`can_push` would have told, or is no request.
            ExchangeClosed: The client is gone, or this response is through.

        RFC 9113 §8.4.
        """
        from wptproto.exchange.pushing import promised_section  # not needed by those who never push

        lines = promised_section(self.request, path, headers, method)
        handler = answer if answer is None or callable(answer) else lambda *_: answer
        return self.writer.promise(lines, handler)

    # --- cookies -------------------------------------------------------------------------------

    def set_cookie(
        self,
        name: str | bytes,
        value: str | bytes | None,
        path: str | None = "/",
        domain: str | None = None,
        max_age: float | timedelta | None = None,
        expires: datetime | timedelta | None = None,
        samesite: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        comment: str | None = None,
    ) -> None:
        """
        Add a Set-Cookie field (RFC 6265 §4.1). Name, value and attributes go out as they are.

        Args:
            name: The cookie's name.
            value: Its value; None deletes the cookie on the client.
            path: Where it applies.
            domain: Whose it is; None means this host's alone.
            max_age: Seconds, or a timedelta, until it expires.
            expires: When it expires, or how long from now; a datetime without a zone is UTC.
            samesite: ``Strict``, ``Lax`` or ``None``.
            secure: Send it over secure connections only.
            httponly: Hide it from scripts.
            comment: An attribute of RFC 2109 times, ignored by clients.
        """
        from wptproto.semantics.set_cookie import set_cookie

        line = set_cookie(name, value, path, domain, max_age, expires, samesite, secure, httponly, comment)
        self.headers.append(b"Set-Cookie", line)

    def unset_cookie(self, name: str | bytes) -> None:
        """Take a cookie out of those to be sent with this response."""
        prefix = to_octets(name) + b"="
        self._headers = ResponseHeaders(
            (key, value)
            for key, value in self._headers
            if not (key.lower() == b"set-cookie" and value.startswith(prefix))
        )

    def delete_cookie(self, name: str | bytes, path: str | None = "/", domain: str | None = None) -> None:
        """Delete a cookie on the client: make it empty, and expired in the past."""
        self.set_cookie(name, None, path=path, domain=domain)

    # --- content -------------------------------------------------------------------------------

    def content_length(self) -> int | None:
        """Return how many octets the content has, None where only sending it would tell."""
        pieces = self._ready_pieces()
        if pieces is not None:
            return sum(map(len, pieces))
        if hasattr(self.content, "read") and not isinstance(self.content, io.TextIOBase):
            return _remaining_octets(self.content)
        return None

    def iter_content(self, read_file: bool = False) -> Iterator[bytes]:
        """
        Iterate over the content as octets; functions in it are called when their turn comes.

        Args:
            read_file: Whether a file comes as one piece instead of many.
        """
        content = self.content
        if content is None:
            return
        if isinstance(content, str | bytes):
            if content:
                yield self.writer.encode(content)
        elif hasattr(content, "read"):
            yield from self._iter_file(content, -1 if read_file else _FILE_PIECE_OCTETS)
        elif callable(content) and not isinstance(content, Iterable):
            piece = content()
            if piece:
                yield self.writer.encode(piece)
        else:
            try:
                for item in content:
                    piece = item() if callable(item) else item
                    if piece:
                        yield self.writer.encode(piece)
            finally:
                close = getattr(content, "close", None)
                if close is not None:
                    close()

    def _iter_file(self, file: IO[bytes], size: int) -> Iterator[bytes]:
        """A file that grows after the head was sent is sent as far as the head said."""
        left = self._length
        try:
            while left is None or left > 0:
                piece = self.writer.encode(file.read(size if left is None or size < 0 else min(size, left)))
                if not piece:
                    break
                if left is not None:
                    piece = piece[:left]
                    left -= len(piece)
                yield piece
        finally:
            file.close()

    def close_content(self) -> None:
        """Close a file or a generator that will not be sent, or not to its end."""
        close = getattr(self.content, "close", None)
        if close is not None:
            close()

    def set_error(self, code: int, message: object = "") -> None:
        """Make this an error: the status, and JSON that says which and why."""
        import json

        data = json.dumps({"error": {"code": code, "message": "" if message is None else str(message)}})
        self.status = code
        self.headers = [("Content-Type", "application/json"), ("Content-Length", len(data))]
        self.content = data
        self.given_trailers = None

    # --- doing wrong ---------------------------------------------------------------------------

    def fault(
        self,
        what: str | Effect | Fault,
        *arguments: Any,
        at: str | None = None,
        octet: int | None = None,
        **named: Any,
    ) -> None:
        """
        Have something go wrong with this response, or with its connection.

        Without *at* and *octet* it goes wrong here, behind what was written, once the handler has begun to
        write; before that, at the effect's own moment, as when a handler that fills in its response returns.

        Args:
            what: The effect, as ``reset`` or ``truncate``; :mod:`wptproto.faults` has them all.
            arguments: Of the effect.
            at: A moment that is still to come: ``response_head``, ``response_content``, ``end``, ``idle``.
            octet: Behind how many octets of content.
            named: Of the effect.

        Raises:
            FaultError: There is no such fault, it has no meaning over this protocol, or its moment is over.
        """
        from wptproto.faults import as_fault

        found = as_fault(what, *arguments, at=at, octet=octet, **named).in_response()
        protocol = "HTTP/2" if self.request.protocol_version == "HTTP/2.0" else "HTTP/1.1"
        found.check(protocol=protocol, is_tls=self.request.url.startswith("https:"))
        is_now = isinstance(what, str) and at is None and octet is None and self.writer.committed
        self.writer.misbehave(found, is_now=is_now)

    # --- sending -------------------------------------------------------------------------------

    def write_status_headers(self) -> None:
        """
        Send status and fields, as one piece.

        Without content it is left open how long that will be: the script may write it by itself.
        """
        self._send_head(self.content_length() or None)

    def write_content(self) -> None:
        """Send the content; stop where the peer has gone."""
        if self._sends_content():
            pieces = self.iter_content()
            try:
                for piece in pieces:
                    if not self.writer.write_content(piece):
                        break
            finally:
                pieces.close()  # type: ignore[attr-defined]  # a generator; so what it reads from is closed
        else:
            self.close_content()

    def write(self, *, ends: bool = False) -> None:
        """
        Send all of it; what is ready goes out at once, in one piece.

        Args:
            ends: The end of the response follows, so what is ready waits for it.
        """
        pieces = self._ready_pieces()
        if pieces is None:
            self._send_head(self.content_length())
            self.write_content()
            return
        self._put_head(sum(map(len, pieces)))
        if self._sends_content():
            for piece in pieces:
                self.writer.put_content(piece)
        if not (ends or self.explicit_flush):
            self.writer.flush()

    async def write_async(self) -> None:
        """Do as :meth:`write` does with content from an async iterable, waiting where the client is slow."""
        self._send_head(None)
        try:
            async for item in self.content if self._sends_content() else _nothing():
                piece = item() if callable(item) else item
                if piece and not await self.writer.write_content(piece):
                    break
        finally:
            close = getattr(self.content, "aclose", None)
            if close is not None:
                await close()

    def content_is_ready(self) -> bool:
        """Whether all of the content is in memory already."""
        return self._ready_pieces() is not None

    def _ready_pieces(self) -> list[bytes] | None:
        """Return the content as octets, in the pieces it was given in; None if it is not all in memory."""
        content = self.content
        if content is None:
            return []
        if isinstance(content, str | bytes):
            return [self.writer.encode(content)] if content else []
        if not isinstance(content, list | tuple) or any(callable(item) for item in content):
            return None
        return [self.writer.encode(item) for item in content if item is not None]

    def _send_head(self, length: int | None) -> None:
        self._put_head(length)
        if not self.explicit_flush:
            self.writer.flush()

    def _put_head(self, length: int | None) -> None:
        self._length = length
        self.writer.put_head(*self.status, self._headers, length)

    def _sends_content(self) -> bool:
        return self.request.method != "HEAD" or self.send_body_for_head_request


async def _nothing() -> AsyncIterator[Piece]:
    return
    yield


def _remaining_octets(file: IO[bytes]) -> int | None:
    try:
        position = file.tell()
        end = file.seek(0, io.SEEK_END)
        file.seek(position)
    except (OSError, AttributeError, ValueError):
        return None  # a pipe, or something that only reads
    return end - position
