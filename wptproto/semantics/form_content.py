"""
The form that a request's content is: urlencoded, or multipart, decoded as it arrives.

Names and values are octets as they came. A part with a filename is a :class:`FilePart`, and what
describes it is text of one character to one octet. python-multipart finds the parts; it takes CRLF
as the end of a line and nothing else, and does not mind content that breaks off, so that we have to.

RFC 7578 (multipart/form-data); RFC 2046 §5.1.
"""

from __future__ import annotations

import re
import tempfile
import weakref
from collections.abc import Iterable
from email.message import Message
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from wptproto.errors import HTTPException
from wptproto.semantics.forms import MultiDict, urlencoded_pairs

__all__ = ["FilePart", "FormValue", "MultipartDecoder", "parse_form"]

FILE_MEMORY_OCTETS = 1024 * 1024
"""What is kept in memory of one file part; beyond it, it goes to a temporary file."""

_URLENCODED = b"application/x-www-form-urlencoded"

# wptserve knows no limits here; these are far beyond what clients send, and bound what waits for an end.
_PART_FIELDS = 100
_PART_FIELD_OCTETS = 64 * 1024

_PARAMETER = re.compile(rb';[ \t]*([^=;"]*)=[ \t]*("(?:[^"\\]|\\.)*"(?=[ \t]*(?:;|\Z))|[^;]*)', re.DOTALL)
_BLANKS = b" \t"
_ESCAPED = re.compile(rb'\\(["\\])')


class FilePart:
    """
    A part of multipart content that has a filename.

    Attributes:
        name: The form field's name.
        filename: The file's name on the client; nothing in it is made safe.
        headers: The part's fields; ``[]`` answers None for one that is not there.
        type: The media type, ``text/plain`` where the client named none (RFC 7578 §4.4).
        type_options: The media type's parameters.
        disposition: ``form-data``, from a client that means it.
        disposition_options: The parameters of Content-Disposition, ``name`` and ``filename`` among them.
        file: The content, open for reading, at its beginning.
    """

    def __init__(self, headers: Message) -> None:
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(FILE_MEMORY_OCTETS)  # noqa: SIM115
        weakref.finalize(self, self.file.close)  # __del__ could come after the file's own, which complains
        self.headers = headers
        self.disposition, self.disposition_options = _text_options(headers["Content-Disposition"])
        self.type, self.type_options = _text_options(headers.get("Content-Type", "text/plain"))
        self.name = self.disposition_options["name"]
        self.filename = self.disposition_options["filename"]

    def __repr__(self) -> str:
        return f"<FilePart {self.name!r} {self.filename!r}>"

    @property
    def value(self) -> bytes:
        """The whole content; ``file`` is at its beginning afterwards."""
        self.file.seek(0)
        content = self.file.read()
        self.file.seek(0)
        return content


FormValue = bytes | FilePart


class MultipartDecoder:
    """
    Turns multipart content into names and values, whatever pieces it comes in.

    Of a subtype other than form-data the parts have to look the same: each with a name.
    """

    def __init__(self, boundary: bytes) -> None:
        """
        Raises:
            HTTPException: 400; no content has such a boundary (RFC 2046 §5.1.1).
        """
        self._form: MultiDict[FormValue] = MultiDict()
        self._headers = Message()
        self._field_name = bytearray()
        self._field_value = bytearray()
        self._name = b""
        self._file: FilePart | None = None
        self._value = bytearray()
        self._preamble: bytes | None = b"\n"  # as if a line had ended before the content
        self._ended = False
        if not boundary:
            raise HTTPException(400, "multipart content needs a boundary in its Content-Type")
        self._delimiter = b"--" + boundary
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._extend_field_name,
                    "on_header_value": self._extend_field_value,
                    "on_header_end": self._end_field,
                    "on_headers_finished": self._end_fields,
                    "on_part_data": self._extend_content,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
                max_header_count=_PART_FIELDS,
                max_header_size=_PART_FIELD_OCTETS,
            )
        except FormParserError as error:
            raise _malformed(str(error)) from error

    def feed(self, data: bytes) -> None:
        """
        Take the next octets.

        Raises:
            HTTPException: 400; they cannot go on with what came before.
        """
        if self._preamble is not None:
            data = self._skip_preamble(self._preamble + data)
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _malformed(str(error)) from error

    def end(self) -> MultiDict[FormValue]:
        """
        Return what the content was; no content at all is an empty form.

        Raises:
            HTTPException: 400; the content was cut short.
        """
        if self._preamble == b"\n" or self._ended:
            return self._form
        delimiter = (self._delimiter + b"--").decode("latin-1")
        if self._preamble is not None:
            raise _malformed(f"there is no line {delimiter[:-2]!r}, with which it begins")
        raise _malformed(f"it was cut short: there is no line {delimiter!r}, with which it ends")

    def _skip_preamble(self, data: bytes) -> bytes:
        """
        Drop what stands before the first delimiter line.

        RFC 2046 §5.1.1: "implementations must ignore anything that appears before the first
        boundary delimiter line".
        """
        line = b"\n" + self._delimiter
        place = data.find(line)
        if place < 0:
            self._preamble = data[1 - len(line) :]
            return b""
        self._preamble = None
        return data[place + 1 :]

    # --- what the parser calls -----------------------------------------------------------------

    def _begin_part(self) -> None:
        self._headers = Message()
        self._file = None
        self._value = bytearray()

    def _extend_field_name(self, data: bytes, start: int, end: int) -> None:
        self._field_name += data[start:end]

    def _extend_field_value(self, data: bytes, start: int, end: int) -> None:
        self._field_value += data[start:end]

    def _end_field(self) -> None:
        self._headers[self._field_name.decode("latin-1")] = self._field_value.decode("latin-1").strip(" \t")
        self._field_name.clear()
        self._field_value.clear()

    def _end_fields(self) -> None:
        _, options = _split_options(self._headers.get("Content-Disposition", "").encode("latin-1"))
        # RFC 7578 §4.2: "Each part MUST contain a Content-Disposition header field [...] The
        # Content-Disposition header field MUST also contain an additional parameter of "name"".
        if b"name" not in options:
            raise _malformed("a part has no name in its Content-Disposition")
        self._name = options[b"name"]
        if options.get(b"filename"):  # a browser's empty filename stands for no file chosen
            self._file = FilePart(self._headers)

    def _extend_content(self, data: bytes, start: int, end: int) -> None:
        if self._file is None:
            self._value += data[start:end]
        else:
            self._file.file.write(data[start:end])

    def _end_part(self) -> None:
        if self._file is None:
            self._form.add(self._name, bytes(self._value))
        else:
            self._file.file.seek(0)
            self._form.add(self._name, self._file)
            self._file = None

    def _end(self) -> None:
        self._ended = True


def parse_form(method: str, content_type: bytes | None, pieces: Iterable[bytes]) -> MultiDict[FormValue]:
    """
    Decode the form that a request's content is.

    Args:
        method: GET and HEAD have none, whatever content they come with; their pieces are not read.
        content_type: The field's value. Without one, a POST is taken for urlencoded.
        pieces: The content, however cut.

    Returns:
        Values and file parts; nothing for content of another type.

    Raises:
        HTTPException: 400; multipart content that is malformed, or cut short.
    """
    if method.upper() in ("GET", "HEAD"):
        return MultiDict()
    if content_type is None and method.upper() == "POST":
        content_type = _URLENCODED
    media_type, options = _split_options(content_type or b"")
    if media_type.lower().startswith(b"multipart/"):
        decoder = MultipartDecoder(options.get(b"boundary", b""))
        for piece in pieces:
            decoder.feed(piece)
        return decoder.end()
    form: MultiDict[FormValue] = MultiDict()
    if media_type.lower() == _URLENCODED:
        for name, value in urlencoded_pairs(b"".join(pieces)):
            form.add(name, value)
    return form


def _split_options(value: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """
    Split ``value; name=option; name="option"``, option names in lower case.

    Browsers write ``"`` in a name as ``%22`` (HTML Standard §4.10.21.8), and wptserve leaves it
    at that; other clients write ``\\"``. A backslash before anything else is a backslash.
    """
    options: dict[bytes, bytes] = {}
    for match in _PARAMETER.finditer(value):
        option = match[2].strip(_BLANKS)
        if len(option) >= 2 and option.startswith(b'"') and option.endswith(b'"'):
            option = _ESCAPED.sub(rb"\1", option[1:-1])
        options[match[1].strip(_BLANKS).lower()] = option
    return value.partition(b";")[0].strip(_BLANKS), options


def _text_options(value: str) -> tuple[str, dict[str, str]]:
    head, options = _split_options(value.encode("latin-1"))
    return head.decode("latin-1"), {
        key.decode("latin-1"): option.decode("latin-1") for key, option in options.items()
    }


def _malformed(why: str) -> HTTPException:
    return HTTPException(400, f"malformed multipart content: {why}")
