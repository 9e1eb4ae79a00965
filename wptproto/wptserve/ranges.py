"""wptserve.ranges: what a Range field asks for."""

from __future__ import annotations

from dataclasses import dataclass

from wptproto.errors import HTTPException
from wptproto.semantics.ranges import UnsatisfiableRange, content_range, parse_range

__all__ = ["ByteRange", "Range", "RangeParser"]


@dataclass(frozen=True, order=True, slots=True)
class ByteRange:
    """
    A part of a file.

    Attributes:
        lower: The first octet.
        upper: The one behind the last.
        file_size: Of the whole, in octets.
    """

    lower: int
    upper: int
    file_size: int

    def header_value(self) -> str:
        """Return the value of Content-Range."""
        return content_range((self.lower, self.upper), self.file_size).decode("ascii")


Range = ByteRange


class RangeParser:
    """Reads Range fields."""

    def __call__(self, header: bytes, file_size: int) -> list[ByteRange]:
        """
        Return what a field's value asks for, in ascending order.

        Raises:
            HTTPException: 416; there is no such range, or it is no list of byte ranges.
        """
        try:
            return sorted(ByteRange(*wanted, file_size) for wanted in parse_range(header, file_size))
        except UnsatisfiableRange as error:
            raise HTTPException(416, str(error)) from error
