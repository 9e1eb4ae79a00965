"""Request: what a handler reads. The names are wptserve's; bytes are octets, str is text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import SEEK_END
from typing import TYPE_CHECKING, Any, TypeVar, overload
from urllib.parse import SplitResult, urlsplit

from wptproto.errors import NeedsHTTP2
from wptproto.exchange.content import RequestContent
from wptproto.semantics.authentication import Authentication
from wptproto.semantics.fields import Fields, to_octets
from wptproto.semantics.forms import MultiDict, parse_urlencoded
from wptproto.semantics.message import RequestHead

if TYPE_CHECKING:  # few requests are asked for these
    from wptproto.exchange.frames import Frame, RequestFrames
    from wptproto.exchange.raw_headers import RawHeaders
    from wptproto.semantics.cookies import Cookies
    from wptproto.semantics.form_content import FormValue
    from wptproto.semantics.priority import Priority

__all__ = ["Request", "RequestHeaders"]

D = TypeVar("D")

_MISSING = object()
_PORT = re.compile(r":[0-9]+\Z")


class RequestHeaders(dict[Any, list[bytes]]):
    """
    A request's fields, found without case; names may be str or bytes, values are bytes.

    It is a dict of names in lower case to lists of values, and scripts written for wptserve count on
    that; but ``[]`` and ``get`` are a field's whole value, its lines joined by commas (RFC 9110 §5.3).
    """

    def __init__(self, fields: Fields) -> None:
        super().__init__()
        for name, value in fields:
            self.setdefault(name.lower(), []).append(value)

    def __getitem__(self, name: str | bytes) -> bytes:  # type: ignore[override]
        """Return the value; KeyError where there is none."""
        return b", ".join(self.get_list(name))

    @overload  # type: ignore[override]
    def get(self, name: str | bytes) -> bytes | None: ...
    @overload
    def get(self, name: str | bytes, default: D) -> bytes | D: ...
    def get(self, name: str | bytes, default: object = None) -> object:
        """Return the value as ``[]`` does, or *default*."""
        values = self.get_list(name, None)
        return default if values is None else b", ".join(values)

    @overload
    def get_list(self, name: str | bytes) -> list[bytes]: ...
    @overload
    def get_list(self, name: str | bytes, default: D) -> list[bytes] | D: ...
    def get_list(self, name: str | bytes, default: object = _MISSING) -> object:
        """Return the values of all field lines of a name; KeyError where there are none and no default."""
        values = super().get(to_octets(name).lower())
        if values is not None:
            return list(values)
        if default is _MISSING:
            raise KeyError(name)
        return default

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str | bytes) and super().__contains__(to_octets(name).lower())

    def itervalues(self) -> Iterator[bytes]:
        """Iterate over the values, as ``[]`` gives them."""
        return (self[name] for name in self)

    def iteritems(self) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the names, in lower case, with their values as ``[]`` gives them."""
        return ((name, self[name]) for name in self)

    def __repr__(self) -> str:
        return f"RequestHeaders({super().__repr__()})"


class Request:
    """
    A request, from the moment its head is there.

    Attributes:
        method: The method token.
        url: The absolute URL, always with a port, as text of one character to one octet.
        url_parts: The URL taken apart, as by ``urllib.parse.urlsplit``.
        request_path: The request target as received, over HTTP/2 ``:path``; path and query if rewritten.
        protocol_version: ``HTTP/1.0``, ``HTTP/1.1`` or ``HTTP/2.0``.
        client_address: Address and port of the client.
        raw_input: The content, as a file that may still be growing.
        doc_root: The directory that is served, or None.
        url_base: The path below which a handler's directory is mounted.
        server: The server that took the request.
        route_match: What the groups of the route's pattern matched, ``*`` among them.
    """

    # What is made when somebody asks for it.
    _frames: RequestFrames | None = None
    _path: str | None = None
    _url: str | None = None
    _url_parts: SplitResult | None = None
    _headers: RequestHeaders | None = None
    _raw_headers: RawHeaders | None = None
    _get: MultiDict[bytes] | None = None
    _post: MultiDict[FormValue] | None = None
    _cookies: Cookies | None = None
    _auth: Authentication | None = None
    _trailers: RequestHeaders | None = None
    _priority: Priority | None = None
    _newer_priority: Priority | None = None

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
        h2_stream_id: int | None = None,
        has_content: bool = True,
    ) -> None:
        self.head = head
        self.method = head.method
        self.request_path = head.target.decode("latin-1")
        self.protocol_version = head.version
        self.client_address = client_address
        self.raw_input = content
        self.server = server
        self.doc_root = doc_root
        self.url_base = "/"
        self._has_content = has_content
        self._h2_stream_id = h2_stream_id
        self.route_match: dict[str, str] = {}
        self._scheme = scheme
        self._server_address = server_address

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url}>"

    @property
    def url(self) -> str:
        if self._url is None:
            path = self.head.path.decode("latin-1")
            self._url = f"{self._scheme}://{self._authority()}{'/' if path == '*' else ''}{path}"
        return self._url

    def _authority(self) -> str:
        """Return host and port of the URL; what the client left out of them, the server knows."""
        authority = self.head.authority.decode("latin-1")
        host, port = self._server_address
        if not authority:
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        # A target in absolute-form is the URL. A Host without a port is one that the client took for the
        # usual one, or somebody leads it to ours; tests make URLs of this one, which have to lead here.
        is_absolute = not self.head.target.startswith((b"/", b"*"))
        return authority if is_absolute or _PORT.search(authority) else f"{authority}:{port}"

    @property
    def url_parts(self) -> SplitResult:
        if self._url_parts is None:
            self._url_parts = urlsplit(self.url)
        return self._url_parts

    @property
    def path(self) -> str:
        """The path that routes are matched with: from the first ``/`` to the query, not decoded."""
        if self._path is None:
            self._path = self.head.path.partition(b"?")[0].decode("latin-1")
        return self._path

    def rewrite_path(self, path: str) -> None:
        """Let the request be for another path, percent-encoded, with the query that it has."""
        mark, query = self.head.path.partition(b"?")[1:]
        target = path.encode("latin-1") + mark + query
        self.head = self.head._replace(target=target, path=target)
        self.request_path = target.decode("latin-1")
        self._path = self._url = self._url_parts = None

    @property
    def headers(self) -> RequestHeaders:
        """The fields, found without case."""
        if self._headers is None:
            self._headers = RequestHeaders(self.head.fields)
        return self._headers

    @property
    def trailers(self) -> RequestHeaders:
        """
        The fields behind the content, found without case; waits until the request has ended.

        An async handler awaits ``raw_input.read_async()`` before. ``raw_input`` stays where it was.

        Raises:
            RemoteProtocolError: The client broke the framing, or left in the midst of it.
            ExchangeClosed: The exchange was reset, or its connection is gone.
        """
        if self._trailers is None:
            position = self.raw_input.tell()
            self.raw_input.seek(0, SEEK_END)
            self.raw_input.seek(position)
            self._trailers = RequestHeaders(self.raw_input.trailers)
        return self._trailers

    @property
    def priority(self) -> Priority:
        """
        How urgent the response is to the client, who may change its mind while it waits (RFC 9218).

        It is what the last PRIORITY_UPDATE frame said, over HTTP/2, or else what the field Priority says. The
        server does not go by it.
        """
        if self._newer_priority is not None:
            return self._newer_priority
        if self._priority is None:
            from wptproto.semantics.priority import Priority, parse_priority

            self._priority = parse_priority(self.head.fields.get(b"priority") or b"") or Priority()
        return self._priority

    def prioritize(self, priority: Priority) -> None:
        """Take note that the client has changed its mind about :attr:`priority`."""
        self._newer_priority = priority

    @property
    def raw_headers(self) -> RawHeaders:
        """The fields in order, with case and repetition as received."""
        if self._raw_headers is None:
            from wptproto.exchange.raw_headers import RawHeaders

            self._raw_headers = RawHeaders(self.head.fields)
        return self._raw_headers

    @property
    def request_line(self) -> bytes:
        """The request line as received, with its CRLF; HTTP/2 has none."""
        line, end, _ = self.head.octets.partition(b"\n")
        return line + end

    @property
    def h2_stream_id(self) -> int:
        """
        The stream's number.

        Raises:
            NeedsHTTP2: The request came over HTTP/1.1.
        """
        if self._h2_stream_id is None:
            raise NeedsHTTP2("request.h2_stream_id")
        return self._h2_stream_id

    @property
    def frames(self) -> list[Frame]:
        """
        The request's frames; waits until all are there, unless the script is given them one by one.

        Raises:
            NeedsHTTP2: The request came over HTTP/1.1.
        """
        one_by_one = self._frames is not None
        frames = self.receive_frames()
        return frames.received if one_by_one else list(frames)

    def receive_frames(self) -> RequestFrames:
        """
        Return the request's frames, to iterate over as they come.

        Raises:
            NeedsHTTP2: The request came over HTTP/1.1.
        """
        if self._frames is None:
            if self._h2_stream_id is None:
                raise NeedsHTTP2("request.frames")
            from wptproto.exchange.frames import RequestFrames

            self._frames = RequestFrames(
                self.head,
                self.raw_input,
                scheme=self._scheme,
                stream_id=self._h2_stream_id,
                has_content=self._has_content,
            )
        return self._frames

    @property
    def cookies(self) -> Cookies:
        """The cookies by name."""
        if self._cookies is None:
            from wptproto.semantics.cookies import parse_cookies

            # RFC 9113 §8.2.3: "If there are multiple Cookie header fields after decompression,
            # these MUST be concatenated into a single octet string using the two-octet delimiter
            # of 0x3b, 0x20". HTTP/1.1 clients send one; two are taken in the same way.
            self._cookies = parse_cookies(b"; ".join(self.head.fields.get_list(b"cookie")))
        return self._cookies

    @property
    def auth(self) -> Authentication:
        """The client's credentials; HTTPException with 400 where they make no sense."""
        if self._auth is None:
            self._auth = Authentication(self.headers)
        return self._auth

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

    @property
    def POST(self) -> MultiDict[FormValue]:
        """
        The names and values of the form that is the content; waits until all of it is there.

        A value is octets, or a FilePart if it has a filename. ``raw_input`` stays where it was.

        Raises:
            HTTPException: 400; it is multipart content, malformed or cut short.
        """
        if self._post is None:
            from wptproto.semantics.form_content import parse_form

            content_types = self.head.fields.get_list(b"content-type")
            position = self.raw_input.tell()
            self.raw_input.seek(0)
            pieces = iter(self.raw_input.read1, b"")
            try:
                self._post = parse_form(self.method, content_types[0] if content_types else None, pieces)
            finally:
                self.raw_input.seek(position)
        return self._post
