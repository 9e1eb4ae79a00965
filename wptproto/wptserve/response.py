"""wptserve.response: what a handler fills in; ours, and multipart content."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator

from wptproto.exchange.h2_writer import H2ResponseWriter
from wptproto.exchange.response import Response, ResponseHeaders
from wptproto.exchange.writer import ResponseWriter
from wptproto.semantics.fields import Value, to_octets

__all__ = [
    "H2Response",
    "H2ResponseWriter",
    "MultipartContent",
    "MultipartPart",
    "Response",
    "ResponseHeaders",
    "ResponseWriter",
]

H2Response = Response


class MultipartPart:
    """One part: fields and octets."""

    def __init__(
        self, data: bytes, content_type: Value | None = None, headers: Iterable[tuple[Value, Value]] = ()
    ) -> None:
        """
        Args:
            data: The octets.
            content_type: The type of the part; one among the *headers* takes its place.
            headers: More fields.
        """
        self.data = data
        self.headers = ResponseHeaders()
        if content_type is not None:
            self.headers.set("Content-Type", content_type)
        for name, value in headers or ():
            is_type = to_octets(name).lower() == b"content-type"
            (self.headers.set if is_type else self.headers.append)(name, value)

    def to_bytes(self) -> bytes:
        """Return fields, an empty line, and the octets (RFC 2046 §5.1)."""
        lines = [name + b": " + value for name, value in self.headers]
        return b"\r\n".join([*lines, b"", self.data])


class MultipartContent:
    """
    Content of several parts, to which they can be added until it is sent.

    The type of the content is for the handler to set: ``multipart/...; boundary=`` and ``boundary``.

    Attributes:
        boundary: What separates the parts.
    """

    def __init__(self, boundary: str | None = None, default_content_type: Value | None = None) -> None:
        """
        Args:
            boundary: None makes one up.
            default_content_type: Of parts that come without.
        """
        self.boundary = str(uuid.uuid4()) if boundary is None else boundary
        self.default_content_type = default_content_type
        self.items: list[MultipartPart] = []

    def append_part(
        self, data: bytes, content_type: Value | None = None, headers: Iterable[tuple[Value, Value]] = ()
    ) -> None:
        """Add a part, as :class:`MultipartPart` takes it."""
        given = self.default_content_type if content_type is None else content_type
        self.items.append(MultipartPart(data, given, headers))

    def __call__(self) -> bytes:
        """Return all of it as octets, which begin with a line break (RFC 2046 §5.1.1)."""
        delimiter = b"\r\n--" + self.boundary.encode("ascii")
        return b"".join(delimiter + b"\r\n" + part.to_bytes() for part in self.items) + delimiter + b"--"

    def __iter__(self) -> Iterator[Callable[[], bytes]]:
        """Iterate as response content does: over one function, called when its turn comes."""
        yield self
