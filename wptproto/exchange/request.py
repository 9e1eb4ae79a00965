"""Request: what a handler reads. The names are wptserve's; bytes are octets, str is text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, overload
from urllib.parse import SplitResult, urlsplit

from wptproto.exchange.content import RequestContent
from wptproto.semantics.fields import Fields, to_octets
from wptproto.semantics.forms import MultiDict, parse_urlencoded
from wptproto.semantics.message import RequestHead

__all__ = ["Request", "RequestHeaders"]

D = TypeVar("D")

_MISSING = object()


class RequestHeaders:
    """A request's fields, found without case; names may be str or bytes, values are bytes."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def __getitem__(self, name: str | bytes) -> bytes:
        """Return the value; several field lines of one name are joined by commas (RFC 9110 §5.3)."""
        value = self._fields.get(to_octets(name))
        if value is None:
            raise KeyError(name)
        return value

    @overload
    def get(self, name: str | bytes) -> bytes | None: ...
    @overload
    def get(self, name: str | bytes, default: D) -> bytes | D: ...
    def get(self, name: str | bytes, default: object = None) -> object:
        """Return the value as ``[]`` does, or *default*."""
        value = self._fields.get(to_octets(name))
        return default if value is None else value

    @overload
    def get_list(self, name: str | bytes) -> list[bytes]: ...
    @overload
    def get_list(self, name: str | bytes, default: D) -> list[bytes] | D: ...
    def get_list(self, name: str | bytes, default: object = _MISSING) -> object:
        """Return the values of all field lines of a name; KeyError where there are none and no default."""
        values = self._fields.get_list(to_octets(name))
        if not values:
            if default is _MISSING:
                raise KeyError(name)
            return default
        return values

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str | bytes) and to_octets(name) in self._fields

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the names, in lower case, each once, in the order of their first lines."""
        return iter(dict.fromkeys(name.lower() for name, _ in self._fields))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def keys(self) -> list[bytes]:
        """Return the names, in lower case."""
        return list(self)

    def values(self) -> list[bytes]:
        """Return the values, as ``[]`` gives them."""
        return [self[name] for name in self]

    def items(self) -> list[tuple[bytes, bytes]]:
        """Return each name, in lower case, with its value as ``[]`` gives it."""
        return [(name, self[name]) for name in self]

    def __repr__(self) -> str:
        return f"RequestHeaders({self.items()!r})"


class Request:
    """
    A request, from the moment its head is there.

    Attributes:
        method: The method token.
        url: The absolute URL, as text of one character to one octet.
        url_parts: The URL taken apart, as by ``urllib.parse.urlsplit``.
        request_path: The request target as received; over HTTP/2 ``:path``.
        protocol_version: ``HTTP/1.0``, ``HTTP/1.1`` or ``HTTP/2.0``.
        client_address: Address and port of the client.
        raw_headers: The fields in order, with case and repetition as received.
        raw_input: The content, as a file that may still be growing.
        doc_root: The directory that is served, or None.
        server: The server that took the request.
        route_match: What the groups of the route's pattern matched, ``*`` among them.
    """

    def __init__(
        self,
        head: RequestHead,
        content: RequestContent,
        *,
        scheme: str,
        client_address: tuple[str, int],
        server_address: tuple[str, int],
        server: Any = None,
        doc_root: str | None = None,
    ) -> None:
        self.head = head
        self.method = head.method
        self.request_path = head.target.decode("latin-1")
        self.protocol_version = head.version
        self.client_address = client_address
        self.raw_headers = head.fields
        self.raw_input = content
        self.server = server
        self.doc_root = doc_root
        self.route_match: dict[str, str] = {}
        self._scheme = scheme
        self._server_address = server_address
        self._url: str | None = None
        self._url_parts: SplitResult | None = None
        self._headers: RequestHeaders | None = None
        self._get: MultiDict[bytes] | None = None

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url}>"

    @property
    def url(self) -> str:
        if self._url is None:
            authority = self.head.authority.decode("latin-1")
            if not authority:
                host, port = self._server_address
                authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            path = self.head.path.decode("latin-1")
            self._url = f"{self._scheme}://{authority}{'/' if path == '*' else ''}{path}"
        return self._url

    @property
    def url_parts(self) -> SplitResult:
        if self._url_parts is None:
            self._url_parts = urlsplit(self.url)
        return self._url_parts

    @property
    def path(self) -> str:
        """The path that routes are matched with: from the first ``/`` to the query, not decoded."""
        return self.head.path.partition(b"?")[0].decode("latin-1")

    @property
    def headers(self) -> RequestHeaders:
        """The fields, found without case."""
        if self._headers is None:
            self._headers = RequestHeaders(self.head.fields)
        return self._headers

    @property
    def body(self) -> bytes:
        """The whole content; waits until it is there. ``raw_input`` stays where it was."""
        position = self.raw_input.tell()
        self.raw_input.seek(0)
        try:
            return self.raw_input.read()
        finally:
            self.raw_input.seek(position)

    @property
    def GET(self) -> MultiDict[bytes]:
        """The names and values of the URL's query, as octets."""
        if self._get is None:
            self._get = parse_urlencoded(self.head.path.partition(b"?")[2])
        return self._get
