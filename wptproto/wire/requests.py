"""What a client asked for, as a test sees it that reads the wire: over HTTP/2 and over HTTP/1.1."""

from __future__ import annotations

from dataclasses import dataclass, field

from wptproto.protocol.h2_field_blocks import Representation
from wptproto.protocol.h2_frame_types import BlockFrame, HeadersFrame, PriorityFields
from wptproto.semantics.fields import FieldLine, Fields

__all__ = ["H1Head", "H1Request", "H2Request", "Section"]


@dataclass(frozen=True, slots=True)
class Section:
    """
    A header or trailer section of HTTP/2 (RFC 9113 §8.1).

    Attributes:
        frames: HEADERS, and the CONTINUATION frames behind it.
        lines: All its field lines in order, pseudo-fields among them, as octets; empty where the field block
            could not be decoded.
        representations: How each of them was compressed, changes of the table's size among them.
    """

    frames: tuple[BlockFrame, ...]
    lines: tuple[FieldLine, ...]
    representations: tuple[Representation, ...]

    @property
    def stream_id(self) -> int:
        """The stream."""
        return self.frames[0].stream_id

    @property
    def end_stream(self) -> bool:
        """Whether the client sends nothing more on the stream."""
        return self.frames[0].end_stream

    @property
    def priority(self) -> PriorityFields | None:
        """The priority fields of HEADERS, if it has them (RFC 9113 §6.2)."""
        first = self.frames[0]
        return first.priority if isinstance(first, HeadersFrame) else None

    @property
    def fields(self) -> Fields:
        """The field lines without pseudo-fields; found without case, order and repetition kept."""
        return Fields(line for line in self.lines if not line[0].startswith(b":"))

    @property
    def method(self) -> str | None:
        """``:method``, None where there is none."""
        return self.pseudo("method")

    @property
    def path(self) -> str | None:
        """``:path``, None where there is none."""
        return self.pseudo("path")

    @property
    def scheme(self) -> str | None:
        """``:scheme``, None where there is none."""
        return self.pseudo("scheme")

    @property
    def authority(self) -> str | None:
        """``:authority``, None where there is none."""
        return self.pseudo("authority")

    def pseudo(self, name: str) -> str | None:
        """Return a pseudo-field's first value, given its name without the colon."""
        wanted = f":{name}".encode()
        return next((value.decode("latin-1") for found, value in self.lines if found == wanted), None)


@dataclass(slots=True)
class H2Request:
    """
    A whole request over HTTP/2.

    Attributes:
        head: Its header section.
        content: All of its content, without padding.
        trailers: Its trailer section, if there is one.
    """

    head: Section
    content: bytes = b""
    trailers: Section | None = None

    @property
    def stream_id(self) -> int:
        """The stream."""
        return self.head.stream_id


@dataclass(frozen=True, slots=True)
class H1Head:
    """
    A head over HTTP/1.1, as far as it can be read.

    Attributes:
        octets: All of it, as it came, the empty line behind it included.
        method: Its first word.
        target: Its second word, as it came.
        version: Its third word, as it came.
        fields: Field lines in order, in the case as they came; what is none, has no colon, has an empty
            value.
        length: How many octets of content follow; None for chunks.
        expects_continue: Whether the client waits for ``100 Continue`` before it sends content.
    """

    octets: bytes
    method: str
    target: str
    version: str
    fields: Fields
    length: int | None
    expects_continue: bool


@dataclass(slots=True)
class H1Request:
    """
    A whole request over HTTP/1.1.

    Attributes:
        head: Its head.
        content: All of its content, without its framing.
        chunks: The sizes of its chunks, the last one of 0 aside; empty where it has none.
        trailers: The field lines behind the last chunk.
        octets: All of it as it came, framing and all.
    """

    head: H1Head
    content: bytes = b""
    chunks: list[int] = field(default_factory=list)
    trailers: Fields = field(default_factory=Fields)
    octets: bytes = b""

    @property
    def method(self) -> str:
        """Its method."""
        return self.head.method

    @property
    def target(self) -> str:
        """Its target, as it came."""
        return self.head.target

    @property
    def fields(self) -> Fields:
        """Its field lines."""
        return self.head.fields
